//! The group coordinator: membership, generations, the join barrier, committed offsets (the classic protocol).
//!
//! No pause has a length in the configuration: a rebalance lasts until every member has come back to `poll()`, or
//! until the rebalance timeout.

use super::estate::{Estate, GroupId, MemberId, OffsetReset, TopicId};
use super::event::Event;
use super::member::Standing;
use super::observation::{Eviction, Observation};
use super::world::World;
use crate::kernel::Distribution;
use crate::units::{SimDuration, SimTime};

/// A consumer group's state at the coordinator.
#[derive(Clone, Debug)]
pub struct Group {
    pub committed: Vec<u64>,
    /// Up to where the records have been let go of by their interactions.
    released: Vec<u64>,
    /// Below this offset a record is being replayed.
    pub replay_below: Vec<u64>,
    pub replays: u32,
    pub generation: u32,
    /// The join phase under way, by its number.
    joining: Option<u32>,
    attempts: u32,
    joined: Vec<MemberId>,
    /// Whether the last generation had members: an empty group waits for more before it starts.
    pub occupied: bool,
    /// Crashed members of which the coordinator does not know yet, each with the epoch that crashed.
    unheard: Vec<(MemberId, u32)>,
}

impl Group {
    pub fn new(partitions: u32) -> Group {
        let zeros = vec![0; partitions as usize];
        Group {
            committed: zeros.clone(),
            released: zeros.clone(),
            replay_below: zeros,
            replays: 0,
            generation: 1,
            joining: None,
            attempts: 0,
            joined: Vec::new(),
            occupied: false,
            unheard: Vec::new(),
        }
    }

    pub fn is_joining(&self) -> bool {
        self.joining.is_some()
    }
}

impl World {
    /// The group as it is when the run begins: every member has its share.
    pub(super) fn warm_group(&mut self, estate: &Estate, group: GroupId) {
        self.hand_out(estate, group, &estate.groups[group].members);
    }

    pub(super) fn report_lag(&mut self, group: GroupId, topic: TopicId, partition: u32) {
        let end = self.logs[topic.index()].partitions[partition as usize].end();
        let committed = self.groups[group.index()].committed[partition as usize];
        self.cx.observe(Observation::Lag { group, partition, end, committed });
    }

    /// A member asks to join, or to join again.
    pub(super) fn join(&mut self, estate: &Estate, member: MemberId) {
        let group = estate.members[member].group;
        let active = self.members_in(estate, group);
        let state = &mut self.groups[group.index()];
        if state.joining.is_none() {
            // Only a group that was empty waits for more members (KIP-134).
            let empty = active.is_empty() && state.unheard.is_empty();
            self.open_join_phase(estate, group, empty);
        }
        let state = &mut self.groups[group.index()];
        if !state.joined.contains(&member) {
            state.joined.push(member);
        }
        self.members[member.index()].standing = Standing::Joining;
        self.complete_if_all_joined(estate, group);
    }

    fn members_in(&self, estate: &Estate, group: GroupId) -> Vec<MemberId> {
        let members = estate.groups[group].members.iter().copied();
        members.filter(|member| self.members[member.index()].standing == Standing::Active).collect()
    }

    fn open_join_phase(&mut self, estate: &Estate, group: GroupId, empty: bool) {
        let described = &estate.groups[group];
        let state = &mut self.groups[group.index()];
        state.attempts += 1;
        let attempt = state.attempts;
        state.joining = Some(attempt);
        // Who still waited for an assignment is told that it is void, and joins again.
        let members = &self.members;
        state.joined.retain(|member| members[member.index()].standing == Standing::Joining);
        // The classic rebalance timeout is the poll interval.
        let lasts = if empty { described.initial_rebalance_delay } else { described.max_poll_interval };
        self.cx.after(lasts, Event::JoinPhaseEnds { group, attempt });
        for member in self.members_in(estate, group) {
            self.tell_of_rebalance(estate, member, attempt);
        }
    }

    /// An idle member hears of the rebalance with its next heartbeat; a busy one when it polls again.
    fn tell_of_rebalance(&mut self, estate: &Estate, member: MemberId, attempt: u32) {
        let state = &self.members[member.index()];
        if !state.parked {
            return;
        }
        let group = estate.members[member].group;
        let u = self.cx.draws.unit(self.keys.members[member.index()].heartbeat, u64::from(attempt), 0);
        let heard = estate.groups[group].heartbeat_interval.scaled(u);
        let epoch = state.epoch;
        self.cx.after(heard, Event::MemberPolls { member, epoch });
    }

    fn complete_if_all_joined(&mut self, estate: &Estate, group: GroupId) {
        let state = &self.groups[group.index()];
        // The first member of an empty group waits for others until the initial delay is over.
        if state.occupied && state.unheard.is_empty() && self.members_in(estate, group).is_empty() {
            self.end_join_phase(estate, group);
        }
    }

    pub(super) fn on_join_phase_ends(&mut self, estate: &Estate, group: GroupId, attempt: u32) {
        if self.groups[group.index()].joining == Some(attempt) {
            self.end_join_phase(estate, group);
        }
    }

    /// Whoever has not joined is out; the others get the partitions one round trip later.
    fn end_join_phase(&mut self, estate: &Estate, group: GroupId) {
        for member in self.members_in(estate, group) {
            self.put_out(estate, member, Eviction::RebalanceTimeout);
        }
        let state = &mut self.groups[group.index()];
        state.joining = None;
        let unheard = std::mem::take(&mut state.unheard);
        for (member, _) in unheard {
            self.cx.observe(Observation::Evicted { group, member, why: Eviction::RebalanceTimeout });
        }
        let state = &mut self.groups[group.index()];
        if state.joined.is_empty() {
            state.occupied = false;
            return;
        }
        state.generation += 1;
        state.occupied = true;
        let attempt = state.attempts;
        let sync = match &estate.network.within {
            Distribution::Fixed(time) => *time,
            law => law.mean(),
        };
        self.cx.after(sync.saturating_mul(2), Event::Assign { group, attempt });
    }

    pub(super) fn on_assign(&mut self, estate: &Estate, group: GroupId, attempt: u32) {
        let state = &mut self.groups[group.index()];
        if state.attempts != attempt || state.joining.is_some() {
            return;
        }
        let mut members = std::mem::take(&mut state.joined);
        members.retain(|member| self.members[member.index()].standing == Standing::Joining);
        members.sort();
        let generation = self.groups[group.index()].generation;
        let count = members.len() as u32;
        self.cx.observe(Observation::Rebalanced { group, generation, members: count });
        self.hand_out(estate, group, &members);
    }

    /// Range assignment: contiguous partitions, the first members one more where it does not come out even.
    fn hand_out(&mut self, estate: &Estate, group: GroupId, members: &[MemberId]) {
        let topic = estate.groups[group].topic;
        let partitions = estate.topics[topic].partitions as usize;
        let (each, rest) = (partitions / members.len().max(1), partitions % members.len().max(1));
        let mut next = 0;
        for (index, member) in members.iter().enumerate() {
            let share = each + usize::from(index < rest);
            let mine =
                (next..next + share).map(|partition| (partition as u32, self.begin_offset(estate, group, partition)));
            let mine: Vec<(u32, u64)> = mine.collect();
            next += share;
            self.assign(estate, *member, mine);
        }
        self.groups[group.index()].occupied = !members.is_empty();
    }

    fn begin_offset(&self, estate: &Estate, group: GroupId, partition: usize) -> u64 {
        let described = &estate.groups[group];
        let log = &self.logs[described.topic.index()].partitions[partition];
        let committed = self.groups[group.index()].committed[partition];
        // A committed offset that the log no longer has is reset as a missing one.
        if committed >= log.start() {
            return committed;
        }
        match described.offset_reset {
            OffsetReset::Earliest => log.start(),
            OffsetReset::Latest => log.end(),
        }
    }

    /// Moves the committed offset of a partition; records behind it are done as far as this group is concerned.
    pub(super) fn commit(&mut self, estate: &Estate, group: GroupId, member: MemberId, partition: u32, offset: u64) {
        let state = &mut self.groups[group.index()];
        let index = partition as usize;
        if state.committed[index] == offset {
            return;
        }
        state.committed[index] = offset;
        self.cx.observe(Observation::Committed { group, member, partition, offset });
        let topic = estate.groups[group].topic;
        self.report_lag(group, topic, partition);
        let from = self.groups[group.index()].released[index];
        for released in from..offset {
            let log = &self.logs[topic.index()].partitions[index];
            let record = log.get(released).expect("a record is kept until its groups have committed it");
            let interaction = record.interaction;
            self.release(estate, interaction);
        }
        let state = &mut self.groups[group.index()];
        state.released[index] = state.released[index].max(offset);
        self.forget_committed(estate, topic, partition);
    }

    /// The member is no longer in the group; what it has not committed it has lost, and what it has fetched it goes
    /// on with.
    pub(super) fn put_out(&mut self, estate: &Estate, member: MemberId, why: Eviction) {
        let group = estate.members[member].group;
        self.keep_batch(estate, member);
        let state = &mut self.members[member.index()];
        state.standing = Standing::Out;
        state.assigned.clear();
        self.cx.observe(Observation::Evicted { group, member, why });
    }

    /// A member has left: the others share its partitions.
    pub(super) fn rebalance_without(&mut self, estate: &Estate, group: GroupId) {
        let remaining = !self.members_in(estate, group).is_empty();
        let state = &mut self.groups[group.index()];
        if state.joining.is_some() {
            self.complete_if_all_joined(estate, group);
        } else if remaining {
            self.open_join_phase(estate, group, false);
        } else {
            let members = &self.members;
            state.occupied = state.joined.iter().any(|member| members[member.index()].standing == Standing::Joining);
        }
    }

    /// A member's process died: the coordinator will hear nothing more, and notices after the session timeout,
    /// counted from the last heartbeat.
    pub(super) fn member_crashed(&mut self, estate: &Estate, member: MemberId) {
        let group = estate.members[member].group;
        let described = &estate.groups[group];
        let epoch = self.members[member.index()].epoch;
        self.groups[group.index()].unheard.push((member, epoch));
        let u = self.cx.draws.unit(self.keys.members[member.index()].heartbeat, epoch.into(), 1);
        let silent = described.heartbeat_interval.scaled(u);
        let left = described.session_timeout.saturating_sub(silent);
        self.cx.after(left, Event::SessionExpires { member, epoch });
    }

    pub(super) fn on_session_expires(&mut self, estate: &Estate, member: MemberId, epoch: u32) {
        let group = estate.members[member].group;
        let state = &mut self.groups[group.index()];
        let Some(position) = state.unheard.iter().position(|unheard| *unheard == (member, epoch)) else { return };
        state.unheard.remove(position);
        self.cx.observe(Observation::Evicted { group, member, why: Eviction::Session });
        self.rebalance_without(estate, group);
    }

    /// Sets a group's offsets back to a moment, as `kafka-consumer-groups --reset-offsets --to-datetime` does; what
    /// lies before the old position is handed out again.
    pub(super) fn replay(&mut self, estate: &Estate, group: GroupId, from: SimDuration) {
        let topic = estate.groups[group].topic;
        self.groups[group.index()].replays += 1;
        for partition in 0..estate.topics[topic].partitions {
            let log = &self.logs[topic.index()].partitions[partition as usize];
            let target = log.offset_at(SimTime::from(from));
            let state = &mut self.groups[group.index()];
            let index = partition as usize;
            state.replay_below[index] = state.replay_below[index].max(state.committed[index]);
            state.committed[index] = state.committed[index].min(target);
            let offset = state.committed[index];
            self.cx.observe(Observation::Rewound { group, partition, offset });
            self.report_lag(group, topic, partition);
        }
        for member in estate.groups[group].members.clone() {
            if self.members[member.index()].standing == Standing::Active {
                let partitions: Vec<u32> =
                    self.members[member.index()].assigned.iter().map(|(partition, ..)| *partition).collect();
                let mine = partitions
                    .iter()
                    .map(|partition| (*partition, self.begin_offset(estate, group, *partition as usize)));
                let mine: Vec<(u32, u64)> = mine.collect();
                self.assign(estate, member, mine);
            }
        }
    }
}
