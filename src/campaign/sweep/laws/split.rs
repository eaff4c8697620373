//! Interactions that are decided both ways, while a publication spreads over the caches of several services.

use super::ClosedForm;
use super::situation::{are_apart, decides_by_itself, is_ordinary, is_undisturbed, only_rollout, published};
use super::situation::{period, push_mean};
use super::walk::{Errands, Visit, errands};
use crate::models::estate::{Estate, PATH_OLD, Sdk};
use crate::models::program::{Action, OperationId, RuleWhen};
use crate::theory::{caches, streaming};

const HOLDS: &str = "λ arrivals per second, each read by k services from their own caches; Σ over publications of the \
                     share of users whose stage changes; nothing disturbs the plan, one region, every errand visits \
                     each of these services once, publications are further apart than they take to spread";

pub const OF_POLLING: ClosedForm = ClosedForm {
    name: "split-requests-of-polling",
    of: "mixed_interactions.count",
    formula: "λT(k−1)/(k+1)·Σ|Δ|, T the period of the polls",
    holds: HOLDS,
    source: "λ times the mean range of k uniform delays, for any number of replicas (docs/validation.md, chains)",
    resolution: 0.0,
    value: |plan| of_polling(&plan.estate),
};

pub const OF_PUSHED: ClosedForm = ClosedForm {
    name: "split-requests-of-pushes",
    of: "mixed_interactions.count",
    formula: "λm·H(k−1)·Σ|Δ|, m the mean of the pushes' exponential delays, H harmonic numbers",
    holds: HOLDS,
    source: "λ ∫ (1 − F^k − (1−F)^k) for exponential F (docs/validation.md, streaming)",
    resolution: 0.0,
    value: |plan| of_pushed(&plan.estate),
};

const HARM: &str = "what holds for split-requests-of-polling or -of-pushes, the feature has two stages, and every service \
                    that decides makes an effect on a new path at the later one: whoever is decided both ways is harmed";

pub const HARM_OF_POLLING: ClosedForm = ClosedForm {
    name: "harm-of-polling",
    of: "harm.count",
    formula: OF_POLLING.formula,
    holds: HARM,
    source: OF_POLLING.source,
    resolution: 0.0,
    value: |plan| of_polling(&plan.estate).filter(|_| exposes_whom_it_splits(&plan.estate)),
};

pub const HARM_OF_PUSHED: ClosedForm = ClosedForm {
    name: "harm-of-pushes",
    of: "harm.count",
    formula: OF_PUSHED.formula,
    holds: HARM,
    source: OF_PUSHED.source,
    resolution: 0.0,
    value: |plan| of_pushed(&plan.estate).filter(|_| exposes_whom_it_splits(&plan.estate)),
};

pub const SHARE_OF_POLLING: ClosedForm = ClosedForm {
    name: "split-share-of-polling",
    of: "mixed_interactions.share",
    formula: "Σ λT(k−1)/(k+1)·Σ|Δ| / Σ λD, over the journeys that at least two services decide in D seconds",
    holds: HOLDS,
    source: "split-requests-of-polling over the interactions that can be split",
    resolution: 0.0,
    value: |plan| {
        let estate = &*plan.estate;
        let rollout = only_rollout(estate)?;
        let judged = errands(estate, rollout.feature)?.into_iter().filter(|errands| readers(errands).count() > 1);
        let arrivals: f64 = judged.map(|errands| errands.per_second).sum::<f64>() * estate.duration.as_secs_f64();
        // A ratio of means is that of the counts where there are many.
        (arrivals >= 1_000.0).then_some(of_polling(estate)? / arrivals)
    },
};

/// The errand's visits that take a decision.
fn readers(errands: &Errands) -> impl Iterator<Item = &Visit> {
    errands.visits.iter().filter(|visit| visit.reads)
}

/// Whether every decision for the later one of two stages makes an effect on a new path.
fn exposes_whom_it_splits(estate: &Estate) -> bool {
    let Some(rollout) = only_rollout(estate) else { return false };
    let feature = &estate.features[rollout.feature];
    let exposes = |operation: OperationId| {
        let rules = &estate.operations[operation].rules;
        rules.iter().all(|rule| match &rule.when {
            RuleWhen::Stages { stages, .. } if stages.iter().all(|stage| *stage == feature.initial_stage) => true,
            RuleWhen::Stages { .. } => {
                rule.path.is_some_and(|path| path != PATH_OLD)
                    && rule.actions.iter().any(|action| matches!(action, Action::Effect(_)))
            }
            RuleWhen::Always | RuleWhen::Condition(_) => false,
        })
    };
    let errands = errands(estate, rollout.feature).unwrap_or_default();
    feature.stages.len() == 2 && errands.iter().flat_map(readers).all(|visit| exposes(visit.operation))
}

fn of_polling(estate: &Estate) -> Option<f64> {
    expected(estate, |sdks| period(sdks.iter().copied()), |period| period, caches::split_requests)
}

fn of_pushed(estate: &Estate) -> Option<f64> {
    // After twenty means one push in half a billion is still on its way.
    expected(estate, |sdks| push_mean(sdks.iter().copied()), |mean| 20.0 * mean, streaming::split_requests)
}

/// Expected split requests of all journeys and publications: `scale` gives the one scale of the caches' delays, `spread`
/// how long a publication takes at most, `law` what one publication splits.
fn expected(
    estate: &Estate,
    scale: impl Fn(&[&Sdk]) -> Option<f64>,
    spread: impl Fn(f64) -> f64,
    law: impl Fn(f64, f64, f64) -> f64,
) -> Option<f64> {
    let rollout = only_rollout(estate).filter(|_| is_undisturbed(estate))?;
    let published = published(estate, rollout)?;
    let mut sum = None;
    for errands in errands(estate, rollout.feature)? {
        let visits: Vec<&Visit> = readers(&errands).collect();
        let twice =
            visits.iter().enumerate().any(|(at, one)| visits[..at].iter().any(|other| one.service == other.service));
        let services: Vec<_> = visits.iter().map(|visit| &estate.services[visit.service]).collect();
        let sdks: Vec<&Sdk> = services.iter().filter_map(|service| service.sdk.as_ref()).collect();
        let each = services.iter().all(|service| decides_by_itself(service)) && sdks.len() == visits.len();
        if twice || !each || !sdks.iter().all(|sdk| is_ordinary(sdk)) {
            return None;
        }
        if visits.len() < 2 {
            continue;
        }
        let scale = scale(&sdks)?;
        // Delays between the visits change the law in the second order only.
        let apart = visits.last()?.at - visits.first()?.at;
        let feature = &estate.features[rollout.feature];
        let too_old = feature.stale_after.is_some_and(|bound| bound.as_secs_f64() < 2.0 * scale);
        if apart > 0.02 * scale || too_old || !are_apart(&published, spread(scale), estate.duration.as_secs_f64()) {
            return None;
        }
        let changes: f64 = published.iter().map(|published| published.changes).sum();
        sum = Some(sum.unwrap_or(0.0) + law(errands.per_second, scale, visits.len() as f64) * changes);
    }
    sum
}
