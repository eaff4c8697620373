//! Tables of a rollout: steps, moves, and what watches over them.

use super::NAMES;
use super::guard::{self, BOUNDS};
use crate::rollout::strategy;
use crate::scenario::defaults;
use crate::scenario::shape::{ByKind, Shape, Value, integer, key};

pub static ROLLOUT: Shape = Shape::new(
    "a rollout",
    &[
        key(
            "bucket_by",
            Value::Text,
            "Whoever shares this shares the decision: user, tenant, session, or an attribute, as in request.device.",
        )
        .or("user"),
        key("overrides", OVERRIDES, "Stages for single users and tenants from the first step on."),
        key("assignment", Value::Object(&ASSIGNMENT), "Whether a rollout that begins again keeps its cohort."),
        key("starts", Value::Duration, "From when steps are counted.").or("0s"),
        key("salt", Value::Text, "Fixes the cohort; without it the seed does."),
        key("steps", Value::List(&Value::Object(&STEP)), "Its steps, in order."),
        key("strategy", Value::ByKind(&STRATEGY_FORMS), "Its steps by the name of a strategy, in place of `steps`."),
        key("analysis", Value::Object(&guard::ANALYSIS), "How gates are judged."),
        key("gate", BOUNDS, "Bounds that must hold throughout, in every step."),
        key("exit", BOUNDS, "Bounds that must hold when a hold ends."),
        key("on_failure", Value::ByKind(&guard::ON_FAILURE), "What a failed gate does.").or("pause"),
        key("retry", Value::Object(&guard::RETRY), "Whether a plan that went back tries again."),
        key("approvals", Value::List(&Value::Object(&guard::APPROVAL)), "Who must agree before a step."),
    ],
)
.exactly_one(&["steps", "strategy"]);

static STRATEGY_FORMS: ByKind =
    ByKind { scalar: Some(Value::OneOf(&strategy::NAMES)), list: None, map: Some(Value::Object(&STRATEGY)) };
static STRATEGY: Shape = Shape::new(
    "a strategy",
    &[
        key("name", Value::OneOf(&strategy::NAMES), "Which one; `windtunnel explain NAME` says what it comes to.")
            .required(),
        key("to", Value::Name, "The stage everybody is to reach.").or("the highest stage of the ladder"),
        key("every", Value::Duration, "How long each step but the last holds.").default(defaults::STRATEGY_EVERY),
        key("steps", integer(1, 1_000), "In how many steps the share grows.").default(defaults::RAMP_STEPS),
        key("start", Value::Share, "The first share.").or("1%, of a canary 10%"),
        key("factor", Value::Number { least: 1.05, most: 1_000.0 }, "By what the share grows in each step.")
            .default(defaults::RAMP_FACTOR),
        key("rings", Value::List(&Value::Object(&RING)), "Who comes after whom; at last everybody."),
        key("by", Value::Name, "The attribute of tenants whose values are the cohorts."),
        key("order", NAMES, "Regions or values in their order; those not named come last, together.")
            .or("the smallest share first"),
        key("batch", integer(1, 1_000_000), "How many tenants each step takes in.").default(defaults::TENANT_BATCH),
        key("preview", Value::Condition, "Whose traffic tries green before the switch."),
        key("retire", Value::Name, "The stage in which the old one is retired, after the switch has held."),
        key("via", Value::Name, "The stage in which the new one only shadows the old one.")
            .or("the lowest below `to` that grants `shadow` or is named so"),
    ],
);

static RING: Shape = Shape::new(
    "a ring",
    &[
        key("name", Value::Name, "The name of its step.").or("ring-1, ring-2, …"),
        key("of", Value::Condition, "Who is in it; without: everybody."),
        key("percent", Value::Share, "The share of them that is in it.").or("100%"),
    ],
);

const OVERRIDES: Value = Value::List(&Value::Object(&OVERRIDE));
static OVERRIDE: Shape = Shape::new(
    "an override",
    &[
        key("tenant", integer(0, 1_000_000), "The number of a tenant, from 0."),
        key("user", integer(0, 10_000_000_000_000), "The number of a user, from 0; tenant by tenant."),
        key("to", Value::Name, "The stage it is given, whatever the targeting rules say.").required(),
        key("from", Value::Text, "When it begins: `2m` or `step + 30m`.").or("when its step is published"),
        key("until", Value::Text, "When it ends, in the same way.").or("never"),
    ],
)
.exactly_one(&["tenant", "user"]);

static ASSIGNMENT: Shape = Shape::new(
    "an assignment",
    &[key(
        "on_restart",
        Value::OneOf(&["keep", "redraw"]),
        "Whether a step that moves somebody after everybody was back draws the same subjects or others.",
    )
    .or("keep")],
);

static STEP: Shape = Shape::new(
    "a step",
    &[
        key("name", Value::Name, "The name that timeline entries hang on.").or("step-1, step-2, …"),
        key("at", Value::Duration, "When it is due, from the start of the rollout.").or("when the previous hold ends"),
        key("move", Value::List(&Value::Object(&MOVE)), "Who moves to which stage; first match wins.").required(),
        key("overrides", OVERRIDES, "Stages for single users and tenants from this step on."),
        key("hold", Value::Duration, "How long it holds before the next step.").default(defaults::HOLD),
        key("exit", BOUNDS, "Bounds that must hold when its hold ends."),
        key("gate", BOUNDS, "Bounds that must hold throughout."),
        key("requires", Value::List(&Value::Text), "Readiness: \"billing.code >= 2\" on every replica."),
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
