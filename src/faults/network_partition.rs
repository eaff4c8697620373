//! `network.partition`.

use crate::models::estate::{Strength, Target};
use crate::models::fault::{Aim, Fault, Takes};
use crate::models::levers::Levers;

/// A region cannot exchange messages with the others, nor receive policy versions from home.
pub struct NetworkPartition;

impl Fault for NetworkPartition {
    fn name(&self) -> &'static str {
        "network.partition"
    }

    fn sentence(&self) -> &'static str {
        "A region cannot exchange messages with the others, nor receive policy versions from home."
    }

    fn aim(&self) -> Aim {
        Aim::Region
    }

    fn takes(&self) -> Takes {
        Takes::Nothing
    }

    fn begin(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for region in levers.regions(target) {
            levers.cut_off(region, true);
        }
    }

    fn end(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for region in levers.regions(target) {
            levers.cut_off(region, false);
        }
    }
}
