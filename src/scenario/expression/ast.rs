//! The tree of a condition as it is written, before names mean anything.

use std::ops::Range;

use crate::rollout::condition::code::{Arithmetic, Relation};

/// An expression and where it stands in the text.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
    /// How many expressions deep it is, itself included.
    pub(super) depth: usize,
}

/// A word and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) range: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Expression>),
    /// `tenant.segment`; a bare name is a path of one.
    Path(Vec<Word>),
    Call {
        function: Word,
        args: Vec<Expression>,
    },
    Method {
        target: Box<Expression>,
        method: Word,
        args: Vec<Expression>,
    },
    Not(Box<Expression>),
    Negate(Box<Expression>),
    /// `a && b && c`, however many: a chain is one level deep.
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Arithmetic {
        operation: Arithmetic,
        left: Box<Expression>,
        right: Box<Expression>,
    },
    Compare {
        relation: Relation,
        left: Box<Expression>,
        right: Box<Expression>,
    },
    In {
        needle: Box<Expression>,
        list: Box<Expression>,
    },
    If {
        when: Box<Expression>,
        then: Box<Expression>,
        otherwise: Box<Expression>,
    },
}

impl Expression {
    pub(super) fn new(kind: Kind, range: Range<usize>) -> Expression {
        let below = match &kind {
            Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) | Kind::Text(_) | Kind::Path(_) => 0,
            Kind::List(parts) | Kind::All(parts) | Kind::Any(parts) | Kind::Call { args: parts, .. } => deepest(parts),
            Kind::Method { target, args, .. } => target.depth.max(deepest(args)),
            Kind::Not(of) | Kind::Negate(of) => of.depth,
            Kind::Arithmetic { left, right, .. } | Kind::Compare { left, right, .. } => left.depth.max(right.depth),
            Kind::In { needle, list } => needle.depth.max(list.depth),
            Kind::If { when, then, otherwise } => when.depth.max(then.depth).max(otherwise.depth),
        };
        Expression { kind, range, depth: below + 1 }
    }

    /// The one word of a bare name.
    pub(super) fn bare_name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Path(words) if words.len() == 1 => Some(&words[0].text),
            _ => None,
        }
    }
}

fn deepest(parts: &[Expression]) -> usize {
    parts.iter().map(|part| part.depth).max().unwrap_or(0)
}
