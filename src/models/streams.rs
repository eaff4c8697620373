//! The names of a run's random streams, for people: a draw knows its key only.

use super::estate::Estate;
use super::keys::Keys;
use crate::kernel::StreamKey;

/// What each stream is for, by its key.
#[derive(Clone, Debug, Default)]
pub struct StreamNames(Vec<(StreamKey, String)>);

impl StreamNames {
    pub fn of(estate: &Estate, keys: &Keys) -> StreamNames {
        let mut names = StreamNames::default();
        names.of_load(estate, keys);
        names.of_estate(estate, keys);
        names.of_topics(estate, keys);
        let entries = estate.timeline.iter().map(|entry| entry.label.as_str());
        names.each("chance of", &keys.entries, entries);
        names
    }

    /// Takes in those of other keys of the same estate.
    pub fn extend(&mut self, other: StreamNames) {
        self.0.extend(other.0);
    }

    /// `purpose of name`, or the key itself where it is nobody's.
    pub fn text(&self, key: StreamKey) -> String {
        let found = self.0.iter().find(|(known, _)| *known == key);
        found.map_or_else(|| format!("stream {:016x}", key.to_word()), |(_, name)| name.clone())
    }

    fn add(&mut self, key: StreamKey, name: String) {
        self.0.push((key, name));
    }

    fn each<'a>(&mut self, purpose: &str, keys: &[StreamKey], names: impl Iterator<Item = &'a str>) {
        for (key, name) in keys.iter().zip(names) {
            self.add(*key, format!("{purpose} {name}"));
        }
    }

    fn of_load(&mut self, estate: &Estate, keys: &Keys) {
        for (journey, keys) in estate.journeys.iter().zip(&keys.journeys) {
            self.add(keys.arrivals, format!("arrivals of {}", journey.name));
            self.add(keys.subject, format!("subject of {}", journey.name));
        }
        for (users, key) in estate.users.iter().zip(&keys.users) {
            for user in 0..users.most {
                self.add(key.nth(user.into()), format!("behaviour of {} {user}", users.name));
            }
        }
        self.add(keys.tenants, "region of tenants".to_owned());
        self.each("request attribute", &keys.request_attributes, estate.request_attributes.iter());
        let attributes = estate.population.attributes.iter().map(|attribute| attribute.name.as_str());
        self.each("tenant attribute", &keys.tenant_attributes, attributes);
    }

    fn of_estate(&mut self, estate: &Estate, keys: &Keys) {
        for (replica, keys) in estate.replicas.iter().zip(&keys.replicas) {
            self.add(keys.poll, format!("polls of {}", replica.name));
            self.add(keys.policy_latency, format!("policy latency of {}", replica.name));
            self.add(keys.backoff, format!("backoff of {}", replica.name));
        }
        for (index, operation) in estate.operations.iter().enumerate() {
            let name = format!("{}.{}", estate.services[operation.service].name, operation.name);
            self.add(keys.service_time[index], format!("service time of {name}"));
            self.add(keys.latency[index], format!("latency to {name}"));
            self.add(keys.chance[index], format!("chance in {name}"));
            self.add(keys.defects[index], format!("defects of {name}"));
        }
        let services = || estate.services.iter().map(|service| service.name.as_str());
        self.each("choice of a replica of", &keys.choice, services());
        self.each("forwarding of context by", &keys.forward, services());
        let regions = estate.regions.iter().map(|region| region.name.as_str());
        self.each("replication to", &keys.replication, regions);
    }

    fn of_topics(&mut self, estate: &Estate, keys: &Keys) {
        self.each("records of", &keys.topics, estate.topics.iter().map(|topic| topic.name.as_str()));
        self.each("processing by", &keys.groups, estate.groups.iter().map(|group| group.name.as_str()));
        for (member, keys) in estate.members.iter().zip(&keys.members) {
            self.add(keys.heartbeat, format!("heartbeats of {}", member.name));
        }
    }
}
