//! Consumer lag: what a pause leaves behind, how long it takes to drain, and what partitions hold in steady state.
//!
//! `arrivals` is λ, records appended per second (Poisson); `service` is μ, records one consumer works through per
//! second; a pause lasts P seconds. All queues are first come first served and start or return to empty: λ < μ.

/// Records that wait when a consumer that had none resumes after a pause: λP, in records.
///
/// Not compared with the engine by itself: what is measured is the drain that follows, [`mean_drain`].
pub fn after_pause(arrivals: f64, pause: f64) -> f64 {
    arrivals * pause
}

/// Mean time from the end of a pause until the consumer has caught up, seconds: λP/(μ-λ).
///
/// Exact for every distribution of the processing time. Source: the backlog is N ~ Poisson(λP) busy periods of mean
/// 1/(μ-λ) each.
pub fn mean_drain(arrivals: f64, service: f64, pause: f64) -> f64 {
    arrivals * pause / (service - arrivals)
}

/// Variance of the time until the consumer has caught up, s²: λP·E(B²) = λP·E(S²)/(1-ρ)³.
///
/// `scv` is the squared coefficient of variation of the processing time: 1 gives M/M/1, λP(μ+λ)/(μ-λ)³ + λP/(μ-λ)²;
/// 0 gives M/D/1. Source: a sum of Poisson many busy periods B, with Takács' E(B²) = E(S²)/(1-ρ)³.
pub fn drain_variance(arrivals: f64, service: f64, scv: f64, pause: f64) -> f64 {
    let second_moment = (1.0 + scv) / (service * service);
    let spare = 1.0 - arrivals / service;
    arrivals * pause * second_moment / (spare * spare * spare)
}

/// Share of time in which at least `n` records are waiting or being worked on, M/M/1: ρⁿ.
pub fn share_at_least(arrivals: f64, service: f64, n: u32) -> f64 {
    (0..n).fold(1.0, |share, _| share * arrivals / service)
}

/// Mean lag in steady state, the record being worked on included, M/M/1: ρ/(1-ρ), in records.
pub fn mean_lag(arrivals: f64, service: f64) -> f64 {
    arrivals / (service - arrivals)
}

/// Mean lag of a topic whose partitions get these shares of its records, M/M/1 each: Σ ρ(i)/(1-ρ(i)), ρ(i) = Λp(i)/μ.
///
/// `arrivals` is Λ of the whole topic, `service` the rate of the consumer of one partition. `None` where a partition
/// has no steady state.
pub fn mean_lag_of_partitions(arrivals: f64, service: f64, shares: &[f64]) -> Option<f64> {
    shares.iter().map(|share| (arrivals * share < service).then(|| mean_lag(arrivals * share, service))).sum()
}

/// Records per second by which the lag of a partition with this share grows: Λp - μ where that is positive, else 0.
pub fn growth(arrivals: f64, service: f64, share: f64) -> f64 {
    (arrivals * share - service).max(0.0)
}

/// Records produced before and handled after an instant, where a record is handled `delay` seconds after it is
/// produced on average: λW, by Little's law.
///
/// The events that meet another version of the policy than they were produced under, where the consumer evaluates
/// when it takes a record up: W is then the time from production to the start of processing. After a pause of P
/// seconds it is P.
pub fn handled_across(arrivals: f64, delay: f64) -> f64 {
    arrivals * delay
}

/// Lag that a rebalance of `pause` seconds leaves: fΛP for the share f of partitions that moves (cooperative), the
/// whole (f = 1) where every member lets go of everything (eager).
///
/// Not compared with the engine: there the length of a rebalance follows from the members' poll loops and is no
/// parameter of a scenario.
pub fn after_rebalance(arrivals: f64, pause: f64, moved: f64) -> f64 {
    moved * arrivals * pause
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn about(value: f64, expected: f64) {
        assert!((value - expected).abs() < 0.0005 * expected.abs().max(1.0), "{value} is not about {expected}");
    }

    #[test]
    fn a_pause_of_five_seconds_at_eighty_percent() {
        about(after_pause(80.0, 5.0), 400.0);
        about(mean_drain(80.0, 100.0, 5.0), 20.0);
        about(drain_variance(80.0, 100.0, 1.0, 5.0), 10.0);
        about(drain_variance(80.0, 100.0, 0.0, 5.0), 5.0);
    }

    #[test]
    fn the_variance_of_an_exponential_server_is_that_of_busy_periods_and_of_their_number() {
        let (arrivals, service, pause) = (8.0, 20.0, 3.0);
        let spare: f64 = service - arrivals;
        let expected = arrivals * pause * ((service + arrivals) / (spare * spare * spare) + 1.0 / (spare * spare));
        about(drain_variance(arrivals, service, 1.0, pause), expected);
    }

    #[test]
    fn the_lag_in_steady_state_is_geometric() {
        about(share_at_least(0.8, 1.0, 10), 0.1074);
        about(mean_lag(0.8, 1.0), 4.0);
        let sum: f64 = (1..2000).map(|n| share_at_least(0.8, 1.0, n)).sum();
        about(sum, 4.0);
    }

    #[test]
    fn skew_costs_lag_and_then_stability() {
        about(mean_lag_of_partitions(1.6, 1.0, &[0.5, 0.5]).expect("stable"), 8.0);
        about(mean_lag_of_partitions(1.0, 1.0, &[0.8, 0.2]).expect("stable"), 4.25);
        assert_eq!(mean_lag_of_partitions(1.6, 1.0, &[0.7, 0.3]), None);
        about(growth(160.0, 100.0, 0.7), 12.0);
        assert_eq!(growth(160.0, 100.0, 0.5), 0.0);
    }

    #[test]
    fn a_flip_finds_what_littles_law_says() {
        about(handled_across(80.0, 5.0), 400.0);
        about(after_rebalance(80.0, 5.0, 0.25), 100.0);
    }
}
