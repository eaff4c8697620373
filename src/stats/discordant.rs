//! Two variants over the same seeds, each violated or not: only the seeds in which they differ say which is better.

use super::binomial;

/// The exact two-sided p-value of McNemar's test, which is that of the sign test: `only_a` and `only_b` seeds in which
/// one of the two is the case, under the hypothesis that either is as likely. 1 where they never differ.
pub fn sign_test(only_a: u64, only_b: u64) -> f64 {
    let n = only_a + only_b;
    (2.0 * binomial::at_most(only_a.min(only_b), n, 0.5)).min(1.0)
}

/// The 95% interval of the difference of shares, b minus a, over `n` seeds: Agresti and Min's, which adds a half to each
/// count and holds its coverage where one of them is zero (Statistics in Medicine 24, 2005).
pub fn difference(only_a: u64, only_b: u64, n: u64) -> (f64, f64) {
    const Z95: f64 = 1.959_963_984_540_054;
    let (a, b, n) = (only_a as f64 + 0.5, only_b as f64 + 0.5, n as f64 + 2.0);
    let mean = (b - a) / n;
    let half = Z95 * libm::sqrt(a + b - (b - a) * (b - a) / n) / n;
    ((mean - half).max(-1.0), (mean + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::StreamKey;
    use crate::kernel::stream::unit_interval;

    #[test]
    fn the_sign_test_is_that_of_the_binomial() {
        assert!((sign_test(0, 5) - 0.0625).abs() < 1e-12);
        assert!((sign_test(1, 9) - 22.0 / 1_024.0).abs() < 1e-12);
        assert_eq!(sign_test(0, 0), 1.0);
        assert_eq!(sign_test(4, 4), 1.0);
    }

    #[test]
    fn the_interval_covers_the_difference_as_often_as_it_says_where_one_count_is_zero() {
        // Only a is ever violated, in 3% of seeds: the case that Wald's interval gets wrong (methods.md 1.4).
        let key = StreamKey::of_seed(5).child("discordant");
        let (p, n) = (0.03, 200);
        let covered = (0..4_000_u64).filter(|round| {
            let only_a = (0..n).filter(|i| unit_interval(key.word(*round, *i)) < p).count() as u64;
            let (low, high) = difference(only_a, 0, n);
            low <= -p && -p <= high
        });
        let share = covered.count() as f64 / 4_000.0;
        assert!((0.93..0.99).contains(&share), "{share}");
    }
}
