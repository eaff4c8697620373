//! Topics and the groups that consume them.

use super::place::Place;
use super::{Draft, unknown};
use crate::models::estate::{
    Carries, CommitModel, ConsumerGroup, GroupId, MemberSpec, OffsetReset, RecordKey, ServiceId, Topic, TopicId,
};
use crate::scenario::defaults;
use crate::scenario::problem::{Problem, Span};
use crate::units::Id;

const MOST_MEMBERS: usize = 10_000;
const MOST_PARTITIONS: u64 = 10_000;

/// A group and where it was written.
pub(super) struct ConsumerDraft {
    pub group: GroupId,
    pub key: Span,
}

impl<'a> Draft<'a> {
    pub(super) fn topics(&mut self, root: &Place<'a>) {
        let defaults_of = root.key("defaults").key("topic");
        let mut partitions_of_all = 0_u64;
        for (entry, place) in root.key("topics").named() {
            self.check_name("topic", entry.name(), entry.key.span);
            let pick = |key: &str| {
                let own = place.key(key);
                if own.is_given() { own } else { defaults_of.key(key) }
            };
            let partitions = self.count(&pick("partitions"), 10_000, defaults::PARTITIONS).max(1);
            partitions_of_all += u64::from(partitions);
            if partitions_of_all > MOST_PARTITIONS {
                let message = format!("the estate has more than {MOST_PARTITIONS} partitions");
                self.error(entry.key.span, message, "the first topic too many");
            }
            let key = match pick("key").text() {
                Some("tenant") => RecordKey::Tenant,
                Some("none") => RecordKey::None,
                Some(_) | None => RecordKey::Entity,
            };
            let carries = carries(&pick("carries"));
            let name = entry.name().to_owned();
            self.estate.topics.push(Topic {
                name,
                partitions,
                key,
                carries,
                groups: Vec::new(),
                kept_for_replay: false,
            });
        }
        for service in 0..self.services.len() {
            let consumes = self.services[service].place.key("consumes");
            for (entry, place) in consumes.named() {
                let Some(topic) = self.topic(entry.name(), entry.key.span) else { continue };
                self.group(Id::new(service), topic, &place, entry.key.span);
            }
        }
    }

    /// The topic of a name, or a problem.
    pub(super) fn topic(&mut self, name: &str, span: Span) -> Option<TopicId> {
        let found = self.estate.topics.enumerate().find(|(_, topic)| topic.name == name).map(|(id, _)| id);
        if found.is_none() {
            let names = self.estate.topics.iter().map(|topic| topic.name.as_str());
            let problem = unknown(span, "topic", name, names);
            self.problems.push(problem.help("topics are declared under `topics:`"));
        }
        found
    }

    fn group(&mut self, service: ServiceId, topic: TopicId, place: &Place<'a>, key: Span) {
        let service_name = self.estate.services[service].name.clone();
        let name = place.key("group").text().unwrap_or(&service_name).to_owned();
        let twin = self.consumers.iter().find(|other| {
            let group = &self.estate.groups[other.group];
            group.topic == topic && group.name == name
        });
        if let Some(twin) = twin {
            let message = format!("two services consume `{}` as the group `{name}`", self.estate.topics[topic].name);
            let problem = Problem::error(key, message).label("the second");
            self.problems.push(problem.related(twin.key, "the first").help("give one of them another `group`"));
        }
        let group = ConsumerGroup {
            name,
            topic,
            service,
            members: Vec::new(),
            commit: match place.key("client").text() {
                Some("librdkafka-2") => CommitModel::LibrdkafkaTimer,
                Some(_) | None => CommitModel::JavaPoll,
            },
            auto_commit_interval: self.period(&place.key("auto_commit_interval"), defaults::AUTO_COMMIT),
            max_poll_records: self.count(&place.key("max_poll_records"), 1_000_000, defaults::MAX_POLL_RECORDS).max(1),
            max_poll_interval: self.period(&place.key("max_poll_interval"), defaults::MAX_POLL_INTERVAL),
            session_timeout: self.period(&place.key("session_timeout"), defaults::SESSION_TIMEOUT),
            heartbeat_interval: self.period(&place.key("heartbeat"), defaults::HEARTBEAT),
            initial_rebalance_delay: self
                .duration(&place.key("initial_rebalance_delay"), defaults::INITIAL_REBALANCE_DELAY),
            offset_reset: match place.key("offset_reset").text() {
                Some("earliest") => OffsetReset::Earliest,
                Some(_) | None => OffsetReset::Latest,
            },
            takes: self.distribution(&place.key("takes"), defaults::RECORD_TAKES),
            handlers: Vec::new(),
        };
        let group = self.estate.groups.push(group);
        self.check_heartbeat(group, place);
        self.members(group, place);
        self.estate.topics[topic].groups.push(group);
        self.consumers.push(ConsumerDraft { group, key });
    }

    fn check_heartbeat(&mut self, group: GroupId, place: &Place<'a>) {
        let ConsumerGroup { heartbeat_interval, session_timeout, .. } = self.estate.groups[group];
        if heartbeat_interval >= session_timeout {
            let message = format!("a heartbeat every {heartbeat_interval} cannot keep a session of {session_timeout}");
            let at = place.key("heartbeat");
            self.error(at.span, message, "expected less than the session timeout");
        }
    }

    fn members(&mut self, group: GroupId, place: &Place<'a>) {
        let ConsumerGroup { service, topic, .. } = self.estate.groups[group];
        let replicas = self.estate.services[service].replicas.clone();
        let members_place = place.key("members");
        let default = u32::try_from(replicas.len()).unwrap_or(1);
        let members = self.maybe_count(&members_place, 10_000).unwrap_or(default).max(1);
        if self.estate.members.len() + members as usize > MOST_MEMBERS {
            let message = format!("the estate has more than {MOST_MEMBERS} members of consumer groups");
            self.error(members_place.span, message, "the first group too many");
            return;
        }
        let (service, topic) = (self.estate.services[service].name.clone(), self.estate.topics[topic].name.clone());
        for (n, replica) in (1..=members).zip(replicas.iter().cycle()) {
            let name = format!("{service}/{topic}/{n}");
            let member = self.estate.members.push(MemberSpec { group, replica: *replica, name });
            self.estate.groups[group].members.push(member);
        }
    }

    /// Gives each group its operations by event type, once it is known what is emitted where.
    pub(super) fn consumers(&mut self) {
        for at in 0..self.consumers.len() {
            let group = self.consumers[at].group;
            let key = self.consumers[at].key;
            let ConsumerGroup { topic, service, .. } = self.estate.groups[group];
            let carried = self.emitted_on(topic);
            let mut handlers = Vec::new();
            for (event_type, name) in &carried {
                let wanted = format!("on {name}");
                let operations = &self.estate.services[service].operations;
                let found = operations.iter().find(|id| self.estate.operations[**id].name == wanted);
                handlers.extend(found.map(|id| (*event_type, *id)));
            }
            handlers.sort_unstable_by_key(|(event_type, _)| *event_type);
            if handlers.is_empty() {
                let (service, topic) = (&self.estate.services[service].name, &self.estate.topics[topic].name);
                let message = format!("`{service}` consumes `{topic}` and handles none of its events");
                let types: Vec<&str> = carried.iter().map(|(_, name)| name.as_str()).collect();
                let problem = Problem::error(key, message).label("nothing would ever happen here");
                let problem = match types.as_slice() {
                    [] => problem.help(format!("nothing emits to `{topic}`")),
                    [first, ..] => problem.help(format!("its events are {}: write `on {first}:`", types.join(", "))),
                };
                self.problems.push(problem);
            }
            self.estate.groups[group].handlers = handlers;
        }
    }

    /// The group written `service/topic` or `group/topic`, or a problem.
    pub(super) fn group_named(&mut self, name: &str, span: Span) -> Option<GroupId> {
        let written = |group: &ConsumerGroup, by_service: bool| {
            let topic = &self.estate.topics[group.topic].name;
            let who = if by_service { &self.estate.services[group.service].name } else { &group.name };
            format!("{who}/{topic}")
        };
        for by_service in [true, false] {
            let found = self.estate.groups.enumerate().find(|(_, group)| written(group, by_service) == name);
            if let Some((id, _)) = found {
                return Some(id);
            }
        }
        let names: Vec<String> = self.estate.groups.iter().map(|group| written(group, true)).collect();
        let problem = unknown(span, "consumer group", name, names.iter().map(String::as_str));
        self.problems.push(problem.help("a consumer group is written `service/topic`"));
        None
    }
}

fn carries(place: &Place<'_>) -> Carries {
    let listed = place.texts();
    let all = place.node.is_none_or(|node| node.as_list().is_none());
    let has = |field: &str| all || listed.iter().any(|(name, _)| *name == field);
    Carries {
        domain_version: has("domain_version"),
        effective_feature_states: has("effective_feature_states"),
        policy_decision_id: has("policy_decision_id"),
        occurred_at: has("occurred_at"),
    }
}
