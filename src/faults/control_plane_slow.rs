//! `control_plane.slow`.

use crate::models::estate::{Strength, Target};
use crate::models::fault::{Aim, Fault, Takes};
use crate::models::levers::Levers;

/// Every leg to and from the control plane takes longer; a fetch that would exceed its timeout is given up.
pub struct ControlPlaneSlow;

impl Fault for ControlPlaneSlow {
    fn name(&self) -> &'static str {
        "control_plane.slow"
    }

    fn sentence(&self) -> &'static str {
        "Every leg to and from the control plane takes longer; a fetch that would exceed its timeout is given up."
    }

    fn aim(&self) -> Aim {
        Aim::ControlPlane
    }

    fn takes(&self) -> Takes {
        Takes::Delay
    }

    fn begin(&self, levers: &mut Levers<'_>, target: &Target, strength: Strength) {
        let by = strength.delay.unwrap_or_default();
        for region in levers.regions(target) {
            levers.slow_control_plane(region, by, true);
        }
    }

    fn end(&self, levers: &mut Levers<'_>, target: &Target, strength: Strength) {
        let by = strength.delay.unwrap_or_default();
        for region in levers.regions(target) {
            levers.slow_control_plane(region, by, false);
        }
    }
}
