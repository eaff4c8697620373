//! Sweeps: when a feature is killed or its plan goes back, people go through what was done, one by one, and undo it.
//!
//! They go by the record of what was done and not by the flag: to them it does not matter what the policy in force
//! would have a compensator do. An entity's status stays as it is.

use super::aggregate::Aggregate;
use super::compensation::Undoable;
use super::estate::{EntityId, Estate};
use super::event::Event;
use super::interaction::{Customer, Ongoing};
use super::observation::{CompensationMade, EffectMade, Interaction, Observation, ObservationId, Outcome};
use super::world::World;
use crate::kernel::Distribution;
use crate::rollout::{FeatureId, StageId};
use crate::units::{SimDuration, Slot};

/// A sweep as the file describes it.
#[derive(Clone, Debug)]
pub struct SweepSpec {
    pub name: String,
    /// The effects that are undone.
    pub effects: Vec<u16>,
    /// The feature whose retreat calls for it.
    pub feature: FeatureId,
    /// From when there is something to undo until they begin.
    pub acts_in: Distribution,
    /// The time for each one.
    pub every: SimDuration,
}

/// The state of a sweep.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// What was done and has come to no good end, in the order in which it was done.
    open: Vec<Open>,
    /// How often they were called, and whether they are at it.
    calls: u64,
    at_work: bool,
    /// What they were called by.
    cause: ObservationId,
}

/// An effect that could have to be undone.
#[derive(Clone, Copy, Debug)]
struct Open {
    done: Undoable,
    stage: StageId,
    customer: Customer,
    made: EffectMade,
    interaction: Slot<Ongoing>,
    aggregate: Option<Slot<Aggregate>>,
    failed: bool,
    /// It came to a good end, and is kept in mind because somebody may come back to it.
    well: bool,
}

impl World {
    /// Keeps in mind what was just done, for those who might have to undo it.
    pub(super) fn note_for_sweeps(&mut self, estate: &Estate, slot: Slot<Ongoing>, made: &EffectMade, done: Undoable) {
        let Some((feature, stage)) = made.under else { return };
        let interaction = self.interactions.get(slot).expect("a task's interaction is open");
        let (customer, aggregate) = (interaction.customer, interaction.aggregate);
        let open =
            Open { done, stage, customer, made: *made, interaction: slot, aggregate, failed: false, well: false };
        for job in 0..estate.sweeps.len() {
            let spec = &estate.sweeps[job];
            if spec.feature != feature || !spec.effects.contains(&made.effect) {
                continue;
            }
            self.sweeps[job].open.push(open);
            if self.is_taken_back(estate, job, &open) {
                self.call_for_sweep(estate, job);
            }
        }
    }

    /// What a policy just published does not give its customers any more calls for a sweep.
    pub(super) fn policy_calls_for_sweeps(&mut self, estate: &Estate, feature: FeatureId) {
        for job in 0..estate.sweeps.len() {
            let concerned = estate.sweeps[job].feature == feature && !self.sweeps[job].at_work;
            if concerned && self.sweeps[job].open.iter().any(|open| self.is_taken_back(estate, job, open)) {
                self.call_for_sweep(estate, job);
            }
        }
    }

    fn call_for_sweep(&mut self, estate: &Estate, job: usize) {
        if self.sweeps[job].at_work {
            return;
        }
        let (cause, calls) = (self.cx.cause, self.sweeps[job].calls);
        let state = &mut self.sweeps[job];
        (state.at_work, state.cause, state.calls) = (true, cause, calls + 1);
        let wait = self.cx.sample(&estate.sweeps[job].acts_in, self.keys.sweeps[job], calls, 0);
        self.cx.after(wait, Event::Sweep { job: job as u32 });
    }

    /// Whether the newest policy, kills included, gives less to the customer of an effect than the stage it was made
    /// under, and its occurrence has come to no good end.
    fn is_taken_back(&self, estate: &Estate, job: usize, open: &Open) -> bool {
        let feature = estate.sweeps[job].feature;
        let left = self.stage_under(estate, &open.made.interaction, open.customer, feature, self.policy());
        let beyond = !estate.features[feature].at_most_as_permissive(open.stage, left);
        beyond && !self.ended_well(estate, open)
    }

    fn ended_well(&self, estate: &Estate, open: &Open) -> bool {
        // Nobody can come back to one that is gone: its end was the last word.
        let Some(aggregate) = open.aggregate.and_then(|about| self.aggregates.get(about)) else { return open.well };
        let entity = &estate.entities[aggregate.entity];
        entity.finals.contains(&aggregate.status) && !entity.void.contains(&aggregate.status)
    }

    /// The next one is undone; those who are done with all of them go home.
    pub(super) fn on_sweep(&mut self, estate: &Estate, job: u32) {
        let index = job as usize;
        let open = &self.sweeps[index].open;
        let Some(at) = open.iter().position(|open| self.is_taken_back(estate, index, open)) else {
            self.sweeps[index].at_work = false;
            return;
        };
        let Open { done, made, interaction, aggregate, .. } = self.sweeps[index].open[at];
        self.forget_undone(made.interaction, done.made);
        if let Some(interaction) = self.interactions.get_mut(interaction) {
            interaction.undoable.retain(|of| of.made != done.made);
        }
        if let Some(aggregate) = aggregate.and_then(|about| self.aggregates.get_mut(about)) {
            aggregate.undoable.retain(|of| of.made != done.made);
        }
        self.take_out_of_reconciliation(estate, &made.interaction, made.effect);
        self.cx.cause = self.sweeps[index].cause;
        self.cx.observe(Observation::Compensated(CompensationMade {
            interaction: made.interaction,
            of: made.interaction,
            made: done.made,
            made_at: done.made_at,
            effect: made.effect,
            path: made.path,
            irreversible: made.irreversible,
            amount: made.amount,
            context: made.context,
            replica: made.replica,
            swept_by: Some(job),
        }));
        self.cx.after(estate.sweeps[index].every, Event::Sweep { job });
    }

    /// An effect was undone: nobody has to any more.
    pub(super) fn forget_undone(&mut self, of: Interaction, made: ObservationId) {
        for sweep in &mut self.sweeps {
            sweep.open.retain(|open| open.made.interaction.key() != of.key() || open.done.made != made);
        }
    }

    /// The customer has an answer; without one that is good nothing is done with.
    pub(super) fn answered_for_sweeps(&mut self, of: Interaction, outcome: Outcome) {
        let own = self.sweeps.iter_mut().flat_map(|sweep| &mut sweep.open);
        own.filter(|open| open.made.interaction.key() == of.key())
            .for_each(|open| open.failed = outcome != Outcome::Succeeded);
    }

    /// An interaction is closed: what came to a good end is kept in mind only where somebody may come back to it.
    pub(super) fn closed_for_sweeps(&mut self, estate: &Estate, of: Interaction, status: Option<(EntityId, u16)>) {
        let ending = status.map(|(entity, status)| (&estate.entities[entity], status));
        let ending = ending.filter(|(entity, _)| !entity.finals.is_empty() && !entity.per_subject);
        let followed = !estate.journeys[of.journey].followed_by.is_empty();
        let aggregates = &self.aggregates;
        for sweep in &mut self.sweeps {
            sweep.open.retain_mut(|open| {
                let well = match ending {
                    Some((entity, status)) => entity.finals.contains(&status) && !entity.void.contains(&status),
                    None => !open.failed,
                };
                let gone = open.aggregate.is_none_or(|about| aggregates.get(about).is_none());
                if open.made.interaction.key() != of.key() {
                    return !(open.well && gone);
                }
                open.well = well;
                followed || !well
            });
        }
    }
}
