//! `link.slow`.

use crate::models::estate::{Strength, Target};
use crate::models::fault::{Aim, Fault, Takes};
use crate::models::levers::Levers;

/// Messages to the target service take longer, and so do its answers.
pub struct LinkSlow;

impl Fault for LinkSlow {
    fn name(&self) -> &'static str {
        "link.slow"
    }

    fn sentence(&self) -> &'static str {
        "Messages to the target service take longer, and so do its answers."
    }

    fn aim(&self) -> Aim {
        Aim::Network
    }

    fn takes(&self) -> Takes {
        Takes::Delay
    }

    fn begin(&self, levers: &mut Levers<'_>, target: &Target, strength: Strength) {
        levers.slow_links(target.service, strength.delay.unwrap_or_default(), true);
    }

    fn end(&self, levers: &mut Levers<'_>, target: &Target, strength: Strength) {
        levers.slow_links(target.service, strength.delay.unwrap_or_default(), false);
    }
}
