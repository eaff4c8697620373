//! Every family, in the order in which the document shows them.

mod bucketing;
mod caches;
mod chains;
mod exposure;
mod herd;
mod lag;
mod on_demand;
mod queues;
mod retries;
mod streaming;

use super::Family;

/// One line per family.
pub static ALL: &[&Family] = &[
    &caches::FAMILY,
    &chains::FAMILY,
    &on_demand::FAMILY,
    &streaming::FAMILY,
    &herd::FAMILY,
    &queues::FAMILY,
    &retries::FAMILY,
    &lag::FAMILY,
    &bucketing::FAMILY,
    &exposure::FAMILY,
];

/// The spread of a share: standard deviation over mean of a variable that is 1 with probability `p`, else 0.
fn spread_of_share(p: f64) -> f64 {
    ((1.0 - p) / p).sqrt()
}

/// The spread of how many of a Poisson stream fall into a window whose mean holds `mean` of them and whose length has
/// the squared spread `window`.
fn spread_of_count(mean: f64, window: f64) -> f64 {
    (window + 1.0 / mean).sqrt()
}

/// The head of a scenario of `seconds`: one feature `f`, off until a step turns it on, and nothing takes time that is
/// not asked to.
fn head(seconds: f64, control_plane: &str) -> String {
    format!(
        "windtunnel: 1\nname: validation\nduration: {seconds}s\ndrain: 1s\nfeatures:\n  f: {{ stages: [\"off\", \"on\"] }}\n\
         network: {{ within: 0s, between: 0s }}\ncontrol_plane: {{ latency: 0s{control_plane} }}\n"
    )
}

/// Turns `f` on for everybody at a moment.
fn publish(at: f64) -> String {
    format!("rollout:\n  f: {{ steps: [{{ at: {at}s, move: [{{ to: \"on\" }}] }}] }}\n")
}

/// A service of a thousand replicas with this sdk, which a customer visits now and then.
fn fleet(sdk: &str) -> String {
    format!(
        "services:\n  s: {{ replicas: 1000, sdk: {{ {sdk} }} }}\njourneys:\n  j: {{ arrivals: {{ every: 10s }}, calls: [s], feature: f }}\n"
    )
}
