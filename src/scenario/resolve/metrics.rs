//! Expected metrics: bounds in the metric's own unit, over the whole run or from a step on.

use super::place::Place;
use super::{Draft, one_line, shown};
use crate::models::metric;
use crate::models::own_metric::{Own, OwnMetric, success_of};
use crate::scenario::expression::{self, Comparison, Quantity};
use crate::scenario::plan::{Expectation, Expected};
use crate::scenario::problem::{Problem, Span};
use std::borrow::Cow;

/// The metric a bound is on.
struct Bounded {
    name: String,
    unit: &'static str,
}

impl<'a> Draft<'a> {
    /// What a name in `expect` measures: a metric of the catalogue, of a reconciliation job, or of an entity.
    pub(super) fn expectable_metric(&mut self, name: &str, span: Span) -> Option<Own> {
        if let Some(known) = metric::named(name) {
            return Some(Own::Known(known));
        }
        let jobs = &mut self.estate.reconciliations.iter();
        if let Some(job) = jobs.position(|job| job.metric.as_deref() == Some(name)) {
            return Some(Own::Variance { job: job as u32 });
        }
        let mut entities = self.estate.entities.enumerate();
        let (entity, of) = entities.find(|(_, entity)| success_of(&entity.name) == name)?;
        let (per_subject, ends) = (of.per_subject, of.finals.iter().any(|status| !of.void.contains(status)));
        let of = of.name.clone();
        drop(entities);
        if per_subject {
            let message = format!("`{of}` is one per subject, which no interaction brings to its end");
            self.error(span, message, "expected an entity of one interaction");
        } else if !ends {
            let problem = Problem::error(span, format!("`{of}` has no final status that is not void"));
            let problem = problem.label("nothing can be a success");
            self.problems.push(problem.help("say which statuses end it well: entity: { final: [posted] }"));
        }
        Some(Own::Success { entity })
    }

    /// The name under which a metric is measured: from a step on it has one of its own.
    fn measured_as(&mut self, of: Own, place: &Place<'a>) -> Option<Cow<'static, str>> {
        let from = place.key("from");
        let base = of.name(&self.estate);
        let since = match from.text() {
            Some(step) => {
                if !matches!(of, Own::Known(known) if !metric::FROM_A_STEP.contains(&known.name)) {
                    let (rollout, step) = self.step_named(step, from.span)?;
                    Some((u16::try_from(rollout).ok()?, u16::try_from(step).ok()?))
                } else {
                    let problem = Problem::error(from.span, format!("`{base}` is of a whole run"));
                    let problem = problem.label("not measured from a step on");
                    let can = metric::FROM_A_STEP.join(", ");
                    self.problems.push(problem.help(format!("these are, and those of entities and jobs: {can}")));
                    return None;
                }
            }
            None => None,
        };
        if let (Own::Known(known), None) = (of, since) {
            return Some(Cow::Borrowed(known.name));
        }
        let name = since.map_or(base.clone(), |_| format!("{base} from {}", from.text().unwrap_or_default()));
        if self.estate.own_metrics.iter().all(|known| known.name != name) {
            self.estate.own_metrics.push(OwnMetric { name: name.clone(), of, since });
        }
        Some(Cow::Owned(name))
    }

    pub(super) fn expected_metric(&mut self, of: Own, place: &Place<'a>) {
        let metric = &Bounded { name: of.name(&self.estate), unit: of.unit() };
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
        let bounds = ["at_least", "at_most", "between"];
        if place.key("from").is_given() && bounds.iter().all(|bound| !place.key(bound).is_given()) {
            self.error(
                place.span,
                format!("what is expected of `{}`?", metric.name),
                "expected { at_least: …, from: … }",
            );
        }
        let written = place.node.map(one_line).unwrap_or_default();
        let Some(name) = self.measured_as(of, place) else { return };
        let of = Expected::Metric { name, at_least: least, at_most: most };
        let at = Some(self.line_of(place.span));
        self.expectations.push(Expectation { text: format!("{}: {written}", metric.name), of, at });
    }

    fn metric_bound(&mut self, metric: &Bounded, place: &Place<'a>) -> Option<f64> {
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
    fn in_unit(&mut self, metric: &Bounded, quantity: Quantity, span: Span) -> Option<f64> {
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
