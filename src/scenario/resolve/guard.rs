//! What watches over rollouts: gates, approvals, readiness, alerts and teams, and what can be said of them beforehand.

use super::place::Place;
use super::{Draft, shown, unknown};
use crate::models::estate::{Entry, Happening, JourneyId, Rollout, When};
use crate::models::guard::{
    Act, Against, AlertRule, Analysis, Approval, BoundId, Bounded, Compared, Deed, GaugeSpec, Guard, Measured, Need,
    NoData, OnFailure, Retry, Side, Statistic, StepGuard, Team,
};
use crate::models::reach;
use crate::rollout::{FeatureId, Kill, Scope, StageId, Step};
use crate::scenario::defaults;
use crate::scenario::expression::{self, Bound, Quantity};
use crate::scenario::problem::{Problem, Span};
use crate::units::{Id, Share, SimDuration};

/// What bounds of gates and alerts can be about, as help says it.
pub(super) const MEASURES: [&str; 8] =
    ["error_rate", "success_rate", "reject_rate", "latency", "answers", "shadow_mismatch", "lag", "exceptions"];
const MOST_BOUNDS: usize = 1_000;

/// Where a bound stands: what it may leave unsaid.
#[derive(Clone, Copy)]
pub(super) struct Standing {
    /// Whose control it compares with.
    rollout: Option<u16>,
    window: SimDuration,
    delay: SimDuration,
    pub(super) before: bool,
    least: u64,
}

impl<'a> Draft<'a> {
    /// What watches over the rollout whose steps these are; `None`: nothing, they are a schedule.
    pub(super) fn guard(
        &mut self,
        feature: FeatureId,
        place: &Place<'a>,
        steps: &[Step],
        step_places: &[Place<'a>],
    ) -> Option<Guard> {
        let watched = ["analysis", "gate", "exit", "on_failure", "retry", "approvals"];
        let by_step =
            step_places.iter().any(|step| ["gate", "exit", "requires"].iter().any(|key| step.key(key).is_given()));
        let requires = self.requirements(feature);
        let is_acted_on = self.is_acted_on(feature);
        if !watched.iter().any(|key| place.key(key).is_given()) && !by_step && requires.is_empty() && !is_acted_on {
            return None;
        }
        if let Some(step) = step_places.get(reach::MOST_STEPS) {
            let message = format!("a plan that is watched over has at most {} steps", reach::MOST_STEPS);
            self.error(step.span, message, "the first one too many");
        }
        let index = u16::try_from(self.estate.rollouts.len()).unwrap_or(u16::MAX);
        let (analysis, standing) = self.analysis(index, &place.key("analysis"));
        let known = self.estate.bounds.len();
        let gates = self.guard_bounds(&place.key("gate"), standing);
        let exits = self.guard_bounds(&place.key("exit"), standing);
        let (approvals, before) = self.approvals(feature, &place.key("approvals"), steps);
        let mut guards = Vec::new();
        for (step, item) in steps.iter().zip(step_places) {
            let mut guard = StepGuard { gates: gates.clone(), exit: exits.clone(), ..StepGuard::default() };
            guard.gates.extend(self.guard_bounds(&item.key("gate"), standing));
            guard.exit.extend(self.guard_bounds(&item.key("exit"), standing));
            let reaches = |stage: &StageId| step.moves.iter().any(|line| line.to == *stage);
            guard.approvals = before
                .iter()
                .enumerate()
                .filter(|(_, stages)| stages.as_ref().is_none_or(|stages| stages.iter().any(reaches)))
                .map(|(at, _)| at as u16)
                .collect();
            guard.requires = self.needs_of(&item.key("requires"));
            let of = &self.estate.features[feature];
            let needs =
                requires.iter().filter(|(stage, _)| step.moves.iter().any(|line| of.at_or_after(line.to, *stage)));
            guard.requires.extend(needs.flat_map(|(_, needs)| needs.iter().copied()));
            self.compares_with_somebody(step, &mut guard);
            guards.push(guard);
        }
        self.check_gates(place, step_places, steps, &guards, &analysis, known);
        let on_failure = self.on_failure(feature, &place.key("on_failure"));
        let retry = self.retry(&place.key("retry"), on_failure);
        Some(Guard { analysis, on_failure, retry, approvals, steps: guards })
    }

    /// Whether the timeline or an alert does something to the feature's plan.
    fn is_acted_on(&self, feature: FeatureId) -> bool {
        let name = &self.estate.features[feature].name;
        let root = Place::root(self.root);
        let deeds = ["pause", "resume", "back", "back_all", "bypass"];
        let names = |place: &Place<'_>| deeds.iter().any(|deed| place.key(deed).text() == Some(name.as_str()));
        let alerts = root.key("alerts").items();
        root.key("timeline").items().iter().any(names)
            || alerts.iter().any(|alert| {
                let does =
                    |key: &str| names(&alert.key(key)) || alert.key(key).key("kill").text() == Some(name.as_str());
                does("does") || does("wrong")
            })
    }

    fn analysis(&mut self, rollout: u16, place: &Place<'a>) -> (Analysis, Standing) {
        let every = self.period(&place.key("every"), defaults::ANALYSIS_EVERY);
        let window = self.period(&place.key("window"), defaults::ANALYSIS_WINDOW);
        let delay = self.duration(&place.key("delay"), defaults::SCRAPE);
        let failures = self.count(&place.key("failures"), 1_000, defaults::ANALYSIS_FAILURES).max(1);
        let failure_limit = self.maybe_count(&place.key("failure_limit"), 100_000);
        let no_data = match place.key("no_data").text() {
            Some("pass") => NoData::Pass,
            Some("fail") => NoData::Fail,
            Some(_) | None => NoData::Pause,
        };
        let least = u64::from(self.maybe_count(&place.key("min_answers"), 100_000_000).unwrap_or(1));
        let before = place.key("against").text() == Some("before");
        let standing = Standing { rollout: Some(rollout), window, delay, before, least };
        (Analysis { every, failures, failure_limit, no_data }, standing)
    }

    fn guard_bounds(&mut self, place: &Place<'a>, standing: Standing) -> Vec<BoundId> {
        let texts = place.texts();
        texts.into_iter().filter_map(|(text, span)| self.bound(text, span, standing)).collect()
    }

    fn bound(&mut self, text: &str, span: Span, standing: Standing) -> Option<BoundId> {
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

    fn bound_on_lag(
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

    fn gauge(&mut self, spec: GaugeSpec) -> Measured {
        let found = self.estate.gauges.iter().position(|known| *known == spec);
        let at = found.unwrap_or_else(|| {
            self.estate.gauges.push(spec);
            self.estate.gauges.len() - 1
        });
        Measured::Gauge(u16::try_from(at).unwrap_or_default())
    }

    fn journey_named(&mut self, name: &str, span: Span) -> Option<JourneyId> {
        let found = self.journeys.iter().position(|journey| journey.name == name);
        if found.is_none() {
            let problem = unknown(span, "journey", name, self.journeys.iter().map(|journey| journey.name));
            self.problems.push(problem);
        }
        found.map(Id::new)
    }

    /// Whose old and new path a bound is about: its own rollout's, for an alert that of the journey's feature, or the
    /// only one.
    fn compared_rollout(
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

    fn limit(&mut self, statistic: Statistic, compared: Compared, quantity: Quantity, span: Span) -> Option<f64> {
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

    /// A step that moves everybody leaves nobody to compare with: its comparisons are not judged.
    fn compares_with_somebody(&self, step: &Step, guard: &mut StepGuard) {
        let everybody = step.moves.iter().any(|line| line.of.is_none() && line.percent == Share::ALL);
        if everybody {
            let stays = |bound: &BoundId| {
                let bound = &self.estate.bounds[usize::from(*bound)];
                bound.compared == Compared::Absolute || bound.against == Against::Before
            };
            guard.gates.retain(stays);
            guard.exit.retain(stays);
        }
    }

    fn check_gates(
        &mut self,
        place: &Place<'a>,
        items: &[Place<'a>],
        steps: &[Step],
        guards: &[StepGuard],
        analysis: &Analysis,
        known: usize,
    ) {
        let written = ["gate", "exit"].iter().map(|key| place.key(key)).find(Place::is_given);
        let by_step = items.iter().flat_map(|item| ["gate", "exit"].map(|key| item.key(key))).find(Place::is_given);
        let Some(written) = written.or(by_step) else {
            for key in ["analysis", "on_failure", "retry"] {
                let idle = place.key(key);
                if idle.is_given() {
                    let problem =
                        Problem::advice(idle.span, format!("`{key}` without a gate")).label("nothing can fail");
                    self.problems.push(problem.help("add `gate:` or `exit:`"));
                }
            }
            return;
        };
        let judged = |(step, guard): (&Step, &StepGuard)| {
            !guard.exit.is_empty() || (!guard.gates.is_empty() && step.hold >= analysis.every)
        };
        if steps.iter().zip(guards).any(judged) {
            return;
        }
        let nothing = guards.iter().all(|guard| guard.gates.is_empty() && guard.exit.is_empty());
        if nothing && self.estate.bounds.len() == known {
            // What they say was found wrong, and told.
            return;
        }
        if nothing {
            let problem = Problem::error(written.span, "no step has anything that these gates could be judged by");
            let help = "move a share first, or compare with the time before the step: `analysis: { against: before }`";
            self.problems.push(problem.label("every step moves everybody").help(help));
            return;
        }
        let problem = Problem::error(written.span, "no step holds long enough for a gate to be judged");
        let help = format!("gates are judged every {}: give a step a longer `hold`", analysis.every);
        self.problems.push(problem.label("never judged").help(help));
    }

    fn on_failure(&mut self, feature: FeatureId, place: &Place<'a>) -> OnFailure {
        match place.text() {
            Some("back") => OnFailure::Back,
            Some("back_all") => OnFailure::BackAll,
            Some("kill") => {
                let to = self.estate.features[feature].safe_stage;
                OnFailure::Kill(self.kill_on_demand(feature, to, "gate"))
            }
            Some(_) => OnFailure::Pause,
            None => {
                let to = place.key("back_to");
                let stage = to.text().and_then(|name| self.stage(feature, name, to.span));
                if let Some(stage) = stage {
                    self.can_set(feature, stage, "a failed gate can set it");
                }
                stage.map_or(OnFailure::Pause, OnFailure::BackTo)
            }
        }
    }

    /// An entry of the timeline that takes place when somebody or something asks for it.
    fn kill_on_demand(&mut self, feature: FeatureId, to: StageId, by: &str) -> u32 {
        self.can_set(feature, to, "a kill can set it");
        let entry = u32::try_from(self.estate.timeline.len()).unwrap_or(u32::MAX);
        let kill = Kill { scope: Scope::default(), to, issued_by: entry };
        let label = format!("kill {} by {by}", self.estate.features[feature].name);
        let what = Happening::Kill { feature, kill, lift_after: None };
        self.estate.timeline.push(Entry { label, when: When::OnDemand, what });
        entry
    }

    fn retry(&mut self, place: &Place<'a>, on_failure: OnFailure) -> Option<Retry> {
        if !place.is_given() {
            return None;
        }
        let goes_back = matches!(on_failure, OnFailure::Back | OnFailure::BackAll | OnFailure::BackTo(_));
        if !goes_back {
            let label = "only what went back can be tried again";
            self.error(place.span, "`retry` without going back", label);
        }
        let after = self.maybe_duration(&place.key("after"))?;
        let most = self.maybe_count(&place.key("most"), 1_000).unwrap_or(1);
        Some(Retry { after, most })
    }

    /// Approvals, and before which stages each is asked for; `None`: before every step.
    fn approvals(
        &mut self,
        feature: FeatureId,
        place: &Place<'a>,
        steps: &[Step],
    ) -> (Vec<Approval>, Vec<Option<Vec<StageId>>>) {
        let (mut approvals, mut before) = (Vec::new(), Vec::new());
        for item in place.items() {
            let by_place = item.key("by");
            let by: Vec<u16> = by_place.texts().iter().map(|(name, _)| self.estate.people.intern(name)).collect();
            if by.is_empty() {
                self.error(by_place.span, "an approval that nobody is asked for", "expected at least one name");
            }
            let need_place = item.key("need");
            let need = self.maybe_count(&need_place, 100).unwrap_or(by.len() as u32);
            if need as usize > by.len() {
                let message = format!("{need} must agree, and {} are asked", by.len());
                self.error(need_place.span, message, "the step can never be taken");
            }
            let takes = self.maybe_distribution(&item.key("takes")).unwrap_or(crate::kernel::Distribution::ZERO);
            let rejects_place = item.key("rejects");
            let rejects = self.maybe_share(&rejects_place).unwrap_or(Share::NONE);
            if rejects == Share::ALL {
                self.error(rejects_place.span, "nobody ever agrees", "the step can never be taken");
            }
            let expires_place = item.key("expires");
            let expires = self.maybe_duration(&expires_place);
            if takes.is_fixed() && expires.is_some_and(|expires| expires < takes.mean()) {
                let message = format!("the question lapses before anybody has answered, after {}", takes.mean());
                self.error(expires_place.span, message, "the step can never be taken");
            }
            let bypass = item.key("bypass").text().map(|name| self.estate.people.intern(name));
            let stages_place = item.key("before");
            let stages = stages_place.is_given().then(|| {
                let mut stages = Vec::new();
                for (name, span) in stages_place.texts() {
                    let Some(stage) = self.stage(feature, name, span) else { continue };
                    if steps.iter().all(|step| step.moves.iter().all(|line| line.to != stage)) {
                        let message = format!("no step moves anybody to `{}`", shown(name));
                        self.error(span, message, "this approval is never asked for");
                    }
                    stages.push(stage);
                }
                stages
            });
            approvals.push(Approval { by, need, takes, rejects, expires, bypass });
            before.push(stages);
        }
        (approvals, before)
    }

    /// What stages of a feature require before a step may reach them.
    fn requirements(&mut self, feature: FeatureId) -> Vec<(StageId, Vec<Need>)> {
        let name = self.estate.features[feature].name.clone();
        let place = Place::root(self.root).key("features").key(&name).key("requires");
        let mut found = Vec::new();
        for (entry, needs) in place.named() {
            let Some(stage) = self.stage(feature, entry.name(), entry.key.span) else { continue };
            found.push((stage, self.needs_of(&needs)));
        }
        found
    }

    fn needs_of(&mut self, place: &Place<'a>) -> Vec<Need> {
        place.texts().into_iter().filter_map(|(text, span)| self.need(text, span)).collect()
    }

    fn need(&mut self, text: &str, span: Span) -> Option<Need> {
        let read = text.split_once(">=").and_then(|(left, right)| {
            let service = left.trim().strip_suffix(".code")?;
            Some((service.trim().to_owned(), right.trim().parse::<u32>().ok()?))
        });
        let Some((service, code)) = read else {
            let message = format!("`{}` is not a requirement", shown(text));
            self.error(span, message, "expected a service's code, such as \"billing.code >= 2\"");
            return None;
        };
        let service = self.service_named(&service, span)?;
        let need = Need { service, code };
        self.needs.push((need, span));
        Some(need)
    }

    /// Requirements that no deploy ever meets: once the timeline is known.
    pub(super) fn check_needs(&mut self) {
        for (need, span) in std::mem::take(&mut self.needs) {
            let service = &self.estate.services[need.service];
            let deployed = self.estate.timeline.iter().any(|entry| match &entry.what {
                Happening::Deploy { services, .. } => {
                    services.iter().any(|(id, code)| *id == need.service && *code >= need.code)
                }
                Happening::Fault { .. }
                | Happening::Kill { .. }
                | Happening::Replay { .. }
                | Happening::Act { .. }
                | Happening::Override { .. }
                | Happening::OverrideEnds { .. } => false,
            });
            if service.initial_code < need.code && !deployed {
                let message = format!("`{}` never runs code {} or later", service.name, need.code);
                let problem = Problem::error(span, message).label("the step can never be taken");
                self.problems.push(
                    problem.help(format!("deploy it: `{{ at: 1m, deploy: {{ {}: {} }} }}`", service.name, need.code)),
                );
            }
        }
    }

    pub(super) fn teams(&mut self, place: &Place<'a>) {
        for (entry, team) in place.named() {
            let on_call_place = team.key("on_call");
            let on_call = match on_call_place.text().map(str::trim) {
                None | Some("always") => None,
                Some(text) => {
                    let read = text.split_once('-').and_then(|(from, until)| Some((clock(from)?, clock(until)?)));
                    if read.is_none_or(|(from, until)| from == until) {
                        let message = format!("`{}` is no time on call", shown(text));
                        self.error(on_call_place.span, message, "expected two times of a day, such as 08:00-18:00");
                    }
                    read
                }
            };
            let acts_in = self.maybe_distribution(&team.key("acts_in")).unwrap_or(crate::kernel::Distribution::ZERO);
            let wrong_action = self.maybe_share(&team.key("wrong_action")).unwrap_or(Share::NONE);
            self.estate.teams.push(Team { name: entry.name().to_owned(), on_call, acts_in, wrong_action });
        }
    }

    pub(super) fn alerts(&mut self, place: &Place<'a>) {
        for item in place.items() {
            let when_place = item.key("when");
            let window = self.period(&item.key("window"), defaults::ANALYSIS_WINDOW);
            let scrape = self.period(&item.key("scrape"), defaults::SCRAPE);
            let over = self.maybe_duration(&item.key("over")).unwrap_or(SimDuration::ZERO);
            let repeat = self.period(&item.key("repeat"), defaults::ALERT_REPEAT);
            let least = u64::from(self.maybe_count(&item.key("min_answers"), 100_000_000).unwrap_or(1));
            let standing = Standing { rollout: None, window, delay: SimDuration::ZERO, before: false, least };
            let text = when_place.text().unwrap_or_default();
            let when = self.bound(text, when_place.span, standing);
            let pages_place = item.key("pages");
            let pages = pages_place.text().and_then(|name| {
                let found = self.estate.teams.iter().position(|team| team.name == name);
                if found.is_none() {
                    let problem = unknown(
                        pages_place.span,
                        "team",
                        name,
                        self.estate.teams.iter().map(|team| team.name.as_str()),
                    );
                    self.problems.push(problem);
                }
                found.and_then(|at| u16::try_from(at).ok())
            });
            let name = item.key("name").text().unwrap_or(text).to_owned();
            if self.estate.alerts.iter().any(|alert| alert.name == name) {
                self.error(item.span, format!("two alerts are called `{}`", shown(&name)), "the second");
            }
            let does = self.deed(&item.key("does"));
            let wrong_place = item.key("wrong");
            if wrong_place.is_given() && pages.is_none() {
                self.error(wrong_place.span, "a machine does not take the wrong action", "expected `pages:` a team");
            }
            let wrong = self.deed(&wrong_place);
            let Some(when) = when else { continue };
            self.estate.alerts.push(AlertRule { name, when, over, scrape, repeat, pages, does, wrong });
        }
    }

    fn deed(&mut self, place: &Place<'a>) -> Option<Act> {
        let deeds = ["kill", "pause", "resume", "back", "back_all"];
        let named = deeds.iter().find_map(|deed| Some((*deed, place.key(deed))).filter(|(_, name)| name.is_given()));
        let (deed, name_place) = named?;
        let (feature, rollout) = self.rolled_out(&name_place)?;
        let to_place = place.key("to");
        let deed = match deed {
            "kill" => {
                let to = match to_place.text() {
                    Some(name) => self.stage(feature, name, to_place.span)?,
                    None => self.estate.features[feature].safe_stage,
                };
                Deed::Kill(self.kill_on_demand(feature, to, "alert"))
            }
            "pause" => Deed::Pause,
            "resume" => Deed::Resume,
            "back" => Deed::Back,
            _ => Deed::BackAll,
        };
        if to_place.is_given() && !matches!(deed, Deed::Kill(_)) {
            self.error(to_place.span, "`to` is for a kill", "not expected here");
        }
        Some(Act { rollout, deed })
    }

    /// The feature a place names, with its rollout.
    fn rolled_out(&mut self, place: &Place<'a>) -> Option<(FeatureId, u16)> {
        let feature = self.feature(place.text()?, place.span)?;
        let found = self.estate.rollouts.iter().position(|rollout| rollout.feature == feature);
        if found.is_none() && !self.lacks_rollouts {
            let message = format!("`{}` is not rolled out here", self.estate.features[feature].name);
            self.error(place.span, message, "it has no plan to act on");
        }
        Some((feature, found.and_then(|at| u16::try_from(at).ok())?))
    }

    /// An entry of the timeline that acts on a plan.
    pub(super) fn acts(&mut self, item: &Place<'a>, named: &str) {
        let place = item.key(named);
        let when = self.when(item, "the action");
        let Some((_, rollout)) = self.rolled_out(&place) else { return };
        let deed = match named {
            "pause" => Deed::Pause,
            "resume" => Deed::Resume,
            "back" => Deed::Back,
            "back_all" => Deed::BackAll,
            _ => Deed::Bypass,
        };
        let label = format!("{named} {}", place.text().unwrap_or_default());
        if deed == Deed::Bypass && !self.estate.rollouts[usize::from(rollout)].can_be_bypassed() {
            self.error(
                place.span,
                "nobody may bypass an approval of this rollout",
                "expected `bypass:` in one of them",
            );
        }
        let Some(when) = when else { return };
        self.estate.timeline.push(Entry { label, when, what: Happening::Act { rollout, deed } });
    }
}

impl Rollout {
    fn can_be_bypassed(&self) -> bool {
        self.guard.as_ref().is_some_and(|guard| guard.approvals.iter().any(|approval| approval.bypass.is_some()))
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

/// `08:30` as seconds of the day.
fn clock(text: &str) -> Option<u32> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 3_600 + minutes * 60)
}
