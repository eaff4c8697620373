//! The same runs again in a separate process with another number of jobs, and what is said where they differ.

use super::locate::locate;
use super::which::Which;
use super::{Exit, print, stop, tell};
use crate::report::mismatch::{self, Came, Mismatch, Search};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;
use std::process::{Command, Stdio};

/// The rows of `runs` in a `result.json`, or in the answer of another process.
pub(crate) type Rows = Vec<Value>;

/// Another number of jobs than this one.
pub(crate) fn other_jobs(jobs: usize) -> usize {
    if jobs == 1 { 2 } else { 1 }
}

/// The runs of a document in the shape of `result.json`.
pub(crate) fn rows_of(document: &Value) -> Rows {
    document["runs"].as_array().cloned().unwrap_or_default()
}

/// A run's variant and seed.
pub(crate) fn key_of(row: &Value) -> (&str, u64) {
    (row["variant"].as_str().unwrap_or_default(), row["seed"].as_u64().unwrap_or_default())
}

/// The same seeds again by `windtunnel run` in another process.
pub(crate) fn campaign_again(which: &Which, seeds: &Range<u64>, jobs: usize) -> Result<Rows, Exit> {
    let mut words: Vec<OsString> = vec!["run".into()];
    words.extend(Which { seed: None, ..which.clone() }.arguments());
    let seeds = format!("{}..{}", seeds.start, seeds.end);
    let jobs = jobs.to_string();
    let options = ["--seeds", &seeds, "--jobs", &jobs, "--no-report", "--quiet", "--format", "ndjson"];
    words.extend(options.map(OsString::from));
    answer_of(&words)
}

/// The same run again by `windtunnel replay` in another process, with another one beside it.
pub(crate) fn run_again(which: &Which) -> Result<Rows, Exit> {
    let mut words: Vec<OsString> = vec!["replay".into()];
    words.extend(which.arguments());
    words.extend(["--beside", "1", "--format", "json"].map(OsString::from));
    answer_of(&words)
}

fn answer_of(words: &[OsString]) -> Result<Rows, Exit> {
    let failed = |why: String| {
        tell(&format!("error: the runs could not be made again in another process: {why}\n"));
        Exit::INTERNAL
    };
    let program = std::env::current_exe().map_err(|why| failed(why.to_string()))?;
    let output = Command::new(program).args(words).stdin(Stdio::null()).output();
    let output = output.map_err(|why| failed(why.to_string()))?;
    if let Some(code @ (130 | 143)) = output.status.code() {
        return Err(Exit(u8::try_from(code).expect("130 and 143 are small")));
    }
    let document: Value = serde_json::from_slice(&output.stdout).map_err(|why| {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        failed(format!("{}; {why}; it said: {said}", output.status))
    })?;
    Ok(rows_of(&document))
}

/// Two sets of the same runs, by who made them.
pub(crate) struct Comparison<'a> {
    pub scenario: &'a str,
    pub sides: [String; 2],
    pub here: &'a Rows,
    pub there: &'a Rows,
    /// The run without its seed and variant, for looking for the first differing event.
    pub which: &'a Which,
}

impl Comparison<'_> {
    /// Says what differs, with the first differing event of the first run that does, where it can be found. `None`
    /// where nothing differs.
    pub fn mismatch(&self) -> Option<Exit> {
        let differing = self.differing();
        let Differing { key: (variant, seed), here, there } = *differing.first()?;
        let which = Which { seed: Some(seed), variant: Some(variant.to_owned()), ..self.which.clone() };
        let came = [here.map(came_of), there.map(came_of)];
        let also = match (here, there) {
            (Some(here), Some(there)) if came[0] == came[1] => other_differences(here, there),
            (Some(_) | None, Some(_) | None) => Vec::new(),
        };
        let search: Option<Search> = also.is_empty().then(|| locate(&which, &stop::signals().requested));
        let interrupted = if search == Some(Search::Interrupted) { stop::signals().exit() } else { None };
        let of = format!("{}:{variant}", self.scenario);
        tell(&mismatch::render(&Mismatch { of, seed, sides: self.sides.clone(), came, also, search }));
        if differing.len() > 1 {
            let more = differing[1..].iter().map(|Differing { key: (variant, seed), .. }| format!("{variant} {seed}"));
            tell(&format!("\n  differing, too: {}\n", more.collect::<Vec<_>>().join(", ")));
        }
        Some(interrupted.unwrap_or(Exit::MISMATCH))
    }

    /// Says that nothing differs, or what does.
    pub fn conclude(&self, what: &str) -> Exit {
        if let Some(exit) = self.mismatch() {
            return exit;
        }
        let runs = crate::report::number::runs(self.here.len() as u64);
        let text = format!("verified  {runs} {what}: the same events, draws, ends and digests\n");
        print(&crate::report::number::with_plain_spaces(&text));
        Exit::PASS
    }

    /// The runs that differ, those of this side in its order, then those that only the other one has.
    fn differing(&self) -> Vec<Differing<'_>> {
        let mut there: BTreeMap<(&str, u64), &Value> = self.there.iter().map(|row| (key_of(row), row)).collect();
        let here = self.here.iter().map(|row| {
            let key = key_of(row);
            Differing { key, here: Some(row), there: there.remove(&key) }
        });
        let mut runs: Vec<Differing> = here.collect();
        runs.extend(there.into_iter().map(|(key, row)| Differing { key, here: None, there: Some(row) }));
        runs.retain(|run| run.here != run.there);
        runs
    }
}

/// A run as both sides have it; `None` where one has not.
#[derive(Clone, Copy, Debug)]
struct Differing<'a> {
    /// Its variant and seed.
    key: (&'a str, u64),
    here: Option<&'a Value>,
    there: Option<&'a Value>,
}

fn came_of(row: &Value) -> Came {
    let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let number = |field: &str| row[field].as_u64().unwrap_or_default();
    Came { events: number("events"), draws: number("draws"), end: text("end"), digest: text("digest") }
}

/// Fields other than those of the digest: equal runs that were judged or measured differently.
fn other_differences(here: &Value, there: &Value) -> Vec<String> {
    let (Some(here), Some(there)) = (here.as_object(), there.as_object()) else { return Vec::new() };
    let differing = here.iter().filter(|(field, value)| there.get(*field) != Some(*value));
    let told = |(field, value): (&String, &Value)| {
        format!("{field}: {value}, and {}", there.get(field).unwrap_or(&Value::Null))
    };
    differing.map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(seed: u64, digest: &str) -> Value {
        json!({ "variant": "base", "seed": seed, "digest": digest, "events": 5, "draws": 3, "end": "9s" })
    }

    fn compared(here: Rows, there: Rows) -> Vec<(String, u64)> {
        let which = Which::default();
        let sides = [String::new(), String::new()];
        let comparison = Comparison { scenario: "s", sides, here: &here, there: &there, which: &which };
        comparison.differing().iter().map(|run| (run.key.0.to_owned(), run.key.1)).collect()
    }

    #[test]
    fn a_run_differs_by_its_digest_and_by_its_absence() {
        assert_eq!(compared(vec![row(1, "a"), row(2, "b")], vec![row(2, "b"), row(1, "a")]), []);
        assert_eq!(compared(vec![row(1, "a"), row(2, "b")], vec![row(1, "a"), row(2, "c")]), [("base".to_owned(), 2)]);
        assert_eq!(compared(vec![row(1, "a")], vec![]), [("base".to_owned(), 1)]);
        assert_eq!(compared(vec![], vec![row(3, "a")]), [("base".to_owned(), 3)]);
    }

    #[test]
    fn runs_with_one_digest_may_still_differ_in_what_was_made_of_them() {
        let mut judged = row(1, "a");
        judged["verdicts"] = json!({ "split-brain": "holds" });
        let mut otherwise = row(1, "a");
        otherwise["verdicts"] = json!({ "split-brain": "violated" });
        let told = other_differences(&judged, &otherwise);
        assert_eq!(told, [r#"verdicts: {"split-brain":"holds"}, and {"split-brain":"violated"}"#]);
    }
}
