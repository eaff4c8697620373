//! Tables of what watches over a rollout: gates, approvals, alerts, and the teams that answer them.

use super::NAMES;
use crate::scenario::defaults;
use crate::scenario::shape::{ByKind, Shape, Value, integer, key};

pub const BOUNDS: Value = Value::List(&Value::Bound);

pub static ANALYSIS: Shape = Shape::new(
    "an analysis",
    &[
        key("every", Value::Duration, "How often gates are judged.").default(defaults::ANALYSIS_EVERY),
        key("window", Value::Duration, "Over which time they measure.").default(defaults::ANALYSIS_WINDOW),
        key("delay", Value::Duration, "How old what they see is: the scrape's delay.").default(defaults::SCRAPE),
        key("failures", integer(1, 1_000), "How many failed judgements in a row fail the step.")
            .default(defaults::ANALYSIS_FAILURES),
        key("failure_limit", integer(0, 100_000), "How many failed judgements a step survives, in a row or not."),
        key("no_data", Value::OneOf(&["pause", "pass", "fail"]), "What too little data does.").or("pause"),
        key(
            "against",
            Value::OneOf(&["control", "before"]),
            "What deltas and ratios are against: those who are not moved, or all as it was before the step.",
        )
        .or("control"),
        key("min_answers", integer(1, 100_000_000), "With fewer answers on either side there is no data.").or("1"),
    ],
);

pub static ON_FAILURE: ByKind = ByKind {
    scalar: Some(Value::OneOf(&["pause", "back", "back_all", "kill"])),
    list: None,
    map: Some(Value::Object(&BACK_TO)),
};
static BACK_TO: Shape = Shape::new(
    "a reaction to a failed gate",
    &[key("back_to", Value::Name, "Nobody stays above this stage.").required()],
);

pub static RETRY: Shape = Shape::new(
    "a retry",
    &[
        key("after", Value::Duration, "How long after going back the step is taken again.").required(),
        key("most", integer(1, 1_000), "How often.").or("1"),
    ],
);

pub static APPROVAL: Shape = Shape::new(
    "an approval",
    &[
        key("before", NAMES, "Stages that need it; without: every step."),
        key("by", NAMES, "Who is asked.").required(),
        key("need", integer(1, 100), "How many of them must agree.").or("all"),
        key("takes", Value::Distribution, "How long each takes to answer.").required(),
        key("rejects", Value::Share, "How often each says no.").or("0%"),
        key("expires", Value::Duration, "When the question lapses; without: never."),
        key("bypass", Value::Name, "Who may do without it in an emergency."),
    ],
);

pub static TEAM: Shape = Shape::new(
    "a team",
    &[
        key("on_call", Value::Text, "Between which times (UTC) somebody answers: `08:00-18:00`.").or("always"),
        key("acts_in", Value::Distribution, "From the page to the action.").required(),
        key("wrong_action", Value::Share, "How often the action is the wrong one.").or("0%"),
    ],
);

pub static ALERT: Shape = Shape::new(
    "an alert",
    &[
        key("name", Value::Text, "Its name.").or("its bound"),
        key("when", Value::Bound, "What is wrong while it holds.").required(),
        key("over", Value::Duration, "For how long it has to be so.").or("0s"),
        key("window", Value::Duration, "Over which time it measures.").default(defaults::ANALYSIS_WINDOW),
        key("scrape", Value::Duration, "How often it is looked at.").default(defaults::SCRAPE),
        key("repeat", Value::Duration, "When somebody is called again while it lasts.").default(defaults::ALERT_REPEAT),
        key("min_answers", integer(1, 100_000_000), "With fewer answers it does not fire.").or("1"),
        key("pages", Value::Name, "The team that is called; without: a machine acts, at once."),
        key("does", Value::Object(&DEED), "What is done about it; without: nothing."),
        key("wrong", Value::Object(&DEED), "The wrong action; without: one that does nothing."),
    ],
);

static DEED: Shape = Shape::new(
    "an action",
    &[
        key("kill", Value::Name, "Kills this feature, for everybody."),
        key("to", Value::Name, "The most the kill leaves.").or("the safe stage"),
        key("pause", Value::Name, "Pauses this feature's plan."),
        key("resume", Value::Name, "Resumes it."),
        key("back", Value::Name, "Takes it one step back."),
        key("back_all", Value::Name, "Takes it all the way back."),
    ],
)
.exactly_one(&["kill", "pause", "resume", "back", "back_all"]);
