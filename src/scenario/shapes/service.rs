//! Tables of a service: replicas, SDK, code versions, consumption.

use super::operation::{CALL, OPERATIONS};
use super::{NAMES, estate};
use crate::scenario::defaults;
use crate::scenario::shape::{ByKind, Kinds, MapOf, Shape, Value, integer, key};

pub static DEFAULTS: Shape = Shape::new(
    "defaults",
    &[
        key("service", Value::Object(&SERVICE), "Beneath every service."),
        key("call", Value::Object(&CALL), "Beneath every call."),
        key("topic", Value::Object(&estate::TOPIC), "Beneath every topic."),
        key("sdk", Value::Object(&SDK_BASE), "Beneath the sdk of every service that has one."),
    ],
);

static REPLICAS: ByKind = ByKind {
    scalar: Some(integer(1, 10_000)),
    list: None,
    map: Some(Value::MapOf(&MapOf { what: "region", value: integer(0, 10_000), most: 100, bare: false })),
};

pub static SOURCES: [&str; 7] = ["kill", "local", "entity", "context", "event", "sdk", "safe_stage"];

static EDGE: ByKind = ByKind { scalar: Some(Value::Boolean), list: None, map: Some(Value::Object(&EDGE_MAP)) };
static EDGE_MAP: Shape = Shape::new(
    "an edge",
    &[
        key("features", NAMES, "The features decided here.").or("all"),
        key("expires", Value::Duration, "How long its decisions may travel; after that nobody goes by them."),
    ],
);

pub static SERVICE: Shape = Shape::new(
    "a service",
    &[
        key("replicas", Value::ByKind(&REPLICAS), "A count for each region, or counts by region.")
            .default(defaults::REPLICAS),
        key("workers", integer(1, 1_000_000), "Requests one replica handles at once, calls included.")
            .default(defaults::WORKERS),
        key("queue", integer(0, 1_000_000), "Requests that may wait for a worker.").default(defaults::QUEUE),
        key("takes", Value::Distribution, "How long a worker is busy with a request.").default(defaults::TAKES),
        key("sdk", Value::Object(&SDK), "How policy reaches its replicas."),
        key(
            "decides_from",
            Value::List(&Value::OneOf(&SOURCES)),
            "Where decisions come from; the first that can answer.",
        )
        .or("[sdk, safe_stage]; behind an edge [context, sdk, safe_stage]"),
        key("edge", Value::ByKind(&EDGE), "Decides here for all that follows.").or("false"),
        key("trusts", NAMES, "The services whose carried decisions it goes by.").or("all"),
        key("forwards", Value::Share, "The share of requests and events that carry the context on.")
            .default(defaults::FORWARDS),
        key("local", Value::MapOf(&LOCAL), "The most a local switch lets through, by feature."),
        key("context", Value::Name, "The label of its bounded context.").or("the service's name"),
        key("code", Value::MapOf(&CODES), "Its code versions, by number.").or("{ 1: {} }"),
        key("runs", integer(0, 1_000_000), "The code version it begins with.").or("the lowest"),
        key("otherwise", Value::ByKind(&OTHERWISE), "What it does with events its code does not understand.")
            .or("park"),
        key("ignores", NAMES, "Features it declares to have no part in."),
        key("external", Value::Boolean, "Not ours: no sdk, no context.").or("false"),
        key("outcome_unknown", Value::Share, "External: the share of attempts that it gives no answer to."),
        key("takes_effect", Value::ByKind(&TAKES_EFFECT), "With `outcome_unknown`: the share of these that it does."),
        key("saga", Value::Object(&SAGA), "It drives what it begins to an end, or has it undone."),
        key("outbox", Value::Object(&OUTBOX), "Its events are stored with the state change and relayed later."),
        key("consumes", Value::MapOf(&CONSUMES), "The topics it consumes."),
        key("calls", NAMES, "Services that each of its requests calls, where there is no more to say."),
        key("operations", Value::MapOf(&OPERATIONS), "What it does, by name; `on EventType` for consumed events."),
    ],
);

static TAKES_EFFECT: ByKind =
    ByKind { scalar: Some(Value::Share), list: None, map: Some(Value::Object(&TAKES_EFFECT_LATER)) };
static TAKES_EFFECT_LATER: Shape = Shape::new(
    "what becomes of unanswered attempts",
    &[
        key("share", Value::Share, "The share of these that it does.").required(),
        key("later", Value::Distribution, "How much later it does them.").or("at once"),
    ],
);

static LOCAL: MapOf = MapOf { what: "feature", value: Value::Name, most: 1_000, bare: false };
static OUTBOX: Shape =
    Shape::new("an outbox", &[key("relay", Value::Duration, "How much later.").default(defaults::OUTBOX_RELAY)]);

static CODES: MapOf = MapOf { what: "code version", value: Value::Object(&CODE), most: 1_000, bare: false };
static CODE: Shape = Shape::new(
    "a code version",
    &[
        key("understands", Value::List(&integer(0, 1_000_000)), "The domain versions it understands.")
            .or("takes each as it comes"),
        key(
            "defects",
            Value::List(&Value::Object(&DEFECT)),
            "What is wrong with it: the truth that gates are to find.",
        ),
    ],
);
static DEFECT: Shape = Shape::new(
    "a defect",
    &[
        key("slower", Value::Number { least: 0.0, most: 1e6 }, "Takes so many times as long."),
        key("fails", Value::Share, "Fails this share of requests, each time they are tried."),
        key("fails_after", Value::Duration, "Fails every request once a process has run the code for so long."),
        key("disagrees", Value::Share, "Comes to another result than the other path for this share."),
        key("corrupts", Value::Share, "Writes wrong data for this share."),
        key("when", Value::Condition, "For whom; without: for everybody."),
        key("path", Value::Name, "On this path; without: on every one."),
    ],
)
.exactly_one(&["slower", "fails", "fails_after", "disagrees", "corrupts"]);

static SAGA_TIMEOUT: MapOf = MapOf { what: "path", value: Value::Duration, most: 100, bare: false };
static SAGA: Shape = Shape::new(
    "a saga",
    &[
        key(
            "context",
            Value::OneOf(&["keep", "refresh"]),
            "Whether it goes by the decisions it began with for as long as it lives, or decides anew.",
        )
        .or("keep"),
        key("timeout", Value::MapOf(&SAGA_TIMEOUT), "How long it may take, by the path on which it began.").required(),
        key(
            "on_timeout",
            Value::Name,
            "What happens then: `compensate` runs what compensates each effect, or an operation to run.",
        )
        .required(),
    ],
);

static OTHERWISE: ByKind = ByKind {
    scalar: Some(Value::OneOf(&["park", "dead_letter", "fail"])),
    list: None,
    map: Some(Value::Object(&PROCESS_AS)),
};
static PROCESS_AS: Shape = Shape::new(
    "a reading",
    &[key("process_as", integer(0, 1_000_000), "Deserialises, and handles it as this domain version.").required()],
);

/// Of these an sdk has exactly one.
pub static DELIVERIES: [&str; 6] = ["poll", "ttl", "stream", "remote", "file", "topic"];

macro_rules! sdk_keys {
    () => {
        &[
            key("poll", Value::Duration, "Asks this often."),
            key("ttl", Value::Duration, "Fetched when needed and older than this."),
            key("stream", Value::ByKind(&STREAM), "Pushed; true, or the delay of a message."),
            key("remote", Value::OneOf(&["true"]), "Asked on every evaluation."),
            key("file", Value::OneOf(&["true"]), "Read when a replica starts."),
            key("topic", Value::ByKind(&STREAM), "Read from a compacted topic; true, or what each record takes."),
            key("switches", Value::Object(&SWITCHES), "Kill switches come to it by a way of their own.")
                .or("with the targeting"),
            key(
                "invalidation",
                Value::ByKind(&STREAM),
                "Kills are announced, and it asks at once; true, or the delay.",
            )
            .or("no"),
            key("jitter", Value::Number { least: 0.0, most: 1.0 }, "Spreads each interval over every * (1 ± jitter).")
                .default(defaults::SDK_JITTER),
            key("timeout", Value::Duration, "How long a fetch may take.").default(defaults::SDK_TIMEOUT),
            key("backoff", Value::ByKind(&BACKOFF), "What failed fetches wait for.").or("none"),
            key("persist", Value::Boolean, "Keeps the last known good policy across restarts.").or("false"),
            key("alert_after", Value::Duration, "Raises an alert after so long without contact."),
            key("stale_while_revalidate", Value::Boolean, "With `ttl`: the request does not wait.").or("false"),
            key("salt", Value::Text, "Buckets with this salt instead of the policy's."),
            key("environment", Value::Name, "Asks the control plane of this environment, where nothing is rolled out.")
                .or("production"),
            key("leaves_out", NAMES, "Attributes that its evaluation context lacks, as in tenant.plan."),
            key("preset", Value::Name, "A real SDK by name.").later("SDK presets"),
        ]
    };
}
/// The delivery is missed where the sdk is read, since a preset may bring it.
pub static SDK: Shape = Shape::new("an sdk", sdk_keys!());
static SDK_BASE: Shape = Shape::new("an sdk", sdk_keys!());

static SWITCHES: Shape = Shape::new(
    "a cache of kill switches",
    &[
        key("poll", Value::Duration, "Asks this often."),
        key("ttl", Value::Duration, "Fetched when needed and older than this."),
        key("stream", Value::ByKind(&STREAM), "Pushed; true, or the delay of a message."),
        key("topic", Value::ByKind(&STREAM), "Read from a compacted topic; true, or what each record takes."),
        key("jitter", Value::Number { least: 0.0, most: 1.0 }, "With `poll`: spreads each interval.")
            .default(defaults::SDK_JITTER),
        key("stale_while_revalidate", Value::Boolean, "With `ttl`: the request does not wait.").or("false"),
    ],
)
.exactly_one(&["poll", "ttl", "stream", "topic"]);

static STREAM: ByKind = ByKind { scalar: Some(Value::Text), list: None, map: Some(Value::Distribution) };
static BACKOFF: ByKind =
    ByKind { scalar: Some(Value::OneOf(&["none"])), list: None, map: Some(Value::Kinds(&BACKOFFS)) };
static BACKOFFS: Kinds = Kinds { name: "a backoff", kinds: &[&EXPONENTIAL, &LINEAR], words: &[] };
static EXPONENTIAL: Shape = Shape::new(
    "an exponential backoff",
    &[
        key("first", Value::Duration, "The first wait; each failure doubles it.").default(defaults::BACKOFF_FIRST),
        key("most", Value::Duration, "The longest wait.").default(defaults::BACKOFF_MOST),
        key("jitter", Value::Boolean, "Full jitter: uniform between nothing and the wait.").or("false"),
    ],
);
static LINEAR: Shape = Shape::new(
    "a linear backoff",
    &[key("linear", integer(1, 1_000), "(1 + failures) ordinary intervals, failures counted up to this.")],
);

static CONSUMES: MapOf = MapOf { what: "topic", value: Value::Object(&CONSUMER), most: 200, bare: false };
static CONSUMER: Shape = Shape::new(
    "a consumer",
    &[
        key("group", Value::Name, "The consumer group.").or("the service's name"),
        key("members", integer(1, 10_000), "Members, each on a replica in turn.").or("as many as replicas"),
        key(
            "client",
            Value::OneOf(&["kafka-java-3", "librdkafka-2"]),
            "The client library; it decides when offsets are committed.",
        )
        .default(defaults::CLIENT),
        key("takes", Value::Distribution, "How long a record takes.").default(defaults::RECORD_TAKES),
        key("max_poll_records", integer(1, 1_000_000), "Records handed out by one poll.")
            .default(defaults::MAX_POLL_RECORDS),
        key("max_poll_interval", Value::Duration, "Without a poll for longer a member is put out.")
            .default(defaults::MAX_POLL_INTERVAL),
        key("session_timeout", Value::Duration, "Without a heartbeat for longer a member is put out.")
            .default(defaults::SESSION_TIMEOUT),
        key("heartbeat", Value::Duration, "How often a member shows that it lives.").default(defaults::HEARTBEAT),
        key("auto_commit_interval", Value::Duration, "How often offsets are committed.").default(defaults::AUTO_COMMIT),
        key("offset_reset", Value::OneOf(&["earliest", "latest"]), "Where a group without a committed offset begins.")
            .default(defaults::OFFSET_RESET),
        key("initial_rebalance_delay", Value::Duration, "How long an empty group waits for more members.")
            .default(defaults::INITIAL_REBALANCE_DELAY),
    ],
);
