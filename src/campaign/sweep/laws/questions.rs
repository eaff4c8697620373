//! What a fleet asks of its control plane.

use super::ClosedForm;
use super::situation::{decides_by_itself, fleet, is_poisson, is_undisturbed, leg, only_rollout};
use super::walk::errands;
use crate::models::estate::{Delivery, Estate};
use crate::theory::on_demand;

const POLLS: &str = "T the period of a service's polls, N its replicas, H the length of the run; every SDK polls, and \
                     nothing disturbs the plan";
const ON_DEMAND: &str = "λ requests per second to a service that fetches on demand, N its replicas, τ its ttl, h = \
                         (λ/N)τ/(1 + (λ/N)τ) its hits, D the time in which customers arrive; every SDK fetches on \
                         demand, a fetch is short against τ, and nothing disturbs the plan";

pub const COUNT_OF_POLLING: ClosedForm = ClosedForm {
    name: "questions-of-polling",
    of: "control_plane_questions.count",
    formula: "Σ N H/T",
    holds: POLLS,
    source: "a phase that is uniform over the period",
    resolution: 0.0,
    value: |plan| of_polling(&plan.estate),
};

pub const LOAD_OF_POLLING: ClosedForm = ClosedForm {
    name: "load-of-polling",
    of: "control_plane_load.mean",
    formula: "Σ N/T",
    holds: POLLS,
    source: "questions-of-polling over the length of the run",
    resolution: 0.0,
    value: |plan| Some(of_polling(&plan.estate)? / plan.estate.horizon().as_secs_f64()),
};

pub const COUNT_ON_DEMAND: ClosedForm = ClosedForm {
    name: "questions-on-demand",
    of: "control_plane_questions.count",
    formula: "Σ λD(1−h) − N h(1−h)/2",
    holds: ON_DEMAND,
    source: "cycles of a valid time and a wait for the next request, begun with a policy of a uniform age (Cox, Renewal \
             Theory, 1962; docs/validation.md, on-demand)",
    resolution: 0.0,
    value: |plan| on_demand(&plan.estate),
};

pub const LOAD_ON_DEMAND: ClosedForm = ClosedForm {
    name: "load-on-demand",
    of: "control_plane_load.mean",
    formula: "(Σ λD(1−h) − N h(1−h)/2)/H, H the length of the run",
    holds: ON_DEMAND,
    source: "questions-on-demand over the length of the run",
    resolution: 0.0,
    value: |plan| Some(on_demand(&plan.estate)? / plan.estate.horizon().as_secs_f64()),
};

fn of_polling(estate: &Estate) -> Option<f64> {
    let fleet = fleet(estate).filter(|_| is_undisturbed(estate))?;
    let each = fleet.iter().map(|(service, sdk)| match sdk.delivery {
        // Jitter changes no mean, but the way in which the first interval is cut.
        Delivery::Poll { every, jitter: 0.0 } => {
            Some(service.replicas.len() as f64 * estate.horizon().as_secs_f64() / every.as_secs_f64())
        }
        Delivery::Poll { .. }
        | Delivery::Ttl { .. }
        | Delivery::Stream { .. }
        | Delivery::Remote
        | Delivery::File
        | Delivery::Topic { .. } => None,
    });
    each.sum()
}

fn on_demand(estate: &Estate) -> Option<f64> {
    if !is_undisturbed(estate) || !is_poisson(estate) {
        return None;
    }
    let feature = only_rollout(estate)?.feature;
    let (fleet, errands) = (fleet(estate)?, errands(estate, feature)?);
    let mut sum = 0.0;
    for (id, service) in estate.services.enumerate() {
        let Some(sdk) = &service.sdk else { continue };
        let Delivery::Ttl { ttl, stale_while_revalidate: false } = sdk.delivery else { return None };
        let here = errands.iter().map(|errands| {
            let visits: Vec<_> = errands.visits.iter().filter(|visit| visit.service == id).collect();
            // A second visit of one errand is no Poisson process of its own.
            (visits.len() <= 1 && visits.iter().all(|visit| visit.reads))
                .then_some(visits.len() as f64 * errands.per_second)
        });
        let requests: f64 = here.sum::<Option<f64>>()?;
        let caches = service.replicas.len() as f64;
        let (rate, ttl) = (requests / caches, ttl.as_secs_f64());
        let fetch = 2.0 * leg(estate);
        if !decides_by_itself(service) || rate <= 0.0 || fetch > 0.001 * (ttl + 1.0 / rate) {
            return None;
        }
        sum += caches * on_demand::fetches(estate.duration.as_secs_f64(), rate, ttl);
    }
    (fleet.len() == estate.services.iter().filter(|service| service.sdk.is_some()).count()).then_some(sum)
}
