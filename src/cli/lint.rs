//! `windtunnel lint`: what in a rollout is known to hurt, or is more than it needs, without running anything.

use super::{Exit, files, print, tell};
use crate::report::terminal::Ink;
use crate::scenario::lint::{self, Finding};
use crate::scenario::problem::nearest;
use clap::Args;
use std::path::{Path, PathBuf};

/// Warnings are known ways to get hurt and fail the command; advice is worth knowing and does not.
///
/// Exit codes: 0 without findings or with advice only; 1 with a warning, or with advice that `--deny` names; 2 where a
/// scenario cannot be read.
#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// Scenario files or folders; each is looked at in all its variants.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Advice that fails as a warning does: `advice` for all of it, or the code or name of a rule.
    #[arg(long, value_name = "WHAT")]
    deny: Vec<String>,
    /// The code or name of a rule whose findings are not told.
    #[arg(long, value_name = "RULE")]
    allow: Vec<String>,
}

/// What `--deny` takes for all advice.
const ADVICE: &str = "advice";

impl Lint {
    pub fn run(self, ink: Ink) -> Exit {
        let named = self.deny.iter().filter(|name| *name != ADVICE).chain(&self.allow);
        for name in named {
            if lint::named(name).is_none() {
                let known = lint::ALL.iter().flat_map(|lint| [lint.code, lint.name]);
                let hint = nearest(name, known).map_or_else(
                    || "`windtunnel list lints` prints every one".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                tell(&format!("error: no rule is called `{name}`: {hint}\n"));
                return Exit::USAGE;
            }
        }
        let mut exit = Exit::PASS;
        let mut seen = 0;
        for path in &self.paths {
            let found = match files::scenarios_under(path) {
                Ok(found) => found,
                Err(why) => {
                    tell(&format!("error: {}: {why}\n", path.display()));
                    exit = exit.worst(Exit::USAGE);
                    continue;
                }
            };
            for file in found {
                seen += 1;
                exit = exit.worst(self.one(&file, ink));
            }
        }
        if seen == 0 && exit == Exit::PASS {
            tell("error: nothing selected: no scenario file below these paths\n");
            return Exit::NOTHING_SELECTED;
        }
        exit
    }

    fn one(&self, file: &Path, ink: Ink) -> Exit {
        let source = match files::read(Some(file), &[], ink) {
            Ok(source) => source,
            Err(exit) => return exit,
        };
        let found = match lint::lint(&source.scenario) {
            Ok(found) => found,
            Err(diagnostics) => return files::refuse(&diagnostics, ink),
        };
        let found: Vec<Finding> = found.into_iter().filter(|finding| !names(&self.allow, finding)).collect();
        print(&lint::render(&found, source.scenario.sources(), ink == Ink::Colored));
        let warnings = found.iter().filter(|finding| !finding.is_advice()).count();
        let plural = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        let summary = match (warnings, found.len() - warnings) {
            (0, 0) => "nothing to say".to_owned(),
            (0, advice) => plural(advice, "piece of advice", "pieces of advice"),
            (warnings, 0) => plural(warnings, "warning", "warnings"),
            (warnings, advice) => format!(
                "{}, {}",
                plural(warnings, "warning", "warnings"),
                plural(advice, "piece of advice", "pieces of advice")
            ),
        };
        print(&format!("{}: {summary}\n", file.display()));
        let counts = |finding: &Finding| {
            !finding.is_advice() || self.deny.iter().any(|name| name == ADVICE) || names(&self.deny, finding)
        };
        if found.iter().any(counts) { Exit::FAIL } else { Exit::PASS }
    }
}

/// Whether a list names the rule of a finding.
fn names(list: &[String], finding: &Finding) -> bool {
    list.iter().filter_map(|name| lint::named(name)).any(|lint| lint.code == finding.code())
}
