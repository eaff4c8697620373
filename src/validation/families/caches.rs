//! Caches that poll every 30 s.

use super::spread_of_share;
use crate::theory::caches as theory;
use crate::validation::probes::Adoption;
use crate::validation::{Estimate, Family, Law};

/// The period of every cache here, in seconds.
const PERIOD: f64 = 30.0;

pub static FAMILY: Family = Family {
    name: "caches",
    title: "Caches that poll",
    sentence: "Replicas ask for the policy on a period with a phase of their own, so that a published version spreads \
               over one period, and whoever asks two of them meanwhile may get two answers.",
    laws: &[Law {
        name: "stale-by-age",
        sentence: "share of replicas without the new version",
        formula: "1 - a/T",
        assumptions: "uniform independent phases; a fetch takes no time",
        scenario_in_short: "1,000 replicas poll every 30 s; one publish",
        parameter: "age a (s)",
        unit: "share",
        at: &[5.0, 10.0, 15.0, 20.0],
        theory: |age| theory::stale_at_age(age, PERIOD),
        spread: |age| spread_of_share(theory::stale_at_age(age, PERIOD)),
        scenario: |_| fleet("", "latency: 0s"),
        probe: Adoption::stale_at,
        estimate: Estimate::Mean,
    }],
};

/// A thousand replicas of one service that poll, `sdk` beside the period; one publish after more than a period.
fn fleet(sdk: &str, control_plane: &str) -> String {
    format!(
        "windtunnel: 1\nname: fleet\nduration: 95s\ndrain: 1s\nfeatures:\n  f: {{ stages: [\"off\", \"on\"] }}\n\
         control_plane: {{ {control_plane} }}\nservices:\n  s: {{ replicas: 1000, sdk: {{ poll: 30s{sdk} }} }}\n\
         rollout:\n  f: {{ steps: [{{ at: 40s, move: [{{ to: \"on\" }}] }}] }}\n"
    )
}
