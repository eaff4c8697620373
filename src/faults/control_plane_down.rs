//! `control_plane.down`.

use crate::models::estate::{Strength, Target};
use crate::models::fault::{Aim, Fault, Takes};
use crate::models::levers::Levers;

/// The control plane stops answering: polls and fetches fail, streams break, and nobody learns of new versions.
pub struct ControlPlaneDown;

impl Fault for ControlPlaneDown {
    fn name(&self) -> &'static str {
        "control_plane.down"
    }

    fn sentence(&self) -> &'static str {
        "The control plane stops answering: polls and fetches fail, streams break, and nobody learns of new versions."
    }

    fn aim(&self) -> Aim {
        Aim::ControlPlane
    }

    fn takes(&self) -> Takes {
        Takes::Nothing
    }

    fn begin(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for region in levers.regions(target) {
            levers.control_plane_down(region, true);
        }
    }

    fn end(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for region in levers.regions(target) {
            levers.control_plane_down(region, false);
        }
    }
}
