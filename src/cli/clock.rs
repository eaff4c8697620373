//! The wall clock: for `meta.json`, and for the day by which accepted violations are judged, which a result records.

#![expect(clippy::disallowed_types, reason = "the one place that may look at the clock; nothing simulated sees it")]

use crate::units::Day;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// When a campaign began.
pub(crate) struct Clock {
    began: SystemTime,
    started: Instant,
}

impl Clock {
    pub fn start() -> Clock {
        Clock { began: SystemTime::now(), started: Instant::now() }
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// The moment of the start, RFC 3339.
    pub fn started(&self) -> String {
        rfc3339(self.began.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}

/// Today, in UTC: one day for all that a process judges, whenever midnight falls.
pub(crate) fn today() -> Day {
    static TODAY: OnceLock<Day> = OnceLock::new();
    *TODAY.get_or_init(|| {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Day(i32::try_from(seconds / 86_400).unwrap_or(i32::MAX))
    })
}

/// A moment in RFC 3339, to the second: days to a civil date after Howard Hinnant's `civil_from_days`.
fn rfc3339(seconds: u64) -> String {
    let (days, of_day) = ((seconds / 86_400) as i64, seconds % 86_400);
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", of_day / 3_600, of_day / 60 % 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_print_as_civil_dates_across_leap_days() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_795_370_399), "2026-11-22T17:59:59Z");
    }
}
