//! `windtunnel check`: every mistake of a file in one go, without running anything.

use super::{Exit, files, print};
use crate::report::terminal::Ink;
use crate::scenario::problem::render;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Scenario files or folders.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

impl Check {
    pub fn run(self, ink: Ink) -> Exit {
        let mut exit = Exit::PASS;
        let mut checked = 0;
        for path in &self.paths {
            let found = match files::scenarios_under(path) {
                Ok(found) => found,
                Err(why) => {
                    super::tell(&format!("error: {}: {why}\n", path.display()));
                    exit = exit.worst(Exit::USAGE);
                    continue;
                }
            };
            for file in found {
                checked += 1;
                exit = exit.worst(one(&file, ink));
            }
        }
        if checked == 0 && exit == Exit::PASS {
            super::tell("error: nothing selected: no scenario file below these paths\n");
            return Exit::NOTHING_SELECTED;
        }
        exit
    }
}

fn one(file: &std::path::Path, ink: Ink) -> Exit {
    let source = match files::read(Some(file), &[], ink) {
        Ok(source) => source,
        Err(exit) => return exit,
    };
    let problems = source.scenario.check();
    if !problems.is_empty() {
        super::tell(&render(&problems, source.scenario.sources(), ink == Ink::Colored));
        super::tell("\n");
    }
    if problems.iter().any(|problem| problem.is_blocking()) {
        return Exit::USAGE;
    }
    let variants = source.scenario.variants().len();
    let and = match variants {
        0 => String::new(),
        1 => " and its variant".to_owned(),
        many => format!(" and its {many} variants"),
    };
    print(&format!("{}: {}{and} can run\n", file.display(), source.scenario.name()));
    Exit::PASS
}
