//! The determinism contract: one scenario, one seed, one digest, wherever and however it is run.

mod common;

use common::{plan, plan_with, run_once, scenario, shipped};
use std::sync::atomic::AtomicBool;
use windtunnel::campaign::run_variant;
use windtunnel::run::{Detail, Limits, run};
use windtunnel::scenario::Request;

const SHIPPED: [&str; 4] =
    ["split-brain.yaml", "consumer-lag.yaml", "control-plane-outage.yaml", "semantic-mismatch.yaml"];

#[test]
fn a_seed_gives_one_digest_twice_and_another_seed_gives_another() {
    for name in SHIPPED {
        let plan = plan(&shipped(name));
        let (once, again, other) = (run_once(&plan, 1), run_once(&plan, 1), run_once(&plan, 2));
        assert_eq!(once.summary.digest, again.summary.digest, "{name}");
        assert_eq!((once.summary.events, once.summary.draws), (again.summary.events, again.summary.draws), "{name}");
        assert_ne!(once.summary.digest, other.summary.digest, "{name}");
    }
}

#[test]
fn one_and_two_jobs_give_the_same_runs_in_the_same_order() {
    let plan = plan(&shipped("consumer-lag.yaml"));
    let stop = AtomicBool::new(false);
    let with = |jobs| run_variant(plan.clone(), 1..7, jobs, Limits::default(), &stop, false, &|| {});
    let (one, two) = (with(1), with(2));
    let digests = |outcome: &windtunnel::campaign::VariantOutcome| -> Vec<(u64, String)> {
        outcome.runs.iter().map(|run| (run.seed, run.digest.clone())).collect()
    };
    assert_eq!(digests(&one), digests(&two));
    assert_eq!(format!("{:?}", one.runs), format!("{:?}", two.runs));
}

#[test]
fn what_is_observed_changes_nothing() {
    let plan = plan(&shipped("consumer-lag.yaml"));
    let stop = AtomicBool::new(false);
    let detail = Detail::Exhibit { buckets: 10, keep: Vec::new() };
    let seen = run(&plan, 3, Limits::default(), &detail, &stop).expect("nobody stops it");
    assert_eq!(seen.summary.digest, run_once(&plan, 3).summary.digest);
}

#[test]
fn the_order_of_keys_changes_neither_hash_nor_digest() {
    let forth = "windtunnel: 1\nname: keys\nduration: 3m\nfeatures: { f: { stages: [\"off\", \"on\"] } }\n\
        services:\n  b: { replicas: 2, sdk: { poll: 10s } }\n  a: { sdk: { poll: 10s }, replicas: 2 }\n\
        journeys: { j: { arrivals: 5/s, calls: [a, b], feature: f } }\n\
        rollout: { f: { steps: [{ at: 1m, move: [{ to: \"on\" }] }] } }\n";
    let back = "name: keys\nwindtunnel: 1\nrollout: { f: { steps: [{ move: [{ to: \"on\" }], at: 1m }] } }\n\
        journeys: { j: { feature: f, calls: [a, b], arrivals: 5/s } }\n\
        services:\n  a: { replicas: 2, sdk: { poll: 10s } }\n  b: { sdk: { poll: 10s }, replicas: 2 }\n\
        features: { f: { stages: [\"off\", \"on\"] } }\nduration: 3m\n";
    let (forth, back) = (plan(forth), plan(back));
    assert_eq!(forth.hash, back.hash);
    assert_eq!(run_once(&forth, 5).summary.digest, run_once(&back, 5).summary.digest);
}

#[test]
fn an_unrelated_service_leaves_every_other_stream_alone() {
    let text = shipped("split-brain.yaml");
    let more = text.replacen("services:\n", "services:\n  aardvark: { replicas: 2, sdk: { poll: 7s } }\n", 1);
    assert_ne!(text, more);
    let (without, with) = (run_once(&plan(&text), 4), run_once(&plan(&more), 4));
    // Arrivals, service times and decisions of the others: every metric that no new service takes part in.
    for metric in
        ["interactions.count", "mixed_interactions.count", "latency.p50", "latency.p99", "new_path_effects.count"]
    {
        assert_eq!(without.summary.metric(metric), with.summary.metric(metric), "{metric}");
    }
    assert_ne!(without.summary.digest, with.summary.digest, "the new service's own polls are in the digest");
}

#[test]
fn a_fault_that_hits_nothing_changes_no_arrival_and_no_latency() {
    let text = shipped("split-brain.yaml");
    let more = format!("{text}\ntimeline:\n  - {{ at: 9m, fault: link.slow, target: billing, by: 0s, lasts: 1s }}\n");
    let (without, with) = (run_once(&plan(&text), 4), run_once(&plan(&more), 4));
    for metric in ["interactions.count", "mixed_interactions.count", "latency.p99"] {
        assert_eq!(without.summary.metric(metric), with.summary.metric(metric), "{metric}");
    }
}

#[test]
fn variants_of_one_scenario_see_the_same_customers() {
    let text = shipped("split-brain.yaml");
    let scenario = scenario(&text);
    let set: [String; 0] = [];
    let of = |variant| scenario.plan(&Request { variant, set: &set }).expect("it is shipped").plan;
    let (base, edge) = (run_once(&of(None), 9), run_once(&of(Some("edge-context")), 9));
    assert_eq!(base.summary.metric("interactions.count"), edge.summary.metric("interactions.count"));
    assert_eq!(base.summary.metric("latency.p99"), edge.summary.metric("latency.p99"));
}

#[test]
fn a_parameter_changes_what_it_names_and_nothing_else() {
    let text = shipped("split-brain.yaml");
    let slower = plan_with(&text, None, &["services.billing.sdk.poll=60s"]);
    let (base, slower) = (run_once(&plan(&text), 2), run_once(&slower, 2));
    assert_eq!(base.summary.metric("latency.p99"), slower.summary.metric("latency.p99"));
    assert_ne!(base.summary.metric("mixed_interactions.count"), slower.summary.metric("mixed_interactions.count"));
}

#[test]
fn memory_follows_what_is_in_flight_and_not_what_was_served() {
    use windtunnel::models::observation::Kind;
    use windtunnel::models::world::{Course, World};
    use windtunnel::units::SimTime;
    let places = |duration: &str| {
        let plan = plan_with(&shipped("split-brain.yaml"), Some("edge-context"), &[duration]);
        let estate = &*plan.estate;
        let mut world = World::assemble(estate, 1, Course::WithRollouts, [false; Kind::COUNT]);
        while world.step(estate, SimTime::from(estate.horizon())) {}
        world.places()
    };
    let (short, long) = (places("duration=4m"), places("duration=40m"));
    for (short, long) in short.into_iter().zip(long) {
        assert!(long <= short + short / 2 + 8, "ten times the requests need {long} places instead of {short}");
    }
}
