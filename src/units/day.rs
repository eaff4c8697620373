//! A day of the calendar: what ends on a date ends at the end of that day, in UTC.

/// A day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Day {
    /// A day of the proleptic Gregorian calendar; the caller has checked that there is such a day.
    pub const fn new(year: i32, month: i32, day: i32) -> Day {
        // Days from civil (Hinnant, "chrono-compatible low-level date algorithms"), with years that begin in March.
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        Day(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
    }

    /// Year, month and day.
    pub const fn calendar(self) -> (i32, i32, i32) {
        let days = self.0 + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        (era * 400 + year + (month <= 2) as i32, month, day)
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = self.calendar();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_one_that_was_written() {
        for (day, text) in [
            (Day::new(1970, 1, 1), "1970-01-01"),
            (Day::new(2026, 12, 31), "2026-12-31"),
            (Day::new(2028, 2, 29), "2028-02-29"),
            (Day::new(2000, 3, 1), "2000-03-01"),
            (Day::new(1, 1, 1), "0001-01-01"),
        ] {
            assert_eq!(day.to_string(), text);
        }
        assert_eq!(Day::new(1970, 1, 1), Day(0));
        assert_eq!(Day::new(2026, 3, 1).0 - Day::new(2026, 2, 28).0, 1);
        assert_eq!(Day::new(2028, 3, 1).0 - Day::new(2028, 2, 28).0, 2);
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        for day in 0..146_097 {
            let (year, month, of_month) = Day(day).calendar();
            assert_eq!(Day::new(year, month, of_month), Day(day));
        }
    }
}
