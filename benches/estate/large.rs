//! A large estate: 1,000 services of 28 replicas, call trees with a heavy tail, a few hot services.

use crate::common::rounds::short;
use crate::common::{Contender, Cost, Options, Page, Table, interleave};
use crate::models::scenario::{metric, plan_of, run_once};
use std::fmt::Write;
use windtunnel::kernel::StreamKey;
use windtunnel::kernel::distribution::normal_quantile;

/// The shape of the estate: spans per request with a median of 13 and a 99th percentile of 1,000 (lognormal), cut at
/// 5,000; one service in twenty is hot and takes half of all calls.
const SERVICES: u64 = 1_000;
const REPLICAS: u64 = 28;
const JOURNEYS: u64 = 200;
const MEDIAN: f64 = 13.0;
const P99: f64 = 1_000.0;
const CAP: f64 = 5_000.0;
const HOT_SERVICES: u64 = SERVICES / 20;
/// Each operation calls up to so many others.
const CALLS: u64 = 8;

pub fn measure(options: &Options, page: &mut Page) {
    if !options.wants("large") {
        return;
    }
    let seconds = options.scaled(60).max(5);
    let sizes: Vec<u64> = (0..JOURNEYS).map(spans).collect();
    let text = scenario(&sizes, seconds);
    let mut plan = None;
    let reading = Cost::of_work(|| {
        plan = Some(plan_of(&text));
        1
    });
    let plan = plan.expect("it was just read");
    let first = run_once(&plan, 1);
    let rounds =
        interleave(options.rounds, vec![Contender::new("run", || Cost::of_work(|| run_once(&plan, 1).events))]);
    let mut table = Table::new(
        format!("A large estate: {SERVICES} services of {REPLICAS} replicas, {seconds} s of 100 requests/s"),
        &["what", "figure"],
    );
    let mut sorted = sizes.clone();
    sorted.sort_unstable();
    let quantile = |q: f64| sorted[((sorted.len() as f64 * q) as usize).min(sorted.len() - 1)].to_string();
    let cost = rounds.cost("run");
    for (what, figure) in [
        ("spans per request: median, 99th percentile, most", {
            format!("{}, {}, {}", quantile(0.5), quantile(0.99), quantile(1.0))
        }),
        ("size of the scenario, MB", short(text.len() as f64 / 1e6)),
        ("reading and resolving it, s of CPU", short(reading.cpu.as_secs_f64())),
        ("requests, events", format!("{}, {}", metric(&first, "interactions.count"), first.events)),
        ("ns per event, all default checkers on", cost.to_string()),
        ("M events per second", short(1e3 / cost.median)),
        ("simulated seconds per second of CPU", {
            short(first.end.as_secs_f64() / (cost.median * first.events as f64 / 1e9))
        }),
    ] {
        table.row([what.to_owned(), figure]);
    }
    page.table(&table);
}

/// How many spans requests of the n-th journey have: quantiles of the distribution, evenly spaced.
fn spans(journey: u64) -> u64 {
    let sigma = libm::log(P99 / MEDIAN) / normal_quantile(0.99);
    let z = normal_quantile((journey as f64 + 0.5) / JOURNEYS as f64);
    (MEDIAN * libm::exp(sigma * z)).round().clamp(1.0, CAP) as u64
}

/// The estate as a scenario file. The n-th span of a journey's tree is an operation of its own, called by the
/// operation n / CALLS, at a service drawn by its heat.
fn scenario(sizes: &[u64], seconds: u64) -> String {
    let key = StreamKey::of_seed(1).child("large estate");
    let place = |journey: u64, span: u64| {
        let word = key.word(journey, span);
        if span > 0 && word & 1 == 0 { word / 2 % HOT_SERVICES } else { word / 2 % SERVICES }
    };
    let mut operations = vec![String::new(); SERVICES as usize];
    for (journey, size) in (0..).zip(sizes) {
        for span in 0..*size {
            let called = (span * CALLS + 1..=span * CALLS + CALLS).filter(|child| child < size);
            let calls: Vec<String> =
                called.map(|child| format!("{{ call: s{}.j{journey}n{child} }}", place(journey, child))).collect();
            let body = if calls.is_empty() { "{ ignore: true }".to_owned() } else { calls.join(", ") };
            let of_service = &mut operations[place(journey, span) as usize];
            writeln!(of_service, "      j{journey}n{span}: [{{ do: [{body}] }}]").expect("a string takes it");
        }
    }
    let mut text = format!(
        "windtunnel: 1\nname: large-estate\nduration: {seconds}s\n\
         features:\n  f: {{ stages: [\"off\", \"on\"] }}\n\
         defaults:\n  service: {{ replicas: {REPLICAS}, takes: {{ mean: 1ms }}, workers: 64, sdk: {{ poll: 30s }} }}\n\
         \x20 call: {{ timeout: 10m, retries: 0 }}\nservices:\n"
    );
    for (service, operations) in operations.iter().enumerate() {
        if operations.is_empty() {
            writeln!(text, "  s{service}: {{}}").expect("a string takes it");
        } else {
            write!(text, "  s{service}:\n    operations:\n{operations}").expect("a string takes it");
        }
    }
    text.push_str("journeys:\n");
    for journey in 0..sizes.len() as u64 {
        let rate = 100.0 / sizes.len() as f64;
        let first = place(journey, 0);
        writeln!(text, "  j{journey}: {{ arrivals: {rate}/s, first: s{first}.j{journey}n0, feature: f }}")
            .expect("a string takes it");
    }
    text.push_str("rollout:\n  f: { steps: [{ at: 1s, move: [{ to: \"on\" }] }] }\n");
    text
}
