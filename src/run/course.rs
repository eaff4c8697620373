//! Which run of a plan, and its course step by step: the seed, where its luck is drawn anew, where it ends.

use crate::models::estate::Estate;
use crate::models::event::Event;
use crate::models::observation::Kind;
use crate::models::world::{Course, World};
use crate::units::{SimDuration, SimTime};

/// From a moment on, other luck: every draw of events at `at` or later is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fork {
    pub at: SimTime,
    /// One future for each.
    pub salt: u64,
}

/// One of the runs of a plan. The result depends on the plan and on this, and on nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunSpec {
    pub seed: u64,
    pub fork: Option<Fork>,
    /// Where to end instead of the horizon, if that is earlier.
    pub until: Option<SimTime>,
}

impl RunSpec {
    /// The ordinary run of a seed: to the horizon.
    pub fn of(seed: u64) -> RunSpec {
        RunSpec { seed, fork: None, until: None }
    }

    /// When the run ends unless a limit ends it.
    pub fn end(&self, estate: &Estate) -> SimTime {
        let horizon = SimTime::from(estate.horizon());
        self.until.map_or(horizon, |until| until.min(horizon))
    }

    /// Whether it is the ordinary run of its seed, whatever was asked for: to the horizon, and with one luck.
    pub fn is_ordinary(&self, estate: &Estate) -> bool {
        self.fork.is_none() && self.end(estate) == SimTime::from(estate.horizon())
    }
}

/// A world on its way.
pub(super) struct Stepper<'a> {
    pub world: World,
    pub end: SimTime,
    estate: &'a Estate,
    /// Up to where events are taken for now: the moment before the fork, then the end.
    up_to: SimTime,
    fork: Option<Fork>,
}

impl<'a> Stepper<'a> {
    pub fn new(estate: &'a Estate, spec: &RunSpec, course: Course, wanted: [bool; Kind::COUNT]) -> Stepper<'a> {
        let world = World::assemble(estate, spec.seed, course, wanted);
        let end = spec.end(estate);
        let mut stepper = Stepper { world, end, estate, up_to: end, fork: None };
        match spec.fork.filter(|fork| fork.at <= end) {
            Some(fork) if fork.at == SimTime::ZERO => stepper.world.fork(estate, fork.at, fork.salt),
            Some(fork) => {
                let before = fork.at.since_start().saturating_sub(SimDuration::from_nanos(1));
                stepper.up_to = SimTime::from(before);
                stepper.fork = Some(fork);
            }
            None => {}
        }
        stepper
    }

    /// Takes the next event and handles it; `false` when there is none before the end.
    pub fn step(&mut self) -> bool {
        let Some(event) = self.take() else { return false };
        self.handle(event);
        true
    }

    /// The next event, to be handled next.
    pub fn take(&mut self) -> Option<Event> {
        if let Some(event) = self.world.take(self.up_to) {
            return Some(event);
        }
        let fork = self.fork.take()?;
        self.world.fork(self.estate, fork.at, fork.salt);
        self.up_to = self.end;
        self.world.take(self.up_to)
    }

    pub fn handle(&mut self, event: Event) {
        self.world.dispatch(self.estate, event);
    }
}
