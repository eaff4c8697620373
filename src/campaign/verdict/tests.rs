use super::*;
use crate::campaign::outcome::Incomplete;
use crate::campaign::outcome::fixture::*;
use crate::run::summary::{InvariantOutcome, RunSummary, Verdict};
use crate::scenario::plan::Plan;
use crate::units::Share;

/// How one invariant is judged whose runs came out like this.
fn judged(comes_out: ComesOut, outcomes: Vec<InvariantOutcome>) -> (Judgement, Option<String>) {
    let runs = (0..).zip(outcomes).map(|(seed, outcome)| run(seed, vec![outcome])).collect();
    let outcome = variant(plan("base", vec![expects("split-brain", comes_out)]), runs);
    let row = judge(&outcome, false).remove(0);
    (row.judgement, row.note)
}

fn missed(why: &str) -> Judgement {
    Judgement::Missed(why.to_owned())
}

fn inconclusive(why: &str) -> Judgement {
    Judgement::Inconclusive(why.to_owned())
}

fn violated_for(cause: &str) -> ComesOut {
    ComesOut::Violated { cause: Some(cause.to_owned()), about: None }
}

const VIOLATED: ComesOut = ComesOut::Violated { cause: None, about: None };

fn clean() -> InvariantOutcome {
    held("split-brain", 10)
}

fn idle() -> InvariantOutcome {
    held("split-brain", 0)
}

fn stale() -> InvariantOutcome {
    broken("split-brain", 10, &[("stale cache", 3)])
}

fn pending() -> InvariantOutcome {
    InvariantOutcome { verdict: Verdict::Pending, pending: 1, ..clean() }
}

#[test]
fn holds_needs_every_run_clean_and_one_exercised() {
    assert_eq!(judged(ComesOut::Holds, vec![clean(), idle()]), (Judgement::Met, None));
    let never = inconclusive("never exercised: this result is worth nothing");
    assert_eq!(judged(ComesOut::Holds, vec![idle(), idle()]).0, never);
    let one = missed("violated in 1 of 2 runs, first with seed 1: stale cache (3)");
    assert_eq!(judged(ComesOut::Holds, vec![clean(), stale()]).0, one);
}

#[test]
fn an_open_obligation_is_never_green() {
    let open = inconclusive("pending in 1 run: 1 obligation is due past the end of the run");
    assert_eq!(judged(ComesOut::Holds, vec![clean(), pending()]).0, open);
    let cut = InvariantOutcome { verdict: Verdict::Undecided, ..clean() };
    assert_eq!(judged(ComesOut::Holds, vec![cut]).0, inconclusive("undecided in 1 run: a limit was hit first"));
}

#[test]
fn what_the_baseline_has_too_does_not_count() {
    let excused = InvariantOutcome { violations: 0, in_baseline: 3, verdict: Verdict::Violated, ..clean() };
    let note = "3 violations that the run without the rollout has too".to_owned();
    assert_eq!(judged(ComesOut::Holds, vec![excused.clone()]), (Judgement::Met, Some(note)));
    let never = missed("not violated in any of 1 run that exercised it");
    assert_eq!(judged(VIOLATED, vec![excused]).0, never);
}

#[test]
fn violated_means_in_every_exercised_run() {
    assert_eq!(judged(VIOLATED, vec![stale(), idle(), stale()]).0, Judgement::Met);
    let some = missed("violated in 1 of 2 runs that exercised it, not in every one");
    assert_eq!(judged(VIOLATED, vec![stale(), clean()]).0, some);
    let open = inconclusive("violated in 1 of 2 runs that exercised it, not in every one");
    assert_eq!(judged(VIOLATED, vec![stale(), pending()]).0, open);
    assert_eq!(judged(VIOLATED, vec![idle()]).0, inconclusive("never exercised: this result is worth nothing"));
}

#[test]
fn a_violation_cannot_pass_for_the_wrong_reason() {
    let mostly = broken("split-brain", 9, &[("stale cache", 5), ("fallback", 1)]);
    let note = Some("other causes seen: fallback (1)".to_owned());
    assert_eq!(judged(violated_for("stale cache"), vec![mostly.clone()]), (Judgement::Met, note));
    let hardly = missed("violated, but mostly for another cause than `fallback`: stale cache (5 to 1)");
    assert_eq!(judged(violated_for("fallback"), vec![mostly]).0, hardly);
    let without = missed("violated, but 1 run without the cause `fallback`, first with seed 0: stale cache (3)");
    assert_eq!(judged(violated_for("fallback"), vec![stale()]).0, without);
}

#[test]
fn a_violation_is_about_what_is_named_or_it_is_not_told() {
    let about = |about: &str| ComesOut::Violated { cause: None, about: Some(about.to_owned()) };
    assert_eq!(judged(about("new-checkout"), vec![broken("split-brain", 1, &[("x", 1)])]).0, Judgement::Met);
    let other = missed("no violation with seed 0 is about `settled`");
    assert_eq!(judged(about("settled"), vec![broken("split-brain", 1, &[("x", 1)])]).0, other);
    let more = inconclusive("none of the first 1 violations with seed 0 is about `settled`");
    assert_eq!(judged(about("settled"), vec![stale()]).0, more);
}

#[test]
fn a_rate_is_judged_by_its_clopper_pearson_bounds() {
    let rate = |percent: f64| {
        let share = Share::new(percent / 100.0).expect("a share");
        ComesOut::AtMost { share, confidence: 0.95 }
    };
    let hundred = || vec![clean(); 100];
    let note = "violated in 0 of 100 runs that exercised it: with 95% confidence at most 2.95% of runs".to_owned();
    assert_eq!(judged(rate(3.0), hundred()), (Judgement::Met, Some(note)));
    let few = inconclusive(
        "violated in 0 of 100 runs that exercised it: with 95% confidence up to 2.95%; about 199 more would decide",
    );
    assert_eq!(judged(rate(1.0), hundred()).0, few);
    let mut idle_runs = vec![idle(); 960];
    idle_runs.extend(vec![clean(); 40]);
    assert!(matches!(judged(rate(5.0), idle_runs).0, Judgement::Inconclusive(_)), "the denominator is 40, not 1000");
    let mut broken = vec![stale(); 20];
    broken.extend(hundred());
    assert!(matches!(judged(rate(5.0), broken).0, Judgement::Missed(why) if why.contains("first with seed 0")));
}

#[test]
fn a_metric_is_judged_on_its_mean_and_without_a_value_it_is_not() {
    let runs: Vec<RunSummary> = (0..20).map(|seed| run(seed, vec![])).collect();
    let row = |name, at_least, at_most| {
        let plan = plan("base", vec![expects_metric(name, at_least, at_most)]);
        judge(&variant(plan, runs.clone()), false).remove(0).judgement
    };
    assert_eq!(row("error_rate", None, Some(0.01)), Judgement::Met);
    let above = "the mean is 0.0305%, above 0.01%";
    assert_eq!(row("error_rate", None, Some(0.0001)), missed(above));
    assert_eq!(row("time_to_kill", None, Some(1.0)), inconclusive("time_to_kill has no value in any run"));
}

#[test]
fn what_was_to_be_reached_and_never_was_is_inconclusive() {
    let outcome = |times: u64| {
        let runs = vec![RunSummary { reached: vec![times], ..run(0, vec![]) }];
        judge(&variant(plan("base", vec![expects_reached()]), runs), false).remove(0).judgement
    };
    assert_eq!(outcome(1), Judgement::Met);
    assert_eq!(outcome(0), inconclusive("never reached in 1 run"));
}

#[test]
fn a_fault_that_never_fires_is_inconclusive_only_if_so_in_every_run() {
    let mut outcome = variant(plan("base", vec![expects("split-brain", VIOLATED)]), vec![run(0, vec![stale()]); 2]);
    outcome.runs[0].happenings[0].1 = 0;
    assert_eq!(Overall::of(judge(&outcome, false).iter().map(|row| &row.judgement)), Overall::Pass);
    outcome.runs[1].happenings[0].1 = 0;
    let outcome = VariantOutcome::of(outcome.plan, outcome.runs);
    let rows = judge(&outcome, false);
    let never = inconclusive("`control_plane.down eu-central` never took place in 2 runs");
    assert_eq!(rows.last().map(|row| &row.judgement), Some(&never));
    assert_eq!(exit_code(&campaign(vec![outcome])), 3);
}

#[test]
fn a_miss_goes_before_what_could_not_be_told_and_both_before_success() {
    let base = |comes_out, outcome| {
        variant(plan("base", vec![expects("split-brain", comes_out)]), vec![run(0, vec![outcome])])
    };
    let (met, vague, miss) =
        (base(ComesOut::Holds, clean()), base(ComesOut::Holds, idle()), base(ComesOut::Holds, stale()));
    assert_eq!(exit_code(&campaign(vec![met.clone()])), 0);
    assert_eq!(exit_code(&campaign(vec![met.clone(), vague.clone()])), 3);
    assert_eq!(exit_code(&campaign(vec![vague, miss, met.clone()])), 1);
    let partial = CampaignOutcome { incomplete: Some(Incomplete::Interrupted), ..campaign(vec![met]) };
    assert_eq!(exit_code(&partial), 3);
    assert_eq!(exit_code(&campaign(vec![])), 3);
}

#[test]
fn strict_lets_the_unnamed_invariants_decide() {
    let runs = vec![run(0, vec![clean(), broken("completion", 1, &[("slow", 1)])])];
    let outcome = variant(plan("base", vec![expects("split-brain", ComesOut::Holds)]), runs);
    assert_eq!(judge(&outcome, false).len(), 1);
    let strict = judge(&outcome, true);
    assert_eq!(strict[1].of, Subject::Strict("completion"));
    assert_eq!(strict[1].judgement, missed("violated in 1 of 1 run, first with seed 0: slow (1)"));
}

#[test]
fn nothing_expected_and_nothing_run_are_never_green() {
    let nothing = variant(plan("base", vec![]), vec![run(0, vec![clean()])]);
    assert!(matches!(judge(&nothing, false)[0].judgement, Judgement::Inconclusive(_)));
    let no_runs = variant(plan("base", vec![expects("split-brain", VIOLATED)]), vec![]);
    assert_eq!(judge(&no_runs, false)[0].judgement, inconclusive("no run was made"));
}

#[test]
fn the_run_shown_is_the_first_that_contradicts_an_expectation() {
    let runs = vec![run(3, vec![clean()]), run(4, vec![broken("completion", 1, &[("x", 1)])]), run(5, vec![stale()])];
    let seed = |plan: &Plan, runs: &[RunSummary]| Tally::of(plan, runs).shown(false).map(|run| run.seed);
    let shown = |comes_out| seed(&plan("base", vec![expects("split-brain", comes_out)]), &runs);
    assert_eq!(shown(ComesOut::Holds), Some(5));
    assert_eq!(shown(VIOLATED), Some(4));
    assert_eq!(seed(&plan("base", vec![]), &runs[..1]), Some(3));
    assert_eq!(seed(&plan("base", vec![]), &[]), None);
}
