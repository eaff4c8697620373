//! The kinds of observations: what subscribers name. One list makes them all.

use super::Observation;

macro_rules! kinds {
    ($($kind:ident = $name:literal,)+) => {
        /// The kind of an observation: what subscribers name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Kind {
            $($kind,)+
        }

        impl Kind {
            pub const ALL: [Kind; Kind::COUNT] = [$(Kind::$kind,)+];
            pub const COUNT: usize = [$($name,)+].len();

            /// As `reached:` and traces name it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Kind::$kind => $name,)+
                }
            }

            pub fn named(name: &str) -> Option<Kind> {
                Kind::ALL.into_iter().find(|kind| kind.name() == name)
            }
        }

        impl Observation {
            pub fn kind(&self) -> Kind {
                match self {
                    $(Observation::$kind { .. } => Kind::$kind,)+
                }
            }
        }
    };
}

kinds! {
    Arrived = "arrived",
    Finished = "finished",
    Closed = "closed",
    Called = "called",
    Failed = "failed",
    Retried = "retried",
    Rejected = "rejected",
    Decided = "decided",
    Effect = "effect",
    Moment = "moment",
    Status = "status",
    Emitted = "emitted",
    Delivered = "delivered",
    Parked = "parked",
    DeadLettered = "dead_lettered",
    Committed = "committed",
    Rewound = "rewound",
    Lag = "lag",
    Rebalanced = "rebalanced",
    Evicted = "evicted",
    PolicyPublished = "policy_published",
    PolicyReplicated = "policy_replicated",
    PolicyApplied = "policy_applied",
    PolicyLost = "policy_lost",
    Suppressed = "suppressed",
    MessageLost = "message_lost",
    Alert = "alert",
    Stepped = "step",
    Killed = "kill",
    Lifted = "lifted",
    Deployed = "deployed",
    Crashed = "crashed",
    Restarted = "restarted",
    FaultStarted = "fault_started",
    FaultEnded = "fault_ended",
    Held = "held",
    Resumed = "resumed",
    Gate = "gate",
    Approval = "approval",
    PlanHeld = "plan_held",
    RolledBack = "rolled_back",
    AlertRaised = "alert_raised",
    OperatorActed = "operator_acted",
    ShadowCompared = "shadow_compared",
    DualWrote = "dual_wrote",
    Asked = "asked",
    OutcomeUnknown = "outcome_unknown",
    Handled = "handled",
    Dropped = "dropped",
    Compensated = "compensated",
    Expired = "expired",
    Reconciled = "reconciled",
    Exceptions = "exceptions",
}
