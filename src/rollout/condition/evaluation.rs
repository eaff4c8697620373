//! The evaluation of a compiled condition for one subject.

use std::cmp::Ordering;

use super::code::{Arithmetic, Code, Relation, Search, Term, Test};
use super::{ConditionFault, SlotId, Slots, Symbol, Value};

/// One condition being decided for one subject. A node is never deeper than the compiler's bound, so the
/// recursion is bounded too.
pub(super) struct Evaluation<'c, S> {
    code: &'c Code,
    slots: &'c mut S,
}

impl<'c, S: Slots> Evaluation<'c, S> {
    pub(super) fn new(code: &'c Code, slots: &'c mut S) -> Self {
        Evaluation { code, slots }
    }

    pub(super) fn test(&mut self, node: u16) -> Result<bool, ConditionFault> {
        let code = self.code;
        match code.tests[node as usize] {
            Test::Constant(value) => Ok(value),
            Test::Slot(slot) => Ok(as_bool(self.slot(slot)?)),
            Test::Has(slot) => Ok(self.slots.value(slot) != Value::Missing),
            Test::Can { feature, capability } => Ok(self.slots.can(feature, capability)),
            Test::Not(of) => Ok(!self.test(of)?),
            Test::All(children) => self.chain(code.listed(children), false),
            Test::Any(children) => self.chain(code.listed(children), true),
            Test::If { when, then, otherwise } => {
                let branch = if self.test(when)? { then } else { otherwise };
                self.test(branch)
            }
            Test::CompareTests { relation, left, right } => {
                let (left, right) = (self.test(left)?, self.test(right)?);
                Ok(relation.holds(Some(left.cmp(&right))))
            }
            Test::Compare { relation, left, right } => {
                let (left, right) = (self.term(left)?, self.term(right)?);
                Ok(self.compare(relation, left, right))
            }
            Test::TextIs { slot, symbol, equal } => Ok((as_text(self.slot(slot)?) == symbol) == equal),
            Test::OneOf { term, items } => self.one_of(term, code.listed(items)),
            Test::StageIn { term, set } => Ok(code.sets[set as usize][as_stage(self.term(term)?)]),
            Test::CompareStages { relation, left, right, ranks } => {
                let (left, right) = (as_stage(self.term(left)?), as_stage(self.term(right)?));
                if relation.is_equality() {
                    return Ok((left == right) == (relation == Relation::Equal));
                }
                // Off the ladder there is no order, and no comparison by order holds.
                let ranks = &code.ranks[ranks as usize];
                let (Some(left), Some(right)) = (ranks[left], ranks[right]) else { return Ok(false) };
                Ok(relation.holds(Some(left.cmp(&right))))
            }
            Test::Find { search, within, what } => {
                let (within, what) = (as_text(self.term(within)?), as_text(self.term(what)?));
                let (within, what) = (self.slots.symbols().text(within), self.slots.symbols().text(what));
                Ok(match search {
                    Search::Start => within.starts_with(what),
                    Search::End => within.ends_with(what),
                    Search::Anywhere => within.contains(what),
                })
            }
        }
    }

    /// `&&` and `||`: the first part that is `deciding` decides, whatever faults stand before it.
    fn chain(&mut self, parts: &[u16], deciding: bool) -> Result<bool, ConditionFault> {
        let mut fault = None;
        for &part in parts {
            match self.test(part) {
                Ok(value) if value == deciding => return Ok(deciding),
                Ok(_) => {}
                Err(first) => fault = fault.or(Some(first)),
            }
        }
        fault.map_or(Ok(!deciding), Err)
    }

    /// `in`: as in CEL the whole list is evaluated, so a fault in it is one even after a match.
    fn one_of(&mut self, term: u16, items: &[u16]) -> Result<bool, ConditionFault> {
        let wanted = self.term(term)?;
        let mut found = false;
        for &item in items {
            let item = self.term(item)?;
            found |= self.compare(Relation::Equal, wanted, item);
        }
        Ok(found)
    }

    fn term(&mut self, node: u16) -> Result<Value, ConditionFault> {
        match self.code.terms[node as usize] {
            Term::Constant(value) => Ok(value),
            Term::Slot(slot) => self.slot(slot),
            Term::Negate(of) => match self.term(of)? {
                Value::Int(of) => of.checked_neg().map(Value::Int).ok_or(ConditionFault::Overflow),
                of => Ok(Value::Float(-as_float(of))),
            },
            Term::Arithmetic { operation, left, right } => {
                let (left, right) = (self.term(left)?, self.term(right)?);
                calculate(operation, left, right)
            }
            Term::If { when, then, otherwise } => {
                let branch = if self.test(when)? { then } else { otherwise };
                self.term(branch)
            }
            Term::Size(of) => {
                let text = as_text(self.term(of)?);
                Ok(Value::Int(self.slots.symbols().text(text).chars().count() as i64))
            }
        }
    }

    fn slot(&mut self, slot: SlotId) -> Result<Value, ConditionFault> {
        match self.slots.value(slot) {
            Value::Missing => Err(ConditionFault::Missing(slot)),
            value => Ok(value),
        }
    }

    fn compare(&self, relation: Relation, left: Value, right: Value) -> bool {
        let ordering = match (left, right) {
            (Value::Int(left), Value::Int(right)) => Some(left.cmp(&right)),
            (Value::Float(left), Value::Float(right)) => left.partial_cmp(&right),
            (Value::Int(left), Value::Float(right)) => order(left, right),
            (Value::Float(left), Value::Int(right)) => order(right, left).map(Ordering::reverse),
            (left, right) => {
                let (left, right) = (as_text(left), as_text(right));
                if relation.is_equality() {
                    return (left == right) == (relation == Relation::Equal);
                }
                let symbols = self.slots.symbols();
                Some(symbols.text(left).cmp(symbols.text(right)))
            }
        };
        relation.holds(ordering)
    }
}

fn calculate(operation: Arithmetic, left: Value, right: Value) -> Result<Value, ConditionFault> {
    let (Value::Int(left), Value::Int(right)) = (left, right) else {
        let (left, right) = (as_float(left), as_float(right));
        return Ok(Value::Float(match operation {
            Arithmetic::Add => left + right,
            Arithmetic::Subtract => left - right,
            Arithmetic::Multiply => left * right,
            Arithmetic::Divide => left / right,
            Arithmetic::Remainder => unreachable!("the compiler takes a remainder of integers only"),
        }));
    };
    if right == 0 && matches!(operation, Arithmetic::Divide | Arithmetic::Remainder) {
        return Err(ConditionFault::DivisionByZero);
    }
    let result = match operation {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Divide => left.checked_div(right),
        Arithmetic::Remainder => left.checked_rem(right),
    };
    result.map(Value::Int).ok_or(ConditionFault::Overflow)
}

/// The order of an integer and a float on one number line, exact beyond 2^53 too.
fn order(int: i64, float: f64) -> Option<Ordering> {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float >= TWO_TO_63 {
        return Some(Ordering::Less);
    }
    if float < -TWO_TO_63 {
        return Some(Ordering::Greater);
    }
    let whole = float as i64;
    int.cmp(&whole).then_with(|| (whole as f64).total_cmp(&(float + 0.0))).into()
}

fn as_bool(value: Value) -> bool {
    let Value::Bool(value) = value else { panic!("a slot compiled as a bool holds one, not {value:?}") };
    value
}

fn as_float(value: Value) -> f64 {
    let Value::Float(value) = value else { panic!("a slot compiled as a float holds one, not {value:?}") };
    value
}

fn as_text(value: Value) -> Symbol {
    let Value::Text(value) = value else { panic!("a slot compiled as a text holds one, not {value:?}") };
    value
}

fn as_stage(value: Value) -> usize {
    let Value::Stage { stage, .. } = value else { panic!("a slot compiled as a stage holds one, not {value:?}") };
    stage as usize
}
