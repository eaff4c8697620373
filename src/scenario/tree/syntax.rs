//! Mistakes of YAML's syntax, told in words of the scenario and with the text that repairs them.

use std::ops::Range;

use granit_parser::ErrorKind;

use super::super::problem::{Problem, Span, offset};
use super::{DEEPEST, Entry, Kind, Node};

/// A place where YAML cannot be read on.
pub(super) struct Mistake {
    pub problem: Problem,
    pub at: usize,
    /// The value that only lacks its quotes, where that is the mistake.
    pub value: Option<Range<usize>>,
}

/// What the parser's error means to the author of a scenario.
pub(super) fn mistake(file: u16, text: &str, kind: &ErrorKind, at: usize, in_flow: bool) -> Mistake {
    let at = text.floor_char_boundary(at);
    let line = line_up_to(text, at, in_flow);
    let in_flow = in_flow || line.in_flow;
    let next = text[at..].chars().next().filter(|_| *kind != ErrorKind::DirectiveDisallowed);
    if let Some(first @ ('!' | '&' | '*' | '%' | '@' | '`')) = next {
        let value = value_at(text, at, in_flow);
        let problem = match first {
            '!' => tag(file, text, at, in_flow),
            '&' => anchor(file, text, at, in_flow),
            '*' => alias(file, text, at, in_flow),
            _ => unquoted(file, text, value.clone(), &format!("text cannot begin with `{first}`")),
        };
        // Not every `!` begins the value that is wrong: `when: "a" !b`.
        if line.value.is_none_or(|start| start == at) {
            return Mistake { problem, at, value: Some(value) };
        }
    }
    if let (Some(message), Some(start)) = (lacks_quotes(kind), line.value) {
        let value = value_at(text, start, in_flow);
        // The quote that was closed may have been opened in a line above: then this value is not the culprit.
        let closed_here = at - start >= 2 || !text[start..].starts_with(['"', '\'']);
        if value.end > at && closed_here {
            return Mistake { problem: unquoted(file, text, value.clone(), message), at, value: Some(value) };
        }
    }
    let start = match kind {
        // The parser points at the `:`; the author looks for the key.
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            let line = line_before(text, at);
            at - text[line..at].trim_start().len()
        }
        _ => at,
    };
    let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    let problem = other(kind, span(file, text, start..end));
    Mistake { problem, at, value: None }
}

/// Why a text needs quotes, for the errors that a text without them leads to.
fn lacks_quotes(kind: &ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::InvalidTrailingDoubleQuotedScalar | ErrorKind::InvalidTrailingSingleQuotedScalar => {
            Some("text goes on after its closing quote")
        }
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => Some("text with `: ` needs quotes"),
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => {
            Some("text with brackets needs quotes within `{ }` and `[ ]`")
        }
        _ => None,
    }
}

fn other(kind: &ErrorKind, span: Span) -> Problem {
    let error = |message: &str, label: &str| Problem::error(span, message).label(label);
    match kind {
        ErrorKind::RecursionLimitExceeded => too_deep(span),
        ErrorKind::UnclosedQuotedScalar => error("a quote is never closed", "opened here"),
        ErrorKind::InvalidTrailingDoubleQuotedScalar | ErrorKind::InvalidTrailingSingleQuotedScalar => {
            error("text goes on after its closing quote", "the quote before this ends a text that began above")
                .help("is a quote missing in a line above?")
        }
        ErrorKind::UnclosedFlowCollection { open } => error(&format!("a `{open}` is never closed"), "opened here"),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            error(&format!("`{open}` is closed by `{close}`"), "expected the other bracket")
        }
        ErrorKind::MisplacedFlowCollectionEnd => error("nothing is open that this bracket closes", "not expected here"),
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => error("a tab where YAML indents", "indent with spaces"),
        ErrorKind::BlockSequenceEntryNotAllowed | ErrorKind::BlockEntryInFlowCollection => {
            error("a list item cannot begin here", "expected a value")
                .help("begin the list on a line of its own, or write it as `[a, b]`")
        }
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation | ErrorKind::ExpectedBlockSequenceEntry => {
            error("this line does not fit the lines above it", "expected the indentation of the keys above")
        }
        ErrorKind::MappingValueNotAllowed | ErrorKind::MappingKeyNotAllowed | ErrorKind::InvalidColonPlacement => {
            error("a key cannot stand here", "expected the indentation of the keys above, or quotes around the text")
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => error("expected `key: value`", "this is no key")
            .help("`:` and the `-` of a list item need a space after them"),
        ErrorKind::ExpectedFlowMappingSeparator => error("expected `,` or `}`", "within `{ }`"),
        ErrorKind::ExpectedFlowSequenceSeparator => error("expected `,` or `]`", "within `[ ]`"),
        ErrorKind::UnknownQuotedScalarEscape => error("unknown escape within double quotes", "expected \\n, \\t, \\\"")
            .help("within single quotes a backslash is just a backslash"),
        ErrorKind::DirectiveDisallowed => error("YAML directives have no meaning in a scenario", "remove this line"),
        _ => error("this is not YAML", &kind.to_string()),
    }
}

pub(super) fn too_deep(span: Span) -> Problem {
    Problem::error(span, format!("nested deeper than {DEEPEST} levels")).label("the first level too many")
}

/// A YAML tag, such as `!guard` where a condition was meant.
pub(super) fn tag(file: u16, text: &str, at: usize, in_flow: bool) -> Problem {
    let value = value_at(text, at, in_flow);
    let written = &text[value.clone()];
    let (tag, rest) = written.split_once([' ', '\t']).unwrap_or((written, ""));
    if tag == "!include" && !rest.is_empty() {
        return Problem::error(span(file, text, value), "`!include` is not part of the scenario language")
            .label("YAML reads this as a tag")
            .help(format!("write at the top of the file: include: [{}]", rest.trim()));
    }
    if tag.starts_with("!!") || tag.starts_with("!<") {
        let tag_span = span(file, text, at..at + tag.len());
        return Problem::error(tag_span, format!("the YAML tag `{}` has no meaning in a scenario", shown(tag)))
            .label("remove the tag")
            .help("every value is read as the text it is");
    }
    unquoted(file, text, value, &format!("`{}` without quotes is a YAML tag, not text", shown(tag)))
}

/// An anchor, such as `&x`.
pub(super) fn anchor(file: u16, text: &str, at: usize, in_flow: bool) -> Problem {
    unquoted(file, text, value_at(text, at, in_flow), "YAML anchors are not part of the scenario language")
        .help("or, to share values, use `defaults:`, `params:` or `include:`")
}

/// An alias, such as `*x`.
pub(super) fn alias(file: u16, text: &str, at: usize, in_flow: bool) -> Problem {
    unquoted(file, text, value_at(text, at, in_flow), "YAML aliases are not part of the scenario language")
        .help("or, to share values, use `defaults:`, `params:` or `include:`")
}

fn unquoted(file: u16, text: &str, value: Range<usize>, message: &str) -> Problem {
    let repair = format!("quote it: {}", quoted(&text[value.clone()]));
    Problem::error(span(file, text, value), message).label("expected quotes around this text").help(repair)
}

/// The text in quotes that take it as it is.
fn quoted(text: &str) -> String {
    match (text.contains('\''), text.contains(['"', '\\'])) {
        (true, false) => format!("\"{text}\""),
        _ => format!("'{}'", text.replace('\'', "''")),
    }
}

fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(60)]
}

/// A value is looked at this far, so that a hostile line costs no more than a long one.
const LONGEST_VALUE: usize = 400;

/// The value that begins at `start`, as its author meant it: to the end of the line or to a comment, and within
/// `{ }` or `[ ]` to the comma or bracket that ends it.
fn value_at(text: &str, start: usize, in_flow: bool) -> Range<usize> {
    let limit = text.floor_char_boundary(start + LONGEST_VALUE);
    let mut depth = 0_usize;
    let mut quote = None;
    let mut end = limit;
    let mut before = ' ';
    for (at, c) in text[start..limit].char_indices() {
        let ends = match c {
            '\n' | '\r' => true,
            c if quote == Some(c) => {
                quote = None;
                false
            }
            _ if quote.is_some() => false,
            '"' | '\'' => {
                quote = Some(c);
                false
            }
            '#' => before == ' ',
            '(' | '[' | '{' => {
                depth += 1;
                false
            }
            ')' | ']' | '}' if depth > 0 => {
                depth -= 1;
                false
            }
            ',' | ']' | '}' => in_flow && depth == 0,
            _ => false,
        };
        if ends {
            end = start + at;
            break;
        }
        before = c;
    }
    start..start + text[start..end].trim_end().len()
}

/// What a line says about a place in it.
struct Line {
    /// Where the value that holds the place begins, where a key, a `- ` or a bracket comes before it.
    value: Option<usize>,
    /// Whether the place is within `{ }` or `[ ]`.
    in_flow: bool,
}

/// Reads a line up to `at` as YAML does, as far as its values go.
fn line_up_to(text: &str, at: usize, in_flow: bool) -> Line {
    let line = line_before(text, at);
    let mut depth = usize::from(in_flow);
    let (mut start, mut quote, mut before) = (None, None, ' ');
    // Whether a value may begin with the next character that is no blank, and whether something announced it.
    let (mut fresh, mut announced) = (true, false);
    for (index, c) in text[line..at].char_indices() {
        if quote.is_some() {
            quote = quote.filter(|quote| *quote != c);
        } else if c == ' ' && (before == ':' || before == '-' && start == Some(line + index - 1)) {
            (fresh, announced) = (true, true);
        } else if fresh && matches!(c, '{' | '[') {
            depth += 1;
            announced = true;
        } else if depth > 0 && matches!(c, '}' | ']') {
            depth -= 1;
        } else if depth > 0 && c == ',' {
            (fresh, announced) = (true, true);
        } else if fresh && c != ' ' {
            (start, fresh) = (Some(line + index), false);
            quote = Some(c).filter(|c| matches!(c, '"' | '\''));
        }
        before = c;
    }
    let value = if fresh { Some(at) } else { start };
    Line { value: value.filter(|_| announced), in_flow: depth > 0 }
}

fn line_before(text: &str, at: usize) -> usize {
    let from = text.floor_char_boundary(at.saturating_sub(LONGEST_VALUE));
    text[from..at].rfind('\n').map_or(from, |line_break| from + line_break + 1)
}

/// Calls in `[ ]` that YAML tore at their commas: `[uniform(1s, 5s)]`.
pub(super) fn torn_items(text: &str, items: &[Node]) -> Vec<Problem> {
    torn(text, items.iter().map(|item| (item, true)))
}

/// Calls in `{ }` that YAML tore at their commas, so that their ends became keys: `{ takes: uniform(1s, 5s) }`.
pub(super) fn torn_entries(text: &str, entries: &[Entry]) -> Vec<Problem> {
    // Only a key without a value can be what a comma tore off.
    let parts = entries.iter().map(|entry| match entry.value.is_null() {
        true => (&entry.key, true),
        false => (&entry.value, false),
    });
    let mut problems = torn(text, parts);
    if problems.is_empty() {
        let ends = entries.iter().filter(|entry| entry.value.is_null() && brackets(&entry.key) < 0);
        problems.extend(ends.map(|entry| {
            let message = format!("`{}` is the end of a call, not a key", shown(entry.name()));
            Problem::error(entry.key.span, message).label("expected a key").help("quote the whole call: 'f(a, b)'")
        }));
    }
    problems
}

/// Finds calls in what stands between commas; each part comes with whether it can go on with the part before it.
fn torn<'a>(text: &str, parts: impl Iterator<Item = (&'a Node, bool)>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut begun: Option<(&Node, i32)> = None;
    for (part, goes_on) in parts {
        let open = brackets(part);
        begun = match begun.filter(|_| goes_on) {
            None => (open > 0).then_some((part, open)),
            Some((first, depth)) if depth + open > 0 => Some((first, depth + open)),
            Some((first, _)) => {
                let range = first.span.start as usize..part.span.end as usize;
                problems.extend(text.get(range).map(|call| torn_call(call, first.span, part.span)));
                None
            }
        };
    }
    problems
}

fn torn_call(call: &str, first: Span, last: Span) -> Problem {
    let span = Span { end: last.end, ..first };
    let problem = Problem::error(span, "YAML tears this call apart at its comma").label("this is not one value here");
    match map_form(call) {
        Some(form) => problem.help(format!("write the map form: {form}")),
        None => problem.help(format!("quote it: {}", quoted(call))),
    }
}

/// How many more round brackets a plain scalar opens than it closes.
fn brackets(node: &Node) -> i32 {
    match &node.kind {
        Kind::Scalar(scalar) if !scalar.quoted => scalar.text.bytes().fold(0_i32, |depth, byte| match byte {
            b'(' => depth.saturating_add(1),
            b')' => depth.saturating_sub(1),
            _ => depth,
        }),
        Kind::Scalar(_) | Kind::List(_) | Kind::Map(_) => 0,
    }
}

/// The call of a distribution as the map that means the same, `{ p50: 20ms, p99: 4h }`.
fn map_form(call: &str) -> Option<String> {
    let (name, arguments) = call.trim().strip_suffix(')')?.split_once('(')?;
    let arguments = arguments.split(',').map(str::trim).collect::<Vec<_>>().join(", ");
    match name.trim() {
        "lognormal" | "exponential" => Some(format!("{{ {} }}", arguments.replace('=', ": "))),
        "uniform" => Some(format!("{{ between: [{arguments}] }}")),
        _ => None,
    }
}

/// A span within the text, on the boundaries of its characters.
pub(super) fn span(file: u16, text: &str, range: Range<usize>) -> Span {
    let start = text.floor_char_boundary(range.start);
    let end = text.ceil_char_boundary(range.end).max(start);
    Span { file, start: offset(start), end: offset(end) }
}
