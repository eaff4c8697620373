//! The nodes of a compiled condition: what the compiler writes and the evaluation reads.

use std::cmp::Ordering;

use super::{SlotId, Symbol, Value};

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    Different,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Relation {
    /// Whether the relation holds for two values so ordered; values without an order (NaN) are merely different.
    pub(crate) fn holds(self, ordering: Option<Ordering>) -> bool {
        match self {
            Relation::Equal => ordering == Some(Ordering::Equal),
            Relation::Different => ordering != Some(Ordering::Equal),
            Relation::Less => ordering == Some(Ordering::Less),
            Relation::AtMost => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
            Relation::Greater => ordering == Some(Ordering::Greater),
            Relation::AtLeast => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        }
    }

    /// The relation as seen from the other side.
    pub(crate) fn mirrored(self) -> Relation {
        match self {
            Relation::Equal => Relation::Equal,
            Relation::Different => Relation::Different,
            Relation::Less => Relation::Greater,
            Relation::AtMost => Relation::AtLeast,
            Relation::Greater => Relation::Less,
            Relation::AtLeast => Relation::AtMost,
        }
    }

    /// Whether the relation asks for equality only, not for order.
    pub(crate) fn is_equality(self) -> bool {
        matches!(self, Relation::Equal | Relation::Different)
    }
}

/// An operation on two numbers of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// Where one text is looked for in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    Start,
    End,
    Anywhere,
}

/// A run of entries in [`Code::children`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Children {
    first: u16,
    count: u16,
}

/// A node that is true or false. Fields named `left`, `when` and the like are indices of other nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Test {
    Constant(bool),
    Slot(SlotId),
    Has(SlotId),
    Can { feature: u16, capability: u16 },
    Not(u16),
    All(Children),
    Any(Children),
    If { when: u16, then: u16, otherwise: u16 },
    CompareTests { relation: Relation, left: u16, right: u16 },
    Compare { relation: Relation, left: u16, right: u16 },
    TextIs { slot: SlotId, symbol: Symbol, equal: bool },
    OneOf { term: u16, items: Children },
    StageIn { term: u16, set: u16 },
    CompareStages { relation: Relation, left: u16, right: u16, ranks: u16 },
    Find { search: Search, within: u16, what: u16 },
}

/// A node that is a number, a text or a stage.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Term {
    Constant(Value),
    Slot(SlotId),
    Negate(u16),
    Arithmetic { operation: Arithmetic, left: u16, right: u16 },
    If { when: u16, then: u16, otherwise: u16 },
    Size(u16),
}

/// The nodes of one condition; a node only refers to nodes made before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Code {
    pub(super) tests: Vec<Test>,
    pub(super) terms: Vec<Term>,
    children: Vec<u16>,
    /// For each comparison of a stage with constants: the stages of the feature for which it holds.
    pub(super) sets: Vec<Box<[bool]>>,
    /// For each comparison of two stages by order: the rank of each stage of the feature.
    pub(super) ranks: Vec<Box<[Option<u16>]>>,
}

fn index(length: usize) -> u16 {
    u16::try_from(length).expect("a condition of bounded length has fewer than 2^16 nodes")
}

impl Code {
    pub(crate) fn test(&mut self, test: Test) -> u16 {
        self.tests.push(test);
        index(self.tests.len() - 1)
    }

    pub(crate) fn term(&mut self, term: Term) -> u16 {
        self.terms.push(term);
        index(self.terms.len() - 1)
    }

    pub(crate) fn children(&mut self, nodes: &[u16]) -> Children {
        let first = index(self.children.len());
        self.children.extend_from_slice(nodes);
        Children { first, count: index(nodes.len()) }
    }

    pub(crate) fn set(&mut self, holds: Vec<bool>) -> u16 {
        self.sets.push(holds.into());
        index(self.sets.len() - 1)
    }

    pub(crate) fn ranks(&mut self, ranks: Vec<Option<u16>>) -> u16 {
        self.ranks.push(ranks.into());
        index(self.ranks.len() - 1)
    }

    pub(crate) fn term_at(&self, node: u16) -> Term {
        self.terms[node as usize]
    }

    pub(super) fn listed(&self, children: Children) -> &[u16] {
        let first = children.first as usize;
        &self.children[first..first + children.count as usize]
    }
}
