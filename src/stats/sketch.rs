//! Quantiles of more values than fit: counted in buckets whose width grows with them, each within 1% of its value.
//!
//! The buckets are those of DDSketch (Masson, Rim and Lee, VLDB 2019): relative error, mergeable, and here bounded by the
//! range instead of by collapsing. The logarithms are libm's, so that a value falls into the same bucket everywhere.

use std::collections::BTreeMap;

/// The greatest relative error of a quantile.
pub const RELATIVE_ERROR: f64 = 0.01;
/// Values nearer to zero than this count as zero.
const SMALLEST: f64 = 1e-9;
/// Values farther from zero than this count as this.
const GREATEST: f64 = 1e18;

/// Values by size, in at most some six thousand buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sketch {
    /// By the bucket of the size, negative sizes mirrored below zero.
    counts: BTreeMap<i32, u64>,
    count: u64,
}

impl Sketch {
    pub fn add(&mut self, value: f64) {
        *self.counts.entry(bucket(value)).or_default() += 1;
        self.count += 1;
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// The value of this rank, from 1, to within [`RELATIVE_ERROR`]; `None` beyond the last.
    pub fn at_rank(&self, rank: u64) -> Option<f64> {
        let mut before = 0;
        self.counts.iter().find_map(|(bucket, count)| {
            before += count;
            (rank >= 1 && rank <= before).then(|| middle(*bucket))
        })
    }
}

/// The ratio of neighbouring bounds.
fn growth() -> f64 {
    libm::log((1.0 + RELATIVE_ERROR) / (1.0 - RELATIVE_ERROR))
}

/// Zero for zero; above it the sizes in order, below it their mirror images.
fn bucket(value: f64) -> i32 {
    let size = value.abs();
    if size.is_nan() || size < SMALLEST {
        return 0;
    }
    let nth = libm::ceil(libm::log(size.min(GREATEST) / SMALLEST) / growth()) as i32 + 1;
    if value < 0.0 { -nth } else { nth }
}

/// The value that no value of a bucket is farther from than the error.
fn middle(bucket: i32) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    let upper = SMALLEST * libm::exp(growth() * f64::from(bucket.abs() - 1));
    let size = upper * (1.0 - RELATIVE_ERROR);
    if bucket < 0 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::StreamKey;
    use crate::kernel::stream::unit_interval;

    #[test]
    fn a_quantile_is_within_one_percent_of_the_exact_one_over_many_orders_of_magnitude() {
        let key = StreamKey::of_seed(5).child("sketch");
        let mut sketch = Sketch::default();
        let mut values: Vec<f64> = (0..20_000_u64)
            .map(|i| {
                let size = libm::exp(40.0 * unit_interval(key.word(i, 0)) - 15.0);
                if i % 4 == 0 { -size } else { size }
            })
            .collect();
        values.iter().for_each(|value| sketch.add(*value));
        values.sort_by(f64::total_cmp);
        for rank in [1, 200, 5_000, 10_000, 19_800, 20_000_u64] {
            let exact = values[rank as usize - 1];
            let seen = sketch.at_rank(rank).expect("there are as many values");
            assert!((seen - exact).abs() <= 1.000_001 * RELATIVE_ERROR * exact.abs(), "{rank}: {seen} for {exact}");
        }
        assert_eq!((sketch.at_rank(0), sketch.at_rank(20_001)), (None, None));
    }

    #[test]
    fn its_memory_is_bounded_by_the_range_and_not_by_the_number_of_values() {
        let mut sketch = Sketch::default();
        for power in -400..400 {
            for digit in 1..10 {
                let value = f64::from(digit) * libm::pow(10.0, f64::from(power) / 2.0);
                sketch.add(value);
                sketch.add(-value);
            }
        }
        sketch.add(f64::INFINITY);
        sketch.add(0.0);
        assert!(sketch.counts.len() < 7_000, "{} buckets", sketch.counts.len());
        assert_eq!(sketch.count(), 2 * 800 * 9 + 2);
    }
}
