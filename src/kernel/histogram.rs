//! Durations counted in buckets whose width grows with them.

use crate::units::SimDuration;

/// Buckets per power of two: a quantile is off by less than 1/64 (1.6 %) of its value.
const FINE: u32 = 64;
const FINE_BITS: u32 = FINE.trailing_zeros();
/// Exact below 64 ns, then 64 buckets for each of the powers of two from 2^6 to 2^63.
const BUCKETS: usize = (FINE * (64 - FINE_BITS + 1)) as usize;

/// Durations by size, in bounded memory (30 KiB); the greatest is exact, quantiles are within 1.6 %.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    max: SimDuration,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { counts: vec![0; BUCKETS], count: 0, max: SimDuration::ZERO }
    }
}

impl Histogram {
    pub fn record(&mut self, duration: SimDuration) {
        self.counts[bucket(duration.nanos())] += 1;
        self.count += 1;
        self.max = self.max.max(duration);
    }

    /// Takes in what another has counted.
    pub fn merge(&mut self, other: &Histogram) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// As before the first, in the same memory.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        self.count = 0;
        self.max = SimDuration::ZERO;
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// The greatest duration, exactly; `None` before the first.
    pub fn max(&self) -> Option<SimDuration> {
        (self.count > 0).then_some(self.max)
    }

    /// The smallest duration that at least a share `quantile` of all do not exceed, to within 1.6 %.
    pub fn quantile(&self, quantile: f64) -> Option<SimDuration> {
        if self.count == 0 {
            return None;
        }
        let rank = ((quantile.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).max(1);
        let mut below = 0;
        for (index, count) in self.counts.iter().enumerate() {
            below += count;
            if below >= rank {
                return Some(SimDuration::from_nanos(middle(index)).min(self.max));
            }
        }
        Some(self.max)
    }
}

fn bucket(nanos: u64) -> usize {
    if nanos < u64::from(FINE) {
        return nanos as usize;
    }
    let shift = nanos.ilog2() - FINE_BITS;
    ((shift + 1) * FINE) as usize + ((nanos >> shift) as usize & (FINE as usize - 1))
}

fn middle(index: usize) -> u64 {
    let (row, column) = (index as u64 / u64::from(FINE), index as u64 % u64::from(FINE));
    if row == 0 {
        return column;
    }
    let shift = row - 1;
    ((u64::from(FINE) + column) << shift) + ((1u64 << shift) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_lies_within_the_stated_error_of_its_bucket() {
        let mut nanos = 1u64;
        while nanos < u64::MAX / 3 {
            for value in [nanos - 1, nanos, nanos + 1, nanos + nanos / 3] {
                let found = middle(bucket(value));
                assert!(found.abs_diff(value) as f64 <= value as f64 / 64.0, "{value} found as {found}");
            }
            nanos = nanos * 3 / 2 + 1;
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_of_a_known_sequence_come_out_and_the_greatest_is_exact() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        for millis in 1..=1000 {
            histogram.record(SimDuration::from_millis(millis));
        }
        for (quantile, expected) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = histogram.quantile(quantile).expect("durations were recorded").as_secs_f64() * 1e3;
            assert!((found - expected).abs() <= expected / 64.0, "{quantile}: {found}");
        }
        assert_eq!(histogram.max(), Some(SimDuration::from_secs(1)));
    }

    #[test]
    fn two_histograms_in_one_are_what_one_would_have_counted() {
        let of = |range: std::ops::Range<u64>| {
            let mut histogram = Histogram::default();
            range.for_each(|millis| histogram.record(SimDuration::from_millis(millis)));
            histogram
        };
        let mut both = of(1..400);
        both.merge(&of(400..1000));
        let whole = of(1..1000);
        assert_eq!((both.count(), both.max()), (whole.count(), whole.max()));
        assert_eq!(both.quantile(0.9), whole.quantile(0.9));
        both.clear();
        assert_eq!((both.count(), both.quantile(0.5)), (0, None));
    }
}
