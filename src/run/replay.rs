//! One run with its stories: what happened, and the first violations told from its own trace.

use super::course::RunSpec;
use super::execute::{Detail, Limits, run_spec};
use super::story;
use super::summary::{RunSummary, Story};
use crate::scenario::plan::Plan;
use std::sync::atomic::AtomicBool;

/// How many violated invariants get a story.
const STORIES: usize = 3;
/// Nobody plots a replay; a series has at least one bucket.
const BUCKETS: usize = 1;

/// Runs it, and where something is violated once more with the trace that its stories need. `None` where it was
/// stopped.
pub fn replay(plan: &Plan, spec: &RunSpec, limits: Limits, stop: &AtomicBool) -> Option<(RunSummary, Vec<Story>)> {
    let summary = run_spec(plan, spec, limits, &Detail::Summary, stop)?.summary;
    let violated = summary.invariants.iter().filter(|outcome| outcome.violations > 0);
    let told: Vec<_> =
        violated.filter_map(|outcome| Some((outcome.name, outcome.first.first()?.clone()))).take(STORIES).collect();
    if told.is_empty() {
        return Some((summary, Vec::new()));
    }
    let keep = told.iter().filter_map(|(_, violation)| violation.interaction).map(|of| of.key()).collect();
    let trace = run_spec(plan, spec, limits, &Detail::Exhibit { buckets: BUCKETS, keep }, stop)?.trace;
    let tell = |(name, violation): (&'static str, crate::invariants::Violation)| {
        story::tell(&violation, name, spec.seed, &trace, &plan.estate)
    };
    Some((summary, told.into_iter().map(tell).collect()))
}
