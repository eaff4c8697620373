//! Work that is accepted and held: the caller has its answer, the consumer commits, the rest runs later under the same
//! decision (rules.md, 26). Nobody works on it meanwhile, and the process that held it may die: what is held is stored.

use super::estate::{Estate, RegionId, ServiceId};
use super::event::Event;
use super::flow::Next;
use super::observation::{Failure, Observation, Outcome};
use super::program::{Action, HoldSite};
use super::task::{Doing, Task};
use super::world::World;
use crate::units::{SimDuration, Slot};

/// How often held work that is due looks for a live replica while its service has none (assumption: a scheduler's
/// period of a minute, as cron's).
const LOOKS_FOR_A_REPLICA_EVERY: SimDuration = SimDuration::from_secs(60);

impl World {
    /// Holds until a second of the day: today's, or tomorrow's where it has come already.
    pub(super) fn queue_until_daily(&mut self, estate: &Estate, slot: Slot<Task>, second_of_day: u32) -> Next {
        let wait = estate.until_daily(self.cx.now(), second_of_day);
        self.accept(estate, slot, wait)
    }

    /// Holds until a condition does; where it does already, what follows runs at once, though no longer for the caller.
    pub(super) fn queue_until(&mut self, estate: &Estate, slot: Slot<Task>, site: &HoldSite) -> Next {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let service = estate.replicas[task.replica].service;
        match self.holds(estate, slot, &site.when) {
            Err(_) => self.settle(slot, Outcome::Failed(Failure::Condition)),
            Ok(true) => return self.accept(estate, slot, SimDuration::ZERO),
            Ok(false) if self.held[service.index()] >= site.room => {
                self.settle(slot, Outcome::Failed(Failure::Overloaded));
            }
            Ok(false) => return self.accept(estate, slot, site.looks_every.min(site.at_most)),
        }
        Next::Go
    }

    fn accept(&mut self, estate: &Estate, slot: Slot<Task>, looks_after: SimDuration) -> Next {
        let task = self.tasks.get_mut(slot).expect("a task at work is in its pool");
        (task.doing, task.held_since) = (Doing::Held, self.cx.now());
        let (operation, service, key) = (task.operation, estate.replicas[task.replica].service, task.interaction);
        self.held[service.index()] += 1;
        let interaction = self.interactions.get_mut(key).expect("a task's interaction is open");
        self.cx.cause = interaction.cause;
        interaction.cause = self.cx.observe(Observation::Held { interaction: interaction.id, operation });
        self.cx.after(looks_after, Event::Continue { task: slot });
        self.free_worker(estate, slot);
        self.answer(estate, slot, Outcome::Succeeded);
        Next::Suspended
    }

    /// Whether what is held may go on now; otherwise it looks again later, or is given up. Where the replica that stored
    /// it is down, another one takes it up.
    pub(super) fn goes_on(&mut self, estate: &Estate, slot: Slot<Task>) -> bool {
        let task = self.tasks.get(slot).expect("what is held is in its pool");
        let (service, near) = (estate.replicas[task.replica].service, estate.replicas[task.replica].region);
        if !self.replicas[task.replica.index()].up {
            let (identity, at) = self.chance_address(slot);
            let Some(replica) = self.choose_replica(estate, service, near, identity, at) else {
                self.cx.after(LOOKS_FOR_A_REPLICA_EVERY, Event::Continue { task: slot });
                return false;
            };
            self.tasks.get_mut(slot).expect("the task was just seen").replica = replica;
        }
        let task = self.tasks.get(slot).expect("the task was just seen");
        let held = self.cx.now().since(task.held_since);
        let rule = usize::from(task.rule.expect("what is held has a rule"));
        let mut given_up = None;
        if let Action::QueueUntil(site) =
            &estate.operations[task.operation].rules[rule].actions[usize::from(task.action)]
        {
            match self.holds(estate, slot, &site.when) {
                Ok(true) => {}
                Err(_) => given_up = Some(Failure::Condition),
                Ok(false) if held >= site.at_most => given_up = Some(Failure::HeldTooLong),
                Ok(false) => {
                    let left = SimDuration::from_nanos(site.at_most.nanos() - held.nanos());
                    self.cx.after(site.looks_every.min(left), Event::Continue { task: slot });
                    return false;
                }
            }
        }
        self.let_out(slot, service, held, given_up);
        if let Some(why) = given_up {
            self.settle(slot, Outcome::Failed(why));
        }
        true
    }

    fn let_out(&mut self, slot: Slot<Task>, service: ServiceId, held: SimDuration, given_up: Option<Failure>) {
        self.held[service.index()] -= 1;
        let task = self.tasks.get(slot).expect("what is held is in its pool");
        let (operation, key) = (task.operation, task.interaction);
        let interaction = self.interactions.get_mut(key).expect("a task's interaction is open");
        self.cx.cause = interaction.cause;
        let what = Observation::Resumed { interaction: interaction.id, operation, held, given_up };
        interaction.cause = self.cx.observe(what);
    }

    /// As a health check finds it from a region: a replica is up, can be reached, and would take one more request.
    pub(super) fn healthy(&self, estate: &Estate, service: ServiceId, from: RegionId) -> bool {
        let described = &estate.services[service];
        described.replicas.iter().any(|replica| {
            !self.links.partitioned(from, estate.replicas[*replica].region)
                && self.replicas[replica.index()].takes_one_more(described)
        })
    }
}
