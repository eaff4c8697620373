//! Bounds: what a metric has to stay below or above. Not CEL, but a language of one sentence:
//! `error_rate{journey: pay, path: new} > 2%`, `latency.p99.ratio < 1.3`, `< 60s`.

use std::ops::Range;

use super::{ExpressionError, MAX_LENGTH};
pub use crate::models::guard::Comparison;
use crate::scenario::quantity::duration;
use crate::units::SimDuration;

/// A metric, how it is compared, and with what. Whether there is such a metric, and whether the quantity is of its
/// kind, is for the reader of the file to check.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// `None` where the place of the bound tells the metric.
    pub metric: Option<String>,
    /// What of the metric, outermost first: `p99`, `ratio`.
    pub stats: Vec<String>,
    pub labels: Vec<(String, String)>,
    pub comparison: Comparison,
    pub quantity: Quantity,
    pub ranges: BoundRanges,
}

/// Where the parts of a [`Bound`] stand, in bytes of its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoundRanges {
    pub metric: Option<Range<usize>>,
    /// One for each of the stats.
    pub stats: Vec<Range<usize>>,
    pub labels: Vec<LabelRanges>,
    pub comparison: Range<usize>,
    pub quantity: Range<usize>,
}

/// A label's name and its value.
pub type LabelRanges = (Range<usize>, Range<usize>);

/// What a metric is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
    Duration(SimDuration),
    /// A fraction: 2% is 0.02. May be negative or above 1, as a difference or a growth can be.
    Share(f64),
    Number(f64),
    /// Events per second.
    Rate(f64),
}

/// Longer signs first, so that `<=` is not read as `<`.
const SIGNS: [(&str, Comparison); 5] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("<", Comparison::Below),
    (">", Comparison::Above),
];

/// Reads one bound.
pub fn bound(text: &str) -> Result<Bound, ExpressionError> {
    if text.len() > MAX_LENGTH {
        return Err(ExpressionError::new(0..text.len(), format!("a bound is at most {MAX_LENGTH} bytes long")));
    }
    if text.trim().is_empty() {
        return Err(ExpressionError::new(0..text.len(), "this bound is empty").help("write it like error_rate < 2%"));
    }
    let mut reader = Reader { text, at: 0 };
    let mut ranges = BoundRanges::default();
    let (mut stats, mut labels) = (Vec::new(), Vec::new());
    reader.skip_blank();
    let metric = reader.word();
    if let Some(metric) = &metric {
        ranges.metric = Some(metric.clone());
        while reader.eat(".") {
            let stat = reader.stat()?;
            stats.push(text[stat.clone()].to_owned());
            ranges.stats.push(stat);
        }
        reader.skip_blank();
        if reader.eat("{") {
            ranges.labels = reader.labels()?;
            labels = ranges.labels.iter().map(|(name, value)| (unquoted(text, name), unquoted(text, value))).collect();
            reader.skip_blank();
        }
    }
    let start = reader.at;
    let comparison = reader.comparison()?;
    ranges.comparison = start..reader.at;
    reader.skip_blank();
    ranges.quantity = reader.at..text.trim_end().len().max(reader.at);
    let quantity = quantity(text, ranges.quantity.clone())?;
    let metric = metric.map(|range| text[range].to_owned());
    Ok(Bound { metric, stats, labels, comparison, quantity, ranges })
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn eat(&mut self, expected: &str) -> bool {
        let eaten = self.rest().starts_with(expected);
        self.at += if eaten { expected.len() } else { 0 };
        eaten
    }

    fn eat_while(&mut self, wanted: impl Fn(char) -> bool) -> Range<usize> {
        let start = self.at;
        let rest = self.rest();
        self.at += rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        start..self.at
    }

    fn skip_blank(&mut self) {
        self.eat_while(char::is_whitespace);
    }

    fn wrong<T>(&self, message: &str, help: &str) -> Result<T, ExpressionError> {
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        Err(ExpressionError::new(self.at..self.at + length, message).help(help))
    }

    /// A name; hyphens and slashes are part of it, because names of the file have them.
    fn word(&mut self) -> Option<Range<usize>> {
        if !self.rest().starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return None;
        }
        Some(self.eat_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '/')))
    }

    /// What follows a dot. `p99.9` is one stat.
    fn stat(&mut self) -> Result<Range<usize>, ExpressionError> {
        let Some(stat) = self.word() else {
            return self.wrong("a statistic follows the dot", "like latency.p99 or error_rate.delta");
        };
        let is_digit = |c: char| c.is_ascii_digit();
        let percentile = self.text[stat.clone()].strip_prefix('p');
        if percentile.is_some_and(|digits| !digits.is_empty() && digits.chars().all(is_digit))
            && self.rest().strip_prefix('.').is_some_and(|rest| rest.starts_with(is_digit))
        {
            self.at += 1;
            self.eat_while(is_digit);
        }
        Ok(stat.start..self.at)
    }

    /// Labels up to the closing brace.
    fn labels(&mut self) -> Result<Vec<LabelRanges>, ExpressionError> {
        const HELP: &str = "labels are written {journey: pay, path: new}";
        let mut labels = Vec::new();
        loop {
            self.skip_blank();
            if self.eat("}") {
                return Ok(labels);
            }
            if !labels.is_empty() {
                if !self.eat(",") {
                    return self.wrong("expected `,` or `}` after a label", HELP);
                }
                self.skip_blank();
            }
            let Some(name) = self.value() else { return self.wrong("expected the name of a label", HELP) };
            self.skip_blank();
            if !self.eat(":") {
                return self.wrong("expected `:` after the name of a label", HELP);
            }
            self.skip_blank();
            let Some(value) = self.value() else { return self.wrong("expected the value of a label", HELP) };
            labels.push((name, value));
        }
    }

    /// A label's name or value: a text in quotes, or what comes before the next sign.
    fn value(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        for quote in ["\"", "'"] {
            if self.eat(quote) {
                self.at += self.rest().find(quote)? + 1;
                return Some(start..self.at);
            }
        }
        let value = self.eat_while(|c| !c.is_whitespace() && !matches!(c, ',' | ':' | '{' | '}' | '"' | '\''));
        (!value.is_empty()).then_some(value)
    }

    fn comparison(&mut self) -> Result<Comparison, ExpressionError> {
        for (sign, comparison) in SIGNS {
            if self.eat(sign) {
                return Ok(comparison);
            }
        }
        let help = match self.rest().chars().next() {
            Some('=') => "equality is written ==",
            Some('!') => "a bound has no !=; write the side it has to be on",
            Some('≤') => "write <=",
            Some('≥') => "write >=",
            _ => "write it like error_rate{journey: pay} < 2%",
        };
        self.wrong("expected <, <=, >, >= or ==", help)
    }
}

fn unquoted(text: &str, range: &Range<usize>) -> String {
    let written = &text[range.clone()];
    let inner = written.strip_prefix(['"', '\'']).and_then(|rest| rest.strip_suffix(['"', '\'']));
    inner.unwrap_or(written).to_owned()
}

fn quantity(text: &str, range: Range<usize>) -> Result<Quantity, ExpressionError> {
    const HELP: &str = "a bound ends with a quantity like 60s, 2%, 1.3 or 40/h";
    let written = &text[range.clone()];
    let wrong = |message: String| ExpressionError::new(range.clone(), message);
    if written.is_empty() {
        return Err(wrong("a quantity is missing here".to_owned()).help(HELP));
    }
    if written.contains("&&") || written.contains("||") || written.split_whitespace().any(|word| word == "and") {
        return Err(wrong("one bound compares one metric".to_owned()).help("write two bounds, as two items of a list"));
    }
    let not_a_number = || wrong(format!("`{written}` is not a quantity")).help(HELP);
    if let Some(percent) = written.strip_suffix('%') {
        return number(percent.trim_end()).map(|percent| Quantity::Share(percent / 100.0)).ok_or_else(not_a_number);
    }
    if let Some((count, unit)) = written.split_once('/') {
        let count = number(count.trim_end()).ok_or_else(not_a_number)?;
        let seconds = match unit.trim_start() {
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return Err(wrong(format!("`{written}` is not a rate")).help("a rate is per s, m, h or d: 40/h")),
        };
        return Ok(Quantity::Rate(count / seconds));
    }
    if let Some(value) = number(written) {
        return Ok(Quantity::Number(value));
    }
    duration(written).map(Quantity::Duration).map_err(|message| wrong(message).help(HELP))
}

/// A plain decimal number: no infinities, nothing that is not digits.
fn number(text: &str) -> Option<f64> {
    let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
    if plain { value } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Bound {
        bound(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    #[test]
    fn bounds_of_the_language_examples_are_read() {
        let ratio = read("latency.p99.ratio < 1.3");
        assert_eq!(ratio.metric.as_deref(), Some("latency"));
        assert_eq!(ratio.stats, ["p99", "ratio"]);
        assert_eq!((ratio.comparison, ratio.quantity), (Comparison::Below, Quantity::Number(1.3)));
        assert_eq!(ratio.ranges.stats, [8..11, 12..17]);
        let labelled = read("error_rate{journey: pay, path: \"new\"} > 2%");
        assert_eq!(labelled.labels, [("journey".into(), "pay".into()), ("path".into(), "new".into())]);
        assert_eq!((labelled.comparison, labelled.quantity), (Comparison::Above, Quantity::Share(0.02)));
        assert_eq!(labelled.ranges.quantity, 40..42);
        let sugar = read("< 60s");
        assert_eq!((sugar.metric, sugar.quantity), (None, Quantity::Duration(SimDuration::from_secs(60))));
        assert_eq!(read("error_rate.delta >= -0.5 %").quantity, Quantity::Share(-0.005));
        assert_eq!(read("lag<=40/h").quantity, Quantity::Rate(40.0 / 3600.0));
        assert_eq!(read("latency.p99.9.ratio == 1").stats, ["p99.9", "ratio"]);
    }

    #[test]
    fn a_torn_bound_is_an_error_that_shows_the_repair() {
        let cases = [
            ("", "empty"),
            ("error_rate 2%", "expected <"),
            ("error_rate = 2%", "expected <"),
            ("error_rate != 2%", "expected <"),
            ("error_rate <", "missing"),
            ("error_rate < 2% && latency.p99 < 3s", "one metric"),
            ("error_rate < 2%%", "not a quantity"),
            ("error_rate < inf", ""),
            ("error_rate. < 2%", "statistic"),
            ("error_rate{journey} < 2%", "`:`"),
            ("error_rate{journey: pay < 2%", "`,` or `}`"),
            ("error_rate{journey: \"pay < 2%", "value of a label"),
            ("lag < 3/fortnight", "not a rate"),
        ];
        for (text, message) in cases {
            let error = bound(text).expect_err(text);
            assert!(error.message.contains(message), "{text}: {error:?}");
            assert!(error.help.is_some(), "{text}: {error:?}");
            assert!(text.get(error.range.clone()).is_some(), "{text}: {error:?}");
        }
    }
}
