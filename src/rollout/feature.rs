//! A feature: a named business change with its stages, its contract, and what to do when policy is unknown.

use crate::units::{Day, Id, SimDuration};

pub type FeatureId = Id<Feature>;

/// The position of a stage in its feature's declared order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageId(pub u16);

impl StageId {
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What a flag's variant evaluates to, where the feature is a flag of a flag file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FlagValue {
    Bool(bool),
    Number(f64),
}

impl FlagValue {
    /// The value as a number; `true` counts as one.
    pub fn number(self) -> f64 {
        match self {
            FlagValue::Bool(on) => f64::from(u8::from(on)),
            FlagValue::Number(number) => number,
        }
    }
}

/// A business state of a feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    pub name: String,
    /// The position on the ladder; `None` for a stage off it (rollback-only, draining).
    pub rank: Option<u16>,
    /// The capabilities this stage grants, as indices into [`Feature::capabilities`], ascending.
    pub grants: Vec<u16>,
    /// The variant's value, where the feature comes from a flag file.
    pub value: Option<FlagValue>,
}

/// What a context does when it has no policy, or none fresh enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenUnknown {
    /// Go on with the last policy received; without one, the safe stage.
    LastKnownGood,
    /// The feature's safe stage.
    FailClosed,
    /// A named stage.
    FailOpen(StageId),
    /// The constant compiled into the code.
    CodeDefault(StageId),
}

/// One admissible combination of paths, from a stage on.
#[derive(Clone, Debug, PartialEq)]
pub struct ContractRow {
    pub from: StageId,
    /// For each effect named in the row, the one path it may carry (indices of the estate's effects and paths).
    pub paths: Vec<(u16, u16)>,
}

/// A business moment that contexts must consider to have happened at the same time.
#[derive(Clone, Debug, PartialEq)]
pub struct MomentRule {
    /// Index of the estate's moments.
    pub moment: u16,
    /// The context on whose word the moment counts, where one is named.
    pub authority: Option<u16>,
    pub tolerance: SimDuration,
    /// Judged for occurrences that used a stage at or after this one; `None`: always.
    pub since: Option<StageId>,
}

/// Which paths belong together, and which moments must coincide.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contract {
    pub paths: Vec<ContractRow>,
    pub moments: Vec<MomentRule>,
}

/// How much harm a wrong decision does; it chooses the default of [`WhenUnknown`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    High,
    Low,
}

/// A named business change.
#[derive(Clone, Debug)]
pub struct Feature {
    pub name: String,
    pub stages: Vec<Stage>,
    pub capabilities: Vec<String>,
    pub safe_stage: StageId,
    /// The stage everybody has before the rollout begins.
    pub initial_stage: StageId,
    pub risk: Risk,
    pub owner: Option<String>,
    /// The last day on which the flag may still be there.
    pub retire_by: Option<Day>,
    pub commit_stage: Option<StageId>,
    /// Moves from stage to stage that are legal; empty: all are.
    pub transitions: Vec<(StageId, StageId)>,
    pub contract: Contract,
    pub when_unknown: WhenUnknown,
    /// Per context, where it differs from the default: `(context, behaviour)`.
    pub when_unknown_in: Vec<(u16, WhenUnknown)>,
    /// A policy without contact for longer than this is too old to rely on. `None`: never too old.
    pub stale_after: Option<SimDuration>,
}

impl Feature {
    pub fn stage(&self, name: &str) -> Option<StageId> {
        let index = self.stages.iter().position(|stage| stage.name == name)?;
        Some(StageId(u16::try_from(index).expect("validation bounds the number of stages")))
    }

    pub fn stage_name(&self, stage: StageId) -> &str {
        &self.stages[stage.index()].name
    }

    pub fn grants(&self, stage: StageId, capability: u16) -> bool {
        self.stages[stage.index()].grants.contains(&capability)
    }

    /// Whether `stage` is at or above `from` on the ladder. A stage off the ladder is at or above itself only.
    pub fn at_or_after(&self, stage: StageId, from: StageId) -> bool {
        match (self.stages[stage.index()].rank, self.stages[from.index()].rank) {
            (Some(rank), Some(from_rank)) => rank >= from_rank,
            _ => stage == from,
        }
    }

    /// Whether `stage` allows no more than `limit` does (rules.md, 9): by the capabilities granted where either
    /// grants any, by the ladder otherwise.
    pub fn at_most_as_permissive(&self, stage: StageId, limit: StageId) -> bool {
        let (a, b) = (&self.stages[stage.index()], &self.stages[limit.index()]);
        if a.grants.is_empty() && b.grants.is_empty() && self.capabilities.is_empty() {
            return match (a.rank, b.rank) {
                (Some(a), Some(b)) => a <= b,
                _ => stage == limit,
            };
        }
        a.grants.iter().all(|capability| b.grants.contains(capability))
    }

    pub fn when_unknown_for(&self, context: u16) -> WhenUnknown {
        let special = self.when_unknown_in.iter().find(|(named, _)| *named == context);
        special.map_or(self.when_unknown, |(_, behaviour)| *behaviour)
    }
}
