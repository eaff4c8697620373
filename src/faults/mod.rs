//! Ways to hurt, one per file. None knows of another, nor of any invariant.

mod cache_freeze;
mod consumer_pause;
mod consumer_stall;
mod context_strip;
mod control_plane_down;
mod control_plane_slow;
mod control_plane_stale;
mod invalidation_lost;
mod link_loss;
mod link_slow;
mod network_partition;
mod service_crash;
mod service_restart;

use crate::models::fault::Fault;

/// Every fault, in the order in which `list faults` prints them.
pub static ALL: &[&dyn Fault] = &[
    &control_plane_down::ControlPlaneDown,
    &control_plane_slow::ControlPlaneSlow,
    &control_plane_stale::ControlPlaneStale,
    &invalidation_lost::InvalidationLost,
    &service_crash::ServiceCrash,
    &service_restart::ServiceRestart,
    &consumer_pause::ConsumerPause,
    &consumer_stall::ConsumerStall,
    &network_partition::NetworkPartition,
    &link_slow::LinkSlow,
    &link_loss::LinkLoss,
    &context_strip::ContextStrip,
    &cache_freeze::CacheFreeze,
];

/// The fault of this name.
pub fn named(name: &str) -> Option<&'static dyn Fault> {
    ALL.iter().copied().find(|fault| fault.name() == name)
}
