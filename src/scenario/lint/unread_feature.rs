//! Features that nothing asks for.

use super::Lint;
use super::subject::Subject;
use crate::scenario::problem::Problem;

pub static LINT: Lint = Lint {
    code: "WT002",
    name: "unread-feature",
    sentence: "a feature is declared or rolled out, and no code that a journey reaches asks for it",
    reason: "what nobody reads changes nothing when it is switched, and misleads whoever looks for what changed",
    repair: "remove it, or read it where it should decide",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Vec<Problem>) {
    for (id, feature) in subject.estate.features.enumerate() {
        if !subject.readers(id).is_empty() || subject.users_read(id) {
            continue;
        }
        let name = &feature.name;
        let rolled_out = subject.estate.rollouts.iter().any(|rollout| rollout.feature == id);
        if rolled_out {
            let message = format!("`{name}` is rolled out, and nothing that a journey reaches reads it");
            found.push(Problem::warning(subject.rollout(id), message));
        } else {
            let message = format!("nothing that a journey reaches reads `{name}`");
            found.push(Problem::advice(subject.feature(id), message));
        }
    }
}
