//! The interpreter of programs: a task goes through its rule's actions, suspends at calls and waits, and goes on.

use super::carried::Context;
use super::estate::{Estate, Quantity};
use super::event::Event;
use super::observation::{Failure, Observation, Outcome};
use super::planted::Planted;
use super::program::{Action, CallSite, EmitSite, OnError, OperationRule, as_share};
use super::task::{Caller, Doing, Repeat, Task, deed};
use super::topic::Told;
use super::world::World;
use crate::kernel::stream::address;
use crate::kernel::{Deadlines, Due};
use crate::units::{SimDuration, SimTime, Slab, Slot};

/// A call under way: the task that waits, and the number of its call.
pub type Waiting = (Slot<Task>, u32);

/// Whether the program can go on at once.
pub(super) enum Next {
    Go,
    Suspended,
}

impl World {
    /// Runs the program until it suspends or ends.
    pub(super) fn advance(&mut self, estate: &Estate, slot: Slot<Task>) {
        loop {
            let task = self.tasks.get(slot).expect("a task at work is in its pool");
            if let Some(outcome) = task.settled {
                return self.end(estate, slot, outcome);
            }
            let rule = task.rule.expect("a task without a rule is settled");
            let actions = &estate.operations[task.operation].rules[usize::from(rule)].actions;
            let Some(action) = actions.get(usize::from(task.action)) else {
                return self.end(estate, slot, Outcome::Succeeded);
            };
            match self.perform(estate, slot, action) {
                Next::Go => {
                    let task = self.tasks.get_mut(slot).expect("a task at work is in its pool");
                    task.action += 1;
                    task.iteration = 0;
                }
                Next::Suspended => return,
            }
        }
    }

    fn end(&mut self, estate: &Estate, slot: Slot<Task>, outcome: Outcome) {
        match outcome {
            Outcome::Succeeded => self.finish_task(estate, slot, outcome),
            Outcome::Rejected(reason) => {
                let task = self.tasks.get(slot).expect("a task that ends is in its pool");
                let context = estate.services[estate.replicas[task.replica].service].context;
                let rule = task.rule.map(|rule| &estate.operations[task.operation].rules[usize::from(rule)]);
                let under = task.under().map(|(feature, decision)| (feature, decision.stage));
                let interaction = self.interactions.get(task.interaction).expect("a task's interaction is open");
                self.cx.cause = interaction.cause;
                self.cx.observe(Observation::Rejected {
                    interaction: interaction.id,
                    context,
                    reason,
                    path: rule.and_then(|rule| rule.path),
                    under,
                    passed_on: rule.is_some_and(|rule| !refuses(rule, task.action)),
                });
                self.finish_task(estate, slot, outcome);
            }
            Outcome::Failed(why) => self.fail_task(estate, slot, why),
        }
    }

    fn perform(&mut self, estate: &Estate, slot: Slot<Task>, action: &Action) -> Next {
        match action {
            Action::Call(site) => self.call(estate, slot, site),
            Action::Emit(site) => self.emit(estate, slot, site),
            Action::Effect(site) => self.effect(estate, slot, site),
            Action::Set { entity: _, status } => self.set_status(estate, slot, *status),
            Action::Mark { moment } => self.mark(estate, slot, *moment),
            Action::Compensate { effect } => {
                self.compensate(estate, slot, *effect);
                Next::Go
            }
            Action::Wait(time) => {
                let (identity, at) = self.chance_address(slot);
                let key = self.keys.chance[self.operation_index(slot)];
                let pause = self.cx.sample(time, key, identity, at);
                self.pause(slot, pause)
            }
            Action::WaitFlag { feature, unit } => {
                let times = self.flag(estate, slot, *feature).number();
                self.pause(slot, unit.scaled(times))
            }
            Action::Reject { reason } => {
                self.settle(slot, Outcome::Rejected(*reason));
                Next::Go
            }
            Action::Ignore => Next::Go,
            Action::Fail { share } => {
                let share = self.quantity(estate, slot, *share);
                let share = as_share(if Planted::FailureTooRare.is_active() { share * 0.95 } else { share });
                let (identity, at) = self.chance_address(slot);
                let key = self.keys.chance[self.operation_index(slot)];
                if share.admits(self.cx.draws.word(key, identity, at)) {
                    self.settle(slot, Outcome::Failed(Failure::Error));
                }
                Next::Go
            }
            Action::QueueUntilDaily { second_of_day } => self.queue_until_daily(estate, slot, *second_of_day),
            Action::QueueUntil(site) => self.queue_until(estate, slot, site),
            Action::Shadow(site) => self.shadow(estate, slot, site),
            Action::DualWrite(site) => self.dual_write(estate, slot, site),
        }
    }

    pub(super) fn operation_index(&self, slot: Slot<Task>) -> usize {
        self.tasks.get(slot).expect("a task at work is in its pool").operation.index()
    }

    /// Where the chance outcomes of this action are drawn: the occurrence and the action, whatever came before.
    pub(super) fn chance_address(&self, slot: Slot<Task>) -> (u64, u64) {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let interaction = self.interactions.get(task.interaction).expect("a task's interaction is open");
        (interaction.identity, address(u64::from(task.action) << 16 | 1 << 31, task.visit, task.attempt))
    }

    fn quantity(&mut self, estate: &Estate, slot: Slot<Task>, quantity: Quantity) -> f64 {
        match quantity {
            Quantity::Given(number) => number,
            Quantity::Flag { feature, times } => self.flag(estate, slot, feature).number() * times,
        }
    }

    pub(super) fn pause(&mut self, slot: Slot<Task>, pause: SimDuration) -> Next {
        if pause.is_zero() {
            return Next::Go;
        }
        let task = self.tasks.get_mut(slot).expect("a task at work is in its pool");
        task.doing = Doing::Waiting;
        self.cx.after(pause, Event::Continue { task: slot });
        Next::Suspended
    }

    /// A wait or a hold is over: on with the next action.
    pub(super) fn on_continue(&mut self, estate: &Estate, slot: Slot<Task>) {
        let Some(task) = self.tasks.get(slot) else { return };
        if task.doing == Doing::Held && !self.goes_on(estate, slot) {
            return;
        }
        let task = self.tasks.get_mut(slot).expect("the task was just seen");
        task.doing = Doing::Working;
        task.action += 1;
        task.iteration = 0;
        self.advance(estate, slot);
    }

    fn call(&mut self, estate: &Estate, slot: Slot<Task>, site: &CallSite) -> Next {
        let task = self.tasks.get_mut(slot).expect("a task at work is in its pool");
        if task.iteration >= site.times {
            return Next::Go;
        }
        task.doing = Doing::Calling;
        task.call_attempt = 0;
        self.attempt(estate, slot, site);
        Next::Suspended
    }

    /// One attempt of a call: a task of its own at the replica chosen, and a deadline for the answer.
    fn attempt(&mut self, estate: &Estate, slot: Slot<Task>, site: &CallSite) {
        let task = self.tasks.get_mut(slot).expect("a task that calls is in its pool");
        task.call += 1;
        task.call_attempt += 1;
        let (call, attempt, from) = (task.call, task.call_attempt, task.replica);
        let interaction = task.interaction;
        let caller = estate.replicas[from].service;
        let called = estate.operations[site.operation].service;
        let ongoing = self.interactions.get_mut(interaction).expect("a task's interaction is open");
        let visit = if attempt == 1 {
            let visit = ongoing.visit(site.operation);
            self.tasks.get_mut(slot).expect("a task that calls is in its pool").visit_of_call = visit;
            visit
        } else {
            self.tasks.get(slot).expect("a task that calls is in its pool").visit_of_call
        };
        let ongoing = self.interactions.get(interaction).expect("a task's interaction is open");
        let (id, identity) = (ongoing.id, ongoing.identity);
        self.cx.cause = ongoing.cause;
        let near = estate.replicas[from].region;
        let at = address(self.keys.call_sites[site.operation.index()], visit, attempt);
        self.meet_deadline(slot, call, site.timeout);
        let Some(replica) = self.choose_replica(estate, called, near, identity, at) else {
            let why = Failure::NoReplica;
            self.cx.observe(Observation::Failed {
                interaction: id,
                operation: site.operation,
                why,
                attempt,
                path: None,
            });
            let outcome = Outcome::Failed(why);
            self.cx.after(estate.network.within.mean(), Event::Reply { task: slot, call, outcome });
            return;
        };
        if attempt > 1 {
            self.cx.observe(Observation::Retried { interaction: id, operation: site.operation, attempt });
        }
        self.cx.observe(Observation::Called {
            interaction: id,
            from: Some(caller),
            operation: site.operation,
            replica,
            attempt,
        });
        let context = self.context_for(estate, slot, at);
        // What a consumer calls still acts on the record: its moments are the record's.
        let acts_on = self.acts_on(slot);
        let task = self.tasks.get(slot).expect("a task that calls is in its pool");
        let which = u64::from(site.ordinal) << 16 | u64::from(task.iteration);
        let deed = deed(task.deed, u64::from(site.operation.as_u32()) | 1 << 40, which);
        let repeat = task.repeat.or((attempt > 1).then_some(Repeat::Retry));
        let callee = self.new_task(interaction, site.operation, replica, Caller::Task { task: slot, call });
        let task = self.tasks.get_mut(callee).expect("the task was just made");
        task.attempt = attempt;
        task.visit = visit;
        task.context = context;
        task.acts_on = acts_on;
        (task.deed, task.repeat) = (deed, repeat);
        self.dispatch_task(estate, callee, near);
    }

    pub(super) fn acts_on(&self, slot: Slot<Task>) -> Option<SimTime> {
        let task = self.tasks.get(slot).expect("a task that calls is in its pool");
        task.handling.map(|handling| handling.occurred_at).or(task.acts_on)
    }

    /// The context that goes on from a task, unless it is stripped on the way.
    fn context_for(&mut self, estate: &Estate, slot: Slot<Task>, at: u64) -> Context {
        let task = self.tasks.get(slot).expect("a task that calls is in its pool");
        let id = estate.replicas[task.replica].service;
        let service = &estate.services[id];
        let outgoing = self.outgoing(service, task, false);
        if outgoing.is_empty() {
            return outgoing;
        }
        let kept = service.forwards.fraction() * self.links.still_carried(id);
        if kept < 1.0 {
            let identity = self.interactions.get(task.interaction).expect("a task's interaction is open").identity;
            let key = self.keys.forward[id.index()];
            if self.cx.draws.unit(key, identity, at) >= kept {
                return Context::default();
            }
        }
        outgoing
    }

    fn meet_deadline(&mut self, slot: Slot<Task>, call: u32, timeout: SimDuration) {
        let index = self.lanes.iter().position(|lane| lane.timeout() == timeout);
        let index = index.unwrap_or_else(|| {
            self.lanes.push(Deadlines::new(timeout));
            self.lanes.len() - 1
        });
        let tasks = &self.tasks;
        if let Some(due) = self.lanes[index].begin(self.cx.now(), (slot, call), |waiting| is_calling(tasks, waiting)) {
            self.cx.at(due, Event::Deadlines { lane: index as u32 });
        }
    }

    /// Serves every deadline that is due, and arms the timer for the next call that is still waiting.
    pub(super) fn on_deadlines(&mut self, estate: &Estate, lane: u32) {
        let now = self.cx.now();
        loop {
            let tasks = &self.tasks;
            match self.lanes[lane as usize].next(now, |waiting| is_calling(tasks, waiting)) {
                Due::Nothing => return,
                Due::Later(due) => return self.cx.at(due, Event::Deadlines { lane }),
                Due::Overdue((slot, call)) => self.time_out(estate, slot, call),
            }
        }
    }

    fn time_out(&mut self, estate: &Estate, slot: Slot<Task>, call: u32) {
        let task = self.tasks.get(slot).expect("a task that calls is in its pool");
        let interaction = self.interactions.get(task.interaction).expect("a task's interaction is open");
        let (id, attempt) = (interaction.id, task.call_attempt);
        self.cx.cause = interaction.cause;
        let operation = self.site(estate, slot).operation;
        self.cx.observe(Observation::Failed { interaction: id, operation, why: Failure::Timeout, attempt, path: None });
        self.on_reply(estate, slot, call, Outcome::Failed(Failure::Timeout));
    }

    fn site<'e>(&self, estate: &'e Estate, slot: Slot<Task>) -> &'e CallSite {
        let task = self.tasks.get(slot).expect("a task that calls is in its pool");
        let rule = task.rule.expect("a task that calls has a rule");
        match &estate.operations[task.operation].rules[usize::from(rule)].actions[usize::from(task.action)] {
            Action::Call(site) => site,
            Action::Emit(_)
            | Action::Effect(_)
            | Action::Set { .. }
            | Action::Mark { .. }
            | Action::Compensate { .. }
            | Action::Wait(_)
            | Action::WaitFlag { .. }
            | Action::Reject { .. }
            | Action::Ignore
            | Action::Fail { .. }
            | Action::Shadow(_)
            | Action::DualWrite(_)
            | Action::QueueUntilDaily { .. }
            | Action::QueueUntil(_) => unreachable!("a task that calls stands at a call"),
        }
    }

    /// The outcome of a call reaches the task that waits for it; an answer to an earlier attempt is too late.
    pub(super) fn on_reply(&mut self, estate: &Estate, slot: Slot<Task>, call: u32, outcome: Outcome) {
        let current = |task: &Task| task.doing == Doing::Calling && task.call == call;
        if !self.tasks.get(slot).is_some_and(current) {
            return;
        }
        let site = self.site(estate, slot);
        let task = self.tasks.get_mut(slot).expect("the task was just seen");
        match outcome {
            Outcome::Failed(_) if task.call_attempt + u16::from(Planted::RetryTooFew.is_active()) <= site.retries => {
                let pause = site.backoff.saturating_mul(1 << (task.call_attempt - 1).min(30));
                task.doing = Doing::Waiting;
                self.cx.after(pause, Event::Retry { task: slot, call });
                return;
            }
            Outcome::Failed(_) if site.on_error == OnError::Fail => {
                task.settled = Some(Outcome::Failed(Failure::Dependency));
            }
            Outcome::Rejected(_) if site.on_error == OnError::Fail => task.settled = Some(outcome),
            Outcome::Failed(_) | Outcome::Rejected(_) | Outcome::Succeeded => {}
        }
        task.doing = Doing::Working;
        task.iteration += 1;
        self.advance(estate, slot);
    }

    pub(super) fn on_retry(&mut self, estate: &Estate, slot: Slot<Task>, call: u32) {
        let current = |task: &Task| task.doing == Doing::Waiting && task.call == call;
        if !self.tasks.get(slot).is_some_and(current) {
            return;
        }
        let site = self.site(estate, slot);
        self.tasks.get_mut(slot).expect("the task was just seen").doing = Doing::Calling;
        self.attempt(estate, slot, site);
    }

    fn mark(&mut self, estate: &Estate, slot: Slot<Task>, moment: u16) -> Next {
        let occurred_at = self.acts_on(slot).unwrap_or(self.cx.now());
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let context = estate.services[estate.replicas[task.replica].service].context;
        let key = task.interaction;
        let interaction = self.interactions.get_mut(key).expect("a task's interaction is open");
        self.cx.cause = interaction.cause;
        let what = Observation::Moment { interaction: interaction.id, moment, context, occurred_at };
        interaction.cause = self.cx.observe(what);
        Next::Go
    }

    /// Moves the aggregate. An illegal move is made and reported: the model shows what the code would do.
    fn set_status(&mut self, estate: &Estate, slot: Slot<Task>, status: u16) -> Next {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let (used, came_in, key) = (&task.used, &task.context, task.interaction);
        let interaction = self.interactions.get_mut(key).expect("a task's interaction is open");
        let about = interaction.aggregate.and_then(|about| self.aggregates.get_mut(about));
        let Some(aggregate) = about else { return Next::Go };
        let (entity, from) = (aggregate.entity, aggregate.status);
        let described = &estate.entities[entity];
        if from == described.initial && aggregate.created_under.is_empty() {
            // What was read here, and of the rest what came in with the request.
            aggregate.created_under = came_in.clone();
            for (feature, decision) in used.iter() {
                aggregate.created_under.set(*feature, *decision);
            }
        }
        let legal = described.transitions.is_empty() || described.transitions.contains(&(from, status));
        aggregate.status = status;
        self.cx.cause = interaction.cause;
        let what = Observation::Status { interaction: interaction.id, entity, from, to: status, legal };
        interaction.cause = self.cx.observe(what);
        if !interaction.sagas.is_empty() {
            self.end_sagas(estate, key);
        }
        Next::Go
    }

    fn emit(&mut self, estate: &Estate, slot: Slot<Task>, site: &EmitSite) -> Next {
        let copies = 1 + self.quantity(estate, slot, site.extra_copies).max(0.0) as u64;
        // The fact an event states is its producer's deed, now, whatever record led to it.
        let occurred_at = self.cx.now();
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let id = estate.replicas[task.replica].service;
        let context = self.outgoing(&estate.services[id], task, true);
        let interaction = task.interaction;
        let what = u64::from(site.topic.as_u32()) << 16 | u64::from(site.event_type);
        let (deed, repeat) = (deed(task.deed, what, site.ordinal.into()), task.repeat);
        let event = self.interactions.get(interaction).expect("a task's interaction is open").emitted;
        for copy in 0..copies {
            let repeat = repeat.or((copy > 0).then_some(Repeat::Copy));
            self.produce(estate, interaction, site, id, context.clone(), Told { event, deed, repeat, occurred_at });
        }
        Next::Go
    }
}

/// Whether a call is still waited for.
fn is_calling(tasks: &Slab<Task>, (slot, call): Waiting) -> bool {
    tasks.get(slot).is_some_and(|task| task.doing == Doing::Calling && task.call == call)
}

/// Whether a rule that has come to this action has just refused of its own accord.
fn refuses(rule: &OperationRule, action: u16) -> bool {
    let before = usize::from(action).checked_sub(1).and_then(|before| rule.actions.get(before));
    matches!(before, Some(Action::Reject { .. }))
}
