//! Tables of what this version reads and checks but does not simulate.

use crate::scenario::shape::{MapOf, Shape, Value, key};

pub static CLIENT: Shape = Shape::new(
    "a client",
    &[
        key("share", Value::Share, "The share of users that have it."),
        key("refetch", Value::OneOf(&["on_app_start", "on_navigation", "on_focus"]), "When it fetches decisions."),
        key("session", Value::Distribution, "How long a session lasts."),
        key("old_versions", Value::Share, "The share that runs an old version."),
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
