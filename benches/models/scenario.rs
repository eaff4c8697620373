//! Scenarios as benchmarks run them: the shipped split-brain one, or a text; read like any file, run as a campaign does.

use std::sync::atomic::AtomicBool;
use windtunnel::run::summary::RunSummary;
use windtunnel::run::{Detail, Limits, run};
use windtunnel::scenario::{Plan, Request, Scenario};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/split-brain.yaml");

/// The file's plan, with arrivals for so many seconds.
pub fn plan(variant: Option<&str>, seconds: u64) -> Plan {
    plan_with(variant, &[&format!("duration={seconds}s")])
}

/// The plan of a text that includes nothing.
pub fn plan_of(text: &str) -> Plan {
    plan_from(text.as_bytes(), None, &[])
}

/// The file's plan with `--set`s.
pub fn plan_with(variant: Option<&str>, set: &[&str]) -> Plan {
    plan_from(&std::fs::read(FILE).expect("the scenario is shipped"), variant, set)
}

fn plan_from(text: &[u8], variant: Option<&str>, set: &[&str]) -> Plan {
    let mut none = |path: &str| Err(format!("{path}: the scenario includes nothing"));
    let set: Vec<String> = set.iter().map(|one| (*one).to_owned()).collect();
    let scenario = Scenario::read("scenario.yaml", text, &mut none).unwrap_or_else(|problems| panic!("{problems}"));
    scenario.plan(&Request { variant, set: &set }).unwrap_or_else(|problems| panic!("{problems}")).plan
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
