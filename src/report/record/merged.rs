//! The records of shards as if they were one.

use super::{Corrupt, Reading, Writer};
use crate::campaign::Record;
use crate::run::summary::RunSummary;
use std::path::{Path, PathBuf};

/// Records that are read side by side, always the run with the smallest seed next; each is read once, front to back.
pub struct Merged {
    parts: Vec<Part>,
    /// Where the runs are written down again, as one record.
    into: Option<Writer>,
    wrong: Option<Wrong>,
}

struct Part {
    path: PathBuf,
    reading: Reading,
    next: Option<(String, RunSummary)>,
}

/// Why records could not be put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    Corrupt(Corrupt),
    /// Two records have one run, and it is not the same.
    Mismatch(String),
}

impl Merged {
    pub fn open(paths: Vec<PathBuf>, into: Option<Writer>) -> Result<Merged, Corrupt> {
        let mut parts = Vec::new();
        for path in paths {
            let mut reading = Reading::open(&path)?;
            let next = reading.next_run()?;
            parts.push(Part { path, reading, next });
        }
        Ok(Merged { parts, into, wrong: None })
    }

    /// All variants were asked for: what remains is a mistake.
    pub fn finish(self) -> Result<(Vec<PathBuf>, Option<Writer>), Wrong> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        if let Some(left) = self.parts.iter().find(|part| part.next.is_some()) {
            let why = "it has a run of a variant out of its order";
            return Err(Wrong::Corrupt(left.reading.corrupt(why)));
        }
        let unfinished = self.parts.iter().filter(|part| !part.reading.complete).map(|part| part.path.clone());
        Ok((unfinished.collect(), self.into))
    }

    /// The next run of a variant, of all records.
    fn next_of(&mut self, variant: &str) -> Option<RunSummary> {
        let of = |part: &Part| part.next.as_ref().filter(|(known, _)| known == variant).map(|(_, run)| run.seed);
        let seed = self.parts.iter().filter_map(of).min()?;
        let mut found: Option<(PathBuf, RunSummary)> = None;
        for part in &mut self.parts {
            if of(part) != Some(seed) {
                continue;
            }
            let (_, run) = part.next.take().expect("it was asked for its seed");
            match part.reading.next_run() {
                Ok(next) => part.next = next,
                Err(why) => self.wrong = self.wrong.take().or(Some(Wrong::Corrupt(why))),
            }
            match &found {
                Some((other, first)) if first.digest != run.digest => {
                    let why = mismatch(variant, seed, [other, &part.path], [&first.digest, &run.digest]);
                    self.wrong = self.wrong.take().or(Some(Wrong::Mismatch(why)));
                }
                // The same run twice: a task that was made again after all.
                Some(_) => {}
                None => found = Some((part.path.clone(), run)),
            }
        }
        found.map(|(_, run)| run)
    }
}

fn mismatch(variant: &str, seed: u64, paths: [&Path; 2], digests: [&str; 2]) -> String {
    let [one, other] = paths.map(Path::display);
    format!(
        "seed {seed} of {variant} is not the same run in two records: {} in {one}, {} in {other}",
        digests[0], digests[1]
    )
}

impl Record for Merged {
    fn finished(&mut self, variant: &str, each: &mut dyn FnMut(RunSummary)) {
        while let Some(run) = self.next_of(variant) {
            if let Some(into) = &mut self.into {
                into.add(variant, &run);
            }
            each(run);
        }
    }

    fn add(&mut self, variant: &str, run: &RunSummary) {
        if let Some(into) = &mut self.into {
            into.add(variant, run);
        }
    }
}
