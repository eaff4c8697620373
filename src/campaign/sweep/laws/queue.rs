//! Time to the answer of a service with one worker.

use super::ClosedForm;
use super::situation::{arrivals, is_poisson, is_undisturbed};
use crate::kernel::{Distribution, maths};
use crate::models::estate::Estate;
use crate::models::program::{Action, RuleWhen};

const HOLDS: &str = "λ Poisson arrivals per second at one service of N replicas with one worker and an exponential \
                     service time 1/μ each, d the fixed time on the network both ways; the customer is answered at \
                     once, no queue is full, the run is long against the queue's memory, nothing disturbs the plan";
/// Quantiles come from a histogram (`docs/metrics.md`).
const RESOLUTION: f64 = 0.016;

pub const MEDIAN: ClosedForm = ClosedForm {
    name: "median-sojourn",
    of: "latency.p50",
    formula: "ln 2/(μ − λ/N) + d",
    holds: HOLDS,
    source: "M/M/1: the time in the system is exponential (Kleinrock, Queueing Systems I, 5.7; docs/validation.md, queues)",
    resolution: RESOLUTION,
    value: |plan| sojourn(&plan.estate, 0.50),
};

pub const P99: ClosedForm = ClosedForm {
    name: "p99-sojourn",
    of: "latency.p99",
    formula: "ln 100/(μ − λ/N) + d",
    holds: HOLDS,
    source: MEDIAN.source,
    resolution: RESOLUTION,
    value: |plan| sojourn(&plan.estate, 0.99),
};

fn sojourn(estate: &Estate, quantile: f64) -> Option<f64> {
    let ([journey], [service], true) =
        (estate.journeys.as_slice(), estate.services.as_slice(), is_undisturbed(estate) && is_poisson(estate))
    else {
        return None;
    };
    let operation = &estate.operations[journey.first];
    let idle = |action: &Action| matches!(action, Action::Effect(_) | Action::Ignore | Action::Mark { .. });
    let plain = operation
        .rules
        .iter()
        .all(|rule| !matches!(rule.when, RuleWhen::Condition(_)) && rule.actions.iter().all(idle));
    let (Distribution::Exponential { mean }, Distribution::Fixed(leg)) = (&operation.takes, &estate.network.within)
    else {
        return None;
    };
    let fetches = service.sdk.as_ref().is_some_and(|sdk| {
        use crate::models::estate::Delivery;
        matches!(sdk.delivery, Delivery::Ttl { .. } | Delivery::Remote)
    });
    if !plain || fetches || service.workers != 1 || !estate.groups.is_empty() {
        return None;
    }
    let (work, arrivals) = (1.0 / mean.as_secs_f64(), arrivals(&journey.arrivals)?);
    let each = arrivals / service.replicas.len() as f64;
    let load = each / work;
    if load >= 0.95 {
        return None;
    }
    // The relaxation time 1/(μ(1-√ρ)²): how long a queue remembers that it was empty at the start.
    let memory = 1.0 / (work * (1.0 - load.sqrt()) * (1.0 - load.sqrt()));
    let full = libm::pow(load, f64::from(service.queue) + 1.0);
    let seconds = estate.duration.as_secs_f64();
    let steady = memory <= 0.005 * seconds && full <= 1e-6 && arrivals * seconds >= 10_000.0;
    steady.then(|| -maths::ln(1.0 - quantile) / (work - each) + 2.0 * leg.as_secs_f64())
}
