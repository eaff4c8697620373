//! What customers get: how many came, what they were answered, and how long it took.

use super::{Measure, Report};
use crate::invariants::Histogram;
use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed, Outcome};
use crate::units::SimTime;

#[derive(Debug, Default)]
pub struct Answers {
    arrived: u64,
    finished: u64,
    failed: u64,
    rejected: u64,
    latency: Histogram,
}

impl Measure for Answers {
    fn interests(&self) -> &'static [Kind] {
        &[Kind::Arrived, Kind::Finished]
    }

    fn observe(&mut self, observed: &Observed, _: &Estate) {
        if let Observation::Arrived { interaction, .. } = &observed.what {
            // A replay is an interaction in which nobody arrives.
            self.arrived += u64::from(interaction.replay == 0);
        } else if let Observation::Finished { outcome, latency, .. } = &observed.what {
            self.finished += 1;
            self.latency.record(*latency);
            match outcome {
                Outcome::Succeeded => {}
                Outcome::Rejected(_) => self.rejected += 1,
                Outcome::Failed(_) => self.failed += 1,
            }
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, report: &mut Report) {
        report.count("interactions.count", self.arrived);
        report.share("success_rate", self.finished - self.failed, self.finished);
        report.share("error_rate", self.failed, self.finished);
        report.share("reject_rate", self.rejected, self.finished);
        report.secs("latency.p50", self.latency.quantile(0.50));
        report.secs("latency.p99", self.latency.quantile(0.99));
    }
}
