//! Bounds of gates and alerts on what a reconciliation job reports: its variance, and what waits for people.

use super::bounds::Standing;
use super::{Draft, unknown};
use crate::models::guard::{Against, BoundId, Bounded, Compared, Measured};
use crate::scenario::expression::{Bound, Quantity};
use crate::scenario::problem::{Problem, Span};

impl Draft<'_> {
    /// `posting_variance < 0.5%`, `exceptions{job: clearing-vs-ledger} < 100`
    pub(super) fn bound_on_job(
        &mut self,
        text: &str,
        span: Span,
        bound: &Bound,
        compared: Compared,
        standing: Standing,
    ) -> Option<BoundId> {
        let name = bound.metric.as_deref()?;
        let (measured, limit) = if name == "exceptions" {
            (Measured::Exceptions(self.job_with_exceptions(bound, span)?), self.number_of_exceptions(bound, span))
        } else {
            if !bound.labels.is_empty() {
                self.error(span, format!("`{name}` is of one job and has no labels"), "expected none");
                return None;
            }
            // A job that could not be read was told of.
            let jobs = &mut self.estate.reconciliations.iter();
            let job = jobs.position(|job| job.metric.as_deref() == Some(name))?;
            (Measured::Variance(job as u32), self.variance(bound, compared, span))
        };
        if compared != Compared::Absolute && !standing.before {
            let label = "expected `analysis: { against: before }`";
            self.error(span, "a reconciliation has no control", label);
            return None;
        }
        self.new_bound(Bounded {
            text: text.trim().to_owned(),
            measured,
            compared,
            against: Against::Before,
            comparison: bound.comparison,
            limit: limit?,
            least: 1,
        })
    }

    fn variance(&mut self, bound: &Bound, compared: Compared, span: Span) -> Option<f64> {
        match (compared, bound.quantity) {
            (Compared::Ratio, Quantity::Number(value)) => return Some(value),
            (Compared::Absolute | Compared::Delta, Quantity::Share(value)) => return Some(value),
            _ => {}
        }
        let expected = if compared == Compared::Ratio { "a plain number, such as 1.3" } else { "a share, such as 2%" };
        self.error(span, "this is measured in another unit", format!("expected {expected}"));
        None
    }

    fn number_of_exceptions(&mut self, bound: &Bound, span: Span) -> Option<f64> {
        if let Quantity::Number(limit) = bound.quantity {
            return Some(limit);
        }
        self.error(span, "exceptions are counted", "expected a number");
        None
    }

    fn job_with_exceptions(&mut self, bound: &Bound, span: Span) -> Option<u32> {
        let [(label, job)] = bound.labels.as_slice() else {
            self.error(
                span,
                "the exceptions of which job?",
                "expected a reconciliation: exceptions{job: nightly} < 100",
            );
            return None;
        };
        if label != "job" {
            self.unknown(span, "label", label, ["job"]);
            return None;
        }
        let jobs = || self.estate.reconciliations.iter();
        let Some(at) = jobs().position(|known| known.name == *job) else {
            let problem = unknown(span, "reconciliation", job, jobs().map(|job| job.name.as_str()));
            self.problems.push(problem);
            return None;
        };
        if self.estate.reconciliations[at].exceptions.is_none() {
            let problem = Problem::error(span, format!("`{job}` parks no exceptions")).label("there are never any");
            self.problems.push(problem.help("add to it: exceptions: { park: true, rate: 40/h }"));
            return None;
        }
        Some(at as u32)
    }
}
