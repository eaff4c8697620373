//! Topics and consumer groups.

use super::{GroupId, MemberId, ReplicaId, ServiceId, TopicId};
use crate::kernel::Distribution;
use crate::models::program::OperationId;
use crate::units::SimDuration;

/// Which fields of the rollout an event carries; what is left out is not known to consumers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carries {
    pub domain_version: bool,
    pub effective_feature_states: bool,
    pub policy_decision_id: bool,
    pub occurred_at: bool,
}

/// How a record finds its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKey {
    Entity,
    Tenant,
    /// No key: spread over the partitions.
    None,
}

#[derive(Clone, Debug)]
pub struct Topic {
    pub name: String,
    pub partitions: u32,
    pub key: RecordKey,
    pub carries: Carries,
    pub groups: Vec<GroupId>,
    /// Whether a later replay may ask for records that every group has committed.
    pub kept_for_replay: bool,
}

/// When offsets are committed, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitModel {
    /// Inside `poll()`: the positions of the previous poll (Java client, `enable.auto.commit`).
    JavaPoll,
    /// By a background timer: whatever was handed to the application (librdkafka).
    LibrdkafkaTimer,
}

/// Where a group without a committed offset begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetReset {
    Earliest,
    Latest,
}

#[derive(Clone, Debug)]
pub struct ConsumerGroup {
    pub name: String,
    pub topic: TopicId,
    pub service: ServiceId,
    pub members: Vec<MemberId>,
    pub commit: CommitModel,
    pub auto_commit_interval: SimDuration,
    pub max_poll_records: u32,
    pub max_poll_interval: SimDuration,
    pub session_timeout: SimDuration,
    pub heartbeat_interval: SimDuration,
    pub initial_rebalance_delay: SimDuration,
    pub offset_reset: OffsetReset,
    pub takes: Distribution,
    /// The operation for each event type, index of [`super::Estate::event_types`].
    pub handlers: Vec<(u16, OperationId)>,
}

#[derive(Clone, Debug)]
pub struct MemberSpec {
    pub group: GroupId,
    /// The replica whose cache and code it works with.
    pub replica: ReplicaId,
    pub name: String,
}
