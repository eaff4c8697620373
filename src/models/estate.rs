//! The estate as a scenario describes it: resolved, complete, immutable during a run.
//!
//! Everything is an index into a table of this struct; names are kept for stories and reports only. A scenario is
//! compiled into this once, and every seed runs over the same one.

mod customers;
mod happenings;
mod kafka;
mod names;
mod sdk;

use super::amount::Currency;
use super::defect::Defect;
use super::guard::{AlertRule, Bounded, GaugeSpec, Team};
use super::own_metric::OwnMetric;
use super::program::{Operation, OperationId};
use super::reconciliation::ReconciliationSpec;
pub use super::saga::{AtTimeout, SagaSpec};
use super::sweep::SweepSpec;
use crate::kernel::Distribution;
use crate::rollout::{Condition, Feature, FeatureId, StageId, Symbol, Symbols};
use crate::units::{Day, Id, IdVec, Share, SimDuration, SimTime};
pub use customers::*;
pub use happenings::*;
pub use kafka::*;
pub use names::*;
pub use sdk::*;
use std::sync::Arc;

pub type RegionId = Id<Region>;
pub type ServiceId = Id<Service>;
pub type ReplicaId = Id<ReplicaSpec>;
pub type TopicId = Id<Topic>;
pub type GroupId = Id<ConsumerGroup>;
pub type MemberId = Id<MemberSpec>;
pub type JourneyId = Id<Journey>;
pub type EntityId = Id<EntityType>;
pub type UsersId = Id<ClosedUsers>;

/// The business reason with which a request is rejected when no rule of its operation holds.
pub const NO_RULE: &str = "no_rule";

/// The path named `old`; everything that is neither this nor neutral counts as new (rules.md, 7).
pub const PATH_OLD: u16 = 0;

/// The path named `new`.
pub const PATH_NEW: u16 = 1;

/// What a condition's slot means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Stage(FeatureId),
    /// The value of a flag's decided variant.
    Flag(FeatureId),
    TenantAttribute(u16),
    /// An attribute of the journey's requests, index of [`Estate::request_attributes`].
    RequestAttribute(u16),
    TenantRegion,
    TenantId,
    UserId,
    Journey,
    /// The region of the replica at work.
    Region,
    /// The code version of the replica at work.
    Code,
    /// The entity's status.
    Status,
    /// Which attempt of its call this is, from 1.
    Attempt,
    /// Whether the event is being replayed.
    Replayed,
    /// The domain version under which the event is handled.
    DomainVersion,
    /// Whether the tenant joined after the run began.
    TenantJoined,
    /// The name of the user's client; missing where the user has none.
    Client,
    /// Whether the user's client is of a version from before the features.
    ClientOld,
    /// For how long the tenant has been one, in seconds; whoever was there when the run began is older than anything.
    TenantAge,
    /// Whether a service is up, can be reached and has room, as the replica at work finds it.
    Healthy(ServiceId),
}

/// What a consumer does with an event of a domain version its code does not understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// Deserialises, and means something else.
    ProcessAs(u32),
    Park,
    DeadLetter,
    Fail,
}

/// One code version of a service.
#[derive(Clone, Debug, Default)]
pub struct CodeVersion {
    pub number: u32,
    /// The domain versions it understands; empty: it does not tell them apart and takes each as it comes.
    pub understands: Vec<u32>,
    /// What is wrong with it.
    pub defects: Vec<Defect>,
}

/// The silence of an external party.
#[derive(Clone, Debug)]
pub struct Silence {
    /// The share of attempts that get no answer.
    pub share: Share,
    /// The share of these that take effect nevertheless.
    pub takes_effect: Share,
    /// How much later they do; `None`: at once.
    pub later: Option<Distribution>,
}

/// What a service of the tables stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A service that the file describes.
    Service,
    /// An app of users: nothing is sent to it.
    Client,
    /// The kill switches as the replicas of another service keep them: a cache of its own beside that of the targeting,
    /// each of whose replicas lives with one of that service.
    Switches,
}

/// A bounded context with its replicas.
#[derive(Clone, Debug)]
pub struct Service {
    pub name: String,
    /// Index of [`Estate::contexts`].
    pub context: u16,
    /// Its replicas, a contiguous range of [`Estate::replicas`].
    pub replicas: Vec<ReplicaId>,
    /// Requests handled at once by one replica, their calls included.
    pub workers: u32,
    /// Requests that may wait for a worker; one more is refused.
    pub queue: u32,
    pub sdk: Option<Sdk>,
    pub decides_from: Vec<DecidesFrom>,
    /// Decides here and puts the decision into the context for all that follows, ignoring what came in.
    pub edge: bool,
    /// Features decided at the edge; empty: all.
    pub edge_features: Vec<FeatureId>,
    /// How long what is decided at this edge may travel.
    pub edge_expires: Option<SimDuration>,
    /// The services whose decisions it goes by when they are carried to it; empty: all.
    pub trusts: Vec<ServiceId>,
    /// The share of requests and events from here that carry on the context.
    pub forwards: Share,
    /// The most a local switch lets through, per feature.
    pub local: Vec<(FeatureId, StageId)>,
    /// Features this context declares to have no part in.
    pub ignores: Vec<FeatureId>,
    pub codes: Vec<CodeVersion>,
    pub initial_code: u32,
    /// Whether any of its code versions has a defect.
    pub defective: bool,
    pub otherwise: Otherwise,
    pub external: bool,
    pub part: Part,
    /// How often an attempt gets no answer, and what becomes of it then.
    pub silence: Option<Silence>,
    /// What it drives to an end or undoes, if it does.
    pub saga: Option<SagaSpec>,
    pub operations: Vec<OperationId>,
}

#[derive(Clone, Debug)]
pub struct ReplicaSpec {
    pub service: ServiceId,
    pub region: RegionId,
    /// Its name, `service/region/n` or `service/n`, by which its random streams are keyed.
    pub name: String,
    /// Its cache of kill switches, where that is a layer of its own.
    pub switches: Option<ReplicaId>,
}

/// Network between regions, and to the control plane.
#[derive(Clone, Debug)]
pub struct Network {
    /// One way, within a region.
    pub within: Distribution,
    /// One way, between regions.
    pub between: Distribution,
    /// Share of messages lost.
    pub loss: Share,
}

#[derive(Clone, Debug)]
pub struct ControlPlane {
    pub home: RegionId,
    /// Delay until a published version is readable in a region, per region (zero at home).
    pub replication: Vec<Distribution>,
    /// One way between a replica and the control plane of its region.
    pub latency: Distribution,
    /// The share of questions it answers with an error.
    pub errors: Share,
}

/// The whole estate with its rollouts and its timeline.
#[derive(Clone, Debug)]
pub struct Estate {
    pub name: String,
    /// Arrivals end here.
    pub duration: SimDuration,
    /// How much longer the run goes on.
    pub drain: SimDuration,
    /// Seconds after midnight (UTC) at which the run begins.
    pub starts_at_second_of_day: u32,
    /// The day (UTC) on which the run begins.
    pub starts_on: Day,
    pub regions: IdVec<Region>,
    pub population: Population,
    pub features: IdVec<Feature>,
    pub control_plane: ControlPlane,
    pub network: Network,
    pub services: IdVec<Service>,
    pub replicas: IdVec<ReplicaSpec>,
    pub operations: IdVec<Operation>,
    pub topics: IdVec<Topic>,
    pub groups: IdVec<ConsumerGroup>,
    pub members: IdVec<MemberSpec>,
    pub entities: IdVec<EntityType>,
    pub journeys: IdVec<Journey>,
    pub users: IdVec<ClosedUsers>,
    pub rollouts: Vec<Rollout>,
    /// What gates and alerts ask.
    pub bounds: Vec<Bounded>,
    /// What bounds measure.
    pub gauges: Vec<GaugeSpec>,
    pub alerts: Vec<AlertRule>,
    pub teams: Vec<Team>,
    /// Who gives approvals.
    pub people: Names,
    pub timeline: Vec<Entry>,
    /// Of every amount; `None`: no money is spoken of.
    pub currency: Option<Currency>,
    /// Jobs that compare results.
    pub reconciliations: Vec<ReconciliationSpec>,
    /// Jobs that undo what a retreat leaves.
    pub sweeps: Vec<SweepSpec>,
    /// Metrics that the file has beside the catalogue, in the order in which reports print them.
    pub own_metrics: Vec<OwnMetric>,
    /// Targeting that is in force from the start (flag files): per feature, first match wins.
    pub standing_rules: Vec<(FeatureId, Vec<crate::rollout::Rule>)>,
    /// The salt of each rollout's buckets where the file fixes it; otherwise it comes from the seed.
    pub salts: Vec<Option<u64>>,
    /// By what the subjects of each feature are bucketed.
    pub bucket_by: Vec<crate::rollout::BucketBy>,
    pub slots: Vec<Asked>,
    pub symbols: Symbols,
    /// The region names as symbols, by region.
    pub region_symbols: Vec<Symbol>,
    /// The journey names as symbols, by journey.
    pub journey_symbols: Vec<Symbol>,
    pub client_symbols: Vec<Symbol>,
    /// The statuses as symbols, by status.
    pub status_symbols: Vec<Symbol>,
    pub request_attributes: Names,
    pub contexts: Names,
    pub paths: Names,
    pub effects: Names,
    pub moments: Names,
    pub statuses: Names,
    pub event_types: Names,
    pub reasons: Names,
}

impl Estate {
    pub fn feature_named(&self, name: &str) -> Option<FeatureId> {
        self.features.enumerate().find(|(_, feature)| feature.name == name).map(|(id, _)| id)
    }

    pub fn service_named(&self, name: &str) -> Option<ServiceId> {
        self.services.enumerate().find(|(_, service)| service.name == name).map(|(id, _)| id)
    }

    /// The day (UTC) of a moment of the run.
    pub fn day_at(&self, now: SimTime) -> Day {
        const NANOS_OF_A_DAY: u64 = 86_400_000_000_000;
        let since_midnight = now.nanos().saturating_add(u64::from(self.starts_at_second_of_day) * 1_000_000_000);
        Day(self.starts_on.0.saturating_add(i32::try_from(since_midnight / NANOS_OF_A_DAY).unwrap_or(i32::MAX)))
    }

    /// From a moment of the run to a second of the day (UTC) that comes after it: today's, or tomorrow's.
    pub fn until_daily(&self, now: SimTime, second_of_day: u32) -> SimDuration {
        const DAY: u64 = 86_400_000_000_000;
        let since_midnight = u64::from(self.starts_at_second_of_day) * 1_000_000_000 + now.nanos();
        let wait = (u64::from(second_of_day) * 1_000_000_000 + DAY - since_midnight % DAY) % DAY;
        SimDuration::from_nanos(if wait == 0 { DAY } else { wait })
    }

    /// The end of the run: arrivals, then the drain.
    pub fn horizon(&self) -> SimDuration {
        self.duration + self.drain
    }

    /// A step by its feature's name and its own.
    pub fn step_label(&self, rollout: u16, step: u16) -> String {
        let rollout = &self.rollouts[usize::from(rollout)];
        format!("{}/{}", self.features[rollout.feature].name, rollout.steps[usize::from(step)].name)
    }

    /// The slots a condition reads, as what they mean.
    pub fn asked<'a>(&'a self, condition: &'a Condition) -> impl Iterator<Item = Asked> + 'a {
        condition.slots().map(|slot| self.slots[usize::from(slot.0)])
    }
}

/// A shared estate.
pub type SharedEstate = Arc<Estate>;
