//! `consumer.pause`.

use crate::models::estate::{Strength, Target};
use crate::models::fault::{Aim, Fault, Takes};
use crate::models::levers::Levers;

/// The application pauses its partitions: it keeps polling and takes nothing, so that lag grows and nobody is put out.
pub struct ConsumerPause;

impl Fault for ConsumerPause {
    fn name(&self) -> &'static str {
        "consumer.pause"
    }

    fn sentence(&self) -> &'static str {
        "The application pauses its partitions: it keeps polling and takes nothing, so that lag grows and nobody is put out."
    }

    fn aim(&self) -> Aim {
        Aim::ConsumerGroup
    }

    fn takes(&self) -> Takes {
        Takes::Nothing
    }

    fn begin(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for member in levers.members(target) {
            levers.pause_consumer(member, true);
        }
    }

    fn end(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for member in levers.members(target) {
            levers.pause_consumer(member, false);
        }
    }
}
