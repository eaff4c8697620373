//! Judging one invariant over all runs of a variant.

use super::gate::{CONFIDENCE, Gate};
use super::{Judgement, runs};
use crate::campaign::accepted;
use crate::campaign::tally::{InvariantTally, Tally, Totals};
use crate::scenario::plan::{ComesOut, Plan};
use crate::stats::binomial;
use crate::stats::evidence::Evidence;

/// How `invariant` came out, and what should be known of it although it was met.
pub fn judge(
    plan: &Plan,
    all: &Tally,
    gate: Option<&Gate>,
    invariant: &'static str,
    comes_out: &ComesOut,
) -> (Judgement, Option<String>) {
    let Some(tally) = all.invariant(invariant) else {
        return (Judgement::Inconclusive(format!("no run looked at {invariant}")), None);
    };
    match comes_out {
        ComesOut::Holds => holds(plan, tally, all.runs, gate),
        ComesOut::Violated { cause, about } => violated(tally, cause.as_deref(), about.as_deref(), gate),
        ComesOut::AtMost { share, confidence } => at_most(tally, share.fraction(), *confidence, gate),
    }
}

/// In every seed no violation, nothing pending or undecided; exercised in at least one.
fn holds(plan: &Plan, tally: &InvariantTally, made: u64, gate: Option<&Gate>) -> (Judgement, Option<String>) {
    let totals = &tally.totals;
    let open = open_of(totals, made);
    let judgement = if totals.violated_runs > 0 {
        let seed = first_violated(tally);
        let causes = causes(totals);
        let of = totals.runs;
        let why = format!("violated in {} of {}, first with seed {seed}{causes}", totals.violated_runs, runs(of));
        match (accepted::judged(plan, totals, why), open) {
            // What is accepted says nothing of the runs that are open.
            (Judgement::Accepted(_), Some(open)) => open,
            // A cause that is not accepted may still come.
            (Judgement::Accepted(why), None) => {
                let shown = gate.and_then(|gate| within_budget(&tally.unaccepted, gate, "with what is not accepted"));
                shown.map_or(Judgement::Accepted(why), Judgement::Inconclusive)
            }
            (judgement, _) => judgement,
        }
    } else if let Some(open) = open {
        open
    } else if totals.exercised_runs == 0 {
        Judgement::Inconclusive("never exercised: this result is worth nothing".to_owned())
    } else if let Some(why) = gate.and_then(|gate| within_budget(&tally.evidence.few, gate, "violated")) {
        Judgement::Inconclusive(why)
    } else {
        Judgement::Met
    };
    let excused = (totals.in_baseline > 0).then(|| {
        format!("{} that the run without the rollout has too", counted(totals.in_baseline, "violation", "violations"))
    });
    (judgement, excused)
}

/// What keeps runs without a violation from saying that it holds: nobody looked, or a run ended too early.
fn open_of(totals: &Totals, made: u64) -> Option<Judgement> {
    let why = if totals.runs < made {
        let without = made - totals.runs;
        format!("{} did not look at it", runs(without))
    } else if totals.undecided_runs > 0 {
        format!("undecided in {}: a limit was hit first", runs(totals.undecided_runs))
    } else if totals.pending_runs > 0 {
        let open = format!("{} past the end of the run", obligations(totals.pending));
        format!("pending in {}: {open}", runs(totals.pending_runs))
    } else {
        return None;
    };
    Some(Judgement::Inconclusive(why))
}

/// In every exercised seed, at least one; for the named cause before all others, and about what is named.
fn violated(
    tally: &InvariantTally,
    cause: Option<&str>,
    about: Option<&str>,
    gate: Option<&Gate>,
) -> (Judgement, Option<String>) {
    let totals = &tally.totals;
    if totals.exercised_runs == 0 {
        return (Judgement::Inconclusive("never exercised: this result is worth nothing".to_owned()), None);
    }
    let exercised = runs(totals.exercised_runs);
    if totals.violated_runs < totals.exercised_runs {
        let why = match totals.violated_runs {
            0 => format!("not violated in any of {exercised} that exercised it"),
            some => format!("violated in {some} of {exercised} that exercised it, not in every one"),
        };
        let undecided = totals.violated_runs + tally.exercised_open == totals.exercised_runs;
        let judgement = if undecided { Judgement::Inconclusive } else { Judgement::Missed }(why);
        return (judgement, None);
    }
    if let Some(cause) = cause
        && let Some(why) = wrong_cause(tally, cause)
    {
        return (Judgement::Missed(why), None);
    }
    if let Some(about) = about
        && let Some(judgement) = not_about(tally, about)
    {
        return (judgement, None);
    }
    if let Some(why) = gate.and_then(|gate| within_budget(&tally.evidence.clean, gate, "clean")) {
        return (Judgement::Inconclusive(why), None);
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
fn wrong_cause(tally: &InvariantTally, cause: &str) -> Option<String> {
    let totals = &tally.totals;
    if let Some((missing, seed)) = tally.without(cause) {
        return Some(format!(
            "violated, but {} without the cause `{cause}`, first with seed {seed}{}",
            runs(missing),
            causes(totals)
        ));
    }
    let count = totals.causes.iter().find(|(seen, _)| *seen == cause).map_or(0, |(_, count)| *count);
    let (dominant, most) = totals.causes.first()?;
    (count < *most)
        .then(|| format!("violated, but mostly for another cause than `{cause}`: {dominant} ({most} to {count})"))
}

/// The first violated run that shows no violation about what is named, if any.
fn not_about(tally: &InvariantTally, about: &str) -> Option<Judgement> {
    let astray = tally.astray?;
    let (seed, kept) = (astray.seed, astray.kept);
    Some(if astray.more {
        Judgement::Inconclusive(format!("none of the first {kept} violations with seed {seed} is about `{about}`"))
    } else {
        Judgement::Missed(format!("no violation with seed {seed} is about `{about}`"))
    })
}

/// A rate with a bound: Clopper–Pearson over the runs in which the invariant was exercised. A run that stays open
/// counts as violated for the good news and as clean for the bad.
fn at_most(tally: &InvariantTally, share: f64, confidence: f64, gate: Option<&Gate>) -> (Judgement, Option<String>) {
    if let Some(gate) = gate.filter(|_| tally.totals.exercised_runs > 0) {
        return gated(tally, share, confidence, gate);
    }
    let totals = &tally.totals;
    let n = totals.exercised_runs;
    if n == 0 {
        return (Judgement::Inconclusive("never exercised: this result is worth nothing".to_owned()), None);
    }
    let k = totals.violated_runs;
    let open = tally.clean_open;
    let upper = binomial::upper_bound(k + open, n, confidence);
    let seen = format!("violated in {k} of {} that exercised it", runs(n));
    let with = format!("with {}% confidence", super::plain(confidence * 100.0));
    let percent = |rate: f64| format!("{}%", super::plain(rate * 100.0));
    if upper <= share {
        return (Judgement::Met, Some(format!("{seen}: {with} at most {} of runs", percent(upper))));
    }
    let lower = binomial::lower_bound(k, n, confidence);
    if lower > share {
        let seed = first_violated(tally);
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

/// The same by evidence that may be looked at after every run, of which each rate gets its part of the error.
fn gated(tally: &InvariantTally, share: f64, confidence: f64, gate: &Gate) -> (Judgement, Option<String>) {
    let totals = &tally.totals;
    let error = gate.error(confidence);
    let (_, upper) = tally.evidence.few.interval(error);
    let (lower, _) = tally.evidence.many.interval(error);
    let percent = |rate: f64| format!("{}%", super::plain(rate * 100.0));
    let seen = format!("violated in {} of {} that exercised it", totals.violated_runs, runs(totals.exercised_runs));
    let with = format!("with {}% confidence", super::plain(confidence * 100.0));
    if upper <= share {
        return (Judgement::Met, Some(format!("{seen}: {with} at most {} of runs", percent(upper))));
    }
    if lower > share {
        let seed = first_violated(tally);
        return (
            Judgement::Missed(format!("{seen}, first with seed {seed}: {with} at least {}", percent(lower))),
            None,
        );
    }
    let interval = format!("{with} {} to {} of runs", percent(lower), percent(upper));
    let budget = percent(share);
    (Judgement::Inconclusive(format!("{seen}: {interval}, which straddles the budget of {budget}")), None)
}

/// Why it is not shown yet that fewer than the budget of runs are of this kind; `None` where it is.
fn within_budget(evidence: &Evidence, gate: &Gate, kind: &str) -> Option<String> {
    let bound = -libm::log(gate.error(CONFIDENCE));
    let rate = evidence.failures() as f64 / evidence.runs().max(1) as f64;
    if rate < gate.budget && evidence.against(gate.budget) >= bound {
        return None;
    }
    let (_, upper) = evidence.interval(gate.error(CONFIDENCE));
    let (upper, budget) = (super::plain(upper * 100.0), super::plain(gate.budget * 100.0));
    let of = runs(evidence.runs());
    Some(format!("{} {kind} of {of}: up to {upper}% of runs may be, and the budget is {budget}%", evidence.failures()))
}

fn first_violated(tally: &InvariantTally) -> u64 {
    tally.first_violated.expect("asked only where some run is violated")
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
