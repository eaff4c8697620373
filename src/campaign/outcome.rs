//! What a campaign leaves: every run of every variant, in seed order, and what they add up to.
//!
//! Everything that judges or prints reads this and nothing below it. Sums go in seed order, so equal runs give equal
//! bytes whatever the number of threads.

#[cfg(test)]
pub(crate) mod fixture;

use crate::models::metric::{self, Metric};
use crate::run::summary::{InvariantOutcome, RunSummary, Series, Story, Verdict};
use crate::scenario::plan::Plan;
use std::borrow::Cow;

/// All runs of one variant.
#[derive(Clone, Debug)]
pub struct VariantOutcome {
    pub plan: Plan,
    /// In seed order.
    pub runs: Vec<RunSummary>,
    pub exhibit: Option<Exhibit>,
}

/// The run shown in the report: see [`super::verdict::exhibit_seed`].
#[derive(Clone, Debug)]
pub struct Exhibit {
    pub seed: u64,
    pub series: Series,
    /// The first violation of each violated invariant, at most three.
    pub stories: Vec<Story>,
}

/// How the campaign was asked for: what a line that repeats it must say, and how it is judged.
#[derive(Clone, Debug, Default)]
pub struct Invocation {
    /// The scenario file as the user named it; empty for the embedded scenario.
    pub file: String,
    /// `--set` as given, in order.
    pub set: Vec<(String, String)>,
    /// `--strict`: the built-in invariants that the file does not name decide, too.
    pub strict: bool,
}

/// All variants of one scenario over the same seeds.
#[derive(Clone, Debug)]
pub struct CampaignOutcome {
    pub scenario: String,
    pub variants: Vec<VariantOutcome>,
    /// Half-open.
    pub seeds: (u64, u64),
    /// Somebody stopped it: what is here is true, and not everything.
    pub interrupted: bool,
    pub invocation: Invocation,
}

/// What one invariant comes to over all runs of a variant.
#[derive(Clone, Debug)]
pub struct Totals {
    pub name: &'static str,
    /// The worst over the runs: violated, undecided, pending; then vacuous where no run exercised it, else holds.
    pub verdict: Verdict,
    pub runs: u64,
    pub exercised_runs: u64,
    pub violated_runs: u64,
    pub pending_runs: u64,
    pub undecided_runs: u64,
    pub checked: u64,
    pub exercised: u64,
    /// Net of what the baseline has too.
    pub violations: u64,
    pub in_baseline: u64,
    pub pending: u64,
    pub min_margin: Option<f64>,
    /// Violations by cause, most frequent first, then by name.
    pub causes: Vec<(&'static str, u64)>,
    /// What was seen and set apart by class, because another invariant judges it.
    pub apart: Vec<(&'static str, u64)>,
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
}

/// An entry of the timeline over all runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    pub label: String,
    /// Runs in which it took place at all.
    pub fired_runs: u64,
    /// How often in all runs together.
    pub times: u64,
}

/// Whether this run counts as a violation of the invariant. Violations that the baseline has too do not count;
/// a verdict of `violated` without any violation to excuse does.
pub fn is_violated(outcome: &InvariantOutcome) -> bool {
    outcome.violations > 0 || (outcome.verdict == Verdict::Violated && outcome.in_baseline == 0)
}

/// Whether what the invariant guards occurred in this run.
pub fn is_exercised(outcome: &InvariantOutcome) -> bool {
    outcome.exercised > 0 || is_violated(outcome)
}

impl VariantOutcome {
    /// Every invariant that any run looked at, in the order of the runs.
    pub fn invariants(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for outcome in self.runs.iter().flat_map(|run| &run.invariants) {
            if !names.contains(&outcome.name) {
                names.push(outcome.name);
            }
        }
        names
    }

    /// The runs' outcomes of one invariant, with their seeds.
    pub fn outcomes_of<'a>(&'a self, invariant: &'a str) -> impl Iterator<Item = (u64, &'a InvariantOutcome)> {
        self.runs.iter().flat_map(move |run| {
            let outcomes = run.invariants.iter().filter(move |outcome| outcome.name == invariant);
            outcomes.map(move |outcome| (run.seed, outcome))
        })
    }

    /// What `invariant` comes to; all zero and vacuous where no run looked at it.
    pub fn totals(&self, invariant: &'static str) -> Totals {
        let mut totals = Totals::of_none(invariant);
        for (_, outcome) in self.outcomes_of(invariant) {
            totals.add(outcome);
        }
        totals.settle();
        totals
    }

    /// Every metric that has a value in some run: those of the catalogue in its order, then others as they come.
    pub fn estimates(&self) -> Vec<Estimate> {
        let mut names: Vec<&str> = metric::ALL.iter().map(|known| known.name).collect();
        for value in self.runs.iter().flat_map(|run| &run.metrics) {
            if !names.contains(&&*value.name) {
                names.push(&value.name);
            }
        }
        names.into_iter().filter_map(|name| self.estimate(name)).collect()
    }

    /// One metric over all seeds; `None` where it has a value in none.
    pub fn estimate(&self, name: &str) -> Option<Estimate> {
        let values: Vec<f64> = self.runs.iter().filter_map(|run| run.metric(name)).collect();
        if values.is_empty() {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let ci95 = (values.len() > 1).then(|| {
            let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
            let error = libm::sqrt(squares / (n - 1.0) / n);
            let half = crate::stats::student::two_sided_95(values.len() as u64 - 1) * error;
            (mean - half, mean + half)
        });
        let (name, unit, formula) = match metric::named(name) {
            Some(Metric { name, unit, formula }) => (Cow::Borrowed(*name), *unit, Cow::Borrowed(*formula)),
            None => {
                let estate = &self.plan.estate;
                let own = estate.own_metrics.iter().find(|metric| metric.name == name);
                let unit = own.map_or("1", |metric| metric.of.unit());
                let formula = own.map(|metric| metric.formula(estate)).unwrap_or_default();
                (Cow::Owned(name.to_owned()), unit, Cow::Owned(formula))
            }
        };
        // A share is nowhere below none and above all.
        let ci95 = ci95.map(|(low, high)| if unit == "share" { (low.max(0.0), high.min(1.0)) } else { (low, high) });
        Some(Estimate { name, unit, formula, mean, ci95, seeds: values.len() as u64 })
    }

    /// How plans that are watched over ended: feature, end, in how many runs; the most frequent end of each first.
    pub fn plan_ends(&self) -> Vec<(&str, &str, u64)> {
        let mut ends: Vec<(&str, &str, u64)> = Vec::new();
        for (feature, end) in self.runs.iter().flat_map(|run| &run.plans) {
            match ends.iter_mut().find(|(of, known, _)| of == feature && known == end) {
                Some((_, _, runs)) => *runs += 1,
                None => ends.push((feature, end, 1)),
            }
        }
        let place =
            |feature: &str| self.runs.first().and_then(|run| run.plans.iter().position(|(of, _)| of == feature));
        ends.sort_by_key(|(feature, end, runs)| (place(feature), std::cmp::Reverse(*runs), *end));
        ends
    }

    /// Every entry of the timeline, in its order.
    pub fn happened(&self) -> Vec<Happened> {
        let mut entries: Vec<Happened> = Vec::new();
        for run in &self.runs {
            for (index, (label, times)) in run.happenings.iter().enumerate() {
                if index == entries.len() {
                    entries.push(Happened { label: label.clone(), fired_runs: 0, times: 0 });
                }
                entries[index].fired_runs += u64::from(*times > 0);
                entries[index].times += times;
            }
        }
        entries
    }
}

impl Totals {
    fn of_none(name: &'static str) -> Totals {
        Totals {
            name,
            verdict: Verdict::Vacuous,
            runs: 0,
            exercised_runs: 0,
            violated_runs: 0,
            pending_runs: 0,
            undecided_runs: 0,
            checked: 0,
            exercised: 0,
            violations: 0,
            in_baseline: 0,
            pending: 0,
            min_margin: None,
            causes: Vec::new(),
            apart: Vec::new(),
        }
    }

    fn add(&mut self, outcome: &InvariantOutcome) {
        self.runs += 1;
        self.exercised_runs += u64::from(is_exercised(outcome));
        self.violated_runs += u64::from(is_violated(outcome));
        self.pending_runs += u64::from(outcome.verdict == Verdict::Pending);
        self.undecided_runs += u64::from(outcome.verdict == Verdict::Undecided);
        self.checked += outcome.checked;
        self.exercised += outcome.exercised;
        self.violations += outcome.violations;
        self.in_baseline += outcome.in_baseline;
        self.pending += outcome.pending;
        if let Some(margin) = outcome.min_margin
            && self.min_margin.is_none_or(|smallest| margin < smallest)
        {
            self.min_margin = Some(margin);
        }
        add_counts(&mut self.causes, &outcome.causes);
        add_counts(&mut self.apart, &outcome.apart);
    }

    fn settle(&mut self) {
        for counts in [&mut self.causes, &mut self.apart] {
            counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        }
        self.verdict = if self.violated_runs > 0 {
            Verdict::Violated
        } else if self.undecided_runs > 0 {
            Verdict::Undecided
        } else if self.pending_runs > 0 {
            Verdict::Pending
        } else if self.exercised_runs == 0 {
            Verdict::Vacuous
        } else {
            Verdict::Holds
        };
    }
}

fn add_counts(sums: &mut Vec<(&'static str, u64)>, counts: &[(&'static str, u64)]) {
    for (name, count) in counts {
        match sums.iter_mut().find(|(known, _)| known == name) {
            Some((_, sum)) => *sum += count,
            None => sums.push((name, *count)),
        }
    }
}
