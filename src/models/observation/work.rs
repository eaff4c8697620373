//! What observations tell of the work of interactions: decisions, effects, deliveries, answers.

use super::ObservationId;
use crate::models::estate::{GroupId, JourneyId, MemberId, RegionId, ReplicaId, ServiceId, TopicId};
use crate::models::reach::Reach;
use crate::models::task::Repeat;
use crate::rollout::policy::PolicyVersion;
use crate::rollout::{FeatureId, Reason, StageId};
use crate::units::{SimDuration, SimTime};

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
