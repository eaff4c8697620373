//! `--shard`: which part of a campaign this process runs, and what it says of it.

use super::campaign::Reported;
use super::run::Options;
use super::{Exit, print};
use crate::campaign::seeds::{By, Shard};
use crate::campaign::verdict::{Judgement, Subject, judge};
use crate::report::number;
use crate::scenario::plan::{ComesOut, Expected};

/// `slice:2/4`, `hash:2/4` or `auto`.
pub(crate) fn part(text: &str) -> Result<Shard, String> {
    if text == "auto" { from_environment() } else { Shard::parse(text) }
}

/// What schedulers tell their tasks: the variable with the index, the one with its smallest value (or that value), and
/// the one with the number of tasks.
struct Scheduler {
    name: &'static str,
    index: &'static str,
    least: Least,
    all: &'static str,
}

enum Least {
    Is(u64),
    In(&'static str),
}

/// Slurm's job arrays (`man sbatch`, output environment variables), Kubernetes' Indexed Jobs (the index counts from 0,
/// and how many there are must be passed on), GitLab's `parallel` (counts from 1).
const SCHEDULERS: [Scheduler; 3] = [
    Scheduler {
        name: "a Slurm job array",
        index: "SLURM_ARRAY_TASK_ID",
        least: Least::In("SLURM_ARRAY_TASK_MIN"),
        all: "SLURM_ARRAY_TASK_COUNT",
    },
    Scheduler {
        name: "a Kubernetes Indexed Job",
        index: "JOB_COMPLETION_INDEX",
        least: Least::Is(0),
        all: "WINDTUNNEL_SHARDS",
    },
    Scheduler { name: "GitLab's parallel", index: "CI_NODE_INDEX", least: Least::Is(1), all: "CI_NODE_TOTAL" },
];

#[expect(clippy::disallowed_methods, reason = "schedulers tell their tasks which part they are by no other way")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn from_environment() -> Result<Shard, String> {
    let number = |name: &str| -> Result<u64, String> {
        let text = variable(name).ok_or_else(|| format!("{name} is not set"))?;
        text.trim().parse().map_err(|_| format!("{name} is no number: `{text}`"))
    };
    for Scheduler { name, index, least, all } in &SCHEDULERS {
        if variable(index).is_none() {
            continue;
        }
        let part = || -> Result<Shard, String> {
            let least = match least {
                Least::Is(least) => *least,
                Least::In(variable) => number(variable)?,
            };
            let at = number(index)?;
            let k = at.checked_sub(least).ok_or_else(|| format!("{index} is {at}, and the first is {least}"))? + 1;
            Shard { by: By::Slice, k, of: number(all)? }.checked()
        };
        return part().map_err(|why| format!("it looks like {name}, but {why}"));
    }
    let known: Vec<&str> = SCHEDULERS.iter().map(|scheduler| scheduler.index).collect();
    Err(format!("no scheduler is known here: none of {} is set; expected slice:K/N or hash:K/N", known.join(", ")))
}

/// Says what was recorded. A part cannot tell whether all is as expected, but it can tell that something is not.
pub(crate) fn told(reported: &Reported, shard: Shard, options: &Options) -> Exit {
    let outcome = &reported.outcome;
    let runs = number::runs(outcome.variants.iter().map(|variant| variant.made()).sum());
    let folder = reported.report.as_ref().map(|folder| folder.display().to_string()).unwrap_or_default();
    if !options.quiet {
        let what = if outcome.incomplete.is_some() { "recorded so far" } else { "recorded" };
        let text = format!("shard {shard} of {}: {runs} {what} in {folder}\n", outcome.scenario);
        print(&number::with_plain_spaces(&text));
    }
    let mut exit = if outcome.incomplete.is_some() { Exit(3) } else { Exit::PASS };
    if options.defer_verdict {
        return exit;
    }
    for variant in outcome.variants.iter().filter(|variant| variant.made() > 0) {
        for row in judge(variant, options.strict) {
            let must_hold = match &row.of {
                Subject::Expectation(Expected::Invariant { comes_out: ComesOut::Holds, .. }) | Subject::Strict(_) => {
                    true
                }
                Subject::Expectation(_) | Subject::Timeline(_) | Subject::Variant => false,
            };
            if let (true, Judgement::Missed(why)) = (must_hold, &row.judgement) {
                print(&format!("  ✗ {}:{}  {}: {why}\n", outcome.scenario, variant.plan.variant, row.text));
                exit = exit.worst(Exit::FAIL);
            }
        }
    }
    exit
}
