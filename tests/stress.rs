//! Estates under every fault at once: nothing panics, every run ends, nothing in flight is forgotten, and a seed
//! stays a seed. The estates are generated; what they have in common is that all faults are over long before the end.

mod common;

use common::{plan, run_once};
use std::collections::BTreeMap;
use windtunnel::models::estate::Happening;
use windtunnel::models::observation::{Kind, Observation};
use windtunnel::models::world::{Course, StepTimes, World};
use windtunnel::scenario::Plan;
use windtunnel::units::SimTime;

/// More than any of these runs needs: one that gets here goes round in circles.
const MOST_EVENTS: u64 = 2_000_000;

/// How many estates are tried.
const SHAPES: u64 = 200;

const TEMPLATE: &str = r#"
windtunnel: 1
name: stress
start: 2026-01-01T23:50:00Z
duration: 5m
drain: 20m
population:
  regions: { north: 60%, south: 40% }
  tenants: { count: 7, users: 50, traffic: { zipf: 1.0 } }
features:
  f: { stages: ["off", half, "on"], stale_after: 30s, when_unknown: { default: @unknown } }
network: { within: { p50: 1ms, p99: 5ms }, between: { p50: 30ms, p99: 90ms } }
defaults:
  service: { queue: @queue, takes: { p50: 8ms, p99: 60ms }, forwards: 90%, otherwise: @otherwise }
services:
  gate:
    replicas: { north: 2, south: 1 }
    sdk: @sdk
    edge: @edge
    operations:
      buy: [{ do: [{ call: shop.order, timeout: 800ms, retries: 2, backoff: 50ms }] }]
      look:
        - { when: 'stage == "off"', path: old, do: [{ call: shop.list, timeout: 300ms, times: 2, on_error: ignore }] }
        - { path: new, do: [{ set: seen }, { call: shop.list, timeout: 300ms, retries: 1 }] }
  shop:
    replicas: @replicas
    workers: @workers
    sdk: @sdk
    decides_from: @from
    operations:
      list: [{ do: [{ wait: 20ms }] }]
      order:
        - when: 'stage == "off"'
          path: old
          do: [{ effect: reserve }, { set: placed }, @hold { emit: orders, type: OrderPlaced, extra_copies: @copies }]
        - path: new
          do:
            - { call: pay.charge, timeout: 400ms, retries: 1 }
            - { effect: reserve, once: true }
            - { set: placed }
            - { emit: orders, type: OrderPlaced, domain_version: 2, outbox: 1s }
            - { emit: orders, type: Audited }
  pay:
    replicas: @replicas
    workers: @workers
    sdk: @sdk
    decides_from: @from
    operations:
      charge: [{ do: [{ fail: 10% }, { effect: charge, irreversible: true }] }]
  billing:
    replicas: @replicas
    sdk: @sdk
    decides_from: @from
    code: { 1: { understands: @understands }, 2: { understands: [1, 2] } }
    consumes:
      orders: { group: billing, client: @client, members: @members, takes: @takes, @batch, session_timeout: 6s, heartbeat: 1s, offset_reset: @reset }
    operations:
      "on OrderPlaced":
        - when: 'stage == "on"'
          path: new
          do: [{ call: pay.charge, timeout: 300ms, retries: 1 }, { effect: bill }, { emit: bills, type: Billed }]
        - { path: old, do: [{ effect: bill }, { set: billed }, @later { emit: bills, type: Billed, outbox: 300ms }] }
  ledger:
    replicas: @replicas
    sdk: @sdk
    code: { 1: { understands: @understands }, 2: {} }
    consumes:
      orders: { group: ledger, client: @client, takes: @takes, @batch, session_timeout: 8s, heartbeat: 2s }
      bills: { group: ledger, client: @client, members: @members, takes: @takes, @batch, session_timeout: 6s, heartbeat: 1s }
    operations:
      "on OrderPlaced": [{ do: [{ effect: post }] }]
      "on Billed": [{ do: [{ wait: 3ms }, { effect: post, once: true }] }]
topics:
  orders: { partitions: @partitions, key: @key }
  bills: { partitions: 3, carries: [domain_version] }
journeys:
  buy:
    arrivals: 6/s
    first: gate.buy
    feature: f
    entity: { name: order, transitions: { fresh: [placed], placed: [billed] } }
  look: { first: gate.look, feature: f, entity: { name: visit, per_subject: true, transitions: { fresh: [seen] } } }
users:
  crowd: { count: 5, think: 2s, journeys: { look: 3, buy: 1 } }
rollout:
  f:
    steps:
      - { name: half, at: 60s, move: [{ to: half, percent: 50% }], hold: 60s }
      - { name: all, move: [{ to: "on" }] }
timeline:
  - { at: f/half + 10s, deploy: { shop: 1, billing: 2 }, rolling: { batch: 1, every: @often } }
  - { at: 100s, deploy: { ledger: 2, pay: 1, gate: 1 } }
  - { at: 104s, deploy: { ledger: 2, billing: 1 } }
  - { at: 150s, kill: f, to: "off", scope: { region: north }, lift_after: 40s }
  - { at: f/all + 50s, kill: f, to: half }
  - { at: @when, fault: service.restart, target: @victim, replicas: 1 }
  - { at: @when, fault: service.crash, target: @victim, lasts: @often }
"#;

const CHOICES: &[(&str, &[&str])] = &[
    ("@unknown", &["fail_closed", "last_known_good", "{ fail_open: \"on\" }", "{ code_default: half }"]),
    ("@queue", &["0", "3", "100"]),
    ("@otherwise", &["park", "dead_letter", "fail", "{ process_as: 1 }"]),
    (
        "@sdk",
        &[
            "{ poll: 5s, timeout: 1s }",
            "{ poll: 7s, jitter: 0.3, backoff: { first: 200ms, most: 4s, jitter: true }, persist: true, alert_after: 20s }",
            "{ poll: 4s, backoff: { linear: 3 } }",
            "{ ttl: 3s, timeout: 500ms, persist: true }",
            "{ ttl: 3s, stale_while_revalidate: true }",
            "{ stream: \"true\", backoff: { first: 100ms, most: 5s } }",
            "{ remote: \"true\", timeout: 300ms }",
            "{ file: \"true\", backoff: { first: 1s } }",
        ],
    ),
    ("@edge", &["true", "false"]),
    ("@replicas", &["1", "2", "{ north: 2, south: 1 }"]),
    ("@workers", &["1", "3", "50"]),
    ("@from", &["[context, sdk, safe_stage]", "[sdk, safe_stage]", "[kill, entity, event, context, sdk]"]),
    (
        "@hold",
        &[
            "",
            "{ queue_until: { daily: \"23:58\" } },",
            "{ queue_until: { when: 'healthy(\"gate\")', looks_every: 2s, at_most: 20s, room: 5 } },",
        ],
    ),
    ("@later", &["", "{ queue_until: { daily: \"00:08\" } },"]),
    ("@copies", &["0", "1", "5"]),
    ("@client", &["kafka-java-3", "librdkafka-2"]),
    ("@members", &["1", "2", "5"]),
    ("@takes", &["0s", "2ms", "{ p50: 10ms, p99: 50ms }"]),
    // A poll interval that a whole batch does not exceed: otherwise a member never comes to an end, and rightly.
    (
        "@batch",
        &[
            "max_poll_records: 1, max_poll_interval: 3s",
            "max_poll_records: 30, max_poll_interval: 20s",
            "max_poll_records: 1000, max_poll_interval: 300s",
        ],
    ),
    ("@reset", &["earliest", "latest"]),
    ("@understands", &["[1]", "[1, 2]"]),
    ("@partitions", &["1", "4"]),
    ("@key", &["entity", "tenant", "none"]),
    ("@often", &["1s", "7s", "30s"]),
    ("@when", &["70s", "101s", "103s", "152s"]),
    ("@victim", &["shop", "billing", "ledger", "gate"]),
];

const FAULTS: [&str; 12] = [
    "control_plane.down",
    "control_plane.slow",
    "control_plane.stale",
    "service.crash",
    "service.restart",
    "consumer.pause",
    "consumer.stall",
    "network.partition",
    "link.slow",
    "link.loss",
    "context.strip",
    "cache.freeze",
];

/// Numbers for the generator (SplitMix64).
struct Dice(u64);

impl Dice {
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        of[((x ^ (x >> 31)) % of.len() as u64) as usize]
    }
}

/// The estate of a number: every `@` of the template is chosen by itself, and so are rate and length of each fault.
fn estate(shape: u64) -> String {
    let mut dice = Dice(shape);
    let mut text = TEMPLATE.to_owned();
    for (place, choices) in CHOICES {
        while text.contains(place) {
            text = text.replacen(place, dice.one(choices), 1);
        }
    }
    for fault in FAULTS {
        let rate = dice.one(&["120/h", "600/h", "20/h"]);
        let lasts = dice
            .one(&["{ exponential: { mean: 8s } }", "1s", "25s"])
            .replace("{ exponential: { mean: 8s } }", "exponential(mean=8s)");
        text += &format!("  - {{ random: [{fault}], rate: {rate}, lasts: {lasts}, from: 30s, until: 4m }}\n");
    }
    for group in ["billing/orders", "ledger/bills"] {
        let at = dice.one(&["", "160s", "101s"]);
        if !at.is_empty() {
            text += &format!("  - {{ at: {at}, replay: {group}, from: 50s }}\n");
        }
    }
    text
}

/// One run over the world itself: its digest, and what was left undone when it ended.
fn undone(plan: &Plan, seed: u64) -> (String, Vec<String>) {
    let estate = &*plan.estate;
    let mut wanted = [false; Kind::COUNT];
    for kind in [Kind::Arrived, Kind::Closed, Kind::Finished, Kind::Lag] {
        wanted[kind as usize] = true;
    }
    let mut world = World::assemble(estate, seed, Course::WithRollouts, wanted);
    let replays = estate.timeline.iter().any(|entry| matches!(entry.what, Happening::Replay { .. }));
    let mut open = BTreeMap::new();
    let mut lags = BTreeMap::new();
    let horizon = SimTime::from(estate.horizon());
    while world.step(estate, horizon) {
        assert!(world.cx().dispatched() < MOST_EVENTS, "it goes round in circles at {:?}", world.cx().now());
        for fact in world.cx().observations() {
            match fact.what {
                Observation::Arrived { interaction, .. } => {
                    assert!(interaction.replay == 0 || replays, "{interaction:?} is a replay that nobody asked for");
                    assert!(open.insert(interaction.place, (interaction, false)).is_none(), "a place is used twice");
                }
                Observation::Finished { interaction, .. } => {
                    let known = open.get_mut(&interaction.place).expect("only what is open is answered");
                    assert!(!std::mem::replace(&mut known.1, true), "a customer is answered once");
                }
                Observation::Closed { interaction, .. } => {
                    let (_, answered) = open.remove(&interaction.place).expect("only what is open is closed");
                    assert!(answered || interaction.replay > 0, "{interaction:?} is closed without an answer");
                }
                Observation::Lag { group, partition, end, committed } => {
                    lags.insert((group.as_u32(), partition), end - committed);
                }
                _ => unreachable!("nobody asked for it"),
            }
        }
    }
    let forgotten = open.into_values().map(|(interaction, _)| format!("{interaction:?} is open"));
    let behind = lags.into_iter().filter(|(_, lag)| *lag > 0).map(|(of, lag)| format!("{of:?} lags by {lag}"));
    (world.cx().digest().to_string(), forgotten.chain(behind).collect())
}

#[test]
fn whatever_goes_wrong_everything_is_done_in_the_end_and_a_seed_has_one_digest() {
    for shape in 0..SHAPES {
        let text = estate(shape);
        let plan = plan(&text);
        let seed = shape + 1;
        let (digest, left) = undone(&plan, seed);
        assert!(
            left.is_empty(),
            "shape {shape}: {} left: {:?}\n{text}",
            left.len(),
            left.iter().take(3).chain(left.iter().rev().take(8)).collect::<Vec<_>>()
        );
        if shape % 4 == 0 {
            assert_eq!(run_once(&plan, seed).summary.digest, digest, "shape {shape}");
        }
    }
}

/// What happens before the first step, as text, and when each step was.
fn before_the_first_step(plan: &Plan, seed: u64, course: Course) -> (Vec<String>, StepTimes) {
    let estate = &*plan.estate;
    let mut world = World::assemble(estate, seed, course, [true; Kind::COUNT]);
    let mut seen = Vec::new();
    while world.step(estate, SimTime::from_nanos(60_000_000_000 - 1)) {
        seen.extend(world.cx().observations().iter().map(|fact| format!("{fact:?}")));
    }
    while world.step(estate, SimTime::from(estate.duration)) {}
    (seen, world.step_times().clone())
}

#[test]
fn until_the_first_step_the_baseline_is_the_same_run() {
    for shape in 0..8 {
        let plan = plan(&estate(shape));
        let (observed, steps) = before_the_first_step(&plan, 7, Course::WithRollouts);
        let (baseline, _) = before_the_first_step(&plan, 7, Course::Baseline(steps));
        assert!(observed.len() > 1_000, "something happens: {}", observed.len());
        let differs = observed.iter().zip(&baseline).find(|(one, other)| one != other);
        assert!(differs.is_none() && observed.len() == baseline.len(), "shape {shape}: {differs:?}");
    }
}

#[test]
fn a_consumer_sets_aside_any_number_of_records_of_one_poll() {
    let text = "windtunnel: 1\nname: over\nduration: 1m\n\
        services:\n  source: { operations: { make: [{ do: [{ emit: records, type: Made, domain_version: 2, extra_copies: 9 }] }] } }\n  \
        worker:\n    code: { 1: { understands: [1] } }\n    consumes: { records: { max_poll_records: 100000 } }\n    operations: { \"on Made\": [] }\n\
        topics: { records: {} }\njourneys: { made: { arrivals: 100/s, first: source.make } }\n\
        timeline: [{ at: 0s, fault: consumer.pause, target: worker/records, lasts: 50s }]\n";
    let (_, left) = undone(&plan(text), 1);
    assert!(left.is_empty(), "{:?}", left.first());
}
