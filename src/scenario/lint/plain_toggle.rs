//! Features that need none of this.

use super::Lint;
use super::subject::Subject;
use crate::models::estate::Quantity;
use crate::models::program::{Action, OperationId};
use crate::rollout::FeatureId;
use crate::rollout::feature::Risk;
use crate::scenario::problem::Problem;

pub static LINT: Lint = Lint {
    code: "WT010",
    name: "plain-toggle",
    sentence: "a feature is read in one context, sends nothing on and can be taken back: a plain toggle will do",
    reason: "stages, contracts and carried decisions cost upkeep; they pay where several contexts must agree",
    repair: "keep a boolean in that service's own configuration, and leave the feature out of the rollout machinery",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Vec<Problem>) {
    for (id, feature) in subject.estate.features.enumerate() {
        if subject.is_flag(id) || subject.users_read(id) || feature.risk == Risk::High {
            continue;
        }
        let agreed = !feature.contract.paths.is_empty() || !feature.contract.moments.is_empty();
        let readers = subject.readers(id);
        let Some(first) = readers.first() else { continue };
        let one_context = readers.iter().all(|reader| subject.context_of(*reader) == subject.context_of(*first));
        if agreed || feature.stages.len() > 2 || !one_context || readers.iter().any(|id| leaves_traces(subject, *id)) {
            continue;
        }
        if carried(subject, id) {
            continue;
        }
        let context = subject.estate.contexts.text(subject.context_of(*first));
        let message = format!("only `{context}` reads `{}`, and nothing of it leaves that context", feature.name);
        found.push(Problem::advice(subject.feature(id), message).label("a plain toggle will do"));
    }
}

/// Whether an operation tells others, moves the aggregate, or does what cannot be undone.
fn leaves_traces(subject: &Subject<'_>, id: OperationId) -> bool {
    subject.estate.operations[id].rules.iter().flat_map(|rule| &rule.actions).any(|action| {
        let irreversible = action.effect().is_some_and(|site| site.irreversible);
        let tells = matches!(
            action,
            Action::Emit(_)
                | Action::Set { .. }
                | Action::Mark { .. }
                | Action::QueueUntilDaily { .. }
                | Action::QueueUntil(_)
                | Action::Compensate { .. }
        );
        let by_flag = matches!(action, Action::Fail { share: Quantity::Flag { .. } } | Action::WaitFlag { .. });
        irreversible || tells || by_flag
    })
}

/// Whether an edge decides it for others.
fn carried(subject: &Subject<'_>, id: FeatureId) -> bool {
    subject
        .estate
        .services
        .iter()
        .any(|service| service.edge && (service.edge_features.is_empty() || service.edge_features.contains(&id)))
}
