//! Caches that poll: replicas ask every T seconds, with phases that are uniform and independent; a version is
//! published at age 0.
//!
//! Source of all: the renewal argument (Cox, Renewal Theory, 1962, ch. 5): at a fixed moment the time until the next
//! poll has the density (1 - F(x)) / E(interval). Checked.

use super::{integral, whole};

/// The share of replicas that do not hold the version yet at `age` seconds: `max(0, 1 - age/T)`.
pub fn stale_at_age(age: f64, period: f64) -> f64 {
    (1.0 - age / period).clamp(0.0, 1.0)
}

/// As [`stale_at_age`] when the answer of a fetch takes `back` seconds and its question any time:
/// `1 - (age - back)/T`. The version is read at the control plane, so that the way there only moves the phase.
pub fn stale_at_age_with_answer_time(age: f64, period: f64, back: f64) -> f64 {
    stale_at_age((age - back).max(0.0), period)
}

/// As [`stale_at_age`] when each interval is uniform in `T (1 ± jitter)`, with L and U its bounds: `1 - age/T` up to
/// L, `(U - age)² / (2 T (U - L))` up to U, then 0.
pub fn stale_at_age_with_jitter(age: f64, period: f64, jitter: f64) -> f64 {
    let (least, most) = (period * (1.0 - jitter), period * (1.0 + jitter));
    if age <= least {
        1.0 - age / period
    } else if age < most {
        (most - age) * (most - age) / (2.0 * period * (most - least))
    } else {
        0.0
    }
}

/// The mean time in seconds until a replica adopts, with jitter as in [`stale_at_age_with_jitter`]:
/// `T/2 (1 + jitter²/3)`.
pub fn mean_delay_with_jitter(period: f64, jitter: f64) -> f64 {
    period / 2.0 * (1.0 + jitter * jitter / 3.0)
}

/// Mean seconds for which two services disagree after a publish, with jitter: `2 ∫ s (1 - s)`.
pub fn window_with_jitter(period: f64, jitter: f64) -> f64 {
    let stale = |age: f64| stale_at_age_with_jitter(age, period, jitter);
    let window = |age: f64| 2.0 * stale(age) * (1.0 - stale(age));
    let (least, most) = (period * (1.0 - jitter), period * (1.0 + jitter));
    integral(window, 0.0, least) + integral(window, least, most)
}

/// As [`stale_at_age`] when a poll fails with probability `failing`, each for itself, and the schedule goes on: with
/// `age = k T + r`, `failing^k (1 - (1 - failing) r/T)`.
pub fn stale_at_age_with_failures(age: f64, period: f64, failing: f64) -> f64 {
    let whole_periods = (age / period).floor();
    let rest = age - whole_periods * period;
    libm::pow(failing, whole_periods) * (1.0 - (1.0 - failing) * rest / period)
}

/// As [`stale_at_age`] when the control plane is down for `outage` seconds from the publish on and the schedule goes
/// on: `1 - (age - outage)/T` from its end.
pub fn stale_at_age_with_outage(age: f64, period: f64, outage: f64) -> f64 {
    stale_at_age((age - outage).max(0.0), period)
}

/// The probability that `k` services that are each stale with probability `stale` do not all agree:
/// `1 - s^k - (1-s)^k`; `2 s (1 - s)` for two.
pub fn disagreement(stale: f64, k: f64) -> f64 {
    1.0 - libm::pow(stale, k) - libm::pow(1.0 - stale, k)
}

/// The probability that two services with different staleness disagree: `s1 (1 - s2) + s2 (1 - s1)`.
pub fn disagreement_of_two(stale: f64, other: f64) -> f64 {
    stale * (1.0 - other) + other * (1.0 - stale)
}

/// Expected requests per publish that see two decisions, `rate` per second through `k` services that read at the
/// same moment: the rate times the mean range of k uniform delays, `rate T (k-1)/(k+1)`, whatever the number of
/// replicas.
pub fn split_requests(rate: f64, period: f64, k: f64) -> f64 {
    rate * period * (k - 1.0) / (k + 1.0)
}

/// Expected split requests per publish where the second of two services reads `delay` seconds after the first, as
/// over a topic: `rate T (u + (1-u)³/3)` with `u = delay/T` up to 1, and `rate delay` beyond.
pub fn split_requests_over_hop(rate: f64, period: f64, delay: f64) -> f64 {
    let u = delay / period;
    if u >= 1.0 { rate * delay } else { rate * period * (u + (1.0 - u) * (1.0 - u) * (1.0 - u) / 3.0) }
}

/// Of those, the ones whose first service was already new and whose second still old: `rate T (1-u)³/6`.
pub fn regressions_over_hop(rate: f64, period: f64, delay: f64) -> f64 {
    let fresh = (1.0 - delay / period).max(0.0);
    rate * period * fresh * fresh * fresh / 6.0
}

/// Expected requests per publish that read one and the same cache twice, `delay` seconds apart, and get two answers:
/// `rate delay`, for any law of adoption.
pub fn split_reads_of_one_cache(rate: f64, delay: f64) -> f64 {
    rate * delay
}

/// Expected split requests per publish where a request visits one service twice and the load balancer picks one of
/// `replicas` each time, uniformly: two different replicas have the range of two delays, `rate T/3 (1 - 1/N)`.
pub fn split_visits_of_one_service(rate: f64, period: f64, replicas: f64) -> f64 {
    split_requests(rate, period, 2.0) * (1.0 - 1.0 / replicas)
}

/// The probability that a publish splits at least one request of a Poisson stream through two services of one
/// replica each: `1 - 2/c + 2 (1 - e^-c)/c²` with `c = rate T`.
pub fn any_split_request(rate: f64, period: f64) -> f64 {
    let c = rate * period;
    1.0 - 2.0 / c + 2.0 * (1.0 - libm::exp(-c)) / (c * c)
}

/// Mean seconds until the last of `replicas` has adopted: the greatest of N uniform delays, `T N/(N+1)`.
pub fn time_to_full(period: f64, replicas: f64) -> f64 {
    let n = f64::from(whole(replicas));
    period * n / (n + 1.0)
}

/// The probability that all of `replicas` have adopted by `age` seconds: `(age/T)^N`.
pub fn full_by(age: f64, period: f64, replicas: f64) -> f64 {
    libm::pow((age / period).clamp(0.0, 1.0), replicas)
}

/// Mean seconds from a publish until the last request that is answered by what was before it, where `rate` requests per
/// second go to each of `replicas` caches, as Poisson processes of their own: `∫ (1 - g(x)^N) dx` over the period, with
/// `g(x) = x/T + (1 - e^(-rate (T - x)))/(rate T)` the probability that one cache answers none so after `x`.
///
/// Source: given that a cache adopts at u > x, none comes between x and u with probability `e^(-rate (u - x))`; u is
/// uniform. For many requests it is [`time_to_full`] less the wait for a request.
pub fn last_old_answer(rate: f64, period: f64, replicas: f64) -> f64 {
    let none_after = |x: f64| x / period + (1.0 - libm::exp(-rate * (period - x))) / (rate * period);
    super::integral(|x| 1.0 - libm::pow(none_after(x).min(1.0), replicas), 0.0, period)
}

/// The probability that two services disagree about a user while a ramp goes from share `from` to `to`, both stale
/// with probability `stale`: only users whose decision changes count, `|to - from| 2 s (1 - s)`.
pub fn ramp_disagreement(from: f64, to: f64, stale: f64) -> f64 {
    (to - from).abs() * disagreement(stale, 2.0)
}

#[cfg(test)]
mod tests {
    use super::super::assert_near;
    use super::*;

    #[test]
    fn staleness_by_age_has_the_known_values() {
        assert_near(stale_at_age(10.0, 30.0), 0.6667, 5e-5);
        assert_eq!(stale_at_age(31.0, 30.0), 0.0);
        assert_near(stale_at_age_with_answer_time(10.0, 30.0, 2.5), 0.75, 1e-12);
        assert_near(stale_at_age_with_failures(40.0, 30.0, 0.25), 0.1875, 1e-12);
        assert_near(stale_at_age_with_outage(25.0, 30.0, 15.0), 0.6667, 5e-5);
    }

    #[test]
    fn jitter_has_the_known_values() {
        // Intervals uniform in [21 s, 39 s].
        assert_near(mean_delay_with_jitter(30.0, 0.3), 15.45, 1e-9);
        assert_near(stale_at_age_with_jitter(25.0, 30.0, 0.3), 0.1815, 5e-5);
        assert_near(window_with_jitter(30.0, 0.3), 10.79, 5e-3);
        assert_near(window_with_jitter(30.0, 1e-9), 10.0, 1e-6);
    }

    #[test]
    fn disagreement_has_the_known_values() {
        assert_near(disagreement(stale_at_age(10.0, 30.0), 2.0), 0.4444, 5e-5);
        assert_near(disagreement(stale_at_age(3.0, 30.0), 5.0), 0.4095, 5e-5);
        assert_near(disagreement_of_two(0.5, 0.5), disagreement(0.5, 2.0), 1e-12);
        assert_near(ramp_disagreement(0.2, 0.35, 2.0 / 3.0), 0.0667, 5e-5);
    }

    #[test]
    fn split_requests_have_the_known_values() {
        for (k, known) in [(2.0, 200.0), (3.0, 300.0), (5.0, 400.0)] {
            assert_near(split_requests(20.0, 30.0, k), known, 1e-9);
        }
        for (delay, known) in [(6.0, 222.4), (15.0, 325.0), (30.0, 600.0), (75.0, 1_500.0)] {
            assert_near(split_requests_over_hop(20.0, 30.0, delay), known, 1e-9);
        }
        assert_near(regressions_over_hop(20.0, 30.0, 6.0), 51.2, 1e-9);
        assert_eq!(split_requests_over_hop(20.0, 30.0, 0.0), split_requests(20.0, 30.0, 2.0));
        assert_near(split_reads_of_one_cache(20.0, 2.0), 40.0, 1e-9);
        assert_near(split_visits_of_one_service(0.2, 30.0, 4.0), 1.5, 1e-9);
        // c = 6: the known value 0.7221.
        assert_near(any_split_request(0.2, 30.0), 0.7221, 5e-5);
    }

    #[test]
    fn a_fleet_has_the_known_values() {
        assert_near(time_to_full(30.0, 40.0), 29.268, 5e-4);
        assert_near(full_by(28.5, 30.0, 40.0), 0.1285, 5e-5);
    }

    #[test]
    fn the_last_old_answer_comes_before_all_have_adopted_and_nearly_so_where_many_ask() {
        assert_near(last_old_answer(1e5, 30.0, 10.0), time_to_full(30.0, 10.0), 1e-3);
        // One cache and few requests: the mean of (u - wait)+ for u uniform and an exponential wait, worked by hand:
        // T/2 - 1/r + (1 - e^(-rT))/(r² T).
        let (rate, period): (f64, f64) = (0.1, 30.0);
        let known = period / 2.0 - 1.0 / rate + (1.0 - libm::exp(-rate * period)) / (rate * rate * period);
        assert_near(last_old_answer(rate, period, 1.0), known, 1e-9);
        assert!(last_old_answer(0.1, 30.0, 10.0) < time_to_full(30.0, 10.0));
    }
}
