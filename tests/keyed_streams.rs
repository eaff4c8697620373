//! Chance is keyed by identity and purpose: what is added elsewhere changes no stream, and variants of one scenario
//! meet the same customers, the same service times and the same faults. Compared are the sequences themselves.

mod common;

use common::{plan_with, scenario, shipped};
use std::collections::BTreeMap;
use windtunnel::kernel::Draw;
use windtunnel::models::identity::Account;
use windtunnel::models::observation::{Kind, Observation};
use windtunnel::models::streams::StreamNames;
use windtunnel::models::world::{Course, World};
use windtunnel::run::{Keep, Limits, RunSpec, Walk};
use windtunnel::scenario::{Plan, Request};
use windtunnel::units::SimTime;

/// Addresses of draws and the words drawn there, in order.
type Sequence = Vec<((u64, u64), u64)>;

/// Everything drawn in a run, by stream: address and word in order.
fn draws_by_stream(plan: &Plan, seed: u64) -> BTreeMap<String, Sequence> {
    let mut walk = Walk::new(plan, &RunSpec::of(seed), Limits::default(), Keep::Deeds);
    let names: StreamNames = walk.stream_names();
    let mut known: Vec<(windtunnel::kernel::StreamKey, String)> = Vec::new();
    let mut found: BTreeMap<String, Sequence> = BTreeMap::new();
    while walk.next_checkpoint().is_some() {
        for Draw { key, address, word } in walk.deeds().iter().flat_map(|deed| &deed.draws) {
            let name = match known.iter().find(|(of, _)| of == key) {
                Some((_, name)) => name.clone(),
                None => {
                    known.push((*key, names.text(*key)));
                    names.text(*key)
                }
            };
            found.entry(name).or_default().push((*address, *word));
        }
    }
    found
}

/// Every event of a run with its moment, as the digest knows it: by names.
fn events(plan: &Plan, seed: u64) -> Vec<(SimTime, Account)> {
    let mut walk = Walk::new(plan, &RunSpec::of(seed), Limits::default(), Keep::Deeds);
    let mut found = Vec::new();
    while walk.next_checkpoint().is_some() {
        found.extend(walk.deeds().iter().map(|deed| (deed.at, deed.event.clone())));
    }
    found
}

/// All observations of some kinds, by names: no table's order, no number of an observation.
fn observed(plan: &Plan, seed: u64, kinds: &[Kind]) -> Vec<String> {
    let estate = &*plan.estate;
    let mut world = World::assemble(estate, seed, Course::WithRollouts, Kind::ALL.map(|kind| kinds.contains(&kind)));
    let mut lines = Vec::new();
    loop {
        for fact in world.cx().observations() {
            // A replay's interaction is no customer's arrival.
            if fact.what.interaction().is_some_and(|of| of.replay > 0) {
                continue;
            }
            let of = fact.what.interaction().map(|of| (estate.journeys[of.journey].name.as_str(), of.n));
            let what = match fact.what {
                Observation::Arrived { tenant, user, .. } => format!("tenant {tenant} user {user}"),
                Observation::Finished { outcome, latency, .. } => format!("{outcome:?} after {}", latency.nanos()),
                Observation::Decided(decided) => {
                    format!("{} {:?}", estate.services[decided.service].name, decided.stage)
                }
                Observation::Called { operation, replica, attempt, .. } => {
                    format!("{} {} {attempt}", estate.operations[operation].name, estate.replicas[replica].name)
                }
                Observation::FaultStarted { entry } | Observation::FaultEnded { entry } => {
                    estate.timeline[entry as usize].label.clone()
                }
                other => panic!("this test knows no {other:?}"),
            };
            lines.push(format!("{} {of:?} {:?} {what}", fact.at.nanos(), fact.what.kind()));
        }
        if !world.step(estate, SimTime::from(estate.horizon())) {
            return lines;
        }
    }
}

/// A scenario's plan for its first three minutes, in which its rollout takes place.
fn short(text: &str) -> Plan {
    plan_with(text, None, &["duration=3m"])
}

const OF_CUSTOMERS: [Kind; 4] = [Kind::Arrived, Kind::Finished, Kind::Decided, Kind::Called];

/// What both runs drew from the streams of the first.
fn assert_same_streams(less: &Plan, more: &Plan, seed: u64) {
    let (before, after) = (draws_by_stream(less, seed), draws_by_stream(more, seed));
    assert!(before.len() >= 5, "there is chance to compare: {:?}", before.keys());
    for (stream, draws) in &before {
        assert_eq!(after.get(stream), Some(draws), "{stream}");
    }
}

#[test]
fn an_unrelated_service_changes_no_other_draw_no_other_event_and_no_decision() {
    let text = shipped("split-brain.yaml");
    let more = text.replacen("services:\n", "services:\n  aardvark: { replicas: 2, sdk: { poll: 7s } }\n", 1);
    assert_ne!(text, more);
    let (without, with) = (short(&text), short(&more));
    assert_same_streams(&without, &with, 4);
    assert_eq!(observed(&without, 4, &OF_CUSTOMERS), observed(&with, 4, &OF_CUSTOMERS));
    let (before, mut after) = (events(&without, 4), events(&with, 4));
    after.retain(|(_, event)| !event.about.contains("aardvark"));
    assert!(before == after, "the other events are the same, by name, in the same order");
}

#[test]
fn a_fault_that_hits_nothing_and_a_further_invariant_change_no_draw() {
    let text = shipped("split-brain.yaml");
    let fault =
        format!("{text}\ntimeline:\n  - {{ at: 150s, fault: link.slow, target: billing, by: 0s, lasts: 1s }}\n");
    let (without, with) = (short(&text), short(&fault));
    assert_same_streams(&without, &with, 4);
    assert_eq!(observed(&without, 4, &OF_CUSTOMERS), observed(&with, 4, &OF_CUSTOMERS));
    let checked = plan_with(&text, None, &["expect.convergence=holds", "duration=3m"]);
    assert_same_streams(&without, &checked, 4);
}

#[test]
fn a_further_draw_in_one_place_moves_no_other() {
    let text = shipped("split-brain.yaml");
    // Lossy links draw once more for each message to one service, and lose none.
    let lossy = format!(
        "{text}\ntimeline:\n  - {{ at: 0s, fault: link.loss, target: billing, share: 0.000001%, lasts: 10m }}\n"
    );
    let (without, with) = (short(&text), short(&lossy));
    let (before, after) = (draws_by_stream(&without, 4), draws_by_stream(&with, 4));
    let moved: Vec<&String> = before.keys().filter(|stream| after[*stream] != before[*stream]).collect();
    assert!(moved.iter().all(|stream| stream.starts_with("latency to billing.")), "{moved:?}");
    assert!(!moved.is_empty(), "the draw is there");
    assert_eq!(observed(&without, 4, &OF_CUSTOMERS), observed(&with, 4, &OF_CUSTOMERS));
}

/// The variants of a scenario, the base first.
fn variants(text: &str, set: &[String]) -> Vec<Plan> {
    let scenario = scenario(text);
    let names = scenario.variants();
    let all = std::iter::once(None).chain(names.iter().map(|name| Some(name.as_str())));
    all.map(|variant| scenario.plan(&Request { variant, set }).expect("it is shipped").plan).collect()
}

#[test]
fn variants_meet_the_same_arrivals_and_the_same_customers() {
    for name in ["split-brain.yaml", "control-plane-outage.yaml", "consumer-lag.yaml", "semantic-mismatch.yaml"] {
        let plans = variants(&shipped(name), &[]);
        let arrivals = observed(&plans[0], 9, &[Kind::Arrived]);
        assert!(arrivals.len() > 100, "{name}: {} arrivals", arrivals.len());
        for plan in &plans[1..] {
            if plan.estate.duration == plans[0].estate.duration {
                assert!(observed(plan, 9, &[Kind::Arrived]) == arrivals, "{name}:{}", plan.variant);
            }
        }
    }
}

#[test]
fn variants_give_one_call_the_same_time_however_they_got_there() {
    // By address, because a variant may make other calls besides, or fewer.
    let by_address = |plan: &Plan| -> BTreeMap<(String, (u64, u64)), u64> {
        let streams = draws_by_stream(plan, 9).into_iter().filter(|(name, _)| {
            ["service time of", "latency to", "arrivals of", "subject of"]
                .iter()
                .any(|purpose| name.starts_with(purpose))
        });
        streams.flat_map(|(name, draws)| draws.into_iter().map(move |(at, word)| ((name.clone(), at), word))).collect()
    };
    let mut common = 0;
    let short = ["duration=3m".to_owned()];
    for plans in [variants(&shipped("split-brain.yaml"), &short), variants(&shipped("consumer-lag.yaml"), &[])] {
        let base = by_address(&plans[0]);
        for plan in &plans[1..] {
            for (at, word) in by_address(plan) {
                if let Some(known) = base.get(&at) {
                    assert_eq!(*known, word, "{}: {at:?}", plan.variant);
                    common += 1;
                }
            }
        }
    }
    assert!(common > 10_000, "{common} draws are made by both");
}

#[test]
fn variants_meet_the_same_random_faults() {
    let text = "windtunnel: 1\nname: faults\nduration: 20m\n\
        features: { f: { stages: [\"off\", \"on\"] } }\n\
        services:\n  a: { replicas: 3, sdk: { poll: 10s } }\n  b: { replicas: 3, sdk: { poll: 10s } }\n\
        journeys: { j: { arrivals: 2/s, calls: [a, b], feature: f } }\n\
        rollout: { f: { steps: [{ at: 5m, move: [{ to: \"on\" }] }] } }\n\
        timeline:\n  - { random: [service.crash], rate: 30/h, lasts: { mean: 20s } }\n  - { random: [link.slow], rate: 30/h, by: 200ms, lasts: { mean: 20s } }\n\
        variants:\n  slow: { services: { a: { sdk: { poll: 60s } } } }\n  edge: { services: { a: { edge: true } } }\n";
    let kinds = [Kind::FaultStarted, Kind::FaultEnded];
    let plans = variants(text, &[]);
    let faults = observed(&plans[0], 3, &kinds);
    assert!(faults.len() > 4, "{faults:?}");
    for plan in &plans[1..] {
        assert_eq!(observed(plan, 3, &kinds), faults, "{}", plan.variant);
    }
}
