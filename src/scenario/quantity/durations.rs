//! Durations, exact to the nanosecond.

use super::{is_decimal, shown};
use crate::units::SimDuration;

/// Longest duration a scenario can name, 100 years of 365.25 days: beyond it integer nanoseconds run out of room.
pub const LONGEST_DURATION: SimDuration = SimDuration::from_secs(36_525 * 86_400);
/// A duration: `30s`, `250ms`, `1.5h`, `1h30m`, `4d 2h`, `0`. At most [`LONGEST_DURATION`], no finer than 1 ns.
pub fn duration(text: &str) -> Result<SimDuration, String> {
    const EXPECTED: &str = "expected a duration such as 250ms, 30s or 1h30m";
    let text = text.trim();
    if text == "0" {
        return Ok(SimDuration::ZERO);
    }
    if let Some(positive) = text.strip_prefix('-') {
        return Err(format!("a duration cannot be negative: {}?", shown(positive)));
    }
    if is_decimal(text) {
        return Err(format!("a duration needs a unit: {}s?", shown(text)));
    }
    let mut rest = text;
    let (mut total, mut last_unit, mut repaired) = (0_u128, u128::MAX, String::new());
    let mut misspelt = false;
    while !rest.is_empty() {
        let number = &rest[..rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len())];
        let unit = rest[number.len()..].trim_start();
        let unit = &unit[..unit.find(|c: char| !c.is_alphabetic()).unwrap_or(unit.len())];
        let Some((unit_nanos, factor, spelling)) = unit_of(unit).filter(|_| is_decimal(number)) else {
            return Err(EXPECTED.to_owned());
        };
        let exact = rest[number.len()..].starts_with(spelling) && unit == spelling;
        misspelt |= !exact;
        let nanos = nanos_of(number, unit_nanos * factor).map_err(|finer| match finer {
            Finer::ThanANanosecond => "a duration is no finer than 1ns".to_owned(),
            Finer::ThanABound => too_long(),
        })?;
        if unit_nanos >= last_unit {
            return Err("the units of a duration go from large to small, each once: 1h30m".to_owned());
        }
        last_unit = unit_nanos;
        total += nanos;
        let repaired_number = if factor == 1 { number.to_owned() } else { times(number, factor) };
        repaired.push_str(&format!("{repaired_number}{spelling}"));
        let after = rest[number.len()..].trim_start();
        rest = after[unit.len()..].trim_start();
    }
    if last_unit == u128::MAX {
        return Err(EXPECTED.to_owned());
    }
    if misspelt {
        return Err(format!("the units are ns, us, ms, s, m, h, d: {}?", shown(&repaired)));
    }
    let nanos = u64::try_from(total).map_err(|_| too_long())?;
    if nanos > LONGEST_DURATION.nanos() { Err(too_long()) } else { Ok(SimDuration::from_nanos(nanos)) }
}

fn too_long() -> String {
    "a duration is at most 100 years (36525d)".to_owned()
}

/// Nanoseconds of a unit, how many of them the word means, and how the unit is spelt; other words for the units are
/// known for the sake of the repair.
pub(super) fn unit_of(word: &str) -> Option<(u128, u128, &'static str)> {
    const DAY: u128 = 86_400_000_000_000;
    Some(match word.to_ascii_lowercase().as_str() {
        "ns" => (1, 1, "ns"),
        "us" | "µs" | "μs" => (1_000, 1, "us"),
        "ms" | "msec" | "millis" => (1_000_000, 1, "ms"),
        "s" | "sec" | "secs" | "second" | "seconds" => (1_000_000_000, 1, "s"),
        "m" | "min" | "mins" | "minute" | "minutes" => (60_000_000_000, 1, "m"),
        "h" | "hr" | "hrs" | "hour" | "hours" => (3_600_000_000_000, 1, "h"),
        "d" | "day" | "days" => (DAY, 1, "d"),
        "w" | "week" | "weeks" => (DAY, 7, "d"),
        "y" | "year" | "years" => (DAY, 365, "d"),
        _ => return None,
    })
}

enum Finer {
    ThanANanosecond,
    ThanABound,
}

/// A decimal number of units in nanoseconds, exactly.
fn nanos_of(number: &str, unit: u128) -> Result<u128, Finer> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() > 20 || fraction.len() > 14 {
        return Err(if whole.len() > 20 { Finer::ThanABound } else { Finer::ThanANanosecond });
    }
    let digits = |digits: &str| digits.bytes().fold(0_u128, |value, digit| value * 10 + u128::from(digit - b'0'));
    let scale = 10_u128.pow(u32::try_from(fraction.len()).expect("at most 14 digits"));
    let part = digits(fraction) * unit;
    if !part.is_multiple_of(scale) {
        return Err(Finer::ThanANanosecond);
    }
    Ok(digits(whole) * unit + part / scale)
}

fn times(number: &str, factor: u128) -> String {
    number.parse::<f64>().map_or_else(|_| number.to_owned(), |number| (number * factor as f64).to_string())
}

#[cfg(test)]
mod tests {
    use super::super::tests::refuses;
    use super::*;

    #[test]
    fn durations_are_read_exactly() {
        const SECOND: u64 = 1_000_000_000;
        for (text, nanos) in [
            ("30s", 30 * SECOND),
            ("5m", 300 * SECOND),
            ("4h", 14_400 * SECOND),
            ("7d", 7 * 86_400 * SECOND),
            ("250ms", 250_000_000),
            ("100us", 100_000),
            ("10ns", 10),
            ("1.5h", 5_400 * SECOND),
            ("1h30m", 5_400 * SECOND),
            ("4d 2h", 98 * 3_600 * SECOND),
            ("0.1s", 100_000_000),
            ("0s", 0),
            ("0", 0),
            ("36525d", 36_525 * 86_400 * SECOND),
        ] {
            assert_eq!(duration(text), Ok(SimDuration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn a_duration_that_cannot_be_read_comes_with_its_repair() {
        refuses(
            duration,
            &[
                ("30", "needs a unit: 30s?"),
                ("1.5", "needs a unit: 1.5s?"),
                ("-5m", "cannot be negative: 5m?"),
                ("5min", "5m?"),
                ("5 minutes", "5m?"),
                ("5 m", "5m?"),
                ("2w", "14d?"),
                ("1H", "1h?"),
                ("5µs", "5us?"),
                ("1m1h", "from large to small"),
                ("1s1s", "from large to small"),
                ("1.5ns", "no finer than 1ns"),
                ("36526d", "at most 100 years"),
                ("999999999999999999999999999999d", "at most 100 years"),
                ("99999999999999999999d", "at most 100 years"),
                ("nan", "expected a duration"),
                ("infs", "expected a duration"),
                ("1e9s", "expected a duration"),
                (".5h", "expected a duration"),
                ("1..5h", "expected a duration"),
                ("5s!", "expected a duration"),
                ("", "expected a duration"),
                ("é", "expected a duration"),
            ],
        );
    }
}
