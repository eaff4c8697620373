//! A time axis with ticks where people expect them: 30 s, 5 min, 6 h, 1 d, never 100 s.

use crate::units::SimDuration;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// From zero to the end of the run, in seconds.
#[derive(Clone, Debug)]
pub struct TimeAxis {
    pub end: f64,
}

/// Distances between ticks, in seconds.
const STEPS: [f64; 27] = [
    0.001,
    0.01,
    0.1,
    0.5,
    1.0,
    2.0,
    5.0,
    10.0,
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    900.0,
    1_800.0,
    3_600.0,
    7_200.0,
    10_800.0,
    21_600.0,
    43_200.0,
    86_400.0,
    172_800.0,
    604_800.0,
    1_209_600.0,
    2_592_000.0,
    7_776_000.0,
];

impl Ranged for TimeAxis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let width = f64::from(limit.1 - limit.0);
        limit.0 + (value / self.end * width).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        let most = hint.max_num_points().max(2) as f64;
        let step = STEPS.into_iter().find(|step| self.end / step + 1.0 <= most).unwrap_or(self.end);
        let ticks = (self.end / step + 1e-9).floor() as u32;
        (0..=ticks).map(|tick| f64::from(tick) * step).collect()
    }

    fn range(&self) -> Range<f64> {
        0.0..self.end
    }
}

impl ValueFormatter<f64> for TimeAxis {
    fn format_ext(&self, value: &f64) -> String {
        SimDuration::from_secs_f64(*value).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_fall_on_round_times() {
        let ticks = |end: f64| {
            let axis = TimeAxis { end };
            let told: Vec<String> = axis.key_points(9).iter().map(|tick| axis.format_ext(tick)).collect();
            told.join(" ")
        };
        assert_eq!(ticks(600.0), "0s 2m 4m 6m 8m 10m");
        assert_eq!(ticks(90.0), "0s 15s 30s 45s 1m 1m 15s 1m 30s");
        assert_eq!(ticks(98.0 * 3600.0), "0s 1d 2d 3d 4d");
    }
}
