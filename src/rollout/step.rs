//! A rollout's steps: who moves to which stage, and for how long the step holds.

use super::condition::Condition;
use super::feature::StageId;
use super::policy::{FeaturePolicy, Rule};
use crate::units::{Share, SimDuration};
use std::sync::Arc;

/// By what subjects are put into buckets: whoever shares the value shares the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketBy {
    User,
    Tenant,
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
        FeaturePolicy { rules, ..before.clone() }
    }
}
