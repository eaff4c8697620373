//! Judging one invariant over all runs of a variant.

use super::{Judgement, runs};
use crate::campaign::outcome::{Totals, VariantOutcome, is_exercised, is_violated};
use crate::run::summary::{InvariantOutcome, Verdict};
use crate::scenario::plan::ComesOut;
use crate::stats::binomial;

/// How `invariant` came out, and what should be known of it although it was met.
pub fn judge(outcome: &VariantOutcome, invariant: &'static str, comes_out: &ComesOut) -> (Judgement, Option<String>) {
    let totals = outcome.totals(invariant);
    if totals.runs == 0 {
        return (Judgement::Inconclusive(format!("no run looked at {invariant}")), None);
    }
    match comes_out {
        ComesOut::Holds => holds(outcome, &totals),
        ComesOut::Violated { cause, about } => violated(outcome, &totals, cause.as_deref(), about.as_deref()),
        ComesOut::AtMost { share, confidence } => at_most(&totals, share.fraction(), *confidence, outcome),
    }
}

/// In every seed no violation, nothing pending or undecided; exercised in at least one.
fn holds(outcome: &VariantOutcome, totals: &Totals) -> (Judgement, Option<String>) {
    let judgement = if totals.violated_runs > 0 {
        let seed = first_violated(outcome, totals.name);
        let causes = causes(totals);
        let of = totals.runs;
        Judgement::Missed(format!(
            "violated in {} of {}, first with seed {seed}{causes}",
            totals.violated_runs,
            runs(of)
        ))
    } else if totals.runs < outcome.runs.len() as u64 {
        let without = outcome.runs.len() as u64 - totals.runs;
        Judgement::Inconclusive(format!("{} did not look at it", runs(without)))
    } else if totals.undecided_runs > 0 {
        Judgement::Inconclusive(format!("undecided in {}: a limit was hit first", runs(totals.undecided_runs)))
    } else if totals.pending_runs > 0 {
        let open = format!("{} past the end of the run", obligations(totals.pending));
        Judgement::Inconclusive(format!("pending in {}: {open}", runs(totals.pending_runs)))
    } else if totals.exercised_runs == 0 {
        Judgement::Inconclusive("never exercised: this result is worth nothing".to_owned())
    } else {
        Judgement::Met
    };
    let excused = (totals.in_baseline > 0).then(|| {
        format!("{} that the run without the rollout has too", counted(totals.in_baseline, "violation", "violations"))
    });
    (judgement, excused)
}

/// In every exercised seed, at least one; for the named cause before all others, and about what is named.
fn violated(
    outcome: &VariantOutcome,
    totals: &Totals,
    cause: Option<&str>,
    about: Option<&str>,
) -> (Judgement, Option<String>) {
    if totals.exercised_runs == 0 {
        return (Judgement::Inconclusive("never exercised: this result is worth nothing".to_owned()), None);
    }
    let exercised = runs(totals.exercised_runs);
    if totals.violated_runs < totals.exercised_runs {
        let open = outcome.outcomes_of(totals.name).filter(|(_, run)| is_exercised(run) && is_open(run)).count() as u64;
        let why = match totals.violated_runs {
            0 => format!("not violated in any of {exercised} that exercised it"),
            some => format!("violated in {some} of {exercised} that exercised it, not in every one"),
        };
        let undecided = totals.violated_runs + open == totals.exercised_runs;
        let judgement = if undecided { Judgement::Inconclusive } else { Judgement::Missed }(why);
        return (judgement, None);
    }
    if let Some(cause) = cause
        && let Some(why) = wrong_cause(outcome, totals, cause)
    {
        return (Judgement::Missed(why), None);
    }
    if let Some(about) = about
        && let Some(judgement) = not_about(outcome, totals.name, about, cause)
    {
        return (judgement, None);
    }
    let others: Vec<String> = totals
        .causes
        .iter()
        .filter(|(seen, _)| cause.is_some_and(|named| named != *seen))
        .map(|(seen, count)| format!("{seen} ({count})"))
        .collect();
    let note = (!others.is_empty()).then(|| format!("other causes seen: {}", others.join(", ")));
    (Judgement::Met, note)
}

/// A run may not pass for the wrong reason: each violated run shows the cause, and no cause is more frequent.
fn wrong_cause(outcome: &VariantOutcome, totals: &Totals, cause: &str) -> Option<String> {
    let shows = |run: &InvariantOutcome| run.causes.iter().any(|(seen, count)| *seen == cause && *count > 0);
    let violated = outcome.outcomes_of(totals.name).filter(|(_, run)| is_violated(run));
    let without: Vec<u64> = violated.filter(|(_, run)| !shows(run)).map(|(seed, _)| seed).collect();
    if let Some(seed) = without.first() {
        let missing = runs(without.len() as u64);
        return Some(format!(
            "violated, but {missing} without the cause `{cause}`, first with seed {seed}{}",
            causes(totals)
        ));
    }
    let count = totals.causes.iter().find(|(seen, _)| *seen == cause).map_or(0, |(_, count)| *count);
    let (dominant, most) = totals.causes.first()?;
    (count < *most)
        .then(|| format!("violated, but mostly for another cause than `{cause}`: {dominant} ({most} to {count})"))
}

/// Every violated run must show a violation about this. Only the first of a run are kept, so not finding it among
/// them proves nothing where there are more.
fn not_about(outcome: &VariantOutcome, invariant: &str, about: &str, cause: Option<&str>) -> Option<Judgement> {
    for (seed, run) in outcome.outcomes_of(invariant).filter(|(_, run)| is_violated(run)) {
        let fits = |named: Option<&str>, seen: &str| named.is_none_or(|named| named == seen);
        if run.first.iter().any(|violation| violation.about == about && fits(cause, violation.cause)) {
            continue;
        }
        let kept = run.first.len() as u64;
        return Some(if run.violations > kept {
            Judgement::Inconclusive(format!("none of the first {kept} violations with seed {seed} is about `{about}`"))
        } else {
            Judgement::Missed(format!("no violation with seed {seed} is about `{about}`"))
        });
    }
    None
}

/// A rate with a bound: Clopper–Pearson over the runs in which the invariant was exercised. A run that stays open
/// counts as violated for the good news and as clean for the bad.
fn at_most(totals: &Totals, share: f64, confidence: f64, outcome: &VariantOutcome) -> (Judgement, Option<String>) {
    let n = totals.exercised_runs;
    if n == 0 {
        return (Judgement::Inconclusive("never exercised: this result is worth nothing".to_owned()), None);
    }
    let k = totals.violated_runs;
    let exercised = outcome.outcomes_of(totals.name).filter(|(_, run)| is_exercised(run));
    let open = exercised.filter(|(_, run)| is_open(run) && !is_violated(run)).count() as u64;
    let upper = binomial::upper_bound(k + open, n, confidence);
    let seen = format!("violated in {k} of {} that exercised it", runs(n));
    let with = format!("with {}% confidence", super::plain(confidence * 100.0));
    let percent = |rate: f64| format!("{}%", super::plain(rate * 100.0));
    if upper <= share {
        return (Judgement::Met, Some(format!("{seen}: {with} at most {} of runs", percent(upper))));
    }
    let lower = binomial::lower_bound(k, n, confidence);
    if lower > share {
        let seed = first_violated(outcome, totals.name);
        let why = format!("{seen}, first with seed {seed}: {with} at least {}", percent(lower));
        return (Judgement::Missed(why), None);
    }
    let more = match binomial::runs_to_show(k + open, n, share, confidence) {
        Some(enough) => format!("about {} more would decide", enough.saturating_sub(n).max(1)),
        None if share <= 0.0 => "no number of runs shows a rate of zero: expect `holds`".to_owned(),
        None => "more than the bound so far, but too few to tell".to_owned(),
    };
    (Judgement::Inconclusive(format!("{seen}: {with} up to {}; {more}", percent(upper))), None)
}

/// The run ended before the invariant could be told.
fn is_open(outcome: &InvariantOutcome) -> bool {
    match outcome.verdict {
        Verdict::Pending | Verdict::Undecided => true,
        Verdict::Holds | Verdict::Violated | Verdict::Vacuous => false,
    }
}

fn first_violated(outcome: &VariantOutcome, invariant: &str) -> u64 {
    let mut violated = outcome.outcomes_of(invariant).filter(|(_, run)| is_violated(run));
    violated.next().map(|(seed, _)| seed).expect("asked only where some run is violated")
}

fn causes(totals: &Totals) -> String {
    let told: Vec<String> = totals.causes.iter().take(3).map(|(cause, count)| format!("{cause} ({count})")).collect();
    if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) }
}

fn obligations(n: u64) -> String {
    counted(n, "obligation is due", "obligations are due")
}

fn counted(n: u64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}
