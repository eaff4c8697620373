//! What a campaign leaves: what the runs of every variant add up to, and the runs themselves as far as they are kept.
//!
//! Everything that judges or prints reads this and nothing below it. Sums go in seed order, so equal runs give equal
//! bytes whatever the number of threads.

#[cfg(test)]
pub(crate) mod fixture;

pub use super::tally::Happened;
pub use super::tally::invariant::{Totals, is_exercised, is_violated};
use super::tally::metric::Quantile;
use super::tally::{MetricTally, Tally};
use super::verdict::gate::Gate;
use crate::models::metric::{self, Metric};
use crate::run::summary::{RunSummary, Series, Story};
use crate::scenario::plan::Plan;
use crate::units::Day;
use std::borrow::Cow;

/// How many runs of a variant are kept for the rows of reports. The rest is in the sums, and in the record of runs.
pub const KEPT: usize = 10_000;

/// All runs of one variant.
#[derive(Clone, Debug)]
pub struct VariantOutcome {
    pub plan: Plan,
    /// The first [`KEPT`] runs, in seed order.
    pub runs: Vec<RunSummary>,
    /// What all of them add up to.
    pub tally: Tally,
    /// How rates are judged where runs were made until all was decided.
    pub gate: Option<Gate>,
    pub exhibit: Option<Exhibit>,
}

/// The run shown in the report: see [`Tally::shown`].
#[derive(Clone, Debug)]
pub struct Exhibit {
    pub seed: u64,
    pub series: Series,
    /// The first violation of each violated invariant, at most three.
    pub stories: Vec<Story>,
}

/// How the campaign was asked for: what a line that repeats it must say, and how it is judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Invocation {
    /// The scenario file as the user named it; empty for the embedded scenario.
    pub file: String,
    /// `--set` as given, in order.
    pub set: Vec<(String, String)>,
    /// `--strict`: the built-in invariants that the file does not name decide, too.
    pub strict: bool,
    /// `--until-decided`: no run is made that could not change the verdict any more, and rates are judged accordingly.
    pub gate: Option<Gate>,
    /// `--max-events`: runs end after so many events.
    pub max_events: Option<u64>,
    /// The day by which accepted violations were judged; `None` where nothing is accepted, so that no day matters.
    pub today: Option<Day>,
    /// Every variant and every seed that belongs to the scenario's test is here, so that what an accepted violation
    /// accepts and nobody saw is over. Otherwise it may be seen elsewhere.
    pub whole: bool,
}

/// Why a campaign does not have all of its runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incomplete {
    /// Somebody stopped it.
    Interrupted,
    /// Its time was up.
    OutOfTime,
    /// The results of these shards, counted from 1, are not there.
    MissingShards { missing: Vec<u64>, of: u64 },
}

impl Incomplete {
    /// In a few words, as the beginning of a sentence.
    pub fn told(&self) -> String {
        match self {
            Incomplete::Interrupted => "Interrupted".to_owned(),
            Incomplete::OutOfTime => "Out of time".to_owned(),
            Incomplete::MissingShards { missing, of } => {
                let named: Vec<String> = missing.iter().map(u64::to_string).collect();
                let (shards, are) = if missing.len() == 1 { ("shard", "is") } else { ("shards", "are") };
                format!("Of {of} shards, {shards} {} {are} missing", named.join(", "))
            }
        }
    }
}

/// All variants of one scenario over the same seeds.
#[derive(Clone, Debug)]
pub struct CampaignOutcome {
    pub scenario: String,
    pub variants: Vec<VariantOutcome>,
    /// Half-open.
    pub seeds: (u64, u64),
    /// Why runs are missing: what is here is true, and not everything.
    pub incomplete: Option<Incomplete>,
    pub invocation: Invocation,
}

/// A metric over the seeds in which it has a value.
#[derive(Clone, Debug)]
pub struct Estimate {
    pub name: Cow<'static, str>,
    pub unit: &'static str,
    pub formula: Cow<'static, str>,
    pub mean: f64,
    /// The 95% interval of the mean (Student's t, the seed as the sampling unit); `None` below two seeds.
    pub ci95: Option<(f64, f64)>,
    /// Seeds with a value.
    pub seeds: u64,
    /// The median, the 90th, the 95th and the 99th percentile over seeds; `None` where there are too few to tell it.
    pub quantiles: [Option<Quantile>; 4],
}

/// The quantiles of an [`Estimate`].
pub const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

impl VariantOutcome {
    /// Runs of a plan, in seed order.
    pub fn of(plan: Plan, runs: Vec<RunSummary>) -> VariantOutcome {
        let tally = Tally::of(&plan, &runs);
        VariantOutcome { plan, runs, tally, gate: None, exhibit: None }
    }

    /// How many runs there are, kept or not.
    pub fn made(&self) -> u64 {
        self.tally.runs
    }

    /// Every invariant that any run looked at, in the order of the runs.
    pub fn invariants(&self) -> Vec<&'static str> {
        self.tally.invariants.iter().map(|known| known.totals.name).collect()
    }

    /// What `invariant` comes to; all zero and vacuous where no run looked at it.
    pub fn totals(&self, invariant: &'static str) -> Totals {
        self.tally.invariant(invariant).map_or_else(|| Totals::of_none(invariant), |known| known.totals.clone())
    }

    /// Every metric that has a value in some run: those of the catalogue in its order, then others as they come.
    pub fn estimates(&self) -> Vec<Estimate> {
        let known = metric::ALL.iter().filter_map(|known| self.tally.metric(known.name));
        let own = self.tally.metrics.iter().filter(|tally| metric::named(&tally.name).is_none());
        known.chain(own).map(|tally| self.estimated(tally)).collect()
    }

    /// One metric over all seeds; `None` where it has a value in none.
    pub fn estimate(&self, name: &str) -> Option<Estimate> {
        self.tally.metric(name).map(|tally| self.estimated(tally))
    }

    fn estimated(&self, tally: &MetricTally) -> Estimate {
        let mean = tally.mean();
        let ci95 = tally.error().map(|error| {
            let half = crate::stats::student::two_sided_95(tally.runs - 1) * error;
            (mean - half, mean + half)
        });
        let (name, unit, formula) = match metric::named(&tally.name) {
            Some(Metric { name, unit, formula }) => (Cow::Borrowed(*name), *unit, Cow::Borrowed(*formula)),
            None => {
                let estate = &self.plan.estate;
                let own = estate.own_metrics.iter().find(|metric| *metric.name == *tally.name);
                let unit = own.map_or("1", |metric| metric.of.unit());
                let formula = own.map(|metric| metric.formula(estate)).unwrap_or_default();
                (tally.name.clone(), unit, Cow::Owned(formula))
            }
        };
        // A share is nowhere below none and above all.
        let ci95 = ci95.map(|(low, high)| if unit == "share" { (low.max(0.0), high.min(1.0)) } else { (low, high) });
        let quantiles = QUANTILES.map(|q| tally.quantile(q));
        Estimate { name, unit, formula, mean, ci95, seeds: tally.runs, quantiles }
    }

    /// How plans that are watched over ended: feature, end, in how many runs; the most frequent end of each first.
    pub fn plan_ends(&self) -> Vec<(&str, &str, u64)> {
        self.tally.plan_ends()
    }

    /// Every entry of the timeline, in its order.
    pub fn happened(&self) -> &[Happened] {
        &self.tally.happened
    }
}
