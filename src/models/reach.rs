//! Whom a plan's way back reaches: whoever it takes off the stage they have.
//!
//! An effect notes it when it is made, because only then is its customer known for sure; a way back may come when the
//! interaction is long closed.

use super::estate::{Estate, PATH_OLD};
use super::observation::EffectMade;
use super::world::World;
use crate::rollout::{FeatureId, FeaturePolicy, Policy};
use std::sync::Arc;

/// How many steps a plan that can go back may have: one bit for each.
pub const MOST_STEPS: usize = 128;

/// The ways back of a plan that reach a subject: before which of its steps the subject was not yet on its stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reach(u128);

impl Reach {
    /// Of the way back before each step, in the order of steps, whether it reaches the subject.
    pub fn of(ways: impl IntoIterator<Item = bool>) -> Reach {
        let bits = ways.into_iter().take(MOST_STEPS).enumerate();
        Reach(bits.fold(0, |bits, (step, reached)| bits | u128::from(reached) << step))
    }

    /// Whether the way back to before this step does.
    pub fn contains(self, before: u16) -> bool {
        usize::from(before) < MOST_STEPS && self.0 >> before & 1 == 1
    }
}

impl World {
    /// The ways back of the plan of an effect's feature that reach its customer. Only what could have to be undone asks,
    /// and only where a plan can go back.
    pub(super) fn reach(
        &mut self,
        estate: &Estate,
        made: &EffectMade,
        customer: super::interaction::Customer,
    ) -> Reach {
        let new = made.path.is_some_and(|path| path != PATH_OLD);
        let Some((feature, stage)) = made.under.filter(|_| new && (made.irreversible || made.compensated)) else {
            return Reach::default();
        };
        let plan = |rollout: &super::estate::Rollout| rollout.feature == feature && rollout.guard.is_some();
        let Some(rollout) = estate.rollouts.iter().position(plan) else { return Reach::default() };
        let policies = self.policies_before(estate, rollout);
        let left = policies.iter().map(|before| self.stage_under(estate, &made.interaction, customer, feature, before));
        Reach::of(left.map(|left| !estate.features[feature].at_most_as_permissive(stage, left)))
    }

    /// The policy to which each way back of a plan leads, kills apart: as it was before each step that was taken, and
    /// as it is going to be before the others.
    fn policies_before(&mut self, estate: &Estate, rollout: usize) -> Arc<[Policy]> {
        if let Some(known) = &self.plans[rollout].ways_back {
            return Arc::clone(known);
        }
        let plan = &estate.rollouts[rollout];
        let mut before: FeaturePolicy = self.control_plane.newest().feature(plan.feature).clone();
        let mut policies = Vec::with_capacity(plan.steps.len());
        for (step, taken) in plan.steps.iter().zip(self.plans[rollout].before()) {
            let left = self.put_back_to(estate, plan.feature, taken.clone().unwrap_or(before));
            before = FeaturePolicy { kills: Vec::new(), ..left };
            let after = step.apply(&before);
            policies.push(self.as_policy(plan.feature, before));
            before = after;
        }
        let policies: Arc<[Policy]> = policies.into();
        self.plans[rollout].ways_back = Some(Arc::clone(&policies));
        policies
    }

    fn as_policy(&self, feature: FeatureId, of: FeaturePolicy) -> Policy {
        self.control_plane.newest().next(feature, of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reach_names_the_steps_whose_way_back_it_is_and_no_others() {
        let reach = Reach::of([true, false, true]);
        assert_eq!(
            [0, 1, 2, 3, 127, 128, u16::MAX].map(|before| reach.contains(before)),
            [true, false, true, false, false, false, false]
        );
        assert!(Reach::of([true; 200]).contains(127));
    }
}
