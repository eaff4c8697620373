//! What a rollback would leave behind: after each step three futures of one run, and what each cannot take back.
//!
//! The run is taken to a checkpoint before the next step is published. From there three futures begin with the same
//! luck: one step back, all the way back, and a kill to the safe stage. The world is cloned, so that nothing of a future
//! reaches the run or another future.

mod tally;

use crate::models::estate::{Estate, Rollout};
use crate::models::observation::Kind;
use crate::models::world::{Course, World};
use crate::rollout::{FeatureId, Policy, StageId};
use crate::scenario::plan::Plan;
use crate::units::{SimDuration, SimTime};
use std::sync::atomic::{AtomicBool, Ordering};
use tally::{Tally, Users};

/// A way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    OneStepBack,
    AllTheWayBack,
    Kill,
}

impl Way {
    pub const ALL: [Way; 3] = [Way::OneStepBack, Way::AllTheWayBack, Way::Kill];

    pub fn name(self) -> &'static str {
        match self {
            Way::OneStepBack => "one step back",
            Way::AllTheWayBack => "all the way back",
            Way::Kill => "kill to the safe stage",
        }
    }
}

/// What one way back leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Future {
    pub way: Way,
    /// Irreversible effects on a new path, with no compensator, of subjects who are not to be there any more.
    pub irreversible_left: u64,
    /// The sum of their amounts, in minor units.
    pub irreversible_left_amount: u64,
    /// Other effects of theirs on a new path: somebody has to undo each of them.
    pub compensation_debt: u64,
    /// The sum of their amounts, in minor units.
    pub compensation_debt_amount: u64,
    /// From the rollback until no replica held an older policy, nothing was decided beyond the policy that was put back,
    /// and everything that had begun beyond it was done; `None`: not before the end of the run.
    pub clean_after: Option<SimDuration>,
    /// At the end of the run: interactions that are still under way beyond the policy.
    pub still_open: u64,
    /// At the end of the run: replicas that still hold an older policy.
    pub still_behind: u64,
    /// Contexts with effects to undo or with entities that went on after the rollback; none: the control plane alone.
    pub contexts: Vec<u16>,
}

impl Future {
    /// Whether it ends as if the step had never been: nothing irreversible is left, and it comes to rest.
    pub fn is_clean(&self) -> bool {
        self.irreversible_left == 0 && self.clean_after.is_some()
    }
}

/// The ways back after one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AfterStep {
    pub step: usize,
    /// When the step was published, and when the ways back begin.
    pub published: SimTime,
    pub at: SimTime,
    pub futures: Vec<Future>,
}

/// The ways back of one rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaysBack {
    pub feature: FeatureId,
    pub steps: Vec<AfterStep>,
}

impl WaysBack {
    /// The first step after which no future is clean.
    pub fn point_of_no_return(&self) -> Option<&AfterStep> {
        self.steps.iter().find(|step| step.futures.iter().all(|future| !future.is_clean()))
    }
}

/// What is to be known of a run for this.
const WANTED: [Kind; 5] = [Kind::Arrived, Kind::Decided, Kind::Effect, Kind::Closed, Kind::PolicyApplied];

/// The ways back of every rollout of a plan, with one seed. `None` where it was stopped.
pub fn ways_back(plan: &Plan, seed: u64, stop: &AtomicBool) -> Option<Vec<WaysBack>> {
    let estate = &*plan.estate;
    let published = published(estate, seed, stop)?;
    let mut found = Vec::new();
    for (index, rollout) in estate.rollouts.iter().enumerate() {
        let steps = of_rollout(estate, seed, index, rollout, &published[index], stop)?;
        found.push(WaysBack { feature: rollout.feature, steps });
    }
    Some(found)
}

/// When the steps are published in the run without a rollback.
fn published(estate: &Estate, seed: u64, stop: &AtomicBool) -> Option<Vec<Vec<Option<SimTime>>>> {
    let mut world = World::assemble(estate, seed, Course::WithRollouts, [false; Kind::COUNT]);
    let last = SimTime::from(estate.duration);
    while world.step(estate, last) {
        if is_stopped(&world, stop) {
            return None;
        }
    }
    Some(world.step_times().clone())
}

fn is_stopped(world: &World, stop: &AtomicBool) -> bool {
    world.cx().dispatched().is_multiple_of(1 << 16) && stop.load(Ordering::Relaxed)
}

/// When the ways back after a step begin: just before the next one is published; after the last one, when its hold is
/// over, or half of the time in which customers still come.
fn begins(estate: &Estate, rollout: &Rollout, step: usize, published: &[Option<SimTime>]) -> Option<SimTime> {
    let at = published[step]?;
    let last = SimTime::from(estate.duration);
    if let Some(next) = published.get(step + 1).copied().flatten() {
        let before = next.since_start().saturating_sub(SimDuration::from_nanos(1));
        return Some(SimTime::from(before).max(at));
    }
    let rest = SimTime::from(last.since_start().max(at.since_start())).since(at);
    let hold = rollout.steps[step].hold;
    let wait = if hold.is_zero() { SimDuration::from_nanos(rest.nanos() / 2) } else { hold.min(rest) };
    Some(at + wait)
}

fn of_rollout(
    estate: &Estate,
    seed: u64,
    index: usize,
    rollout: &Rollout,
    published: &[Option<SimTime>],
    stop: &AtomicBool,
) -> Option<Vec<AfterStep>> {
    let mut wanted = [false; Kind::COUNT];
    WANTED.iter().for_each(|kind| wanted[*kind as usize] = true);
    let mut world = World::assemble(estate, seed, Course::WithRollouts, wanted);
    let mut users = Users::default();
    let policies = policies(&world, rollout);
    let feature = rollout.feature;
    let mut tallies: Vec<Tally> = policies.iter().map(|policy| Tally::new(feature, Some(policy.clone()))).collect();
    let mut killed = Tally::new(feature, None);
    let mut steps = Vec::new();
    for step in 0..rollout.steps.len() {
        let (Some(at), Some(published_at)) = (begins(estate, rollout, step, published), published[step]) else { break };
        loop {
            users.observe(&world);
            tallies.iter_mut().chain([&mut killed]).for_each(|tally| tally.observe(estate, &world, &users));
            users.forget(&world);
            if is_stopped(&world, stop) {
                return None;
            }
            if !world.step(estate, at) {
                break;
            }
        }
        let mut futures = Vec::new();
        for way in Way::ALL {
            let tally = match way {
                Way::OneStepBack => &tallies[step],
                Way::AllTheWayBack => &tallies[0],
                Way::Kill => &killed,
            };
            futures.push(future(estate, &world, index, step, way, &policies, tally.clone(), users.clone(), at, stop)?);
        }
        steps.push(AfterStep { step, published: published_at, at, futures });
    }
    Some(steps)
}

/// The policy before the rollout, then the one after each of its steps.
fn policies(world: &World, rollout: &Rollout) -> Vec<Policy> {
    let first = world.policy().clone();
    let mut policies = vec![first.clone()];
    let mut changed = first.feature(rollout.feature).clone();
    for step in &rollout.steps {
        changed = step.apply(&changed);
        policies.push(first.next(rollout.feature, changed.clone()));
    }
    policies
}

#[expect(clippy::too_many_arguments, reason = "a checkpoint is all that was known up to it")]
fn future(
    estate: &Estate,
    before: &World,
    index: usize,
    step: usize,
    way: Way,
    policies: &[Policy],
    mut tally: Tally,
    mut users: Users,
    at: SimTime,
    stop: &AtomicBool,
) -> Option<Future> {
    let mut world = before.clone();
    let feature = tally.feature();
    world.halt_rollout(estate, index);
    let version = match way {
        Way::OneStepBack => {
            let of = step.checked_sub(1).map(|step| (index as u16, step as u16));
            world.put_back(estate, feature, of, policies[step].feature(feature).clone())
        }
        Way::AllTheWayBack => world.put_back(estate, feature, None, policies[0].feature(feature).clone()),
        Way::Kill => world.kill_everywhere(estate, feature, estate.features[feature].safe_stage),
    };
    tally.goes_back(at, version);
    let end = SimTime::from(estate.horizon());
    while world.step(estate, end) {
        users.observe(&world);
        tally.observe(estate, &world, &users);
        users.forget(&world);
        if is_stopped(&world, stop) {
            return None;
        }
    }
    Some(tally.future(way, world.behind(estate, version)))
}

/// Whether a stage allows more than a policy leaves a subject.
fn beyond(estate: &Estate, feature: FeatureId, stage: StageId, left: StageId) -> bool {
    !estate.features[feature].at_most_as_permissive(stage, left)
}
