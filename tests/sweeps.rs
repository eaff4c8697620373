//! Sweeps: after a kill, or when a plan goes back, people undo what it leaves, one by one.

mod common;

use common::{plan, scenario};
use std::collections::BTreeMap;
use windtunnel::models::estate::{Estate, PATH_NEW};
use windtunnel::models::observation::{CompensationMade, Kind, Observation, Observed};
use windtunnel::models::world::{Course, World};
use windtunnel::scenario::Request;
use windtunnel::units::SimTime;

/// A payment every ten seconds; a courier delivers half of them after a while, and the others never. Killed after 10
/// minutes, for whom the policy in force was on the new path.
const PAYMENTS: &str = r#"
windtunnel: 1
name: payments
duration: 40m
drain: 1h
population: { tenants: { count: 20 } }
features: { instant: { stages: [BATCH, INSTANT] } }
services:
  payments:
    sdk: { poll: 5s }
    decides_from: [sdk, safe_stage]
    saga: { timeout: { old: 30m, new: 30m }, on_timeout: payments.give_up }
    operations:
      pay:
        by_stage:
          BATCH: { path: old, do: [{ set: open }, { effect: pay, compensated_by: payments.undo }] }
          INSTANT: { path: new, do: [{ set: open }, { effect: pay, compensated_by: payments.undo }, { call: courier.bring }] }
      undo: [{ do: [{ compensate: pay }] }]
      give_up: [{ do: [{ set: lost }] }]
  courier:
    operations:
      bring: [{ when: 'request.kind == "near"', do: [{ set: brought }] }, { do: [] }]
journeys:
  pay:
    arrivals: { every: 10s }
    first: payments.pay
    feature: instant
    attributes: { kind: { near: 50%, far: 50% } }
    entity: { name: payment, transitions: { none: [open], open: [brought, lost] }, void: [lost] }
reconciliation:
  take-back: { compensates: [pay], acts_in: 5m, rate: 60/h }
rollout:
  instant: { bucket_by: tenant, steps: [{ name: live, at: 0s, move: [{ to: INSTANT, percent: 50% }], hold: 2h }] }
timeline: [{ at: 10m, kill: instant }]
"#;

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

fn minutes(at: SimTime) -> f64 {
    at.since_start().as_secs_f64() / 60.0
}

fn swept(seen: &[Observed]) -> Vec<(f64, CompensationMade)> {
    let made = |fact: &Observed| match fact.what {
        Observation::Compensated(made) if made.swept_by == Some(0) => Some((minutes(fact.at), made)),
        _ => None,
    };
    seen.iter().filter_map(made).collect()
}

/// The payments of the new path, and whether each was brought.
fn paid(estate: &Estate, seen: &[Observed]) -> BTreeMap<u64, bool> {
    let mut paid = BTreeMap::new();
    for fact in seen {
        match fact.what {
            Observation::Effect(made) if made.path == Some(PATH_NEW) => drop(paid.insert(fact.id, made.interaction.n)),
            _ => {}
        }
    }
    let brought = |n: u64| {
        seen.iter().any(|fact| match fact.what {
            Observation::Status { interaction, to, .. } => interaction.n == n && estate.statuses.text(to) == "brought",
            _ => false,
        })
    };
    paid.into_iter().map(|(id, n)| (id, brought(n))).collect()
}

#[test]
fn after_a_kill_everything_open_is_undone_the_oldest_first_at_the_rate_and_once() {
    let (estate, seen) = observe(PAYMENTS, 1);
    let undone = swept(&seen);
    let paid = paid(&estate, &seen);
    let open: Vec<u64> = paid.iter().filter(|(_, brought)| !**brought).map(|(id, _)| *id).collect();
    assert!(open.len() > 8 && paid.len() > open.len() + 8, "{} of {}", open.len(), paid.len());
    assert_eq!(undone.iter().map(|(_, made)| made.made).collect::<Vec<_>>(), open);
    for (nth, (at, _)) in undone.iter().enumerate() {
        assert!((at - 15.0 - nth as f64).abs() < 1e-6, "five minutes after the kill, then one a minute: {at}");
    }
}

#[test]
fn what_is_undone_by_an_operation_is_not_undone_again() {
    let text = PAYMENTS.replace(
        "timeout: { old: 30m, new: 30m }, on_timeout: payments.give_up",
        "timeout: { new: 8m }, on_timeout: compensate",
    );
    let text =
        text.replace("undo: [{ do: [{ compensate: pay }] }]", "undo: [{ do: [{ compensate: pay }, { set: lost }] }]");
    let (_, seen) = observe(&text, 1);
    let mut times = BTreeMap::new();
    for fact in &seen {
        if let Observation::Compensated(made) = fact.what {
            *times.entry(made.made).or_insert(0) += 1;
        }
    }
    assert!(times.len() > 8 && times.values().all(|count| *count == 1), "{times:?}");
    assert!(!swept(&seen).is_empty() && swept(&seen).len() < times.len(), "some by people and some by their sagas");
}

#[test]
fn those_whom_a_kill_does_not_reach_are_left_alone() {
    let text = PAYMENTS.replace("kill: instant", "kill: instant, scope: { tenant: 3 }");
    let (_, seen) = observe(&text, 2);
    let of_tenant = |made: u64| {
        seen.iter().any(|fact| match fact.what {
            Observation::Effect(effect) => fact.id == made && effect.tenant == 3,
            _ => false,
        })
    };
    assert!(swept(&seen).iter().all(|(_, made)| of_tenant(made.made)));
    let (_, unkilled) = observe(&PAYMENTS.replace("timeline: [{ at: 10m, kill: instant }]", ""), 2);
    assert!(swept(&unkilled).is_empty());
}

#[test]
fn a_plan_that_goes_back_calls_for_a_sweep_as_a_kill_does() {
    let (_, killed) = observe(PAYMENTS, 1);
    let (_, back) = observe(&PAYMENTS.replace("kill: instant", "back_all: instant"), 1);
    let undone =
        |seen: &[Observed]| swept(seen).iter().map(|(at, made)| (at.round() as u64, made.of.n)).collect::<Vec<_>>();
    assert!(undone(&back).len() > 8);
    assert_eq!(undone(&back), undone(&killed));
}

#[test]
fn a_sweep_leaves_what_was_before_it_as_it_was() {
    let upto = |text: &str| {
        let (_, seen) = observe(text, 1);
        let before = seen.iter().filter(|fact| minutes(fact.at) < 15.0);
        before.map(|fact| format!("{fact:?}")).collect::<Vec<_>>()
    };
    let without =
        PAYMENTS.replace("reconciliation:\n  take-back: { compensates: [pay], acts_in: 5m, rate: 60/h }\n", "");
    assert_eq!(upto(PAYMENTS), upto(&without));
}

#[test]
fn a_sweep_that_could_undo_nothing_is_told_with_a_way_out() {
    let cases: &[(&str, &str, &str)] = &[
        ("[pay], acts_in", "[pya], acts_in", "there is no effect `pya`"),
        ("[pay], acts_in", "[], acts_in", "a job that compensates nothing"),
        (", rate: 60/h", "", "`take-back` does not say how many it undoes"),
        ("rate: 60/h", "rate: 0/h", "a rate above zero"),
        ("rate: 60/h", "rate: 60/h, every: 5m", "every"),
        ("rate: 60/h", "rate: 60/h, left: pay", "`left` is of a job that compares"),
        (
            "compensates: [pay], acts_in: 5m, rate: 60/h",
            "left: pay, right: pay, every: 5m, rate: 60/h",
            "`rate` is of a job that compensates",
        ),
        (
            "effect: pay, compensated_by: payments.undo }, {",
            "effect: pay }, {",
            "`pay` does not say what compensates it",
        ),
        (
            "{ instant: { stages",
            "{ other: { stages: [A, B] }, instant: { stages",
            "write `feature:` beside `compensates:`",
        ),
    ];
    for (from, to, part) in cases {
        assert!(PAYMENTS.contains(from), "{from}");
        let told = match scenario(&PAYMENTS.replacen(from, to, 1)).plan(&Request::default()) {
            Ok(_) => String::new(),
            Err(problems) => problems.to_string(),
        };
        assert!(told.contains(part), "{to}: {part} is not in\n{told}");
    }
}

#[test]
fn what_was_written_to_both_stores_is_undone_as_one() {
    let both = "INSTANT: { path: new, do: [{ set: open }, { dual_write: { effect: pay, of: old, other_fails: 20%, compensated_by: payments.undo } }";
    let single = "INSTANT: { path: new, do: [{ set: open }, { effect: pay, compensated_by: payments.undo }";
    assert!(PAYMENTS.contains(single));
    let text = PAYMENTS.replace(single, both);
    let (_, seen) = observe(&text, 1);
    let (_, plain) = observe(PAYMENTS, 1);
    assert!(seen.iter().any(|fact| matches!(fact.what, Observation::DualWrote { .. })));
    let of = |seen: &[Observed]| swept(seen).iter().map(|(at, made)| (*at, made.of.n)).collect::<Vec<_>>();
    assert!(of(&seen).len() > 8);
    assert_eq!(of(&seen), of(&plain));
    let nobody = text.replace("compensated_by: payments.undo } }", "compensated_by: courier.bring } }");
    let told = scenario(&nobody).plan(&Request::default()).err().map(|told| told.to_string()).unwrap_or_default();
    assert!(told.contains("`courier.bring` does not compensate `pay`"), "{told}");
}
