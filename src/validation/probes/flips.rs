//! Events handled under another stage than they were produced under.

use crate::models::estate::{Estate, ReplicaId, ServiceId};
use crate::models::observation::{Kind, Observation, Observed};
use crate::rollout::StageId;
use crate::units::SimTime;
use crate::validation::Probe;
use std::collections::BTreeMap;

/// One sample per partition, each with a member on a replica of its own of the service `worker`: events that it
/// decided on otherwise than the service `source` did that produced them, per flip of the policy.
pub struct Flips {
    flips: u64,
    worker: Option<ServiceId>,
    /// By the interaction's ordinal, of the only journey.
    produced_under: BTreeMap<u64, StageId>,
    crossed: BTreeMap<ReplicaId, u64>,
}

impl Flips {
    pub fn counted() -> Box<dyn Probe> {
        Box::new(Flips { flips: 0, worker: None, produced_under: BTreeMap::new(), crossed: BTreeMap::new() })
    }
}

impl Probe for Flips {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::Stepped, Kind::Decided]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        let worker = *self
            .worker
            .get_or_insert_with(|| estate.service_named("worker").expect("the scenario has a service of this name"));
        if let Observation::Stepped { .. } = observed.what {
            self.flips += 1;
        } else if let Observation::Decided(decided) = observed.what {
            if decided.service == worker {
                let before = self.produced_under.remove(&decided.interaction.n).expect("it was produced before");
                *self.crossed.entry(decided.replica).or_default() += u64::from(before != decided.stage);
            } else {
                self.produced_under.insert(decided.interaction.n, decided.stage);
            }
        }
    }

    fn samples(&mut self, _end: SimTime, _estate: &Estate) -> Vec<f64> {
        self.crossed.values().map(|crossed| *crossed as f64 / self.flips as f64).collect()
    }
}
