//! How long a kill takes to reach what decides.

use super::ClosedForm;
use super::situation::{
    are_apart, decides_by_itself, fleet, initial, is_poisson, is_sound, leg, only_rollout, period, published,
};
use super::walk::errands;
use crate::models::estate::{Estate, Happening, Rollout, When};
use crate::rollout::policy::{Kill, Scope};
use crate::rollout::{BucketBy, FeaturePolicy};
use crate::theory::caches;
use crate::units::Share;

pub const LAST_DECISION: ClosedForm = ClosedForm {
    name: "last-decision-after-a-kill",
    of: "time_to_kill.decisions",
    formula: "∫ (1 − g(x)^N) dx over T, g(x) = x/T + (1 − e^(−r(T−x)))/(rT)",
    holds: "T the period of the polls, N the replicas of the one service that decides, r the requests per second and \
            replica of users whom the kill takes something from; one kill of everybody, after every step has spread; \
            nothing else disturbs the plan, one region, Poisson arrivals",
    source: "the last of N uniform delays before which a request still comes (docs/validation.md, caches)",
    resolution: 0.0,
    value: |plan| last_decision(&plan.estate),
};

fn last_decision(estate: &Estate) -> Option<f64> {
    let rollout = only_rollout(estate).filter(|_| is_sound(estate) && is_poisson(estate))?;
    let [entry] = estate.timeline.as_slice() else { return None };
    let (When::At(at), Happening::Kill { feature, kill, lift_after: None }) = (&entry.when, &entry.what) else {
        return None;
    };
    if *feature != rollout.feature || kill.scope != Scope::default() {
        return None;
    }
    let at = at.as_secs_f64();
    let mut deciding = None;
    let mut rate = 0.0;
    for errands in errands(estate, rollout.feature)? {
        let readers: Vec<_> = errands.visits.iter().filter(|visit| visit.reads).collect();
        match readers.as_slice() {
            [] => {}
            [one] if deciding.is_none_or(|service| service == one.service) => {
                deciding = Some(one.service);
                rate += errands.per_second;
            }
            _ => return None,
        }
    }
    let service = &estate.services[deciding?];
    let fleet = fleet(estate)?;
    let period = period(fleet.iter().map(|(_, sdk)| *sdk))?;
    let published = published(estate, rollout)?;
    let calm = are_apart(&published, period, at) && at + period <= estate.duration.as_secs_f64();
    let prompt = 2.0 * leg(estate) <= 0.002 * period;
    if !calm || !prompt || !decides_by_itself(service) || service.sdk.is_none() {
        return None;
    }
    let replicas = service.replicas.len() as f64;
    let rate = rate * concerned(estate, rollout, *kill)? / replicas;
    // So few requests of the old kind that a run may well have none after the kill are another law.
    (rate * period >= 5.0).then(|| caches::last_old_answer(rate, period, replicas))
}

/// The share of users from whom a kill takes something.
fn concerned(estate: &Estate, rollout: &Rollout, kill: Kill) -> Option<f64> {
    let feature = &estate.features[rollout.feature];
    let policy = rollout.steps.iter().fold(initial(estate, rollout.feature), |policy, step| step.apply(&policy));
    let FeaturePolicy { rules, default_stage, bucket_by, .. } = &policy;
    let takes = |stage| !feature.at_most_as_permissive(stage, kill.to);
    let mut below = 0.0_f64;
    let mut share = 0.0;
    for rule in rules {
        let until = rule.share.fraction().max(below);
        share += if takes(rule.stage) { until - below } else { 0.0 };
        below = until;
    }
    share += if takes(*default_stage) { 1.0 - below } else { 0.0 };
    let simple = rules.iter().all(|rule| rule.audience.is_none() && rule.share != Share::NONE);
    (simple && matches!(bucket_by, BucketBy::User | BucketBy::Session)).then_some(share)
}
