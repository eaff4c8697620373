//! Many plans over the same seeds, side by side on one pool of threads: the cells of a grid.
//!
//! Plans are taken up one after the other and seeds within a plan, so that an interruption leaves whole plans. What a
//! plan comes to is concluded from its runs in seed order as soon as its last one is over; the runs are not kept.

use super::pool::Progress;
use crate::run::summary::RunSummary;
use crate::run::{Detail, Limits, run};
use crate::scenario::plan::Plan;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What many runs share.
#[derive(Clone, Copy)]
pub struct Together<'a> {
    pub jobs: usize,
    pub limits: Limits,
    /// Once set, no run begins any more, and plans that are not through have no result.
    pub stop: &'a AtomicBool,
    /// Is told after each finished run.
    pub progress: Progress<'a>,
}

/// Runs every plan over the seeds and concludes from its runs, in seed order; `None` for a plan that was not through
/// when it was stopped. Which thread ran a seed decides nothing.
pub fn over_seeds<T: Send>(
    plans: &[Plan],
    seeds: Range<u64>,
    together: Together<'_>,
    conclude: &(dyn Fn(usize, Vec<RunSummary>) -> T + Sync),
) -> Vec<Option<T>> {
    let per_plan = seeds.end.saturating_sub(seeds.start);
    let total = per_plan.saturating_mul(plans.len() as u64);
    let next = AtomicU64::new(0);
    let under_way: Vec<Mutex<Vec<RunSummary>>> = plans.iter().map(|_| Mutex::new(Vec::new())).collect();
    let concluded: Vec<Mutex<Option<T>>> = plans.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while !together.stop.load(Ordering::Relaxed) {
            let cell = next.fetch_add(1, Ordering::Relaxed);
            if cell >= total {
                break;
            }
            let (at, seed) = ((cell / per_plan) as usize, seeds.start + cell % per_plan);
            let Some(completed) = run(&plans[at], seed, together.limits, &Detail::Summary, together.stop) else {
                break;
            };
            let mut runs = under_way[at].lock().expect("no thread panics with the runs");
            runs.push(completed.summary);
            let whole = (runs.len() as u64 == per_plan).then(|| std::mem::take(&mut *runs));
            drop(runs);
            if let Some(mut runs) = whole {
                runs.sort_by_key(|run| run.seed);
                let result = conclude(at, runs);
                *concluded[at].lock().expect("no thread panics with a result") = Some(result);
            }
            (together.progress)();
        }
    };
    let jobs = together.jobs.clamp(1, usize::try_from(total).unwrap_or(usize::MAX).max(1));
    std::thread::scope(|scope| {
        for _ in 1..jobs {
            scope.spawn(work);
        }
        work();
    });
    concluded.into_iter().map(|result| result.into_inner().expect("no thread panics with a result")).collect()
}
