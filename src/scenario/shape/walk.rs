//! Holds a tree against the tables and collects everything that does not fit.

use super::{ByKind, Key, Kinds, MapOf, Shape, Status, Value};
use crate::scenario::expression;
use crate::scenario::problem::{Problem, Problems};
use crate::scenario::quantity::{self, Zero};
use crate::scenario::tree::{Entry, Node};

/// Checks a node against what may stand there; `what` names the place for a sentence ("`hold`").
pub fn check(node: &Node, value: &Value, what: &str, problems: &mut Problems) {
    Walk { problems, refused: false }.value(node, value, what);
}

struct Walk<'p> {
    problems: &'p mut Problems,
    /// Below a key that is refused as a whole; what is in it is checked, but not refused once more.
    refused: bool,
}

impl Walk<'_> {
    fn value(&mut self, node: &Node, value: &Value, what: &str) {
        match value {
            Value::Anything => {}
            Value::Object(shape) => self.object(node, shape, what),
            Value::Kinds(kinds) => self.kinds(node, kinds),
            Value::MapOf(of) => self.map_of(node, of, what),
            Value::List(item) => self.list(node, item, what),
            Value::ByKind(by_kind) => self.by_kind(node, by_kind, what),
            Value::Text
            | Value::Name
            | Value::Condition
            | Value::Bound
            | Value::OneOf(_)
            | Value::Duration
            | Value::Distribution
            | Value::Rate
            | Value::Share
            | Value::Integer { .. }
            | Value::Number { .. }
            | Value::Boolean
            | Value::Clock
            | Value::Moment
            | Value::Day => self.scalar(node, value, what),
        }
    }

    fn wrong_kind(&mut self, node: &Node, what: &str, expected: &str) {
        let found = node.describe();
        let message = match node.is_null() {
            true => format!("{what} has no value"),
            false => format!("{what} is {expected}, not {found}"),
        };
        self.problems.push(Problem::error(node.span, message).label(format!("expected {expected}")));
    }

    fn object(&mut self, node: &Node, shape: &'static Shape, what: &str) {
        let Some(entries) = node.as_map() else {
            let keys: Vec<&str> = shape.keys.iter().map(|key| key.name).take(6).collect();
            let expected = if keys.is_empty() {
                "expected a map".to_owned()
            } else {
                format!("expected keys such as {}", keys.join(", "))
            };
            let message = match node.is_null() {
                true => format!("{what} has no value"),
                false => format!("{what} is a map, not {}", node.describe()),
            };
            self.problems.push(Problem::error(node.span, message).label(expected));
            return;
        };
        for entry in entries {
            match shape.key(entry.name()) {
                Some(key) => self.entry(entry, key),
                None => match shape.others {
                    Some(value) => self.value(&entry.value, value, &format!("`{}`", entry.name())),
                    None => self.unknown_key(entry, shape.name, shape.keys.iter().map(|key| key.name)),
                },
            }
        }
        for key in shape.keys.iter().filter(|key| key.required) {
            if node.get(key.name).is_none() {
                let message = format!("{} needs `{}`", shape.name, key.name);
                let problem = Problem::error(node.span, message).label(format!("`{}` is missing", key.name));
                self.problems.push(problem.help(format!("{}: {}", key.name, key.doc)));
            }
        }
        self.exactly_one(node, entries, shape);
    }

    fn exactly_one(&mut self, node: &Node, entries: &[Entry], shape: &'static Shape) {
        let mut given = entries.iter().filter(|entry| shape.exactly_one.contains(&entry.name()));
        let (first, second) = (given.next(), given.next());
        let one_of = shape.exactly_one.join(", ");
        match (first, second) {
            (Some(first), Some(second)) => {
                let message = format!("`{}` together with `{}` in {}", first.name(), second.name(), shape.name);
                let problem = Problem::error(second.key.span, message).label(format!("expected one of {one_of}"));
                self.problems.push(problem.related(first.key.span, "the first"));
            }
            (None, None) if !shape.exactly_one.is_empty() => {
                let message = format!("{} needs one of {one_of}", shape.name);
                self.problems.push(Problem::error(node.span, message).label("none of them is here"));
            }
            (Some(_), None) | (None, Some(_) | None) => {}
        }
    }

    fn entry(&mut self, entry: &Entry, key: &'static Key) {
        let outer = self.refused;
        if let Status::Later(what) = key.status {
            if !outer {
                self.problems.push(Problem::unsupported(entry.key.span, what).label("refused, not ignored"));
            }
            self.refused = true;
        }
        self.value(&entry.value, &key.value, &format!("`{}`", key.name));
        self.refused = outer;
    }

    fn unknown_key(&mut self, entry: &Entry, of: &str, valid: impl Iterator<Item = &'static str> + Clone) {
        let name = entry.name();
        let span = entry.key.span;
        self.problems.push_with(span, || {
            let problem = Problem::error(span, format!("unknown key `{}`", shown(name)));
            let problem = problem.label(format!("not a key of {of}")).did_you_mean(name, valid.clone());
            if problem.help.is_empty() {
                let valid: Vec<&str> = valid.collect();
                return problem.help(format!("there are {}", valid.join(", ")));
            }
            problem
        });
    }

    fn kinds(&mut self, node: &Node, kinds: &'static Kinds) {
        let telling = || kinds.kinds.iter().map(|shape| shape.telling());
        if let Some(text) = node.as_text().filter(|_| !node.is_null()) {
            if kinds.words.contains(&text) {
                return;
            }
            let message = format!("`{}` is not {}", shown(text), kinds.name);
            let problem = Problem::error(node.span, message).label("expected a map");
            self.problems.push(problem.did_you_mean(text, telling().chain(kinds.words.iter().copied())));
            return;
        }
        let Some(entries) = node.as_map() else {
            self.wrong_kind(node, kinds.name, "a map");
            return;
        };
        let of = |entry: &Entry| kinds.kinds.iter().find(|shape| shape.telling() == entry.name());
        let mut told = entries.iter().filter_map(|entry| of(entry).map(|shape| (entry, *shape)));
        let Some((first, shape)) = told.next() else {
            let names = telling().collect::<Vec<_>>().join(", ");
            let message = format!("{} has one of the keys {names}", kinds.name);
            let mut problem = Problem::error(node.span, message).label("none of them is here");
            if let Some(entry) = entries.first() {
                problem = problem.did_you_mean(entry.name(), telling());
            }
            self.problems.push(problem);
            return;
        };
        if let Some((second, _)) = told.find(|(entry, _)| shape.key(entry.name()).is_none()) {
            let message = format!("`{}` together with `{}`", first.name(), second.name());
            let problem = Problem::error(second.key.span, message).label(format!("{} is one of them", kinds.name));
            self.problems.push(problem.related(first.key.span, "the first").help("make two items of the list"));
            return;
        }
        self.object(node, shape, kinds.name);
    }

    fn map_of(&mut self, node: &Node, of: &'static MapOf, what: &str) {
        let Some(entries) = node.as_map() else {
            self.wrong_kind(node, what, &format!("a map by the name of the {}", of.what));
            return;
        };
        if let Some(entry) = entries.get(of.most) {
            let message = format!("{what} has {} entries, at most {} are possible", entries.len(), of.most);
            self.problems.push(Problem::error(entry.key.span, message).label("the first one too many"));
            return;
        }
        for entry in entries {
            if of.bare && entry.value.is_null() {
                continue;
            }
            self.value(&entry.value, &of.value, &format!("the {} `{}`", of.what, shown(entry.name())));
        }
    }

    fn list(&mut self, node: &Node, item: &'static Value, what: &str) {
        let Some(items) = node.as_list() else {
            self.wrong_kind(node, what, "a list");
            return;
        };
        for node in items {
            self.value(node, item, &format!("an item of {what}"));
        }
    }

    fn by_kind(&mut self, node: &Node, by_kind: &'static ByKind, what: &str) {
        let (scalar, list, map) = (node.as_text().is_some(), node.as_list().is_some(), node.as_map().is_some());
        let fitting = match (scalar && !node.is_null(), list, map) {
            (true, _, _) => by_kind.scalar.as_ref(),
            (_, true, _) => by_kind.list.as_ref(),
            (_, _, true) => by_kind.map.as_ref(),
            _ => None,
        };
        let Some(value) = fitting else {
            let forms = [(&by_kind.scalar, "a text"), (&by_kind.list, "a list"), (&by_kind.map, "a map")];
            let forms: Vec<&str> = forms.iter().filter(|(form, _)| form.is_some()).map(|(_, name)| *name).collect();
            self.wrong_kind(node, what, &forms.join(" or "));
            return;
        };
        self.value(node, value, what);
    }

    fn scalar(&mut self, node: &Node, value: &Value, what: &str) {
        let problems = &mut *self.problems;
        match value {
            Value::Text | Value::Name => {
                if node.is_null() || node.as_text().is_none_or(|text| text.trim().is_empty()) {
                    let expected = if matches!(value, Value::Text) { "a text" } else { "a name" };
                    self.wrong_kind(node, what, expected);
                }
            }
            Value::Condition => match node.as_text() {
                Some(text) if !node.is_null() && !text.trim().is_empty() => {}
                _ => {
                    let problem = Problem::error(node.span, format!("{what} has no condition"));
                    let problem = problem.label("expected a condition in quotes");
                    problems
                        .push(problem.help("a condition cannot vanish: leave the key out where everything is meant"));
                }
            },
            Value::Bound => match node.as_text() {
                Some(text) if !node.is_null() => {
                    if let Err(error) = expression::bound(text) {
                        let problem = Problem::error(node.span, error.message).label("expected a bound");
                        problems.push(error.help.into_iter().fold(problem, Problem::help));
                    }
                }
                _ => self.wrong_kind(node, what, "a bound such as \"latency.p99 < 300ms\""),
            },
            Value::OneOf(words) => match node.as_text() {
                Some(text) if words.contains(&text) => {}
                Some(text) if !node.is_null() => {
                    let problem = Problem::error(node.span, format!("{what} is never `{}`", shown(text)));
                    let problem = problem.label(format!("expected one of {}", words.join(", ")));
                    problems.push(problem.did_you_mean(text, words.iter().copied()));
                }
                _ => self.wrong_kind(node, what, &format!("one of {}", words.join(", "))),
            },
            Value::Duration
            | Value::Distribution
            | Value::Rate
            | Value::Share
            | Value::Integer { .. }
            | Value::Number { .. }
            | Value::Boolean
            | Value::Clock
            | Value::Moment
            | Value::Day => self.quantity(node, value),
            Value::Object(_)
            | Value::Kinds(_)
            | Value::MapOf(_)
            | Value::List(_)
            | Value::ByKind(_)
            | Value::Anything => unreachable!("not a scalar"),
        }
    }

    /// A scalar that is a quantity: read here for its mistakes, and once more where it is resolved.
    fn quantity(&mut self, node: &Node, value: &Value) {
        let problems = &mut *self.problems;
        match value {
            Value::Duration => {
                quantity::of(node, "a duration", quantity::duration, problems);
            }
            Value::Distribution => {
                quantity::distribution(node, problems);
            }
            Value::Rate => {
                quantity::of(node, "a rate", |text| quantity::rate(text, Zero::Refused), problems);
            }
            Value::Share => {
                quantity::of(node, "a share", quantity::share, problems);
            }
            Value::Integer { least, most } => {
                quantity::of(node, "a whole number", |text| quantity::integer(text, *least..=*most), problems);
            }
            Value::Number { least, most } => {
                quantity::of(node, "a number", |text| quantity::float(text, *least..=*most), problems);
            }
            Value::Boolean => {
                quantity::of(node, "true or false", quantity::boolean, problems);
            }
            Value::Clock => {
                quantity::of(node, "a time of day", quantity::clock, problems);
            }
            Value::Moment => {
                quantity::of(node, "a moment", |text| quantity::timestamp(text).map(str::to_owned), problems);
            }
            Value::Day => {
                quantity::of(node, "a day", |text| quantity::date(text).map(str::to_owned), problems);
            }
            Value::Text
            | Value::Name
            | Value::Condition
            | Value::Bound
            | Value::OneOf(_)
            | Value::Object(_)
            | Value::Kinds(_)
            | Value::MapOf(_)
            | Value::List(_)
            | Value::ByKind(_)
            | Value::Anything => unreachable!("not a quantity"),
        }
    }
}

fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(60)]
}
