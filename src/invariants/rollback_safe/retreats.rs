//! Retreats under way: kills in force, and steps that brought everybody back.

use crate::invariants::kills::is_new;
use crate::models::estate::{Estate, Rollout};
use crate::models::observation::{EffectMade, Observation, ObservationId, Observed, Publication};
use crate::rollout::{FeatureId, Scope, StageId};
use crate::units::{Share, SimTime};

/// A kill, or a step back.
#[derive(Clone, Copy, Debug)]
pub struct Retreat {
    pub feature: FeatureId,
    /// The entry of the timeline; `None`: a step.
    entry: Option<u32>,
    pub scope: Scope,
    /// Where to: nobody in scope is to be beyond this stage.
    pub to: StageId,
    pub at: SimTime,
    pub observation: ObservationId,
}

impl Retreat {
    /// Whether an effect should not take place any more once the retreat has arrived everywhere.
    pub fn forbids(&self, made: &EffectMade, estate: &Estate) -> bool {
        let journey = made.interaction.journey.index() as u16;
        let beyond = |stage| !estate.features[self.feature].at_most_as_permissive(stage, self.to);
        let concerns = made.under.is_some_and(|(feature, stage)| feature == self.feature && beyond(stage));
        concerns && is_new(made) && self.scope.contains(made.tenant_region.index() as u16, made.tenant, journey)
    }
}

#[derive(Default)]
pub struct Retreats(Vec<Retreat>);

impl Retreats {
    /// The retreat that begins with this observation, if one does. A lifted kill and a step forward end one.
    pub fn observe(&mut self, observed: &Observed, estate: &Estate) -> Option<Retreat> {
        let (at, observation) = (observed.at, observed.id);
        let begun = if let Observation::Killed { feature, entry, scope, to, .. } = observed.what {
            Some(Retreat { feature, entry: Some(entry), scope, to, at, observation })
        } else if let Observation::Stepped { rollout, step, .. } = observed.what {
            let rollout = &estate.rollouts[usize::from(rollout)];
            let feature = rollout.feature;
            self.0.retain(|retreat| retreat.feature != feature || retreat.entry.is_some());
            let back = is_step_back(estate, rollout, usize::from(step));
            back.map(|to| Retreat { feature, entry: None, scope: Scope::default(), to, at, observation })
        } else if let Observation::PolicyPublished { publication, .. } = observed.what {
            let back = goes_back(estate, publication);
            back.map(|(feature, to)| Retreat { feature, entry: None, scope: Scope::default(), to, at, observation })
        } else if let Observation::Lifted { entry, .. } = observed.what {
            self.0.retain(|retreat| retreat.entry != Some(entry));
            None
        } else {
            None
        };
        self.0.extend(begun);
        begun
    }

    pub fn iter(&self) -> impl Iterator<Item = &Retreat> {
        self.0.iter()
    }
}

/// The feature that a plan takes all the way back, or caps, and the stage that is left.
fn goes_back(estate: &Estate, publication: Publication) -> Option<(FeatureId, StageId)> {
    match publication {
        Publication::RolledBack { rollout, before: 0 } => {
            let feature = estate.rollouts[usize::from(rollout)].feature;
            Some((feature, estate.features[feature].initial_stage))
        }
        Publication::Capped { rollout, most } => Some((estate.rollouts[usize::from(rollout)].feature, most)),
        // Whoever a partial way back leaves where they are is where they are meant to be.
        Publication::RolledBack { .. }
        | Publication::Initial
        | Publication::Step { .. }
        | Publication::Kill { .. }
        | Publication::Lift { .. } => None,
    }
}

/// The stage to which a step brings everybody back: a single one for all, below one that an earlier step reached.
pub fn is_step_back(estate: &Estate, rollout: &Rollout, step: usize) -> Option<StageId> {
    let feature = &estate.features[rollout.feature];
    let [line] = rollout.steps[step].moves.as_slice() else { return None };
    let earlier = rollout.steps[..step].iter().flat_map(|step| &step.moves);
    let mut beyond = earlier.filter(|earlier| !feature.at_most_as_permissive(earlier.to, line.to));
    (line.of.is_none() && line.percent == Share::ALL && beyond.next().is_some()).then_some(line.to)
}
