//! What was published, put together again, and what the table of precedence allows under it.

use crate::models::estate::{Estate, Happening};
use crate::models::observation::{Observation, Publication};
use crate::rollout::{Feature, FeatureId, Override, PolicyVersion, Rule, Scope, StageId, Who};
use crate::units::Share;

/// What a policy version says of one feature, as the publications tell it.
#[derive(Clone, Debug)]
pub struct View {
    /// By the entry that issued it.
    pub kills: Vec<(u32, Scope, StageId)>,
    pub overrides: Vec<Override>,
    pub rules: Vec<Rule>,
    pub default_stage: StageId,
}

/// What a decision asked about, as far as observations tell.
#[derive(Clone, Copy, Debug)]
pub struct Asks {
    pub user: Option<u64>,
    pub tenant: u32,
    pub region: u16,
    pub journey: u16,
    pub bucket: Option<u64>,
}

/// The views of every feature, by the version from which each holds.
#[derive(Debug)]
pub struct Views {
    features: Vec<Vec<(PolicyVersion, View)>>,
    /// What held before each step: rollout, step, view.
    before: Vec<(u16, u16, View)>,
}

impl Views {
    pub fn new(estate: &Estate) -> Views {
        let first = |(id, feature): (FeatureId, &Feature)| {
            let standing = estate.standing_rules.iter().find(|(of, _)| *of == id);
            let view = View {
                kills: Vec::new(),
                overrides: Vec::new(),
                rules: standing.map(|(_, rules)| rules.clone()).unwrap_or_default(),
                default_stage: feature.initial_stage,
            };
            vec![(PolicyVersion(1), view)]
        };
        Views { features: estate.features.enumerate().map(first).collect(), before: Vec::new() }
    }

    pub fn at(&self, feature: FeatureId, version: PolicyVersion) -> Option<&View> {
        let known = self.features.get(feature.index())?;
        let after = known.partition_point(|(since, _)| *since <= version);
        known[..after].last().map(|(_, view)| view)
    }

    pub fn observe(&mut self, what: &Observation, estate: &Estate) {
        if let Observation::PolicyPublished { version, feature: Some(feature), publication } = what {
            let known = &mut self.features[feature.index()];
            let Some((_, newest)) = known.last() else { return };
            let mut view = newest.clone();
            match publication {
                Publication::Step { rollout, step } => {
                    self.before.retain(|(of, at, _)| (of, at) != (rollout, step));
                    self.before.push((*rollout, *step, view.clone()));
                    view.step(estate, *rollout, *step);
                }
                Publication::RolledBack { rollout, before } => {
                    let known = self.before.iter().find(|(of, at, _)| (of, at) == (rollout, before));
                    if let Some((_, _, old)) = known {
                        let scheduled = |given: &Override| estate.is_scheduled(*feature, given.who);
                        let mut overrides = old.overrides.clone();
                        overrides.retain(|given| !scheduled(given));
                        overrides.extend(view.overrides.into_iter().filter(scheduled));
                        view = View { kills: view.kills, overrides, ..old.clone() };
                    }
                }
                Publication::Capped { most, .. } => view.cap(&estate.features[*feature], *most),
                Publication::Override { entry } => view.scheduled(estate, *entry),
                Publication::Initial | Publication::Kill { .. } | Publication::Lift { .. } => {}
            }
            known.push((*version, view));
        } else if let Observation::Killed { feature, entry, scope, to, .. } = what {
            if let Some((_, view)) = self.features[feature.index()].last_mut() {
                view.kills.push((*entry, *scope, *to));
            }
        } else if let Observation::Lifted { feature, entry, .. } = what
            && let Some((_, view)) = self.features[feature.index()].last_mut()
        {
            view.kills.retain(|(issued_by, _, _)| issued_by != entry);
        }
    }
}

impl View {
    fn step(&mut self, estate: &Estate, rollout: u16, step: u16) {
        let step = &estate.rollouts[usize::from(rollout)].steps[usize::from(step)];
        let line =
            |line: &crate::rollout::Move| Rule { audience: line.of.clone(), share: line.percent, stage: line.to };
        let mut rules: Vec<Rule> = step.moves.iter().map(line).collect();
        rules.append(&mut self.rules);
        self.rules = rules;
        for given in &step.overrides {
            self.overrides.retain(|old| old.who != given.who);
            self.overrides.push(*given);
        }
    }

    /// A scheduled override begins or ends.
    fn scheduled(&mut self, estate: &Estate, entry: u32) {
        match &estate.timeline[entry as usize].what {
            Happening::Override { given, .. } => {
                self.overrides.retain(|old| old.who != given.who);
                self.overrides.push(*given);
            }
            Happening::OverrideEnds { who, .. } => self.overrides.retain(|old| old.who != *who),
            Happening::Fault { .. }
            | Happening::Deploy { .. }
            | Happening::Kill { .. }
            | Happening::Replay { .. }
            | Happening::Act { .. } => {}
        }
    }

    fn cap(&mut self, feature: &Feature, most: StageId) {
        let capped = |stage: StageId| if feature.at_most_as_permissive(stage, most) { stage } else { most };
        self.rules.iter_mut().for_each(|rule| rule.stage = capped(rule.stage));
        self.overrides.iter_mut().for_each(|given| given.to = capped(given.to));
        self.default_stage = capped(self.default_stage);
    }

    fn given(&self, asks: &Asks) -> Option<StageId> {
        let of = |who: Who| self.overrides.iter().find(|given| given.who == who).map(|given| given.to);
        asks.user.and_then(|user| of(Who::User(user))).or_else(|| of(Who::Tenant(asks.tenant)))
    }

    fn reaching(&self, asks: &Asks) -> impl Iterator<Item = StageId> + use<'_> {
        let asks = *asks;
        let reaches = move |scope: &Scope| scope.contains(asks.region, asks.tenant, asks.journey);
        self.kills.iter().filter(move |(_, scope, _)| reaches(scope)).map(|(_, _, to)| *to)
    }

    /// Whether a kill or an override is about this subject.
    pub fn speaks_of(&self, asks: &Asks) -> bool {
        self.reaching(asks).next().is_some() || self.given(asks).is_some()
    }

    /// What the stage contradicts; `None`: nothing.
    pub fn contradiction(&self, feature: &Feature, asks: &Asks, stage: StageId) -> Option<&'static str> {
        if let Some(to) = self.given(asks) {
            return (self.after_kills(feature, asks, to) != stage).then(|| self.blame(feature, asks, stage));
        }
        for rule in &self.rules {
            // Whether the percentage takes it in; without a bucket it may or may not.
            let admitted =
                if rule.share == Share::ALL { Some(true) } else { asks.bucket.map(|at| rule.share.admits(at)) };
            if admitted == Some(false) {
                continue;
            }
            if self.after_kills(feature, asks, rule.stage) == stage {
                return None;
            }
            if admitted == Some(true) && rule.audience.is_none() {
                return Some(self.blame(feature, asks, stage));
            }
        }
        let by_default = self.after_kills(feature, asks, self.default_stage);
        (by_default != stage).then(|| self.blame(feature, asks, stage))
    }

    /// What the kills that reach the subject leave of a stage.
    fn after_kills(&self, feature: &Feature, asks: &Asks, stage: StageId) -> StageId {
        let mut least: Option<StageId> = None;
        for to in self.reaching(asks) {
            let below_all = self.reaching(asks).all(|other| feature.at_most_as_permissive(to, other));
            if below_all {
                least = least.or(Some(to));
            }
        }
        let any = self.reaching(asks).next();
        match least.or(any.map(|_| feature.safe_stage)) {
            Some(limit) if !feature.at_most_as_permissive(stage, limit) => limit,
            Some(_) | None => stage,
        }
    }

    fn blame(&self, feature: &Feature, asks: &Asks, stage: StageId) -> &'static str {
        if self.reaching(asks).any(|to| !feature.at_most_as_permissive(stage, to)) {
            "beyond a kill"
        } else if self.given(asks).is_some() {
            "override ignored"
        } else {
            "no rule gives it"
        }
    }
}
