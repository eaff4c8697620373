//! Seeds in parallel. Which thread ran a seed decides nothing: results are folded in seed order.

use super::outcome::{Exhibit, VariantOutcome};
use crate::run::summary::{RunSummary, Series};
use crate::run::{Detail, Limits, run, story};
use crate::scenario::plan::{Expected, Plan};
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Is told after each finished seed.
pub type Progress<'a> = &'a (dyn Fn() + Sync);

/// Buckets of the plots over the horizon.
const BUCKETS: usize = 240;
/// How many violated invariants get a story.
const STORIES: usize = 3;

/// Runs a plan over seeds on `jobs` threads, and shows one run in detail. Where `stop` is set, the seeds finished
/// until then remain, as a gapless beginning.
pub fn run_variant(
    plan: Plan,
    seeds: Range<u64>,
    jobs: usize,
    limits: Limits,
    stop: &AtomicBool,
    strict: bool,
    progress: Progress<'_>,
) -> VariantOutcome {
    let (runs, first) = run_seeds(&plan, seeds, jobs, limits, stop, progress);
    let exhibit = exhibit_of(&plan, &runs, first, limits, stop, strict);
    VariantOutcome { plan, runs, exhibit }
}

fn run_seeds(
    plan: &Plan,
    seeds: Range<u64>,
    jobs: usize,
    limits: Limits,
    stop: &AtomicBool,
    progress: Progress<'_>,
) -> (Vec<RunSummary>, Option<Series>) {
    let next = AtomicU64::new(seeds.start);
    let finished: Mutex<Vec<RunSummary>> = Mutex::new(Vec::new());
    // Where nothing is violated the first seed is shown: its series are taken on the way.
    let series: Mutex<Option<Series>> = Mutex::new(None);
    let shown = Detail::Exhibit { buckets: BUCKETS, keep: Vec::new() };
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            let detail = if seed == seeds.start { &shown } else { &Detail::Summary };
            if let Some(completed) = run(plan, seed, limits, detail, stop) {
                if completed.series.is_some() {
                    *series.lock().expect("no thread panics with the series") = completed.series;
                }
                finished.lock().expect("no thread panics with the results").push(completed.summary);
                progress();
            }
        }
    };
    let jobs = jobs.clamp(1, usize::try_from(seeds.end - seeds.start).unwrap_or(usize::MAX).max(1));
    std::thread::scope(|scope| {
        for _ in 1..jobs {
            scope.spawn(work);
        }
        work();
    });
    let mut runs = finished.into_inner().expect("no thread panics with the results");
    runs.sort_by_key(|run| run.seed);
    // An interrupted campaign keeps the seeds up to the first one that is missing.
    let gapless = runs.iter().zip(seeds.clone()).take_while(|(run, seed)| run.seed == *seed).count();
    runs.truncate(gapless);
    (runs, series.into_inner().expect("no thread panics with the series"))
}

/// The run that the report shows, once more and with everything kept that its plots and stories need.
fn exhibit_of(
    plan: &Plan,
    runs: &[RunSummary],
    first: Option<Series>,
    limits: Limits,
    stop: &AtomicBool,
    strict: bool,
) -> Option<Exhibit> {
    let seed = super::verdict::exhibit_seed(plan, runs, strict)?;
    let shown = runs.iter().find(|run| run.seed == seed)?;
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
        && let (Some(series), Some(run)) = (&first, runs.first())
        && run.seed == seed
    {
        return Some(Exhibit { seed, series: series.clone(), stories: Vec::new() });
    }
    let keep = told.iter().filter_map(|(_, violation)| violation.interaction).map(|of| of.key()).collect();
    let completed = run(plan, seed, limits, &Detail::Exhibit { buckets: BUCKETS, keep }, stop)?;
    let stories = told
        .into_iter()
        .map(|(name, violation)| story::tell(violation, name, seed, &completed.trace, &plan.estate))
        .collect();
    Some(Exhibit { seed, series: completed.series.unwrap_or_default(), stories })
}
