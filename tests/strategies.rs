//! Rollout strategies: the steps each comes to, what it refuses, and plans that contradict themselves.

mod common;

use windtunnel::rollout::strategy;
use windtunnel::scenario::{Plan, Request, Scenario, plan_steps};

/// A shop of two regions and four segments; the rollout is to be filled in.
fn shop(rollout: &str) -> String {
    format!(
        r#"windtunnel: 1
name: shop
duration: 40h
population:
  regions: {{ north: 60%, south: 40% }}
  tenants: {{ count: 6, users: 50, attributes: {{ segment: {{ staff: 1%, pilot: 9%, small: 60%, large: 30% }} }} }}
features:
  wrap: {{ stages: ["off", SHADOWED, "on", {{ RETIRED: {{ grants: [retire] }} }}] }}
services:
  web: {{ sdk: {{ poll: 30s }}, edge: true }}
  pack: {{ decides_from: [context] }}
journeys:
  buy: {{ arrivals: 1/m, calls: [web, pack], feature: wrap }}
rollout:
  wrap: {rollout}
"#
    )
}

fn told(rollout: &str) -> String {
    let scenario = Scenario::read("a.yaml", shop(rollout).as_bytes(), &mut |_| Err("none".to_owned()));
    let scenario = scenario.unwrap_or_else(|told| panic!("{told}"));
    match scenario.plan(&Request { variant: None, set: &[] }) {
        Ok(loaded) => panic!("it is wrong, and it plans:\n{}", plan_steps(&loaded.plan)),
        Err(told) => told.to_string(),
    }
}

fn planned(rollout: &str) -> Plan {
    common::plan(&shop(rollout))
}

/// What each step moves, as `name: percent of whom -> stage`.
fn moves(plan: &Plan) -> Vec<String> {
    let rollout = &plan.estate.rollouts[0];
    let feature = &plan.estate.features[rollout.feature];
    let step = |step: &windtunnel::rollout::Step| {
        let line = &step.moves[0];
        let who = line.of.as_ref().map_or("everybody", |of| of.source());
        format!("{}: {} of {who} -> {}", step.name, line.percent, feature.stage_name(line.to))
    };
    rollout.steps.iter().map(step).collect()
}

/// For each strategy: how a file writes it, and the steps typed by hand.
#[rustfmt::skip]
const STRATEGIES: &[(&str, &str, &[&str])] = &[
    ("big-bang", "{ name: big-bang, to: \"on\" }", &["all: 100% of everybody -> on"]),
    ("linear-ramp", "{ name: linear-ramp, to: \"on\", steps: 4, every: 1h }", &[
        "ramp-1: 25% of everybody -> on",
        "ramp-2: 50% of everybody -> on",
        "ramp-3: 75% of everybody -> on",
        "all: 100% of everybody -> on",
    ]),
    ("exponential-ramp", "{ name: exponential-ramp, to: \"on\", start: 2%, factor: 5 }", &[
        "ramp-1: 2% of everybody -> on",
        "ramp-2: 10% of everybody -> on",
        "ramp-3: 50% of everybody -> on",
        "all: 100% of everybody -> on",
    ]),
    ("canary", "{ name: canary, to: \"on\", start: 5% }", &[
        "canary: 5% of everybody -> on",
        "all: 100% of everybody -> on",
    ]),
    ("ring-by-ring", "{ name: ring-by-ring, to: \"on\", rings: [{ name: us, of: 'tenant.segment == \"staff\"' }, { of: 'tenant.segment == \"pilot\"', percent: 50% }] }", &[
        "us: 100% of tenant.segment == \"staff\" -> on",
        "ring-2: 50% of tenant.segment == \"pilot\" -> on",
        "all: 100% of everybody -> on",
    ]),
    ("region-by-region", "{ name: region-by-region, to: \"on\" }", &[
        "region-south: 100% of tenant.region == \"south\" -> on",
        "region-north: 100% of everybody -> on",
    ]),
    ("cohort-by-cohort", "{ name: cohort-by-cohort, to: \"on\", by: segment, order: [pilot, large] }", &[
        "cohort-pilot: 100% of tenant.segment == \"pilot\" -> on",
        "cohort-large: 100% of tenant.segment == \"large\" -> on",
        "all: 100% of everybody -> on",
    ]),
    ("tenant-by-tenant", "{ name: tenant-by-tenant, to: \"on\", batch: 2 }", &[
        "tenants-1: 100% of tenant.id < 2 -> on",
        "tenants-2: 100% of tenant.id < 4 -> on",
        "all: 100% of everybody -> on",
    ]),
    ("blue-green", "{ name: blue-green, to: \"on\", preview: 'tenant.segment == \"staff\"', retire: RETIRED }", &[
        "preview: 100% of tenant.segment == \"staff\" -> on",
        "switch: 100% of everybody -> on",
        "retire: 100% of everybody -> RETIRED",
    ]),
    ("dark-launch", "{ name: dark-launch, to: \"on\" }", &[
        "dark: 100% of everybody -> SHADOWED",
        "all: 100% of everybody -> on",
    ]),
];

#[test]
fn each_strategy_comes_to_the_steps_its_name_promises() {
    for (name, written, expected) in STRATEGIES {
        let plan = planned(&format!("{{ strategy: {written} }}"));
        assert_eq!(moves(&plan), *expected, "{name}");
    }
    let tried: Vec<&str> = STRATEGIES.iter().map(|(name, ..)| *name).collect();
    assert_eq!(tried, strategy::NAMES);
}

#[test]
fn a_strategy_by_its_bare_name_goes_to_the_top_of_the_ladder_with_the_defaults() {
    let plan = planned("{ strategy: linear-ramp }");
    let steps = &plan.estate.rollouts[0].steps;
    assert_eq!((moves(&plan)[0].as_str(), steps.len()), ("ramp-1: 10% of everybody -> RETIRED", 10));
    assert!(steps[..9].iter().all(|step| step.hold.to_string() == "10m"));
    assert!(steps[9].hold.is_zero());
}

#[test]
fn a_strategy_is_the_rollout_whose_steps_are_written_out() {
    let short = planned("{ salt: x, strategy: { name: canary, to: \"on\", start: 5%, every: 1h } }");
    let long = planned(
        "{ salt: x, steps: [{ name: canary, move: [{ to: \"on\", percent: 5% }], hold: 1h }, { name: all, move: [{ to: \"on\" }] }] }",
    );
    assert_eq!(plan_steps(&short), plan_steps(&long));
    let digest = |plan: &Plan| common::run_once(plan, 7).summary.digest;
    assert_eq!(digest(&short), digest(&long));
}

#[test]
fn explain_plan_shows_the_policy_after_each_step_of_a_strategy() {
    let plan = planned("{ starts: 1h, strategy: { name: region-by-region, to: \"on\", order: [north], every: 2h } }");
    let expected = "wrap (shares by user)\n  before\n    otherwise -> off\n  1. region-north at 1h, holds 2h\n    \
                    tenant.region == \"north\" -> on\n    otherwise -> off\n  2. all at 3h\n    everybody -> on\n    \
                    otherwise -> off\n";
    assert_eq!(plan_steps(&plan), expected);
}

#[test]
fn every_strategy_runs_and_all_its_steps_are_published() {
    for (name, written, expected) in STRATEGIES {
        let plan = planned(&format!("{{ strategy: {written} }}"));
        let summary = common::run_once(&plan, 1).summary;
        assert_eq!(summary.steps.len(), expected.len(), "{name}");
    }
}

#[test]
fn the_timeline_hangs_on_the_steps_of_a_strategy() {
    let text = shop("{ strategy: { name: canary, to: \"on\", every: 1h } }")
        + "timeline: [{ at: canary + 30m, kill: wrap }]\n";
    let summary = common::run_once(&common::plan(&text), 1).summary;
    assert_eq!(summary.happenings[0].1, 1);
}

#[test]
fn the_audit_log_has_every_policy_version_with_its_cause_and_reason() {
    let rollout = "{ starts: 1h, strategy: { name: canary, to: \"on\", every: 1h } }";
    let text = shop(rollout) + "timeline: [{ at: all + 30m, kill: wrap, scope: { region: north }, lift_after: 1h }]\n";
    let plan = common::plan(&text);
    let log: Vec<String> = common::run_once(&plan, 1)
        .summary
        .audit
        .iter()
        .map(|audited| windtunnel::report::audit::entry(audited, &plan.estate).join(" | "))
        .collect();
    let expected = [
        "1 | 0s | | the beginning of the run | in force before the rollout",
        "2 | 1h | wrap | step canary | the rollout starts",
        "3 | 2h | wrap | step all | the hold of canary ended after 1h",
        "4 | 9000s | wrap | kill wrap north | nobody in north may be above off",
        "5 | 12600s | wrap | kill wrap north | the kill is lifted",
    ];
    assert_eq!(log, expected.map(|line| line.replace("| |", "|  |")));
}

/// A rollout that is wrong, and what is told.
#[rustfmt::skip]
const MISTAKES: &[(&str, &[&str])] = &[
    ("{ strategy: canry }", &["did you mean `canary`?"]),
    ("{ strategy: { name: canary, to: onn } }", &["`wrap` has no stage `onn`"]),
    ("{ strategy: { name: canary, start: 0% } }", &["a ramp from 0% never grows"]),
    ("{ strategy: { name: canary, factor: 3 } }", &["`canary` does not take `factor`", "`factor` is for exponential-ramp"]),
    ("{ strategy: { name: exponential-ramp, factor: 1 } }", &["1.05"]),
    ("{ strategy: { name: ring-by-ring } }", &["needs `rings`"]),
    ("{ strategy: { name: ring-by-ring, rings: [{ name: a }, { name: b }] } }", &["this ring is empty"]),
    ("{ strategy: { name: ring-by-ring, rings: [{ name: a, of: 'tenant.segmnt == \"staff\"' }] } }", &["did you mean `tenant.segment`?"]),
    ("{ strategy: { name: ring-by-ring, rings: [{ name: a, percent: 1% }, { name: a, percent: 2% }] } }", &["two steps are called `a`"]),
    ("{ strategy: { name: region-by-region, order: [nord] } }", &["there is no region `nord`", "north"]),
    ("{ strategy: { name: region-by-region, order: [north, north] } }", &["the region `north` comes twice"]),
    ("{ strategy: cohort-by-cohort }", &["needs `by`"]),
    ("{ strategy: { name: cohort-by-cohort, by: sgment } }", &["did you mean `segment`?"]),
    ("{ strategy: blue-green }", &["needs `preview`"]),
    ("{ strategy: { name: dark-launch, to: SHADOWED } }", &["no stage in which the new one only shadows", "via: STAGE"]),
    ("{ strategy: { name: dark-launch, to: \"on\", via: \"on\" } }", &["ends where it begins"]),
    ("{ strategy: canary, steps: [{ move: [{ to: \"on\" }] }] }", &["`steps`", "together with", "`strategy`"]),
    ("{ bucket_by: tenant }", &["needs one of steps, strategy"]),
];

#[test]
fn a_strategy_that_cannot_be_is_told_with_a_way_out() {
    for (rollout, expected) in MISTAKES {
        let told = told(rollout);
        assert!(expected.iter().all(|part| told.contains(part)), "{rollout}\n{told}");
    }
}

#[test]
fn more_tenants_than_a_rollout_may_have_steps_are_taken_in_batches() {
    let text = shop("{ strategy: tenant-by-tenant }").replace("count: 6", "count: 2500");
    let scenario = Scenario::read("a.yaml", text.as_bytes(), &mut |_| Err("none".to_owned())).expect("it reads");
    let told = scenario.plan(&Request { variant: None, set: &[] }).expect_err("2500 steps").to_string();
    assert!(told.contains("2500 steps") && told.contains("batch: 3 or more"), "{told}");
}

#[test]
fn a_share_that_shrinks_and_takes_nobody_back_is_told_before_the_run() {
    let half_then = |then: &str| format!("{{ steps: [{{ move: [{{ to: \"on\", percent: 50% }}] }}, {then}] }}");
    let shrunk = told(&half_then("{ move: [{ to: \"on\", percent: 10% }] }"));
    assert!(shrunk.contains("shrinks from 50% to 10%") && shrunk.contains("add { to: off } after it"), "{shrunk}");
    let later =
        "{ move: [{ to: SHADOWED, of: 'tenant.id == 1' }] }, { name: last, move: [{ to: \"on\", percent: 10% }] }";
    assert!(told(&half_then(later)).contains("in `last`"));
    let rings = "{ strategy: { name: ring-by-ring, to: \"on\", rings: [{ percent: 20% }, { percent: 10% }] } }";
    assert!(told(rings).contains("shrinks from 20% to 10%"));
}

#[test]
fn a_share_that_shrinks_because_the_others_are_taken_back_is_a_rollback() {
    for back in [
        "{ move: [{ to: \"on\", percent: 10% }, { to: \"off\" }] }",
        "{ move: [{ to: \"off\" }] }, { move: [{ to: \"on\", percent: 10% }] }",
        "{ move: [{ to: SHADOWED, percent: 10% }] }",
        "{ move: [{ to: \"on\", of: 'tenant.id == 1', percent: 10% }] }",
    ] {
        planned(&format!("{{ steps: [{{ move: [{{ to: \"on\", percent: 50% }}] }}, {back}] }}"));
    }
}

#[test]
fn a_second_rollout_of_one_feature_is_a_second_plan_and_refused() {
    let text = shop("{ strategy: big-bang }") + "  wrap: { strategy: canary }\n";
    let told = match Scenario::read("a.yaml", text.as_bytes(), &mut |_| Err("none".to_owned())) {
        Err(told) => told.to_string(),
        Ok(scenario) => scenario.plan(&Request { variant: None, set: &[] }).expect_err("two plans").to_string(),
    };
    assert!(told.contains("`wrap`"), "{told}");
}
