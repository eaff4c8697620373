//! The catalogue of ways to break an estate on purpose.
//!
//! An operator changes one thing at one place of a resolved plan, as a slip in configuration or code would: what the plan
//! promises (contracts, bounds, expectations) stays as it is. It says where it applies, or why nowhere.

mod caches;
mod code;
mod context;
mod effects;
mod events;
mod guards;
mod kills;

use crate::models::estate::{Estate, Part, Service, ServiceId};
use crate::scenario::plan::Plan;
use std::sync::Arc;

/// A way to break an estate.
pub struct Operator {
    /// As reports and `--only` name it.
    pub name: &'static str,
    /// The sentence that `explain` prints: what somebody did, or did not do.
    pub sentence: &'static str,
    /// A mutant for each place at which it applies, or why there is none.
    pub mutants: fn(&Plan) -> Result<Vec<Mutant>, &'static str>,
}

/// A plan with one thing broken.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Where: a service, an entry of the timeline, an effect; empty where there is but one place.
    pub place: String,
    /// What was changed, with the numbers.
    pub change: String,
    pub plan: Plan,
}

/// Every operator, in the order in which reports show them.
pub static ALL: &[&Operator] = &[
    &kills::DROP_KILL,
    &kills::NO_INVALIDATION,
    &kills::IGNORE_KILL_CHANNEL,
    &kills::DROP_LOCAL_SWITCH,
    &context::IGNORE_CONTEXT,
    &context::IGNORE_EVENT_CONTEXT,
    &context::FORGET_DECISION,
    &context::STRIP_CONTEXT,
    &context::NO_EDGE,
    &context::CARRY_FOREVER,
    &caches::ANOTHER_SALT,
    &caches::WRONG_ENVIRONMENT,
    &caches::SLOW_CACHE,
    &caches::FROZEN_CACHE,
    &caches::LOSE_PERSISTENCE,
    &caches::NO_STALENESS_ALERT,
    &caches::FAIL_OPEN,
    &caches::FAIL_CLOSED,
    &guards::SKIP_GATE,
    &guards::SKIP_APPROVAL,
    &guards::SKIP_READINESS,
    &guards::ALL_AT_ONCE,
    &guards::DEAF_ALERT,
    &guards::SLOW_TEAM,
    &events::STRIP_EVENT,
    &events::MISUNDERSTAND,
    &events::COMMIT_EARLY,
    &events::DROP_DEPLOY,
    &effects::NO_IDEMPOTENCY_KEY,
    &effects::DROP_COMPENSATION,
    &effects::DROP_COMPENSATION_JOB,
    &effects::NO_SAGA_TIMEOUT,
    &effects::NO_RETRIES,
    &code::OLD_PATH,
    &code::EARLY_STAGE,
    &code::FORGET_MARK,
    &code::FORGET_STATUS,
    &code::NEW_PATH_FAILS,
    &code::NEW_PATH_CORRUPTS,
];

/// The operator of a name.
pub fn named(name: &str) -> Option<&'static Operator> {
    ALL.iter().copied().find(|operator| operator.name == name)
}

impl Mutant {
    /// A plan whose estate was changed.
    fn of(plan: &Plan, place: impl Into<String>, change: impl Into<String>, apply: impl FnOnce(&mut Estate)) -> Mutant {
        let mut estate = (*plan.estate).clone();
        apply(&mut estate);
        let plan = Plan { estate: Arc::new(estate), ..plan.clone() };
        Mutant { place: place.into(), change: change.into(), plan }
    }
}

/// All of them, or why there is none.
fn or_none(mutants: Vec<Mutant>, why: &'static str) -> Result<Vec<Mutant>, &'static str> {
    if mutants.is_empty() { Err(why) } else { Ok(mutants) }
}

/// A mutant for each service of ours in which there is something to change; `change` says what, and changes it.
fn each_service(
    plan: &Plan,
    none: &'static str,
    change: impl Fn(&Estate, ServiceId, &mut Service) -> Option<String>,
) -> Result<Vec<Mutant>, &'static str> {
    let estate = &*plan.estate;
    let mutant = |(id, service): (ServiceId, &Service)| {
        let mut changed = service.clone();
        let told = change(estate, id, &mut changed).filter(|_| !service.external && service.part != Part::Client)?;
        Some(Mutant::of(plan, service.name.clone(), told, |estate| estate.services[id] = changed))
    };
    or_none(estate.services.enumerate().filter_map(mutant).collect(), none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_have_different_names_in_kebab_case_and_a_sentence() {
        for (at, operator) in ALL.iter().enumerate() {
            assert!(ALL[..at].iter().all(|other| other.name != operator.name), "{}", operator.name);
            assert!(operator.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", operator.name);
            assert!(operator.sentence.len() > 30, "{}", operator.name);
            assert!(named(operator.name).is_some());
        }
    }
}
