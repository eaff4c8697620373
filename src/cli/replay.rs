//! `windtunnel replay`: one run again, from a scenario file or from the folder of a result; with `--verify` once more
//! in another process, and against what was recorded.

use super::files::{self, Source};
use super::recorded::{Recorded, seeds_of};
use super::verify::{Comparison, Rows, campaign_again, key_of, other_jobs, rows_of, run_again};
use super::which::Which;
use super::{Exit, print, run, stop, tell};
use crate::campaign::VariantOutcome;
use crate::report::terminal::Ink;
use crate::report::{replay as account, result};
use crate::run::summary::{RunSummary, Story};
use crate::run::{Detail, replay, run as run_seed};
use crate::scenario::{BASE, Loaded};
use clap::{Args, ValueEnum};
use serde_json::json;

#[derive(Debug, Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    which: Which,
    /// Make the run again in another process, with another one beside it, and compare events, draws, end and digest;
    /// of a result's folder, compare with what was recorded. A difference is exit code 5.
    #[arg(long)]
    verify: bool,
    /// For people, or as JSON: the row that `result.json` has for the run.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// So many further seeds at the same time, on threads of their own: nothing may depend on it.
    #[arg(long, value_name = "N", default_value = "0", hide = true)]
    beside: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

impl Replay {
    pub fn run(self, ink: Ink) -> Exit {
        match &self.which.file {
            Some(folder) if Recorded::is_at(folder) => match Recorded::read(folder) {
                Ok(recorded) => self.of_result(&recorded, ink),
                Err(exit) => exit,
            },
            Some(_) | None => match self.which.seed {
                Some(_) => self.one(&self.which, None, ink),
                None => {
                    tell("error: a replay needs a seed: --seed N\n");
                    Exit::USAGE
                }
            },
        }
    }

    fn of_result(&self, recorded: &Recorded, ink: Ink) -> Exit {
        let variants = recorded.variants();
        let variant = match self.which.variant.as_deref() {
            // Of several variants the file as it is, unless all are verified.
            None if self.which.seed.is_some() && variants.len() > 1 => Some(BASE),
            given => given,
        };
        let rows = recorded.rows_for(variant, self.which.seed);
        let (folder, has) = (recorded.folder.display(), variants.join(", "));
        if recorded.rows.is_empty() {
            tell(&format!("error: {folder} has no run to replay: its result.json lists none\n"));
            return Exit::NOTHING_SELECTED;
        }
        if rows.is_empty() {
            tell(&format!(
                "error: {folder} has no such run: its variants are {has}, its seeds {:?}\n",
                seeds_of(&recorded.rows)
            ));
            return Exit::NOTHING_SELECTED;
        }
        if let [row] = rows.as_slice() {
            let (variant, seed) = key_of(row);
            let which = Which { seed: Some(seed), ..recorded.which(&self.which, variant, &rows) };
            return self.one(&which, Some((recorded, &rows)), ink);
        }
        if !self.verify {
            tell(&format!(
                "error: {folder} has {} runs: name one with --seed N, or verify all with --verify\n",
                rows.len()
            ));
            return Exit::USAGE;
        }
        if self.which.until.is_some() || self.which.fork_at.is_some() || self.which.max_events.is_some() {
            tell("error: --until, --fork-at and --max-events take one run: name it with --seed N\n");
            return Exit::USAGE;
        }
        let mut exit = Exit::PASS;
        for name in variants.iter().filter(|name| variant.is_none_or(|variant| variant == **name)) {
            exit = exit.worst(self.all_of(recorded, name, &recorded.rows_for(Some(name), None), ink));
            if exit.is_interruption() {
                break;
            }
        }
        exit
    }

    /// Every recorded run of a variant again, in another process.
    fn all_of(&self, recorded: &Recorded, variant: &str, rows: &Rows, ink: Ink) -> Exit {
        let which = recorded.which(&self.which, variant, rows);
        if let Err(exit) = compile(&which, ink).and_then(|(_, loaded)| recorded.is_of(variant, &loaded.plan.hash)) {
            return exit;
        }
        let jobs = other_jobs(recorded.jobs);
        match campaign_again(&which, &seeds_of(rows), jobs) {
            Ok(again) => {
                let sides = ["recorded".to_owned(), format!("another process, jobs: {jobs}")];
                let scenario = &recorded.scenario;
                let what = format!("of {scenario}:{variant} again in another process with jobs: {jobs}");
                Comparison { scenario, sides, here: rows, there: &again, which: &which }.conclude(&what)
            }
            Err(exit) => exit,
        }
    }

    fn one(&self, which: &Which, recorded: Option<(&Recorded, &Rows)>, ink: Ink) -> Exit {
        let (source, loaded) = match compile(which, ink) {
            Ok(compiled) => compiled,
            Err(exit) => return exit,
        };
        let variant = loaded.plan.variant.clone();
        if let Some(Err(exit)) = recorded.map(|(recorded, _)| recorded.is_of(&variant, &loaded.plan.hash)) {
            return exit;
        }
        if let Err(why) = which.within(loaded.plan.estate.horizon()) {
            tell(&format!("error: {why}\n"));
            return Exit::USAGE;
        }
        let seed = which.seed.expect("one run has a seed");
        // As it was recorded, unless it was asked for otherwise; the limit of a recorded run is its own.
        let same = which.spec(seed).is_ordinary(&loaded.plan.estate) && self.which.max_events.is_none();
        let Some((summary, stories)) = self.made(which, &loaded, seed) else {
            return stop::signals().exit().unwrap_or(Exit::INTERNAL);
        };
        let outcome = VariantOutcome::of(loaded.plan, vec![summary]);
        let document = json!({ "runs": result::run_rows(&outcome) });
        let here = rows_of(&document);
        match self.format {
            Format::Human => print(&account::render(&outcome, &which.spec(seed), &stories, ink)),
            Format::Json => print(&format!("{document}\n")),
        }
        let mut exit = Exit::PASS;
        let scenario = source.scenario.name();
        if recorded.is_some() && !same && self.format == Format::Human {
            print("not compared with the record: --until, --fork-at or --max-events make it another run\n");
        }
        if let Some((_, rows)) = recorded.filter(|_| same) {
            let sides = ["recorded".to_owned(), "this process".to_owned()];
            let comparison = Comparison { scenario, sides, here: rows, there: &here, which };
            exit = match self.format {
                Format::Human => comparison.conclude("as recorded"),
                Format::Json => comparison.mismatch().unwrap_or(Exit::PASS),
            };
        }
        if self.verify && exit == Exit::PASS {
            exit = match run_again(which) {
                Ok(again) => {
                    let sides = ["this process".to_owned(), "another process, another run beside it".to_owned()];
                    let comparison = Comparison { scenario, sides, here: &here, there: &again, which };
                    match self.format {
                        Format::Human => comparison.conclude("again in another process"),
                        Format::Json => comparison.mismatch().unwrap_or(Exit::PASS),
                    }
                }
                Err(ended) => ended,
            };
        }
        exit
    }

    fn made(&self, which: &Which, loaded: &Loaded, seed: u64) -> Option<(RunSummary, Vec<Story>)> {
        let (stop, limits) = (&stop::signals().requested, which.limits());
        std::thread::scope(|scope| {
            for further in 1..=self.beside {
                let other = seed.saturating_add(further);
                scope.spawn(move || run_seed(&loaded.plan, other, limits, &Detail::Summary, stop));
            }
            replay(&loaded.plan, &which.spec(seed), limits, stop)
        })
    }
}

fn compile(which: &Which, ink: Ink) -> Result<(Source, Loaded), Exit> {
    let source = files::read(which.file.as_deref(), &which.set, ink)?;
    let loaded = run::compiled(&source, which.variant.as_deref(), &which.set, ink)?;
    Ok((source, loaded))
}
