//! Calls that fail and are tried again.

use super::ClosedForm;
use super::situation::{arrivals, is_undisturbed};
use crate::models::estate::{Estate, Quantity};
use crate::models::program::{Action, OnError, OperationId, RuleWhen};
use crate::theory::retries;

const HOLDS: &str = "q the share of attempts that fail, m the retries of a call, layer by layer from the bottom up; \
                     every operation does the same for everybody, no attempt times out, services have room for all \
                     attempts, a run has at least one failure on average, nothing disturbs the plan";

pub const ATTEMPTS: ClosedForm = ClosedForm {
    name: "attempts-of-retries",
    of: "attempts_per_call",
    formula: "Σ attempts/Σ calls, (1 − q^(m+1))/(1 − q) attempts of a call",
    holds: HOLDS,
    source: "attempts that fail independently (docs/validation.md, retries)",
    resolution: 0.0,
    value: |plan| {
        let tried = tried(&plan.estate)?;
        (tried.calls > 0.0).then_some(tried.attempts / tried.calls)
    },
};

pub const FAILURES: ClosedForm = ClosedForm {
    name: "failures-of-retries",
    of: "error_rate",
    formula: "the share of errands that fail for good, q^(m+1) of a call",
    holds: HOLDS,
    source: ATTEMPTS.source,
    resolution: 0.0,
    value: |plan| {
        let tried = tried(&plan.estate)?;
        // Of failures that a run rarely has, no seeds say how often they come.
        let seen = tried.fails == 0.0 || tried.fails * plan.estate.duration.as_secs_f64() >= 1.0;
        (seen && tried.errands > 0.0).then_some(tried.fails / tried.errands)
    },
};

/// Means of one execution of an operation, or rates per second of all errands.
#[derive(Clone, Copy, Debug, Default)]
struct Tried {
    errands: f64,
    calls: f64,
    attempts: f64,
    fails: f64,
}

/// Calls, attempts and failures per second of all journeys.
fn tried(estate: &Estate) -> Option<Tried> {
    if !is_undisturbed(estate) || !estate.groups.is_empty() {
        return None;
    }
    let mut all = Tried::default();
    let mut busy = vec![0.0; estate.services.len()];
    for journey in estate.journeys.iter() {
        let per_second = arrivals(&journey.arrivals)?;
        let known = vec![None; estate.operations.len()];
        let mut walk = Walk { estate, known, left: MOST_VISITS, busy: vec![0.0; estate.services.len()] };
        let (one, _) = walk.operation(journey.first, 0)?;
        // Its share of the time is that of one errand; calls are counted per attempt below.
        walk.visit(journey.first, 1.0, 0)?;
        busy.iter_mut().zip(&walk.busy).for_each(|(sum, one)| *sum += per_second * one);
        all.errands += per_second;
        all.calls += per_second * one.calls;
        all.attempts += per_second * one.attempts;
        all.fails += per_second * one.fails;
    }
    let room = |(at, service): (usize, &crate::models::estate::Service)| {
        busy[at] <= 0.5 * f64::from(service.workers) * service.replicas.len() as f64
    };
    estate.services.iter().enumerate().all(room).then_some(all)
}

struct Walk<'e> {
    estate: &'e Estate,
    /// What operations that were looked at come to.
    known: Vec<Option<(Tried, f64)>>,
    /// Visits that may still be looked at.
    left: u32,
    /// Seconds for which each service's workers are kept.
    busy: Vec<f64>,
}

/// More visits, or calls deeper than this, are no errand that anybody draws.
const MOST_VISITS: u32 = 10_000;
const DEEPEST: u32 = 32;

impl Walk<'_> {
    /// What one execution of an operation comes to, and how many seconds it takes at most on average.
    fn operation(&mut self, id: OperationId, depth: u32) -> Option<(Tried, f64)> {
        if let Some(known) = self.known[id.index()] {
            return Some(known);
        }
        let operation = &self.estate.operations[id];
        let [rule] = operation.rules.as_slice() else { return None };
        if depth > DEEPEST || !matches!(rule.when, RuleWhen::Always) {
            return None;
        }
        let leg = self.estate.network.within.mean().as_secs_f64();
        let (mut sum, mut goes_on, mut takes) = (Tried::default(), 1.0, operation.takes.mean().as_secs_f64());
        for action in &rule.actions {
            match action {
                Action::Call(site) => {
                    let (below, below_takes) = self.operation(site.operation, depth + 1)?;
                    let answered = below_takes + 2.0 * leg;
                    if site.times != 1 || site.timeout.as_secs_f64() < 10.0 * answered {
                        return None;
                    }
                    let retries = u32::from(site.retries);
                    let attempts = retries::mean_attempts(below.fails, retries);
                    sum.calls += goes_on * (1.0 + attempts * below.calls);
                    sum.attempts += goes_on * attempts * (1.0 + below.attempts);
                    let backoff = site.backoff.as_secs_f64() * (libm::exp2(f64::from(retries)) - 1.0);
                    takes += f64::from(retries + 1) * answered + backoff;
                    if site.on_error == OnError::Fail {
                        goes_on *= 1.0 - retries::final_failure(below.fails, retries);
                    }
                }
                Action::Fail { share: Quantity::Given(share) } => goes_on *= 1.0 - share.clamp(0.0, 1.0),
                Action::Wait(time) => takes += time.mean().as_secs_f64(),
                Action::Effect(_) | Action::Set { .. } | Action::Mark { .. } | Action::Ignore => {}
                Action::Fail { share: Quantity::Flag { .. } }
                | Action::Emit(_)
                | Action::Compensate { .. }
                | Action::WaitFlag { .. }
                | Action::Reject { .. }
                | Action::Shadow(_)
                | Action::DualWrite(_)
                | Action::QueueUntilDaily { .. }
                | Action::QueueUntil(_) => return None,
            }
        }
        sum.fails = 1.0 - goes_on;
        self.known[id.index()] = Some((sum, takes));
        Some((sum, takes))
    }

    /// Adds the time for which services are kept by so many executions of an operation.
    fn visit(&mut self, id: OperationId, times: f64, depth: u32) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        let (_, takes) = self.operation(id, depth)?;
        let operation = &self.estate.operations[id];
        self.busy[operation.service.index()] += times * takes;
        for action in &operation.rules.first()?.actions {
            if let Action::Call(site) = action {
                let (below, _) = self.operation(site.operation, depth + 1)?;
                let attempts = retries::mean_attempts(below.fails, u32::from(site.retries));
                self.visit(site.operation, times * attempts, depth + 1)?;
            }
        }
        Some(())
    }
}
