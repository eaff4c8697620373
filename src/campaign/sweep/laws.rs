//! Closed forms over response curves: which law applies to a plan, and what it says there.
//!
//! An entry holds a formula of [`theory`](crate::theory), the metric it is about, and the conditions under which it
//! holds, as a function that reads them off the plan. Where the plan does not meet them the function says nothing, and
//! nothing is drawn or claimed. The conditions are strict on purpose: a law that is nearly right is a wrong line.

mod calls;
mod fleet;
mod gate;
mod kill;
mod lag;
mod questions;
mod queue;
pub mod situation;
mod split;
mod walk;

use crate::scenario::plan::Plan;

/// What a curve shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The mean of a metric over seeds.
    Metric(String),
    /// The share of runs that violate an invariant, of those that exercise it.
    Violated(&'static str),
}

impl Subject {
    /// The metric's name or the invariant's.
    pub fn name(&self) -> &str {
        match self {
            Subject::Metric(name) => name,
            Subject::Violated(name) => name,
        }
    }
}

/// A closed form as the catalogue knows it.
#[derive(Debug)]
pub struct ClosedForm {
    /// As reports and `explain` name it.
    pub name: &'static str,
    /// The metric it is about, or the invariant whose rate of violation it is.
    pub of: &'static str,
    pub formula: &'static str,
    /// What the letters stand for, and when it holds.
    pub holds: &'static str,
    pub source: &'static str,
    /// The share of the value by which a metric may be off because of how it is measured: zero where it is exact.
    pub resolution: f64,
    /// What the law says of a plan; `None` where it does not hold.
    pub value: fn(&Plan) -> Option<f64>,
}

/// Every closed form, metric by metric. A new one is its line here, its formula in `theory`, and its test.
pub static ALL: &[&ClosedForm] = &[
    &split::HARM_OF_POLLING,
    &split::HARM_OF_PUSHED,
    &split::OF_POLLING,
    &split::OF_PUSHED,
    &split::SHARE_OF_POLLING,
    &fleet::FULL_BY_POLLING,
    &fleet::FULL_BY_PUSH,
    &fleet::WINDOW_OF_POLLING,
    &fleet::WINDOW_OF_PUSH,
    &fleet::LATE,
    &kill::LAST_DECISION,
    &questions::LOAD_OF_POLLING,
    &questions::LOAD_ON_DEMAND,
    &questions::COUNT_OF_POLLING,
    &questions::COUNT_ON_DEMAND,
    &calls::ATTEMPTS,
    &calls::FAILURES,
    &queue::MEDIAN,
    &queue::P99,
    &lag::AT_STEP,
    &gate::COMPLETED,
    &gate::TAKEN_BACK,
];

/// The first of these laws that holds for a plan, with what it says.
pub fn applies(laws: &[&'static ClosedForm], of: &str, plan: &Plan) -> Option<(&'static ClosedForm, f64)> {
    let about = laws.iter().filter(|law| law.of == of);
    about.filter_map(|law| Some((*law, (law.value)(plan)?))).find(|(_, value)| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::metric;

    #[test]
    fn every_closed_form_has_a_name_of_its_own_and_is_about_something_that_is_measured() {
        for (at, law) in ALL.iter().enumerate() {
            assert!(ALL[..at].iter().all(|other| other.name != law.name), "{}", law.name);
            assert!(
                metric::named(law.of).is_some() || crate::invariants::named(law.of).is_some(),
                "{} is about nothing that is measured",
                law.name
            );
            assert!(!law.formula.is_empty() && !law.source.is_empty() && law.holds.len() > 30, "{}", law.name);
        }
    }
}
