//! Cohorts that change under a customer's hands.

use super::Lint;
use super::subject::Subject;
use crate::models::estate::Asked;
use crate::rollout::FeatureId;
use crate::scenario::problem::Problem;

pub static LINT: Lint = Lint {
    code: "WT009",
    name: "unstable-bucketing",
    sentence: "who is in a cohort depends on the request, while what it decides lives on after the request",
    reason: "the same customer is new on one request and old on the next, and their aggregate meets both",
    repair: "target by an attribute of the tenant or the user, or decide once and keep the decision with the aggregate",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Vec<Problem>) {
    let estate = subject.estate;
    for rollout in &estate.rollouts {
        if !lives_on(subject, rollout.feature) {
            continue;
        }
        for (step_at, step) in rollout.steps.iter().enumerate() {
            for (at, line) in step.moves.iter().enumerate() {
                let Some(condition) = &line.of else { continue };
                let per_request = estate.asked(condition).find_map(|asked| {
                    let Asked::RequestAttribute(attribute) = asked else { return None };
                    Some(estate.request_attributes.text(attribute))
                });
                let Some(attribute) = per_request else { continue };
                let node = subject.step(rollout.feature, step_at).and_then(|step| step.get("move")?.as_list()?.get(at));
                let message = format!(
                    "the audience of `{}` depends on `request.{attribute}`, which another request of the same customer \
                     may not share",
                    estate.features[rollout.feature].name,
                );
                let problem = Problem::warning(node.map(|node| node.span), message);
                found.push(problem.label("and its entities live on from request to request"));
            }
        }
    }
}

/// Whether an entity that lives on is in a journey that this feature is part of.
fn lives_on(subject: &Subject<'_>, feature: FeatureId) -> bool {
    subject.estate.journeys.iter().any(|journey| {
        let entity = journey.entity.is_some_and(|entity| subject.estate.entities[entity].per_subject);
        entity && journey.feature == Some(feature)
    })
}
