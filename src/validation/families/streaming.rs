//! Policy pushed over streams whose messages take exponential times.

use super::{fleet, head, publish, spread_of_count, spread_of_share};
use crate::theory::streaming as theory;
use crate::validation::probes::{Adoption, Split};
use crate::validation::{Estimate, Family, Law};

/// Mean time of a push, in seconds.
const MEAN: f64 = 2.0;
const PUBLISHED: f64 = 2.0;
/// Separate chains of one scenario.
const CHAINS: usize = 100;

pub static FAMILY: Family = Family {
    name: "streaming",
    title: "Policy pushed over streams",
    sentence: "Pushes shorten the time in which two answers are possible and do not remove it: the split requests of a \
               publish grow with the harmonic number of the services.",
    laws: &[BY_AGE, SPLIT, TIME_TO_FULL],
};

const BASE: Law = Law {
    name: "",
    sentence: "",
    formula: "",
    assumptions: "each push takes an exponential time of its own, mean m = 2 s",
    scenario_in_short: "1,000 replicas with a stream whose messages take 2 s in the mean; one publish",
    parameter: "",
    unit: "",
    at: &[],
    theory: |_| f64::NAN,
    spread: |_| f64::NAN,
    scenario: |_| head(PUBLISHED + 40.0, "") + &fleet("stream: { mean: 2s }") + &publish(PUBLISHED),
    probe: Adoption::stale_at,
    estimate: Estimate::Mean,
};

const BY_AGE: Law = Law {
    name: "stale-by-age",
    sentence: "share of replicas without the new version",
    formula: "e^(-a/m)",
    parameter: "age a (s)",
    unit: "share",
    at: &[0.5, 1.0, 2.0, 3.0],
    theory: |age| theory::stale_at_age(age, MEAN),
    spread: |age| spread_of_share(theory::stale_at_age(age, MEAN)),
    ..BASE
};

const SPLIT: Law = Law {
    name: "split-by-services",
    sentence: "split requests per publish",
    formula: "λ m H(k - 1)",
    assumptions: "Poisson requests at λ = 1/s that read at one moment; pushes exponential, m = 2 s",
    scenario_in_short: "100 separate chains of services of one replica with streams, each with a journey; one publish",
    parameter: "services k",
    unit: "requests",
    at: &[2.0, 3.0, 5.0],
    theory: |k| theory::split_requests(1.0, MEAN, k),
    // The range of k exponential times is a sum of independent ones of means m/i: at most as spread as one of them.
    spread: |k| spread_of_count(theory::split_requests(1.0, MEAN, k), 1.0 / theory::harmonic(k - 1.0)),
    scenario: |k| chains(k as usize),
    probe: |_| Split::contexts(),
    ..BASE
};

const TIME_TO_FULL: Law = Law {
    name: "time-to-full",
    sentence: "mean time until the last of N replicas holds the version",
    formula: "m H(N)",
    parameter: "replicas N",
    unit: "s",
    at: &[2.0, 5.0, 20.0],
    theory: |replicas| theory::time_to_full(MEAN, replicas),
    // The variance is m² (1 + 1/4 + … + 1/N²), below 1.65 m².
    spread: |replicas| 1.29 / theory::harmonic(replicas),
    probe: Adoption::last_of,
    ..BASE
};

fn chains(length: usize) -> String {
    let (mut services, mut journeys) = (String::new(), String::new());
    for chain in 0..CHAINS {
        let names: Vec<String> = (0..length).map(|at| format!("c{chain}-{at}")).collect();
        for name in &names {
            services.push_str(&format!("  {name}: {{ takes: 0s, sdk: {{ stream: {{ mean: 2s }} }} }}\n"));
        }
        let calls = names.join(", ");
        journeys.push_str(&format!("  j{chain}: {{ arrivals: 1/s, calls: [{calls}], feature: f }}\n"));
    }
    // Twelve mean times after the publish, one push in 160,000 is still under way.
    let head = head(PUBLISHED + 12.0 * MEAN, "");
    format!("{head}services:\n{services}journeys:\n{journeys}{}", publish(PUBLISHED))
}
