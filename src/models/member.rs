//! A member of a consumer group: one thread that polls, works through what it got, and polls again.

use super::estate::{CommitModel, Estate, GroupId, MemberId, Otherwise, ReplicaId, ServiceId, TopicId};
use super::event::Event;
use super::interaction::Ongoing;
use super::observation::{Delivered, Eviction, Interaction, Observation};
use super::program::OperationId;
use super::task::{Caller, Handling, Repeat, deed};
use super::topic::Record;
use super::world::World;
use crate::units::{SimDuration, SimTime, Slot};
use std::collections::VecDeque;

/// Where a member stands with its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Active,
    /// Has sent its join request and waits for an assignment.
    Joining,
    /// Not in the group, though its thread may still be at work and not know.
    Out,
    /// Its process is not running.
    Dead,
}

/// A record that was fetched and waits for its turn.
#[derive(Clone, Debug)]
struct Fetched {
    partition: u32,
    offset: u64,
    /// Its own copy, where the record was committed before its turn or may be by others: it holds its interaction.
    kept: Option<Slot<Record>>,
}

/// One consumer thread.
#[derive(Clone, Debug)]
pub struct Member {
    pub standing: Standing,
    /// Counts restarts of its process; what was planned before one is void.
    pub epoch: u32,
    /// Partition, next offset to fetch, and the offset to commit with the next commit.
    pub assigned: Vec<(u32, u64, u64)>,
    /// Fetched and not yet worked on.
    batch: VecDeque<Fetched>,
    /// Whether a record is being worked on.
    busy: bool,
    /// Blocked in `poll()` with nothing to return: it polls all the time, which costs no events.
    pub parked: bool,
    /// Whether a wake-up is on its way.
    waking: bool,
    last_poll: SimTime,
    /// When the next automatic commit is due.
    commit_due: SimTime,
    deadline_armed: bool,
    /// Whether its automatic commits have begun.
    timer_armed: bool,
    /// Whether its process is to be replaced as soon as its batch is worked through.
    closing: bool,
    /// The code its process runs.
    code: u32,
    pub paused: u32,
    pub stalled: u32,
    /// Finished a record while stalled: goes on when the stall is over.
    held_up: bool,
}

impl Member {
    /// A consumer whose process runs this code and that has not joined yet.
    pub fn running(code: u32) -> Self {
        Member {
            standing: Standing::Out,
            epoch: 0,
            assigned: Vec::new(),
            batch: VecDeque::new(),
            busy: false,
            parked: false,
            waking: false,
            last_poll: SimTime::ZERO,
            commit_due: SimTime::ZERO,
            deadline_armed: false,
            timer_armed: false,
            closing: false,
            code,
            paused: 0,
            stalled: 0,
            held_up: false,
        }
    }
}

impl World {
    /// Gives a member its partitions; it polls at once.
    pub(super) fn assign(&mut self, estate: &Estate, member: MemberId, mine: Vec<(u32, u64)>) {
        let group = &estate.groups[estate.members[member].group];
        let now = self.cx.now();
        self.drop_batch(estate, member);
        let state = &mut self.members[member.index()];
        state.standing = Standing::Active;
        state.assigned = mine.into_iter().map(|(partition, offset)| (partition, offset, offset)).collect();
        state.last_poll = now;
        let epoch = state.epoch;
        let begins = !std::mem::replace(&mut state.timer_armed, true);
        if begins {
            // A consumer that was running before the run is anywhere in its interval; a new one begins it.
            let warm = now == SimTime::ZERO;
            let key = self.keys.members[member.index()].heartbeat;
            let left = if warm { self.cx.draws.unit(key, 0, 2) } else { 1.0 };
            state.commit_due = now + group.auto_commit_interval.scaled(left);
        }
        let (free, due) = (!state.busy, state.commit_due);
        if group.commit == CommitModel::LibrdkafkaTimer && begins {
            self.cx.at(due, Event::AutoCommit { member, epoch });
        }
        if free {
            self.cx.after(SimDuration::ZERO, Event::MemberPolls { member, epoch });
        }
    }

    /// The thread calls `poll()`.
    pub(super) fn on_member_polls(&mut self, estate: &Estate, member: MemberId, epoch: u32) {
        let state = &mut self.members[member.index()];
        state.waking = false;
        if state.epoch != epoch || state.busy || !state.batch.is_empty() {
            return;
        }
        if state.stalled > 0 {
            state.held_up = true;
            if state.standing == Standing::Active {
                self.arm_poll_deadline(estate, member);
            }
            return;
        }
        let group = estate.members[member].group;
        if std::mem::take(&mut state.parked) {
            // Blocked in `poll()` its commit timer went on; nothing was owed, or this is when it is due.
            let interval = estate.groups[group].auto_commit_interval;
            let behind = self.cx.now().since(state.commit_due).nanos().div_ceil(interval.nanos().max(1));
            state.commit_due += interval.saturating_mul(behind);
        }
        state.last_poll = self.cx.now();
        match state.standing {
            Standing::Dead | Standing::Joining => return,
            Standing::Out => return self.join(estate, member),
            Standing::Active => {}
        }
        if estate.groups[group].commit == CommitModel::JavaPoll {
            // What the last poll returned has been worked through; a timer's commit counts what was handed over.
            for (_, next, done) in &mut self.members[member.index()].assigned {
                *done = *next;
            }
        }
        if self.groups[group.index()].is_joining() {
            // Before it joins again the client commits what it has worked through.
            self.commit_positions(estate, member);
            self.members[member.index()].assigned.clear();
            return self.join(estate, member);
        }
        self.commit_if_due(estate, member);
        self.fetch(estate, member);
    }

    fn commit_if_due(&mut self, estate: &Estate, member: MemberId) {
        let group = &estate.groups[estate.members[member].group];
        let due = self.members[member.index()].commit_due;
        if group.commit == CommitModel::JavaPoll && self.cx.now() >= due {
            self.commit_positions(estate, member);
        }
    }

    /// Commits, per partition, what the model says is done.
    pub(super) fn commit_positions(&mut self, estate: &Estate, member: MemberId) {
        let now = self.cx.now();
        let group = estate.members[member].group;
        let state = &mut self.members[member.index()];
        state.commit_due = now + estate.groups[group].auto_commit_interval;
        if state.standing != Standing::Active {
            return;
        }
        if estate.groups[group].commit == CommitModel::LibrdkafkaTimer {
            // What is committed before its turn is still in the application's hands.
            self.keep_batch(estate, member);
        }
        for index in 0..self.members[member.index()].assigned.len() {
            let (partition, _, done) = self.members[member.index()].assigned[index];
            self.commit(estate, group, member, partition, done);
        }
    }

    /// Takes up to `max.poll.records` from its partitions, one partition after the other; blocks where there is
    /// nothing.
    fn fetch(&mut self, estate: &Estate, member: MemberId) {
        let id = estate.members[member].group;
        let group = &estate.groups[id];
        let state = &mut self.members[member.index()];
        let mut room = u64::from(group.max_poll_records);
        if state.paused == 0 {
            for (partition, next, done) in &mut state.assigned {
                let end = self.logs[group.topic.index()].partitions[*partition as usize].end();
                let take = room.min(end.saturating_sub(*next));
                let fetched = |offset| Fetched { partition: *partition, offset, kept: None };
                state.batch.extend((*next..*next + take).map(fetched));
                *next += take;
                room -= take;
                if group.commit == CommitModel::LibrdkafkaTimer {
                    // The client counts as handed over whatever one `consume` returns.
                    *done = *next;
                }
            }
            // The next poll begins with another partition, so that none starves.
            if state.assigned.len() > 1 {
                state.assigned.rotate_left(1);
            }
        }
        if state.batch.is_empty() {
            self.park(estate, member);
        } else {
            self.arm_poll_deadline(estate, member);
            self.next_record(estate, member);
        }
    }

    /// Blocks in `poll()` until something is appended. An automatic commit that is still owed happens inside it.
    fn park(&mut self, estate: &Estate, member: MemberId) {
        let group = &estate.groups[estate.members[member].group];
        let state = &mut self.members[member.index()];
        state.parked = true;
        let committed = &self.groups[estate.members[member].group.index()].committed;
        let owed = state.assigned.iter().any(|(partition, _, done)| committed[*partition as usize] != *done);
        if owed && group.commit == CommitModel::JavaPoll {
            let at = state.commit_due.max(self.cx.now());
            let epoch = state.epoch;
            self.cx.at(at, Event::MemberPolls { member, epoch });
        }
    }

    /// A record was appended: whoever waits for this partition gets it one fetch later.
    pub(super) fn wake_members(&mut self, estate: &Estate, group: GroupId, partition: u32) {
        let fetch = estate.network.within.mean();
        for member in &estate.groups[group].members {
            let state = &mut self.members[member.index()];
            let mine = state.assigned.iter().any(|(assigned, ..)| *assigned == partition);
            if mine && state.parked && !state.waking && state.paused == 0 {
                state.waking = true;
                let epoch = state.epoch;
                self.cx.after(fetch, Event::MemberPolls { member: *member, epoch });
            }
        }
    }

    fn arm_poll_deadline(&mut self, estate: &Estate, member: MemberId) {
        let group = &estate.groups[estate.members[member].group];
        let state = &mut self.members[member.index()];
        if !std::mem::replace(&mut state.deadline_armed, true) {
            let epoch = state.epoch;
            self.cx.at(state.last_poll + group.max_poll_interval, Event::PollDeadline { member, epoch });
        }
    }

    /// One timer per member: it arms itself again as long as the member polled in time, and is idle with it.
    pub(super) fn on_poll_deadline(&mut self, estate: &Estate, member: MemberId, epoch: u32) {
        let id = estate.members[member].group;
        let interval = estate.groups[id].max_poll_interval;
        let state = &mut self.members[member.index()];
        if state.epoch != epoch {
            return;
        }
        state.deadline_armed = false;
        let stuck = state.busy || state.held_up || !state.batch.is_empty();
        if state.standing != Standing::Active || !stuck {
            return;
        }
        if state.last_poll + interval > self.cx.now() {
            self.arm_poll_deadline(estate, member);
            return;
        }
        // The client itself leaves; its thread goes on with the batch and does not know.
        self.put_out(estate, member, Eviction::PollInterval);
        self.rebalance_without(estate, id);
    }

    /// A client's timer commits what was handed to the application.
    pub(super) fn on_auto_commit(&mut self, estate: &Estate, member: MemberId, epoch: u32) {
        let state = &self.members[member.index()];
        if state.epoch != epoch || state.standing == Standing::Dead {
            return;
        }
        self.commit_positions(estate, member);
        let interval = estate.groups[estate.members[member].group].auto_commit_interval;
        self.cx.after(interval, Event::AutoCommit { member, epoch });
    }

    /// Works on the next record of the batch, or polls again.
    fn next_record(&mut self, estate: &Estate, member: MemberId) {
        loop {
            let state = &mut self.members[member.index()];
            let epoch = state.epoch;
            if state.stalled > 0 {
                state.held_up = true;
                return;
            }
            let Some(fetched) = state.batch.pop_front() else {
                if state.closing {
                    return self.replace_member(estate, member);
                }
                self.cx.after(SimDuration::ZERO, Event::MemberPolls { member, epoch });
                return;
            };
            let at_work = self.take_up(estate, member, fetched);
            self.members[member.index()].busy = at_work;
            if at_work {
                return;
            }
        }
    }

    /// Hands a record to the application; says whether it now works on it.
    fn take_up(&mut self, estate: &Estate, member: MemberId, fetched: Fetched) -> bool {
        let Fetched { partition, offset, kept } = fetched;
        let id = estate.members[member].group;
        let topic = estate.groups[id].topic;
        let position = estate.topics[topic].groups.iter().position(|known| *known == id);
        let position = position.expect("a group is listed by its topic");
        let kept = kept.map(|kept| self.kept.remove(kept).expect("a copy is kept until its record's turn"));
        let copy = kept.as_ref().map(|record| record.interaction);
        let lost_it = self.members[member.index()].standing != Standing::Active;
        let (redelivery, record) = match self.logs[topic.index()].partitions[partition as usize].get_mut(offset) {
            Some(record) => {
                record.handed[position] += 1;
                (record.handed[position] - 1, record.clone())
            }
            // Committed meanwhile: by itself, or by others who were handed it too.
            None => match kept {
                Some(record) => (record.handed[position] + u32::from(lost_it), record),
                None => return false,
            },
        };
        let at_work = self.deliver(estate, member, partition, offset, redelivery, record);
        self.let_go(estate, copy);
        at_work
    }

    /// What a member fetched it holds in memory: it goes on with it whatever becomes of the offsets.
    pub(super) fn keep_batch(&mut self, estate: &Estate, member: MemberId) {
        let topic = estate.groups[estate.members[member].group].topic;
        let mut batch = std::mem::take(&mut self.members[member.index()].batch);
        for fetched in batch.iter_mut().filter(|fetched| fetched.kept.is_none()) {
            let log = &self.logs[topic.index()].partitions[fetched.partition as usize];
            let Some(record) = log.get(fetched.offset).cloned() else { continue };
            if let Some(ongoing) = self.interactions.get_mut(record.interaction) {
                ongoing.open += 1;
            }
            fetched.kept = Some(self.kept.insert(record));
        }
        self.members[member.index()].batch = batch;
    }

    fn drop_batch(&mut self, estate: &Estate, member: MemberId) {
        let group = estate.members[member].group;
        let topic = estate.groups[group].topic;
        while let Some(fetched) = self.members[member.index()].batch.pop_front() {
            let Fetched { partition, offset, kept } = fetched;
            let copy = kept.and_then(|kept| self.kept.remove(kept));
            let logged = || self.logs[topic.index()].partitions[partition as usize].get(offset).map(|record| record.id);
            if let Some(interaction) = copy.as_ref().map(|record| record.id).or_else(logged) {
                self.cx.observe(Observation::Dropped { interaction, group, partition, offset });
            }
            self.let_go(estate, copy.map(|record| record.interaction));
        }
    }

    /// A kept copy is gone; it held its interaction unless that was over before.
    fn let_go(&mut self, estate: &Estate, copy: Option<Slot<Ongoing>>) {
        if let Some(interaction) = copy.filter(|copy| self.interactions.get(*copy).is_some()) {
            self.release(estate, interaction);
        }
    }

    /// Says whether the application works on the record; otherwise it is done with.
    fn deliver(
        &mut self,
        estate: &Estate,
        member: MemberId,
        partition: u32,
        offset: u64,
        redelivery: u32,
        record: Record,
    ) -> bool {
        let id = estate.members[member].group;
        let group = &estate.groups[id];
        let service = &estate.services[group.service];
        let replica = estate.members[member].replica;
        let code = self.members[member.index()].code;
        let handled_as = understood(estate, group.service, code, group.topic, &record);
        let interaction = self.interaction_of(estate, id, partition, offset, &record);
        let of = self.interactions.get(interaction).expect("a record's interaction is open").id;
        self.cx.cause = self.interactions.get(interaction).map_or(0, |ongoing| ongoing.cause);
        let meaning = match handled_as {
            Ok(version) => Some(version),
            Err(Otherwise::ProcessAs(version)) => Some(version),
            Err(Otherwise::Park | Otherwise::DeadLetter | Otherwise::Fail) => None,
        };
        let seen = self.cx.observe(Observation::Delivered(Delivered {
            interaction: of,
            group: id,
            member,
            topic: group.topic,
            partition,
            offset,
            event_type: record.event_type,
            produced_version: record.domain_version,
            handled_as: meaning,
            version_carried: estate.topics[group.topic].carries.domain_version,
            context: service.context,
            replica,
            code,
            redelivery,
            occurred_at: record.occurred_at,
            appended_at: record.appended_at,
        }));
        if let Some(ongoing) = self.interactions.get_mut(interaction) {
            ongoing.cause = seen;
        }
        let handler = group.handlers.iter().find(|(event_type, _)| *event_type == record.event_type);
        match (meaning, handler) {
            (Some(handled_as), Some((_, operation))) => {
                let (event, occurred_at) = (record.event, record.occurred_at);
                let handling = Handling { group: id, partition, offset, event, occurred_at, handled_as };
                let repeat = record.repeat.or((redelivery > 0).then_some(Repeat::Redelivery));
                let record = Record { repeat, ..record };
                self.handle(estate, member, interaction, *operation, replica, handling, record);
                true
            }
            // An event type without a rule is read over.
            (Some(_), None) => {
                self.release(estate, interaction);
                false
            }
            (None, _) => {
                self.set_aside(of, id, record.event_type, handled_as);
                self.release(estate, interaction);
                false
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a delivery is all of these, and nothing else wants them together")]
    fn handle(
        &mut self,
        estate: &Estate,
        member: MemberId,
        interaction: Slot<Ongoing>,
        operation: OperationId,
        replica: ReplicaId,
        handling: Handling,
        record: Record,
    ) {
        let epoch = self.members[member.index()].epoch;
        let visit = self.interactions.get_mut(interaction).expect("a record's interaction is open").visit(operation);
        let task = self.new_task(interaction, operation, replica, Caller::Member { member, epoch });
        // The task holds the interaction from here on.
        self.release(estate, interaction);
        let state = self.tasks.get_mut(task).expect("the task was just made");
        state.visit = visit;
        state.context = record.context;
        state.deed = deed(record.deed, handling.group.as_u32().into(), 0);
        state.repeat = record.repeat;
        state.handling = Some(handling);
        self.begin(estate, task);
    }

    fn set_aside(&mut self, interaction: Interaction, group: GroupId, event_type: u16, why: Result<u32, Otherwise>) {
        match why {
            Err(Otherwise::Park) => {
                self.cx.observe(Observation::Parked { interaction, group, event_type });
            }
            Err(Otherwise::DeadLetter | Otherwise::Fail) => {
                self.cx.observe(Observation::DeadLettered { interaction, group, event_type });
            }
            Ok(_) | Err(Otherwise::ProcessAs(_)) => {}
        }
    }

    /// The interaction a record belongs to, held once for the delivery. Below the point from which the group was
    /// set back it is a new one (rules.md, 4).
    fn interaction_of(
        &mut self,
        estate: &Estate,
        group: GroupId,
        partition: u32,
        offset: u64,
        record: &Record,
    ) -> Slot<Ongoing> {
        let state = &self.groups[group.index()];
        let replayed = offset < state.replay_below[partition as usize];
        if !replayed && self.interactions.get(record.interaction).is_some() {
            self.hold(record.interaction);
            return record.interaction;
        }
        let replay = state.replays.max(1);
        self.open_replay(estate, record, replay)
    }

    /// A consumer's record is done with, one way or the other: a failed one is logged and skipped, as the clients'
    /// own loops do unless the application retries.
    pub(super) fn record_done(&mut self, estate: &Estate, member: MemberId, epoch: u32) {
        let state = &mut self.members[member.index()];
        if state.epoch != epoch || !state.busy {
            return;
        }
        state.busy = false;
        self.next_record(estate, member);
    }

    /// `consumer.pause`: the application keeps polling and takes nothing.
    pub(super) fn set_paused(&mut self, member: MemberId, paused: bool) {
        let state = &mut self.members[member.index()];
        if paused {
            state.paused += 1;
            return;
        }
        state.paused -= 1;
        self.nudge(member);
    }

    /// `consumer.stall`: the thread stands still; its heartbeats go on.
    pub(super) fn set_stalled(&mut self, estate: &Estate, member: MemberId, stalled: bool) {
        let state = &mut self.members[member.index()];
        if stalled {
            state.stalled += 1;
            if state.parked {
                state.parked = false;
                state.held_up = true;
                state.last_poll = self.cx.now();
            }
            if state.standing == Standing::Active {
                self.arm_poll_deadline(estate, member);
            }
            return;
        }
        state.stalled -= 1;
        if state.stalled == 0 && std::mem::take(&mut state.held_up) {
            if state.batch.is_empty() {
                state.busy = false;
                let epoch = state.epoch;
                self.cx.after(SimDuration::ZERO, Event::MemberPolls { member, epoch });
            } else {
                self.next_record(estate, member);
            }
        }
    }

    fn nudge(&mut self, member: MemberId) {
        let state = &mut self.members[member.index()];
        if state.parked && !state.waking {
            state.waking = true;
            let epoch = state.epoch;
            self.cx.after(SimDuration::ZERO, Event::MemberPolls { member, epoch });
        }
    }

    /// The member's process ends, in order (it closes its consumer) or not.
    pub(super) fn stop_member(&mut self, estate: &Estate, member: MemberId, orderly: bool) {
        let group = estate.members[member].group;
        let was = self.members[member.index()].standing;
        if orderly {
            self.commit_positions(estate, member);
        }
        self.drop_batch(estate, member);
        let state = &mut self.members[member.index()];
        state.epoch += 1;
        state.standing = Standing::Dead;
        state.assigned.clear();
        state.busy = false;
        state.parked = false;
        state.waking = false;
        state.held_up = false;
        state.deadline_armed = false;
        state.timer_armed = false;
        state.closing = false;
        match was {
            Standing::Active | Standing::Joining if orderly => self.rebalance_without(estate, group),
            Standing::Active | Standing::Joining => self.member_crashed(estate, member),
            Standing::Out | Standing::Dead => {}
        }
    }

    /// The member's process is replaced in order: its thread ends with the batch it has, then it closes and starts
    /// anew.
    pub(super) fn replace_member(&mut self, estate: &Estate, member: MemberId) {
        let state = &mut self.members[member.index()];
        if state.busy || !state.batch.is_empty() {
            state.closing = true;
            return;
        }
        for (_, next, done) in &mut state.assigned {
            *done = *next;
        }
        self.stop_member(estate, member, true);
        self.start_member(estate, member);
    }

    pub(super) fn start_member(&mut self, estate: &Estate, member: MemberId) {
        let code = self.replicas[estate.members[member].replica.index()].code;
        let state = &mut self.members[member.index()];
        state.standing = Standing::Out;
        state.code = code;
        let epoch = state.epoch;
        self.cx.after(SimDuration::ZERO, Event::MemberPolls { member, epoch });
    }
}

/// Under which domain version a consumer's code handles a record, or what it does instead.
fn understood(
    estate: &Estate,
    service: ServiceId,
    code: u32,
    topic: TopicId,
    record: &Record,
) -> Result<u32, Otherwise> {
    let service = &estate.services[service];
    let version = service.codes.iter().find(|version| version.number == code);
    let Some(understands) = version.map(|version| &version.understands).filter(|versions| !versions.is_empty()) else {
        return Ok(record.domain_version);
    };
    if !estate.topics[topic].carries.domain_version {
        // Nothing says which meaning it has: the code takes it for the newest it knows.
        return Ok(understands.iter().copied().max().expect("a list that is not empty has a greatest"));
    }
    if understands.contains(&record.domain_version) { Ok(record.domain_version) } else { Err(service.otherwise) }
}
