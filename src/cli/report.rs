//! `windtunnel report`: what is done with results that are there already.

use super::merge::Merge;
use super::{Exit, baseline, print};
use crate::report::baseline::table;
use crate::report::terminal::Ink;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Report {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Put the shards of a campaign together: the same report, to the byte, as if one machine had made all the runs.
    Merge(Merge),
    /// Print golden numbers as a table in Markdown.
    Numbers {
        /// The folder that `windtunnel test --bless` wrote.
        #[arg(default_value = baseline::FOLDER)]
        folder: PathBuf,
    },
}

impl Report {
    pub fn run(self, ink: Ink) -> Exit {
        match self.what {
            What::Merge(merge) => merge.run(ink),
            What::Numbers { folder } => match baseline::all(&folder) {
                Ok(scenarios) => {
                    print(&table(&scenarios));
                    Exit::PASS
                }
                Err(refused) => refused,
            },
        }
    }
}
