//! Tables of clients: the apps with which users come.

use crate::scenario::shape::{ByKind, Shape, Value, key};

pub static CLIENT: Shape = Shape::new(
    "a client",
    &[
        key("share", Value::Share, "The share of users that have it; all clients together at most all users.").required(),
        key("session", Value::Distribution, "How long it runs from a start to the next.").required(),
        key("refetch", Value::OneOf(&["on_app_start", "on_navigation"]), "When it asks for decisions.")
            .or("on_app_start"),
        key("persist", Value::Boolean, "Writes down what it last heard, for starts at which it hears nothing.")
            .or("true, as OFREP's ADR 0009 has it for clients"),
        key(
            "old_versions",
            Value::ByKind(&OLD_VERSIONS),
            "The share of its users whose version is from before the features: it asks for nothing and carries nothing.",
        )
        .or("none"),
        key("offline", Value::Object(&OFFLINE), "Requests made without a connection, and sent later.").or("none"),
    ],
);

static OLD_VERSIONS: ByKind =
    ByKind { scalar: Some(Value::Share), list: None, map: Some(Value::Object(&OLD_VERSIONS_MAP)) };
static OLD_VERSIONS_MAP: Shape = Shape::new(
    "old versions of a client",
    &[
        key("share", Value::Share, "Their share when the run begins.").required(),
        key("half_life", Value::Duration, "After so long half of them have a new one.").or("nobody updates"),
    ],
);

static OFFLINE: Shape = Shape::new(
    "requests without a connection",
    &[
        key("share", Value::Share, "The share of requests.").required(),
        key("lasts", Value::Distribution, "How long until they are sent.").required(),
    ],
);
