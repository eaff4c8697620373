//! Tables of what this version reads and checks but does not simulate.

use super::NAMES;
use crate::scenario::shape::{MapOf, Shape, Value, integer, key};

pub static CLIENT: Shape = Shape::new(
    "a client",
    &[
        key("share", Value::Share, "The share of users that have it."),
        key("refetch", Value::OneOf(&["on_app_start", "on_navigation", "on_focus"]), "When it fetches decisions."),
        key("session", Value::Distribution, "How long a session lasts."),
        key("old_versions", Value::Share, "The share that runs an old version."),
    ],
);

pub static TEAM: Shape = Shape::new(
    "a team",
    &[
        key("on_call", Value::Text, "When somebody answers."),
        key("acts_in", Value::Distribution, "From the page to the action."),
        key("wrong_action", Value::Share, "How often the action is the wrong one."),
    ],
);

pub static ALERT: Shape = Shape::new(
    "an alert",
    &[
        key("name", Value::Text, "Its name."),
        key("when", Value::Bound, "The bound that is broken.").required(),
        key("over", Value::Duration, "For how long."),
        key("scrape", Value::Duration, "How often metrics are scraped."),
        key("pages", Value::Name, "The team that is called."),
        key("does", Value::Anything, "What the team does."),
    ],
);

static SETTLES: MapOf = MapOf { what: "stage", value: Value::Duration, most: 200, bare: false };
pub static RECONCILIATION: Shape = Shape::new(
    "a reconciliation",
    &[
        key("left", Value::Name, "One effect."),
        key("right", Value::Name, "The effect it is compared with."),
        key("compare", Value::Name, "An effect whose paths are compared."),
        key("key", Value::Text, "By what the two are matched."),
        key("every", Value::Duration, "How often it runs."),
        key("daily", Value::Clock, "When it runs each day."),
        key("settles_after", Value::MapOf(&SETTLES), "How long a difference is in order, by stage."),
        key("metric", Value::Name, "The metric it reports."),
        key("exceptions", Value::Anything, "What happens to what does not match."),
    ],
);

static SAGA_TIMEOUT: MapOf = MapOf { what: "path", value: Value::Duration, most: 100, bare: false };
pub static SAGA: Shape = Shape::new(
    "a saga",
    &[
        key("context", Value::OneOf(&["keep", "refresh"]), "Whether it keeps the context it began with."),
        key("timeout", Value::MapOf(&SAGA_TIMEOUT), "How long it may take, by path."),
        key("on_timeout", Value::Name, "What happens then."),
    ],
);

pub static SHADOW: Shape = Shape::new(
    "a shadow",
    &[
        key("of", Value::Name, "The path that runs besides.").required(),
        key("disagrees", Value::Share, "How often results differ."),
    ],
);

pub static ANALYSIS: Shape = Shape::new(
    "an analysis",
    &[
        key("every", Value::Duration, "How often gates are judged."),
        key("window", Value::Duration, "Over which time."),
        key("failures", integer(1, 1_000), "How many failures in a row fail the step."),
        key("no_data", Value::OneOf(&["pause", "pass", "fail"]), "What too little data does."),
        key("against", Value::OneOf(&["control", "before"]), "What deltas and ratios are against."),
    ],
);

pub static ON_FAILURE: Shape =
    Shape::new("a reaction to a failed gate", &[key("back_to", Value::Name, "A cap on the stage.")]);

pub static APPROVAL: Shape = Shape::new(
    "an approval",
    &[
        key("before", NAMES, "Stages that need it."),
        key("by", NAMES, "Who may give it."),
        key("need", integer(1, 100), "How many must agree."),
        key("takes", Value::Distribution, "How long they take."),
        key("bypass", Value::Name, "Who may skip it in an emergency."),
    ],
);
