//! Decisions that requests are given by each replica.

use crate::models::estate::Estate;
use crate::models::observation::{Decided, Kind, Observation, Observed};
use crate::units::SimTime;
use crate::validation::Probe;

/// One sample per replica: the sum of a value of each decision it makes in a window of time.
pub struct Reads {
    /// Seconds from the beginning of the run.
    window: (f64, f64),
    sums: Vec<f64>,
    value: Box<dyn Fn(&Decided) -> f64>,
}

impl Reads {
    /// Sums of `value(decision)` between two moments of the run.
    pub fn between(from: f64, until: f64, value: impl Fn(&Decided) -> f64 + 'static) -> Box<dyn Probe> {
        Box::new(Reads { window: (from, until), sums: Vec::new(), value: Box::new(value) })
    }

    /// How many decisions rest on another version than the newest, times `weight`.
    pub fn stale_between(from: f64, until: f64, weight: f64) -> Box<dyn Probe> {
        Reads::between(from, until, move |decided| if decided.staleness.is_zero() { 0.0 } else { weight })
    }
}

impl Probe for Reads {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::Decided]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        self.sums.resize(estate.replicas.len(), 0.0);
        let (at, (from, until)) = (observed.at.as_secs_f64(), self.window);
        if let Observation::Decided(decided) = &observed.what
            && (from..until).contains(&at)
        {
            self.sums[decided.replica.index()] += (self.value)(decided);
        }
    }

    fn samples(&mut self, _end: SimTime, estate: &Estate) -> Vec<f64> {
        self.sums.resize(estate.replicas.len(), 0.0);
        std::mem::take(&mut self.sums)
    }
}
