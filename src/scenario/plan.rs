//! A plan: a scenario that cannot be wrong any more. Ids are resolved, bounds are present, defaults are applied.

use crate::invariants::Settings;
use crate::models::estate::SharedEstate;
use crate::models::observation::Kind;
use crate::units::{Day, Share};
use std::borrow::Cow;

/// One scenario in one variant.
#[derive(Clone, Debug)]
pub struct Plan {
    pub scenario: String,
    /// The question it answers.
    pub summary: String,
    /// `base` without an overlay.
    pub variant: String,
    /// Hash of everything that decides the outcome but the seed: the merged tree, without positions or key order.
    pub hash: String,
    /// The file as it was read, for the report; includes are listed after it.
    pub source: String,
    pub params: Vec<(String, String)>,
    pub estate: SharedEstate,
    /// What decides the exit code, in the order of the catalogue, metrics and `reached` after the invariants.
    pub expectations: Vec<Expectation>,
    /// Settings of every invariant that has any, by name.
    pub settings: Vec<(&'static str, Settings)>,
    /// Violations that are known and accepted for a while, in the order of the file.
    pub accepted: Vec<Accepted>,
    /// The day on which it is judged whether something is still accepted; on no day nothing is.
    pub judged_on: Option<Day>,
}

impl Plan {
    pub fn settings_of(&self, invariant: &str) -> Settings {
        let found = self.settings.iter().find(|(name, _)| *name == invariant);
        found.map(|(_, settings)| *settings).unwrap_or_default()
    }
}

/// What a scenario expects to see.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// As the file writes it, in one line.
    pub text: String,
    pub of: Expected,
    /// Where it is written; `None` for what is expected by default.
    pub at: Option<Line>,
}

/// A line of a file that a scenario was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// As its reader would open it: the scenario as it was named, an included file beside it.
    pub file: String,
    /// From 1.
    pub number: usize,
}

/// A violation that is known and accepted for a while, so that it does not decide a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub invariant: &'static str,
    /// `None`: for whatever cause.
    pub cause: Option<String>,
    /// The last day on which it is accepted.
    pub until: Day,
    /// Who answers for it.
    pub owner: String,
    /// Where its repair is tracked.
    pub ticket: String,
    pub at: Line,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    Invariant {
        name: &'static str,
        comes_out: ComesOut,
    },
    /// The mean over seeds of a metric, within bounds (in the metric's unit).
    Metric {
        /// Of the catalogue, or of the file's own.
        name: Cow<'static, str>,
        at_least: Option<f64>,
        at_most: Option<f64>,
    },
    /// An observation of this kind while an entry of the timeline (by label prefix) or a step (by name) lasts.
    Reached {
        kind: Kind,
        during: During,
    },
}

/// How an invariant is expected to come out.
#[derive(Clone, Debug, PartialEq)]
pub enum ComesOut {
    Holds,
    /// In every exercised seed, at least one; for this cause and about this, where they are named.
    Violated {
        cause: Option<String>,
        about: Option<String>,
    },
    /// Violated in at most this share of exercised runs, with this confidence.
    AtMost {
        share: Share,
        confidence: f64,
    },
}

/// While what an observation must occur.
#[derive(Clone, Debug, PartialEq)]
pub enum During {
    /// Any entry of the timeline of this fault or deed, by its name.
    Happening(String),
    /// From a step's publication to the next one's: rollout and step.
    Step { rollout: usize, step: usize },
}
