//! Times of day, days and moments.

use super::is_digits;
use crate::units::{Day, SimDuration};

/// A time of day such as `16:00` or `07:30:15`, as the time since midnight.
pub fn clock(text: &str) -> Result<SimDuration, String> {
    let expected = || "expected a time of day from 00:00 to 23:59, such as \"16:00\"".to_owned();
    let parts: Vec<&str> = text.trim().splitn(4, ':').collect();
    let part = |at: usize, below: u64| -> Option<u64> {
        let digits = parts.get(at).filter(|digits| digits.len() == 2 && is_digits(digits))?;
        digits.parse().ok().filter(|value| *value < below)
    };
    let seconds = if parts.len() == 3 { part(2, 60) } else { Some(0).filter(|_| parts.len() == 2) };
    match (part(0, 24), part(1, 60), seconds) {
        (Some(hours), Some(minutes), Some(seconds)) => {
            Ok(SimDuration::from_secs(hours * 3_600 + minutes * 60 + seconds))
        }
        _ => Err(expected()),
    }
}

/// A moment in ISO 8601 with its offset, `2026-03-02T06:00:00Z`; its shape and calendar are checked, its text kept.
pub fn timestamp(text: &str) -> Result<&str, String> {
    let text = text.trim();
    let expected = || "expected a moment such as 2026-03-02T06:00:00Z".to_owned();
    let (day, time) = text.split_once('T').ok_or_else(|| match date(text) {
        Ok(day) => format!("a moment has a time and an offset: {day}T00:00:00Z?"),
        Err(_) => expected(),
    })?;
    let day = date(day)?;
    let at = time.find(['Z', '+', '-']).ok_or_else(|| match clock(time) {
        Ok(_) => format!("a moment needs an offset: {day}T{time}Z?"),
        Err(_) => expected(),
    })?;
    let (time, zone) = time.split_at(at);
    let offset = zone == "Z" || zone.len() == 6 && clock(&zone[1..]).is_ok();
    // A fraction of a second would suggest a precision that the start of a simulation does not have.
    if clock(time).is_ok() && offset { Ok(text) } else { Err(expected()) }
}

/// A day such as `2026-12-31`; its calendar is checked, its text kept.
pub fn date(text: &str) -> Result<&str, String> {
    let text = text.trim();
    let parts: Vec<&str> = text.splitn(4, '-').collect();
    let shape = parts.iter().map(|part| part.len()).eq([4, 2, 2]) && parts.iter().all(|part| is_digits(part));
    let number = |at: usize| parts[at].parse::<u32>().unwrap_or_default();
    if !shape {
        return Err("expected a day such as 2026-12-31".to_owned());
    }
    let (year, month, day) = (number(0), number(1), number(2));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return Err("a month is from 01 to 12".to_owned()),
    };
    if (1..=days).contains(&day) { Ok(text) } else { Err(format!("this month has {days} days")) }
}

/// The day that [`date`] allows.
pub fn day(text: &str) -> Option<Day> {
    let mut parts = date(text).ok()?.splitn(3, '-').map(|part| part.parse::<i32>().ok());
    Some(Day::new(parts.next()??, parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::super::tests::refuses;
    use super::*;

    #[test]
    fn clock_times_days_and_moments_follow_the_calendar() {
        assert_eq!(clock("16:00"), Ok(SimDuration::from_secs(57_600)));
        assert_eq!(clock("07:30:15"), Ok(SimDuration::from_secs(27_015)));
        refuses(
            clock,
            &[("960", "\"16:00\""), ("24:00", "23:59"), ("7:30", "\"16:00\""), ("16:00:00:00", "\"16:00\"")],
        );
        assert_eq!(timestamp("2026-03-02T06:00:00Z"), Ok("2026-03-02T06:00:00Z"));
        assert_eq!(timestamp("2026-03-02T06:00:00+01:00"), Ok("2026-03-02T06:00:00+01:00"));
        assert_eq!(date("2028-02-29"), Ok("2028-02-29"));
        refuses(
            |text| timestamp(text).map(str::to_owned),
            &[
                ("2026-03-02", "2026-03-02T00:00:00Z?"),
                ("2026-03-02T06:00:00", "offset: 2026-03-02T06:00:00Z?"),
                ("2026-03-02T06:00:00+é1:0", "expected a moment"),
                ("2026-13-02T06:00:00Z", "month"),
                ("tomorrow", "expected a moment"),
            ],
        );
        refuses(
            |text| date(text).map(str::to_owned),
            &[("2026-02-29", "28 days"), ("2026-04-31", "30 days"), ("2026-4-1", "a day"), ("2026-00-10", "month")],
        );
    }
}
