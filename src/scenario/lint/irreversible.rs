//! Effects that cannot be undone, before the rollout means them.

use super::Lint;
use super::behaviour::{codes_of, rules_at, stages_of};
use super::schedule::first_at;
use super::subject::Subject;
use crate::models::estate::PATH_OLD;
use crate::models::program::OperationId;
use crate::rollout::{FeatureId, StageId};
use crate::scenario::problem::Problem;

pub static LINT: Lint = Lint {
    code: "WT007",
    name: "irreversible-without-compensator",
    sentence: "the new path does something that cannot be undone, at a stage before the feature's `commit_stage`, \
               without a compensator",
    reason: "a rollout that is taken back leaves these behind, and nobody can say which they are",
    repair: "name what compensates it (`compensated_by:`), keep it on the old path until the commit stage, or name the \
             stage from which it is intended (`commit_stage:`)",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Vec<Problem>) {
    for id in subject.operations() {
        for feature in &subject.estate.operations[id].may_read {
            effects(subject, id, *feature, found);
        }
    }
}

fn effects(subject: &Subject<'_>, id: OperationId, feature: FeatureId, found: &mut Vec<Problem>) {
    let estate = subject.estate;
    let operation = &estate.operations[id];
    let of = &estate.features[feature];
    let committed = |stage: StageId| of.commit_stage.is_some_and(|commit| of.at_or_after(stage, commit));
    let mut told: Vec<usize> = Vec::new();
    for stage in stages_of(estate, feature).filter(|stage| !committed(*stage)) {
        if first_at(estate, feature, stage).is_none() {
            continue;
        }
        for code in codes_of(estate, operation) {
            for rule in rules_at(estate, operation, feature, stage, code) {
                let new = operation.rules[rule].path.is_some_and(|path| path != PATH_OLD);
                let effect = operation.rules[rule].actions.iter().find_map(|action| {
                    let site = action.effect()?;
                    (site.irreversible && site.compensated_by.is_none()).then_some(site.effect)
                });
                let Some(effect) = effect.filter(|_| new && !told.contains(&rule)) else { continue };
                told.push(rule);
                let message = format!(
                    "`{}` does `{}` on the new path at `{}` of `{}`, and it cannot be undone",
                    subject.operation_name(id),
                    estate.effects.text(effect),
                    of.stage_name(stage),
                    of.name,
                );
                let label = match of.commit_stage {
                    Some(commit) => format!("before the commit stage, `{}`", of.stage_name(commit)),
                    None => "the feature has no commit stage".to_owned(),
                };
                found.push(Problem::warning(subject.rule(id, rule), message).label(label));
            }
        }
    }
}
