//! Kills in force, and which effects they speak of.

use crate::models::estate::{Estate, PATH_OLD};
use crate::models::observation::{EffectMade, Observation, ObservationId, Observed};
use crate::rollout::{FeatureId, Scope, StageId};
use crate::units::SimTime;

/// The kills that were issued and not lifted.
#[derive(Debug, Default)]
pub struct Kills {
    in_force: Vec<InForce>,
}

/// A kill in force.
#[derive(Clone, Copy, Debug)]
pub struct InForce {
    pub feature: FeatureId,
    /// The entry of the timeline that issued it.
    pub entry: u32,
    pub scope: Scope,
    pub to: StageId,
    pub issued: SimTime,
    pub observation: ObservationId,
}

impl Kills {
    /// Takes in a `Killed` or `Lifted`; the kill that was issued, if one was.
    pub fn observe(&mut self, observed: &Observed) -> Option<InForce> {
        if let Observation::Killed { feature, entry, scope, to, .. } = observed.what {
            let kill = InForce { feature, entry, scope, to, issued: observed.at, observation: observed.id };
            self.in_force.push(kill);
            return Some(kill);
        }
        if let Observation::Lifted { entry, .. } = observed.what {
            self.in_force.retain(|kill| kill.entry != entry);
        }
        None
    }

    pub fn is_empty(&self) -> bool {
        self.in_force.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &InForce> {
        self.in_force.iter()
    }
}

impl InForce {
    /// Whether the effect came from the killed feature and its subject is in the kill's scope.
    pub fn reaches(&self, made: &EffectMade) -> bool {
        let journey = made.interaction.journey.index() as u16;
        made.under.is_some_and(|(feature, _)| feature == self.feature)
            && self.scope.contains(made.tenant_region.index() as u16, made.tenant, journey)
    }

    /// Whether the effect, once the kill has arrived everywhere, should not take place: on a new path, under a stage
    /// that allows more than the stage killed to (rules.md, 9).
    pub fn forbids(&self, made: &EffectMade, estate: &Estate) -> bool {
        let beyond = |stage| !estate.features[self.feature].at_most_as_permissive(stage, self.to);
        is_new(made) && self.reaches(made) && made.under.is_some_and(|(_, stage)| beyond(stage))
    }
}

/// Whether the effect is on a path that is neither old nor neutral (rules.md, 7).
pub fn is_new(made: &EffectMade) -> bool {
    made.path.is_some_and(|path| path != PATH_OLD)
}
