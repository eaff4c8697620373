//! Amounts of money, as files write them: in the currency's major unit, with as many decimals as it has.

use super::place::Place;
use super::{Draft, shown};
use crate::kernel::Distribution;
use crate::models::amount::{Amount, Currency};
use crate::scenario::problem::Problem;
use crate::units::SimDuration;

/// Currencies whose minor unit is not a hundredth (ISO 4217, list one, 2026-01-01).
const WITHOUT_DECIMALS: [&str; 16] =
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF"];
const WITH_THREE: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
/// A trillion major units: beyond it an amount is a slip.
const MOST: u64 = 1_000_000_000_000_000;

impl<'a> Draft<'a> {
    /// An amount, where one is given.
    pub(super) fn amount(&mut self, place: &Place<'a>) -> Option<Amount> {
        place.node?;
        let decimals = self.currency(&place.key("currency"))?;
        let one = |draft: &mut Self, key: &str| draft.minor(&place.key(key), decimals);
        if place.key("is").is_given() {
            return Some(Amount(Distribution::Fixed(one(self, "is")?)));
        }
        if place.key("mean").is_given() {
            return Some(Amount(Distribution::Exponential { mean: one(self, "mean")? }));
        }
        let between = place.key("between");
        if between.is_given() {
            let items = between.items();
            let [low, high] = items.as_slice() else {
                self.error(between.span, "an amount between two others", "expected [low, high]");
                return None;
            };
            let (low, high) = (self.minor(low, decimals)?, self.minor(high, decimals)?);
            return self.in_order(low, high, &between).then_some(Amount(Distribution::Uniform { low, high }));
        }
        let (p50, p99) = (place.key("p50"), place.key("p99"));
        if !(p50.is_given() && p99.is_given()) {
            self.error(place.span, "`p50` and `p99` of an amount belong together", "expected both");
            return None;
        }
        let (low, high) = (self.minor(&p50, decimals)?, self.minor(&p99, decimals)?);
        if low.is_zero() {
            self.error(p50.span, "a median of zero", "expected more than 0");
            return None;
        }
        self.in_order(low, high, &p99).then(|| Amount(Distribution::lognormal(low, high)))
    }

    fn in_order(&mut self, low: SimDuration, high: SimDuration, place: &Place<'a>) -> bool {
        if high < low {
            self.error(place.span, "the greater amount is below the smaller one", "expected the smaller one first");
        }
        low <= high
    }

    /// The decimals of the currency; a scenario has one, so that amounts can be added up.
    fn currency(&mut self, place: &Place<'a>) -> Option<u8> {
        let code = place.text()?;
        if code.len() != 3 || !code.chars().all(|letter| letter.is_ascii_uppercase()) {
            let message = format!("`{}` is not a currency", shown(code));
            self.error(place.span, message, "expected a code of ISO 4217, such as EUR");
            return None;
        }
        if let Some(known) = self.estate.currency.as_ref().filter(|known| known.code != code) {
            let message = format!("amounts in {} and in {code} cannot be added up", known.code);
            let problem = Problem::error(place.span, message).label("a second currency");
            self.problems.push(problem.help("write every amount of a scenario in one currency"));
            return None;
        }
        let decimals = match code {
            _ if WITHOUT_DECIMALS.contains(&code) => 0,
            _ if WITH_THREE.contains(&code) => 3,
            _ => 2,
        };
        self.estate.currency = Some(Currency { code: code.to_owned(), decimals });
        Some(decimals)
    }

    /// An amount in minor units.
    fn minor(&mut self, place: &Place<'a>, decimals: u8) -> Option<SimDuration> {
        let text = place.text()?;
        let Some(minor) = minor_units(text, decimals).filter(|minor| *minor <= MOST) else {
            let message = format!("`{}` is not an amount", shown(text));
            let problem = Problem::error(place.span, message);
            let problem = problem.label(match decimals {
                0 => "expected a whole number".to_owned(),
                decimals => format!("expected a number with at most {decimals} decimals, such as 240.00"),
            });
            self.problems.push(problem);
            return None;
        };
        Some(SimDuration::from_nanos(minor))
    }
}

/// Read digit by digit: no amount goes through a float.
fn minor_units(text: &str, decimals: u8) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let decimals = usize::from(decimals);
    if part.len() > decimals || (part.is_empty() && text.contains('.')) {
        return None;
    }
    let digits = format!("{whole}{part:0<decimals$}");
    if whole.is_empty() || !digits.chars().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::minor_units;

    #[test]
    fn an_amount_has_no_more_decimals_than_its_currency() {
        assert_eq!(minor_units("240.00", 2), Some(24_000));
        assert_eq!(minor_units("0.5", 2), Some(50));
        assert_eq!(minor_units("7", 3), Some(7_000));
        for (text, decimals) in [("1.005", 2), ("1.", 2), (".5", 2), ("-1", 2), ("1e3", 2), ("1.0", 0), ("", 2)] {
            assert_eq!(minor_units(text, decimals), None, "{text}");
        }
    }
}
