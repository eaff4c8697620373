//! `cache.freeze`.

use crate::models::estate::{Strength, Target};
use crate::models::fault::{Aim, Fault, Takes};
use crate::models::levers::Levers;

/// The SDK's background thread hangs: nothing is asked, nothing that arrives is applied, and the process goes on serving
/// what it holds. A restart cures it.
pub struct CacheFreeze;

impl Fault for CacheFreeze {
    fn name(&self) -> &'static str {
        "cache.freeze"
    }

    fn sentence(&self) -> &'static str {
        "The SDK's background thread hangs: it applies nothing any more, and the process goes on serving what it holds."
    }

    fn aim(&self) -> Aim {
        Aim::Sdk
    }

    fn takes(&self) -> Takes {
        Takes::Nothing
    }

    fn begin(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for replica in levers.replicas(target) {
            levers.hang_sdk(replica, true);
        }
    }

    fn end(&self, levers: &mut Levers<'_>, target: &Target, _strength: Strength) {
        for replica in levers.replicas(target) {
            levers.hang_sdk(replica, false);
        }
    }
}
