//! Expected metrics: bounds in the metric's own unit.

use super::place::Place;
use super::{Draft, one_line, shown};
use crate::models::metric::Metric;
use crate::scenario::expression::{self, Comparison, Quantity};
use crate::scenario::plan::{Expectation, Expected};
use crate::scenario::problem::{Problem, Span};

impl<'a> Draft<'a> {
    pub(super) fn expected_metric(&mut self, metric: &'static Metric, place: &Place<'a>) {
        let (mut least, mut most) = (None, None);
        if let Some(text) = place.text() {
            match expression::bound(text) {
                Ok(bound) if bound.metric.is_none() => {
                    let value = self.in_unit(metric, bound.quantity, place.span);
                    match bound.comparison {
                        Comparison::Below | Comparison::AtMost => most = value,
                        Comparison::Above | Comparison::AtLeast => least = value,
                        Comparison::Equal => (least, most) = (value, value),
                    }
                }
                Ok(_) => self.error(place.span, "the metric is named by the key", "expected a bound such as \"< 5%\""),
                Err(error) => {
                    let problem = Problem::error(place.span, error.message).label("expected a bound such as \"< 5%\"");
                    self.problems.push(error.help.into_iter().fold(problem, Problem::help));
                }
            }
        } else {
            for key in ["violated", "within", "quantile", "of", "confidence"] {
                let place = place.key(key);
                if place.is_given() {
                    let message = format!("`{key}` is for invariants, and `{}` is a metric", metric.name);
                    self.error(place.span, message, "not expected here");
                }
            }
            least = self.metric_bound(metric, &place.key("at_least"));
            most = self.metric_bound(metric, &place.key("at_most"));
            let between = place.key("between");
            let both = between.items();
            if let [low, high] = both.as_slice() {
                (least, most) = (self.metric_bound(metric, low), self.metric_bound(metric, high));
            } else if between.is_given() {
                self.error(between.span, "`between` has two bounds", "expected [low, high]");
            }
            if place.node.and_then(|node| node.as_map()).is_some_and(<[_]>::is_empty) {
                self.error(place.span, format!("what is expected of `{}`?", metric.name), "expected { at_most: … }");
            }
        }
        if least.zip(most).is_some_and(|(least, most)| least > most) {
            self.error(place.span, "the lower bound is above the upper one", "nothing is between them");
        }
        let written = place.node.map(one_line).unwrap_or_default();
        let of = Expected::Metric { metric, at_least: least, at_most: most };
        self.expectations.push(Expectation { text: format!("{}: {written}", metric.name), of });
    }

    fn metric_bound(&mut self, metric: &'static Metric, place: &Place<'a>) -> Option<f64> {
        let text = place.text()?;
        match expression::bound(&format!("<= {text}")) {
            Ok(bound) => self.in_unit(metric, bound.quantity, place.span),
            Err(_) => {
                let message = format!("`{}` is not a quantity", shown(text));
                self.error(place.span, message, format!("expected {}", of_unit(metric.unit)));
                None
            }
        }
    }

    /// A quantity in the unit of the metric it bounds.
    fn in_unit(&mut self, metric: &'static Metric, quantity: Quantity, span: Span) -> Option<f64> {
        match (metric.unit, quantity) {
            ("share", Quantity::Share(value)) | ("1", Quantity::Number(value)) | ("/s", Quantity::Rate(value)) => {
                Some(value)
            }
            ("share", Quantity::Number(value)) if (0.0..=1.0).contains(&value) => Some(value),
            ("s", Quantity::Duration(duration)) => Some(duration.as_secs_f64()),
            (_, Quantity::Share(_) | Quantity::Number(_) | Quantity::Rate(_) | Quantity::Duration(_)) => {
                let message = format!("`{}` is measured in another unit", metric.name);
                self.error(span, message, format!("expected {}", of_unit(metric.unit)));
                None
            }
        }
    }
}

fn of_unit(unit: &str) -> &'static str {
    match unit {
        "share" => "a share such as 5%",
        "s" => "a duration such as 300ms",
        "/s" => "a rate such as 200/s",
        _ => "a number",
    }
}
