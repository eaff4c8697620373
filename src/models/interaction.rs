//! An interaction in flight: the customer's errand and everything it caused that is not done yet.

use super::aggregate::Aggregate;
use super::client::{Means, means};
use super::compensation::Undoable;
use super::estate::{Estate, RegionId, UsersId};
use super::gauge::Trail;
use super::keys::{Keys, pick};
use super::observation::{Interaction, ObservationId};
use super::program::OperationId;
use super::saga::Saga;
use crate::kernel::Draws;
use crate::kernel::stream::unit_interval;
use crate::rollout::condition::{SlotId, Slots, Value};
use crate::rollout::{Subject, Symbols};
use crate::units::{Id, SimTime, Slot};
use smallvec::SmallVec;

/// Who the interaction is for.
#[derive(Clone, Copy, Debug)]
pub struct Customer {
    pub tenant: u32,
    pub user: u64,
    pub tenant_region: RegionId,
    /// The app the user comes with, if any.
    pub means: Option<Means>,
}

impl Customer {
    /// What a decision about this customer can see, as one word; `left_out` is the hash of what it lacks.
    pub fn attributes(&self, left_out: u64) -> u64 {
        self.user ^ u64::from(self.tenant) << 40 ^ left_out
    }
}

/// An interaction in flight.
#[derive(Clone, Debug)]
pub struct Ongoing {
    pub id: Interaction,
    /// What keys its random streams: the journey's name and the ordinal, nothing else.
    pub identity: u64,
    pub customer: Customer,
    pub arrived: SimTime,
    /// What it is about.
    pub aggregate: Option<Slot<Aggregate>>,
    /// Effects that happen once for each key of it and have happened, with their keys.
    pub once: SmallVec<[(u16, u64); 2]>,
    /// Tasks, messages and uncommitted records that still belong to it.
    pub open: u32,
    pub user: Option<(UsersId, u32)>,
    /// Events it has emitted: addresses the chance of the next.
    pub emitted: u32,
    /// What it did and can be undone, where it is about nothing.
    pub undoable: Vec<Undoable>,
    /// One at most of each service.
    pub sagas: Vec<Saga>,
    /// How often each operation was called, by the caller's first attempt.
    pub visits: Visits,
    /// Which rollouts it has met.
    pub trail: Trail,
    /// The last thing that happened in it, as the cause of the next.
    pub cause: ObservationId,
}

/// Counts of visits: a few in place, as most interactions call few operations; in the order of operations.
#[derive(Clone, Debug, Default)]
pub struct Visits(SmallVec<[(u32, u16); 8]>);

impl Visits {
    /// Counts a visit and gives its ordinal, from 0.
    fn count(&mut self, operation: OperationId) -> u16 {
        let wanted = operation.as_u32();
        match self.0.binary_search_by_key(&wanted, |(operation, _)| *operation) {
            Ok(index) => {
                let visit = self.0[index].1;
                // Beyond what an address holds, visits share their draws.
                self.0[index].1 = visit.saturating_add(1);
                visit
            }
            Err(index) => {
                self.0.insert(index, (wanted, 1));
                0
            }
        }
    }

    /// The same memory, without a visit.
    fn cleared(mut self) -> Visits {
        self.0.clear();
        self
    }

    /// Whether it has outgrown its place, so that its memory is worth keeping.
    fn is_large(&self) -> bool {
        self.0.spilled()
    }
}

/// Memory of interactions that are closed, for those to come.
#[derive(Clone, Debug, Default)]
pub struct Spare(Vec<Visits>);

impl Spare {
    pub fn take(&mut self) -> Visits {
        self.0.pop().unwrap_or_default()
    }

    pub fn give_back(&mut self, visits: Visits) {
        if visits.is_large() {
            self.0.push(visits.cleared());
        }
    }
}

impl Ongoing {
    pub fn new(id: Interaction, identity: u64, customer: Customer, arrived: SimTime, visits: Visits) -> Ongoing {
        Ongoing {
            id,
            identity,
            customer,
            arrived,
            aggregate: None,
            once: SmallVec::new(),
            open: 0,
            user: None,
            emitted: 0,
            undoable: Vec::new(),
            sagas: Vec::new(),
            visits,
            trail: Trail::default(),
            cause: 0,
        }
    }

    pub fn visit(&mut self, operation: OperationId) -> u16 {
        self.visits.count(operation)
    }
}

/// The customer of the n-th arrival of a journey: a pure function of the keys, and of the tenants that have joined.
pub fn customer(estate: &Estate, keys: &Keys, draws: &mut Draws, journey: usize, n: u64, now: SimTime) -> Customer {
    let population = &estate.population;
    let subject = keys.journeys[journey].subject;
    let joined = population.joined_by(now);
    let tenant = if joined < 2 {
        0
    } else {
        let u = draws.unit(subject, n, 0);
        if keys.tenant_weights.is_empty() {
            (u * f64::from(joined)) as u32
        } else {
            // Of the whole weight, what those have who are not there yet is nobody's.
            let weight = if joined == population.tenants { 1.0 } else { keys.tenant_weights[joined as usize - 1] };
            keys.tenant_weights.partition_point(|cumulative| *cumulative <= u * weight) as u32
        }
    }
    .min(joined - 1);
    let of_tenant = (draws.unit(subject, n, 1) * f64::from(population.users_per_tenant)) as u64;
    let user = u64::from(tenant) * u64::from(population.users_per_tenant) + of_tenant;
    let means = means(estate, keys, draws, user, now);
    Customer { tenant, user, tenant_region: tenant_region(estate, keys, draws, tenant), means }
}

fn tenant_region(estate: &Estate, keys: &Keys, draws: &mut Draws, tenant: u32) -> RegionId {
    if estate.regions.len() < 2 {
        return Id::new(0);
    }
    let u = draws.unit(keys.tenants, u64::from(tenant), 0);
    let mut below = 0.0;
    for (id, region) in estate.regions.enumerate() {
        below += region.share.fraction();
        if u < below {
            return id;
        }
    }
    Id::new(estate.regions.len() - 1)
}

/// An interaction's customer and request as conditions of audiences see them: attributes are drawn when asked for.
pub struct SubjectView<'a> {
    pub estate: &'a Estate,
    pub keys: &'a Keys,
    pub draws: &'a mut Draws,
    pub customer: Customer,
    pub journey: u16,
    pub identity: u64,
    pub now: SimTime,
    /// What whoever decides does not know of it.
    pub left_out: &'a [super::estate::Asked],
}

impl SubjectView<'_> {
    pub fn asked(&mut self, asked: super::estate::Asked) -> Value {
        use super::estate::Asked;
        if self.left_out.contains(&asked) {
            return Value::Missing;
        }
        match asked {
            Asked::TenantAttribute(index) => {
                let key = self.keys.tenant_attributes[usize::from(index)];
                let u = unit_interval(self.draws.word(key, u64::from(self.customer.tenant), 0));
                let values = &self.estate.population.attributes[usize::from(index)].values;
                pick(values, u).map_or(Value::Missing, Value::Text)
            }
            Asked::RequestAttribute(index) => {
                let journey = &self.estate.journeys.as_slice()[usize::from(self.journey)];
                let Some((_, values)) = journey.attributes.iter().find(|(named, _)| *named == index) else {
                    return Value::Missing;
                };
                let key = self.keys.request_attributes[usize::from(index)];
                let u = unit_interval(self.draws.word(key, self.identity, 0));
                pick(values, u).map_or(Value::Missing, Value::Text)
            }
            Asked::TenantRegion => Value::Text(self.estate.region_symbols[self.customer.tenant_region.index()]),
            Asked::TenantJoined => Value::Bool(self.customer.tenant >= self.estate.population.from_the_start),
            Asked::TenantAge => Value::Float(self.estate.population.age_of(self.customer.tenant, self.now)),
            Asked::TenantId => Value::Int(i64::from(self.customer.tenant)),
            Asked::Client => self
                .customer
                .means
                .map_or(Value::Missing, |means| Value::Text(self.estate.client_symbols[means.client.index()])),
            Asked::ClientOld => Value::Bool(self.customer.means.is_some_and(|means| means.old)),
            Asked::UserId => Value::Int(self.customer.user as i64),
            Asked::Journey => Value::Text(self.estate.journey_symbols[usize::from(self.journey)]),
            // Known to a task only; validation keeps them out of audiences.
            Asked::Stage(_)
            | Asked::Flag(_)
            | Asked::Region
            | Asked::Code
            | Asked::Status
            | Asked::Attempt
            | Asked::Replayed
            | Asked::DomainVersion
            | Asked::Healthy(_) => Value::Missing,
        }
    }
}

impl Slots for SubjectView<'_> {
    fn value(&mut self, slot: SlotId) -> Value {
        let asked = self.estate.slots[usize::from(slot.0)];
        self.asked(asked)
    }

    fn can(&mut self, _feature: u16, _capability: u16) -> bool {
        false
    }

    fn symbols(&self) -> &Symbols {
        &self.estate.symbols
    }
}

impl Subject for SubjectView<'_> {
    fn tenant(&self) -> u32 {
        self.customer.tenant
    }

    fn user(&self) -> u64 {
        self.customer.user
    }

    fn region(&self) -> u16 {
        self.customer.tenant_region.index() as u16
    }

    fn journey(&self) -> u16 {
        self.journey
    }

    fn session(&self) -> u64 {
        self.identity
    }
}
