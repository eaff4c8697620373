//! The lag of a topic whose partitions get uneven shares.

use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed};
use crate::theory::lag::mean_lag_of_partitions;
use crate::units::SimTime;
use crate::validation::Probe;
use std::collections::BTreeMap;
use std::ops::Range;

/// One sample per run: the mean lag of the whole topic over a window of time, in seconds, over what theory says for the
/// partitions on which the run's hash has put the tenants, weighted by Zipf's law with exponent 1.
pub struct Skew {
    window: Range<f64>,
    arrivals: f64,
    service: f64,
    tenant_of: BTreeMap<u64, u32>,
    partition_of: BTreeMap<u32, u32>,
    lag: u64,
    since: f64,
    area: f64,
}

impl Skew {
    /// Samples for a topic of so many records per second, and consumers of one partition each that do `service`.
    pub fn against_theory(window: Range<f64>, arrivals: f64, service: f64) -> Box<dyn Probe> {
        let (tenant_of, partition_of) = (BTreeMap::new(), BTreeMap::new());
        Box::new(Skew { window, arrivals, service, tenant_of, partition_of, lag: 0, since: 0.0, area: 0.0 })
    }

    fn moves(&mut self, now: f64, by: i64) {
        let within = now.min(self.window.end) - self.since.max(self.window.start);
        self.area += self.lag as f64 * within.max(0.0);
        self.lag = self.lag.checked_add_signed(by).expect("what is worked through was appended before");
        self.since = now;
    }

    /// The share of each partition that has tenants.
    fn shares(&self, tenants: u32) -> Vec<f64> {
        let weight = |tenant: u32| 1.0 / f64::from(tenant + 1);
        let sum: f64 = (0..tenants).map(weight).sum();
        let mut shares: BTreeMap<u32, f64> = BTreeMap::new();
        for (tenant, partition) in &self.partition_of {
            *shares.entry(*partition).or_default() += weight(*tenant) / sum;
        }
        shares.into_values().collect()
    }
}

impl Probe for Skew {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::Arrived, Kind::Emitted, Kind::Effect]
    }

    fn observe(&mut self, observed: &Observed, _estate: &Estate) {
        let now = observed.at.as_secs_f64();
        if let Observation::Arrived { interaction, tenant, .. } = observed.what {
            self.tenant_of.insert(interaction.n, tenant);
        } else if let Observation::Emitted { interaction, partition, .. } = observed.what {
            let tenant = self.tenant_of.remove(&interaction.n).expect("who produces has arrived");
            self.partition_of.insert(tenant, partition);
            self.moves(now, 1);
        } else if let Observation::Effect(_) = observed.what {
            self.moves(now, -1);
        }
    }

    fn samples(&mut self, end: SimTime, estate: &Estate) -> Vec<f64> {
        self.moves(end.as_secs_f64(), 0);
        let tenants = estate.population.tenants;
        assert_eq!(self.partition_of.len(), tenants as usize, "every tenant has come");
        let theory = mean_lag_of_partitions(self.arrivals, self.service, &self.shares(tenants));
        let theory = theory.expect("the scenario has less records than one consumer could do alone");
        vec![self.area / (self.window.end - self.window.start) / theory]
    }
}
