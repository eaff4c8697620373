//! Tables of the timeline.

use super::NAMES;
use crate::scenario::shape::{Key, Kinds, MapOf, Shape, Value, integer, key};

const AT: Key = key("at", Value::Text, "When: `2m`, `step + 30m` or `feature/step + 30m`.").required();
const LASTS: Key = key("lasts", Value::Distribution, "How long; without: to the end of the run.");
const REGION: Key = key("region", Value::Name, "Only in this region.");
const COUNT: Key =
    key("replicas", integer(1, 10_000), "At most so many replicas or members, in the order of their names.");
const TARGET: Key = key("target", Value::Name, "A service, or `service/topic` for its consumer group.");
const SHARE: Key = key("share", Value::Share, "The share of messages it strikes.");
const BY: Key = key("by", Value::Duration, "How much slower.");

static FAULT: Shape = Shape::new(
    "a fault",
    &[key("fault", Value::Name, "What goes wrong."), AT, TARGET, REGION, COUNT, LASTS, SHARE, BY],
);
static DEPLOYED: MapOf = MapOf { what: "service", value: integer(0, 1_000_000), most: 1_000, bare: false };
static DEPLOY: Shape = Shape::new(
    "a deploy",
    &[
        key("deploy", Value::MapOf(&DEPLOYED), "Services and the code version each gets."),
        AT,
        REGION,
        key(
            "replicas",
            integer(1, 10_000),
            "At most so many replicas of each service, in the order of their names: a deploy that missed the others.",
        ),
        key("rolling", Value::Object(&ROLLING), "Replica by replica; without: all at once."),
    ],
);
static ROLLING: Shape = Shape::new(
    "a rolling deploy",
    &[
        key("batch", integer(1, 10_000), "Replicas replaced at once.").or("1"),
        key("every", Value::Duration, "Time from batch to batch.").default(crate::scenario::defaults::ROLL_EVERY),
    ],
);
static KILL: Shape = Shape::new(
    "a kill",
    &[
        key("kill", Value::Name, "The feature that is killed."),
        AT,
        key("scope", Value::Object(&SCOPE), "Whom it reaches; without: everybody."),
        key("to", Value::Name, "The most it leaves.").or("the safe stage"),
        key("lift_after", Value::Duration, "When it is lifted again; without: never."),
    ],
);
static SCOPE: Shape = Shape::new(
    "a scope",
    &[
        key("region", Value::Name, "Tenants of this region."),
        key("tenant", integer(0, 999_999), "This tenant, by its number from 0."),
        key("journey", Value::Name, "Requests of this journey."),
    ],
);
static REPLAY: Shape = Shape::new(
    "a replay",
    &[
        key("replay", Value::ByKind(&REPLAYED), "The consumer group, `service/topic`, that reads again."),
        AT,
        key("from", Value::Duration, "From the records of this time on.").or("0s"),
    ],
);
static REPLAYED: crate::scenario::shape::ByKind =
    crate::scenario::shape::ByKind { scalar: Some(Value::Name), list: None, map: Some(Value::Object(&GROUP)) };
static GROUP: Shape = Shape::new("a replayed group", &[key("group", Value::Name, "The consumer group.").required()]);
static RANDOM: Shape = Shape::new(
    "random faults",
    &[
        key("random", NAMES, "Kinds of faults, each with its own process."),
        key("rate", Value::Rate, "How often each kind strikes.").required(),
        LASTS,
        key("from", Value::Duration, "From this time on.").or("0s"),
        key("until", Value::Duration, "Until this time.").or("the end of arrivals"),
        TARGET,
        REGION,
        COUNT,
        SHARE,
        BY,
    ],
);

static PAUSE: Shape =
    Shape::new("a pause", &[key("pause", Value::Name, "The feature whose plan somebody pauses."), AT]);
static RESUME: Shape =
    Shape::new("a resumption", &[key("resume", Value::Name, "The feature whose plan somebody resumes."), AT]);
static BACK: Shape =
    Shape::new("a step back", &[key("back", Value::Name, "The feature that somebody takes one step back."), AT]);
static BACK_ALL: Shape =
    Shape::new("a rollback", &[key("back_all", Value::Name, "The feature that somebody takes all the way back."), AT]);
static BYPASS: Shape = Shape::new(
    "a bypass",
    &[key("bypass", Value::Name, "The feature whose plan goes on without the approval it waits for."), AT],
);

pub static ENTRY: Kinds = Kinds {
    name: "an entry of the timeline",
    kinds: &[&FAULT, &DEPLOY, &KILL, &REPLAY, &RANDOM, &PAUSE, &RESUME, &BACK, &BACK_ALL, &BYPASS],
    words: &[],
};
