//! No allocation per dispatched event once a run has warmed up, all default checkers and metrics on.

mod common;

use common::counting::{Counting, allocated};
use common::shipped;
use std::sync::atomic::AtomicBool;
use windtunnel::run::{Detail, Limits, run};
use windtunnel::scenario::{Plan, Request, Scenario};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Events and allocations of one run.
fn counted(plan: &Plan) -> (u64, u64) {
    let before = allocated();
    let run = run(plan, 1, Limits::default(), &Detail::Summary, &AtomicBool::new(false)).expect("nobody stops it");
    (run.summary.events, allocated() - before)
}

/// Allocations per event that a longer run has more than a shorter one: what an event costs once both are warm.
fn per_event(plan: impl Fn(&str) -> Plan, short: &str, long: &str) -> f64 {
    let (short, long) = (counted(&plan(short)), counted(&plan(long)));
    assert!(long.0 > short.0 + 50_000, "{} and {} events are too few to tell", short.0, long.0);
    (long.1 as f64 - short.1 as f64) / (long.0 - short.0) as f64
}

/// What pools and accounts of violations that double now and then come to.
const DOUBLING: f64 = 1e-4;
/// Where consumers lag, the longer run has higher peaks, and each place in a pool is made when it is first needed.
const HIGHER_PEAKS: f64 = 0.006;

#[test]
fn events_after_warm_up_allocate_nothing() {
    for (name, variant, short, long, most) in [
        ("split-brain.yaml", None, "duration=8m", "duration=24m", DOUBLING),
        ("split-brain.yaml", Some("edge-context"), "duration=8m", "duration=24m", DOUBLING),
        ("consumer-lag.yaml", None, "duration=20m", "duration=60m", HIGHER_PEAKS),
        ("control-plane-outage.yaml", None, "duration=20m", "duration=60m", DOUBLING),
        ("semantic-mismatch.yaml", None, "duration=180h", "duration=360h", DOUBLING),
        ("otel-demo/otel-demo.yaml", None, "duration=100m", "duration=200m", HIGHER_PEAKS),
    ] {
        let text = shipped(name);
        let plan = |duration: &str| {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
            let mut beside = |path: &str| std::fs::read(folder.with_file_name(path)).map_err(|why| why.to_string());
            let scenario = Scenario::read(name, text.as_bytes(), &mut beside).unwrap_or_else(|why| panic!("{why}"));
            let set = [duration.to_owned()];
            scenario.plan(&Request { variant, set: &set }).unwrap_or_else(|why| panic!("{why}")).plan
        };
        let allocations = per_event(plan, short, long);
        assert!(allocations < most, "{name} {variant:?}: {allocations} allocations per event");
    }
}
