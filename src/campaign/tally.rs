//! What the runs of a variant add up to, one after the other in seed order, in memory that does not grow with their
//! number. Everything that judges reads this; single runs are kept for the rows of reports only, and only so many.

pub mod invariant;
pub mod metric;

use super::accepted;
use crate::run::summary::{InvariantOutcome, RunSummary};
use crate::scenario::plan::{Accepted, ComesOut, Expected, Plan};
use crate::units::SimTime;

pub use invariant::{InvariantTally, Totals};
pub use metric::MetricTally;

/// All runs of a variant together. Runs are added in seed order: equal runs give equal bits.
#[derive(Clone, Debug)]
pub struct Tally {
    pub runs: u64,
    /// Runs that the limit of events ended.
    pub cut_short: u64,
    /// Every invariant that any run looked at, in the order of the runs.
    pub invariants: Vec<InvariantTally>,
    /// Every metric that has a value in some run, in the order in which they came.
    pub metrics: Vec<MetricTally>,
    /// Every entry of the timeline, in its order.
    pub happened: Vec<Happened>,
    /// Every step that any run published, in the order of first mention.
    pub published: Vec<Published>,
    /// Per `reached` expectation, in their order: how often in all runs.
    pub reached: Vec<u64>,
    /// How plans that are watched over ended: per feature, in how many runs each end was seen.
    ends: Vec<(String, Vec<(String, u64)>)>,
    shown: Shown,
    /// What each invariant is expected to come to.
    expected: Vec<(&'static str, ComesOut)>,
    /// The violations that are accepted today.
    accepted: Vec<Accepted>,
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

/// A step over the runs that published it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub label: String,
    pub runs: u64,
    pub first: SimTime,
    pub last: SimTime,
}

/// Candidates for the run that a report shows, each the first of its kind.
#[derive(Clone, Debug, Default)]
struct Shown {
    /// With a violation that contradicts an expectation.
    unexpected: Option<Box<RunSummary>>,
    /// With a violation that contradicts an expectation, or that of an invariant which nothing is expected of.
    strict: Option<Box<RunSummary>>,
    violated: Option<Box<RunSummary>>,
    first: Option<Box<RunSummary>>,
}

impl Tally {
    pub fn new(plan: &Plan) -> Tally {
        let expected = plan.expectations.iter().filter_map(|expectation| match &expectation.of {
            Expected::Invariant { name, comes_out } => Some((*name, comes_out.clone())),
            Expected::Metric { .. } | Expected::Reached { .. } => None,
        });
        Tally {
            runs: 0,
            cut_short: 0,
            invariants: Vec::new(),
            metrics: Vec::new(),
            happened: Vec::new(),
            published: Vec::new(),
            reached: Vec::new(),
            ends: Vec::new(),
            shown: Shown::default(),
            expected: expected.collect(),
            accepted: accepted::in_force(plan),
        }
    }

    /// The runs of a plan, in seed order.
    pub fn of<'a>(plan: &Plan, runs: impl IntoIterator<Item = &'a RunSummary>) -> Tally {
        let mut tally = Tally::new(plan);
        runs.into_iter().for_each(|run| tally.add(run));
        tally
    }

    /// One more run, of a greater seed than those before.
    pub fn add(&mut self, run: &RunSummary) {
        self.show(run);
        self.runs += 1;
        self.cut_short += u64::from(run.cut_short);
        for outcome in &run.invariants {
            self.judged(run.seed, outcome);
        }
        self.measured(run);
        self.happened(run);
        for (label, at) in &run.steps {
            match self.published.iter_mut().find(|known| known.label == *label) {
                Some(known) => {
                    known.runs += 1;
                    known.first = known.first.min(*at);
                    known.last = known.last.max(*at);
                }
                None => self.published.push(Published { label: label.clone(), runs: 1, first: *at, last: *at }),
            }
        }
        for (index, times) in run.reached.iter().enumerate() {
            if index == self.reached.len() {
                self.reached.push(0);
            }
            self.reached[index] += times;
        }
        self.ended(run);
    }

    /// What one invariant came to; `None` where no run looked at it.
    pub fn invariant(&self, name: &str) -> Option<&InvariantTally> {
        self.invariants.iter().find(|known| known.totals.name == name)
    }

    pub fn metric(&self, name: &str) -> Option<&MetricTally> {
        self.metrics.iter().find(|known| known.name == name)
    }

    /// The run a report shows: the first with a violation that contradicts an expectation (under `strict` that of any
    /// invariant which nothing is expected of, too), else the first with any violation, else the first.
    pub fn shown(&self, strict: bool) -> Option<&RunSummary> {
        let Shown { unexpected, strict: strictly, violated, first } = &self.shown;
        let contradicting = if strict { strictly } else { unexpected };
        contradicting.as_ref().or(violated.as_ref()).or(first.as_ref()).map(|run| &**run)
    }

    /// The run of the first seed.
    pub fn first(&self) -> Option<&RunSummary> {
        self.shown.first.as_deref()
    }

    /// How plans that are watched over ended: feature, end, in how many runs; the most frequent end of each first.
    pub fn plan_ends(&self) -> Vec<(&str, &str, u64)> {
        let mut told = Vec::new();
        for (feature, ends) in &self.ends {
            let mut ends: Vec<&(String, u64)> = ends.iter().collect();
            ends.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
            told.extend(ends.into_iter().map(|(end, runs)| (feature.as_str(), end.as_str(), *runs)));
        }
        told
    }

    fn judged(&mut self, seed: u64, outcome: &InvariantOutcome) {
        let at = self.invariants.iter().position(|known| known.totals.name == outcome.name);
        let at = at.unwrap_or_else(|| {
            let expected = self.expected.iter().find(|(name, _)| *name == outcome.name);
            let about = expected.and_then(|(_, comes_out)| match comes_out {
                ComesOut::Violated { cause, about: Some(about) } => Some((about.clone(), cause.clone())),
                ComesOut::Violated { about: None, .. } | ComesOut::Holds | ComesOut::AtMost { .. } => None,
            });
            self.invariants.push(InvariantTally::new(outcome.name, about));
            self.invariants.len() - 1
        });
        let is_accepted = accepted::is_accepted(&self.accepted, outcome.name, &outcome.causes);
        self.invariants[at].add(seed, outcome, is_accepted);
    }

    fn measured(&mut self, run: &RunSummary) {
        // Runs have their metrics in one order, so the one after the last is nearly always the next.
        let mut next = 0;
        for value in &run.metrics {
            let known = (next..self.metrics.len()).chain(0..next).find(|at| self.metrics[*at].name == value.name);
            match known {
                Some(at) => self.metrics[at].add(value.value),
                None => self.metrics.push(MetricTally::first(value)),
            }
            next = known.unwrap_or(self.metrics.len() - 1) + 1;
        }
    }

    fn happened(&mut self, run: &RunSummary) {
        for (index, (label, times)) in run.happenings.iter().enumerate() {
            if index == self.happened.len() {
                self.happened.push(Happened { label: label.clone(), fired_runs: 0, times: 0 });
            }
            self.happened[index].fired_runs += u64::from(*times > 0);
            self.happened[index].times += times;
        }
    }

    fn ended(&mut self, run: &RunSummary) {
        for (feature, end) in &run.plans {
            let at = self.ends.iter().position(|(known, _)| known == feature).unwrap_or_else(|| {
                self.ends.push((feature.clone(), Vec::new()));
                self.ends.len() - 1
            });
            let ends = &mut self.ends[at].1;
            match ends.iter_mut().find(|(known, _)| known == end) {
                Some((_, runs)) => *runs += 1,
                None => ends.push((end.clone(), 1)),
            }
        }
    }

    fn show(&mut self, run: &RunSummary) {
        let keep = || Some(Box::new(run.clone()));
        if self.shown.first.is_none() {
            self.shown.first = keep();
        }
        if !run.invariants.iter().any(invariant::is_violated) {
            return;
        }
        if self.shown.violated.is_none() {
            self.shown.violated = keep();
        }
        if self.shown.unexpected.is_none() && self.contradicts(run, false) {
            self.shown.unexpected = keep();
        }
        if self.shown.strict.is_none() && self.contradicts(run, true) {
            self.shown.strict = keep();
        }
    }

    fn contradicts(&self, run: &RunSummary, strict: bool) -> bool {
        let is_accepted =
            |outcome: &InvariantOutcome| accepted::is_accepted(&self.accepted, outcome.name, &outcome.causes);
        run.invariants.iter().filter(|outcome| invariant::is_violated(outcome)).any(|outcome| {
            let expected = self.expected.iter().find(|(name, _)| *name == outcome.name);
            match expected.map(|(_, comes_out)| comes_out) {
                Some(ComesOut::Holds) => !is_accepted(outcome),
                Some(ComesOut::AtMost { .. }) => true,
                Some(ComesOut::Violated { cause: Some(cause), .. }) => {
                    outcome.causes.first().is_some_and(|(dominant, _)| dominant != cause)
                }
                Some(ComesOut::Violated { cause: None, .. }) => false,
                None => strict && !is_accepted(outcome),
            }
        })
    }
}
