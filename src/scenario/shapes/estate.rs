//! Tables of what an estate is made of besides services: population, features, network, topics, journeys, users.

use super::{NAMES, client, named};
use crate::scenario::defaults;
use crate::scenario::shape::{ByKind, Kinds, MapOf, Shape, Value, integer, key};

static SHARES: MapOf = MapOf { what: "value", value: Value::Share, most: 1_000, bare: false };
const VALUE_SHARES: Value = Value::MapOf(&SHARES);
static ATTRIBUTES: MapOf = MapOf { what: "attribute", value: VALUE_SHARES, most: 200, bare: false };

pub static POPULATION: Shape = Shape::new(
    "a population",
    &[
        key("regions", VALUE_SHARES, "Each region with its share of tenants.").or("{ local: 100% }"),
        key("tenants", Value::Object(&TENANTS), "The customers' organisations."),
        key("clients", named!("client", client::CLIENT), "Apps of users that decide for as long as they run."),
    ],
);

static TENANTS: Shape = Shape::new(
    "tenants",
    &[
        key("count", integer(1, 1_000_000), "How many there are.").default(defaults::TENANTS),
        key("users", integer(1, 10_000_000), "Users of each tenant.").default(defaults::USERS),
        key("joining", Value::Rate, "How many join during the run, evenly spaced, as in 2/d.").or("none"),
        key("traffic", Value::Object(&TRAFFIC), "How arrivals are spread over tenants."),
        key("attributes", Value::MapOf(&ATTRIBUTES), "Attributes of a tenant, each value with its share."),
    ],
);

static TRAFFIC: Shape = Shape::new(
    "the traffic of tenants",
    &[key("zipf", Value::Number { least: 0.0, most: 10.0 }, "Exponent of the Zipf law over tenants; 0: all alike.")
        .default(defaults::ZIPF)],
);

static STAGE_MAP: Shape = Shape::new("a stage", &[]).others(&Value::Object(&STAGE));
static STAGE: Shape = Shape::new(
    "a stage",
    &[
        key("grants", NAMES, "Capabilities that conditions ask for with can(\"…\")."),
        key("off_ladder", Value::Boolean, "Not part of the order of stages: rollback-only, draining.").or("false"),
    ],
);
static STAGE_ITEM: ByKind = ByKind { scalar: Some(Value::Name), list: None, map: Some(Value::Object(&STAGE_MAP)) };

static STAGES: ByKind = ByKind {
    scalar: Some(Value::OneOf(&crate::rollout::vocabulary::NAMES)),
    list: Some(Value::List(&Value::ByKind(&STAGE_ITEM))),
    map: None,
};

pub static FEATURE: Shape = Shape::new(
    "a feature",
    &[
        key(
            "stages",
            Value::ByKind(&STAGES),
            "Its stages, in the order of the ladder; `standard` or `migration`: a shipped vocabulary.",
        )
        .required(),
        key("safe_stage", Value::Name, "Where it falls back to.").or("the first stage"),
        key("initial_stage", Value::Name, "The stage everybody has before the rollout.").or("the first stage"),
        key("risk", Value::OneOf(&["high", "low"]), "How much harm a wrong decision does.").or("low"),
        key("owner", Value::Text, "Who answers for it."),
        key("retire_by", Value::Day, "When the flag must be gone."),
        key("commit_stage", Value::Name, "From here on irreversible effects are intended."),
        key(
            "transitions",
            Value::MapOf(&STAGE_MOVES),
            "From each stage, the stages that a subject may move to; to the safe stage always. Without it, to all.",
        ),
        key("requires", Value::MapOf(&REQUIRES), "Readiness: what a stage needs before a step may reach it."),
        key("contract", Value::Object(&CONTRACT), "Which paths belong together, and which moments must coincide."),
        key(
            "when_unknown",
            Value::MapOf(&WHEN_UNKNOWN),
            "What contexts do without a fresh policy; `default` and by context.",
        ),
        key("stale_after", Value::Duration, "A policy without contact for longer than this is too old to rely on."),
    ],
);

static STAGE_MOVES: MapOf = MapOf { what: "stage", value: NAMES, most: 200, bare: false };
static REQUIRES: MapOf = MapOf { what: "stage", value: Value::List(&Value::Text), most: 200, bare: false };
static WHEN_UNKNOWN: MapOf = MapOf { what: "context", value: Value::ByKind(&UNKNOWN), most: 1_000, bare: false };
static UNKNOWN: ByKind = ByKind {
    scalar: Some(Value::OneOf(&["fail_closed", "last_known_good"])),
    list: None,
    map: Some(Value::Kinds(&UNKNOWN_TO)),
};
static UNKNOWN_TO: Kinds =
    Kinds { name: "a behaviour without policy", kinds: &[&FAIL_OPEN, &CODE_DEFAULT], words: &[] };
static FAIL_OPEN: Shape =
    Shape::new("a behaviour without policy", &[key("fail_open", Value::Name, "Goes on with this stage.")]);
static CODE_DEFAULT: Shape = Shape::new(
    "a behaviour without policy",
    &[key("code_default", Value::Name, "Goes on with the constant compiled into the code.")],
);

static CONTRACT: Shape = Shape::new(
    "a contract",
    &[
        key(
            "paths",
            Value::List(&Value::Object(&CONTRACT_ROW)),
            "Admissible combinations of paths, each from a stage on.",
        ),
        key("moments", named!("moment", MOMENT), "Moments that contexts must consider to have happened together."),
    ],
);
static CONTRACT_ROW: Shape =
    Shape::new("a row of a contract", &[key("from", Value::Name, "Admissible from this stage on.").required()])
        .others(&Value::Name);
static MOMENT: Shape = Shape::new(
    "a moment",
    &[
        key("authority", Value::Name, "The context on whose word it counts."),
        key("tolerance", Value::Duration, "How far apart contexts may mark it.").required(),
        key("since", Value::Name, "Judged for what used this stage or a later one."),
    ],
);

pub static FLAGS: Shape = Shape::new(
    "a flag file",
    &[key("file", Value::Text, "A flagd file in JSON, relative to the scenario.").required()],
);

pub static CONTROL_PLANE: Shape = Shape::new(
    "a control plane",
    &[
        key("home", Value::Name, "The region where policy is published.").or("the largest region"),
        key("replication", Value::MapOf(&DELAYS), "Delay until a version is readable in a region.")
            .default(defaults::REPLICATION),
        key("latency", Value::Distribution, "One way between a replica and its region's control plane.")
            .default(defaults::CONTROL_LATENCY),
        key("errors", Value::Share, "Share of questions it answers with an error; streams once open have none.")
            .default(defaults::CONTROL_ERRORS),
    ],
);
static DELAYS: MapOf = MapOf { what: "region", value: Value::Distribution, most: 100, bare: false };

pub static NETWORK: Shape = Shape::new(
    "a network",
    &[
        key("within", Value::Distribution, "One way, within a region.").default(defaults::NETWORK_WITHIN),
        key("between", Value::Distribution, "One way, between regions.").default(defaults::NETWORK_BETWEEN),
        key("loss", Value::Share, "Share of messages lost.").default(defaults::LOSS),
    ],
);

static CARRIES: ByKind =
    ByKind { scalar: Some(Value::OneOf(&["all"])), list: Some(Value::List(&Value::OneOf(&CARRIED))), map: None };
/// What an event can carry of the rollout.
pub static CARRIED: [&str; 4] = ["domain_version", "effective_feature_states", "policy_decision_id", "occurred_at"];

pub static TOPIC: Shape = Shape::new(
    "a topic",
    &[
        key("partitions", integer(1, 10_000), "How many partitions it has.").default(defaults::PARTITIONS),
        key("key", Value::OneOf(&["entity", "tenant", "none"]), "By what a record finds its partition.").or("entity"),
        key("carries", Value::ByKind(&CARRIES), "Which fields of the rollout its events carry.").or("all"),
    ],
);

static ARRIVALS: ByKind = ByKind { scalar: Some(Value::Rate), list: None, map: Some(Value::Object(&ARRIVAL)) };
static ARRIVAL: Shape = Shape::new(
    "arrivals",
    &[
        key("mean", Value::Rate, "A Poisson process of this rate."),
        key("every", Value::Duration, "Evenly spaced."),
        key("curve", Value::Name, "How the rate moves with the time of day.").later("arrival curves"),
    ],
)
.exactly_one(&["mean", "every"]);

static ENTITY_REF: ByKind = ByKind { scalar: Some(Value::Name), list: None, map: Some(Value::Object(&ENTITY)) };
static TRANSITIONS: MapOf = MapOf { what: "status", value: NAMES, most: 200, bare: false };
pub static AMOUNT: Shape = Shape::new(
    "an amount",
    &[
        key("currency", Value::Name, "Its currency, as ISO 4217 names it; a scenario has one.").required(),
        key("is", Value::Text, "The same each time, with the decimals of the currency."),
        key("p50", Value::Text, "The median of a lognormal; with `p99`."),
        key("p99", Value::Text, "The 99th percentile."),
        key("mean", Value::Text, "The mean of an exponential."),
        key("between", Value::List(&Value::Text), "Uniformly between two amounts."),
    ],
)
.exactly_one(&["is", "p50", "mean", "between"]);

static ENTITY: Shape = Shape::new(
    "an entity",
    &[
        key("name", Value::Name, "What it is.").required(),
        key(
            "transitions",
            Value::MapOf(&TRANSITIONS),
            "From each status, the statuses it may go to; without: every one.",
        ),
        key("final", NAMES, "Statuses that end it.").or("those without an exit"),
        key("void", NAMES, "Final statuses in which it came to nothing: what was done for it must be undone."),
        key("per_subject", Value::Boolean, "One per user instead of one per interaction.").or("false"),
        key("amount", Value::Object(&AMOUNT), "How much money it is about; its effects are, unless they say another."),
    ],
);

pub static JOURNEY: Shape = Shape::new(
    "a journey",
    &[
        key("arrivals", Value::ByKind(&ARRIVALS), "When interactions begin; without: only where `users` choose it."),
        key("subject", Value::OneOf(&["user"]), "Whom decisions are about.").or("user"),
        key("entity", Value::ByKind(&ENTITY_REF), "The aggregate it creates."),
        key("first", Value::Name, "The operation it begins with: `service.operation`."),
        key("calls", NAMES, "Services in the order in which each calls the next, each deciding for itself."),
        key("feature", Value::Name, "The feature its operations are about."),
        key("completes_within", Value::Duration, "How long all it causes may take.")
            .default(defaults::ARRIVAL_COMPLETES),
        key(
            "attributes",
            Value::MapOf(&ATTRIBUTES),
            "Attributes of a request (`request.name`), each value with its share.",
        ),
        key("on_existing", Value::Name, "Comes back to an entity of this name that another journey created."),
        key("when", Value::Condition, "With `on_existing`: how the entity must be when it begins."),
        key("share", Value::Share, "With `on_existing`: the share of entities it comes back to.")
            .default(defaults::FOLLOWS_SHARE),
        key("after", Value::Distribution, "With `on_existing`: how long after the creating interaction's arrival."),
    ],
);

static WEIGHTS: MapOf =
    MapOf { what: "journey", value: Value::Number { least: 0.0, most: 1e9 }, most: 1_000, bare: false };

pub static USERS: Shape = Shape::new(
    "a group of users",
    &[
        key("count", super::operation::COUNT_OR_FLAG, "How many, or the flag that says so.").required(),
        key("while", Value::Object(&super::operation::FLAG), "They pause while this flag is off."),
        key("think", Value::Distribution, "How long a user waits between two journeys.").default(defaults::THINK),
        key("journeys", Value::MapOf(&WEIGHTS), "Which journeys they choose, with weights.").required(),
        key("looks_every", Value::Duration, "How often a paused user looks whether to go on.")
            .default(defaults::LOOKS_EVERY),
    ],
);
