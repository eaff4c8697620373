//! Simulated time: nanoseconds since the start of the run, as an integer.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A span of simulated time, in whole nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimDuration(u64);

/// A moment of simulated time: nanoseconds since the run began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(u64);

impl SimDuration {
    pub const ZERO: SimDuration = SimDuration(0);
    pub const MAX: SimDuration = SimDuration(u64::MAX);

    pub const fn from_nanos(nanos: u64) -> Self {
        SimDuration(nanos)
    }

    pub const fn from_micros(micros: u64) -> Self {
        SimDuration(micros * 1_000)
    }

    pub const fn from_millis(millis: u64) -> Self {
        SimDuration(millis * 1_000_000)
    }

    pub const fn from_secs(secs: u64) -> Self {
        SimDuration(secs * 1_000_000_000)
    }

    /// A duration of `secs` seconds, rounded to the nanosecond; negative and NaN become zero, and what does
    /// not fit becomes [`SimDuration::MAX`].
    pub fn from_secs_f64(secs: f64) -> Self {
        let nanos = secs * 1e9;
        if nanos.is_nan() || nanos <= 0.0 {
            SimDuration::ZERO
        } else if nanos >= u64::MAX as f64 {
            SimDuration::MAX
        } else {
            SimDuration((nanos + 0.5) as u64)
        }
    }

    pub const fn nanos(self) -> u64 {
        self.0
    }

    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub fn saturating_sub(self, other: SimDuration) -> SimDuration {
        SimDuration(self.0.saturating_sub(other.0))
    }

    pub fn saturating_add(self, other: SimDuration) -> SimDuration {
        SimDuration(self.0.saturating_add(other.0))
    }

    pub fn saturating_mul(self, factor: u64) -> SimDuration {
        SimDuration(self.0.saturating_mul(factor))
    }

    /// This duration times a factor, rounded to the nanosecond (a factor below zero counts as zero).
    pub fn scaled(self, factor: f64) -> SimDuration {
        SimDuration::from_secs_f64(self.as_secs_f64() * factor)
    }
}

impl SimTime {
    pub const ZERO: SimTime = SimTime(0);
    /// Later than anything that happens.
    pub const NEVER: SimTime = SimTime(u64::MAX);

    pub const fn from_nanos(nanos: u64) -> Self {
        SimTime(nanos)
    }

    pub const fn nanos(self) -> u64 {
        self.0
    }

    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The time since `earlier`; zero where `earlier` is in fact later.
    pub fn since(self, earlier: SimTime) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }

    /// The time since the run began.
    pub fn since_start(self) -> SimDuration {
        SimDuration(self.0)
    }
}

impl Add<SimDuration> for SimTime {
    type Output = SimTime;

    /// A moment past the end of representable time is [`SimTime::NEVER`].
    fn add(self, rhs: SimDuration) -> SimTime {
        SimTime(self.0.saturating_add(rhs.0))
    }
}

impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, rhs: SimDuration) {
        *self = *self + rhs;
    }
}

impl Add for SimDuration {
    type Output = SimDuration;

    fn add(self, rhs: SimDuration) -> SimDuration {
        SimDuration(self.0.saturating_add(rhs.0))
    }
}

impl Sub for SimDuration {
    type Output = SimDuration;

    fn sub(self, rhs: SimDuration) -> SimDuration {
        SimDuration(self.0.saturating_sub(rhs.0))
    }
}

impl From<SimDuration> for SimTime {
    fn from(since_start: SimDuration) -> SimTime {
        SimTime(since_start.0)
    }
}

/// Prints as scenario files write it: `250ms`, `31.4s`, `2m`, `1h 5m`, `4d 2h`; at most two units, rounded to
/// three significant digits below a minute.
impl fmt::Display for SimDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MICRO: u64 = 1_000;
        const MILLI: u64 = 1_000_000;
        const SECOND: u64 = 1_000_000_000;
        let n = self.0;
        if n == u64::MAX {
            return f.pad("never");
        }
        let text = if n == 0 {
            "0s".to_owned()
        } else if n < MICRO {
            format!("{n}ns")
        } else if n < MILLI {
            three_digits(n as f64 / MICRO as f64, "us")
        } else if n < SECOND {
            three_digits(n as f64 / MILLI as f64, "ms")
        } else if n < 60 * SECOND {
            three_digits(n as f64 / SECOND as f64, "s")
        } else {
            coarse(n / SECOND)
        };
        f.pad(&text)
    }
}

fn three_digits(value: f64, unit: &str) -> String {
    let decimals = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    let mut text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    format!("{text}{unit}")
}

fn coarse(secs: u64) -> String {
    let (days, hours, minutes, seconds) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60, secs % 60);
    let (big, big_unit, small, small_unit) = if days > 0 {
        (days, 'd', hours, 'h')
    } else if hours > 0 {
        (hours, 'h', minutes, 'm')
    } else {
        (minutes, 'm', seconds, 's')
    };
    if small == 0 { format!("{big}{big_unit}") } else { format!("{big}{big_unit} {small}{small_unit}") }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == SimTime::NEVER { f.pad("never") } else { self.since_start().fmt(f) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_as_scenario_files_write_them() {
        let cases = [
            (SimDuration::ZERO, "0s"),
            (SimDuration::from_nanos(250), "250ns"),
            (SimDuration::from_micros(1_500), "1.5ms"),
            (SimDuration::from_millis(250), "250ms"),
            (SimDuration::from_millis(31_400), "31.4s"),
            (SimDuration::from_secs(120), "2m"),
            (SimDuration::from_secs(3_900), "1h 5m"),
            (SimDuration::from_secs(4 * 86_400 + 7_200), "4d 2h"),
        ];
        for (duration, text) in cases {
            assert_eq!(duration.to_string(), text);
        }
    }

    #[test]
    fn time_past_its_end_is_never_and_does_not_wrap() {
        assert_eq!(SimTime::from_nanos(u64::MAX - 1) + SimDuration::from_secs(1), SimTime::NEVER);
        assert_eq!(SimTime::ZERO.since(SimTime::from_nanos(5)), SimDuration::ZERO);
    }
}
