//! Idle costs nothing where it can be exact: a run whose idle polls are left out has the observations of one in which
//! every poll is an event.

mod common;

use common::{plan, plan_with, shipped};
use windtunnel::models::observation::{Kind, Observation};
use windtunnel::models::world::{Course, World};
use windtunnel::scenario::Plan;
use windtunnel::units::{SimDuration, SimTime};

/// What was seen, but for the questions; how many of these each replica asked; and the number of events.
struct Seen {
    facts: Vec<String>,
    questions: Vec<u64>,
    events: u64,
}

/// A run with every poll an event, or without those that can find nothing; forked at a moment where one is given.
fn seen(plan: &Plan, seed: u64, every_poll: bool, fork: Option<SimDuration>) -> Seen {
    let estate = &*plan.estate;
    let mut world = World::assemble(estate, seed, Course::WithRollouts, [true; Kind::COUNT]);
    if every_poll {
        world.take_every_poll();
    }
    let mut seen = Seen { facts: Vec::new(), questions: vec![0; estate.replicas.len()], events: 0 };
    let mut take = |world: &World| {
        for fact in world.cx().observations() {
            match fact.what {
                Observation::Asked { replica, questions, .. } => seen.questions[replica.index()] += questions,
                what => seen.facts.push(format!("{:?} {what:?}", fact.at)),
            }
        }
    };
    take(&world);
    let end = SimTime::from(estate.horizon());
    let mut up_to = fork.map_or(end, SimTime::from);
    loop {
        if world.step(estate, up_to) {
            take(&world);
        } else if up_to < end {
            world.fork(estate, SimTime::from(up_to.since_start() + SimDuration::from_nanos(1)), 9);
            take(&world);
            up_to = end;
        } else {
            break;
        }
    }
    world.catch_up_all(estate, end);
    take(&world);
    seen.events = world.cx().dispatched();
    seen
}

fn same(what: &str, plan: &Plan, fork: Option<SimDuration>) -> (u64, u64) {
    let (mut fewer, mut all) = (0, 0);
    for seed in 1..=3 {
        let (short, whole) = (seen(plan, seed, false, fork), seen(plan, seed, true, fork));
        let differing = short.facts.iter().zip(&whole.facts).find(|(short, whole)| short != whole);
        assert_eq!(differing, None, "{what}, seed {seed}");
        assert_eq!(short.facts.len(), whole.facts.len(), "{what}, seed {seed}");
        assert_eq!(short.questions, whole.questions, "{what}, seed {seed}: questions by replica");
        fewer += short.events;
        all += whole.events;
    }
    (fewer, all)
}

/// Twelve hours in two regions; everything that can make a poll go otherwise happens to replicas that rest, and
/// decisions ask how fresh they are.
const EVENTFUL: &str = "windtunnel: 1\nname: eventful\nduration: 12h\n\
    population: { regions: { eu: 60%, us: 40% } }\n\
    control_plane: { home: eu, replication: { us: 90s }, latency: { p50: 20ms, p99: 60ms } }\n\
    features: { f: { stages: [\"off\", \"on\"], stale_after: 5s } }\n\
    services:\n\
    \x20 a: { replicas: { eu: 3, us: 2 }, sdk: { poll: 10s, alert_after: 25s, persist: true } }\n\
    \x20 b: { replicas: { eu: 2, us: 2 }, sdk: { poll: 7s, jitter: 0.3, backoff: { first: 1s, jitter: true } } }\n\
    \x20 c: { replicas: { eu: 2, us: 1 }, code: { 1: {}, 2: {} }, sdk: { poll: 11s, backoff: { linear: 5 } } }\n\
    journeys: { j: { arrivals: 40/h, calls: [a, b, c], feature: f, completes_within: 10m } }\n\
    rollout: { f: { steps: [{ at: 2h, move: [{ to: \"on\", percent: 50% }] }, { at: 8h, move: [{ to: \"on\" }] }] } }\n\
    timeline:\n\
    \x20 - { at: 3h, fault: control_plane.down, region: eu, lasts: 3m }\n\
    \x20 - { at: 4h, fault: control_plane.slow, by: 400ms, lasts: 20m }\n\
    \x20 - { at: 5h, fault: control_plane.stale, region: us, lasts: 2h }\n\
    \x20 - { at: 6h, kill: f, to: \"off\", lift_after: 30m }\n\
    \x20 - { at: 7h, fault: service.crash, target: a, replicas: 2, lasts: 4m }\n\
    \x20 - { at: 9h, deploy: { c: 2 }, rolling: { batch: 1, every: 3m } }\n\
    \x20 - { at: 7h30m, fault: cache.freeze, target: a, region: us, lasts: 45m }\n\
    \x20 - { at: 7h45m, fault: cache.freeze, target: b, replicas: 2, lasts: 2m }\n\
    \x20 - { at: 10h, fault: service.restart, target: b, replicas: 3 }\n";

#[test]
fn polls_left_out_change_no_observation_and_no_count_of_questions() {
    let (fewer, all) = same("eventful", &plan(EVENTFUL), None);
    assert!(fewer * 2 < all, "{fewer} events instead of {all}");
}

#[test]
fn polls_left_out_across_a_fork_change_nothing_either() {
    same("eventful", &plan(EVENTFUL), Some(SimDuration::from_secs(5_000)));
}

#[test]
fn shipped_scenarios_are_the_same_with_every_poll_an_event() {
    for name in ["semantic-mismatch.yaml", "irreversible.yaml"] {
        same(name, &plan(&shipped(name)), None);
    }
    let set = ["duration=90m", "journeys.refund.arrivals=1/s"];
    same("restart", &plan_with(&shipped("control-plane-outage.yaml"), Some("restart"), &set), None);
}
