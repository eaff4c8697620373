//! Journeys that come back, aggregates that live on, and code with defects: what a file can say, and what then happens.

mod common;

use common::{observe, told};
use std::collections::BTreeMap;
use windtunnel::models::estate::{Estate, JourneyId};
use windtunnel::models::observation::{EffectMade, Observation, Observed, Source, Wrong};
use windtunnel::units::SimTime;

fn effects(seen: &[Observed]) -> impl Iterator<Item = EffectMade> + '_ {
    seen.iter().filter_map(|fact| match fact.what {
        Observation::Effect(effect) => Some(effect),
        _ => None,
    })
}

fn journey(estate: &Estate, name: &str) -> JourneyId {
    estate.journeys.enumerate().find(|(_, journey)| journey.name == name).expect("the journey exists").0
}

/// Payments, of which some are recalled hours later; INSTANT is switched on and off again between.
const PAYMENTS: &str = r#"
windtunnel: 1
name: payments
duration: 6h
features:
  instant: { stages: [BATCH, INSTANT] }
services:
  payments:
    sdk: { poll: 15s }
    decides_from: [entity, sdk, safe_stage]
    operations:
      pay:
        by_stage:
          BATCH: { path: old, do: [{ set: posted }, { effect: pay }] }
          INSTANT: { path: new, do: [{ set: posted }, { effect: pay }] }
      recall:
        by_stage:
          BATCH: { path: old, do: [{ set: recalled }, { effect: recall }] }
          INSTANT: { path: new, do: [{ set: recalled }, { effect: recall }] }
journeys:
  pay:
    arrivals: 0.2/s
    first: payments.pay
    feature: instant
    entity: { name: payment, transitions: { none: [posted], posted: [recalled] } }
  recall: { on_existing: payment, when: 'status == "posted"', share: 20%, after: { mean: 30m }, first: payments.recall, feature: instant }
rollout:
  instant: { steps: [{ name: live, at: 1h, move: [{ to: INSTANT }] }] }
timeline:
  - { at: 3h, kill: instant }
"#;

#[test]
fn a_share_of_payments_is_recalled_after_a_while_each_once_and_by_its_own_subject() {
    let (estate, seen) = observe(PAYMENTS, 1);
    let (pay, recall) = (journey(&estate, "pay"), journey(&estate, "recall"));
    let mut paid = BTreeMap::new();
    let (mut recalled, mut delay) = (0, 0.0);
    for fact in &seen {
        let Observation::Arrived { interaction, user, .. } = fact.what else { continue };
        if interaction.journey == pay {
            paid.insert(interaction.n, (user, fact.at));
        } else {
            assert_eq!(interaction.journey, recall);
            let (subject, at) = paid.remove(&interaction.n).expect("a payment is recalled once, and after it was made");
            assert_eq!(subject, user);
            recalled += 1;
            delay += fact.at.since(at).as_secs_f64();
        }
    }
    let all = paid.len() + recalled;
    assert!(all > 4_000, "{all}");
    // 20% of those whose delay of 30 m on average ends before arrivals do: about 18.3% of six hours' payments.
    let share = recalled as f64 / all as f64;
    assert!((0.165..0.2).contains(&share), "{share}");
    let mean = delay / f64::from(recalled as u32) / 60.0;
    assert!((24.0..31.0).contains(&mean), "{mean} minutes");
}

#[test]
fn a_payment_made_under_instant_is_recalled_under_instant_even_after_a_kill() {
    let (estate, seen) = observe(PAYMENTS, 2);
    let recall = journey(&estate, "recall");
    let mut under = BTreeMap::new();
    let (mut from_entity, mut after_kill) = (0, 0);
    for fact in &seen {
        match fact.what {
            Observation::Effect(effect) if effect.interaction.journey != recall => {
                under.insert(effect.interaction.n, effect.path);
            }
            Observation::Effect(effect) => {
                assert_eq!(effect.path, under[&effect.interaction.n], "recalled as it was made");
                let late = fact.at > SimTime::from(windtunnel::units::SimDuration::from_secs(3 * 3_600 + 60));
                after_kill += u32::from(late && effect.path == Some(windtunnel::models::estate::PATH_NEW));
            }
            Observation::Decided(decided) if decided.interaction.journey == recall => {
                assert_eq!(decided.source, Source::Entity);
                from_entity += 1;
            }
            _ => {}
        }
    }
    assert!(from_entity > 500 && after_kill > 20, "{from_entity} {after_kill}");
}

#[test]
fn a_condition_keeps_the_journey_from_what_is_not_as_it_wants_it() {
    let never =
        PAYMENTS.replace("share: 20%", "share: 100%").replace(r#"status == "posted""#, r#"status == "recalled""#);
    let (estate, seen) = observe(&never, 1);
    let recall = journey(&estate, "recall");
    assert!(effects(&seen).all(|effect| effect.interaction.journey != recall));
}

#[test]
fn two_interactions_of_one_subject_that_overlap_see_each_others_changes() {
    let text = r#"
windtunnel: 1
name: overlap
duration: 10m
population: { tenants: { users: 1 } }
services:
  orders:
    operations:
      change:
        - { when: 'status == "none"', do: [{ set: open }, { wait: 3s }, { effect: open_it }] }
        - { do: [{ set: changed }, { effect: change_it }] }
journeys:
  change:
    arrivals: { every: 1s }
    first: orders.change
    entity: { name: order, per_subject: true }
"#;
    let (_, seen) = observe(text, 1);
    let opened = seen.iter().filter(|fact| matches!(fact.what, Observation::Status { from: 0, .. }));
    assert_eq!(opened.count(), 1, "only the first found the order without a status");
}

#[test]
fn journeys_on_existing_entities_are_told_what_is_wrong_with_them() {
    let mistakes = [
        ("on_existing: payment", "on_existing: paiment", "there is no entity `paiment`"),
        ("share: 20%, after: { mean: 30m }", "share: 20%", "`after` is missing"),
        ("on_existing: payment, ", "arrivals: 1/s, ", "`when` belongs to a journey on existing entities"),
        ("on_existing: payment, ", "on_existing: payment, arrivals: 1/s, ", "has no `arrivals` of its own"),
        (r#"status == "posted""#, r#"status == "postd""#, "posted"),
        (r#"status == "posted""#, r#"code == 1"#, "`code` is known to a service at work"),
    ];
    assert_eq!(told(PAYMENTS), "");
    for (from, to, expected) in mistakes {
        assert!(PAYMENTS.contains(from), "{from}");
        let problems = told(&PAYMENTS.replace(from, to));
        assert!(problems.contains(expected), "{from} -> {to}: {problems}");
    }
}

fn shop(defect: &str) -> String {
    format!(
        r#"
windtunnel: 1
name: shop
duration: 30m
population:
  tenants: {{ count: 50, attributes: {{ segment: {{ sme: 60%, enterprise: 40% }} }} }}
features: {{ fast: {{ stages: ["off", "on"] }} }}
services:
  front:
    operations: {{ buy: [{{ do: [{{ call: core.sell, retries: 1 }}] }}] }}
  core:
    sdk: {{ poll: 10s }}
    takes: 10ms
    code: {{ 1: {{}}, 2: {{ defects: [{{ {defect} }}] }} }}
    runs: 2
    operations:
      sell:
        by_stage:
          "off": {{ path: old, do: [{{ effect: sell }}] }}
          "on": {{ path: new, do: [{{ effect: sell }}] }}
journeys: {{ buy: {{ arrivals: 5/s, first: front.buy, feature: fast }} }}
rollout: {{ fast: {{ steps: [{{ name: half, at: 0s, move: [{{ to: "on", percent: 50% }}] }}] }} }}
"#
    )
}

/// Interactions whose customer was told that it failed.
fn failed(seen: &[Observed]) -> Vec<u64> {
    let finished = seen.iter().filter_map(|fact| match fact.what {
        Observation::Finished { interaction, outcome: windtunnel::models::observation::Outcome::Failed(_), .. } => {
            Some(interaction.n)
        }
        _ => None,
    });
    finished.collect()
}

#[test]
fn a_defect_fails_its_share_of_the_new_path_whatever_is_retried_and_a_larger_share_strikes_the_same_and_more() {
    let (_, some) = observe(&shop("fails: 10%, path: new"), 3);
    let (_, more) = observe(&shop("fails: 30%, path: new"), 3);
    let (few, many) = (failed(&some), failed(&more));
    let arrived = some.iter().filter(|fact| matches!(fact.what, Observation::Arrived { .. })).count();
    let share = few.len() as f64 / arrived as f64;
    assert!((0.04..0.06).contains(&share), "10% of one half: {share}");
    assert!(few.iter().all(|n| many.contains(n)) && many.len() > 2 * few.len());
    assert!(effects(&some).all(|effect| !few.contains(&effect.interaction.n)), "what fails has no effect");
}

#[test]
fn a_defect_of_a_cohort_strikes_nobody_else_and_a_slow_path_is_slow_by_its_factor() {
    let (_, seen) = observe(&shop(r#"slower: 20, when: 'tenant.segment == "enterprise"', path: new"#), 3);
    let mut path = BTreeMap::new();
    for effect in effects(&seen) {
        path.insert(effect.interaction.n, effect.path == Some(windtunnel::models::estate::PATH_NEW));
    }
    let mut slow = BTreeMap::new();
    for fact in &seen {
        if let Observation::Finished { interaction, latency, .. } = fact.what {
            slow.insert(interaction.n, latency.as_secs_f64() > 0.15);
        }
    }
    let (on_new, struck): (Vec<u64>, Vec<u64>) = (
        path.iter().filter(|(_, new)| **new).map(|(n, _)| *n).collect(),
        slow.iter().filter(|(_, slow)| **slow).map(|(n, _)| *n).collect(),
    );
    assert!(struck.iter().all(|n| on_new.contains(n)));
    let share = struck.len() as f64 / on_new.len() as f64;
    assert!((0.2..0.6).contains(&share), "40% of tenants: {share}");
}

#[test]
fn a_leak_fails_everything_once_the_process_has_run_for_long_and_a_restart_helps_for_as_long() {
    let leak = shop("fails_after: 10m");
    let restart = "timeline: [{ at: 15m, fault: service.crash, target: core, lasts: 1s }]\n";
    let (_, seen) = observe(&format!("{leak}{restart}"), 3);
    let at = |fact: &Observed| fact.at.as_secs_f64() / 60.0;
    let made: Vec<f64> = seen.iter().filter(|fact| matches!(fact.what, Observation::Effect(_))).map(at).collect();
    let within = |from: f64, to: f64| made.iter().filter(|at| (from..to).contains(*at)).count();
    assert!(within(0.0, 10.0) > 2_500 && within(15.1, 25.0) > 2_500);
    assert_eq!((within(10.01, 15.0), within(25.02, 31.0)), (0, 0));
}

#[test]
fn what_is_wrong_with_an_effect_is_told_with_it() {
    let wrong = |defect: &str, seed| {
        let (_, seen) = observe(&shop(defect), seed);
        let new = effects(&seen).filter(|effect| effect.path == Some(windtunnel::models::estate::PATH_NEW));
        let of: Vec<(u64, Option<Wrong>)> = new.map(|effect| (effect.interaction.n, effect.wrong)).collect();
        assert!(
            effects(&seen)
                .filter(|effect| effect.path != Some(windtunnel::models::estate::PATH_NEW))
                .all(|effect| effect.wrong.is_none())
        );
        of
    };
    let disagree = wrong("disagrees: 5%, path: new", 1);
    let share =
        disagree.iter().filter(|(_, wrong)| *wrong == Some(Wrong::Disagrees)).count() as f64 / disagree.len() as f64;
    assert!((0.035..0.065).contains(&share), "{share}");
    let corrupt = wrong("corrupts: 5%, path: new", 1);
    assert!(corrupt.iter().any(|(_, wrong)| *wrong == Some(Wrong::Corrupt)));
}

#[test]
fn defects_are_told_what_is_wrong_with_them() {
    let cases = [
        ("slower: 3, fails: 5%", "slower"),
        ("path: new", "fails"),
        ("slower: 0.5", "would make it faster"),
        ("fails: 5%, path: nwe", "has no path `nwe`"),
        ("fails: 5%, when: 'stage == \"on\"'", "does not ask for a stage"),
        ("fails: 5%, when: 'tenant.segmnt == \"sme\"'", "tenant.segment"),
    ];
    for (defect, expected) in cases {
        let problems = told(&shop(defect));
        assert!(problems.contains(expected), "{defect}: {problems}");
    }
}

#[test]
fn an_effect_that_happens_once_is_not_repeated_by_retries_whether_or_not_there_is_an_entity() {
    let shop = |once: &str, entity: &str| {
        let text = format!(
            r#"
windtunnel: 1
name: retried
duration: 5m
services:
  front:
    operations: {{ buy: [{{ do: [{{ call: core.sell, timeout: 100ms, retries: 2 }}] }}] }}
  core:
    operations: {{ sell: [{{ do: [{{ effect: sell{once} }}, {{ wait: 1s }}] }}] }}
journeys: {{ buy: {{ arrivals: 1/s, first: front.buy{entity} }} }}
"#
        );
        let (_, seen) = observe(&text, 1);
        let mut of = BTreeMap::new();
        effects(&seen).for_each(|effect| *of.entry(effect.interaction.n).or_insert(0) += 1);
        assert!(of.len() > 200, "{}", of.len());
        of.into_values().collect::<std::collections::BTreeSet<u32>>()
    };
    let entity = ", entity: { name: order }";
    assert_eq!(shop("", ""), [3].into(), "every attempt has its effect");
    assert_eq!(shop(", once: true", ""), [1].into());
    assert_eq!(shop(", once: true", entity), [1].into());
    assert_eq!(shop(", once_by: entity.id", entity), [1].into());
}

/// Orders are billed when the ledger is healthy; it is down from minute 5 to minute 10.
fn billing(until: &str, down: &str) -> String {
    format!(
        r#"
windtunnel: 1
name: billing
duration: 20m
services:
  shop:
    operations: {{ buy: [{{ do: [{{ call: billing.charge }}] }}] }}
  billing:
    replicas: 2
    operations:
      charge:
        - {{ do: [{{ effect: accept }}, {{ queue_until: {{ {until} }} }}, {{ call: ledger.post }}, {{ effect: charge }}] }}
  ledger:
    replicas: 2
    operations: {{ post: [{{ do: [{{ effect: post }}] }}] }}
journeys: {{ buy: {{ arrivals: 2/s, first: shop.buy }} }}
timeline: [{down}]
"#
    )
}

const LEDGER_DOWN: &str = "{ at: 5m, fault: service.crash, target: ledger, lasts: 5m }";

#[test]
fn billing_accepts_while_the_ledger_is_down_and_charges_everything_once_it_is_healthy() {
    let (estate, seen) = observe(&billing(r#"when: 'healthy("ledger")', looks_every: 5s"#, LEDGER_DOWN), 1);
    let charge = estate.effects.find("charge").expect("there is a charge");
    let minute = |fact: &Observed| fact.at.as_secs_f64() / 60.0;
    let arrived = seen.iter().filter(|fact| matches!(fact.what, Observation::Arrived { .. })).count();
    assert!(failed(&seen).is_empty(), "every customer has an answer, and none is an error");
    let charged: Vec<(u64, f64)> = seen
        .iter()
        .filter_map(|fact| match fact.what {
            Observation::Effect(effect) if effect.effect == charge => Some((effect.interaction.n, minute(fact))),
            _ => None,
        })
        .collect();
    let once: std::collections::BTreeSet<u64> = charged.iter().map(|(n, _)| *n).collect();
    assert_eq!((charged.len(), once.len()), (arrived, arrived), "nothing is lost, and nothing is charged twice");
    let within = |from: f64, to: f64| charged.iter().filter(|(_, at)| (from..to).contains(at)).count();
    assert_eq!(within(5.01, 10.0), 0);
    // Five minutes of orders emerge within one look, besides those of the time.
    assert!((500..740).contains(&within(10.0, 10.2)), "{}", within(10.0, 10.2));
    let held: Vec<f64> = seen
        .iter()
        .filter_map(|fact| match fact.what {
            Observation::Resumed { held, given_up: None, .. } => Some(held.as_secs_f64()),
            _ => None,
        })
        .collect();
    assert_eq!(held.len(), arrived);
    assert!(held.iter().all(|held| *held <= 306.0) && held.iter().any(|held| *held > 290.0));
    let at_once = held.iter().filter(|held| **held == 0.0).count();
    assert!(at_once > arrived / 2, "what is healthy is not waited for");
}

#[test]
fn what_is_held_for_too_long_is_given_up_and_what_there_is_no_room_for_is_refused() {
    let until = r#"when: 'healthy("ledger")', at_most: 1m, room: 30"#;
    let (_, seen) = observe(&billing(until, LEDGER_DOWN), 1);
    let (mut now, mut most, mut given_up) = (0, 0, 0);
    for fact in &seen {
        match fact.what {
            Observation::Held { .. } => now += 1,
            Observation::Resumed { given_up: why, held, .. } => {
                now -= 1;
                if let Some(why) = why {
                    assert_eq!(why, windtunnel::models::observation::Failure::HeldTooLong);
                    assert_eq!(held.as_secs_f64(), 60.0);
                    given_up += 1;
                }
            }
            _ => {}
        }
        most = most.max(now);
    }
    // 30 at a time for a minute each, over five minutes; one more passes when they are about to go on.
    assert!((30..=31).contains(&most) && now == 0, "{most} {now}");
    assert!((110..=150).contains(&given_up), "{given_up}");
    let refused = failed(&seen).len();
    assert!((400..520).contains(&refused), "600 orders less what was held: {refused}");
}

#[test]
fn what_is_held_outlives_the_process_that_held_it() {
    let down = format!("{LEDGER_DOWN}, {{ at: 7m, fault: service.crash, target: billing, lasts: 1m }}");
    let (estate, seen) = observe(&billing(r#"when: 'healthy("ledger")'"#, &down), 1);
    let of = |name: &str| {
        let wanted = estate.effects.find(name).expect("there is such an effect");
        effects(&seen).filter(|effect| effect.effect == wanted).map(|effect| effect.interaction.n).collect::<Vec<_>>()
    };
    let (mut accepted, mut charged) = (of("accept"), of("charge"));
    accepted.sort_unstable();
    charged.sort_unstable();
    assert!(accepted.len() > 2_000);
    assert_eq!(accepted, charged, "whatever was accepted is charged");
}

#[test]
fn a_ledger_is_not_healthy_behind_a_partition_or_without_room() {
    let waits = |extra: &str, down: &str| {
        let text = billing(r#"when: 'healthy("ledger")'"#, down).replace("  ledger:\n    replicas: 2", extra);
        let (_, seen) = observe(&text, 1);
        seen.iter().filter(|fact| matches!(fact.what, Observation::Resumed { held, .. } if !held.is_zero())).count()
    };
    let ledger = "  ledger:\n    replicas: 2";
    assert_eq!(waits(ledger, ""), 0);
    let slow = "  ledger:\n    workers: 1\n    queue: 0\n    takes: 400ms";
    assert!(waits(slow, "") > 500, "one worker that is busy four fifths of the time");
    let regions = "population: { regions: { east: 50%, west: 50% }, tenants: { count: 50 } }\nservices:\n  shop:";
    let apart =
        billing(r#"when: 'healthy("ledger")'"#, "{ at: 5m, fault: network.partition, region: east, lasts: 5m }")
            .replace("services:\n  shop:", regions)
            .replace("  billing:\n    replicas: 2", "  billing:\n    replicas: { east: 2, west: 2 }")
            .replace("  ledger:\n    replicas: 2", "  ledger:\n    replicas: { west: 2 }");
    let (_, seen) = observe(&apart, 1);
    let held = seen.iter().filter(|fact| matches!(fact.what, Observation::Resumed { held, .. } if !held.is_zero()));
    assert!(held.count() > 100, "those in the region without a ledger wait");
}

#[test]
fn a_queue_until_a_condition_is_told_what_is_wrong_with_it() {
    let cases = [
        (r#"when: 'healthy("legder")'"#, "there is no service `legder`"),
        (r#"when: 'healthy("ledger", "billing")'"#, "healthy() takes the name of a service"),
        (r#"when: 'healty("ledger")'"#, "did you mean `healthy`?"),
        (r#"when: 'healthy("ledger")', looks_every: 0s"#, "0s"),
        (r#"daily: "22:00", room: 5"#, "`room` belongs to a queue until a condition holds"),
        (r#"daily: "22:00", when: 'true'"#, "daily"),
        ("looks_every: 5s", "daily"),
    ];
    assert_eq!(told(&billing(r#"when: 'healthy("ledger")'"#, "")), "");
    for (until, expected) in cases {
        let problems = told(&billing(until, ""));
        assert!(problems.contains(expected), "{until}: {problems}");
    }
    let audience = "features: { fast: { stages: [A, B] } }\nrollout: { fast: { steps: [{ at: 1m, move: [{ of: 'healthy(\"ledger\")', to: B }] }] } }\n";
    let problems = told(&format!("{}{audience}", billing("when: 'true'", "")));
    assert!(problems.contains("is known to a service at work"), "{problems}");
}

/// Payments through a scheme that is somebody else's and gives no answer to a fifth of the attempts.
fn payments(scheme: &str, key: &str) -> String {
    format!(
        r#"
windtunnel: 1
name: payments
duration: 1h
services:
  payments:
    operations:
      pay: [{{ do: [{{ call: scheme.transfer, timeout: 2s, retries: 3, backoff: 100ms }}, {{ effect: book }}] }}]
  scheme:
    external: true
    takes: 200ms
    {scheme}
    operations: {{ transfer: {{ rules: [{{ do: [{{ effect: transfer{key} }}] }}] }} }}
journeys: {{ pay: {{ arrivals: 1/s, first: payments.pay, entity: {{ name: payment }} }} }}
"#
    )
}

/// How often each interaction had an effect.
fn times(estate: &Estate, seen: &[Observed], name: &str) -> BTreeMap<u64, u32> {
    let wanted = estate.effects.find(name).expect("there is such an effect");
    let mut of = BTreeMap::new();
    effects(seen)
        .filter(|effect| effect.effect == wanted)
        .for_each(|effect| *of.entry(effect.interaction.n).or_insert(0) += 1);
    of
}

#[test]
fn an_unanswered_attempt_takes_effect_or_not_and_its_caller_knows_only_its_own_timeout() {
    let (estate, seen) = observe(&payments("outcome_unknown: 20%\n    takes_effect: 50%", ""), 1);
    let arrived = seen.iter().filter(|fact| matches!(fact.what, Observation::Arrived { .. })).count() as f64;
    let unknown: Vec<bool> = seen
        .iter()
        .filter_map(|fact| match fact.what {
            Observation::OutcomeUnknown { takes_effect, .. } => Some(takes_effect),
            _ => None,
        })
        .collect();
    // A fifth of the first attempts, a fifth of the retries after these, and so on.
    let expected = arrived * (0.2 + 0.04 + 0.008 + 0.0016);
    assert!((unknown.len() as f64 - expected).abs() < 4.0 * expected.sqrt(), "{} {expected}", unknown.len());
    let done = unknown.iter().filter(|takes_effect| **takes_effect).count() as f64;
    assert!((done / unknown.len() as f64 - 0.5).abs() < 0.08, "{done}");
    let timeouts = seen.iter().filter(|fact| {
        matches!(fact.what, Observation::Failed { why: windtunnel::models::observation::Failure::Timeout, .. })
    });
    assert_eq!(timeouts.count(), unknown.len(), "each ends with the caller's timeout");
    // Whoever took effect without an answer is asked again, and nearly always does it again.
    let transfers = times(&estate, &seen, "transfer");
    let twice = transfers.values().filter(|times| **times > 1).count() as f64;
    assert!((twice / arrived - 0.1).abs() < 0.03, "{twice} of {arrived}");
}

#[test]
fn what_takes_effect_later_does_so_after_the_caller_has_given_up() {
    let silence = "outcome_unknown: 100%\n    takes_effect: { share: 100%, later: 1m }";
    let text = payments(silence, "").replace("duration: 1h", "duration: 1h\ndrain: 5m");
    let (estate, seen) = observe(&text, 1);
    let transfers = times(&estate, &seen, "transfer");
    assert!(!transfers.is_empty() && transfers.values().all(|times| *times == 4), "each attempt is carried out");
    let mut arrived = BTreeMap::new();
    for fact in &seen {
        match fact.what {
            Observation::Arrived { interaction, .. } => {
                arrived.insert(interaction.n, fact.at);
            }
            Observation::Effect(effect) => {
                assert!(fact.at.since(arrived[&effect.interaction.n]).as_secs_f64() > 60.0);
            }
            _ => {}
        }
    }
    assert_eq!(failed(&seen).len(), arrived.len(), "no customer has a confirmation");
    let never = observe(&payments("outcome_unknown: 100%\n    takes_effect: 0%", ""), 1).1;
    assert_eq!(effects(&never).count(), 0);
}

#[test]
fn an_idempotency_key_must_name_the_business_and_not_the_attempt() {
    let most = |key: &str| {
        let (estate, seen) = observe(&payments("outcome_unknown: 20%\n    takes_effect: 50%", key), 1);
        times(&estate, &seen, "transfer").into_values().max()
    };
    assert!(most(", once_by: attempt.id") > Some(1), "a key made in the retry loop recognises nothing");
    assert_eq!(most(", once_by: request.id"), Some(1));
    assert_eq!(most(", once_by: entity.id"), Some(1));
}

#[test]
fn a_key_of_the_user_or_tenant_lets_one_effect_through_for_each_of_them() {
    let of = |key: &str| {
        let text =
            payments("", key).replace("duration: 1h", "duration: 1h\npopulation: { tenants: { count: 7, users: 3 } }");
        let (estate, seen) = observe(&text, 1);
        times(&estate, &seen, "transfer").len()
    };
    assert_eq!((of(", once_by: tenant.id"), of(", once_by: user.id")), (7, 21));
}

#[test]
fn the_id_of_an_event_recognises_its_copies_and_not_a_second_emission() {
    let mailed = |key: &str, copies: u32, retries: &str| {
        let text = format!(
            r#"
windtunnel: 1
name: mails
duration: 10m
services:
  shop: {{ operations: {{ buy: [{{ do: [{{ call: orders.place{retries} }}] }}] }} }}
  orders:
    operations:
      place: [{{ do: [{{ emit: orders, type: Placed, extra_copies: {copies} }}, {{ wait: 2s }}] }}]
  mailer:
    consumes: {{ orders: {{ takes: 1ms }} }}
    operations: {{ on Placed: [{{ do: [{{ effect: mail{key} }}] }}] }}
topics: {{ orders: {{ partitions: 1 }} }}
journeys: {{ buy: {{ arrivals: 1/s, first: shop.buy }} }}
"#
        );
        let (estate, seen) = observe(&text, 1);
        times(&estate, &seen, "mail").into_values().collect::<std::collections::BTreeSet<u32>>()
    };
    let (patient, hasty) = (", timeout: 5s", ", timeout: 1s, retries: 1");
    assert_eq!(mailed("", 2, patient), [3].into());
    assert_eq!(mailed(", once_by: event.id", 2, patient), [1].into());
    assert_eq!(mailed(", once_by: event.id", 2, hasty), [2].into(), "each try of the producer makes a new event");
    assert_eq!(mailed(", once_by: request.id", 2, hasty), [1].into());
}

#[test]
fn silences_and_keys_are_told_what_is_wrong_with_them() {
    let both = "outcome_unknown: 20%\n    takes_effect: 50%";
    let cases = [
        (payments("outcome_unknown: 20%", ""), "write takes_effect: 50% beside it"),
        (payments("takes_effect: 20%", ""), "write outcome_unknown: 1% beside it"),
        (payments(both, "").replace("external: true", "external: false"), "a service of ours answers"),
        (payments(both, ", once_by: order.id"), "entity.id"),
        (payments(both, ", once_by: event.id"), "is known where an event is handled"),
        (payments(both, ", once: true, once_by: request.id"), "say the same"),
        (payments(both, ", records: boook"), "there is no effect `boook`"),
    ];
    assert_eq!(told(&payments(both, ", once_by: request.id, records: book")), "");
    for (text, expected) in cases {
        let problems = told(&text);
        assert!(problems.contains(expected), "{expected}: {problems}");
    }
}

/// Gift wrapping: the order service offers it for orders in Draft only; fulfilment takes no part in the rollout.
const GIFTS: &str = r#"
windtunnel: 1
name: gifts
duration: 30m
features: { gift-wrap: { stages: [NONE, OFFERED] } }
defaults: { service: { decides_from: [context, sdk, safe_stage] } }
services:
  web:
    edge: true
    sdk: { poll: 5s }
    operations:
      create: [{ do: [{ call: orders.create }] }]
      edit: [{ do: [{ call: orders.edit }] }]
  orders:
    sdk: { poll: 5s }
    operations:
      create: [{ do: [{ set: draft }, { effect: create }] }]
      edit:
        - { when: 'stage == "OFFERED" && status == "draft"', path: new, do: [{ effect: offer_wrapping }, { set: placed }, { call: fulfilment.ship }] }
        - { when: 'status == "draft"', path: old, do: [{ set: placed }, { call: fulfilment.ship }] }
        - { do: [{ effect: look }] }
  fulfilment:
    ignores: [gift-wrap]
    sdk: { poll: 5s }
    operations: { ship: [{ do: [{ effect: ship }] }] }
journeys:
  create:
    arrivals: 1/s
    first: web.create
    feature: gift-wrap
    entity: { name: order, transitions: { none: [draft], draft: [placed] } }
  edit: { on_existing: order, after: 1m, first: web.edit, feature: gift-wrap }
  edit-again: { on_existing: order, after: 2m, first: web.edit, feature: gift-wrap }
rollout: { gift-wrap: { steps: [{ at: 10m, move: [{ to: OFFERED }] }] } }
"#;

#[test]
fn the_order_service_offers_the_option_for_orders_in_draft_only() {
    let (estate, seen) = observe(GIFTS, 1);
    let again = journey(&estate, "edit-again");
    let (offer, look) = (estate.effects.find("offer_wrapping"), estate.effects.find("look"));
    let (mut offered, mut looked) = (0, 0);
    for effect in effects(&seen) {
        if Some(effect.effect) == offer {
            assert_ne!(effect.interaction.journey, again, "an order that is placed is not in draft");
            offered += 1;
        }
        looked += u32::from(Some(effect.effect) == look && effect.interaction.journey == again);
    }
    assert!(offered > 1_000 && looked > 1_400, "{offered} {looked}");
}

#[test]
fn a_fulfilment_that_ignores_the_feature_decides_nothing_and_ships_the_same_before_and_after() {
    let (estate, seen) = observe(GIFTS, 1);
    let fulfilment = estate.contexts.find("fulfilment").expect("there is fulfilment");
    let decided = seen.iter().filter(|fact| matches!(fact.what, Observation::Decided(of) if of.context == fulfilment));
    assert_eq!(decided.count(), 0);
    let placed = seen
        .iter()
        .filter(|fact| matches!(fact.what, Observation::Status { to, .. } if estate.statuses.text(to) == "placed"));
    let shipped: Vec<EffectMade> = effects(&seen).filter(|effect| effect.context == fulfilment).collect();
    assert!(shipped.iter().all(|effect| effect.path.is_none()), "neither old nor new");
    assert_eq!(shipped.len(), placed.count());
    let reads = GIFTS
        .replace("ship: [{ do:", "ship: [{ when: 'stage == \"OFFERED\"', path: new, do: [{ effect: ship }] }, { do:");
    let problems = told(&reads);
    assert!(problems.contains("declares to ignore `gift-wrap`, and its operation `ship` reads it"), "{problems}");
}

/// Terms of contract: whoever joins after the start gets the new ones, the others keep theirs until everybody is moved.
fn terms(tenants: &str, audience: &str) -> String {
    format!(
        r#"
windtunnel: 1
name: terms
duration: 2h
population: {{ tenants: {{ {tenants} }} }}
features: {{ new-terms: {{ stages: [OLD_TERMS, NEW_TENANTS_ONLY] }} }}
services:
  shop:
    sdk: {{ poll: 5s }}
    operations:
      order:
        by_stage:
          OLD_TERMS: {{ path: old, do: [{{ effect: bill }}] }}
          NEW_TENANTS_ONLY: {{ path: new, do: [{{ effect: bill }}] }}
journeys: {{ order: {{ arrivals: 2/s, first: shop.order, feature: new-terms }} }}
rollout: {{ new-terms: {{ steps: [{{ at: 0s, move: [{{ of: '{audience}', to: NEW_TENANTS_ONLY }}] }}] }} }}
"#
    )
}

#[test]
fn tenants_join_one_after_the_other_and_only_they_get_the_new_terms() {
    for traffic in ["", ", traffic: { zipf: 1.1 }"] {
        let text = terms(&format!("count: 10, joining: 10/h{traffic}"), "tenant.joined_after_start");
        let (_, seen) = observe(&text, 1);
        let mut first = BTreeMap::new();
        for fact in &seen {
            if let Observation::Arrived { tenant, .. } = fact.what {
                first.entry(tenant).or_insert(fact.at.as_secs_f64() / 3_600.0);
            }
        }
        assert!(first.len() >= 28, "{first:?}");
        for (tenant, at) in &first {
            let joins = f64::from(tenant.saturating_sub(9)) / 10.0;
            assert!(*at >= joins, "tenant {tenant} comes at {at} and joins at {joins}");
        }
        for effect in effects(&seen) {
            assert_eq!(effect.path == Some(windtunnel::models::estate::PATH_NEW), effect.tenant >= 10);
        }
    }
}

#[test]
fn new_tenants_get_the_new_terms_until_they_are_new_no_longer() {
    for (audience, oldest) in [
        ("tenant.age < duration(\"30m\")", 0.5),
        ("!(tenant.age >= duration(\"45m\"))", 0.75),
        ("tenant.joined_after_start && tenant.age <= duration(\"1h 30m\")", 1.5),
    ] {
        let (_, seen) = observe(&terms("count: 10, joining: 10/h", audience), 1);
        let (mut new, mut old) = (0, 0);
        for fact in &seen {
            let Observation::Effect(effect) = fact.what else { continue };
            let is_new = effect.path == Some(windtunnel::models::estate::PATH_NEW);
            let age = match effect.tenant.checked_sub(10) {
                Some(later) => fact.at.as_secs_f64() / 3_600.0 - f64::from(later + 1) / 10.0,
                None => f64::INFINITY,
            };
            // What was decided a moment ago is done now.
            if (age - oldest).abs() > 0.01 {
                assert_eq!(is_new, age < oldest, "{audience}: tenant {} is {age} h old", effect.tenant);
            }
            *(if is_new { &mut new } else { &mut old }) += 1;
        }
        assert!(new > 500 && old > 500, "{audience}: {new} {old}");
    }
}

#[test]
fn who_was_there_from_the_start_is_older_than_anything() {
    let (_, seen) = observe(&terms("count: 10, joining: 1/h", "tenant.age > duration(\"5000d\")"), 1);
    // Once the policy is there, after a poll.
    let later: Vec<Observed> = seen.into_iter().filter(|fact| fact.at.as_secs_f64() > 10.0).collect();
    assert!(effects(&later).any(|effect| effect.tenant >= 10));
    for effect in effects(&later) {
        assert_eq!(effect.path == Some(windtunnel::models::estate::PATH_NEW), effect.tenant < 10);
    }
}

#[test]
fn an_age_is_compared_with_a_length_of_time_and_with_nothing_else() {
    let cases = [
        ("tenant.age < 30", "a length of time is written duration("),
        ("\"30d\" > tenant.age", "a length of time is written duration("),
        ("tenant.age < duration(\"30\")", "`30` is not a duration"),
        ("tenant.age < duration(30)", "duration() takes a name in quotes"),
        ("tenant.age < duration(\"1d\", \"2d\")", "duration() takes one length of time"),
        (
            "tenant.age + duration(\"1d\") > duration(\"2d\")",
            "arithmetic takes two numbers, not a duration and a duration",
        ),
        ("tenant.age", "a condition is true or false, and this is a duration"),
        ("tenant.age < durations(\"1d\")", "did you mean `duration`?"),
        ("tenant.agee < duration(\"1d\")", "did you mean `tenant.age`?"),
    ];
    for (audience, expected) in cases {
        let problems = told(&terms("count: 10, joining: 10/h", audience));
        assert!(problems.contains(expected), "{audience}: {problems}");
    }
    let problems = told(&terms("count: 10", "tenant.age < duration(\"30d\")"));
    assert!(problems.contains("no tenant joins during the run"), "{problems}");
    let problems = told(&terms("count: 10, attributes: { age: { a: 100% } }", "true"));
    assert!(problems.contains("`tenant.age` is known without being declared"), "{problems}");
}

#[test]
fn joining_tenants_are_told_what_is_wrong_with_them() {
    let joined = "tenant.joined_after_start";
    let cases = [
        (terms("count: 10", joined), "no tenant joins during the run"),
        (terms("count: 10, joining: 1/d", joined), "no tenant joins before the last customer comes"),
        (terms("count: 10, joining: 10000/s", joined), "tenants"),
        (terms("count: 10, joining: 10/h", "tenant.joined"), "tenant.joined_after_start"),
        (
            terms("count: 10, attributes: { joined_after_start: { a: 100% } }", "true"),
            "is known without being declared",
        ),
    ];
    assert_eq!(told(&terms("count: 10, joining: 10/h", joined)), "");
    for (text, expected) in cases {
        let problems = told(&text);
        assert!(problems.contains(expected), "{expected}: {problems}");
    }
}

/// A loan may be asked for on the web, by a partner, in a nightly file, or by an event: each way in has an edge of its own.
const LOANS: &str = r#"
windtunnel: 1
name: edges
duration: 90m
features:
  quick-loan: { stages: ["off", "on"] }
services:
  web: { replicas: 3, sdk: { poll: 30s }, edge: true, operations: { ask: [{ do: [{ call: loans.decide }] }] } }
  partner-api: { replicas: 2, sdk: { poll: 60s }, edge: { expires: 1h }, operations: { ask: [{ do: [{ call: loans.decide }] }] } }
  batch-file: { sdk: { poll: 10m }, edge: true, operations: { import: [{ do: [{ emit: applications, type: Applied }] }] } }
  loans:
    replicas: 4
    sdk: { poll: 30s }
    decides_from: [context, event, sdk, safe_stage]
    consumes: { applications: { group: loans } }
    operations:
      decide:
        - { when: 'stage == "on"', path: new, do: [{ effect: grant }] }
        - { path: old, do: [{ effect: queue_for_clerk }] }
      on Applied:
        - { when: 'stage == "on"', path: new, do: [{ effect: grant }] }
        - { path: old, do: [{ effect: queue_for_clerk }] }
topics: { applications: { partitions: 3, carries: all } }
journeys:
  on-the-web: { arrivals: 2/s, first: web.ask, feature: quick-loan }
  by-a-partner: { arrivals: 1/s, first: partner-api.ask, feature: quick-loan }
  in-a-file: { arrivals: { every: 5s }, first: batch-file.import, feature: quick-loan }
rollout: { quick-loan: { steps: [{ name: all, at: 30m, move: [{ to: "on" }] }] } }
expect: { split-brain: holds }
"#;

#[test]
fn several_edges_each_decide_for_what_follows_and_nobody_behind_them_differs() {
    let run = |text: &str| common::run_once(&common::plan(text), 1).summary;
    let split = |summary: &windtunnel::run::RunSummary| {
        let one = summary.invariants.iter().find(|one| one.name == "split-brain").expect("it is checked").clone();
        (one.violations, one.exercised)
    };
    let (violations, exercised) = split(&run(LOANS));
    assert_eq!(violations, 0);
    assert!(exercised > 100, "edges that pass requests on decide, too: {exercised}");
    let alone = LOANS.replace("decides_from: [context, event, sdk, safe_stage]", "decides_from: [sdk, safe_stage]");
    assert!(split(&run(&alone.replace("split-brain: holds", "split-brain: violated"))).0 > 30);
}
