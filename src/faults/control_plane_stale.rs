//! `control_plane.stale`.

use crate::models::estate::{Strength, Target};
use crate::models::fault::{Aim, Fault, Takes};
use crate::models::levers::Levers;

/// The control plane answers, but with the version it had: replication into the region stands still.
pub struct ControlPlaneStale;

impl Fault for ControlPlaneStale {
    fn name(&self) -> &'static str {
        "control_plane.stale"
    }

    fn sentence(&self) -> &'static str {
        "The control plane answers, but with the version it had: replication into the region stands still."
    }

    fn aim(&self) -> Aim {
        Aim::ControlPlane
    }

    fn takes(&self) -> Takes {
        Takes::Nothing
    }

    fn begin(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for region in levers.regions(target) {
            levers.stop_replication(region, true);
        }
    }

    fn end(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for region in levers.regions(target) {
            levers.stop_replication(region, false);
        }
    }
}
