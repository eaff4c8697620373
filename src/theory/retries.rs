//! Retries: how many attempts a call makes, how often it fails for good, and when retries keep a system down.
//!
//! Attempts fail independently of each other. `retries` is m, the attempts after the first.

/// Mean number of attempts of one call whose attempts fail with probability q: (1 - q^(m+1))/(1-q).
///
/// Source: the sum of P(attempt k is made) = q^(k-1), k = 1..m+1.
pub fn mean_attempts(failing: f64, retries: u32) -> f64 {
    (0..=retries).scan(1.0, |reached, _| Some(std::mem::replace(reached, *reached * failing))).sum()
}

/// Share of calls that fail for good: q^(m+1), a pure number.
pub fn final_failure(failing: f64, retries: u32) -> f64 {
    (0..=retries).fold(1.0, |share, _| share * failing)
}

/// What one layer of a chain of calls does with the failures of the layer below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layer {
    /// Mean attempts of each call the layer makes.
    pub attempts: f64,
    /// Share of those calls that fail for good.
    pub failing: f64,
}

/// The layers of a chain from the bottom up, each making up to r = m+1 attempts at the one below, whose bottom fails
/// with probability q: A(i) = (1 - q(i-1)^r)/(1 - q(i-1)), q(i) = q(i-1)^r.
///
/// Source: [`mean_attempts`] and [`final_failure`] applied layer by layer; every attempt below is a fresh one.
pub fn layers(failing: f64, retries: u32, depth: u32) -> Vec<Layer> {
    let climb = |below: &mut f64, _| {
        let attempts = mean_attempts(*below, retries);
        *below = final_failure(*below, retries);
        Some(Layer { attempts, failing: *below })
    };
    (0..depth).scan(failing, climb).collect()
}

/// Mean attempts at the bottom of the chain for one request at its top: the product of all A(i); r^depth where the
/// bottom always fails.
pub fn attempts_at_the_bottom(failing: f64, retries: u32, depth: u32) -> f64 {
    layers(failing, retries, depth).iter().map(|layer| layer.attempts).product()
}

/// Share of requests at the top of the chain that fail for good: q^(r^k), k layers deep.
pub fn failing_at_the_top(failing: f64, retries: u32, depth: u32) -> f64 {
    layers(failing, retries, depth).last().map_or(failing, |top| top.failing)
}

/// Attempts per second that callers make when every attempt times out: λ(1+m).
pub fn offered_when_all_time_out(arrivals: f64, retries: u32) -> f64 {
    arrivals * f64::from(1 + retries)
}

/// Whether a queue that has once fallen behind by more than the timeout stays there for ever: λ(1+m) > μ.
///
/// Assumes first come first served, that attempts whose caller gave up are served all the same, and retries at once.
/// `arrivals` are fresh calls and `service` is the capacity, both per second. Source: Bronson et al., *Metastable
/// Failures in Distributed Systems* (HotOS 2021), here for a queue without a bound.
pub fn is_metastable(arrivals: f64, retries: u32, service: f64) -> bool {
    offered_when_all_time_out(arrivals, retries) > service
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn about(value: f64, expected: f64) {
        assert!((value - expected).abs() < 0.0005 * expected.abs().max(1.0), "{value} is not about {expected}");
    }

    #[test]
    fn attempts_and_failures_of_one_layer() {
        about(mean_attempts(0.3, 3), 1.417);
        about(final_failure(0.3, 3), 0.0081);
        assert_eq!(mean_attempts(1.0, 3), 4.0);
        assert_eq!(mean_attempts(0.0, 3), 1.0);
    }

    #[test]
    fn layers_multiply_attempts() {
        about(attempts_at_the_bottom(0.8, 2, 3), 4.988);
        assert_eq!(attempts_at_the_bottom(1.0, 2, 3), 27.0);
        about(failing_at_the_top(0.8, 2, 2), 0.1342);
        assert_eq!(layers(0.5, 1, 2)[1], Layer { attempts: 1.25, failing: 0.0625 });
    }

    #[test]
    fn the_threshold_lies_where_all_attempts_together_exceed_the_capacity() {
        assert!(is_metastable(60.0, 3, 100.0) && is_metastable(60.0, 1, 100.0));
        assert!(!is_metastable(45.0, 1, 100.0) && !is_metastable(20.0, 3, 100.0));
    }
}
