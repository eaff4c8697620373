//! What is to be undone and is not: which effects a kill, a plan that goes back, a saga's end, a void status or an end that is none demand back.

use super::retreats::{Retreat, Retreats};
use crate::models::estate::{EntityId, Estate, Journey, JourneyId, ServiceId};
use crate::models::observation::{
    CompensationMade, EffectMade, Interaction, Kind, Observation, ObservationId, Observed, Outcome,
};
use crate::units::{Lookup, SimTime, Slab, Slot};

/// The debts of a run, as they come and go.
#[derive(Debug)]
pub struct Debts {
    /// By journey: whether others come back to what it creates and can end it as void.
    followed: Vec<bool>,
    retreats: Retreats,
    /// Occurrences in flight that did something that could have to be undone, or owe it; and the ended ones to which
    /// somebody may come back, which is world state and may grow (rules.md, 14).
    occurrences: Occurrences,
}

/// What tells an occurrence from every other one of the run.
pub type OccurrenceKey = (JourneyId, u64, u32);

#[derive(Debug, Default)]
struct Occurrence {
    /// Its interaction is not closed, and its entity is in no final status.
    in_flight: bool,
    closed: bool,
    failed: bool,
    done: Vec<Done>,
}

/// Occurrences by their keys, in memory that is used again.
#[derive(Debug, Default)]
struct Occurrences {
    places: Lookup<(u32, u64, u32), Slot<(OccurrenceKey, Occurrence)>>,
    pool: Slab<(OccurrenceKey, Occurrence)>,
    spare: Vec<Vec<Done>>,
}

impl Occurrences {
    fn place(key: &OccurrenceKey) -> (u32, u64, u32) {
        (key.0.as_u32(), key.1, key.2)
    }

    fn get(&self, key: &OccurrenceKey) -> Option<&Occurrence> {
        self.pool.get(*self.places.get(&Self::place(key))?).map(|(_, of)| of)
    }

    fn get_mut(&mut self, key: &OccurrenceKey) -> Option<&mut Occurrence> {
        self.pool.get_mut(*self.places.get(&Self::place(key))?).map(|(_, of)| of)
    }

    /// The occurrence, in flight if it was not known.
    fn begin(&mut self, key: OccurrenceKey) -> &mut Occurrence {
        let known = self.places.get(&Self::place(&key)).copied();
        let slot = known.unwrap_or_else(|| {
            let done = self.spare.pop().unwrap_or_default();
            let slot = self.pool.insert((key, Occurrence { in_flight: true, done, ..Occurrence::default() }));
            self.places.insert(Self::place(&key), slot);
            slot
        });
        self.pool.get_mut(slot).map(|(_, of)| of).expect("what is known is in its place")
    }

    fn remove(&mut self, key: &OccurrenceKey) {
        let slot = self.places.remove(&Self::place(key));
        if let Some((_, mut of)) = slot.and_then(|slot| self.pool.remove(slot)) {
            of.done.clear();
            self.spare.push(of.done);
        }
    }

    /// All of them, in the order of their keys.
    fn in_order(&self) -> Vec<&(OccurrenceKey, Occurrence)> {
        let mut all: Vec<_> = self.pool.iter().collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        all
    }
}

/// An effect that could have to be undone, and is not.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    pub made: EffectMade,
    pub seen: ObservationId,
    pub owed: Option<Owed>,
}

/// Why an effect must be undone, and since when.
#[derive(Clone, Copy, Debug)]
pub struct Owed {
    pub clause: &'static str,
    pub cause: &'static str,
    pub since: SimTime,
    pub ground: ObservationId,
    pub by: By,
}

/// What demands it.
#[derive(Clone, Copy, Debug)]
pub enum By {
    Retreat(Retreat),
    Saga(ServiceId),
    Status(EntityId, u16),
    End,
}

/// What an observation does to the debts.
#[derive(Debug)]
pub enum Change<'a> {
    /// Something was done that could have to be undone.
    Done,
    /// From now on this effect is to be undone.
    Owed(&'a Done, Owed),
    /// An effect was undone, whether or not it was owed.
    Undone(&'a CompensationMade, &'a Done),
    /// What was owed is not any more: the occurrence came to a good end.
    Forgiven(&'a Done),
}

/// The kinds of observations that change debts.
pub const INTERESTS: &[Kind] = &[
    Kind::Finished,
    Kind::Closed,
    Kind::Effect,
    Kind::Status,
    Kind::PolicyPublished,
    Kind::Stepped,
    Kind::Killed,
    Kind::Lifted,
    Kind::Compensated,
    Kind::Expired,
];

/// Whether the plan does anything that could have to be undone.
pub fn are_possible(estate: &Estate) -> bool {
    let mut actions = estate.operations.iter().flat_map(|operation| &operation.rules).flat_map(|rule| &rule.actions);
    actions.any(|action| action.effect().is_some_and(|site| site.irreversible || site.compensated_by.is_some()))
}

impl Owed {
    fn from(observed: &Observed, clause: &'static str, cause: &'static str, by: By) -> Owed {
        Owed { clause, cause, since: observed.at, ground: observed.id, by }
    }
}

impl Debts {
    pub fn new(estate: &Estate) -> Debts {
        let followed = |journey: &Journey| {
            let void = |entity: EntityId| !estate.entities[entity].void.is_empty();
            !journey.followed_by.is_empty() && journey.entity.is_some_and(void)
        };
        Debts {
            followed: estate.journeys.iter().map(followed).collect(),
            retreats: Retreats::default(),
            occurrences: Occurrences::default(),
        }
    }

    /// Effects that are owed now.
    pub fn open(&self) -> impl Iterator<Item = &Done> {
        self.occurrences.in_order().into_iter().flat_map(|(_, of)| &of.done).filter(|done| done.owed.is_some())
    }

    /// Takes in an observation, and tells what it changes.
    pub fn observe(&mut self, observed: &Observed, estate: &Estate, tell: &mut dyn FnMut(Change<'_>)) {
        if let Observation::Effect(made) = &observed.what {
            self.done(observed, made, estate, tell);
        } else if let Observation::Compensated(made) = &observed.what {
            self.undone(made, tell);
        } else if let Observation::Expired { interaction, service, .. } = observed.what {
            let owed = Owed::from(observed, "not_completed", "saga timed out", By::Saga(service));
            self.owe(interaction.key(), |_| Some(owed), tell);
        } else if let Observation::Status { interaction, entity, to, .. } = observed.what {
            self.moved(observed, &interaction, (entity, to), estate, tell);
        } else if let Observation::Finished { interaction, outcome, .. } = &observed.what {
            if let Some(occurrence) = self.occurrences.get_mut(&interaction.key()) {
                occurrence.failed = *outcome != Outcome::Succeeded;
            }
        } else if let Observation::Closed { interaction, status } = observed.what {
            self.close(observed, &interaction, status, estate, tell);
        } else if let Some(retreat) = self.retreats.observe(observed, estate) {
            let open = self.occurrences.in_order().into_iter().filter(|(_, of)| of.in_flight);
            let open: Vec<OccurrenceKey> = open.map(|(key, _)| *key).collect();
            for key in open {
                let cause = if retreat.is_kill() { "in flight when killed" } else { "in flight when rolled back" };
                let owed = Owed::from(observed, "rolled_back", cause, By::Retreat(retreat));
                self.owe(key, |done| retreat.forbids(&done.made, estate).then_some(owed), tell);
            }
        }
    }

    fn done(&mut self, observed: &Observed, made: &EffectMade, estate: &Estate, tell: &mut dyn FnMut(Change<'_>)) {
        if !made.irreversible && !made.compensated {
            return;
        }
        tell(Change::Done);
        let key = made.interaction.key();
        let occurrence = self.occurrences.begin(key);
        occurrence.done.push(Done { made: *made, seen: observed.id, owed: None });
        let forbids = |retreat: &&Retreat| retreat.forbids(made, estate);
        let retreat = self.retreats.iter().find(forbids).copied();
        if let Some(retreat) = retreat {
            let cause = if retreat.is_kill() { "done after the kill" } else { "done after the rollback" };
            let owed = Owed::from(observed, "rolled_back", cause, By::Retreat(retreat));
            self.owe(key, |done| (done.seen == observed.id).then_some(owed), tell);
        }
    }

    /// From now on these effects of the occurrence are owed, as far as they are not yet.
    fn owe(&mut self, key: OccurrenceKey, wanted: impl Fn(&Done) -> Option<Owed>, tell: &mut dyn FnMut(Change<'_>)) {
        let Some(occurrence) = self.occurrences.get_mut(&key) else { return };
        for done in occurrence.done.iter_mut().filter(|done| done.owed.is_none()) {
            if let Some(owed) = wanted(done) {
                done.owed = Some(owed);
                tell(Change::Owed(done, owed));
            }
        }
    }

    fn undone(&mut self, made: &CompensationMade, tell: &mut dyn FnMut(Change<'_>)) {
        if let Some(done) = self.take(made.of.key(), |done| done.seen == made.made) {
            tell(Change::Undone(made, &done));
        }
    }

    /// Strikes an effect that has been owed since a moment, if it still is.
    pub fn write_off(&mut self, key: OccurrenceKey, seen: ObservationId, since: SimTime) -> Option<Done> {
        // What was owed, was not any more, and is again is owed since later.
        self.take(key, |done| done.seen == seen && done.owed.is_some_and(|owed| owed.since == since))
    }

    fn take(&mut self, key: OccurrenceKey, wanted: impl Fn(&Done) -> bool) -> Option<Done> {
        let occurrence = self.occurrences.get_mut(&key)?;
        let at = occurrence.done.iter().position(wanted)?;
        let done = occurrence.done.swap_remove(at);
        self.forget(key);
        Some(done)
    }

    /// An occurrence that is over and has nothing left to be undone need not be known.
    fn forget(&mut self, key: OccurrenceKey) {
        if self.occurrences.get(&key).is_some_and(|of| of.closed && of.done.is_empty()) {
            self.occurrences.remove(&key);
        }
    }

    /// The entity came to another status: to a void one, and all that was done for it is owed; or to another final one,
    /// and nothing is.
    fn moved(
        &mut self,
        observed: &Observed,
        interaction: &Interaction,
        (entity, to): (EntityId, u16),
        estate: &Estate,
        tell: &mut dyn FnMut(Change<'_>),
    ) {
        let described = &estate.entities[entity];
        if !described.finals.contains(&to) {
            return;
        }
        let creator = interaction.creator(estate).map(|(journey, n)| (journey, n, 0));
        let keys = [Some(interaction.key()), creator];
        for key in keys.into_iter().flatten() {
            let Some(occurrence) = self.occurrences.get_mut(&key) else { continue };
            occurrence.in_flight = false;
            if described.void.contains(&to) {
                let owed = Owed::from(observed, "not_completed", "void", By::Status(entity, to));
                self.owe(key, |_| Some(owed), tell);
            } else {
                for done in occurrence.done.iter_mut().filter(|done| done.owed.is_some()) {
                    tell(Change::Forgiven(done));
                    done.owed = None;
                }
            }
        }
    }

    fn close(
        &mut self,
        observed: &Observed,
        interaction: &Interaction,
        status: Option<(EntityId, u16)>,
        estate: &Estate,
        tell: &mut dyn FnMut(Change<'_>),
    ) {
        let key = interaction.key();
        let Some(occurrence) = self.occurrences.get_mut(&key) else { return };
        (occurrence.in_flight, occurrence.closed) = (false, true);
        let ending = status.map(|(entity, status)| (&estate.entities[entity], status));
        let complete = match ending.filter(|(entity, _)| !entity.finals.is_empty() && !entity.per_subject) {
            Some((entity, status)) => entity.finals.contains(&status) && !entity.void.contains(&status),
            None => !occurrence.failed,
        };
        // A replay repeats a part of what once came to an end.
        if !complete && interaction.replay == 0 {
            let owed = Owed::from(observed, "not_completed", "did not complete", By::End);
            self.owe(key, |_| Some(owed), tell);
        }
        let Some(occurrence) = self.occurrences.get_mut(&key) else { return };
        if !self.followed[interaction.journey.index()] {
            // What is not owed now never will be.
            occurrence.done.retain(|done| done.owed.is_some());
        }
        self.forget(key);
    }
}
