//! `windtunnel compare`: variants of one scenario on the same seeds.

use super::campaign::{Progress, campaign};
use super::run::{Options, plan};
use super::{Exit, files, print, tell};
use crate::campaign::compare::{PRIMARY, compare, knows_metric};
use crate::models::metric;
use crate::report::compare as report;
use crate::report::terminal::Ink;
use crate::scenario::problem::nearest;
use clap::{Args, ValueEnum};
use std::ops::Range;
use std::path::PathBuf;

/// Seeds when none are named: with fewer, intervals of skewed differences are too narrow (coverage of the studentised
/// bootstrap on lognormal differences: 92% with 30 seeds, 93% with 100).
const SEEDS: u64 = 200;

/// Every variant runs over the same seeds, and only the seed's differences are looked at. The exit code does not judge
/// which is better: 0 when everything was compared, 2 for a mistake, 130 and 143 when interrupted.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// The scenario file; none: the embedded one.
    file: Option<PathBuf>,
    /// Only these variants; without it, all of them. `base` is the file as it is.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    variants: Vec<String>,
    /// The variant that the others are held against.
    #[arg(long, value_name = "NAME", default_value = "base")]
    baseline: String,
    /// The metric that decides; the others describe.
    #[arg(long, value_name = "METRIC", default_value = PRIMARY)]
    primary: String,
    /// Set a parameter or a key.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Seeds, half-open: `1..201` are two hundred seeds.
    #[arg(long, value_name = "A..B", value_parser = super::run::seed_range, env = "WINDTUNNEL_SEEDS")]
    seeds: Option<Range<u64>>,
    /// Runs at a time; the results do not depend on it.
    #[arg(long, value_name = "N", env = "WINDTUNNEL_JOBS")]
    jobs: Option<usize>,
    /// Tables for people, or JSON for other tools.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

impl Compare {
    pub fn run(self, ink: Ink) -> Exit {
        let source = match files::read(self.file.as_deref(), &self.set, ink) {
            Ok(source) => source,
            Err(exit) => return exit,
        };
        let known: Vec<String> =
            std::iter::once("base".to_owned()).chain(source.scenario.variants().iter().cloned()).collect();
        let wanted = match self.wanted(&known) {
            Ok(wanted) => wanted,
            Err(exit) => return exit,
        };
        let options =
            Options { set: self.set.clone(), jobs: self.jobs, no_report: true, quiet: false, ..Options::default() };
        let mut loaded = Vec::new();
        for name in &wanted {
            let variant = (name != "base").then_some(name.as_str());
            match plan(&source, variant, &options, ink) {
                Ok(one) => loaded.push(one),
                Err(exit) => return exit,
            }
        }
        if !loaded.iter().all(|one| knows_metric(&one.plan, &self.primary)) {
            let own = loaded.iter().flat_map(|one| &one.plan.estate.own_metrics).map(|own| own.name.as_str());
            let names = metric::ALL.iter().map(|metric| metric.name).chain(own);
            let help = nearest(&self.primary, names).map(|near| format!(": did you mean `{near}`?"));
            let help = help.unwrap_or_else(|| ": `windtunnel list metrics` names them".to_owned());
            tell(&format!("error: not every variant has a metric `{}`{help}\n", self.primary));
            return Exit::USAGE;
        }
        let seeds = self.seeds.clone().unwrap_or(1..1 + SEEDS);
        let (reported, ended) = match campaign(&source, loaded, seeds, &options, &mut Progress::start()) {
            Ok(done) => done,
            Err(refused) => return refused,
        };
        let outcome = reported.outcome;
        let found = compare(outcome.variants, outcome.seeds, outcome.incomplete.is_some(), &self.primary);
        print(&match self.format {
            Format::Human => report::text(&found),
            Format::Json => report::json(&found),
        });
        if ended.is_interruption() { ended } else { Exit::PASS }
    }

    /// The baseline and the others, each once.
    fn wanted(&self, known: &[String]) -> Result<Vec<String>, Exit> {
        let others = if self.variants.is_empty() { known } else { &self.variants };
        let mut wanted = vec![self.baseline.clone()];
        for name in others {
            if !wanted.contains(name) {
                wanted.push(name.clone());
            }
        }
        if let Some(wrong) = wanted.iter().find(|name| !known.contains(name)) {
            let near = nearest(wrong, known.iter().map(String::as_str));
            let help = near.map_or_else(
                || format!("expected one of {}", known.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            tell(&format!("error: there is no variant `{wrong}`: {help}\n"));
            return Err(Exit::USAGE);
        }
        if wanted.len() < 2 {
            tell("error: nothing to compare: the scenario has one variant, and two are needed\n");
            return Err(Exit::USAGE);
        }
        Ok(wanted)
    }
}
