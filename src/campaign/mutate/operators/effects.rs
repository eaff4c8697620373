//! Effects that happen twice, or are never undone, and calls that are not tried again.

use super::{Mutant, Operator, each_service, or_none};
use crate::models::estate::Estate;
use crate::models::program::{Action, DualWriteSite, EffectSite, OnceBy, OperationId};
use crate::scenario::plan::Plan;

pub static NO_IDEMPOTENCY_KEY: Operator = Operator {
    name: "no-idempotency-key",
    sentence: "An effect that happens once for each key has a key made anew with each attempt: retries are not recognised.",
    mutants: |plan| {
        let keyed = |site: &EffectSite| site.once_by.is_some_and(|by| by != OnceBy::Attempt);
        each_effect(plan, "no effect has an idempotency key", keyed, "once by each attempt", |site| {
            site.once_by = Some(OnceBy::Attempt);
        })
    },
};

pub static DROP_COMPENSATION: Operator = Operator {
    name: "drop-compensation",
    sentence: "The operations that should undo an effect do not.",
    mutants: |plan| {
        let undone = |action: &Action| if let Action::Compensate { effect } = action { Some(*effect) } else { None };
        let mut effects: Vec<u16> = actions(&plan.estate).filter_map(|(_, action)| undone(action)).collect();
        effects.sort_unstable();
        effects.dedup();
        let mutant = |effect: u16| {
            let name = plan.estate.effects.text(effect).to_owned();
            Mutant::of(plan, name, "nothing undoes it", |estate| {
                each_action(estate, |action| {
                    if undone(action) == Some(effect) {
                        *action = Action::Ignore;
                    }
                });
            })
        };
        or_none(effects.into_iter().map(mutant).collect(), "no operation undoes an effect")
    },
};

pub static DROP_COMPENSATION_JOB: Operator = Operator {
    name: "drop-compensation-job",
    sentence: "Nobody goes through what a retreat leaves and undoes it.",
    mutants: |plan| {
        let jobs = plan.estate.sweeps.iter().enumerate();
        let mutants = jobs.map(|(at, job)| {
            Mutant::of(plan, job.name.clone(), "the job undoes nothing", |estate| estate.sweeps[at].effects.clear())
        });
        or_none(mutants.collect(), "no job undoes what a retreat leaves")
    },
};

pub static NO_SAGA_TIMEOUT: Operator = Operator {
    name: "no-saga-timeout",
    sentence: "A service's sagas wait for ever: what does not come to an end is never given up.",
    mutants: |plan| {
        each_service(plan, "no saga has a timeout", |_, _, service| {
            let saga = service.saga.as_mut()?;
            (!std::mem::take(&mut saga.timeouts).is_empty()).then(|| "its sagas have no timeout".to_owned())
        })
    },
};

pub static NO_RETRIES: Operator = Operator {
    name: "no-retries",
    sentence: "A call that is tried again when it fails is made once.",
    mutants: |plan| {
        let estate = &*plan.estate;
        let mut called: Vec<OperationId> = actions(estate).filter_map(|(_, action)| retried(action)).collect();
        called.sort_unstable();
        called.dedup();
        let mutant = |operation: OperationId| {
            let of = &estate.operations[operation];
            let place = format!("{}.{}", estate.services[of.service].name, of.name);
            Mutant::of(plan, place, "its calls are not retried", |estate| {
                each_action(estate, |action| {
                    if let Action::Call(site) = action
                        && site.operation == operation
                    {
                        site.retries = 0;
                    }
                });
            })
        };
        or_none(called.into_iter().map(mutant).collect(), "no call is retried")
    },
};

/// The operation of a call that is tried again.
fn retried(action: &Action) -> Option<OperationId> {
    if let Action::Call(site) = action { (site.retries > 0).then_some(site.operation) } else { None }
}

/// Every action of every rule, with its operation.
pub(super) fn actions(estate: &Estate) -> impl Iterator<Item = (OperationId, &Action)> {
    estate.operations.enumerate().flat_map(|(id, operation)| {
        operation.rules.iter().flat_map(|rule| &rule.actions).map(move |action| (id, action))
    })
}

/// Changes every action of every rule.
pub(super) fn each_action(estate: &mut Estate, mut change: impl FnMut(&mut Action)) {
    for operation in estate.operations.iter_mut() {
        operation.rules.iter_mut().flat_map(|rule| &mut rule.actions).for_each(&mut change);
    }
}

/// A mutant for each effect, by its name, of which some site is so.
fn each_effect(
    plan: &Plan,
    none: &'static str,
    wanted: impl Fn(&EffectSite) -> bool,
    told: &str,
    change: impl Fn(&mut EffectSite),
) -> Result<Vec<Mutant>, &'static str> {
    let sites = actions(&plan.estate).filter_map(|(_, action)| action.effect());
    let mut effects: Vec<u16> = sites.filter(|site| wanted(site)).map(|site| site.effect).collect();
    effects.sort_unstable();
    effects.dedup();
    let mutant = |effect: u16| {
        Mutant::of(plan, plan.estate.effects.text(effect), told, |estate| {
            each_action(estate, |action| {
                if let Action::Effect(site) | Action::DualWrite(DualWriteSite { effect: site, .. }) = action
                    && site.effect == effect
                    && wanted(site)
                {
                    change(site);
                }
            });
        })
    };
    or_none(effects.into_iter().map(mutant).collect(), none)
}
