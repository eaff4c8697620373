//! Contexts that ask for a feature which means nothing to them.

use super::Lint;
use super::behaviour::{asks_for_value, codes_of, rules_at, stages_of};
use super::subject::Subject;
use crate::scenario::problem::Problem;
use std::collections::BTreeSet;

pub static LINT: Lint = Lint {
    code: "WT008",
    name: "meaningless-read",
    sentence: "an operation asks for the stage of a feature and does the same at every stage",
    reason: "a context that asks takes part in every disagreement about the answer, and fails when there is none",
    repair: "stop asking: write one rule, and `ignores:` for the context if nothing else in it reads the feature",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Vec<Problem>) {
    let estate = subject.estate;
    for id in subject.operations() {
        let operation = &estate.operations[id];
        for feature in &operation.may_read {
            let mut behaviours: BTreeSet<String> = BTreeSet::new();
            for code in codes_of(estate, operation) {
                for stage in stages_of(estate, *feature) {
                    let rules = rules_at(estate, operation, *feature, stage, code);
                    let describe = |rule: &usize| {
                        let rule = &operation.rules[*rule];
                        format!("{:?} {:?}", rule.path, rule.actions)
                    };
                    // Without the code: a new version that does the same at every stage is still no reader.
                    behaviours.insert(match rules.as_slice() {
                        [one] => describe(one),
                        several => format!("{several:?}"),
                    });
                }
            }
            if behaviours.len() == 1 && operation.rules.len() > 1 && !asks_for_value(operation, *feature) {
                let message = format!(
                    "`{}` asks for the stage of `{}` and does the same at every one",
                    subject.operation_name(id),
                    estate.features[*feature].name,
                );
                found.push(Problem::warning(subject.operation(id), message));
            }
        }
    }
}
