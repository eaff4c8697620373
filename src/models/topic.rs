//! Kafka topics: partitions, offsets, and the records in them.

use super::carried::Context;
use super::estate::{Estate, RecordKey, ServiceId, TopicId};
use super::event::Event;
use super::interaction::{Customer, Ongoing};
use super::observation::{Interaction, Observation};
use super::program::EmitSite;
use super::task::Repeat;
use super::world::World;
use crate::kernel::stream::address;
use crate::units::{SimDuration, SimTime, Slot};
use smallvec::SmallVec;
use std::collections::VecDeque;

/// A record: what it carries, and the truth beside it.
#[derive(Clone, Debug)]
pub struct Record {
    pub interaction: Slot<Ongoing>,
    pub id: Interaction,
    pub identity: u64,
    pub customer: Customer,
    pub event_type: u16,
    /// The meaning it was produced with.
    pub domain_version: u32,
    pub context: Context,
    /// The event's id within its interaction: its copies share it.
    pub event: u32,
    /// What it tells of, by a name that its repetitions share.
    pub deed: u64,
    pub repeat: Option<Repeat>,
    pub occurred_at: SimTime,
    pub appended_at: SimTime,
    /// How often each group of the topic was handed it.
    pub handed: SmallVec<[u32; 4]>,
}

/// One partition's log, from its first record that somebody may still ask for.
#[derive(Clone, Debug, Default)]
pub struct Partition {
    start: u64,
    records: VecDeque<Record>,
    /// When the last record on its way will be appended, for each producer: one keeps order within a partition, and
    /// a relay of an outbox is a producer of its own.
    last_append: Vec<(ServiceId, Option<SimDuration>, SimTime)>,
}

impl Partition {
    /// The offset of the next record.
    pub fn end(&self) -> u64 {
        self.start + self.records.len() as u64
    }

    pub fn start(&self) -> u64 {
        self.start
    }

    pub fn get(&self, offset: u64) -> Option<&Record> {
        offset.checked_sub(self.start).and_then(|index| self.records.get(index as usize))
    }

    pub fn get_mut(&mut self, offset: u64) -> Option<&mut Record> {
        offset.checked_sub(self.start).and_then(|index| self.records.get_mut(index as usize))
    }

    fn forget_below(&mut self, offset: u64) {
        while self.start < offset && self.records.pop_front().is_some() {
            self.start += 1;
        }
    }

    /// When a record that would arrive at `at` is appended, behind what its producer sent before.
    fn in_order(&mut self, producer: ServiceId, outbox: Option<SimDuration>, at: SimTime) -> SimTime {
        match self.last_append.iter_mut().find(|(of, relayed, _)| (*of, *relayed) == (producer, outbox)) {
            Some((_, _, last)) => {
                *last = at.max(*last);
                *last
            }
            None => {
                self.last_append.push((producer, outbox, at));
                at
            }
        }
    }

    /// The first offset appended at or after a moment.
    pub fn offset_at(&self, moment: SimTime) -> u64 {
        self.start + self.records.partition_point(|record| record.appended_at < moment) as u64
    }
}

/// A topic's state.
#[derive(Clone, Debug)]
pub struct Log {
    pub partitions: Vec<Partition>,
}

/// What an event states, and what it is a repetition of.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    pub event: u32,
    pub deed: u64,
    pub repeat: Option<Repeat>,
    pub occurred_at: SimTime,
}

/// A record between its producer and the broker.
#[derive(Clone, Debug)]
pub struct Sent {
    topic: TopicId,
    partition: u32,
    record: Record,
}

impl Sent {
    /// Where it goes, and what it is.
    pub fn destination(&self) -> (TopicId, u32, &Record) {
        (self.topic, self.partition, &self.record)
    }
}

impl Log {
    pub fn new(partitions: u32) -> Log {
        Log { partitions: vec![Partition::default(); partitions as usize] }
    }
}

impl World {
    /// Sends a record to the broker. It is the interaction's as long as a group has not committed it.
    pub(super) fn produce(
        &mut self,
        estate: &Estate,
        interaction: Slot<Ongoing>,
        site: &EmitSite,
        producer: ServiceId,
        context: Context,
        told: Told,
    ) {
        let topic = &estate.topics[site.topic];
        let ongoing = self.interactions.get_mut(interaction).expect("a task's interaction is open");
        let (id, identity, customer) = (ongoing.id, ongoing.identity, ongoing.customer);
        let (key, partitioner) = (self.keys.topics[site.topic.index()], self.keys.partitioners[site.topic.index()]);
        let nth = u64::from(ongoing.emitted);
        ongoing.emitted += 1;
        let word = match topic.key {
            RecordKey::Entity => partitioner.word(identity, 1),
            RecordKey::Tenant => partitioner.word(customer.tenant.into(), 2),
            RecordKey::None => self.cx.draws.word(key, identity, address(nth, 0, 3)),
        };
        let partition = (word % u64::from(topic.partitions)) as u32;
        let carries = topic.carries;
        let record = Record {
            interaction,
            id,
            identity,
            customer,
            event_type: site.event_type,
            domain_version: site.domain_version,
            context: if carries.effective_feature_states { context } else { Context::default() },
            event: told.event,
            deed: told.deed,
            repeat: told.repeat,
            occurred_at: told.occurred_at,
            appended_at: SimTime::ZERO,
            handed: SmallVec::from_elem(0, topic.groups.len()),
        };
        let latency = self.cx.sample(&estate.network.within, key, identity, address(nth, 0, 4));
        let delay = latency + site.outbox.unwrap_or_default();
        let log = &mut self.logs[site.topic.index()].partitions[partition as usize];
        let at = log.in_order(producer, site.outbox, self.cx.now() + delay);
        self.hold(interaction);
        let place = self.sent.insert(Sent { topic: site.topic, partition, record });
        self.cx.at(at, Event::Append { record: place });
    }

    pub(super) fn on_append(&mut self, estate: &Estate, place: Slot<Sent>) {
        let Sent { topic, partition, mut record } = self.sent.remove(place).expect("a record is appended once");
        record.appended_at = self.cx.now();
        let interaction = record.interaction;
        let log = &mut self.logs[topic.index()].partitions[partition as usize];
        let offset = log.end();
        let (id, event_type, domain_version) = (record.id, record.event_type, record.domain_version);
        log.records.push_back(record);
        self.cx.cause = self.interactions.get(interaction).map_or(0, |ongoing| ongoing.cause);
        self.cx.observe(Observation::Emitted { interaction: id, topic, partition, offset, event_type, domain_version });
        for group in &estate.topics[topic].groups {
            self.hold(interaction);
            self.report_lag(*group, topic, partition);
            self.wake_members(estate, *group, partition);
        }
        self.release(estate, interaction);
        self.forget_committed(estate, topic, partition);
    }

    /// Drops the records that nobody can ask for any more.
    pub(super) fn forget_committed(&mut self, estate: &Estate, topic: TopicId, partition: u32) {
        let described = &estate.topics[topic];
        if described.kept_for_replay {
            return;
        }
        let log = &mut self.logs[topic.index()].partitions[partition as usize];
        let committed = described.groups.iter().map(|group| self.groups[group.index()].committed[partition as usize]);
        let oldest = committed.min().unwrap_or(log.end());
        log.forget_below(oldest);
    }
}
