//! Reconciliation jobs: what they compare, when, and what they allow.

use super::place::Place;
use super::{Draft, shown, unknown};
use crate::models::exceptions::ExceptionQueue;
use crate::models::metric;
use crate::models::own_metric::{Own, OwnMetric, success_of};
use crate::models::program::Action;
use crate::models::reconciliation::{Compares, ReconciliationSpec, Schedule};
use crate::rollout::FeatureId;
use crate::scenario::defaults;
use crate::scenario::problem::{Problem, Span};
use crate::scenario::quantity;
use crate::units::SimDuration;

impl<'a> Draft<'a> {
    pub(super) fn reconciliations(&mut self, place: &Place<'a>) {
        for (entry, job) in place.named() {
            self.check_name("reconciliation", entry.name(), entry.key.span);
            if job.key("compensates").is_given() {
                self.sweep(entry.name(), &job);
                continue;
            }
            for key in ["acts_in", "rate"] {
                let idle = job.key(key);
                if idle.is_given() {
                    self.error(
                        idle.span,
                        format!("`{key}` is of a job that compensates"),
                        "expected `compensates` beside it",
                    );
                }
            }
            let key = job.key("key");
            if key.text().is_some_and(|key| key != "entity.id") {
                let problem = Problem::unsupported(key.span, "keys of a reconciliation other than `entity.id`");
                self.problems.push(problem.label("expected entity.id"));
            }
            let compares = self.compares(entry.name(), entry.key.span, &job);
            let feature = self.reconciled_feature(&job);
            let settles_after = self.settling_times(&job.key("settles_after"), feature);
            let allows = self.share(&job.key("allows"), defaults::VARIANCE);
            let schedule = self.schedule(&job);
            let metric = self.metric_of_job(&job.key("metric"));
            let exceptions = self.exceptions(&job.key("exceptions"));
            let (Some(compares), Some(schedule)) = (compares, schedule) else { continue };
            let at = self.estate.reconciliations.len() as u32;
            if let Compares::Shadows { effect } = compares {
                self.watch_shadows(effect, at, &job.key("compare"));
            }
            if let Some(name) = metric.clone() {
                self.estate.own_metrics.push(OwnMetric { name, of: Own::Variance { job: at }, since: None });
            }
            let name = entry.name().to_owned();
            let spec =
                ReconciliationSpec { name, compares, schedule, feature, settles_after, allows, metric, exceptions };
            self.estate.reconciliations.push(spec);
        }
    }

    /// What a job compares: two effects, or an effect with its shadows.
    fn compares(&mut self, name: &str, span: Span, job: &Place<'a>) -> Option<Compares> {
        let of = job.key("compare");
        if of.is_given() {
            for key in ["left", "right", "settles_after"] {
                let other = job.key(key);
                if other.is_given() {
                    let message = format!("`{name}` compares the shadows of an effect, and has no `{key}`");
                    self.error(other.span, message, "not expected beside `compare`");
                }
            }
            return self.reconciled(&of).map(|effect| Compares::Shadows { effect });
        }
        for side in ["left", "right"] {
            if !job.key(side).is_given() {
                let message = format!("`{name}` does not say which effects it compares");
                let problem = Problem::error(span, message).label(format!("`{side}` is missing"));
                self.problems.push(problem.help("write left: clear, right: post; or compare: screen, for its shadows"));
            }
        }
        let (left, right) = (self.reconciled(&job.key("left")), self.reconciled(&job.key("right")));
        if left.is_some() && left == right {
            let right = job.key("right");
            self.error(right.span, "an effect compared with itself is never off", "expected another than `left`");
        }
        Some(Compares::Effects { left: left?, right: right? })
    }

    /// The shadows that run in the rules that make an effect report to its job.
    fn watch_shadows(&mut self, effect: u16, job: u32, place: &Place<'a>) {
        let mut found = false;
        let rules = self.estate.operations.iter_mut().flat_map(|operation| &mut operation.rules);
        for rule in rules {
            let makes =
                rule.actions.iter().any(|action| matches!(action, Action::Effect(site) if site.effect == effect));
            for action in rule.actions.iter_mut().filter(|_| makes) {
                if let Action::Shadow(site) = action {
                    site.jobs.push(job);
                    found = true;
                }
            }
        }
        if !found {
            let message = format!("no rule that makes `{}` runs a shadow beside it", self.estate.effects.text(effect));
            let problem = Problem::error(place.span, message).label("nothing is ever compared");
            let help = "add one to the rule: do: [{ shadow: { of: new, disagrees: 1% } }, { effect: … }]";
            self.problems.push(problem.help(help));
        }
    }

    /// The name under which a job reports its variance: not one that means something else in a gate or in `expect`.
    fn metric_of_job(&mut self, place: &Place<'a>) -> Option<String> {
        let name = place.text()?;
        let letters = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        if !name.starts_with(|letter: char| letter.is_ascii_lowercase()) || !name.chars().all(letters) {
            let message = format!("`{}` is no name of a metric", shown(name));
            self.error(place.span, message, "expected small letters, digits and underscores, as in posting_variance");
            return None;
        }
        let base = |known: &'static str| known.split('.').next().unwrap_or(known);
        let entity = self.estate.entities.iter().find(|entity| success_of(&entity.name) == name);
        let taken =
            if metric::ALL.iter().any(|known| base(known.name) == name) || super::bounds::MEASURES.contains(&name) {
                Some("a metric that every scenario has".to_owned())
            } else if let Some(entity) = entity {
                Some(format!("the share of `{}` that comes to a good end", entity.name))
            } else {
                let job = self.estate.reconciliations.iter().find(|job| job.metric.as_deref() == Some(name));
                job.map(|job| format!("the metric of the reconciliation `{}`", job.name))
            };
        if let Some(taken) = taken {
            self.error(place.span, format!("`{name}` is {taken}"), "expected a name of its own");
            return None;
        }
        Some(name.to_owned())
    }

    fn exceptions(&mut self, place: &Place<'a>) -> Option<ExceptionQueue> {
        let (park, rate) = (place.key("park"), place.key("rate"));
        let per_second = self.maybe_rate(&rate);
        if !place.is_given() {
            return None;
        }
        if park.is_given() && !self.boolean(&park) {
            if rate.is_given() {
                self.error(rate.span, "what is not parked is not worked off", "expected park: true");
            }
            return None;
        }
        let each = per_second.map(|per_second| SimDuration::from_secs_f64(1.0 / per_second));
        Some(ExceptionQueue { each })
    }

    /// An effect that something in the plan makes.
    fn reconciled(&mut self, place: &Place<'a>) -> Option<u16> {
        let name = place.text()?;
        let rules = self.estate.operations.iter().flat_map(|operation| &operation.rules);
        let made = rules.flat_map(|rule| &rule.actions).filter_map(Action::effect).map(|site| site.effect);
        let mut made: Vec<u16> = made.collect();
        made.sort_unstable();
        made.dedup();
        let found = made.iter().copied().find(|effect| self.estate.effects.text(*effect) == name);
        if found.is_none() {
            let names = made.iter().map(|effect| self.estate.effects.text(*effect));
            let problem = unknown(place.span, "effect", name, names);
            self.problems.push(problem.help("it is made by an action of this plan: { effect: … }"));
        }
        found
    }

    /// The feature whose results are compared: the one named, or the only one.
    pub(super) fn reconciled_feature(&mut self, job: &Place<'a>) -> Option<FeatureId> {
        let named = job.key("feature");
        if let Some(name) = named.text() {
            return self.feature(name, named.span);
        }
        (self.estate.features.len() == 1).then(|| FeatureId::new(0))
    }

    fn settling_times(
        &mut self,
        place: &Place<'a>,
        feature: Option<FeatureId>,
    ) -> Vec<(crate::rollout::StageId, SimDuration)> {
        let mut times = Vec::new();
        let given = place.named();
        if let (None, Some((first, _))) = (feature, given.first()) {
            let problem = Problem::error(first.key.span, "open which feature has this stage");
            let problem = problem.label("the scenario has several features, or none");
            self.problems.push(problem.help("write `feature:` beside `settles_after:`"));
            return times;
        }
        for (entry, time) in given {
            let stage = feature.and_then(|feature| self.stage(feature, entry.name(), entry.key.span));
            let time = self.maybe_duration(&time);
            times.extend(stage.zip(time));
        }
        let Some(feature) = feature else { return times };
        // As the row of a matrix, a time holds until the next one on the ladder.
        let of = &self.estate.features[feature];
        let rank = |stage: crate::rollout::StageId| of.stages[stage.index()].rank;
        let stages = (0..of.stages.len() as u16).map(crate::rollout::StageId);
        let holds = |stage: crate::rollout::StageId| {
            let exact = times.iter().find(|(named, _)| *named == stage);
            let below = times.iter().filter(|(named, _)| rank(*named).is_some() && rank(*named) <= rank(stage));
            exact.or_else(|| below.max_by_key(|(named, _)| rank(*named))).map(|(_, time)| (stage, *time))
        };
        stages.filter_map(holds).collect()
    }

    fn schedule(&mut self, job: &Place<'a>) -> Option<Schedule> {
        let (every, daily) = (job.key("every"), job.key("daily"));
        if every.is_given() {
            return Some(Schedule::Every(self.period(&every, defaults::DURATION)));
        }
        let time = quantity::clock(daily.text()?).ok()?;
        Some(Schedule::Daily(u32::try_from(time.nanos() / 1_000_000_000).ok()?))
    }
}
