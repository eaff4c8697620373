//! Which policy version each replica with an SDK holds, as the observations tell it.

use crate::models::estate::{Delivery, Estate, Part, ReplicaId};
use crate::models::observation::Observation;
use crate::rollout::PolicyVersion;

/// The replicas with an SDK and what they hold. All begin live, with version 1.
#[derive(Clone, Debug)]
pub struct Fleet {
    replicas: Vec<Holding>,
    /// Live replicas per version, by its number.
    counts: Vec<u32>,
    /// How many versions at least one live replica holds.
    distinct: u32,
    live: u32,
    with_sdk: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holding {
    /// Whether the replica has an SDK that keeps a policy; `remote` keeps none.
    keeps: bool,
    live: bool,
    version: Option<PolicyVersion>,
}

impl Fleet {
    pub fn new(estate: &Estate) -> Fleet {
        let keeps = |sdk: Option<&Delivery>| match sdk {
            None | Some(Delivery::Remote) => false,
            Some(
                Delivery::Poll { .. }
                | Delivery::Ttl { .. }
                | Delivery::Stream { .. }
                | Delivery::File
                | Delivery::Topic { .. },
            ) => true,
        };
        let replicas: Vec<Holding> = estate
            .replicas
            .iter()
            .map(|replica| {
                let service = &estate.services[replica.service];
                // A layer is part of the replica beside it.
                let sdk = service.sdk.as_ref().filter(|_| service.part != Part::Switches);
                let keeps = keeps(sdk.map(|sdk| &sdk.delivery));
                Holding { keeps, live: true, version: keeps.then_some(PolicyVersion(1)) }
            })
            .collect();
        let with_sdk = replicas.iter().filter(|holding| holding.keeps).count() as u32;
        let distinct = u32::from(with_sdk > 0);
        Fleet { replicas, counts: vec![0, with_sdk], distinct, live: with_sdk, with_sdk }
    }

    /// Takes in a `PolicyApplied`, `PolicyLost`, `Crashed` or `Restarted`; whether anything changed.
    pub fn observe(&mut self, what: &Observation) -> bool {
        if let Observation::PolicyApplied { replica, version, .. } = *what {
            self.change(replica, |holding| holding.version = Some(version))
        } else if let Observation::PolicyLost { replica } = *what {
            self.change(replica, |holding| holding.version = None)
        } else if let Observation::Crashed { replica } = *what {
            self.change(replica, |holding| holding.live = false)
        } else if let Observation::Restarted { replica } = *what {
            self.change(replica, |holding| holding.live = true)
        } else {
            false
        }
    }

    /// The one replica whose standing an observation can change.
    pub fn concerned(what: &Observation) -> Option<ReplicaId> {
        if let Observation::PolicyApplied { replica, .. }
        | Observation::PolicyLost { replica }
        | Observation::Crashed { replica }
        | Observation::Restarted { replica } = *what
        {
            Some(replica)
        } else {
            None
        }
    }

    fn change(&mut self, replica: ReplicaId, change: impl FnOnce(&mut Holding)) -> bool {
        let before = self.replicas[replica.index()];
        let holding = &mut self.replicas[replica.index()];
        change(holding);
        let after = *holding;
        if !before.keeps || before == after {
            return false;
        }
        if before.live {
            self.live -= 1;
            self.leave(before.version);
        }
        if after.live {
            self.live += 1;
            self.join(after.version);
        }
        true
    }

    fn leave(&mut self, version: Option<PolicyVersion>) {
        if let Some(version) = version {
            let count = &mut self.counts[version.0 as usize];
            *count -= 1;
            self.distinct -= u32::from(*count == 0);
        }
    }

    fn join(&mut self, version: Option<PolicyVersion>) {
        if let Some(version) = version {
            let index = version.0 as usize;
            if index >= self.counts.len() {
                self.counts.resize(index + 1, 0);
            }
            self.distinct += u32::from(self.counts[index] == 0);
            self.counts[index] += 1;
        }
    }

    /// Whether live replicas hold different versions, or some hold one and others none.
    pub fn is_divided(&self) -> bool {
        self.distinct > 1 || (self.distinct == 1 && self.live > self.counts.iter().sum::<u32>())
    }

    /// Whether every live replica holds this version.
    pub fn all_hold(&self, version: PolicyVersion) -> bool {
        self.live > 0 && self.counts.get(version.0 as usize) == Some(&self.live)
    }

    /// Live replicas per version, by its number.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Replicas with an SDK that keeps a policy, live or not.
    pub fn size(&self) -> u32 {
        self.with_sdk
    }

    /// Whether this replica has an SDK that keeps a policy.
    pub fn keeps(&self, replica: ReplicaId) -> bool {
        self.replicas[replica.index()].keeps
    }

    pub fn is_live(&self, replica: ReplicaId) -> bool {
        self.replicas[replica.index()].live
    }

    pub fn held(&self, replica: ReplicaId) -> Option<PolicyVersion> {
        self.replicas[replica.index()].version
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::{estate, replica};

    #[test]
    fn a_fleet_is_divided_while_live_replicas_hold_different_versions() {
        let mut fleet = Fleet::new(&estate());
        assert!(!fleet.is_divided());
        assert!(fleet.all_hold(PolicyVersion(1)));
        let all: Vec<ReplicaId> = (0..fleet.size()).map(replica).collect();
        let applied = |replica| Observation::PolicyApplied { replica, version: PolicyVersion(2), previous: None };
        for replica in &all[1..] {
            assert!(fleet.observe(&applied(*replica)));
            assert!(fleet.is_divided());
        }
        assert!(fleet.observe(&Observation::Crashed { replica: all[0] }));
        assert!(!fleet.is_divided());
        assert!(fleet.all_hold(PolicyVersion(2)));
        fleet.observe(&Observation::PolicyLost { replica: all[0] });
        fleet.observe(&Observation::Restarted { replica: all[0] });
        assert!(fleet.is_divided());
    }
}
