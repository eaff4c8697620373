//! The tables of the language: one per object, the top level here.

mod accepted;
mod client;
mod estate;
mod events;
mod expect;
mod guard;
mod operation;
mod reconciliation;
mod rollout;
mod service;

pub use operation::VERBS;
pub use service::DELIVERIES;

use super::defaults;
use super::shape::{MapOf, Shape, Value, key};

/// The names of things are at most so many; every pool of the estate stays far below its index type.
const MOST_NAMES: usize = 2_000;

/// A map of named objects.
macro_rules! named {
    ($what:literal, $shape:expr) => {
        $crate::scenario::shape::Value::MapOf(&$crate::scenario::shape::MapOf {
            what: $what,
            value: $crate::scenario::shape::Value::Object(&$shape),
            most: $crate::scenario::shapes::MOST_NAMES,
            bare: false,
        })
    };
}
use named;

const NAMES: Value = Value::List(&Value::Name);

static PARAMS: MapOf = MapOf { what: "parameter", value: Value::Text, most: MOST_NAMES, bare: false };
static VARIANTS: MapOf = MapOf { what: "variant", value: Value::Anything, most: 200, bare: false };

/// A scenario file.
pub static SCENARIO: Shape = Shape::new(
    "a scenario",
    &[
        key("windtunnel", Value::OneOf(&["1"]), "The version of the scenario language.").required(),
        key("name", Value::Name, "The name under which results are filed."),
        key("summary", Value::Text, "The question this scenario answers, in a sentence."),
        key(
            "start",
            Value::Moment,
            "When the run begins: its day counts for `retire_by`, its time of day (UTC) for `daily`.",
        )
        .or("2026-01-01T00:00:00Z"),
        key("timezone", Value::Text, "The time zone of `daily` times.").or("UTC"),
        key("duration", Value::Duration, "How long customers arrive.").default(defaults::DURATION),
        key(
            "drain",
            Value::Duration,
            "How much longer the run goes on; by default until every bounded obligation is due.",
        ),
        key("params", Value::MapOf(&PARAMS), "Values that `${name}` stands for; `--set name=value` changes them."),
        key("population", Value::Object(&estate::POPULATION), "Regions, tenants and users."),
        key("features", named!("feature", estate::FEATURE), "Business changes and their stages."),
        key("flags", Value::Object(&estate::FLAGS), "A flag file that is read as it is."),
        key("control_plane", Value::Object(&estate::CONTROL_PLANE), "The place that owns targeting and policy."),
        key("network", Value::Object(&estate::NETWORK), "Latency and loss between replicas."),
        key("defaults", Value::Object(&service::DEFAULTS), "What lies beneath every service, call, topic and sdk."),
        key(
            "migration",
            Value::OneOf(&["1", "2", "3", "4", "5"]),
            "The stage of the migration whose values lie beneath what the file does not say.",
        )
        .or("none"),
        key("services", named!("service", service::SERVICE), "Bounded contexts with their replicas.").required(),
        key("topics", named!("topic", estate::TOPIC), "Kafka topics."),
        key("journeys", named!("journey", estate::JOURNEY), "Business interactions and when they begin.").required(),
        key("users", named!("group of users", estate::USERS), "Closed-loop users: think, act, wait, think again."),
        key("rollout", named!("rollout", rollout::ROLLOUT), "The steps of each feature's rollout."),
        key("timeline", Value::List(&Value::Kinds(&events::ENTRY)), "Everything else that happens."),
        key("teams", named!("team", guard::TEAM), "Who answers alerts."),
        key("alerts", Value::List(&Value::Object(&guard::ALERT)), "Rules that call a team."),
        key(
            "reconciliation",
            named!("reconciliation", reconciliation::RECONCILIATION),
            "Jobs that compare the results of two effects, or undo what a retreat leaves.",
        ),
        key(
            "accepted",
            Value::List(&Value::Object(&accepted::ACCEPTED)),
            "Violations that are known and accepted until a day, so that they decide no verdict before.",
        ),
        key("invariants", Value::MapOf(&expect::INVARIANTS), "Promises that are watched, with their bounds."),
        key("expect", Value::MapOf(&expect::EXPECT), "What must come out, and be exercised."),
        key("variants", Value::MapOf(&VARIANTS), "Overlays: null removes, lists of named things are patched by name."),
        key("include", NAMES, "Files merged below this one, relative to it."),
    ],
);
