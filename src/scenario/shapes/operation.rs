//! Tables of operations: rules, the matrix by stage, actions.

use super::estate;
use crate::scenario::defaults;
use crate::scenario::shape::{ByKind, Key, Kinds, MapOf, Shape, Value, integer, key};

const ACTIONS: Value = Value::List(&Value::Kinds(&ACTION));
const RULES: Value = Value::List(&Value::Object(&RULE));

/// Operations by name: a list of rules, or a map with the matrix or with more to say.
pub static OPERATIONS: MapOf =
    MapOf { what: "operation", value: Value::ByKind(&OPERATION_FORMS), most: 1_000, bare: false };
static OPERATION_FORMS: ByKind = ByKind { scalar: None, list: Some(RULES), map: Some(Value::Object(&OPERATION)) };

static OPERATION: Shape = Shape::new(
    "an operation",
    &[
        key("takes", Value::Distribution, "How long a worker is busy with it.").or("as the service"),
        key("rules", RULES, "The first whose condition holds runs."),
        key("by_stage", Value::MapOf(&ROWS), "A row for each stage; a row holds until the next one on the ladder."),
        key("feature", Value::Name, "The feature of `by_stage`.").or("the journey's"),
    ],
);

static RULE: Shape = Shape::new(
    "a rule",
    &[
        key("when", Value::Condition, "When it applies; without: always."),
        key("path", Value::Name, "old, new or a name; without: neutral."),
        key("do", ACTIONS, "What it does, in order."),
    ],
);

static ROWS: MapOf = MapOf { what: "row", value: Value::ByKind(&ROW_FORMS), most: 300, bare: false };
/// `[]` says as well as `{}` that nothing is done.
static ROW_FORMS: ByKind = ByKind { scalar: None, list: Some(ACTIONS), map: Some(Value::Object(&ROW)) };
static ROW: Shape = Shape::new(
    "a row",
    &[
        key("path", Value::Name, "old, new or a name; without: neutral."),
        key("do", ACTIONS, "What it does, in order."),
        key("like", Value::Name, "The same as the row of this stage."),
    ],
);

pub static FLAG: Shape = Shape::new(
    "a flag",
    &[
        key("flag", Value::Name, "The flag whose value counts.").required(),
        key("times", Value::Text, "What the value is multiplied with.").or("1"),
    ],
);

static COUNT_OR_FLAG_FORMS: ByKind =
    ByKind { scalar: Some(integer(0, 1_000_000)), list: None, map: Some(Value::Object(&FLAG)) };
pub const COUNT_OR_FLAG: Value = Value::ByKind(&COUNT_OR_FLAG_FORMS);
static SHARE_OR_FLAG: ByKind = ByKind { scalar: Some(Value::Share), list: None, map: Some(Value::Object(&FLAG)) };
/// A distribution or a flag: the map is looked at where it is read.
static WAIT_FORMS: ByKind = ByKind { scalar: Some(Value::Distribution), list: None, map: Some(Value::Anything) };

const TIMEOUT: Key =
    key("timeout", Value::Duration, "How long the caller waits for an answer.").default(defaults::CALL_TIMEOUT);
const RETRIES: Key = key("retries", integer(0, 100), "Attempts after the first.").default(defaults::RETRIES);
const BACKOFF: Key = key("backoff", Value::Duration, "The wait before the first retry; each further one doubles it.")
    .default(defaults::BACKOFF);
const TIMES: Key =
    key("times", integer(1, 1_000), "How often it is made, one after the other.").default(defaults::TIMES);
const ON_ERROR: Key =
    key("on_error", Value::OneOf(&["fail", "ignore"]), "What a call that fails for good does to its caller.")
        .or("fail");

/// What a call says besides its target: `defaults.call`.
pub static CALL: Shape = Shape::new("the defaults of calls", &[TIMEOUT, RETRIES, BACKOFF, TIMES, ON_ERROR]);

static DO_CALL: Shape = Shape::new(
    "a call",
    &[
        key("call", Value::Name, "Calls `service.operation` and waits for the answer."),
        TIMEOUT,
        RETRIES,
        BACKOFF,
        TIMES,
        ON_ERROR,
    ],
);
static EMIT: Shape = Shape::new(
    "an event",
    &[
        key("emit", Value::Name, "Appends an event to this topic."),
        key("type", Value::Name, "The type of the event.").required(),
        key("domain_version", integer(0, 1_000_000), "What the event means, apart from its schema.").or("1"),
        key("outbox", Value::Duration, "Stored with the state change and relayed this much later."),
        key("extra_copies", COUNT_OR_FLAG, "Further copies of the same event.").or("0"),
    ],
);
static ONCE_BY: [&str; 6] = ["entity.id", "request.id", "event.id", "attempt.id", "user.id", "tenant.id"];
static EFFECT: Shape = Shape::new(
    "an effect",
    &[
        key("effect", Value::Name, "A domain effect on the entity."),
        key("irreversible", Value::Boolean, "Nothing takes it back.").or("false"),
        key("compensated_by", Value::Name, "The operation that undoes it."),
        key("amount", Value::Object(&estate::AMOUNT), "How much money it is about.").or("the entity's"),
        key("once", Value::Boolean, "Happens once per entity, whatever is redelivered.").or("false"),
        key(
            "records",
            Value::Name,
            "It is the record of this effect: of its path and of the stage it took place under.",
        ),
        key("once_by", Value::OneOf(&ONCE_BY), "The idempotency key: it happens once for each value of it."),
    ],
);
static SET: Shape = Shape::new("a status", &[key("set", Value::Name, "Moves the entity to this status.")]);
static MARK: Shape =
    Shape::new("a mark", &[key("mark", Value::Name, "This context considers the moment to have happened.")]);
static WAIT: Shape = Shape::new(
    "a wait",
    &[key("wait", Value::ByKind(&WAIT_FORMS), "Spends time: a duration, or a flag's value times one.")],
);
static REJECT: Shape = Shape::new("a refusal", &[key("reject", Value::Name, "Refuses with this business reason.")]);
static IGNORE: Shape = Shape::new("nothing", &[key("ignore", Value::OneOf(&["true"]), "No semantic role.")]);
static FAIL: Shape = Shape::new(
    "a failure",
    &[key("fail", Value::ByKind(&SHARE_OR_FLAG), "Fails for a share of requests, or for a flag's value.")],
);
static QUEUE_UNTIL: Shape =
    Shape::new("a queue", &[key("queue_until", Value::Object(&UNTIL), "Accepts, answers, and goes on then.")]);
static UNTIL: Shape = Shape::new(
    "a time to go on",
    &[
        key("daily", Value::Clock, "At this time of day."),
        key("when", Value::Condition, "When this holds."),
        key("looks_every", Value::Duration, "With `when`: how often what is held looks.").default(defaults::HELD_LOOKS),
        key("at_most", Value::Duration, "With `when`: what is held for longer is given up.")
            .default(defaults::HELD_AT_MOST),
        key("room", integer(1, 10_000_000), "With `when`: how much its service holds at once; one more is refused.")
            .default(defaults::HELD_ROOM),
    ],
)
.exactly_one(&["daily", "when"]);
static SHADOW: Shape = Shape::new(
    "a shadow",
    &[key("shadow", Value::Object(&SHADOWED), "Runs the other path beside this one, compares, and drops its result.")],
);
static DUAL_WRITE: Shape = Shape::new(
    "a dual write",
    &[key(
        "dual_write",
        Value::Object(&BOTH_STORES),
        "Writes to the stores of both paths; each write can fail by itself.",
    )],
);
static SHADOWED: Shape = Shape::new(
    "a shadow",
    &[
        key("of", Value::Name, "The path that runs besides.").required(),
        key("disagrees", Value::Share, "How often the results differ beyond what defects of the code do.").or("0%"),
        key("takes", Value::Distribution, "How long it keeps the request.").or("0s"),
    ],
);
static BOTH_STORES: Shape = Shape::new(
    "a dual write",
    &[
        key("effect", Value::Name, "The effect that is written.").required(),
        key("of", Value::Name, "The path whose store is written besides.").required(),
        key("fails", Value::Share, "How often the write that counts fails, and the request with it.").or("0%"),
        key("other_fails", Value::Share, "How often the other write fails; nobody is told.").or("0%"),
        key(
            "order",
            Value::OneOf(&["own_first", "other_first"]),
            "Which comes first; the second is skipped where the first fails.",
        )
        .or("own_first"),
        key("irreversible", Value::Boolean, "Nothing takes it back.").or("false"),
        key("compensated_by", Value::Name, "The operation that undoes it, in both stores."),
        key("once", Value::Boolean, "Happens once per entity, whatever is redelivered.").or("false"),
    ],
);
static COMPENSATE: Shape = Shape::new(
    "a compensation",
    &[key(
        "compensate",
        Value::Name,
        "Undoes what the rule's path did of an effect; without a path: what every one did.",
    )],
);

/// Everything an operation can do.
pub static VERBS: &[&Shape] = &[
    &DO_CALL,
    &EMIT,
    &EFFECT,
    &SET,
    &MARK,
    &WAIT,
    &REJECT,
    &IGNORE,
    &FAIL,
    &QUEUE_UNTIL,
    &SHADOW,
    &DUAL_WRITE,
    &COMPENSATE,
];
pub static ACTION: Kinds = Kinds { name: "an action", kinds: VERBS, words: &["ignore"] };
