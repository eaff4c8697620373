//! Retries of calls that fail or time out.

use super::spread_of_share;
use crate::theory::retries as theory;
use crate::units::{SimDuration, SimTime};
use crate::validation::probes::{Attempts, Pauses};
use crate::validation::{Estimate, Family, Law};
use std::ops::Range;

/// Requests per second that the one worker of a paused service serves on average.
const SERVICE: f64 = 100.0;
/// Services of one scenario, each with callers of its own.
const SERVICES: usize = 20;

pub static FAMILY: Family = Family {
    name: "retries",
    title: "Retries",
    sentence: "Retries hide failures at the price of attempts; through several layers they multiply, and where all \
               attempts together exceed the capacity they keep a service down that a short pause has brought down.",
    laws: &[
        Law {
            name: "attempts-by-retries",
            sentence: "attempts of one call, where half of them fail",
            formula: "(1 - q^(m+1))/(1 - q)",
            assumptions: "attempts fail independently, q = 1/2",
            scenario_in_short: "a service calls another that fails half its requests",
            parameter: "retries m",
            unit: "attempts",
            at: &[1.0, 2.0, 4.0],
            theory: |retries| theory::mean_attempts(0.5, retries as u32),
            spread: |retries| 0.3 + 0.1 * retries,
            scenario: |retries| chain(0.5, retries as u32, 1),
            probe: |_| Attempts::at_the_bottom(),
            estimate: Estimate::Mean,
        },
        Law {
            name: "attempts-by-failure",
            sentence: "attempts of one call with three retries",
            formula: "(1 - q^(m+1))/(1 - q)",
            assumptions: "attempts fail independently, m = 3",
            scenario_in_short: "a service calls another that fails a share of its requests",
            parameter: "share q of attempts that fail",
            unit: "attempts",
            at: &[0.3, 0.8],
            theory: |failing| theory::mean_attempts(failing, 3),
            spread: |_| 0.55,
            scenario: |failing| chain(failing, 3, 1),
            probe: |_| Attempts::at_the_bottom(),
            estimate: Estimate::Mean,
        },
        Law {
            name: "failures-by-retries",
            sentence: "share of calls that fail for good, where half of the attempts do",
            formula: "q^(m+1)",
            assumptions: "attempts fail independently, q = 1/2",
            scenario_in_short: "a service calls another that fails half its requests",
            parameter: "retries m",
            unit: "share",
            at: &[1.0, 2.0, 4.0],
            theory: |retries| theory::final_failure(0.5, retries as u32),
            spread: |retries| spread_of_share(theory::final_failure(0.5, retries as u32)),
            scenario: |retries| chain(0.5, retries as u32, 1),
            probe: |_| Attempts::failed_for_good(),
            estimate: Estimate::Mean,
        },
        Law {
            name: "attempts-through-layers",
            sentence: "attempts at the bottom per request at the top, three per call, where 80% of them fail",
            formula: "Π A(i), A(i) = (1 - q(i-1)^r)/(1 - q(i-1)), q(i) = q(i-1)^r",
            assumptions: "attempts fail independently, q = 0.8, r = 3 attempts a call",
            scenario_in_short: "a chain of services, each calling the next",
            parameter: "layers of calls",
            unit: "attempts",
            at: &[1.0, 2.0, 3.0],
            theory: |depth| theory::attempts_at_the_bottom(0.8, 2, depth as u32),
            spread: |depth| 0.25 + 0.2 * depth,
            scenario: |depth| chain(0.8, 2, depth as u32),
            probe: |_| Attempts::at_the_bottom(),
            estimate: Estimate::Mean,
        },
        Law {
            name: "failures-through-layers",
            sentence: "share of requests that fail for good, three attempts per call, where 80% of them fail",
            formula: "q^(r^k)",
            assumptions: "attempts fail independently, q = 0.8, r = 3 attempts a call",
            scenario_in_short: "a chain of services, each calling the next",
            parameter: "layers of calls",
            unit: "share",
            at: &[1.0, 2.0],
            theory: |depth| theory::failing_at_the_top(0.8, 2, depth as u32),
            spread: |depth| spread_of_share(theory::failing_at_the_top(0.8, 2, depth as u32)),
            scenario: |depth| chain(0.8, 2, depth as u32),
            probe: |_| Attempts::failed_for_good(),
            estimate: Estimate::Mean,
        },
        Law {
            name: "attempts-where-all-fail",
            sentence: "attempts at the bottom per request at the top, three per call, where all of them fail",
            formula: "r^k",
            assumptions: "every attempt fails, r = 3 attempts a call",
            scenario_in_short: "a chain of services, each calling the next",
            parameter: "layers of calls",
            unit: "attempts",
            at: &[1.0, 2.0, 3.0],
            theory: |depth| theory::attempts_at_the_bottom(1.0, 2, depth as u32),
            spread: |_| 0.0,
            scenario: |depth| chain(1.0, 2, depth as u32),
            probe: |_| Attempts::at_the_bottom(),
            estimate: Estimate::Exactly,
        },
        Law {
            name: "recovery-with-one-retry",
            sentence: "whether a service that paused for 2 s serves again",
            formula: "1 where λ(1+m) ≤ μ, else 0",
            assumptions: "first come first served; what was given up is served all the same; retries at once, m = 1",
            scenario_in_short: "services with one worker for 100 requests a second, called with a timeout of 0.5 s",
            parameter: "calls λ (1/s)",
            unit: "services that recover",
            at: &[35.0, 70.0],
            theory: |calls| f64::from(!theory::is_metastable(calls, 1, SERVICE)),
            spread: |_| 0.0,
            scenario: |calls| paused(calls, 1),
            probe: |_| Pauses::recovered(late()),
            estimate: Estimate::Exactly,
        },
        Law {
            name: "recovery-with-three-retries",
            sentence: "whether a service that paused for 2 s serves again",
            formula: "1 where λ(1+m) ≤ μ, else 0",
            assumptions: "first come first served; what was given up is served all the same; retries at once, m = 3",
            scenario_in_short: "services with one worker for 100 requests a second, called with a timeout of 0.5 s",
            parameter: "calls λ (1/s)",
            unit: "services that recover",
            at: &[17.5, 60.0],
            theory: |calls| f64::from(!theory::is_metastable(calls, 3, SERVICE)),
            spread: |_| 0.0,
            scenario: |calls| paused(calls, 3),
            probe: |_| Pauses::recovered(late()),
            estimate: Estimate::Exactly,
        },
        Law {
            name: "attempts-when-stuck",
            sentence: "attempts per second at a service that does not recover, 60 calls a second",
            formula: "λ(1+m)",
            assumptions: "every attempt times out",
            scenario_in_short: "services with one worker for 100 requests a second, called with a timeout of 0.5 s",
            parameter: "retries m",
            unit: "1/s",
            at: &[2.0, 3.0],
            theory: |retries| theory::offered_when_all_time_out(60.0, retries as u32),
            spread: |_| (1.0 / (60.0 * 3.0f64)).sqrt(),
            scenario: |retries| paused(60.0, retries as u32),
            probe: |_| Pauses::attempts_per_second(late()),
            estimate: Estimate::Mean,
        },
    ],
};

/// A chain of services without queues, `depth` layers of calls deep, whose bottom fails this share of its requests.
fn chain(failing: f64, retries: u32, depth: u32) -> String {
    let name = |layer: u32| if layer == 0 { "bottom".to_owned() } else { format!("layer{layer}") };
    let service = |layer: u32| {
        let work = match layer.checked_sub(1).map(name) {
            None if failing == 1.0 => "{ fail: 100% }".to_owned(),
            None => format!("{{ fail: {failing} }}"),
            // No answer is ever late: it is failures that are retried.
            Some(below) => format!("{{ call: {below}.o, timeout: 100s, retries: {retries}, backoff: 0s }}"),
        };
        format!("  {}: {{ workers: 1000000, takes: 0s, operations: {{ o: [{{ do: [{work}] }}] }} }}\n", name(layer))
    };
    let services: String = (0..=depth).rev().map(service).collect();
    format!(
        "windtunnel: 1\nname: retries\nduration: 20s\nnetwork: {{ within: 0s, between: 0s }}\nservices:\n{services}\
         journeys:\n  j: {{ arrivals: 100/s, first: {}.o }}\n",
        name(depth)
    )
}

/// Services with one worker that pauses for two seconds at 1 s: the request it takes up then takes so long. Each is
/// called at this rate by a service that waits half a second and then tries again at once.
fn paused(calls: f64, retries: u32) -> String {
    let service = |n: usize| {
        format!(
            "  c{n}: {{ workers: 1000000, takes: 0s, operations: {{ o: [{{ do: [{{ call: s{n}.o, timeout: 500ms, \
             retries: {retries}, backoff: 0s }}] }}] }} }}\n  \
             s{n}: {{ workers: 1, queue: 1000000, sdk: {{ stream: 0s }}, operations: {{ o: {{ takes: {{ mean: 10ms }}, \
             rules: [{{ when: 'stage(\"pause\") == \"on\"', do: [{{ wait: 2s }}] }}, {{ do: [ignore] }}] }} }} }}\n"
        )
    };
    let journey = |n: usize| format!("  j{n}: {{ arrivals: {calls}/s, first: c{n}.o, feature: pause }}\n");
    let services: String = (0..SERVICES).map(service).collect();
    let journeys: String = (0..SERVICES).map(journey).collect();
    format!(
        "windtunnel: 1\nname: retries\nduration: 14s\ndrain: 1s\nnetwork: {{ within: 0s, between: 0s }}\n\
         control_plane: {{ latency: 0s }}\nfeatures:\n  pause: {{ stages: [\"off\", \"on\"] }}\nservices:\n{services}\
         journeys:\n{journeys}rollout:\n  pause:\n    steps:\n      \
         - {{ at: 1s, move: [{{ to: \"on\" }}] }}\n      - {{ at: 2900ms, move: [{{ to: \"off\" }}] }}\n"
    )
}

/// The window in which it has shown what becomes of a pause.
fn late() -> Range<SimTime> {
    let second = |s: u64| SimTime::from(SimDuration::from_secs(s));
    second(11)..second(14)
}
