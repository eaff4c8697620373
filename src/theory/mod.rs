//! Closed forms: what theory says of situations that the engine simulates, one file per family.
//!
//! Pure functions of plain numbers: seconds, rates per second, shares between 0 and 1, counts. Nothing here knows the
//! engine, so that the two can be compared. Each function states its formula, its assumptions, its units and its
//! source. "Checked" after a source means: confirmed by an independent Monte Carlo simulation, |z| < 4.

pub mod bucketing;
pub mod caches;
pub mod canary;
pub mod clients;
pub mod exposure;
pub mod herd;
pub mod lag;
pub mod on_demand;
pub mod queues;
pub mod retries;
pub mod streaming;

/// `c` as a whole number of things, for sums over them.
fn whole(count: f64) -> u32 {
    debug_assert!(count >= 0.0 && count.fract() == 0.0, "a count of things: {count}");
    count as u32
}

/// The integral of `f` from `low` to `high` by Simpson's rule on 2,000 intervals: relative error below 1e-9 for the
/// smooth integrands of this module.
fn integral(f: impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    const INTERVALS: u32 = 2_000;
    let width = (high - low) / f64::from(INTERVALS);
    let weight = |at: u32| match at {
        0 | INTERVALS => 1.0,
        odd if odd % 2 == 1 => 4.0,
        _ => 2.0,
    };
    (0..=INTERVALS).map(|at| weight(at) * f(low + width * f64::from(at))).sum::<f64>() * width / 3.0
}

#[cfg(test)]
pub(crate) fn assert_near(value: f64, known: f64, digits: f64) {
    assert!((value - known).abs() <= digits, "{value} is not {known} within {digits}");
}
