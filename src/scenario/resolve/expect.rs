//! What must come out: invariants with their bounds, metrics, situations that must be reached.

use super::place::Place;
use super::{Draft, one_line, shown};
use crate::invariants::{self, Settings};
use crate::models::metric;
use crate::models::observation::Kind;
use crate::models::own_metric::success_of;
use crate::scenario::expression::{self, Comparison, Quantity};
use crate::scenario::plan::{ComesOut, During, Expectation, Expected};
use crate::scenario::problem::{Problem, Span};
use crate::units::SimDuration;

/// With what confidence a share of runs is judged.
const CONFIDENCE: f64 = 0.95;

impl<'a> Draft<'a> {
    pub(super) fn expectations(&mut self, root: &Place<'a>) {
        let (watched, expected) = (root.key("invariants").named(), root.key("expect").named());
        for (entry, place) in &watched {
            let Some(invariant) = self.invariant(entry.name(), entry.key.span) else { continue };
            self.bounds(invariant.name, place);
            if expected.iter().all(|(other, _)| other.name() != entry.name()) {
                self.expect_invariant(invariant.name, entry.key.span, place, ComesOut::Holds);
            }
        }
        for (entry, place) in &expected {
            let (name, span) = (entry.name(), entry.key.span);
            match (name, invariants::named(name), self.expectable_metric(name, span)) {
                ("reached", ..) => self.reached(place),
                (_, Some(invariant), _) => self.expected_invariant(invariant.name, span, place),
                (_, None, Some(metric)) => self.expected_metric(metric, place),
                // Its job could not be read, which was told.
                (_, None, None) if self.reported_metrics().contains(&name) => {}
                (_, None, None) => self.unknown_expectation(name, span),
            }
        }
        if watched.is_empty() && expected.is_empty() {
            self.by_default = true;
        }
        self.order_expectations();
    }

    /// Invariants in the order of the catalogue, then metrics in theirs, then what must be reached.
    fn order_expectations(&mut self) {
        let order = |expectation: &Expectation| match &expectation.of {
            Expected::Invariant { name, .. } => {
                (0, invariants::ALL.iter().position(|entry| entry.name == *name).unwrap_or(usize::MAX))
            }
            Expected::Metric { name, .. } => {
                let own = || self.estate.own_metrics.iter().position(|own| own.name == **name);
                let known = metric::ALL.iter().position(|known| known.name == &**name);
                (1, known.unwrap_or_else(|| metric::ALL.len() + own().unwrap_or_default()))
            }
            Expected::Reached { .. } => (2, 0),
        };
        let mut sorted = std::mem::take(&mut self.expectations);
        sorted.sort_by_key(order);
        self.expectations = sorted;
        self.settings.sort_by_key(|(name, _)| *name);
    }

    fn invariant(&mut self, name: &str, span: Span) -> Option<&'static invariants::Entry> {
        let found = invariants::named(name);
        if found.is_none() {
            self.unknown_expectation(name, span);
        }
        found
    }

    fn unknown_expectation(&mut self, name: &str, span: Span) {
        let valid = invariants::ALL.iter().map(|entry| entry.name).chain(metric::ALL.iter().map(|metric| metric.name));
        let own: Vec<String> = self.estate.entities.iter().map(|entity| success_of(&entity.name)).collect();
        let valid = valid.chain(self.reported_metrics()).chain(own.iter().map(String::as_str));
        let problem = Problem::error(span, format!("`{}` is neither an invariant nor a metric", shown(name)));
        let problem = problem.label("not known").did_you_mean(name, valid.chain(["reached"]));
        self.problems.push(problem.help("`windtunnel list` prints both"));
    }

    /// The bound and quantile that a place sets, if any.
    fn bounds(&mut self, name: &'static str, place: &Place<'a>) {
        let (at_most, within) = (place.key("at_most"), place.key("within"));
        if at_most.is_given() && within.is_given() {
            self.error(within.span, "`at_most` and `within` say the same", "expected one of the two");
        }
        let bound = self.maybe_duration(&at_most).or_else(|| self.maybe_duration(&within));
        let quantile = place.key("quantile").text().and_then(quantile);
        let of = if at_most.is_given() { at_most } else { within };
        self.set_bound(name, bound, quantile, of.span);
    }

    fn set_bound(&mut self, name: &'static str, bound: Option<SimDuration>, quantile: Option<f64>, span: Span) {
        if bound.is_none() && quantile.is_none() {
            return;
        }
        if bound.is_some_and(SimDuration::is_zero) {
            self.error(span, format!("`{name}` within 0s can never hold"), "expected more than 0s");
        }
        let at = self.settings.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            self.settings.push((name, Settings::default()));
            self.settings.len() - 1
        });
        let settings = &mut self.settings[at].1;
        let differs = settings.bound.zip(bound).is_some_and(|(known, bound)| known != bound);
        settings.bound = bound.or(settings.bound);
        settings.quantile = quantile.or(settings.quantile);
        if differs {
            self.error(span, format!("`{name}` has two different bounds"), "`invariants` and `expect` disagree");
        }
    }

    fn expect_invariant(&mut self, name: &'static str, span: Span, place: &Place<'a>, comes_out: ComesOut) {
        let written = place.node.filter(|node| !node.is_null()).map_or_else(|| "holds".to_owned(), one_line);
        let written = if written == "{  }" { "holds".to_owned() } else { written };
        self.promised.push((name, span));
        let of = Expected::Invariant { name, comes_out };
        let at = Some(self.line_of(span));
        self.expectations.push(Expectation { text: format!("{name}: {written}"), of, at });
    }

    fn expected_invariant(&mut self, name: &'static str, span: Span, place: &Place<'a>) {
        let comes_out = match place.text() {
            Some("holds") => Some(ComesOut::Holds),
            Some("violated") => Some(ComesOut::Violated { cause: None, about: None }),
            Some(text) => self.bound_of_invariant(name, text, place.span),
            None if place.key("violated").is_given() => self.violated(name, place),
            None if place.key("of").is_given() => self.share_of_runs(place),
            None => self.holds_within(name, place),
        };
        for key in ["at_least", "between", "from"] {
            let place = place.key(key);
            if place.is_given() {
                self.error(
                    place.span,
                    format!("`{key}` is for metrics, and `{name}` is an invariant"),
                    "not expected here",
                );
            }
        }
        if let Some(comes_out) = comes_out {
            self.expect_invariant(name, span, place, comes_out);
        }
    }

    /// `"< 60s"`
    fn bound_of_invariant(&mut self, name: &'static str, text: &str, span: Span) -> Option<ComesOut> {
        if !text.contains(['<', '>', '=']) {
            let problem = Problem::error(span, format!("`{name}` never comes out as `{}`", shown(text)));
            let problem = problem.label("expected holds, violated or a bound such as { at_most: 60s }");
            self.problems.push(problem.did_you_mean(text, ["holds", "violated"]));
            return None;
        }
        match expression::bound(text) {
            Ok(bound) => match (bound.comparison, bound.quantity) {
                (Comparison::Below | Comparison::AtMost, Quantity::Duration(duration)) if bound.metric.is_none() => {
                    self.set_bound(name, Some(duration), None, span);
                    Some(ComesOut::Holds)
                }
                _ => {
                    self.error(span, format!("`{}` is not a bound of `{name}`", shown(text)), "expected \"< 60s\"");
                    None
                }
            },
            Err(error) => {
                let problem = Problem::error(span, error.message).label("expected \"< 60s\"");
                self.problems.push(error.help.into_iter().fold(problem, Problem::help));
                None
            }
        }
    }

    fn violated(&mut self, name: &'static str, place: &Place<'a>) -> Option<ComesOut> {
        let of = place.key("violated");
        if of.text() == Some("false") {
            return Some(ComesOut::Holds);
        }
        self.bounds(name, place);
        let cause_place = of.key("cause");
        let cause = cause_place.text();
        self.check_cause(name, &cause_place);
        let (moment, effect) = (of.key("moment"), of.key("effect"));
        if moment.is_given() && effect.is_given() {
            self.error(effect.span, "a violation is about a moment or an effect", "expected one of the two");
        }
        for (place, what, names) in
            [(&moment, "moment", &self.estate.moments), (&effect, "effect", &self.estate.effects)]
        {
            let Some(name) = place.text() else { continue };
            if names.find(name).is_none() {
                let problem = super::unknown(place.span, what, name, names.iter());
                self.problems.push(problem);
            }
        }
        let about = moment.text().or(effect.text()).map(str::to_owned);
        Some(ComesOut::Violated { cause: cause.map(str::to_owned), about })
    }

    /// Refuses a cause for which the invariant is never violated.
    pub(super) fn check_cause(&mut self, invariant: &str, place: &Place<'a>) {
        let known = invariants::named(invariant).map_or(&[][..], |entry| entry.causes);
        let Some(cause) = place.text().filter(|cause| !known.contains(cause)) else { return };
        let message = format!("`{invariant}` is never violated because of `{}`", shown(cause));
        let problem = Problem::error(place.span, message).label(format!("expected one of {}", known.join(", ")));
        self.problems.push(problem.did_you_mean(cause, known.iter().copied()));
    }

    fn share_of_runs(&mut self, place: &Place<'a>) -> Option<ComesOut> {
        let at_most = place.key("at_most");
        if !at_most.is_given() {
            self.error(place.span, "`of: runs` without `at_most`", "expected at_most: 1%");
        }
        let share = self.maybe_share(&at_most)?;
        let confidence = self.maybe_share(&place.key("confidence")).map_or(CONFIDENCE, crate::units::Share::fraction);
        if confidence <= 0.0 || confidence >= 1.0 {
            let place = place.key("confidence");
            self.error(place.span, "a confidence is between 0% and 100%", "expected such as 95%");
        }
        Some(ComesOut::AtMost { share, confidence })
    }

    fn holds_within(&mut self, name: &'static str, place: &Place<'a>) -> Option<ComesOut> {
        let at_most = place.key("at_most");
        if at_most.text().is_some_and(|text| text.trim().ends_with('%')) {
            let problem = Problem::error(at_most.span, format!("`{name}` is bounded by a duration"));
            let problem = problem.label("expected a duration such as 60s");
            self.problems.push(problem.help("for a share of runs: { at_most: 1%, of: runs, confidence: 95% }"));
            return None;
        }
        if !at_most.is_given() && !place.key("within").is_given() {
            let problem = Problem::error(place.span, format!("what is expected of `{name}`?"));
            self.problems.push(problem.label("expected holds, violated or { at_most: 60s }"));
            return None;
        }
        self.bounds(name, place);
        Some(ComesOut::Holds)
    }

    /// `OBSERVATION while FAULT|STEP`
    fn reached(&mut self, place: &Place<'a>) {
        if place.node.and_then(|node| node.as_list()).is_none() {
            self.error(place.span, "`reached` is a list", "expected [\"restarted while control_plane.down\"]");
            return;
        }
        for (text, span) in place.texts() {
            let Some((kind_name, during_name)) = text.split_once(" while ") else {
                let message = format!("`{}` does not say what must be reached", shown(text));
                self.error(span, message, "expected OBSERVATION while FAULT or STEP");
                continue;
            };
            let (kind_name, during_name) = (kind_name.trim(), during_name.trim());
            let kind = Kind::named(kind_name);
            if kind.is_none() {
                let names = Kind::ALL.into_iter().map(Kind::name);
                self.unknown(span, "observation", kind_name, names);
            }
            let during = self.during(during_name, span);
            let (Some(kind), Some(during)) = (kind, during) else { continue };
            let of = Expected::Reached { kind, during };
            let at = Some(self.line_of(span));
            self.expectations.push(Expectation { text: format!("reached: {text}"), of, at });
        }
    }

    fn during(&mut self, name: &str, span: Span) -> Option<During> {
        if self.is_happening(name) {
            return Some(During::Happening(name.to_owned()));
        }
        let is_step = self.estate.rollouts.iter().any(|rollout| {
            let feature = &self.estate.features[rollout.feature].name;
            rollout.steps.iter().any(|step| step.name == name || format!("{feature}/{}", step.name) == name)
        });
        if is_step {
            return self.step_named(name, span).map(|(rollout, step)| During::Step { rollout, step });
        }
        if self.lacks_rollouts {
            return None;
        }
        let problem = Problem::error(span, format!("nothing in this plan is called `{}`", shown(name)));
        let problem = problem.label("expected a fault of the timeline, kill or a step");
        self.problems.push(match self.nearest_happening(name) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        });
        None
    }

    /// What is promised must be possible: an invariant that the plan never exercises proves nothing.
    pub(super) fn check_promises(&mut self) {
        for (name, span) in std::mem::take(&mut self.promised) {
            let Some(entry) = invariants::named(name) else { continue };
            let settings = self.settings_of(name);
            if (entry.reachable)(&self.estate, &settings) {
                continue;
            }
            let with_bound = Settings { bound: Some(SimDuration::from_secs(60)), ..settings };
            let problem = if settings.bound.is_none() && (entry.reachable)(&self.estate, &with_bound) {
                Problem::error(span, format!("`{name}` is inactive without a bound"))
                    .label("a bound is missing")
                    .help(format!("write {name}: {{ at_most: 5m }}"))
            } else {
                let problem = Problem::error(span, format!("`{name}` is never exercised by this plan"));
                problem.label(format!("exercised when {}", entry.exercised_when))
            };
            self.problems.push(problem);
        }
        if self.by_default {
            for entry in invariants::ALL {
                if (entry.reachable)(&self.estate, &self.settings_of(entry.name)) {
                    let of = Expected::Invariant { name: entry.name, comes_out: ComesOut::Holds };
                    self.expectations.push(Expectation { text: format!("{}: holds", entry.name), of, at: None });
                }
            }
        }
    }

    fn settings_of(&self, name: &str) -> Settings {
        self.settings.iter().find(|(known, _)| *known == name).map(|(_, settings)| *settings).unwrap_or_default()
    }
}

fn quantile(text: &str) -> Option<f64> {
    let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
    Some(percent / 100.0)
}
