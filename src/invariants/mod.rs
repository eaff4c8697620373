//! The promises: one per file, each with the scenario that breaks it and the one that repairs it.
//!
//! An invariant is an online checker over the stream of observations. Its memory grows with what is in flight, not
//! with what has happened. It may not draw, send or wait; its deadlines are its own.

mod account;
pub mod aftermath;
pub mod board;
mod broken_promise;
pub mod chance;
mod compensation_gap;
mod completion;
mod control_plane_independence;
mod convergence;
pub mod debts;
mod decision_lineage;
mod exactly_once_effect;
#[cfg(test)]
pub(crate) mod fixtures;
mod flag_debt;
mod fleet;
mod irreversible_exposure;
mod kill_latency;
mod kill_precedence;
mod kills;
mod ledger;
mod legal_transition;
mod mixed;
mod no_lost_event;
mod places;
mod reach;
mod reconciled;
mod record_truth;
mod retreats;
pub mod rollback_safe;
mod sample_ratio;
mod semantic_lag;
mod semantic_mismatch;
mod split_brain;
mod stale_policy;
mod sticky_cohort;
mod subjects;

pub use crate::kernel::Histogram;
pub use account::{grounds, occurrence, scope};
pub use board::{Board, verdict};
pub use fleet::Fleet;
pub use kills::{InForce, Kills, is_new};
pub use ledger::{Ledger, Settings, Verdict, Violation};
pub use mixed::{Mixed, Reading};
pub use places::{Places, Reset};
pub use split_brain::cause;

use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observed};
use crate::units::SimTime;

/// An invariant as the catalogue knows it.
pub struct Entry {
    pub name: &'static str,
    /// The sentence that `explain` prints: violated when.
    pub sentence: &'static str,
    /// When its guarded situation counts as having occurred.
    pub exercised_when: &'static str,
    /// Shipped scenarios: `(breaks it, repairs it)`, each `scenario` or `scenario:variant`.
    pub exhibits: (&'static str, &'static str),
    /// Every cause a violation can name.
    pub causes: &'static [&'static str],
    /// Whether the plan can reach its guarded situation at all (rules.md, 1).
    pub reachable: fn(&Estate, &Settings) -> bool,
    pub create: fn(&Estate, &Settings) -> Box<dyn Invariant>,
}

/// A checker at work in one run.
pub trait Invariant: Send {
    /// The kinds of observations it wants to see.
    fn interests(&self) -> &'static [Kind];
    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger);
    /// The run is over: settle what is due, report what is open.
    fn finish(&mut self, end: SimTime, estate: &Estate, ledger: &mut Ledger);
}

/// Every built-in invariant, in the order in which reports print them.
pub static ALL: &[&Entry] = &[
    &split_brain::ENTRY,
    &semantic_mismatch::ENTRY,
    &semantic_lag::ENTRY,
    &control_plane_independence::ENTRY,
    &kill_latency::ENTRY,
    &kill_precedence::ENTRY,
    &stale_policy::ENTRY,
    &sticky_cohort::ENTRY,
    &sample_ratio::ENTRY,
    &convergence::ENTRY,
    &completion::ENTRY,
    &irreversible_exposure::ENTRY,
    &legal_transition::ENTRY,
    &decision_lineage::ENTRY,
    &rollback_safe::ENTRY,
    &flag_debt::ENTRY,
    &exactly_once_effect::ENTRY,
    &no_lost_event::ENTRY,
    &broken_promise::ENTRY,
    &record_truth::ENTRY,
    &compensation_gap::ENTRY,
    &reconciled::ENTRY,
];

pub fn named(name: &str) -> Option<&'static Entry> {
    ALL.iter().copied().find(|entry| entry.name == name)
}
