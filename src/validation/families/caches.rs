//! When the caches of a polling fleet hold a new version.

use super::{fleet, head, publish, spread_of_share};
use crate::theory::caches as theory;
use crate::validation::probes::Adoption;
use crate::validation::{Estimate, Family, Law};

/// The period of every cache here, in seconds.
const PERIOD: f64 = 30.0;
/// When the version is published: after more than a period, so that the second interval of a cache counts.
const PUBLISHED: f64 = 40.0;
const PHASES: &str = "uniform independent phases; the fetch takes no time";

pub static FAMILY: Family = Family {
    name: "caches",
    title: "Caches that poll",
    sentence: "Replicas ask for the policy every T seconds, each with a phase of its own. A published version spreads \
               over the fleet in one period, and what delays or fails the fetches stretches that.",
    laws: &[
        BY_AGE,
        WITH_ANSWER_TIME,
        WITH_JITTER,
        DELAY_WITH_JITTER,
        WITH_ERRORS,
        WITH_OUTAGE,
        TWO_DIVIDED,
        MANY_DIVIDED,
        WINDOW_WITH_JITTER,
        TIME_TO_FULL,
        FULL_BY,
    ],
};

/// What the laws of this family have in common.
const BASE: Law = Law {
    name: "",
    sentence: "share of replicas without the new version",
    formula: "",
    assumptions: PHASES,
    scenario_in_short: "1,000 replicas poll every 30 s; one publish",
    parameter: "age a (s)",
    unit: "share",
    at: &[],
    theory: |_| f64::NAN,
    spread: |_| f64::NAN,
    scenario: |_| polling("", "", 40.0),
    probe: Adoption::stale_at,
    estimate: Estimate::Mean,
};

const BY_AGE: Law = Law {
    name: "stale-by-age",
    formula: "1 - a/T",
    at: &[5.0, 10.0, 15.0, 20.0, 25.0],
    theory: |age| theory::stale_at_age(age, PERIOD),
    spread: |age| spread_of_share(theory::stale_at_age(age, PERIOD)),
    ..BASE
};

const WITH_ANSWER_TIME: Law = Law {
    name: "stale-by-age-with-slow-answers",
    formula: "1 - (a - d)/T, d the time of the answer alone",
    assumptions: "uniform independent phases; question and answer take d = 4 s each",
    scenario_in_short: "1,000 replicas poll every 30 s over 4 s each way; one publish",
    at: &[8.0, 14.0, 20.0, 26.0],
    theory: |age| theory::stale_at_age_with_answer_time(age, PERIOD, 4.0),
    spread: |age| spread_of_share(theory::stale_at_age_with_answer_time(age, PERIOD, 4.0)),
    scenario: |_| {
        head(PUBLISHED + 40.0, "").replace("latency: 0s", "latency: 4s") + &fleet("poll: 30s") + &publish(PUBLISHED)
    },
    ..BASE
};

/// Of the laws at a given age: each interval is spread over 30% to both sides.
const JITTER: f64 = 0.3;

const WITH_JITTER: Law = Law {
    name: "stale-by-age-with-jitter",
    formula: "1 - a/T up to L; (U - a)²/(2T(U - L)) up to U",
    assumptions: "intervals uniform in L = 0.7 T to U = 1.3 T; long after the start",
    scenario_in_short: "1,000 replicas poll every 30 s, jitter 0.3; one publish",
    at: &[5.0, 15.0, 22.0, 26.0],
    theory: |age| theory::stale_at_age_with_jitter(age, PERIOD, JITTER),
    spread: |age| spread_of_share(theory::stale_at_age_with_jitter(age, PERIOD, JITTER)),
    scenario: |_| polling(", jitter: 0.3", "", 45.0),
    ..BASE
};

const DELAY_WITH_JITTER: Law = Law {
    name: "delay-by-jitter",
    sentence: "mean time until a replica adopts",
    formula: "T/2 (1 + j²/3)",
    assumptions: "intervals uniform in T (1 ± j); long after the start",
    scenario_in_short: "1,000 replicas poll every 30 s with jitter j; one publish",
    parameter: "jitter j",
    unit: "s",
    at: &[0.1, 0.3, 0.6, 0.9],
    theory: |jitter| theory::mean_delay_with_jitter(PERIOD, jitter),
    spread: |_| 0.7,
    scenario: |jitter| polling(&format!(", jitter: {jitter}"), "", 65.0),
    probe: |_| Adoption::of_each(|delay| delay),
    ..BASE
};

/// The share of questions answered with an error.
const FAILING: f64 = 0.3;

const WITH_ERRORS: Law = Law {
    name: "stale-by-age-with-failed-polls",
    formula: "f^k (1 - (1 - f) r/T), a = kT + r",
    assumptions: "each poll fails by itself with f = 0.3; the schedule goes on",
    scenario_in_short: "1,000 replicas poll every 30 s, 30% of the polls fail; one publish",
    at: &[10.0, 20.0, 40.0, 50.0],
    theory: |age| theory::stale_at_age_with_failures(age, PERIOD, FAILING),
    spread: |age| spread_of_share(theory::stale_at_age_with_failures(age, PERIOD, FAILING)),
    scenario: |_| polling("", ", errors: 30%", 60.0),
    ..BASE
};

const WITH_OUTAGE: Law = Law {
    name: "stale-by-age-with-outage",
    formula: "1 - (a - D)/T from D on",
    assumptions: "the control plane goes down for D = 15 s at the publish; the schedule goes on",
    scenario_in_short: "1,000 replicas poll every 30 s; one publish, and an outage of 15 s from it on",
    at: &[20.0, 25.0, 30.0, 35.0],
    theory: |age| theory::stale_at_age_with_outage(age, PERIOD, 15.0),
    spread: |age| spread_of_share(theory::stale_at_age_with_outage(age, PERIOD, 15.0)),
    scenario: |_| {
        polling("", "", 50.0) + &format!("timeline: [{{ at: {PUBLISHED}s, fault: control_plane.down, lasts: 15s }}]\n")
    },
    ..BASE
};

const TWO_DIVIDED: Law = Law {
    name: "two-disagree-by-age",
    sentence: "probability that two caches hold different versions",
    formula: "2 s (1 - s), s = 1 - a/T",
    at: &[4.0, 10.0, 15.0, 24.0],
    theory: |age| theory::disagreement(theory::stale_at_age(age, PERIOD), 2.0),
    spread: |age| spread_of_share(theory::disagreement(theory::stale_at_age(age, PERIOD), 2.0)),
    probe: |age| Adoption::divided_at(age, 2.0),
    ..BASE
};

const MANY_DIVIDED: Law = Law {
    name: "k-disagree",
    sentence: "probability that k caches do not all hold the same version 3 s after the publish",
    formula: "1 - s^k - (1 - s)^k, s = 0.9",
    parameter: "caches k",
    at: &[2.0, 3.0, 5.0, 8.0],
    theory: |k| theory::disagreement(theory::stale_at_age(3.0, PERIOD), k),
    spread: |k| spread_of_share(theory::disagreement(theory::stale_at_age(3.0, PERIOD), k)),
    probe: |k| Adoption::divided_at(3.0, k),
    ..BASE
};

const WINDOW_WITH_JITTER: Law = Law {
    name: "window-by-jitter",
    sentence: "mean time for which two caches hold different versions",
    formula: "2 ∫ s (1 - s)",
    assumptions: "intervals uniform in T (1 ± j); long after the start",
    scenario_in_short: "1,000 replicas poll every 30 s with jitter j; one publish",
    parameter: "jitter j",
    unit: "s",
    at: &[0.2, 0.5, 0.9],
    theory: |jitter| theory::window_with_jitter(PERIOD, jitter),
    spread: |_| 0.8,
    scenario: |jitter| polling(&format!(", jitter: {jitter}"), "", 65.0),
    probe: |_| Adoption::of_groups(2.0, |delays| (delays[0] - delays[1]).abs()),
    ..BASE
};

const TIME_TO_FULL: Law = Law {
    name: "time-to-full",
    sentence: "mean time until the last of N replicas has adopted",
    formula: "T N/(N + 1)",
    parameter: "replicas N",
    unit: "s",
    at: &[2.0, 5.0, 10.0, 40.0],
    theory: |replicas| theory::time_to_full(PERIOD, replicas),
    // Of the greatest of N uniform numbers.
    spread: |n| 1.0 / (n * (n + 2.0)).sqrt(),
    probe: Adoption::last_of,
    ..BASE
};

const FULL_BY: Law = Law {
    name: "full-by-age",
    sentence: "probability that four replicas have all adopted",
    formula: "(a/T)^4",
    at: &[22.0, 25.0, 28.0],
    theory: |age| theory::full_by(age, PERIOD, 4.0),
    spread: |age| spread_of_share(theory::full_by(age, PERIOD, 4.0)),
    probe: |age| Adoption::of_groups(4.0, move |delays| f64::from(delays.iter().all(|delay| *delay <= age))),
    ..BASE
};

/// The fleet with more to its sdk and to the control plane, and `seconds` after the publish.
fn polling(sdk: &str, control_plane: &str, seconds: f64) -> String {
    head(PUBLISHED + seconds, control_plane) + &fleet(&format!("poll: 30s{sdk}")) + &publish(PUBLISHED)
}
