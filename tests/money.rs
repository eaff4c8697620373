//! Compensations, sagas and reconciliations: who undoes what, when, and under which decision, and who notices.

mod common;

use common::{observe, plan, run_once, shipped, told};
use std::collections::BTreeMap;
use windtunnel::models::estate::PATH_NEW;
use windtunnel::models::observation::{CompensationMade, Observation, Observed};

use windtunnel::units::SimTime;

fn compensations(seen: &[Observed]) -> Vec<(SimTime, CompensationMade)> {
    let made = |fact: &Observed| match fact.what {
        Observation::Compensated(made) => Some((fact.at, made)),
        _ => None,
    };
    seen.iter().filter_map(made).collect()
}

/// One order every ten seconds: it reserves, pays and waits for a shipment that only every other kind of request gets.
/// What does not get it in a minute is given up.
const ORDERS: &str = r#"
windtunnel: 1
name: orders
duration: 10m
features:
  prepaid: { stages: [INVOICE, PREPAID] }
services:
  shop:
    replicas: 2
    sdk: { poll: 5s }
    decides_from: [context, sdk, safe_stage]
    saga: { timeout: { old: 60s, new: 60s }, on_timeout: compensate }
    operations:
      order:
        by_stage:
          INVOICE: { path: old, do: [{ set: open }, { effect: reserve, compensated_by: shop.free }, { effect: bill, compensated_by: shop.cancel }, { call: store.ship }] }
          PREPAID: { path: new, do: [{ set: open }, { effect: reserve, compensated_by: shop.free }, { effect: pay, irreversible: true, compensated_by: shop.cancel }, { call: store.ship }] }
      free: [{ do: [{ compensate: reserve }] }]
      cancel:
        by_stage:
          INVOICE: { path: old, do: [{ compensate: bill }, { set: cancelled }] }
          PREPAID: { path: new, do: [{ compensate: pay }, { set: cancelled }] }
  store:
    operations:
      ship:
        - { when: 'request.kind == "stocked"', do: [{ set: shipped }] }
        - { do: [] }
journeys:
  order:
    arrivals: { every: 10s }
    first: shop.order
    feature: prepaid
    attributes: { kind: { stocked: 50%, missing: 50% } }
    entity: { name: order, transitions: { none: [open], open: [shipped, cancelled] }, void: [cancelled] }
rollout:
  prepaid: { steps: [{ name: live, at: 2m, move: [{ to: PREPAID }] }] }
"#;

#[test]
fn a_saga_whose_time_is_over_undoes_what_was_done_the_latest_first_and_one_that_ended_does_not() {
    let (estate, seen) = observe(ORDERS, 1);
    let (mut arrived, mut ended, mut expired, mut undone) =
        (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::<_, Vec<u16>>::new());
    for fact in &seen {
        match fact.what {
            Observation::Arrived { interaction, .. } => drop(arrived.insert(interaction.key(), fact.at)),
            Observation::Closed { interaction, status } => {
                let (_, status) = status.expect("an order has a status");
                let lasted = fact.at.since(arrived[&interaction.key()]).as_secs_f64();
                ended.insert(interaction.key(), (estate.statuses.text(status), lasted));
            }
            Observation::Expired { interaction, after, .. } => {
                assert_eq!(after.as_secs_f64(), 60.0);
                expired.insert(interaction.key(), fact.at.since(arrived[&interaction.key()]).as_secs_f64());
            }
            Observation::Compensated(made) => {
                assert_eq!(made.of.key(), made.interaction.key());
                undone.entry(made.interaction.key()).or_default().push(made.effect);
            }
            _ => {}
        }
    }
    assert!(expired.len() > 15 && ended.len() > expired.len() + 15, "{} of {}", expired.len(), ended.len());
    for (key, (status, lasted)) in ended {
        let given_up = expired.contains_key(&key);
        assert_eq!(status, if given_up { "cancelled" } else { "shipped" });
        // One that came to its end holds the interaction no longer than its answer takes.
        assert!(if given_up { (60.0..61.0).contains(&lasted) } else { lasted < 1.0 }, "{lasted}");
        let effects: Vec<&str> = undone.get(&key).into_iter().flatten().map(|at| estate.effects.text(*at)).collect();
        // Both are asked for at once: the two requests may overtake each other.
        assert_eq!(effects.len(), if given_up { 2 } else { 0 }, "{effects:?}");
        assert!(effects.is_empty() || effects.contains(&"reserve"), "{effects:?}");
    }
}

/// How many payments of the new path were made before the kill and given up after it, and how many were undone.
fn across_a_kill(text: &str) -> (usize, usize) {
    let killed = text.to_owned() + "timeline:\n  - { at: 5m, kill: prepaid, to: INVOICE }\n";
    let (estate, seen) = observe(&killed, 3);
    let minutes = |fact: SimTime| fact.since(SimTime::ZERO).as_secs_f64() / 60.0;
    let pay = estate.effects.find("pay").expect("the effect");
    let given_up = seen.iter().filter(|fact| {
        let expired = matches!(fact.what, Observation::Expired { .. });
        // Those of the last minute before the kill, and not of its first seconds.
        expired && (5.0..6.0).contains(&minutes(fact.at))
    });
    let undone = compensations(&seen);
    let undone = undone.iter().filter(|(at, made)| made.effect == pay && (5.1..6.0).contains(&minutes(*at)));
    (given_up.count(), undone.count())
}

#[test]
fn a_saga_that_keeps_its_context_undoes_the_new_path_after_a_kill_and_one_that_decides_anew_does_not() {
    let (given_up, undone) = across_a_kill(ORDERS);
    assert!(given_up > 1 && undone >= given_up - 1, "{undone} of {given_up}");
    let refresh = ORDERS.replace("saga: { timeout", "saga: { context: refresh, timeout");
    let (given_up, undone) = across_a_kill(&refresh);
    assert!(given_up > 1 && undone == 0, "{undone} of {given_up}");
}

#[test]
fn a_saga_outlives_the_processes_that_began_it() {
    let crash = ORDERS.to_owned() + "timeline:\n  - { at: 4m, fault: service.crash, target: shop, lasts: 150s }\n";
    let (_, seen) = observe(&crash, 1);
    let seconds = |at: SimTime| at.since(SimTime::ZERO).as_secs_f64();
    let expired: Vec<f64> = seen
        .iter()
        .filter(|fact| matches!(fact.what, Observation::Expired { .. }))
        .map(|fact| seconds(fact.at))
        .collect();
    assert!(expired.iter().all(|at| !(240.0..390.0).contains(at)), "nobody is there to give them up: {expired:?}");
    assert!(expired.iter().any(|at| (390.0..450.0).contains(at)), "a minute later at the latest: {expired:?}");
}

#[test]
fn a_saga_may_run_an_operation_of_its_own() {
    let text = ORDERS
        .replace("on_timeout: compensate", "on_timeout: shop.call_it_off")
        .replace("      free:", "      call_it_off: [{ do: [{ compensate: pay }, { set: cancelled }] }]\n      free:");
    let (estate, seen) = observe(&text, 1);
    let undone = compensations(&seen);
    assert!(undone.len() > 10);
    let pay = estate.effects.find("pay").expect("the effect");
    assert!(undone.iter().all(|(_, made)| made.effect == pay && made.path == Some(PATH_NEW) && made.irreversible));
}

/// Payments, each recalled twice at most; the recall undoes what any path did.
const RECALLS: &str = r#"
windtunnel: 1
name: recalls
duration: 1h
features: { instant: { stages: [BATCH, INSTANT] } }
services:
  payments:
    sdk: { poll: 5s }
    operations:
      pay:
        by_stage:
          BATCH: { path: old, do: [{ set: posted }, { effect: pay }] }
          INSTANT: { path: new, do: [{ set: posted }, { effect: pay }] }
      recall: [{ do: [{ compensate: pay }] }]
journeys:
  pay: { arrivals: { every: 10s }, first: payments.pay, feature: instant, entity: { name: payment } }
  recall: { on_existing: payment, share: 50%, after: 5m, first: payments.recall, feature: instant }
  again: { on_existing: payment, share: 50%, after: 10m, first: payments.recall, feature: instant }
rollout:
  instant: { steps: [{ name: live, at: 30m, move: [{ to: INSTANT }] }] }
"#;

#[test]
fn a_journey_that_comes_back_undoes_what_another_did_on_either_path_and_only_once() {
    let (estate, seen) = observe(RECALLS, 1);
    let mut undone = BTreeMap::new();
    for (at, made) in compensations(&seen) {
        assert_eq!(estate.journeys[made.of.journey].name, "pay");
        assert_ne!(estate.journeys[made.interaction.journey].name, "pay");
        let minutes = at.since(made.made_at).as_secs_f64() / 60.0;
        assert!((4.9..5.1).contains(&minutes) || (9.9..10.1).contains(&minutes), "{minutes}");
        let effect = seen.iter().find(|fact| fact.id == made.made).expect("what is undone was done");
        assert!(matches!(effect.what, Observation::Effect(done) if done.path == made.path));
        assert_eq!(undone.insert(made.made, made.path), None, "undone once");
    }
    let new = undone.values().filter(|path| **path == Some(PATH_NEW)).count();
    assert!(new > 50 && undone.len() > new + 80, "{new} of {}", undone.len());
}

#[test]
fn a_rule_of_a_path_undoes_what_that_path_did() {
    let text = RECALLS.replace("recall: [{ do:", "recall: [{ path: old, do:");
    let (_, seen) = observe(&text, 1);
    let undone = compensations(&seen);
    assert!(undone.len() > 80 && undone.iter().all(|(_, made)| made.path != Some(PATH_NEW)));
}

#[test]
fn an_entitys_amount_is_drawn_once_and_found_again_by_whoever_comes_back() {
    let amount = "entity: { name: payment, amount: { currency: EUR, p50: 240.00, p99: 25000.00 } }";
    let text =
        RECALLS.replace("entity: { name: payment }", amount).replace("arrivals: { every: 10s }", "arrivals: 2/s");
    let (estate, seen) = observe(&text, 1);
    let mut amounts: Vec<u64> = Vec::new();
    let mut by_effect = BTreeMap::new();
    for fact in &seen {
        if let Observation::Effect(made) = fact.what {
            let amount = made.amount.expect("a payment has an amount");
            amounts.push(amount);
            by_effect.insert(fact.id, amount);
        }
    }
    for (_, made) in compensations(&seen) {
        assert_eq!(made.amount, Some(by_effect[&made.made]));
    }
    amounts.sort_unstable();
    let at = |quantile: f64| amounts[(amounts.len() as f64 * quantile) as usize] as f64;
    assert!((at(0.5) / 24_000.0 - 1.0).abs() < 0.1, "{}", at(0.5));
    assert!((at(0.99) / 2_500_000.0 - 1.0).abs() < 0.5, "{}", at(0.99));
    assert_eq!(estate.currency.as_ref().map(|currency| currency.text(24_000)).as_deref(), Some("240.00 EUR"));
}

#[test]
fn an_effect_may_say_its_own_amount() {
    let text = RECALLS.replacen("{ effect: pay }", "{ effect: pay, amount: { currency: JPY, is: 500 } }", 1);
    let (_, seen) = observe(&text, 1);
    let amounts = seen.iter().filter_map(|fact| match fact.what {
        Observation::Effect(made) => Some((made.path == Some(PATH_NEW), made.amount)),
        _ => None,
    });
    assert!(amounts.into_iter().all(|(new, amount)| amount == (!new).then_some(500)));
}

#[test]
fn an_amount_that_is_none_is_told_with_a_way_out() {
    let cases: &[(&str, &str)] = &[
        ("{ currency: EUR, is: 1.005 }", "expected a number with at most 2 decimals, such as 240.00"),
        ("{ currency: JPY, is: 1.5 }", "expected a whole number"),
        ("{ currency: euro, is: 1 }", "expected a code of ISO 4217, such as EUR"),
        ("{ currency: EUR, p50: 10 }", "`p50` and `p99` of an amount belong together"),
        ("{ currency: EUR, p50: 10, p99: 5 }", "the greater amount is below the smaller one"),
        ("{ currency: EUR, p50: 0, p99: 5 }", "a median of zero"),
        ("{ currency: EUR, between: [1] }", "expected [low, high]"),
        ("{ currency: EUR }", "is, p50, mean, between"),
    ];
    for (amount, part) in cases {
        let told = told(
            &RECALLS.replace("entity: { name: payment }", &format!("entity: {{ name: payment, amount: {amount} }}")),
        );
        assert!(told.contains(part), "{amount}: {part} is not in\n{told}");
    }
    let two = RECALLS
        .replace("entity: { name: payment }", "entity: { name: payment, amount: { currency: EUR, is: 5 } }")
        .replacen("{ effect: pay }", "{ effect: pay, amount: { currency: USD, is: 5 } }", 1);
    assert!(told(&two).contains("amounts in EUR and in USD cannot be added up"));
}

/// Payments that a ledger books later; under INSTANT a tenth of what is booked is wrong, and a twentieth of payments gets
/// lost on the way.
const BOOKS: &str = r#"
windtunnel: 1
name: books
start: 2026-03-02T22:00:00Z
duration: 24h
features: { instant: { stages: [BATCH, INSTANT], commit_stage: INSTANT } }
services:
  payments:
    sdk: { poll: 5s }
    operations:
      pay:
        by_stage:
          BATCH: { path: old, do: [{ effect: pay }, { call: ledger.book, on_error: ignore }] }
          INSTANT: { path: new, do: [{ effect: pay }, { fail: 5% }, { call: ledger.book, on_error: ignore }] }
  ledger:
    sdk: { poll: 5s }
    code: { 1: { defects: [{ corrupts: 10%, path: new }] } }
    operations:
      book:
        by_stage:
          BATCH: { path: old, do: [{ effect: book }] }
          INSTANT: { path: new, do: [{ effect: book }] }
journeys:
  pay: { arrivals: { every: 20s }, first: payments.pay, feature: instant, entity: { name: payment, amount: { currency: EUR, is: 9.99 } } }
reconciliation:
  nightly: { left: pay, right: book, key: entity.id, daily: "02:00", settles_after: { BATCH: 1h, INSTANT: 10m }, allows: 1% }
rollout:
  instant:
    bucket_by: user
    steps: [{ name: half, at: 2h, move: [{ to: INSTANT, percent: 50% }] }, { name: all, at: 12h, move: [{ to: INSTANT }] }]
expect: { completion: holds }
"#;

fn reconciliations(seen: &[Observed]) -> Vec<(f64, u64, u64, u64)> {
    let ran = |fact: &Observed| match fact.what {
        Observation::Reconciled { compared, missing, differing, .. } => {
            Some((fact.at.since(SimTime::ZERO).as_secs_f64() / 3_600.0, compared, missing, differing))
        }
        _ => None,
    };
    seen.iter().filter_map(ran).collect()
}

#[test]
fn a_nightly_job_finds_what_is_lost_and_what_is_wrong_once_it_has_settled() {
    let (_, seen) = observe(BOOKS, 1);
    let runs = reconciliations(&seen);
    // Ten in the evening to two at night: four hours, of which the last hour of the old half has not settled.
    let [(at, compared, missing, differing)] = runs[..] else { panic!("{runs:?}") };
    assert_eq!(at, 4.0);
    // Two hours of everybody, an hour of the old half, and 110 minutes of the new half: one every 20 s.
    let expected = 3.0 * (120.0 + 60.0 * 0.5 + 110.0 * 0.5);
    assert!((compared as f64 / expected - 1.0).abs() < 0.1, "{compared} and not {expected}");
    let new = 110.0 * 0.5 * 3.0;
    assert!((2..20).contains(&missing) && (5..35).contains(&differing), "{missing}, {differing} of {new}");
}

#[test]
fn every_pair_is_compared_once_and_a_job_runs_as_often_as_it_says() {
    let hourly = BOOKS.replace("daily: \"02:00\"", "every: 1h");
    let (_, seen) = observe(&hourly, 1);
    let runs = reconciliations(&seen);
    let hours: Vec<f64> = runs.iter().map(|(at, ..)| *at).collect();
    assert_eq!(hours, (1..=24).map(f64::from).collect::<Vec<_>>());
    let compared: u64 = runs.iter().map(|(_, compared, ..)| compared).sum();
    assert!((4_250..=4_320).contains(&compared), "one every 20 s, each once: {compared}");
    assert!(runs[1].2 + runs[1].3 == 0, "the old path is in order: {:?}", runs[1]);
}

#[test]
fn a_feature_that_becomes_authoritative_above_the_variance_it_is_allowed_is_not_reconciled() {
    let outcome = |text: &str| {
        let run = run_once(&plan(text), 1);
        let one = run.summary.invariants.iter().find(|one| one.name == "reconciled").expect("it is checked").clone();
        (one.verdict.name(), one.causes.iter().map(|(cause, _)| *cause).collect::<Vec<_>>())
    };
    // The first step that leads to the commit stage comes before the first night, and the next after a bad one.
    assert_eq!(outcome(BOOKS), ("violated", vec!["never compared", "variance"]));
    let often = BOOKS.replace("daily: \"02:00\"", "every: 30m");
    assert_eq!(outcome(&often), ("violated", vec!["variance"]), "before the first step only the old path was compared");
    let later = often
        .replace(
            "stages: [BATCH, INSTANT], commit_stage: INSTANT",
            "stages: [BATCH, INSTANT, FINAL], commit_stage: FINAL",
        )
        .replace("at: 12h, move: [{ to: INSTANT }]", "at: 12h, move: [{ to: FINAL }]");
    assert_eq!(outcome(&later), ("violated", vec!["variance"]));
    assert_eq!(outcome(&later.replace("allows: 1%", "allows: 30%")), ("holds", vec![]));
}

#[test]
fn a_job_that_compares_nothing_is_told_with_a_way_out() {
    let cases: &[(&str, &str, &str)] = &[
        ("right: book", "right: boook", "did you mean `book`?"),
        ("right: book", "right: pay", "an effect compared with itself is never off"),
        ("right: book, ", "", "`nightly` does not say which effects it compares"),
        ("daily: \"02:00\"", "every: 0s", "expected more than 0s"),
        ("{ BATCH: 1h", "{ BATHC: 1h", "did you mean `BATCH`?"),
        ("key: entity.id", "key: request.id", "keys of a reconciliation other than `entity.id`"),
    ];
    for (from, to, part) in cases {
        assert!(BOOKS.contains(from), "{from}");
        let told = told(&BOOKS.replacen(from, to, 1));
        assert!(told.contains(part), "{to}: {part} is not in\n{told}");
    }
}

#[test]
fn what_cannot_be_undone_or_never_ends_is_told_with_a_way_out() {
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "{ compensate: reserve }",
            "{ compensate: reserv }",
            &["there is no effect `reserv`", "did you mean `reserve`?"],
        ),
        (
            "reserve, compensated_by: shop.free }, { effect: bill",
            "reserve, compensated_by: store.ship }, { effect: bill",
            &["`store.ship` does not compensate `reserve`", "write do: [{ compensate: reserve }] there"],
        ),
        (
            "timeout: { old: 60s, new: 60s }",
            "timeout: { nwe: 60s }",
            &["`shop` has no path `nwe`", "expected one of old, new"],
        ),
        ("timeout: { old: 60s, new: 60s }", "timeout: {}", &["a saga without a time never ends"]),
        ("on_timeout: compensate", "on_timeout: shop.undo", &["`shop` has no operation `undo`"]),
        ("void: [cancelled]", "void: [open]", &["`open` is no final status of `order`"]),
        (
            "transitions: { none: [open], open: [shipped, cancelled] }, void: [cancelled]",
            "per_subject: false",
            &["the saga of `shop` has no end for the journey `order`", "its entity `order` has no final status"],
        ),
    ];
    for (from, to, parts) in cases {
        assert!(ORDERS.contains(from), "{from}");
        let told = told(&ORDERS.replacen(from, to, 1));
        for part in *parts {
            assert!(told.contains(part), "{to}: {part} is not in\n{told}");
        }
    }
    let bare = ORDERS.replace(", compensated_by: shop.free", "").replace(", compensated_by: shop.cancel", "");
    assert!(told(&bare).contains("there is nothing that this saga could compensate"));
}

#[test]
fn the_gap_of_the_shipped_scenario_is_what_was_in_flight_between_the_pause_and_the_kill() {
    let text = shipped("compensation-gap.yaml");
    let plan = plan(&text);
    // 2/s, a fifth of the tenants, five minutes; the tenants' bucketing moves the share by a seventh (one sigma).
    let gaps: Vec<u64> = (1..9)
        .map(|seed| {
            let run = run_once(&plan, seed);
            let gap = run.summary.invariants.iter().find(|one| one.name == "compensation-gap").expect("it is checked");
            assert_eq!(gap.in_baseline, 0);
            gap.violations
        })
        .collect();
    let mean = gaps.iter().sum::<u64>() as f64 / gaps.len() as f64;
    assert!((100.0..140.0).contains(&mean), "{gaps:?}");
}
