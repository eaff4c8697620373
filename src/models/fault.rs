//! What a fault is: one way to hurt the estate.
//!
//! A fault never writes a cache, a decision or an offset. It can only pull [`Levers`]: change what a message, a timer
//! or a process may do. Whatever follows from that emerges.

use super::estate::{Strength, Target};
use super::levers::Levers;

/// What a fault can be aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// The control plane, everywhere or in a `region`.
    ControlPlane,
    /// Replicas of the `target` service, in a `region`, at most `replicas` of them.
    Service,
    /// Replicas of the `target` service whose SDK refreshes its cache in the background, in a `region`, at most
    /// `replicas` of them.
    Sdk,
    /// Members of the `target` consumer group, written `service/topic`.
    ConsumerGroup,
    /// All messages between two regions, or all of one `region`; `region` is required.
    Region,
    /// All messages to the `target` service; without a target, all messages.
    Network,
}

/// Which strengths a fault takes, each required when listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Nothing,
    /// `share: 10%`
    Share,
    /// `by: 500ms`
    Delay,
}

/// One way to hurt.
pub trait Fault: Sync {
    /// As scenario files write it: `control_plane.down`.
    fn name(&self) -> &'static str;
    /// The sentence that `explain` prints.
    fn sentence(&self) -> &'static str;
    fn aim(&self) -> Aim;
    fn takes(&self) -> Takes;
    /// Whether it goes on until it is ended. One that does not is over as soon as it has struck.
    fn goes_on(&self) -> bool {
        true
    }
    fn begin(&self, levers: &mut Levers<'_>, target: &Target, strength: Strength);
    fn end(&self, levers: &mut Levers<'_>, target: &Target, strength: Strength);
}

impl std::fmt::Debug for dyn Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
