//! What observations tell of the control plane, of plans, and of what keeps things from happening.

use crate::rollout::StageId;

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
