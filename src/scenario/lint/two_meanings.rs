//! One flag with two meanings.

use super::Lint;
use super::behaviour::{codes_of, rules_at, stages_of};
use super::schedule::{codes_between, first_at};
use super::subject::Subject;
use crate::models::estate::PATH_OLD;
use crate::models::program::{Action, OperationId};
use crate::rollout::FeatureId;
use crate::scenario::problem::Problem;

pub static LINT: Lint = Lint {
    code: "WT004",
    name: "two-meanings",
    sentence: "two code versions that run at the same time do different new things at one stage of one feature",
    reason: "a flag that is used again means the old thing to every server that runs the old code (Knight Capital, 2012)",
    repair: "give the new meaning a flag of its own, and let no stage of it be reached before all code is replaced",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Vec<Problem>) {
    for id in subject.operations() {
        for feature in &subject.estate.operations[id].may_read {
            meanings(subject, id, *feature, found);
        }
    }
}

/// A code version, the rule it follows, the path of that rule, and the effects.
type Meaning = (u32, usize, u16, Vec<u16>);

fn meanings(subject: &Subject<'_>, id: OperationId, feature: FeatureId, found: &mut Vec<Problem>) {
    let estate = subject.estate;
    let operation = &estate.operations[id];
    for stage in stages_of(estate, feature) {
        let Some(from) = first_at(estate, feature, stage) else { continue };
        let live = codes_between(estate, operation.service, from, None);
        let mut known: Vec<Meaning> = Vec::new();
        for code in codes_of(estate, operation).into_iter().filter(|code| live.contains(code)) {
            // Where the stage alone does not decide, it is not the stage's meaning.
            let [rule] = rules_at(estate, operation, feature, stage, code)[..] else { continue };
            let Some(path) = operation.rules[rule].path.filter(|path| *path != PATH_OLD) else { continue };
            let effects = effects_of(&operation.rules[rule].actions);
            known.push((code, rule, path, effects));
        }
        let Some((first, rest)) = known.split_first() else { continue };
        if let Some(other) = rest.iter().find(|other| (&other.2, &other.3) != (&first.2, &first.3)) {
            let of = &estate.features[feature];
            let message = format!(
                "`{}` at `{}` means one thing to code {} of `{}` and another to code {}, and both run",
                of.name,
                of.stage_name(stage),
                first.0,
                estate.services[operation.service].name,
                other.0,
            );
            let problem = Problem::warning(subject.rule(id, other.1), message).label(format!("code {}", other.0));
            found.push(match subject.rule(id, first.1) {
                Some(span) => problem.related(span, format!("code {}", first.0)),
                None => problem,
            });
            return;
        }
    }
}

fn effects_of(actions: &[Action]) -> Vec<u16> {
    let effect = |action: &Action| action.effect().map(|site| site.effect);
    actions.iter().filter_map(effect).collect()
}
