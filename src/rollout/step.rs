//! A rollout's steps: who moves to which stage, and for how long the step holds.

use super::condition::{Condition, SlotId};
use super::decide::bucket_word;
use super::feature::StageId;
use super::policy::{FeaturePolicy, Override, Rule};
use crate::units::{Share, SimDuration};
use std::sync::Arc;

/// By what subjects are put into buckets: whoever shares the value shares the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketBy {
    User,
    Tenant,
    /// Each interaction anew: nobody is kept where they were.
    Session,
    /// The value of an attribute; a subject without it is in no share.
    Attribute(SlotId),
}

/// One line of a step: whom, which share, to which stage.
#[derive(Clone, Debug)]
pub struct Move {
    pub of: Option<Arc<Condition>>,
    pub percent: Share,
    pub to: StageId,
}

/// One step of a rollout.
#[derive(Clone, Debug)]
pub struct Step {
    /// The name timeline entries hang on; steps without one are named by their number, from 1.
    pub name: String,
    /// When it is due, counted from the start of the rollout; `None`: when the previous step's hold ends.
    pub at: Option<SimDuration>,
    pub moves: Vec<Move>,
    /// Stages given to single users and tenants from this step on, until a later step gives them another.
    pub overrides: Vec<Override>,
    /// Whether subjects are drawn anew where the rollout begins again after everybody was back.
    pub redraws: bool,
    pub hold: SimDuration,
}

impl Step {
    /// The policy after this step: its lines in front of those of the steps before (rules.md, 11), so that whom
    /// it does not name keeps the stage they have.
    pub fn apply(&self, before: &FeaturePolicy) -> FeaturePolicy {
        let mut rules: Vec<Rule> = self
            .moves
            .iter()
            .map(|line| Rule { audience: line.of.clone(), share: line.percent, stage: line.to })
            .collect();
        let covers_everybody = rules.iter().any(|rule| rule.audience.is_none() && rule.share == Share::ALL);
        if !covers_everybody {
            rules.extend(before.rules.iter().cloned());
        }
        let mut overrides = self.overrides.clone();
        let known = |given: &[Override], old: &Override| given.iter().any(|new| new.who == old.who);
        overrides.extend(before.overrides.iter().filter(|old| !known(&self.overrides, old)));
        let salt = if self.redraws && self.begins_again(before) { redrawn(before.salt) } else { before.salt };
        FeaturePolicy { rules, overrides, salt, ..before.clone() }
    }

    /// Whether this step moves somebody after earlier steps brought everybody back to where the rollout began: another
    /// instance of the rollout. Within an instance percentages nest.
    fn begins_again(&self, before: &FeaturePolicy) -> bool {
        let back = |stage: StageId| stage == before.default_stage;
        !before.rules.is_empty()
            && before.rules.iter().all(|rule| back(rule.stage))
            && self.moves.iter().any(|line| !back(line.to))
    }
}

/// The salt of the next instance of a rollout.
fn redrawn(salt: u64) -> u64 {
    bucket_word(salt, u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::policy::Who;

    const OFF: StageId = StageId(0);
    const ON: StageId = StageId(1);

    fn step(to: StageId, redraws: bool, overrides: &[Override]) -> Step {
        let moves = vec![Move { of: None, percent: Share::ALL, to }];
        let (name, hold) = (String::new(), SimDuration::ZERO);
        Step { name, at: None, moves, overrides: overrides.to_vec(), redraws, hold }
    }

    fn before() -> FeaturePolicy {
        FeaturePolicy {
            overrides: Vec::new(),
            rules: Vec::new(),
            default_stage: OFF,
            kills: Vec::new(),
            bucket_by: BucketBy::User,
            salt: 7,
        }
    }

    #[test]
    fn a_rollout_begun_again_draws_anew_where_it_is_told_to_and_not_while_it_grows() {
        for redraws in [false, true] {
            let first = step(ON, redraws, &[]).apply(&before());
            let grown = step(ON, redraws, &[]).apply(&first);
            assert_eq!((first.salt, grown.salt), (7, 7));
            let back = step(OFF, redraws, &[]).apply(&grown);
            assert_eq!(back.salt, 7);
            assert_eq!(step(ON, redraws, &[]).apply(&back).salt != 7, redraws);
        }
    }

    #[test]
    fn an_override_lasts_until_a_later_step_gives_its_subject_another() {
        let given = |who, to| Override { who, to };
        let first = step(OFF, false, &[given(Who::User(3), ON), given(Who::Tenant(1), ON)]).apply(&before());
        let then = step(OFF, false, &[given(Who::User(3), OFF)]).apply(&first);
        assert_eq!(then.overrides, [given(Who::User(3), OFF), given(Who::Tenant(1), ON)]);
    }
}
