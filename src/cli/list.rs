//! `windtunnel list`: what the language knows.

use super::{Exit, files, print};
use crate::campaign::mutate::operators;
use crate::campaign::sweep::laws;
use crate::models::metric;
use crate::report::terminal::Ink;
use crate::rollout::{strategy, vocabulary};
use crate::scenario::lint;
use crate::{faults, invariants, report};
use clap::Args;
use std::path::Path;

#[derive(Debug, Args)]
pub(crate) struct List {
    /// `invariants`, `faults`, `metrics`, `lints`, `formats`, `vocabularies`, `strategies`, `closed-forms`, `mutants`, or a scenario file or folder; none: all.
    what: Option<String>,
}

const CATALOGUES: [&str; 9] =
    ["invariants", "faults", "metrics", "lints", "formats", "vocabularies", "strategies", "closed-forms", "mutants"];

impl List {
    pub fn run(self, ink: Ink) -> Exit {
        match self.what.as_deref() {
            None => {
                for what in CATALOGUES {
                    print(&format!("{what}\n{}\n", catalogue(what)));
                }
                Exit::PASS
            }
            Some(what) if CATALOGUES.contains(&what) => {
                print(&catalogue(what));
                Exit::PASS
            }
            Some(path) if Path::new(path).exists() => scenarios(Path::new(path), ink),
            Some(other) => {
                super::tell(&format!("error: `{other}` is neither a file nor one of {}\n", CATALOGUES.join(", ")));
                Exit::USAGE
            }
        }
    }
}

fn catalogue(what: &str) -> String {
    let lint = |lint: &&lint::Lint| format!("  {}  {:33}  {}\n", lint.code, lint.name, lint.sentence);
    if what == "lints" {
        return lint::ALL.iter().map(lint).collect();
    }
    if what == "vocabularies" {
        let shipped = vocabulary::ALL.iter();
        return shipped.map(|entry| format!("  stages: {:9}  {}\n", entry.name, entry.sentence)).collect();
    }
    if what == "formats" {
        return formats();
    }
    if what == "closed-forms" {
        let width = laws::ALL.iter().map(|law| law.name.len()).max().unwrap_or(0);
        return laws::ALL.iter().map(|law| format!("  {:width$}  {}: {}\n", law.name, law.of, law.formula)).collect();
    }
    let rows: Vec<(&str, &str)> = match what {
        "invariants" => invariants::ALL.iter().map(|entry| (entry.name, entry.sentence)).collect(),
        "faults" => faults::ALL.iter().map(|fault| (fault.name(), fault.sentence())).collect(),
        "strategies" => strategy::ALL.iter().map(|entry| (entry.name, entry.sentence)).collect(),
        "mutants" => operators::ALL.iter().map(|operator| (operator.name, operator.sentence)).collect(),
        _ => metric::ALL.iter().map(|metric| (metric.name, metric.formula)).collect(),
    };
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter().map(|(name, sentence)| format!("  {name:width$}  {sentence}\n")).collect()
}

/// Formats of one scenario, then those of any number.
fn formats() -> String {
    let campaigns = report::ALL.iter().map(|format| ("one scenario", format.name, format.sentence));
    let suites = report::suite::ALL.iter().map(|format| ("whole suite", format.name, format.sentence));
    campaigns.chain(suites).map(|(of, name, sentence)| format!("  {of:12}  {name:8}  {sentence}\n")).collect()
}

fn scenarios(path: &Path, ink: Ink) -> Exit {
    let Ok(found) = files::scenarios_under(path) else {
        super::tell(&format!("error: {} cannot be read\n", path.display()));
        return Exit::USAGE;
    };
    let mut exit = if found.is_empty() { Exit::NOTHING_SELECTED } else { Exit::PASS };
    for file in found {
        match files::read(Some(&file), &[], ink) {
            Ok(source) => {
                let variants = source.scenario.variants();
                let names: Vec<&str> = std::iter::once("base").chain(variants.iter().map(String::as_str)).collect();
                print(&format!("{}  {}\n    {}\n", file.display(), names.join(", "), source.scenario.summary()));
            }
            Err(ended) => exit = exit.worst(ended),
        }
    }
    exit
}
