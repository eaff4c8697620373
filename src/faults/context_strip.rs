//! `context.strip`.

use crate::models::estate::{Strength, Target};
use crate::models::fault::{Aim, Fault, Takes};
use crate::models::levers::Levers;

/// A share of the target service's messages goes on without its rollout context.
pub struct ContextStrip;

impl Fault for ContextStrip {
    fn name(&self) -> &'static str {
        "context.strip"
    }

    fn sentence(&self) -> &'static str {
        "A share of the target service's messages goes on without its rollout context."
    }

    fn aim(&self) -> Aim {
        Aim::Network
    }

    fn takes(&self) -> Takes {
        Takes::Share
    }

    fn begin(&self, levers: &mut Levers<'_>, target: &Target, strength: Strength) {
        levers.strip_context(target.service, strength.share.unwrap_or_default(), true);
    }

    fn end(&self, levers: &mut Levers<'_>, target: &Target, strength: Strength) {
        levers.strip_context(target.service, strength.share.unwrap_or_default(), false);
    }
}
