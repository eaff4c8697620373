//! Journeys that come back, aggregates that live on, and code with defects: what a file can say, and what then happens.

mod common;

use common::{plan, scenario};
use std::collections::BTreeMap;
use windtunnel::models::estate::{Estate, JourneyId};
use windtunnel::models::observation::{EffectMade, Kind, Observation, Observed, Source, Wrong};
use windtunnel::models::world::{Course, World};
use windtunnel::scenario::Request;
use windtunnel::units::SimTime;

/// Everything observed in one run of a text.
fn observe(text: &str, seed: u64) -> (std::sync::Arc<Estate>, Vec<Observed>) {
    let plan = plan(text);
    let estate = std::sync::Arc::clone(&plan.estate);
    let mut world = World::assemble(&estate, seed, Course::WithRollouts, [true; Kind::COUNT]);
    let mut seen = Vec::new();
    while world.step(&estate, SimTime::from(estate.horizon())) {
        seen.extend_from_slice(world.cx().observations());
    }
    (estate, seen)
}

fn told(text: &str) -> String {
    match scenario(text).plan(&Request::default()) {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string(),
    }
}

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
