use super::*;
use crate::campaign::outcome::fixture::{broken, campaign, expects, held, line, plan, run, variant};
use crate::campaign::verdict::{Overall, judge, overall};
use crate::scenario::plan::{ComesOut, Expectation};
use crate::units::Day;

const TODAY: Day = Day::new(2026, 11, 26);

fn accepted(cause: Option<&str>, until: Day) -> Accepted {
    let (owner, ticket) = ("payments".to_owned(), "SHOP-1".to_owned());
    Accepted { invariant: "split-brain", cause: cause.map(str::to_owned), until, owner, ticket, at: line(20) }
}

fn holds() -> Vec<Expectation> {
    vec![expects("split-brain", ComesOut::Holds)]
}

/// A variant in whose runs split-brain is violated for these causes, one list for each run.
fn violated(name: &str, entries: &[Accepted], runs: &[&[(&'static str, u64)]]) -> VariantOutcome {
    let mut plan = plan(name, holds());
    plan.accepted = entries.to_vec();
    plan.judged_on = Some(TODAY);
    let run = |(seed, causes): (usize, &&[(&'static str, u64)])| {
        let seen = if causes.is_empty() { held("split-brain", 9) } else { broken("split-brain", 9, causes) };
        run(seed as u64, vec![seen])
    };
    variant(plan, runs.iter().enumerate().map(run).collect())
}

fn whole(variants: Vec<VariantOutcome>) -> CampaignOutcome {
    let mut outcome = campaign(variants);
    outcome.invocation.whole = true;
    outcome
}

fn said(outcome: &VariantOutcome) -> (&'static str, String) {
    match judge(outcome, false).remove(0).judgement {
        Judgement::Met => ("met", String::new()),
        Judgement::Missed(why) => ("missed", why),
        Judgement::Inconclusive(why) => ("inconclusive", why),
        Judgement::Accepted(why) => ("accepted", why),
    }
}

#[test]
fn what_is_accepted_passes_until_its_day_and_is_red_on_the_next() {
    let stale: &[(&'static str, u64)] = &[("stale cache", 3)];
    let last_day = violated("base", &[accepted(Some("stale cache"), TODAY)], &[stale]);
    let (word, why) = said(&last_day);
    assert_eq!(word, "accepted");
    assert!(why.ends_with("stale cache (3); accepted until 2026-11-26 by payments, ticket SHOP-1"), "{why}");
    assert_eq!(overall(&whole(vec![last_day])), Overall::Pass);
    let past = violated("base", &[accepted(Some("stale cache"), Day(TODAY.0 - 1))], &[stale]);
    let (word, why) = said(&past);
    assert_eq!(word, "missed");
    assert!(why.ends_with("accepted until 2026-11-25 by payments, ticket SHOP-1: expired"), "{why}");
    assert_eq!(overall(&whole(vec![past])), Overall::Fail);
}

/// The runs of an outcome again, after a test has changed them.
fn again(outcome: VariantOutcome) -> VariantOutcome {
    VariantOutcome::of(outcome.plan, outcome.runs)
}

#[test]
fn on_no_day_nothing_is_accepted() {
    let mut outcome = violated("base", &[accepted(None, TODAY)], &[&[("stale cache", 3)]]);
    outcome.plan.judged_on = None;
    assert_eq!(said(&outcome).0, "missed");
}

#[test]
fn another_cause_is_red_at_once_and_is_named() {
    let runs: &[&[(&'static str, u64)]] = &[&[("stale cache", 3)], &[("stale cache", 1), ("fallback", 2)]];
    let outcome = violated("base", &[accepted(Some("stale cache"), TODAY)], runs);
    let (word, why) = said(&outcome);
    assert_eq!(word, "missed");
    assert!(why.ends_with("; not accepted: fallback"), "{why}");
    assert_eq!(outcome.tally.shown(false).map(|run| run.seed), Some(1), "the run that shows it is the one shown");
    assert_eq!(said(&violated("base", &[accepted(None, TODAY)], runs)).0, "accepted", "whatever the cause");
}

#[test]
fn another_invariant_is_red_at_once() {
    let mut outcome = violated("base", &[accepted(None, TODAY)], &[&[("stale cache", 3)]]);
    outcome.plan.expectations = vec![expects("completion", ComesOut::Holds)];
    outcome.runs[0].invariants.push(broken("completion", 4, &[("slow", 1)]));
    let outcome = again(outcome);
    assert_eq!(said(&outcome).0, "missed");
}

#[test]
fn accepted_violations_do_not_hide_what_could_not_be_told() {
    let mut outcome = violated("base", &[accepted(None, TODAY)], &[&[("stale cache", 3)], &[]]);
    outcome.runs[1].invariants[0].verdict = Verdict::Undecided;
    let outcome = again(outcome);
    assert_eq!(said(&outcome), ("inconclusive", "undecided in 1 run: a limit was hit first".to_owned()));
}

#[test]
fn an_entry_that_nothing_violates_any_more_fails_with_the_line_to_remove() {
    let entry = accepted(Some("stale cache"), TODAY);
    let clean = violated("base", std::slice::from_ref(&entry), &[&[]]);
    assert_eq!(said(&clean).0, "met");
    let outcome = whole(vec![clean.clone()]);
    let entries = standings(&outcome);
    assert_eq!((entries.len(), entries[0].standing), (1, Standing::Over));
    assert!(over(entries[0].accepted).ends_with("remove the entry at scenarios/split-brain.yaml:20"));
    assert_eq!(overall(&outcome), Overall::Fail);
    let part = campaign(vec![clean.clone()]);
    assert_eq!(standings(&part)[0].standing, Standing::NotSeen, "not every variant and seed is here");
    assert_eq!(overall(&part), Overall::Pass);
    let mut cut = clean;
    cut.runs[0].cut_short = true;
    let cut = whole(vec![again(cut)]);
    assert_eq!(standings(&cut)[0].standing, Standing::NotSeen, "a run that was cut short says nothing");
}

#[test]
fn an_entry_is_needed_as_long_as_one_variant_needs_it() {
    let entry = [accepted(Some("stale cache"), TODAY)];
    let outcome = whole(vec![violated("base", &entry, &[&[]]), violated("slow", &entry, &[&[("stale cache", 3)]])]);
    let entries = standings(&outcome);
    assert_eq!((entries.len(), entries[0].standing, entries[0].violations), (1, Standing::InForce, 3));
    assert_eq!((entries[0].variant, entries[0].seen_in.as_slice()), ("base", &["slow"][..]));
    assert_eq!(overall(&outcome), Overall::Pass);
}

#[test]
fn where_a_violation_is_expected_there_is_nothing_to_accept() {
    let mut outcome = violated("base", &[accepted(None, TODAY)], &[&[("stale cache", 3)]]);
    outcome.plan.expectations = vec![expects("split-brain", ComesOut::Violated { cause: None, about: None })];
    let outcome = whole(vec![outcome]);
    assert_eq!(standings(&outcome)[0].standing, Standing::Over);
}

#[test]
fn strict_rows_are_accepted_as_well() {
    let mut outcome = violated("base", &[Accepted { invariant: "completion", ..accepted(None, TODAY) }], &[&[]]);
    outcome.plan.expectations.clear();
    outcome.runs[0].invariants = vec![broken("completion", 4, &[("slow", 1)])];
    let outcome = again(outcome);
    let rows = judge(&outcome, true);
    assert!(matches!(rows[0].judgement, Judgement::Accepted(_)), "{rows:?}");
}
