//! Calls between services: how far retries multiply them.

use super::{Measure, Report};
use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed};
use crate::units::SimTime;

#[derive(Debug, Default)]
pub struct Calls {
    calls: u64,
    attempts: u64,
}

impl Measure for Calls {
    fn interests(&self) -> &'static [Kind] {
        &[Kind::Called]
    }

    fn observe(&mut self, observed: &Observed, _: &Estate) {
        if let Observation::Called { from: Some(_), attempt, .. } = &observed.what {
            self.attempts += 1;
            // Attempts count from 1; what is not the first belongs to a call that was counted.
            self.calls += u64::from(*attempt <= 1);
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, report: &mut Report) {
        report.share("attempts_per_call", self.attempts, self.calls);
    }
}
