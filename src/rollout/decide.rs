//! Deciding: a pure function of a policy version, a feature and a subject.

use super::condition::Slots;
use super::feature::{Feature, FeatureId, StageId};
use super::policy::{Kill, Policy};
use super::step::BucketBy;
use crate::kernel::StreamKey;

/// Why a decision came out as it did, in OpenFeature's words where they exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    TargetingMatch,
    Split,
    Default,
    Killed,
    /// A policy too old to be fresh was used all the same.
    Stale,
    /// No policy could be had: the fallback decided.
    Error,
}

impl Reason {
    pub fn name(self) -> &'static str {
        match self {
            Reason::TargetingMatch => "TARGETING_MATCH",
            Reason::Split => "SPLIT",
            Reason::Default => "DEFAULT",
            Reason::Killed => "KILLED",
            Reason::Stale => "STALE",
            Reason::Error => "ERROR",
        }
    }
}

/// Whom a decision is about.
pub trait Subject: Slots {
    fn tenant(&self) -> u32;
    fn user(&self) -> u64;
    fn region(&self) -> u16;
    fn journey(&self) -> u16;
}

/// The outcome of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    pub stage: StageId,
    pub reason: Reason,
    /// Which targeting rule matched, from 0; `None` for the default stage.
    pub rule: Option<u16>,
}

/// Evaluates `feature` for `subject` under `policy`: kills, then targeting rules in order, then the default stage.
/// An audience that asks for an attribute the subject does not have does not match. `salt` is the policy's own,
/// unless the evaluating SDK was configured with another one.
pub fn decide(policy: &Policy, id: FeatureId, feature: &Feature, salt: u64, subject: &mut impl Subject) -> Decision {
    let entry = policy.feature(id);
    let mut decision = Decision { stage: entry.default_stage, reason: Reason::Default, rule: None };
    for (index, rule) in entry.rules.iter().enumerate() {
        if let Some(audience) = &rule.audience
            && !audience.eval(subject).unwrap_or(false)
        {
            continue;
        }
        let whole = rule.share == crate::units::Share::ALL;
        if whole || rule.share.admits(bucket(salt, entry.bucket_by, subject)) {
            let reason = if whole { Reason::TargetingMatch } else { Reason::Split };
            decision = Decision { stage: rule.stage, reason, rule: Some(index as u16) };
            break;
        }
    }
    restrict(feature, decision, &entry.kills, subject)
}

/// Applies the kills that reach the subject: the most restrictive stage wins, and a kill never raises a stage
/// (rules.md, 9). Where several kills are not comparable, the safe stage.
pub fn restrict(feature: &Feature, decision: Decision, kills: &[Kill], subject: &impl Subject) -> Decision {
    if kills.is_empty() {
        return decision;
    }
    let mut limit: Option<StageId> = None;
    for kill in kills {
        if !kill.scope.contains(subject.region(), subject.tenant(), subject.journey()) {
            continue;
        }
        limit = Some(match limit {
            None => kill.to,
            Some(other) if feature.at_most_as_permissive(other, kill.to) => other,
            Some(other) if feature.at_most_as_permissive(kill.to, other) => kill.to,
            Some(_) => feature.safe_stage,
        });
    }
    match limit {
        Some(stage) if !feature.at_most_as_permissive(decision.stage, stage) => {
            Decision { stage, reason: Reason::Killed, rule: None }
        }
        _ => decision,
    }
}

/// The bucket of a subject: uniform over 64 bits, equal for equal salt and unit.
fn bucket(salt: u64, by: BucketBy, subject: &impl Subject) -> u64 {
    let unit = match by {
        BucketBy::User => subject.user(),
        BucketBy::Tenant => u64::from(subject.tenant()),
    };
    bucket_word(salt, unit)
}

/// The bucket of a unit under a salt.
pub fn bucket_word(salt: u64, unit: u64) -> u64 {
    StreamKey::bucket(salt).word(unit, 0)
}
