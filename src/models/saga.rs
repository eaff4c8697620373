//! Sagas: a service drives what it began to an end, or gives it up after a while and has it undone.
//!
//! A saga is stored: it outlives the process that began it. It ends when its entity comes to a final status; until then
//! the interaction is not done. What it starts when its time is over decides under the context it kept, or anew.

use super::carried::Context;
use super::estate::{Estate, ServiceId};
use super::event::Event;
use super::interaction::Ongoing;
use super::observation::{Failure, Observation};
use super::program::OperationId;
use super::task::{Caller, Task};
use super::world::World;
use crate::kernel::stream::address;
use crate::units::{SimDuration, Slot};

/// How often a saga whose time is over looks for a live replica of its service (assumption: as a scheduler does, every
/// minute).
const LOOKS_FOR_A_REPLICA_EVERY: SimDuration = SimDuration::from_secs(60);

/// What a service's sagas do.
#[derive(Clone, Debug)]
pub struct SagaSpec {
    /// Goes by the decisions it began with for as long as it lives.
    pub keeps_context: bool,
    /// How long it may take, by the path on which it began; on others there is none.
    pub timeouts: Vec<(u16, SimDuration)>,
    pub on_timeout: AtTimeout,
}

/// What a saga does when its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtTimeout {
    /// Runs what compensates each effect done so far, the latest first.
    Compensate,
    Run(OperationId),
}

/// A saga of an interaction.
#[derive(Clone, Debug)]
pub struct Saga {
    service: ServiceId,
    timeout: SimDuration,
    /// The decisions it began with.
    context: Context,
    /// It came to its end, or its time was over.
    over: bool,
}

impl World {
    /// The first rule that a service with sagas chooses in an interaction begins one, where its path has a time.
    pub(super) fn begin_saga(&mut self, estate: &Estate, slot: Slot<Task>) {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let (id, key) = (estate.replicas[task.replica].service, task.interaction);
        let service = &estate.services[id];
        let Some(spec) = &service.saga else { return };
        let Some(rule) = task.rule else { return };
        let Some(path) = estate.operations[task.operation].rules[usize::from(rule)].path else { return };
        let Some((_, timeout)) = spec.timeouts.iter().find(|(of, _)| *of == path) else { return };
        let interaction = self.interactions.get(key).expect("a task's interaction is open");
        let begun = interaction.sagas.iter().any(|saga| saga.service == id);
        // A replay repeats a part of what once was a saga.
        if begun || interaction.id.replay > 0 || self.is_final(estate, key) {
            return;
        }
        let saga = Saga { service: id, timeout: *timeout, context: self.outgoing(service, task, true), over: false };
        self.interactions.get_mut(key).expect("a task's interaction is open").sagas.push(saga);
        self.hold(key);
        self.cx.after(*timeout, Event::SagaDue { interaction: key, service: id });
    }

    /// Whether what an interaction is about has come to an end.
    fn is_final(&self, estate: &Estate, slot: Slot<Ongoing>) -> bool {
        let interaction = self.interactions.get(slot).expect("an interaction with a saga is open");
        let about = interaction.aggregate.and_then(|about| self.aggregates.get(about));
        about.is_some_and(|aggregate| estate.entities[aggregate.entity].finals.contains(&aggregate.status))
    }

    /// The entity has come to a final status: nothing is left for the interaction's sagas to do.
    pub(super) fn end_sagas(&mut self, estate: &Estate, slot: Slot<Ongoing>) {
        if !self.is_final(estate, slot) {
            return;
        }
        let interaction = self.interactions.get_mut(slot).expect("an interaction with a saga is open");
        let mut ended = 0;
        for saga in interaction.sagas.iter_mut().filter(|saga| !saga.over) {
            saga.over = true;
            ended += 1;
        }
        (0..ended).for_each(|_| self.release(estate, slot));
    }

    /// What a service with a saga that keeps its context does in this interaction, it does under that context where
    /// nothing newer came in.
    pub(super) fn recall_context(&mut self, estate: &Estate, slot: Slot<Task>) {
        let task = self.tasks.get_mut(slot).expect("a task that begins is in its pool");
        let id = estate.replicas[task.replica].service;
        let keeps = estate.services[id].saga.as_ref().is_some_and(|spec| spec.keeps_context);
        let interaction = self.interactions.get(task.interaction).expect("a task's interaction is open");
        let Some(saga) = interaction.sagas.iter().find(|saga| keeps && saga.service == id) else { return };
        for (feature, decision) in saga.context.iter() {
            if task.context.get(*feature).is_none() {
                task.context.set(*feature, *decision);
            }
        }
    }

    /// A saga's time is over. Where no replica of its service lives, it waits for one.
    pub(super) fn on_saga_due(&mut self, estate: &Estate, slot: Slot<Ongoing>, service: ServiceId) {
        let Some(interaction) = self.interactions.get(slot) else { return };
        let (id, identity, near) = (interaction.id, interaction.identity, interaction.customer.tenant_region);
        let Some(at) = interaction.sagas.iter().position(|saga| saga.service == service && !saga.over) else { return };
        let (cause, after) = (interaction.cause, interaction.sagas[at].timeout);
        if self.is_final(estate, slot) {
            return self.end_sagas(estate, slot);
        }
        let Some(replica) = self.choose_replica(estate, service, near, identity, address(0, u16::MAX, 1)) else {
            self.cx.after(LOOKS_FOR_A_REPLICA_EVERY, Event::SagaDue { interaction: slot, service });
            return;
        };
        self.cx.cause = cause;
        let seen = self.cx.observe(Observation::Expired { interaction: id, service, replica, after });
        let spec = estate.services[service].saga.as_ref().expect("a service that began a saga has them");
        let interaction = self.interactions.get_mut(slot).expect("the interaction was just seen");
        interaction.cause = seen;
        interaction.sagas[at].over = true;
        let kept = interaction.sagas[at].context.clone();
        let context = if spec.keeps_context { kept } else { Context::default() };
        let operations = match spec.on_timeout {
            AtTimeout::Compensate => self.compensators(slot),
            AtTimeout::Run(operation) => vec![operation],
        };
        for operation in operations {
            self.start_for_saga(estate, slot, service, operation, context.clone());
        }
        self.release(estate, slot);
    }

    /// Sends an operation on its way for which nobody waits.
    fn start_for_saga(
        &mut self,
        estate: &Estate,
        slot: Slot<Ongoing>,
        from: ServiceId,
        operation: OperationId,
        context: Context,
    ) {
        let interaction = self.interactions.get_mut(slot).expect("an interaction whose saga is due is open");
        let visit = interaction.visit(operation);
        let (id, identity, near) = (interaction.id, interaction.identity, interaction.customer.tenant_region);
        self.cx.cause = interaction.cause;
        let at = address(self.keys.call_sites[operation.index()], visit, 1);
        let called = estate.operations[operation].service;
        let Some(replica) = self.choose_replica(estate, called, near, identity, at) else {
            let why = Failure::NoReplica;
            self.cx.observe(Observation::Failed { interaction: id, operation, why, attempt: 1, path: None });
            return;
        };
        self.cx.observe(Observation::Called { interaction: id, from: Some(from), operation, replica, attempt: 1 });
        let task = self.new_task(slot, operation, replica, Caller::Nobody);
        let started = self.tasks.get_mut(task).expect("the task was just made");
        (started.visit, started.context) = (visit, context);
        self.dispatch_task(estate, task, near);
    }
}
