//! External parties that give no answer: what they were asked to do they may have done, do later, or never do.

use super::estate::{CUSTOMER_PATIENCE, Estate, Silence};
use super::event::Event;
use super::observation::{Failure, Observation, Outcome};
use super::task::{Caller, Doing, Task};
use super::world::World;
use crate::kernel::stream::address;
use crate::units::Slot;

/// What the draws about a silence are counted by.
const SHARE: u64 = 1 << 30;
const TAKES_EFFECT: u64 = 1 << 30 | 1;
const LATER: u64 = 1 << 30 | 2;

impl World {
    /// Whether the party falls silent on this attempt and does not go on with it now. Its caller learns of it by its own
    /// deadline.
    pub(super) fn falls_silent(&mut self, estate: &Estate, slot: Slot<Task>, silence: &Silence) -> bool {
        let task = self.tasks.get_mut(slot).expect("a task at work is in its pool");
        if task.silent || task.settled.is_some() {
            return false;
        }
        let (visit, attempt, operation, of) = (task.visit, task.attempt, task.operation, task.interaction);
        let interaction = self.interactions.get(of).expect("a task's interaction is open");
        let (id, identity, cause) = (interaction.id, interaction.identity, interaction.cause);
        let key = self.keys.chance[operation.index()];
        let at = |what| address(what, visit, attempt);
        if !silence.share.admits(self.cx.draws.word(key, identity, at(SHARE))) {
            return false;
        }
        let takes_effect = silence.takes_effect.admits(self.cx.draws.word(key, identity, at(TAKES_EFFECT)));
        task.silent = true;
        let caller = std::mem::replace(&mut task.caller, Caller::Nobody);
        self.cx.cause = cause;
        let seen = self.cx.observe(Observation::OutcomeUnknown { interaction: id, operation, attempt, takes_effect });
        self.interactions.get_mut(of).expect("a task's interaction is open").cause = seen;
        if let Caller::Customer = caller {
            self.hold(of);
            let outcome = Outcome::Failed(Failure::Timeout);
            self.cx.after(CUSTOMER_PATIENCE, Event::Answer { interaction: of, outcome });
        }
        match &silence.later {
            _ if !takes_effect => {
                self.free_worker(estate, slot);
                self.tasks.remove(slot).expect("a task ends once");
                self.release(estate, of);
                true
            }
            Some(later) => {
                let later = self.cx.sample(later, key, identity, at(LATER));
                self.free_worker(estate, slot);
                self.tasks.get_mut(slot).expect("the task was just seen").doing = Doing::Held;
                self.cx.after(later, Event::WorkDone { task: slot });
                true
            }
            None => false,
        }
    }
}
