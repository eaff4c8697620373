//! Tables of a rollout: steps, moves, and what watches over them.

use super::{NAMES, later};
use crate::scenario::defaults;
use crate::scenario::shape::{Shape, Value, key};

const BOUNDS: Value = Value::List(&Value::Bound);

pub static ROLLOUT: Shape = Shape::new(
    "a rollout",
    &[
        key("bucket_by", Value::OneOf(&["user", "tenant"]), "Whoever shares this shares the decision.").or("user"),
        key("starts", Value::Duration, "From when steps are counted.").or("0s"),
        key("salt", Value::Text, "Fixes the cohort; without it the seed does."),
        key("steps", Value::List(&Value::Object(&STEP)), "Its steps, in order.").required(),
        key("strategy", Value::Name, "A strategy by name.").later("rollout strategies"),
        key("analysis", Value::Object(&later::ANALYSIS), "How gates are judged.").later("analysis of gates"),
        key("gate", BOUNDS, "Bounds that must hold throughout.").later("gates"),
        key("on_failure", Value::Object(&later::ON_FAILURE), "What a failed gate does.").later("gates (`on_failure`)"),
        key("approvals", Value::List(&Value::Object(&later::APPROVAL)), "Who must agree before a stage.")
            .later("approvals"),
        key("exit", BOUNDS, "Bounds judged at the end of each hold.").later("exit criteria"),
    ],
);

static STEP: Shape = Shape::new(
    "a step",
    &[
        key("name", Value::Name, "The name that timeline entries hang on.").or("step-1, step-2, …"),
        key("at", Value::Duration, "When it is due, from the start of the rollout.").or("when the previous hold ends"),
        key("move", Value::List(&Value::Object(&MOVE)), "Who moves to which stage; first match wins.").required(),
        key("hold", Value::Duration, "How long it holds before the next step.").default(defaults::HOLD),
        key("exit", BOUNDS, "Bounds judged at the end of the hold.").later("exit criteria of a step"),
        key("gate", BOUNDS, "Bounds that must hold throughout.").later("gates of a step"),
        key("requires", NAMES, "Readiness before this step.").later("readiness of a step"),
    ],
);

static MOVE: Shape = Shape::new(
    "a move",
    &[
        key("of", Value::Condition, "Whom; without: everybody."),
        key("to", Value::Name, "The stage they move to.").required(),
        key("percent", Value::Share, "The share of them that moves.").or("100%"),
    ],
);
