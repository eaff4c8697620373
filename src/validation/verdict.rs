//! Whether what was measured agrees with theory, one by one and as a set.

use super::{Effort, Estimate, Measured};
use std::ops::RangeInclusive;

/// Beyond so many standard errors a case disagrees: chance alone does it once in 16,000.
const MOST_Z: f64 = 4.0;
/// The mean of z² over a set lies here. Far below 1 the errors are too large to notice anything, far above they are
/// too small or biases add up.
const MEAN_SQUARE: RangeInclusive<f64> = 0.6..=1.5;
/// The mean of z² of fewer cases than this scatters too much to be judged: its standard deviation is √(2/n).
const LEAST_CASES: usize = 40;
/// The number of samples follows from a spread that is known only roughly; a fifth more is let pass.
const SLACK: f64 = 1.2;

/// How a set of cases agrees with theory.
pub struct Agreement {
    /// One sentence for each disagreement; empty: all agree.
    pub disagreements: Vec<String>,
    /// Over the cases that have a z.
    pub mean_square: Option<f64>,
    pub compared: usize,
}

/// Whether the value itself is another than theory's: four standard errors off, or not equal where it must be. An
/// estimate that is only too uncertain is not.
pub fn is_off(measured: &Measured) -> bool {
    measured.z().map_or(measured.unequal > 0, |z| z.abs() >= MOST_Z)
}

/// Whether one case agrees, and if not why.
pub fn disagreement(measured: &Measured, effort: Effort) -> Option<String> {
    let name = measured.case.name();
    if measured.case.law.estimate == Estimate::Exactly {
        let unequal = measured.unequal;
        return is_off(measured)
            .then(|| format!("{name}: {unequal} of {} samples are not {}", measured.samples, measured.theory));
    }
    let z = measured.z()?;
    if is_off(measured) || z.is_nan() {
        let (value, error, theory) = (measured.value, measured.error, measured.theory);
        return Some(format!("{name}: measured {value:.5} ± {error:.5}, theory {theory:.5}, z = {z:.2}"));
    }
    let detectable = measured.detectable();
    (detectable > effort.bias() * SLACK)
        .then(|| format!("{name}: only a bias of {:.1}% would be seen; its spread is understated", 100.0 * detectable))
}

/// Judges a set.
pub fn judge(set: &[Measured], effort: Effort) -> Agreement {
    let mut disagreements: Vec<String> = set.iter().filter_map(|one| disagreement(one, effort)).collect();
    let squares: Vec<f64> = set.iter().filter_map(Measured::z).map(|z| z * z).collect();
    let compared = squares.len();
    let mean_square = (compared > 0).then(|| squares.iter().sum::<f64>() / compared as f64);
    if let Some(mean) = mean_square.filter(|mean| compared >= LEAST_CASES && !MEAN_SQUARE.contains(mean)) {
        let (low, high) = (MEAN_SQUARE.start(), MEAN_SQUARE.end());
        disagreements.push(format!("the mean of z² over {compared} cases is {mean:.2}, not between {low} and {high}"));
    }
    Agreement { disagreements, mean_square, compared }
}
