//! A policy version: numbered, immutable, complete.

use super::condition::Condition;
use super::feature::{Feature, FeatureId, StageId};
use super::step::BucketBy;
use crate::units::Share;
use std::sync::Arc;

/// The number of a policy version. Versions count from 1, the policy in force before the run; one per change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyVersion(pub u32);

impl std::fmt::Display for PolicyVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One targeting rule: whom, which share of them, to which stage.
#[derive(Clone, Debug)]
pub struct Rule {
    /// `None`: everybody.
    pub audience: Option<Arc<Condition>>,
    pub share: Share,
    pub stage: StageId,
}

/// Whom a kill reaches. Empty fields reach everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub region: Option<u16>,
    pub tenant: Option<u32>,
    pub journey: Option<u16>,
}

impl Scope {
    pub fn contains(&self, region: u16, tenant: u32, journey: u16) -> bool {
        self.region.is_none_or(|named| named == region)
            && self.tenant.is_none_or(|named| named == tenant)
            && self.journey.is_none_or(|named| named == journey)
    }
}

/// A kill switch in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    pub scope: Scope,
    pub to: StageId,
    /// Which entry of the timeline issued it, so that lifting finds it.
    pub issued_by: u32,
}

/// Whom an override names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    User(u64),
    Tenant(u32),
}

/// A stage given to one user or tenant, whatever the targeting rules say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Override {
    pub who: Who,
    pub to: StageId,
}

/// What a policy version says of one feature.
#[derive(Clone, Debug)]
pub struct FeaturePolicy {
    /// At most one for each user and tenant.
    pub overrides: Vec<Override>,
    /// First match wins.
    pub rules: Vec<Rule>,
    pub default_stage: StageId,
    pub kills: Vec<Kill>,
    pub bucket_by: BucketBy,
    /// The key under which subjects are put into buckets; the same key keeps ramps nested.
    pub salt: u64,
}

impl FeaturePolicy {
    /// Nobody stays above a stage.
    pub fn cap(&mut self, feature: &Feature, most: StageId) {
        let capped = |stage: StageId| if feature.at_most_as_permissive(stage, most) { stage } else { most };
        self.rules.iter_mut().for_each(|rule| rule.stage = capped(rule.stage));
        self.overrides.iter_mut().for_each(|given| given.to = capped(given.to));
        self.default_stage = capped(self.default_stage);
    }
}

/// A policy version: what it says of every feature. Features that a change does not touch are shared.
#[derive(Clone, Debug)]
pub struct Policy {
    pub version: PolicyVersion,
    features: Vec<Arc<FeaturePolicy>>,
}

impl Policy {
    pub fn initial(features: impl IntoIterator<Item = FeaturePolicy>) -> Policy {
        Policy { version: PolicyVersion(1), features: features.into_iter().map(Arc::new).collect() }
    }

    pub fn feature(&self, feature: FeatureId) -> &FeaturePolicy {
        &self.features[feature.index()]
    }

    /// The next version, with one feature's policy changed.
    pub fn next(&self, feature: FeatureId, changed: FeaturePolicy) -> Policy {
        let mut features = self.features.clone();
        features[feature.index()] = Arc::new(changed);
        Policy { version: PolicyVersion(self.version.0 + 1), features }
    }
}
