//! How long a publication takes to reach the whole fleet.

use super::ClosedForm;
use super::situation::{are_apart, fleet, is_undisturbed, leg, only_rollout, period, published, push_mean};
use crate::models::estate::Estate;
use crate::scenario::plan::Plan;
use crate::theory::{caches, streaming};
use crate::units::SimDuration;

const POLLS: &str = "T the one period of all SDKs' polls, N their replicas, d the time of an answer, short against T/N; \
                     nothing disturbs the plan, one region, the last publication has a period to spread";
const PUSHES: &str = "m the one mean of the exponential delays of all SDKs' pushes, N their replicas; nothing disturbs \
                      the plan, one region, the last publication has twenty means to spread";

pub const FULL_BY_POLLING: ClosedForm = ClosedForm {
    name: "full-by-polling",
    of: "time_to_full",
    formula: "TN/(N+1) + d",
    holds: POLLS,
    source: "the greatest of N uniform delays (docs/validation.md, caches)",
    resolution: 0.0,
    value: |plan| {
        let polling = polling(&plan.estate)?;
        Some(caches::time_to_full(polling.period, polling.replicas) + polling.answer)
    },
};

pub const FULL_BY_PUSH: ClosedForm = ClosedForm {
    name: "full-by-push",
    of: "time_to_full",
    formula: "m·H(N), H harmonic numbers",
    holds: PUSHES,
    source: "the greatest of N exponential delays (Rényi 1953; docs/validation.md, streaming)",
    resolution: 0.0,
    value: |plan| {
        let (mean, replicas) = pushed(&plan.estate)?;
        Some(streaming::time_to_full(mean, replicas))
    },
};

pub const WINDOW_OF_POLLING: ClosedForm = ClosedForm {
    name: "divergence-of-polling",
    of: "divergence_window.max",
    formula: "T(N−1)/(N+1)",
    holds: POLLS,
    source: "the mean range of N uniform delays: split requests at a rate of one",
    resolution: 0.0,
    value: |plan| {
        let polling = polling(&plan.estate).filter(|polling| polling.publications == 1 && polling.replicas > 1.0)?;
        Some(caches::split_requests(1.0, polling.period, polling.replicas))
    },
};

pub const WINDOW_OF_PUSH: ClosedForm = ClosedForm {
    name: "divergence-of-pushes",
    of: "divergence_window.max",
    formula: "m·H(N−1)",
    holds: PUSHES,
    source: "the mean range of N exponential delays: split requests at a rate of one",
    resolution: 0.0,
    value: |plan| {
        let one = only_rollout(&plan.estate)?.steps.len() == 1;
        let (mean, replicas) = pushed(&plan.estate).filter(|(_, replicas)| one && *replicas > 1.0)?;
        Some(streaming::split_requests(1.0, mean, replicas))
    },
};

pub const LATE: ClosedForm = ClosedForm {
    name: "late-convergence",
    of: "convergence",
    formula: "1 − ((b−d)/T)^N, b the bound of convergence",
    holds: POLLS,
    source: "N uniform delays that are all below the bound (docs/validation.md, caches)",
    resolution: 0.0,
    value: |plan| late(plan),
};

struct Polling {
    period: f64,
    replicas: f64,
    answer: f64,
    publications: usize,
}

fn polling(estate: &Estate) -> Option<Polling> {
    let rollout = only_rollout(estate).filter(|_| is_undisturbed(estate))?;
    let fleet = fleet(estate)?;
    let period = period(fleet.iter().map(|(_, sdk)| *sdk))?;
    let replicas: usize = fleet.iter().map(|(service, _)| service.replicas.len()).sum();
    let (replicas, answer) = (replicas as f64, leg(estate));
    let timeout = fleet.iter().map(|(_, sdk)| sdk.timeout).min().unwrap_or(SimDuration::ZERO).as_secs_f64();
    let prompt = answer <= 0.05 * period / (replicas + 1.0) && 10.0 * answer <= timeout;
    let published = published(estate, rollout)?;
    let spreads = are_apart(&published, period + 10.0 * answer, estate.horizon().as_secs_f64());
    (prompt && spreads).then_some(Polling { period, replicas, answer, publications: published.len() })
}

/// The mean of the pushes and how many replicas they go to.
fn pushed(estate: &Estate) -> Option<(f64, f64)> {
    let rollout = only_rollout(estate).filter(|_| is_undisturbed(estate))?;
    let fleet = fleet(estate)?;
    let mean = push_mean(fleet.iter().map(|(_, sdk)| *sdk))?;
    let replicas: usize = fleet.iter().map(|(service, _)| service.replicas.len()).sum();
    let published = published(estate, rollout)?;
    are_apart(&published, 20.0 * mean, estate.horizon().as_secs_f64()).then_some((mean, replicas as f64))
}

fn late(plan: &Plan) -> Option<f64> {
    let polling = polling(&plan.estate)?;
    let settings = plan.settings_of("convergence");
    // Only what the file bounds: the checker's own bound is its own.
    let bound = settings.bound.filter(|_| settings.quantile.is_none())?.as_secs_f64();
    // Only the last publication has no other after it that takes its place.
    let one = polling.publications == 1;
    one.then(|| 1.0 - caches::full_by((bound - polling.answer).max(0.0), polling.period, polling.replicas))
}
