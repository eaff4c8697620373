//! The rollout context: decisions that travel with requests and events.

use super::estate::{Service, ServiceId};
use super::observation::Refused;
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
    /// The environment whose policy it rests on; zero: production.
    pub environment: u32,
    /// Hash of the attributes that its decider left out; zero: none.
    pub left_out: u64,
    /// The service that first decided it.
    pub origin: ServiceId,
    /// From then on nobody goes by it.
    pub expires: Option<SimTime>,
}

impl CarriedDecision {
    /// Why a service to which it is carried does not go by it.
    pub fn refused_by(&self, service: &Service, now: SimTime) -> Option<Refused> {
        if self.expires.is_some_and(|expires| now >= expires) {
            return Some(Refused::Expired);
        }
        let trusted = service.trusts.is_empty() || service.trusts.contains(&self.origin);
        (!trusted).then_some(Refused::Untrusted)
    }
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
