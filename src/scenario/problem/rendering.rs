//! Problems as a terminal shows them.

use annotate_snippets::{Annotation, AnnotationKind, Level, Renderer, Snippet};

use super::{Problem, Severity, Sources, Span};

/// The problems as a terminal shows them, in rustc's layout: place, excerpt, caret, what was expected, the repair.
///
/// Reads only the lines it prints, crops huge ones, and prints control characters of a hostile file as visible marks.
pub fn render(problems: &[Problem], sources: &Sources, color: bool) -> String {
    render_with_rules(problems.iter().map(|problem| (problem, None)), sources, color)
}

/// The same, each with the code of the rule that found it and the reason for that rule, where there is one.
pub fn render_with_rules<'p>(
    problems: impl IntoIterator<Item = (&'p Problem, Option<(&'static str, &'static str)>)>,
    sources: &Sources,
    color: bool,
) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(160);
    let mut out = String::new();
    for (problem, rule) in problems {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Unsupported => Level::ERROR.with_name("unsupported"),
            Severity::Warning => Level::WARNING,
            Severity::Advice => Level::WARNING.with_name("advice"),
        };
        let title = level.primary_title(printable(&problem.message));
        let title = if let Some((code, _)) = rule { title.id(code) } else { title };
        let group = title.elements(excerpts(problem, sources));
        let group = group.elements(rule.map(|(_, reason)| Level::NOTE.message(reason)));
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
        kind.span(place).label((!label.is_empty()).then(|| printable(label)))
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

/// Text for a message: control characters and marks that reorder text are written as escapes.
fn printable(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out.push(c),
            OWN | THEIRS => out.push('\u{fffd}'),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                out.extend(c.escape_unicode())
            }
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::offset;
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
        let colored = render(&[Problem::error(span_of(&sources, file, "wrong"), "bad")], &sources, true);
        assert!(colored.contains("a.json:1:1000001") && !colored.contains([OWN, THEIRS]), "{colored}");
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
}
