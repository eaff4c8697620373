//! `consumer.stall`.

use crate::models::estate::{Strength, Target};
use crate::models::fault::{Aim, Fault, Takes};
use crate::models::levers::Levers;

/// The consumer's thread stands still while its heartbeats go on: past max.poll.interval.ms it leaves the group.
pub struct ConsumerStall;

impl Fault for ConsumerStall {
    fn name(&self) -> &'static str {
        "consumer.stall"
    }

    fn sentence(&self) -> &'static str {
        "The consumer's thread stands still while its heartbeats go on: past max.poll.interval.ms it leaves the group."
    }

    fn aim(&self) -> Aim {
        Aim::ConsumerGroup
    }

    fn takes(&self) -> Takes {
        Takes::Nothing
    }

    fn begin(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for member in levers.members(target) {
            levers.stall_consumer(member, true);
        }
    }

    fn end(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for member in levers.members(target) {
            levers.stall_consumer(member, false);
        }
    }
}
