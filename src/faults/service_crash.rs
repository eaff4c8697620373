//! `service.crash`.

use crate::models::estate::{Strength, Target};
use crate::models::fault::{Aim, Fault, Takes};
use crate::models::levers::Levers;

/// Processes end without warning and stay down for as long as the fault lasts; consumers among them are noticed missing only after the session timeout.
pub struct ServiceCrash;

impl Fault for ServiceCrash {
    fn name(&self) -> &'static str {
        "service.crash"
    }

    fn sentence(&self) -> &'static str {
        "Processes end without warning and stay down for as long as the fault lasts; consumers among them are noticed missing only after the session timeout."
    }

    fn aim(&self) -> Aim {
        Aim::Service
    }

    fn takes(&self) -> Takes {
        Takes::Nothing
    }

    fn begin(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for replica in levers.replicas(target) {
            levers.crash(replica);
        }
    }

    fn end(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for replica in levers.replicas(target) {
            levers.start(replica);
        }
    }
}
