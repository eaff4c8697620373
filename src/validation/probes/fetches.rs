//! Questions to the control plane that an outage leaves unanswered.

use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed};
use crate::units::SimTime;
use crate::validation::Probe;

/// One sample per replica: a function of how many of its questions failed in a window of time.
pub struct Fetches {
    /// Seconds from the beginning of the run.
    window: (f64, f64),
    failed: Vec<u32>,
    sample: Box<dyn Fn(u32) -> f64>,
}

impl Fetches {
    /// Samples of `sample(failed questions)` between two moments of the run.
    pub fn failed_between(from: f64, until: f64, sample: impl Fn(u32) -> f64 + 'static) -> Box<dyn Probe> {
        Box::new(Fetches { window: (from, until), failed: Vec::new(), sample: Box::new(sample) })
    }
}

impl Probe for Fetches {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::Suppressed]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        self.failed.resize(estate.replicas.len(), 0);
        let (at, (from, until)) = (observed.at.as_secs_f64(), self.window);
        if let Observation::Suppressed { replica, .. } = observed.what
            && (from..until).contains(&at)
        {
            self.failed[replica.index()] += 1;
        }
    }

    fn samples(&mut self, _end: SimTime, estate: &Estate) -> Vec<f64> {
        self.failed.resize(estate.replicas.len(), 0);
        self.failed.iter().map(|failed| (self.sample)(*failed)).collect()
    }
}
