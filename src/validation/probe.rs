//! What looks at one run and takes samples from it.

use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observed};
use crate::units::SimTime;

/// Collects the samples of one run from what the models report, like any checker.
pub trait Probe {
    /// The kinds of observations it reads.
    fn reads(&self) -> &'static [Kind];

    fn observe(&mut self, observed: &Observed, estate: &Estate);

    /// The run is over: its independent samples, always as many for one estate.
    fn samples(&mut self, end: SimTime, estate: &Estate) -> Vec<f64>;
}
