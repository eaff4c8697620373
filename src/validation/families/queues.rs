//! Queues before the workers of a service.

use crate::theory::queues as theory;
use crate::validation::probes::{GivenUp, Waits};
use crate::validation::{Estimate, Family, Law, Probe};
use std::ops::Range;

/// Services of one scenario, each with a queue and customers of its own.
const QUEUES: usize = 40;
/// Requests per second that one worker serves on average.
const SERVICE: f64 = 100.0;
/// The first customers come to an empty service and do not count: at 70% of the capacity they are 19 times the
/// relaxation time 1/(μ(1-√ρ)²), so that what is left of the start is below a hundred millionth.
const CUSTOMERS: Range<u64> = 500..2_000;
/// Share of the capacity that is used where the law does not vary it.
const LOAD: f64 = 0.7;

pub static FAMILY: Family = Family {
    name: "queues",
    title: "Queues before workers",
    sentence: "What a request waits for a free worker grows without bound as load comes near the capacity: a rollout \
               that makes requests a little longer can make waits many times longer.",
    laws: &[
        Law {
            name: "wait-of-one-worker",
            sentence: "mean wait for the worker",
            formula: "ρ/(μ-λ)",
            assumptions: "Poisson arrivals, exponential service, one worker, no bound on the queue (M/M/1)",
            scenario_in_short: "40 services with one worker each, 100 requests a second at most",
            parameter: "load ρ",
            unit: "s",
            at: &[0.3, 0.5, 0.7],
            theory: |load| theory::mm1_mean_wait(load * SERVICE, SERVICE),
            spread: |load| spread_of_mean_wait(load, 1.0),
            scenario: |load| services(load, 1, "{ mean: 10ms }"),
            probe: |_| mean_wait(),
            estimate: Estimate::Mean,
        },
        Law {
            name: "long-waits-of-one-worker",
            sentence: "share of requests that wait longer",
            formula: "ρ exp(-(μ-λ)t)",
            assumptions: "M/M/1 at 70% of the capacity",
            scenario_in_short: "40 services with one worker each, 70 requests a second of 100 at most",
            parameter: "wait t (s)",
            unit: "share",
            at: &[0.0, 0.02, 0.05],
            theory: |t| theory::mm1_share_waiting_longer(LOAD * SERVICE, SERVICE, t),
            spread: |t| 0.05 + 4.4 * t,
            scenario: |_| services(LOAD, 1, "{ mean: 10ms }"),
            probe: |t| Waits::of(CUSTOMERS, move |wait| f64::from(wait > t)),
            estimate: Estimate::Mean,
        },
        Law {
            name: "timeouts",
            sentence: "share of calls that a timeout cuts off",
            formula: "exp(-(μ-λ)t)",
            assumptions: "M/M/1 at 70% of the capacity; what was given up is served all the same; no retries",
            scenario_in_short: "40 services with one worker each, each called by a service that waits no longer than t",
            parameter: "timeout t (s)",
            unit: "share",
            at: &[0.02, 0.05],
            theory: |t| theory::mm1_timeout_share(LOAD * SERVICE, SERVICE, t),
            spread: |t| 0.05 + 3.4 * t,
            scenario: |t| callers(LOAD, t),
            probe: |_| GivenUp::among(CUSTOMERS),
            estimate: Estimate::Mean,
        },
        Law {
            name: "wait-of-four-workers",
            sentence: "mean wait for one of four workers",
            formula: "C/(cμ-λ), C by Erlang's recursion",
            assumptions: "M/M/c with c = 4",
            scenario_in_short: "40 services with four workers each, 400 requests a second at most",
            parameter: "load ρ",
            unit: "s",
            at: &[0.5, 0.7],
            theory: |load| theory::mmc_mean_wait(load * 4.0 * SERVICE, SERVICE, 4),
            spread: |load| spread_of_mean_wait(load, 1.0) * (2.75 - 1.7 * load),
            scenario: |load| services(load, 4, "{ mean: 10ms }"),
            probe: |_| mean_wait(),
            estimate: Estimate::Mean,
        },
        Law {
            name: "long-waits-of-four-workers",
            sentence: "share of requests that wait longer",
            formula: "C exp(-(cμ-λ)t)",
            assumptions: "M/M/4 at 70% of the capacity",
            scenario_in_short: "40 services with four workers each, 280 requests a second of 400 at most",
            parameter: "wait t (s)",
            unit: "share",
            at: &[0.0, 0.005],
            theory: |t| theory::mmc_share_waiting_longer(LOAD * 4.0 * SERVICE, SERVICE, 4, t),
            spread: |t| 0.1 + 22.0 * t,
            scenario: |_| services(LOAD, 4, "{ mean: 10ms }"),
            probe: |t| Waits::of(CUSTOMERS, move |wait| f64::from(wait > t)),
            estimate: Estimate::Mean,
        },
        Law {
            name: "wait-for-fixed-service",
            sentence: "mean wait where every request takes as long",
            formula: "ρ/(1-ρ)·(1+c²)/2·E S, c² = 0",
            assumptions: "Poisson arrivals, one worker (M/D/1)",
            scenario_in_short: "40 services with one worker each, every request 10 ms",
            parameter: "load ρ",
            unit: "s",
            at: &[0.5, 0.7],
            theory: |load| theory::mg1_mean_wait(load * SERVICE, 1.0 / SERVICE, 0.0),
            spread: |load| spread_of_mean_wait(load, 0.0),
            scenario: |load| services(load, 1, "10ms"),
            probe: |_| mean_wait(),
            estimate: Estimate::Mean,
        },
        Law {
            name: "wait-for-lognormal-service",
            sentence: "mean wait where requests vary lognormally",
            formula: "ρ/(1-ρ)·(1+c²)/2·E S",
            assumptions: "Poisson arrivals, one worker (M/G/1)",
            scenario_in_short: "40 services with one worker each, lognormal with p99 five times p50",
            parameter: "load ρ",
            unit: "s",
            at: &[0.3, 0.5],
            theory: |load| {
                let mean = theory::lognormal_mean(P50, P99);
                theory::mg1_mean_wait(load / mean, mean, theory::lognormal_scv(P50, P99))
            },
            spread: |load| spread_of_mean_wait(load, 1.0),
            scenario: |load| {
                let mean = theory::lognormal_mean(P50, P99);
                services(load / mean / SERVICE, 1, "{ p50: 8ms, p99: 40ms }")
            },
            probe: |_| mean_wait(),
            estimate: Estimate::Mean,
        },
    ],
};

/// The lognormal service of `services` above, in seconds.
const P50: f64 = 0.008;
const P99: f64 = 0.04;

fn mean_wait() -> Box<dyn Probe> {
    Waits::of(CUSTOMERS, |wait| wait)
}

/// How the mean wait of the customers that count varies from queue to queue, over its mean: the asymptotic variance
/// for M/M/1, ρ(2 + 5ρ - 4ρ² + ρ³)/(1-ρ)⁴ services² (Whitt 1989); fixed service halves it and more.
fn spread_of_mean_wait(load: f64, scv: f64) -> f64 {
    let idle = 1.0 - load;
    let relative = (2.0 + load * (5.0 - load * (4.0 - load))) / (load * idle * idle);
    let customers = (CUSTOMERS.end - CUSTOMERS.start) as f64;
    (relative / customers).sqrt() * if scv == 0.0 { 0.75 } else { 1.0 }
}

/// Services with so many workers, each with customers of its own. A service decides when a worker takes a request up:
/// that is what the probe sees. Its policy is read once, at the start.
fn services(load: f64, workers: u32, takes: &str) -> String {
    let service = |n: usize| {
        format!(
            "  s{n}: {{ workers: {workers}, queue: 1000000, sdk: {{ file: true }}, operations: {{ o: {{ takes: {takes}, \
             rules: [{{ when: 'stage(\"f\") == \"on\"', do: [ignore] }}, {{ do: [ignore] }}] }} }} }}\n"
        )
    };
    scenario(load * SERVICE * f64::from(workers), "s", &service)
}

/// Services with one worker, each called by a service of its own that gives a call up after `timeout` seconds.
fn callers(load: f64, timeout: f64) -> String {
    let service = |n: usize| {
        format!(
            "  s{n}: {{ workers: 1, queue: 1000000, operations: {{ o: {{ takes: {{ mean: 10ms }}, rules: [{{ do: [ignore] \
             }}] }} }} }}\n  c{n}: {{ workers: 1000000, takes: 0s, operations: {{ o: [{{ do: [{{ call: s{n}.o, timeout: \
             {timeout}s }}] }}] }} }}\n"
        )
    };
    scenario(load * SERVICE, "c", &service)
}

/// So many services, each called at this rate by a journey of its own.
fn scenario(rate: f64, first: &str, service: &dyn Fn(usize) -> String) -> String {
    // Time for all customers that count, and six standard deviations more.
    let customers = CUSTOMERS.end as f64;
    let seconds = ((customers + 6.0 * customers.sqrt()) / rate).ceil();
    let journey = |n: usize| format!("  j{n}: {{ arrivals: {rate}/s, first: {first}{n}.o, feature: f }}\n");
    let services: String = (0..QUEUES).map(service).collect();
    let journeys: String = (0..QUEUES).map(journey).collect();
    format!(
        "windtunnel: 1\nname: queues\nduration: {seconds}s\ndrain: 30s\nfeatures:\n  f: {{ stages: [\"off\", \"on\"] }}\n\
         network: {{ within: 0s, between: 0s }}\nservices:\n{services}journeys:\n{journeys}"
    )
}
