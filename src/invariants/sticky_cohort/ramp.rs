//! Growing percentages: which policy versions belong to one, and to which stage it leads.

use crate::models::estate::{Asked, Estate};
use crate::rollout::step::Step;
use crate::rollout::{Condition, FeatureId, PolicyVersion, StageId};
use crate::units::Share;

/// Which versions lie on which ramp, per feature.
#[derive(Debug)]
pub struct Ramps {
    features: Vec<Known>,
    /// Per rollout and step: the stage to which a growing percentage leads, and whether it is the step before's.
    planned: Vec<Vec<Planned>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Planned {
    target: Option<StageId>,
    continues: bool,
}

#[derive(Debug, Default)]
struct Known {
    /// From which version on which ramp holds, ascending.
    since: Vec<(PolicyVersion, u32, Option<StageId>)>,
    /// What holds again once a kill is lifted.
    target: Option<StageId>,
    kills: u32,
}

/// Whether some step of the feature's rollout moves only a share, and audiences look at nothing that differs between
/// two requests of one subject: whoever asks differently may rightly be answered differently.
pub fn is_growing(estate: &Estate, feature: FeatureId) -> bool {
    let share = |line: &crate::rollout::Move| line.percent < Share::ALL;
    let rollouts = estate.rollouts.iter().filter(|rollout| rollout.feature == feature);
    let mut moves = rollouts.flat_map(|rollout| &rollout.steps).flat_map(|step| &step.moves);
    moves.any(share) && asks_only_subjects(estate, feature)
}

/// Whether who gets which stage of the feature depends on nothing that differs between two requests of one subject.
pub fn asks_only_subjects(estate: &Estate, feature: FeatureId) -> bool {
    let rollouts = estate.rollouts.iter().filter(|rollout| rollout.feature == feature);
    let moves = rollouts.flat_map(|rollout| &rollout.steps).flat_map(|step| &step.moves);
    let standing = estate.standing_rules.iter().filter(|(named, _)| *named == feature);
    let standing = standing.flat_map(|(_, rules)| rules).filter_map(|rule| rule.audience.as_deref());
    let mut audiences = moves.filter_map(|line| line.of.as_deref()).chain(standing);
    audiences.all(|audience| asks_subject_only(estate, audience))
}

fn asks_subject_only(estate: &Estate, audience: &Condition) -> bool {
    estate.asked(audience).all(|asked| match asked {
        Asked::TenantAttribute(_)
        | Asked::TenantRegion
        | Asked::TenantId
        | Asked::TenantJoined
        | Asked::UserId
        | Asked::Client => true,
        Asked::Stage(_)
        | Asked::Flag(_)
        | Asked::RequestAttribute(_)
        | Asked::Journey
        // An app is replaced by a newer one.
        | Asked::ClientOld
        | Asked::Region
        | Asked::Code
        | Asked::Status
        | Asked::Attempt
        | Asked::Replayed
        | Asked::DomainVersion
        // It differs between two requests: who was new is so no longer.
        | Asked::TenantAge
        | Asked::Healthy(_) => false,
    })
}

impl Ramps {
    pub fn new(estate: &Estate) -> Ramps {
        let plan = |rollout: &crate::models::estate::Rollout| {
            if is_growing(estate, rollout.feature) { plan(&rollout.steps) } else { Vec::new() }
        };
        let features = estate.features.iter().map(|_| Known::default());
        Ramps { features: features.collect(), planned: estate.rollouts.iter().map(plan).collect() }
    }

    pub fn stepped(&mut self, feature: FeatureId, version: PolicyVersion, rollout: u16, step: u16) {
        let steps = &self.planned[usize::from(rollout)];
        let Some(planned) = steps.get(usize::from(step)).copied() else { return };
        let known = &mut self.features[feature.index()];
        let ramp = known.since.last().map_or(0, |(_, ramp, _)| *ramp);
        let ramp = if planned.continues { ramp } else { ramp + 1 };
        known.target = planned.target;
        let target = if known.kills == 0 { planned.target } else { None };
        known.since.push((version, ramp, target));
    }

    /// Whoever leaves a cohort that was taken back leaves it rightly.
    pub fn went_back(&mut self, feature: FeatureId, version: PolicyVersion) {
        let known = &mut self.features[feature.index()];
        let ramp = known.since.last().map_or(0, |(_, ramp, _)| *ramp);
        known.target = None;
        known.since.push((version, ramp + 1, None));
    }

    /// While a kill is in force nobody's cohort is judged.
    pub fn killed(&mut self, feature: FeatureId, version: PolicyVersion) {
        let known = &mut self.features[feature.index()];
        known.kills += 1;
        known.begin(version);
    }

    pub fn lifted(&mut self, feature: FeatureId, version: PolicyVersion) {
        let known = &mut self.features[feature.index()];
        known.kills = known.kills.saturating_sub(1);
        known.begin(version);
    }

    /// Who is given a stage by name, or no longer is, moves rightly; the share goes on growing for all others.
    pub fn overridden(&mut self, feature: FeatureId, version: PolicyVersion) {
        self.features[feature.index()].begin(version);
    }

    /// The ramp on which this version lies, and the stage to which it leads.
    pub fn at(&self, feature: FeatureId, version: PolicyVersion) -> Option<(u32, StageId)> {
        let since = &self.features[feature.index()].since;
        let (_, ramp, target) = since.iter().rev().find(|(from, _, _)| *from <= version)?;
        target.map(|target| (*ramp, target))
    }
}

impl Known {
    fn begin(&mut self, version: PolicyVersion) {
        let ramp = self.since.last().map_or(0, |(_, ramp, _)| *ramp) + 1;
        let target = if self.kills == 0 { self.target } else { None };
        self.since.push((version, ramp, target));
    }
}

/// What each step is part of: it continues the ramp before it if it leads to the same stage and lowers nobody, that is,
/// moves nobody below a stage that an earlier step moved someone to, and no smaller share where it replaces what was.
fn plan(steps: &[Step]) -> Vec<Planned> {
    let mut planned: Vec<Planned> = Vec::new();
    let mut highest: Option<StageId> = None;
    let mut share = Share::NONE;
    for step in steps {
        let before = planned.last().and_then(|planned| planned.target);
        let partial = step.moves.iter().find(|line| line.percent < Share::ALL);
        let continued = step.moves.iter().find(|line| Some(line.to) == before);
        let line = partial.or(continued);
        let lowest = step.moves.iter().map(|line| line.to).min();
        let lowers = lowest.zip(highest).is_some_and(|(lowest, highest)| lowest < highest)
            || line.is_some_and(|line| line.of.is_none() && line.percent < share);
        let target = line.map(|line| line.to);
        planned.push(Planned { target, continues: target.is_some() && target == before && !lowers });
        highest = highest.max(step.moves.iter().map(|line| line.to).max());
        share = line.filter(|line| line.of.is_none()).map_or(Share::NONE, |line| line.percent);
    }
    planned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::{FEATURE, OFF, ON, estate};
    use crate::rollout::Move;
    use crate::units::SimDuration;

    fn step(moves: &[(f64, StageId)]) -> Step {
        let line = |(percent, to): &(f64, StageId)| {
            let percent = Share::new(*percent).expect("a share");
            Move { of: None, percent, to: *to }
        };
        Step {
            name: String::new(),
            at: None,
            moves: moves.iter().map(line).collect(),
            overrides: Vec::new(),
            redraws: false,
            hold: SimDuration::ZERO,
        }
    }

    fn continues(steps: &[Step]) -> Vec<bool> {
        plan(steps).iter().map(|planned| planned.continues).collect()
    }

    #[test]
    fn a_ramp_goes_on_while_its_share_grows_towards_one_stage() {
        assert_eq!(continues(&[step(&[(0.1, ON)]), step(&[(0.5, ON)]), step(&[(1.0, ON)])]), [false, true, true]);
        assert_eq!(continues(&[step(&[(0.5, ON)]), step(&[(0.1, ON)])]), [false, false]);
        assert_eq!(continues(&[step(&[(0.5, ON)]), step(&[(1.0, OFF)]), step(&[(0.6, ON)])]), [false, false, false]);
        assert_eq!(continues(&[step(&[(0.5, ON)]), step(&[(0.6, ON), (1.0, OFF)])]), [false, false]);
    }

    #[test]
    fn a_kill_suspends_the_ramp_and_its_lift_begins_another() {
        let mut ramps = Ramps::new(&estate());
        let version = PolicyVersion;
        ramps.stepped(FEATURE, version(2), 0, 0);
        ramps.stepped(FEATURE, version(3), 0, 1);
        ramps.killed(FEATURE, version(5));
        ramps.lifted(FEATURE, version(6));
        let at = |number| ramps.at(FEATURE, version(number));
        assert_eq!([at(1), at(2), at(3), at(4)], [None, Some((1, ON)), Some((1, ON)), Some((1, ON))]);
        assert_eq!([at(5), at(6)], [None, Some((3, ON))]);
    }
}
