//! What a model may do: plan its own future, draw its own numbers, report what happened. No clock but the simulated
//! one, no input, no output.

use super::event::Event;
use super::observation::{Kind, Observation, ObservationId, Observed};
use crate::kernel::{Agenda, Digest, Distribution, Draws, StreamKey};
use crate::units::{SimDuration, SimTime};

/// The facilities of the kernel, as the models see them.
#[derive(Clone, Debug)]
pub struct Cx {
    agenda: Agenda<Event>,
    pub draws: Draws,
    observations: Vec<Observed>,
    reported: ObservationId,
    /// What the event at work was caused by.
    pub cause: ObservationId,
    wanted: [bool; Kind::COUNT],
    /// What the event at work has planned, where somebody wants to know.
    planned: Option<Vec<(SimTime, Event)>>,
}

impl Cx {
    /// Reports only the kinds in `wanted`; the world's course does not depend on it.
    pub fn new(wanted: [bool; Kind::COUNT]) -> Cx {
        Cx {
            agenda: Agenda::default(),
            draws: Draws::default(),
            observations: Vec::new(),
            reported: 0,
            cause: 0,
            wanted,
            planned: None,
        }
    }

    pub fn now(&self) -> SimTime {
        self.agenda.now()
    }

    /// Plans an event of one's own.
    pub fn after(&mut self, delay: SimDuration, event: Event) {
        self.plan(self.now() + delay, event);
    }

    /// Plans an event for a moment that is not in the past.
    pub fn at(&mut self, moment: SimTime, event: Event) {
        self.plan(moment, event);
    }

    fn plan(&mut self, moment: SimTime, event: Event) {
        if let Some(planned) = &mut self.planned {
            planned.push((moment, event));
        }
        self.agenda.at(moment, event);
    }

    /// The next event, if there is one up to `horizon`; the clock moves to it.
    pub fn next(&mut self, horizon: SimTime) -> Option<Event> {
        let event = self.agenda.next(horizon)?;
        self.cause = 0;
        if let Some(planned) = &mut self.planned {
            planned.clear();
        }
        Some(event)
    }

    /// The digest takes in the event at work: its time, its kind, and what it is about by name.
    pub fn enter(&mut self, kind: u64, about: u64) {
        self.draws.event((self.now().nanos() ^ kind.rotate_left(56), about));
    }

    /// From now on it can be read what the event at work has drawn and planned. The course does not depend on it.
    pub fn keep_deeds(&mut self) {
        self.draws.keep();
        self.planned = Some(Vec::new());
    }

    /// What the event at work has planned, in order; nothing unless it is kept.
    pub fn planned(&self) -> &[(SimTime, Event)] {
        self.planned.as_deref().unwrap_or_default()
    }

    /// Reports a fact, caused by what the event at work was caused by. Its id is counted even where nobody wants
    /// its kind, so that subscribers do not change ids.
    pub fn observe(&mut self, what: Observation) -> ObservationId {
        self.reported += 1;
        if self.wanted[what.kind() as usize] {
            self.observations.push(Observed { at: self.now(), id: self.reported, cause: self.cause, what });
        }
        self.reported
    }

    /// The observations of the event just dispatched.
    pub fn observations(&self) -> &[Observed] {
        &self.observations
    }

    pub fn clear_observations(&mut self) {
        self.observations.clear();
    }

    /// A sample at an address of a stream; fixed distributions draw nothing.
    pub fn sample(&mut self, distribution: &Distribution, key: StreamKey, a: u64, b: u64) -> SimDuration {
        if distribution.is_fixed() { distribution.sample(0) } else { distribution.sample(self.draws.word(key, a, b)) }
    }

    pub fn dispatched(&self) -> u64 {
        self.agenda.dispatched()
    }

    /// Digest over every dispatched event and every draw, in their order.
    pub fn digest(&self) -> Digest {
        *self.draws.digest()
    }

    pub fn pending(&self) -> usize {
        self.agenda.pending()
    }
}
