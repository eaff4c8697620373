//! Compensations: what was done and can be undone is kept with what it was done for, until something undoes it.
//!
//! A compensation is an effect of its own. It undoes by path: a rule of a path knows what that path did, a neutral one
//! what every path did. That a rollback takes away the one that knew is a thing to be tried, not a mistake of the model.

use super::estate::Estate;
use super::interaction::Ongoing;
use super::observation::{CompensationMade, EffectMade, Interaction, Observation, ObservationId};
use super::program::{EffectSite, OperationId};
use super::task::Task;
use super::world::World;
use crate::units::{SimTime, Slot};

/// An effect that something in the plan can undo, and nothing has undone yet.
#[derive(Clone, Copy, Debug)]
pub struct Undoable {
    of: Interaction,
    effect: u16,
    path: Option<u16>,
    pub(super) made: ObservationId,
    pub(super) made_at: SimTime,
    irreversible: bool,
    amount: Option<u64>,
    /// The operation that undoes it, where it declares one.
    compensated_by: Option<OperationId>,
}

impl World {
    /// What can still be undone of what an interaction is about; its own where it is about nothing.
    fn undoable(&mut self, slot: Slot<Ongoing>) -> &mut Vec<Undoable> {
        let interaction = self.interactions.get_mut(slot).expect("a task's interaction is open");
        match interaction.aggregate.and_then(|about| self.aggregates.get_mut(about)) {
            Some(aggregate) => &mut aggregate.undoable,
            None => &mut interaction.undoable,
        }
    }

    /// Keeps in mind what was just done, where something in the plan can undo it.
    pub(super) fn note_undoable(
        &mut self,
        estate: &Estate,
        slot: Slot<Ongoing>,
        site: &EffectSite,
        made: &EffectMade,
        seen: ObservationId,
    ) {
        if !site.undoable {
            return;
        }
        let made_at = self.cx.now();
        let done = Undoable {
            of: made.interaction,
            effect: site.effect,
            path: made.path,
            made: seen,
            made_at,
            irreversible: site.irreversible,
            amount: made.amount,
            compensated_by: site.compensated_by,
        };
        self.undoable(slot).push(done);
        if !estate.sweeps.is_empty() {
            self.note_for_sweeps(estate, slot, made, done);
        }
    }

    /// Undoes what the task's path did of an effect, the latest first. An interaction undoes its own; one that comes
    /// back to something undoes what was done for that.
    pub(super) fn compensate(&mut self, estate: &Estate, slot: Slot<Task>, effect: u16) {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let rule = &estate.operations[task.operation].rules[usize::from(task.rule.expect("a task at work has a rule"))];
        let (path, replica, key) = (rule.path, task.replica, task.interaction);
        let service = estate.replicas[replica].service;
        let id = self.interactions.get(key).expect("a task's interaction is open").id;
        let returns = estate.journeys[id.journey].follows.is_some();
        let undone = |done: &Undoable| {
            done.effect == effect && (path.is_none() || done.path == path) && (returns || done.of.key() == id.key())
        };
        let mut compensated = Vec::new();
        self.undoable(key).retain(|done| {
            compensated.extend(undone(done).then_some(*done));
            !undone(done)
        });
        for done in compensated.into_iter().rev() {
            self.take_out_of_reconciliation(estate, &done.of, effect);
            let interaction = self.interactions.get_mut(key).expect("a task's interaction is open");
            self.cx.cause = interaction.cause;
            interaction.cause = self.cx.observe(Observation::Compensated(CompensationMade {
                interaction: id,
                of: done.of,
                made: done.made,
                made_at: done.made_at,
                effect,
                path: done.path,
                irreversible: done.irreversible,
                amount: done.amount,
                context: estate.services[service].context,
                replica,
                swept_by: None,
            }));
            self.forget_undone(done.of, done.made);
        }
    }

    /// The operations that undo what an interaction did and is not undone, the latest first, each once.
    pub(super) fn compensators(&mut self, slot: Slot<Ongoing>) -> Vec<OperationId> {
        let id = self.interactions.get(slot).expect("an interaction whose saga is due is open").id;
        let own = self.undoable(slot).iter().rev().filter(|done| done.of.key() == id.key());
        let mut operations: Vec<OperationId> = Vec::new();
        for operation in own.filter_map(|done| done.compensated_by) {
            if !operations.contains(&operation) {
                operations.push(operation);
            }
        }
        operations
    }
}
