//! A task: one operation at work on one replica, and where it stands in its program.

use super::carried::{CarriedDecision, Context};
use super::estate::{GroupId, MemberId, ReplicaId};
use super::interaction::Ongoing;
use super::observation::Outcome;
use super::program::OperationId;
use crate::rollout::FeatureId;
use crate::units::{SimTime, Slot};

/// Who waits for a task's outcome.
#[derive(Clone, Copy, Debug)]
pub enum Caller {
    Customer,
    Task {
        task: Slot<Task>,
        call: u32,
    },
    /// A consumer's thread, in its epoch.
    Member {
        member: MemberId,
        epoch: u32,
    },
    /// Nobody any more: it was answered before it was done.
    Nobody,
}

/// The record a consumer's task works on.
#[derive(Clone, Copy, Debug)]
pub struct Handling {
    pub group: GroupId,
    pub partition: u32,
    pub offset: u64,
    /// The event's id: copies share it.
    pub event: u32,
    pub occurred_at: SimTime,
    /// The meaning under which it is handled.
    pub handled_as: u32,
}

/// Why a task may do again what was done before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// A call on its way was tried again.
    Retry,
    /// A record on its way was delivered again.
    Redelivery,
    /// A record on its way is a further copy of an event.
    Copy,
}

/// What names a step of the business within its interaction, whatever is tried, delivered or emitted again: the step it
/// follows from, what it is, and the how-manieth of these.
pub fn deed(of: u64, what: u64, ordinal: u64) -> u64 {
    let mixed = (of ^ what.rotate_left(24) ^ ordinal.rotate_left(48)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// What a task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    Travelling,
    Queued,
    /// Waits for its replica's cache to fetch the policy.
    Fetching,
    Working,
    Calling,
    /// Inside a wait or a backoff.
    Waiting,
    /// Accepted and stored until its time comes.
    Held,
}

/// One operation at work.
#[derive(Clone, Debug)]
pub struct Task {
    pub interaction: Slot<Ongoing>,
    pub operation: OperationId,
    pub replica: ReplicaId,
    pub caller: Caller,
    /// From 1.
    pub attempt: u16,
    /// The how-manieth time this interaction calls the operation, from 0.
    pub visit: u16,
    /// The context that came in.
    pub context: Context,
    pub handling: Option<Handling>,
    pub doing: Doing,
    pub holds_worker: bool,
    /// Whether the fetch it needed has been made, so that it is not asked for twice.
    pub fetched: bool,
    /// Fetches it waits for: one of each layer of its replica's cache at most.
    pub awaits: u8,
    /// The rule that was chosen, and its position.
    pub rule: Option<u16>,
    pub action: u16,
    pub iteration: u16,
    /// The number of the call under way; answers to earlier ones are too late.
    pub call: u32,
    pub call_attempt: u16,
    /// The visit that the call under way counts as.
    pub visit_of_call: u16,
    /// When the record occurred on whose behalf this was called, if on any.
    pub acts_on: Option<SimTime>,
    /// What it does, by a name that its repetitions share.
    pub deed: u64,
    pub repeat: Option<Repeat>,
    /// Nobody hears of its outcome, and its caller not even that.
    pub silent: bool,
    /// Since when it is held, where it is.
    pub held_since: SimTime,
    /// The decisions used here, each made once.
    pub used: Context,
    /// An outcome settled before the program ended (a call that failed, a reject).
    pub settled: Option<Outcome>,
}

impl Task {
    pub fn new(interaction: Slot<Ongoing>, operation: OperationId, replica: ReplicaId, caller: Caller) -> Task {
        Task {
            interaction,
            operation,
            replica,
            caller,
            attempt: 1,
            visit: 0,
            context: Context::default(),
            handling: None,
            doing: Doing::Travelling,
            holds_worker: false,
            fetched: false,
            awaits: 0,
            rule: None,
            action: 0,
            iteration: 0,
            call: 0,
            call_attempt: 0,
            visit_of_call: 0,
            acts_on: None,
            deed: 0,
            repeat: None,
            silent: false,
            held_since: SimTime::ZERO,
            used: Context::default(),
            settled: None,
        }
    }

    /// The decision under which its rule runs: the first one it read.
    pub fn under(&self) -> Option<(FeatureId, CarriedDecision)> {
        self.used.iter().next().copied()
    }
}
