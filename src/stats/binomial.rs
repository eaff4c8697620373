//! Clopper–Pearson: what a number of violated runs says about the rate, without ever promising too much.

use super::bisect;
use libm::{exp, lgamma, log, log1p};

/// P(X <= k) for X ~ Binomial(n, p): the terms of the tail away from the mean, from its greatest one on until they no
/// longer count, so that a million runs cost no more than some thousand terms.
pub fn at_most(k: u64, n: u64, p: f64) -> f64 {
    if k >= n || p <= 0.0 {
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    if (k as f64) < n as f64 * p { lower_tail(k, n, p) } else { 1.0 - lower_tail(n - k - 1, n, 1.0 - p) }
}

/// P(X <= k) where k is at most the mean: the terms fall from k downwards.
fn lower_tail(k: u64, n: u64, p: f64) -> f64 {
    const NEGLIGIBLE: f64 = 1e-18;
    let odds = (1.0 - p) / p;
    let (mut term, mut sum) = (1.0, 0.0);
    for i in (0..=k).rev() {
        sum += term;
        term *= i as f64 / (n - i + 1) as f64 * odds;
        if term < sum * NEGLIGIBLE {
            break;
        }
    }
    let greatest = ln_choose(n, k) + k as f64 * log(p) + (n - k) as f64 * log1p(-p);
    (exp(greatest) * sum).min(1.0)
}

fn ln_choose(n: u64, k: u64) -> f64 {
    lgamma(n as f64 + 1.0) - lgamma(k as f64 + 1.0) - lgamma((n - k) as f64 + 1.0)
}

/// The greatest rate that `k` of `n` leaves credible: P(X <= k) is `1 - confidence` there. One-sided.
pub fn upper_bound(k: u64, n: u64, confidence: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    bisect(0.0, 1.0, |p| at_most(k, n, p) > 1.0 - confidence)
}

/// The smallest rate that `k` of `n` leaves credible: P(X >= k) is `1 - confidence` there. One-sided.
pub fn lower_bound(k: u64, n: u64, confidence: f64) -> f64 {
    if k == 0 {
        return 0.0;
    }
    bisect(0.0, 1.0, |p| 1.0 - at_most(k - 1, n, p) < 1.0 - confidence)
}

/// Roughly how many runs in all would show a rate of at most `share`, if violations went on as seen; `None` where
/// no number within a million would, because more than `share` are violated.
pub fn runs_to_show(k: u64, n: u64, share: f64, confidence: f64) -> Option<u64> {
    const MOST: u64 = 1_000_000;
    let scaled = |runs: u64| (k as f64 / n as f64 * runs as f64).ceil() as u64;
    if share <= 0.0 || k as f64 / n as f64 >= share {
        return None;
    }
    let enough = |runs: u64| upper_bound(scaled(runs), runs, confidence) <= share;
    let mut high = n.max(1);
    while !enough(high) {
        high *= 2;
        if high > MOST {
            return None;
        }
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if enough(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(computed: f64, expected: f64, tolerance: f64) {
        assert!((computed - expected).abs() <= tolerance, "{computed} is not {expected}");
    }

    #[test]
    fn zero_failures_leave_the_upper_bounds_of_the_methods_note() {
        // methods.md 1.1, 95% one-sided.
        let table = [(100, 0.0295), (300, 0.00994), (1000, 0.00299), (3000, 0.000998), (10000, 0.00030)];
        for (n, bound) in table {
            close(upper_bound(0, n, 0.95), bound, bound * 0.006);
        }
        close(upper_bound(0, 1000, 0.95), 1.0 - libm::pow(0.05, 1.0 / 1000.0), 1e-12);
    }

    #[test]
    fn five_of_a_thousand_leave_the_two_sided_interval_of_the_methods_note() {
        close(lower_bound(5, 1000, 0.975), 0.0016, 5e-5);
        close(upper_bound(5, 1000, 0.975), 0.0116, 5e-5);
    }

    #[test]
    fn the_denominator_is_what_was_exercised() {
        // methods.md 1.1: nothing in 40 exercised runs leaves 7.2%.
        close(upper_bound(0, 40, 0.95), 0.072, 5e-4);
    }

    #[test]
    fn all_runs_violated_have_the_closed_form() {
        close(lower_bound(20, 20, 0.95), libm::pow(0.05, 1.0 / 20.0), 1e-12);
        close(upper_bound(20, 20, 0.95), 1.0, 0.0);
    }

    #[test]
    fn the_runs_needed_without_a_failure_are_those_of_the_methods_note() {
        // methods.md 1.1: 59, 299, 2995 for 5%, 1%, 0.1%.
        assert_eq!(runs_to_show(0, 20, 0.05, 0.95), Some(59));
        assert_eq!(runs_to_show(0, 20, 0.01, 0.95), Some(299));
        assert_eq!(runs_to_show(0, 20, 0.001, 0.95), Some(2995));
        assert_eq!(runs_to_show(3, 20, 0.10, 0.95), None);
    }
}
