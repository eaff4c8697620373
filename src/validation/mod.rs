//! Agreement with theory: the ordinary engine, on scenario texts like a user's, against the closed forms of
//! [`theory`](crate::theory).
//!
//! A [`Law`] is one closed form tried at several values of one parameter. Each value, a [`Case`], has runs and seeds
//! of its own, so that all comparisons are independent of one another and the mean of z² over a set has its known
//! distribution. Within a case the samples are independent because each comes from parts of the estate that share
//! nothing with the others: hundreds of separate pairs of services in one text cost less than as many seeds.

mod document;
pub mod families;
pub mod measure;
mod plot;
pub mod probe;
pub mod probes;
pub mod verdict;

pub use document::document;
pub use families::ALL;
pub use measure::{Measured, measure};
pub use plot::plot;
pub use probe::Probe;
pub use verdict::{Agreement, disagreement, is_off, judge};

/// Closed forms that belong together, with one page of plots.
pub struct Family {
    /// As the command line and files name it: `caches`.
    pub name: &'static str,
    pub title: &'static str,
    /// What the family is about and what follows from it for a rollout.
    pub sentence: &'static str,
    pub laws: &'static [Law],
}

/// One closed form, and how the engine is asked for the same quantity.
pub struct Law {
    /// As the command line and files name it, unique in its family: `stale-by-age`.
    pub name: &'static str,
    /// What is measured, as a clause: `share of replicas without the new version`.
    pub sentence: &'static str,
    /// As a person would write it: `1 - a/T`.
    pub formula: &'static str,
    /// Under which the formula holds, and which the scenario meets.
    pub assumptions: &'static str,
    /// The generated scenario in one sentence.
    pub scenario_in_short: &'static str,
    /// What varies, with its unit: `age a (s)`.
    pub parameter: &'static str,
    /// The unit of the quantity: `share`, `s`, `requests`.
    pub unit: &'static str,
    /// The values of the parameter that are tried.
    pub at: &'static [f64],
    /// The closed form at a value of the parameter.
    pub theory: fn(f64) -> f64,
    /// Standard deviation of one sample over its mean, in theory or roughly: it only decides how many samples are
    /// taken. For [`Estimate::Variance`], of the squared deviation.
    pub spread: fn(f64) -> f64,
    /// The scenario's text.
    pub scenario: fn(f64) -> String,
    /// What collects the samples of one run.
    pub probe: fn(f64) -> Box<dyn Probe>,
    pub estimate: Estimate,
}

/// What of the samples the theory is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Estimate {
    Mean,
    Variance,
    /// Every sample is the theory's value, with no error at all.
    Exactly,
}

/// How many samples are taken: enough for the standard error to be a fifth of the bias that must be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// A bias of 5%.
    Quick,
    /// A bias of 2%.
    Full,
}

/// A law at one value of its parameter.
#[derive(Clone, Copy)]
pub struct Case {
    pub family: &'static Family,
    pub law: &'static Law,
    pub at: f64,
}

impl Effort {
    /// The smallest relative bias that is seen with five standard errors.
    pub fn bias(self) -> f64 {
        match self {
            Effort::Quick => 0.05,
            Effort::Full => 0.02,
        }
    }
}

impl Family {
    pub fn cases(&'static self) -> impl Iterator<Item = Case> {
        self.laws.iter().flat_map(move |law| law.at.iter().map(move |at| Case { family: self, law, at: *at }))
    }
}

impl Case {
    /// `caches/stale-by-age@10`.
    pub fn name(&self) -> String {
        format!("{}/{}@{}", self.family.name, self.law.name, self.at)
    }
}
