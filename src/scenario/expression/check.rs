//! Names and types of a condition: a tree in, a compiled [`Condition`] or every mistake out.

use std::collections::BTreeSet;
use std::ops::Range;

use super::ast::{Expression, Kind, Word};
use super::{ExpressionError, NameError, Names, Type, nearest};
use crate::rollout::condition::code::{Arithmetic, Code, Search, Term, Test};
use crate::rollout::condition::{Condition, SlotId, Value};
use crate::scenario::quantity;

const METHODS: [&str; 4] = ["startsWith", "endsWith", "contains", "size"];

/// Checks `expression`, the tree of `text`, and compiles it.
pub(super) fn check(
    text: &str,
    expression: &Expression,
    names: &mut dyn Names,
) -> Result<Condition, Vec<ExpressionError>> {
    let mut checker = Checker {
        text,
        names,
        errors: Vec::new(),
        code: Code::default(),
        slots: BTreeSet::new(),
        capabilities: BTreeSet::new(),
    };
    let root = checker.typed(expression).and_then(|typed| checker.condition(typed, expression));
    match root {
        Some(root) if checker.errors.is_empty() => {
            let Checker { code, slots, capabilities, .. } = checker;
            let (slots, capabilities) = (slots.into_iter().collect(), capabilities.into_iter().collect());
            Ok(Condition::new(text.trim(), code, root, slots, capabilities))
        }
        _ => {
            checker.errors.sort_by_key(|error| (error.range.start, error.range.end));
            Err(checker.errors)
        }
    }
}

/// A checked expression: its type and its node, a test where the type is [`Type::Bool`] and a term elsewhere.
pub(super) struct Typed {
    pub(super) of: Type,
    pub(super) node: u16,
}

/// A condition half compiled. `None` stands for an expression whose mistake has been told already.
pub(super) struct Checker<'n, 't> {
    text: &'t str,
    pub(super) names: &'n mut dyn Names,
    errors: Vec<ExpressionError>,
    pub(super) code: Code,
    slots: BTreeSet<SlotId>,
    capabilities: BTreeSet<(u16, u16)>,
}

impl Checker<'_, '_> {
    pub(super) fn wrong<T>(&mut self, error: ExpressionError) -> Option<T> {
        self.errors.push(error);
        None
    }

    pub(super) fn unknown_name<T>(&mut self, range: Range<usize>, error: NameError) -> Option<T> {
        let told = ExpressionError::new(range, error.message);
        self.wrong(match error.nearest {
            Some(nearest) => told.help(format!("did you mean `{nearest}`?")),
            None => told,
        })
    }

    pub(super) fn excerpt(&self, expression: &Expression) -> &str {
        &self.text[expression.range.clone()]
    }

    pub(super) fn test(&mut self, test: Test) -> Option<Typed> {
        Some(Typed { of: Type::Bool, node: self.code.test(test) })
    }

    fn term(&mut self, of: Type, term: Term) -> Option<Typed> {
        Some(Typed { of, node: self.code.term(term) })
    }

    fn slot(&mut self, slot: SlotId, of: Type) -> Option<Typed> {
        self.slots.insert(slot);
        if of == Type::Bool { self.test(Test::Slot(slot)) } else { self.term(of, Term::Slot(slot)) }
    }

    /// Checks an expression whose type is not known from where it stands.
    pub(super) fn typed(&mut self, expression: &Expression) -> Option<Typed> {
        let range = expression.range.clone();
        match &expression.kind {
            Kind::Bool(value) => self.test(Test::Constant(*value)),
            Kind::Int(value) => self.term(Type::Int, Term::Constant(Value::Int(*value))),
            Kind::Float(value) => self.term(Type::Float, Term::Constant(Value::Float(*value))),
            Kind::Text(text) => {
                let symbol = self.names.symbols().intern(text);
                self.term(Type::Text, Term::Constant(Value::Text(symbol)))
            }
            Kind::List(_) => self.wrong(
                ExpressionError::new(range, "a list stands only on the right side of `in`")
                    .help("write tenant.segment in [\"staff\", \"pilot\"]"),
            ),
            Kind::Path(words) => {
                let path: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
                match self.names.path(&path) {
                    Ok((slot, of)) => self.slot(slot, of),
                    Err(error) => self.unknown_name(range, error),
                }
            }
            Kind::Call { function, args } => self.call(function, args, range),
            Kind::Method { target, method, args } => self.method(target, method, args),
            Kind::Not(of) => {
                let node = self.bool_for("!", of)?;
                self.test(Test::Not(node))
            }
            Kind::Negate(of) => {
                let typed = self.typed(of)?;
                if !matches!(typed.of, Type::Int | Type::Float) {
                    let message = format!("only a number can be negated, and this is {}", describe(&typed.of));
                    return self.wrong(ExpressionError::new(of.range.clone(), message));
                }
                self.term(typed.of, Term::Negate(typed.node))
            }
            Kind::All(parts) => {
                let nodes = self.bools_for("&&", parts)?;
                let children = self.code.children(&nodes);
                self.test(Test::All(children))
            }
            Kind::Any(parts) => {
                let nodes = self.bools_for("||", parts)?;
                let children = self.code.children(&nodes);
                self.test(Test::Any(children))
            }
            Kind::Arithmetic { operation, left, right } => self.arithmetic(*operation, left, right, expression),
            Kind::Compare { relation, left, right } => self.compare(*relation, left, right, range),
            Kind::In { needle, list } => self.one_of(needle, list),
            Kind::If { when, then, otherwise } => self.choice(when, then, otherwise),
        }
    }

    /// The node of a whole condition, which has to be true or false.
    fn condition(&mut self, typed: Typed, expression: &Expression) -> Option<u16> {
        if typed.of == Type::Bool {
            return Some(typed.node);
        }
        let message = format!("a condition is true or false, and this is {}", describe(&typed.of));
        let error = ExpressionError::new(expression.range.clone(), message);
        let written = self.excerpt(expression).to_owned();
        self.wrong(match &typed.of {
            Type::Stage(feature) => match self.names.stages(*feature).last() {
                Some(stage) => error.help(format!("compare it: {written} == \"{}\"", stage.name)),
                None => error,
            },
            Type::TextOf(values) if !values.is_empty() => {
                error.help(format!("compare it: {written} == \"{}\"", values[0]))
            }
            _ => error.help("compare it with something"),
        })
    }

    fn bool_for(&mut self, operator: &str, expression: &Expression) -> Option<u16> {
        let typed = self.typed(expression)?;
        if typed.of == Type::Bool {
            return Some(typed.node);
        }
        let message = format!("`{operator}` takes true or false, and this is {}", describe(&typed.of));
        self.wrong(ExpressionError::new(expression.range.clone(), message))
    }

    fn bools_for(&mut self, operator: &str, parts: &[Expression]) -> Option<Vec<u16>> {
        let nodes: Vec<Option<u16>> = parts.iter().map(|part| self.bool_for(operator, part)).collect();
        nodes.into_iter().collect()
    }

    fn arithmetic(
        &mut self,
        operation: Arithmetic,
        left: &Expression,
        right: &Expression,
        whole: &Expression,
    ) -> Option<Typed> {
        if let Some(error) = self.torn_name(whole) {
            return self.wrong(error);
        }
        let (left_typed, right_typed) = (self.typed(left), self.typed(right));
        let (left_typed, right_typed) = (left_typed?, right_typed?);
        let range = whole.range.clone();
        match (&left_typed.of, &right_typed.of) {
            (Type::Int, Type::Int) => {}
            (Type::Float, Type::Float) if operation == Arithmetic::Remainder => {
                return self.wrong(
                    ExpressionError::new(range, "a remainder is taken of integers, and these have decimals")
                        .help("CEL has no % for numbers with decimals"),
                );
            }
            (Type::Float, Type::Float) => {}
            (Type::Int, Type::Float) | (Type::Float, Type::Int) => {
                let error = ExpressionError::new(range, "integers and numbers with decimals do not mix in arithmetic");
                let int = if left_typed.of == Type::Int { left } else { right };
                let float = if left_typed.of == Type::Int { right } else { left };
                return self.wrong(match (&int.kind, &float.kind) {
                    (Kind::Int(value), _) => error.help(format!("write {value}.0")),
                    (_, Kind::Float(value)) if value.fract() == 0.0 && value.abs() < 1e15 => {
                        error.help(format!("write {}", *value as i64))
                    }
                    _ => error.help("compare them instead: a comparison may mix the two"),
                });
            }
            (Type::Text | Type::TextOf(_), _) | (_, Type::Text | Type::TextOf(_)) if operation == Arithmetic::Add => {
                return self.wrong(
                    ExpressionError::new(range, "texts are not joined in a condition")
                        .help("ask with startsWith, endsWith or contains, or compare with the whole text"),
                );
            }
            (left, right) => {
                let message = format!("arithmetic takes two numbers, not {} and {}", describe(left), describe(right));
                return self.wrong(ExpressionError::new(range, message));
            }
        }
        self.term(left_typed.of, Term::Arithmetic { operation, left: left_typed.node, right: right_typed.node })
    }

    /// `new-checkout` reads as a subtraction; if its parts mean nothing, the whole was meant as a name.
    fn torn_name(&mut self, whole: &Expression) -> Option<ExpressionError> {
        let first = hyphenated(whole)?;
        let name = self.excerpt(whole).to_owned();
        if name.contains(|c: char| !c.is_alphanumeric() && c != '-' && c != '_') || self.names.path(&[first]).is_ok() {
            return None;
        }
        let message = format!("`{name}` without quotes is a subtraction");
        let error = ExpressionError::new(whole.range.clone(), message);
        Some(if self.names.call("flag", &[&name]).is_ok() {
            error.help(format!("write flag(\"{name}\")"))
        } else {
            error.help(format!("a name with a hyphen goes in quotes: stage(\"{name}\") asks for a feature's stage"))
        })
    }

    fn choice(&mut self, when: &Expression, then: &Expression, otherwise: &Expression) -> Option<Typed> {
        let (when, then_typed, other_typed) = (self.bool_for("? :", when), self.typed(then), self.typed(otherwise));
        let (when, then_typed, other_typed) = (when?, then_typed?, other_typed?);
        let (then_node, otherwise_node) = (then_typed.node, other_typed.node);
        let of = match (then_typed.of, other_typed.of) {
            (Type::Text | Type::TextOf(_), Type::Text) | (Type::Text, Type::TextOf(_)) => Type::Text,
            (Type::TextOf(mut values), Type::TextOf(more)) => {
                values.extend(more);
                Type::TextOf(values)
            }
            (then, otherwise) if then == otherwise => then,
            (left, right) => {
                let message =
                    format!("both choices of `? :` have one type, not {} and {}", describe(&left), describe(&right));
                return self.wrong(ExpressionError::new(then.range.start..otherwise.range.end, message));
            }
        };
        if of == Type::Bool {
            return self.test(Test::If { when, then: then_node, otherwise: otherwise_node });
        }
        self.term(of, Term::If { when, then: then_node, otherwise: otherwise_node })
    }

    fn call(&mut self, function: &Word, args: &[Expression], range: Range<usize>) -> Option<Typed> {
        match (function.text.as_str(), args) {
            ("has", [of]) => self.has(of),
            ("has", _) => self.wrong(ExpressionError::new(range, "has() takes one field, like has(tenant.segment)")),
            ("size", [of]) => self.size(of),
            ("size", _) => self.wrong(ExpressionError::new(range, "size() takes one text")),
            ("duration", _) => self.duration(function, args, range),
            ("can", _) => {
                let texts = self.literals(function, args)?;
                let found = match texts[..] {
                    [capability] => self.names.capability(None, capability),
                    [feature, capability] => self.names.capability(Some(feature), capability),
                    _ => {
                        return self.wrong(
                            ExpressionError::new(range, "can() takes a capability, or a feature and its capability")
                                .help("write can(\"request\") or can(\"new-checkout\", \"request\")"),
                        );
                    }
                };
                match found {
                    Ok((feature, capability)) => {
                        self.capabilities.insert((feature, capability));
                        self.test(Test::Can { feature, capability })
                    }
                    Err(error) => self.unknown_name(range, error),
                }
            }
            (name, _) => {
                let texts = self.literals(function, args)?;
                match self.names.call(name, &texts) {
                    Ok((slot, of)) => self.slot(slot, of),
                    Err(error) => self.unknown_name(range, error),
                }
            }
        }
    }

    /// `duration("30d")`: as in CEL, but with the units of the file.
    fn duration(&mut self, function: &Word, args: &[Expression], range: Range<usize>) -> Option<Typed> {
        let texts = self.literals(function, args)?;
        let [text] = texts[..] else {
            return self
                .wrong(ExpressionError::new(range, "duration() takes one length of time, like duration(\"30d\")"));
        };
        match quantity::duration(text) {
            Ok(length) => self.term(Type::Duration, Term::Constant(Value::Float(length.as_secs_f64()))),
            Err(expected) => {
                let message = format!("`{text}` is not a duration");
                self.wrong(ExpressionError::new(args[0].range.clone(), message).help(expected))
            }
        }
    }

    /// The arguments of a call that takes names in quotes.
    fn literals<'e>(&mut self, function: &Word, args: &'e [Expression]) -> Option<Vec<&'e str>> {
        let mut texts = Vec::new();
        let mut complete = true;
        for arg in args {
            if let Kind::Text(text) = &arg.kind {
                texts.push(text.as_str());
                continue;
            }
            complete = false;
            let function = &function.text;
            let written = self.excerpt(arg).to_owned();
            let message = format!("{function}() takes a name in quotes");
            self.wrong::<()>(
                ExpressionError::new(arg.range.clone(), message).help(format!("write {function}(\"{written}\")")),
            );
        }
        complete.then_some(texts)
    }

    fn has(&mut self, of: &Expression) -> Option<Typed> {
        let Kind::Path(words) = &of.kind else {
            return self.wrong(ExpressionError::new(of.range.clone(), "has() asks for a field, like tenant.segment"));
        };
        if words.len() == 1 {
            return self.wrong(
                ExpressionError::new(of.range.clone(), "has() asks for a field, and this is a name of its own")
                    .help("CEL has has(tenant.segment), but no has(segment)"),
            );
        }
        let path: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        match self.names.path(&path) {
            Ok((slot, _)) => {
                self.slots.insert(slot);
                self.test(Test::Has(slot))
            }
            Err(error) => self.unknown_name(of.range.clone(), error),
        }
    }

    fn text_for(&mut self, what: &str, expression: &Expression) -> Option<u16> {
        let typed = self.typed(expression)?;
        if matches!(typed.of, Type::Text | Type::TextOf(_)) {
            return Some(typed.node);
        }
        let message = format!("{what} takes a text, and this is {}", describe(&typed.of));
        self.wrong(ExpressionError::new(expression.range.clone(), message))
    }

    fn size(&mut self, of: &Expression) -> Option<Typed> {
        let node = self.text_for("size()", of)?;
        self.term(Type::Int, Term::Size(node))
    }

    fn method(&mut self, target: &Expression, method: &Word, args: &[Expression]) -> Option<Typed> {
        let name = method.text.as_str();
        let search = match name {
            "startsWith" => Search::Start,
            "endsWith" => Search::End,
            "contains" => Search::Anywhere,
            "size" if args.is_empty() => return self.size(target),
            "size" => return self.wrong(ExpressionError::new(method.range.clone(), "size() takes nothing more")),
            _ => {
                let error = ExpressionError::new(method.range.clone(), format!("texts have no method `{name}` here"));
                let all = format!("there are {}", METHODS.join(", "));
                return self.wrong(match nearest(name, METHODS) {
                    Some(nearest) => error.help(format!("did you mean `{nearest}`? {all}")),
                    None => error.help(all),
                });
            }
        };
        let [what] = args else {
            return self.wrong(ExpressionError::new(method.range.clone(), format!("{name}() takes one text")));
        };
        let (within, what) = (self.text_for(name, target), self.text_for(name, what));
        let (within, what) = (within?, what?);
        self.test(Test::Find { search, within, what })
    }
}

/// The first word of names joined by minus signs.
fn hyphenated(expression: &Expression) -> Option<&str> {
    match &expression.kind {
        Kind::Arithmetic { operation: Arithmetic::Subtract, left, .. } => hyphenated(left),
        _ => expression.bare_name(),
    }
}

/// A type in words.
pub(super) fn describe(of: &Type) -> &'static str {
    match of {
        Type::Bool => "true or false",
        Type::Int => "an integer",
        Type::Float => "a number with decimals",
        Type::Duration => "a duration",
        Type::Text | Type::TextOf(_) => "a text",
        Type::Stage(_) => "a stage",
    }
}
