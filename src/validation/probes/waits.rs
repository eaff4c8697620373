//! What customers wait before a worker takes them up.

use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed};
use crate::units::SimTime;
use crate::validation::Probe;
use std::collections::BTreeMap;
use std::ops::Range;

/// One sample per journey, each with a queue of its own: the mean of a function of the seconds from a customer's arrival
/// until the service comes to its decision, which it does when a worker takes the customer up. Over customers of fixed
/// ordinals, so that neither the empty start nor the number of arrivals has a part in it.
pub struct Waits {
    customers: Range<u64>,
    arrived: BTreeMap<(u32, u64), SimTime>,
    sums: Vec<f64>,
    of: Box<dyn Fn(f64) -> f64>,
}

impl Waits {
    /// Samples of the mean of `of(wait)` over these customers.
    pub fn of(customers: Range<u64>, of: impl Fn(f64) -> f64 + 'static) -> Box<dyn Probe> {
        Box::new(Waits { customers, arrived: BTreeMap::new(), sums: Vec::new(), of: Box::new(of) })
    }
}

impl Probe for Waits {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::Arrived, Kind::Decided]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        if let Observation::Arrived { interaction, .. } = observed.what
            && self.customers.contains(&interaction.n)
        {
            self.arrived.insert((interaction.journey.as_u32(), interaction.n), observed.at);
        } else if let Observation::Decided(decided) = observed.what {
            let journey = decided.interaction.journey;
            if let Some(arrived) = self.arrived.remove(&(journey.as_u32(), decided.interaction.n)) {
                self.sums.resize(estate.journeys.len(), 0.0);
                self.sums[journey.index()] += (self.of)(observed.at.since(arrived).as_secs_f64());
            }
        }
    }

    fn samples(&mut self, _end: SimTime, _estate: &Estate) -> Vec<f64> {
        assert!(self.arrived.is_empty(), "the run is long enough for all customers that count");
        let customers = (self.customers.end - self.customers.start) as f64;
        self.sums.iter().map(|sum| sum / customers).collect()
    }
}
