//! `${name}` in values.

use std::collections::BTreeMap;

use super::super::problem::{Problem, Problems};
use super::super::tree::{Entry, Kind, Node, Scalar};

/// What all parameters of a scenario together may add to it: a file cannot multiply itself.
const LARGEST_GROWTH: usize = 4 << 20;

/// The tree with every `${name}` in its scalars replaced by the value of the parameter; `$${` stands for `${`.
///
/// A scalar stays a scalar at its place, whatever the value: it never becomes a null, a list or a map. Values are not
/// looked through again, and keys are left as they are.
pub fn substitute(node: &Node, params: &[(String, String)], problems: &mut Problems) -> Node {
    let params = params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Substitution { params, problems, growth: 0 }.node(node)
}

struct Substitution<'a> {
    params: BTreeMap<&'a str, &'a str>,
    problems: &'a mut Problems,
    growth: usize,
}

impl Substitution<'_> {
    fn node(&mut self, node: &Node) -> Node {
        let kind = match &node.kind {
            Kind::Scalar(scalar) if scalar.text.contains("${") => {
                Kind::Scalar(Scalar { text: self.text(node, &scalar.text), quoted: true })
            }
            Kind::Scalar(_) => return node.clone(),
            Kind::List(items) => Kind::List(items.iter().map(|item| self.node(item)).collect()),
            Kind::Map(entries) => Kind::Map(entries.iter().map(|entry| self.entry(entry)).collect()),
        };
        Node { span: node.span, kind }
    }

    fn entry(&mut self, Entry { key, value }: &Entry) -> Entry {
        if key.as_text().is_some_and(|text| text.contains("${")) {
            let problem = Problem::error(key.span, "parameters stand in values, not in keys");
            self.problems.push(problem.label("expected a name"));
        }
        Entry { key: key.clone(), value: self.node(value) }
    }

    fn text(&mut self, node: &Node, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            if rest[..at].ends_with('$') {
                out.push_str(&rest[..at - 1]);
                out.push_str("${");
                rest = &rest[at + 2..];
                continue;
            }
            out.push_str(&rest[..at]);
            let Some(end) = rest[at..].find('}') else {
                self.unended(node, &rest[at..]);
                return text.to_owned();
            };
            self.value(node, rest[at + 2..at + end].trim(), &mut out);
            rest = &rest[at + end + 1..];
        }
        out.push_str(rest);
        out
    }

    fn value(&mut self, node: &Node, name: &str, out: &mut String) {
        let Some(value) = self.params.get(name) else {
            self.problems.push_with(node.span, || unknown(node, name, &self.params));
            return;
        };
        self.growth += value.len();
        if self.growth > LARGEST_GROWTH {
            let message = format!("the parameters add more than {} MiB to the scenario", LARGEST_GROWTH >> 20);
            self.problems.push(Problem::error(None, message));
            return;
        }
        out.push_str(value);
    }

    fn unended(&mut self, node: &Node, rest: &str) {
        let name: String = rest[2..].chars().take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect();
        let problem = Problem::error(node.span, "a parameter without its closing bracket");
        self.problems.push(problem.label(format!("expected `${{{name}}}`")));
    }
}

fn unknown(node: &Node, name: &str, params: &BTreeMap<&str, &str>) -> Problem {
    let known: Vec<&str> = params.keys().take(20).copied().collect();
    let label = match known.as_slice() {
        [] => "the scenario has no `params:`".to_owned(),
        known => format!("expected one of {}", known.join(", ")),
    };
    let problem = Problem::error(node.span, format!("unknown parameter `{name}`")).label(label);
    let problem = problem.did_you_mean(name, params.keys().copied());
    problem.help(format!("to mean the text itself, write `$${{{name}}}`"))
}

#[cfg(test)]
mod tests {
    use super::super::super::problem::Sources;
    use super::super::super::tree::read;
    use super::*;

    fn substituted(text: &str) -> (Node, Vec<Problem>) {
        let params = [("poll", "15s"), ("bake", "2h"), ("none", "null"), ("odd", "${poll}: [x]\n- y")];
        let params = params.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut sources = Sources::default();
        let root = read(&mut sources, "a.yaml", text.as_bytes()).expect("it is well-formed");
        let mut problems = Problems::default();
        (substitute(&root, &params, &mut problems), problems.into_vec())
    }

    fn value(text: &str) -> String {
        let (root, problems) = substituted(&format!("a: {text}\n"));
        assert_eq!(problems, [], "{text}");
        root.get("a").and_then(Node::as_text).expect("a scalar stays a scalar").to_owned()
    }

    #[test]
    fn parameters_stand_for_their_values_within_any_text() {
        assert_eq!(value("${poll}"), "15s");
        assert_eq!(value("'${ poll }'"), "15s");
        assert_eq!(value("pilot-live + ${bake}, ${poll} é"), "pilot-live + 2h, 15s é");
        assert_eq!(value("\"$${poll} costs $5, ${poll}\""), "${poll} costs $5, 15s");
        assert_eq!(value("$poll {x} $"), "$poll {x} $");
    }

    #[test]
    fn a_value_never_changes_the_structure() {
        assert_eq!(value("${odd}"), "${poll}: [x]\n- y");
        let (root, _) = substituted("when: ${none}\n");
        assert!(!root.get("when").expect("the key").is_null());
    }

    #[test]
    fn an_unknown_parameter_is_told_with_the_nearest() {
        let (_, problems) = substituted("a: ${pol}\nb: [ '${poll' ]\n\"${bake}\": 1\n");
        assert_eq!(problems.len(), 3);
        assert_eq!(problems[0].message, "unknown parameter `pol`");
        assert_eq!(problems[0].help[0], "did you mean `poll`?");
        assert_eq!(problems[1].label, "expected `${poll}`");
        assert_eq!(problems[2].message, "parameters stand in values, not in keys");
        assert_eq!(problems[0].span, Some(super::super::super::problem::Span { file: 0, start: 3, end: 9 }));
    }

    #[test]
    fn a_file_cannot_multiply_itself_through_parameters() {
        let params = [("big".to_owned(), "x".repeat(1 << 16))];
        let mut sources = Sources::default();
        let root = read(&mut sources, "a", "- ${big}${big}\n".repeat(10_000).as_bytes()).expect("it is well-formed");
        let mut problems = Problems::default();
        substitute(&root, &params, &mut problems);
        assert!(problems.has_errors());
    }
}
