//! From the parser's events to the tree.

use std::borrow::Cow;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};

use super::super::problem::{Problem, Problems, Span};
use super::{DEEPEST, Entry, Kind, MOST_NODES, Node, Scalar, syntax};

/// How often a value that YAML cannot read is passed over to find the mistakes after it, and in how large a text.
const MOST_SKIPS: usize = 20;
const LARGEST_TO_SKIP_IN: usize = 1 << 20;

/// Parses `parsed`, which is `text` with some bytes blanked out. A value that only lacks its quotes is told, and the
/// rest is read as if it had them; any other mistake of syntax ends the reading.
pub(super) fn parse(file: u16, text: &str, mut parsed: Cow<'_, str>) -> Result<Node, Vec<Problem>> {
    let mut problems = Problems::default();
    let mut skipped: Vec<Range<usize>> = Vec::new();
    let root = loop {
        let mut tree = Tree { file, text, problems: &mut problems, open: Vec::new(), nodes: 0, root: None };
        let error = match tree.grow(&parsed) {
            Ok(()) => break tree.root,
            Err(error) => error,
        };
        let at = error.marker().byte_offset().unwrap_or_default();
        let mut mistake = syntax::mistake(file, text, error.kind(), at, tree.is_in_flow());
        let known = |at: usize| skipped.iter().any(|value| value.contains(&at));
        let value = mistake.value.filter(|value| !value.is_empty() && !known(value.start));
        // In a line with a value that was skipped, a mistake of another kind is rather its consequence.
        let line_start = text[..mistake.at].rfind('\n').map_or(0, |at| at + 1);
        if let Some(open) = tree.open.last().filter(|open| open.flow && open.start < line_start) {
            let bracket = syntax::span(file, text, open.start..open.start + 1);
            mistake.problem = mistake.problem.related(bracket, "still open here");
        }
        if value.is_some() || !skipped.iter().any(|value| (line_start..=mistake.at).contains(&value.start)) {
            problems.push(mistake.problem);
        }
        match value {
            Some(value) if skipped.len() < MOST_SKIPS && text.len() <= LARGEST_TO_SKIP_IN => {
                parsed.to_mut().replace_range(value.clone(), &"x".repeat(value.len()));
                skipped.push(value);
            }
            Some(_) | None => break None,
        }
    };
    match root {
        Some(root) if problems.is_empty() => Ok(root),
        Some(_) | None => Err(problems.into_vec()),
    }
}

/// A tree under construction from the parser's events.
struct Tree<'a> {
    file: u16,
    /// What the author wrote, also where the parser is given something else.
    text: &'a str,
    problems: &'a mut Problems,
    open: Vec<Open>,
    nodes: usize,
    root: Option<Node>,
}

/// A list or map whose end has not come yet.
struct Open {
    start: usize,
    flow: bool,
    parts: Parts,
}

enum Parts {
    List(Vec<Node>),
    /// The entries so far, and a key that waits for its value.
    Map(Vec<Entry>, Option<Node>),
}

impl Tree<'_> {
    /// Takes the events of one document. Without a root there is a problem that says why.
    fn grow(&mut self, parsed: &str) -> Result<(), granit_parser::ScanError> {
        let mut options = granit_parser::Options::default();
        options.emit_anchor_events = true;
        options.emit_unresolved_aliases = true;
        options.disallow_directives = true;
        options.set_emit_comments(false);
        // One more than is accepted here, so that the problem is told here.
        options.flow_nesting_limit = DEEPEST + 1;
        options.block_nesting_limit = DEEPEST + 1;
        for next in Parser::new_from_str_with_options(parsed, options) {
            let (event, place) = next?;
            let range = place.byte_range().unwrap_or_default();
            let span = self.span(range.clone());
            if let Some(tag) = place.tag_start().and_then(|tag| tag.byte_offset()) {
                self.problems.push(syntax::tag(self.file, self.text, tag, self.is_in_flow()));
            }
            match event {
                Event::Scalar(text, style, ..) => {
                    // The parser writes a value that is not there as `~`.
                    let absent = style == ScalarStyle::Plain && range.is_empty();
                    let text = if absent { String::new() } else { text.into_owned() };
                    self.attach(Node::scalar(span, text, style != ScalarStyle::Plain));
                }
                Event::Alias(_) | Event::UnresolvedAlias(_) => {
                    self.problems.push(syntax::alias(self.file, self.text, range.start, self.is_in_flow()));
                    self.attach(Node::scalar(span, "alias", true));
                }
                Event::Anchor(..) => {
                    self.problems.push(syntax::anchor(self.file, self.text, range.start, self.is_in_flow()));
                }
                Event::SequenceStart(style, ..) => self.begin(range.start, style, Parts::List(Vec::new())),
                Event::MappingStart(style, ..) => self.begin(range.start, style, Parts::Map(Vec::new(), None)),
                Event::SequenceEnd | Event::MappingEnd => self.end(range.end),
                Event::DocumentStart(..) if self.root.is_some() => {
                    let problem = Problem::error(span, "a second document in one file");
                    self.problems.push(problem.label("a scenario is one document").help("split it into two files"));
                    return Ok(());
                }
                Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd => {}
                // The parser's events may become more: comments, which are switched off, and what is unknown today.
                _ => {}
            }
            if self.is_beyond_bounds(span) {
                self.root = None;
                return Ok(());
            }
        }
        if self.root.is_none() {
            let span = self.span(0..0);
            self.problems
                .push(Problem::error(span, "the file is empty").label("a scenario begins with `windtunnel: 1`"));
        }
        Ok(())
    }

    fn is_beyond_bounds(&mut self, span: Span) -> bool {
        if self.open.len() > DEEPEST {
            self.problems.push(syntax::too_deep(span));
        } else if self.nodes > MOST_NODES {
            let message = format!("more than {MOST_NODES} values in one file");
            self.problems.push(Problem::error(span, message).label("the first one too many"));
        } else {
            return false;
        }
        true
    }

    fn begin(&mut self, start: usize, style: StructureStyle, parts: Parts) {
        self.open.push(Open { start, flow: style == StructureStyle::Flow, parts });
    }

    fn end(&mut self, end: usize) {
        let Some(Open { start, flow, parts }) = self.open.pop() else { return };
        let (kind, last) = match parts {
            Parts::List(items) => {
                if flow {
                    self.problems.extend(syntax::torn_items(self.text, &items));
                }
                let last = items.last().map(|item| item.span.end);
                (Kind::List(items), last)
            }
            Parts::Map(entries, _) => {
                let torn = if flow { syntax::torn_entries(self.text, &entries) } else { Vec::new() };
                if torn.is_empty() {
                    self.check_keys(&entries);
                }
                self.problems.extend(torn);
                let last = entries.last().map(|entry| entry.value.span.end.max(entry.key.span.end));
                (Kind::Map(entries), last)
            }
        };
        // A block ends with its last value, not at the next token after blank lines and comments.
        let end = if flow { end } else { last.map_or(start, |last| last as usize) };
        let span = self.span(start..end);
        self.attach(Node { span, kind });
    }

    /// Gives a finished node its place: as item, as key, as value or as the root.
    fn attach(&mut self, mut node: Node) {
        self.nodes += 1;
        match self.open.last_mut().map(|open| &mut open.parts) {
            None => self.root = Some(node),
            Some(Parts::List(items)) => items.push(node),
            Some(Parts::Map(entries, key)) => match key.take() {
                Some(key) => {
                    // A value that is not there is missed at its key.
                    if node.is_null() && node.span.start == node.span.end {
                        node.span = key.span;
                    }
                    entries.push(Entry { key, value: node });
                }
                None => {
                    let (node, problem) = as_key(node);
                    *key = Some(node);
                    self.problems.extend(problem);
                }
            },
        }
    }

    fn check_keys(&mut self, entries: &[Entry]) {
        let mut by_name: Vec<&Node> = entries.iter().map(|entry| &entry.key).collect();
        // Stable: of two equal keys the earlier one stays first.
        by_name.sort_by_key(|key| key.as_text());
        for pair in by_name.windows(2) {
            let (first, second) = (pair[0], pair[1]);
            if first.as_text() == second.as_text() {
                self.problems.push_with(second.span, || {
                    let name = second.as_text().unwrap_or_default();
                    let problem = Problem::error(second.span, format!("the key `{name}` is given twice"));
                    let problem = problem.label("again here").related(first.span, "first here");
                    problem.help("keep one of the two, or merge them")
                });
            }
        }
    }

    fn is_in_flow(&self) -> bool {
        self.open.last().is_some_and(|open| open.flow)
    }

    fn span(&self, range: Range<usize>) -> Span {
        syntax::span(self.file, self.text, range)
    }
}

/// A node in the place of a key, and what is wrong with it there. What is no scalar is replaced by one.
fn as_key(node: Node) -> (Node, Option<Problem>) {
    let span = node.span;
    let problem = match &node.kind {
        Kind::List(_) | Kind::Map(_) => {
            let message = format!("{} cannot be a key", node.describe());
            let problem = Problem::error(span, message).label("expected a name");
            let problem = problem.help("a `${parameter}` or a text with brackets needs quotes: \"${parameter}\"");
            return (Node::scalar(span, "complex key", true), Some(problem));
        }
        Kind::Scalar(Scalar { text, .. }) if text.is_empty() => {
            Some(Problem::error(span, "an empty key").label("expected a name before the `:`"))
        }
        Kind::Scalar(Scalar { text, quoted: false }) if text == "<<" => Some(
            Problem::error(span, "merge keys are not part of the scenario language")
                .label("YAML would merge another map in here")
                .help("put what services share into `defaults:`, or include a file with `include: [shared.yaml]`"),
        ),
        Kind::Scalar(_) => None,
    };
    (node, problem)
}
