//! What is planned to happen: rollouts, and the entries of the timeline.

use super::{GroupId, RegionId, ServiceId, TopicId};
use crate::kernel::Distribution;
use crate::models::fault::Fault;
use crate::models::guard::{Deed, Guard};
use crate::rollout::{FeatureId, Kill, Step};
use crate::units::{Share, SimDuration};

/// A rollout of one feature.
#[derive(Clone, Debug)]
pub struct Rollout {
    pub feature: FeatureId,
    pub starts: SimDuration,
    pub steps: Vec<Step>,
    /// What watches over it; without, its steps are a schedule.
    pub guard: Option<Guard>,
}

/// When an entry of the timeline is due.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    At(SimDuration),
    /// After a step is published.
    AfterStep {
        rollout: usize,
        step: usize,
        offset: SimDuration,
    },
    /// Drawn from a Poisson process between two times.
    Random {
        per_second: f64,
        from: SimDuration,
        until: SimDuration,
    },
    /// When a gate fails or somebody answers an alert.
    OnDemand,
}

/// Which replicas an entry is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Target {
    pub service: Option<ServiceId>,
    pub region: Option<RegionId>,
    /// At most so many replicas or members, in the order of their names; `None`: all.
    pub count: Option<u32>,
    /// Where in that order to begin, going round: chance chooses it for random faults.
    pub skip: u32,
    pub group: Option<GroupId>,
    pub topic: Option<TopicId>,
}

/// Something that happens to the estate.
#[derive(Clone, Debug)]
pub enum Happening {
    /// `lasts: None`: until the end of the run.
    Fault {
        fault: &'static dyn Fault,
        target: Target,
        lasts: Option<Distribution>,
        strength: Strength,
    },
    Deploy {
        services: Vec<(ServiceId, u32)>,
        region: Option<RegionId>,
        /// At most so many replicas of each service, in the order of their names; `None`: all.
        count: Option<u32>,
        batch: u32,
        every: SimDuration,
    },
    Kill {
        feature: FeatureId,
        kill: Kill,
        lift_after: Option<SimDuration>,
    },
    Replay {
        group: GroupId,
        from: SimDuration,
    },
    /// Somebody acts on a plan.
    Act {
        rollout: u16,
        deed: Deed,
    },
    /// A user or tenant is given a stage by name.
    Override {
        feature: FeatureId,
        given: crate::rollout::Override,
        /// The entry that ends it.
        until: Option<u32>,
    },
    /// It is taken from them again, if the entry that gives it has taken place.
    OverrideEnds {
        feature: FeatureId,
        who: crate::rollout::Who,
        given_by: u32,
    },
}

/// How strong a fault is; each kind reads what concerns it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Strength {
    pub share: Option<Share>,
    pub delay: Option<SimDuration>,
}

/// An entry of the timeline.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As reports name it: `control_plane.down eu-central`.
    pub label: String,
    pub when: When,
    pub what: Happening,
}
