//! Golden numbers: one line for each scenario and variant, kept in git, so that a change that moves them is seen in the
//! change, and which seeds moved them.

use super::number::{self, counted};
use crate::campaign::outcome::{VariantOutcome, is_violated};
use crate::kernel::digest::hash_bytes;
use crate::models::metric;
use crate::run::summary::RunSummary;
use crate::scenario::plan::Expected;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The metrics that every line has where they have a value, besides those that the file expects something of: harm and
/// its reach, what customers notice, and how fast a policy and a kill arrive.
const HEADLINES: [&str; 8] = [
    "harm.count",
    "exposed_interactions.count",
    "mixed_interactions.count",
    "error_rate",
    "latency.p99",
    "lag.max",
    "time_to_full",
    "time_to_kill",
];

/// The numbers of a variant over its seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Numbers {
    pub variant: String,
    pub scenario_hash: String,
    /// Half-open.
    pub seeds: (u64, u64),
    /// `violated/exercised` runs of each invariant that something is expected of.
    pub invariants: BTreeMap<String, String>,
    /// Means over seeds, in the metric's unit.
    pub metrics: BTreeMap<String, f64>,
    /// Eight hexadecimal digits for each run, in seed order: over every verdict and every metric.
    pub runs: String,
}

impl Numbers {
    pub fn of(outcome: &VariantOutcome, seeds: (u64, u64)) -> Numbers {
        let expected = &outcome.plan.expectations;
        let invariants = expected.iter().filter_map(|expectation| match &expectation.of {
            Expected::Invariant { name, .. } => {
                let totals = outcome.totals(name);
                Some(((*name).to_owned(), format!("{}/{}", totals.violated_runs, totals.exercised_runs)))
            }
            Expected::Metric { .. } | Expected::Reached { .. } => None,
        });
        let expected_metrics = expected.iter().filter_map(|expectation| match &expectation.of {
            Expected::Metric { name, .. } => Some(&**name),
            Expected::Invariant { .. } | Expected::Reached { .. } => None,
        });
        let mean = |name: &str| Some((name.to_owned(), outcome.estimate(name)?.mean));
        Numbers {
            variant: outcome.plan.variant.clone(),
            scenario_hash: outcome.plan.hash.clone(),
            seeds,
            invariants: invariants.collect(),
            metrics: HEADLINES.into_iter().chain(expected_metrics).filter_map(mean).collect(),
            runs: outcome.runs.iter().map(fingerprint).collect::<Vec<_>>().join(" "),
        }
    }

    /// What is not as it was, one sentence each; nothing where nothing moved.
    pub fn moved_to(&self, now: &Numbers) -> Vec<String> {
        let mut told = Vec::new();
        for (name, rate) in &now.invariants {
            let before = self.invariants.get(name).map_or("nothing", String::as_str);
            if before != rate {
                told.push(format!("{name} violated in {rate} runs, {before} before"));
            }
        }
        for (name, mean) in &now.metrics {
            match self.metrics.get(name) {
                Some(before) if before.to_bits() == mean.to_bits() => {}
                Some(before) => told.push(format!("{name} {}", difference(name, *before, *mean))),
                None => told.push(format!("{name} has a value, and had none")),
            }
        }
        let gone = |name: &&String| !now.metrics.contains_key(*name) && !now.invariants.contains_key(*name);
        let gone = self.metrics.keys().chain(self.invariants.keys()).filter(gone);
        told.extend(gone.map(|name| format!("{name} has no value any more")));
        let seeds = self.seeds_moved(now);
        if told.is_empty() && !seeds.is_empty() {
            told.push("other numbers than those that are kept here".to_owned());
        }
        if let (Some(last), false) = (told.last_mut(), seeds.is_empty()) {
            let all = counted(self.runs.split(' ').count() as u64, "seed", "seeds");
            let named: Vec<String> = seeds.iter().take(8).map(u64::to_string).collect();
            let more = if seeds.len() > 8 { format!(" and {} more", seeds.len() - 8) } else { String::new() };
            last.push_str(&format!("; moved by {} of {all}: {}{more}", seeds.len(), named.join(", ")));
        }
        if !told.is_empty() && self.scenario_hash != now.scenario_hash {
            told.push("the scenario itself is another one than that of the baseline".to_owned());
        }
        told
    }

    /// The seeds whose runs came out otherwise.
    pub fn seeds_moved(&self, now: &Numbers) -> Vec<u64> {
        let pairs = self.runs.split(' ').zip(now.runs.split(' '));
        (self.seeds.0..).zip(pairs).filter(|(_, (before, now))| before != now).map(|(seed, _)| seed).collect()
    }
}

/// `2 935 → 2 940 (+0.17%)`
fn difference(name: &str, before: f64, now: f64) -> String {
    let unit = metric::named(name).map_or("1", |known| known.unit);
    let (was, is) = (number::quantity(before, unit), number::quantity(now, unit));
    let relative = if before == 0.0 { String::new() } else { format!(" ({:+.2}%)", (now / before - 1.0) * 100.0) };
    if was == is { format!("{before:?} → {now:?}{relative}") } else { format!("{was} → {is}{relative}") }
}

fn fingerprint(run: &RunSummary) -> String {
    let mut text = String::new();
    for outcome in &run.invariants {
        let verdict = outcome.verdict.name();
        text.push_str(&format!("{} {verdict} {} {}\n", outcome.name, is_violated(outcome), outcome.violations));
    }
    for metric in &run.metrics {
        text.push_str(&format!("{} {:x}\n", metric.name, metric.value.to_bits()));
    }
    format!("{:08x}", hash_bytes(text.as_bytes()) >> 32)
}

/// The text of a scenario's file: one line a variant.
pub fn file(numbers: &[Numbers]) -> String {
    let line = |one: &Numbers| serde_json::to_string(one).expect("names and numbers always serialize") + "\n";
    numbers.iter().map(line).collect()
}

/// The lines of such a file; `Err` names the line.
pub fn parse(text: &str) -> Result<Vec<Numbers>, String> {
    let line = |(at, line): (usize, &str)| serde_json::from_str(line).map_err(|why| format!("line {}: {why}", at + 1));
    text.lines().enumerate().map(line).collect()
}

/// Scenarios with their lines as a table in Markdown.
pub fn table(scenarios: &[(String, Vec<Numbers>)]) -> String {
    let columns: [(&str, &str); 6] = [
        ("harm", "harm.count"),
        ("exposed", "exposed_interactions.count"),
        ("both ways", "mixed_interactions.count"),
        ("errors", "error_rate"),
        ("time to full", "time_to_full"),
        ("time to kill", "time_to_kill"),
    ];
    let mut text = "| scenario | variant | violated runs |".to_owned();
    columns.iter().for_each(|(head, _)| text.push_str(&format!(" {head} |")));
    text.push_str("\n|---|---|---|");
    text.push_str(&"--:|".repeat(columns.len()));
    text.push('\n');
    for (scenario, lines) in scenarios {
        for (at, one) in lines.iter().enumerate() {
            let name = if at == 0 { scenario.as_str() } else { "" };
            let violated = one.invariants.iter().filter(|(_, rate)| !rate.starts_with("0/"));
            let violated: Vec<String> = violated.map(|(name, rate)| format!("{name} {rate}")).collect();
            let violated = if violated.is_empty() { "none".to_owned() } else { violated.join(", ") };
            text.push_str(&format!("| {name} | {} | {violated} |", one.variant));
            for (_, metric) in columns {
                let unit = metric::named(metric).map_or("1", |known| known.unit);
                let value = one.metrics.get(metric);
                text.push_str(&format!(" {} |", value.map_or("–".to_owned(), |mean| number::quantity(*mean, unit))));
            }
            text.push('\n');
        }
    }
    number::with_plain_spaces(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::outcome::fixture::split_brain;

    fn numbers(change: impl Fn(&mut RunSummary)) -> Numbers {
        let mut variant = split_brain().variants.remove(0);
        variant.runs.iter_mut().for_each(change);
        Numbers::of(&VariantOutcome::of(variant.plan, variant.runs), (0, 20))
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let all = vec![numbers(|_| {})];
        assert_eq!(parse(&file(&all)), Ok(all));
        assert!(parse("{}\n").is_err_and(|why| why.starts_with("line 1: missing field")));
    }

    #[test]
    fn the_seeds_that_moved_a_number_are_named_and_so_is_the_number() {
        let before = numbers(|_| {});
        assert_eq!(before.moved_to(&before), Vec::<String>::new());
        let later = numbers(|run| {
            if run.seed == 7 {
                run.metrics.iter_mut().filter(|metric| metric.name == "error_rate").for_each(|m| m.value += 1.0);
            }
        });
        let told = before.moved_to(&later).join("\n");
        assert!(told.starts_with("error_rate ") && told.ends_with("; moved by 1 of 20 seeds: 7"), "{told}");
    }

    #[test]
    fn a_number_that_is_kept_in_no_line_of_its_own_moves_the_seed_all_the_same() {
        let before = numbers(|_| {});
        let later = numbers(|run| run.invariants[1].violations += u64::from(run.seed == 3));
        assert_eq!(before.moved_to(&later), ["other numbers than those that are kept here; moved by 1 of 20 seeds: 3"]);
    }
}
