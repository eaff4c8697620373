//! What is wrong with a code version: the ground truth that gates, shadows and reconciliations are there to find.
//!
//! A defect belongs to the code and not to chance: the same request meets it again on its next attempt. Whom it strikes
//! is drawn once for each interaction and operation, so that a larger share strikes whom a smaller one strikes, and more.

use super::deciding::Asking;
use super::estate::Estate;
use super::observation::{Failure, Outcome, Wrong};
use super::task::Task;
use super::world::World;
use crate::rollout::Condition;
use crate::units::{Share, SimDuration, Slot};
use std::sync::Arc;

/// What a defect does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Harm {
    /// The work takes so many times as long.
    Slower(f64),
    /// This share of requests fails, each time it is tried.
    Fails(Share),
    /// Every request fails once the process has run the code for so long; a restart gives it as long again.
    FailsAfter(SimDuration),
    /// For this share the result is another than that of the path it replaces.
    Disagrees(Share),
    /// For this share the data that an effect writes are wrong.
    Corrupts(Share),
}

/// Something that is wrong with a code version.
#[derive(Clone, Debug)]
pub struct Defect {
    pub harm: Harm,
    /// Only on this path; `None`: on every one.
    pub path: Option<u16>,
    pub when: Option<Arc<Condition>>,
}

/// What the draws of each kind of harm are counted by, so that one kind moves no other.
const FAILS: u64 = 1;
const DISAGREES: u64 = 2;
const CORRUPTS: u64 = 3;

impl World {
    fn defects<'e>(&self, estate: &'e Estate, slot: Slot<Task>) -> &'e [Defect] {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let service = &estate.services[estate.operations[task.operation].service];
        if !service.defective {
            return &[];
        }
        let runs = self.replicas[task.replica.index()].code;
        service.codes.iter().find(|code| code.number == runs).map_or(&[], |code| &code.defects)
    }

    /// Whether a defect concerns what this task does on a path.
    fn concerns(&mut self, estate: &Estate, slot: Slot<Task>, defect: &Defect, path: Option<u16>) -> bool {
        let on_path = defect.path.is_none() || defect.path == path;
        // Whoever lacks an attribute the condition asks for is not in its cohort.
        let of_cohort = |condition: &Condition| {
            condition.eval(&mut Asking { world: &mut *self, estate, task: slot }).unwrap_or(false)
        };
        on_path && defect.when.as_deref().is_none_or(of_cohort)
    }

    pub(super) fn path_of(&self, estate: &Estate, slot: Slot<Task>) -> Option<u16> {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        task.rule.and_then(|rule| estate.operations[task.operation].rules[usize::from(rule)].path)
    }

    fn is_struck(&mut self, slot: Slot<Task>, share: Share, purpose: u64) -> bool {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let interaction = self.interactions.get(task.interaction).expect("a task's interaction is open");
        let key = self.keys.defects[task.operation.index()];
        share.admits(self.cx.draws.word(key, interaction.identity, purpose))
    }

    /// How many times as long the rule takes because of what is wrong with the code.
    pub(super) fn slowed(&mut self, estate: &Estate, slot: Slot<Task>) -> f64 {
        let path = self.path_of(estate, slot);
        let mut factor = 1.0;
        for defect in self.defects(estate, slot) {
            if let Harm::Slower(times) = defect.harm
                && self.concerns(estate, slot, defect, path)
            {
                factor *= times;
            }
        }
        factor
    }

    /// Fails the task where its code does.
    pub(super) fn fail_by_defect(&mut self, estate: &Estate, slot: Slot<Task>) {
        let path = self.path_of(estate, slot);
        if self.fails_on(estate, slot, path) {
            self.settle(slot, Outcome::Failed(Failure::Error));
        }
    }

    /// Whether this task's code fails on a path.
    pub(super) fn fails_on(&mut self, estate: &Estate, slot: Slot<Task>, path: Option<u16>) -> bool {
        for defect in self.defects(estate, slot) {
            let fails = match defect.harm {
                Harm::Fails(share) => self.concerns(estate, slot, defect, path) && self.is_struck(slot, share, FAILS),
                Harm::FailsAfter(after) => self.runs_for(slot) >= after && self.concerns(estate, slot, defect, path),
                Harm::Slower(_) | Harm::Disagrees(_) | Harm::Corrupts(_) => false,
            };
            if fails {
                return true;
            }
        }
        false
    }

    /// How long the process at work has run its code.
    fn runs_for(&self, slot: Slot<Task>) -> SimDuration {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        self.cx.now().since(self.replicas[task.replica.index()].code_since)
    }

    /// What is wrong with the result that this task's code comes to on a path, whoever looks at it: the truth that a
    /// comparison of both paths is after.
    pub(super) fn wrong_on(&mut self, estate: &Estate, slot: Slot<Task>, path: Option<u16>) -> Option<Wrong> {
        let mut wrong = None;
        for defect in self.defects(estate, slot) {
            let (share, purpose, becomes) = match defect.harm {
                Harm::Disagrees(share) => (share, DISAGREES, Wrong::Disagrees),
                Harm::Corrupts(share) => (share, CORRUPTS, Wrong::Corrupt),
                Harm::Slower(_) | Harm::Fails(_) | Harm::FailsAfter(_) => continue,
            };
            // What is corrupt stays so, whatever else is wrong.
            if wrong != Some(Wrong::Corrupt)
                && self.concerns(estate, slot, defect, path)
                && self.is_struck(slot, share, purpose)
            {
                wrong = Some(becomes);
            }
        }
        wrong
    }

    /// The process runs this code from now on.
    pub(super) fn begins_code(&mut self, replica: super::estate::ReplicaId) {
        self.replicas[replica.index()].code_since = self.cx.now();
    }
}
