//! `windtunnel compare`: variants, files or recorded runs on the same seeds.

use super::campaign::{meta, progress_bar};
use super::clock::Clock;
use super::run::{MOST, Options};
use super::sides::{Of, Side, sides, too_many};
use super::{Exit, print, stop, tell};
use crate::campaign::compare::{Comparison, PRIMARY, compare, invariants_named, knows_metric};
use crate::campaign::outcome::{KEPT, VariantOutcome};
use crate::campaign::select::{Choice, NoChoice, select};
use crate::campaign::{Orders, Seeds, Unrecorded, run_variant};
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
/// The error of a choice.
const ALPHA: f64 = 0.05;

/// Every side runs over the same seeds, and only the seeds' differences are looked at. The exit code does not judge
/// which is better: 0 when everything was compared, 2 for a mistake, 3 when nothing could be chosen, 130 and 143 when
/// interrupted.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// One scenario file: its variants; none: the embedded one. One folder of a result: its recorded variants. Several
    /// files and folders: each is a side, `FILE:VARIANT` a variant of it, and the first is the baseline.
    #[arg(value_name = "FILE")]
    paths: Vec<PathBuf>,
    /// Only these variants; without it, all of them. `base` is the file as it is.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    variants: Vec<String>,
    /// The variant that the others are held against; without it, the file as it is.
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    /// The metric that decides; the others describe.
    #[arg(long, value_name = "METRIC", default_value = PRIMARY)]
    primary: String,
    /// Choose the best with 95% confidence, and run no more than that needs: whatever is clearly worse, or violates an
    /// invariant that the file names, is left out early.
    #[arg(long, requires = "indifference")]
    best: bool,
    /// With `--best`: a difference of the primary metric that does not matter, in the metric's unit.
    #[arg(long, value_name = "NUMBER", requires = "best", value_parser = indifference)]
    indifference: Option<f64>,
    /// Set a parameter or a key.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Seeds, half-open: `1..201` are two hundred seeds.
    #[arg(long, value_name = "A..B", value_parser = super::run::seed_range, env = "WINDTUNNEL_SEEDS")]
    seeds: Option<Range<u64>>,
    /// Runs at a time; the results do not depend on it.
    #[arg(long, value_name = "N", env = "WINDTUNNEL_JOBS")]
    jobs: Option<usize>,
    /// Where the report goes.
    #[arg(long, value_name = "DIR", default_value = "reports", env = "WINDTUNNEL_OUT")]
    out: PathBuf,
    /// Write no report.
    #[arg(long)]
    no_report: bool,
    /// Tables for people, or JSON for other tools.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

fn indifference(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("expected a number, found `{text}`"))?;
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err("to tell a difference of nothing takes for ever: expected more than 0".to_owned())
    }
}

impl Compare {
    pub fn run(self, ink: Ink) -> Exit {
        match self.compared(ink) {
            Ok(exit) | Err(exit) => exit,
        }
    }

    fn compared(&self, ink: Ink) -> Result<Exit, Exit> {
        let options = Options { set: self.set.clone(), jobs: self.jobs, no_report: true, ..Options::default() };
        let (source, sides) = sides(&self.paths, &self.variants, self.baseline.as_deref(), &options, ink)?;
        self.check_metric(&sides)?;
        let scenario = source.map_or_else(
            || {
                let mut names: Vec<&str> = sides.iter().map(|side| side.plan().scenario.as_str()).collect();
                names.dedup();
                names.join(", ")
            },
            |source| source.scenario.name().to_owned(),
        );
        if self.best {
            return self.chosen(&scenario, sides, &options);
        }
        let seeds = self.seeds.clone().unwrap_or(1..1 + SEEDS);
        if seeds.end - seeds.start > KEPT as u64 {
            return Err(too_many());
        }
        let clock = Clock::start();
        let hashes: Vec<String> = sides.iter().map(|side| side.plan().hash.clone()).collect();
        let outcomes = self.outcomes(sides, &seeds, &options);
        let stop = stop::signals();
        let mut found = compare(outcomes, (seeds.start, seeds.end), stop.exit().is_some(), &self.primary);
        found.scenario = scenario;
        if found.compared == 0 && stop.exit().is_none() {
            tell("error: the sides have no seed in common\n");
            return Err(Exit::USAGE);
        }
        print(&match self.format {
            Format::Human => report::text(&found),
            Format::Json => report::json(&found),
        });
        Ok(stop.exit().unwrap_or(Exit::PASS).worst(self.reported(&found, &hashes, &clock, &options)))
    }

    /// Writes the report, and says where it is.
    fn reported(&self, found: &Comparison, hashes: &[String], clock: &Clock, options: &Options) -> Exit {
        if self.no_report || self.best {
            return Exit::PASS;
        }
        match report::folder::write(found, hashes, &self.out, &meta(clock, options.jobs())) {
            Ok(folder) if self.format == Format::Human => {
                print(&format!("\n  report: {}\n", folder.join("index.html").display()));
                Exit::PASS
            }
            Ok(_) => Exit::PASS,
            Err(why) => {
                tell(&format!("error: the report could not be written: {why}\n"));
                Exit::NOT_WRITTEN
            }
        }
    }

    /// The runs of every side.
    fn outcomes(&self, sides: Vec<Side>, seeds: &Range<u64>, options: &Options) -> Vec<VariantOutcome> {
        let to_run = sides.iter().filter(|side| matches!(side.of, Of::Plan(_))).count() as u64;
        let bar = progress_bar(to_run * (seeds.end - seeds.start), false);
        let progress = || bar.inc(1);
        let orders = Orders { progress: &progress, ..Orders::new(options.jobs(), &stop::signals().requested) };
        let mut outcomes = Vec::new();
        for side in sides {
            let mut outcome = match side.of {
                Of::Runs(outcome) => *outcome,
                Of::Plan(plan) => {
                    bar.set_message(side.name.clone());
                    run_variant(*plan, &Seeds::all(seeds.clone()), &orders, &mut Unrecorded)
                }
            };
            outcome.plan.variant = side.name;
            outcomes.push(outcome);
        }
        bar.finish_and_clear();
        outcomes
    }

    /// `--best`.
    fn chosen(&self, scenario: &str, sides: Vec<Side>, options: &Options) -> Result<Exit, Exit> {
        let mut plans = Vec::new();
        for side in sides {
            let Of::Plan(mut plan) = side.of else {
                tell("error: --best runs as many seeds as it needs, and recorded runs are what they are: name files\n");
                return Err(Exit::USAGE);
            };
            plan.variant = side.name;
            plans.push(*plan);
        }
        let named = invariants_named(&plans);
        let choice = Choice {
            primary: &self.primary,
            indifference: self.indifference.expect("clap requires it"),
            alpha: ALPHA,
            seeds: self.seeds.clone().unwrap_or(1..1 + MOST),
        };
        let bar = progress_bar(0, false);
        bar.set_message(scenario.to_owned());
        let progress = || bar.inc(1);
        let stop = stop::signals();
        let orders = Orders { progress: &progress, ..Orders::new(options.jobs(), &stop.requested) };
        let found = select(plans, &named, &choice, &orders);
        bar.finish_and_clear();
        let found = found.map_err(|why| {
            tell(&match why {
                NoChoice::NoValue { variant, seed } => {
                    format!(
                        "error: {} has no value in {variant} with seed {seed}: take another --primary\n",
                        self.primary
                    )
                }
                NoChoice::TooFewSeeds => "error: a choice looks at 20 seeds before it leaves anything out\n".to_owned(),
            });
            Exit::USAGE
        })?;
        print(&match self.format {
            Format::Human => report::choice_text(scenario, &found, &choice),
            Format::Json => report::choice_json(scenario, &found, &choice),
        });
        let decided = if found.best.is_some() { Exit::PASS } else { Exit(3) };
        Ok(stop.exit().unwrap_or(decided))
    }

    fn check_metric(&self, sides: &[Side]) -> Result<(), Exit> {
        if sides.iter().all(|side| knows_metric(side.plan(), &self.primary)) {
            return Ok(());
        }
        let own = sides.iter().flat_map(|side| &side.plan().estate.own_metrics).map(|own| own.name.as_str());
        let names = metric::ALL.iter().map(|metric| metric.name).chain(own);
        let help = nearest(&self.primary, names).map(|near| format!(": did you mean `{near}`?"));
        let help = help.unwrap_or_else(|| ": `windtunnel list metrics` names them".to_owned());
        tell(&format!("error: not every variant has a metric `{}`{help}\n", self.primary));
        Err(Exit::USAGE)
    }
}
