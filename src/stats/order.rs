//! Quantiles over seeds by order statistics: an interval without any assumption on the law, or none at all where there
//! are too few runs for one.

use super::binomial;

/// The ranks, from 1, of the two values between which the `q`-quantile lies with this confidence (two-sided), among
/// `n` values in order; `None` where they are too few to have a value on either side of it.
pub fn quantile_ranks(n: u64, q: f64, confidence: f64) -> Option<(u64, u64)> {
    let tail = (1.0 - confidence) / 2.0;
    // The number of values up to the quantile is binomial: `low` of them are certainly below it, `high` may be.
    let low = first(n, |k| binomial::at_most(k, n, q) > tail);
    let high = first(n, |k| binomial::at_most(k, n, q) >= 1.0 - tail) + 1;
    (low >= 1 && high <= n).then_some((low, high))
}

/// The rank, from 1, of the smallest of `n` values that a share `q` of them does not exceed.
pub fn rank(n: u64, q: f64) -> u64 {
    ((q * n as f64).ceil() as u64).clamp(1, n.max(1))
}

/// The interval of the `q`-quantile with this confidence (two-sided) from sorted values; `None` where they are too few.
pub fn quantile_interval(sorted: &[f64], q: f64, confidence: f64) -> Option<(f64, f64)> {
    let (low, high) = quantile_ranks(sorted.len() as u64, q, confidence)?;
    let value = |rank: u64| sorted.get(usize::try_from(rank - 1).ok()?).copied();
    value(low).zip(value(high))
}

/// The fewest runs with which [`quantile_interval`] can say something.
pub fn runs_needed(q: f64, confidence: f64) -> u64 {
    let enough = |n: u64| quantile_ranks(n, q, confidence).is_some();
    let mut high = 2;
    while !enough(high) {
        high *= 2;
    }
    let low = high / 2;
    low + first(high - low, |more| enough(low + more))
}

/// The first number up to `n` for which something holds that goes on holding; `n` where it never does.
fn first(n: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::StreamKey;
    use crate::kernel::stream::unit_interval;

    #[test]
    fn too_few_runs_give_no_number() {
        // methods.md 1.3: two-sided 95%.
        for (q, fewest) in [(0.90, 36), (0.95, 72), (0.99, 368)] {
            assert_eq!(runs_needed(q, 0.95), fewest, "p{}", q * 100.0);
        }
    }

    #[test]
    fn the_interval_covers_the_quantile_as_often_as_it_says() {
        let key = StreamKey::of_seed(11).child("order");
        let covered = (0..2_000_u64).filter(|round| {
            let mut values: Vec<f64> = (0..100).map(|i| unit_interval(key.word(*round, i))).collect();
            values.sort_by(f64::total_cmp);
            let (low, high) = quantile_interval(&values, 0.9, 0.95).expect("a hundred runs are enough");
            low <= 0.9 && 0.9 <= high
        });
        let share = covered.count() as f64 / 2_000.0;
        assert!((0.945..0.985).contains(&share), "{share}");
    }
}
