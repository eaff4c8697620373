//! Conditions and bounds: from their text to what the simulation evaluates.
//!
//! Conditions are a typed subset of CEL with the standard's syntax. A condition is read (`lex`, `parse`), its
//! names and types are checked against what may be named where it stands (`check`, `compare`), and it leaves as a
//! [`Condition`] without names. Bounds (`latency.p99.ratio < 1.3`) are a smaller language of their own
//! ([`bound()`]). Where a condition stands in a file, and in which layer of it, is not known here: errors have the
//! byte range inside the text.

mod ast;
mod bound;
mod check;
mod compare;
mod lex;
mod parse;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::rollout::condition::{Condition, SlotId, Symbols};

pub use bound::{Bound, BoundRanges, Comparison, LabelRanges, Quantity, bound};

/// The longest text of a condition or bound, 4 KiB: a screen of it, and a limit for hostile files.
pub const MAX_LENGTH: usize = 4096;

/// How deep a condition may be nested.
pub const MAX_DEPTH: usize = 64;

/// What an expression is, as far as the file alone can tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    Bool,
    Int,
    Float,
    /// A length of time; its value is in seconds.
    Duration,
    Text,
    /// A text that is one of these; comparing it with any other is a mistake.
    TextOf(Vec<String>),
    /// A stage of the feature with this index.
    Stage(u16),
}

/// One stage of a feature, as conditions compare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageName {
    pub name: String,
    /// Its place on the ladder; `None` for a stage off the ladder.
    pub rank: Option<u16>,
}

/// Why a name means nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    pub message: String,
    /// The valid name that comes nearest.
    pub nearest: Option<String>,
}

/// What may be named in a condition, which depends on where it stands. A name may be looked up more than once and
/// must then give the same slot; a slot that was given out need not end up in the condition.
pub trait Names {
    /// A field path: `tenant.segment`, `status`, `stage`.
    fn path(&mut self, path: &[&str]) -> Result<(SlotId, Type), NameError>;
    /// A call with texts for arguments: `stage("new-checkout")`, `flag("beta")`.
    fn call(&mut self, function: &str, args: &[&str]) -> Result<(SlotId, Type), NameError>;
    /// `can("request")` or `can("new-checkout", "request")`: the indices of the feature and of its capability.
    fn capability(&mut self, feature: Option<&str>, capability: &str) -> Result<(u16, u16), NameError>;
    /// The stages of a feature in their declared order; a stage's index is its place here.
    fn stages(&self, feature: u16) -> &[StageName];
    /// Where the texts of conditions are interned.
    fn symbols(&mut self) -> &mut Symbols;
}

/// One mistake in a condition or bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// Bytes of the expression's text.
    pub range: Range<usize>,
    pub message: String,
    /// The repair, where there is a likely one.
    pub help: Option<String>,
}

impl ExpressionError {
    fn new(range: Range<usize>, message: impl Into<String>) -> Self {
        ExpressionError { range, message: message.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Compiles a condition, or tells everything that is wrong with it: one mistake of syntax, or all mistakes of
/// names and types in the order of the text.
pub fn compile(text: &str, names: &mut dyn Names) -> Result<Condition, Vec<ExpressionError>> {
    let expression = parse::parse(text).map_err(|error| vec![error])?;
    check::check(text, &expression, names)
}

/// The candidate that is most like `name`, if any is like it at all.
fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    /// Below this Jaro-Winkler similarity a suggestion is rather noise than help.
    const ALIKE: f64 = 0.75;
    let name = name.to_lowercase();
    let mut best = None;
    for candidate in candidates {
        let similarity = strsim::jaro_winkler(&name, &candidate.to_lowercase());
        if similarity >= ALIKE && best.is_none_or(|(_, best)| similarity > best) {
            best = Some((candidate, similarity));
        }
    }
    best.map(|(candidate, _)| candidate)
}

/// "did you mean", or the whole list where nothing is near.
fn nearest_or_all(name: &str, candidates: &[&str]) -> String {
    /// More names than this in one line are not read.
    const LISTED: usize = 12;
    match nearest(name, candidates.iter().copied()) {
        Some(nearest) => format!("did you mean \"{nearest}\"?"),
        None if candidates.len() <= LISTED => format!("it is one of {}", candidates.join(", ")),
        None => format!("it is one of {}, ...", candidates[..LISTED].join(", ")),
    }
}
