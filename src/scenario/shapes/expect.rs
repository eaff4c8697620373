//! Tables of invariants and expectations.

use crate::scenario::shape::{ByKind, MapOf, Shape, Value, key};

const QUANTILE: Value = Value::OneOf(&["p50", "p90", "p95", "p99", "p99.9"]);

pub static INVARIANTS: MapOf = MapOf { what: "invariant", value: Value::Object(&INVARIANT), most: 200, bare: true };
static INVARIANT: Shape = Shape::new(
    "an invariant's bounds",
    &[
        key("at_most", Value::Duration, "Its bound."),
        key("within", Value::Duration, "Its bound, said of what must happen in time."),
        key("quantile", QUANTILE, "Judges this quantile instead of every one."),
    ],
);

pub static EXPECT: MapOf = MapOf { what: "expectation", value: Value::ByKind(&EXPECTED), most: 500, bare: false };
static EXPECTED: ByKind =
    ByKind { scalar: Some(Value::Text), list: Some(Value::List(&Value::Text)), map: Some(Value::Object(&EXPECTATION)) };
static EXPECTATION: Shape = Shape::new(
    "an expectation",
    &[
        key("violated", Value::ByKind(&VIOLATED), "Violated in every exercised seed, for the cause named."),
        key(
            "at_most",
            Value::Text,
            "An upper bound: of the metric, of the invariant, or with `of: runs` a share of runs.",
        ),
        key("within", Value::Duration, "The bound of the invariant."),
        key("at_least", Value::Text, "A lower bound of the metric."),
        key("between", Value::List(&Value::Text), "Both bounds of the metric."),
        key("quantile", QUANTILE, "Judges this quantile instead of every one."),
        key("of", Value::OneOf(&["runs"]), "`at_most` is a share of runs."),
        key("confidence", Value::Share, "With which confidence.").or("95%"),
        key("from", Value::Text, "The metric counts from the publication of this step on."),
    ],
);
static VIOLATED: ByKind = ByKind { scalar: Some(Value::Boolean), list: None, map: Some(Value::Object(&VIOLATION)) };
static VIOLATION: Shape = Shape::new(
    "a violation",
    &[
        key("cause", Value::Text, "For this cause only."),
        key("moment", Value::Name, "About this moment."),
        key("effect", Value::Name, "About this effect."),
    ],
);
