//! What laws ask of a plan: that nothing disturbs it, how its caches learn, what is published when and for whom.

use crate::kernel::Distribution;
use crate::models::estate::{Arrivals, DecidesFrom, Delivery, Estate, Part, Rollout, Sdk, Service};
use crate::rollout::{BucketBy, FeatureId, FeaturePolicy, Rule};
use crate::units::Share;

/// A change of the policy and how many it concerns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// In seconds.
    pub at: f64,
    /// The share of users whose stage changes.
    pub changes: f64,
}

/// Whether nothing happens to the estate but its rollout: one region, no timeline, no alert that acts, no loss, no
/// errors of the control plane, no defect, customers that arrive by themselves.
pub fn is_undisturbed(estate: &Estate) -> bool {
    estate.timeline.is_empty() && is_sound(estate)
}

/// The same, whatever the timeline says.
pub fn is_sound(estate: &Estate) -> bool {
    let ours = |service: &Service| !service.defective && service.silence.is_none() && service.saga.is_none();
    estate.regions.len() == 1
        && estate.alerts.is_empty()
        && estate.users.is_empty()
        && estate.network.loss == Share::NONE
        && estate.control_plane.errors == Share::NONE
        && estate.population.clients.is_empty()
        && estate.services.iter().all(|service| ours(service) && service.codes.len() <= 1)
        && estate.journeys.iter().all(|journey| arrivals(&journey.arrivals).is_some())
}

/// Arrivals per second of a journey that begins by itself.
pub fn arrivals(arrivals: &Arrivals) -> Option<f64> {
    match arrivals {
        Arrivals::Poisson { per_second } => Some(*per_second),
        Arrivals::Every(every) if !every.is_zero() => Some(1.0 / every.as_secs_f64()),
        Arrivals::Every(_) | Arrivals::Closed | Arrivals::Follows => None,
    }
}

/// Whether every journey is a Poisson process.
pub fn is_poisson(estate: &Estate) -> bool {
    estate.journeys.iter().all(|journey| matches!(journey.arrivals, Arrivals::Poisson { .. }))
}

/// The one rollout of the plan, without anybody who watches over it.
pub fn only_rollout(estate: &Estate) -> Option<&Rollout> {
    match estate.rollouts.as_slice() {
        [rollout] if rollout.guard.is_none() => Some(rollout),
        _ => None,
    }
}

/// What a rollout publishes; `None` where that depends on more than shares of users.
pub fn published(estate: &Estate, rollout: &Rollout) -> Option<Vec<Published>> {
    let feature = rollout.feature;
    let by = estate.bucket_by[feature.index()];
    if !matches!(by, BucketBy::User | BucketBy::Session) || estate.salts.iter().any(Option::is_some) {
        return None;
    }
    let mut policy = initial(estate, feature);
    let mut due = rollout.starts.as_secs_f64();
    let mut all = Vec::new();
    for step in &rollout.steps {
        if let Some(at) = step.at {
            due = (rollout.starts + at).as_secs_f64();
        }
        let after = step.apply(&policy);
        if after.salt != policy.salt || !after.overrides.is_empty() {
            return None;
        }
        all.push(Published { at: due, changes: difference(&policy, &after)? });
        due += step.hold.as_secs_f64();
        policy = after;
    }
    Some(all)
}

/// The policy of a feature before its rollout.
pub fn initial(estate: &Estate, feature: FeatureId) -> FeaturePolicy {
    let standing = estate.standing_rules.iter().find(|(of, _)| *of == feature);
    FeaturePolicy {
        overrides: Vec::new(),
        rules: standing.map(|(_, rules)| rules.clone()).unwrap_or_default(),
        default_stage: estate.features[feature].initial_stage,
        kills: Vec::new(),
        bucket_by: estate.bucket_by[feature.index()],
        salt: 0,
    }
}

/// The share of users to whom two policies give different stages. All rules go by one bucket of a user.
fn difference(before: &FeaturePolicy, after: &FeaturePolicy) -> Option<f64> {
    let rules = || before.rules.iter().chain(&after.rules);
    if rules().any(|rule| rule.audience.is_some()) {
        return None;
    }
    let mut ends: Vec<f64> = rules().map(|rule| rule.share.fraction()).chain([0.0, 1.0]).collect();
    ends.sort_by(f64::total_cmp);
    let stage = |policy: &FeaturePolicy, bucket: f64| {
        let takes_in = |rule: &&Rule| bucket < rule.share.fraction();
        policy.rules.iter().find(takes_in).map_or(policy.default_stage, |rule| rule.stage)
    };
    let differs = |two: &&[f64]| {
        let middle = (two[0] + two[1]) / 2.0;
        stage(before, middle) != stage(after, middle)
    };
    Some(ends.windows(2).filter(differs).map(|two| two[1] - two[0]).sum())
}

/// Whether each publication is known everywhere, `takes` seconds after it, before the next one and before customers
/// stop coming.
pub fn are_apart(published: &[Published], takes: f64, until: f64) -> bool {
    let ends = published.iter().skip(1).map(|next| next.at).chain([until]);
    published.iter().zip(ends).all(|(this, end)| this.at + takes <= end)
}

/// Whether a service decides from its own cache, in production and with all it needs to know.
pub fn decides_by_itself(service: &Service) -> bool {
    let first = service.decides_from.iter().find(|source| **source != DecidesFrom::Kill);
    first == Some(&DecidesFrom::Sdk) && !service.edge && service.local.is_empty() && service.ignores.is_empty()
}

/// Whether an SDK is as its service's others are: the policy's salt, production, all attributes, nothing besides its
/// ordinary delivery.
pub fn is_ordinary(sdk: &Sdk) -> bool {
    sdk.salt.is_none() && sdk.environment.is_none() && sdk.left_out == 0 && sdk.invalidation.is_none()
}

/// The replicas that keep a policy.
pub fn fleet(estate: &Estate) -> Option<Vec<(&Service, &Sdk)>> {
    let keeps = |service: &&Service| service.sdk.as_ref().is_some_and(|sdk| !matches!(sdk.delivery, Delivery::Remote));
    let layered = estate.services.iter().any(|service| service.part != Part::Service);
    let all: Vec<(&Service, &Sdk)> =
        estate.services.iter().filter(keeps).filter_map(|service| Some((service, service.sdk.as_ref()?))).collect();
    (!layered && !all.is_empty() && all.iter().all(|(_, sdk)| is_ordinary(sdk))).then_some(all)
}

/// The one period of these SDKs, where all poll on the same fixed schedule.
pub fn period<'a>(sdks: impl IntoIterator<Item = &'a Sdk>) -> Option<f64> {
    the_same(sdks.into_iter().map(|sdk| match sdk.delivery {
        Delivery::Poll { every, jitter: 0.0 } => Some(every.as_secs_f64()),
        _ => None,
    }))
}

/// The one mean of these SDKs, where all are pushed to with exponential delays.
pub fn push_mean<'a>(sdks: impl IntoIterator<Item = &'a Sdk>) -> Option<f64> {
    the_same(sdks.into_iter().map(|sdk| match &sdk.delivery {
        Delivery::Stream { delay: Distribution::Exponential { mean } } => Some(mean.as_secs_f64()),
        _ => None,
    }))
}

/// The value that all have.
fn the_same(mut values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let first = values.next()??;
    (first > 0.0 && values.all(|value| value == Some(first))).then_some(first)
}

/// Seconds that one leg between a replica and its control plane takes on average.
pub fn leg(estate: &Estate) -> f64 {
    estate.control_plane.latency.mean().as_secs_f64()
}
