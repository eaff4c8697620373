//! Comparisons: stages with their names, enumerated texts with their values, and what can never be equal.

use std::ops::Range;

use super::ast::{Expression, Kind};
use super::check::{Checker, Typed, describe};
use super::{ExpressionError, StageName, Type, nearest_or_all};
use crate::rollout::condition::code::{Relation, Term, Test};
use crate::rollout::condition::{SlotId, Value};

impl Checker<'_, '_> {
    pub(super) fn compare(
        &mut self,
        relation: Relation,
        left: &Expression,
        right: &Expression,
        range: Range<usize>,
    ) -> Option<Typed> {
        let (left_stage, right_stage) = (self.stage_of(left), self.stage_of(right));
        if let Some(feature) = left_stage
            && self.names_stage(feature, right, right_stage)
        {
            return self.stage_with_names(feature, relation, left, &[right]);
        }
        if let Some(feature) = right_stage
            && self.names_stage(feature, left, left_stage)
        {
            return self.stage_with_names(feature, relation.mirrored(), right, &[left]);
        }
        let (left_typed, right_typed) = self.pair(left, right);
        let (left_typed, right_typed) = (left_typed?, right_typed?);
        self.comparable(relation, (left, &left_typed), (right, &right_typed), range)?;
        let (left, right) = (left_typed.node, right_typed.node);
        match (&left_typed.of, &right_typed.of) {
            (Type::Bool, _) => self.test(Test::CompareTests { relation, left, right }),
            (Type::Stage(feature), _) => {
                let ranks = self.names.stages(*feature).iter().map(|stage| stage.rank).collect();
                let ranks = self.code.ranks(ranks);
                self.test(Test::CompareStages { relation, left, right, ranks })
            }
            _ => {
                let (left_term, right_term) = (self.code.term_at(left), self.code.term_at(right));
                let test = match (left_term, right_term) {
                    (Term::Slot(slot), Term::Constant(value)) | (Term::Constant(value), Term::Slot(slot)) => {
                        text_is(slot, value, relation)
                    }
                    _ => None,
                };
                self.test(test.unwrap_or(Test::Compare { relation, left, right }))
            }
        }
    }

    /// Both sides of a comparison. Where one is a name that means nothing, the type of the other tells what was meant.
    fn pair(&mut self, left: &Expression, right: &Expression) -> (Option<Typed>, Option<Typed>) {
        if self.is_unknown(left) {
            let right = self.typed(right);
            return (self.typed_like(left, right.as_ref()), right);
        }
        let left = self.typed(left);
        let right = self.typed_like(right, left.as_ref());
        (left, right)
    }

    fn is_unknown(&mut self, expression: &Expression) -> bool {
        expression.bare_name().is_some_and(|name| self.names.path(&[name]).is_err())
    }

    fn typed_like(&mut self, expression: &Expression, other: Option<&Typed>) -> Option<Typed> {
        let is_text = other.is_some_and(|other| matches!(other.of, Type::Text | Type::TextOf(_)));
        if is_text && self.is_unknown(expression) {
            let name = self.excerpt(expression).to_owned();
            return self.wrong(
                ExpressionError::new(expression.range.clone(), format!("`{name}` is not a name here"))
                    .help(format!("a text goes in quotes: \"{name}\"")),
            );
        }
        self.typed(expression)
    }

    /// Tells what is wrong with comparing these two; `None` if anything is.
    fn comparable(
        &mut self,
        relation: Relation,
        (left, left_typed): (&Expression, &Typed),
        (right, right_typed): (&Expression, &Typed),
        range: Range<usize>,
    ) -> Option<()> {
        match (&left_typed.of, &right_typed.of) {
            (Type::Bool, Type::Bool)
            | (Type::Int | Type::Float, Type::Int | Type::Float)
            | (Type::Duration, Type::Duration)
            | (Type::Text, Type::Text) => Some(()),
            (Type::TextOf(values), Type::Text) if relation.is_equality() => self.is_value(values, right),
            (Type::Text, Type::TextOf(values)) if relation.is_equality() => self.is_value(values, left),
            (Type::TextOf(values), Type::TextOf(others)) if relation.is_equality() => {
                if values.iter().any(|value| others.contains(value)) {
                    return Some(());
                }
                self.wrong(
                    ExpressionError::new(range, "these two can never be equal: they have no value in common")
                        .help(format!("one is one of {}; the other of {}", values.join(", "), others.join(", "))),
                )
            }
            (Type::Text | Type::TextOf(_), Type::Text | Type::TextOf(_)) => Some(()),
            (Type::Stage(feature), Type::Stage(other)) if feature == other => Some(()),
            (Type::Stage(_), Type::Stage(_)) => self.wrong(
                ExpressionError::new(range, "stages of two features have no order and are never equal")
                    .help("compare each with the name of one of its stages"),
            ),
            (Type::Stage(_), other) | (other, Type::Stage(_)) => {
                let message = format!("a stage is compared with the name of a stage, not with {}", describe(other));
                self.wrong(ExpressionError::new(range, message))
            }
            (left, right) => {
                let message = format!("{} and {} can never be equal", describe(left), describe(right));
                let error = ExpressionError::new(range, message);
                self.wrong(match (&left_typed.of, &right_typed.of) {
                    (Type::Duration, other) | (other, Type::Duration) if *other != Type::Duration => {
                        error.help("a length of time is written duration(\"30d\")")
                    }
                    (Type::Text | Type::TextOf(_), Type::Int | Type::Float) => {
                        error.help("put the number in quotes to compare it as a text")
                    }
                    (Type::Int | Type::Float, Type::Text | Type::TextOf(_)) => {
                        error.help("take the quotes away to compare it as a number")
                    }
                    _ => error,
                })
            }
        }
    }

    /// Checks that a literal text is one of the values it is compared with; other texts are known at run time only.
    fn is_value(&mut self, values: &[String], expression: &Expression) -> Option<()> {
        let Kind::Text(text) = &expression.kind else { return Some(()) };
        if values.contains(text) {
            return Some(());
        }
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let message = format!("this is never \"{text}\"");
        self.wrong(ExpressionError::new(expression.range.clone(), message).help(nearest_or_all(text, &values)))
    }

    /// The feature whose stage an expression is, if it is one and is without mistakes.
    fn stage_of(&mut self, expression: &Expression) -> Option<u16> {
        let found = match &expression.kind {
            Kind::Path(words) => {
                let path: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
                self.names.path(&path)
            }
            Kind::Call { function, args } => {
                let args: Option<Vec<&str>> = args.iter().map(text_of).collect();
                self.names.call(&function.text, &args?)
            }
            Kind::If { then, otherwise, .. } => {
                let feature = self.stage_of(then)?;
                return (self.stage_of(otherwise) == Some(feature)).then_some(feature);
            }
            _ => return None,
        };
        match found {
            Ok((_, Type::Stage(feature))) => Some(feature),
            Ok(_) | Err(_) => None,
        }
    }

    /// Whether `expression` stands for the name of a stage when compared with a stage of `feature`: a text, or a
    /// bare name. A name that is a stage of its own (`stage`) is that, unless the feature has a stage so called.
    fn names_stage(&mut self, feature: u16, expression: &Expression, stage: Option<u16>) -> bool {
        let name = self.stage_name(expression);
        name.is_some_and(|name| stage.is_none() || self.names.stages(feature).iter().any(|stage| stage.name == name))
    }

    /// The stage that an expression may name: a text, a bare name, or what was a name before its hyphens.
    fn stage_name(&self, expression: &Expression) -> Option<String> {
        match &expression.kind {
            Kind::Text(text) => Some(text.clone()),
            Kind::Path(words) if words.len() == 1 => Some(words[0].text.clone()),
            Kind::Arithmetic { .. } => Some(self.excerpt(expression).to_owned()),
            _ => None,
        }
    }

    /// `stage >= INSTANT`, and `stage in [..]` with several names: the stages for which it holds are known here.
    fn stage_with_names(
        &mut self,
        feature: u16,
        relation: Relation,
        stage: &Expression,
        names: &[&Expression],
    ) -> Option<Typed> {
        let stages = self.names.stages(feature).to_vec();
        let mut holds = vec![false; stages.len()];
        let mut complete = true;
        for expression in names {
            let Some(named) = self.named_stage(&stages, relation, expression) else {
                complete = false;
                continue;
            };
            for (stage, holds) in holds.iter_mut().enumerate() {
                *holds |= if relation.is_equality() {
                    (stage == named) == (relation == Relation::Equal)
                } else {
                    let (rank, bound) = (stages[stage].rank, stages[named].rank);
                    rank.is_some() && relation.holds(Some(rank.cmp(&bound)))
                };
            }
        }
        let term = self.typed(stage)?.node;
        if !complete {
            return None;
        }
        let set = self.code.set(holds);
        self.test(Test::StageIn { term, set })
    }

    fn named_stage(&mut self, stages: &[StageName], relation: Relation, expression: &Expression) -> Option<usize> {
        let range = expression.range.clone();
        let Some(name) = self.stage_name(expression) else {
            return self.wrong(ExpressionError::new(range, "the stages listed here are names"));
        };
        let Some(named) = stages.iter().position(|stage| stage.name == name) else {
            let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
            return self.wrong(
                ExpressionError::new(range, format!("`{name}` is not a stage of this feature"))
                    .help(nearest_or_all(&name, &names)),
            );
        };
        if matches!(expression.kind, Kind::Arithmetic { .. }) {
            return self.wrong(
                ExpressionError::new(range, format!("`{name}` without quotes is a subtraction"))
                    .help(format!("write \"{name}\"")),
            );
        }
        if !relation.is_equality() && stages[named].rank.is_none() {
            return self.wrong(
                ExpressionError::new(
                    range,
                    format!("`{name}` is off the ladder: it is neither above nor below a stage"),
                )
                .help("compare it with == or !=, or ask for a capability with can(...)"),
            );
        }
        Some(named)
    }

    /// `needle in [..]`.
    pub(super) fn one_of(&mut self, needle: &Expression, list: &Expression) -> Option<Typed> {
        let Kind::List(items) = &list.kind else {
            return self.wrong(
                ExpressionError::new(list.range.clone(), "the right side of `in` is a list")
                    .help(format!("write {} in [...]", self.excerpt(needle))),
            );
        };
        if items.is_empty() {
            return self.wrong(ExpressionError::new(list.range.clone(), "nothing is in an empty list"));
        }
        if let Some(feature) = self.stage_of(needle) {
            let names: Vec<&Expression> = items.iter().collect();
            return self.stage_with_names(feature, Relation::Equal, needle, &names);
        }
        let wanted = self.typed(needle);
        let mut nodes = Vec::with_capacity(items.len());
        for item in items {
            let typed = self.typed_like(item, wanted.as_ref());
            let (Some(wanted), Some(typed)) = (&wanted, typed) else { continue };
            let range = item.range.clone();
            if self.comparable(Relation::Equal, (needle, wanted), (item, &typed), range).is_some() {
                nodes.push(typed.node);
            }
        }
        let wanted = wanted?;
        if wanted.of == Type::Bool {
            return self.wrong(
                ExpressionError::new(needle.range.clone(), "true or false is not looked for in a list")
                    .help("write it, or its negation with !, on its own"),
            );
        }
        if nodes.len() < items.len() {
            return None;
        }
        let items = self.code.children(&nodes);
        self.test(Test::OneOf { term: wanted.node, items })
    }
}

fn text_of(expression: &Expression) -> Option<&str> {
    match &expression.kind {
        Kind::Text(text) => Some(text),
        _ => None,
    }
}

/// The commonest comparison, an attribute with a text, as a test of its own.
fn text_is(slot: SlotId, value: Value, relation: Relation) -> Option<Test> {
    match value {
        Value::Text(symbol) if relation.is_equality() => {
            Some(Test::TextIs { slot, symbol, equal: relation == Relation::Equal })
        }
        _ => None,
    }
}
