//! Reports over a whole suite of scenario files: one file for all of them, as continuous integration reads it.
//!
//! A [`Suite`] takes from each campaign, as it ends, one row per variant and expectation, and nothing else: what it
//! holds grows with what is expected, not with what is run. One format per file, each a pure function of the suite.

pub mod github;
pub mod gitlab;
pub mod junit;
mod row;
pub mod sarif;
pub mod step_summary;
#[cfg(test)]
mod tests;

pub use row::{Outcome, Row, Rule};

use crate::campaign::outcome::CampaignOutcome;

/// A format as the catalogue knows it.
pub struct Format {
    /// As `--emit` names it.
    pub name: &'static str,
    /// The sentence that `explain` prints.
    pub sentence: &'static str,
    /// What becomes of rows that are not met, and which limits it keeps.
    pub details: &'static str,
    pub render: fn(&Suite) -> String,
}

/// Every format over a whole suite.
pub static ALL: &[Format] = &[junit::FORMAT, sarif::FORMAT, gitlab::FORMAT, github::FORMAT, step_summary::FORMAT];

pub fn named(name: &str) -> Option<&'static Format> {
    ALL.iter().find(|format| format.name == name)
}

/// What an inconclusive row weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Doubt {
    /// As much as a missed one: nothing was shown.
    #[default]
    Fails,
    /// A warning, as `--inconclusive warn` asks for.
    Warns,
}

/// How much a row matters to whoever reads a report, lightest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// As expected.
    None,
    /// Accepted for a while.
    Notice,
    Warning,
    Error,
}

/// What all campaigns of one invocation came to.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// In the order in which the campaigns ended, their variants and expectations in theirs.
    pub rows: Vec<Row>,
    pub doubt: Doubt,
}

/// How many rows came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub met: u64,
    pub missed: u64,
    pub inconclusive: u64,
    pub accepted: u64,
    pub refused: u64,
}

impl Suite {
    pub fn new(doubt: Doubt) -> Suite {
        Suite { rows: Vec::new(), doubt }
    }

    /// Takes in a finished campaign.
    pub fn add(&mut self, outcome: &CampaignOutcome) {
        self.rows.extend(row::rows_of(outcome));
    }

    /// Takes in a file that did not run, and why.
    pub fn refuse(&mut self, file: &str, variant: Option<&str>, why: &str) {
        self.rows.push(row::refused(file, variant, why));
    }

    pub fn weight(&self, row: &Row) -> Weight {
        match (row.outcome, self.doubt) {
            (Outcome::Met, _) => Weight::None,
            (Outcome::Accepted, _) => Weight::Notice,
            (Outcome::Inconclusive, Doubt::Warns) => Weight::Warning,
            (Outcome::Inconclusive, Doubt::Fails) | (Outcome::Missed | Outcome::Refused, _) => Weight::Error,
        }
    }

    /// Rows that are not as expected, the heaviest first and each weight in the order of the suite.
    pub fn told(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.iter().filter(|row| self.weight(row) > Weight::None).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(self.weight(row)));
        rows
    }

    pub fn tally(&self) -> Tally {
        Tally::of(&self.rows)
    }

    /// Runs of rows of one scenario and variant, in the order of the suite.
    pub fn variants(&self) -> impl Iterator<Item = &[Row]> {
        self.rows.chunk_by(|a, b| (&a.file, &a.scenario, &a.variant) == (&b.file, &b.scenario, &b.variant))
    }
}

impl Tally {
    pub fn of(rows: &[Row]) -> Tally {
        let mut tally = Tally::default();
        for row in rows {
            let count = match row.outcome {
                Outcome::Met => &mut tally.met,
                Outcome::Missed => &mut tally.missed,
                Outcome::Inconclusive => &mut tally.inconclusive,
                Outcome::Accepted => &mut tally.accepted,
                Outcome::Refused => &mut tally.refused,
            };
            *count += 1;
        }
        tally
    }

    pub fn rows(&self) -> u64 {
        self.met + self.missed + self.inconclusive + self.accepted + self.refused
    }

    /// `38 met, 2 missed, 1 accepted`; nothing of what there is none of, but always what is met.
    pub fn told(&self) -> String {
        let counts = [
            (self.missed, "missed"),
            (self.inconclusive, "inconclusive"),
            (self.accepted, "accepted"),
            (self.refused, "not run"),
        ];
        let mut text = format!("{} met", self.met);
        for (count, word) in counts.into_iter().filter(|(count, _)| *count > 0) {
            text.push_str(&format!(", {count} {word}"));
        }
        text
    }
}
