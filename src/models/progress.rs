//! The course of a rollout that is watched over: steps go forward when their hold is over, what they exit with holds,
//! somebody has agreed and the fleet is ready; they stop or go back when a gate fails or somebody says so.
//!
//! A rollout that nothing watches over does not come here: its steps are a schedule.

use super::approval::Asked;
use super::estate::Estate;
use super::event::Event;
use super::guard::{BoundId, Deed, Guard, NoData, OnFailure};
use super::observation::{GateVerdict, Observation, Publication, Standstill};
use super::world::World;
use crate::rollout::{FeaturePolicy, Policy, StageId};
use crate::units::{SimDuration, SimTime};
use std::sync::Arc;

/// Where a plan stands.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The step in force.
    pub current: Option<u16>,
    /// The step to be taken next.
    pub next: u16,
    pub hold: Hold,
    /// Why it does not go on, until somebody resumes it.
    pub paused: Option<Standstill>,
    /// A gate has no data and holds the step.
    pub blind: bool,
    /// Approvals given for the next step.
    pub approved: usize,
    /// Events of the plan with another number are of a course that was left.
    pub course: u32,
    /// Questions asked so far.
    pub asks: u32,
    failed_in_a_row: u32,
    failed_in_step: u32,
    retries: u32,
    /// Since when it stands where it stands.
    since: SimTime,
    /// The feature's policy before each step.
    before: Vec<Option<FeaturePolicy>>,
    /// The policies to which its ways back lead, once somebody has asked; a step taken makes them others.
    pub(super) ways_back: Option<Arc<[Policy]>>,
    /// What the bounds measured when the step in force was published.
    references: Vec<(BoundId, Option<f64>)>,
}

/// What a plan waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The time at which the next step is due.
    Until,
    /// The step in force has its hold; afterwards `over`.
    Baking {
        over: bool,
    },
    Approval(Asked),
    /// The fleet is not ready for the next step.
    NotReady,
    /// Nothing: the next step is taken as soon as nothing pauses the plan.
    Ready,
    /// The plan is over.
    Over(Standstill),
}

impl Progress {
    pub fn new(steps: usize) -> Progress {
        Progress {
            current: None,
            next: 0,
            hold: Hold::Until,
            paused: None,
            blind: false,
            approved: 0,
            course: 0,
            asks: 0,
            failed_in_a_row: 0,
            failed_in_step: 0,
            retries: 0,
            since: SimTime::ZERO,
            before: vec![None; steps],
            ways_back: None,
            references: Vec::new(),
        }
    }

    /// The feature's policy before each step that was taken.
    pub(super) fn before(&self) -> &[Option<FeaturePolicy>] {
        &self.before
    }

    /// Why it stands still, where it does, and since when; `None` while a step bakes or is awaited.
    pub fn standstill(&self) -> Option<(Standstill, SimTime)> {
        let why = match (&self.hold, self.paused) {
            (Hold::Over(why), _) => *why,
            (_, Some(why)) => why,
            (Hold::Approval(_), None) => Standstill::AwaitsApproval,
            (Hold::NotReady, None) => Standstill::NotReady,
            (Hold::Baking { .. }, None) if self.blind => Standstill::NoData,
            (Hold::Until | Hold::Baking { .. } | Hold::Ready, None) => return None,
        };
        Some((why, self.since))
    }
}

/// What a row of judgements comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    Passed,
    Failed,
    Blind,
}

impl World {
    /// The first step of every rollout, and in those that are only a schedule every step with a time of its own.
    pub(super) fn plan_rollouts(&mut self, estate: &Estate) {
        for (index, rollout) in estate.rollouts.iter().enumerate() {
            let planned = if rollout.guard.is_some() { 1 } else { rollout.steps.len() };
            for (step, described) in rollout.steps.iter().enumerate().take(planned) {
                let at = described.at.or((step == 0).then_some(SimDuration::ZERO));
                if let Some(at) = at {
                    let due = SimTime::from(rollout.starts + at);
                    self.cx.at(due, Event::StepDue { rollout: index as u16, step: step as u16 });
                }
            }
        }
    }

    pub(super) fn on_step_due(&mut self, estate: &Estate, rollout: u16, step: u16) {
        if self.halted.get(usize::from(rollout)) == Some(&true) {
            return;
        }
        let plan = &estate.rollouts[usize::from(rollout)];
        if plan.guard.is_some() {
            let progress = &mut self.plans[usize::from(rollout)];
            if progress.hold == Hold::Until && progress.next == step {
                progress.hold = Hold::Ready;
                self.try_step(estate, rollout);
            }
            return;
        }
        self.publish_step(estate, rollout, step);
        if let Some(next) = plan.steps.get(usize::from(step) + 1)
            && next.at.is_none()
        {
            self.cx.after(plan.steps[usize::from(step)].hold, Event::StepDue { rollout, step: step + 1 });
        }
    }

    fn publish_step(&mut self, estate: &Estate, rollout: u16, step: u16) {
        let plan = &estate.rollouts[usize::from(rollout)];
        let before = self.control_plane.newest().feature(plan.feature);
        let changed = plan.steps[usize::from(step)].apply(before);
        let progress = &mut self.plans[usize::from(rollout)];
        progress.before[usize::from(step)] = Some(before.clone());
        progress.ways_back = None;
        let version = self.publish(estate, plan.feature, changed, Publication::Step { rollout, step });
        self.cx.observe(Observation::Stepped { rollout, step, version });
        let first = self.steps_published[usize::from(rollout)][usize::from(step)].is_none();
        self.plans[usize::from(rollout)].current = Some(step);
        if first {
            // What hangs on a step hangs on the first time it is taken.
            self.steps_published[usize::from(rollout)][usize::from(step)] = Some(self.cx.now());
            self.plan_entries_after(estate, usize::from(rollout), usize::from(step));
        }
    }

    /// Takes the next step unless something keeps it.
    pub(super) fn try_step(&mut self, estate: &Estate, rollout: u16) {
        let Some(guard) = guard_of(estate, rollout) else { return };
        let progress = &self.plans[usize::from(rollout)];
        if progress.hold != Hold::Ready || progress.paused.is_some() {
            return;
        }
        let (step, approved) = (progress.next, progress.approved);
        let watched = &guard.steps[usize::from(step)];
        if let Some(approval) = watched.approvals.get(approved) {
            return self.ask_approval(estate, rollout, step, *approval);
        }
        if !watched.requires.iter().all(|need| self.runs(estate, need.service, need.code)) {
            self.plans[usize::from(rollout)].hold = Hold::NotReady;
            return self.stands(rollout, step, Standstill::NotReady);
        }
        self.take_step(estate, rollout, guard, step);
    }

    /// A replica runs other code: what waits for it may go on.
    pub(super) fn fleet_changed(&mut self, estate: &Estate) {
        for rollout in 0..self.plans.len() {
            if self.plans[rollout].hold == Hold::NotReady {
                self.plans[rollout].hold = Hold::Ready;
                self.try_step(estate, rollout as u16);
            }
        }
    }

    fn runs(&self, estate: &Estate, service: super::estate::ServiceId, code: u32) -> bool {
        estate.services[service].replicas.iter().all(|replica| self.replicas[replica.index()].code >= code)
    }

    fn take_step(&mut self, estate: &Estate, rollout: u16, guard: &Guard, step: u16) {
        let watched = &guard.steps[usize::from(step)];
        let asked = watched.gates.iter().chain(&watched.exit);
        let references = asked.map(|bound| (*bound, self.reference(estate, *bound))).collect();
        self.publish_step(estate, rollout, step);
        let progress = &mut self.plans[usize::from(rollout)];
        progress.references = references;
        progress.next = step + 1;
        progress.approved = 0;
        progress.hold = Hold::Baking { over: false };
        progress.blind = false;
        (progress.failed_in_a_row, progress.failed_in_step) = (0, 0);
        progress.course += 1;
        let course = progress.course;
        let hold = estate.rollouts[usize::from(rollout)].steps[usize::from(step)].hold;
        self.cx.after(hold, Event::HoldEnds { rollout, course });
        if !watched.gates.is_empty() {
            self.cx.after(guard.analysis.every, Event::Analyse { rollout, course });
        }
    }

    /// The gates of the step in force are judged.
    pub(super) fn on_analyse(&mut self, estate: &Estate, rollout: u16, course: u32) {
        let Some(guard) = guard_of(estate, rollout) else { return };
        let progress = &self.plans[usize::from(rollout)];
        let Some(step) = progress.current.filter(|_| progress.course == course) else { return };
        if matches!(progress.hold, Hold::Over(_)) {
            return;
        }
        self.cx.after(guard.analysis.every, Event::Analyse { rollout, course });
        if progress.paused.is_some() {
            return;
        }
        let judged = self.judge(estate, rollout, step, &guard.steps[usize::from(step)].gates, guard.analysis.no_data);
        let progress = &mut self.plans[usize::from(rollout)];
        match judged {
            Judged::Failed => {
                progress.failed_in_a_row += 1;
                progress.failed_in_step += 1;
                let over = guard.analysis.failure_limit.is_some_and(|limit| progress.failed_in_step > limit);
                if over || progress.failed_in_a_row >= guard.analysis.failures {
                    self.fails(estate, rollout, guard, step);
                }
            }
            Judged::Blind => {
                if !std::mem::replace(&mut progress.blind, true) {
                    self.stands(rollout, step, Standstill::NoData);
                }
            }
            Judged::Passed => {
                progress.failed_in_a_row = 0;
                progress.blind = false;
                self.after_hold(estate, rollout);
            }
        }
    }

    fn judge(&mut self, estate: &Estate, rollout: u16, step: u16, bounds: &[BoundId], no_data: NoData) -> Judged {
        let mut all = Judged::Passed;
        for bound in bounds {
            let described = &estate.bounds[usize::from(*bound)];
            let references = &self.plans[usize::from(rollout)].references;
            let before = references.iter().find(|(of, _)| of == bound).and_then(|(_, before)| *before);
            let value = self.value_of(estate, described, before);
            let (verdict, judged) = match (value, no_data) {
                (Some(value), _) if described.comparison.holds(value, described.limit) => {
                    (GateVerdict::Passed, Judged::Passed)
                }
                (Some(_), _) => (GateVerdict::Failed, Judged::Failed),
                (None, NoData::Pass) => (GateVerdict::NoData, Judged::Passed),
                (None, NoData::Fail) => (GateVerdict::NoData, Judged::Failed),
                (None, NoData::Pause) => (GateVerdict::NoData, Judged::Blind),
            };
            self.cx.observe(Observation::Gate { rollout, step, bound: *bound, verdict, value });
            all = match (all, judged) {
                (Judged::Failed, _) | (_, Judged::Failed) => Judged::Failed,
                (Judged::Blind, _) | (_, Judged::Blind) => Judged::Blind,
                (Judged::Passed, Judged::Passed) => Judged::Passed,
            };
        }
        all
    }

    pub(super) fn on_hold_ends(&mut self, estate: &Estate, rollout: u16, course: u32) {
        let progress = &mut self.plans[usize::from(rollout)];
        if progress.course == course && matches!(progress.hold, Hold::Baking { .. }) {
            progress.hold = Hold::Baking { over: true };
            self.after_hold(estate, rollout);
        }
    }

    /// Goes on to the next step where the hold is over and nothing is in the way.
    fn after_hold(&mut self, estate: &Estate, rollout: u16) {
        let Some(guard) = guard_of(estate, rollout) else { return };
        let plan = &estate.rollouts[usize::from(rollout)];
        let progress = &self.plans[usize::from(rollout)];
        let Some(step) = progress.current else { return };
        if progress.hold != (Hold::Baking { over: true }) || progress.paused.is_some() || progress.blind {
            return;
        }
        let exit = &guard.steps[usize::from(step)].exit;
        match self.judge(estate, rollout, step, exit, guard.analysis.no_data) {
            Judged::Failed => return self.fails(estate, rollout, guard, step),
            Judged::Blind => {
                self.stands(rollout, step, Standstill::NoData);
                let course = self.plans[usize::from(rollout)].course;
                return self.cx.after(guard.analysis.every, Event::HoldEnds { rollout, course });
            }
            Judged::Passed => {}
        }
        let now = self.cx.now();
        let Some(next) = plan.steps.get(usize::from(step) + 1) else {
            return self.ends(rollout, step, Standstill::Completed);
        };
        let progress = &mut self.plans[usize::from(rollout)];
        let due = next.at.map(|at| SimTime::from(plan.starts + at)).filter(|due| *due > now);
        if let Some(due) = due {
            progress.hold = Hold::Until;
            return self.cx.at(due, Event::StepDue { rollout, step: step + 1 });
        }
        progress.hold = Hold::Ready;
        self.try_step(estate, rollout);
    }

    /// The step in force has failed.
    fn fails(&mut self, estate: &Estate, rollout: u16, guard: &Guard, step: u16) {
        match guard.on_failure {
            OnFailure::Pause => {
                self.plans[usize::from(rollout)].paused = Some(Standstill::GateFailed);
                self.stands(rollout, step, Standstill::GateFailed);
            }
            OnFailure::Back => self.go_back(estate, rollout, step),
            OnFailure::BackAll => self.go_back(estate, rollout, 0),
            OnFailure::BackTo(most) => self.cap(estate, rollout, step, most),
            OnFailure::Kill(entry) => {
                // It reaches everybody, and so stops the plan.
                self.on_entry_begins(estate, entry);
            }
        }
        let progress = &mut self.plans[usize::from(rollout)];
        if let Some(retry) = guard.retry.filter(|retry| progress.retries < retry.most)
            && progress.hold == Hold::Over(Standstill::RolledBack)
        {
            progress.retries += 1;
            let course = progress.course;
            self.cx.after(retry.after, Event::PlanRetries { rollout, course });
        }
    }

    pub(super) fn on_plan_retries(&mut self, estate: &Estate, rollout: u16, course: u32) {
        let progress = &mut self.plans[usize::from(rollout)];
        if progress.course == course && progress.hold == Hold::Over(Standstill::RolledBack) {
            progress.hold = Hold::Ready;
            self.try_step(estate, rollout);
        }
    }

    /// Everybody is where they were before a step; kills stay, and so do overrides with a schedule of their own.
    fn go_back(&mut self, estate: &Estate, rollout: u16, before: u16) {
        let plan = &estate.rollouts[usize::from(rollout)];
        let Some(old) = self.plans[usize::from(rollout)].before[usize::from(before)].clone() else { return };
        let old = self.put_back_to(estate, plan.feature, old);
        let version = self.publish(estate, plan.feature, old, Publication::RolledBack { rollout, before });
        self.cx.observe(Observation::RolledBack { rollout, before, version });
        let progress = &mut self.plans[usize::from(rollout)];
        (progress.current, progress.next) = (before.checked_sub(1), before);
        self.ends(rollout, before, Standstill::RolledBack);
    }

    /// Nobody stays above a stage.
    fn cap(&mut self, estate: &Estate, rollout: u16, step: u16, most: StageId) {
        let plan = &estate.rollouts[usize::from(rollout)];
        let feature = &estate.features[plan.feature];
        let mut changed = self.control_plane.newest().feature(plan.feature).clone();
        changed.cap(feature, most);
        let version = self.publish(estate, plan.feature, changed, Publication::Capped { rollout, most });
        self.cx.observe(Observation::RolledBack { rollout, before: step, version });
        self.plans[usize::from(rollout)].next = step;
        self.ends(rollout, step, Standstill::RolledBack);
    }

    pub(super) fn stands(&mut self, rollout: u16, step: u16, why: Standstill) {
        self.plans[usize::from(rollout)].since = self.cx.now();
        self.cx.observe(Observation::PlanHeld { rollout, step, why });
    }

    fn ends(&mut self, rollout: u16, step: u16, why: Standstill) {
        let progress = &mut self.plans[usize::from(rollout)];
        progress.hold = Hold::Over(why);
        progress.approved = 0;
        progress.course += 1;
        progress.asks += 1;
        self.stands(rollout, step, why);
    }

    /// A kill that reaches everybody stops the plans of its feature: nobody raises what has just been taken back.
    pub(super) fn stop_plans(&mut self, estate: &Estate, feature: crate::rollout::FeatureId) {
        for (index, rollout) in estate.rollouts.iter().enumerate() {
            let over = matches!(self.plans[index].hold, Hold::Over(_));
            if rollout.feature == feature && rollout.guard.is_some() && !over {
                let step = self.plans[index].current.unwrap_or(0);
                self.ends(index as u16, step, Standstill::Killed);
            }
        }
    }

    /// Somebody acts on a plan; `false` where there was nothing to do.
    pub(super) fn act(&mut self, estate: &Estate, rollout: u16, deed: Deed) -> bool {
        let plan = &estate.rollouts[usize::from(rollout)];
        if self.without_rollouts {
            return false;
        }
        let progress = &self.plans[usize::from(rollout)];
        let (current, next) = (progress.current, progress.next);
        match deed {
            Deed::Pause => {
                if progress.paused.is_some() || matches!(progress.hold, Hold::Over(_)) {
                    return false;
                }
                self.plans[usize::from(rollout)].paused = Some(Standstill::ByHand);
                self.stands(rollout, current.unwrap_or(next), Standstill::ByHand);
            }
            Deed::Resume => return self.resume(estate, rollout),
            Deed::Back | Deed::BackAll => {
                let Some(current) = current else { return false };
                self.go_back(estate, rollout, if deed == Deed::Back { current } else { 0 });
            }
            Deed::Bypass => return self.bypass(estate, rollout),
            Deed::Kill(entry) => {
                let in_force = &self.control_plane.newest().feature(plan.feature).kills;
                if in_force.iter().any(|kill| kill.issued_by == entry) {
                    return false;
                }
                self.on_entry_begins(estate, entry);
            }
        }
        true
    }

    fn resume(&mut self, estate: &Estate, rollout: u16) -> bool {
        let steps = estate.rollouts[usize::from(rollout)].steps.len();
        let progress = &mut self.plans[usize::from(rollout)];
        let again = matches!(progress.hold, Hold::Over(Standstill::RolledBack | Standstill::Killed))
            && usize::from(progress.next) < steps;
        if again {
            progress.hold = Hold::Ready;
        } else if progress.paused.is_none() {
            return false;
        }
        progress.paused = None;
        (progress.failed_in_a_row, progress.failed_in_step) = (0, 0);
        let step = progress.current.unwrap_or(progress.next);
        self.stands(rollout, step, Standstill::Resumed);
        self.after_hold(estate, rollout);
        self.try_step(estate, rollout);
        true
    }

    /// How each plan that is watched over ended: its feature, and where it stands in words.
    pub fn plan_ends(&self, estate: &Estate) -> Vec<(String, String)> {
        let watched = estate.rollouts.iter().zip(&self.plans).filter(|(rollout, _)| rollout.guard.is_some());
        let told = watched.map(|(rollout, progress)| {
            let name = |step: u16| rollout.steps.get(usize::from(step)).map_or("", |step| step.name.as_str());
            let said = match (progress.standstill(), progress.current) {
                (Some((Standstill::Completed, _)), _) => "completed".to_owned(),
                (Some((why, _)), Some(step)) => format!("{} at step {}", why.name(), name(step)),
                (Some((why, _)), None) => format!("{} before step {}", why.name(), name(progress.next)),
                (None, Some(step)) => format!("still at step {} when the run ended", name(step)),
                (None, None) => "not begun when the run ended".to_owned(),
            };
            (estate.features[rollout.feature].name.clone(), said)
        });
        told.collect()
    }
}

/// What watches over a rollout.
pub(super) fn guard_of(estate: &Estate, rollout: u16) -> Option<&Guard> {
    estate.rollouts[usize::from(rollout)].guard.as_ref()
}
