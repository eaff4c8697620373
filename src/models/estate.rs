//! The estate as a scenario describes it: resolved, complete, immutable during a run.
//!
//! Everything is an index into a table of this struct; names are kept for stories and reports only. A scenario is
//! compiled into this once, and every seed runs over the same one.

use super::amount::{Amount, Currency};
use super::client::Client;
use super::defect::Defect;
use super::fault::Fault;
use super::guard::{AlertRule, Bounded, Deed, GaugeSpec, Guard, Team};
use super::own_metric::OwnMetric;
use super::program::{Operation, OperationId};
use super::reconciliation::ReconciliationSpec;
pub use super::saga::{AtTimeout, SagaSpec};
use super::sweep::SweepSpec;
use crate::kernel::Distribution;
use crate::rollout::{Condition, Feature, FeatureId, Kill, StageId, Step, Symbol, Symbols};
use crate::units::{Day, Id, IdVec, Share, SimDuration, SimTime};
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

/// A table of names; positions are what observations carry.
#[derive(Clone, Debug, Default)]
pub struct Names(Vec<String>);

impl Names {
    pub fn intern(&mut self, name: &str) -> u16 {
        let found = self.0.iter().position(|known| known == name);
        let index = found.unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        });
        u16::try_from(index).expect("validation bounds the number of names")
    }

    pub fn find(&self, name: &str) -> Option<u16> {
        self.0.iter().position(|known| known == name).and_then(|index| u16::try_from(index).ok())
    }

    pub fn text(&self, index: u16) -> &str {
        &self.0[usize::from(index)]
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The business reason with which a request is rejected when no rule of its operation holds.
pub const NO_RULE: &str = "no_rule";
/// The path named `old`; everything that is neither this nor neutral counts as new (rules.md, 7).
pub const PATH_OLD: u16 = 0;
/// The path named `new`.
pub const PATH_NEW: u16 = 1;

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

/// How a replica comes to know the policy.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// Asks every `every`, with its phase uniform in it. `jitter` spreads each interval over `every * (1 ± jitter)`;
    /// zero keeps a fixed schedule.
    Poll { every: SimDuration, jitter: f64 },
    /// Fetched when a decision needs it and what is held is older than `ttl`. The request waits, unless
    /// `stale_while_revalidate`.
    Ttl { ttl: SimDuration, stale_while_revalidate: bool },
    /// Pushed by the control plane, each message taking `delay`.
    Stream { delay: Distribution },
    /// Asked on every evaluation.
    Remote,
    /// Read when the replica starts, and never again.
    File,
    /// Read from a compacted topic to which the control plane writes every version: each record takes `takes` to be
    /// read and applied, one after the other, and a replica that starts reads the last record of each feature.
    Topic { takes: Distribution },
}

/// What to wait after failed fetches before the next one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Backoff {
    /// The ordinary schedule goes on.
    None,
    /// `first`, doubled per failure, at most `most`; full jitter where asked.
    Exponential { first: SimDuration, most: SimDuration, jitter: bool },
    /// `(1 + failures)` ordinary intervals, failures counted up to `most` and down by one per success.
    Linear { most: u32 },
}

/// Between attempts to reopen a stream when no backoff is given: the flat delay before reopening of flagd's providers
/// since 2026-09, 5 s.
pub const RECONNECT_EVERY: SimDuration = SimDuration::from_secs(5);

/// How long a customer whose request or answer was lost waits before giving up: nginx's `proxy_read_timeout`, 60 s.
pub const CUSTOMER_PATIENCE: SimDuration = SimDuration::from_secs(60);

/// A replica's SDK: how policy reaches it and what survives.
#[derive(Clone, Debug)]
pub struct Sdk {
    pub delivery: Delivery,
    pub timeout: SimDuration,
    pub backoff: Backoff,
    /// Keeps the last known good policy across restarts.
    pub persist: bool,
    /// Kills and their end are announced to it, each message taking this long, and it asks at once.
    pub invalidation: Option<Distribution>,
    /// Raises a staleness alert when it had no contact for this long.
    pub alert_after: Option<SimDuration>,
    /// Buckets with this salt instead of the policy's: the misconfiguration that splits cohorts.
    pub salt: Option<u64>,
    /// It asks another environment than production, by the hash of its name: policy is not rolled out there.
    pub environment: Option<u32>,
    /// What its evaluation context lacks: the misconfiguration that decides with other attributes.
    pub leaves_out: Vec<Asked>,
    /// Hash of the names of what it lacks; zero: nothing.
    pub left_out: u64,
}

/// A source of decisions, in the order in which a service asks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidesFrom {
    Kill,
    Local,
    Entity,
    Context,
    Event,
    Sdk,
    SafeStage,
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

/// Which fields of the rollout an event carries; what is left out is not known to consumers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carries {
    pub domain_version: bool,
    pub effective_feature_states: bool,
    pub policy_decision_id: bool,
    pub occurred_at: bool,
}

/// How a record finds its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKey {
    Entity,
    Tenant,
    /// No key: spread over the partitions.
    None,
}

#[derive(Clone, Debug)]
pub struct Topic {
    pub name: String,
    pub partitions: u32,
    pub key: RecordKey,
    pub carries: Carries,
    pub groups: Vec<GroupId>,
    /// Whether a later replay may ask for records that every group has committed.
    pub kept_for_replay: bool,
}

/// When offsets are committed, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitModel {
    /// Inside `poll()`: the positions of the previous poll (Java client, `enable.auto.commit`).
    JavaPoll,
    /// By a background timer: whatever was handed to the application (librdkafka).
    LibrdkafkaTimer,
}

/// Where a group without a committed offset begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetReset {
    Earliest,
    Latest,
}

#[derive(Clone, Debug)]
pub struct ConsumerGroup {
    pub name: String,
    pub topic: TopicId,
    pub service: ServiceId,
    pub members: Vec<MemberId>,
    pub commit: CommitModel,
    pub auto_commit_interval: SimDuration,
    pub max_poll_records: u32,
    pub max_poll_interval: SimDuration,
    pub session_timeout: SimDuration,
    pub heartbeat_interval: SimDuration,
    pub initial_rebalance_delay: SimDuration,
    pub offset_reset: OffsetReset,
    pub takes: Distribution,
    /// The operation for each event type, index of [`Estate::event_types`].
    pub handlers: Vec<(u16, OperationId)>,
}

#[derive(Clone, Debug)]
pub struct MemberSpec {
    pub group: GroupId,
    /// The replica whose cache and code it works with.
    pub replica: ReplicaId,
    pub name: String,
}

/// An aggregate: its statuses and the transitions between them.
#[derive(Clone, Debug)]
pub struct EntityType {
    pub name: String,
    /// Index of [`Estate::statuses`] of an entity that has none yet.
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

/// A rollout of one feature.
#[derive(Clone, Debug)]
pub struct Rollout {
    pub feature: FeatureId,
    pub starts: SimDuration,
    pub steps: Vec<Step>,
    /// What watches over it; without, its steps are a schedule.
    pub guard: Option<Guard>,
}

/// When an entry of the timeline is due.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    At(SimDuration),
    /// After a step is published.
    AfterStep {
        rollout: usize,
        step: usize,
        offset: SimDuration,
    },
    /// Drawn from a Poisson process between two times.
    Random {
        per_second: f64,
        from: SimDuration,
        until: SimDuration,
    },
    /// When a gate fails or somebody answers an alert.
    OnDemand,
}

/// Which replicas an entry is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Target {
    pub service: Option<ServiceId>,
    pub region: Option<RegionId>,
    /// At most so many replicas or members, in the order of their names; `None`: all.
    pub count: Option<u32>,
    /// Where in that order to begin, going round: chance chooses it for random faults.
    pub skip: u32,
    pub group: Option<GroupId>,
    pub topic: Option<TopicId>,
}

/// Something that happens to the estate.
#[derive(Clone, Debug)]
pub enum Happening {
    /// `lasts: None`: until the end of the run.
    Fault {
        fault: &'static dyn Fault,
        target: Target,
        lasts: Option<Distribution>,
        strength: Strength,
    },
    Deploy {
        services: Vec<(ServiceId, u32)>,
        region: Option<RegionId>,
        /// At most so many replicas of each service, in the order of their names; `None`: all.
        count: Option<u32>,
        batch: u32,
        every: SimDuration,
    },
    Kill {
        feature: FeatureId,
        kill: Kill,
        lift_after: Option<SimDuration>,
    },
    Replay {
        group: GroupId,
        from: SimDuration,
    },
    /// Somebody acts on a plan.
    Act {
        rollout: u16,
        deed: Deed,
    },
    /// A user or tenant is given a stage by name.
    Override {
        feature: FeatureId,
        given: crate::rollout::Override,
        /// The entry that ends it.
        until: Option<u32>,
    },
    /// It is taken from them again, if the entry that gives it has taken place.
    OverrideEnds {
        feature: FeatureId,
        who: crate::rollout::Who,
        given_by: u32,
    },
}

/// How strong a fault is; each kind reads what concerns it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Strength {
    pub share: Option<Share>,
    pub delay: Option<SimDuration>,
}

/// An entry of the timeline.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As reports name it: `control_plane.down eu-central`.
    pub label: String,
    pub when: When,
    pub what: Happening,
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
