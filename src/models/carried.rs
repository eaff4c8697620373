//! The rollout context: decisions that travel with requests and events.

use crate::rollout::policy::PolicyVersion;
use crate::rollout::{FeatureId, Reason, StageId};
use crate::units::SimTime;

/// A decision on its way: what was used, with the id of the decision it goes back to.
#[derive(Clone, Copy, Debug)]
pub struct CarriedDecision {
    pub stage: StageId,
    pub reason: Reason,
    pub rule: Option<u16>,
    pub policy_version: Option<PolicyVersion>,
    pub decision_id: u64,
    pub decided_at: SimTime,
    pub salt: u64,
}

/// A rollout context. Most interactions carry one feature, which costs no allocation.
#[derive(Clone, Debug, Default)]
pub struct Context {
    first: Option<(FeatureId, CarriedDecision)>,
    more: Vec<(FeatureId, CarriedDecision)>,
}

impl Context {
    pub fn get(&self, feature: FeatureId) -> Option<&CarriedDecision> {
        self.iter().find(|(carried, _)| *carried == feature).map(|(_, decision)| decision)
    }

    pub fn set(&mut self, feature: FeatureId, decision: CarriedDecision) {
        match &mut self.first {
            None => self.first = Some((feature, decision)),
            Some((carried, held)) if *carried == feature => *held = decision,
            Some(_) => match self.more.iter_mut().find(|(carried, _)| *carried == feature) {
                Some((_, held)) => *held = decision,
                None => self.more.push((feature, decision)),
            },
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &(FeatureId, CarriedDecision)> {
        self.first.iter().chain(&self.more)
    }

    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}
