//! `result.json`: the outcome for other tools. Same inputs, same bytes: no wall clock, no path, no thread count.

use super::{number, sentence};
use crate::campaign::accepted;
use crate::campaign::outcome::{CampaignOutcome, Incomplete, VariantOutcome};
use crate::campaign::tally::metric::Quantile;
use crate::campaign::verdict::{self, Judgement};
use crate::run::summary::{RunSummary, Verdict};
use crate::scenario::plan::{ComesOut, Expected};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The version of this shape. It grows when a field changes its meaning or goes, not when one is added.
pub const SCHEMA_VERSION: u32 = 1;

/// The whole file.
#[derive(Debug, Serialize)]
pub struct ResultFile<'a> {
    pub schema_version: u32,
    /// The version of windtunnel that wrote it.
    pub windtunnel: &'static str,
    pub scenario: &'a str,
    /// Of the first variant; every variant's own stands under `variants`.
    pub scenario_hash: &'a str,
    pub params: BTreeMap<&'a str, &'a str>,
    /// `--set` as given, in order.
    pub set: Vec<String>,
    /// `pass`, `fail` or `inconclusive`.
    pub verdict: &'static str,
    /// True where somebody stopped the campaign: the rest is true and not everything.
    pub interrupted: bool,
    /// Why runs are missing; null where none is.
    pub incomplete: Option<String>,
    /// Half-open.
    pub seeds: (u64, u64),
    pub variants: Vec<VariantRow<'a>>,
    pub expectations: Vec<ExpectationRow<'a>>,
    /// The day by which accepted violations were judged; left out, as they are, where nothing is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub today: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<AcceptedRow<'a>>,
    pub invariants: Vec<InvariantRow<'a>>,
    pub metrics: Vec<MetricRow<'a>>,
    pub faults: Vec<FaultRow<'a>>,
    pub runs: Vec<RunRow<'a>>,
}

/// One variant: what decides its outcome besides the seed.
#[derive(Debug, Serialize)]
pub struct VariantRow<'a> {
    /// `base` without an overlay.
    pub variant: &'a str,
    pub scenario_hash: &'a str,
    pub params: BTreeMap<&'a str, &'a str>,
    /// Runs made. `runs` lists the first ten thousand of them, and runs.ndjson all.
    pub runs: u64,
}

/// One thing expected, and whether it was seen.
#[derive(Debug, Serialize)]
pub struct ExpectationRow<'a> {
    pub variant: &'a str,
    /// As the file writes it.
    pub expected: String,
    /// `met`, `missed`, `inconclusive` or `accepted`.
    pub judgement: &'static str,
    /// Why it was not met; null where it was.
    pub why: Option<String>,
    pub note: Option<String>,
}

/// One accepted violation, and how it stands.
#[derive(Debug, Serialize)]
pub struct AcceptedRow<'a> {
    pub invariant: &'static str,
    /// Null: whatever the cause.
    pub cause: Option<&'a str>,
    /// The last day on which it is accepted.
    pub until: String,
    pub owner: &'a str,
    pub ticket: &'a str,
    /// `accepted`; `expired`; `over`: nothing violates it any more, in any variant and seed of the scenario's test;
    /// `not seen`, where not all of them are here.
    pub standing: &'static str,
    pub violations: u64,
    /// The variants in which it occurs.
    pub variants: Vec<&'a str>,
}

impl<'a> AcceptedRow<'a> {
    fn of(entry: accepted::Entry<'a>) -> AcceptedRow<'a> {
        AcceptedRow {
            invariant: entry.accepted.invariant,
            cause: entry.accepted.cause.as_deref(),
            until: entry.accepted.until.to_string(),
            owner: &entry.accepted.owner,
            ticket: &entry.accepted.ticket,
            standing: entry.standing.name(),
            violations: entry.violations,
            variants: entry.seen_in,
        }
    }
}

/// One invariant over all runs of a variant.
#[derive(Debug, Serialize)]
pub struct InvariantRow<'a> {
    pub variant: &'a str,
    pub name: &'static str,
    /// `holds`, `violated`, `at most 5% of runs`; null where nothing is expected of it.
    pub expected: Option<String>,
    /// `holds`, `violated`, `pending`, `vacuous` or `undecided`.
    pub verdict: &'static str,
    pub runs: u64,
    pub exercised_runs: u64,
    pub violated_runs: u64,
    pub checked: u64,
    pub exercised: u64,
    /// Net of those that the run without the rollout has too, which are `in_baseline`.
    pub violations: u64,
    pub in_baseline: u64,
    /// Obligations still open at the end.
    pub pending: u64,
    /// The smallest distance to a violation, in the invariant's unit (seconds for deadlines).
    pub min_margin: Option<Number>,
    /// Counted violations by cause, most frequent first.
    pub causes: Vec<CauseRow>,
    /// What was seen and set apart by class, because another invariant judges it.
    pub apart: Vec<ApartRow>,
}

#[derive(Debug, Serialize)]
pub struct ApartRow {
    pub class: &'static str,
    pub seen: u64,
}

#[derive(Debug, Serialize)]
pub struct CauseRow {
    pub cause: &'static str,
    pub violations: u64,
}

/// One metric over the seeds in which it has a value.
#[derive(Debug, Serialize)]
pub struct MetricRow<'a> {
    pub variant: &'a str,
    pub name: Cow<'static, str>,
    /// `1`, `s`, `share` or `/s`.
    pub unit: &'static str,
    pub mean: Number,
    /// Student's t over seeds; null below two.
    pub ci95: Option<(Number, Number)>,
    /// Seeds with a value.
    pub n: u64,
    /// Over seeds: `p50`, `p90`, `p95`, `p99`; null where there are too few seeds to tell it.
    pub quantiles: BTreeMap<&'static str, Option<QuantileRow>>,
}

/// A quantile over seeds.
#[derive(Debug, Serialize)]
pub struct QuantileRow {
    pub value: Number,
    /// By order statistics.
    pub ci95: (Number, Number),
    /// Within 1% of the values: there were too many to keep them all.
    pub approximate: bool,
}

/// One entry of the timeline.
#[derive(Debug, Serialize)]
pub struct FaultRow<'a> {
    pub variant: &'a str,
    pub fault: String,
    pub fired_runs: u64,
    /// How often in all runs together.
    pub fired: u64,
}

/// One run.
#[derive(Debug, Serialize)]
pub struct RunRow<'a> {
    pub variant: &'a str,
    pub seed: u64,
    /// 32 hexadecimal digits.
    pub digest: &'a str,
    pub events: u64,
    pub draws: u64,
    /// An exact duration, as every duration here: `600s`, `31h`, `250ms`.
    pub end: String,
    /// Whether the limit of events ended it.
    pub cut_short: bool,
    pub verdicts: BTreeMap<&'static str, &'static str>,
    /// The most frequent cause of each violated invariant.
    pub causes: BTreeMap<&'static str, &'static str>,
    /// When each step was published, by its name; `feature/step` where two rollouts have a step of that name.
    pub steps: BTreeMap<String, String>,
    /// How the plan of each feature that is watched over ended; left out where none is.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub plans: BTreeMap<&'a str, &'a str>,
    pub metrics: BTreeMap<&'a str, Number>,
}

/// A number that is written without a fraction where it has none, and as null where it is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(pub f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if self.0.fract() == 0.0 && self.0.abs() < EXACT {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

/// The text of `result.json`.
pub fn render(outcome: &CampaignOutcome) -> String {
    let mut text = serde_json::to_string_pretty(&result(outcome)).expect("names and numbers always serialize");
    text.push('\n');
    text
}

/// The outcome in the shape of `result.json`, for whoever embeds it elsewhere.
pub fn result(outcome: &CampaignOutcome) -> ResultFile<'_> {
    let first = outcome.variants.first();
    ResultFile {
        schema_version: SCHEMA_VERSION,
        windtunnel: env!("CARGO_PKG_VERSION"),
        scenario: &outcome.scenario,
        scenario_hash: first.map_or("", |variant| &variant.plan.hash),
        params: first.map(params).unwrap_or_default(),
        set: outcome.invocation.set.iter().map(|(key, value)| format!("{key}={value}")).collect(),
        verdict: verdict::overall(outcome).name(),
        interrupted: outcome.incomplete == Some(Incomplete::Interrupted),
        incomplete: outcome.incomplete.as_ref().map(Incomplete::told),
        seeds: outcome.seeds,
        variants: outcome.variants.iter().map(variant_row).collect(),
        expectations: outcome.variants.iter().flat_map(|v| expectation_rows(v, outcome.invocation.strict)).collect(),
        today: outcome.invocation.today.map(|day| day.to_string()),
        accepted: accepted::standings(outcome).into_iter().map(AcceptedRow::of).collect(),
        invariants: outcome.variants.iter().flat_map(invariant_rows).collect(),
        metrics: outcome.variants.iter().flat_map(metric_rows).collect(),
        faults: outcome.variants.iter().flat_map(fault_rows).collect(),
        runs: outcome.variants.iter().flat_map(run_rows).collect(),
    }
}

fn params(variant: &VariantOutcome) -> BTreeMap<&str, &str> {
    variant.plan.params.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

fn variant_row(variant: &VariantOutcome) -> VariantRow<'_> {
    VariantRow {
        variant: &variant.plan.variant,
        scenario_hash: &variant.plan.hash,
        params: params(variant),
        runs: variant.made(),
    }
}

fn expectation_rows(variant: &VariantOutcome, strict: bool) -> Vec<ExpectationRow<'_>> {
    let row = |judged: verdict::Judged| {
        let (judgement, why) = match judged.judgement {
            Judgement::Met => ("met", None),
            Judgement::Missed(why) => ("missed", Some(why)),
            Judgement::Inconclusive(why) => ("inconclusive", Some(why)),
            Judgement::Accepted(why) => ("accepted", Some(why)),
        };
        ExpectationRow { variant: &variant.plan.variant, expected: judged.text, judgement, why, note: judged.note }
    };
    verdict::judge(variant, strict).into_iter().map(row).collect()
}

/// Named invariants that no run looked at are listed, too: silence would look like success.
fn invariant_rows(variant: &VariantOutcome) -> Vec<InvariantRow<'_>> {
    let mut names = variant.invariants();
    for (name, _) in expected_invariants(variant) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().map(|name| invariant_row(variant, name)).collect()
}

fn invariant_row<'a>(variant: &'a VariantOutcome, name: &'static str) -> InvariantRow<'a> {
    let totals = variant.totals(name);
    let expected = expected_invariants(variant).find(|(named, _)| *named == name);
    InvariantRow {
        variant: &variant.plan.variant,
        name,
        expected: expected.map(|(_, comes_out)| sentence::expected(comes_out)),
        verdict: totals.verdict.name(),
        runs: totals.runs,
        exercised_runs: totals.exercised_runs,
        violated_runs: totals.violated_runs,
        checked: totals.checked,
        exercised: totals.exercised,
        violations: totals.violations,
        in_baseline: totals.in_baseline,
        pending: totals.pending,
        min_margin: totals.min_margin.map(Number),
        causes: totals.causes.iter().map(|(cause, violations)| CauseRow { cause, violations: *violations }).collect(),
        apart: totals.apart.iter().map(|(class, seen)| ApartRow { class, seen: *seen }).collect(),
    }
}

fn expected_invariants(variant: &VariantOutcome) -> impl Iterator<Item = (&'static str, &ComesOut)> {
    variant.plan.expectations.iter().filter_map(|expectation| match &expectation.of {
        Expected::Invariant { name, comes_out } => Some((*name, comes_out)),
        Expected::Metric { .. } | Expected::Reached { .. } => None,
    })
}

fn metric_rows(variant: &VariantOutcome) -> Vec<MetricRow<'_>> {
    let row = |estimate: crate::campaign::outcome::Estimate| MetricRow {
        variant: &variant.plan.variant,
        name: estimate.name,
        unit: estimate.unit,
        mean: Number(estimate.mean),
        ci95: estimate.ci95.map(|(low, high)| (Number(low), Number(high))),
        n: estimate.seeds,
        quantiles: ["p50", "p90", "p95", "p99"].into_iter().zip(estimate.quantiles.map(quantile_row)).collect(),
    };
    variant.estimates().into_iter().map(row).collect()
}

fn quantile_row(quantile: Option<Quantile>) -> Option<QuantileRow> {
    quantile.map(|Quantile { value, interval: (low, high), approximate }| QuantileRow {
        value: Number(value),
        ci95: (Number(low), Number(high)),
        approximate,
    })
}

fn fault_rows<'a>(variant: &'a VariantOutcome) -> Vec<FaultRow<'a>> {
    let row = |entry: &'a crate::campaign::outcome::Happened| FaultRow {
        variant: &variant.plan.variant,
        fault: entry.label.clone(),
        fired_runs: entry.fired_runs,
        fired: entry.times,
    };
    variant.happened().iter().map(row).collect()
}

/// The rows of a variant's runs.
pub fn run_rows(variant: &VariantOutcome) -> Vec<RunRow<'_>> {
    variant.runs.iter().map(|run| run_row(variant, run)).collect()
}

fn run_row<'a>(variant: &'a VariantOutcome, run: &'a RunSummary) -> RunRow<'a> {
    let violated = run.invariants.iter().filter(|outcome| outcome.verdict == Verdict::Violated);
    RunRow {
        variant: &variant.plan.variant,
        seed: run.seed,
        digest: &run.digest,
        events: run.events,
        draws: run.draws,
        end: number::exact(run.end.since_start()),
        cut_short: run.cut_short,
        verdicts: run.invariants.iter().map(|outcome| (outcome.name, outcome.verdict.name())).collect(),
        causes: violated
            .filter_map(|outcome| outcome.causes.first().map(|(cause, _)| (outcome.name, *cause)))
            .collect(),
        steps: run
            .steps
            .iter()
            .map(|(label, at)| (step_key(variant, label), number::exact(at.since_start())))
            .collect(),
        plans: run.plans.iter().map(|(feature, end)| (feature.as_str(), end.as_str())).collect(),
        metrics: run.metrics.iter().map(|metric| (&*metric.name, Number(metric.value))).collect(),
    }
}

/// A step's name where only one rollout of the plan has a step of that name, else its whole label.
fn step_key(variant: &VariantOutcome, label: &str) -> String {
    let name = label.split_once('/').map_or(label, |(_, name)| name);
    let rollouts = &variant.plan.estate.rollouts;
    let owners = rollouts.iter().filter(|rollout| rollout.steps.iter().any(|step| step.name == name)).count();
    if owners > 1 { label.to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests;
