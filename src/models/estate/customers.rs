//! Customers and what they do: population, journeys, entities, closed-loop users.

use super::{EntityId, JourneyId};
use crate::kernel::Distribution;
use crate::models::amount::Amount;
use crate::models::client::Client;
use crate::models::program::OperationId;
use crate::rollout::{Condition, FeatureId, Symbol};
use crate::units::{IdVec, Share, SimDuration, SimTime};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Region {
    pub name: String,
    /// The share of tenants at home here.
    pub share: Share,
}

/// Tenants and users. Without a `population` in the file: one tenant, ten thousand users.
#[derive(Clone, Debug)]
pub struct Population {
    /// All there ever are, those that join included: these are the last ones.
    pub tenants: u32,
    /// Those that join during the run, evenly spaced, per second; zero: none.
    pub joining: f64,
    /// Those that were there when the run began.
    pub from_the_start: u32,
    pub users_per_tenant: u32,
    /// Exponent of the Zipf law that weights the tenant of an arrival; zero: all alike.
    pub zipf: f64,
    /// Attributes of a tenant: name, and each value with its share.
    pub attributes: Vec<Attribute>,
    /// The apps users have; whoever has none comes without a decision.
    pub clients: IdVec<Client>,
}

impl Population {
    /// The tenants that have joined by now.
    pub fn joined_by(&self, now: SimTime) -> u32 {
        if self.joining == 0.0 {
            return self.tenants;
        }
        let joined = (now.as_secs_f64() * self.joining) as u32;
        self.from_the_start.saturating_add(joined).min(self.tenants)
    }

    /// For how long a tenant has been one, in seconds. A scenario says nothing of when those joined who were there from the
    /// start: they are older than any bound.
    pub fn age_of(&self, tenant: u32, now: SimTime) -> f64 {
        match tenant.checked_sub(self.from_the_start) {
            Some(later) => (now.as_secs_f64() - f64::from(later + 1) / self.joining).max(0.0),
            None => f64::INFINITY,
        }
    }
}

/// A named attribute with the share of each value.
#[derive(Clone, Debug)]
pub struct Attribute {
    pub name: String,
    pub values: Vec<(Symbol, Share)>,
}

/// How long a customer whose request or answer was lost waits before giving up: nginx's `proxy_read_timeout`, 60 s.
pub const CUSTOMER_PATIENCE: SimDuration = SimDuration::from_secs(60);

/// An aggregate: its statuses and the transitions between them.
#[derive(Clone, Debug)]
pub struct EntityType {
    pub name: String,
    /// Index of [`super::Estate::statuses`] of an entity that has none yet.
    pub initial: u16,
    /// Legal transitions; empty: every one.
    pub transitions: Vec<(u16, u16)>,
    pub finals: Vec<u16>,
    /// The final ones in which it came to nothing: what was done for it must be undone.
    pub void: Vec<u16>,
    /// One per subject instead of one per interaction.
    pub per_subject: bool,
    /// How much money one is about.
    pub amount: Option<Amount>,
}

/// When interactions of a journey begin.
#[derive(Clone, Debug)]
pub enum Arrivals {
    /// A Poisson process of this rate, per second.
    Poisson { per_second: f64 },
    /// Evenly spaced.
    Every(SimDuration),
    /// Only where closed-loop users choose it.
    Closed,
    /// Where it comes back to what other journeys created.
    Follows,
}

/// How a journey comes back to entities that exist.
#[derive(Clone, Debug)]
pub struct Follows {
    /// The journeys that create them.
    pub creators: Vec<JourneyId>,
    /// Judged when it would begin.
    pub when: Option<Arc<Condition>>,
    pub share: Share,
    /// From the arrival of the interaction that creates the entity.
    pub after: Distribution,
}

#[derive(Clone, Debug)]
pub struct Journey {
    pub name: String,
    pub arrivals: Arrivals,
    pub entity: Option<EntityId>,
    pub first: OperationId,
    pub feature: Option<FeatureId>,
    /// How long everything one arrival causes may take until it must be finished.
    pub completes_within: SimDuration,
    /// How it comes back to what exists, if it does.
    pub follows: Option<Follows>,
    /// The journeys that come back to what this one creates.
    pub followed_by: Vec<JourneyId>,
    /// The subject has one of these values of each request attribute.
    pub attributes: Vec<(u16, Vec<(Symbol, Share)>)>,
}

/// A number given in the file or taken from a flag's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
    Given(f64),
    Flag { feature: FeatureId, times: f64 },
}

/// Closed-loop users: each thinks, starts one journey, waits for its answer, thinks again.
#[derive(Clone, Debug)]
pub struct ClosedUsers {
    pub name: String,
    pub count: Quantity,
    /// The most users that `count` can ever ask for.
    pub most: u32,
    /// While this is zero the users pause.
    pub while_on: Option<FeatureId>,
    pub think: Distribution,
    pub journeys: Vec<(JourneyId, f64)>,
    /// How often a user that is switched off looks whether it may go on.
    pub looks_every: SimDuration,
}
