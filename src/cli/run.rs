//! `windtunnel run`: scenario files over seeds.

use super::campaign::{Progress, Reported, campaign};
use super::ci::Ci;
use super::emit::{self, Emit, Stdout};
use super::files::{self, Source};
use super::test::UNRECORDED;
use super::verify;
use super::which::Which;
use super::{Exit, print, tell};
use crate::campaign::Shard;
use crate::campaign::outcome::CampaignOutcome;
use crate::campaign::verdict::gate::BUDGET;
use crate::report::result;
use crate::report::suite::Suite;
use crate::report::terminal::{self, Ink};
use crate::scenario::{Loaded, Request, quantity, render};
use crate::units::{Share, SimDuration};
use clap::{Args, ValueEnum};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The most seeds that are run until all is decided, when none are named.
pub(crate) const MOST: u64 = 10_000;
/// Seeds when none are named: enough to see whether something happens always or sometimes, few enough to wait for.
const SEEDS: u64 = 10;

/// What `run` and `test` have in common.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Set a parameter or a key: `--set poll=5s`, `--set services.gateway.replicas=5`. Repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Seeds, half-open: `1..21` are twenty seeds.
    #[arg(long, value_name = "A..B", value_parser = seed_range, env = "WINDTUNNEL_SEEDS")]
    pub seeds: Option<Range<u64>>,
    /// Runs at a time; the results do not depend on it.
    #[arg(long, value_name = "N", env = "WINDTUNNEL_JOBS")]
    pub jobs: Option<usize>,
    /// Built-in invariants that the file does not name decide the exit code, too.
    #[arg(long)]
    pub strict: bool,
    /// Go on until every expectation is decided, and no further: rates are judged by evidence that may be looked at
    /// after every run. `--seeds` is then the most that are run, 10000 without it.
    #[arg(long)]
    pub until_decided: bool,
    /// With `--until-decided`: the rate of violated runs below which an invariant counts as holding.
    #[arg(long, value_name = "SHARE", default_value = "1%", value_parser = budget, requires = "until_decided")]
    pub budget: Share,
    /// Begin no further run after this time, such as `8m`: what is missing is inconclusive, and the same command goes on
    /// from there.
    #[arg(long, value_name = "T", value_parser = quantity::duration)]
    pub within: Option<SimDuration>,
    /// Run one part of all runs and record it, to be merged with the others by `windtunnel report merge`: `slice:2/4`
    /// deals them out in turn, `hash:2/4` by scenario, variant and seed, `auto` asks the environment of a scheduler.
    #[arg(long, value_name = "PART", value_parser = super::shard::part, conflicts_with_all = ["until_decided", "no_report", "emit"])]
    pub shard: Option<Shard>,
    /// A shard leaves the verdict to the merge: it fails only where it could not make its runs.
    #[arg(long, requires = "shard")]
    pub defer_verdict: bool,
    /// Begin anew where an interrupted campaign could be gone on with.
    #[arg(long)]
    pub fresh: bool,
    /// Where reports go.
    #[arg(long, value_name = "DIR", default_value = "reports", env = "WINDTUNNEL_OUT")]
    pub out: PathBuf,
    /// Write no report.
    #[arg(long)]
    pub no_report: bool,
    /// Write one format to a file of your choice: `--emit junit=junit.xml`. Repeatable; `windtunnel list formats` names
    /// them, first those of one scenario, then those of any number.
    #[arg(long, value_name = "FORMAT=FILE", value_parser = emit::emitted)]
    pub emit: Vec<Emit>,
    /// Stop a run after so many events; its verdict is then `undecided`.
    #[arg(long, value_name = "N")]
    pub max_events: Option<u64>,
    /// Result on standard output: for people, or as JSON (one document, or one line per scenario).
    #[arg(long, value_enum, default_value = "human")]
    pub format: Format,
    /// Only failures.
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub ci: Ci,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Human,
    Json,
    Ndjson,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            set: Vec::new(),
            seeds: None,
            jobs: None,
            strict: false,
            until_decided: false,
            budget: Share::new(BUDGET).expect("a share"),
            within: None,
            shard: None,
            defer_verdict: false,
            fresh: false,
            out: PathBuf::from("reports"),
            no_report: false,
            emit: Vec::new(),
            max_events: None,
            format: Format::Human,
            quiet: false,
            ci: Ci::default(),
        }
    }
}

#[derive(Debug, Default, Args)]
pub(crate) struct Run {
    /// Scenario files; none: the embedded split-brain scenario.
    files: Vec<PathBuf>,
    /// One seed.
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// A variant of the file instead of the file as it is.
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Make the same runs again in another process with another number of jobs, and compare events, draws, ends and
    /// digests. A difference is exit code 5, with the first differing event where it can be found.
    #[arg(long, conflicts_with = "shard")]
    verify: bool,
    #[command(flatten)]
    options: Options,
}

/// `--format json` is one document, and several scenarios are several.
pub(crate) fn one_document_only() -> Exit {
    tell(
        "error: --format json is one document for one scenario file: take --format ndjson for one line per scenario\n",
    );
    Exit::USAGE
}

pub(crate) fn seed_range(text: &str) -> Result<Range<u64>, String> {
    let expected = || format!("expected two numbers as `1..21`, half-open, found `{text}`");
    let (from, to) = text.split_once("..").ok_or_else(expected)?;
    let range = from.parse().map_err(|_| expected())?..to.parse().map_err(|_| expected())?;
    if range.is_empty() { Err(format!("`{text}` holds no seed: the end is not part of it")) } else { Ok(range) }
}

impl Run {
    pub fn run(self, ink: Ink) -> Exit {
        let seeds = match self.seed {
            Some(u64::MAX) => {
                tell("error: the largest seed is 18446744073709551614\n");
                return Exit::USAGE;
            }
            Some(seed) => seed..seed + 1,
            None => self.options.seeds(SEEDS),
        };
        let named: Vec<Option<&Path>> = if self.files.is_empty() {
            vec![None]
        } else {
            self.files.iter().map(|file| Some(file.as_path())).collect()
        };
        if let Some(refused) = emit::refused(&self.options.emit, named.len()) {
            return refused;
        }
        if named.len() > 1 && self.options.format == Format::Json {
            return one_document_only();
        }
        let mut exit = Exit::PASS;
        // Every file is read before anything runs: a mistake in the last one must not cost the first one's time.
        let mut ready = Vec::new();
        for path in named {
            let read = files::read(path, &self.options.set, ink).and_then(|source| {
                let loaded = plan(&source, self.variant.as_deref(), &self.options, ink)?;
                Ok((source, loaded))
            });
            match read {
                Ok(pair) => ready.push(pair),
                Err(ended) => exit = exit.worst(ended),
            }
        }
        if exit != Exit::PASS {
            return exit;
        }
        let mut progress = Progress::start();
        let mut suite = self.options.ci.suite();
        for (source, loaded) in ready {
            match campaign(&source, vec![loaded], seeds.clone(), &self.options, &mut progress) {
                Ok((outcome, ended)) => {
                    if self.options.shard.is_none() {
                        suite.add(&outcome.outcome);
                    }
                    exit = exit.worst(ended).worst(self.told(&outcome, ink));
                }
                Err(refused) => {
                    let named = source.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
                    suite.refuse(&named, self.variant.as_deref(), UNRECORDED);
                    exit = exit.worst(refused);
                }
            }
        }
        exit.worst(self.options.suite(&suite))
    }
}

impl Run {
    /// Prints what came out, and verifies it where that was asked for.
    fn told(&self, reported: &Reported, ink: Ink) -> Exit {
        if let Some(shard) = self.options.shard {
            return super::shard::told(reported, shard, &self.options);
        }
        self.options.report(reported, ink);
        let verify = self.verify && reported.outcome.incomplete.is_none();
        if verify { self.verified(&reported.outcome) } else { Exit::PASS }
    }

    /// The same runs by another process, with another number of jobs.
    fn verified(&self, outcome: &CampaignOutcome) -> Exit {
        let variant = outcome.variants.first().expect("a campaign of `run` has one variant");
        let path = (!outcome.invocation.file.is_empty()).then(|| PathBuf::from(&outcome.invocation.file));
        let which = Which {
            file: path,
            variant: Some(variant.plan.variant.clone()),
            set: self.options.set.clone(),
            max_events: self.options.max_events,
            ..Which::default()
        };
        let jobs = verify::other_jobs(self.options.jobs());
        let there = match verify::campaign_again(&which, &(outcome.seeds.0..outcome.seeds.1), jobs) {
            Ok(there) => there,
            Err(exit) => return exit,
        };
        let here = verify::rows_of(&serde_json::json!({ "runs": result::run_rows(variant) }));
        let sides = ["this process".to_owned(), format!("another process, jobs: {jobs}")];
        let comparison =
            verify::Comparison { scenario: &outcome.scenario, sides, here: &here, there: &there, which: &which };
        match self.options.format {
            Format::Human => comparison.conclude(&format!("again in another process with jobs: {jobs}")),
            Format::Json | Format::Ndjson => comparison.mismatch().unwrap_or(Exit::PASS),
        }
    }
}

/// Compiles a variant; what is wrong is told at once.
pub(crate) fn compiled(source: &Source, variant: Option<&str>, set: &[String], ink: Ink) -> Result<Loaded, Exit> {
    let request = Request { variant, set };
    source.scenario.plan(&request).map_err(|diagnostics| files::refuse(&diagnostics, ink))
}

/// Compiles a variant, and tells what its author may want to know.
pub(crate) fn plan(source: &Source, variant: Option<&str>, options: &Options, ink: Ink) -> Result<Loaded, Exit> {
    let mut loaded = compiled(source, variant, &options.set, ink)?;
    loaded.plan.judged_on = (!loaded.plan.accepted.is_empty()).then(|| options.ci.today());
    if !loaded.notes.is_empty() && !options.quiet {
        tell(&format!("{}\n", render(&loaded.notes, source.scenario.sources(), ink == Ink::Colored)));
    }
    Ok(loaded)
}

fn budget(text: &str) -> Result<Share, String> {
    let share = quantity::share(text)?;
    if share.fraction() <= 0.0 || share.fraction() >= 1.0 {
        return Err(
            "no number of runs shows a rate of zero, and any shows one below all: expected such as 1%".to_owned()
        );
    }
    Ok(share)
}

impl Options {
    /// The seeds that were named, or so many.
    pub fn seeds(&self, most: u64) -> Range<u64> {
        let most = if self.until_decided { MOST } else { most };
        self.seeds.clone().unwrap_or(1..1 + most)
    }

    /// Writes what is asked for of the whole suite.
    pub fn suite(&self, suite: &Suite) -> Exit {
        let stdout = match self.format {
            Format::Human => Stdout::ForPeople,
            Format::Json | Format::Ndjson => Stdout::Document,
        };
        emit::whole(&self.emit, suite, &self.ci, stdout)
    }

    /// Prints the result as asked for. What it comes to was decided before.
    fn report(&self, reported: &Reported, ink: Ink) {
        match self.format {
            Format::Human => print(&terminal::render(&reported.outcome, reported.report.as_deref(), ink)),
            Format::Json => print(&result::render(&reported.outcome)),
            Format::Ndjson => print(&one_line(&result::render(&reported.outcome))),
        }
    }
}

/// A JSON document on one line.
pub(crate) fn one_line(document: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(document).expect("result.json is JSON");
    format!("{value}\n")
}
