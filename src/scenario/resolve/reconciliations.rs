//! Reconciliation jobs: what they compare, when, and what they allow.

use super::place::Place;
use super::{Draft, unknown};
use crate::models::program::Action;
use crate::models::reconciliation::{ReconciliationSpec, Schedule};
use crate::rollout::FeatureId;
use crate::scenario::defaults;
use crate::scenario::problem::Problem;
use crate::scenario::quantity;

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
            for side in ["left", "right"] {
                if !job.key(side).is_given() && !job.key("compare").is_given() {
                    let message = format!("`{}` does not say which effects it compares", entry.name());
                    let problem = Problem::error(entry.key.span, message).label(format!("`{side}` is missing"));
                    self.problems.push(problem.help("write left: clear, right: post"));
                }
            }
            let (left, right) = (self.reconciled(&job.key("left")), self.reconciled(&job.key("right")));
            if left.is_some() && left == right {
                let right = job.key("right");
                self.error(right.span, "an effect compared with itself is never off", "expected another than `left`");
            }
            let feature = self.reconciled_feature(&job);
            let settles_after = self.settling_times(&job.key("settles_after"), feature);
            let allows = self.share(&job.key("allows"), defaults::VARIANCE);
            let schedule = self.schedule(&job);
            let (Some(left), Some(right), Some(schedule)) = (left, right, schedule) else { continue };
            let name = entry.name().to_owned();
            let spec = ReconciliationSpec { name, left, right, schedule, feature, settles_after, allows };
            self.estate.reconciliations.push(spec);
        }
    }

    /// An effect that something in the plan makes.
    fn reconciled(&mut self, place: &Place<'a>) -> Option<u16> {
        let name = place.text()?;
        let rules = self.estate.operations.iter().flat_map(|operation| &operation.rules);
        let made = rules.flat_map(|rule| &rule.actions).filter_map(|action| match action {
            Action::Effect(site) => Some(site.effect),
            _ => None,
        });
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
    ) -> Vec<(crate::rollout::StageId, crate::units::SimDuration)> {
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
