//! Seeds in parallel. Which thread ran a seed decides nothing: results are folded in seed order, as they come.

use super::outcome::{Exhibit, KEPT, VariantOutcome};
use super::seeds::Seeds;
use super::tally::Tally;
use super::verdict::gate::Gate;
use crate::run::summary::{RunSummary, Series};
use crate::run::{Detail, Limits, run, story};
use crate::scenario::plan::{Expected, Plan};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};

/// Is told after each finished seed.
pub type Progress<'a> = &'a (dyn Fn() + Sync);

/// Buckets of the plots over the horizon.
const BUCKETS: usize = 240;
/// How many violated invariants get a story.
const STORIES: usize = 3;
/// How far runs may be ahead of the first one that is not finished: what waits to be folded stays bounded.
const AHEAD: u64 = 4_096;

/// How the runs of a campaign are to be made.
pub struct Orders<'a> {
    /// Runs at a time.
    pub jobs: usize,
    pub limits: Limits,
    /// Somebody wants it to end now: the runs finished until then remain, as a gapless beginning.
    pub stop: &'a AtomicBool,
    /// Whether another run may begin: false where the time is up.
    pub may_begin: &'a (dyn Fn() -> bool + Sync),
    /// No further run is made once this is decided, which is asked in seed order.
    pub gate: Option<Gate>,
    pub strict: bool,
    /// Whether one run is shown in detail.
    pub exhibit: bool,
    pub progress: Progress<'a>,
}

impl<'a> Orders<'a> {
    /// Every seed to its end, without a report's details.
    pub fn new(jobs: usize, stop: &'a AtomicBool) -> Orders<'a> {
        Orders {
            jobs,
            limits: Limits::default(),
            stop,
            may_begin: &|| true,
            gate: None,
            strict: false,
            exhibit: false,
            progress: &|| {},
        }
    }
}

/// Where the runs of a variant are written down as they are folded, so that a later campaign can go on from there.
pub trait Record: Send {
    /// Hands out the runs of this variant that are written down already: the beginning of its seeds, in their order.
    fn finished(&mut self, variant: &str, each: &mut dyn FnMut(RunSummary));
    /// Another run is folded.
    fn add(&mut self, variant: &str, run: &RunSummary);
}

/// Nothing is written down.
pub struct Unrecorded;

impl Record for Unrecorded {
    fn finished(&mut self, _: &str, _: &mut dyn FnMut(RunSummary)) {}

    fn add(&mut self, _: &str, _: &RunSummary) {}
}

/// Runs a plan over seeds, and shows one run in detail.
pub fn run_variant(plan: Plan, seeds: &Seeds, orders: &Orders<'_>, record: &mut dyn Record) -> VariantOutcome {
    let mut folded = Folded { tally: Tally::new(&plan), runs: Vec::new(), series: None };
    record.finished(&plan.variant, &mut |run| folded.add(run));
    folded = run_seeds(&plan, seeds, orders, record, folded);
    let Folded { tally, runs, series } = folded;
    let exhibit = if orders.exhibit { exhibit_of(&plan, &tally, series, orders) } else { None };
    VariantOutcome { plan, runs, tally, gate: orders.gate, exhibit }
}

/// The runs so far, in seed order.
struct Folded {
    tally: Tally,
    runs: Vec<RunSummary>,
    /// Of the first seed: where nothing is violated it is the one that is shown.
    series: Option<Series>,
}

impl Folded {
    fn add(&mut self, run: RunSummary) {
        self.tally.add(&run);
        if self.runs.len() < KEPT {
            self.runs.push(run);
        }
    }
}

/// What the threads share.
struct Shared<'a> {
    /// The place of the next seed to be run.
    next: u64,
    /// Nothing more is begun.
    closed: bool,
    /// Nothing more is folded: what came before decides.
    decided: bool,
    /// Finished runs that wait for an earlier one.
    waiting: BTreeMap<u64, (RunSummary, Option<Series>)>,
    folded: Folded,
    record: &'a mut dyn Record,
}

fn run_seeds(plan: &Plan, seeds: &Seeds, orders: &Orders<'_>, record: &mut dyn Record, folded: Folded) -> Folded {
    let next = folded.tally.runs;
    let decided = next > 0 && orders.gate.is_some_and(|gate| gate.decides(plan, &folded.tally));
    let shared = Mutex::new(Shared { next, closed: decided, decided, waiting: BTreeMap::new(), folded, record });
    let moved_on = Condvar::new();
    let shown = Detail::Exhibit { buckets: BUCKETS, keep: Vec::new() };
    let locked = || shared.lock().expect("no thread panics with the results");
    let work = || {
        let _closing = Closing { shared: &shared, moved_on: &moved_on };
        while let Some(place) = next_place(locked(), seeds.len(), orders, &moved_on) {
            let detail = if place == 0 && orders.exhibit { &shown } else { &Detail::Summary };
            let completed = run(plan, seeds.at(place), orders.limits, detail, orders.stop);
            let mut shared = locked();
            match completed {
                Some(completed) => {
                    shared.waiting.insert(place, (completed.summary, completed.series));
                    fold(&mut shared, plan, orders);
                }
                None => shared.closed = true,
            }
            moved_on.notify_all();
        }
    };
    let jobs = orders.jobs.clamp(1, usize::try_from(seeds.len()).unwrap_or(usize::MAX).max(1));
    std::thread::scope(|scope| {
        for _ in 1..jobs {
            scope.spawn(work);
        }
        work();
    });
    shared.into_inner().expect("no thread panics with the results").folded
}

/// The place of the seed to be run next; `None` where nothing more is to be begun.
fn next_place(
    mut shared: MutexGuard<'_, Shared<'_>>,
    all: u64,
    orders: &Orders<'_>,
    moved_on: &Condvar,
) -> Option<u64> {
    loop {
        if shared.closed || shared.next >= all {
            return None;
        }
        if orders.stop.load(Ordering::Relaxed) || !(orders.may_begin)() {
            shared.closed = true;
            moved_on.notify_all();
            return None;
        }
        if shared.next < shared.folded.tally.runs + AHEAD {
            shared.next += 1;
            return Some(shared.next - 1);
        }
        shared = moved_on.wait(shared).expect("no thread panics with the results");
    }
}

/// Folds what has no gap before it. What is decided is decided in seed order: later runs are not looked at.
fn fold(shared: &mut Shared<'_>, plan: &Plan, orders: &Orders<'_>) {
    while !shared.decided {
        let place = shared.folded.tally.runs;
        let Some((run, series)) = shared.waiting.remove(&place) else { return };
        shared.record.add(&plan.variant, &run);
        shared.folded.add(run);
        if place == 0 {
            shared.folded.series = series;
        }
        (orders.progress)();
        if orders.gate.is_some_and(|gate| gate.decides(plan, &shared.folded.tally)) {
            shared.decided = true;
            shared.closed = true;
        }
    }
}

/// A thread that ends in a panic lets the others end, too: they would wait for its run for ever.
struct Closing<'a, 'b> {
    shared: &'a Mutex<Shared<'b>>,
    moved_on: &'a Condvar,
}

impl Drop for Closing<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Ok(mut shared) = self.shared.lock()
        {
            shared.closed = true;
            self.moved_on.notify_all();
        }
    }
}

/// The run that the report shows, once more and with everything kept that its plots and stories need.
fn exhibit_of(plan: &Plan, tally: &Tally, first: Option<Series>, orders: &Orders<'_>) -> Option<Exhibit> {
    let shown = tally.shown(orders.strict)?;
    let seed = shown.seed;
    let with_violation = shown.invariants.iter().filter(|invariant| invariant.violations > 0);
    // What decides the exit code is told first.
    let mut told: Vec<_> =
        with_violation.filter_map(|invariant| Some((invariant.name, invariant.first.first()?))).collect();
    let named = |name: &str| {
        plan.expectations.iter().any(
            |expectation| matches!(&expectation.of, Expected::Invariant { name: expected, .. } if *expected == name),
        )
    };
    told.sort_by_key(|(name, _)| !named(name));
    told.truncate(STORIES);
    if told.is_empty()
        && let (Some(series), Some(run)) = (&first, tally.first())
        && run.seed == seed
    {
        return Some(Exhibit { seed, series: series.clone(), stories: Vec::new() });
    }
    let keep = told.iter().filter_map(|(_, violation)| violation.interaction).map(|of| of.key()).collect();
    let completed = run(plan, seed, orders.limits, &Detail::Exhibit { buckets: BUCKETS, keep }, orders.stop)?;
    let stories = told
        .into_iter()
        .map(|(name, violation)| story::tell(violation, name, seed, &completed.trace, &plan.estate))
        .collect();
    Some(Exhibit { seed, series: completed.series.unwrap_or_default(), stories })
}
