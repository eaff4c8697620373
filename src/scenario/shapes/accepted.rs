//! The table of accepted violations.

use crate::scenario::shape::{Shape, Value, key};

pub static ACCEPTED: Shape = Shape::new(
    "an accepted violation",
    &[
        key("invariant", Value::Name, "The invariant that is violated although it is expected to hold.").required(),
        key("cause", Value::Text, "For this cause only.").or("any"),
        key("until", Value::Day, "The last day on which it is accepted (UTC).").required(),
        key("owner", Value::Text, "Who answers for it.").required(),
        key("ticket", Value::Text, "Where its repair is tracked.").required(),
    ],
);
