//! What is wrong with a scenario: mistakes as values, each with a place and a way out, and how they are printed.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Level, Renderer, Snippet};

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

    fn new(severity: Severity, span: Option<Span>, message: String) -> Self {
        Problem { severity, span, message, label: String::new(), help: Vec::new(), related: Vec::new() }
    }

    /// What was expected, at the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
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
        self.severity != Severity::Advice
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

    /// Whether further problems are likely only counted, so that a costly explanation of them is wasted.
    pub fn is_full(&self) -> bool {
        self.more > 0
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

/// The problems as a terminal shows them, in rustc's layout: place, excerpt, caret, what was expected, the repair.
///
/// Reads only the lines it prints, crops huge ones, and prints control characters of a hostile file as visible marks.
pub fn render(problems: &[Problem], sources: &Sources, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(160);
    let mut out = String::new();
    for problem in problems {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Unsupported => Level::ERROR.with_name("unsupported"),
            Severity::Advice => Level::WARNING.with_name("advice"),
        };
        let group = level.primary_title(printable(&problem.message)).elements(excerpts(problem, sources));
        let group = group.elements(problem.help.iter().map(|help| Level::HELP.message(printable(help))));
        out.push_str(&with_own_columns(&renderer.render(&[group])));
        out.push_str("\n\n");
    }
    out
}

/// An excerpt of a source, with the carets in it.
type Excerpt = Snippet<'static, Annotation<'static>>;

/// The caret of the problem, and after it those of its related places that are not shown beside it.
fn excerpts(problem: &Problem, sources: &Sources) -> Vec<Excerpt> {
    let Some(primary) = problem.span.filter(|span| usize::from(span.file) < sources.len()) else { return Vec::new() };
    let (beside, apart): (Vec<_>, Vec<_>) =
        problem.related.iter().partition(|(span, _)| is_beside(primary, *span, sources));
    let mut marks = vec![(primary, problem.label.as_str(), AnnotationKind::Primary)];
    marks.extend(beside.iter().map(|(span, label)| (*span, label.as_str(), AnnotationKind::Context)));
    let mut excerpts = vec![excerpt(&marks, sources)];
    for (span, label) in apart.iter().filter(|(span, _)| usize::from(span.file) < sources.len()) {
        excerpts.push(excerpt(&[(*span, label, AnnotationKind::Context)], sources));
    }
    excerpts
}

/// Lines longer than this many bytes are cropped around the caret.
const LONGEST_LINE: usize = 240;

/// Whether one excerpt can show both places: same file, and few, short lines between them.
fn is_beside(primary: Span, other: Span, sources: &Sources) -> bool {
    if primary.file != other.file {
        return false;
    }
    let source = &sources.texts[usize::from(primary.file)];
    let (a, b) = (source.line_at(primary.start as usize), source.line_at(other.start as usize));
    let lines = a.min(b)..=a.max(b);
    a.abs_diff(b) < 60 && lines.into_iter().all(|line| source.line(line).len() <= LONGEST_LINE)
}

/// An excerpt with all `marks`, which are beside one another; a mark reaches to the end of its first line at most.
fn excerpt(marks: &[(Span, &str, AnnotationKind)], sources: &Sources) -> Excerpt {
    let (first, ..) = marks[0];
    let source = &sources.texts[usize::from(first.file)];
    let lines = marks.iter().map(|(span, ..)| source.line_at(span.start as usize));
    let (from, to) = lines.fold((usize::MAX, 0), |(from, to), line| (from.min(line), to.max(line)));
    let mut shown = source.line(from).start..source.line(to).end;
    if source.text[shown.clone()].starts_with('\u{feff}') {
        shown.start += '\u{feff}'.len_utf8();
    }
    let (mut before, mut after) = ("", "");
    if from == to && shown.len() > LONGEST_LINE {
        let start = source.text.floor_char_boundary((first.start as usize).saturating_sub(LONGEST_LINE / 3));
        let end = source.text.floor_char_boundary(start.max(shown.start) + LONGEST_LINE);
        before = if start > shown.start { "…" } else { "" };
        after = if end < shown.end { "…" } else { "" };
        shown = start.max(shown.start)..end.min(shown.end);
    }
    let text = format!("{before}{}{after}", visible(&source.text[shown.clone()]));
    let annotations = marks.iter().map(|(span, label, kind)| {
        let line_end = source.line(source.line_at(span.start as usize)).end.clamp(shown.start, shown.end);
        let start = source.text.floor_char_boundary(span.start as usize).clamp(shown.start, line_end);
        let end = source.text.ceil_char_boundary(span.end as usize).clamp(start, line_end);
        let place = start - shown.start + before.len()..end - shown.start + before.len();
        kind.clone().span(place).label((!label.is_empty()).then(|| printable(label)))
    });
    let annotations: Vec<_> = annotations.collect();
    let (line, column) = sources.line_column(first);
    let origin = format!("{}{OWN}:{line}:{column}{THEIRS}", printable(&source.name));
    Snippet::source(text).line_start(from + 1).path(origin).annotations(annotations)
}

/// In a rendered origin, what follows is our line and column; what follows [`THEIRS`] is the renderer's, counted in
/// the cropped excerpt and therefore wrong. Both are of the private use area and never pass [`printable`].
const OWN: char = '\u{f8f0}';
const THEIRS: char = '\u{f8f1}';

fn with_own_columns(rendered: &str) -> String {
    let mut pieces = rendered.split(THEIRS);
    let mut out = pieces.next().unwrap_or_default().replace(OWN, "");
    for piece in pieces {
        out.push_str(&piece.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit()).replace(OWN, ""));
    }
    out
}

/// Text for an excerpt, byte for byte as long: what the renderer would pass to the terminal becomes a visible mark.
fn visible(text: &str) -> String {
    let mark = |c: char| match c {
        '\u{80}'..='\u{9f}' => '¿',
        OWN | THEIRS => '\u{fffd}',
        other => other,
    };
    text.chars().map(mark).collect()
}

/// Text for a message: control characters and marks that reorder text are written as escapes, long text is cropped.
fn printable(text: &str) -> String {
    const LONGEST: usize = 600;
    let mut out = String::new();
    for c in text.chars() {
        if out.len() > LONGEST {
            out.push('…');
            break;
        }
        match c {
            '\n' => out.push(c),
            OWN | THEIRS => out.push('\u{fffd}'),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.extend(c.escape_unicode()),
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

/// The valid name that was probably meant by `name`: equal but for case and separators, or else the nearest by
/// Jaro-Winkler distance if it is near enough. `None` says that guessing would mislead.
pub fn nearest<'a>(name: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Bounds that keep a hostile file from making the guess costly.
    const LONGEST_NAME: usize = 80;
    const MOST_NAMES: usize = 1_000;
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

fn folded(name: &str) -> String {
    name.chars().map(|c| if matches!(c, '_' | ' ') { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).expect("a source is smaller than 4 GiB: larger files are refused before")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span_of(sources: &Sources, file: u16, what: &str) -> Span {
        let start = sources.text(file).find(what).expect("the text holds it");
        Span { file, start: offset(start), end: offset(start + what.len()) }
    }

    #[test]
    fn a_problem_prints_place_excerpt_caret_expectation_and_repair() {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml", "services:\n  bär: { replcas: 3 }\n".to_owned());
        let span = span_of(&sources, file, "replcas");
        let problem = Problem::error(span, "unknown key `replcas`")
            .label("not a key of a service")
            .did_you_mean("replcas", ["workers", "replicas"]);
        let expected = "\
error: unknown key `replcas`
 --> a.yaml:2:10
  |
2 |   bär: { replcas: 3 }
  |          ^^^^^^^ not a key of a service
  |
  = help: did you mean `replicas`?

";
        assert_eq!(render(&[problem], &sources, false), expected);
    }

    #[test]
    fn related_places_are_shown_beside_or_apart() {
        let mut sources = Sources::default();
        let a = sources.add("a.yaml", "x: 1\ny: 2\nx: 3\n".to_owned());
        let b = sources.add("b.yaml", "z: 1\r\nx: 1\r\n".to_owned());
        let problem = Problem::error(Span { file: a, start: 10, end: 11 }, "`x` is defined twice")
            .label("again here")
            .related(Span { file: a, start: 0, end: 1 }, "first here")
            .related(span_of(&sources, b, "x"), "and here");
        let text = render(&[problem], &sources, false);
        for part in ["a.yaml:3:1", "b.yaml:2:1", "again here", "first here", "and here"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_huge_line_is_cropped_and_keeps_its_column() {
        let mut sources = Sources::default();
        let line = format!("{}wrong{}", "ä".repeat(1_000_000), "z".repeat(1_000_000));
        let file = sources.add("a.json", line);
        let text = render(&[Problem::error(span_of(&sources, file, "wrong"), "bad")], &sources, false);
        assert!(text.len() < 1_500, "{} bytes", text.len());
        assert!(text.contains("a.json:1:1000001") && text.contains("wrong") && text.contains("^^^^^"), "{text}");
    }

    #[test]
    fn a_span_beyond_the_text_or_within_a_character_still_prints() {
        let mut sources = Sources::default();
        let file = sources.add("a", "aäb".to_owned());
        for (start, end) in [(2, 2), (4, 4), (9, 2), (0, 999), (2, 3)] {
            let problem = Problem::error(Span { file, start, end }, "m").label("l");
            assert!(render(&[problem], &sources, true).contains('m'));
        }
        let empty = sources.add("e", String::new());
        render(&[Problem::error(Span { file: empty, start: 0, end: 0 }, "m")], &sources, false);
        render(&[Problem::error(Span { file: 77, start: 0, end: 0 }, "m")], &sources, false);
    }

    #[test]
    fn control_characters_of_a_hostile_file_never_reach_the_terminal() {
        let mut sources = Sources::default();
        let file = sources.add("a\u{1b}[2J", "x: \u{1b}[31m\u{9b}2J \u{202e}y\r".to_owned());
        let problem = Problem::error(Span { file, start: 0, end: 1 }, "bad \u{1b}[0m \u{9b}").label("\u{7}");
        let text = render(&[problem.help("\u{202e}")], &sources, false);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'), "{text:?}");
    }

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
