//! `--emit FORMAT=FILE`: one format to a file of one's choice, of one campaign or over the whole suite; and what GitHub
//! Actions is told without being asked.

use super::ci::{Ci, Inconclusive};
use super::{Exit, print, tell};
use crate::campaign::CampaignOutcome;
use crate::report::suite::{self, Doubt, Suite, github, step_summary};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A format and where it goes.
#[derive(Clone, Debug)]
pub(crate) struct Emit {
    format: Format,
    file: PathBuf,
}

#[derive(Clone, Copy)]
enum Format {
    Campaign(&'static crate::report::Format),
    Suite(&'static suite::Format),
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Format::Campaign(format) => format.name,
            Format::Suite(format) => format.name,
        }
    }

    fn named(name: &str) -> Option<Format> {
        let campaign = crate::report::named(name).map(Format::Campaign);
        campaign.or_else(|| suite::named(name).map(Format::Suite))
    }
}

/// The name of every format, those of a campaign first.
pub(crate) fn names() -> Vec<&'static str> {
    let campaigns = crate::report::ALL.iter().map(|format| format.name);
    campaigns.chain(suite::ALL.iter().map(|format| format.name)).collect()
}

/// Reads `FORMAT=FILE`.
pub(crate) fn emitted(text: &str) -> Result<Emit, String> {
    let (name, file) = text.split_once('=').ok_or_else(|| format!("expected FORMAT=FILE, found `{text}`"))?;
    let format =
        Format::named(name).ok_or_else(|| format!("`{name}` is no format: expected one of {}", names().join(", ")))?;
    if file.is_empty() || file == "-" {
        return Err(format!(
            "expected {name}=FILE: standard output has the result as `--format` says, and annotations with `--ci github`"
        ));
    }
    Ok(Emit { format, file: file.into() })
}

/// What cannot be written: formats of one campaign for several files, or two formats into one file.
pub(crate) fn refused(emits: &[Emit], scenarios: usize) -> Option<Exit> {
    let of_one = emits.iter().find(|emit| matches!(emit.format, Format::Campaign(_)));
    if let (Some(emit), true) = (of_one, scenarios > 1) {
        let name = emit.format.name();
        let whole: Vec<&str> = suite::ALL.iter().map(|format| format.name).collect();
        tell(&format!(
            "error: --emit {name} takes one scenario file: several would be written over each other; \
             {} are of the whole suite, and {name} is in the folder of each report\n",
            whole.join(", ")
        ));
        return Some(Exit::USAGE);
    }
    let mut twice =
        emits.iter().enumerate().filter(|(at, emit)| emits[..*at].iter().any(|other| other.file == emit.file));
    twice.next().map(|(_, emit)| {
        tell(&format!("error: two --emit would write over each other in {}\n", emit.file.display()));
        Exit::USAGE
    })
}

/// Writes the formats of one campaign.
pub(crate) fn campaign(emits: &[Emit], outcome: &CampaignOutcome) -> Exit {
    let mut exit = Exit::PASS;
    for emit in emits {
        if let Format::Campaign(format) = emit.format {
            exit = exit.worst(write(&emit.file, &(format.render)(outcome)));
        }
    }
    exit
}

/// Writes the formats of the whole suite, and tells GitHub Actions where it listens.
pub(crate) fn whole(emits: &[Emit], suite: &Suite, ci: &Ci, stdout: Stdout) -> Exit {
    let mut exit = Exit::PASS;
    for emit in emits {
        if let Format::Suite(format) = emit.format {
            exit = exit.worst(write(&emit.file, &(format.render)(suite)));
        }
    }
    if ci.is_on_github() {
        let commands = github::render(suite);
        match stdout {
            Stdout::ForPeople => print(&commands),
            // The runner reads both, and a document stays one.
            Stdout::Document => tell(&commands),
        }
        if let Some(file) = ci.step_summary() {
            exit = exit.worst(append(file, suite));
        }
    }
    exit
}

/// Whether standard output is read by people or is a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stdout {
    ForPeople,
    Document,
}

impl Ci {
    /// A suite in which inconclusive rows weigh what was asked for.
    pub fn suite(&self) -> Suite {
        Suite::new(match self.inconclusive {
            Inconclusive::Fail => Doubt::Fails,
            Inconclusive::Warn => Doubt::Warns,
        })
    }
}

fn write(file: &Path, text: &str) -> Exit {
    match std::fs::write(file, text) {
        Ok(()) => Exit::PASS,
        Err(why) => not_written(file, &why),
    }
}

/// Appends to the summary of the step, which other commands of the step may have begun.
fn append(file: &Path, suite: &Suite) -> Exit {
    let begun = std::fs::metadata(file).map_or(0, |there| usize::try_from(there.len()).unwrap_or(usize::MAX));
    let text = step_summary::render_within(suite, step_summary::LARGEST.saturating_sub(begun));
    let appended = OpenOptions::new().create(true).append(true).open(file);
    match appended.and_then(|mut open| open.write_all(text.as_bytes())) {
        Ok(()) => Exit::PASS,
        Err(why) => not_written(file, &why),
    }
}

fn not_written(file: &Path, why: &std::io::Error) -> Exit {
    tell(&format!("error: {} could not be written: {why}\n", file.display()));
    Exit::NOT_WRITTEN
}
