//! Reading scenario files and what they include, bounded.

use super::{Exit, tell};
use crate::report::folder;
use crate::report::terminal::Ink;
use crate::scenario::problem::render;
use crate::scenario::tree::LARGEST_FILE;
use crate::scenario::{Diagnostics, EMBEDDED, Scenario};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A scenario and where it came from.
pub(crate) struct Source {
    pub scenario: Scenario,
    /// As the user named it; `None` for the embedded one.
    pub path: Option<PathBuf>,
    pub text: String,
    /// The other files it reads, by the paths it names them with.
    pub inputs: Vec<(String, Vec<u8>)>,
}

/// Reads a file, or the embedded scenario where none is named. What is wrong is told at once.
pub(crate) fn read(path: Option<&Path>, set: &[String], ink: Ink) -> Result<Source, Exit> {
    match source(path, set) {
        Ok(source) => Ok(source),
        Err(Unreadable::File(why)) => {
            tell(&format!("error: {why}\n"));
            Err(Exit::USAGE)
        }
        Err(Unreadable::Scenario(diagnostics)) => Err(refuse(&diagnostics, ink)),
    }
}

/// The same; what is wrong is not told.
pub(crate) fn read_quietly(path: Option<&Path>, set: &[String]) -> Option<Scenario> {
    source(path, set).ok().map(|source| source.scenario)
}

enum Unreadable {
    File(String),
    Scenario(Diagnostics),
}

fn source(path: Option<&Path>, set: &[String]) -> Result<Source, Unreadable> {
    let (name, bytes) = match path {
        None => ("split-brain.yaml (embedded)".to_owned(), EMBEDDED.as_bytes().to_vec()),
        Some(path) => {
            let bytes = bounded(path).map_err(|why| Unreadable::File(format!("{}: {why}", path.display())))?;
            (path.display().to_string(), bytes)
        }
    };
    let beside = path.and_then(Path::parent).unwrap_or(Path::new("")).to_owned();
    let mut inputs: Vec<(String, Vec<u8>)> = Vec::new();
    let mut include = |wanted: &str| {
        let place = folder::kept_input(&beside, wanted).unwrap_or_else(|| beside.join(wanted));
        let bytes = bounded(&place).map_err(|why| why.to_string())?;
        if inputs.iter().all(|(known, _)| known != wanted) {
            inputs.push((wanted.to_owned(), bytes.clone()));
        }
        Ok(bytes)
    };
    let scenario = Scenario::read_for(&name, &bytes, set, &mut include).map_err(Unreadable::Scenario)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Source { scenario, path: path.map(Path::to_owned), text, inputs })
}

/// At most one byte more than a scenario file may have, so that a huge file costs neither time nor memory.
fn bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Prints what is wrong with a file.
pub(crate) fn refuse(diagnostics: &Diagnostics, ink: Ink) -> Exit {
    tell(&render(&diagnostics.problems, &diagnostics.sources, ink == Ink::Colored));
    tell("\n");
    Exit::USAGE
}

/// Scenario files under a path: itself, or every `.yaml`, `.yml` and `.json` file below a folder that says
/// `windtunnel:`, in the order of their names.
pub(crate) fn scenarios_under(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            found.extend(scenarios_under(&entry)?);
        } else if is_scenario(&entry) {
            found.push(entry);
        }
    }
    Ok(found)
}

fn is_scenario(path: &Path) -> bool {
    let by_name = path.extension().is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|known| ending == *known));
    let says_so = |text: &[u8]| {
        String::from_utf8_lossy(text).lines().any(|line| {
            let line = line.trim_start().trim_start_matches(['{', '"', ' ']);
            line.strip_prefix("windtunnel")
                .is_some_and(|rest| rest.trim_start_matches('"').trim_start().starts_with(':'))
        })
    };
    by_name && bounded(path).is_ok_and(|text| says_so(&text))
}
