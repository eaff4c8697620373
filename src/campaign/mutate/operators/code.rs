//! Code that does not do what the stage says.

use super::{Mutant, Operator, or_none};
use crate::models::defect::{Defect, Harm};
use crate::models::estate::{CodeVersion, Estate, PATH_NEW, PATH_OLD, ServiceId};
use crate::models::program::{Action, Operation, OperationId, RuleWhen};
use crate::rollout::{FeatureId, StageId};
use crate::scenario::plan::Plan;
use crate::units::Share;

pub static OLD_PATH: Operator = Operator {
    name: "old-path",
    sentence: "An operation goes on along the old path at every stage: one context was not adapted.",
    mutants: |plan| {
        let is_new = |path: Option<u16>| path.is_some_and(|path| path != PATH_OLD);
        let adapted = |operation: &Operation| operation.rules.iter().any(|rule| is_new(rule.path));
        each_operation(plan, "no operation has a new path", adapted, "all its rules are on the old path", |operation| {
            operation.rules.iter_mut().filter(|rule| is_new(rule.path)).for_each(|rule| rule.path = Some(PATH_OLD));
        })
    },
};

pub static EARLY_STAGE: Operator = Operator {
    name: "early-stage",
    sentence: "An operation does at every stage above the initial one what it should do at the last one only.",
    mutants: |plan| {
        let estate = &*plan.estate;
        let mutant = |(id, operation): (OperationId, &Operation)| {
            let (last, earlier) = last_row(estate, operation)?;
            let stages: Vec<&str> =
                earlier.iter().map(|(feature, stage)| estate.features[*feature].stage_name(*stage)).collect();
            let change = format!("it does at {} what it does at the last stage", stages.join(", "));
            Some(Mutant::of(plan, told(estate, id), change, |estate| {
                for (at, rule) in estate.operations[id].rules.iter_mut().enumerate() {
                    if let RuleWhen::Stages { feature, stages } = &mut rule.when {
                        let moved = |stage: &StageId| earlier.contains(&(*feature, *stage));
                        if at == last {
                            stages.extend(earlier.iter().map(|(_, stage)| *stage));
                        } else {
                            stages.retain(|stage| !moved(stage));
                        }
                    }
                }
            }))
        };
        let mutants = estate.operations.enumerate().filter_map(mutant).collect();
        or_none(mutants, "no operation tells stages above the initial one apart")
    },
};

pub static FORGET_MARK: Operator = Operator {
    name: "forget-mark",
    sentence: "A context does not take notice of a business moment.",
    mutants: |plan| {
        let marks = |action: &Action| matches!(action, Action::Mark { .. });
        each_operation_with(plan, "no operation marks a moment", marks, "it marks no moment")
    },
};

pub static FORGET_STATUS: Operator = Operator {
    name: "forget-status",
    sentence: "An operation does not move its aggregate on.",
    mutants: |plan| {
        let sets = |action: &Action| matches!(action, Action::Set { .. });
        each_operation_with(plan, "no operation sets a status", sets, "it sets no status")
    },
};

pub static NEW_PATH_FAILS: Operator = Operator {
    name: "new-path-fails",
    sentence: "The new path of a service fails for one of five customers.",
    mutants: |plan| {
        each_new_path(plan, "fails for 20% on the new path", Harm::Fails(Share::new(0.2).expect("a share")))
    },
};

pub static NEW_PATH_CORRUPTS: Operator = Operator {
    name: "new-path-corrupts",
    sentence: "The new path of a service writes wrong results for one of five customers.",
    mutants: |plan| {
        each_new_path(
            plan,
            "writes wrong results for 20% on the new path",
            Harm::Corrupts(Share::new(0.2).expect("a share")),
        )
    },
};

/// `service.operation`.
fn told(estate: &Estate, id: OperationId) -> String {
    let operation = &estate.operations[id];
    format!("{}.{}", estate.services[operation.service].name, operation.name)
}

/// The row of the highest stage in a matrix of stages, and the stages between it and the initial one that have rows of
/// their own; `None` where there are none.
fn last_row(estate: &Estate, operation: &Operation) -> Option<(usize, Vec<(FeatureId, StageId)>)> {
    let rows = operation.rules.iter().enumerate().filter_map(|(at, rule)| match &rule.when {
        RuleWhen::Stages { feature, stages } => Some((at, *feature, stages)),
        RuleWhen::Always | RuleWhen::Condition(_) => None,
    });
    let ranked: Vec<(u16, usize, FeatureId, StageId)> = rows
        .flat_map(|(at, feature, stages)| stages.iter().map(move |stage| (at, feature, *stage)))
        .filter_map(|(at, feature, stage)| {
            Some((estate.features[feature].stages[stage.index()].rank?, at, feature, stage))
        })
        .collect();
    let (_, last, of, _) = ranked.iter().max_by_key(|(rank, ..)| *rank)?;
    let initial = estate.features[*of].stages[estate.features[*of].initial_stage.index()].rank;
    let between = ranked.iter().filter(|(rank, at, feature, _)| feature == of && at != last && Some(*rank) > initial);
    let earlier: Vec<(FeatureId, StageId)> = between.map(|(_, _, feature, stage)| (*feature, *stage)).collect();
    (!earlier.is_empty()).then_some((*last, earlier))
}

fn each_operation(
    plan: &Plan,
    none: &'static str,
    wanted: impl Fn(&Operation) -> bool,
    change_told: &str,
    change: impl Fn(&mut Operation),
) -> Result<Vec<Mutant>, &'static str> {
    let estate = &*plan.estate;
    let found = estate.operations.enumerate().filter(|(_, operation)| wanted(operation));
    let mutant = |(id, _): (OperationId, &Operation)| {
        Mutant::of(plan, told(estate, id), change_told, |estate| change(&mut estate.operations[id]))
    };
    or_none(found.map(mutant).collect(), none)
}

/// A mutant for each operation with such an action: it does not do it.
fn each_operation_with(
    plan: &Plan,
    none: &'static str,
    wanted: fn(&Action) -> bool,
    change_told: &str,
) -> Result<Vec<Mutant>, &'static str> {
    let has = |operation: &Operation| operation.rules.iter().flat_map(|rule| &rule.actions).any(wanted);
    each_operation(plan, none, has, change_told, |operation| {
        let all = operation.rules.iter_mut().flat_map(|rule| &mut rule.actions);
        all.filter(|action| wanted(action)).for_each(|action| *action = Action::Ignore);
    })
}

/// A mutant for each service that makes effects on the path `new`: all its code has a defect there.
fn each_new_path(plan: &Plan, change_told: &str, harm: Harm) -> Result<Vec<Mutant>, &'static str> {
    let estate = &*plan.estate;
    let makes = |id: ServiceId| {
        let operations = estate.operations.iter().filter(|operation| operation.service == id);
        operations
            .flat_map(|operation| &operation.rules)
            .any(|rule| rule.path == Some(PATH_NEW) && rule.actions.iter().any(|action| action.effect().is_some()))
    };
    let mutant = |id: ServiceId| {
        Mutant::of(plan, estate.services[id].name.clone(), change_told, |estate| {
            let service = &mut estate.services[id];
            service.defective = true;
            if service.codes.is_empty() {
                service.codes.push(CodeVersion { number: service.initial_code, ..CodeVersion::default() });
            }
            let defect = Defect { harm, path: Some(PATH_NEW), when: None };
            service.codes.iter_mut().for_each(|code| code.defects.push(defect.clone()));
        })
    };
    or_none(
        estate.services.ids().filter(|id| makes(*id)).map(mutant).collect(),
        "no service makes effects on a new path",
    )
}
