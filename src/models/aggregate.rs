//! Aggregates: what interactions are about. Each lives in one place, whoever works on it: two interactions of one
//! subject see each other's changes. It lives as long as an interaction is about it, as long as one that comes back to
//! it is planned, or, where there is one per subject, to the end of the run.

use super::carried::Context;
use super::compensation::Undoable;
use super::estate::{EntityId, Estate, JourneyId};
use super::event::Event;
use super::interaction::{Customer, SubjectView};
use super::journey::Errand;
use super::observation::Interaction;
use super::world::World;
use crate::rollout::Symbols;
use crate::rollout::condition::{SlotId, Slots, Value};
use crate::units::{SimTime, Slot};
use smallvec::SmallVec;

/// The state of an entity.
#[derive(Clone, Debug)]
pub struct Aggregate {
    pub entity: EntityId,
    pub status: u16,
    /// The decisions it was created under.
    pub created_under: Context,
    /// Effects that happen once per entity and have happened.
    pub once: SmallVec<[u16; 8]>,
    /// What was done for it and can be undone.
    pub undoable: Vec<Undoable>,
    /// How much money it is about, once that has been asked for.
    pub amount: Option<u64>,
    /// Interactions about it and returns to it that are planned.
    held: u32,
}

/// A return to an aggregate that is planned.
#[derive(Clone, Debug)]
pub struct Return {
    pub journey: JourneyId,
    pub n: u64,
    aggregate: Slot<Aggregate>,
    customer: Customer,
}

/// What the draws about a return are counted by.
const SHARE: u64 = 1;
const AFTER: u64 = 2;

impl World {
    /// The aggregate that an interaction of a journey is about, held for it: a new one, or the subject's.
    pub(super) fn aggregate_of(
        &mut self,
        estate: &Estate,
        journey: JourneyId,
        who: Customer,
    ) -> Option<Slot<Aggregate>> {
        let entity = estate.journeys[journey].entity?;
        if !estate.entities[entity].per_subject {
            return Some(self.new_aggregate(estate, entity));
        }
        let of = (entity.as_u32(), who.user);
        if let Some(known) = self.of_subjects.get(&of).copied() {
            self.hold_aggregate(known);
            return Some(known);
        }
        let made = self.new_aggregate(estate, entity);
        self.of_subjects.insert(of, made);
        Some(made)
    }

    /// One that nobody else is about: what a replayed record meets.
    pub(super) fn aggregate_of_replay(&mut self, estate: &Estate, journey: JourneyId) -> Option<Slot<Aggregate>> {
        let entity = estate.journeys[journey].entity?;
        Some(self.new_aggregate(estate, entity))
    }

    fn new_aggregate(&mut self, estate: &Estate, entity: EntityId) -> Slot<Aggregate> {
        let (status, created_under) = (estate.entities[entity].initial, Context::default());
        let (once, undoable) = (SmallVec::new(), Vec::new());
        self.aggregates.insert(Aggregate { entity, status, created_under, once, undoable, amount: None, held: 1 })
    }

    fn hold_aggregate(&mut self, slot: Slot<Aggregate>) {
        self.aggregates.get_mut(slot).expect("an aggregate in use is in its pool").held += 1;
    }

    /// One holder less; with the last one it is gone, unless it is a subject's.
    pub(super) fn release_aggregate(&mut self, slot: Slot<Aggregate>, of_subject: bool) {
        let aggregate = self.aggregates.get_mut(slot).expect("an aggregate in use is in its pool");
        aggregate.held -= 1;
        if aggregate.held == 0 && !of_subject {
            self.aggregates.remove(slot);
        }
    }

    /// Plans the journeys that come back to what this interaction creates, where chance has them come while customers
    /// still do.
    pub(super) fn plan_returns(&mut self, estate: &Estate, creator: Interaction, who: Customer, of: Slot<Aggregate>) {
        let place = &estate.journeys[creator.journey];
        for journey in &place.followed_by {
            let follows = estate.journeys[*journey].follows.as_ref().expect("a journey that follows says how");
            // One number for each entity, whoever of the creating journeys made it.
            let rank = follows.creators.iter().position(|journey| *journey == creator.journey).unwrap_or(0) as u64;
            let n = creator.n * follows.creators.len() as u64 + rank;
            let key = self.keys.journeys[journey.index()].arrivals;
            if !follows.share.admits(self.cx.draws.word(key, n, SHARE)) {
                continue;
            }
            let due = self.cx.now() + self.cx.sample(&follows.after, key, n, AFTER);
            if due < SimTime::from(estate.duration) {
                self.hold_aggregate(of);
                let planned = self.returns.insert(Return { journey: *journey, n, aggregate: of, customer: who });
                self.cx.at(due, Event::Returns { planned });
            }
        }
    }

    /// The customer comes back to what exists, if it is still as the journey wants it.
    pub(super) fn on_returns(&mut self, estate: &Estate, planned: Slot<Return>) {
        let Return { journey, n, aggregate, customer } =
            self.returns.remove(planned).expect("a return takes place once");
        let customer = self.with_means(estate, customer);
        let follows = estate.journeys[journey].follows.as_ref().expect("a journey that follows says how");
        let wanted = match follows.when.clone() {
            None => true,
            // Whoever lacks an attribute that is asked for does not come back.
            Some(condition) => {
                let identity = self.keys.journeys[journey.index()].identity.wrapping_add(n);
                let status = self.aggregates.get(aggregate).expect("a return holds its aggregate").status;
                let now = self.cx.now();
                let subject = SubjectView {
                    estate,
                    keys: &self.keys,
                    draws: &mut self.cx.draws,
                    customer,
                    journey: journey.index() as u16,
                    identity,
                    now,
                    left_out: &[],
                };
                condition.eval(&mut Existing { subject, status }).unwrap_or(false)
            }
        };
        if wanted {
            let session = self.session_of(estate, customer);
            self.start(estate, Errand { journey, n, who: customer, user: None, session }, Some(aggregate));
        } else {
            let entity = self.aggregates.get(aggregate).expect("a return holds its aggregate").entity;
            self.release_aggregate(aggregate, estate.entities[entity].per_subject);
        }
    }
}

/// An entity that exists, as the journeys that come back to it see it.
struct Existing<'a> {
    subject: SubjectView<'a>,
    status: u16,
}

impl Slots for Existing<'_> {
    fn value(&mut self, slot: SlotId) -> Value {
        match self.subject.estate.slots[usize::from(slot.0)] {
            super::estate::Asked::Status => Value::Text(self.subject.estate.status_symbols[usize::from(self.status)]),
            asked => self.subject.asked(asked),
        }
    }

    fn can(&mut self, feature: u16, capability: u16) -> bool {
        self.subject.can(feature, capability)
    }

    fn symbols(&self) -> &Symbols {
        self.subject.symbols()
    }
}
