//! Deciding: a pure function of a policy version, a feature and a subject.

use super::condition::{Slots, Value};
use super::feature::{Feature, FeatureId, StageId};
use super::policy::{FeaturePolicy, Kill, Override, Policy, Who};
use super::precedence::{self, Level};
use super::step::BucketBy;
use crate::kernel::StreamKey;
use crate::kernel::digest::hash_bytes;

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
    /// What tells its interaction from others.
    fn session(&self) -> u64;
}

/// The outcome of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    pub stage: StageId,
    pub reason: Reason,
    /// Which targeting rule matched, from 0; `None` for the default stage.
    pub rule: Option<u16>,
}

/// Evaluates `feature` for `subject` under `policy`, line by line of the table of [precedence]: the
/// first line that speaks decides, then kills restrict; a service's local switch restricts where it is used. An
/// audience that asks for an attribute the subject does not have does not match. `salt` is the policy's own, unless
/// the evaluating SDK was configured with another one.
pub fn decide(policy: &Policy, id: FeatureId, feature: &Feature, salt: u64, subject: &mut impl Subject) -> Decision {
    let entry = policy.feature(id);
    let mut speaks = |level: Level| match level {
        Level::Kill | Level::LocalSwitch => None,
        Level::Override => overridden(&entry.overrides, subject),
        Level::Rule => targeted(entry, salt, subject),
        Level::Default => Some(Decision { stage: entry.default_stage, reason: Reason::Default, rule: None }),
    };
    let decided = precedence::TABLE.iter().find_map(|row| speaks(row.level));
    restrict(feature, decided.expect("the last line of the table always speaks"), &entry.kills, subject)
}

/// The user's own override, else the one of its tenant.
fn overridden(overrides: &[Override], subject: &impl Subject) -> Option<Decision> {
    if overrides.is_empty() {
        return None;
    }
    let of = |who: Who| overrides.iter().find(|given| given.who == who);
    let given = of(Who::User(subject.user())).or_else(|| of(Who::Tenant(subject.tenant())))?;
    Some(Decision { stage: given.to, reason: Reason::TargetingMatch, rule: None })
}

/// The first targeting rule that takes in the subject.
fn targeted(entry: &FeaturePolicy, salt: u64, subject: &mut impl Subject) -> Option<Decision> {
    for (index, rule) in entry.rules.iter().enumerate() {
        if let Some(audience) = &rule.audience
            && !audience.eval(subject).unwrap_or(false)
        {
            continue;
        }
        let whole = rule.share == crate::units::Share::ALL;
        if whole || bucket(salt, entry.bucket_by, subject).is_some_and(|bucket| rule.share.admits(bucket)) {
            let reason = if whole { Reason::TargetingMatch } else { Reason::Split };
            return Some(Decision { stage: rule.stage, reason, rule: Some(index as u16) });
        }
    }
    None
}

/// Applies the kills that reach the subject: the most restrictive stage wins, and a kill never raises a stage
/// (rules.md, 9). Where several kills are not comparable, the safe stage.
pub fn restrict(feature: &Feature, decision: Decision, kills: &[Kill], subject: &impl Subject) -> Decision {
    if kills.is_empty() {
        return decision;
    }
    let reach = |kill: &&Kill| kill.scope.contains(subject.region(), subject.tenant(), subject.journey());
    let limits = || kills.iter().filter(reach).map(|kill| kill.to);
    // The one below all others, whatever their order; where there is none, the safe stage.
    let lowest = limits().find(|stage| limits().all(|other| feature.at_most_as_permissive(*stage, other)));
    let limit = lowest.or(limits().next().map(|_| feature.safe_stage));
    match limit {
        Some(stage) if !feature.at_most_as_permissive(decision.stage, stage) => {
            Decision { stage, reason: Reason::Killed, rule: None }
        }
        _ => decision,
    }
}

/// The bucket of a subject: uniform over 64 bits, equal for equal salt and unit. `None` without the attribute by which
/// subjects are bucketed.
fn bucket(salt: u64, by: BucketBy, subject: &mut impl Subject) -> Option<u64> {
    let unit = match by {
        BucketBy::User => subject.user(),
        BucketBy::Tenant => u64::from(subject.tenant()),
        BucketBy::Session => subject.session(),
        BucketBy::Attribute(slot) => match subject.value(slot) {
            Value::Text(symbol) => hash_bytes(subject.symbols().text(symbol).as_bytes()),
            Value::Int(number) => number as u64,
            Value::Bool(on) => u64::from(on),
            Value::Float(number) => number.to_bits(),
            Value::Stage { .. } | Value::Missing => return None,
        },
    };
    Some(bucket_word(salt, unit))
}

/// The bucket of a unit under a salt.
pub fn bucket_word(salt: u64, unit: u64) -> u64 {
    StreamKey::bucket(salt).word(unit, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::condition::{SlotId, Symbols};
    use crate::rollout::feature::{Contract, Risk, Stage, WhenUnknown};
    use crate::rollout::policy::Scope;

    struct Anybody(Symbols);

    impl Slots for Anybody {
        fn value(&mut self, _: SlotId) -> Value {
            Value::Missing
        }
        fn can(&mut self, _: u16, _: u16) -> bool {
            false
        }
        fn symbols(&self) -> &Symbols {
            &self.0
        }
    }

    impl Subject for Anybody {
        fn tenant(&self) -> u32 {
            0
        }
        fn user(&self) -> u64 {
            0
        }
        fn region(&self) -> u16 {
            0
        }
        fn journey(&self) -> u16 {
            0
        }
        fn session(&self) -> u64 {
            0
        }
    }

    /// Stages 0 to 4: nothing, a, b, a and b, a and b and c.
    fn feature() -> Feature {
        let grants: [&[u16]; 5] = [&[], &[0], &[1], &[0, 1], &[0, 1, 2]];
        let stage = |(rank, grants): (usize, &&[u16])| Stage {
            name: format!("S{rank}"),
            rank: Some(rank as u16),
            grants: grants.to_vec(),
            value: None,
        };
        Feature {
            name: "f".to_owned(),
            stages: grants.iter().enumerate().map(stage).collect(),
            capabilities: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
            safe_stage: StageId(0),
            initial_stage: StageId(0),
            risk: Risk::Low,
            owner: None,
            retire_by: None,
            commit_stage: None,
            transitions: Vec::new(),
            contract: Contract::default(),
            when_unknown: WhenUnknown::LastKnownGood,
            when_unknown_in: Vec::new(),
            stale_after: None,
        }
    }

    fn killed(at: u16, kills: &[u16]) -> u16 {
        let kills: Vec<Kill> =
            kills.iter().map(|to| Kill { scope: Scope::default(), to: StageId(*to), issued_by: 0 }).collect();
        let before = Decision { stage: StageId(at), reason: Reason::TargetingMatch, rule: Some(0) };
        restrict(&feature(), before, &kills, &Anybody(Symbols::default())).stage.0
    }

    #[test]
    fn a_kill_restricts_and_never_raises() {
        assert_eq!(killed(4, &[3]), 3);
        assert_eq!(killed(1, &[3]), 1, "already less than what the kill leaves");
        assert_eq!(killed(0, &[4]), 0);
    }

    #[test]
    fn of_several_kills_the_most_restrictive_wins_in_any_order() {
        for kills in [[1, 3, 4], [4, 3, 1], [3, 1, 4]] {
            assert_eq!(killed(4, &kills), 1);
        }
    }

    #[test]
    fn kills_that_cannot_be_compared_leave_the_safe_stage_unless_one_is_below_them_all() {
        assert_eq!(killed(4, &[1, 2]), 0);
        for kills in [[1, 2, 0], [0, 2, 1], [2, 0, 1]] {
            assert_eq!(killed(4, &kills), 0);
        }
        assert_eq!(killed(4, &[1, 3]), 1);
    }
}
