//! Tables of what this version reads and checks but does not simulate.

use crate::scenario::shape::{Shape, Value, key};

pub static CLIENT: Shape = Shape::new(
    "a client",
    &[
        key("share", Value::Share, "The share of users that have it."),
        key("refetch", Value::OneOf(&["on_app_start", "on_navigation", "on_focus"]), "When it fetches decisions."),
        key("session", Value::Distribution, "How long a session lasts."),
        key("old_versions", Value::Share, "The share that runs an old version."),
    ],
);
