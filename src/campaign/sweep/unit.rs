//! Amounts as values of a parameter: a number and its unit.

use crate::scenario::quantity::{self, Zero};
use std::fmt;

/// What an amount is an amount of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Number,
    Duration,
    Rate,
    Share,
}

/// A number with its unit as a scenario writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amount<'a> {
    pub kind: Kind,
    /// In the kind's base unit: seconds, events per second, a fraction, a number.
    at: f64,
    /// `s`, `/m`, `%`, nothing; of a duration of several parts nothing either.
    pub unit: &'a str,
    whole: bool,
}

impl<'a> Amount<'a> {
    /// The amount that a text is; `None` where it is none.
    pub fn read(text: &'a str) -> Option<Amount<'a>> {
        let number_ends = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-')).unwrap_or(text.len());
        let (number, unit) = text.split_at(number_ends);
        let amount = |kind, at| Amount { kind, at, unit, whole: unit.is_empty() && !number.contains('.') };
        if unit.is_empty() {
            return quantity::float(text, f64::MIN..=f64::MAX).ok().map(|at| amount(Kind::Number, at));
        }
        if let Ok(duration) = quantity::duration(text) {
            return Some(amount(Kind::Duration, duration.as_secs_f64()));
        }
        if let Ok(rate) = quantity::rate(text, Zero::Allowed) {
            return Some(amount(Kind::Rate, rate));
        }
        quantity::share(text).ok().map(|share| amount(Kind::Share, share.fraction()))
    }

    /// The amounts of a list, where all are of one kind; `0.2` is a share among shares, `0` a duration among durations.
    pub fn of_one_kind(texts: &'a [String]) -> Option<Vec<Amount<'a>>> {
        let mut amounts: Vec<Amount<'a>> = texts.iter().map(|text| Amount::read(text)).collect::<Option<_>>()?;
        let kind = amounts.iter().map(|amount| amount.kind).find(|kind| *kind != Kind::Number).unwrap_or(Kind::Number);
        for amount in &mut amounts {
            let stands_for = match kind {
                Kind::Share => (0.0..=1.0).contains(&amount.at),
                Kind::Duration => amount.at == 0.0,
                Kind::Rate | Kind::Number => false,
            };
            if amount.kind == Kind::Number && stands_for {
                (amount.kind, amount.whole) = (kind, false);
            }
        }
        amounts.iter().all(|amount| amount.kind == kind).then_some(amounts)
    }

    pub fn at(&self) -> f64 {
        self.at
    }

    /// A whole number without a unit: what lies between two of them may mean nothing.
    pub fn is_whole(&self) -> bool {
        self.whole
    }
}

impl Kind {
    /// The unit of [`Amount::at`].
    pub fn unit(self) -> &'static str {
        match self {
            Kind::Number => "1",
            Kind::Duration => "s",
            Kind::Rate => "/s",
            Kind::Share => "share",
        }
    }

    pub fn of_unit(unit: &str) -> Kind {
        match unit {
            "s" => Kind::Duration,
            "/s" => Kind::Rate,
            "share" => Kind::Share,
            _ => Kind::Number,
        }
    }

    /// How the base unit is written; of shares, percent.
    pub fn plain_unit(self) -> &'static str {
        match self {
            Kind::Number => "",
            Kind::Duration => "s",
            Kind::Rate => "/s",
            Kind::Share => "%",
        }
    }

    /// How much of the base unit one of this unit is.
    pub fn in_base(self, unit: &str) -> f64 {
        let one = format!("1{unit}");
        Amount::read(&one).map_or(1.0, |one| one.at)
    }

    /// An amount as a scenario writes it; `None` where it is finer than a scenario can write.
    pub fn written(self, at: f64) -> Option<String> {
        let unit = self.plain_unit();
        let text = format!("{}{unit}", significant(at / self.in_base(unit)));
        Amount::read(&text).is_some().then_some(text)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Number => "a number",
            Kind::Duration => "a duration",
            Kind::Rate => "a rate",
            Kind::Share => "a share",
        })
    }
}

/// A number to four significant digits, without an exponent, at most nine places after the point.
pub fn significant(number: f64) -> String {
    let mut size = number.abs();
    let mut places = 3_usize;
    while size >= 10.0 && places > 0 {
        size /= 10.0;
        places -= 1;
    }
    while size < 1.0 && size > 0.0 && places < 9 {
        size *= 10.0;
        places += 1;
    }
    let text = format!("{number:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits_that_mean_something() {
        for (number, text) in [
            (12.857_142, "12.86"),
            (12_857.142, "12857"),
            (0.5, "0.5"),
            (0.001_234_56, "0.001235"),
            (0.0, "0"),
            (7.0, "7"),
        ] {
            assert_eq!(significant(number), text);
        }
    }

    #[test]
    fn a_unit_tells_the_kind() {
        let kind = |text: &str| Amount::read(text).map(|amount| (amount.kind, amount.at));
        assert_eq!(kind("1h30m"), Some((Kind::Duration, 5_400.0)));
        assert_eq!(kind("30/h"), Some((Kind::Rate, 30.0 / 3_600.0)));
        assert_eq!(kind("5%"), Some((Kind::Share, 0.05)));
        assert_eq!(kind("-3.5"), Some((Kind::Number, -3.5)));
        assert_eq!(kind("on"), None);
        assert_eq!(kind("5 apples"), None);
    }
}
