//! What is when, as planned: steps, stages, and the code each service runs.

use crate::models::estate::{Delivery, Estate, Happening, Part, ReplicaId, Rollout, Service, ServiceId, When};
use crate::rollout::{FeatureId, Scope, StageId, WhenUnknown};
use crate::units::SimDuration;

/// When each step of a rollout is published if nothing holds it up but the code it requires.
pub fn published(estate: &Estate, rollout: &Rollout) -> Vec<SimDuration> {
    let mut ready = rollout.starts;
    let mut times = Vec::new();
    for (index, step) in rollout.steps.iter().enumerate() {
        let needs = rollout.guard.iter().flat_map(|guard| &guard.steps[index].requires);
        let met = needs.map(|need| runs_from(estate, need.service, need.code)).max().unwrap_or(SimDuration::ZERO);
        let at = step.at.map_or(ready, |at| rollout.starts.saturating_add(at)).max(ready).max(met);
        times.push(at);
        ready = at.saturating_add(step.hold);
    }
    times
}

/// From when on every replica of a service runs at least a code, as far as deploys at given times say.
fn runs_from(estate: &Estate, service: ServiceId, code: u32) -> SimDuration {
    let of = &estate.services[service];
    if of.initial_code >= code {
        return SimDuration::ZERO;
    }
    let done = estate.timeline.iter().filter_map(|entry| {
        let (Happening::Deploy { services, batch, every, .. }, When::At(at)) = (&entry.what, &entry.when) else {
            return None;
        };
        let meets = services.iter().any(|(named, deployed)| *named == service && *deployed >= code);
        let batches = (of.replicas.len() as u64).div_ceil(u64::from((*batch).max(1))).saturating_sub(1);
        // Just after the last batch.
        let last = at.saturating_add(every.saturating_mul(batches)).saturating_add(SimDuration::from_nanos(1));
        meets.then_some(last)
    });
    done.min().unwrap_or(SimDuration::ZERO)
}

/// When an entry of the timeline is due.
pub fn due(estate: &Estate, when: &When) -> SimDuration {
    match when {
        When::At(at) => *at,
        When::AfterStep { rollout, step, offset } => {
            published(estate, &estate.rollouts[*rollout])[*step].saturating_add(*offset)
        }
        When::Random { from, .. } => *from,
        // When somebody asks for it: at any time.
        When::OnDemand => SimDuration::ZERO,
    }
}

/// The earliest time at which somebody can be at a stage of a feature; `None`: never.
pub fn first_at(estate: &Estate, feature: FeatureId, stage: StageId) -> Option<SimDuration> {
    let of = &estate.features[feature];
    let unknown = |behaviour: &WhenUnknown| match behaviour {
        WhenUnknown::FailOpen(to) | WhenUnknown::CodeDefault(to) => *to == stage,
        WhenUnknown::LastKnownGood | WhenUnknown::FailClosed => false,
    };
    let standing = estate.standing_rules.iter().filter(|(named, _)| *named == feature).flat_map(|(_, rules)| rules);
    let from_the_start = of.initial_stage == stage
        || of.safe_stage == stage
        || unknown(&of.when_unknown)
        || of.when_unknown_in.iter().any(|(_, behaviour)| unknown(behaviour))
        || standing.into_iter().any(|rule| rule.stage == stage);
    if from_the_start {
        return Some(SimDuration::ZERO);
    }
    let rollouts = estate.rollouts.iter().filter(|rollout| rollout.feature == feature);
    let steps = rollouts.flat_map(|rollout| rollout.steps.iter().zip(published(estate, rollout)));
    let set = steps.filter(|(step, _)| step.moves.iter().any(|line| line.to == stage)).map(|(_, at)| at);
    let kills = estate.timeline.iter().filter_map(|entry| {
        let Happening::Kill { feature: of, kill, .. } = &entry.what else { return None };
        (*of == feature && kill.to == stage).then(|| due(estate, &entry.when))
    });
    let local = estate.services.iter().any(|service| service.local.contains(&(feature, stage)));
    set.chain(kills).chain(local.then_some(SimDuration::ZERO)).min()
}

/// When the last one leaves a stage of a feature for good, as a kill for everybody that is never lifted has it, and every
/// service has heard of it; `None`: never.
pub fn last_at(estate: &Estate, feature: FeatureId, stage: StageId) -> Option<SimDuration> {
    let of = &estate.features[feature];
    let behaviours = of.when_unknown_in.iter().map(|(_, behaviour)| behaviour).chain([&of.when_unknown]);
    let falls_to_it = behaviours.into_iter().any(|behaviour| match behaviour {
        WhenUnknown::FailOpen(to) | WhenUnknown::CodeDefault(to) => *to == stage,
        WhenUnknown::LastKnownGood | WhenUnknown::FailClosed => false,
    });
    if falls_to_it {
        return None;
    }
    let kills = estate.timeline.iter().filter_map(|entry| {
        let Happening::Kill { feature: killed, kill, lift_after: None } = &entry.what else { return None };
        let planned = matches!(entry.when, When::At(_) | When::AfterStep { .. });
        let everybody = *killed == feature && kill.scope == Scope::default();
        let beyond = !of.at_most_as_permissive(stage, kill.to);
        (planned && everybody && beyond).then(|| due(estate, &entry.when))
    });
    Some(kills.min()?.saturating_add(everybody_hears_within(estate)?))
}

/// How long it takes until every service has heard of a kill; `None`: one only hears when it restarts, or apps go on with
/// what they knew at their start.
fn everybody_hears_within(estate: &Estate) -> Option<SimDuration> {
    let within = |delivery: &Delivery| match delivery {
        // A poll just before does not know yet, and jitter puts the next one off by as much as the period at most.
        Delivery::Poll { every, .. } => Some(every.saturating_mul(2)),
        Delivery::Ttl { ttl, .. } => Some(*ttl),
        Delivery::Stream { .. } | Delivery::Topic { .. } | Delivery::Remote => Some(SimDuration::ZERO),
        Delivery::File => None,
    };
    if !estate.population.clients.is_empty() {
        return None;
    }
    let layers = |service: &Service| {
        let switches = service.replicas.first().and_then(|replica| estate.replicas[*replica].switches);
        let switches = switches.and_then(|replica| estate.services[estate.replicas[replica].service].sdk.as_ref());
        let layers = service.sdk.iter().chain(switches);
        layers.map(|sdk| within(&sdk.delivery)).reduce(|one, other| one.into_iter().chain(other).min())
    };
    let ours = estate.services.iter().filter(|service| service.part == Part::Service);
    ours.filter_map(layers).try_fold(SimDuration::ZERO, |most, within| Some(most.max(within?)))
}

/// The code versions that some replica of a service runs at or after a time, and up to another one.
pub fn codes_between(estate: &Estate, service: ServiceId, time: SimDuration, until: Option<SimDuration>) -> Vec<u32> {
    let mut live: Vec<u32> = Vec::new();
    let of = &estate.services[service];
    for replica in &of.replicas {
        let region = estate.replicas[*replica].region;
        let mut changes: Vec<(SimDuration, u32)> = Vec::new();
        for entry in &estate.timeline {
            let Happening::Deploy { services, region: only, count, batch, every } = &entry.what else { continue };
            let code = services.iter().find(|(named, _)| *named == service).map(|(_, code)| *code);
            let Some(code) = code.filter(|_| only.is_none_or(|only| only == region)) else { continue };
            let concerned = |other: &&ReplicaId| only.is_none_or(|only| only == estate.replicas[**other].region);
            let place = of.replicas.iter().filter(concerned).position(|other| other == replica);
            if place.is_some_and(|place| count.is_some_and(|count| place >= count as usize)) {
                continue;
            }
            // The last batch counts for all of them: which replica is in which batch is not planned.
            let batches = (of.replicas.len() as u64).div_ceil(u64::from((*batch).max(1))).saturating_sub(1);
            changes.push((due(estate, &entry.when).saturating_add(every.saturating_mul(batches)), code));
        }
        changes.sort_unstable();
        let (mut running, mut since) = (of.initial_code, SimDuration::ZERO);
        let begins_in_time = |since: SimDuration| until.is_none_or(|until| since <= until);
        for (done, code) in changes {
            live.extend((done >= time && begins_in_time(since)).then_some(running));
            (running, since) = (code, done);
        }
        live.extend(begins_in_time(since).then_some(running));
    }
    live.sort_unstable();
    live.dedup();
    live
}
