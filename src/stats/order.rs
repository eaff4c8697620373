//! Quantiles over seeds by order statistics: an interval without any assumption on the law, or none at all where there
//! are too few runs for one.

use super::binomial;

/// The interval of the `q`-quantile with this confidence (two-sided) from sorted values; `None` where they are too few
/// to have a value on either side of it.
pub fn quantile_interval(sorted: &[f64], q: f64, confidence: f64) -> Option<(f64, f64)> {
    let n = sorted.len() as u64;
    let tail = (1.0 - confidence) / 2.0;
    // The number of values up to the quantile is binomial: `low` of them are certainly below it, `high` may be.
    let low = (0..=n).find(|k| binomial::at_most(*k, n, q) > tail)?;
    let high = (low..=n).find(|k| binomial::at_most(*k, n, q) >= 1.0 - tail)? + 1;
    let (low, high) = (usize::try_from(low).ok()?, usize::try_from(high).ok()?);
    (low >= 1 && high <= sorted.len()).then(|| (sorted[low - 1], sorted[high - 1]))
}

/// The fewest runs with which [`quantile_interval`] can say something.
pub fn runs_needed(q: f64, confidence: f64) -> u64 {
    let enough = |n: u64| {
        let values: Vec<f64> = (0..n).map(|value| value as f64).collect();
        quantile_interval(&values, q, confidence).is_some()
    };
    let mut high = 2;
    while !enough(high) {
        high *= 2;
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if enough(middle) { high = middle } else { low = middle }
    }
    high
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
