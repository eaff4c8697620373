//! `service.restart`.

use crate::models::estate::{Strength, Target};
use crate::models::fault::{Aim, Fault, Takes};
use crate::models::levers::Levers;
use crate::units::SimDuration;

/// Processes end without warning and start again after a moment, with whatever policy their SDK wrote down.
pub struct ServiceRestart;

/// How long a process takes to start: a JVM service with its readiness probe (assumption: no source gives one number).
const STARTS_IN: SimDuration = SimDuration::from_secs(20);

impl Fault for ServiceRestart {
    fn name(&self) -> &'static str {
        "service.restart"
    }

    fn sentence(&self) -> &'static str {
        "Processes end without warning and start again after a moment, with whatever policy their SDK wrote down."
    }

    fn aim(&self) -> Aim {
        Aim::Service
    }

    fn takes(&self) -> Takes {
        Takes::Nothing
    }

    fn goes_on(&self) -> bool {
        false
    }

    fn begin(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for replica in levers.replicas(target) {
            levers.crash(replica);
            levers.start_after(replica, STARTS_IN);
        }
    }

    fn end(&self, _levers: &mut Levers<'_>, _target: &Target, _strength: Strength) {
        // The processes come back by themselves.
    }
}
