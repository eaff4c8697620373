//! Conditions compiled where they stand, their mistakes placed in the file.

use std::sync::Arc;

use super::Draft;
use super::place::Place;
use crate::models::estate::Asked;
use crate::rollout::{Condition, FeatureId};
use crate::scenario::expression::{self, ExpressionError};
use crate::scenario::names::{ConditionNames, OPEN_STAGE, OPEN_STATUS, Standing};
use crate::scenario::problem::{Problem, Span};
use crate::scenario::tree::Node;

impl<'a> Draft<'a> {
    /// Compiles the condition at a place. `None` where there is none, or a wrong one.
    pub(super) fn condition(&mut self, place: &Place<'a>, standing: &Standing) -> Option<Arc<Condition>> {
        let node = place.node?;
        let text = node.as_text().filter(|text| !node.is_null() && !text.trim().is_empty())?;
        match self.compiled(text, standing) {
            Ok(condition) => Some(Arc::new(condition)),
            Err(errors) => {
                // Where nothing reaches it, what is open is not the condition's mistake; that nothing does is told.
                let unreached = matches!(standing, Standing::Rule(scope) if !scope.reached);
                let open = |error: &ExpressionError| error.message == OPEN_STAGE || error.message == OPEN_STATUS;
                for error in errors.into_iter().filter(|error| !(unreached && open(error))) {
                    let problem = self.placed(node, text, error);
                    self.problems.push(problem);
                }
                None
            }
        }
    }

    pub(super) fn compiled(&mut self, text: &str, standing: &Standing) -> Result<Condition, Vec<ExpressionError>> {
        let features = &self.estate.features;
        let mut names = ConditionNames { vocabulary: &mut self.vocabulary, features, standing };
        expression::compile(text, &mut names)
    }

    /// A mistake in an expression as a problem at its place in the file.
    pub(super) fn placed(&self, node: &Node, text: &str, error: ExpressionError) -> Problem {
        let span = self.part_of(node, text, &error.range);
        let problem = Problem::error(span, error.message).label("in this condition");
        error.help.into_iter().fold(problem, Problem::help)
    }

    /// Where a part of a scalar's text stands; the whole scalar where it was written with escapes.
    fn part_of(&self, node: &Node, text: &str, range: &std::ops::Range<usize>) -> Span {
        let span = node.span;
        if usize::from(span.file) >= self.sources.len() {
            return span;
        }
        let written = self.sources.text(span.file).get(span.start as usize..span.end as usize).unwrap_or_default();
        let inner = if written == text {
            0
        } else if written.get(1..written.len().saturating_sub(1)) == Some(text) {
            1
        } else {
            return span;
        };
        let offset = |at: usize| u32::try_from(at + inner).map_or(span.end, |at| (span.start + at).min(span.end));
        let start = offset(range.start);
        Span { file: span.file, start, end: offset(range.end).max(start) }
    }

    /// Every feature a condition can ask for.
    pub(super) fn features_read(&self, condition: &Condition) -> Vec<FeatureId> {
        let slots = condition.slots().filter_map(|slot| match self.vocabulary.slots[usize::from(slot.0)] {
            Asked::Stage(feature) | Asked::Flag(feature) => Some(feature),
            Asked::TenantAttribute(_)
            | Asked::RequestAttribute(_)
            | Asked::TenantRegion
            | Asked::TenantId
            | Asked::TenantJoined
            | Asked::Client
            | Asked::ClientOld
            | Asked::TenantAge
            | Asked::UserId
            | Asked::Journey
            | Asked::Region
            | Asked::Code
            | Asked::Status
            | Asked::Attempt
            | Asked::Replayed
            | Asked::DomainVersion
            | Asked::Healthy(_) => None,
        });
        let capabilities = condition.capabilities().map(|(feature, _)| FeatureId::from_u32(u32::from(feature)));
        let mut features: Vec<FeatureId> = slots.chain(capabilities).collect();
        features.sort_unstable();
        features.dedup();
        features
    }
}
