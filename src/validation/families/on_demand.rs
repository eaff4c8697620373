//! Caches that fetch when a request needs what has grown too old.

use super::{head, publish, spread_of_count, spread_of_share};
use crate::theory::on_demand as theory;
use crate::validation::probes::{Adoption, Reads};
use crate::validation::{Estimate, Family, Law};

/// How long a fetched policy is good, in seconds.
const TTL: f64 = 10.0;
/// Requests per second and cache, where they do not vary.
const RATE: f64 = 0.2;
/// Caches of one scenario.
const CACHES: f64 = 200.0;
/// When the version is published, in seconds: when the cycles of the caches have forgotten how the run began.
const PUBLISHED: f64 = 120.0;
/// Hits and ages are counted between these two moments.
const COUNTED: (f64, f64) = (100.0, 150.0);

pub static FAMILY: Family = Family {
    name: "on-demand",
    title: "Caches that fetch on demand",
    sentence: "A cache with a time to live is stale at most so long, and not at all where nobody asked lately. One that \
               revalidates while it serves what it has keeps no one waiting, and has no bound on its staleness.",
    laws: &[HITS, SERVED_AGE, BY_AGE, AFTER_TTL, SERVED, REVALIDATING_BY_AGE, REVALIDATING_SERVED],
};

const BASE: Law = Law {
    name: "",
    sentence: "",
    formula: "",
    assumptions: "Poisson requests at λ per cache; τ = 10 s; the fetch takes no time",
    scenario_in_short: "200 replicas with a ttl of 10 s behind one journey, each request to one of them at random",
    parameter: "rate λ (1/s)",
    unit: "share",
    at: &[],
    theory: |_| f64::NAN,
    spread: |_| f64::NAN,
    scenario: |rate| on_demand(rate, ""),
    probe: |_| Reads::stale_between(PUBLISHED, f64::INFINITY, 1.0),
    estimate: Estimate::Mean,
};

/// Requests of one cache in the counted time.
fn counted(rate: f64) -> f64 {
    rate * (COUNTED.1 - COUNTED.0)
}

const HITS: Law = Law {
    name: "hit-ratio",
    sentence: "share of requests that need no fetch",
    formula: "h = λ τ/(1 + λ τ)",
    at: &[0.1, 0.2, 0.5],
    theory: |rate| theory::hit_ratio(rate, TTL),
    spread: |rate| spread_of_count(counted(rate) * theory::hit_ratio(rate, TTL), 0.1),
    probe: |rate| {
        let weight = 1.0 / counted(rate);
        let is_hit = |freshness: Option<crate::units::SimDuration>| freshness.is_some_and(|age| !age.is_zero());
        Reads::between(COUNTED.0, COUNTED.1, move |decided| if is_hit(decided.freshness) { weight } else { 0.0 })
    },
    ..BASE
};

const SERVED_AGE: Law = Law {
    name: "served-age",
    sentence: "mean age of what is served",
    formula: "h τ/2",
    unit: "s",
    at: &[0.1, 0.2, 0.5],
    theory: |rate| theory::mean_served_age(rate, TTL),
    // The age of a hit is uniform: mean square 4/3 of the squared mean.
    spread: |rate| spread_of_count(counted(rate) * theory::hit_ratio(rate, TTL) * 0.75, 0.1),
    probe: |rate| {
        let weight = 1.0 / counted(rate);
        Reads::between(COUNTED.0, COUNTED.1, move |decided| {
            decided.freshness.map_or(0.0, |age| age.as_secs_f64() * weight)
        })
    },
    ..BASE
};

/// Requests are counted for so long on both sides of an age; the law is linear there.
const AROUND: f64 = 2.0;

const BY_AGE: Law = Law {
    name: "stale-by-age",
    sentence: "probability that a request is answered from before the publish",
    formula: "h (1 - a/τ)",
    assumptions: "Poisson requests at λ = 0.2/s per cache; τ = 10 s; the fetch takes no time",
    parameter: "age a (s)",
    unit: "probability",
    at: &[2.0, 5.0],
    theory: |age| theory::stale_at_age(age, RATE, TTL),
    spread: |age| spread_of_count(2.0 * AROUND * RATE * theory::stale_at_age(age, RATE, TTL), 1.2),
    scenario: |_| on_demand(RATE, ""),
    probe: |age| {
        let (from, until) = (PUBLISHED + age - AROUND, PUBLISHED + age + AROUND);
        Reads::stale_between(from, until, 1.0 / (2.0 * AROUND * RATE))
    },
    ..BASE
};

const AFTER_TTL: Law = Law {
    name: "stale-after-ttl",
    sentence: "requests answered from before the publish, later than τ after it",
    formula: "0, identically",
    unit: "requests",
    at: &[0.2, 0.5],
    theory: |_| 0.0,
    spread: |_| 0.0,
    probe: |_| Reads::stale_between(PUBLISHED + TTL, f64::INFINITY, 1.0),
    estimate: Estimate::Exactly,
    ..BASE
};

const SERVED: Law = Law {
    name: "stale-served",
    sentence: "requests per publish and cache that are answered from before it",
    formula: "λ h τ/2",
    unit: "requests",
    at: &[0.2, 0.3],
    theory: |rate| theory::stale_served(rate, TTL),
    spread: |rate| spread_of_count(theory::stale_served(rate, TTL), 1.0),
    ..BASE
};

const REVALIDATING_BY_AGE: Law = Law {
    name: "revalidating-stale-by-age",
    sentence: "probability that a revalidating cache holds an old version",
    formula: "1 - a/(τ + 1/λ) before τ; e^(-λ(a - τ))/(1 + λ τ) after it",
    assumptions: "Poisson requests at λ = 0.2/s per cache; τ = 10 s; the fetch takes no time",
    scenario_in_short: "200 replicas with a ttl of 10 s and stale_while_revalidate behind one journey; one publish",
    parameter: "age a (s)",
    unit: "probability",
    at: &[4.0, 8.0, 12.0],
    theory: |age| theory::revalidating_stale_at_age(age, RATE, TTL),
    spread: |age| spread_of_share(theory::revalidating_stale_at_age(age, RATE, TTL)),
    scenario: |_| on_demand(RATE, ", stale_while_revalidate: true"),
    probe: Adoption::stale_at,
    ..BASE
};

const REVALIDATING_SERVED: Law = Law {
    name: "revalidating-stale-served",
    sentence: "requests per publish and cache that a revalidating cache answers from before it",
    formula: "λ (τ² + 2 τ/λ + 2/λ²)/(2 (τ + 1/λ))",
    scenario_in_short: "200 replicas with a ttl of 10 s and stale_while_revalidate behind one journey; one publish",
    unit: "requests",
    at: &[0.2, 0.3],
    theory: |rate| theory::revalidating_stale_served(rate, TTL),
    spread: |rate| spread_of_count(theory::revalidating_stale_served(rate, TTL), 0.4),
    scenario: |rate| on_demand(rate, ", stale_while_revalidate: true"),
    ..BASE
};

/// Caches behind one journey: a Poisson stream that is spread over them at random is one of its own for each.
fn on_demand(rate: f64, sdk: &str) -> String {
    format!(
        "{}services:\n  s: {{ replicas: {CACHES}, takes: 0s, sdk: {{ ttl: {TTL}s{sdk} }} }}\n\
         journeys:\n  j: {{ arrivals: {}/s, calls: [s], feature: f }}\n{}",
        head(PUBLISHED + 60.0, ""),
        rate * CACHES,
        publish(PUBLISHED)
    )
}
