//! Bounds of gates, exits and alerts: a metric, whom it is about, and its limit.

use super::place::Place;
use super::{Draft, unknown};
use crate::models::estate::JourneyId;
use crate::models::guard::{Against, BoundId, Bounded, Compared, GaugeSpec, Measured, Side, Statistic};
use crate::scenario::expression::{self, Bound, Quantity};
use crate::scenario::problem::Span;
use crate::units::{Id, SimDuration};

/// What bounds of gates and alerts can be about, as help says it.
pub(super) const MEASURES: [&str; 8] =
    ["error_rate", "success_rate", "reject_rate", "latency", "answers", "shadow_mismatch", "lag", "exceptions"];

/// Where a bound stands: what it may leave unsaid.
#[derive(Clone, Copy)]
pub(super) struct Standing {
    /// Whose control it compares with.
    pub(super) rollout: Option<u16>,
    pub(super) window: SimDuration,
    pub(super) delay: SimDuration,
    pub(super) before: bool,
    pub(super) least: u64,
}

const MOST_BOUNDS: usize = 1_000;

impl<'a> Draft<'a> {
    pub(super) fn guard_bounds(&mut self, place: &Place<'a>, standing: Standing) -> Vec<BoundId> {
        let texts = place.texts();
        texts.into_iter().filter_map(|(text, span)| self.bound(text, span, standing)).collect()
    }

    pub(super) fn bound(&mut self, text: &str, span: Span, standing: Standing) -> Option<BoundId> {
        // What is torn was told by the shape.
        let bound = expression::bound(text).ok()?;
        let Some(name) = &bound.metric else {
            self.error(span, "a gate names its metric", "expected a metric, such as error_rate < 2%");
            return None;
        };
        let (compared, stats) = compared(&bound);
        let whole = stats.iter().fold(name.clone(), |whole, stat| format!("{whole}.{stat}"));
        if name == "lag" {
            return self.bound_on_lag(text, span, &bound, compared, standing);
        }
        if name == "exceptions" || (stats.is_empty() && self.reported_metrics().contains(&name.as_str())) {
            return self.bound_on_job(text, span, &bound, compared, standing);
        }
        let statistic = match (name.as_str(), stats.as_slice()) {
            ("error_rate", []) => Statistic::ErrorRate,
            ("success_rate", []) => Statistic::SuccessRate,
            ("reject_rate", []) => Statistic::RejectRate,
            ("answers", [] | ["count"]) => Statistic::Count,
            ("shadow_mismatch", []) => Statistic::ShadowMismatch,
            ("latency", [quantile]) if quantile_of(quantile).is_some() => {
                Statistic::Latency(quantile_of(quantile).unwrap_or_default())
            }
            ("latency", _) => {
                self.error(span, "which quantile of the latency?", "expected one such as latency.p99 < 300ms");
                return None;
            }
            _ => {
                let measures: Vec<&str> = MEASURES.into_iter().chain(self.reported_metrics()).collect();
                let problem = unknown(span, "metric", &whole, measures.iter().copied());
                let known = "what can be measured while a rollout is under way";
                self.problems.push(problem.help(format!("{known}: {}, latency with a quantile", measures.join(", "))));
                return None;
            }
        };
        if statistic == Statistic::ShadowMismatch && (compared != Compared::Absolute || !bound.labels.is_empty()) {
            self.error(span, "a shadow's mismatch is of all comparisons", "expected `shadow_mismatch < 1%`");
            return None;
        }
        let mut side = Side::Everybody;
        let (mut journey, mut region) = (None, None);
        for (label, value) in &bound.labels {
            match label.as_str() {
                "journey" => journey = Some(self.journey_named(value, span)?),
                "region" => region = Some(self.region(value, span)?),
                "path" => {
                    let rollout = self.compared_rollout(standing, journey, &bound, span)?;
                    side = match value.as_str() {
                        "new" => Side::Treated(rollout),
                        "old" => Side::Control(rollout),
                        _ => {
                            self.unknown(span, "path to measure", value, ["new", "old"]);
                            return None;
                        }
                    };
                }
                _ => {
                    self.unknown(span, "label", label, ["journey", "region", "path"]);
                    return None;
                }
            }
        }
        let limit = self.limit(statistic, compared, bound.quantity, span)?;
        let Standing { window, delay, .. } = standing;
        let spec = |side| GaugeSpec { statistic, side, journey, region, window, delay };
        let against = if compared == Compared::Absolute || standing.before {
            Against::Before
        } else {
            if side != Side::Everybody {
                let label = "`delta` and `ratio` compare the new path with the old one";
                self.error(span, "a comparison of one path", label);
                return None;
            }
            let rollout = self.compared_rollout(standing, journey, &bound, span)?;
            side = Side::Treated(rollout);
            Against::Control(self.gauge(spec(Side::Control(rollout))))
        };
        let measured = self.gauge(spec(side));
        self.new_bound(Bounded {
            text: text.trim().to_owned(),
            measured,
            compared,
            against,
            comparison: bound.comparison,
            limit,
            least: standing.least,
        })
    }

    pub(super) fn bound_on_lag(
        &mut self,
        text: &str,
        span: Span,
        bound: &Bound,
        compared: Compared,
        standing: Standing,
    ) -> Option<BoundId> {
        let [(label, group)] = bound.labels.as_slice() else {
            self.error(span, "whose lag?", "expected a consumer group: lag{group: billing/orders} < 1000");
            return None;
        };
        if label != "group" {
            self.unknown(span, "label", label, ["group"]);
            return None;
        }
        let group = self.group_named(group, span)?;
        if compared != Compared::Absolute && !standing.before {
            self.error(span, "a consumer group has no control", "expected `analysis: { against: before }`");
            return None;
        }
        let Quantity::Number(limit) = bound.quantity else {
            self.error(span, "a lag is a number of records", "expected a number");
            return None;
        };
        self.new_bound(Bounded {
            text: text.trim().to_owned(),
            measured: Measured::Lag(group),
            compared,
            against: Against::Before,
            comparison: bound.comparison,
            limit,
            least: 1,
        })
    }

    pub(super) fn new_bound(&mut self, bound: Bounded) -> Option<BoundId> {
        let id = self.estate.bounds.len();
        if id >= MOST_BOUNDS {
            return None;
        }
        self.estate.bounds.push(bound);
        u16::try_from(id).ok()
    }

    pub(super) fn gauge(&mut self, spec: GaugeSpec) -> Measured {
        let found = self.estate.gauges.iter().position(|known| *known == spec);
        let at = found.unwrap_or_else(|| {
            self.estate.gauges.push(spec);
            self.estate.gauges.len() - 1
        });
        Measured::Gauge(u16::try_from(at).unwrap_or_default())
    }

    pub(super) fn journey_named(&mut self, name: &str, span: Span) -> Option<JourneyId> {
        let found = self.journeys.iter().position(|journey| journey.name == name);
        if found.is_none() {
            let problem = unknown(span, "journey", name, self.journeys.iter().map(|journey| journey.name));
            self.problems.push(problem);
        }
        found.map(Id::new)
    }

    /// Whose old and new path a bound is about: its own rollout's, for an alert that of the journey's feature, or the
    /// only one.
    pub(super) fn compared_rollout(
        &mut self,
        standing: Standing,
        journey: Option<JourneyId>,
        bound: &Bound,
        span: Span,
    ) -> Option<u16> {
        if standing.rollout.is_some() {
            return standing.rollout;
        }
        let named = bound.labels.iter().find(|(label, _)| label == "journey");
        let journey = journey.or_else(|| named.and_then(|(_, name)| self.journey_named(name, span)));
        let feature = journey.and_then(|journey| self.estate.journeys[journey].feature);
        let found = match feature {
            Some(feature) => self.estate.rollouts.iter().position(|rollout| rollout.feature == feature),
            None => (self.estate.rollouts.len() == 1).then_some(0),
        };
        if found.is_none() && !self.lacks_rollouts {
            self.error(span, "the path of which rollout?", "expected a `journey` whose feature is rolled out");
        }
        found.and_then(|at| u16::try_from(at).ok())
    }

    pub(super) fn limit(
        &mut self,
        statistic: Statistic,
        compared: Compared,
        quantity: Quantity,
        span: Span,
    ) -> Option<f64> {
        let share = matches!(
            statistic,
            Statistic::ErrorRate | Statistic::SuccessRate | Statistic::RejectRate | Statistic::ShadowMismatch
        );
        let expected = match (compared, statistic) {
            (Compared::Ratio, _) => "a plain number, such as 1.3",
            (_, Statistic::Latency(_)) => "a duration, such as 300ms",
            (_, Statistic::Count) => "a number",
            (_, Statistic::ErrorRate | Statistic::SuccessRate | Statistic::RejectRate | Statistic::ShadowMismatch) => {
                "a share, such as 2%"
            }
        };
        let limit = match (compared, quantity) {
            (Compared::Ratio, Quantity::Number(value)) => Some(value),
            (Compared::Absolute | Compared::Delta, Quantity::Share(value)) if share => Some(value),
            (Compared::Absolute | Compared::Delta, Quantity::Duration(value))
                if matches!(statistic, Statistic::Latency(_)) =>
            {
                Some(value.as_secs_f64())
            }
            (Compared::Absolute | Compared::Delta, Quantity::Number(value)) if statistic == Statistic::Count => {
                Some(value)
            }
            _ => None,
        };
        if limit.is_none() {
            self.error(span, "this is measured in another unit", format!("expected {expected}"));
        }
        limit
    }
}

/// How a bound compares, and its other statistics.
fn compared(bound: &Bound) -> (Compared, Vec<&str>) {
    let mut compared = Compared::Absolute;
    let mut stats = Vec::new();
    for stat in &bound.stats {
        match stat.as_str() {
            "delta" => compared = Compared::Delta,
            "ratio" => compared = Compared::Ratio,
            "absolute" => compared = Compared::Absolute,
            other => stats.push(other),
        }
    }
    (compared, stats)
}

/// `p99.9` as 0.999.
fn quantile_of(stat: &str) -> Option<f64> {
    let percent: f64 = stat.strip_prefix('p')?.parse().ok()?;
    (0.0 < percent && percent < 100.0).then_some(percent / 100.0)
}
