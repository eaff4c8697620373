//! What an event is about, by names and ordinals and never by places in tables: so the digest takes it in, and so a
//! person reads it. What is added elsewhere in an estate changes neither.

use super::aggregate::Return;
use super::estate::{Estate, GroupId, MemberId, ReplicaId};
use super::event::Event;
use super::interaction::Ongoing;
use super::journey::Errand;
use super::observation::{Decided, Outcome};
use super::task::Task;
use super::topic::Sent;
use super::world::World;
use crate::kernel::digest::hash_bytes;
use crate::units::Slot;

/// Hashes of the names of everything an event can be about, by their ids. They do not depend on the seed.
#[derive(Clone, Debug)]
pub struct Identities {
    pub journeys: Vec<u64>,
    pub replicas: Vec<u64>,
    users: Vec<u64>,
    operations: Vec<u64>,
    regions: Vec<u64>,
    features: Vec<u64>,
    rollouts: Vec<u64>,
    entries: Vec<u64>,
    alerts: Vec<u64>,
    topics: Vec<u64>,
    groups: Vec<u64>,
    members: Vec<u64>,
    reasons: Vec<u64>,
    services: Vec<u64>,
    reconciliations: Vec<u64>,
    sweeps: Vec<u64>,
}

/// What stands in for the subject of an event that has come too late: its task is over.
const OVER: u64 = 0x6f76_6572;

fn hash(name: &str) -> u64 {
    hash_bytes(name.as_bytes())
}

/// An identity within another: different ordinals under one name never meet.
fn within(name: u64, ordinal: u64) -> u64 {
    (name ^ ordinal).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
}

impl Identities {
    pub fn of(estate: &Estate) -> Identities {
        let operation = |operation: &super::program::Operation| {
            within(hash(&estate.services[operation.service].name), hash(&operation.name))
        };
        let group =
            |group: &super::estate::ConsumerGroup| within(hash(&group.name), hash(&estate.topics[group.topic].name));
        Identities {
            journeys: estate.journeys.iter().map(|journey| hash(&journey.name)).collect(),
            replicas: estate.replicas.iter().map(|replica| hash(&replica.name)).collect(),
            users: estate.users.iter().map(|users| hash(&users.name)).collect(),
            operations: estate.operations.iter().map(operation).collect(),
            regions: estate.regions.iter().map(|region| hash(&region.name)).collect(),
            features: estate.features.iter().map(|feature| hash(&feature.name)).collect(),
            rollouts: estate.rollouts.iter().map(|rollout| hash(&estate.features[rollout.feature].name)).collect(),
            entries: (0..estate.timeline.len()).map(|index| entry(estate, index)).collect(),
            alerts: estate.alerts.iter().map(|alert| hash(&alert.name)).collect(),
            topics: estate.topics.iter().map(|topic| hash(&topic.name)).collect(),
            groups: estate.groups.iter().map(group).collect(),
            members: estate.members.iter().map(|member| hash(&member.name)).collect(),
            reasons: estate.reasons.iter().map(hash).collect(),
            services: estate.services.iter().map(|service| hash(&service.name)).collect(),
            reconciliations: estate.reconciliations.iter().map(|job| hash(&job.name)).collect(),
            sweeps: estate.sweeps.iter().map(|job| hash(&job.name)).collect(),
        }
    }

    /// A decision as the digest takes it in: the feature by name, the stage and the policy by their ordinals, and where
    /// it came from. Of two runs with the same events and draws, one may decide otherwise.
    pub fn decision(&self, decided: &Decided) -> (u64, u64) {
        let stage = decided.stage.index() as u64 | (decided.source as u64) << 32 | u64::from(decided.attempt) << 40;
        let version = decided.policy_version.map_or(0, |version| u64::from(version.0));
        let rule = decided.rule.map_or(0, |rule| u64::from(rule) + 1);
        (within(self.features[decided.feature.index()], stage), version << 32 | rule)
    }

    fn outcome(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Succeeded => 0,
            Outcome::Rejected(reason) => within(1, self.reasons[usize::from(reason)]),
            Outcome::Failed(why) => within(2, why as u64),
        }
    }
}

/// The how-manieth entry of the timeline with its label this is.
pub fn nth_of_label(estate: &Estate, index: usize) -> u64 {
    let label = &estate.timeline[index].label;
    estate.timeline[..index].iter().filter(|entry| entry.label == *label).count() as u64
}

fn entry(estate: &Estate, index: usize) -> u64 {
    within(hash(&estate.timeline[index].label), nth_of_label(estate, index))
}

impl World {
    /// The event's kind and what it is about, as two words for the digest.
    pub(super) fn words(&self, event: &Event) -> (u64, u64) {
        let names = &self.keys.identities;
        let pair = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        let replica = |replica: ReplicaId, life: u32| within(names.replicas[replica.index()], life.into());
        let member = |member: MemberId, epoch: u32| within(names.members[member.index()], epoch.into());
        let entry = |entry: u32, ordinal: u32| within(names.entries[entry as usize], ordinal.into());
        match *event {
            Event::Arrive { journey } => (1, within(names.journeys[journey.index()], self.arrived[journey.index()])),
            Event::Returns { planned } => (40, self.return_word(planned)),
            Event::UserActs { users, user } => (2, within(names.users[users.index()], user.into())),
            Event::Deliver { task } => (3, self.task_word(task)),
            Event::WorkDone { task } => (4, self.task_word(task)),
            Event::Reply { task, call, outcome } => {
                (5, within(within(self.task_word(task), call.into()), names.outcome(outcome)))
            }
            Event::Answer { interaction, outcome } => {
                (6, within(self.interaction_word(interaction), names.outcome(outcome)))
            }
            Event::Deadlines { lane } => (7, self.lanes[lane as usize].timeout().nanos()),
            Event::Retry { task, call } => (8, within(self.task_word(task), call.into())),
            Event::Continue { task } => (9, self.task_word(task)),
            Event::Poll { replica: of, life } => (10, replica(of, life)),
            Event::PolicyRead { replica: of, life, fetch } => (11, within(replica(of, life), fetch.into())),
            Event::PolicyAnswer { replica: of, life, fetch, version } => {
                (12, within(replica(of, life), pair(fetch, version)))
            }
            Event::PolicyUnavailable { replica: of, life, fetch } => (13, within(replica(of, life), fetch.into())),
            Event::PolicyPush { replica: of, life, version } => (14, within(replica(of, life), version.into())),
            Event::Reconnect { replica: of, life } => (15, replica(of, life)),
            Event::StalenessCheck { replica: of, life } => (16, replica(of, life)),
            Event::Replicate { region, version } => (17, within(names.regions[region.index()], version.into())),
            Event::StepDue { rollout, step } => (18, within(names.rollouts[usize::from(rollout)], step.into())),
            Event::HoldEnds { rollout, course } => (41, within(names.rollouts[usize::from(rollout)], course.into())),
            Event::Analyse { rollout, course } => (42, within(names.rollouts[usize::from(rollout)], course.into())),
            Event::ApprovalDue { rollout, ask, who } => {
                (43, within(names.rollouts[usize::from(rollout)], pair(ask, who.into())))
            }
            Event::PlanRetries { rollout, course } => (44, within(names.rollouts[usize::from(rollout)], course.into())),
            Event::Scrape { alert } => (45, names.alerts[usize::from(alert)]),
            Event::TeamActs { alert, nth } => (46, within(names.alerts[usize::from(alert)], nth.into())),
            Event::LiftKill { entry: of } => (19, entry(of, 0)),
            Event::EntryBegins { entry: of } => (20, entry(of, 0)),
            Event::EntryEnds { entry: of, strike } => (21, entry(of, strike)),
            Event::DeployBatch { entry: of, batch } => (22, entry(of, batch)),
            Event::ReplicaUp { replica: of } => (23, replica(of, 0)),
            Event::Append { record } => (24, self.record_word(record)),
            Event::MemberPolls { member: of, epoch } => (25, member(of, epoch)),
            Event::PollDeadline { member: of, epoch } => (26, member(of, epoch)),
            Event::AutoCommit { member: of, epoch } => (27, member(of, epoch)),
            Event::SessionExpires { member: of, epoch } => (28, member(of, epoch)),
            Event::JoinPhaseEnds { group, attempt } => (29, within(names.groups[group.index()], attempt.into())),
            Event::Assign { group, attempt } => (30, within(names.groups[group.index()], attempt.into())),
            Event::SagaDue { interaction, service } => {
                (61, within(self.interaction_word(interaction), names.services[service.index()]))
            }
            Event::Announced { replica: of, life } => (64, replica(of, life)),
            Event::Sends { message } => (63, self.unsent_word(message)),
            Event::Reconcile { job } => (62, names.reconciliations[job as usize]),
            Event::Sweep { job } => (65, names.sweeps[job as usize]),
            Event::ExceptionWorked { job } => (66, names.reconciliations[job as usize]),
        }
    }

    fn task_word(&self, slot: Slot<Task>) -> u64 {
        let Some(task) = self.tasks.get(slot) else { return OVER };
        let names = &self.keys.identities;
        let at = names.operations[task.operation.index()] ^ names.replicas[task.replica.index()].rotate_left(1);
        let ordinals = u64::from(task.visit) << 32 | u64::from(task.action) << 16 | u64::from(task.attempt);
        within(within(at, ordinals), self.interaction_word(task.interaction))
    }

    fn unsent_word(&self, slot: Slot<Errand>) -> u64 {
        let names = &self.keys.identities;
        self.unsent.get(slot).map_or(OVER, |unsent| within(names.journeys[unsent.journey.index()], unsent.n))
    }

    fn return_word(&self, slot: Slot<Return>) -> u64 {
        let names = &self.keys.identities;
        self.returns.get(slot).map_or(OVER, |planned| within(names.journeys[planned.journey.index()], planned.n))
    }

    fn interaction_word(&self, slot: Slot<Ongoing>) -> u64 {
        self.interactions.get(slot).map_or(OVER, |ongoing| ongoing.identity)
    }

    fn record_word(&self, slot: Slot<Sent>) -> u64 {
        let Some(sent) = self.sent.get(slot) else { return OVER };
        let (topic, partition, record) = sent.destination();
        let place = within(self.keys.identities.topics[topic.index()], partition.into());
        within(within(place, record.identity), record.event_type.into())
    }
}

/// An event in words: its kind as the code names it, and what it is about as the scenario does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub kind: &'static str,
    pub about: String,
}

impl Account {
    /// As one word, for digests.
    pub fn to_word(&self) -> u64 {
        within(hash(self.kind), hash(&self.about))
    }
}

impl World {
    /// The account of an event that is about to happen, or has just been planned.
    pub fn account(&self, estate: &Estate, event: &Event) -> Account {
        let replica = |id: ReplicaId, life: u32| format!("{}, life {life}", estate.replicas[id].name);
        let member = |id: MemberId, epoch: u32| format!("{}, epoch {epoch}", estate.members[id].name);
        let group = |id: GroupId, attempt: u32| format!("{}, rebalance {attempt}", estate.groups[id].name);
        let label = |entry: u32| estate.timeline[entry as usize].label.clone();
        let task = |task: Slot<Task>| self.task_account(estate, task);
        let (kind, about) = match *event {
            Event::Arrive { journey } => {
                ("Arrive", format!("{} {}", estate.journeys[journey].name, self.arrived[journey.index()]))
            }
            Event::Announced { replica: of, life } => ("Announced", replica(of, life)),
            Event::Sends { message } => ("Sends", self.unsent_account(estate, message)),
            Event::Returns { planned } => ("Returns", self.return_account(estate, planned)),
            Event::UserActs { users, user } => ("UserActs", format!("{} {user}", estate.users[users].name)),
            Event::Deliver { task: of } => ("Deliver", task(of)),
            Event::WorkDone { task: of } => ("WorkDone", task(of)),
            Event::Reply { task: of, call, outcome } => {
                ("Reply", format!("{}, to call {call} of {}", outcome_account(estate, outcome), task(of)))
            }
            Event::Answer { interaction, outcome } => {
                let to = self.interaction_account(estate, interaction);
                ("Answer", format!("{}, to {to}", outcome_account(estate, outcome)))
            }
            Event::Deadlines { lane } => {
                ("Deadlines", format!("of calls with a timeout of {}", self.lanes[lane as usize].timeout()))
            }
            Event::Retry { task: of, call } => ("Retry", format!("of call {call} of {}", task(of))),
            Event::Continue { task: of } => ("Continue", task(of)),
            Event::Poll { replica: of, life } => ("Poll", replica(of, life)),
            Event::PolicyRead { replica: of, life, fetch } => {
                ("PolicyRead", format!("for {}, fetch {fetch}", replica(of, life)))
            }
            Event::PolicyAnswer { replica: of, life, fetch, version } => {
                ("PolicyAnswer", format!("version {version} to {}, fetch {fetch}", replica(of, life)))
            }
            Event::PolicyUnavailable { replica: of, life, fetch } => {
                ("PolicyUnavailable", format!("to {}, fetch {fetch}", replica(of, life)))
            }
            Event::PolicyPush { replica: of, life, version } => {
                ("PolicyPush", format!("version {version} to {}", replica(of, life)))
            }
            Event::Reconnect { replica: of, life } => ("Reconnect", replica(of, life)),
            Event::StalenessCheck { replica: of, life } => ("StalenessCheck", replica(of, life)),
            Event::Replicate { region, version } => {
                ("Replicate", format!("version {version} to region {}", estate.regions[region].name))
            }
            Event::StepDue { rollout, step } => ("StepDue", step_account(estate, rollout, step)),
            Event::HoldEnds { rollout, .. } => ("HoldEnds", plan_account(estate, rollout)),
            Event::Analyse { rollout, .. } => ("Analyse", plan_account(estate, rollout)),
            Event::ApprovalDue { rollout, ask, who } => {
                ("ApprovalDue", format!("{}, question {ask}, answer {who}", plan_account(estate, rollout)))
            }
            Event::PlanRetries { rollout, .. } => ("PlanRetries", plan_account(estate, rollout)),
            Event::Scrape { alert } => ("Scrape", estate.alerts[usize::from(alert)].name.clone()),
            Event::TeamActs { alert, nth } => {
                ("TeamActs", format!("{}, call {nth}", estate.alerts[usize::from(alert)].name))
            }
            Event::LiftKill { entry } => ("LiftKill", label(entry)),
            Event::EntryBegins { entry } => ("EntryBegins", label(entry)),
            Event::EntryEnds { entry, strike } => ("EntryEnds", format!("{}, strike {strike}", label(entry))),
            Event::DeployBatch { entry, batch } => ("DeployBatch", format!("{}, batch {batch}", label(entry))),
            Event::ReplicaUp { replica: of } => ("ReplicaUp", estate.replicas[of].name.clone()),
            Event::Append { record } => ("Append", self.record_account(estate, record)),
            Event::MemberPolls { member: of, epoch } => ("MemberPolls", member(of, epoch)),
            Event::PollDeadline { member: of, epoch } => ("PollDeadline", member(of, epoch)),
            Event::AutoCommit { member: of, epoch } => ("AutoCommit", member(of, epoch)),
            Event::SessionExpires { member: of, epoch } => ("SessionExpires", member(of, epoch)),
            Event::JoinPhaseEnds { group: of, attempt } => ("JoinPhaseEnds", group(of, attempt)),
            Event::Assign { group: of, attempt } => ("Assign", group(of, attempt)),
            Event::SagaDue { interaction, service } => {
                let of = self.interaction_account(estate, interaction);
                ("SagaDue", format!("of {} for {of}", estate.services[service].name))
            }
            Event::Reconcile { job } => ("Reconcile", estate.reconciliations[job as usize].name.clone()),
            Event::Sweep { job } => ("Sweep", estate.sweeps[job as usize].name.clone()),
            Event::ExceptionWorked { job } => ("ExceptionWorked", estate.reconciliations[job as usize].name.clone()),
        };
        Account { kind, about }
    }

    fn task_account(&self, estate: &Estate, slot: Slot<Task>) -> String {
        let Some(task) = self.tasks.get(slot) else { return "a task that is over".to_owned() };
        let operation = &estate.operations[task.operation];
        let service = &estate.services[operation.service].name;
        let (replica, visit, attempt) = (&estate.replicas[task.replica].name, task.visit + 1, task.attempt);
        let of = self.interaction_account(estate, task.interaction);
        format!("{service}.{} at {replica} for {of}, visit {visit}, attempt {attempt}", operation.name)
    }

    fn unsent_account(&self, estate: &Estate, slot: Slot<Errand>) -> String {
        let Some(unsent) = self.unsent.get(slot) else { return "a request that is sent".to_owned() };
        format!("{} {}", estate.journeys[unsent.journey].name, unsent.n)
    }

    fn return_account(&self, estate: &Estate, slot: Slot<Return>) -> String {
        let Some(planned) = self.returns.get(slot) else { return "a return that is over".to_owned() };
        format!("{} {}", estate.journeys[planned.journey].name, planned.n)
    }

    fn interaction_account(&self, estate: &Estate, slot: Slot<Ongoing>) -> String {
        let Some(ongoing) = self.interactions.get(slot) else { return "an interaction that is over".to_owned() };
        let (journey, n) = (&estate.journeys[ongoing.id.journey].name, ongoing.id.n);
        match ongoing.id.replay {
            0 => format!("{journey} {n}"),
            replay => format!("{journey} {n} in replay {replay}"),
        }
    }

    fn record_account(&self, estate: &Estate, slot: Slot<Sent>) -> String {
        let Some(sent) = self.sent.get(slot) else { return "a record that is appended".to_owned() };
        let (topic, partition, record) = sent.destination();
        let (event_type, of) = (estate.event_types.text(record.event_type), record.id);
        let topic = &estate.topics[topic].name;
        format!("{event_type} of {} {} to {topic}/{partition}", estate.journeys[of.journey].name, of.n)
    }
}

fn step_account(estate: &Estate, rollout: u16, step: u16) -> String {
    let rollout = &estate.rollouts[usize::from(rollout)];
    format!("{}/{}", estate.features[rollout.feature].name, rollout.steps[usize::from(step)].name)
}

fn plan_account(estate: &Estate, rollout: u16) -> String {
    estate.features[estate.rollouts[usize::from(rollout)].feature].name.clone()
}

fn outcome_account(estate: &Estate, outcome: Outcome) -> String {
    match outcome {
        Outcome::Succeeded => "succeeded".to_owned(),
        Outcome::Rejected(reason) => format!("rejected: {}", estate.reasons.text(reason)),
        Outcome::Failed(why) => format!("failed: {why:?}"),
    }
}
