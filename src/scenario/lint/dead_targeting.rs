//! Rules, moves and stages that nobody can reach.

use super::Lint;
use super::behaviour::{codes_of, rules_at, stages_of};
use super::schedule::first_at;
use super::subject::Subject;
use crate::models::program::OperationId;
use crate::rollout::{FeatureId, Move, StageId, vocabulary};
use crate::scenario::problem::Problem;
use crate::units::Share;

pub static LINT: Lint = Lint {
    code: "WT003",
    name: "dead-targeting",
    sentence: "a rule or a move can reach nobody because an earlier one takes them all, a step changes nothing, or the \
               plan skips a stage",
    reason: "a line that reaches nobody says something else than what happens",
    repair: "remove it, or put it before the line that covers it",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Vec<Problem>) {
    for id in subject.operations() {
        rules(subject, id, found);
    }
    for rollout in &subject.estate.rollouts {
        let mut everybody_at: Option<StageId> = None;
        for (at, step) in rollout.steps.iter().enumerate() {
            moves(subject, rollout.feature, at, &step.moves, found);
            let whole = match step.moves.as_slice() {
                [line] if line.of.is_none() && line.percent == Share::ALL => Some(line.to),
                _ => None,
            };
            if whole.is_some() && whole == everybody_at {
                let stage = whole.map_or("", |stage| subject.estate.features[rollout.feature].stage_name(stage));
                let message = format!("the step `{}` changes nothing: everybody is at `{stage}` already", step.name);
                let span = subject.step(rollout.feature, at).map(|node| node.span);
                found.push(Problem::warning(span, message).help("remove the step, or move somebody else"));
            }
            everybody_at = whole;
        }
    }
    for feature in subject.estate.features.ids().filter(|id| !subject.is_flag(*id)) {
        stages(subject, feature, found);
    }
}

/// Rules of an operation that apply at no stage, because an earlier one does.
fn rules(subject: &Subject<'_>, id: OperationId, found: &mut Vec<Problem>) {
    let estate = subject.estate;
    let operation = &estate.operations[id];
    for feature in &operation.may_read {
        let mut may = vec![false; operation.rules.len()];
        for stage in stages_of(estate, *feature) {
            for code in codes_of(estate, operation) {
                rules_at(estate, operation, *feature, stage, code).into_iter().for_each(|at| may[at] = true);
            }
        }
        for (at, _) in may.iter().enumerate().filter(|(_, may)| !**may) {
            let message = format!(
                "no stage of `{}` reaches this rule of `{}`",
                estate.features[*feature].name,
                subject.operation_name(id)
            );
            found.push(Problem::warning(subject.rule(id, at), message).label("earlier rules take every stage"));
        }
    }
}

/// Moves whose whole audience an earlier move of the step takes: the same condition, and no larger a share.
fn moves(subject: &Subject<'_>, feature: FeatureId, step: usize, moves: &[Move], found: &mut Vec<Problem>) {
    let source = |line: &Move| line.of.as_ref().map(|condition| condition.source().to_owned());
    let span = |at: usize| {
        let node = subject.step(feature, step)?;
        node.get("move")?.as_list()?.get(at).map(|item| item.span)
    };
    for (at, line) in moves.iter().enumerate() {
        let covers = |before: &Move| source(before) == source(line) && before.percent >= line.percent;
        let Some(first) = moves[..at].iter().position(covers) else { continue };
        let problem = Problem::warning(span(at), "this move moves nobody").label("the same audience, taken before");
        found.push(match span(first) {
            Some(first) => problem.related(first, "they are moved here"),
            None => problem,
        });
    }
}

/// Stages below the highest that the plan reaches, which nothing ever sets; and stages off the ladder.
fn stages(subject: &Subject<'_>, feature: FeatureId, found: &mut Vec<Problem>) {
    let estate = subject.estate;
    let of = &estate.features[feature];
    // A rollout need not use every stage of a shipped vocabulary.
    if estate.rollouts.iter().all(|rollout| rollout.feature != feature) || vocabulary::ships(of) {
        return;
    }
    let reached = |stage: &StageId| first_at(estate, feature, *stage).is_some();
    let highest = stages_of(estate, feature).filter(reached).filter_map(|stage| of.stages[stage.index()].rank).max();
    for stage in stages_of(estate, feature).filter(|stage| !reached(stage)) {
        let described = &of.stages[stage.index()];
        let message = format!("nothing ever sets the stage `{}` of `{}`", described.name, of.name);
        let problem = Problem::advice(subject.stage(feature, &described.name), message);
        match described.rank {
            Some(rank) if Some(rank) < highest => {
                found.push(problem.label("the plan goes past it").help("give it a step of its own, or drop the stage"));
            }
            // Stages above are the rollout's future.
            Some(_) => {}
            None => found.push(problem.label("off the ladder").help("name it in a kill or a step, or drop the stage")),
        }
    }
}
