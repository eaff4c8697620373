//! Rollouts: steps, moves, salts, and when each step is published as planned.

use super::place::Place;
use super::strategies::Placed;
use super::{Draft, shown};
use crate::models::estate::Rollout;
use crate::rollout::{FeatureId, Move, Step};
use crate::scenario::defaults;
use crate::scenario::names::Standing;
use crate::scenario::problem::{Problem, Span};
use crate::scenario::tree::Node;
use crate::units::{Share, SimDuration};

pub(super) const MOST_STEPS: usize = 1_000;

impl<'a> Draft<'a> {
    pub(super) fn rollouts(&mut self, place: &Place<'a>) {
        for (entry, place) in place.named() {
            let Some(feature) = self.feature(entry.name(), entry.key.span) else {
                self.lacks_rollouts = true;
                continue;
            };
            self.estate.bucket_by[feature.index()] = self.bucket_by(&place.key("bucket_by"));
            self.estate.salts[feature.index()] = place.key("salt").text().map(super::services::salt);
            let starts = self.maybe_duration(&place.key("starts")).unwrap_or(SimDuration::ZERO);
            let (mut steps, places) = match place.key("strategy") {
                // Both: two plans for one feature, which the shape has told.
                strategy if strategy.is_given() && !place.key("steps").is_given() => self.strategy(feature, &strategy),
                _ => self.listed_steps(feature, &place.key("steps")),
            };
            self.distinct_names(&steps, &places);
            self.shrinking(feature, &steps, &places);
            self.assignment(feature, &place, &mut steps);
            self.plan_publication(starts, &steps, &places);
            let guard = self.guard(feature, &place, &steps, &places);
            self.estate.rollouts.push(Rollout { feature, starts, steps, guard });
        }
    }

    fn listed_steps(&mut self, feature: FeatureId, place: &Place<'a>) -> Placed<'a> {
        let mut items = place.items();
        if items.is_empty() && place.is_given() {
            self.error(place.span, "a rollout without steps", "expected at least one step");
        }
        if let Some(item) = items.get(MOST_STEPS) {
            self.error(item.span, format!("more than {MOST_STEPS} steps"), "the first one too many");
        }
        items.truncate(MOST_STEPS);
        let steps = items.iter().enumerate().map(|(at, item)| self.step(feature, at, item)).collect();
        (steps, items)
    }

    fn distinct_names(&mut self, steps: &[Step], places: &[Place<'a>]) {
        for (at, step) in steps.iter().enumerate() {
            if let Some(twin) = steps[..at].iter().position(|other| other.name == step.name) {
                let problem = Problem::error(places[at].span, format!("two steps are called `{}`", step.name));
                self.problems.push(problem.label("the second").related(places[twin].span, "the first"));
            }
        }
    }

    fn step(&mut self, feature: FeatureId, at: usize, place: &Place<'a>) -> Step {
        let name = match place.key("name").text() {
            Some(name) => name.to_owned(),
            None => format!("step-{}", at + 1),
        };
        self.check_step_name(&name, place.key("name").span);
        let due = self.maybe_duration(&place.key("at"));
        let moves_place = place.key("move");
        let mut moves = Vec::new();
        let mut closed = false;
        for item in moves_place.items() {
            if closed {
                self.error(item.span, "this move moves nobody", "the one before it moves everybody");
                closed = false;
            }
            let of = item.key("of");
            let audience = self.condition(&of, &Standing::Audience);
            let percent = self.maybe_share(&item.key("percent")).unwrap_or(Share::ALL);
            let to = item.key("to");
            closed |= item.node.is_some_and(|node| node.get("of").is_none()) && percent == Share::ALL;
            let Some(stage) = to.text().and_then(|name| self.stage(feature, name, to.span)) else { continue };
            self.can_set(feature, stage, "a step of its rollout can set it");
            moves.push(Move { of: audience, percent, to: stage });
        }
        if moves_place.node.and_then(Node::as_list).is_some_and(<[Node]>::is_empty) {
            self.error(moves_place.span, "a step that moves nobody", "expected at least one move");
        }
        let hold = self.duration(&place.key("hold"), defaults::HOLD);
        let overrides = self.overrides(feature, at, &place.key("overrides"));
        Step { name, at: due, moves, overrides, redraws: false, hold }
    }

    pub(super) fn check_step_name(&mut self, name: &str, span: Span) {
        if name.contains(['+', '/']) || name.chars().next().is_some_and(|c| c.is_ascii_digit()) {
            let message = format!("`{}` cannot be the name of a step", shown(name));
            self.error(span, message, "a step begins with a letter and has no `+` and no `/`");
        }
    }

    /// When each step is published if nothing holds it up.
    fn plan_publication(&mut self, starts: SimDuration, steps: &[Step], items: &[Place<'a>]) {
        let mut published = Vec::new();
        let mut ready = starts;
        for (step, item) in steps.iter().zip(items) {
            let due = step.at.map(|at| starts.saturating_add(at));
            if let Some(due) = due.filter(|due| *due < ready) {
                let message = format!("the step `{}` is due at {due}, before the step before it is over", step.name);
                self.error(item.key("at").span, message, format!("expected at least {}", ready.saturating_sub(starts)));
            }
            let at = due.unwrap_or(ready).max(ready);
            self.due.push((item.span, format!("the step `{}`", step.name), at));
            if at >= self.estate.duration {
                let message = format!("the step `{}` is published at {at}, when nobody arrives any more", step.name);
                let label = format!("arrivals end at {}", self.estate.duration);
                self.problems.push(Problem::advice(item.span, message).label(label));
            }
            published.push(at);
            ready = at.saturating_add(step.hold);
        }
        self.published.push(published);
    }

    /// Metrics that the file's reconciliation jobs report.
    pub(super) fn reported_metrics(&self) -> Vec<&'a str> {
        let jobs = Place::root(self.root).key("reconciliation").named();
        jobs.iter().filter_map(|(_, job)| job.key("metric").text()).collect()
    }

    /// Targeting that is in force from the start, from the flag file.
    pub(super) fn standing_rules(&mut self) {
        for (name, targeted) in std::mem::take(&mut self.flag_targeting) {
            let Some(feature) = self.estate.feature_named(&name) else { continue };
            let mut rules = Vec::new();
            for line in targeted {
                let Some(stage) = self.estate.features[feature].stage(&line.variant) else { continue };
                let audience = match &line.condition {
                    None => None,
                    Some(text) => match self.compiled(text, &Standing::Audience) {
                        Ok(condition) => Some(std::sync::Arc::new(condition)),
                        Err(errors) => {
                            let why = errors.first().map(|error| error.message.clone()).unwrap_or_default();
                            let message = format!("the targeting of the flag `{name}` cannot be compiled: {why}");
                            self.error(line.span, message, "in this rule");
                            continue;
                        }
                    },
                };
                self.can_set(feature, stage, "its targeting can set it");
                rules.push(crate::rollout::Rule { audience, share: Share::ALL, stage });
            }
            if !rules.is_empty() {
                self.estate.standing_rules.push((feature, rules));
            }
        }
    }
}
