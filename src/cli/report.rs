//! `windtunnel report`: what is done with results that are there already.

use super::Exit;
use super::merge::Merge;
use crate::report::terminal::Ink;
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Report {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Put the shards of a campaign together: the same report, to the byte, as if one machine had made all the runs.
    Merge(Merge),
}

impl Report {
    pub fn run(self, ink: Ink) -> Exit {
        match self.what {
            What::Merge(merge) => merge.run(ink),
        }
    }
}
