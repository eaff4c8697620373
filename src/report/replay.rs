//! What `windtunnel replay` prints of one run: what it came to, every invariant, and the first violations as stories.

use super::terminal::{self, Ink};
use super::{number, sentence};
use crate::campaign::outcome::VariantOutcome;
use crate::run::RunSpec;
use crate::run::summary::{Story, Verdict};

/// The account of the only run of `variant`.
pub fn render(variant: &VariantOutcome, spec: &RunSpec, stories: &[Story], ink: Ink) -> String {
    let (plan, run) = (&variant.plan, variant.runs.first().expect("a replay is one run"));
    let mut text = format!("{} · {} · seed {}\n", plan.scenario, plan.variant, spec.seed);
    if !plan.summary.is_empty() {
        text.push_str(&format!("{}\n", plan.summary));
    }
    text.push('\n');
    let horizon = number::exact(plan.estate.horizon());
    let end = number::exact(run.end.since_start());
    let end = match (run.cut_short, end == horizon) {
        (true, _) => format!("{end} of {horizon}, where the limit of events ended it"),
        (false, true) => end,
        (false, false) => format!("{end} of {horizon}"),
    };
    let mut row = |name: &str, value: &str| text.push_str(&format!("  {name:8}  {value}\n"));
    row("events", &number::count(run.events));
    row("draws", &number::count(run.draws));
    row("end", &end);
    if let Some(fork) = spec.fork {
        let (from, salt) = (number::exact(fork.at.since_start()), fork.salt);
        let told = if fork.at > run.end {
            format!("none: the run ends before {from}, from when on it would have other luck, salt {salt}")
        } else {
            format!("other luck from {from} on, salt {salt}")
        };
        row("fork", &told);
    }
    row("digest", &run.digest);
    text.push('\n');
    let exercised: Vec<_> = run
        .invariants
        .iter()
        .filter(|outcome| outcome.verdict != Verdict::Vacuous)
        .map(|outcome| outcome.name)
        .collect();
    let width = exercised.iter().map(|name| name.len()).max().unwrap_or(0);
    for name in &exercised {
        text.push_str(&format!("  {name:width$}  {}\n", sentence::counts(&variant.totals(name))));
    }
    let idle: Vec<_> = run
        .invariants
        .iter()
        .filter(|outcome| outcome.verdict == Verdict::Vacuous)
        .map(|outcome| outcome.name)
        .collect();
    if !idle.is_empty() {
        text.push_str(&format!("  never exercised: {}\n", idle.join(", ")));
    }
    for story in stories {
        text.push_str(&terminal::story(story, ink));
    }
    number::with_plain_spaces(&text)
}
