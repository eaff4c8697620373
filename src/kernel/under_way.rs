//! The interval of a renewal process that is under way at a given moment: intervals are met in proportion to their
//! length, and anywhere in them (Cox, Renewal Theory, 1962, ch. 5).

use super::distribution::Distribution;
use super::stream::unit_interval;
use crate::units::SimDuration;

impl Distribution {
    /// The age and the length of the interval under way at a moment far from the start, of intervals with this
    /// distribution that follow one another; from two uniform words.
    ///
    /// The length has the density `x f(x) / mean`: of a lognormal one with `mu + sigma²`, of an exponential one the sum
    /// of two, of a uniform one the root of a uniform between the squared bounds.
    pub fn under_way(&self, words: [u64; 2]) -> (SimDuration, SimDuration) {
        let within = unit_interval(words[1]);
        let length = match self {
            Distribution::Fixed(length) => *length,
            Distribution::Exponential { .. } => {
                let (age, rest) = (self.sample(words[0]), self.sample(words[1]));
                return (age, age + rest);
            }
            Distribution::Lognormal { mu, sigma } => {
                Distribution::Lognormal { mu: mu + sigma * sigma, sigma: *sigma }.sample(words[0])
            }
            Distribution::Uniform { low, high } => {
                let length = in_proportion(low.as_secs_f64(), high.as_secs_f64(), unit_interval(words[0]));
                SimDuration::from_secs_f64(length)
            }
            Distribution::Empirical(samples) => met(samples, unit_interval(words[0])),
        };
        let length = length.min(SimDuration::from_secs_f64(LONGEST));
        (length.scaled(within), length)
    }
}

/// A century: no interval under way began before it, whatever the law.
const LONGEST: f64 = 3.2e9;

/// A number between `low` and `high` whose density grows in proportion to it, at a uniform `u`.
pub fn in_proportion(low: f64, high: f64, u: f64) -> f64 {
    (low * low + u * (high * high - low * low)).sqrt()
}

/// The samples are joined by lines: within each part the law is uniform, and a part is met by its mean length.
fn met(samples: &[SimDuration], u: f64) -> SimDuration {
    let ends = |at: usize| (samples[at].as_secs_f64(), samples[(at + 1).min(samples.len() - 1)].as_secs_f64());
    let parts = samples.len().saturating_sub(1).max(1);
    let total: f64 = (0..parts).map(|at| ends(at).0 + ends(at).1).sum();
    let mut left = u * total;
    for at in 0..parts {
        let (low, high) = ends(at);
        if left < low + high || at + 1 == parts {
            let u = if low + high > 0.0 { (left / (low + high)).min(1.0) } else { 0.0 };
            return SimDuration::from_secs_f64(in_proportion(low, high, u));
        }
        left -= low + high;
    }
    SimDuration::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{StreamKey, maths};

    /// The mean age of what is under way is `E[X²] / 2 E[X]`.
    #[test]
    fn the_mean_age_is_half_the_second_moment_over_the_first() {
        let seconds = |s: f64| SimDuration::from_secs_f64(s);
        let samples: Vec<SimDuration> = [1.0, 2.0, 10.0].map(seconds).to_vec();
        // Of the joined samples: halves uniform in [1, 2] and in [2, 10].
        let empirical = ((7.0 / 3.0 + 992.0 / 24.0) / 2.0) / (2.0 * (1.5 + 6.0) / 2.0);
        let sigma: f64 = 0.8;
        for (law, expected) in [
            (Distribution::Fixed(seconds(8.0)), 4.0),
            (Distribution::Exponential { mean: seconds(8.0) }, 8.0),
            (Distribution::Uniform { low: seconds(2.0), high: seconds(8.0) }, (504.0 / 18.0) / 10.0),
            (Distribution::Lognormal { mu: 0.0, sigma }, maths::exp(1.5 * sigma * sigma) / 2.0),
            (Distribution::Empirical(samples.into()), empirical),
        ] {
            let key = StreamKey::of_seed(7).child("ages");
            let n = 200_000;
            let age = |i: u64| law.under_way([key.word(i, 0), key.word(i, 1)]).0.as_secs_f64();
            let mean = (0..n).map(age).sum::<f64>() / n as f64;
            assert!((mean / expected - 1.0).abs() < 0.01, "{law:?}: {mean} against {expected}");
        }
    }

    #[test]
    fn no_age_is_beyond_its_interval() {
        let law = Distribution::lognormal(SimDuration::from_secs(60), SimDuration::from_secs(36_000));
        let key = StreamKey::of_seed(7).child("ages");
        for i in 0..10_000 {
            let (age, length) = law.under_way([key.word(i, 0), key.word(i, 1)]);
            assert!(age <= length, "{age} of {length}");
        }
    }
}
