//! The models that several benchmarks run, on the product's kernel.

#![allow(dead_code, reason = "each benchmark uses its own part of this")]

pub mod mm1;
pub mod phold;
pub mod scenario;

use windtunnel::kernel::{Agenda, Digest, Draws};
use windtunnel::units::SimTime;

/// What a run keeps for every event: the agenda with the clock, and the digest of events and draws.
pub struct Kernel<E> {
    pub agenda: Agenda<E>,
    pub draws: Draws,
}

impl<E: Copy> Default for Kernel<E> {
    fn default() -> Self {
        Kernel { agenda: Agenda::default(), draws: Draws::default() }
    }
}

impl<E: Copy> Kernel<E> {
    /// The next event; the digest takes in its time, its kind and its payload.
    pub fn next(&mut self, words: impl Fn(E) -> (u64, u64)) -> Option<E> {
        let event = self.agenda.next(SimTime::NEVER)?;
        let (kind, payload) = words(event);
        self.draws.event((self.agenda.now().nanos() ^ kind.rotate_left(56), payload));
        Some(event)
    }

    pub fn digest(&self) -> Digest {
        *self.draws.digest()
    }
}
