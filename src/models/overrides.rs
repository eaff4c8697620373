//! Overrides with a schedule: a user or tenant is given a stage by name at a time, and it is taken away at another. Each
//! is a policy version of its own.

use super::estate::{Estate, Happening};
use super::observation::Publication;
use super::world::World;
use crate::rollout::{FeatureId, FeaturePolicy, Override, Who};

impl Estate {
    /// Whether an override of this subject has a schedule of its own, which no step of a plan and no way back changes.
    pub fn is_scheduled(&self, feature: FeatureId, who: Who) -> bool {
        self.timeline.iter().any(|entry| match &entry.what {
            Happening::Override { feature: of, given, .. } => *of == feature && given.who == who,
            Happening::Fault { .. }
            | Happening::Deploy { .. }
            | Happening::Kill { .. }
            | Happening::Replay { .. }
            | Happening::Act { .. }
            | Happening::OverrideEnds { .. } => false,
        })
    }
}

impl World {
    /// An override begins, unless its end has come before it.
    pub(super) fn give_override(
        &mut self,
        estate: &Estate,
        entry: u32,
        feature: FeatureId,
        given: Override,
        until: Option<u32>,
    ) {
        let over = until.is_some_and(|until| self.entries[until as usize].came);
        if over || self.is_without(estate, feature) {
            return;
        }
        self.entries[entry as usize].strikes += 1;
        let mut changed = self.control_plane.newest().feature(feature).clone();
        changed.overrides.retain(|old| old.who != given.who);
        changed.overrides.push(given);
        self.publish(estate, feature, changed, Publication::Override { entry });
        self.forget_ways_back(estate, feature);
    }

    pub(super) fn end_override(&mut self, estate: &Estate, entry: u32, feature: FeatureId, who: Who, given_by: u32) {
        self.entries[entry as usize].came = true;
        if self.entries[given_by as usize].strikes == 0 {
            return;
        }
        self.entries[entry as usize].strikes += 1;
        let mut changed = self.control_plane.newest().feature(feature).clone();
        changed.overrides.retain(|old| old.who != who);
        self.publish(estate, feature, changed, Publication::Override { entry });
        self.forget_ways_back(estate, feature);
    }

    /// What a way back would leave is to be found anew.
    fn forget_ways_back(&mut self, estate: &Estate, feature: FeatureId) {
        for (rollout, plan) in estate.rollouts.iter().zip(&mut self.plans) {
            if rollout.feature == feature {
                plan.ways_back = None;
            }
        }
    }

    /// A run without the rollouts has none of what belongs to them.
    fn is_without(&self, estate: &Estate, feature: FeatureId) -> bool {
        self.without_rollouts && estate.rollouts.iter().any(|rollout| rollout.feature == feature)
    }

    /// An earlier policy of a feature as it would be published again now: kills in force stay in force, and overrides with
    /// a schedule are where this has them.
    pub(super) fn put_back_to(&self, estate: &Estate, feature: FeatureId, old: FeaturePolicy) -> FeaturePolicy {
        let now = self.control_plane.newest().feature(feature);
        let scheduled = |given: &&Override| estate.is_scheduled(feature, given.who);
        let mut overrides: Vec<Override> = old.overrides.iter().filter(|given| !scheduled(given)).copied().collect();
        overrides.extend(now.overrides.iter().filter(scheduled));
        FeaturePolicy { kills: now.kills.clone(), overrides, ..old }
    }
}
