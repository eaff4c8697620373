//! Events that say less, consumers that understand less, deploys that are forgotten.

use super::kills::entries;
use super::{Mutant, Operator, each_service, or_none};
use crate::models::estate::{Carries, CommitModel, Happening};

pub static STRIP_EVENT: Operator = Operator {
    name: "strip-event",
    sentence: "The events of a topic say neither their meaning nor under which decision they were produced.",
    mutants: |plan| {
        let topics = plan.estate.topics.enumerate();
        let mutants = topics.filter_map(|(id, topic)| {
            let Carries { domain_version, effective_feature_states, policy_decision_id, .. } = topic.carries;
            (domain_version || effective_feature_states || policy_decision_id).then(|| {
                let told = "its events carry nothing of the rollout";
                Mutant::of(plan, topic.name.clone(), told, |estate| {
                    let carries = &mut estate.topics[id].carries;
                    carries.domain_version = false;
                    carries.effective_feature_states = false;
                    carries.policy_decision_id = false;
                })
            })
        });
        or_none(mutants.collect(), "no event carries anything of the rollout")
    },
};

pub static MISUNDERSTAND: Operator = Operator {
    name: "misunderstand",
    sentence: "The newest code of a consumer does not understand the newest domain version that it was written for.",
    mutants: |plan| {
        each_service(plan, "no code tells domain versions apart", |_, _, service| {
            let telling = service.codes.iter_mut().filter(|code| !code.understands.is_empty());
            let code = telling.max_by_key(|code| code.number)?;
            let newest = code.understands.iter().copied().max()?;
            code.understands.retain(|version| *version != newest);
            if code.understands.is_empty() {
                // Nothing would mean that it tells none apart; no event has version 0.
                code.understands.push(0);
            }
            Some(format!("code {} does not understand domain version {newest}", code.number))
        })
    },
};

pub static COMMIT_EARLY: Operator = Operator {
    name: "commit-early",
    sentence: "A consumer group commits what it was handed instead of what it has handled.",
    mutants: |plan| {
        let groups = plan.estate.groups.enumerate();
        let mutants = groups.filter_map(|(id, group)| match group.commit {
            CommitModel::JavaPoll => Some(Mutant::of(plan, group.name.clone(), "a timer commits", |estate| {
                estate.groups[id].commit = CommitModel::LibrdkafkaTimer;
            })),
            CommitModel::LibrdkafkaTimer => None,
        });
        or_none(mutants.collect(), "no group commits what it has handled")
    },
};

pub static DROP_DEPLOY: Operator = Operator {
    name: "drop-deploy",
    sentence: "A deploy of the timeline does not take place: the fleet stays on its old code.",
    mutants: |plan| {
        or_none(entries(plan, |what| matches!(what, Happening::Deploy { .. })), "the timeline has no deploy")
    },
};
