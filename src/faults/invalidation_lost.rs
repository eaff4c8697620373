//! `invalidation.lost`.

use crate::models::estate::{Strength, Target};
use crate::models::fault::{Aim, Fault, Takes};
use crate::models::levers::Levers;

/// Kills are published, and the messages that announce them are lost: whoever counts on them asks on its own schedule.
pub struct InvalidationLost;

impl Fault for InvalidationLost {
    fn name(&self) -> &'static str {
        "invalidation.lost"
    }

    fn sentence(&self) -> &'static str {
        "Messages that announce a kill (`invalidation`) are lost; replicas hear of it on their own schedule."
    }

    fn aim(&self) -> Aim {
        Aim::ControlPlane
    }

    fn takes(&self) -> Takes {
        Takes::Nothing
    }

    fn begin(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for region in levers.regions(target) {
            levers.mute(region, true);
        }
    }

    fn end(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for region in levers.regions(target) {
            levers.mute(region, false);
        }
    }
}
