//! `windtunnel test`: every scenario and variant against its `expect`.

use super::baseline::Baseline;
use super::campaign::{Progress, campaign};
use super::emit;
use super::files;
use super::run::{Format, Options, one_document_only, one_line, plan};
use super::stop::signals;
use super::{Exit, print, tell};
use crate::campaign::{CampaignOutcome, verdict};
use crate::report::result;
use crate::report::sentence;
use crate::report::suite::Suite;
use crate::report::terminal::{self, Ink};
use clap::Args;
use std::path::PathBuf;

/// Seeds when none are named: what the project's own CI runs.
const SEEDS: u64 = 20;

/// Why a file is in a suite's reports without a result; what is wrong was printed with its place.
const REFUSED: &str = "not run: the scenario is wrong, and the log says where; `windtunnel check` says it again";

/// Why it is where its record stands in the way.
pub(super) const UNRECORDED: &str =
    "not run: its record is broken, in use or of another campaign, and the log says which";

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Scenario files or folders; none: `scenarios`.
    paths: Vec<PathBuf>,
    /// Only scenarios and variants whose `scenario:variant` contains this.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    #[command(flatten)]
    baseline: Baseline,
    #[command(flatten)]
    options: Options,
}

impl Test {
    pub fn run(mut self, ink: Ink) -> Exit {
        self.options.ci.is_test = true;
        let paths = if self.paths.is_empty() { vec![PathBuf::from("scenarios")] } else { self.paths.clone() };
        let mut exit = Exit::PASS;
        let mut judged = 0;
        let mut files = Vec::new();
        for path in &paths {
            match files::scenarios_under(path) {
                Ok(found) => files.extend(found),
                Err(why) => {
                    tell(&format!("error: {}: {why}\n", path.display()));
                    exit = exit.worst(Exit::USAGE);
                }
            }
        }
        if let Some(refused) = emit::refused(&self.options.emit, files.len()) {
            return refused;
        }
        if files.len() > 1 && self.options.format == Format::Json {
            return one_document_only();
        }
        let mut progress = Progress::start();
        let mut suite = self.options.ci.suite();
        for file in files {
            if signals().exit().is_some() {
                suite.refuse(&file.display().to_string(), None, "not run: interrupted before");
                continue;
            }
            exit = exit.worst(self.one(&file, &mut judged, &mut progress, &mut suite, ink));
        }
        exit = exit.worst(self.options.suite(&suite));
        if judged == 0 && exit == Exit::PASS {
            tell("error: nothing selected: no scenario, or none that the filter lets through\n");
            return Exit::NOTHING_SELECTED;
        }
        exit
    }

    fn one(
        &self,
        file: &std::path::Path,
        judged: &mut usize,
        progress: &mut Progress,
        suite: &mut Suite,
        ink: Ink,
    ) -> Exit {
        let named = file.display().to_string();
        let source = match files::read(Some(file), &self.options.set, ink) {
            Ok(source) => source,
            Err(exit) => {
                suite.refuse(&named, None, REFUSED);
                return exit;
            }
        };
        let mut exit = Exit::PASS;
        let mut loaded = Vec::new();
        let variants = source.scenario.variants();
        for variant in std::iter::once(None).chain(variants.iter().map(|name| Some(name.as_str()))) {
            let name = format!("{}:{}", source.scenario.name(), variant.unwrap_or("base"));
            if self.filter.as_ref().is_some_and(|filter| !name.contains(filter.as_str())) {
                continue;
            }
            match plan(&source, variant, &self.options, ink) {
                Ok(one) => loaded.push(one),
                Err(ended) => {
                    suite.refuse(&named, variant, REFUSED);
                    exit = exit.worst(ended);
                }
            }
        }
        if loaded.is_empty() {
            return exit;
        }
        *judged += loaded.len();
        if self.baseline.is_asked_for()
            && let Err(refused) = progress.alone(&source, "a file of golden numbers")
        {
            suite.refuse(&named, None, "not run: its name is that of another scenario");
            return exit.worst(refused);
        }
        let whole = loaded.len() == 1 + variants.len();
        let (reported, ended) = match campaign(&source, loaded, self.options.seeds(SEEDS), &self.options, progress) {
            Ok(done) => done,
            Err(refused) => {
                suite.refuse(&named, None, UNRECORDED);
                return exit.worst(refused);
            }
        };
        if let Some(shard) = self.options.shard {
            return exit.worst(ended).worst(super::shard::told(&reported, shard, &self.options));
        }
        suite.add(&reported.outcome);
        match self.options.format {
            Format::Human => lines(&reported.outcome, self.options.quiet, ink),
            Format::Json => print(&result::render(&reported.outcome)),
            Format::Ndjson => print(&one_line(&result::render(&reported.outcome))),
        }
        exit.worst(ended).worst(self.baseline.judge(&reported.outcome, whole))
    }
}

/// One line a variant, and how to see what is not as expected.
pub(crate) fn lines(outcome: &CampaignOutcome, quiet: bool, ink: Ink) {
    let strict = outcome.invocation.strict;
    for variant in &outcome.variants {
        let met = verdict::judge(variant, strict).iter().all(|row| row.judgement == verdict::Judgement::Met);
        if met && quiet {
            continue;
        }
        print(&terminal::one_line(variant, strict, ink));
        if !met && let Some(seed) = sentence::shown_seed(variant, strict) {
            print(&format!("    {}\n", sentence::replay(&outcome.invocation, &variant.plan.variant, seed)));
        }
    }
    if let Some(incomplete) = &outcome.incomplete {
        print(&format!("? {}  {}: this is not everything\n", outcome.scenario, incomplete.told()));
    }
    print(&terminal::over(outcome, ink));
}
