//! Variants side by side: the same seeds for all, paired differences, what is feasible, and what nothing else beats.
//!
//! Only the primary metric decides; its p-values are corrected for the number of variants (Holm). Everything else
//! describes. First comes feasibility: an invariant that the file names may not be violated in any run.

use super::outcome::{VariantOutcome, is_violated};
use super::tally::Tally;
use crate::kernel::StreamKey;
use crate::models::metric;
use crate::run::summary::RunSummary;
use crate::scenario::plan::{Expected, Plan};
use crate::stats::paired::Paired;
use crate::stats::{binomial, discordant, holm};

/// The primary metric unless another is named: harm done, the first of the metrics for comparing strategies.
pub const PRIMARY: &str = "harm.count";
/// What the front is made of, each the less the better.
pub const FRONT: [&str; 3] = [PRIMARY, "time_to_full", "time_to_kill"];

/// How variants compare over the same seeds.
#[derive(Clone, Debug)]
pub struct Comparison {
    pub scenario: String,
    /// Half-open.
    pub seeds: (u64, u64),
    /// Seeds that every variant has finished.
    pub compared: u64,
    pub interrupted: bool,
    pub baseline: String,
    pub primary: String,
    /// In the order in which they were asked for, the baseline among them.
    pub variants: Vec<Judged>,
    /// Every variant but the baseline, in the same order.
    pub against: Vec<Against>,
}

/// One variant by itself.
#[derive(Clone, Debug)]
pub struct Judged {
    pub variant: String,
    /// The invariants that some variant's `expect` names.
    pub invariants: Vec<Rate>,
    /// None of them is violated in any run.
    pub feasible: bool,
    /// The means of [`FRONT`]; `None`: it has no value in any run.
    pub front: [Option<f64>; 3],
    /// No feasible variant is at least as good in everything and better in something.
    pub on_front: bool,
}

/// How often an invariant is violated in a variant.
#[derive(Clone, Debug)]
pub struct Rate {
    pub invariant: &'static str,
    pub violated: u64,
    pub exercised: u64,
    /// With 95% confidence at most this share of runs that exercise it; `None` without one.
    pub at_most: Option<f64>,
}

/// One variant against the baseline.
#[derive(Clone, Debug)]
pub struct Against {
    pub variant: String,
    /// Metrics that differ in some seed, in the order of the catalogue, the primary one first.
    pub metrics: Vec<Measured>,
    /// The p-value of the primary metric, corrected for the number of variants; `None` where it has no value.
    pub p_value: Option<f64>,
    pub invariants: Vec<Discordant>,
}

/// A metric of two variants.
#[derive(Clone, Debug)]
pub struct Measured {
    pub name: String,
    pub unit: &'static str,
    pub paired: Paired,
}

/// The seeds in which one of two variants violates an invariant.
#[derive(Clone, Debug)]
pub struct Discordant {
    pub invariant: &'static str,
    pub only_baseline: u64,
    pub only_variant: u64,
    pub both: u64,
    /// The 95% interval of the difference of shares, variant minus baseline.
    pub difference: (f64, f64),
    /// McNemar's exact p-value.
    pub p_value: f64,
}

/// Compares finished variants; the first is the baseline. Only seeds that all of them have are looked at, so that every
/// run has its like.
pub fn compare(mut outcomes: Vec<VariantOutcome>, seeds: (u64, u64), interrupted: bool, primary: &str) -> Comparison {
    let common = common_seeds(&outcomes);
    for outcome in outcomes.iter_mut().filter(|outcome| outcome.runs.len() > common.len()) {
        outcome.runs.retain(|run| common.binary_search(&run.seed).is_ok());
        outcome.tally = Tally::of(&outcome.plan, &outcome.runs);
    }
    let named = invariants_named(outcomes.iter().map(|outcome| &outcome.plan));
    let mut variants: Vec<Judged> = outcomes.iter().map(|outcome| judged(outcome, &named)).collect();
    let fronts: Vec<(bool, [Option<f64>; 3])> = variants.iter().map(|one| (one.feasible, one.front)).collect();
    for one in &mut variants {
        let beaten = fronts.iter().any(|(feasible, other)| *feasible && dominates(other, &one.front));
        one.on_front = one.feasible && !beaten;
    }
    let baseline = &outcomes[0];
    let mut against: Vec<Against> =
        outcomes[1..].iter().map(|outcome| against(baseline, outcome, &named, primary)).collect();
    let p_values: Vec<f64> = against.iter().map(|one| one.p_value.unwrap_or(1.0)).collect();
    for (one, p_value) in against.iter_mut().zip(holm::adjusted(&p_values)) {
        one.p_value = one.p_value.map(|_| p_value);
    }
    Comparison {
        scenario: baseline.plan.scenario.clone(),
        seeds: common.first().zip(common.last()).map_or(seeds, |(first, last)| (*first, last + 1)),
        compared: common.len() as u64,
        interrupted,
        baseline: baseline.plan.variant.clone(),
        primary: primary.to_owned(),
        variants,
        against,
    }
}

/// The seeds that every variant has, in their order.
fn common_seeds(outcomes: &[VariantOutcome]) -> Vec<u64> {
    let mut common: Vec<u64> =
        outcomes.first().map_or(Vec::new(), |first| first.runs.iter().map(|run| run.seed).collect());
    for outcome in &outcomes[1.min(outcomes.len())..] {
        // Both are in seed order.
        let has = |seed: &u64| outcome.runs.binary_search_by_key(seed, |run| run.seed).is_ok();
        common.retain(has);
    }
    common
}

/// What any variant's file says of invariants, in the order in which it is said.
pub fn invariants_named<'a>(plans: impl IntoIterator<Item = &'a Plan>) -> Vec<&'static str> {
    let mut named = Vec::new();
    for expectation in plans.into_iter().flat_map(|plan| &plan.expectations) {
        if let Expected::Invariant { name, .. } = expectation.of
            && !named.contains(&name)
        {
            named.push(name);
        }
    }
    named
}

fn judged(outcome: &VariantOutcome, named: &[&'static str]) -> Judged {
    let rate = |invariant: &&'static str| {
        let totals = outcome.totals(invariant);
        let (violated, exercised) = (totals.violated_runs, totals.exercised_runs);
        let at_most = (exercised > 0).then(|| binomial::upper_bound(violated, exercised, 0.95));
        Rate { invariant, violated, exercised, at_most }
    };
    let invariants: Vec<Rate> = named.iter().map(rate).collect();
    Judged {
        variant: outcome.plan.variant.clone(),
        feasible: invariants.iter().all(|rate| rate.violated == 0),
        invariants,
        front: FRONT.map(|metric| outcome.estimate(metric).map(|estimate| estimate.mean)),
        on_front: false,
    }
}

/// At least as good in everything that either has, and better in something; what has no value never came to its end.
fn dominates(one: &[Option<f64>; 3], other: &[Option<f64>; 3]) -> bool {
    let pairs = || one.iter().zip(other).map(|(a, b)| (a.unwrap_or(f64::INFINITY), b.unwrap_or(f64::INFINITY)));
    pairs().all(|(a, b)| a <= b) && pairs().any(|(a, b)| a < b)
}

fn against(baseline: &VariantOutcome, outcome: &VariantOutcome, named: &[&'static str], primary: &str) -> Against {
    let mut names: Vec<String> = baseline.estimates().iter().map(|estimate| estimate.name.to_string()).collect();
    names.sort_by_key(|name| name != primary);
    let mut metrics = Vec::new();
    let mut p_value = None;
    for name in names {
        let pairs = baseline.runs.iter().zip(&outcome.runs);
        let pairs: Vec<(f64, f64)> = pairs.filter_map(|(a, b)| a.metric(&name).zip(b.metric(&name))).collect();
        // Equal metrics of equal seeds give equal resamples.
        let key = StreamKey::of_seed(0).child("compare").child(&outcome.plan.variant).child(&name);
        let Some(paired) = Paired::of(&pairs, key) else { continue };
        if name == primary {
            p_value = Some(paired.flip_p);
        }
        if paired.lower + paired.higher > 0 || name == primary {
            let unit = outcome.estimate(&name).map_or("1", |estimate| estimate.unit);
            metrics.push(Measured { name, unit, paired });
        }
    }
    let invariants = named.iter().map(|invariant| discordant_runs(baseline, outcome, invariant)).collect();
    Against { variant: outcome.plan.variant.clone(), metrics, p_value, invariants }
}

fn discordant_runs(baseline: &VariantOutcome, outcome: &VariantOutcome, invariant: &'static str) -> Discordant {
    let violated = |outcome: &VariantOutcome| -> Vec<bool> {
        let of = |run: &RunSummary| run.invariants.iter().any(|one| one.name == invariant && is_violated(one));
        outcome.runs.iter().map(of).collect()
    };
    let (ours, theirs) = (violated(baseline), violated(outcome));
    let count = |a: bool, b: bool| ours.iter().zip(&theirs).filter(|pair| *pair == (&a, &b)).count() as u64;
    let (only_baseline, only_variant) = (count(true, false), count(false, true));
    Discordant {
        invariant,
        only_baseline,
        only_variant,
        both: count(true, true),
        difference: discordant::difference(only_baseline, only_variant, ours.len() as u64),
        p_value: discordant::sign_test(only_baseline, only_variant),
    }
}

/// Whether a metric exists: one of the catalogue, or of the file's own.
pub fn knows_metric(plan: &Plan, name: &str) -> bool {
    metric::named(name).is_some() || plan.estate.own_metrics.iter().any(|own| own.name == name)
}
