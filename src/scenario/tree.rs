//! The located tree: a scenario file as text at places, before anything is known about its meaning.
//!
//! YAML and JSON are read the same way (JSON is YAML 1.2). Scalars stay the text their author wrote: `off`, `NO` and
//! `1.10` are not turned into anything. What could change a meaning silently (tags, anchors, aliases, merge keys,
//! duplicate keys, torn calls) is a problem here, with the text that repairs it.

mod events;
mod syntax;

use std::borrow::Cow;

use super::problem::{Problem, Sources, Span, offset};
use events::parse;

/// Larger than any scenario a person writes, small enough to be read within a second.
pub const LARGEST_FILE: usize = 8 << 20;
/// All texts of one scenario together.
pub const LARGEST_SCENARIO: usize = 64 << 20;
/// Deepest nesting of lists and maps; whatever walks a tree may therefore recurse.
pub const DEEPEST: usize = 64;
pub const MOST_NODES: usize = 500_000;

/// A piece of a scenario, and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub span: Span,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A text without a type. What it means is decided by the key it stands at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    pub text: String,
    /// Quoted or a block: certainly meant as text, so never a null.
    pub quoted: bool,
}

/// A key of a map with its value, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Always a scalar.
    pub key: Node,
    pub value: Node,
}

impl Node {
    pub fn scalar(span: Span, text: impl Into<String>, quoted: bool) -> Self {
        Node { span, kind: Kind::Scalar(Scalar { text: text.into(), quoted }) }
    }

    /// Whether nothing is written here, or a null: `key:`, `~`, `null`.
    pub fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Scalar(Scalar { text, quoted }) => {
                !quoted && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            Kind::List(_) | Kind::Map(_) => false,
        }
    }

    /// The text of a scalar, also of a null (`is_null` tells).
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(&scalar.text),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            Kind::Scalar(_) | Kind::Map(_) => None,
        }
    }

    pub fn as_map(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            Kind::Scalar(_) | Kind::List(_) => None,
        }
    }

    /// The value of a key, where this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.iter().find(|entry| entry.name() == key).map(|entry| &entry.value)
    }

    /// What is written here, for a sentence: "expected a list, found …".
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar(_) if self.is_null() => "nothing",
            Kind::Scalar(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }
}

impl Entry {
    pub fn name(&self) -> &str {
        self.key.as_text().unwrap_or_default()
    }
}

/// Reads a YAML or JSON file into its tree, or tells every mistake of syntax that can be told apart.
///
/// The text is kept in `sources` under `name`. Bounded in time and memory whatever the bytes are.
pub fn read(sources: &mut Sources, name: &str, bytes: &[u8]) -> Result<Node, Vec<Problem>> {
    let file = admit(sources, name, bytes).map_err(|problem| vec![problem])?;
    let text = sources.text(file);
    parse(file, text, Cow::Borrowed(text))
}

/// Reads an argument of `--set`, `path=value`, into the path and the tree of the value.
pub fn read_argument(sources: &mut Sources, argument: &str) -> Result<(String, Node), Vec<Problem>> {
    let file = admit(sources, "--set", argument.as_bytes()).map_err(|problem| vec![problem])?;
    let text = sources.text(file);
    let whole = Span { file, start: 0, end: offset(text.len()) };
    let shape = || Problem::error(whole, "`--set` needs a path and a value").label("`path.to.key=value`");
    let (path, value) = text.split_once('=').ok_or_else(|| vec![shape()])?;
    if path.trim().is_empty() {
        return Err(vec![shape()]);
    }
    if value.trim().is_empty() {
        let label = format!("a value: `{path}=…`, or `{path}=null` to remove the key");
        return Err(vec![Problem::error(whole, "`--set` without a value").label(label)]);
    }
    // Blanks in place of the path: the value keeps its position in the argument.
    let padded = format!("{}{value}", " ".repeat(path.len() + 1));
    Ok((path.trim().to_owned(), parse(file, text, Cow::Owned(padded))?))
}

/// Takes bytes for a text that can be parsed and shown, or says why they are none.
fn admit(sources: &mut Sources, name: &str, bytes: &[u8]) -> Result<u16, Problem> {
    if sources.len() >= Sources::MOST {
        return Err(Problem::error(None, format!("`{name}` is one file too many: at most {}", Sources::MOST)));
    }
    if bytes.len() > LARGEST_FILE {
        let message = format!("`{name}` is too large: {} bytes, at most {} are read", bytes.len(), LARGEST_FILE);
        return Err(Problem::error(None, message).help("is this a scenario? One fits on a few screens"));
    }
    if sources.size() + bytes.len() > LARGEST_SCENARIO {
        let message = format!("with `{name}` the scenario is larger than {} MiB", LARGEST_SCENARIO >> 20);
        return Err(Problem::error(None, message).help("include fewer files"));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let file = sources.add(name, text.to_owned());
            let Some(nul) = text.find('\0') else { return Ok(file) };
            let span = Span { file, start: offset(nul), end: offset(nul + 1) };
            Err(Problem::error(span, format!("`{name}` is not a text file")).label("a NUL character"))
        }
        Err(error) => {
            let start = error.valid_up_to();
            let file = sources.add(name, String::from_utf8_lossy(bytes).into_owned());
            let span = Span { file, start: offset(start), end: offset(start + '\u{fffd}'.len_utf8()) };
            let problem = Problem::error(span, format!("`{name}` is not UTF-8 text"));
            Err(match bytes {
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => problem.label("this is UTF-16: save the file as UTF-8"),
                _ => problem.label(format!("the byte 0x{:02x} here; save the file as UTF-8", bytes[start])),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::problem::render;
    use super::*;

    fn tree(text: &str) -> Node {
        let mut sources = Sources::default();
        read(&mut sources, "a.yaml", text.as_bytes())
            .unwrap_or_else(|problems| panic!("{}", render(&problems, &sources, false)))
    }

    /// The problems as the user sees them.
    fn told(bytes: &[u8]) -> (usize, String) {
        let mut sources = Sources::default();
        let problems = read(&mut sources, "a.yaml", bytes).expect_err("there is something wrong");
        (problems.len(), render(&problems, &sources, false))
    }

    fn tells(text: &str, parts: &[&str]) {
        let (_, told) = told(text.as_bytes());
        for part in parts {
            assert!(told.contains(part), "missing {part:?} for {text:?} in:\n{told}");
        }
    }

    /// The tree in one line: `{a: 1, b: [x]}`.
    fn compact(node: &Node) -> String {
        match &node.kind {
            Kind::Scalar(scalar) => scalar.text.clone(),
            Kind::List(items) => format!("[{}]", items.iter().map(compact).collect::<Vec<_>>().join(", ")),
            Kind::Map(entries) => {
                let entry = |entry: &Entry| format!("{}: {}", entry.name(), compact(&entry.value));
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
        }
    }

    #[test]
    fn scalars_stay_the_text_their_author_wrote() {
        let text = "a: off\nb: NO\nc: 1.10\nd: 16:00\ne: 0777\nf: \"1\\n\"\ng: 1_000\nh: >\n  x\n  y\n";
        assert_eq!(compact(&tree(text)), "{a: off, b: NO, c: 1.10, d: 16:00, e: 0777, f: 1\n, g: 1_000, h: x y\n}");
    }

    #[test]
    fn only_a_plain_null_is_nothing() {
        let root = tree("a:\nb: ~\nc: null\nd: ''\ne: 'null'\nf: { g, h: }\ni: []\nj: nullify\n");
        for (key, null) in
            [("a", true), ("b", true), ("c", true), ("d", false), ("e", false), ("i", false), ("j", false)]
        {
            assert_eq!(root.get(key).expect("the key").is_null(), null, "{key}");
        }
        assert_eq!(root.get("a").expect("the key").as_text(), Some(""));
        assert_eq!(root.get("f").expect("the key").get("h").expect("the key").describe(), "nothing");
        assert_eq!(root.get("e").expect("the key").describe(), "text");
        assert_eq!((root.get("i").expect("the key").describe(), root.describe()), ("a list", "a map"));
    }

    #[test]
    fn json_with_tabs_and_escapes_is_read_the_same_way() {
        let json = "{\r\n\t\"a\": \"\\u00e9\\/\\ud834\\udd1e\",\r\n\t\"b\":[\r\n\t\t1,\r\n\t\tnull,true\r\n\t],\"c\":{\"d\":\"x\"}}\r\n";
        let root = tree(json);
        assert_eq!(compact(&root), "{a: é/\u{1d11e}, b: [1, null, true], c: {d: x}}");
        assert!(root.get("b").and_then(Node::as_list).expect("a list")[1].is_null());
    }

    #[test]
    fn spans_are_bytes_also_behind_other_alphabets_and_a_byte_order_mark() {
        let text = "\u{feff}é: ü\nlist:\n  - { a: \"b\" }\n  - c\n\n# end\nnext: 1\n";
        let mut sources = Sources::default();
        let root = read(&mut sources, "a", text.as_bytes()).expect("it is well-formed");
        let slice = |node: &Node| &text[node.span.start as usize..node.span.end as usize];
        let list = root.get("list").expect("the list");
        assert_eq!(slice(root.get("é").expect("the key")), "ü");
        assert_eq!(slice(list), "- { a: \"b\" }\n  - c");
        assert_eq!(slice(&list.as_list().expect("a list")[0]), "{ a: \"b\" }");
        assert_eq!(sources.line_column(root.as_map().expect("a map")[0].key.span), (1, 1));
        assert_eq!(sources.line_column(root.get("next").expect("the key").span), (7, 7));
    }

    #[test]
    fn a_syntax_error_behind_other_alphabets_points_at_its_character() {
        tells("é: ü\nñ: \"ééé\n", &["a.yaml:2:4", "a quote is never closed"]);
        tells("é: [ ü, ö }\n", &["a.yaml:1:", "`[` is closed by `}`"]);
        tells("é: ü\n- x\n", &["a.yaml:2:3"]);
    }

    #[test]
    fn a_condition_that_yaml_would_take_for_a_tag_is_told_to_be_quoted() {
        tells("when: !guard\n", &["a.yaml:1:7", "quote it: '!guard'"]);
        tells("a: { when: !guard, b: 1 }\n", &["quote it: '!guard'"]);
        tells(
            "when: !can(\"request\") && stage == \"x\"  # c\n",
            &["quote it: '!can(\"request\") && stage == \"x\"'\n"],
        );
        tells("- { when: !can('x'), path: old }\n", &["quote it: \"!can('x')\"\n"]);
        tells("a: !!bool yes\n", &["remove the tag"]);
        tells("a: !include b.yaml\n", &["include: [b.yaml]"]);
    }

    #[test]
    fn every_value_that_lacks_its_quotes_is_told_in_one_go() {
        let text = "a: !x(1)\nb: \"x\" == y\nc: [ *p, @q ]\nd: u: v\ne: {f: ${g}}\nh: !ok\na: 1\n";
        let (count, text) = told(text.as_bytes());
        assert_eq!(count, 8, "{text}");
        for repair in ["'!x(1)'", "'\"x\" == y'", "'*p'", "'@q'", "'u: v'", "'${g}'", "'!ok'", "given twice"] {
            assert!(text.contains(repair), "missing {repair} in:\n{text}");
        }
    }

    #[test]
    fn after_an_error_of_syntax_nothing_is_made_up() {
        assert_eq!(told(b"a: [1\nb: 2\nc: 3\n").0, 1);
        assert_eq!(told(b"a: 1\n b: 2\n c: 3\n").0, 1);
        assert_eq!(told(b"a: \"x\nb: \"y\"\nc: \"z\"\n").0, 1);
    }

    #[test]
    fn a_torn_call_is_told_with_its_map_form() {
        tells("a: { takes: lognormal(p50=20ms, p99=4h) }\n", &["a.yaml:1:13", "{ p50: 20ms, p99: 4h }"]);
        tells("a: { takes: uniform(1s, 5s), b: 1 }\n", &["{ between: [1s, 5s] }"]);
        tells("a: [ uniform(1s, 5s) ]\n", &["{ between: [1s, 5s] }"]);
        tells("a: { when: max(f(b, c), d) > 3, e: g(h, i) }\n", &["'max(f(b, c), d) > 3'", "'g(h, i)'"]);
        tells("{ p99=4h) }\n", &["`p99=4h)` is the end of a call"]);
        assert_eq!(
            compact(&tree("a: uniform(1s, 5s)\nb: { c: 'f(1, 2)' }\n")),
            "{a: uniform(1s, 5s), b: {c: f(1, 2)}}"
        );
    }

    #[test]
    fn what_yaml_would_change_silently_is_refused() {
        tells("a: &x 1\nb: *x\n", &["anchors are not", "quote it: '&x 1'", "aliases are not", "quote it: '*x'"]);
        tells("<<: { a: 1 }\n", &["merge keys", "defaults:"]);
        tells("a: 1\nb: 2\n'a': 3\n", &["a.yaml:3:1", "the key `a` is given twice", "first here"]);
        tells("a: 1\n---\nb: 1\n", &["a.yaml:2:1", "a second document"]);
        tells("? [a, b]\n: c\n", &["a list cannot be a key"]);
        tells("{ : a }\n", &["an empty key"]);
        tells("%TAG ! tag:x,2000:\n---\na: 1\n", &["a.yaml:1:1", "directives"]);
        tells("", &["the file is empty"]);
        tells("a:\n\tb: 1\n", &["a tab"]);
    }

    #[test]
    fn an_argument_keeps_the_position_of_its_value() {
        let mut sources = Sources::default();
        let (path, value) = read_argument(&mut sources, "rollout.f.hold=8h").expect("it is well-formed");
        assert_eq!((path.as_str(), value.as_text()), ("rollout.f.hold", Some("8h")));
        assert_eq!((value.span.start, value.span.end), (15, 17));
        assert_eq!(
            read_argument(&mut sources, "a.when=x == \"y\"").expect("well-formed").1.as_text(),
            Some("x == \"y\"")
        );
        for wrong in ["poll", "=5s", "poll=", "poll=!x", "poll=[1"] {
            assert!(read_argument(&mut sources, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_place() {
        assert!(told(b"a: 1\nb: \xff\n").1.contains("a.yaml:2:4"));
        assert!(told(b"\xff\xfea\0:\0").1.contains("UTF-16"));
        assert!(told(b"a: 1\nb: \0\n").1.contains("a.yaml:2:4"));
        assert!(told(b"\xe4").1.contains("0xe4"));
        assert!(told(&vec![b'a'; LARGEST_FILE + 1]).1.contains("too large"));
    }

    #[test]
    fn hostile_files_end_in_a_problem() {
        let big = 4 << 20;
        let bombs = (0..30).map(|level| format!("a{level}: &a{level} [{}]\n", "*b,".repeat(9))).collect::<String>();
        for (text, expected) in [
            ("[".repeat(100_000), "64 levels"),
            ("{a: ".repeat(100_000), "64 levels"),
            ("- ".repeat(100_000), "64 levels"),
            ("? ".repeat(100_000), "64 levels"),
            ((0..3_000).map(|level| format!("{}a:\n", " ".repeat(level))).collect(), "64 levels"),
            (format!("[{}]", "a,".repeat(600_000)), "500000 values"),
            ("a: 1\n".repeat(200_000), "more problems"),
            ("a: &x *y\n".repeat(100_000), "YAML"),
            (format!("[{}", "&a' ,".repeat(100_000)), "YAML"),
            (format!("a: \"{}", "é\\".repeat(big / 4)), "a.yaml:1:"),
            (format!("{}: 1", "k".repeat(big)), "a.yaml:1:"),
            (format!("a: {}", "!".repeat(big)), "a.yaml:1:4"),
            (format!("a: {}\nb: c: d", "x".repeat(big)), "a.yaml:2:"),
            (format!("a: [{}", "\n".repeat(big)), "a.yaml:1:4"),
            (bombs, "anchors are not"),
        ] {
            let begin = &text[..text.floor_char_boundary(20)];
            let (count, told) = told(text.as_bytes());
            assert!(count <= super::super::problem::Problems::MOST + 1);
            assert!(told.contains(expected), "{begin:?}: {told}");
        }
    }

    fn lies_within(node: &Node, text: &str) {
        assert!(text.get(node.span.start as usize..node.span.end as usize).is_some(), "{:?}", node.span);
        match &node.kind {
            Kind::Scalar(_) => {}
            Kind::List(items) => items.iter().for_each(|item| lies_within(item, text)),
            Kind::Map(entries) => entries.iter().for_each(|Entry { key, value }| {
                lies_within(key, text);
                lies_within(value, text);
            }),
        }
    }

    fn reads_without_harm(bytes: &[u8]) {
        let mut sources = Sources::default();
        match read(&mut sources, "a", bytes) {
            Ok(root) => lies_within(&root, sources.text(root.span.file)),
            Err(problems) => {
                assert!(!problems.is_empty());
                render(&problems, &sources, false);
                let spans =
                    problems.iter().flat_map(|problem| problem.span.iter().chain(problem.related.iter().map(|r| &r.0)));
                for span in spans {
                    assert!(sources.text(span.file).get(span.start as usize..span.end as usize).is_some(), "{span:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            reads_without_harm(&bytes);
        }

        #[test]
        fn no_text_like_yaml_does_harm(pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "a", "é", "\u{1f600}", ": ", ":", "- ", "-", "\n", "\n  ", "\n    ", "\r\n", "\t", " ", ", ", ",", "[", "]",
                "{", "}", "(", ")", "\"", "'", "\\", "!", "!!", "&", "*", "|", ">", "|-\n  ", "%", "@", "`", "#", " #", "? ",
                "<<", "---", "...", "\n---\n", "\u{feff}", "null", "~", "${x}", "key: ", "=", "lognormal(p50=1s, p99=2s)", "\u{85}",
                "\u{2028}", "\r", "\0", "\u{7}",
            ]), 0..40)) {
            reads_without_harm(pieces.concat().as_bytes());
        }
    }
}
