//! A small estate and hand-made observations, for the tests of checkers, metrics and stories.

mod stream;

pub use stream::{Stream, judge, seconds};

use crate::kernel::Distribution;
use crate::models::estate::*;
use crate::models::fault::{Aim, Fault, Takes};
use crate::models::levers::Levers;
use crate::models::observation::*;
use crate::models::program::*;
use crate::models::reach::Reach;
use crate::rollout::feature::Risk;
use crate::rollout::policy::{PolicyVersion, Scope};
use crate::rollout::{
    BucketBy, Contract, Feature, FeatureId, Kill, Move, Reason, Stage, StageId, Step, Symbols, WhenUnknown,
};
use crate::units::IdVec;
use crate::units::{Id, Share, SimDuration, SimTime};

pub const GATEWAY: ServiceId = Id::from_u32(0);
pub const CHECKOUT: ServiceId = Id::from_u32(1);
pub const BILLING: ServiceId = Id::from_u32(2);
pub const MAILER: ServiceId = Id::from_u32(3);
pub const FEATURE: FeatureId = Id::from_u32(0);
pub const OFF: StageId = StageId(0);
pub const ON: StageId = StageId(1);
pub const SHIP: u16 = 0;
pub const CHARGE: u16 = 1;
pub const SETTLED: u16 = 0;
pub const PLACED: u16 = 1;
pub const DONE: u16 = 2;
/// Positions in the timeline.
pub const OUTAGE: u32 = 0;
pub const KILL: u32 = 1;

#[derive(Debug)]
struct ControlPlaneDown;

impl Fault for ControlPlaneDown {
    fn name(&self) -> &'static str {
        "control_plane.down"
    }
    fn sentence(&self) -> &'static str {
        "the control plane does not answer"
    }
    fn aim(&self) -> Aim {
        Aim::ControlPlane
    }
    fn takes(&self) -> Takes {
        Takes::Nothing
    }
    fn begin(&self, _: &mut Levers<'_>, _: &Target, _: Strength) {}
    fn end(&self, _: &mut Levers<'_>, _: &Target, _: Strength) {}
}

/// Four services with two replicas each; gateway calls checkout and billing, checkout emits to mailer. The first three
/// read `new-checkout`; billing and mailer mark `settled`.
pub fn estate() -> Estate {
    let mut contexts = Names::default();
    let services = ["gateway", "checkout", "billing", "mailer"];
    let services: crate::units::IdVec<Service> =
        services.iter().enumerate().map(|(index, name)| service(name, index, &mut contexts)).collect();
    let replicas = (0..8).map(|index| ReplicaSpec {
        service: Id::new(index / 2),
        region: Id::new(0),
        name: format!("{}/{}", services.as_slice()[index / 2].name, index % 2 + 1),
        switches: None,
    });
    Estate {
        name: "fixture".into(),
        duration: SimDuration::from_secs(600),
        drain: SimDuration::from_secs(60),
        starts_at_second_of_day: 0,
        starts_on: crate::units::Day::new(2026, 1, 1),
        regions: [Region { name: "eu-west".into(), share: Share::ALL }].into_iter().collect(),
        population: Population {
            tenants: 4,
            joining: 0.0,
            from_the_start: 4,
            users_per_tenant: 100,
            zipf: 0.0,
            attributes: Vec::new(),
            clients: IdVec::default(),
        },
        features: [feature()].into_iter().collect(),
        control_plane: ControlPlane {
            home: Id::new(0),
            replication: vec![Distribution::ZERO],
            latency: Distribution::ZERO,
            errors: Share::NONE,
        },
        network: Network { within: Distribution::ZERO, between: Distribution::ZERO, loss: Share::NONE },
        replicas: replicas.collect(),
        services,
        operations: operations().into_iter().collect(),
        topics: [topic()].into_iter().collect(),
        groups: [group()].into_iter().collect(),
        members: [MemberSpec { group: Id::new(0), replica: replica(6), name: "mailer/order-events/1".into() }]
            .into_iter()
            .collect(),
        entities: [entity()].into_iter().collect(),
        journeys: [journey()].into_iter().collect(),
        users: crate::units::IdVec::default(),
        bounds: Vec::new(),
        gauges: Vec::new(),
        alerts: Vec::new(),
        teams: Vec::new(),
        people: Names::default(),
        rollouts: vec![Rollout { feature: FEATURE, starts: SimDuration::ZERO, steps: steps(), guard: None }],
        timeline: timeline(),
        currency: None,
        sweeps: Vec::new(),
        reconciliations: Vec::new(),
        own_metrics: Vec::new(),
        standing_rules: Vec::new(),
        salts: vec![None],
        bucket_by: vec![BucketBy::User],
        slots: Vec::new(),
        symbols: Symbols::default(),
        region_symbols: Vec::new(),
        journey_symbols: Vec::new(),
        client_symbols: Vec::new(),
        status_symbols: Vec::new(),
        request_attributes: Names::default(),
        contexts,
        paths: names(&["old", "new"]),
        effects: names(&["ship", "charge"]),
        moments: names(&["settled"]),
        statuses: names(&["none", "placed", "done", "rejected"]),
        event_types: names(&["OrderPlaced"]),
        reasons: names(&["no stock", "no_rule"]),
    }
}

fn names(texts: &[&str]) -> Names {
    let mut names = Names::default();
    for text in texts {
        names.intern(text);
    }
    names
}

fn service(name: &str, index: usize, contexts: &mut Names) -> Service {
    let delivery = Delivery::Poll { every: SimDuration::from_secs(30), jitter: 0.0 };
    Service {
        name: name.into(),
        context: contexts.intern(name),
        replicas: vec![Id::new(index * 2), Id::new(index * 2 + 1)],
        workers: 8,
        queue: 100,
        sdk: Some(Sdk {
            delivery,
            invalidation: None,
            timeout: SimDuration::from_secs(1),
            backoff: Backoff::None,
            persist: false,
            alert_after: None,
            salt: None,
            environment: None,
            leaves_out: Vec::new(),
            left_out: 0,
        }),
        decides_from: vec![DecidesFrom::Sdk, DecidesFrom::SafeStage],
        edge: false,
        edge_features: Vec::new(),
        edge_expires: None,
        trusts: Vec::new(),
        forwards: Share::ALL,
        local: Vec::new(),
        ignores: Vec::new(),
        codes: vec![CodeVersion { number: 1, understands: vec![1], defects: Vec::new() }],
        initial_code: 1,
        defective: false,
        otherwise: Otherwise::ProcessAs(1),
        external: false,
        part: Part::Service,
        silence: None,
        saga: None,
        operations: vec![Id::new(index)],
    }
}

fn feature() -> Feature {
    let stage = |name: &str, rank| Stage { name: name.into(), rank: Some(rank), grants: Vec::new(), value: None };
    Feature {
        name: "new-checkout".into(),
        stages: vec![stage("off", 0), stage("on", 1)],
        capabilities: Vec::new(),
        safe_stage: OFF,
        initial_stage: OFF,
        risk: Risk::Low,
        owner: None,
        retire_by: None,
        commit_stage: None,
        transitions: Vec::new(),
        contract: Contract::default(),
        when_unknown: WhenUnknown::LastKnownGood,
        when_unknown_in: Vec::new(),
        stale_after: None,
    }
}

fn operations() -> Vec<Operation> {
    let call = |index| {
        Action::Call(CallSite {
            operation: Id::new(index),
            ordinal: 0,
            timeout: SimDuration::from_secs(1),
            retries: 0,
            backoff: SimDuration::ZERO,
            times: 1,
            on_error: OnError::Fail,
        })
    };
    let effect = |effect| {
        Action::Effect(EffectSite {
            effect,
            ordinal: 0,
            irreversible: false,
            compensated_by: None,
            undoable: false,
            amount: None,
            once_by: None,
            records: None,
        })
    };
    let emit = Action::Emit(EmitSite {
        topic: Id::new(0),
        event_type: 0,
        ordinal: 0,
        domain_version: 1,
        extra_copies: Quantity::Given(0.0),
        outbox: None,
    });
    let mark = || Action::Mark { moment: SETTLED };
    let operation = |service, name: &str, reads: &[FeatureId], actions| Operation {
        service,
        name: name.into(),
        takes: Distribution::ZERO,
        rules: vec![OperationRule { when: RuleWhen::Always, path: None, actions }],
        reads: reads.to_vec(),
        may_read: reads.to_vec(),
    };
    vec![
        operation(GATEWAY, "place", &[FEATURE], vec![call(1), call(2)]),
        operation(CHECKOUT, "place", &[FEATURE], vec![effect(SHIP), emit]),
        operation(BILLING, "charge", &[FEATURE], vec![effect(CHARGE), mark()]),
        operation(MAILER, "on OrderPlaced", &[], vec![mark()]),
    ]
}

fn topic() -> Topic {
    Topic {
        name: "order-events".into(),
        partitions: 2,
        key: RecordKey::Entity,
        carries: Carries {
            domain_version: true,
            effective_feature_states: true,
            policy_decision_id: true,
            occurred_at: true,
        },
        groups: vec![Id::new(0)],
        kept_for_replay: false,
    }
}

fn group() -> ConsumerGroup {
    ConsumerGroup {
        name: "mailer".into(),
        topic: Id::new(0),
        service: MAILER,
        members: vec![Id::new(0)],
        commit: CommitModel::JavaPoll,
        auto_commit_interval: SimDuration::from_secs(5),
        max_poll_records: 500,
        max_poll_interval: SimDuration::from_secs(300),
        session_timeout: SimDuration::from_secs(45),
        heartbeat_interval: SimDuration::from_secs(3),
        initial_rebalance_delay: SimDuration::from_secs(3),
        offset_reset: OffsetReset::Earliest,
        takes: Distribution::ZERO,
        handlers: vec![(0, Id::new(3))],
    }
}

fn entity() -> EntityType {
    EntityType {
        name: "order".into(),
        initial: 0,
        transitions: Vec::new(),
        finals: vec![DONE, 3],
        void: Vec::new(),
        per_subject: false,
        amount: None,
    }
}

fn journey() -> Journey {
    Journey {
        name: "place-order".into(),
        arrivals: Arrivals::Poisson { per_second: 1.0 },
        entity: Some(Id::new(0)),
        first: Id::new(0),
        feature: Some(FEATURE),
        completes_within: SimDuration::from_secs(60),
        follows: None,
        followed_by: Vec::new(),
        attributes: Vec::new(),
    }
}

fn steps() -> Vec<Step> {
    let step = |name: &str, percent| Step {
        name: name.into(),
        at: None,
        moves: vec![Move { of: None, percent: Share::new(percent).expect("a share"), to: ON }],
        overrides: Vec::new(),
        redraws: false,
        hold: SimDuration::from_secs(60),
    };
    vec![step("canary", 0.1), step("half", 0.5), step("all", 1.0)]
}

fn timeline() -> Vec<crate::models::estate::Entry> {
    let fault = Happening::Fault {
        fault: &ControlPlaneDown,
        target: Target::default(),
        lasts: None,
        strength: Strength::default(),
    };
    let kill = Kill { scope: Scope::default(), to: OFF, issued_by: KILL };
    let kill = Happening::Kill { feature: FEATURE, kill, lift_after: None };
    let entry = |label: &str, what| crate::models::estate::Entry {
        label: label.into(),
        when: When::At(SimDuration::from_secs(100)),
        what,
    };
    vec![entry("control_plane.down", fault), entry("kill new-checkout", kill)]
}

pub fn replica(index: u32) -> ReplicaId {
    Id::from_u32(index)
}

pub fn context(estate: &Estate, service: ServiceId) -> u16 {
    estate.services[service].context
}

/// The n-th order, at this place.
pub fn interaction(n: u64, place: u32) -> Interaction {
    Interaction { journey: Id::new(0), n, replay: 0, place }
}

/// What a service's first replica decided from its own cache: policy 1, fetched 3 s ago and current.
pub fn decision(interaction: Interaction, service: ServiceId, stage: StageId) -> Decided {
    Decided {
        interaction,
        context: service.as_u32() as u16,
        service,
        replica: replica(service.as_u32() * 2),
        feature: FEATURE,
        stage,
        source: Source::Sdk,
        reason: Reason::TargetingMatch,
        rule: Some(0),
        policy_version: Some(PolicyVersion(1)),
        decision_id: 1 + u64::from(service.as_u32()),
        decided_at: SimTime::ZERO,
        freshness: Some(SimDuration::from_secs(3)),
        staleness: SimDuration::ZERO,
        code: 1,
        salt: 7,
        attributes: 9,
        context_missing: false,
        refused: None,
        environment: 0,
        attempt: 1,
        tenant: 1,
        tenant_region: Id::new(0),
    }
}

/// The same decision under another policy version.
pub fn under(version: u32, decided: Decided) -> Decided {
    Decided { policy_version: Some(PolicyVersion(version)), ..decided }
}

pub fn effect(interaction: Interaction, service: ServiceId, effect: u16, path: Option<u16>) -> EffectMade {
    let stage = if path == Some(PATH_OLD) { OFF } else { ON };
    EffectMade {
        interaction,
        effect,
        path,
        context: service.as_u32() as u16,
        service,
        replica: replica(service.as_u32() * 2),
        under: Some((FEATURE, stage)),
        decision_id: 1 + u64::from(service.as_u32()),
        policy_version: Some(PolicyVersion(1)),
        irreversible: false,
        compensated: false,
        amount: None,
        tenant: 1,
        tenant_region: Id::new(0),
        occurred_at: SimTime::ZERO,
        wrong: None,
        id: 1 + u64::from(effect) + (u64::from(service.as_u32()) << 16),
        repeat: None,
        records: None,
        reach: Reach::default(),
    }
}

/// A refusal of a context's own, for a reason that has nothing to do with a feature.
pub fn rejection(interaction: Interaction, context: u16) -> Observation {
    Observation::Rejected { interaction, context, reason: 0, path: None, under: None, passed_on: false }
}

/// A record of `OrderPlaced` handed to mailer.
pub fn delivery(interaction: Interaction, produced_version: u32, handled_as: Option<u32>) -> Delivered {
    Delivered {
        interaction,
        group: Id::new(0),
        member: Id::new(0),
        topic: Id::new(0),
        partition: 0,
        offset: interaction.n,
        event_type: 0,
        produced_version,
        handled_as,
        version_carried: true,
        context: 3,
        replica: replica(6),
        code: 1,
        redelivery: 0,
        occurred_at: SimTime::ZERO,
        appended_at: SimTime::ZERO,
    }
}
