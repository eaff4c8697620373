//! The table of reconciliation jobs: those that compare, and those that compensate.

use crate::scenario::defaults;
use crate::scenario::shape::{MapOf, Shape, Value, key};

static SETTLES: MapOf = MapOf { what: "stage", value: Value::Duration, most: 200, bare: false };

static EXCEPTIONS: Shape = Shape::new(
    "exceptions",
    &[
        key("park", Value::Boolean, "What is off joins a queue that people work off.").or("true"),
        key("rate", Value::Rate, "How many they work off, as in 40/h; without: nobody does."),
    ],
);

pub static RECONCILIATION: Shape = Shape::new(
    "a reconciliation",
    &[
        key("left", Value::Name, "One effect."),
        key("right", Value::Name, "The effect it is compared with: both are there, agree in their amount, and are right."),
        key("compare", Value::Name, "An effect whose results are compared with those of the shadows beside it."),
        key("key", Value::Text, "By what the two are matched.").or("entity.id"),
        key("feature", Value::Name, "The feature whose results it compares.").or("the only one"),
        key(
            "compensates",
            Value::List(&Value::Name),
            "Effects that people go through and undo, one by one, once a kill, a step back or a plan that goes back takes \
             their customers off the stage they were made under; instead of comparing anything.",
        ),
        key("acts_in", Value::Distribution, "With `compensates`: from when there is something to undo until they begin.")
            .or("0s"),
        key("rate", Value::Rate, "With `compensates`: how many they undo, as in 40/h."),
        key("every", Value::Duration, "How often it runs."),
        key("daily", Value::Clock, "When it runs each day (UTC)."),
        key(
            "settles_after",
            Value::MapOf(&SETTLES),
            "How long a difference is in order, by the stage of what came first; holds until the next one on the ladder.",
        ),
        key("allows", Value::Share, "The variance up to which the feature may become authoritative.")
            .default(defaults::VARIANCE),
        key("metric", Value::Name, "Its variance under a name of its own, for gates, alerts and `expect`."),
        key("exceptions", Value::Object(&EXCEPTIONS), "What becomes of what is off; without: it is reported."),
    ],
)
.exactly_one(&["every", "daily", "compensates"]);
