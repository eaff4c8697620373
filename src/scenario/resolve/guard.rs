//! What watches over rollouts: gates, failures, retries and approvals, and what can be said of them beforehand.

use super::bounds::Standing;
use super::place::Place;
use super::{Draft, shown};
use crate::models::estate::{Entry, Happening, When};
use crate::models::guard::{
    Against, Analysis, Approval, BoundId, Compared, Guard, NoData, OnFailure, Retry, StepGuard,
};
use crate::models::reach;
use crate::rollout::{FeatureId, Kill, Scope, StageId, Step};
use crate::scenario::defaults;
use crate::scenario::problem::Problem;
use crate::units::Share;

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
    pub(super) fn kill_on_demand(&mut self, feature: FeatureId, to: StageId, by: &str) -> u32 {
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
}
