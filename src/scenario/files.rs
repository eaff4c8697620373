//! Files that a scenario names besides its includes: flag files and samples. They are read once, with the scenario.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::problem::{Problem, Sources, Span};
use super::quantity;
use super::tree::{self, Kind, Node};
use crate::units::SimDuration;

/// What was read, by the path as the scenario writes it.
#[derive(Debug, Default)]
pub struct Files {
    flags: BTreeMap<String, Result<Node, Vec<Problem>>>,
    samples: BTreeMap<String, Result<Arc<[SimDuration]>, Problem>>,
}

/// How a scenario's reader gets at other files: the bytes, or why there are none.
pub type Reader<'r> = &'r mut dyn FnMut(&str) -> Result<Vec<u8>, String>;

/// Most files a scenario may name.
const MOST: usize = 100;
/// Most samples of one distribution.
const MOST_SAMPLES: usize = 1_000_000;

impl Files {
    /// Reads what `root` names and was not read before.
    pub fn collect(&mut self, root: &Node, sources: &mut Sources, read: Reader<'_>) {
        if let Some(node) = root.get("flags").and_then(|flags| flags.get("file"))
            && let Some(path) = node.as_text().filter(|_| !node.is_null())
            && !self.flags.contains_key(path)
            && self.len() < MOST
        {
            let tree = bytes_of(path, read)
                .map_err(|problem| vec![problem])
                .and_then(|bytes| tree::read(sources, path, &bytes));
            self.flags.insert(path.to_owned(), tree);
        }
        self.collect_samples(root, sources, read);
    }

    fn collect_samples(&mut self, node: &Node, sources: &mut Sources, read: Reader<'_>) {
        match &node.kind {
            Kind::Scalar(_) => {}
            Kind::List(items) => items.iter().for_each(|item| self.collect_samples(item, sources, read)),
            Kind::Map(entries) => {
                for entry in entries {
                    let path = entry.value.as_text().filter(|_| entry.name() == "empirical" && !entry.value.is_null());
                    match path {
                        Some(path) if !self.samples.contains_key(path) && self.len() < MOST => {
                            let samples = bytes_of(path, read).and_then(|bytes| samples_of(path, &bytes, sources));
                            self.samples.insert(path.to_owned(), samples);
                        }
                        Some(_) => {}
                        None => self.collect_samples(&entry.value, sources, read),
                    }
                }
            }
        }
    }

    fn len(&self) -> usize {
        self.flags.len() + self.samples.len()
    }

    pub fn flags(&self, path: &str) -> Option<&Result<Node, Vec<Problem>>> {
        self.flags.get(path)
    }

    pub fn samples(&self, path: &str) -> Option<Result<Arc<[SimDuration]>, &Problem>> {
        self.samples.get(path).map(|samples| samples.as_ref().map(Arc::clone))
    }

    /// Every flag file and sample by path, as text that does not depend on where it was read: for the hash.
    pub fn digest_of(&self, path: &str) -> Option<String> {
        if let Some(Ok(node)) = self.flags.get(path) {
            return Some(super::hash::canonical(node));
        }
        let samples = self.samples.get(path)?.as_ref().ok()?;
        Some(samples.iter().map(|sample| format!("{},", sample.nanos())).collect())
    }
}

/// What cannot be read is told without a place: it is given one where the file is asked for.
fn bytes_of(path: &str, read: Reader<'_>) -> Result<Vec<u8>, Problem> {
    read(path).map_err(|why| {
        Problem::error(None, format!("`{path}` cannot be read: {why}")).label("named here, relative to the scenario")
    })
}

/// A file that only `--set` names was not there to be read with the scenario.
pub fn was_not_read(path: &str, span: Span) -> Problem {
    Problem::error(span, format!("`{path}` was not read with the scenario"))
        .label("named here, relative to the scenario")
}

/// One duration a line, in any unit; an optional first line names the column.
fn samples_of(path: &str, bytes: &[u8], sources: &mut Sources) -> Result<Arc<[SimDuration]>, Problem> {
    if bytes.len() > tree::LARGEST_FILE || sources.len() >= Sources::MOST {
        return Err(Problem::error(None, format!("`{path}` is too large for a file of samples")));
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    let file = sources.add(path, text.clone());
    let mut samples = Vec::new();
    let mut start = 0_usize;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let value = line.trim();
        let at = u32::try_from(start + line.len() - line.trim_start().len()).unwrap_or(0);
        start += line.len();
        if value.is_empty() || value.starts_with('#') {
            continue;
        }
        match quantity::duration(value) {
            Ok(sample) if samples.len() < MOST_SAMPLES => samples.push(sample),
            Ok(_) => return Err(Problem::error(None, format!("`{path}` has more than {MOST_SAMPLES} samples"))),
            Err(_) if number == 0 => {}
            Err(expected) => {
                let end = at.saturating_add(u32::try_from(value.len()).unwrap_or(0));
                let problem = Problem::error(Span { file, start: at, end }, "a line that is no duration");
                return Err(problem.label(expected));
            }
        }
    }
    if samples.is_empty() {
        return Err(Problem::error(Span { file, start: 0, end: 0 }, format!("`{path}` has no samples")).label("empty"));
    }
    samples.sort_unstable();
    Ok(samples.into())
}
