//! What replicas ask of the control plane.

use super::{Measure, Report};
use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed};
use crate::units::SimTime;

#[derive(Debug, Default)]
pub struct Questions {
    asked: u64,
}

impl Measure for Questions {
    fn interests(&self) -> &'static [Kind] {
        &[Kind::Asked]
    }

    fn observe(&mut self, observed: &Observed, _: &Estate) {
        if let Observation::Asked { questions, .. } = observed.what {
            self.asked += questions;
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, report: &mut Report) {
        report.count("control_plane_questions.count", self.asked);
    }
}
