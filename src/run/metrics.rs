//! Measures every metric of the catalogue (`models::metric`) from the observations of one run.
//!
//! One concern per file; each sees only the kinds of observations it asks for, and an estate that has nothing of a
//! concern pays nothing for it. Times that are quantiles come from histograms and are within 1.6 % of the truth;
//! `.max` and counts are exact. What has no value in a run is absent, never zero.

mod answers;
mod calls;
mod control_plane;
mod convergence;
mod debt;
mod decisions;
mod deliveries;
mod effects;
mod exceptions;
mod exposure;
mod held;
mod lag;
mod migration;
mod own;
mod plans;
mod since;
mod variance;

use super::summary::MetricValue;
use crate::models::estate::Estate;
use crate::models::metric;
use crate::models::observation::{Kind, Observed};
use crate::units::{SimDuration, SimTime};
use std::borrow::Cow;

/// How a concern that measures is made for an estate.
type Create = fn(&Estate) -> Box<dyn Measure>;

/// Everything that measures. A new concern is its file and its line here; the metrics it reports are lines of the
/// catalogue.
const ALL: &[Create] = &[
    |_| Box::new(answers::Answers::default()),
    |_| Box::new(calls::Calls::default()),
    |_| Box::new(decisions::Decisions::default()),
    |estate| Box::new(convergence::Convergence::new(estate)),
    |_| Box::new(effects::Effects::default()),
    |estate| Box::new(lag::Lag::new(estate)),
    |_| Box::new(migration::Migration::default()),
    |estate| Box::new(plans::Plans::new(estate)),
    |estate| Box::new(deliveries::Deliveries::new(estate)),
    |estate| Box::new(held::Held::new(estate)),
    |_| Box::new(control_plane::Questions::default()),
    |_| Box::new(exposure::Exposure::default()),
    |estate| Box::new(debt::Debt::new(estate)),
    |estate| Box::new(variance::Variance::new(estate)),
    |estate| Box::new(exceptions::Exceptions::new(estate)),
];

/// One concern: what it looks at, and the metrics it comes to.
pub trait Measure {
    /// The kinds of observations it is shown; none where the estate has nothing of its concern.
    fn interests(&self) -> &[Kind];

    fn observe(&mut self, observed: &Observed, estate: &Estate);

    /// The run is over at `end`.
    fn finish(&mut self, end: SimTime, estate: &Estate, report: &mut Report);
}

/// The values of one run, as the concerns report them.
#[derive(Debug, Default)]
pub struct Report {
    values: Vec<MetricValue>,
}

impl Report {
    /// A value, where there is one.
    pub fn value(&mut self, name: &'static str, value: Option<f64>) {
        debug_assert!(metric::named(name).is_some(), "{name} is not in the catalogue");
        self.values.extend(value.map(|value| MetricValue { name: Cow::Borrowed(name), value }));
    }

    /// A value of a metric of the file's own, where there is one.
    pub fn own(&mut self, name: &str, value: Option<f64>) {
        self.values.extend(value.map(|value| MetricValue { name: Cow::Owned(name.to_owned()), value }));
    }

    pub fn count(&mut self, name: &'static str, count: u64) {
        self.value(name, Some(count as f64));
    }

    /// `part / whole`; absent where there is no whole.
    pub fn share(&mut self, name: &'static str, part: u64, whole: u64) {
        self.value(name, (whole > 0).then(|| part as f64 / whole as f64));
    }

    pub fn secs(&mut self, name: &'static str, duration: Option<SimDuration>) {
        self.value(name, duration.map(SimDuration::as_secs_f64));
    }
}

/// The numbers of one run, as they come together.
pub struct Metrics {
    measures: Vec<Box<dyn Measure>>,
    /// Per kind of observation: the positions of those who want it.
    subscribers: Vec<Vec<u16>>,
}

impl Metrics {
    pub fn new(estate: &Estate) -> Metrics {
        let measures: Vec<Box<dyn Measure>> = ALL.iter().map(|create| create(estate)).chain(own::all(estate)).collect();
        let mut subscribers = vec![Vec::new(); Kind::COUNT];
        for (position, measure) in measures.iter().enumerate() {
            let position = u16::try_from(position).expect("a file has few metrics of its own");
            for kind in measure.interests() {
                subscribers[*kind as usize].push(position);
            }
        }
        Metrics { measures, subscribers }
    }

    /// Whether observations of this kind are measured.
    pub fn wants(&self, kind: Kind) -> bool {
        !self.subscribers[kind as usize].is_empty()
    }

    pub fn observe(&mut self, observed: &Observed, estate: &Estate) {
        for position in &self.subscribers[observed.what.kind() as usize] {
            self.measures[usize::from(*position)].observe(observed, estate);
        }
    }

    /// The run is over: every metric that has a value, in the order of the catalogue, and then the file's own.
    pub fn finish(mut self, end: SimTime, estate: &Estate) -> Vec<MetricValue> {
        let mut report = Report::default();
        for measure in &mut self.measures {
            measure.finish(end, estate, &mut report);
        }
        let known = |name: &str| metric::ALL.iter().position(|metric| metric.name == name);
        let own = |name: &str| estate.own_metrics.iter().position(|metric| metric.name == name);
        report.values.sort_by_key(|value| (known(&value.name).unwrap_or(usize::MAX), own(&value.name)));
        report.values
    }
}

#[cfg(test)]
mod tests;
