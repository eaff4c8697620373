//! The loop of one run: pop, dispatch, observe, until the horizon or a limit.

use super::aftermath;
use super::attribution::attribute;
use super::course::{RunSpec, Stepper};
use super::metrics::Metrics;
use super::reached::Reached;
use super::series::Recorder;
use super::summary::{Audited, RunSummary, Series};
use crate::invariants::aftermath::{Aftermath, Window};
use crate::invariants::board::Board;
use crate::invariants::{Entry, Ledger};
use crate::models::estate::{Estate, JourneyId, When};
use crate::models::observation::{Consent, Kind, Observation, Observed, Publication};
use crate::models::world::{Course, StepTimes};
use crate::scenario::plan::Plan;
use crate::units::SimTime;
use std::sync::atomic::{AtomicBool, Ordering};

/// When a run is stopped before its horizon. The verdict is then `undecided`, never a silent stop.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub events: u64,
}

impl Default for Limits {
    /// Four billion events: about ten minutes of one core.
    fn default() -> Self {
        Limits { events: 4_000_000_000 }
    }
}

/// What to keep of a run beyond its summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    Summary,
    /// Series for plots with so many buckets; and the observations of these interactions and of everything that
    /// belongs to none, lags, commits and questions apart.
    Exhibit {
        buckets: usize,
        keep: Vec<(JourneyId, u64, u32)>,
    },
}

impl Detail {
    fn keeps(&self, fact: &Observed) -> bool {
        match (self, fact.what.interaction()) {
            (Detail::Summary, _) => false,
            (Detail::Exhibit { keep, .. }, Some(interaction)) => keep.contains(&interaction.key()),
            (Detail::Exhibit { .. }, None) => !matches!(fact.what.kind(), Kind::Lag | Kind::Committed | Kind::Asked),
        }
    }
}

/// A run and what was kept of it.
#[derive(Debug)]
pub struct Completed {
    pub summary: RunSummary,
    pub series: Option<Series>,
    pub trace: Vec<Observed>,
}

/// Runs a plan with a seed. The result depends on nothing else.
pub fn run(plan: &Plan, seed: u64, limits: Limits, detail: &Detail, stop: &AtomicBool) -> Option<Completed> {
    run_spec(plan, &RunSpec::of(seed), limits, detail, stop)
}

/// Runs one of the runs of a plan. The result depends on nothing else.
pub fn run_spec(plan: &Plan, spec: &RunSpec, limits: Limits, detail: &Detail, stop: &AtomicBool) -> Option<Completed> {
    let estate = &*plan.estate;
    let mut recorder = match detail {
        Detail::Summary => None,
        Detail::Exhibit { buckets, .. } => Some(Recorder::new(estate, *buckets)),
    };
    let mut trace = Vec::new();
    let mut metrics = Metrics::new(estate);
    let mut reached = Reached::new(&plan.expectations, estate);
    let keep_all = recorder.is_some();
    let mut audit = Vec::new();
    let mut agreed: Vec<Vec<(Consent, Option<u16>)>> = vec![Vec::new(); estate.rollouts.len()];
    let audited = |kind: Kind| matches!(kind, Kind::PolicyPublished | Kind::Approval);
    let wants = |kind: Kind| keep_all || audited(kind) || metrics.wants(kind) || reached.wants(kind);
    let mut observed = drive(plan, spec, Course::WithRollouts, limits, &wants_of(&wants), stop, &mut |facts| {
        for fact in facts {
            metrics.observe(fact, estate);
            if let Observation::PolicyPublished { version, feature, publication } = fact.what {
                let consents = match publication {
                    Publication::Step { rollout, .. } => std::mem::take(&mut agreed[usize::from(rollout)]),
                    _ => Vec::new(),
                };
                audit.push(Audited { at: fact.at, version, feature, publication, consents });
            }
            if let Observation::Approval { rollout, consent, by, .. } = fact.what {
                agreed[usize::from(rollout)].push((consent, by));
            }
            reached.observe(fact, estate);
            if let Some(recorder) = &mut recorder {
                recorder.observe(fact, estate);
                if detail.keeps(fact) {
                    trace.push(*fact);
                }
            }
        }
    })?;
    let end = observed.end;
    let baseline = baseline_ledgers(plan, spec, limits, stop, &mut observed)?;
    let invariants = observed
        .ledgers
        .into_iter()
        .enumerate()
        .map(|(index, (entry, ledger))| {
            attribute(entry, ledger, baseline.as_ref().map(|ledgers| &ledgers[index].1), observed.cut_short)
        })
        .collect();
    let summary = RunSummary {
        seed: spec.seed,
        digest: observed.digest,
        events: observed.events,
        draws: observed.draws,
        end,
        cut_short: observed.cut_short,
        invariants,
        metrics: metrics.finish(end, estate),
        happenings: happenings(estate, &observed.strikes),
        plans: observed.plans,
        steps: published(estate, &observed.steps),
        audit,
        reached: reached.finish(),
    };
    let series = recorder.map(|recorder| recorder.finish(end, estate));
    Some(Completed { summary, series, trace })
}

fn wants_of(also: &dyn Fn(Kind) -> bool) -> [bool; Kind::COUNT] {
    Kind::ALL.map(also)
}

/// What the loop itself knows of a run.
struct Driven {
    ledgers: Vec<(&'static Entry, Ledger)>,
    digest: String,
    events: u64,
    draws: u64,
    end: SimTime,
    cut_short: bool,
    strikes: Vec<u64>,
    steps: StepTimes,
    plans: Vec<(String, String)>,
}

fn drive(
    plan: &Plan,
    spec: &RunSpec,
    course: Course,
    limits: Limits,
    also: &[bool; Kind::COUNT],
    stop: &AtomicBool,
    show: &mut dyn FnMut(&[Observed]),
) -> Option<Driven> {
    let estate = &*plan.estate;
    let mut board = Board::new(estate, &|name| plan.settings_of(name));
    let wanted = Kind::ALL.map(|kind| also[kind as usize] || board.wants(kind));
    let mut stepper = Stepper::new(estate, spec, course, wanted);
    let mut cut_short = false;
    loop {
        let facts = stepper.world.cx().observations();
        if !facts.is_empty() {
            board.observe(facts, estate);
            show(facts);
        }
        if stepper.world.cx().dispatched() >= limits.events {
            cut_short = true;
            break;
        }
        if stepper.world.cx().dispatched().is_multiple_of(1 << 16) && stop.load(Ordering::Relaxed) {
            return None;
        }
        if !stepper.step() {
            break;
        }
    }
    let end = if cut_short { stepper.world.cx().now() } else { stepper.end };
    let cx = stepper.world.cx();
    let (digest, draws) = (cx.digest().to_string(), cx.draws.count());
    stepper.world.catch_up_all(estate, end);
    board.observe(stepper.world.cx().observations(), estate);
    show(stepper.world.cx().observations());
    let world = &stepper.world;
    Some(Driven {
        ledgers: board.finish(end, estate),
        digest,
        events: world.cx().dispatched(),
        draws,
        end,
        cut_short,
        strikes: world.strikes().map(u64::from).collect(),
        steps: world.step_times().clone(),
        plans: world.plan_ends(estate),
    })
}

/// The same seed without the rollouts, where a violation asks whose fault it is, or errors after a retreat whether
/// there are more of them.
fn baseline_ledgers(
    plan: &Plan,
    spec: &RunSpec,
    limits: Limits,
    stop: &AtomicBool,
    observed: &mut Driven,
) -> Option<Option<Vec<(&'static Entry, Ledger)>>> {
    let asks = |ledger: &Ledger| ledger.violations > 0 || ledger.windows.iter().any(aftermath::asks);
    if !observed.ledgers.iter().any(|(_, ledger)| asks(ledger)) {
        return Some(None);
    }
    let windows = observed.ledgers.iter().flat_map(|(_, ledger)| &ledger.windows);
    let mut after = Aftermath::of(windows.map(Window::emptied).collect());
    let compares = !after.windows.is_empty();
    let wanted = Kind::ALL.map(|kind| compares && Aftermath::INTERESTS.contains(&kind));
    let course = Course::Baseline(observed.steps.clone());
    let mut count = |facts: &[Observed]| facts.iter().for_each(|fact| after.observe(fact));
    let baseline = drive(plan, spec, course, limits, &wanted, stop, &mut count)?;
    let mut counted = after.windows.as_slice();
    for (_, ledger) in &mut observed.ledgers {
        let windows = std::mem::take(&mut ledger.windows);
        let (own, others) = counted.split_at(windows.len());
        aftermath::compare(&windows, own, observed.end, &plan.estate, ledger);
        counted = others;
    }
    Some(Some(baseline.ledgers))
}

/// What the timeline says will take place, and how often it did. What takes place on demand is no promise: the plan's
/// end tells of it.
fn happenings(estate: &Estate, strikes: &[u64]) -> Vec<(String, u64)> {
    let entries = estate.timeline.iter().zip(strikes);
    let planned = entries.filter(|(entry, _)| entry.when != When::OnDemand);
    planned.map(|(entry, strikes)| (entry.label.clone(), *strikes)).collect()
}

fn published(estate: &Estate, steps: &StepTimes) -> Vec<(String, SimTime)> {
    let mut found = Vec::new();
    for (rollout, times) in estate.rollouts.iter().zip(steps) {
        for (step, at) in rollout.steps.iter().zip(times) {
            if let Some(at) = at {
                found.push((format!("{}/{}", estate.features[rollout.feature].name, step.name), *at));
            }
        }
    }
    found
}
