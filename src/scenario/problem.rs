//! What is wrong with a scenario: mistakes as values, each with a place and a way out, and how they are printed.

mod rendering;

use std::ops::Range;

pub use rendering::{render, render_with_rules};

/// A stretch of one source, in bytes. Ordered as a reader meets them: by file, then by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub file: u16,
    pub start: u32,
    pub end: u32,
}

/// Every text a scenario was read from: the scenario itself, its includes, the `--set` arguments. Spans point into it.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    texts: Vec<Source>,
}

#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: String,
    /// The byte at which each line begins.
    lines: Vec<u32>,
}

/// How much a problem weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The scenario is wrong and does not run.
    Error,
    /// The scenario may be right, but this version of windtunnel cannot do what it asks, so it does not run.
    Unsupported,
    /// The scenario runs, and what it describes is a known way to get hurt.
    Warning,
    /// The scenario runs; its author would want to know.
    Advice,
}

/// One mistake in a scenario, told so that it can be repaired: where, what was expected, what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    /// `None` where the problem has no place, such as a file too large to be read.
    pub span: Option<Span>,
    pub message: String,
    /// What was expected; printed at the caret.
    pub label: String,
    pub help: Vec<String>,
    /// Other places that belong to the mistake, such as the first of two definitions.
    pub related: Vec<(Span, String)>,
}

/// All mistakes found so far, at most [`Problems::MOST`] of them kept; the rest is counted.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    /// Without duplicates, blocking ones before advice, each in the order of their places.
    kept: Vec<Problem>,
    more: usize,
}

impl Sources {
    /// A scenario and its includes are at most this many texts: `--set` arguments and includes are written by people.
    pub const MOST: usize = 1_000;

    /// # Panics
    /// Where there would be more than 65,536 sources: [`super::tree::read`] refuses far below.
    pub fn add(&mut self, name: impl Into<String>, text: String) -> u16 {
        let file = u16::try_from(self.texts.len()).expect("a scenario is read from fewer than 65,536 texts");
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| offset(at + 1))).collect();
        self.texts.push(Source { name: name.into(), text, lines });
        file
    }

    pub fn name(&self, file: u16) -> &str {
        &self.texts[usize::from(file)].name
    }

    pub fn text(&self, file: u16) -> &str {
        &self.texts[usize::from(file)].text
    }

    pub fn len(&self) -> usize {
        self.texts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The bytes of all texts together.
    pub fn size(&self) -> usize {
        self.texts.iter().map(|source| source.text.len()).sum()
    }

    /// Line and column where a span begins, both from 1; columns count characters. A byte order mark counts for none.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let source = &self.texts[usize::from(span.file)];
        let start = source.text.floor_char_boundary(span.start as usize);
        let line = source.line_at(start);
        let before = &source.text[source.lines[line] as usize..start];
        let column = before.strip_prefix('\u{feff}').unwrap_or(before).chars().count();
        (line + 1, column + 1)
    }
}

impl Source {
    /// The line, from 0, that holds a byte.
    fn line_at(&self, at: usize) -> usize {
        self.lines.partition_point(|begin| *begin as usize <= at) - 1
    }

    /// The bytes of a line, from 0, without its line break.
    fn line(&self, line: usize) -> Range<usize> {
        let start = self.lines[line] as usize;
        let end = self.lines.get(line + 1).map_or(self.text.len(), |next| *next as usize - 1);
        let end = if self.text[start..end].ends_with('\r') { end - 1 } else { end };
        start..end
    }
}

impl Problem {
    pub fn error(span: impl Into<Option<Span>>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, span.into(), message.into())
    }

    /// `what` completes the sentence "this version of windtunnel does not support … yet".
    pub fn unsupported(span: impl Into<Option<Span>>, what: &str) -> Self {
        let message = format!("this version of windtunnel does not support {what} yet");
        Self::new(Severity::Unsupported, span.into(), message)
    }

    pub fn advice(span: impl Into<Option<Span>>, message: impl Into<String>) -> Self {
        Self::new(Severity::Advice, span.into(), message.into())
    }

    pub fn warning(span: impl Into<Option<Span>>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, span.into(), message.into())
    }

    fn new(severity: Severity, span: Option<Span>, message: String) -> Self {
        let message = cropped(message);
        Problem { severity, span, message, label: String::new(), help: Vec::new(), related: Vec::new() }
    }

    /// What was expected, at the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = cropped(label.into());
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(cropped(help.into()));
        self
    }

    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, cropped(label.into())));
        self
    }

    /// Offers the nearest of the `valid` names, where one is near enough to be meant.
    #[must_use]
    pub fn did_you_mean<'a>(self, name: &str, valid: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(name, valid) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        }
    }

    /// Whether the scenario cannot run because of this problem.
    pub fn is_blocking(&self) -> bool {
        matches!(self.severity, Severity::Error | Severity::Unsupported)
    }

    fn order(&self) -> (bool, Option<Span>, &str) {
        (!self.is_blocking(), self.span, &self.message)
    }
}

impl Problems {
    /// Problems kept and printed: more than anyone repairs in one go.
    pub const MOST: usize = 200;

    /// Keeps the problem in its place; one already known (same place, same message) is dropped, and beyond
    /// [`Problems::MOST`] the last one in the files is only counted, advice before errors.
    pub fn push(&mut self, problem: Problem) {
        let Err(at) = self.kept.binary_search_by(|kept| kept.order().cmp(&problem.order())) else { return };
        self.kept.insert(at, problem);
        if self.kept.len() > Self::MOST {
            self.kept.pop();
            self.more += 1;
        }
    }

    /// Like [`Problems::push`] for a problem at `span` that is costly to explain: where too many others come before
    /// it, it is counted without being explained.
    pub fn push_with(&mut self, span: Span, explain: impl FnOnce() -> Problem) {
        let last = self.kept.last().filter(|last| self.kept.len() == Self::MOST && last.is_blocking());
        if last.is_some_and(|last| last.span < Some(span)) {
            self.more += 1;
        } else {
            self.push(explain());
        }
    }

    pub fn extend(&mut self, problems: impl IntoIterator<Item = Problem>) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }

    /// Whether anything found keeps the scenario from running.
    pub fn has_errors(&self) -> bool {
        self.kept.first().is_some_and(Problem::is_blocking)
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The problems in the order of their places, and last, where there were too many, how many more there are.
    pub fn into_vec(mut self) -> Vec<Problem> {
        self.kept.sort_by(|a, b| a.span.cmp(&b.span).then_with(|| a.order().cmp(&b.order())));
        if self.more > 0 {
            let severity = if self.has_errors() { Severity::Error } else { Severity::Advice };
            self.kept.push(Problem::new(severity, None, format!("and {} more problems", self.more)));
        }
        self.kept
    }
}

/// The valid name that was probably meant by `name`: equal but for case and separators, or else the nearest by
/// Jaro-Winkler distance if it is near enough. `None` says that guessing would mislead.
pub fn nearest<'a>(name: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Bounds that keep a hostile file from making the guess costly.
    const LONGEST_NAME: usize = 60;
    const MOST_NAMES: usize = 500;
    /// Below this two words rather share a few letters than a meaning.
    const NEAR_ENOUGH: f64 = 0.82;
    if name.is_empty() || name.len() > LONGEST_NAME {
        return None;
    }
    let name = folded(name);
    let mut best: Option<(f64, &str)> = None;
    for candidate in valid.into_iter().filter(|valid| valid.len() <= LONGEST_NAME).take(MOST_NAMES) {
        let folded = folded(candidate);
        let short = name.chars().count().min(folded.chars().count()) <= 2;
        let near = if folded == name { 2.0 } else { strsim::jaro_winkler(&name, &folded) };
        let near_enough = near >= if short { 0.9 } else { NEAR_ENOUGH };
        if near_enough && best.is_none_or(|(best, _)| near > best) {
            best = Some((near, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// A message may quote the file, and a hostile file has names of megabytes.
fn cropped(mut message: String) -> String {
    const LONGEST: usize = 800;
    if message.len() > LONGEST {
        message.truncate(message.floor_char_boundary(LONGEST));
        message.push('…');
    }
    message
}

fn folded(name: &str) -> String {
    name.chars().map(|c| if matches!(c, '_' | ' ') { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).expect("a source is smaller than 4 GiB: larger files are refused before")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_sorted_deduplicated_and_bounded() {
        let mut problems = Problems::default();
        for start in (0..500).rev() {
            problems.push(Problem::error(Span { file: 0, start, end: start }, "wrong"));
            problems.push(Problem::error(Span { file: 0, start, end: start }, "wrong"));
        }
        let problems = problems.into_vec();
        assert_eq!(problems.len(), Problems::MOST + 1);
        assert!(problems[..Problems::MOST].windows(2).all(|pair| pair[0].span < pair[1].span));
        assert!(problems[Problems::MOST].message.starts_with("and "));
    }

    #[test]
    fn an_error_is_never_crowded_out_by_advice() {
        let mut problems = Problems::default();
        for start in 0..500 {
            problems.push(Problem::advice(Span { file: 0, start, end: start }, "you may want"));
        }
        assert!(!problems.has_errors());
        problems.push(Problem::unsupported(Span { file: 1, start: 0, end: 0 }, "moons"));
        assert!(problems.has_errors());
        assert!(problems.into_vec().iter().any(|problem| problem.severity == Severity::Unsupported));
    }

    #[test]
    fn the_nearest_name_is_offered_only_if_it_is_near() {
        let keys = ["replicas", "retries", "poll", "at", "of", "timeout", "new-checkout"];
        for (name, expected) in [
            ("replica", Some("replicas")),
            ("relpicas", Some("replicas")),
            ("retry", Some("retries")),
            ("POLL", Some("poll")),
            ("time_out", Some("timeout")),
            ("new_checkout", Some("new-checkout")),
            ("zebra", None),
            ("to", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, keys), expected, "{name}");
        }
        assert_eq!(nearest(&"x".repeat(1 << 20), keys), None);
    }
}
