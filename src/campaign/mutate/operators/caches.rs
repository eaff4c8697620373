//! Caches that know less, or later, and what they do when they know nothing.

use super::{Mutant, Operator, each_service, or_none};
use crate::kernel::Distribution;
use crate::models::estate::{Delivery, Estate};
use crate::rollout::{Feature, FeatureId, StageId, WhenUnknown};
use crate::scenario::plan::Plan;
use crate::scenario::quantity::LONGEST_DURATION;
use crate::units::Share;

/// By how many times a cache or a team is slower.
pub(super) const TIMES: u64 = 10;

pub static ANOTHER_SALT: Operator = Operator {
    name: "another-salt",
    sentence: "A service puts users into buckets with another salt than the others: other users are in its share.",
    mutants: |plan| {
        if !has_shares(&plan.estate) {
            return Err("no step moves a share of users: there are no buckets");
        }
        each_service(plan, "no service has an sdk with the policy's salt", |_, _, service| {
            let sdk = service.sdk.as_mut().filter(|sdk| sdk.salt.is_none())?;
            // Any salt but the policy's, which comes from the seed.
            sdk.salt = Some(0x6d75_7461_6e74);
            Some("its sdk has a salt of its own".to_owned())
        })
    },
};

pub static WRONG_ENVIRONMENT: Operator = Operator {
    name: "wrong-environment",
    sentence: "A service asks another environment than production, in which nothing is rolled out.",
    mutants: |plan| {
        each_service(plan, "no service has an sdk that asks production", |_, _, service| {
            let sdk = service.sdk.as_mut().filter(|sdk| sdk.environment.is_none())?;
            sdk.environment = Some(1);
            Some("its sdk asks another environment".to_owned())
        })
    },
};

pub static SLOW_CACHE: Operator = Operator {
    name: "slow-cache",
    sentence: "The poll interval, the ttl or the push delay of a service is ten times as long.",
    mutants: |plan| {
        each_service(plan, "no service has an sdk that learns of changes later", |_, _, service| {
            let sdk = service.sdk.as_mut()?;
            let (what, before, after) = match &mut sdk.delivery {
                Delivery::Poll { every, .. } => {
                    let before = *every;
                    *every = before.saturating_mul(TIMES);
                    ("poll", before.to_string(), every.to_string())
                }
                Delivery::Ttl { ttl, .. } if !ttl.is_zero() => {
                    let before = *ttl;
                    *ttl = before.saturating_mul(TIMES);
                    ("ttl", before.to_string(), ttl.to_string())
                }
                Delivery::Stream { delay } => slower("stream", delay)?,
                Delivery::Topic { takes } => slower("topic", takes)?,
                Delivery::Ttl { .. } | Delivery::Remote | Delivery::File => return None,
            };
            Some(format!("`{what}` of {after} instead of {before}"))
        })
    },
};

pub static FROZEN_CACHE: Operator = Operator {
    name: "frozen-cache",
    sentence: "Nothing that is published reaches a service's cache any more: it is stale for ever.",
    mutants: |plan| {
        each_service(plan, "no service has an sdk that follows the control plane", |_, _, service| {
            let sdk = service.sdk.as_mut()?;
            match &mut sdk.delivery {
                Delivery::Poll { every, .. } => *every = LONGEST_DURATION,
                Delivery::Ttl { ttl, .. } => *ttl = LONGEST_DURATION,
                Delivery::Stream { delay } => *delay = Distribution::Fixed(LONGEST_DURATION),
                Delivery::Topic { takes } => *takes = Distribution::Fixed(LONGEST_DURATION),
                Delivery::Remote | Delivery::File => return None,
            }
            sdk.invalidation = None;
            Some("its sdk hears of nothing for a hundred years".to_owned())
        })
    },
};

pub static LOSE_PERSISTENCE: Operator = Operator {
    name: "lose-persistence",
    sentence: "A service does not keep its policy across restarts any more.",
    mutants: |plan| {
        each_service(plan, "no sdk has `persist: true`", |_, _, service| {
            let sdk = service.sdk.as_mut()?;
            std::mem::take(&mut sdk.persist).then(|| "its sdk persists nothing".to_owned())
        })
    },
};

pub static NO_STALENESS_ALERT: Operator = Operator {
    name: "no-staleness-alert",
    sentence: "Nobody is told any more that a service's policy is old.",
    mutants: |plan| {
        each_service(plan, "no sdk has `alert_after`", |_, _, service| {
            let after = service.sdk.as_mut()?.alert_after.take()?;
            Some(format!("no staleness alert after {after}"))
        })
    },
};

pub static FAIL_OPEN: Operator = Operator {
    name: "fail-open",
    sentence: "Where the policy is not known, a feature is given to everybody.",
    mutants: |plan| {
        each_feature(plan, "no feature has a policy that can be unknown and a last stage to open to", |feature| {
            let open = last_on_ladder(feature)?;
            (feature.when_unknown != WhenUnknown::FailOpen(open))
                .then(|| (WhenUnknown::FailOpen(open), format!("fails open to {}", feature.stage_name(open))))
        })
    },
};

pub static FAIL_CLOSED: Operator = Operator {
    name: "fail-closed",
    sentence: "Where the policy is not known, a feature that went on with the last one known falls back to its safe stage.",
    mutants: |plan| {
        each_feature(plan, "no feature goes on with the last policy known", |feature| {
            (feature.when_unknown == WhenUnknown::LastKnownGood).then(|| {
                (WhenUnknown::FailClosed, format!("fails closed to {}", feature.stage_name(feature.safe_stage)))
            })
        })
    },
};

/// A mutant for each feature that behaves otherwise where its policy is unknown.
fn each_feature(
    plan: &Plan,
    none: &'static str,
    change: impl Fn(&Feature) -> Option<(WhenUnknown, String)>,
) -> Result<Vec<Mutant>, &'static str> {
    if !plan.estate.services.iter().any(|service| service.sdk.is_some()) {
        return Err("no service has an sdk");
    }
    let mutant = |(id, feature): (FeatureId, &Feature)| {
        let (when_unknown, told) = change(feature)?;
        Some(Mutant::of(plan, feature.name.clone(), told, |estate| {
            let feature = &mut estate.features[id];
            feature.when_unknown = when_unknown;
            feature.when_unknown_in.clear();
        }))
    };
    or_none(plan.estate.features.enumerate().filter_map(mutant).collect(), none)
}

/// The highest stage of the ladder, where there is one above the safe one.
fn last_on_ladder(feature: &Feature) -> Option<StageId> {
    let ranked = feature.stages.iter().enumerate().filter_map(|(at, stage)| Some((stage.rank?, at)));
    let (_, at) = ranked.max()?;
    let last = StageId(u16::try_from(at).ok()?);
    (last != feature.safe_stage).then_some(last)
}

/// Whether some step, or targeting from the start, concerns a share of users.
fn has_shares(estate: &Estate) -> bool {
    let part = |share: Share| share != Share::ALL && share != Share::NONE;
    let steps = estate.rollouts.iter().flat_map(|rollout| &rollout.steps);
    steps.flat_map(|step| &step.moves).any(|line| part(line.percent))
        || estate.standing_rules.iter().flat_map(|(_, rules)| rules).any(|rule| part(rule.share))
}

/// A random time that is so many times as long.
fn slower(what: &'static str, time: &mut Distribution) -> Option<(&'static str, String, String)> {
    let factor = TIMES as f64;
    let slow = match &*time {
        Distribution::Fixed(fixed) if !fixed.is_zero() => Distribution::Fixed(fixed.saturating_mul(TIMES)),
        Distribution::Fixed(_) => return None,
        Distribution::Exponential { mean } => Distribution::Exponential { mean: mean.saturating_mul(TIMES) },
        Distribution::Lognormal { mu, sigma } => Distribution::Lognormal { mu: mu + libm::log(factor), sigma: *sigma },
        Distribution::Uniform { low, high } => {
            Distribution::Uniform { low: low.saturating_mul(TIMES), high: high.saturating_mul(TIMES) }
        }
        Distribution::Empirical(samples) => {
            Distribution::Empirical(samples.iter().map(|sample| sample.saturating_mul(TIMES)).collect())
        }
    };
    let told = (what, time.mean().to_string(), slow.mean().to_string());
    *time = slow;
    Some(told)
}
