//! flagd's flag file, read as it is: variants, default, and the targeting that a scenario can evaluate.
//!
//! The format is flagd-schemas' `flags.json`. Targeting is JSONLogic; of it, `if`, `==`, `!=`, `and`, `or`, `!`,
//! `in`, `var` and literals become conditions. A `var` that the scenario does not know is null, as it is to flagd.

use super::problem::{Problem, Span};
use super::tree::{Kind, Node};
use crate::rollout::FlagValue;

/// A flag of the file.
#[derive(Clone, Debug)]
pub struct Flag {
    pub name: String,
    pub span: Span,
    pub variants: Vec<(String, FlagValue)>,
    /// The variant everybody has; `None`: the constant in the code decides (disabled, or without a default).
    pub default: Option<String>,
    pub targeting: Vec<Targeted>,
    /// Why it cannot be simulated, where it cannot.
    pub unusable: Option<String>,
}

/// A line of targeting: the first whose condition holds decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Targeted {
    /// In the language of conditions; `None`: everybody.
    pub condition: Option<String>,
    pub variant: String,
    pub span: Span,
}

/// How a condition names an attribute, where the scenario has it.
type Known<'k> = &'k dyn Fn(&str) -> Option<String>;

const MOST_FLAGS: usize = 1_000;
const MOST_VARIANTS: usize = 190;
/// Lines of targeting of one flag.
const MOST_LINES: usize = 1_000;

/// Reads the flags of a file, in the order of their names, and everything wrong with it.
pub fn read(root: &Node, known: Known<'_>) -> (Vec<Flag>, Vec<Problem>) {
    let mut problems = Vec::new();
    let Some(entries) = root.get("flags").and_then(Node::as_map) else {
        let problem = Problem::error(root.span, "this is not a flagd file").label("expected `flags`, a map by name");
        return (Vec::new(), vec![problem]);
    };
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by(|a, b| a.name().cmp(b.name()));
    if let Some(entry) = entries.get(MOST_FLAGS) {
        problems.push(Problem::error(entry.key.span, format!("more than {MOST_FLAGS} flags")).label("one too many"));
    }
    let flags = entries.into_iter().take(MOST_FLAGS);
    let flags = flags.filter_map(|entry| flag(entry.name(), entry.key.span, &entry.value, known, &mut problems));
    (flags.collect(), problems)
}

/// What the code answers with where nothing is configured.
pub fn zero_like(value: Option<FlagValue>) -> FlagValue {
    match value {
        Some(FlagValue::Number(_)) => FlagValue::Number(0.0),
        Some(FlagValue::Bool(_)) | None => FlagValue::Bool(false),
    }
}

fn flag(name: &str, span: Span, node: &Node, known: Known<'_>, problems: &mut Vec<Problem>) -> Option<Flag> {
    let Some(listed) = node.get("variants").and_then(Node::as_map).filter(|listed| !listed.is_empty()) else {
        problems
            .push(Problem::error(span, format!("the flag `{name}` has no variants")).label("expected a map of them"));
        return None;
    };
    let mut flag = Flag {
        name: name.to_owned(),
        span,
        variants: Vec::new(),
        default: None,
        targeting: Vec::new(),
        unusable: None,
    };
    if listed.len() > MOST_VARIANTS {
        flag.unusable = Some(format!("it has more than {MOST_VARIANTS} variants"));
        return Some(flag);
    }
    for variant in listed {
        match value(&variant.value) {
            Some(value) => flag.variants.push((variant.name().to_owned(), value)),
            None => {
                flag.unusable = Some("its variants are texts or objects".to_owned());
                return Some(flag);
            }
        }
    }
    let kind = std::mem::discriminant(&flag.variants[0].1);
    if flag.variants.iter().any(|(_, value)| std::mem::discriminant(value) != kind) {
        problems.push(Problem::error(span, format!("the variants of `{name}` are of two types")).label("expected one"));
        return None;
    }
    if node.get("state").and_then(Node::as_text) == Some("DISABLED") {
        return Some(flag);
    }
    let names = || listed.iter().map(|entry| entry.name());
    if let Some(default) = node.get("defaultVariant").filter(|default| !default.is_null()) {
        let text = default.as_text().unwrap_or_default();
        if !names().any(|name| name == text) {
            let problem = Problem::error(default.span, format!("the flag `{name}` has no variant `{text}`"));
            problems.push(problem.label("not one of its variants").did_you_mean(text, names()));
        }
        flag.default = Some(text.to_owned());
    }
    if let Some(targeting) = node.get("targeting") {
        let mut logic = Logic { flag: name, known, problems, lines: Vec::new(), variants: &flag.variants };
        let complete = logic.decide(targeting, &Test::Constant(true), flag.default.as_deref());
        if complete.is_some() {
            flag.targeting = logic.lines;
        }
    }
    Some(flag)
}

fn value(node: &Node) -> Option<FlagValue> {
    let Kind::Scalar(scalar) = &node.kind else { return None };
    match scalar.text.as_str() {
        _ if scalar.quoted => None,
        "true" => Some(FlagValue::Bool(true)),
        "false" => Some(FlagValue::Bool(false)),
        number => number.parse::<f64>().ok().filter(|number| number.is_finite()).map(FlagValue::Number),
    }
}

/// A test in the making; what is known when the file is read is folded away.
#[derive(Clone, Debug, PartialEq)]
enum Test {
    Constant(bool),
    /// In the language of conditions, safe to stand within `&&`.
    Text(String),
}

impl Test {
    fn not(self) -> Test {
        match self {
            Test::Constant(value) => Test::Constant(!value),
            Test::Text(text) => Test::Text(format!("!({text})")),
        }
    }

    fn join(tests: impl IntoIterator<Item = Test>, sign: &str, deciding: bool) -> Test {
        let mut texts = Vec::new();
        for test in tests {
            match test {
                Test::Constant(value) if value == deciding => return Test::Constant(deciding),
                Test::Constant(_) => {}
                Test::Text(text) => texts.push(text),
            }
        }
        match texts.len() {
            0 => Test::Constant(!deciding),
            1 => Test::Text(texts.remove(0)),
            _ => Test::Text(format!("({})", texts.join(sign))),
        }
    }

    fn all(tests: impl IntoIterator<Item = Test>) -> Test {
        Test::join(tests, " && ", false)
    }

    fn any(tests: impl IntoIterator<Item = Test>) -> Test {
        Test::join(tests, " || ", true)
    }
}

/// An operand of a comparison.
enum Operand {
    Null,
    Bool(bool),
    Text(String),
    /// An attribute, as conditions name it.
    Attribute(String),
}

struct Logic<'l> {
    flag: &'l str,
    known: Known<'l>,
    problems: &'l mut Vec<Problem>,
    lines: Vec<Targeted>,
    variants: &'l [(String, FlagValue)],
}

impl Logic<'_> {
    fn unsupported<T>(&mut self, span: Span, what: &str) -> Option<T> {
        let problem = Problem::unsupported(span, &format!("{what} in the targeting of the flag `{}`", self.flag));
        self.problems.push(problem.label("in this rule"));
        None
    }

    /// The operator and its arguments: `{ "==": [a, b] }`.
    fn operation<'n>(&mut self, node: &'n Node) -> Option<(&'n str, Vec<&'n Node>)> {
        let Some([entry]) = node.as_map() else { return self.unsupported(node.span, "this form") };
        let arguments = match &entry.value.kind {
            Kind::List(items) => items.iter().collect(),
            Kind::Scalar(_) | Kind::Map(_) => vec![&entry.value],
        };
        Some((entry.name(), arguments))
    }

    /// What comes out under a guard, as lines. `None` where it cannot be told.
    fn decide(&mut self, node: &Node, guard: &Test, default: Option<&str>) -> Option<()> {
        if self.lines.len() >= MOST_LINES {
            return self.unsupported(node.span, "so long a list of rules");
        }
        if node.as_map().is_some_and(<[_]>::is_empty) || node.is_null() {
            return self.line(node, guard, default);
        }
        if let Some(text) = node.as_text() {
            return self.line(node, guard, Some(text));
        }
        let (operator, arguments) = self.operation(node)?;
        if operator != "if" {
            return self.unsupported(node.span, &format!("`{operator}` as a result"));
        }
        let mut open = guard.clone();
        let mut rest = arguments.as_slice();
        while let [when, then, more @ ..] = rest {
            let test = self.test(when)?;
            let here = Test::all([open.clone(), test.clone()]);
            self.decide(then, &here, default)?;
            open = Test::all([open, test.not()]);
            rest = more;
        }
        match rest {
            [otherwise] => self.decide(otherwise, &open, default),
            _ => self.line(node, &open, default),
        }
    }

    fn line(&mut self, node: &Node, guard: &Test, variant: Option<&str>) -> Option<()> {
        let condition = match guard {
            Test::Constant(false) => return Some(()),
            Test::Constant(true) => None,
            Test::Text(text) => Some(text.clone()),
        };
        let Some(variant) = variant else {
            // Without a default the code decides, which is where everybody is who matches no line.
            return if condition.is_none() { Some(()) } else { self.unsupported(node.span, "a null result") };
        };
        if self.variants.iter().all(|(name, _)| name != variant) {
            let problem = Problem::error(node.span, format!("the flag `{}` has no variant `{variant}`", self.flag));
            let names = self.variants.iter().map(|(name, _)| name.as_str());
            self.problems.push(problem.label("not one of its variants").did_you_mean(variant, names));
            return None;
        }
        self.lines.push(Targeted { condition, variant: variant.to_owned(), span: node.span });
        Some(())
    }

    fn test(&mut self, node: &Node) -> Option<Test> {
        if node.as_map().is_none() {
            return match self.operand(node)? {
                Operand::Null => Some(Test::Constant(false)),
                Operand::Bool(value) => Some(Test::Constant(value)),
                Operand::Text(text) => Some(Test::Constant(!text.is_empty() && text != "0")),
                Operand::Attribute(path) => Some(Test::Text(truthy(&path))),
            };
        }
        let (operator, arguments) = self.operation(node)?;
        match (operator, arguments.as_slice()) {
            ("var", _) => Some(match self.operand(node)? {
                Operand::Attribute(path) => Test::Text(truthy(&path)),
                _ => Test::Constant(false),
            }),
            ("==" | "===", [left, right]) => self.equal(left, right, node.span),
            ("!=" | "!==", [left, right]) => Some(self.equal(left, right, node.span)?.not()),
            ("!", [of]) => Some(self.test(of)?.not()),
            ("and", tests) => Some(Test::all(self.tests(tests)?)),
            ("or", tests) => Some(Test::any(self.tests(tests)?)),
            ("in", [needle, haystack]) => self.contained(needle, haystack),
            (operator, _) => self.unsupported(node.span, &format!("`{operator}`")),
        }
    }

    fn tests(&mut self, nodes: &[&Node]) -> Option<Vec<Test>> {
        let tests: Vec<Option<Test>> = nodes.iter().map(|node| self.test(node)).collect();
        tests.into_iter().collect()
    }

    fn operand(&mut self, node: &Node) -> Option<Operand> {
        match &node.kind {
            Kind::Scalar(_) if node.is_null() => Some(Operand::Null),
            Kind::Scalar(scalar) => Some(match scalar.text.as_str() {
                "true" if !scalar.quoted => Operand::Bool(true),
                "false" if !scalar.quoted => Operand::Bool(false),
                text => Operand::Text(text.to_owned()),
            }),
            Kind::List(_) => self.unsupported(node.span, "a list here"),
            Kind::Map(_) => {
                let (operator, arguments) = self.operation(node)?;
                let ("var", [name]) = (operator, arguments.as_slice()) else {
                    return self.unsupported(node.span, &format!("`{operator}` as an operand"));
                };
                let name = name.as_text().unwrap_or_default();
                if name.starts_with('$') || name == "targetingKey" {
                    return self.unsupported(node.span, &format!("the variable `{name}`"));
                }
                Some((self.known)(name).map_or(Operand::Null, Operand::Attribute))
            }
        }
    }

    fn equal(&mut self, left: &Node, right: &Node, span: Span) -> Option<Test> {
        let (left, right) = (self.operand(left)?, self.operand(right)?);
        Some(match (left, right) {
            (Operand::Null, Operand::Null) => Test::Constant(true),
            (Operand::Attribute(path), Operand::Null) | (Operand::Null, Operand::Attribute(path)) => {
                Test::Text(format!("!has({path})"))
            }
            (Operand::Null, _) | (_, Operand::Null) => Test::Constant(false),
            (Operand::Bool(left), Operand::Bool(right)) => Test::Constant(left == right),
            (Operand::Text(left), Operand::Text(right)) => Test::Constant(left == right),
            (Operand::Attribute(path), Operand::Text(text)) | (Operand::Text(text), Operand::Attribute(path)) => {
                Test::Text(is_text(&path, &text))
            }
            (Operand::Attribute(left), Operand::Attribute(right)) => Test::Text(format!(
                "(has({left}) && has({right}) && {left}.contains({right}) && {right}.contains({left}))"
            )),
            (Operand::Bool(_), _) | (_, Operand::Bool(_)) => {
                return self.unsupported(span, "a comparison with true or false");
            }
        })
    }

    /// `in`: one of a list, or a part of a text.
    fn contained(&mut self, needle: &Node, haystack: &Node) -> Option<Test> {
        if let Some(items) = haystack.as_list() {
            let tests: Vec<Option<Test>> = items.iter().map(|item| self.equal(needle, item, item.span)).collect();
            return Some(Test::any(tests.into_iter().collect::<Option<Vec<_>>>()?));
        }
        let (needle, haystack) = (self.operand(needle)?, self.operand(haystack)?);
        Some(match (needle, haystack) {
            (Operand::Text(needle), Operand::Text(haystack)) => Test::Constant(haystack.contains(&needle)),
            (Operand::Attribute(path), Operand::Text(text)) => {
                Test::Text(format!("(has({path}) && {}.contains({path}))", literal(&text)))
            }
            (Operand::Text(text), Operand::Attribute(path)) => {
                Test::Text(format!("(has({path}) && {path}.contains({}))", literal(&text)))
            }
            (Operand::Attribute(needle), Operand::Attribute(path)) => {
                Test::Text(format!("(has({needle}) && has({path}) && {path}.contains({needle}))"))
            }
            (Operand::Null | Operand::Bool(_), _) | (_, Operand::Null | Operand::Bool(_)) => Test::Constant(false),
        })
    }
}

/// An attribute's values are declared, so that a comparison with any other text is an error in a condition. In a flag
/// file it is only false, which two `contains` say without being one.
fn is_text(path: &str, text: &str) -> String {
    let (literal, length) = (literal(text), text.chars().count());
    format!("(has({path}) && {path}.startsWith({literal}) && size({path}) == {length})")
}

fn truthy(path: &str) -> String {
    format!("(has({path}) && size({path}) > 0)")
}

/// A text in the language of conditions.
fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
