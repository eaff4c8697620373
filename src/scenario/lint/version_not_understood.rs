//! Consumers that do not understand what their producer may emit.

use super::Lint;
use super::schedule::{codes_between, first_at, last_at};
use super::subject::Subject;
use crate::models::estate::{GroupId, Otherwise, TopicId};
use crate::models::program::{Action, OperationId, RuleWhen};
use crate::scenario::problem::Problem;
use crate::units::SimDuration;
use std::collections::BTreeMap;

pub static LINT: Lint = Lint {
    code: "WT006",
    name: "version-not-understood",
    sentence: "a consumer runs code that does not understand a domain version it may be sent, or cannot tell versions apart",
    reason: "a record deserialises whatever it means: old code takes the new meaning for the old one and nothing fails",
    repair: "upgrade consumers before the producer changes the meaning, and let records carry their domain version",
    check,
};

/// A version that somebody may emit: since when, by which rule, and until when, if a kill ends it.
#[derive(Clone, Copy)]
struct Emitted {
    from: SimDuration,
    until: Option<SimDuration>,
    by: OperationId,
    rule: usize,
}

fn check(subject: &Subject<'_>, found: &mut Vec<Problem>) {
    let estate = subject.estate;
    // By topic, event type and domain version: the earliest.
    let mut emitted: BTreeMap<(TopicId, u16, u32), Emitted> = BTreeMap::new();
    for id in subject.operations() {
        for (at, rule) in estate.operations[id].rules.iter().enumerate() {
            let Some(from) = earliest(subject, &rule.when) else { continue };
            for action in &rule.actions {
                let Action::Emit(site) = action else { continue };
                let key = (site.topic, site.event_type, site.domain_version);
                let until = latest(subject, &rule.when);
                let known = emitted.entry(key).or_insert(Emitted { from, until, by: id, rule: at });
                if from < known.from {
                    (known.from, known.by, known.rule) = (from, id, at);
                }
                known.until = known.until.zip(until).map(|(known, until)| known.max(until));
            }
        }
    }
    for (id, group) in estate.groups.enumerate() {
        for (kind, _) in &group.handlers {
            let of_kind = |key: &&(TopicId, u16, u32)| key.0 == group.topic && key.1 == *kind;
            let versions: Vec<(TopicId, u16, u32)> = emitted.keys().filter(of_kind).copied().collect();
            for key in &versions {
                not_understood(subject, id, *key, emitted[key], found);
            }
            if versions.len() > 1 && !estate.topics[group.topic].carries.domain_version {
                cannot_tell(subject, id, *kind, emitted[&versions[versions.len() - 1]], found);
            }
        }
    }
}

/// The earliest time at which a rule can apply, as far as the stage decides it; `None`: never.
fn earliest(subject: &Subject<'_>, when: &RuleWhen) -> Option<SimDuration> {
    match when {
        RuleWhen::Always | RuleWhen::Condition(_) => Some(SimDuration::ZERO),
        RuleWhen::Stages { feature, stages } => {
            stages.iter().filter_map(|stage| first_at(subject.estate, *feature, *stage)).min()
        }
    }
}

/// When a rule applies for the last time, as far as the stage decides it; `None`: there is no end to it.
fn latest(subject: &Subject<'_>, when: &RuleWhen) -> Option<SimDuration> {
    match when {
        RuleWhen::Always | RuleWhen::Condition(_) => None,
        RuleWhen::Stages { feature, stages } => {
            let ends = stages.iter().map(|stage| last_at(subject.estate, *feature, *stage));
            ends.into_iter().try_fold(SimDuration::ZERO, |latest, end| Some(latest.max(end?)))
        }
    }
}

fn not_understood(
    subject: &Subject<'_>,
    group: GroupId,
    (topic, kind, version): (TopicId, u16, u32),
    Emitted { from, until, by: emitter, rule }: Emitted,
    found: &mut Vec<Problem>,
) {
    let estate = subject.estate;
    let service_id = estate.groups[group].service;
    let service = &estate.services[service_id];
    for number in codes_between(estate, service_id, from, until) {
        let Some(code) = service.codes.iter().find(|code| code.number == number) else { continue };
        if code.understands.is_empty() || code.understands.contains(&version) {
            continue;
        }
        let event = estate.event_types.text(kind);
        let message = format!(
            "`{}` may be sent version {version} of `{event}` from {from} on, while its code {number} still runs and \
             does not understand it",
            service.name,
        );
        let carried = estate.topics[topic].carries.domain_version;
        let (misread, label) = match service.otherwise {
            _ if !carried => (true, "nothing in the record says its version".to_owned()),
            Otherwise::ProcessAs(other) => (true, format!("it is processed as version {other}")),
            Otherwise::Park => (false, "it is parked, and must be handled later".to_owned()),
            Otherwise::DeadLetter => (false, "it goes to the dead letters, and must be handled later".to_owned()),
            Otherwise::Fail => (true, "it fails, and stays in the way of what comes after it".to_owned()),
        };
        let span =
            subject.key(&["services", &service.name, "code"]).or_else(|| subject.key(&["services", &service.name]));
        let problem = if misread { Problem::warning(span, message) } else { Problem::advice(span, message) };
        found.push(match subject.rule(emitter, rule) {
            Some(span) => problem.label(label).related(span, format!("version {version} is emitted here")),
            None => problem.label(label),
        });
    }
}

/// Several versions of one event on a topic whose records do not say which they are.
fn cannot_tell(subject: &Subject<'_>, group: GroupId, kind: u16, emitted: Emitted, found: &mut Vec<Problem>) {
    let estate = subject.estate;
    let group = &estate.groups[group];
    let service = &estate.services[group.service];
    if service.codes.iter().all(|code| code.understands.is_empty()) {
        return;
    }
    let (event, topic) = (estate.event_types.text(kind), &estate.topics[group.topic].name);
    let message = format!("`{}` cannot tell the versions of `{event}` on `{topic}` apart", service.name);
    let span = subject.node(&["topics", topic, "carries"]).map(|node| node.span);
    let problem = Problem::warning(span.or_else(|| subject.key(&["topics", topic])), message);
    let problem = problem.label("records do not carry `domain_version`");
    let problem = problem.help("carry `domain_version`: code that knows both can then read each as it was meant");
    found.push(match subject.rule(emitted.by, emitted.rule) {
        Some(span) => problem.related(span, "the last version is emitted here"),
        None => problem,
    });
}
