//! A run in windows of events, for whoever compares two: a checkpoint after each window, and the window's events with
//! what each drew and planned. Ordinary runs keep none of it.

use super::course::{RunSpec, Stepper};
use super::execute::Limits;
use crate::kernel::{Digest, Draw};
use crate::models::identity::Account;
use crate::models::keys::Keys;
use crate::models::observation::Kind;
use crate::models::streams::StreamNames;
use crate::models::world::Course;
use crate::scenario::plan::Plan;
use crate::units::SimTime;

/// Events between two checkpoints.
pub const WINDOW: u64 = 4_096;

/// Where a run stood: equal runs have equal checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Events dispatched and handled.
    pub events: u64,
    /// When the last of them was; the end of the run at the last checkpoint.
    pub at: SimTime,
    pub draws: u64,
    /// Over every event and draw so far.
    pub digest: Digest,
    /// Over everything planned so far, where deeds are kept: a plan made in another order shows here first.
    pub plans: Digest,
}

/// What is kept of a walk's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Nothing,
    /// The events of the window at hand, with their deeds.
    Deeds,
}

/// One event with what its handling drew and planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// From 1.
    pub number: u64,
    pub at: SimTime,
    pub event: Account,
    pub draws: Vec<Draw>,
    pub planned: Vec<(SimTime, Account)>,
    /// The digest after it.
    pub digest: Digest,
    pub plans: Digest,
}

/// A run that is taken window by window. Nothing is observed on the way: its digest is that of any run of the spec.
pub struct Walk<'a> {
    plan: &'a Plan,
    spec: RunSpec,
    stepper: Stepper<'a>,
    limits: Limits,
    keep: Keep,
    plans: Digest,
    deeds: Vec<Deed>,
    over: bool,
}

impl<'a> Walk<'a> {
    pub fn new(plan: &'a Plan, spec: &RunSpec, limits: Limits, keep: Keep) -> Walk<'a> {
        let mut stepper = Stepper::new(&plan.estate, spec, Course::WithRollouts, [false; Kind::COUNT]);
        if keep == Keep::Deeds {
            stepper.world.keep_deeds();
        }
        Walk { plan, spec: *spec, stepper, limits, keep, plans: Digest::default(), deeds: Vec::new(), over: false }
    }

    /// Goes on to the next checkpoint; `None` after the one at the end.
    pub fn next_checkpoint(&mut self) -> Option<Checkpoint> {
        if self.over {
            return None;
        }
        self.deeds.clear();
        let next = (self.stepper.world.cx().dispatched() / WINDOW + 1) * WINDOW;
        while self.stepper.world.cx().dispatched() < next.min(self.limits.events) {
            if !self.step() {
                self.over = true;
                break;
            }
        }
        let cut_short = self.stepper.world.cx().dispatched() >= self.limits.events;
        let cx = self.stepper.world.cx();
        let at = if self.over { self.stepper.end } else { cx.now() };
        self.over |= cut_short;
        Some(Checkpoint {
            events: cx.dispatched(),
            at,
            draws: cx.draws.count(),
            digest: cx.digest(),
            plans: self.plans,
        })
    }

    /// The last checkpoint: what the whole run came to.
    pub fn to_end(mut self) -> Checkpoint {
        let mut last = None;
        while let Some(checkpoint) = self.next_checkpoint() {
            last = Some(checkpoint);
        }
        last.expect("a walk has a checkpoint at its end")
    }

    /// The events since the checkpoint before, where deeds are kept.
    pub fn deeds(&self) -> &[Deed] {
        &self.deeds
    }

    /// The streams' names, as they are keyed now and as they were before a fork.
    pub fn stream_names(&self) -> StreamNames {
        let estate = &self.plan.estate;
        let mut names = StreamNames::of(estate, self.stepper.world.keys());
        if self.spec.fork.is_some() {
            names.extend(StreamNames::of(estate, &Keys::derive(estate, self.spec.seed)));
        }
        names
    }

    fn step(&mut self) -> bool {
        match self.keep {
            Keep::Nothing => self.stepper.step(),
            Keep::Deeds => self.step_with_deed(),
        }
    }

    fn step_with_deed(&mut self) -> bool {
        let estate = &*self.plan.estate;
        let Some(event) = self.stepper.take() else { return false };
        let world = &self.stepper.world;
        let at = world.cx().now();
        let event_account = world.account(estate, &event);
        self.stepper.handle(event);
        let world = &self.stepper.world;
        let planned: Vec<(SimTime, Account)> =
            world.cx().planned().iter().map(|(at, event)| (*at, world.account(estate, event))).collect();
        for (at, account) in &planned {
            self.plans.fold(at.nanos(), account.to_word());
        }
        self.deeds.push(Deed {
            number: world.cx().dispatched(),
            at,
            event: event_account,
            draws: world.cx().draws.kept().to_vec(),
            planned,
            digest: world.cx().digest(),
            plans: self.plans,
        });
        true
    }
}
