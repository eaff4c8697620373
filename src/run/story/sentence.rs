//! One observation as one short sentence: who, and what they do.

use super::plan::of_plan;
use crate::invariants::{grounds, occurrence, scope};
use crate::models::client::Means;
use crate::models::estate::{Delivery, Estate, ReplicaId};
use crate::models::observation::*;
use crate::models::program::OperationId;
use crate::rollout::Scope;
use crate::rollout::{FeatureId, StageId};
use crate::units::{SimDuration, SimTime};

/// Who did it and what they did, in names of the estate; every number is a field of the observation. Measurements
/// (`lag`, `asked`) are not deeds and have no sentence.
pub fn sentence(observed: &Observed, estate: &Estate) -> Option<(String, String)> {
    let (who, text) = match &observed.what {
        Observation::Lag { .. } | Observation::Asked { .. } => return None,
        Observation::Decided(decided) => decision(decided, observed.at, estate),
        Observation::Effect(made) => effect(made, estate),
        Observation::Compensated(made) => compensation(made, observed.at, estate),
        Observation::Reconciled { job, compared, missing, differing } => {
            let text = format!("compares {compared}: {missing} lack one side, {differing} do not agree");
            (estate.reconciliations[*job as usize].name.clone(), text)
        }
        Observation::Exceptions { job, parked, worked, backlog } => {
            let done = if *parked > 0 { format!("parks {parked}") } else { format!("{worked} is worked off") };
            (estate.reconciliations[*job as usize].name.clone(), format!("{done}; {backlog} wait for people"))
        }
        Observation::Expired { service, replica, after, .. } => {
            let saga = &estate.services[*service].name;
            (estate.replicas[*replica].name.clone(), format!("gives the saga of {saga} up after {after}"))
        }
        Observation::Delivered(delivered) => delivery(delivered, estate),
        Observation::Arrived { .. }
        | Observation::Finished { .. }
        | Observation::Closed { .. }
        | Observation::Called { .. }
        | Observation::Failed { .. }
        | Observation::Retried { .. }
        | Observation::Rejected { .. }
        | Observation::Moment { .. }
        | Observation::Status { .. }
        | Observation::ShadowCompared { .. }
        | Observation::DualWrote { .. }
        | Observation::MessageLost { .. }
        | Observation::Held { .. }
        | Observation::Resumed { .. }
        | Observation::OutcomeUnknown { .. } => of_request(&observed.what, estate)?,
        Observation::Emitted { .. }
        | Observation::Parked { .. }
        | Observation::DeadLettered { .. }
        | Observation::Committed { .. }
        | Observation::Rewound { .. }
        | Observation::Rebalanced { .. }
        | Observation::Evicted { .. }
        | Observation::Handled { .. }
        | Observation::Dropped { .. } => of_topic(&observed.what, estate)?,
        Observation::PolicyPublished { .. }
        | Observation::PolicyReplicated { .. }
        | Observation::Stepped { .. }
        | Observation::Killed { .. }
        | Observation::Lifted { .. }
        | Observation::FaultStarted { .. }
        | Observation::FaultEnded { .. } => of_control(&observed.what, estate)?,
        Observation::Gate { .. }
        | Observation::Approval { .. }
        | Observation::PlanHeld { .. }
        | Observation::RolledBack { .. }
        | Observation::AlertRaised { .. }
        | Observation::OperatorActed { .. } => of_plan(&observed.what, estate)?,
        Observation::PolicyApplied { replica, .. }
        | Observation::PolicyLost { replica }
        | Observation::Suppressed { replica, .. }
        | Observation::Alert { replica }
        | Observation::Deployed { replica, .. }
        | Observation::Crashed { replica }
        | Observation::Restarted { replica } => {
            (estate.replicas[*replica].name.clone(), of_replica(&observed.what, *replica, estate)?)
        }
    };
    Some((who, text))
}

fn decision(decided: &Decided, at: SimTime, estate: &Estate) -> (String, String) {
    let grounds = grounds(decided, at);
    let text = format!("uses {} ({grounds}): {}", stage(decided.feature, decided.stage, estate), decided.reason.name());
    (estate.replicas[decided.replica].name.clone(), text)
}

fn stage(feature: FeatureId, stage: StageId, estate: &Estate) -> String {
    let feature = &estate.features[feature];
    format!("{} of {}", feature.stage_name(stage), feature.name)
}

fn effect(made: &EffectMade, estate: &Estate) -> (String, String) {
    let name = estate.effects.text(made.effect);
    let path = made.path.map(|path| format!(" on path {}", estate.paths.text(path))).unwrap_or_default();
    let under = made.under.map(|(feature, used)| format!(", under {}", stage(feature, used, estate)));
    let policy = made.policy_version.map(|version| format!(", policy {version}")).unwrap_or_default();
    let text = format!("does {name}{}{path}{}{policy}", money(made.amount, estate), under.unwrap_or_default());
    (estate.replicas[made.replica].name.clone(), text)
}

/// ` of 240.00 EUR`, where it is about money.
fn money(amount: Option<u64>, estate: &Estate) -> String {
    let text = amount.zip(estate.currency.as_ref()).map(|(minor, currency)| format!(" of {}", currency.text(minor)));
    text.unwrap_or_default()
}

fn compensation(made: &CompensationMade, at: SimTime, estate: &Estate) -> (String, String) {
    let name = estate.effects.text(made.effect);
    let path = made.path.map(|path| format!(" on path {}", estate.paths.text(path))).unwrap_or_default();
    let whose = match made.of.key() == made.interaction.key() {
        true => String::new(),
        false => format!(" of {}", occurrence(&made.of, estate)),
    };
    let text =
        format!("compensates {name}{}{path}{whose}, done {} ago", money(made.amount, estate), at.since(made.made_at));
    let who = match made.swept_by {
        Some(job) => estate.sweeps[job as usize].name.clone(),
        None => estate.replicas[made.replica].name.clone(),
    };
    (who, text)
}

fn delivery(delivered: &Delivered, estate: &Estate) -> (String, String) {
    let event = estate.event_types.text(delivered.event_type);
    let again = if delivered.redelivery > 0 { " again" } else { "" };
    let handled = match delivered.handled_as {
        Some(version) => format!("handles it as version {version} with code {}", delivered.code),
        None => format!("does not handle it with code {}", delivered.code),
    };
    let produced = delivered.produced_version;
    let text = format!("takes {event} of domain version {produced}{again}, and {handled}");
    (estate.members[delivered.member].name.clone(), text)
}

/// ` with app`, where the user has one.
fn with_client(means: Option<Means>, estate: &Estate) -> String {
    let Some(Means { client, old }) = means else { return String::new() };
    let name = &estate.population.clients[client].name;
    if old { format!(" with an old version of {name}") } else { format!(" with {name}") }
}

fn operation(id: OperationId, estate: &Estate) -> String {
    let operation = &estate.operations[id];
    format!("{}.{}", estate.services[operation.service].name, operation.name)
}

fn answer(outcome: Outcome, latency: SimDuration, estate: &Estate) -> String {
    match outcome {
        Outcome::Succeeded => format!("has the answer after {latency}"),
        Outcome::Rejected(reason) => format!("is refused after {latency}: {}", estate.reasons.text(reason)),
        Outcome::Failed(why) => format!("gets an error after {latency}: {}", why.name()),
    }
}

fn of_request(what: &Observation, estate: &Estate) -> Option<(String, String)> {
    let customer = || "customer".to_owned();
    Some(if let Observation::Arrived { interaction, tenant, user, tenant_region, means } = what {
        let region = &estate.regions[*tenant_region].name;
        let (errand, whose) = (occurrence(interaction, estate), format!("user {user} of tenant {tenant} in {region}"));
        match interaction.replay {
            0 => (customer(), format!("begins {errand}, as {whose}{}", with_client(*means, estate))),
            _ => (errand, format!("begins, for {whose}")),
        }
    } else if let Observation::Finished { outcome, latency, .. } = what {
        (customer(), answer(*outcome, *latency, estate))
    } else if let Observation::Closed { interaction, status } = what {
        let status = status.map(|(entity, status)| {
            format!("; its {} is {}", estate.entities[entity].name, estate.statuses.text(status))
        });
        (occurrence(interaction, estate), format!("is done{}", status.unwrap_or_default()))
    } else if let Observation::Called { from, operation: called, replica, attempt, .. } = what {
        let who = from.map_or_else(customer, |service| estate.services[service].name.clone());
        let replica = &estate.replicas[*replica].name;
        (who, format!("calls {} on {replica}, attempt {attempt}", operation(*called, estate)))
    } else if let Observation::Failed { operation: called, why, attempt, .. } = what {
        (operation(*called, estate), format!("fails in attempt {attempt}: {}", why.name()))
    } else if let Observation::Retried { operation: called, attempt, .. } = what {
        (operation(*called, estate), format!("is tried again, attempt {attempt}"))
    } else if let Observation::Rejected { context, reason, .. } = what {
        (estate.contexts.text(*context).to_owned(), format!("refuses: {}", estate.reasons.text(*reason)))
    } else if let Observation::Moment { moment, context, occurred_at, .. } = what {
        let moment = estate.moments.text(*moment);
        (estate.contexts.text(*context).to_owned(), format!("considers {moment} to have happened at {occurred_at}"))
    } else if let Observation::Status { entity, from, to, legal, .. } = what {
        let (from, to) = (estate.statuses.text(*from), estate.statuses.text(*to));
        let illegal = if *legal { "" } else { ", which is not legal" };
        (estate.entities[*entity].name.clone(), format!("goes from {from} to {to}{illegal}"))
    } else if let Observation::ShadowCompared { context, of, shadowed, .. } = what {
        let of = estate.paths.text(*of);
        let said = match shadowed {
            Shadowed::Agreed => format!("compares with the {of} path: they agree"),
            Shadowed::Disagreed => format!("compares with the {of} path: they disagree"),
            Shadowed::Failed => format!("compares with the {of} path, which fails"),
        };
        (estate.contexts.text(*context).to_owned(), said)
    } else if let Observation::DualWrote { context, effect, of, wrote, .. } = what {
        let (effect, of) = (estate.effects.text(*effect), estate.paths.text(*of));
        let said = match wrote {
            Wrote::Both => format!("writes {effect} to its own store and to that of the {of} path"),
            Wrote::OnlyOne => {
                format!("writes {effect} to its own store, and fails to write it to that of the {of} path")
            }
            Wrote::OnlyOther => {
                format!("writes {effect} to the store of the {of} path, and fails to write it to its own")
            }
            Wrote::Neither => format!("fails to write {effect}"),
        };
        (estate.contexts.text(*context).to_owned(), said)
    } else if let Observation::MessageLost { by, .. } = what {
        ("network".to_owned(), format!("loses a message: {}", by.name()))
    } else if let Observation::Held { operation: holds, .. } = what {
        (operation(*holds, estate), "accepts it, and holds it".to_owned())
    } else if let Observation::Resumed { operation: held_by, held, given_up, .. } = what {
        let text = match given_up {
            None => format!("goes on with it after {held}"),
            Some(why) => format!("gives it up after {held}: {}", why.name()),
        };
        (operation(*held_by, estate), text)
    } else if let Observation::OutcomeUnknown { operation: asked, attempt, takes_effect, .. } = what {
        let does = if *takes_effect { "does what it is asked to" } else { "does nothing" };
        (operation(*asked, estate), format!("gives no answer to attempt {attempt}, and {does}"))
    } else {
        return None;
    })
}

fn of_topic(what: &Observation, estate: &Estate) -> Option<(String, String)> {
    let event = |event_type: &u16| estate.event_types.text(*event_type).to_owned();
    Some(if let Observation::Emitted { topic, partition, offset, event_type, domain_version, .. } = what {
        let event = event(event_type);
        let text =
            format!("takes in {event} of domain version {domain_version} at offset {offset} of partition {partition}");
        (estate.topics[*topic].name.clone(), text)
    } else if let Observation::Parked { group, event_type, .. } = what {
        (estate.groups[*group].name.clone(), format!("sets {} aside", event(event_type)))
    } else if let Observation::DeadLettered { group, event_type, .. } = what {
        (estate.groups[*group].name.clone(), format!("gives {} to the dead letters", event(event_type)))
    } else if let Observation::Committed { member, partition, offset, .. } = what {
        (estate.members[*member].name.clone(), format!("commits offset {offset} of partition {partition}"))
    } else if let Observation::Rewound { group, partition, offset } = what {
        (estate.groups[*group].name.clone(), format!("is set back to offset {offset} of partition {partition}"))
    } else if let Observation::Rebalanced { group, generation, members } = what {
        let text = format!("is rebalanced: generation {generation}, members: {members}");
        (estate.groups[*group].name.clone(), text)
    } else if let Observation::Evicted { member, why, .. } = what {
        let why = match why {
            Eviction::PollInterval => "poll interval exceeded",
            Eviction::Session => "session timed out",
            Eviction::RebalanceTimeout => "did not rejoin in time",
        };
        (estate.members[*member].name.clone(), format!("is put out of its group: {why}"))
    } else if let Observation::Handled { group, partition, offset, outcome, .. } = what {
        let how = match outcome {
            Outcome::Succeeded => String::new(),
            Outcome::Rejected(reason) => format!(", refusing it: {}", estate.reasons.text(*reason)),
            Outcome::Failed(why) => format!(", which failed: {}", why.name()),
        };
        let text = format!("is done with offset {offset} of partition {partition}{how}");
        (estate.groups[*group].name.clone(), text)
    } else if let Observation::Dropped { group, partition, offset, .. } = what {
        let text = format!("drops offset {offset} of partition {partition} before its turn");
        (estate.groups[*group].name.clone(), text)
    } else {
        return None;
    })
}

fn of_control(what: &Observation, estate: &Estate) -> Option<(String, String)> {
    let control_plane = || "control plane".to_owned();
    let fault = |entry: &u32| estate.timeline[*entry as usize].label.clone();
    Some(if let Observation::PolicyPublished { version, feature, publication } = what {
        let named = feature.map(|feature| format!(" of {}", estate.features[feature].name)).unwrap_or_default();
        let why = match publication {
            Publication::Initial => "the policy in force at the start".to_owned(),
            Publication::Step { rollout, step } => {
                format!("step {}{named}", estate.rollouts[usize::from(*rollout)].steps[usize::from(*step)].name)
            }
            Publication::Kill { .. } => format!("a kill{named}"),
            Publication::Lift { .. } => format!("the lift of a kill{named}"),
            Publication::Override { entry } => format!("{}{named}", fault(entry)),
            Publication::RolledBack { rollout, before } => {
                let step = &estate.rollouts[usize::from(*rollout)].steps[usize::from(*before)].name;
                format!("back to before step {step}{named}")
            }
            Publication::Capped { most, .. } => {
                let stage = feature.map_or("", |feature| estate.features[feature].stage_name(*most));
                format!("nobody above {stage}{named}")
            }
        };
        (control_plane(), format!("publishes policy {version}: {why}"))
    } else if let Observation::PolicyReplicated { region, version } = what {
        (control_plane(), format!("serves policy {version} in {}", estate.regions[*region].name))
    } else if let Observation::Stepped { rollout, step, version } = what {
        let rollout = &estate.rollouts[usize::from(*rollout)];
        let (step, feature) = (&rollout.steps[usize::from(*step)].name, &estate.features[rollout.feature].name);
        (control_plane(), format!("takes {feature} to step {step} with policy {version}"))
    } else if let Observation::Killed { feature, scope: reach, to, version, .. } = what {
        (control_plane(), kill(*feature, reach, *to, version.0, estate))
    } else if let Observation::Lifted { feature, version, .. } = what {
        (control_plane(), format!("lifts the kill of {} with policy {version}", estate.features[*feature].name))
    } else if let Observation::FaultStarted { entry } = what {
        (fault(entry), "begins".to_owned())
    } else if let Observation::FaultEnded { entry } = what {
        (fault(entry), "ends".to_owned())
    } else {
        return None;
    })
}

fn kill(feature: FeatureId, reach: &Scope, to: StageId, version: u32, estate: &Estate) -> String {
    let feature = &estate.features[feature];
    format!("kills {} to {}{} with policy {version}", feature.name, feature.stage_name(to), scope(reach, estate))
}

fn of_replica(what: &Observation, replica: ReplicaId, estate: &Estate) -> Option<String> {
    Some(if let Observation::PolicyApplied { version, previous, .. } = what {
        match previous {
            Some(previous) => format!("applies policy {version} in place of policy {previous}"),
            None => format!("applies policy {version}, having had none"),
        }
    } else if let Observation::PolicyLost { .. } = what {
        "loses the policy it held".to_owned()
    } else if let Observation::Suppressed { by: Obstacle::AnnouncementLost, .. } = what {
        "is not told of the kill: the announcement is lost".to_owned()
    } else if let Observation::Suppressed { by, .. } = what {
        let sdk = estate.services[estate.replicas[replica].service].sdk.as_ref();
        let contact = match sdk.map(|sdk| &sdk.delivery) {
            Some(Delivery::Poll { .. }) => "poll",
            Some(Delivery::Ttl { .. } | Delivery::Remote) => "fetch",
            Some(Delivery::Stream { .. }) => "push",
            Some(Delivery::Topic { .. }) => "record",
            Some(Delivery::File) | None => "contact",
        };
        format!("its {contact} fails: {}", by.name())
    } else if let Observation::Alert { .. } = what {
        "reports that its policy is too old".to_owned()
    } else if let Observation::Deployed { code, .. } = what {
        format!("runs code {code}")
    } else if let Observation::Crashed { .. } = what {
        "crashes".to_owned()
    } else if let Observation::Restarted { .. } = what {
        "is back".to_owned()
    } else {
        return None;
    })
}
