//! Gates, approvals, readiness, alerts and the people behind them: what a file can say, and what then happens.

mod common;

use common::{plan, run_once, scenario};
use std::sync::atomic::AtomicBool;
use windtunnel::kernel::maths;
use windtunnel::models::observation::{Consent, GateVerdict, Observation, Observed, Publication, Standstill};
use windtunnel::run::{Completed, Detail, Limits, run};
use windtunnel::scenario::Request;
use windtunnel::theory::canary;

/// An estate in which the new path fails a share of requests, and whatever watches over its rollout.
fn estate(fails: &str, rollout: &str, rest: &str) -> String {
    format!(
        r#"windtunnel: 1
name: watched
duration: 30m
features:
  new-checkout:
    stages: ["off", trial, "on"]
services:
  shop:
    replicas: 2
    edge: true
    sdk: {{ poll: 5s }}
    decides_from: [sdk, safe_stage]
    code: {{ 1: {{ defects: [{{ fails: {fails}, path: new }}] }}, 2: {{}} }}
    operations:
      buy:
        by_stage:
          "off": {{ path: old, do: [{{ effect: charge }}] }}
          trial: {{ path: new, do: [{{ effect: charge }}] }}
          "on": {{ path: new, do: [{{ effect: charge }}] }}
journeys:
  buy: {{ arrivals: 10/s, first: shop.buy, feature: new-checkout }}
rollout:
  new-checkout:
{rollout}
{rest}
"#
    )
}

/// Two steps, of five minutes each.
const STEPS: &str = r#"
    steps:
      - { name: few, at: 2m, move: [{ percent: 20%, to: trial }], hold: 5m }
      - { name: all, move: [{ to: "on" }], hold: 5m }"#;

const ANALYSIS: &str =
    "    analysis: { every: 30s, window: 2m, delay: 15s, failures: 2 }\n    gate: [\"error_rate.delta < 1%\"]";

fn completed(text: &str, seed: u64) -> Completed {
    let detail = Detail::Exhibit { buckets: 10, keep: Vec::new() };
    run(&plan(text), seed, Limits::default(), &detail, &AtomicBool::new(false)).expect("nobody stops it")
}

fn problems(text: &str) -> String {
    match scenario(text).plan(&Request::default()) {
        Ok(_) => String::new(),
        Err(told) => told.to_string(),
    }
}

fn end(run: &Completed) -> &str {
    &run.summary.plans[0].1
}

fn steps(run: &Completed) -> Vec<(&str, f64)> {
    run.summary.steps.iter().map(|(name, at)| (name.as_str(), at.since_start().as_secs_f64() / 60.0)).collect()
}

fn minutes(run: &Completed, wanted: impl Fn(&Observation) -> bool) -> Vec<f64> {
    let found = run.trace.iter().filter(|observed: &&Observed| wanted(&observed.what));
    found.map(|observed| observed.at.since_start().as_secs_f64() / 60.0).collect()
}

#[test]
fn a_plan_whose_gates_hold_goes_to_its_end_as_it_would_without_them() {
    let plain = completed(&estate("0%", STEPS, ""), 1);
    let gated = completed(&estate("0%", &format!("{ANALYSIS}{STEPS}"), ""), 1);
    assert_eq!(steps(&plain), [("new-checkout/few", 2.0), ("new-checkout/all", 7.0)]);
    assert_eq!(steps(&gated), steps(&plain));
    assert_eq!(end(&gated), "completed");
    assert!(plain.summary.plans.is_empty());
    assert_eq!(gated.summary.metric("gate_failures.count"), Some(0.0));
    assert_eq!(gated.summary.metric("plan_completed"), Some(1.0));
    assert_eq!((gated.summary.metric("time_to_detect"), gated.summary.metric("approval_wait")), (None, Some(0.0)));
}

#[test]
fn the_gate_finds_the_defect_in_the_first_step_and_takes_everybody_back() {
    let text = estate("20%", &format!("{ANALYSIS}\n    on_failure: back_all{STEPS}"), "");
    let run = completed(&text, 1);
    assert_eq!(end(&run), "rolled back before step few");
    assert_eq!(steps(&run).len(), 1);
    let back = minutes(&run, |what| {
        matches!(what, Observation::PolicyPublished { publication: Publication::RolledBack { before: 0, .. }, .. })
    });
    // Judged every half minute, seen 15 s late, twice in a row.
    assert!(matches!(back.as_slice(), [at] if (3.0..5.5).contains(at)), "{back:?}");
    let detected = run.summary.metric("time_to_detect").expect("a gate failed");
    assert!((30.0..200.0).contains(&detected), "{detected}");
    let later = run.trace.iter().rev().find_map(|observed| match observed.what {
        Observation::Gate { verdict: GateVerdict::Failed, value, .. } => value,
        _ => None,
    });
    assert!(later.is_some_and(|value| value > 0.05), "{later:?}");
}

/// A planted bug: a gate that always passes lets the defect through to everybody; so would one that never measures.
#[test]
fn without_the_gate_everybody_meets_the_defect() {
    let run = completed(&estate("20%", STEPS, ""), 1);
    let gated = completed(&estate("20%", &format!("{ANALYSIS}\n    on_failure: back_all{STEPS}"), ""), 1);
    let rate = |run: &Completed| run.summary.metric("error_rate").expect("somebody was answered");
    assert!(rate(&run) > 0.14 && rate(&gated) < 0.01, "{} {}", rate(&run), rate(&gated));
}

#[test]
fn a_failed_gate_pauses_and_whoever_resumes_goes_on() {
    let paused = completed(&estate("20%", &format!("{ANALYSIS}{STEPS}"), ""), 2);
    assert_eq!(end(&paused), "paused by a failed gate at step few");
    let rest = "timeline:\n  - { at: 12m, resume: new-checkout }\n  - { at: 20m, resume: new-checkout }";
    let text = estate("20%", &format!("{}{STEPS}", ANALYSIS.replace("failures: 2", "failures: 20")), "");
    assert_eq!(end(&completed(&text, 2)), "completed");
    // Resumed at the twelfth minute the step's hold is over, and everybody is moved at once.
    let resumed = completed(&estate("20%", &format!("{ANALYSIS}{STEPS}"), rest), 2);
    let all = steps(&resumed).last().map(|(name, at)| ((*name).to_owned(), *at));
    assert_eq!(all, Some(("new-checkout/all".to_owned(), 12.0)));
}

#[test]
fn one_step_back_and_again_ends_where_the_retries_do() {
    let rollout = format!("{ANALYSIS}\n    on_failure: back\n    retry: {{ after: 3m, most: 2 }}{STEPS}");
    let run = completed(&estate("20%", &rollout, ""), 3);
    let back = minutes(&run, |what| matches!(what, Observation::RolledBack { .. }));
    let taken = minutes(&run, |what| matches!(what, Observation::Stepped { .. }));
    assert_eq!((back.len(), taken.len()), (3, 3));
    assert_eq!(run.summary.metric("plan_rollbacks.count"), Some(3.0));
    assert_eq!(run.summary.metric("plan_completed"), Some(0.0));
    assert!((taken[1] - back[0] - 3.0).abs() < 1e-9, "{taken:?} {back:?}");
    assert_eq!(end(&run), "rolled back before step few");
}

#[test]
fn a_cap_leaves_those_below_it_where_they_are() {
    let gate = ANALYSIS.replace("error_rate.delta < 1%", "error_rate < 8%");
    let rollout = format!("{gate}\n    on_failure: {{ back_to: trial }}{STEPS}");
    let run = completed(&estate("20%", &rollout, ""), 1);
    let stages = |from: f64| {
        let found = run.trace.iter().filter_map(move |observed| match observed.what {
            Observation::PolicyPublished { publication, .. } => Some((observed.at, publication)),
            _ => None,
        });
        found.filter(|(at, _)| at.since_start().as_secs_f64() / 60.0 > from).count()
    };
    assert_eq!(end(&run), "rolled back at step all");
    assert_eq!(stages(7.5), 1, "one publication after everybody was moved: the cap");
}

#[test]
fn a_failed_gate_can_kill_and_the_kill_stops_the_plan() {
    let run = completed(&estate("20%", &format!("{ANALYSIS}\n    on_failure: kill{STEPS}"), ""), 1);
    assert_eq!(end(&run), "stopped by a kill at step few");
    assert_eq!(minutes(&run, |what| matches!(what, Observation::Killed { .. })).len(), 1);
}

#[test]
fn a_scheduled_step_does_not_undo_a_kill_of_a_plan_that_is_watched_over() {
    let rest = "timeline:\n  - { at: 6m, kill: new-checkout }";
    let run = completed(&estate("0%", &format!("{ANALYSIS}{STEPS}"), rest), 1);
    assert_eq!(end(&run), "stopped by a kill at step few");
    assert_eq!(steps(&run).len(), 1);
    // Without anything that watches over it the schedule goes on; the kill stays in force all the same.
    assert_eq!(steps(&completed(&estate("0%", STEPS, rest), 1)).len(), 2);
}

#[test]
fn without_data_a_gate_holds_the_step_passes_or_fails_as_it_is_told() {
    let gate = |no_data: &str| {
        let analysis =
            ANALYSIS.replace("failures: 2", &format!("failures: 2, min_answers: 100000, no_data: {no_data}"));
        completed(&estate("20%", &format!("{analysis}{STEPS}"), ""), 1)
    };
    assert_eq!(end(&gate("pause")), "a gate has no data at step few");
    assert_eq!(end(&gate("pass")), "completed");
    assert_eq!(end(&gate("fail")), "paused by a failed gate at step few");
    assert!(gate("pause").summary.metric("gates_without_data.count") > Some(10.0));
}

#[test]
fn a_step_waits_for_those_who_must_agree() {
    let approval = |more: &str| {
        let rollout = format!("    approvals: [{{ before: [\"on\"], by: [ann, bob], takes: 4m{more} }}]{STEPS}");
        rollout
    };
    let run = completed(&estate("0%", &approval(""), ""), 1);
    assert_eq!(steps(&run), [("new-checkout/few", 2.0), ("new-checkout/all", 11.0)]);
    assert_eq!(run.summary.metric("approval_wait"), Some(240.0));
    let given = minutes(&run, |what| matches!(what, Observation::Approval { consent: Consent::Given, .. }));
    assert_eq!(given, [11.0, 11.0]);
    let lapsed = completed(
        &estate(
            "0%",
            &approval(", rejects: 1%, expires: 4m").replace("takes: 4m", "takes: { p50: 10m, p99: 20m }"),
            "",
        ),
        1,
    );
    assert_eq!(end(&lapsed), "approval was not given in time at step few");
    let refused = (0..20)
        .map(|seed| completed(&estate("0%", &approval(", rejects: 50%"), ""), seed))
        .filter(|run| end(run) == "approval was refused at step few")
        .count();
    // Two must agree, each half of the time: three of four are refused.
    assert!((10..=19).contains(&refused), "{refused}");
}

#[test]
fn an_emergency_goes_past_an_approval_and_is_told_of() {
    let rollout = format!("    approvals: [{{ by: [ann], takes: 20m, bypass: chief }}]{STEPS}");
    let run = completed(&estate("0%", &rollout, "timeline:\n  - { at: 3m, bypass: new-checkout }"), 1);
    assert_eq!(steps(&run)[0], ("new-checkout/few", 3.0));
    assert_eq!(minutes(&run, |what| matches!(what, Observation::Approval { consent: Consent::Bypassed, .. })), [3.0]);
    assert_eq!(run.summary.metric("bypasses.count"), Some(1.0));
    // The audit log has it beside the version that was published for it.
    let step = |publication: &Publication| matches!(publication, Publication::Step { step: 0, .. });
    let audited = run.summary.audit.iter().find(|audited| step(&audited.publication)).expect("it was published");
    assert_eq!(audited.consents, [(Consent::Bypassed, Some(1))]);
    let early = completed(&estate("0%", &rollout, "timeline:\n  - { at: 1m, bypass: new-checkout }"), 1);
    assert_eq!(early.summary.happenings, [("bypass new-checkout".to_owned(), 0)]);
}

#[test]
fn a_step_waits_until_the_fleet_runs_what_it_requires() {
    let steps_with = STEPS.replace("name: all,", "name: all, requires: [\"shop.code >= 2\"],");
    let rest = "timeline:\n  - { at: 10m, deploy: { shop: 2 }, rolling: { batch: 1, every: 3m } }";
    let run = completed(&estate("0%", &steps_with, rest), 1);
    assert_eq!(steps(&run), [("new-checkout/few", 2.0), ("new-checkout/all", 13.0)]);
    let held = minutes(&run, |what| matches!(what, Observation::PlanHeld { why: Standstill::NotReady, .. }));
    assert_eq!(held.first(), Some(&7.0));
    let by_stage = estate("0%", STEPS, rest).replace(
        "stages: [\"off\", trial, \"on\"]",
        "stages: [\"off\", trial, \"on\"]\n    requires: { \"on\": [\"shop.code >= 2\"] }",
    );
    assert_eq!(steps(&completed(&by_stage, 1))[1].1, 13.0);
    // Without it the step is taken on the old code.
    assert_eq!(steps(&completed(&estate("0%", STEPS, rest), 1))[1].1, 7.0);
}

const TEAM: &str = r#"
teams: { checkout: { acts_in: 2m, wrong_action: WRONG } }
alerts:
  - { name: fails, when: "error_rate{path: new} > 5%", over: 1m, window: 1m, scrape: 15s, repeat: 5m, pages: checkout, does: { kill: new-checkout }, wrong: { pause: new-checkout } }"#;

#[test]
fn an_alert_calls_a_team_that_acts_in_its_time() {
    let run = completed(&estate("20%", STEPS, &TEAM.replace("WRONG", "0%")), 1);
    let raised = minutes(&run, |what| matches!(what, Observation::AlertRaised { .. }));
    let acted = minutes(&run, |what| matches!(what, Observation::OperatorActed { .. }));
    assert!(raised.len() == 1 && acted.len() == 1 && (acted[0] - raised[0] - 2.0).abs() < 1e-9, "{raised:?} {acted:?}");
    assert_eq!(run.summary.metric("alerts_raised.count"), Some(1.0));
    assert_eq!(end(&run), "stopped by a kill at step few");
    assert!(
        minutes(&completed(&estate("0%", STEPS, &TEAM.replace("WRONG", "0%")), 1), |what| {
            matches!(what, Observation::AlertRaised { .. })
        })
        .is_empty()
    );
}

#[test]
fn the_wrong_action_does_not_help_and_they_are_called_again() {
    let run = completed(&estate("20%", STEPS, &TEAM.replace("WRONG", "100%")), 1);
    assert_eq!(end(&run), "paused by hand at step few");
    let acted = run.summary.metric("operator_actions.count").expect("they were called");
    assert!(acted >= 4.0 && run.summary.metric("wrong_actions.count") == Some(acted), "{acted}");
}

/// How many of these runs were taken back, in a step of ten minutes of a release that is as healthy as what was there:
/// two of ten requests a second are moved, and 0.4% of requests fail.
fn taken_back(analysis: &str, runs: u64) -> f64 {
    let rollout = format!(
        r#"    analysis: {{ every: 1m, window: 1m, delay: 0s, {analysis} }}
    gate: ["error_rate{{path: new}} < 1%"]
    on_failure: back_all
    steps: [{{ name: few, at: 2m, move: [{{ percent: 20%, to: trial }}], hold: 10m }}]"#
    );
    let plan = plan(&estate("0.4%", &rollout, "").replace("duration: 30m", "duration: 13m"));
    let back = (1..=runs).filter(|seed| run_once(&plan, *seed).summary.metric("plan_rollbacks.count") == Some(1.0));
    back.count() as f64
}

/// P(a judgement fails): as many answers as arrive in a minute, at a mean of 120, of which each fails with 0.4%.
fn one_judgement_fails() -> f64 {
    let (mean, failing, bound) = (120.0_f64, 0.004, 0.01);
    let mut of_exactly = maths::exp(-mean);
    (1..400_u32)
        .map(|answers| {
            of_exactly *= mean / f64::from(answers);
            // The gate says "below": the bound itself fails.
            let fewest = (bound * f64::from(answers) - 1e-9).ceil() as u32;
            of_exactly * canary::at_least(answers, failing, fewest)
        })
        .sum()
}

#[test]
fn a_gate_takes_back_as_many_healthy_releases_as_the_binomial_law_says() {
    const RUNS: u64 = 120;
    let failing = one_judgement_fails();
    assert!((0.08..0.11).contains(&failing), "{failing}");
    for (analysis, row) in [("failures: 1", 1), ("failures: 2", 2)] {
        let expected = canary::aborts_in_a_row(10, failing, row);
        let runs = RUNS as f64;
        let allowed = 3.3 * (expected * (1.0 - expected) / runs).sqrt();
        let share = taken_back(analysis, RUNS) / runs;
        assert!((share - expected).abs() <= allowed, "{analysis}: {share} taken back, {expected} ± {allowed} expected");
    }
}

#[test]
fn a_run_with_everything_is_the_same_run_twice() {
    let rollout = format!(
        "{ANALYSIS}\n    on_failure: back\n    retry: {{ after: 3m }}\n    approvals: [{{ by: [ann, bob], need: 1, takes: {{ p50: 1m, p99: 4m }}, rejects: 20% }}]{STEPS}"
    );
    let text = estate("3%", &rollout, &TEAM.replace("WRONG", "30%").replace("> 5%", "> 1%"));
    for seed in 0..5 {
        let (one, two) = (completed(&text, seed), completed(&text, seed));
        assert_eq!(one.summary.digest, two.summary.digest);
        assert_eq!(one.summary.plans, two.summary.plans);
    }
}

#[test]
fn what_can_never_advance_is_told_before_the_run() {
    let with = |rollout: &str, rest: &str| problems(&estate("0%", &format!("{rollout}{STEPS}"), rest));
    let cases = [
        (with("    approvals: [{ by: [ann], need: 2, takes: 1m }]", ""), "2 must agree, and 1 are asked"),
        (with("    approvals: [{ by: [ann], takes: 1m, rejects: 100% }]", ""), "nobody ever agrees"),
        (with("    approvals: [{ by: [ann], takes: 1h, expires: 5m }]", ""), "lapses before anybody has answered"),
        (with("    approvals: [{ by: [ann], takes: 1m, before: [\"off\"] }]", ""), "no step moves anybody to `off`"),
        (with("    gate: [\"error_rate < 1%\"]\n    analysis: { every: 6m }", ""), "no step holds long enough"),
        (with("    gate: [\"eror_rate < 1%\"]", ""), "there is no metric `eror_rate`"),
        (with("    gate: [\"time_to_full < 1s\"]", ""), "there is no metric `time_to_full`"),
        (with("    gate: [\"latency < 1s\"]", ""), "which quantile of the latency?"),
        (with("    gate: [\"latency.p99 < 1%\"]", ""), "another unit"),
        (with("    gate: [\"latency.p99.ratio < 1s\"]", ""), "expected a plain number"),
        (with("    gate: [\"error_rate{journy: buy} < 1%\"]", ""), "there is no label `journy`"),
        (with("    gate: [\"error_rate{journey: by} < 1%\"]", ""), "there is no journey `by`"),
        (with("    gate: [\"lag < 10\"]", ""), "whose lag?"),
        (with("    gate: [\"error_rate < 1%\"]\n    retry: { after: 1m }", ""), "`retry` without going back"),
        (with("", "timeline:\n  - { at: 3m, bypass: new-checkout }"), "nobody may bypass"),
        (with("", "alerts:\n  - { when: \"error_rate > 1%\", pages: nobody }"), "there is no team `nobody`"),
        (with("", "teams: { a: { on_call: 8-18, acts_in: 1m } }"), "`8-18` is no time on call"),
        (
            problems(&estate("0%", &STEPS.replace("name: all,", "name: all, requires: [\"shop.code >= 3\"],"), "")),
            "never runs code 3 or later",
        ),
        (
            problems(&estate("0%", &STEPS.replace("name: all,", "name: all, requires: [\"shop is ready\"],"), "")),
            "is not a requirement",
        ),
    ];
    for (told, expected) in cases {
        assert!(told.contains(expected), "{expected}: {told}");
    }
}
