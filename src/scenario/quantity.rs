//! Quantities as scenario files write them: `30s`, `200/s`, `5%`, `16:00`, `{ p50: 20ms, p99: 120ms }`.
//!
//! Every reader takes the text of a scalar and answers with the quantity, or with what was expected there and the
//! text that was probably meant. None of them takes NaN, an infinity or a negative number, and each has a bound.

mod calendar;
mod distribution;
mod durations;

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::problem::{Problem, Problems};
use super::tree::Node;
use crate::units::Share;

pub use calendar::{clock, date, day, timestamp};
pub use distribution::{DistributionSpec, distribution};
use durations::unit_of;
pub use durations::{LONGEST_DURATION, duration};

/// Highest rate of events: more than any single system sees, few enough to be one per nanosecond.
pub const HIGHEST_RATE: f64 = 1e9;

/// Whether a rate of nothing is meaningful at a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zero {
    Allowed,
    Refused,
}

/// Reads the scalar at a node with one of the readers below; `a_quantity` names it in a sentence ("a duration").
pub fn of<T>(
    node: &Node,
    a_quantity: &str,
    reader: impl FnOnce(&str) -> Result<T, String>,
    problems: &mut Problems,
) -> Option<T> {
    let text = match node.as_text() {
        Some(text) if !node.is_null() => text,
        Some(_) | None => {
            let message = format!("expected {a_quantity}, found {}", node.describe());
            // The reader knows best how its quantity is written.
            let label = reader("").err().unwrap_or_else(|| format!("expected {a_quantity}"));
            problems.push(Problem::error(node.span, message).label(label));
            return None;
        }
    };
    match reader(text) {
        Ok(quantity) => Some(quantity),
        Err(expected) => {
            let message = format!("`{}` is not {a_quantity}", shown(text));
            problems.push(Problem::error(node.span, message).label(expected));
            None
        }
    }
}

/// A rate such as `200/s`, `0.5/s`, `30/h`, `2/d`, as events per second.
pub fn rate(text: &str, zero: Zero) -> Result<f64, String> {
    const EXPECTED: &str = "expected a rate such as 200/s, 30/h or 2/d";
    let text = text.trim();
    let Some((number, unit)) = text.split_once('/') else {
        return Err(if is_decimal(text) {
            format!("a rate needs a unit: {}/s?", shown(text))
        } else {
            EXPECTED.into()
        });
    };
    let (number, unit) = (number.trim(), unit.trim());
    if let Some(positive) = number.strip_prefix('-') {
        return Err(format!("a rate cannot be negative: {}/{}?", shown(positive), shown(unit)));
    }
    let Some((nanos, times, spelling)) = unit_of(unit).filter(|_| is_decimal(number)) else {
        return Err(EXPECTED.into());
    };
    if unit != spelling || nanos < 1_000_000_000 {
        let spelling = if nanos < 1_000_000_000 { "s" } else { spelling };
        return Err(format!("a rate is per s, m, h or d: {}/{spelling}?", shown(number)));
    }
    let per_second = decimal(number).ok_or(EXPECTED)? / ((nanos * times) as f64 / 1e9);
    if per_second == 0.0 && zero == Zero::Refused {
        return Err("a rate above zero; leave it out where nothing happens".to_owned());
    }
    if per_second > HIGHEST_RATE { Err("a rate is at most 1000000000/s".to_owned()) } else { Ok(per_second) }
}

/// A share of a whole: `5%`, `1.5%`, or a fraction such as `0.2`.
pub fn share(text: &str) -> Result<Share, String> {
    let text = text.trim();
    let (number, percent) = match text.strip_suffix('%') {
        Some(number) => (number.trim_end(), true),
        None => (text, false),
    };
    if let Some(positive) = number.strip_prefix('-').filter(|positive| is_decimal(positive)) {
        return Err(format!("a share cannot be negative: {}{}?", shown(positive), if percent { "%" } else { "" }));
    }
    let Some(value) = decimal(number) else { return Err("expected a share such as 5% or 0.05".to_owned()) };
    let fraction = if percent { value / 100.0 } else { value };
    if !percent && value == 1.0 {
        return Err("1 may be 1% or the whole: write 1% or 100%".to_owned());
    }
    match Share::new(fraction) {
        Some(share) => Ok(share),
        None if !percent && value <= 100.0 => Err(format!("a share is at most 100%: {}%?", shown(number))),
        None => Err("a share is at most 100%".to_owned()),
    }
}

/// A whole number within bounds.
pub fn integer(text: &str, bounds: RangeInclusive<u64>) -> Result<u64, String> {
    let (low, high) = (*bounds.start(), *bounds.end());
    let expected = || format!("expected a whole number {}", within(low, high, u64::MAX));
    let text = text.trim();
    let digits: String = text.chars().filter(|c| !matches!(c, '_' | ',' | ' ' | '\'')).take(30).collect();
    if !is_digits(&digits) {
        return Err(match decimal(text) {
            Some(value) if value.fract() == 0.0 && value < 1e15 => format!("a whole number is written {value}"),
            Some(_) | None => expected(),
        });
    }
    let plain = Some(digits.trim_start_matches('0')).filter(|plain| !plain.is_empty()).unwrap_or("0");
    if text != plain {
        return Err(format!("a whole number is written in digits alone: {}?", shown(plain)));
    }
    text.parse().ok().filter(|value| bounds.contains(value)).ok_or_else(expected)
}

/// A finite number within bounds.
pub fn float(text: &str, bounds: RangeInclusive<f64>) -> Result<f64, String> {
    let text = text.trim();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let value = decimal(digits).map(|value| if negative { -value } else { value });
    value
        .filter(|value| bounds.contains(value))
        .ok_or_else(|| format!("expected a number {}", within(*bounds.start(), *bounds.end(), f64::INFINITY)))
}

fn within<T: Display + PartialOrd>(low: T, high: T, unbounded: T) -> String {
    if high >= unbounded { format!("of at least {low}") } else { format!("from {low} to {high}") }
}

/// An amount of money such as `240.00`, in minor units of a currency that has `minor_digits` of them (EUR 2, JPY 0).
pub fn money(text: &str, minor_digits: u32) -> Result<u64, String> {
    let text = text.trim();
    let bare: String = text.chars().filter(|c| !matches!(c, '_' | ',' | ' ' | '\'')).take(40).collect();
    if !is_decimal(text) {
        let repair = if is_decimal(&bare) { &bare } else { "240.00" };
        return Err(format!("expected an amount in digits with a decimal point: {repair}?"));
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = usize::try_from(minor_digits.min(9)).expect("at most 9");
    if fraction.len() > digits {
        return Err(format!("this currency has {digits} decimal places"));
    }
    let minor = format!("{whole}{fraction:0<digits$}");
    // 10^15 minor units: every amount stays exact also where a statistic takes it as a float.
    let amount = minor.parse().ok().filter(|amount| *amount <= 1_000_000_000_000_000_u64);
    amount.ok_or_else(|| "an amount is at most 10^15 of the minor unit".to_owned())
}

/// `true` or `false`, and no other word for them.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(match other.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" | "1" => "expected true or false: true?".to_owned(),
            "false" | "no" | "off" | "n" | "0" => "expected true or false: false?".to_owned(),
            _ => "expected true or false".to_owned(),
        }),
    }
}

/// Whether a text is digits with at most one decimal point between them.
fn is_decimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    is_digits(whole) && is_digits(fraction)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number in plain decimal notation: no sign, no exponent, no NaN.
fn decimal(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| is_decimal(text) && value.is_finite())
}

fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(40)]
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn refuses<T: std::fmt::Debug>(reader: impl Fn(&str) -> Result<T, String>, cases: &[(&str, &str)]) {
        for (text, part) in cases {
            let expected = reader(text).expect_err(text);
            assert!(expected.contains(part), "{text:?}: {expected:?} without {part:?}");
        }
    }

    #[test]
    fn rates_are_events_per_second() {
        let read = |text: &str| rate(text, Zero::Refused);
        assert_eq!((read("200/s"), read("0.5/s"), read("36/h")), (Ok(200.0), Ok(0.5), Ok(0.01)));
        assert_eq!((read("86400/d"), read("60/m"), rate("0/s", Zero::Allowed)), (Ok(1.0), Ok(1.0), Ok(0.0)));
        refuses(
            read,
            &[
                ("200", "200/s?"),
                ("0/s", "above zero"),
                ("-1/s", "cannot be negative: 1/s?"),
                ("5/sec", "5/s?"),
                ("5/ms", "per s, m, h or d"),
                ("nan/s", "expected a rate"),
                ("inf/s", "expected a rate"),
                ("1e300/s", "expected a rate"),
                ("99999999999/s", "at most"),
                ("/", "expected a rate"),
                ("é/é", "expected a rate"),
            ],
        );
    }

    #[test]
    fn shares_are_percentages_or_fractions() {
        for (text, fraction) in [("5%", 0.05), ("1.5%", 0.015), ("0.2", 0.2), ("100%", 1.0), ("0%", 0.0)] {
            assert_eq!(share(text), Ok(Share::new(fraction).expect("a fraction")), "{text}");
        }
        refuses(
            share,
            &[
                ("20", "20%?"),
                ("1", "write 1% or 100%"),
                ("1.0", "write 1% or 100%"),
                ("101%", "at most 100%"),
                ("-1%", "negative: 1%?"),
                ("NaN%", "expected a share"),
                ("%", "expected a share"),
                ("five%", "expected a share"),
            ],
        );
    }

    #[test]
    fn whole_numbers_have_bounds_and_one_spelling() {
        let read = |text: &str| integer(text, 1..=10_000);
        assert_eq!((read("1"), read("10000")), (Ok(1), Ok(10_000)));
        assert_eq!(integer("18446744073709551615", 0..=u64::MAX), Ok(u64::MAX));
        refuses(
            read,
            &[
                ("0", "from 1 to 10000"),
                ("1000000000000000000", "from 1 to 10000"),
                ("99999999999999999999999999", "from 1 to 10000"),
                ("1_000", "1000?"),
                ("007", "7?"),
                ("3.0", "written 3"),
                ("1e3", "expected a whole number"),
                ("-3", "expected a whole number"),
                ("", "expected a whole number"),
            ],
        );
        assert_eq!(float("-1.5", -2.0..=2.0), Ok(-1.5));
        refuses(
            |text| float(text, 0.0..=f64::MAX),
            &[("nan", "number"), ("inf", "number"), ("-1", "number"), ("--1", "number")],
        );
    }

    #[test]
    fn money_is_counted_in_minor_units() {
        assert_eq!(
            (money("240.00", 2), money("25000", 2), money("12.5", 2), money("7", 0)),
            (Ok(24_000), Ok(2_500_000), Ok(1_250), Ok(7))
        );
        refuses(
            |text| money(text, 2),
            &[
                ("1,000.00", "1000.00?"),
                ("0.001", "2 decimal places"),
                ("-5", "an amount"),
                ("EUR 5", "an amount"),
                ("99999999999999999999", "at most"),
            ],
        );
    }

    #[test]
    fn only_true_and_false_are_booleans() {
        assert_eq!((boolean("true"), boolean("false")), (Ok(true), Ok(false)));
        refuses(boolean, &[("yes", "true?"), ("off", "false?"), ("True", "true?"), ("maybe", "true or false")]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_harms_a_reader(text in "[-0-9.:/%TZ+a-zé_, (]{0,24}|.{0,24}") {
            let _ = (duration(&text), rate(&text, Zero::Allowed), share(&text), integer(&text, 0..=9), money(&text, 2));
            let _ = (float(&text, 0.0..=1.0), clock(&text), timestamp(&text), date(&text), boolean(&text));
        }
    }
}
