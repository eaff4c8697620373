//! Overrides with a beginning and an end of their own: single users and tenants are given a stage for a time.

mod common;

use common::{plan, run_once, told};
use windtunnel::models::observation::{Kind, Observation};
use windtunnel::models::world::{Course, World};
use windtunnel::report::audit;
use windtunnel::run::Completed;
use windtunnel::scenario::plan_steps;
use windtunnel::units::SimTime;

/// A shop in which nobody is moved before 20m, and everybody then; some are named one by one.
fn shop(overrides: &str, rollout: &str) -> String {
    format!(
        r#"windtunnel: 1
name: shop
duration: 40m
population: {{ tenants: {{ count: 4, users: 5 }} }}
features:
  wrap: {{ stages: ["off", "on"] }}
services:
  web:
    replicas: 2
    sdk: {{ poll: 5s }}
    operations:
      buy:
        by_stage:
          "off": {{ path: old, do: [{{ effect: sell }}] }}
          "on": {{ path: new, do: [{{ effect: sell }}] }}
journeys:
  buy: {{ arrivals: 4/s, first: web.buy, feature: wrap }}
rollout:
  wrap:
    overrides: {overrides}
    {rollout}
expect: {{ kill-precedence: holds }}
"#
    )
}

const STEPS: &str =
    r#"steps: [{ name: few, at: 10m, move: [{ to: "off" }], hold: 10m }, { name: all, move: [{ to: "on" }] }]"#;

/// From when to when, in seconds, a tenant was decided to be `on`, but for those whose policy was on its way.
fn spans(text: &str, tenant: u32) -> Vec<(f64, f64)> {
    let plan = plan(text);
    let estate = &*plan.estate;
    let mut world = World::assemble(estate, 1, Course::WithRollouts, [true; Kind::COUNT]);
    let mut spans: Vec<(f64, f64)> = Vec::new();
    let mut inside = false;
    while world.step(estate, SimTime::from(estate.horizon())) {
        for fact in world.cx().observations() {
            if let Observation::Decided(decided) = &fact.what
                && decided.tenant == tenant
                && decided.staleness.is_zero()
            {
                let at = fact.at.since_start().as_secs_f64();
                let on = decided.stage.0 == 1;
                match spans.last_mut() {
                    Some((_, last)) if on && inside => *last = at,
                    _ if on => spans.push((at, at)),
                    _ => {}
                }
                inside = on;
            }
        }
    }
    spans
}

/// Whether the spans are these, within the ten seconds of a poll and the next order.
#[track_caller]
fn about(spans: &[(f64, f64)], expected: &[(f64, f64)]) {
    let near = |(found, wanted): (&(f64, f64), &(f64, f64))| {
        (wanted.0..wanted.0 + 20.0).contains(&found.0) && (wanted.1 - 20.0..wanted.1 + 1.0).contains(&found.1)
    };
    assert!(spans.len() == expected.len() && spans.iter().zip(expected).all(near), "{spans:?} and not {expected:?}");
}

fn log(run: &Completed, text: &str) -> Vec<String> {
    let estate = plan(text).estate;
    run.summary.audit.iter().map(|audited| audit::entry(audited, &estate).join(" | ")).collect()
}

#[test]
fn a_tenant_is_given_a_stage_for_a_time_and_the_rules_hold_for_it_again_afterwards() {
    let text = shop("[{ tenant: 2, to: \"on\", from: 2m, until: 6m }]", STEPS);
    about(&spans(&text, 2), &[(120.0, 360.0), (1_200.0, 2_400.0)]);
    about(&spans(&text, 1), &[(1_200.0, 2_400.0)]);
}

#[test]
fn it_may_hang_on_steps_and_keep_somebody_out_of_one() {
    let text = shop(
        "[{ tenant: 2, to: \"on\", from: few + 2m, until: few + 5m }, { tenant: 3, to: \"off\", from: all, until: all + 10m }]",
        STEPS,
    );
    about(&spans(&text, 2), &[(720.0, 900.0), (1_200.0, 2_400.0)]);
    about(&spans(&text, 3), &[(1_800.0, 2_400.0)]);
}

#[test]
fn with_an_end_alone_it_begins_with_its_step_and_a_subject_may_have_one_after_another() {
    about(&spans(&shop("[{ tenant: 2, to: \"on\", until: 15m }]", STEPS), 2), &[(600.0, 900.0), (1_200.0, 2_400.0)]);
    let step = r#"steps: [{ name: few, at: 5m, move: [{ to: "off" }], hold: 5m }, { name: more, move: [{ to: "off" }], overrides: [{ tenant: 2, to: "on", until: 15m }] }]"#;
    let several = "[{ tenant: 2, to: \"on\", from: 1m, until: 3m }, { tenant: 2, to: \"on\", from: 20m, until: 22m }]";
    about(&spans(&shop(several, step), 2), &[(60.0, 180.0), (600.0, 900.0), (1_200.0, 1_320.0)]);
}

#[test]
fn every_change_is_a_policy_version_with_its_lineage() {
    let text = shop("[{ tenant: 2, to: \"on\", from: 2m, until: few + 1m }]", STEPS);
    let run = run_once(&plan(&text), 1);
    assert_eq!(
        log(&run, &text)[1..],
        [
            "2 | 120s | wrap | override tenant 2 on | whatever the rules say it is in on: scheduled for 2m",
            "3 | 600s | wrap | step few | due 10m after the start of the rollout",
            "4 | 660s | wrap | end of override tenant 2 on | the rules hold for it again: 1m after step few",
            "5 | 1200s | wrap | step all | the hold of few ended after 10m",
        ]
    );
    for invariant in ["kill-precedence", "decision-lineage", "sticky-cohort", "split-brain"] {
        let outcome = run.summary.invariants.iter().find(|outcome| outcome.name == invariant).expect("it is checked");
        assert_eq!(outcome.violations, 0, "{invariant}: {:?}", outcome.first);
    }
    let precedence = run.summary.invariants.iter().find(|outcome| outcome.name == "kill-precedence").expect("checked");
    assert!(precedence.exercised > 0);
}

#[test]
fn the_plan_is_explained_with_its_schedules() {
    let text = shop(
        "[{ tenant: 2, to: \"on\", from: 2m, until: few + 1m }, { user: 3, to: \"off\", until: all + 5m }]",
        STEPS,
    );
    let explained = plan_steps(&plan(&text));
    assert!(
        explained.ends_with(
            "  whatever the rules say\n    tenant 2 -> on from 2m until few + 1m\n    user 3 -> off from few until all + 5m\n"
        ),
        "{explained}"
    );
}

#[test]
fn a_plan_that_goes_back_leaves_schedules_alone() {
    // The gate fails two minutes into the step, and everything is as it was before it, but for who is named.
    let rollout = r#"analysis: { every: 1m, window: 1m, delay: 0s, failures: 2 }
    gate: ["success_rate < 50%"]
    on_failure: back_all
    steps: [{ name: few, at: 10m, move: [{ percent: 50%, to: "on" }], hold: 10m }]"#;
    let overrides = "[{ tenant: 1, to: \"off\", until: 30m }, { tenant: 2, to: \"on\", from: 11m, until: 20m }, \
                      { tenant: 3, to: \"on\", from: 5m, until: 11m }]";
    let text = shop(overrides, rollout);
    let run = run_once(&plan(&text), 1);
    assert_eq!(run.summary.plans[0].1, "rolled back before step few");
    let second = spans(&text, 2);
    assert!(second.last().is_some_and(|(from, to)| *from < 680.0 && (1_180.0..1_201.0).contains(to)), "{second:?}");
    let third = spans(&text, 3);
    assert!(third.iter().all(|(_, last)| *last < 13.0 * 60.0), "its override is over, and stays so: {third:?}");
    let precedence = run.summary.invariants.iter().find(|outcome| outcome.name == "kill-precedence").expect("checked");
    assert_eq!((precedence.violations, precedence.exercised > 0), (0, true), "{:?}", precedence.first);
}

#[test]
fn one_whose_end_comes_first_because_its_step_is_late_never_begins() {
    let rollout = r#"steps: [{ name: few, at: 2m, move: [{ to: "off" }], hold: 2m, exit: ["error_rate > 99%"] }, { name: all, move: [{ to: "on" }] }]
    approvals: [{ before: ["off"], by: [ann], takes: 20m }]"#;
    let text = shop("[{ tenant: 2, to: \"on\", from: few + 1m, until: 10m }]", rollout);
    assert_eq!(spans(&text, 2), []);
    let run = run_once(&plan(&text), 1);
    assert!(log(&run, &text).iter().all(|line| !line.contains("override")), "{:?}", log(&run, &text));
}

#[test]
fn a_run_without_the_rollout_has_none_of_it() {
    let text = shop("[{ tenant: 2, to: \"on\", from: 2m, until: 6m }]", STEPS);
    let plan = plan(&text);
    let baseline = Course::Baseline(vec![vec![None; 2]]);
    let mut world = World::assemble(&plan.estate, 1, baseline, [true; Kind::COUNT]);
    while world.step(&plan.estate, SimTime::from(plan.estate.horizon())) {
        let published = |fact: &&windtunnel::models::observation::Observed| {
            matches!(fact.what, Observation::PolicyPublished { feature: Some(_), .. })
        };
        assert_eq!(world.cx().observations().iter().find(published).map(|fact| fact.at), None);
    }
}

#[test]
fn a_schedule_that_cannot_be_meant_is_told_at_its_place() {
    let cases = [
        ("[{ tenant: 2, to: \"on\", from: 6m, until: 2m }]", "the override of tenant 2 ends at 2m, and begins at 6m"),
        ("[{ tenant: 2, to: \"on\", until: 5m }]", "the override of tenant 2 ends at 5m, and begins at 10m"),
        ("[{ tenant: 2, to: \"on\", from: fw + 1m }]", "there is no step `fw`"),
        ("[{ tenant: 2, to: \"on\", from: noon }]", "there is no step `noon`"),
        ("[{ tenant: 2, to: \"on\", from: 2 }]", "`2` is not a time"),
        ("[{ tenant: 9, to: \"on\", from: 2m }]", "there is no tenant 9"),
        (
            "[{ user: 2, to: \"on\", from: 2m, until: 6m }, { user: 2, to: \"off\", from: 5m }]",
            "the same subject is given a stage twice at one time",
        ),
        (
            "[{ user: 2, to: \"on\", from: 2m, until: 6m }, { user: 2, to: \"off\" }]",
            "user 2 has an override without a schedule from step few on",
        ),
        ("[{ user: 2, to: \"on\", from: 3d }]", "the override of user 2"),
    ];
    for (overrides, part) in cases {
        let told = told(&shop(overrides, STEPS));
        assert!(told.contains(part), "{overrides}: {told}");
    }
}
