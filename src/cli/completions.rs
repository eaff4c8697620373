//! `windtunnel completions`: a completion script for a shell.

use super::{Cli, Exit, print};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

#[derive(Debug, Args)]
pub(crate) struct Completions {
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Exit {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "windtunnel", &mut script);
        print(&String::from_utf8_lossy(&script));
        Exit::PASS
    }
}
