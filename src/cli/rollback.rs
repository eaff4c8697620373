//! `windtunnel rollback`: after each step of a rollout, what the ways back would leave, until when, and who must act.

use super::{Exit, files, print, stop, tell};
use crate::report::rollback;
use crate::report::terminal::Ink;
use crate::run::rollback::ways_back;
use crate::scenario::Request;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// From a checkpoint after each step three futures are tried: one step back, all the way back, and a kill to the safe
/// stage. Exit code 4: nothing is rolled out.
#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The scenario file; none: the embedded one.
    file: Option<PathBuf>,
    /// The seed of the run whose futures are tried.
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    /// A variant of the file instead of the file as it is.
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Set a parameter or a key.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// A table for people, or JSON for other tools.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

impl Rollback {
    pub fn run(self, ink: Ink) -> Exit {
        let source = match files::read(self.file.as_deref(), &self.set, ink) {
            Ok(source) => source,
            Err(exit) => return exit,
        };
        let plan = match source.scenario.plan(&Request { variant: self.variant.as_deref(), set: &self.set }) {
            Ok(loaded) => loaded.plan,
            Err(diagnostics) => return files::refuse(&diagnostics, ink),
        };
        if plan.estate.rollouts.is_empty() {
            tell("error: nothing selected: the scenario rolls nothing out, so that there is nothing to roll back\n");
            return Exit::NOTHING_SELECTED;
        }
        let stop = stop::signals();
        let Some(found) = ways_back(&plan, self.seed, &stop.requested) else {
            return stop.exit().unwrap_or(Exit::INTERNAL);
        };
        print(&match self.format {
            Format::Human => rollback::table(&plan, self.seed, &found),
            Format::Json => rollback::json(&plan, self.seed, &found),
        });
        Exit::PASS
    }
}
