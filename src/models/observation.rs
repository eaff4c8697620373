//! Observations: facts the models report, in time order, each with its cause. Checkers, metrics, trace and reports
//! read this stream and the estate, and nothing else.

mod control;
mod kind;
mod work;

pub use control::*;
pub use kind::Kind;
pub use work::*;

use super::client::Means;
use super::estate::{EntityId, GroupId, MemberId, RegionId, ReplicaId, ServiceId, TopicId};
use super::guard::{Act, BoundId};
use super::program::OperationId;
pub use super::task::Repeat;
use crate::rollout::policy::{PolicyVersion, Scope};
use crate::rollout::{FeatureId, StageId};
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
        /// The path of the rule that was at work; `None`: a neutral one, or none had been chosen.
        path: Option<u16>,
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
}
