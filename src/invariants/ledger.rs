//! What an invariant writes down: how often it was looked at, exercised, violated, and by how little it held.

use super::aftermath::Window;
use crate::models::observation::{Interaction, ObservationId};
use crate::units::{SimDuration, SimTime};

/// What an invariant comes to in one run. Only `Holds` is green.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Holds,
    Violated,
    /// An obligation is still open whose deadline lies past the horizon.
    Pending,
    /// What it guards never happened.
    Vacuous,
    /// The run hit a limit before it could be told.
    Undecided,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Violated => "violated",
            Verdict::Pending => "pending",
            Verdict::Vacuous => "vacuous",
            Verdict::Undecided => "undecided",
        }
    }

    /// The verdict of this name.
    pub fn named(name: &str) -> Option<Verdict> {
        let all = [Verdict::Holds, Verdict::Violated, Verdict::Pending, Verdict::Vacuous, Verdict::Undecided];
        all.into_iter().find(|verdict| verdict.name() == name)
    }
}

/// What a file can set of an invariant.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// Its bound, for those that have one (`at_most`, `within`).
    pub bound: Option<SimDuration>,
    /// Judge the quantile of what is bounded instead of every one: 0.99 for `p99`.
    pub quantile: Option<f64>,
}

/// One violation.
#[derive(Clone, Debug)]
pub struct Violation {
    pub at: SimTime,
    pub interaction: Option<Interaction>,
    /// Which part of the promise: `paths`, `moments`, ….
    pub clause: &'static str,
    pub cause: &'static str,
    /// What was violated, when the clause can concern several things at once (a moment's or effect's name).
    pub about: String,
    /// One sentence with names and numbers.
    pub text: String,
    /// The observations it rests on, oldest first.
    pub witnesses: Vec<ObservationId>,
}

/// How many violations of a run are kept with their witnesses.
pub const WITNESSES: usize = 16;
/// How many violations are kept by their key, to be compared with the baseline's.
pub const KEYS: usize = 1 << 20;

/// The account of one invariant in one run.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub checked: u64,
    pub exercised: u64,
    pub pending: u64,
    pub violations: u64,
    /// Violations by cause.
    pub causes: Vec<(&'static str, u64)>,
    pub min_margin: Option<f64>,
    /// What is told from a violation and counted apart (rules.md, 4), by class.
    pub apart: Vec<(&'static str, u64)>,
    /// What could not be followed because a bound of the checker was reached: the verdict is then undecided.
    pub untracked: u64,
    pub first: Vec<Violation>,
    /// How customers fared after retreats, to be compared with the run without the rollout.
    pub windows: Vec<Window>,
    /// Clause and occurrence of each violation, as a hash: what "the baseline has it too" compares; with the cause.
    pub keys: Vec<(u64, &'static str)>,
}

impl Ledger {
    pub fn check(&mut self) {
        self.checked += 1;
    }

    pub fn exercise(&mut self) {
        self.exercised += 1;
    }

    /// Notes the distance to a violation; negative when violated.
    pub fn margin(&mut self, margin: f64) {
        if self.min_margin.is_none_or(|smallest| margin < smallest) {
            self.min_margin = Some(margin);
        }
    }

    /// Counts something of `class` that is no violation.
    pub fn set_apart(&mut self, class: &'static str) {
        count(&mut self.apart, class);
    }

    /// Records a violation of `clause` by the occurrence (an interaction, or `subject` where none is concerned).
    /// The account is only made for the first few.
    pub fn violate(
        &mut self,
        clause: &'static str,
        cause: &'static str,
        interaction: Option<Interaction>,
        subject: u64,
        account: impl FnOnce() -> Violation,
    ) {
        self.violations += 1;
        count(&mut self.causes, cause);
        if self.keys.len() < KEYS {
            self.keys.push((occurrence(clause, interaction, subject), cause));
        }
        if self.first.len() < WITNESSES {
            self.first.push(account());
        }
    }
}

/// What the account comes to. A violation seen stays one, however much was not seen.
pub fn verdict(ledger: &Ledger, cut_short: bool) -> Verdict {
    if ledger.violations > 0 {
        Verdict::Violated
    } else if cut_short || ledger.untracked > 0 {
        Verdict::Undecided
    } else if ledger.pending > 0 {
        Verdict::Pending
    } else if ledger.exercised == 0 {
        Verdict::Vacuous
    } else {
        Verdict::Holds
    }
}

fn count(counts: &mut Vec<(&'static str, u64)>, name: &'static str) {
    match counts.iter_mut().find(|(known, _)| *known == name) {
        Some((_, count)) => *count += 1,
        None => counts.push((name, 1)),
    }
}

fn occurrence(clause: &'static str, interaction: Option<Interaction>, subject: u64) -> u64 {
    let mut digest = crate::kernel::Digest::default();
    digest.fold(crate::kernel::digest::hash_bytes(clause.as_bytes()), subject);
    if let Some(interaction) = interaction {
        let (journey, n, replay) = interaction.key();
        digest.fold(u64::from(journey.as_u32()) << 32 | u64::from(replay), n);
    }
    digest.word()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_exercised_and_fully_seen_holds() {
        let mut ledger = Ledger::default();
        assert_eq!(verdict(&ledger, false), Verdict::Vacuous);
        ledger.exercise();
        assert_eq!(verdict(&ledger, false), Verdict::Holds);
        ledger.pending = 1;
        assert_eq!(verdict(&ledger, false), Verdict::Pending);
        ledger.untracked = 1;
        assert_eq!(verdict(&ledger, false), Verdict::Undecided);
        ledger.violations = 1;
        assert_eq!(verdict(&ledger, true), Verdict::Violated);
        assert_eq!(verdict(&Ledger { exercised: 1, ..Ledger::default() }, true), Verdict::Undecided);
    }

    #[test]
    fn equal_clauses_of_equal_occurrences_have_equal_keys_and_others_do_not() {
        let keys =
            [("late", 1), ("late", 1), ("late", 2), ("missing", 1)].map(|(clause, n)| occurrence(clause, None, n));
        assert_eq!(keys[0], keys[1]);
        assert_ne!(keys[0], keys[2]);
        assert_ne!(keys[0], keys[3]);
    }
}
