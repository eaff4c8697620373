//! A replica at work: requests arrive, queue for a worker, are served, and are answered.

use super::carried::CarriedDecision;
use super::estate::{CUSTOMER_PATIENCE, Estate, RegionId, ReplicaId, Service, ServiceId};
use super::event::Event;
use super::interaction::Ongoing;
use super::network::Leg;
use super::observation::{Failure, Observation, Outcome};
use super::planted::Planted;
use super::program::{OperationId, RuleWhen};
use super::task::{Caller, Doing, Handling, Task};
use super::world::World;
use crate::kernel::stream::address;
use crate::rollout::FeatureId;
use crate::units::{SimDuration, SimTime, Slot};
use std::collections::VecDeque;

/// A replica's process.
#[derive(Clone, Debug)]
pub struct Replica {
    pub up: bool,
    pub code: u32,
    /// Since when it has run this code without a restart.
    pub code_since: SimTime,
    /// Workers busy.
    busy: u32,
    queue: VecDeque<Slot<Task>>,
    /// What keeps it down: crashes that had no start yet.
    pub held_down: u32,
}

impl Replica {
    pub fn running(code: u32) -> Replica {
        Replica { up: true, code, code_since: SimTime::ZERO, busy: 0, queue: VecDeque::new(), held_down: 0 }
    }

    /// Whether it runs and would take one more request.
    pub(super) fn takes_one_more(&self, service: &Service) -> bool {
        self.up && (self.busy < service.workers || (self.queue.len() as u64) < u64::from(service.queue))
    }
}

impl World {
    /// The live replica that takes a request: by rendezvous hashing over the names of those in the caller's region,
    /// or of all where none is alive there (rules.md, 21).
    pub(super) fn choose_replica(
        &mut self,
        estate: &Estate,
        service: ServiceId,
        near: RegionId,
        identity: u64,
        visit: u64,
    ) -> Option<ReplicaId> {
        let replicas = &estate.services[service].replicas;
        if let [only] = replicas.as_slice() {
            return self.replicas[only.index()].up.then_some(*only);
        }
        let word = self.cx.draws.word(self.keys.choice[service.index()], identity, visit);
        let mut best: Option<(bool, u64, ReplicaId)> = None;
        for replica in replicas {
            if !self.replicas[replica.index()].up {
                continue;
            }
            let local = near == estate.replicas[*replica].region;
            let score = rendezvous(word, self.keys.replicas[replica.index()].identity);
            if best.is_none_or(|(best_local, best_score, _)| (local, score) > (best_local, best_score)) {
                best = Some((local, score, *replica));
            }
        }
        best.map(|(_, _, replica)| replica)
    }

    /// Sends a task to its replica.
    pub(super) fn dispatch_task(&mut self, estate: &Estate, slot: Slot<Task>, from: RegionId) {
        let task = self.tasks.get(slot).expect("a task being sent is in its pool");
        let interaction = self.interactions.get(task.interaction).expect("a task's interaction is open");
        let (id, identity, cause) = (interaction.id, interaction.identity, interaction.cause);
        let leg = Leg {
            from,
            to: estate.replicas[task.replica].region,
            service: estate.replicas[task.replica].service,
            key: self.keys.latency[task.operation.index()],
            address: (identity, address(0, task.visit, task.attempt << 1)),
        };
        match self.cross(estate, &leg) {
            Ok(latency) => self.cx.after(latency, Event::Deliver { task: slot }),
            Err(by) => {
                self.cx.cause = cause;
                self.cx.observe(Observation::MessageLost { interaction: id, by });
                self.abandon(estate, slot);
            }
        }
    }

    pub(super) fn on_deliver(&mut self, estate: &Estate, slot: Slot<Task>) {
        let Some(task) = self.tasks.get_mut(slot) else { return };
        let service = &estate.services[estate.replicas[task.replica].service];
        let replica = &mut self.replicas[task.replica.index()];
        if !replica.up {
            self.fail_task(estate, slot, Failure::NoReplica);
        } else if replica.busy < service.workers {
            replica.busy += 1;
            task.holds_worker = true;
            self.begin(estate, slot);
        } else if (replica.queue.len() as u64) < u64::from(service.queue) {
            task.doing = Doing::Queued;
            replica.queue.push_back(slot);
        } else {
            self.fail_task(estate, slot, Failure::Overloaded);
        }
    }

    /// A worker takes the request up; where its decision needs a fetch, it waits for that first.
    pub(super) fn begin(&mut self, estate: &Estate, slot: Slot<Task>) {
        let task = self.tasks.get_mut(slot).expect("a task that begins is in its pool");
        task.doing = Doing::Working;
        let (replica, fetched) = (task.replica, task.fetched);
        if estate.services[estate.replicas[replica].service].saga.is_some() {
            self.recall_context(estate, slot);
        }
        if !fetched && self.needs_policy(estate, slot) {
            let task = self.tasks.get_mut(slot).expect("a task that begins is in its pool");
            task.fetched = true;
            let awaits = self.fetch_for(estate, replica, slot);
            if awaits > 0 {
                let task = self.tasks.get_mut(slot).expect("a task that begins is in its pool");
                (task.doing, task.awaits) = (Doing::Fetching, awaits);
                return;
            }
        }
        self.work(estate, slot);
    }

    /// Whether a decision of this task will come to its SDK: the operation may read a feature that nothing carried.
    fn needs_policy(&self, estate: &Estate, slot: Slot<Task>) -> bool {
        use super::estate::DecidesFrom;
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let service = &estate.services[estate.replicas[task.replica].service];
        let carried = if task.handling.is_some() { DecidesFrom::Event } else { DecidesFrom::Context };
        let sdk_first = service
            .decides_from
            .iter()
            .take_while(|source| **source != DecidesFrom::Sdk)
            .all(|source| *source != carried);
        let honours = |carried: &CarriedDecision| carried.refused_by(service, self.cx.now()).is_none();
        let asks = |feature: &FeatureId| sdk_first || !task.context.get(*feature).is_some_and(honours);
        let may_read = &estate.operations[task.operation].may_read;
        // The kill source asks the same cache, whatever is carried.
        let kill = service.decides_from.contains(&DecidesFrom::Kill) && !may_read.is_empty();
        kill || service.decides_from.contains(&DecidesFrom::Sdk) && may_read.iter().any(asks)
    }

    pub(super) fn go_on_after_fetch(&mut self, estate: &Estate, slot: Slot<Task>) {
        let Some(task) = self.tasks.get_mut(slot).filter(|task| task.doing == Doing::Fetching) else { return };
        task.awaits -= 1;
        if task.awaits == 0 {
            self.work(estate, slot);
        }
    }

    /// The process that fetched for this task was replaced: the new one fetches anew.
    pub(super) fn fetch_again(&mut self, estate: &Estate, slot: Slot<Task>) {
        if let Some(task) = self.tasks.get_mut(slot).filter(|task| task.doing == Doing::Fetching) {
            task.fetched = false;
            self.begin(estate, slot);
        }
    }

    /// Comes to its decisions, chooses the rule, and spends the operation's own time.
    fn work(&mut self, estate: &Estate, slot: Slot<Task>) {
        let task = self.tasks.get_mut(slot).expect("a task at work is in its pool");
        task.doing = Doing::Working;
        let operation = &estate.operations[task.operation];
        let service = &estate.services[operation.service];
        if service.edge {
            self.decide_at_edge(estate, slot);
        }
        for feature in &operation.reads {
            self.decision(estate, slot, *feature);
        }
        match self.choose_rule(estate, slot) {
            Ok(Some(rule)) => {
                self.tasks.get_mut(slot).expect("a task at work is in its pool").rule = Some(rule);
                if service.saga.is_some() {
                    self.begin_saga(estate, slot);
                }
            }
            Ok(None) => {
                let reason = self.no_rule;
                self.settle(slot, Outcome::Rejected(reason));
            }
            Err(_) => self.settle(slot, Outcome::Failed(Failure::Condition)),
        }
        let mut takes = self.own_time(estate, slot);
        if service.defective {
            takes = takes.scaled(self.slowed(estate, slot));
        }
        self.cx.after(takes, Event::WorkDone { task: slot });
    }

    /// The edge decides before anything asks, so that the decision travels with all that follows.
    fn decide_at_edge(&mut self, estate: &Estate, slot: Slot<Task>) {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let service = &estate.services[estate.operations[task.operation].service];
        let interaction = self.interactions.get(task.interaction).expect("a task's interaction is open");
        let of_journey = estate.journeys[interaction.id.journey].feature;
        if service.edge_features.is_empty() {
            if let Some(feature) = of_journey {
                self.decision(estate, slot, feature);
            }
        } else {
            for feature in &service.edge_features {
                self.decision(estate, slot, *feature);
            }
        }
    }

    fn choose_rule(
        &mut self,
        estate: &Estate,
        slot: Slot<Task>,
    ) -> Result<Option<u16>, crate::rollout::condition::ConditionFault> {
        let operation = self.tasks.get(slot).expect("a task at work is in its pool").operation;
        for (index, rule) in estate.operations[operation].rules.iter().enumerate() {
            let holds = match &rule.when {
                RuleWhen::Always => true,
                RuleWhen::Condition(condition) => self.holds(estate, slot, condition)?,
                RuleWhen::Stages { feature, stages } => {
                    let stage = self.decision(estate, slot, *feature).stage;
                    stages.contains(&stage)
                }
            };
            if holds {
                return Ok(Some(index as u16));
            }
        }
        Ok(None)
    }

    fn own_time(&mut self, estate: &Estate, slot: Slot<Task>) -> SimDuration {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let interaction = self.interactions.get(task.interaction).expect("a task's interaction is open");
        let at = (interaction.identity, address(0, task.visit, task.attempt));
        match task.handling {
            Some(handling) => {
                let key = self.keys.groups[handling.group.index()];
                let takes = self.cx.sample(&estate.groups[handling.group].takes, key, at.0, at.1);
                if Planted::RecordTooSlow.is_active() { takes.scaled(1.05) } else { takes }
            }
            None => {
                let key = self.keys.service_time[task.operation.index()];
                let takes = self.cx.sample(&estate.operations[task.operation].takes, key, at.0, at.1);
                if Planted::ServiceTooSlow.is_active() { takes.scaled(1.05) } else { takes }
            }
        }
    }

    /// Notes how the task will end; the program does not go on.
    pub(super) fn settle(&mut self, slot: Slot<Task>, outcome: Outcome) {
        if let Some(task) = self.tasks.get_mut(slot) {
            task.settled.get_or_insert(outcome);
        }
    }

    pub(super) fn on_work_done(&mut self, estate: &Estate, slot: Slot<Task>) {
        let Some(task) = self.tasks.get(slot) else { return };
        let service = &estate.services[estate.operations[task.operation].service];
        if service.defective {
            self.fail_by_defect(estate, slot);
        }
        if let Some(silence) = &service.silence
            && self.falls_silent(estate, slot, silence)
        {
            return;
        }
        self.advance(estate, slot);
    }

    /// The task is over: its worker takes the next request, its caller gets the outcome.
    pub(super) fn finish_task(&mut self, estate: &Estate, slot: Slot<Task>, outcome: Outcome) {
        self.free_worker(estate, slot);
        self.answer(estate, slot, outcome);
        let task = self.tasks.remove(slot).expect("a task ends once");
        self.release(estate, task.interaction);
    }

    pub(super) fn fail_task(&mut self, estate: &Estate, slot: Slot<Task>, why: Failure) {
        let task = self.tasks.get(slot).expect("a task that fails is in its pool");
        let (operation, attempt) = (task.operation, task.attempt);
        let rule = task.rule.map(|rule| &estate.operations[operation].rules[usize::from(rule)]);
        let path = rule.and_then(|rule| rule.path);
        let interaction = self.interactions.get(task.interaction).expect("a task's interaction is open");
        let (id, cause) = (interaction.id, interaction.cause);
        self.cx.cause = cause;
        self.cx.observe(Observation::Failed { interaction: id, operation, why, attempt, path });
        self.finish_task(estate, slot, Outcome::Failed(why));
    }

    /// A request that never arrives: nobody answers, and its caller's deadline will tell.
    fn abandon(&mut self, estate: &Estate, slot: Slot<Task>) {
        let task = self.tasks.remove(slot).expect("a task being sent is in its pool");
        if let Caller::Customer = task.caller {
            // A customer has no deadline of their own: their client's connection breaks.
            let outcome = Outcome::Failed(Failure::Timeout);
            self.hold(task.interaction);
            self.cx.after(CUSTOMER_PATIENCE, Event::Answer { interaction: task.interaction, outcome });
        }
        self.release(estate, task.interaction);
    }

    pub(super) fn free_worker(&mut self, estate: &Estate, slot: Slot<Task>) {
        let task = self.tasks.get_mut(slot).expect("a task that ends is in its pool");
        if !std::mem::take(&mut task.holds_worker) {
            return;
        }
        let replica = &mut self.replicas[task.replica.index()];
        match replica.queue.pop_front() {
            Some(next) => {
                self.tasks.get_mut(next).expect("a queued task is in its pool").holds_worker = true;
                self.begin(estate, next);
            }
            None => replica.busy -= 1,
        }
    }

    /// Sends the outcome to whoever waits for it.
    pub(super) fn answer(&mut self, estate: &Estate, slot: Slot<Task>, outcome: Outcome) {
        let task = self.tasks.get_mut(slot).expect("a task that answers is in its pool");
        let caller = std::mem::replace(&mut task.caller, Caller::Nobody);
        let (operation, visit, attempt, replica, interaction) =
            (task.operation, task.visit, task.attempt, task.replica, task.interaction);
        let identity = self.interactions.get(interaction).expect("a task's interaction is open").identity;
        let from = estate.replicas[replica].region;
        match caller {
            Caller::Nobody => {}
            Caller::Customer => {
                let leg = Leg {
                    from,
                    to: from,
                    service: estate.replicas[replica].service,
                    key: self.keys.latency[operation.index()],
                    address: (identity, address(0, visit, attempt << 1 | 1)),
                };
                // A customer whose answer is lost was not served, whatever was done for them.
                let lost = (CUSTOMER_PATIENCE, Outcome::Failed(Failure::Timeout));
                let (latency, outcome) = self.cross(estate, &leg).map_or(lost, |latency| (latency, outcome));
                self.hold(interaction);
                self.cx.after(latency, Event::Answer { interaction, outcome });
            }
            Caller::Task { task: waiting, call } => {
                let Some(to) = self.tasks.get(waiting).map(|task| estate.replicas[task.replica].region) else { return };
                let leg = Leg {
                    from,
                    to,
                    service: estate.replicas[replica].service,
                    key: self.keys.latency[operation.index()],
                    address: (identity, address(0, visit, attempt << 1 | 1)),
                };
                // An answer that is lost is told by the caller's deadline.
                if let Ok(latency) = self.cross(estate, &leg) {
                    self.cx.after(latency, Event::Reply { task: waiting, call, outcome });
                }
            }
            Caller::Member { member, epoch } => {
                self.tell_handled(slot, outcome);
                self.record_done(estate, member, epoch);
            }
        }
    }

    fn tell_handled(&mut self, slot: Slot<Task>, outcome: Outcome) {
        let task = self.tasks.get(slot).expect("a task that answers is in its pool");
        let Some(Handling { group, partition, offset, .. }) = task.handling else { return };
        let interaction = self.interactions.get(task.interaction).expect("a task's interaction is open");
        self.cx.cause = interaction.cause;
        let interaction = interaction.id;
        self.cx.observe(Observation::Handled { interaction, group, partition, offset, outcome });
    }

    /// A process ends with everything it was doing, apart from what is stored; whoever waited for it sees the connection break.
    pub(super) fn crash_tasks(&mut self, estate: &Estate, replica: ReplicaId) {
        let doomed: Vec<Slot<Task>> = self
            .tasks
            .slots()
            .filter(|(_, task)| task.replica == replica && !matches!(task.doing, Doing::Travelling | Doing::Held))
            .map(|(slot, _)| slot)
            .collect();
        let state = &mut self.replicas[replica.index()];
        state.queue.clear();
        for slot in doomed {
            if let Some(task) = self.tasks.get_mut(slot) {
                task.holds_worker = false;
                self.fail_task(estate, slot, Failure::Crashed);
            }
        }
        self.replicas[replica.index()].busy = 0;
    }

    pub(super) fn hold(&mut self, interaction: Slot<Ongoing>) {
        self.interactions.get_mut(interaction).expect("an interaction that goes on is open").open += 1;
    }

    /// One thing less that belongs to the interaction; with the last one it is closed.
    pub(super) fn release(&mut self, estate: &Estate, slot: Slot<Ongoing>) {
        let interaction = self.interactions.get_mut(slot).expect("an interaction is open until it is released");
        interaction.open -= 1;
        if interaction.open == 0 {
            let interaction = self.interactions.remove(slot).expect("an interaction is closed once");
            self.cx.cause = interaction.cause;
            let about = interaction.aggregate.and_then(|about| self.aggregates.get(about));
            let status = about.map(|aggregate| (aggregate.entity, aggregate.status));
            self.cx.observe(Observation::Closed { interaction: interaction.id, status });
            if !estate.sweeps.is_empty() {
                self.closed_for_sweeps(estate, interaction.id, status);
            }
            if let (Some(about), Some((entity, _))) = (interaction.aggregate, status) {
                // What a replay is about is nobody else's.
                self.release_aggregate(about, estate.entities[entity].per_subject && interaction.id.replay == 0);
            }
            self.spare.give_back(interaction.visits);
        }
    }

    /// A new task of an interaction.
    pub(super) fn new_task(
        &mut self,
        interaction: Slot<Ongoing>,
        operation: OperationId,
        replica: ReplicaId,
        caller: Caller,
    ) -> Slot<Task> {
        self.hold(interaction);
        self.tasks.insert(Task::new(interaction, operation, replica, caller))
    }
}

fn rendezvous(word: u64, identity: u64) -> u64 {
    let x = (word ^ identity).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x ^ (x >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb) ^ x >> 32
}
