//! A condition in its compiled form, and its evaluation.
//!
//! Conditions are written in a typed subset of CEL and compiled once, when a file is read
//! (`scenario::expression`). What is left here has no names in it: slots, symbols and tables. It evaluates
//! without allocating, and compares texts as symbols wherever it asks for equality only. What a slot means is
//! known to whoever compiled the condition, and nothing here can be of the wrong type.

pub(crate) mod code;
mod evaluation;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use code::{Code, Test};
use evaluation::Evaluation;

/// One interned text: equal texts are equal symbols of the same [`Symbols`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(pub u32);

/// The texts that conditions compare, each once. Symbols are numbered in the order of their first mention.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    texts: Vec<Arc<str>>,
    by_text: BTreeMap<Arc<str>, Symbol>,
}

impl Symbols {
    /// The symbol of `text`, which is given one if it has none yet.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if let Some(symbol) = self.get(text) {
            return symbol;
        }
        let symbol = Symbol(u32::try_from(self.texts.len()).expect("fewer than 2^32 different texts"));
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.by_text.insert(text, symbol);
        symbol
    }

    /// The symbol of `text`, if it has one.
    pub fn get(&self, text: &str) -> Option<Symbol> {
        self.by_text.get(text).copied()
    }

    /// The text of a symbol that was interned here.
    pub fn text(&self, symbol: Symbol) -> &str {
        &self.texts[symbol.0 as usize]
    }
}

/// What a slot holds at the moment it is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Symbol),
    Stage {
        feature: u16,
        stage: u16,
    },
    /// An attribute that this subject does not have.
    Missing,
}

/// What a condition may ask for. Its meaning belongs to whoever compiled the condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub u16);

/// Answers what a condition asks.
///
/// Questions are lazy: they are put in evaluation order, from left to right, and only where the answer is
/// needed (`&&`, `||` and `?:` stop early). A slot mentioned twice may be asked twice.
pub trait Slots {
    /// What `slot` holds: a value of the type it was compiled with, or [`Value::Missing`].
    fn value(&mut self, slot: SlotId) -> Value;
    /// Whether the subject's stage of `feature` grants `capability`.
    fn can(&mut self, feature: u16, capability: u16) -> bool;
    /// The texts behind the symbols: those the condition was compiled with, perhaps with more added.
    fn symbols(&self) -> &Symbols;
}

/// Why a condition has no answer. As in CEL, `false && fault` is false and `true || fault` is true, in either order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionFault {
    /// Integer arithmetic went beyond 64 bits.
    Overflow,
    /// An integer was divided by zero.
    DivisionByZero,
    /// The condition used an attribute that the subject does not have.
    Missing(SlotId),
}

impl fmt::Display for ConditionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ConditionFault::Overflow => "the arithmetic of the condition leaves the range of a 64-bit integer",
            ConditionFault::DivisionByZero => "the condition divides by zero",
            ConditionFault::Missing(_) => "the condition uses an attribute that the subject does not have",
        })
    }
}

impl std::error::Error for ConditionFault {}

/// Decides which subjects, requests or moments something is for. Compiled, so it cannot be ill-typed and cannot
/// name what does not exist; the same answers give the same result.
#[derive(Clone, Debug)]
pub struct Condition {
    source: Box<str>,
    code: Code,
    root: u16,
    slots: Box<[SlotId]>,
    capabilities: Box<[(u16, u16)]>,
}

impl Condition {
    pub(crate) fn new(
        source: &str,
        code: Code,
        root: u16,
        slots: Box<[SlotId]>,
        capabilities: Box<[(u16, u16)]>,
    ) -> Self {
        Condition { source: source.into(), code, root, slots, capabilities }
    }

    /// The condition that holds for everything.
    pub fn always() -> Condition {
        let mut code = Code::default();
        let root = code.test(Test::Constant(true));
        Condition::new("true", code, root, Box::default(), Box::default())
    }

    /// Whether the condition holds for what `slots` answers.
    pub fn eval(&self, slots: &mut impl Slots) -> Result<bool, ConditionFault> {
        Evaluation::new(&self.code, slots).test(self.root)
    }

    /// Every slot the condition can read, once, in the order of their ids.
    pub fn slots(&self) -> impl Iterator<Item = SlotId> + '_ {
        self.slots.iter().copied()
    }

    /// Every (feature, capability) the condition can ask about, once, in order.
    pub fn capabilities(&self) -> impl Iterator<Item = (u16, u16)> + '_ {
        self.capabilities.iter().copied()
    }

    /// The condition as it was written, for stories.
    pub fn source(&self) -> &str {
        &self.source
    }
}
