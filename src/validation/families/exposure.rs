//! What a ramp exposes until its defect is detected. The engine has no detection of its own here: the probe counts
//! decisions and failures of the engine's requests and calls the n-th failure the detection.

use crate::theory::exposure as theory;
use crate::validation::probes::{Detection, Distinct};
use crate::validation::{Estimate, Family, Law};

/// Journeys of one scenario, each watched for itself, with users who hardly ever come twice.
const JOURNEYS: usize = 100;
/// Share of exposed requests that fail.
const BAD: f64 = 0.5;
/// The linear ramp: requests per second of each journey, and seconds to the whole.
const LINEAR: (f64, f64) = (10.0, 20.0);
/// The exponential ramp: requests per second of each journey, the share at its beginning, its growth per second.
const EXPONENTIAL: (f64, f64, f64) = (20.0, 0.05, 0.2);
/// Failures until detection where the law does not vary them.
const NEEDED: f64 = 5.0;

pub static FAMILY: Family = Family {
    name: "exposure",
    title: "Exposure until detection",
    sentence: "How many customers a defect meets before it is noticed depends on how rare it is, not on how fast the \
               ramp is; what it meets while the kill is on its way depends on the ramp.",
    laws: &[
        Law {
            name: "exposures-on-a-linear-ramp",
            sentence: "exposures up to the failure that is the detection",
            formula: "n/b",
            assumptions: "exposed requests fail independently, b = 50%; detection before the ramp is complete",
            scenario_in_short: "100 journeys on a ramp of 5% a second",
            parameter: "failures n",
            unit: "exposures",
            at: &[3.0, 10.0],
            theory: |needed| theory::at_detection(needed as u32, BAD),
            spread: |needed| ((1.0 - BAD) / needed).sqrt(),
            scenario: |_| linear(),
            probe: Detection::exposures,
            estimate: Estimate::Mean,
        },
        Law {
            name: "exposures-on-an-exponential-ramp",
            sentence: "exposures up to the failure that is the detection",
            formula: "n/b",
            assumptions: "exposed requests fail independently, b = 50%; detection before the ramp is complete",
            scenario_in_short: "100 journeys on a ramp from 5% that grows by 22% a second",
            parameter: "failures n",
            unit: "exposures",
            at: &[3.0, 5.0],
            theory: |needed| theory::at_detection(needed as u32, BAD),
            spread: |needed| ((1.0 - BAD) / needed).sqrt(),
            scenario: |_| exponential(),
            probe: Detection::exposures,
            estimate: Estimate::Mean,
        },
        Law {
            name: "time-on-a-linear-ramp",
            sentence: "time until detection",
            formula: "√(2R/λ)·Γ(n+½)/(Γ(n)√b)",
            assumptions: "Poisson arrivals; steps of 0.2 s with the ramp's mean share, which moves it by less than 0.1%",
            scenario_in_short: "100 journeys on a ramp of 5% a second",
            parameter: "failures n",
            unit: "s",
            at: &[3.0, 5.0, 10.0],
            theory: |needed| theory::time_to_detection_linear(LINEAR.0, LINEAR.1, needed as u32, BAD),
            spread: |needed| 0.52 / needed.sqrt(),
            scenario: |_| linear(),
            probe: |needed| Detection::seconds(needed, BEGINS),
            estimate: Estimate::Mean,
        },
        Law {
            name: "exposures-during-the-kill-of-a-linear-ramp",
            sentence: "further exposures until the kill has reached everybody",
            formula: "λ/(2R)·(2ℓEτ + ℓ²)",
            assumptions: "detected at the fifth failure; the ramp goes on meanwhile",
            scenario_in_short: "100 journeys on a ramp of 5% a second",
            parameter: "kill latency ℓ (s)",
            unit: "exposures",
            at: &[1.0, 2.0],
            theory: |latency| {
                let detection = theory::time_to_detection_linear(LINEAR.0, LINEAR.1, NEEDED as u32, BAD);
                theory::during_kill_linear(LINEAR.0, LINEAR.1, detection, latency)
            },
            spread: |latency| 0.63 / latency.sqrt(),
            scenario: |_| linear(),
            probe: |latency| Detection::exposures_during_kill(NEEDED, latency),
            estimate: Estimate::Mean,
        },
        Law {
            name: "exposures-during-the-kill-of-an-exponential-ramp",
            sentence: "further exposures until the kill has reached everybody",
            formula: "(n/b + λf₀/g)(exp(gℓ) - 1)",
            assumptions: "detected at the fifth failure; the ramp goes on meanwhile and does not become complete",
            scenario_in_short: "100 journeys on a ramp from 5% that grows by 22% a second",
            parameter: "kill latency ℓ (s)",
            unit: "exposures",
            at: &[1.0, 2.0],
            theory: |latency| {
                let (arrivals, start, growth) = EXPONENTIAL;
                theory::during_kill_exponential(arrivals, start, growth, NEEDED as u32, BAD, latency)
            },
            spread: |latency| 0.2 + 0.45 / latency,
            scenario: |_| exponential(),
            probe: |latency| Detection::exposures_during_kill(NEEDED, latency),
            estimate: Estimate::Mean,
        },
        Law {
            name: "distinct-users",
            sentence: "different users among the first requests of 1,000 users",
            formula: "U(1 - (1-1/U)^x)",
            assumptions: "each request is of any user with the same probability",
            scenario_in_short: "100 journeys of 1,000 users",
            parameter: "requests x",
            unit: "users",
            at: &[500.0, 2000.0],
            theory: |requests| theory::distinct_users(1_000.0, requests),
            spread: |_| 0.03,
            scenario: |requests| {
                let seconds = requests / 100.0 + 10.0;
                estate(100.0, seconds, 1_000, &format!("{{ at: {seconds}s, move: [{{ to: \"on\" }}] }}"))
            },
            probe: Distinct::among_first,
            estimate: Estimate::Mean,
        },
    ],
};

/// When the ramps begin, in seconds.
const BEGINS: f64 = 1.0;

/// The linear ramp until it is complete, in steps with the share in their middle.
fn linear() -> String {
    ramp(LINEAR.0, LINEAR.1, |from, until| (from + until) / 2.0 / LINEAR.1)
}

/// The exponential ramp until it is nearly complete, in steps with its mean share.
fn exponential() -> String {
    let (arrivals, start, growth) = EXPONENTIAL;
    let complete = libm::log(1.0 / start) / growth;
    let exposed = |until: f64| start / growth * libm::exp(growth * until);
    ramp(arrivals, (complete / STEP).floor() * STEP, |from, until| (exposed(until) - exposed(from)) / (until - from))
}

/// The length of a step, in seconds.
const STEP: f64 = 0.2;

/// A ramp in steps that each expose what the ramp itself does; `share` from when until when.
fn ramp(arrivals: f64, seconds: f64, share: impl Fn(f64, f64) -> f64) -> String {
    let step = |n: u32| {
        let from = f64::from(n) * STEP;
        let percent = 100.0 * share(from, from + STEP);
        let at = ((BEGINS + from) * 1_000.0).round();
        format!("{{ at: {at}ms, move: [{{ to: \"on\", percent: {percent:.9}% }}] }}")
    };
    let steps: Vec<String> = (0..(seconds / STEP).round() as u32).map(step).collect();
    estate(arrivals, BEGINS + steps.len() as f64 * STEP, 10_000_000, &steps.join(", "))
}

/// Journeys of one service that fails a share of what is on.
fn estate(arrivals: f64, seconds: f64, users: u32, steps: &str) -> String {
    let journey = |n: usize| format!("  j{n}: {{ arrivals: {arrivals}/s, first: s.o, feature: f }}\n");
    let journeys: String = (0..JOURNEYS).map(journey).collect();
    format!(
        "windtunnel: 1\nname: exposure\nduration: {seconds:.3}s\ndrain: 1s\nnetwork: {{ within: 0s, between: 0s }}\n\
         control_plane: {{ latency: 0s }}\npopulation: {{ tenants: {{ users: {users} }} }}\nfeatures:\n  \
         f: {{ stages: [\"off\", \"on\"] }}\nservices:\n  s: {{ workers: 1000000, takes: 0s, sdk: {{ stream: 0s }}, \
         operations: {{ o: {{ by_stage: {{ \"off\": [], \"on\": [{{ fail: {BAD} }}] }} }} }} }}\n\
         journeys:\n{journeys}rollout:\n  f: {{ steps: [{steps}] }}\n"
    )
}
