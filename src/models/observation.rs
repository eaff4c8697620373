//! Observations: facts the models report, in time order, each with its cause. Checkers, metrics, trace and reports
//! read this stream and the estate, and nothing else.

use super::client::Means;
use super::estate::{EntityId, GroupId, JourneyId, MemberId, RegionId, ReplicaId, ServiceId, TopicId};
use super::guard::{Act, BoundId};
use super::program::OperationId;
use super::reach::Reach;
pub use super::task::Repeat;
use crate::rollout::policy::{PolicyVersion, Scope};
use crate::rollout::{FeatureId, Reason, StageId};
use crate::units::{SimDuration, SimTime};

/// The number of an observation within its run, from 1; 0 stands for the beginning of the run.
pub type ObservationId = u64;

/// An observation with its time and what caused it.
#[derive(Clone, Copy, Debug)]
pub struct Observed {
    pub at: SimTime,
    pub id: ObservationId,
    pub cause: ObservationId,
    pub what: Observation,
}

/// Everything caused by one arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interaction {
    pub journey: JourneyId,
    /// The n-th arrival of its journey, from 0.
    pub n: u64,
    /// Zero for the interaction itself; a replay of its events is a new interaction with the replay's number.
    pub replay: u32,
    /// Its place in the pool while it is in flight: dense, used again after `Closed`. For indexing a checker's
    /// state, which `Arrived` resets.
    pub place: u32,
}

impl Interaction {
    /// What tells this interaction from every other one of the run.
    pub fn key(&self) -> (JourneyId, u64, u32) {
        (self.journey, self.n, self.replay)
    }
}

/// Where the decision used came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Context,
    Event,
    Entity,
    Sdk,
    /// `when_unknown` or `safe_stage`: no policy could be had, or none fresh enough.
    Fallback,
    /// A kill known to the replica restricted what another source said.
    Kill,
    /// A local switch restricted what another source said.
    Local,
}

impl Source {
    pub fn name(self) -> &'static str {
        match self {
            Source::Context => "context",
            Source::Event => "event",
            Source::Entity => "entity",
            Source::Sdk => "sdk",
            Source::Fallback => "fallback",
            Source::Kill => "kill",
            Source::Local => "local",
        }
    }
}

/// Why a carried context was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It had travelled for longer than its edge allows.
    Expired,
    /// It was decided by a service that this one does not trust.
    Untrusted,
}

/// A decision used by a context, made when its program first read the stage (rules.md, 3).
#[derive(Clone, Copy, Debug)]
pub struct Decided {
    pub interaction: Interaction,
    pub context: u16,
    pub service: ServiceId,
    pub replica: ReplicaId,
    pub feature: FeatureId,
    pub stage: StageId,
    pub source: Source,
    pub reason: Reason,
    pub rule: Option<u16>,
    /// The policy version it rests on; `None` where there was none.
    pub policy_version: Option<PolicyVersion>,
    /// Where it was first decided, and when: its own for a local decision, the origin's for a carried one.
    pub decision_id: u64,
    pub decided_at: SimTime,
    /// Now minus the last successful contact of the cache it rests on (local decisions only).
    pub freshness: Option<SimDuration>,
    /// Now minus the publication of the first newer version; zero while the version is the newest.
    pub staleness: SimDuration,
    /// Code version of the replica.
    pub code: u32,
    /// The salt under which the subject was bucketed.
    pub salt: u64,
    /// Hash of the attributes the decision could see.
    pub attributes: u64,
    /// The context's order of sources asks a carried context before this source, and none was there.
    pub context_missing: bool,
    /// A carried context was there, and this service does not go by it: why.
    pub refused: Option<Refused>,
    /// The environment whose policy it rests on; zero: production.
    pub environment: u32,
    pub attempt: u16,
    /// The subject's tenant and its region, for scopes.
    pub tenant: u32,
    pub tenant_region: RegionId,
}

/// How a synchronous interaction ended for its customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Succeeded,
    /// Refused with a business reason, index of the estate's reasons.
    Rejected(u16),
    Failed(Failure),
}

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// No answer within the caller's timeout.
    Timeout,
    /// The queue before the workers was full.
    Overloaded,
    /// No replica was alive to take it.
    NoReplica,
    /// The replica crashed while it was at work.
    Crashed,
    /// The operation itself failed (`fail`).
    Error,
    /// A call it depends on failed.
    Dependency,
    /// A condition could not be evaluated (an attribute that is missing, an overflow).
    Condition,
    /// It was accepted and held, and what it waited for did not come in time.
    HeldTooLong,
}

impl Failure {
    pub const ALL: [Failure; 8] = [
        Failure::Timeout,
        Failure::Overloaded,
        Failure::NoReplica,
        Failure::Crashed,
        Failure::Error,
        Failure::Dependency,
        Failure::Condition,
        Failure::HeldTooLong,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Failure::Timeout => "timeout",
            Failure::Overloaded => "overloaded",
            Failure::NoReplica => "no live replica",
            Failure::Crashed => "crashed",
            Failure::Error => "error",
            Failure::Dependency => "dependency failed",
            Failure::Condition => "condition could not be evaluated",
            Failure::HeldTooLong => "held too long",
        }
    }
}

/// Why a version of the policy was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publication {
    /// The policy in force when the run began.
    Initial,
    Step {
        rollout: u16,
        step: u16,
    },
    /// A kill, by the index of its timeline entry.
    Kill {
        entry: u32,
    },
    /// The lifting of a kill.
    Lift {
        entry: u32,
    },
    /// A scheduled override begins or ends, by the index of its timeline entry.
    Override {
        entry: u32,
    },
    /// The policy as it was before a step of the plan.
    RolledBack {
        rollout: u16,
        before: u16,
    },
    /// Nobody stays above a stage.
    Capped {
        rollout: u16,
        most: StageId,
    },
}

/// What a comparison with a shadow came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shadowed {
    Agreed,
    Disagreed,
    /// The other path failed.
    Failed,
}

/// Which stores a dual write has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrote {
    Both,
    /// The one that counts.
    OnlyOne,
    /// The one that does not count.
    OnlyOther,
    Neither,
}

/// What a gate came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateVerdict {
    Passed,
    Failed,
    NoData,
}

/// What came of a question whether a step may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    Given,
    Refused,
    /// Nobody agreed in time.
    Lapsed,
    /// Somebody did without it in an emergency.
    Bypassed,
}

/// Why a plan does not go on, or that it does again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standstill {
    AwaitsApproval,
    NotReady,
    NoData,
    GateFailed,
    ByHand,
    Refused,
    Lapsed,
    Killed,
    RolledBack,
    Completed,
    Resumed,
}

impl Standstill {
    pub fn name(self) -> &'static str {
        match self {
            Standstill::AwaitsApproval => "awaits approval",
            Standstill::NotReady => "the fleet is not ready",
            Standstill::NoData => "a gate has no data",
            Standstill::GateFailed => "paused by a failed gate",
            Standstill::ByHand => "paused by hand",
            Standstill::Refused => "approval was refused",
            Standstill::Lapsed => "approval was not given in time",
            Standstill::Killed => "stopped by a kill",
            Standstill::RolledBack => "rolled back",
            Standstill::Completed => "completed",
            Standstill::Resumed => "resumed",
        }
    }
}

/// How a record was taken by a consumer.
#[derive(Clone, Copy, Debug)]
pub struct Delivered {
    pub interaction: Interaction,
    pub group: GroupId,
    pub member: MemberId,
    pub topic: TopicId,
    pub partition: u32,
    pub offset: u64,
    pub event_type: u16,
    /// The meaning it was produced with: the truth, whether or not the record carries it.
    pub produced_version: u32,
    /// The meaning it is handled under; `None` where the consumer parked it or gave it up.
    pub handled_as: Option<u32>,
    /// Whether the record carries its domain version.
    pub version_carried: bool,
    pub context: u16,
    pub replica: ReplicaId,
    pub code: u32,
    /// How many times the group was handed this record before.
    pub redelivery: u32,
    pub occurred_at: SimTime,
    pub appended_at: SimTime,
}

/// What keeps a poll or a message from happening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    ControlPlaneDown,
    ControlPlaneSlow,
    /// It answered, with an error.
    ControlPlaneError,
    Partitioned,
    Lost,
    ReplicaDown,
    /// What was to tell it of a kill did not come.
    AnnouncementLost,
    /// What refreshes the cache of a replica's SDK hangs: it neither asks nor hears.
    SdkHung,
}

impl Obstacle {
    pub fn name(self) -> &'static str {
        match self {
            Obstacle::ControlPlaneDown => "control plane down",
            Obstacle::ControlPlaneSlow => "control plane slow",
            Obstacle::ControlPlaneError => "control plane error",
            Obstacle::Partitioned => "network partition",
            Obstacle::Lost => "message lost",
            Obstacle::ReplicaDown => "replica down",
            Obstacle::AnnouncementLost => "announcement lost",
            Obstacle::SdkHung => "SDK hung",
        }
    }
}

/// A domain effect on an entity.
#[derive(Clone, Copy, Debug)]
pub struct EffectMade {
    pub interaction: Interaction,
    pub effect: u16,
    /// Index of the estate's paths; `None`: neutral.
    pub path: Option<u16>,
    pub context: u16,
    pub service: ServiceId,
    pub replica: ReplicaId,
    /// The feature and stage under which the rule ran, where it read one.
    pub under: Option<(FeatureId, StageId)>,
    /// The id of the decision it rests on.
    pub decision_id: u64,
    pub policy_version: Option<PolicyVersion>,
    pub irreversible: bool,
    pub compensated: bool,
    /// In minor units.
    pub amount: Option<u64>,
    pub tenant: u32,
    pub tenant_region: RegionId,
    /// When the record acted on occurred; now, outside a consumer.
    pub occurred_at: SimTime,
    /// What is wrong with it: the truth, which nobody in the estate knows unless they compare.
    pub wrong: Option<Wrong>,
    /// What names this effect in its interaction: where it happens again, it has the same (rules.md, 24).
    pub id: u64,
    /// Why it may be a repetition.
    pub repeat: Option<Repeat>,
    /// The effect of which this one is the record.
    pub records: Option<u16>,
    /// The ways back of its feature's plan that would take its subject off the stage it was made under.
    pub reach: Reach,
}

/// An earlier effect that was undone.
#[derive(Clone, Copy, Debug)]
pub struct CompensationMade {
    pub interaction: Interaction,
    /// Whose effect it was: the same, or one that came before.
    pub of: Interaction,
    /// The observation of the effect.
    pub made: ObservationId,
    pub made_at: SimTime,
    pub effect: u16,
    /// The path of the effect.
    pub path: Option<u16>,
    /// Nothing takes the effect back: it is compensated, not undone.
    pub irreversible: bool,
    /// Of the effect, in minor units.
    pub amount: Option<u64>,
    pub context: u16,
    pub replica: ReplicaId,
    /// The sweep that undid it; `None`: an operation.
    pub swept_by: Option<u32>,
}

/// What is wrong with the result of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is another result than the path it replaces would have come to.
    Disagrees,
    /// The data it wrote are not what it meant to write.
    Corrupt,
}

/// One fact.
#[derive(Clone, Copy, Debug)]
pub enum Observation {
    /// A customer began an interaction.
    Arrived {
        interaction: Interaction,
        tenant: u32,
        user: u64,
        tenant_region: RegionId,
        /// The app it came with, if any.
        means: Option<Means>,
    },
    /// The customer has the answer.
    Finished {
        interaction: Interaction,
        outcome: Outcome,
        latency: SimDuration,
    },
    /// Everything the interaction caused is done; its place is free again.
    Closed {
        interaction: Interaction,
        status: Option<(EntityId, u16)>,
    },
    Called {
        interaction: Interaction,
        from: Option<ServiceId>,
        operation: OperationId,
        replica: ReplicaId,
        attempt: u16,
    },
    /// An attempt of a call failed.
    Failed {
        interaction: Interaction,
        operation: OperationId,
        why: Failure,
        attempt: u16,
    },
    Retried {
        interaction: Interaction,
        operation: OperationId,
        attempt: u16,
    },
    /// A request was refused with a business reason, index of the estate's reasons.
    Rejected {
        interaction: Interaction,
        context: u16,
        reason: u16,
        /// The path of the rule that refused, and the feature and stage under which it ran.
        path: Option<u16>,
        under: Option<(FeatureId, StageId)>,
        /// Another context refused, and this one passes it on.
        passed_on: bool,
    },
    Decided(Decided),
    Effect(EffectMade),
    /// A context considers the business moment to have happened; `occurred_at` is that of the record acted on.
    Moment {
        interaction: Interaction,
        moment: u16,
        context: u16,
        occurred_at: SimTime,
    },
    Status {
        interaction: Interaction,
        entity: EntityId,
        from: u16,
        to: u16,
        legal: bool,
    },
    Emitted {
        interaction: Interaction,
        topic: TopicId,
        partition: u32,
        offset: u64,
        event_type: u16,
        domain_version: u32,
    },
    Delivered(Delivered),
    /// Set aside for a person to look at.
    Parked {
        interaction: Interaction,
        group: GroupId,
        event_type: u16,
    },
    DeadLettered {
        interaction: Interaction,
        group: GroupId,
        event_type: u16,
    },
    /// A group's committed offset moved.
    Committed {
        group: GroupId,
        member: MemberId,
        partition: u32,
        offset: u64,
    },
    /// The group's committed offset was set back for a replay.
    Rewound {
        group: GroupId,
        partition: u32,
        offset: u64,
    },
    /// The end of a partition and what the group has committed, whenever either moves.
    Lag {
        group: GroupId,
        partition: u32,
        end: u64,
        committed: u64,
    },
    /// A rebalance completed with so many members.
    Rebalanced {
        group: GroupId,
        generation: u32,
        members: u32,
    },
    /// A member left the group against its will: poll interval or session exceeded.
    Evicted {
        group: GroupId,
        member: MemberId,
        why: Eviction,
    },
    PolicyPublished {
        version: PolicyVersion,
        feature: Option<FeatureId>,
        publication: Publication,
    },
    /// A region's control plane can serve this version.
    PolicyReplicated {
        region: RegionId,
        version: PolicyVersion,
    },
    PolicyApplied {
        replica: ReplicaId,
        version: PolicyVersion,
        previous: Option<PolicyVersion>,
    },
    /// A replica lost the policy it held (a restart without persistence).
    PolicyLost {
        replica: ReplicaId,
    },
    /// A poll, push or fetch that something prevented.
    Suppressed {
        replica: ReplicaId,
        by: Obstacle,
    },
    /// A message between services that something prevented.
    MessageLost {
        interaction: Interaction,
        by: Obstacle,
    },
    /// A replica's SDK reports that its policy is too old.
    Alert {
        replica: ReplicaId,
    },
    /// A step of a rollout was published.
    Stepped {
        rollout: u16,
        step: u16,
        version: PolicyVersion,
    },
    Killed {
        feature: FeatureId,
        entry: u32,
        scope: Scope,
        to: StageId,
        version: PolicyVersion,
    },
    Lifted {
        feature: FeatureId,
        entry: u32,
        version: PolicyVersion,
    },
    Deployed {
        replica: ReplicaId,
        code: u32,
    },
    Crashed {
        replica: ReplicaId,
    },
    Restarted {
        replica: ReplicaId,
    },
    FaultStarted {
        entry: u32,
    },
    FaultEnded {
        entry: u32,
    },
    /// Work was accepted, and waits for its time or for a condition.
    Held {
        interaction: Interaction,
        operation: OperationId,
    },
    /// What was held goes on, or is given up.
    Resumed {
        interaction: Interaction,
        operation: OperationId,
        held: SimDuration,
        given_up: Option<Failure>,
    },
    /// A gate of a step was judged; `value` is what was compared, where there was data.
    Gate {
        rollout: u16,
        step: u16,
        bound: BoundId,
        verdict: GateVerdict,
        value: Option<f64>,
    },
    /// Somebody answered whether a step may be taken, index of the estate's people.
    Approval {
        rollout: u16,
        step: u16,
        consent: Consent,
        by: Option<u16>,
    },
    /// A plan stands still, or goes on again.
    PlanHeld {
        rollout: u16,
        step: u16,
        why: Standstill,
    },
    /// A plan went back to before a step.
    RolledBack {
        rollout: u16,
        before: u16,
        version: PolicyVersion,
    },
    /// An alert rule fired.
    AlertRaised {
        alert: u16,
        value: f64,
    },
    /// A context ran the other path beside its own and compared.
    ShadowCompared {
        interaction: Interaction,
        context: u16,
        of: u16,
        shadowed: Shadowed,
    },
    /// A context wrote to the stores of both paths, or tried to.
    DualWrote {
        interaction: Interaction,
        context: u16,
        effect: u16,
        of: u16,
        wrote: Wrote,
    },
    /// Who was called by an alert acted, or took an action that does nothing.
    OperatorActed {
        alert: u16,
        act: Option<Act>,
        wrong: bool,
    },
    /// A replica has asked the control plane. Polls that could find nothing (`idle`) are observed together and later, so
    /// many at once.
    Asked {
        replica: ReplicaId,
        questions: u64,
        idle: bool,
    },
    /// An external party will give no answer to an attempt of a call: whether it does what it was asked to is the truth,
    /// which its caller does not know.
    OutcomeUnknown {
        interaction: Interaction,
        operation: OperationId,
        attempt: u16,
        takes_effect: bool,
    },
    /// A consumer is done with a record it was handed.
    Handled {
        interaction: Interaction,
        group: GroupId,
        partition: u32,
        offset: u64,
        outcome: Outcome,
    },
    /// A record that was fetched is dropped before its turn.
    Dropped {
        interaction: Interaction,
        group: GroupId,
        partition: u32,
        offset: u64,
    },
    Compensated(CompensationMade),
    /// A service's saga had its time and came to no end.
    Expired {
        interaction: Interaction,
        service: ServiceId,
        replica: ReplicaId,
        after: SimDuration,
    },
    /// A reconciliation job ran: of the pairs that had settled, how many lack one side and how many do not agree.
    Reconciled {
        job: u32,
        compared: u64,
        missing: u64,
        differing: u64,
    },
    /// What a reconciliation found to be off was put aside for people, or they are done with one.
    Exceptions {
        job: u32,
        parked: u64,
        worked: u64,
        backlog: u64,
    },
}

/// Why a member was put out of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eviction {
    /// `max.poll.interval.ms` passed without a poll: the client itself leaves.
    PollInterval,
    /// No heartbeat within `session.timeout.ms`.
    Session,
    /// Did not rejoin within the rebalance timeout.
    RebalanceTimeout,
}

/// The kind of an observation: what subscribers name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    Arrived,
    Finished,
    Closed,
    Called,
    Failed,
    Retried,
    Rejected,
    Decided,
    Effect,
    Moment,
    Status,
    Emitted,
    Delivered,
    Parked,
    DeadLettered,
    Committed,
    Rewound,
    Lag,
    Rebalanced,
    Evicted,
    PolicyPublished,
    PolicyReplicated,
    PolicyApplied,
    PolicyLost,
    Suppressed,
    MessageLost,
    Alert,
    Stepped,
    Killed,
    Lifted,
    Deployed,
    Crashed,
    Restarted,
    FaultStarted,
    FaultEnded,
    Held,
    Resumed,
    Gate,
    Approval,
    PlanHeld,
    RolledBack,
    AlertRaised,
    OperatorActed,
    ShadowCompared,
    DualWrote,
    Asked,
    OutcomeUnknown,
    Handled,
    Dropped,
    Compensated,
    Expired,
    Reconciled,
    Exceptions,
}

impl Kind {
    pub const COUNT: usize = Kind::Exceptions as usize + 1;

    pub const ALL: [Kind; Kind::COUNT] = [
        Kind::Arrived,
        Kind::Finished,
        Kind::Closed,
        Kind::Called,
        Kind::Failed,
        Kind::Retried,
        Kind::Rejected,
        Kind::Decided,
        Kind::Effect,
        Kind::Moment,
        Kind::Status,
        Kind::Emitted,
        Kind::Delivered,
        Kind::Parked,
        Kind::DeadLettered,
        Kind::Committed,
        Kind::Rewound,
        Kind::Lag,
        Kind::Rebalanced,
        Kind::Evicted,
        Kind::PolicyPublished,
        Kind::PolicyReplicated,
        Kind::PolicyApplied,
        Kind::PolicyLost,
        Kind::Suppressed,
        Kind::MessageLost,
        Kind::Alert,
        Kind::Stepped,
        Kind::Killed,
        Kind::Lifted,
        Kind::Deployed,
        Kind::Crashed,
        Kind::Restarted,
        Kind::FaultStarted,
        Kind::FaultEnded,
        Kind::Held,
        Kind::Resumed,
        Kind::Gate,
        Kind::Approval,
        Kind::PlanHeld,
        Kind::RolledBack,
        Kind::AlertRaised,
        Kind::OperatorActed,
        Kind::ShadowCompared,
        Kind::DualWrote,
        Kind::Asked,
        Kind::OutcomeUnknown,
        Kind::Handled,
        Kind::Dropped,
        Kind::Compensated,
        Kind::Expired,
        Kind::Reconciled,
        Kind::Exceptions,
    ];

    /// As `reached:` and traces name it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Arrived => "arrived",
            Kind::Finished => "finished",
            Kind::Closed => "closed",
            Kind::Called => "called",
            Kind::Failed => "failed",
            Kind::Retried => "retried",
            Kind::Rejected => "rejected",
            Kind::Decided => "decided",
            Kind::Effect => "effect",
            Kind::Moment => "moment",
            Kind::Status => "status",
            Kind::Emitted => "emitted",
            Kind::Delivered => "delivered",
            Kind::Parked => "parked",
            Kind::DeadLettered => "dead_lettered",
            Kind::Committed => "committed",
            Kind::Rewound => "rewound",
            Kind::Lag => "lag",
            Kind::Rebalanced => "rebalanced",
            Kind::Evicted => "evicted",
            Kind::PolicyPublished => "policy_published",
            Kind::PolicyReplicated => "policy_replicated",
            Kind::PolicyApplied => "policy_applied",
            Kind::PolicyLost => "policy_lost",
            Kind::Suppressed => "suppressed",
            Kind::MessageLost => "message_lost",
            Kind::Alert => "alert",
            Kind::Stepped => "step",
            Kind::Killed => "kill",
            Kind::Lifted => "lifted",
            Kind::Deployed => "deployed",
            Kind::Crashed => "crashed",
            Kind::Restarted => "restarted",
            Kind::FaultStarted => "fault_started",
            Kind::FaultEnded => "fault_ended",
            Kind::Held => "held",
            Kind::Resumed => "resumed",
            Kind::Gate => "gate",
            Kind::Approval => "approval",
            Kind::PlanHeld => "plan_held",
            Kind::RolledBack => "rolled_back",
            Kind::AlertRaised => "alert_raised",
            Kind::OperatorActed => "operator_acted",
            Kind::DualWrote => "dual_wrote",
            Kind::ShadowCompared => "shadow_compared",
            Kind::Asked => "asked",
            Kind::OutcomeUnknown => "outcome_unknown",
            Kind::Handled => "handled",
            Kind::Dropped => "dropped",
            Kind::Compensated => "compensated",
            Kind::Expired => "expired",
            Kind::Reconciled => "reconciled",
            Kind::Exceptions => "exceptions",
        }
    }

    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Observation {
    /// The interaction it belongs to, where it belongs to one.
    pub fn interaction(&self) -> Option<Interaction> {
        match self {
            Observation::Arrived { interaction, .. }
            | Observation::Finished { interaction, .. }
            | Observation::Closed { interaction, .. }
            | Observation::Called { interaction, .. }
            | Observation::Failed { interaction, .. }
            | Observation::Retried { interaction, .. }
            | Observation::Rejected { interaction, .. }
            | Observation::Moment { interaction, .. }
            | Observation::Status { interaction, .. }
            | Observation::Emitted { interaction, .. }
            | Observation::Parked { interaction, .. }
            | Observation::DeadLettered { interaction, .. }
            | Observation::ShadowCompared { interaction, .. }
            | Observation::DualWrote { interaction, .. }
            | Observation::MessageLost { interaction, .. }
            | Observation::Held { interaction, .. }
            | Observation::Resumed { interaction, .. }
            | Observation::OutcomeUnknown { interaction, .. }
            | Observation::Handled { interaction, .. }
            | Observation::Dropped { interaction, .. }
            | Observation::Expired { interaction, .. } => Some(*interaction),
            Observation::Decided(decided) => Some(decided.interaction),
            Observation::Effect(effect) => Some(effect.interaction),
            Observation::Compensated(compensation) => Some(compensation.interaction),
            Observation::Delivered(delivered) => Some(delivered.interaction),
            Observation::Committed { .. }
            | Observation::Rewound { .. }
            | Observation::Lag { .. }
            | Observation::Rebalanced { .. }
            | Observation::Evicted { .. }
            | Observation::PolicyPublished { .. }
            | Observation::PolicyReplicated { .. }
            | Observation::PolicyApplied { .. }
            | Observation::PolicyLost { .. }
            | Observation::Suppressed { .. }
            | Observation::Alert { .. }
            | Observation::Stepped { .. }
            | Observation::Killed { .. }
            | Observation::Lifted { .. }
            | Observation::Deployed { .. }
            | Observation::Crashed { .. }
            | Observation::Restarted { .. }
            | Observation::FaultStarted { .. }
            | Observation::FaultEnded { .. }
            | Observation::Gate { .. }
            | Observation::Approval { .. }
            | Observation::PlanHeld { .. }
            | Observation::RolledBack { .. }
            | Observation::AlertRaised { .. }
            | Observation::OperatorActed { .. }
            | Observation::Asked { .. }
            | Observation::Reconciled { .. }
            | Observation::Exceptions { .. } => None,
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Observation::Arrived { .. } => Kind::Arrived,
            Observation::Finished { .. } => Kind::Finished,
            Observation::Closed { .. } => Kind::Closed,
            Observation::Called { .. } => Kind::Called,
            Observation::Failed { .. } => Kind::Failed,
            Observation::Retried { .. } => Kind::Retried,
            Observation::Rejected { .. } => Kind::Rejected,
            Observation::Decided(_) => Kind::Decided,
            Observation::Effect(_) => Kind::Effect,
            Observation::Moment { .. } => Kind::Moment,
            Observation::Status { .. } => Kind::Status,
            Observation::Emitted { .. } => Kind::Emitted,
            Observation::Delivered(_) => Kind::Delivered,
            Observation::Parked { .. } => Kind::Parked,
            Observation::DeadLettered { .. } => Kind::DeadLettered,
            Observation::Committed { .. } => Kind::Committed,
            Observation::Rewound { .. } => Kind::Rewound,
            Observation::Lag { .. } => Kind::Lag,
            Observation::Rebalanced { .. } => Kind::Rebalanced,
            Observation::Evicted { .. } => Kind::Evicted,
            Observation::PolicyPublished { .. } => Kind::PolicyPublished,
            Observation::PolicyReplicated { .. } => Kind::PolicyReplicated,
            Observation::PolicyApplied { .. } => Kind::PolicyApplied,
            Observation::PolicyLost { .. } => Kind::PolicyLost,
            Observation::Suppressed { .. } => Kind::Suppressed,
            Observation::MessageLost { .. } => Kind::MessageLost,
            Observation::Alert { .. } => Kind::Alert,
            Observation::Stepped { .. } => Kind::Stepped,
            Observation::Killed { .. } => Kind::Killed,
            Observation::Lifted { .. } => Kind::Lifted,
            Observation::Deployed { .. } => Kind::Deployed,
            Observation::Crashed { .. } => Kind::Crashed,
            Observation::Restarted { .. } => Kind::Restarted,
            Observation::FaultStarted { .. } => Kind::FaultStarted,
            Observation::FaultEnded { .. } => Kind::FaultEnded,
            Observation::Held { .. } => Kind::Held,
            Observation::Resumed { .. } => Kind::Resumed,
            Observation::Gate { .. } => Kind::Gate,
            Observation::Approval { .. } => Kind::Approval,
            Observation::PlanHeld { .. } => Kind::PlanHeld,
            Observation::RolledBack { .. } => Kind::RolledBack,
            Observation::AlertRaised { .. } => Kind::AlertRaised,
            Observation::OperatorActed { .. } => Kind::OperatorActed,
            Observation::DualWrote { .. } => Kind::DualWrote,
            Observation::ShadowCompared { .. } => Kind::ShadowCompared,
            Observation::Asked { .. } => Kind::Asked,
            Observation::OutcomeUnknown { .. } => Kind::OutcomeUnknown,
            Observation::Handled { .. } => Kind::Handled,
            Observation::Dropped { .. } => Kind::Dropped,
            Observation::Compensated(_) => Kind::Compensated,
            Observation::Expired { .. } => Kind::Expired,
            Observation::Reconciled { .. } => Kind::Reconciled,
            Observation::Exceptions { .. } => Kind::Exceptions,
        }
    }
}
