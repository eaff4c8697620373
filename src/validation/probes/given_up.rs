//! Customers who were told of a failure.

use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed, Outcome};
use crate::units::SimTime;
use crate::validation::Probe;
use std::ops::Range;

/// One sample per journey: the share of its customers of these ordinals who were told of a failure.
pub struct GivenUp {
    customers: Range<u64>,
    finished: u64,
    failed: Vec<u64>,
}

impl GivenUp {
    pub fn among(customers: Range<u64>) -> Box<dyn Probe> {
        Box::new(GivenUp { customers, finished: 0, failed: Vec::new() })
    }
}

impl Probe for GivenUp {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::Finished]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        if let Observation::Finished { interaction, outcome, .. } = observed.what
            && self.customers.contains(&interaction.n)
        {
            self.failed.resize(estate.journeys.len(), 0);
            self.finished += 1;
            self.failed[interaction.journey.index()] += u64::from(matches!(outcome, Outcome::Failed(_)));
        }
    }

    fn samples(&mut self, _end: SimTime, estate: &Estate) -> Vec<f64> {
        let customers = self.customers.end - self.customers.start;
        assert_eq!(self.finished, customers * estate.journeys.len() as u64, "the run is long enough for all who count");
        self.failed.iter().map(|failed| *failed as f64 / customers as f64).collect()
    }
}
