//! Exposure until a defect is detected: what a ramp costs before somebody notices, and until the kill has reached
//! everybody.
//!
//! Requests arrive as a Poisson process of λ per second (`arrivals`); the share f(t) of them is exposed; an exposed
//! request is bad with probability b, independently; the n-th bad one (`needed`) is the detection. Exposures are counted
//! up to and including that one. f stays below 1: a ramp that is complete before detection is another law.

/// Mean exposures at detection: n/b, whatever the ramp.
///
/// Source: the number of Bernoulli trials until the n-th success (negative binomial).
pub fn at_detection(needed: u32, bad: f64) -> f64 {
    f64::from(needed) / bad
}

/// Mean time until detection on a linear ramp f = t/R, seconds: √(2R/λ)·Γ(n+½)/(Γ(n)√b).
///
/// `full` is R, the seconds to the whole. Source: bad ones are a Poisson process of intensity λbt/R, so that
/// λbτ²/(2R) is Gamma(n).
pub fn time_to_detection_linear(arrivals: f64, full: f64, needed: u32, bad: f64) -> f64 {
    let n = f64::from(needed);
    libm::sqrt(2.0 * full / (arrivals * bad)) * libm::exp(libm::lgamma(n + 0.5) - libm::lgamma(n))
}

/// Mean further exposures while a kill takes `latency` seconds (ℓ) after detection, on a linear ramp that goes on:
/// λ/(2R)·(2ℓ·Eτ + ℓ²).
pub fn during_kill_linear(arrivals: f64, full: f64, mean_detection: f64, latency: f64) -> f64 {
    arrivals / (2.0 * full) * (2.0 * latency * mean_detection + latency * latency)
}

/// Mean further exposures while a kill takes `latency` seconds (ℓ), on an exponential ramp f = f0·exp(gt):
/// (n/b + λf0/g)(exp(gℓ) - 1).
///
/// `start` is f0, `growth` is g per second. Source: λf(τ)/g is the exposure so far plus λf0/g, and its mean is that of
/// [`at_detection`].
pub fn during_kill_exponential(arrivals: f64, start: f64, growth: f64, needed: u32, bad: f64, latency: f64) -> f64 {
    (at_detection(needed, bad) + arrivals * start / growth) * libm::expm1(growth * latency)
}

/// Mean exposures at a detection that takes an exponential time of mean m after the start, linear ramp: λm²/R.
///
/// Not compared with the engine: what is measured is detected at a number of failures, not after a time.
pub fn at_timed_detection_linear(arrivals: f64, full: f64, mean: f64) -> f64 {
    arrivals * mean * mean / full
}

/// The same on an exponential ramp: λf0m/(1-gm); infinite where g ≥ 1/m, the ramp outruns the detection.
///
/// Not compared with the engine, for the same reason as [`at_timed_detection_linear`].
pub fn at_timed_detection_exponential(arrivals: f64, start: f64, growth: f64, mean: f64) -> f64 {
    let rest = 1.0 - growth * mean;
    if rest > 0.0 { arrivals * start * mean / rest } else { f64::INFINITY }
}

/// Mean number of distinct users among `exposures` exposures, each of any of `users` users: U(1 - (1-1/U)^x).
///
/// Source: occupancy; each user is missed by all with probability (1-1/U)^x.
pub fn distinct_users(users: f64, exposures: f64) -> f64 {
    users * -libm::expm1(exposures * libm::log1p(-1.0 / users))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn about(value: f64, expected: f64) {
        assert!((value - expected).abs() < 0.0005 * expected.abs().max(1.0), "{value} is not about {expected}");
    }

    /// 200 requests a second, a linear ramp of an hour, one bad in a hundred, detection at the tenth.
    #[test]
    fn a_linear_ramp_of_an_hour() {
        about(at_detection(10, 0.01), 1000.0);
        let detection = time_to_detection_linear(200.0, 3600.0, 10, 0.01);
        about(detection, 187.4);
        about(time_to_detection_linear(200.0, 3600.0, 1, 0.01), 53.17);
        about(during_kill_linear(200.0, 3600.0, detection, 60.0), 724.6);
        about(at_timed_detection_linear(200.0, 3600.0, 200.0), 2222.2);
    }

    #[test]
    fn detection_at_the_first_bad_one_has_a_simpler_form() {
        let (arrivals, full, bad) = (50.0, 900.0, 0.2);
        let expected = libm::sqrt(std::f64::consts::PI * full / (2.0 * bad * arrivals));
        about(time_to_detection_linear(arrivals, full, 1, bad), expected);
    }

    #[test]
    fn an_exponential_ramp_that_outruns_its_detection_has_no_mean() {
        assert!(at_timed_detection_exponential(100.0, 0.01, 0.02, 50.0).is_infinite());
        about(at_timed_detection_exponential(100.0, 0.01, 0.01, 50.0), 100.0);
        about(during_kill_exponential(100.0, 0.01, 0.02, 5, 0.1, 10.0), 100.0 * libm::expm1(0.2));
    }

    #[test]
    fn the_same_users_come_again() {
        about(distinct_users(1000.0, 1.0), 1.0);
        about(distinct_users(1000.0, 1e6), 1000.0);
        about(distinct_users(2.0, 2.0), 1.5);
    }
}
