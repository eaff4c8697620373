//! `runs.ndjson`: the record of a campaign, one run a line, written as the runs are made.
//!
//! A campaign that was killed goes on from its record, shards are merged from theirs, and recorded runs are compared
//! without being made again. The first line says which campaign it is, the last one that nothing is missing. Every line
//! begins with a check over the rest of it and over the check of the run before, so that a line that a broken disk or an
//! editor changed, lost or doubled is noticed. Whoever writes a record holds a lock on it.

mod line;
pub mod merged;
mod words;

use crate::campaign::Record;
use crate::campaign::seeds::{By, Shard};
use crate::kernel::digest::hash_bytes;
use crate::run::summary::RunSummary;
use line::Line;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The name of a record in its folder.
pub const FILE: &str = "runs.ndjson";
/// What a record is called until it may take the place of another one.
pub const FRESH: &str = "runs.ndjson.new";
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
    /// Of a shard that is dealt out in turn: the runs of the command that come before those of this file, which decide
    /// whose turn the first one is.
    pub before: u64,
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
            before: 0,
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
    /// The check of the last of them.
    last: String,
    /// Those of them that an earlier campaign made.
    pub resumed: u64,
    failed: Option<io::Error>,
}

impl Writer {
    /// Begins a record, or goes on with the unfinished one of the same campaign. A finished one is begun anew: whoever
    /// runs a campaign again wants to see it run.
    pub fn open(path: &Path, header: &Header, anew: bool) -> Result<Writer, Refused> {
        let mut file = locked(path)?;
        let kept = if anew { None } else { Reading::unfinished(path, header)? };
        let kept = kept.filter(|kept| kept.runs > 0).unwrap_or_default();
        let failed = |why: io::Error| not_written(path, &why);
        if kept.runs > 0 && kept.header != *header {
            file = renamed(path, &kept, header)?;
        } else if kept.runs > 0 {
            file.set_len(kept.bytes).map_err(failed)?;
            file.seek(SeekFrom::End(0)).map_err(failed)?;
        } else {
            file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
            file.write_all(checked(header, "").0.as_bytes()).map_err(failed)?;
        }
        let Kept { runs, last, .. } = kept;
        Ok(Writer { path: path.to_owned(), out: BufWriter::new(file), runs, last, resumed: runs, failed: None })
    }

    /// Nothing is missing any more. Tells what could not be written, if anything.
    pub fn finish(mut self, complete: bool) -> io::Result<()> {
        if complete {
            let (end, _) = checked(&End { end: self.runs }, &self.last);
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
        let (line, check) = checked(&Line::of(variant, run), &self.last);
        self.write(&line);
        self.last = check;
        self.runs += 1;
    }
}

/// Why a record cannot be written or gone on with.
#[derive(Debug)]
pub enum Refused {
    NotWritten(io::Error),
    /// Another process is writing it.
    InUse(PathBuf),
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

/// Opens a record for writing, as the only one who does: two that write would tear holes into it.
fn locked(path: &Path) -> Result<File, Refused> {
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let file = open.map_err(|why| not_written(path, &why))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Refused::InUse(path.to_owned())),
        // Some network file systems know no locks: whoever writes there takes care himself.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// The good part of a record under another first line: the same campaign by another path to its file, or in another
/// place of its command.
fn renamed(path: &Path, kept: &Kept, header: &Header) -> Result<File, Refused> {
    let fresh = path.with_file_name(FRESH);
    let copied = || -> io::Result<File> {
        let mut from = File::open(path)?;
        from.seek(SeekFrom::Start(kept.first))?;
        let mut into = File::create(&fresh)?;
        into.write_all(checked(header, "").0.as_bytes())?;
        io::copy(&mut from.take(kept.bytes - kept.first), &mut into)?;
        let _ = into.try_lock();
        std::fs::rename(&fresh, path)?;
        Ok(into)
    };
    copied().map_err(|why| not_written(path, &why))
}

/// A line with the check over it and over that of the line before, and the check.
fn checked(of: &impl Serialize, last: &str) -> (String, String) {
    let body = serde_json::to_string(of).expect("names and numbers always serialize");
    let body = body.strip_prefix('{').expect("a line is an object");
    let check = check(last, body);
    (format!("{{\"check\":\"{check}\",{body}\n"), check)
}

fn check(last: &str, body: &str) -> String {
    format!("{:016x}", hash_bytes(format!("{last}{body}").as_bytes()))
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
    /// The check of the last run read.
    last: String,
    pub header: Header,
    /// The last line has been seen.
    pub complete: bool,
}

/// How much of an unfinished record is good.
struct Kept {
    header: Header,
    /// Bytes of the first line.
    first: u64,
    bytes: u64,
    runs: u64,
    last: String,
}

impl Default for Kept {
    fn default() -> Self {
        Kept { header: Header::new("", Vec::new(), (0, 0)), first: 0, bytes: 0, runs: 0, last: String::new() }
    }
}

impl Reading {
    /// Opens a record and reads its header.
    pub fn open(path: &Path) -> Result<Reading, Corrupt> {
        let corrupt = |why: String| Corrupt(format!("{}: {why}", path.display()));
        let file = File::open(path).map_err(|why| corrupt(why.to_string()))?;
        let header = Header::new("", Vec::new(), (0, 0));
        let lines = BufReader::new(file);
        let (path, last) = (path.to_owned(), String::new());
        let mut reading = Reading { path, lines, line: 0, bytes: 0, runs: 0, last, header, complete: false };
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
        // How the file is named, and what else is tested, decides no run.
        let Header { file, set, nth, whole, .. } = header.clone();
        let here = Header { file, set, nth, whole, ..reading.header.clone() };
        if here != *header {
            return Err(Corrupt(format!("{}: it is the record of another campaign: move it away", path.display())));
        }
        let first = reading.bytes;
        while reading.next_run()?.is_some() {}
        let Reading { header, bytes, runs, last, .. } = reading;
        Ok((!reading.complete).then_some(Kept { header, first, bytes, runs, last }))
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
        let good = body.filter(|(seen, body)| *seen == check(&self.last, body.strip_suffix('\n').unwrap_or(body)));
        let Some((seen, body)) = good else {
            // The last one may have been torn by the end of the machine that wrote it.
            let is_last = self.lines.fill_buf().is_ok_and(<[u8]>::is_empty);
            return if is_last && self.line > 1 {
                Ok(None)
            } else {
                Err(self.corrupt("the line is not as it was written, or the one before it is gone"))
            };
        };
        self.bytes += read as u64;
        if self.line > 1 {
            // The first line may be another one where a campaign goes on.
            self.last = seen.to_owned();
        }
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
        assert!(why.contains("runs.ndjson:9: the line is not as it was written"), "{why}");
        assert!(matches!(Writer::open(&path, &header((0, 20)), false), Err(Refused::Corrupt(_))));
    }

    #[test]
    fn a_line_that_is_gone_or_there_twice_is_noticed_before_its_seed_is_lost_or_repeated() {
        let (_folder, path) = place();
        written(&path, &runs(), false);
        let text = std::fs::read_to_string(&path).expect("it was written");
        let lines: Vec<&str> = text.lines().collect();
        let without = [&lines[..5], &lines[6..]].concat();
        let twice = [&lines[..6], &lines[5..]].concat();
        for (wrong, line) in [(without, 6), (twice, 7)] {
            std::fs::write(&path, wrong.join("\n") + "\n").expect("it is writable");
            let Err(Refused::Corrupt(why)) = Writer::open(&path, &header((0, 20)), false) else {
                panic!("a record with other lines than were written is gone on with");
            };
            assert!(why.0.contains(&format!("runs.ndjson:{line}: ")), "{}", why.0);
        }
    }

    #[test]
    fn an_end_that_counts_other_runs_than_there_are_is_noticed() {
        let (_folder, path) = place();
        written(&path, &runs()[..1], false);
        let end = checked(&End { end: 2 }, &check_of_last(&path)).0;
        let text = std::fs::read_to_string(&path).expect("it was written") + &end;
        std::fs::write(&path, text).expect("it is writable");
        let why = read(&path).expect_err("a run is missing").0;
        assert!(why.contains("2 runs above, and there are 1"), "{why}");
    }

    fn check_of_last(path: &Path) -> String {
        let mut reading = Reading::open(path).expect("it is good");
        while reading.next_run().expect("it is good").is_some() {}
        reading.last
    }

    #[test]
    fn a_campaign_goes_on_whatever_path_named_its_file_and_the_record_says_the_new_one() {
        let (_folder, path) = place();
        written(&path, &runs()[..7], false);
        let named = Header { file: "./a/longer/path.yaml".to_owned(), whole: true, nth: 3, ..header((0, 20)) };
        let mut writer = Writer::open(&path, &named, false).expect("it is the same campaign");
        assert_eq!(writer.resumed, 7);
        runs()[7..].iter().for_each(|run| writer.add("base", run));
        writer.finish(true).expect("it is writable");
        assert_eq!(Reading::open(&path).expect("it is good").header, named);
        assert_eq!(read(&path).expect("it is whole").len(), 20);
    }

    #[test]
    fn only_one_writes_a_record_at_a_time() {
        let (_folder, path) = place();
        let mut first = Writer::open(&path, &header((0, 20)), false).expect("it is writable");
        first.add("base", &runs()[0]);
        for anew in [false, true] {
            assert!(matches!(Writer::open(&path, &header((0, 20)), anew), Err(Refused::InUse(_))));
        }
        drop(first);
        assert_eq!(Writer::open(&path, &header((0, 20)), false).expect("nobody writes it").resumed, 1);
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
