//! Response curves: metrics and rates of violation over the values of one parameter or two, the same seeds at every
//! point, with bands over seeds, the closed form where one holds, and where the curve bends.

pub mod axis;
pub mod laws;
mod unit;

use super::grid::{Together, over_seeds};
use super::outcome::{VariantOutcome, is_exercised, is_violated};
use crate::kernel::StreamKey;
use crate::run::summary::RunSummary;
use crate::scenario::plan::{Expected, Plan};
use crate::stats::knee::{self, Bend};
use crate::stats::{binomial, holm, student};
pub use axis::{Axis, Scale, Value};
pub use laws::{ClosedForm, Subject};
use std::borrow::Cow;
use std::ops::Range;

/// Below this a law is said to disagree with what was measured, after Holm over its points: it is a strong word.
const DISAGREES_BELOW: f64 = 0.001;
/// With fewer seeds a mean of a skewed metric strays further than its p-value says: with 40 the modified t is within a
/// third of its level at 0.001 for exponential values and for the greatest of N uniform ones (simulated), with 20 not.
const FEWEST_TO_DISAGREE: u64 = 40;

/// What is asked for: the plans of all points, the first axis changing slowest.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub axes: &'a [Axis],
    pub plans: &'a [Plan],
    /// Metrics whose curves are wanted; the invariants that `expect` names come besides.
    pub metrics: &'a [String],
    /// Plans at further values of a single axis, with these, for theory alone.
    pub between: &'a [(f64, Plan)],
    /// The closed forms that are tried: [`laws::ALL`].
    pub laws: &'a [&'static ClosedForm],
}

/// Response curves over the points that were finished.
#[derive(Clone, Debug)]
pub struct Sweep {
    pub scenario: String,
    pub variant: String,
    /// Half-open; the same at every point.
    pub seeds: (u64, u64),
    pub interrupted: bool,
    pub axes: Vec<Axis>,
    /// How many points were asked for.
    pub asked: usize,
    /// The finished ones, in order.
    pub points: Vec<Point>,
    /// One for each metric, then one for each invariant.
    pub curves: Vec<Curve>,
    /// Metrics without a curve here for which a closed form holds at some point.
    pub further: Vec<&'static str>,
}

/// A point of the sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// Position of its value on each axis.
    pub values: Vec<usize>,
    /// Of its plan.
    pub hash: String,
    /// Runs that hit their limit of events.
    pub cut_short: u64,
}

/// One metric or rate over the points.
#[derive(Clone, Debug)]
pub struct Curve {
    pub of: Subject,
    pub unit: &'static str,
    pub formula: Cow<'static, str>,
    /// One for each finished point; `None` where it has no value in any run.
    pub readings: Vec<Option<Reading>>,
    /// Theory between the points: places on the axis and values.
    pub between: Vec<(f64, f64)>,
    /// How it bends; `None` where its values have no distances, there are two axes, or points are missing.
    pub bend: Option<Bend>,
}

/// What was measured at a point.
#[derive(Clone, Debug)]
pub struct Reading {
    pub mean: f64,
    /// Student's t of a mean, Clopper and Pearson's of a rate; `None` with one seed.
    pub ci95: Option<(f64, f64)>,
    /// Seeds with a value; of a rate, runs that exercise the invariant.
    pub seeds: u64,
    /// Of a rate: violated runs, and all of them.
    pub violated: Option<(u64, u64)>,
    pub theory: Option<Theory>,
}

/// What a closed form says of a point.
#[derive(Clone, Copy, Debug)]
pub struct Theory {
    pub law: &'static ClosedForm,
    pub value: f64,
    /// Of what was measured, if the law is right.
    pub p_value: f64,
}

/// How what was measured agrees with theory.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    pub law: &'static str,
    /// Points at which it holds and something was measured.
    pub points: u64,
    /// Of these, with theory inside the 95% band.
    pub within: u64,
    /// The point at which they disagree the most, where they do beyond chance, with its p-value after Holm.
    pub disagrees: Option<(usize, f64)>,
}

/// What is kept of a finished point.
struct Finished {
    point: Point,
    readings: Vec<Option<Reading>>,
    /// Per curve: its value in each run.
    values: Vec<Vec<Option<f64>>>,
}

/// Runs every point over the seeds.
///
/// # Panics
/// Without a point, or where plans and axes do not fit together.
pub fn sweep(asked: &Asked<'_>, seeds: Range<u64>, together: Together<'_>) -> Sweep {
    let points: usize = asked.axes.iter().map(|axis| axis.values.len()).product();
    assert!(points == asked.plans.len() && points > 0, "there is a plan for each point");
    let subjects = subjects(asked);
    let conclude = |at: usize, runs: Vec<RunSummary>| finished(asked, &subjects, at, runs);
    let results = over_seeds(asked.plans, seeds.clone(), together, &conclude);
    let done: Vec<Finished> = results.into_iter().flatten().collect();
    let curves = subjects.iter().enumerate().map(|(nth, of)| curve(asked, of, nth, &done, points)).collect();
    let plan = &asked.plans[0];
    Sweep {
        scenario: plan.scenario.clone(),
        variant: plan.variant.clone(),
        seeds: (seeds.start, seeds.end),
        interrupted: done.len() < points,
        axes: asked.axes.to_vec(),
        asked: points,
        curves,
        further: further(asked, &subjects),
        points: done.into_iter().map(|finished| finished.point).collect(),
    }
}

/// The metrics that were asked for, and the invariants that any point's `expect` names.
fn subjects(asked: &Asked<'_>) -> Vec<Subject> {
    let mut subjects: Vec<Subject> = asked.metrics.iter().map(|name| Subject::Metric(name.clone())).collect();
    for expectation in asked.plans.iter().flat_map(|plan| &plan.expectations) {
        if let Expected::Invariant { name, .. } = expectation.of
            && !subjects.contains(&Subject::Violated(name))
        {
            subjects.push(Subject::Violated(name));
        }
    }
    subjects
}

/// What else theory says something about.
fn further(asked: &Asked<'_>, subjects: &[Subject]) -> Vec<&'static str> {
    let mut found = Vec::new();
    for law in asked.laws {
        let drawn = subjects.iter().any(|subject| subject.name() == law.of);
        let is_metric = crate::models::metric::named(law.of).is_some();
        if is_metric && !drawn && !found.contains(&law.of) && asked.plans.iter().any(|plan| (law.value)(plan).is_some())
        {
            found.push(law.of);
        }
    }
    found
}

fn finished(asked: &Asked<'_>, subjects: &[Subject], at: usize, runs: Vec<RunSummary>) -> Finished {
    let plan = &asked.plans[at];
    let mut rest = at;
    let mut values: Vec<usize> = asked
        .axes
        .iter()
        .rev()
        .map(|axis| {
            let value = rest % axis.values.len();
            rest /= axis.values.len();
            value
        })
        .collect();
    values.reverse();
    let cut_short = runs.iter().filter(|run| run.cut_short).count() as u64;
    let outcome = VariantOutcome::of(plan.clone(), runs);
    Finished {
        point: Point { values, hash: plan.hash.clone(), cut_short },
        readings: subjects.iter().map(|subject| reading(asked, subject, &outcome)).collect(),
        values: subjects.iter().map(|subject| values_of(subject, &outcome)).collect(),
    }
}

/// The value in each run; of a rate, 1 where it is violated, 0 where it is exercised and not violated.
fn values_of(subject: &Subject, outcome: &VariantOutcome) -> Vec<Option<f64>> {
    let of = |run: &RunSummary| match subject {
        Subject::Metric(name) => run.metric(name),
        Subject::Violated(invariant) => {
            let found = run.invariants.iter().find(|outcome| outcome.name == *invariant);
            found.filter(|outcome| is_exercised(outcome)).map(|outcome| f64::from(u8::from(is_violated(outcome))))
        }
    };
    outcome.runs.iter().map(of).collect()
}

fn reading(asked: &Asked<'_>, subject: &Subject, outcome: &VariantOutcome) -> Option<Reading> {
    let theory = laws::applies(asked.laws, subject.name(), &outcome.plan);
    match subject {
        Subject::Metric(name) => {
            let estimate = outcome.estimate(name)?;
            let values: Vec<f64> = outcome.runs.iter().filter_map(|run| run.metric(name)).collect();
            let (ones, n) = (values.iter().filter(|value| **value == 1.0).count() as u64, values.len() as u64);
            // What is 0 or 1 in every run is a rate over runs: Student's t has no band where all are alike.
            let is_rate = values.iter().all(|value| *value == 0.0 || *value == 1.0);
            let of_theory = theory.is_some_and(|(_, value)| (0.0..=1.0).contains(&value));
            let banded_as_rate = is_rate && (estimate.unit == "share" || of_theory || (0 < ones && ones < n));
            let p_value = |law: &ClosedForm, value: f64| match is_rate && (0.0..=1.0).contains(&value) {
                true => p_of_rate(ones, n, value),
                false => p_of_mean(&values, value, law.resolution),
            };
            Some(Reading {
                mean: estimate.mean,
                ci95: if banded_as_rate { Some(rate_band(ones, n)) } else { estimate.ci95 },
                seeds: estimate.seeds,
                violated: None,
                theory: theory.map(|(law, value)| Theory { law, value, p_value: p_value(law, value) }),
            })
        }
        Subject::Violated(invariant) => {
            let totals = outcome.totals(invariant);
            let (violated, exercised) = (totals.violated_runs, totals.exercised_runs);
            (exercised > 0).then(|| Reading {
                mean: violated as f64 / exercised as f64,
                ci95: Some(rate_band(violated, exercised)),
                seeds: exercised,
                violated: Some((violated, totals.runs)),
                theory: theory.map(|(law, value)| Theory {
                    law,
                    value,
                    p_value: p_of_rate(violated, exercised, value),
                }),
            })
        }
    }
}

/// Clopper and Pearson's two-sided 95% interval.
fn rate_band(part: u64, whole: u64) -> (f64, f64) {
    (binomial::lower_bound(part, whole, 0.975), binomial::upper_bound(part, whole, 0.975))
}

/// The two-sided p-value of a mean, if what is expected is this, give or take its resolution.
fn p_of_mean(values: &[f64], expected: f64, resolution: f64) -> f64 {
    /// Sums of whole numbers and of theory are rounded.
    const ROUNDING: f64 = 1e-9;
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let off = (mean - expected).abs() - (resolution + ROUNDING) * expected.abs().max(mean.abs());
    if off <= 0.0 || values.len() < 2 {
        return 1.0;
    }
    let power = |of: fn(f64) -> f64| values.iter().map(|value| of(value - mean)).sum::<f64>();
    let variance = power(|off| off * off) / (n - 1.0);
    if variance == 0.0 {
        return 0.0;
    }
    // Of skewed values the mean and its error vary together: Johnson's modified t (JASA 73, 1978) takes that out.
    let third = power(|off| off * off * off) / n;
    let off = if mean > expected { off } else { -off };
    let modified = off + third / (6.0 * variance * n) + third * off * off / (3.0 * variance * variance);
    student::two_sided_p(modified / libm::sqrt(variance / n), values.len() as u64 - 1)
}

/// The two-sided p-value of so many of so many, if the rate is this.
fn p_of_rate(violated: u64, exercised: u64, rate: f64) -> f64 {
    let at_most = binomial::at_most(violated, exercised, rate);
    let at_least = if violated == 0 { 1.0 } else { 1.0 - binomial::at_most(violated - 1, exercised, rate) };
    (2.0 * at_most.min(at_least)).min(1.0)
}

fn curve(asked: &Asked<'_>, of: &Subject, nth: usize, done: &[Finished], points: usize) -> Curve {
    let name = of.name();
    let known = crate::models::metric::named(name);
    let own = asked.plans[0].estate.own_metrics.iter().find(|own| own.name == name);
    let (unit, formula) = match (of, known, own) {
        (Subject::Violated(_), _, _) => ("share", Cow::Borrowed("runs that violate it / runs that exercise it")),
        (Subject::Metric(_), Some(metric), _) => (metric.unit, Cow::Borrowed(metric.formula)),
        (Subject::Metric(_), None, Some(own)) => (own.of.unit(), Cow::Owned(own.formula(&asked.plans[0].estate))),
        (Subject::Metric(_), None, None) => ("1", Cow::Borrowed("")),
    };
    let between = asked.between.iter().filter_map(|(at, plan)| {
        let (_, value) = laws::applies(asked.laws, name, plan)?;
        Some((*at, value))
    });
    let bends = asked.axes.len() == 1 && asked.axes[0].scale != Scale::Words && done.len() == points;
    Curve {
        of: of.clone(),
        unit,
        formula,
        readings: done.iter().map(|finished| finished.readings[nth].clone()).collect(),
        between: between.collect(),
        bend: bends.then(|| bend(asked, name, nth, done)),
    }
}

/// Seeds that have a value at every point, as curves.
fn bend(asked: &Asked<'_>, name: &str, nth: usize, done: &[Finished]) -> Bend {
    let seeds = done.first().map_or(0, |finished| finished.values[nth].len());
    let of_seed = |seed: usize| done.iter().map(|finished| finished.values[nth][seed]).collect::<Option<Vec<f64>>>();
    let curves: Vec<Vec<f64>> = (0..seeds).filter_map(of_seed).collect();
    let key = StreamKey::of_seed(0).child("sweep").child(name);
    let axis = &asked.axes[0];
    let values: Vec<f64> = axis.values.iter().map(|value| value.at).collect();
    knee::bend(&values, &axis.places(), &curves, key)
}

impl Curve {
    /// How it agrees with each law that holds somewhere on it.
    pub fn agreements(&self) -> Vec<Agreement> {
        let mut laws: Vec<&'static str> = Vec::new();
        for theory in self.readings.iter().flatten().filter_map(|reading| reading.theory) {
            if !laws.contains(&theory.law.name) {
                laws.push(theory.law.name);
            }
        }
        laws.into_iter().map(|law| self.agreement(law)).collect()
    }

    fn agreement(&self, law: &'static str) -> Agreement {
        let held = self.readings.iter().enumerate().filter_map(|(point, reading)| {
            let reading = reading.as_ref()?;
            let theory = reading.theory.filter(|theory| theory.law.name == law)?;
            Some((point, reading, theory))
        });
        let held: Vec<(usize, &Reading, Theory)> = held.collect();
        let within = held.iter().filter(|(_, reading, theory)| reading.holds(theory)).count() as u64;
        let p_values: Vec<f64> = held.iter().map(|(_, _, theory)| theory.p_value).collect();
        let adjusted = holm::adjusted(&p_values);
        let worst = held.iter().zip(adjusted).min_by(|a, b| a.1.total_cmp(&b.1));
        let disagrees = worst.filter(|((_, reading, _), p)| {
            let enough = reading.seeds >= FEWEST_TO_DISAGREE || reading.violated.is_some();
            *p < DISAGREES_BELOW && enough
        });
        Agreement { law, points: held.len() as u64, within, disagrees: disagrees.map(|((point, _, _), p)| (*point, p)) }
    }
}

impl Reading {
    /// Whether theory lies inside the band, widened by what a measurement may be off.
    fn holds(&self, theory: &Theory) -> bool {
        let slack = (theory.law.resolution + 1e-9) * theory.value.abs();
        let (low, high) = self.ci95.unwrap_or((self.mean, self.mean));
        low - slack <= theory.value && theory.value <= high + slack
    }
}
