//! Caches that fetch on demand: what is held is good for `ttl` seconds, and the first request after that fetches.
//! Requests of a cache are Poisson with `rate` per second; a fetch takes no time; a version is published at age 0.
//!
//! Source of all: the alternating renewal process of a valid time `ttl` and an exponential wait for the next request
//! (Cox, Renewal Theory, 1962, ch. 7; for caches: Jung, Berger, Balakrishnan, INFOCOM 2003). Checked.

/// The share of requests that need no fetch, which is also the share of time in which the cache is valid:
/// `rate ttl / (1 + rate ttl)`.
pub fn hit_ratio(rate: f64, ttl: f64) -> f64 {
    rate * ttl / (1.0 + rate * ttl)
}

/// The probability that a request at `age` seconds is answered from before the publish: `h (1 - age/ttl)`, and 0 from
/// `ttl` on, exactly.
pub fn stale_at_age(age: f64, rate: f64, ttl: f64) -> f64 {
    hit_ratio(rate, ttl) * (1.0 - age / ttl).max(0.0)
}

/// The mean age in seconds of what is served, misses counting as 0: `h ttl/2`.
pub fn mean_served_age(rate: f64, ttl: f64) -> f64 {
    hit_ratio(rate, ttl) * ttl / 2.0
}

/// Expected requests per publish that are answered from before it: `rate h ttl/2`.
pub fn stale_served(rate: f64, ttl: f64) -> f64 {
    rate * mean_served_age(rate, ttl)
}

/// Expected fetches of one cache in `seconds`, many cycles, begun with a policy of an age that is uniform up to the ttl:
/// `seconds rate (1 - h) - h (1 - h)/2`.
///
/// Source: the renewal function of cycles `ttl + 1/rate` with variance `1/rate²`, whose first one is shorter by the age:
/// `t/μ + E X²/(2 μ²) - μ1/μ` (Cox, Renewal Theory, 1962, ch. 4). Checked.
pub fn fetches(seconds: f64, rate: f64, ttl: f64) -> f64 {
    let hits = hit_ratio(rate, ttl);
    seconds * rate * (1.0 - hits) - hits * (1.0 - hits) / 2.0
}

/// The probability that a cache which revalidates while it serves what it has is stale at `age` seconds:
/// `1 - age/(ttl + 1/rate)` before `ttl`, `e^(-rate (age - ttl)) / (1 + rate ttl)` after it. The tail has no bound.
pub fn revalidating_stale_at_age(age: f64, rate: f64, ttl: f64) -> f64 {
    if age < ttl { 1.0 - age / (ttl + 1.0 / rate) } else { libm::exp(-rate * (age - ttl)) / (1.0 + rate * ttl) }
}

/// Expected requests per publish that a revalidating cache answers from before it:
/// `rate (ttl² + 2 ttl/rate + 2/rate²) / (2 (ttl + 1/rate))`.
pub fn revalidating_stale_served(rate: f64, ttl: f64) -> f64 {
    let mean_gap = 1.0 / rate;
    rate * (ttl * ttl + 2.0 * ttl * mean_gap + 2.0 * mean_gap * mean_gap) / (2.0 * (ttl + mean_gap))
}

#[cfg(test)]
mod tests {
    use super::super::assert_near;
    use super::*;

    #[test]
    fn a_cache_with_a_ttl_has_the_known_values() {
        assert_near(hit_ratio(0.2, 10.0), 0.6667, 5e-5);
        assert_near(stale_at_age(2.0, 0.2, 10.0), 0.5333, 5e-5);
        assert_eq!(stale_at_age(10.0, 0.2, 10.0), 0.0);
        assert_near(mean_served_age(0.2, 10.0), 3.333, 5e-4);
        assert_near(stale_served(2.0, 10.0), 9.524, 5e-4);
        assert_near(stale_served(0.2, 10.0), 0.6667, 5e-5);
    }

    #[test]
    fn a_revalidating_cache_has_the_known_values() {
        assert_near(revalidating_stale_at_age(15.0, 0.2, 10.0), 0.1226, 5e-5);
        let before = revalidating_stale_at_age(10.0 - 1e-9, 0.2, 10.0);
        assert_near(before, revalidating_stale_at_age(10.0, 0.2, 10.0), 1e-9);
        assert_near(revalidating_stale_served(2.0, 10.0), 10.52, 5e-3);
        assert_near(revalidating_stale_served(0.2, 10.0), 1.667, 5e-4);
    }

    #[test]
    fn the_fetches_of_a_cache_are_those_of_a_simulation_by_hand() {
        // A linear congruential generator (Knuth's MMIX) is enough for a mean.
        let mut state = 1_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
        };
        let (seconds, rate, ttl) = (300.0, 0.2, 10.0);
        let (rounds, mut counted) = (20_000, 0_u32);
        for _ in 0..rounds {
            let mut now = ttl * uniform() - libm::log(uniform()) / rate;
            while now < seconds {
                counted += 1;
                now += ttl - libm::log(uniform()) / rate;
            }
        }
        let mean = f64::from(counted) / f64::from(rounds);
        // Standard error: √(300·25/15³)/√20000.
        assert_near(mean, fetches(seconds, rate, ttl), 5.0 * 0.0106);
    }
}
