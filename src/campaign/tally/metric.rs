//! One metric over all runs of a variant that have a value of it.

use crate::run::summary::MetricValue;
use crate::stats::order;
use crate::stats::sketch::Sketch;
use std::borrow::Cow;

/// Up to so many values are kept as they are; more are counted in buckets, each within 1% of its value.
pub const EXACT: usize = 20_000;

/// A metric's values: their mean, their spread, their quantiles.
#[derive(Clone, Debug)]
pub struct MetricTally {
    pub name: Cow<'static, str>,
    /// Runs with a value.
    pub runs: u64,
    sum: f64,
    /// The running mean and the sum of squares around it (Welford, Technometrics 4, 1962).
    centre: f64,
    squares: f64,
    sizes: Sizes,
}

#[derive(Clone, Debug)]
enum Sizes {
    Values(Vec<f64>),
    Sketched(Sketch),
}

/// A quantile over runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    pub value: f64,
    /// The 95% interval by order statistics.
    pub interval: (f64, f64),
    /// Within 1% of the values, because there were too many to keep them all.
    pub approximate: bool,
}

impl MetricTally {
    /// A metric that has its first value.
    pub fn first(value: &MetricValue) -> MetricTally {
        let mut tally = MetricTally {
            name: value.name.clone(),
            runs: 0,
            sum: 0.0,
            centre: 0.0,
            squares: 0.0,
            sizes: Sizes::Values(Vec::new()),
        };
        tally.add(value.value);
        tally
    }

    pub fn add(&mut self, value: f64) {
        self.runs += 1;
        self.sum += value;
        let before = value - self.centre;
        self.centre += before / self.runs as f64;
        self.squares += before * (value - self.centre);
        match &mut self.sizes {
            Sizes::Values(values) if values.len() < EXACT => values.push(value),
            Sizes::Values(values) => {
                let mut sketch = Sketch::default();
                values.iter().chain([&value]).for_each(|value| sketch.add(*value));
                self.sizes = Sizes::Sketched(sketch);
            }
            Sizes::Sketched(sketch) => sketch.add(value),
        }
    }

    pub fn mean(&self) -> f64 {
        self.sum / self.runs as f64
    }

    /// The standard error of the mean; `None` below two runs.
    pub fn error(&self) -> Option<f64> {
        let n = self.runs as f64;
        (self.runs > 1).then(|| libm::sqrt(self.squares / (n - 1.0) / n))
    }

    /// The `q`-quantile over runs with its 95% interval; `None` where there are too few runs to tell it.
    pub fn quantile(&self, q: f64) -> Option<Quantile> {
        let (low, high) = order::quantile_ranks(self.runs, q, 0.95)?;
        let ranks = [order::rank(self.runs, q), low, high];
        let (of, approximate): (Vec<f64>, bool) = match &self.sizes {
            Sizes::Values(values) => {
                let mut sorted = values.clone();
                sorted.sort_by(f64::total_cmp);
                (ranks.into_iter().filter_map(|rank| sorted.get(rank as usize - 1).copied()).collect(), false)
            }
            Sizes::Sketched(sketch) => (ranks.into_iter().filter_map(|rank| sketch.at_rank(rank)).collect(), true),
        };
        let [value, low, high] = of[..] else { return None };
        Some(Quantile { value, interval: (low, high), approximate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl Iterator<Item = f64>) -> MetricTally {
        let mut values = values.map(|value| MetricValue { name: "latency".into(), value });
        let mut tally = MetricTally::first(&values.next().expect("a first value"));
        values.for_each(|value| tally.add(value.value));
        tally
    }

    #[test]
    fn mean_and_error_are_those_of_the_textbook() {
        let tally = of([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].into_iter());
        assert_eq!(tally.mean(), 5.0);
        let error = tally.error().expect("eight values have a spread");
        assert!((error - libm::sqrt(32.0 / 7.0 / 8.0)).abs() < 1e-15);
        assert_eq!(of([1.0].into_iter()).error(), None);
    }

    #[test]
    fn a_quantile_is_told_where_the_runs_suffice_and_not_below() {
        let p95 = |runs: u32| of((1..=runs).map(f64::from)).quantile(0.95);
        assert_eq!(p95(71), None);
        let told = p95(100).expect("a hundred runs suffice");
        assert_eq!((told.value, told.interval, told.approximate), (95.0, (90.0, 100.0), false));
    }

    #[test]
    fn more_values_than_are_kept_are_told_within_their_error() {
        let many = of((1..=30_000_u32).map(f64::from));
        let told = many.quantile(0.5).expect("there are enough");
        assert!(told.approximate && (told.value - 15_000.0).abs() <= 150.0, "{told:?}");
        assert!(told.interval.0 <= told.value && told.value <= told.interval.1);
        assert!(matches!(many.sizes, Sizes::Sketched(_)));
    }
}
