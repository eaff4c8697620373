//! Retreats under way: kills in force, plans that went back, and steps that brought everybody back; and which effects
//! they speak of.

use super::account;
use super::kills::is_new;
use crate::models::estate::{Estate, Rollout};
use crate::models::observation::{EffectMade, Observation, ObservationId, Observed, Publication};
use crate::rollout::{FeatureId, Scope, StageId};
use crate::units::{Share, SimTime};

/// A kill, a step back, or a plan that goes back.
#[derive(Clone, Copy, Debug)]
pub struct Retreat {
    pub feature: FeatureId,
    pub by: By,
    pub scope: Scope,
    /// Nobody in scope is to be beyond this stage; `None`: whom it takes back is a matter of each subject.
    pub to: Option<StageId>,
    pub at: SimTime,
    pub observation: ObservationId,
}

/// What takes them back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A kill, by its entry of the timeline.
    Kill(u32),
    /// A step of a plan that brings everybody to one stage.
    Step { rollout: u16, step: u16 },
    /// A plan that leaves nobody above a stage.
    Cap,
    /// A plan that restores the policy before a step.
    Back { rollout: u16, before: u16 },
}

impl Retreat {
    /// Whether an effect should not take place any more once the retreat has arrived everywhere: on a new path, under a
    /// stage that is more than the retreat leaves its subject.
    pub fn forbids(&self, made: &EffectMade, estate: &Estate) -> bool {
        let Some((_, stage)) = made.under.filter(|(feature, _)| *feature == self.feature && is_new(made)) else {
            return false;
        };
        let journey = made.interaction.journey.index() as u16;
        match self.by {
            By::Back { before, .. } => made.reach.contains(before),
            By::Kill(_) | By::Step { .. } | By::Cap => {
                self.is_beyond(stage, estate)
                    && self.scope.contains(made.tenant_region.index() as u16, made.tenant, journey)
            }
        }
    }

    /// Whether a stage is more than the retreat leaves anybody.
    pub fn is_beyond(&self, stage: StageId, estate: &Estate) -> bool {
        self.to.is_some_and(|to| !estate.features[self.feature].at_most_as_permissive(stage, to))
    }

    pub fn is_kill(&self) -> bool {
        matches!(self.by, By::Kill(_))
    }

    /// What happened, as the end of a sentence: `new-checkout was killed in eu-west`, `new-checkout went back before
    /// all`.
    pub fn told(&self, estate: &Estate) -> String {
        let feature = &estate.features[self.feature];
        let name = &feature.name;
        let step = |rollout: u16, step: u16| &estate.rollouts[usize::from(rollout)].steps[usize::from(step)].name;
        match (self.by, self.to) {
            (By::Kill(_), _) => format!("{name} was killed{}", account::scope(&self.scope, estate)),
            (By::Back { rollout, before }, _) => format!("{name} went back to before step {}", step(rollout, before)),
            (By::Step { rollout, step: at }, _) => format!("{name} was taken back by step {}", step(rollout, at)),
            (By::Cap, Some(to)) => format!("{name} went back to {}", feature.stage_name(to)),
            (By::Cap, None) => format!("{name} went back"),
        }
    }
}

/// The retreats under way.
#[derive(Debug, Default)]
pub struct Retreats(Vec<Retreat>);

impl Retreats {
    /// The retreat that begins with this observation, if one does. A lifted kill and a step forward end one.
    pub fn observe(&mut self, observed: &Observed, estate: &Estate) -> Option<Retreat> {
        let (at, observation) = (observed.at, observed.id);
        let of_all = |feature, by, to| Retreat { feature, by, scope: Scope::default(), to, at, observation };
        let begun = if let Observation::Killed { feature, entry, scope, to, .. } = observed.what {
            Some(Retreat { scope, ..of_all(feature, By::Kill(entry), Some(to)) })
        } else if let Observation::Stepped { rollout, step, .. } = observed.what {
            let plan = &estate.rollouts[usize::from(rollout)];
            self.0.retain(|retreat| retreat.feature != plan.feature || retreat.is_kill());
            let back = is_step_back(estate, plan, usize::from(step));
            back.map(|to| of_all(plan.feature, By::Step { rollout, step }, Some(to)))
        } else if let Observation::PolicyPublished { publication, .. } = observed.what {
            went_back(estate, publication).map(|(feature, by, to)| of_all(feature, by, to))
        } else if let Observation::Lifted { entry, .. } = observed.what {
            self.0.retain(|retreat| retreat.by != By::Kill(entry));
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

/// The feature whose plan goes back with a publication, how, and the stage above which nobody is left.
fn went_back(estate: &Estate, publication: Publication) -> Option<(FeatureId, By, Option<StageId>)> {
    match publication {
        Publication::RolledBack { rollout, before } => {
            let feature = estate.rollouts[usize::from(rollout)].feature;
            // Whom a partial way back leaves where they are is a matter of their cohort.
            let to = (before == 0).then(|| estate.features[feature].initial_stage);
            Some((feature, By::Back { rollout, before }, to))
        }
        Publication::Capped { rollout, most } => {
            Some((estate.rollouts[usize::from(rollout)].feature, By::Cap, Some(most)))
        }
        Publication::Initial
        | Publication::Step { .. }
        | Publication::Kill { .. }
        | Publication::Override { .. }
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
