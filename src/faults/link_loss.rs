//! `link.loss`.

use crate::models::estate::{Strength, Target};
use crate::models::fault::{Aim, Fault, Takes};
use crate::models::levers::Levers;

/// A share of the messages to the target service is lost, and the same share of its answers.
pub struct LinkLoss;

impl Fault for LinkLoss {
    fn name(&self) -> &'static str {
        "link.loss"
    }

    fn sentence(&self) -> &'static str {
        "A share of the messages to the target service is lost, and the same share of its answers."
    }

    fn aim(&self) -> Aim {
        Aim::Network
    }

    fn takes(&self) -> Takes {
        Takes::Share
    }

    fn begin(&self, levers: &mut Levers<'_>, target: &Target, strength: Strength) {
        levers.lossy_links(target.service, strength.share.unwrap_or_default(), true);
    }

    fn end(&self, levers: &mut Levers<'_>, target: &Target, strength: Strength) {
        levers.lossy_links(target.service, strength.share.unwrap_or_default(), false);
    }
}
