//! What can happen next: closed, small, copied. Events are bare names; what they did is told by observations.

use super::aggregate::Return;
use super::estate::{GroupId, JourneyId, MemberId, RegionId, ReplicaId, ServiceId, UsersId};
use super::interaction::Ongoing;
use super::journey::Errand;
use super::observation::Outcome;
use super::task::Task;
use super::topic::Sent;
use crate::units::Slot;

/// An event of the simulated world. `life` and `epoch` are the owner's when the event was planned: an owner that
/// has restarted since ignores it.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// The next customer of a journey.
    Arrive {
        journey: JourneyId,
    },
    /// A customer comes back to what an earlier interaction created.
    Returns {
        planned: Slot<Return>,
    },
    /// A closed-loop user has thought enough, or looks whether it may go on.
    UserActs {
        users: UsersId,
        user: u32,
    },
    /// A request reaches its replica.
    Deliver {
        task: Slot<Task>,
    },
    /// A worker has spent the operation's own time.
    WorkDone {
        task: Slot<Task>,
    },
    /// An answer reaches the task that called.
    Reply {
        task: Slot<Task>,
        call: u32,
        outcome: Outcome,
    },
    /// The customer's answer arrives.
    Answer {
        interaction: Slot<Ongoing>,
        outcome: Outcome,
    },
    /// The earliest deadline of all calls with one timeout.
    Deadlines {
        lane: u32,
    },
    /// The wait before another attempt is over.
    Retry {
        task: Slot<Task>,
        call: u32,
    },
    /// A wait or a hold inside a program is over.
    Continue {
        task: Slot<Task>,
    },
    /// A cache asks for the policy.
    Poll {
        replica: ReplicaId,
        life: u32,
    },
    /// The question reaches the control plane of the replica's region.
    PolicyRead {
        replica: ReplicaId,
        life: u32,
        fetch: u32,
    },
    /// The answer reaches the replica.
    PolicyAnswer {
        replica: ReplicaId,
        life: u32,
        fetch: u32,
        version: u32,
    },
    /// The fetch is given up.
    PolicyUnavailable {
        replica: ReplicaId,
        life: u32,
        fetch: u32,
    },
    /// A pushed version reaches the replica.
    PolicyPush {
        replica: ReplicaId,
        life: u32,
        version: u32,
    },
    /// A replica tries to open its stream again.
    Reconnect {
        replica: ReplicaId,
        life: u32,
    },
    /// A replica's SDK looks whether its policy has become too old.
    StalenessCheck {
        replica: ReplicaId,
        life: u32,
    },
    /// A version reaches the control plane of a region.
    Replicate {
        region: RegionId,
        version: u32,
    },
    StepDue {
        rollout: u16,
        step: u16,
    },
    /// The hold of the step in force is over.
    HoldEnds {
        rollout: u16,
        course: u32,
    },
    /// The gates of the step in force are judged.
    Analyse {
        rollout: u16,
        course: u32,
    },
    /// Somebody answers whether a step may be taken.
    ApprovalDue {
        rollout: u16,
        ask: u32,
        who: u16,
    },
    /// A plan that went back tries again.
    PlanRetries {
        rollout: u16,
        course: u32,
    },
    /// An alert rule is looked at.
    Scrape {
        alert: u16,
    },
    /// Who was called acts.
    TeamActs {
        alert: u16,
        nth: u32,
    },
    LiftKill {
        entry: u32,
    },
    EntryBegins {
        entry: u32,
    },
    EntryEnds {
        entry: u32,
        strike: u32,
    },
    /// The next batch of a rolling deploy.
    DeployBatch {
        entry: u32,
        batch: u32,
    },
    /// A replica has started.
    ReplicaUp {
        replica: ReplicaId,
    },
    /// A record reaches the broker.
    Append {
        record: Slot<Sent>,
    },
    /// A consumer thread calls `poll()`.
    MemberPolls {
        member: MemberId,
        epoch: u32,
    },
    /// `max.poll.interval.ms` since the last poll.
    PollDeadline {
        member: MemberId,
        epoch: u32,
    },
    /// A client's background timer commits.
    AutoCommit {
        member: MemberId,
        epoch: u32,
    },
    /// The coordinator has not heard of a crashed member for the session timeout.
    SessionExpires {
        member: MemberId,
        epoch: u32,
    },
    /// The join phase of a rebalance has lasted as long as it may.
    JoinPhaseEnds {
        group: GroupId,
        attempt: u32,
    },
    /// The assignment of a completed rebalance reaches the members.
    Assign {
        group: GroupId,
        attempt: u32,
    },
    /// A service's saga of an interaction has lasted as long as it may.
    SagaDue {
        interaction: Slot<Ongoing>,
        service: ServiceId,
    },
    /// A replica is told that something urgent was published.
    Announced {
        replica: ReplicaId,
        life: u32,
    },
    /// A request that was made without a connection is sent.
    Sends {
        message: Slot<Errand>,
    },
    /// A reconciliation job runs.
    Reconcile {
        job: u32,
    },
    /// A sweep begins, or is done with one and looks for the next.
    Sweep {
        job: u32,
    },
    /// One of a job's exceptions is worked off.
    ExceptionWorked {
        job: u32,
    },
}
