//! What waits on a topic whose consumers stand still.

use super::ClosedForm;
use super::situation::{arrivals, is_sound};
use crate::models::estate::{Estate, Happening, When};
use crate::models::program::{Action, OperationId, RuleWhen};
use crate::theory::lag;

pub const AT_STEP: ClosedForm = ClosedForm {
    name: "lag-of-a-pause",
    of: "lag_at_step.max",
    formula: "λP",
    holds: "λ records per second, P the time from the beginning of the one pause of the one consumer group to the one \
            step that is published within it, after what was handled before has been committed; every errand emits one \
            record, nothing else disturbs the plan",
    source: "the records that arrive in a pause are Poisson(λP) (docs/validation.md, lag)",
    resolution: 0.0,
    value: |plan| at_step(&plan.estate),
};

fn at_step(estate: &Estate) -> Option<f64> {
    let ([group], [rollout], [entry], true) =
        (estate.groups.as_slice(), estate.rollouts.as_slice(), estate.timeline.as_slice(), is_sound(estate))
    else {
        return None;
    };
    let ([step], None) = (rollout.steps.as_slice(), &rollout.guard) else { return None };
    let (When::At(from), Happening::Fault { fault, target, lasts, .. }) = (&entry.when, &entry.what) else {
        return None;
    };
    let lasts = match lasts {
        None => f64::INFINITY,
        Some(lasts) if lasts.is_fixed() => lasts.mean().as_secs_f64(),
        Some(_) => return None,
    };
    let step = (rollout.starts + step.at.unwrap_or_default()).as_secs_f64();
    let paused = step - from.as_secs_f64();
    // What was handled before the pause is committed within an interval of it.
    let settled = 2.0 * group.auto_commit_interval.as_secs_f64();
    let whole = target.region.is_none() && target.count.is_none() && target.group.is_some();
    if fault.name() != "consumer.pause" || !whole || paused < settled || paused >= lasts {
        return None;
    }
    let per_second = estate.journeys.iter().map(|journey| {
        let emits = emitted(estate, journey.first, &mut { MOST_VISITS })?;
        Some(arrivals(&journey.arrivals)? * f64::from(emits))
    });
    Some(lag::after_pause(per_second.sum::<Option<f64>>()?, paused))
}

/// More visits are no errand that anybody draws.
const MOST_VISITS: u32 = 1_000;

/// Records that one errand emits at once; `None` where that differs or takes long.
fn emitted(estate: &Estate, id: OperationId, left: &mut u32) -> Option<u32> {
    *left = left.checked_sub(1)?;
    let operation = &estate.operations[id];
    let mut of_rule = |actions: &[Action]| {
        let each = actions.iter().map(|action| match action {
            Action::Emit(site) => {
                let once = matches!(site.extra_copies, crate::models::estate::Quantity::Given(0.0));
                (once && site.outbox.is_none()).then_some(1)
            }
            Action::Call(site) if site.times == 1 => emitted(estate, site.operation, left),
            Action::Effect(_) | Action::Set { .. } | Action::Mark { .. } | Action::Ignore => Some(0),
            Action::Call(_)
            | Action::Compensate { .. }
            | Action::Wait(_)
            | Action::WaitFlag { .. }
            | Action::Reject { .. }
            | Action::Fail { .. }
            | Action::Shadow(_)
            | Action::DualWrite(_)
            | Action::QueueUntilDaily { .. }
            | Action::QueueUntil(_) => None,
        });
        each.sum::<Option<u32>>()
    };
    if operation.rules.iter().any(|rule| matches!(rule.when, RuleWhen::Condition(_))) {
        return None;
    }
    let mut each = operation.rules.iter().map(|rule| of_rule(&rule.actions));
    let first = each.next()??;
    each.all(|emits| emits == Some(first)).then_some(first)
}
