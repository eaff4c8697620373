//! What an outage of the control plane leaves behind.

use super::{fleet, head, publish, spread_of_share};
use crate::theory::herd as theory;
use crate::validation::probes::{Adoption, Fetches};
use crate::validation::{Estimate, Family, Law};

/// Replicas of one scenario; the samples are single replicas, scaled to this many.
const REPLICAS: f64 = 1_000.0;
/// Seconds between polls, and between the repetitions of a failed one.
const PERIOD: f64 = 60.0;
const RETRY: f64 = 2.0;
/// When the control plane goes down, in seconds, and for how long where that does not vary.
const DOWN: f64 = 70.0;
const OUTAGE: f64 = 30.0;

pub static FAMILY: Family = Family {
    name: "herd",
    title: "The herd after an outage",
    sentence: "Replicas that could not ask keep asking: during an outage the load on the control plane grows step by step, \
               and when it is back everybody who waited comes within one retry.",
    laws: &[WAITING, ALL_WAIT, OFFERED, ANSWERED],
};

const BASE: Law = Law {
    name: "",
    sentence: "",
    formula: "",
    assumptions: "N = 1,000 replicas poll every T = 60 s, uniform phases, and repeat a failed poll every r = 2 s",
    scenario_in_short: "1,000 replicas poll every 60 s with a flat backoff of 2 s; the control plane goes down",
    parameter: "",
    unit: "",
    at: &[],
    theory: |_| f64::NAN,
    spread: |_| f64::NAN,
    scenario: |_| outage(OUTAGE),
    probe: |outage| Fetches::failed_between(DOWN, DOWN + outage, |failed| if failed > 0 { REPLICAS } else { 0.0 }),
    estimate: Estimate::Mean,
};

const WAITING: Law = Law {
    name: "waiting-at-recovery",
    sentence: "replicas that have missed a poll when the outage ends",
    formula: "N D/T",
    parameter: "outage D (s)",
    unit: "replicas",
    at: &[15.0, 30.0, 45.0],
    theory: |outage| theory::waiting_at_recovery(REPLICAS, PERIOD, outage),
    spread: |outage| spread_of_share(theory::waiting_at_recovery(1.0, PERIOD, outage)),
    scenario: outage,
    ..BASE
};

const ALL_WAIT: Law = Law {
    name: "waiting-after-a-period",
    sentence: "replicas that have missed a poll, of 1,000, when the outage outlasts the period",
    formula: "N",
    parameter: "outage D (s)",
    unit: "replicas",
    at: &[60.0, 90.0],
    theory: |outage| theory::waiting_at_recovery(REPLICAS, PERIOD, outage),
    spread: |_| 0.0,
    scenario: outage,
    estimate: Estimate::Exactly,
    ..BASE
};

const OFFERED: Law = Law {
    name: "offered-rate",
    sentence: "questions per second during the outage",
    formula: "N/T (⌊x/r⌋ + 1)",
    parameter: "time x into the outage (s)",
    unit: "1/s",
    at: &[8.0, 16.0, 26.0],
    theory: |into| theory::offered_rate(REPLICAS, PERIOD, RETRY, into),
    // A replica asks once in r or not at all.
    spread: |into| spread_of_share(theory::offered_rate(1.0, PERIOD, RETRY, into) * RETRY),
    probe: |into| {
        Fetches::failed_between(DOWN + into, DOWN + into + RETRY, |failed| f64::from(failed) * REPLICAS / RETRY)
    },
    ..BASE
};

const ANSWERED: Law = Law {
    name: "answered-after-recovery",
    sentence: "share of replicas with an answer so long after the recovery",
    formula: "D/T y/r + y/T",
    assumptions: "T = 60 s, r = 2 s, D = 30 s; a version was published meanwhile",
    parameter: "time y since the recovery (s)",
    unit: "share",
    at: &[1.0, 1.5, 2.0],
    theory: |into| theory::answered_after_recovery(into, PERIOD, OUTAGE, RETRY),
    spread: |into| spread_of_share(theory::answered_after_recovery(into, PERIOD, OUTAGE, RETRY)),
    // The version is published when the outage begins.
    probe: |into| Adoption::of_each(move |delay| f64::from(delay <= OUTAGE + into)),
    ..BASE
};

fn outage(lasts: f64) -> String {
    format!(
        "{}{}{}timeline: [{{ at: {DOWN}s, fault: control_plane.down, lasts: {lasts}s }}]\n",
        head(DOWN + lasts + RETRY + 2.0, ""),
        fleet("poll: 60s, backoff: { first: 2s, most: 2s }"),
        publish(DOWN)
    )
}
