//! Accepted violations: which invariant, for which cause, until which day, and who answers for it.

use super::place::Place;
use super::{Draft, unknown};
use crate::invariants;
use crate::scenario::plan::{Accepted, Line};
use crate::scenario::problem::{Problem, Span};
use crate::scenario::quantity;
use std::path::Path;

/// More than anybody keeps an eye on.
const MOST: usize = 200;

impl<'a> Draft<'a> {
    pub(super) fn accepted(&mut self, place: &Place<'a>) {
        let items = place.items();
        if let Some(item) = items.get(MOST) {
            self.error(item.span, format!("more than {MOST} accepted violations"), "the first one too many");
        }
        let mut spans: Vec<Span> = Vec::new();
        for item in items.iter().take(MOST) {
            let Some(one) = self.one_accepted(item) else { continue };
            match self.accepted.iter().position(|known| overlap(known, &one)) {
                Some(first) => {
                    let message = format!("`{}` is accepted twice for one cause", one.invariant);
                    let problem = Problem::error(item.span, message).label("again here");
                    self.problems.push(problem.related(spans[first], "first here"));
                }
                None => {
                    self.accepted.push(one);
                    spans.push(item.span);
                }
            }
        }
    }

    /// One entry; what is missing or of the wrong shape was told before.
    fn one_accepted(&mut self, item: &Place<'a>) -> Option<Accepted> {
        let named = item.key("invariant");
        let name = named.text()?;
        let Some(entry) = invariants::named(name) else {
            let problem = unknown(named.span, "invariant", name, invariants::ALL.iter().map(|entry| entry.name));
            self.problems.push(problem.help("`windtunnel list invariants` prints them"));
            return None;
        };
        let cause = item.key("cause");
        self.check_cause(entry.name, &cause);
        let text = |key: &str| item.key(key).text().map(str::to_owned);
        Some(Accepted {
            invariant: entry.name,
            cause: cause.text().map(str::to_owned),
            until: item.key("until").text().and_then(quantity::day)?,
            owner: text("owner")?,
            ticket: text("ticket")?,
            at: self.line_of(named.span),
        })
    }

    /// The line of a place, in the file that its reader would open. What `--set` says stands in no file: the first
    /// line of the scenario then.
    pub(super) fn line_of(&self, span: Span) -> Line {
        let scenario = self.sources.name(0);
        let number = self.sources.line_column(span).0;
        match self.sources.name(span.file) {
            _ if span.file == 0 => Line { file: scenario.to_owned(), number },
            "--set" => Line { file: scenario.to_owned(), number: 1 },
            // Files name others relative to the scenario.
            beside => {
                let folder = Path::new(scenario).parent().unwrap_or(Path::new(""));
                Line { file: folder.join(beside).display().to_string(), number }
            }
        }
    }
}

/// Whether two entries accept the same violation, so that one of them does nothing.
fn overlap(one: &Accepted, other: &Accepted) -> bool {
    one.invariant == other.invariant && (one.cause.is_none() || other.cause.is_none() || one.cause == other.cause)
}
