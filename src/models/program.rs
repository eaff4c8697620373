//! Operations as data: ordered rules, each with a path and actions in order.
//!
//! A request's flow is interpreted from this, which is what lets it be inspected, printed and shrunk.

use super::amount::Amount;
use super::estate::{EntityId, Quantity, ServiceId, TopicId};
use crate::kernel::Distribution;
use crate::rollout::{Condition, FeatureId, StageId};
use crate::units::{Id, Share, SimDuration};
use std::sync::Arc;

pub type OperationId = Id<Operation>;

#[derive(Clone, Debug)]
pub struct Operation {
    pub service: ServiceId,
    /// Without the service: `submit`, or `on PaymentSubmitted`.
    pub name: String,
    /// How long a worker is busy with it before its actions run; consumers use their group's `takes` instead.
    pub takes: Distribution,
    /// The first whose condition holds runs; if none does, a request is rejected and a record parked.
    pub rules: Vec<OperationRule>,
    /// Features whose stage this operation always reads, whether or not a rule asks: `calls:` and `by_stage`.
    pub reads: Vec<FeatureId>,
    /// Every feature a condition, a flag value or `reads` can ask for.
    pub may_read: Vec<FeatureId>,
}

/// When a rule applies.
#[derive(Clone, Debug)]
pub enum RuleWhen {
    Always,
    Condition(Arc<Condition>),
    /// A row of the `by_stage` matrix: the stages for which this row holds.
    Stages {
        feature: FeatureId,
        stages: Vec<StageId>,
    },
}

#[derive(Clone, Debug)]
pub struct OperationRule {
    pub when: RuleWhen,
    /// Index of the estate's paths; `None`: neutral.
    pub path: Option<u16>,
    pub actions: Vec<Action>,
}

/// What an operation does when one of its calls fails for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    Fail,
    Ignore,
}

#[derive(Clone, Debug)]
pub struct CallSite {
    pub operation: OperationId,
    /// The how-manieth call of its operation in its rule, from 0: with it goes what the call is one attempt of.
    pub ordinal: u16,
    pub timeout: SimDuration,
    /// Attempts after the first.
    pub retries: u16,
    /// Wait before the k-th retry: `backoff * 2^(k-1)`.
    pub backoff: SimDuration,
    pub times: u16,
    pub on_error: OnError,
}

#[derive(Clone, Debug)]
pub struct EmitSite {
    pub topic: TopicId,
    pub event_type: u16,
    /// The how-manieth event of its type in its rule, from 0.
    pub ordinal: u16,
    pub domain_version: u32,
    /// Further copies of the same event.
    pub extra_copies: Quantity,
    /// Stored with the state change and relayed this much later; `None`: appended at once.
    pub outbox: Option<SimDuration>,
}

#[derive(Clone, Debug)]
pub struct EffectSite {
    pub effect: u16,
    /// The how-manieth effect of its name in its rule, from 0.
    pub ordinal: u16,
    pub irreversible: bool,
    /// The operation that undoes it.
    pub compensated_by: Option<OperationId>,
    /// Whether anything in the plan undoes it, declared or not.
    pub undoable: bool,
    /// How much money it is about, where it says so itself.
    pub amount: Option<Amount>,
    /// Happens once for each value of this key, whatever is tried or delivered again.
    pub once_by: Option<OnceBy>,
    /// It is the record of this effect: on which path, and under which stage, it took place.
    pub records: Option<u16>,
}

/// An idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnceBy {
    /// The entity; where there is none, the interaction.
    Entity,
    /// The interaction.
    Request,
    /// The event that is handled. What emits it again gives it another id, what delivers it again does not.
    Event,
    /// The attempt: a key made anew with each try, which recognises no retry.
    Attempt,
    User,
    Tenant,
}

impl OnceBy {
    pub const ALL: [(&str, OnceBy); 6] = [
        ("entity.id", OnceBy::Entity),
        ("request.id", OnceBy::Request),
        ("event.id", OnceBy::Event),
        ("attempt.id", OnceBy::Attempt),
        ("user.id", OnceBy::User),
        ("tenant.id", OnceBy::Tenant),
    ];
}

/// Where work is accepted and held until a condition holds.
#[derive(Clone, Debug)]
pub struct HoldSite {
    pub when: Arc<Condition>,
    /// How often what is held looks whether it may go on.
    pub looks_every: SimDuration,
    /// What is held for longer than this is given up.
    pub at_most: SimDuration,
    /// How much the service holds at once; one more is refused.
    pub room: u32,
}

#[derive(Clone, Debug)]
pub struct ShadowSite {
    /// The path that runs besides, index of the estate's paths.
    pub of: u16,
    /// How often the two come to different results where nothing is wrong with the code of either.
    pub disagrees: Share,
    /// How long the comparison keeps the request.
    pub takes: Distribution,
    /// The reconciliation jobs that compare the results of the effect beside it.
    pub jobs: Vec<u32>,
}

#[derive(Clone, Debug)]
pub struct DualWriteSite {
    pub effect: EffectSite,
    /// The path whose store is written besides.
    pub of: u16,
    /// How often the write that counts fails, and the request with it.
    pub fails: Share,
    /// How often the other write fails; nobody is told.
    pub other_fails: Share,
    /// The other store is written first. Whichever is second is skipped if the first fails.
    pub other_first: bool,
}

#[derive(Clone, Debug)]
pub enum Action {
    Call(CallSite),
    Emit(EmitSite),
    Effect(EffectSite),
    /// Moves the entity to a status.
    Set {
        entity: EntityId,
        status: u16,
    },
    Mark {
        moment: u16,
    },
    /// Undoes what was done of this effect and is not undone yet.
    Compensate {
        effect: u16,
    },
    /// Spends time: a fixed or random duration, or a flag's value times one.
    Wait(Distribution),
    WaitFlag {
        feature: FeatureId,
        unit: SimDuration,
    },
    Reject {
        reason: u16,
    },
    /// No semantic role.
    Ignore,
    /// Fails for a share of requests, given or taken from a flag.
    Fail {
        share: Quantity,
    },
    /// Runs the other path beside this one, compares, and drops its result.
    Shadow(ShadowSite),
    /// Writes to the stores of both paths.
    DualWrite(DualWriteSite),
    /// Accepts, answers, and goes on at this second of the day.
    QueueUntilDaily {
        second_of_day: u32,
    },
    /// Accepts, answers, and goes on when a condition holds.
    QueueUntil(HoldSite),
}

impl Action {
    /// The effect it has on its own path, where it has one.
    pub fn effect(&self) -> Option<&EffectSite> {
        match self {
            Action::Effect(site) | Action::DualWrite(DualWriteSite { effect: site, .. }) => Some(site),
            Action::Call(_)
            | Action::Emit(_)
            | Action::Set { .. }
            | Action::Mark { .. }
            | Action::Wait(_)
            | Action::WaitFlag { .. }
            | Action::Reject { .. }
            | Action::Ignore
            | Action::Compensate { .. }
            | Action::Fail { .. }
            | Action::Shadow(_)
            | Action::QueueUntilDaily { .. }
            | Action::QueueUntil(_) => None,
        }
    }
}

/// The share a quantity means where a share is wanted: clamped to 0 and 1.
pub fn as_share(value: f64) -> Share {
    Share::new(value.clamp(0.0, 1.0)).unwrap_or(Share::NONE)
}
