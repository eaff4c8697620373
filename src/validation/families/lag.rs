//! Consumers of a topic: lag, drains, skew, and events that meet another version.

use crate::theory::{lag as theory, queues};
use crate::validation::probes::{Flips, Lag, Skew};
use crate::validation::{Estimate, Family, Law};

/// Partitions of the topic, each with a consumer of its own; records without a key spread a Poisson process over them
/// as as many independent ones.
const PARTITIONS: u32 = 50;
/// Records per second that the consumer of one partition works through on average.
const SERVICE: f64 = 20.0;
/// Seconds that a consumer runs before it counts: at 70% of its capacity 32 relaxation times 1/(μ(1-√ρ)²).
const WARM: f64 = 60.0;
/// Seconds over which the mean is taken.
const WINDOW: f64 = 120.0;

pub static FAMILY: Family = Family {
    name: "lag",
    title: "Consumer lag",
    sentence: "A consumer that pauses or shares its load unevenly works on what happened earlier, and so handles under \
               one version of the policy what was produced under another.",
    laws: &[
        Law {
            name: "drain",
            sentence: "time from the end of a pause until the consumer has caught up",
            formula: "λP/(μ-λ)",
            assumptions: "Poisson arrivals at half the capacity, exponential processing, no lag before",
            scenario_in_short: "50 partitions with a consumer each, 10 records a second of 20 at most",
            parameter: "pause P (s)",
            unit: "s",
            at: &[1.0, 2.0, 4.0],
            theory: |pause| theory::mean_drain(10.0, SERVICE, pause),
            spread: |pause| spread_of_drain(10.0, 1.0, pause),
            scenario: |pause| pausing(10.0, pause, EXPONENTIAL),
            probe: Lag::time_to_empty,
            estimate: Estimate::Mean,
        },
        Law {
            name: "drain-of-fixed-records",
            sentence: "time from the end of a pause until the consumer has caught up, where every record takes as long",
            formula: "λP/(μ-λ)",
            assumptions: "Poisson arrivals at half the capacity, no lag before",
            scenario_in_short: "50 partitions with a consumer each, 10 records a second, 50 ms each",
            parameter: "pause P (s)",
            unit: "s",
            at: &[2.0, 4.0],
            theory: |pause| theory::mean_drain(10.0, SERVICE, pause),
            spread: |pause| spread_of_drain(10.0, 0.0, pause),
            scenario: |pause| pausing(10.0, pause, FIXED),
            probe: Lag::time_to_empty,
            estimate: Estimate::Mean,
        },
        Law {
            name: "variance-of-drain",
            sentence: "variance of the time until the consumer has caught up",
            formula: "λP(μ+λ)/(μ-λ)³ + λP/(μ-λ)²",
            assumptions: "Poisson arrivals at a quarter of the capacity, exponential processing, no lag before",
            scenario_in_short: "50 partitions with a consumer each, 5 records a second of 20 at most",
            parameter: "pause P (s)",
            unit: "s²",
            at: &[2.0],
            theory: |pause| theory::drain_variance(5.0, SERVICE, 1.0, pause),
            spread: |_| 2.0,
            scenario: |pause| pausing(5.0, pause, EXPONENTIAL),
            probe: Lag::time_to_empty,
            estimate: Estimate::Variance,
        },
        Law {
            name: "variance-of-drain-of-fixed-records",
            sentence: "variance of the time until the consumer has caught up, where every record takes as long",
            formula: "λP E[S²]/(1-ρ)³",
            assumptions: "Poisson arrivals at a quarter of the capacity, no lag before",
            scenario_in_short: "50 partitions with a consumer each, 5 records a second, 50 ms each",
            parameter: "pause P (s)",
            unit: "s²",
            at: &[2.0],
            theory: |pause| theory::drain_variance(5.0, SERVICE, 0.0, pause),
            spread: |_| 1.7,
            scenario: |pause| pausing(5.0, pause, FIXED),
            probe: Lag::time_to_empty,
            estimate: Estimate::Variance,
        },
        Law {
            name: "lag-at-least",
            sentence: "share of time in which the lag is so many records or more",
            formula: "ρⁿ",
            assumptions: "Poisson arrivals at half the capacity, exponential processing, steady state",
            scenario_in_short: "50 partitions with a consumer each, 10 records a second of 20 at most",
            parameter: "records n",
            unit: "share",
            at: &[1.0, 2.0, 3.0],
            theory: |n| theory::share_at_least(10.0, SERVICE, n as u32),
            spread: |n| 0.02 + 0.045 * n,
            scenario: |_| steady(0.5),
            probe: |n| Lag::share_at_least(n, WARM..WARM + WINDOW),
            estimate: Estimate::Mean,
        },
        Law {
            name: "mean-lag",
            sentence: "mean lag",
            formula: "ρ/(1-ρ)",
            assumptions: "Poisson arrivals, exponential processing, steady state",
            scenario_in_short: "50 partitions with a consumer each, 20 records a second each at most",
            parameter: "load ρ",
            unit: "records",
            at: &[0.3, 0.5, 0.7],
            theory: |load| theory::mean_lag(load * SERVICE, SERVICE),
            spread: |load| (2.0 * (1.0 + load) / (load * (1.0 - load) * (1.0 - load)) / (WINDOW * SERVICE)).sqrt(),
            scenario: steady,
            probe: |_| Lag::mean_over(WARM..WARM + WINDOW),
            estimate: Estimate::Mean,
        },
        Law {
            name: "lag-of-skewed-partitions",
            sentence: "mean lag of a topic whose keys are skewed, over the law for the partitions they fall on",
            formula: "Σ ρ(i)/(1-ρ(i)), ρ(i) = Λp(i)/μ",
            assumptions: "Poisson arrivals, exponential processing, steady state; three keys weighted 1, 1/2 and 1/3",
            scenario_in_short: "200 partitions with a consumer each; the records of three tenants, keyed by tenant",
            parameter: "records Λ of the topic (1/s)",
            unit: "measured / theory",
            at: &[10.0, 18.0],
            theory: |_| 1.0,
            spread: |arrivals| 0.03 + arrivals / 200.0,
            scenario: skewed,
            probe: |arrivals| Skew::against_theory(WARM..WARM + WINDOW, arrivals, SERVICE),
            estimate: Estimate::Mean,
        },
        Law {
            name: "growth-beyond-stability",
            sentence: "growth of the lag of a partition that gets more than its consumer can do",
            formula: "Λp - μ",
            assumptions: "Poisson arrivals, exponential processing, a backlog from the start",
            scenario_in_short: "50 partitions with a consumer each, 20 records a second each at most",
            parameter: "load ρ",
            unit: "records/s",
            at: &[1.5, 2.0],
            theory: |load| theory::growth(load * SERVICE * f64::from(PARTITIONS), SERVICE, 1.0 / f64::from(PARTITIONS)),
            spread: |load| ((load + 1.0) / (SERVICE * 20.0)).sqrt() / (load - 1.0),
            scenario: |load| pausing(load * SERVICE, 5.0, EXPONENTIAL),
            probe: |_| Lag::growth_over(5.0..25.0),
            estimate: Estimate::Mean,
        },
        Law {
            name: "handled-under-another-version",
            sentence: "events produced before and handled after a change of the policy",
            formula: "λW, W = ρ/(μ-λ)",
            assumptions: "steady state; the consumer decides for itself when it takes a record up; policy arrives at once",
            scenario_in_short: "50 partitions with a consumer each; 40 changes of the policy, 1.5 s apart",
            parameter: "load ρ",
            unit: "events per change",
            at: &[0.5],
            theory: |load| {
                let arrivals = load * SERVICE;
                theory::handled_across(arrivals, queues::mm1_mean_wait(arrivals, SERVICE))
            },
            spread: |load| 1.6 / (f64::from(FLIPS) * load).sqrt(),
            scenario: flipping,
            probe: |_| Flips::counted(),
            estimate: Estimate::Mean,
        },
        Law {
            name: "handled-under-another-version-after-a-pause",
            sentence: "events produced before and handled after a change of the policy, during a pause",
            formula: "λP",
            assumptions: "no lag before; the consumer decides for itself when it takes a record up",
            scenario_in_short: "50 partitions with a consumer each, 10 records a second; the policy changes before the \
                                consumers resume",
            parameter: "pause P (s)",
            unit: "events",
            at: &[2.0, 5.0],
            theory: |pause| theory::handled_across(10.0, pause),
            spread: |pause| (1.0 / (10.0 * pause)).sqrt(),
            scenario: flipping_in_a_pause,
            probe: |_| Flips::counted(),
            estimate: Estimate::Mean,
        },
    ],
};

const EXPONENTIAL: &str = "{ mean: 50ms }";
const FIXED: &str = "50ms";
/// Changes of the policy in one run.
const FLIPS: u32 = 40;

fn spread_of_drain(arrivals: f64, scv: f64, pause: f64) -> f64 {
    theory::drain_variance(arrivals, SERVICE, scv, pause).sqrt() / theory::mean_drain(arrivals, SERVICE, pause)
}

/// Consumers that have no lag when they pause at the start, and resume after `pause` seconds.
fn pausing(arrivals: f64, pause: f64, takes: &str) -> String {
    let timeline =
        format!("timeline: [{{ at: 0s, fault: consumer.pause, target: worker/records, lasts: {pause}s }}]\n");
    // The drain is over by then: its mean and twelve standard deviations.
    let drain = if arrivals < SERVICE {
        let (mean, variance) =
            (theory::mean_drain(arrivals, SERVICE, pause), theory::drain_variance(arrivals, SERVICE, 1.0, pause));
        mean + 12.0 * variance.sqrt()
    } else {
        21.0
    };
    topic(arrivals, (pause + drain).ceil(), takes, "", &timeline)
}

/// Consumers that nothing disturbs.
fn steady(load: f64) -> String {
    topic(load * SERVICE, WARM + WINDOW + 1.0, EXPONENTIAL, "", "")
}

/// Changes of the policy to and fro, thirty service times apart, when the consumers are warm.
fn flipping(load: f64) -> String {
    let step = |n: u32| {
        let to = if n.is_multiple_of(2) { "on" } else { "off" };
        format!("      - {{ at: {}ms, move: [{{ to: \"{to}\" }}] }}\n", 20_000 + 1_500 * n)
    };
    let steps: String = (0..FLIPS).map(step).collect();
    let seconds = 20.0 + 1.5 * f64::from(FLIPS) + 1.0;
    topic(load * SERVICE, seconds, EXPONENTIAL, POLICY, &format!("rollout:\n  f:\n    steps:\n{steps}"))
}

/// One change of the policy at `pause` seconds, while the consumers have been paused since the start.
fn flipping_in_a_pause(pause: f64) -> String {
    let more = format!(
        "timeline: [{{ at: 0s, fault: consumer.pause, target: worker/records, lasts: {}s }}]\n\
         rollout:\n  f:\n    steps: [{{ at: {pause}s, move: [{{ to: \"on\" }}] }}]\n",
        pause + 0.1
    );
    topic(10.0, pause + 1.0, EXPONENTIAL, POLICY, &more)
}

/// Three tenants with partitions of their own, unless the hash lets two share one; together less than one consumer's
/// capacity.
fn skewed(arrivals: f64) -> String {
    let seconds = WARM + WINDOW + 1.0;
    format!(
        "windtunnel: 1\nname: lag\nduration: {seconds}s\nnetwork: {{ within: 0s, between: 0s }}\n\
         population: {{ tenants: {{ count: 3, traffic: {{ zipf: 1 }} }} }}\nservices:\n  \
         source: {{ workers: 1000000, takes: 0s, operations: {{ make: [{{ do: [{{ emit: records, type: Made }}] }}] }} }}\n  \
         worker:\n    {{ replicas: 200, consumes: {{ records: {{ takes: {EXPONENTIAL}, offset_reset: earliest }} }}, \
         operations: {{ \"on Made\": [{{ do: [{{ effect: work }}] }}] }} }}\n\
         topics: {{ records: {{ partitions: 200, key: tenant }} }}\n\
         journeys: {{ made: {{ arrivals: {arrivals}/s, first: source.make, completes_within: 5m }} }}\n"
    )
}

/// Both services know every version of the policy at once.
const POLICY: &str = "sdk: { stream: 0s }, ";

/// A topic with as many partitions as consumers, this many records a second for each.
fn topic(arrivals: f64, seconds: f64, takes: &str, sdk: &str, more: &str) -> String {
    let rate = arrivals * f64::from(PARTITIONS);
    let (make, work) = if sdk.is_empty() {
        ("[{ do: [{ emit: records, type: Made }] }]", "[{ do: [{ effect: work }] }]")
    } else {
        (
            "{ by_stage: { \"off\": [{ emit: records, type: Made }], \"on\": [{ emit: records, type: Made }] } }",
            "{ by_stage: { \"off\": [{ effect: work }], \"on\": [{ effect: work }] } }",
        )
    };
    format!(
        "windtunnel: 1\nname: lag\nduration: {seconds}s\ndrain: 1m\nnetwork: {{ within: 0s, between: 0s }}\n\
         control_plane: {{ latency: 0s }}\nfeatures:\n  f: {{ stages: [\"off\", \"on\"] }}\nservices:\n  \
         source: {{ workers: 1000000, takes: 0s, {sdk}operations: {{ make: {make} }} }}\n  \
         worker:\n    {{ replicas: {PARTITIONS}, {sdk}consumes: {{ records: {{ takes: \
         {takes}, offset_reset: earliest }} }}, operations: {{ \"on Made\": {work} }} }}\n\
         topics: {{ records: {{ partitions: {PARTITIONS}, key: none }} }}\n\
         journeys: {{ made: {{ arrivals: {rate}/s, first: source.make, feature: f, completes_within: 5m }} }}\n{more}"
    )
}
