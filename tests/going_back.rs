//! A plan that goes back takes some back and leaves the others: who is reached, and what they leave behind.

mod common;

use common::{plan, run_once};
use std::collections::{BTreeMap, BTreeSet};
use windtunnel::models::estate::PATH_NEW;
use windtunnel::models::observation::{Kind, Observation};
use windtunnel::models::world::{Course, World};
use windtunnel::units::SimTime;

/// Forty tenants of a shop that ships once a second, first a fifth of them, then three fifths; `DEED` after 20 minutes.
const SHOP: &str = r#"
windtunnel: 1
name: shop
duration: 40m
population: { tenants: { count: 40 } }
features: { express: { stages: ["off", "on"] } }
services:
  web:
    sdk: { poll: 5s }
    operations:
      order: [{ when: 'stage == "on"', path: new, do: [{ effect: ship, irreversible: true }] }, { path: old, do: [{ effect: post }] }]
journeys:
  order: { arrivals: 1/s, first: web.order, feature: express }
rollout:
  express:
    bucket_by: tenant
    steps:
      - { name: fifth, at: 1m, move: [{ percent: 20%, to: "on" }], hold: 7m }
      - { name: most, move: [{ percent: 60%, to: "on" }], hold: 1h }
timeline: [{ at: 20m, DEED: express }]
"#;

/// Of the shipments made before the plan goes back: those of tenants that post afterwards, and the others.
fn before_and_after(text: &str, seed: u64) -> (u64, u64) {
    let plan = plan(text);
    let estate = &*plan.estate;
    let mut world = World::assemble(estate, seed, Course::WithRollouts, [true; Kind::COUNT]);
    let mut shipped: BTreeMap<u32, u64> = BTreeMap::new();
    let mut posting = BTreeSet::new();
    while world.step(estate, SimTime::from(estate.horizon())) {
        for fact in world.cx().observations() {
            let Observation::Effect(made) = fact.what else { continue };
            let minutes = fact.at.since_start().as_secs_f64() / 60.0;
            if minutes < 20.0 && made.path == Some(PATH_NEW) {
                *shipped.entry(made.tenant).or_default() += 1;
            } else if minutes > 21.0 && made.path != Some(PATH_NEW) {
                posting.insert(made.tenant);
            }
        }
    }
    let taken_back = shipped.iter().filter(|(tenant, _)| posting.contains(tenant)).map(|(_, count)| count).sum();
    (taken_back, shipped.values().sum::<u64>() - taken_back)
}

fn condemned(text: &str, seed: u64) -> u64 {
    let run = run_once(&plan(text), seed);
    let exposure =
        run.summary.invariants.iter().find(|one| one.name == "irreversible-exposure").expect("it is checked");
    exposure.causes.iter().find(|(cause, _)| *cause == "rolled back later").map_or(0, |(_, count)| *count)
}

#[test]
fn a_plan_that_goes_one_step_back_condemns_what_those_it_takes_back_had_done_and_nothing_else() {
    for seed in 1..4 {
        let text = SHOP.replace("DEED", "back");
        let (taken_back, kept) = before_and_after(&text, seed);
        assert!(taken_back > 50 && kept > 50, "{taken_back} and {kept}");
        assert_eq!(condemned(&text, seed), taken_back);
    }
}

#[test]
fn a_plan_that_goes_all_the_way_back_condemns_everything_that_was_done() {
    let text = SHOP.replace("DEED", "back_all");
    let (taken_back, kept) = before_and_after(&text, 1);
    assert_eq!((condemned(&text, 1), kept), (taken_back, 0));
    assert!(taken_back > 300, "{taken_back}");
}

#[test]
fn a_step_that_brings_everybody_back_condemns_as_a_plan_that_goes_back_does() {
    let timeline = "timeline: [{ at: 20m, DEED: express }]\n";
    let off = "move: [{ percent: 60%, to: \"on\" }], hold: 12m }\n      - { name: off, move: [{ to: \"off\" }] }";
    let text = SHOP.replace(timeline, "").replace("move: [{ percent: 60%, to: \"on\" }], hold: 1h }", off);
    let (taken_back, kept) = before_and_after(&text, 1);
    assert_eq!((condemned(&text, 1), kept), (taken_back, 0));
    assert!(taken_back > 300, "{taken_back}");
}

#[test]
fn audiences_and_overrides_are_looked_at_as_the_policy_before_the_step_has_them() {
    let named = SHOP
        .replace("DEED", "back")
        .replace("{ percent: 20%, to: \"on\" }], hold: 7m", "{ of: 'tenant.id < 10', to: \"on\" }], hold: 7m")
        .replace("{ percent: 60%, to: \"on\" }]", "{ of: 'tenant.id < 30 && tenant.id != 5', to: \"on\" }]")
        .replace("name: most,", "name: most, overrides: [{ tenant: 35, to: \"on\" }],");
    let (taken_back, kept) = before_and_after(&named, 1);
    assert!(taken_back > 50 && kept > 50, "{taken_back} and {kept}");
    assert_eq!(condemned(&named, 1), taken_back);
}

#[test]
fn a_plan_that_is_watched_over_has_as_many_steps_as_its_ways_back_can_be_told_apart() {
    let steps: String =
        (0..129).map(|at| format!("      - {{ name: s{at}, move: [{{ to: \"on\" }}], hold: 1s }}\n")).collect();
    let (head, _) = SHOP.split_once("      - { name: fifth").expect("the first step");
    let long = format!("{head}{steps}timeline: [{{ at: 20m, back: express }}]\n");
    let told =
        common::scenario(&long).plan(&windtunnel::scenario::Request::default()).err().map(|told| told.to_string());
    assert!(told.is_some_and(|told| told.contains("a plan that is watched over has at most 128 steps")));
}

/// A shop in which everybody has a basket of their own; once the new path has touched it, the old one cannot read it.
const BASKETS: &str = r#"
windtunnel: 1
name: baskets
duration: 40m
population: { tenants: { count: 4, users: 25 } }
features: { baskets: { stages: ["off", "on"] } }
services:
  web:
    sdk: { poll: 5s }
    operations:
      order:
        - { when: 'stage == "on"', path: new, do: [{ set: rich }, { fail: 5% }, { effect: sell }] }
        - { when: 'status == "rich"', path: old, do: [{ fail: 100% }] }
        - { path: old, do: [{ set: plain }, { fail: 5% }, { effect: sell }] }
journeys:
  order: { arrivals: 1/s, first: web.order, feature: baskets, entity: { name: basket, per_subject: true } }
rollout:
  baskets: { bucket_by: user, steps: [{ name: half, at: 1m, move: [{ percent: 50%, to: "on" }], hold: 1h }] }
timeline: [{ at: 20m, kill: baskets }]
invariants: { rollback-safe: { at_most: 1m } }
"#;

/// What `rollback-safe` comes to.
fn judged(text: &str, seed: u64) -> (&'static str, Vec<(&'static str, u64)>, Vec<String>) {
    let run = run_once(&plan(text), seed);
    let safe = run.summary.invariants.iter().find(|one| one.name == "rollback-safe").expect("it is checked");
    let texts = safe.first.iter().map(|violation| violation.text.clone()).collect();
    (safe.verdict.name(), safe.causes.clone(), texts)
}

#[test]
fn more_errors_after_a_rollback_than_without_the_rollout_are_no_safe_rollback() {
    let (verdict, causes, texts) = judged(BASKETS, 1);
    assert_eq!((verdict, causes), ("violated", vec![("errors above the baseline", 1)]));
    // One a second for nineteen minutes, of whom half had a new basket; one in twenty fails in any case.
    let told: Vec<f64> = texts[0].split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect();
    let [after, failed, without, all] = told[..] else { panic!("{texts:?}") };
    assert_eq!(after, all, "the same customers");
    assert!((failed / after - 0.5).abs() < 0.15 && (without / all - 0.05).abs() < 0.03, "{texts:?}");
    let back = BASKETS.replace("kill: baskets", "back_all: baskets");
    assert_eq!(judged(&back, 1).1, [("errors above the baseline", 1)]);
}

#[test]
fn a_rollback_with_no_more_errors_than_the_run_without_the_rollout_has_none_above_it() {
    let readable = BASKETS.replace("{ fail: 100% }", "{ fail: 5% }, { effect: sell }");
    for seed in 1..4 {
        assert_eq!(judged(&readable, seed).1, []);
    }
    let broken_anyway = BASKETS.replace("{ set: plain }, { fail: 5% }", "{ set: plain }, { fail: 60% }");
    assert_eq!(judged(&broken_anyway, 1).1, [], "without the rollout as many fail");
}

#[test]
fn what_comes_after_a_kill_is_lifted_is_not_held_against_it() {
    let lifted = BASKETS.replace("kill: baskets", "kill: baskets, lift_after: 90s");
    let (_, causes, _) = judged(&lifted, 1);
    assert_eq!(causes, [], "thirty seconds have too few errors");
}
