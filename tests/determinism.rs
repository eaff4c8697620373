//! The determinism contract: one scenario, one seed, one digest, wherever and however it is run. (That chance is keyed:
//! `keyed_streams.rs`; forks: `fork.rs`; other processes: `replay.rs`; the digests in git: `golden_digests.rs`.)

mod common;

use common::{plan, plan_with, run_once, shipped};
use std::sync::atomic::AtomicBool;
use windtunnel::campaign::{Orders, Seeds, Unrecorded, run_variant};
use windtunnel::run::walk::WINDOW;
use windtunnel::run::{Detail, Keep, Limits, RunSpec, Walk, run};

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
    let with = |jobs| {
        run_variant(
            plan.clone(),
            &Seeds::all(1..7),
            &Orders { exhibit: true, ..Orders::new(jobs, &stop) },
            &mut Unrecorded,
        )
    };
    let (one, two) = (with(1), with(2));
    let digests = |outcome: &windtunnel::campaign::VariantOutcome| -> Vec<(u64, String)> {
        outcome.runs.iter().map(|run| (run.seed, run.digest.clone())).collect()
    };
    assert_eq!(digests(&one), digests(&two));
    assert_eq!(format!("{:?}", one.runs), format!("{:?}", two.runs));
}

#[test]
fn a_walk_in_windows_comes_to_the_digest_of_the_run_whether_or_not_its_deeds_are_kept() {
    let plan = plan(&shipped("consumer-lag.yaml"));
    let ran = run_once(&plan, 3).summary;
    for keep in [Keep::Nothing, Keep::Deeds] {
        let mut walk = Walk::new(&plan, &RunSpec::of(3), Limits::default(), keep);
        let mut checkpoints = Vec::new();
        while let Some(checkpoint) = walk.next_checkpoint() {
            assert!(walk.deeds().len() as u64 <= WINDOW, "no more than a window is ever kept");
            checkpoints.push(checkpoint);
        }
        let end = checkpoints.pop().expect("there is one at the end");
        assert_eq!((end.events, end.draws, end.at), (ran.events, ran.draws, ran.end));
        assert_eq!(end.digest.to_string(), ran.digest);
        assert_eq!(checkpoints.len() as u64, ran.events / WINDOW);
        assert!(checkpoints.iter().zip(1..).all(|(checkpoint, n)| checkpoint.events == n * WINDOW));
    }
}

#[test]
fn a_run_that_hits_its_limit_of_events_is_walked_as_far() {
    let plan = plan(&shipped("split-brain.yaml"));
    let limits = Limits { events: 10_000 };
    let ran = run(&plan, 1, limits, &Detail::Summary, &AtomicBool::new(false)).expect("nobody stops it").summary;
    let walked = Walk::new(&plan, &RunSpec::of(1), limits, Keep::Nothing).to_end();
    assert!(ran.cut_short);
    assert_eq!((walked.events, walked.at, walked.digest.to_string()), (10_000, ran.end, ran.digest));
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
