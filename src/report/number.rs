//! Numbers as people read them: thousands apart, as many digits as carry meaning, units.

use crate::units::{SimDuration, SimTime};

/// Between groups of thousands; narrow, and no line breaks there.
const THIN: char = '\u{202f}';

/// `3 012`; four digits and more are grouped.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(THIN);
        }
        text.push(digit);
    }
    text
}

/// `1 run`, `20 runs`.
pub fn counted(n: u64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {many}", count(n)) }
}

pub fn runs(n: u64) -> String {
    counted(n, "run", "runs")
}

/// A share as a percentage, with the digits that tell it from 0% and from 100%.
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "none".to_owned();
    }
    let value = share * 100.0;
    let near_whole = (100.0 - value).abs();
    let size = if value.abs() > 50.0 && near_whole > 0.0 { near_whole } else { value.abs() };
    let decimals = match size {
        _ if size == 0.0 => 0,
        _ if size >= 10.0 => 1,
        _ if size >= 1.0 => 2,
        _ if size >= 0.1 => 3,
        _ if size >= 0.001 => 4,
        _ => 6,
    };
    let text = trimmed(&format!("{value:.decimals$}")).replace('-', "\u{2212}");
    format!("{text}%")
}

/// A plain number with at least three significant digits, grouped.
pub fn plain(value: f64) -> String {
    if !value.is_finite() {
        return "none".to_owned();
    }
    let size = value.abs();
    let decimals = match size {
        _ if size >= 1000.0 => 0,
        _ if size >= 100.0 => 1,
        _ if size >= 1.0 => 2,
        _ if size >= 0.01 => 4,
        _ => 6,
    };
    let text = trimmed(&format!("{size:.decimals$}"));
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let grouped = whole.parse().map_or(whole.to_owned(), count);
    let sign = if value < 0.0 && text != "0" { "\u{2212}" } else { "" };
    fraction.map_or(format!("{sign}{grouped}"), |fraction| format!("{sign}{grouped}.{fraction}"))
}

/// Seconds as a duration, below zero too.
pub fn seconds(value: f64) -> String {
    if !value.is_finite() {
        return "none".to_owned();
    }
    let sign = if value < 0.0 { "\u{2212}" } else { "" };
    format!("{sign}{}", SimDuration::from_secs_f64(value.abs()))
}

/// A metric's value in its unit.
pub fn quantity(value: f64, unit: &str) -> String {
    match unit {
        "share" => percent(value),
        "s" => seconds(value),
        "1" => plain(value),
        other => format!("{}{other}", plain(value)),
    }
}

/// A moment to the millisecond, for accounts in which milliseconds decide: `02:13.980`, `1:02:13.980`, `3d 07:02:13.980`.
pub fn clock(at: SimTime) -> String {
    let millis = at.nanos() / 1_000_000;
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    let (days, hours, minutes, seconds) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes:02}:{seconds:02}.{millis:03}"),
        (0, _) => format!("{hours}:{minutes:02}:{seconds:02}.{millis:03}"),
        _ => format!("{days}d {hours:02}:{minutes:02}:{seconds:02}.{millis:03}"),
    }
}

/// A duration exactly, in the largest of h, s, ms, us and ns that leaves no fraction: `31h`, `600s`, `250ms`. For
/// machines, which must not lose digits.
pub fn exact(duration: SimDuration) -> String {
    const UNITS: [(u64, &str); 4] = [(3_600_000_000_000, "h"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
    let nanos = duration.nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    let unit = UNITS.into_iter().find(|(size, _)| nanos.is_multiple_of(*size));
    unit.map_or_else(|| format!("{nanos}ns"), |(size, name)| format!("{}{name}", nanos / size))
}

/// Plain spaces for a terminal and for Markdown, where a narrow space may be drawn as a box.
pub fn with_plain_spaces(text: &str) -> String {
    text.replace(THIN, " ")
}

fn trimmed(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        let told: Vec<String> = [0, 12, 999, 1_000, 81_234, 3_012_000].map(|n| with_plain_spaces(&count(n))).to_vec();
        assert_eq!(told, ["0", "12", "999", "1 000", "81 234", "3 012 000"]);
        assert_eq!(counted(1, "run", "runs"), "1 run");
    }

    #[test]
    fn a_percentage_never_rounds_to_nothing_or_to_everything() {
        let cases = [(0.0, "0%"), (1.0, "100%"), (0.237, "23.7%"), (0.0295, "2.95%"), (0.00299, "0.299%")];
        for (share, text) in cases {
            assert_eq!(percent(share), text);
        }
        assert_eq!(percent(0.000_305), "0.0305%");
        assert_eq!(percent(0.999_97), "99.997%");
        assert_eq!(percent(f64::NAN), "none");
    }

    #[test]
    fn quantities_carry_their_units() {
        assert_eq!(with_plain_spaces(&quantity(120_031.4, "1")), "120 031");
        assert_eq!(quantity(190.2, "1"), "190.2");
        assert_eq!(quantity(0.184, "s"), "184ms");
        assert_eq!(quantity(-2.25, "s"), "\u{2212}2.25s");
        assert_eq!(quantity(200.0, "/s"), "200/s");
    }

    #[test]
    fn moments_of_a_story_tell_milliseconds() {
        let at = |millis| clock(SimTime::from(SimDuration::from_millis(millis)));
        assert_eq!([at(133_980), at(3_733_980), at(3 * 86_400_000)], ["02:13.980", "1:02:13.980", "3d 00:00:00.000"]);
    }

    #[test]
    fn machines_get_durations_without_loss() {
        let cases = [(111_600, "31h"), (600, "600s"), (0, "0s")];
        for (secs, text) in cases {
            assert_eq!(exact(SimDuration::from_secs(secs)), text);
        }
        assert_eq!(exact(SimDuration::from_nanos(1_500_000)), "1500us");
        assert_eq!(exact(SimDuration::from_nanos(7)), "7ns");
    }
}
