//! What a model may do: plan its own future, draw its own numbers, report what happened. No clock but the simulated
//! one, no input, no output.

use super::event::Event;
use super::observation::{Kind, Observation, ObservationId, Observed};
use crate::kernel::{Digest, Distribution, Draws, EventQueue, StreamKey};
use crate::units::{SimDuration, SimTime};

/// The facilities of the kernel, as the models see them.
#[derive(Clone, Debug)]
pub struct Cx {
    now: SimTime,
    queue: EventQueue<Event>,
    pub draws: Draws,
    digest: Digest,
    dispatched: u64,
    observations: Vec<Observed>,
    reported: ObservationId,
    /// What the event at work was caused by.
    pub cause: ObservationId,
    wanted: [bool; Kind::COUNT],
}

impl Cx {
    /// Reports only the kinds in `wanted`; the world's course does not depend on it.
    pub fn new(wanted: [bool; Kind::COUNT]) -> Cx {
        Cx {
            now: SimTime::ZERO,
            queue: EventQueue::default(),
            draws: Draws::default(),
            digest: Digest::default(),
            dispatched: 0,
            observations: Vec::new(),
            reported: 0,
            cause: 0,
            wanted,
        }
    }

    pub fn now(&self) -> SimTime {
        self.now
    }

    /// Plans an event of one's own.
    pub fn after(&mut self, delay: SimDuration, event: Event) {
        self.queue.push(self.now + delay, event);
    }

    /// Plans an event for a moment that is not in the past.
    pub fn at(&mut self, moment: SimTime, event: Event) {
        debug_assert!(moment >= self.now, "nothing is planned for the past");
        self.queue.push(moment.max(self.now), event);
    }

    /// The next event, if there is one up to `horizon`; the clock moves to it and the digest takes it in.
    pub fn next(&mut self, horizon: SimTime) -> Option<Event> {
        if self.queue.next_time()? > horizon {
            return None;
        }
        let (at, event) = self.queue.pop().expect("an event was just seen");
        self.now = at;
        self.dispatched += 1;
        let (kind, payload) = event.words();
        self.digest.fold(at.nanos() ^ kind.rotate_left(48), payload);
        self.cause = 0;
        Some(event)
    }

    /// Reports a fact, caused by what the event at work was caused by. Its id is counted even where nobody wants
    /// its kind, so that subscribers do not change ids.
    pub fn observe(&mut self, what: Observation) -> ObservationId {
        self.reported += 1;
        if self.wanted[what.kind() as usize] {
            self.observations.push(Observed { at: self.now, id: self.reported, cause: self.cause, what });
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
        self.dispatched
    }

    /// Digest over every dispatched event and every draw.
    pub fn digest(&self) -> Digest {
        self.digest.with(self.draws.digest())
    }

    pub fn pending(&self) -> usize {
        self.queue.len()
    }
}
