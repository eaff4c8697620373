//! Whether every stage that something can set has a row in every matrix it can get to.

use super::Draft;
use crate::models::program::OperationId;
use crate::rollout::FeatureId;
use crate::scenario::problem::{Problem, Span};

/// A matrix by stage without `else`.
pub(super) struct Matrix {
    pub operation: OperationId,
    pub feature: FeatureId,
    /// By stage: whether a row holds.
    pub covered: Vec<bool>,
    pub span: Span,
}

impl Draft<'_> {
    pub(super) fn check_coverage(&mut self) {
        for at in 0..self.matrices.len() {
            let Matrix { operation, feature, covered, span } = &self.matrices[at];
            if !self.operations[operation.index()].reached {
                continue;
            }
            let of = &self.estate.features[*feature];
            let mut missing = self.settable[feature.index()].clone();
            missing.retain(|(stage, _)| !covered[stage.index()]);
            missing.sort_unstable_by_key(|(stage, _)| *stage);
            let operation = &self.estate.operations[*operation];
            let operation = format!("{}.{}", self.estate.services[operation.service].name, operation.name);
            let mut problems = Vec::new();
            for (stage, by) in missing {
                let name = of.stage_name(stage);
                let message = format!("`{operation}` has no row for the stage `{name}`: {by}");
                let problem = Problem::error(*span, message);
                problems.push(match of.stages[stage.index()].rank {
                    Some(_) => problem.label("the first row is above it").help(format!("begin with a row {name}:")),
                    None => problem
                        .label("a stage off the ladder needs a row of its own")
                        .help(format!("write {name}: {{ like: {} }}, or `else:`", of.stage_name(of.safe_stage))),
                });
            }
            self.problems.extend(problems);
        }
    }
}
