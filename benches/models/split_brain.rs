//! The shipped split-brain scenario, read from its file and run as a campaign runs it.

use std::sync::atomic::AtomicBool;
use windtunnel::run::summary::RunSummary;
use windtunnel::run::{Detail, Limits, run};
use windtunnel::scenario::{Plan, Request, Scenario};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/split-brain.yaml");

/// The file's plan, with arrivals for so many seconds.
pub fn plan(variant: Option<&str>, seconds: u64) -> Plan {
    plan_with(variant, &[&format!("duration={seconds}s")])
}

/// The file's plan with `--set`s.
pub fn plan_with(variant: Option<&str>, set: &[&str]) -> Plan {
    let text = std::fs::read(FILE).expect("the scenario is shipped");
    let mut none = |path: &str| Err(format!("{path}: the scenario includes nothing"));
    let set: Vec<String> = set.iter().map(|one| (*one).to_owned()).collect();
    let scenario = Scenario::read("split-brain.yaml", &text, &mut none).expect("the scenario is sound");
    scenario.plan(&Request { variant, set: &set }).expect("the scenario is sound").plan
}

/// One seed, with all default checkers, metrics and the digest, and the run without the rollout where a violation asks
/// for it.
pub fn run_once(plan: &Plan, seed: u64) -> RunSummary {
    let stop = AtomicBool::new(false);
    run(plan, seed, Limits::default(), &Detail::Summary, &stop).expect("nobody stops it").summary
}

/// A metric of a run.
pub fn metric(summary: &RunSummary, name: &str) -> f64 {
    summary.metrics.iter().find(|metric| metric.name == name).expect("the metric is known").value
}
