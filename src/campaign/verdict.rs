//! Judging what a scenario expects against what its runs showed (rules.md 1 and 2, cli.md's exit codes).
//!
//! Nothing vacuous is ever green: what was named and never happened is inconclusive, whatever else was seen.

pub mod gate;
mod invariant;
#[cfg(test)]
mod tests;

use super::accepted;
use super::outcome::{CampaignOutcome, VariantOutcome};
use super::tally::Tally;
use crate::scenario::plan::{ComesOut, Expected, Plan};

pub use crate::stats::binomial::{lower_bound, upper_bound};

/// Whether something came out as expected; why not, in one clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    Met,
    Missed(String),
    Inconclusive(String),
    /// Missed, and the file accepts what it was missed by, today.
    Accepted(String),
}

/// What is judged in one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// The file, or the default for files without `expect`, says so.
    Expectation(Expected),
    /// A built-in invariant that only `--strict` lets decide: it must hold.
    Strict(&'static str),
    /// An entry of the timeline, by its label, which must take place in some run.
    Timeline(String),
    /// The variant as a whole, where nothing in it could be judged.
    Variant,
}

/// One row of the verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What was expected, in one line.
    pub text: String,
    pub of: Subject,
    pub judgement: Judgement,
    /// What a reader should know although it was met: other causes seen, a bound on the rate.
    pub note: Option<String>,
}

impl Judged {
    /// The invariant it is about, where it is about one.
    pub fn invariant(&self) -> Option<&'static str> {
        match &self.of {
            Subject::Expectation(Expected::Invariant { name, .. }) | Subject::Strict(name) => Some(name),
            Subject::Expectation(Expected::Metric { .. } | Expected::Reached { .. })
            | Subject::Timeline(_)
            | Subject::Variant => None,
        }
    }
}

/// What a whole campaign comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overall {
    Pass,
    Fail,
    Inconclusive,
}

impl Overall {
    /// As `result.json` says it.
    pub fn name(self) -> &'static str {
        match self {
            Overall::Pass => "pass",
            Overall::Fail => "fail",
            Overall::Inconclusive => "inconclusive",
        }
    }

    pub fn exit_code(self) -> u8 {
        match self {
            Overall::Pass => 0,
            Overall::Fail => 1,
            Overall::Inconclusive => 3,
        }
    }

    /// A miss outweighs what could not be told, and both outweigh what was met.
    pub fn of<'a>(judgements: impl IntoIterator<Item = &'a Judgement>) -> Overall {
        let mut overall = Overall::Pass;
        for judgement in judgements {
            match judgement {
                Judgement::Met | Judgement::Accepted(_) => {}
                Judgement::Missed(_) => return Overall::Fail,
                Judgement::Inconclusive(_) => overall = Overall::Inconclusive,
            }
        }
        overall
    }
}

/// Judges a variant: the expectations in the plan's order, under `strict` the invariants they do not name, then every
/// entry of the timeline that never took place. Never empty.
pub fn judge(outcome: &VariantOutcome, strict: bool) -> Vec<Judged> {
    if outcome.made() == 0 {
        let judgement = Judgement::Inconclusive("no run was made".to_owned());
        return vec![Judged { text: "runs".to_owned(), of: Subject::Variant, judgement, note: None }];
    }
    let mut rows = expected_rows(outcome);
    if strict {
        rows.extend(strict_rows(outcome));
    }
    if rows.is_empty() {
        let why = "nothing is expected, so nothing is shown: name invariants under `expect`";
        let judgement = Judgement::Inconclusive(why.to_owned());
        rows.push(Judged { text: "expectations".to_owned(), of: Subject::Variant, judgement, note: None });
    }
    rows.extend(timeline_rows(&outcome.tally));
    rows
}

/// The verdict of a campaign. An incomplete one can fail, but not pass.
pub fn overall(outcome: &CampaignOutcome) -> Overall {
    let strict = outcome.invocation.strict;
    let rows: Vec<Judged> = outcome.variants.iter().flat_map(|variant| judge(variant, strict)).collect();
    let mut overall = Overall::of(rows.iter().map(|row| &row.judgement));
    if accepted::standings(outcome).iter().any(|one| one.standing == accepted::Standing::Over) {
        overall = Overall::Fail;
    }
    let partial = outcome.incomplete.is_some() || outcome.variants.is_empty();
    if partial && overall == Overall::Pass { Overall::Inconclusive } else { overall }
}

/// The exit code as far as verdicts decide it: 1 before 3 before 0. An interruption (130, 143) goes before all of
/// them and is the command line's to tell.
pub fn exit_code(outcome: &CampaignOutcome) -> u8 {
    overall(outcome).exit_code()
}

fn expected_rows(outcome: &VariantOutcome) -> Vec<Judged> {
    let mut reached = 0;
    let judged = outcome.plan.expectations.iter().map(|expectation| {
        let (judgement, note) = match &expectation.of {
            Expected::Invariant { name, comes_out } => {
                invariant::judge(&outcome.plan, &outcome.tally, outcome.gate.as_ref(), name, comes_out)
            }
            Expected::Metric { name, at_least, at_most } => metric_row(outcome, name, *at_least, *at_most),
            Expected::Reached { .. } => {
                reached += 1;
                (reached_row(&outcome.tally, reached - 1), None)
            }
        };
        Judged { text: expectation.text.clone(), of: Subject::Expectation(expectation.of.clone()), judgement, note }
    });
    judged.collect()
}

/// Those of the invariants that no expectation of the plan names and whose guarded situation it can reach.
fn strict_names<'a>(
    plan: &'a Plan,
    invariants: impl Iterator<Item = &'static str> + 'a,
) -> impl Iterator<Item = &'static str> + 'a {
    let named = |invariant: &str| {
        plan.expectations.iter().any(|expectation| match &expectation.of {
            Expected::Invariant { name, .. } => *name == invariant,
            Expected::Metric { .. } | Expected::Reached { .. } => false,
        })
    };
    let reachable = |name: &str| {
        crate::invariants::named(name).is_none_or(|entry| (entry.reachable)(&plan.estate, &plan.settings_of(name)))
    };
    invariants.filter(move |name| !named(name) && reachable(name))
}

/// The built-in invariants that no expectation names and whose guarded situation the plan can reach.
fn strict_rows(outcome: &VariantOutcome) -> Vec<Judged> {
    let unnamed = strict_names(&outcome.plan, outcome.invariants().into_iter());
    let judged = unnamed.map(|name| {
        let (judgement, note) =
            invariant::judge(&outcome.plan, &outcome.tally, outcome.gate.as_ref(), name, &ComesOut::Holds);
        Judged { text: format!("{name}: holds (strict)"), of: Subject::Strict(name), judgement, note }
    });
    judged.collect()
}

fn timeline_rows(tally: &Tally) -> Vec<Judged> {
    let never = tally.happened.iter().filter(|entry| entry.fired_runs == 0);
    let judged = never.map(|entry| {
        let why = format!("`{}` never took place in {}", entry.label, runs(tally.runs));
        Judged {
            text: format!("timeline: {}", entry.label),
            of: Subject::Timeline(entry.label.clone()),
            judgement: Judgement::Inconclusive(why),
            note: None,
        }
    });
    judged.collect()
}

/// A metric's bounds are judged on its mean over seeds, over whole runs only.
fn metric_row(
    outcome: &VariantOutcome,
    metric: &str,
    at_least: Option<f64>,
    at_most: Option<f64>,
) -> (Judgement, Option<String>) {
    let Some(estimate) = outcome.estimate(metric) else {
        return (Judgement::Inconclusive(no_value(outcome, metric)), None);
    };
    let cut_short = outcome.tally.cut_short;
    if cut_short > 0 {
        let why = format!("{} hit the limit of events, so the mean is not that of whole runs", runs(cut_short));
        return (Judgement::Inconclusive(why), None);
    }
    let mean = estimate.mean;
    if !mean.is_finite() {
        return (Judgement::Inconclusive(format!("the mean of {metric} is not a number")), None);
    }
    let told = |bound: f64| quantity(bound, estimate.unit);
    let mut note = format!("the mean is {}", told(mean));
    let straddled = |bound: &f64| estimate.ci95.is_some_and(|(low, high)| low < *bound && *bound < high);
    if let (Some((low, high)), true) = (estimate.ci95, at_least.iter().chain(&at_most).any(straddled)) {
        note.push_str(&format!(", but its 95% interval, {} to {}, straddles the bound", told(low), told(high)));
    }
    let missing = outcome.made() - estimate.seeds;
    if missing > 0 {
        note.push_str(&format!("; {} without a value", runs(missing)));
    }
    let judgement = match (at_least, at_most) {
        (Some(bound), _) if mean < bound => Judgement::Missed(format!("{note}, below {}", told(bound))),
        (_, Some(bound)) if mean > bound => Judgement::Missed(format!("{note}, above {}", told(bound))),
        _ => Judgement::Met,
    };
    let met = judgement == Judgement::Met;
    (judgement, met.then_some(note))
}

/// Why a metric has no value.
fn no_value(outcome: &VariantOutcome, metric: &str) -> String {
    let estate = &outcome.plan.estate;
    let own = estate.own_metrics.iter().find(|own| own.name == metric);
    let step = own.and_then(|own| own.since).map(|(rollout, step)| estate.step_label(rollout, step));
    let reached = |label: &String| outcome.tally.published.iter().any(|step| step.label == *label);
    match step.filter(|label| !reached(label)) {
        Some(label) => format!("the step {label} was published in no run"),
        None => format!("{metric} has no value in any run"),
    }
}

fn reached_row(tally: &Tally, index: usize) -> Judgement {
    if tally.reached.get(index).is_some_and(|times| *times > 0) {
        return Judgement::Met;
    }
    Judgement::Inconclusive(format!("never reached in {}", runs(tally.runs)))
}

/// `1 run`, `20 runs`.
fn runs(n: u64) -> String {
    if n == 1 { "1 run".to_owned() } else { format!("{n} runs") }
}

/// A metric's value in its unit, for a sentence.
fn quantity(value: f64, unit: &str) -> String {
    match unit {
        "share" => format!("{}%", plain(value * 100.0)),
        "1" => plain(value),
        other => format!("{} {other}", plain(value)),
    }
}

/// At least three significant digits, without trailing zeros.
fn plain(value: f64) -> String {
    let size = value.abs();
    let decimals = match size {
        _ if size >= 100.0 => 1,
        _ if size >= 1.0 => 2,
        _ if size >= 0.01 => 4,
        _ => 6,
    };
    let text = format!("{value:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
