//! Plans that nobody watches over.

use super::caches::TIMES;
use super::{Mutant, Operator, or_none};
use crate::kernel::Distribution;
use crate::models::estate::{Estate, Rollout};
use crate::models::guard::{Guard, StepGuard};
use crate::scenario::plan::Plan;
use crate::units::Share;

pub static SKIP_GATE: Operator = Operator {
    name: "skip-gate",
    sentence: "The gates of a plan are not looked at: it goes on whatever they would say.",
    mutants: |plan| {
        let gated = |step: &StepGuard| !step.gates.is_empty() || !step.exit.is_empty();
        each_guard(plan, "no plan has a gate or an `exit`", "no gate and no exit is judged", gated, |step| {
            step.gates.clear();
            step.exit.clear();
        })
    },
};

pub static SKIP_APPROVAL: Operator = Operator {
    name: "skip-approval",
    sentence: "A plan goes on without asking those who have to agree.",
    mutants: |plan| {
        let asked = |step: &StepGuard| !step.approvals.is_empty();
        each_guard(plan, "no step needs an approval", "nobody is asked", asked, |step| step.approvals.clear())
    },
};

pub static SKIP_READINESS: Operator = Operator {
    name: "skip-readiness",
    sentence: "A plan goes on before the fleet runs what a step requires.",
    mutants: |plan| {
        let required = |step: &StepGuard| !step.requires.is_empty();
        each_guard(plan, "no step requires anything", "no step requires anything", required, |step| {
            step.requires.clear()
        })
    },
};

pub static ALL_AT_ONCE: Operator = Operator {
    name: "all-at-once",
    sentence: "The first step of a rollout that moves a share of users moves all of them.",
    mutants: |plan| {
        let part = |share: Share| share != Share::ALL && share != Share::NONE;
        let mutant = |(at, rollout): (usize, &Rollout)| {
            let step = rollout.steps.iter().position(|step| step.moves.iter().any(|line| part(line.percent)))?;
            let line = rollout.steps[step].moves.iter().position(|line| part(line.percent))?;
            let told = format!(
                "step {} moves 100% instead of {}",
                rollout.steps[step].name, rollout.steps[step].moves[line].percent
            );
            let place = plan.estate.features[rollout.feature].name.clone();
            Some(Mutant::of(plan, place, told, |estate| {
                estate.rollouts[at].steps[step].moves[line].percent = Share::ALL;
            }))
        };
        or_none(plan.estate.rollouts.iter().enumerate().filter_map(mutant).collect(), "no step moves a share of users")
    },
};

pub static DEAF_ALERT: Operator = Operator {
    name: "deaf-alert",
    sentence: "An alert calls nobody and does nothing.",
    mutants: |plan| {
        let mutant = |(at, alert): (usize, &crate::models::guard::AlertRule)| {
            (alert.does.is_some() || alert.pages.is_some()).then(|| {
                Mutant::of(plan, alert.name.clone(), "nothing is done when it fires", |estate| {
                    let alert = &mut estate.alerts[at];
                    (alert.does, alert.wrong, alert.pages) = (None, None, None);
                })
            })
        };
        or_none(plan.estate.alerts.iter().enumerate().filter_map(mutant).collect(), "no alert does anything")
    },
};

pub static SLOW_TEAM: Operator = Operator {
    name: "slow-team",
    sentence: "Those who are called take ten times as long to act.",
    mutants: |plan| {
        let called =
            |at: usize| plan.estate.alerts.iter().any(|alert| alert.pages.is_some_and(|of| usize::from(of) == at));
        let mutant = |(at, team): (usize, &crate::models::guard::Team)| {
            let mean = team.acts_in.mean();
            let slow = mean.saturating_mul(TIMES);
            (called(at) && !mean.is_zero()).then(|| {
                let told = format!("acts in {slow} instead of {mean}");
                Mutant::of(plan, team.name.clone(), told, |estate| estate.teams[at].acts_in = Distribution::Fixed(slow))
            })
        };
        or_none(plan.estate.teams.iter().enumerate().filter_map(mutant).collect(), "no team is called")
    },
};

/// A mutant for each plan that is watched over in this way.
fn each_guard(
    plan: &Plan,
    none: &'static str,
    told: &str,
    watched: impl Fn(&StepGuard) -> bool,
    change: impl Fn(&mut StepGuard),
) -> Result<Vec<Mutant>, &'static str> {
    let estate: &Estate = &plan.estate;
    let guarded = |guard: &Guard| guard.steps.iter().any(&watched);
    let mutant = |(at, rollout): (usize, &Rollout)| {
        rollout.guard.as_ref().filter(|guard| guarded(guard))?;
        let place = estate.features[rollout.feature].name.clone();
        Some(Mutant::of(plan, place, told, |estate| {
            let guard = estate.rollouts[at].guard.as_mut().expect("it is watched over");
            guard.steps.iter_mut().for_each(&change);
        }))
    };
    or_none(estate.rollouts.iter().enumerate().filter_map(mutant).collect(), none)
}
