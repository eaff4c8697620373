//! What the integration tests share: scenarios from text, run through the ordinary engine.

#![allow(dead_code, reason = "every test binary uses its own part")]

pub mod counting;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use windtunnel::models::estate::Estate;
use windtunnel::models::observation::{Kind, Observed};
use windtunnel::models::world::{Course, World};
use windtunnel::run::{Completed, Detail, Limits, run};
use windtunnel::scenario::{Plan, Request, Scenario};
use windtunnel::units::SimTime;

/// The scenario in `text`, without other files.
pub fn scenario(text: &str) -> Scenario {
    let mut none = |path: &str| Err(format!("{path}: a test has no other files"));
    match Scenario::read("test.yaml", text.as_bytes(), &mut none) {
        Ok(scenario) => scenario,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

/// The plan of a text with `--set`s.
pub fn plan_with(text: &str, variant: Option<&str>, set: &[&str]) -> Plan {
    let set: Vec<String> = set.iter().map(|one| (*one).to_owned()).collect();
    match scenario(text).plan(&Request { variant, set: &set }) {
        Ok(loaded) => loaded.plan,
        Err(diagnostics) => panic!("{diagnostics}"),
    }
}

pub fn plan(text: &str) -> Plan {
    plan_with(text, None, &[])
}

/// One run.
pub fn run_once(plan: &Plan, seed: u64) -> Completed {
    run(plan, seed, Limits::default(), &Detail::Summary, &AtomicBool::new(false)).expect("nobody stops it")
}

/// A shipped scenario's text.
pub fn shipped(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// Everything observed in one run of a text.
pub fn observe(text: &str, seed: u64) -> (Arc<Estate>, Vec<Observed>) {
    let estate = plan(text).estate;
    let mut world = World::assemble(&estate, seed, Course::WithRollouts, [true; Kind::COUNT]);
    let mut seen = Vec::new();
    while world.step(&estate, SimTime::from(estate.horizon())) {
        seen.extend_from_slice(world.cx().observations());
    }
    (estate, seen)
}

/// What is told of a text that cannot be planned; nothing of one that can.
pub fn told(text: &str) -> String {
    match scenario(text).plan(&Request::default()) {
        Ok(_) => String::new(),
        Err(problems) => problems.to_string(),
    }
}
