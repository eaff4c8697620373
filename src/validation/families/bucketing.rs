//! Who is on: buckets, cohorts, ramps and experiments.

use super::spread_of_share;
use crate::theory::bucketing as theory;
use crate::validation::probes::{Bins, Flaps, Pairs, Shares};
use crate::validation::{Estimate, Family, Law};

/// Journeys of one scenario, each about a feature of its own: as many salts.
const FEATURES: usize = 20;
/// The share that the first of two rules admits.
const FIRST: f64 = 0.3;

pub static FAMILY: Family = Family {
    name: "bucketing",
    title: "Bucketing",
    sentence: "A percentage is a cohort of users chosen by a hash: with one salt ramps nest and experiments correlate, \
               with another salt the same percentage is other people.",
    laws: &[
        Law {
            name: "uniformity",
            sentence: "χ² of users over a hundred stages with 1% each",
            formula: "degrees of freedom, 99",
            assumptions: "buckets are independent and uniform; judged on both sides, so that too regular fails as well",
            scenario_in_short: "20 features with a hundred stages, 4,000 requests of 10,000 users each",
            parameter: "stages",
            unit: "χ²",
            at: &[100.0],
            theory: |stages| theory::chi_square_mean(stages as u32),
            spread: |stages| {
                theory::chi_square_variance(stages as u32, 3_300.0).sqrt() / theory::chi_square_mean(stages as u32)
            },
            scenario: |stages| {
                let names: Vec<String> = (0..stages as u32).map(|n| format!("\"b{n}\"")).collect();
                let moved = |(n, name): (usize, &String)| {
                    format!("{{ to: {name}, percent: {}% }}", (n + 1) as f64 * 100.0 / stages)
                };
                let moves: Vec<String> = names.iter().enumerate().map(moved).collect();
                let steps = format!("[{{ at: 0s, move: [{}] }}]", moves.join(", "));
                features(&names.join(", "), &steps, "", "duration: 40s", 100.0, "users: 10000")
            },
            probe: |_| Bins::of_stages(),
            estimate: Estimate::Mean,
        },
        Law {
            name: "flaps-of-a-ramp",
            sentence: "users who were on and then off while a percentage grows",
            formula: "0, exactly",
            assumptions: "one salt throughout; every decision under the newest policy",
            scenario_in_short: "20 features in six steps from 1% to 100%, each with requests of 200 users",
            parameter: "steps",
            unit: "users",
            at: &[6.0],
            theory: |_| 0.0,
            spread: |_| 0.0,
            scenario: |_| {
                let step = |(n, percent): (usize, &u32)| {
                    format!("{{ at: {}s, move: [{{ to: \"on\", percent: {percent}% }}] }}", 5 * n + 1)
                };
                let steps: Vec<String> = [1, 5, 10, 25, 50, 100].iter().enumerate().map(step).collect();
                features("\"off\", \"on\"", &format!("[{}]", steps.join(", ")), "", "duration: 35s", 40.0, "users: 200")
            },
            probe: |_| Flaps::counted(),
            estimate: Estimate::Exactly,
        },
        Law {
            name: "disagreement-of-salts",
            sentence: "share of users on in one feature only, each with a salt of its own",
            formula: "p + q - 2pq",
            assumptions: "p = 30%",
            scenario_in_short: "one request asks for two features",
            parameter: "share q",
            unit: "share",
            at: &[0.1, 0.3, 0.6],
            theory: |q| theory::disagreement_of_salts(FIRST, q),
            spread: |q| spread_of_share(theory::disagreement_of_salts(FIRST, q)),
            scenario: |q| two_features(q, Salts::Own),
            probe: |_| Pairs::where_both(|first, second| first != second),
            estimate: Estimate::Mean,
        },
        Law {
            name: "disagreement-of-shares",
            sentence: "share of users on in one feature only, both with the same salt",
            formula: "|p - q|",
            assumptions: "p = 30%",
            scenario_in_short: "one request asks for two features",
            parameter: "share q",
            unit: "share",
            at: &[0.1, 0.6],
            theory: |q| theory::disagreement_of_shares(FIRST, q),
            spread: |q| spread_of_share(theory::disagreement_of_shares(FIRST, q)),
            scenario: |q| two_features(q, Salts::Shared),
            probe: |_| Pairs::where_both(|first, second| first != second),
            estimate: Estimate::Mean,
        },
        Law {
            name: "salt-of-one-service",
            sentence: "share of users for whom a service with a salt of its own decides otherwise than the others",
            formula: "2p(1-p)",
            assumptions: "one feature, one percentage",
            scenario_in_short: "two services decide on the same feature, one of them configured with another salt",
            parameter: "share p",
            unit: "share",
            at: &[0.1, 0.5],
            theory: |p| theory::disagreement_of_salts(p, p),
            spread: |p| spread_of_share(theory::disagreement_of_salts(p, p)),
            scenario: one_salted_service,
            probe: |_| Pairs::where_both(|first, second| first != second),
            estimate: Estimate::Mean,
        },
        Law {
            name: "joint-exposure",
            sentence: "share of users on in both features, each with a salt of its own",
            formula: "pq",
            assumptions: "p = 30%",
            scenario_in_short: "one request asks for two features",
            parameter: "share q",
            unit: "share",
            at: &[0.1, 0.3, 0.6],
            theory: |q| theory::joint_exposure(FIRST, q),
            spread: |q| spread_of_share(theory::joint_exposure(FIRST, q)),
            scenario: |q| two_features(q, Salts::Own),
            probe: |_| Pairs::where_both(|first, second| first && second),
            estimate: Estimate::Mean,
        },
        Law {
            name: "joint-exposure-with-one-salt",
            sentence: "share of users on in both features, both with the same salt",
            formula: "min(p, q)",
            assumptions: "p = 30%",
            scenario_in_short: "one request asks for two features",
            parameter: "share q",
            unit: "share",
            at: &[0.1, 0.6],
            theory: |q| theory::joint_exposure_with_one_salt(FIRST, q),
            spread: |q| spread_of_share(theory::joint_exposure_with_one_salt(FIRST, q)),
            scenario: |q| two_features(q, Salts::Shared),
            probe: |_| Pairs::where_both(|first, second| first && second),
            estimate: Estimate::Mean,
        },
        Law {
            name: "flips-of-resalting",
            sentence: "share of users who lose the feature when a growing percentage is salted anew",
            formula: "p(1-q)",
            assumptions: "p = 30% before",
            scenario_in_short: "one request asks for the feature as it is before and as it is after",
            parameter: "share q after",
            unit: "share",
            at: &[0.3, 0.6],
            theory: |q| theory::flips_of_resalting(FIRST, q),
            spread: |q| spread_of_share(theory::flips_of_resalting(FIRST, q)),
            scenario: |q| two_features(q, Salts::Own),
            probe: |_| Pairs::where_both(|before, after| before && !after),
            estimate: Estimate::Mean,
        },
        Law {
            name: "share-of-uneven-tenants",
            sentence: "variance of the share of requests that are on, where tenants are bucketed",
            formula: "p(1-p)(1/n + (1-1/n)Σw²)",
            assumptions: "50 tenants weighted by Zipf's law with exponent 1, n = 50 requests",
            scenario_in_short: "20 features bucketed by tenant, 50 requests each",
            parameter: "share p",
            unit: "share²",
            at: &[0.3],
            theory: |p| theory::sampled_share_variance(p, theory::zipf_squares(50, 1.0), SHARED_REQUESTS as f64),
            spread: |_| 1.25,
            scenario: |p| {
                let steps = format!("[{{ at: 0s, move: [{{ to: \"on\", percent: {}% }}] }}]", p * 100.0);
                let tenants = "count: 50, users: 1, traffic: { zipf: 1 }";
                features("\"off\", \"on\"", &steps, "bucket_by: tenant, ", "duration: 10s", 10.0, tenants)
            },
            probe: |_| Shares::of_first(SHARED_REQUESTS),
            estimate: Estimate::Variance,
        },
    ],
};

/// Requests among which a share is taken.
const SHARED_REQUESTS: u64 = 50;

/// Features that each have a journey, a service and a rollout of their own.
fn features(stages: &str, steps: &str, rollout: &str, duration: &str, arrivals: f64, tenants: &str) -> String {
    let all = |one: &dyn Fn(usize) -> String| (0..FEATURES).map(one).collect::<String>();
    format!(
        "windtunnel: 1\nname: bucketing\n{duration}\ndrain: 1s\nnetwork: {{ within: 0s, between: 0s }}\n\
         control_plane: {{ latency: 0s }}\npopulation: {{ tenants: {{ {tenants} }} }}\n\
         features:\n{}services:\n{}journeys:\n{}rollout:\n{}",
        all(&|n| format!("  f{n}: {{ stages: [{stages}] }}\n")),
        all(&|n| format!("  s{n}: {{ takes: 0s, sdk: {{ stream: 0s }} }}\n")),
        all(&|n| format!("  j{n}: {{ arrivals: {arrivals}/s, calls: [s{n}], feature: f{n} }}\n")),
        all(&|n| format!("  f{n}: {{ {rollout}steps: {steps} }}\n")),
    )
}

/// The salts of two features.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Salts {
    Own,
    Shared,
}

/// One request asks for `first`, 30%, and then for `second`. So many users that hardly one comes twice.
fn two_features(second: f64, salts: Salts) -> String {
    let salt = if salts == Salts::Shared { "salt: shared, " } else { "" };
    let rollout = |name: &str, share: f64| {
        format!("  {name}: {{ {salt}steps: [{{ at: 0s, move: [{{ to: \"on\", percent: {share} }}] }}] }}\n")
    };
    let asks = |feature: &str, then: &str| {
        format!("[{{ when: 'stage(\"{feature}\") == \"on\"', do: [{then}] }}, {{ do: [{then}] }}]")
    };
    format!(
        "windtunnel: 1\nname: bucketing\nduration: 20s\nnetwork: {{ within: 0s, between: 0s }}\n\
         control_plane: {{ latency: 0s }}\npopulation: {{ tenants: {{ users: 10000000 }} }}\nfeatures:\n  \
         first: {{ stages: [\"off\", \"on\"] }}\n  second: {{ stages: [\"off\", \"on\"] }}\nservices:\n  \
         a: {{ takes: 0s, sdk: {{ stream: 0s }}, operations: {{ o: {} }} }}\n  \
         b: {{ takes: 0s, sdk: {{ stream: 0s }}, operations: {{ o: {} }} }}\n\
         journeys:\n  j: {{ arrivals: 100/s, first: a.o }}\nrollout:\n{}{}",
        asks("first", "{ call: b.o }"),
        asks("second", "ignore"),
        rollout("first", FIRST),
        rollout("second", second),
    )
}

/// Two services decide on one feature; the second buckets with a salt of its own.
fn one_salted_service(share: f64) -> String {
    format!(
        "windtunnel: 1\nname: bucketing\nduration: 20s\nnetwork: {{ within: 0s, between: 0s }}\n\
         control_plane: {{ latency: 0s }}\npopulation: {{ tenants: {{ users: 10000000 }} }}\nfeatures:\n  \
         f: {{ stages: [\"off\", \"on\"] }}\nservices:\n  a: {{ takes: 0s, sdk: {{ stream: 0s }} }}\n  \
         b: {{ takes: 0s, sdk: {{ stream: 0s, salt: another }} }}\n\
         journeys:\n  j: {{ arrivals: 100/s, calls: [a, b], feature: f }}\n\
         rollout:\n  f: {{ steps: [{{ at: 0s, move: [{{ to: \"on\", percent: {share} }}] }}] }}\n"
    )
}
