//! `runs.ndjson`: the record of a campaign, one run a line, written as the runs are made.
//!
//! A campaign that was killed goes on from its record, shards are merged from theirs, and recorded runs are compared
//! without being made again. The first line says which campaign it is, the last one that nothing is missing. Every line
//! begins with a check over the rest of it, so that what a broken disk or an editor did to it is noticed.

mod line;
pub mod merged;
mod words;

use crate::campaign::Record;
use crate::campaign::seeds::{By, Shard};
use crate::kernel::digest::hash_bytes;
use crate::run::summary::RunSummary;
use line::Line;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The name of a record in its folder.
pub const FILE: &str = "runs.ndjson";
/// The version of this form.
const VERSION: u32 = 1;

/// Which campaign a record is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub record: u32,
    /// The version of windtunnel that made the runs.
    pub windtunnel: String,
    pub scenario: String,
    /// The scenario file as it was named; empty for the embedded one.
    pub file: String,
    /// `--set`, in order.
    pub set: Vec<(String, String)>,
    pub strict: bool,
    /// `--until-decided`: its budget.
    pub budget: Option<f64>,
    pub max_events: Option<u64>,
    /// The day by which accepted violations are judged, where there are any.
    pub today: Option<String>,
    /// All variants of the scenario are tested.
    pub whole: bool,
    /// The place of the file among those of one command.
    pub nth: u64,
    /// Half-open, of the whole campaign.
    pub seeds: (u64, u64),
    /// Every variant with the hash of what decides its outcome, in order.
    pub variants: Vec<(String, String)>,
    pub shard: Option<ShardRow>,
}

/// A shard as the header writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardRow {
    pub by: String,
    pub k: u64,
    pub of: u64,
}

impl From<Shard> for ShardRow {
    fn from(shard: Shard) -> Self {
        ShardRow { by: shard.by.name().to_owned(), k: shard.k, of: shard.of }
    }
}

impl ShardRow {
    pub fn shard(&self) -> Result<Shard, String> {
        let by = match self.by.as_str() {
            "slice" => By::Slice,
            "hash" => By::Hash,
            other => return Err(format!("`{other}` is no way to deal runs out")),
        };
        Shard { by, k: self.k, of: self.of }.checked()
    }
}

impl Header {
    /// The header of runs that this version makes.
    pub fn new(scenario: &str, variants: Vec<(String, String)>, seeds: (u64, u64)) -> Header {
        Header {
            record: VERSION,
            windtunnel: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: scenario.to_owned(),
            file: String::new(),
            set: Vec::new(),
            strict: false,
            budget: None,
            max_events: None,
            today: None,
            whole: false,
            nth: 0,
            seeds,
            variants,
            shard: None,
        }
    }
}

/// The last line.
#[derive(Serialize, Deserialize)]
struct End {
    /// Runs above it.
    end: u64,
}

/// What is wrong with a record, with the file and the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrupt(pub String);

/// A record that is being written.
pub struct Writer {
    path: PathBuf,
    out: BufWriter<File>,
    /// Runs in it.
    runs: u64,
    /// Those of them that an earlier campaign made.
    pub resumed: u64,
    failed: Option<io::Error>,
}

impl Writer {
    /// Begins a record, or goes on with the unfinished one of the same campaign. A finished one is begun anew: whoever
    /// runs a campaign again wants to see it run.
    pub fn open(path: &Path, header: &Header, anew: bool) -> Result<Writer, Refused> {
        let unfinished = if anew { None } else { Reading::unfinished(path, header)? };
        let (mut file, runs) = match unfinished {
            Some(kept) => {
                let mut file = OpenOptions::new().write(true).open(path).map_err(|why| not_written(path, &why))?;
                file.set_len(kept.bytes).map_err(|why| not_written(path, &why))?;
                file.seek(SeekFrom::End(0)).map_err(|why| not_written(path, &why))?;
                (file, kept.runs)
            }
            None => (File::create(path).map_err(|why| not_written(path, &why))?, 0),
        };
        if runs == 0 {
            file.set_len(0).and_then(|()| file.rewind()).map_err(|why| not_written(path, &why))?;
            file.write_all(checked(header).as_bytes()).map_err(|why| not_written(path, &why))?;
        }
        Ok(Writer { path: path.to_owned(), out: BufWriter::new(file), runs, resumed: runs, failed: None })
    }

    /// Nothing is missing any more. Tells what could not be written, if anything.
    pub fn finish(mut self, complete: bool) -> io::Result<()> {
        if complete {
            let end = checked(&End { end: self.runs });
            self.write(&end);
        }
        match self.failed {
            Some(why) => Err(io::Error::new(why.kind(), format!("{}: {why}", self.path.display()))),
            None => Ok(()),
        }
    }

    fn write(&mut self, line: &str) {
        // After a failure nothing more is written: a gap would be worse than an early end.
        if self.failed.is_none()
            && let Err(why) = self.out.write_all(line.as_bytes()).and_then(|()| self.out.flush())
        {
            self.failed = Some(why);
        }
    }
}

impl Record for Writer {
    fn finished(&mut self, variant: &str, each: &mut dyn FnMut(RunSummary)) {
        if self.resumed == 0 {
            return;
        }
        let Ok(mut reading) = Reading::open(&self.path) else { return };
        while let Ok(Some(found)) = reading.next_run() {
            if found.0 == variant {
                each(found.1);
            }
        }
    }

    fn add(&mut self, variant: &str, run: &RunSummary) {
        let line = checked(&Line::of(variant, run));
        self.write(&line);
        self.runs += 1;
    }
}

/// Why a record cannot be written or gone on with.
#[derive(Debug)]
pub enum Refused {
    NotWritten(io::Error),
    Corrupt(Corrupt),
}

impl From<Corrupt> for Refused {
    fn from(why: Corrupt) -> Self {
        Refused::Corrupt(why)
    }
}

fn not_written(path: &Path, why: &io::Error) -> Refused {
    Refused::NotWritten(io::Error::new(why.kind(), format!("{}: {why}", path.display())))
}

/// A line with the check over it.
fn checked(of: &impl Serialize) -> String {
    let body = serde_json::to_string(of).expect("names and numbers always serialize");
    let body = body.strip_prefix('{').expect("a line is an object");
    format!("{{\"check\":\"{:016x}\",{body}\n", hash_bytes(body.as_bytes()))
}

/// A record that is being read.
pub struct Reading {
    path: PathBuf,
    lines: BufReader<File>,
    /// Lines read.
    line: u64,
    /// Bytes of the whole lines read.
    bytes: u64,
    runs: u64,
    pub header: Header,
    /// The last line has been seen.
    pub complete: bool,
}

/// How much of an unfinished record is good.
struct Kept {
    bytes: u64,
    runs: u64,
}

impl Reading {
    /// Opens a record and reads its header.
    pub fn open(path: &Path) -> Result<Reading, Corrupt> {
        let corrupt = |why: String| Corrupt(format!("{}: {why}", path.display()));
        let file = File::open(path).map_err(|why| corrupt(why.to_string()))?;
        let header = Header::new("", Vec::new(), (0, 0));
        let lines = BufReader::new(file);
        let mut reading = Reading { path: path.to_owned(), lines, line: 0, bytes: 0, runs: 0, header, complete: false };
        let first = reading.line()?.ok_or_else(|| corrupt("it is empty".to_owned()))?;
        let version: serde_json::Value =
            serde_json::from_str(&first).map_err(|why| corrupt(format!("line 1 is no header: {why}")))?;
        if version["record"] != VERSION {
            return Err(corrupt(format!("its form is {}, and this version reads {VERSION}", version["record"])));
        }
        reading.header = serde_json::from_str(&first).map_err(|why| corrupt(format!("line 1 is no header: {why}")))?;
        Ok(reading)
    }

    /// The next run and its variant; `None` at the end.
    pub fn next_run(&mut self) -> Result<Option<(String, RunSummary)>, Corrupt> {
        let Some(text) = self.line()? else { return Ok(None) };
        if text.starts_with("{\"end\":") {
            let end: End = serde_json::from_str(&text).map_err(|why| self.corrupt(&why.to_string()))?;
            if end.end != self.runs {
                return Err(self
                    .corrupt(&format!("it says that there are {} runs above, and there are {}", end.end, self.runs)));
            }
            self.complete = true;
            return Ok(None);
        }
        let line: Line = serde_json::from_str(&text).map_err(|why| self.corrupt(&why.to_string()))?;
        let variant = line.variant.clone().into_owned();
        let run = line.run().map_err(|why| self.corrupt(&why))?;
        self.runs += 1;
        Ok(Some((variant, run)))
    }

    /// What is good of a record that has no end yet; `None` where there is none, or where it is finished. One of another
    /// campaign in this place is an error, and so is one that is broken before its last line.
    fn unfinished(path: &Path, header: &Header) -> Result<Option<Kept>, Corrupt> {
        if !path.exists() || std::fs::metadata(path).is_ok_and(|file| file.len() == 0) {
            return Ok(None);
        }
        let mut reading = match Reading::open(path) {
            Ok(reading) => reading,
            // Killed while its first line was written: nothing is lost.
            Err(_) if only_a_broken_line(path) => return Ok(None),
            Err(why) => return Err(why),
        };
        let here =
            Header { file: header.file.clone(), set: header.set.clone(), nth: header.nth, ..reading.header.clone() };
        if here != *header {
            return Err(Corrupt(format!("{}: it is the record of another campaign: move it away", path.display())));
        }
        while reading.next_run()?.is_some() {}
        Ok((!reading.complete).then_some(Kept { bytes: reading.bytes, runs: reading.runs }))
    }

    /// The next whole line without its check. A last line without an end, or whose check is wrong, was being written
    /// when the campaign was killed: it is not there.
    fn line(&mut self) -> Result<Option<String>, Corrupt> {
        let mut text = String::new();
        let read = self.lines.read_line(&mut text).map_err(|why| self.corrupt(&why.to_string()))?;
        if read == 0 || !text.ends_with('\n') {
            return Ok(None);
        }
        self.line += 1;
        let body = text.strip_prefix("{\"check\":\"").and_then(|rest| rest.split_once("\","));
        let good = body.filter(|(check, body)| {
            let body = body.strip_suffix('\n').unwrap_or(body);
            *check == format!("{:016x}", hash_bytes(body.as_bytes()))
        });
        let Some((_, body)) = good else {
            // The last one may have been torn by the end of the machine that wrote it.
            let is_last = self.lines.fill_buf().is_ok_and(<[u8]>::is_empty);
            return if is_last && self.line > 1 {
                Ok(None)
            } else {
                Err(self.corrupt("the line is not as it was written"))
            };
        };
        self.bytes += read as u64;
        Ok(Some(format!("{{{}", body.trim_end_matches('\n'))))
    }

    fn corrupt(&self, why: &str) -> Corrupt {
        Corrupt(format!("{}:{}: {why}", self.path.display(), self.line.max(1)))
    }
}

fn only_a_broken_line(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| !bytes.contains(&b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::outcome::fixture::split_brain;

    fn header(seeds: (u64, u64)) -> Header {
        Header::new("split-brain", vec![("base".to_owned(), "5eed".to_owned())], seeds)
    }

    fn runs() -> Vec<RunSummary> {
        let mut runs = split_brain().variants.remove(0).runs;
        runs[3].metrics[0].value = f64::INFINITY;
        runs[4].invariants[0].min_margin = Some(0.1 + 0.2);
        runs
    }

    fn written(path: &Path, runs: &[RunSummary], complete: bool) {
        let mut writer = Writer::open(path, &header((0, 20)), false).expect("it is writable");
        runs.iter().for_each(|run| writer.add("base", run));
        writer.finish(complete).expect("it is writable");
    }

    fn read(path: &Path) -> Result<Vec<RunSummary>, Corrupt> {
        let mut reading = Reading::open(path)?;
        let mut runs = Vec::new();
        while let Some((_, run)) = reading.next_run()? {
            runs.push(run);
        }
        Ok(runs)
    }

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE);
        (folder, path)
    }

    #[test]
    fn a_run_is_read_as_it_was_written_to_the_last_bit() {
        let (_folder, path) = place();
        written(&path, &runs(), true);
        assert_eq!(format!("{:?}", read(&path).expect("it is whole")), format!("{:?}", runs()));
    }

    #[test]
    fn a_killed_campaign_goes_on_after_its_last_whole_line_and_gives_the_same_bytes() {
        let (_folder, path) = place();
        written(&path, &runs(), true);
        let whole = std::fs::read(&path).expect("it was written");
        // Wherever it is cut, even within a line.
        for cut in [whole.len() - 1, whole.len() - 40, whole.len() / 2, whole.len() / 3, 700, 100, 10, 0] {
            std::fs::write(&path, &whole[..cut]).expect("it is writable");
            let mut writer = Writer::open(&path, &header((0, 20)), false).expect("it goes on");
            let mut finished = Vec::new();
            writer.finished("base", &mut |run| finished.push(run.seed));
            assert_eq!(finished, (0..writer.resumed).collect::<Vec<_>>(), "cut at {cut}");
            runs()[finished.len()..].iter().for_each(|run| writer.add("base", run));
            writer.finish(true).expect("it is writable");
            assert!(std::fs::read(&path).expect("it was written") == whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_changed_line_is_told_with_its_place_and_not_written_over() {
        let (_folder, path) = place();
        written(&path, &runs(), false);
        let text = std::fs::read_to_string(&path).expect("it was written");
        std::fs::write(&path, text.replacen("\"seed\":7", "\"seed\":9", 1)).expect("it is writable");
        let why = read(&path).expect_err("its check is wrong").0;
        assert!(why.ends_with("runs.ndjson:9: the line is not as it was written"), "{why}");
        assert!(matches!(Writer::open(&path, &header((0, 20)), false), Err(Refused::Corrupt(_))));
    }

    #[test]
    fn an_end_that_counts_other_runs_than_there_are_is_noticed() {
        let (_folder, path) = place();
        written(&path, &runs(), true);
        let text = std::fs::read_to_string(&path).expect("it was written");
        let without: Vec<&str> =
            text.lines().enumerate().filter(|(line, _)| *line != 5).map(|(_, text)| text).collect();
        std::fs::write(&path, without.join("\n") + "\n").expect("it is writable");
        let why = read(&path).expect_err("a run is missing").0;
        assert!(why.contains("20 runs above, and there are 19"), "{why}");
    }

    #[test]
    fn a_finished_record_is_begun_anew_and_that_of_another_campaign_is_left_alone() {
        let (_folder, path) = place();
        written(&path, &runs(), true);
        assert_eq!(Writer::open(&path, &header((0, 20)), false).expect("it is writable").resumed, 0);
        written(&path, &runs()[..4], false);
        assert!(matches!(Writer::open(&path, &header((0, 30)), false), Err(Refused::Corrupt(_))));
        assert_eq!(Writer::open(&path, &header((0, 20)), true).expect("it is writable").resumed, 0, "--fresh");
    }
}
