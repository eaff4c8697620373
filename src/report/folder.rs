//! A campaign's folder under `reports/`: every format, the plots, the scenario, and `latest` pointing at the newest.

use super::{ALL, plot, record};
use crate::campaign::Shard;
use crate::campaign::outcome::{CampaignOutcome, Invocation};
use crate::kernel::digest::{Digest, hash_bytes};
use crate::scenario::plan::Plan;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What depends on the machine and the hour, kept apart from `result.json`. Whoever may read a clock fills it in.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Meta {
    /// When the campaign began, RFC 3339.
    pub started: String,
    pub seconds: f64,
    /// Runs at a time.
    pub jobs: usize,
    /// The command line.
    pub command: Vec<String>,
    /// Operating system and architecture.
    pub machine: String,
}

/// Writes `reports/<scenario>/<hash>/…` below `reports` and points `reports/latest` at it. Each file appears whole or
/// not at all; errors name the path.
pub fn write(outcome: &CampaignOutcome, reports: &Path, scenario_text: &str, meta: &Meta) -> io::Result<PathBuf> {
    let within = Path::new(&file_name(&outcome.scenario)).join(folder_name(outcome));
    let folder = reports.join(&within);
    create(&folder.join("plots"))?;
    for format in ALL {
        put(&folder.join(format.file), &(format.render)(outcome))?;
    }
    put(&folder.join("scenario.yaml"), scenario_text)?;
    let mut meta = serde_json::to_string_pretty(meta).map_err(io::Error::other)?;
    meta.push('\n');
    put(&folder.join("meta.json"), &meta)?;
    for variant in &outcome.variants {
        let drawn = variant.exhibit.as_ref().map(|exhibit| plot::plots(&exhibit.series).0);
        for plot in drawn.unwrap_or_default() {
            let file = format!("{}-{}.svg", file_name(&variant.plan.variant), plot.name);
            put(&folder.join("plots").join(file), &plot.file())?;
        }
    }
    #[cfg(feature = "parquet")]
    for (file, bytes) in super::parquet::files(outcome) {
        put_bytes(&folder.join(file), &bytes)?;
    }
    point(reports, &within)?;
    Ok(folder)
}

/// The file in a campaign's folder that lists its inputs: the path as the scenario names it, and the file kept of it.
const INPUTS: &str = "inputs/index.json";
/// Of these a campaign's folder has one.
const RESULTS: [&str; 3] = ["result.json", record::FILE, "sweep.json"];

/// Keeps the other files that a scenario reads beside it, so that the folder can be replayed wherever it is taken.
pub fn keep_inputs(folder: &Path, inputs: &[(String, Vec<u8>)]) -> io::Result<()> {
    if inputs.is_empty() {
        return Ok(());
    }
    create(&folder.join("inputs"))?;
    let mut index = BTreeMap::new();
    for (number, (named, bytes)) in inputs.iter().enumerate() {
        let ending = Path::new(named).file_name().map(|name| file_name(&name.to_string_lossy()));
        let kept = format!("{}-{}", number + 1, ending.unwrap_or_default());
        put_bytes(&folder.join("inputs").join(&kept), bytes)?;
        index.insert(named, kept);
    }
    let mut index = serde_json::to_string_pretty(&index).map_err(io::Error::other)?;
    index.push('\n');
    put(&folder.join(INPUTS), &index)
}

/// What a campaign's folder keeps of the file that its scenario names so; `None` where it is no campaign's folder or
/// keeps nothing of that name.
pub fn kept_input(folder: &Path, named: &str) -> Option<PathBuf> {
    let index = fs::read_to_string(folder.join(INPUTS))
        .ok()
        .filter(|_| RESULTS.iter().any(|result| folder.join(result).is_file()))?;
    let index: BTreeMap<String, String> = serde_json::from_str(&index).ok()?;
    index.get(named).map(|kept| folder.join("inputs").join(file_name(kept)))
}

/// What a campaign's folder is named by: everything that decides the outcome.
pub struct Identity<'a> {
    pub scenario: &'a str,
    pub plans: Vec<&'a Plan>,
    /// Half-open.
    pub seeds: (u64, u64),
    pub invocation: &'a Invocation,
}

impl Identity<'_> {
    /// Sixteen hexadecimal digits over scenario, parameters, seeds and version.
    fn digits(&self) -> String {
        let mut digest = Digest::default();
        let mut fold = |text: &str| digest.fold(hash_bytes(text.as_bytes()), text.len() as u64);
        fold(env!("CARGO_PKG_VERSION"));
        fold(self.scenario);
        for plan in &self.plans {
            fold(&plan.variant);
            fold(&plan.hash);
            for (key, value) in &plan.params {
                fold(key);
                fold(value);
            }
        }
        if self.invocation.strict {
            fold("strict");
        }
        if let Some(gate) = self.invocation.gate {
            fold(&format!("until decided, {}", gate.budget));
        }
        if let Some(events) = self.invocation.max_events {
            fold(&format!("at most {events} events"));
        }
        if let Some(today) = self.invocation.today {
            fold(&today.to_string());
        }
        digest.fold(self.seeds.0, self.seeds.1);
        format!("{:016x}", digest.word())
    }

    /// Where the folder of a campaign, or of one shard of it, lies below `reports`.
    pub fn place(&self, reports: &Path, shard: Option<Shard>) -> PathBuf {
        let digits = self.digits();
        let name = match shard {
            Some(shard) => format!("{digits}.{}-{}-of-{}", shard.by.name(), shard.k, shard.of),
            None => digits,
        };
        reports.join(file_name(self.scenario)).join(name)
    }
}

/// The name of the folder of a campaign; one that is incomplete gets a folder of its own, so that it never replaces a
/// whole one.
pub fn folder_name(outcome: &CampaignOutcome) -> String {
    let plans = outcome.variants.iter().map(|variant| &variant.plan).collect();
    let identity =
        Identity { scenario: &outcome.scenario, plans, seeds: outcome.seeds, invocation: &outcome.invocation };
    let partial = if outcome.incomplete.is_some() { "-partial" } else { "" };
    format!("{}{partial}", identity.digits())
}

/// Makes the folder of a campaign that begins, with the scenario and the files it reads beside it.
pub fn begin(folder: &Path, scenario_text: &str, inputs: &[(String, Vec<u8>)]) -> io::Result<()> {
    create(folder)?;
    put(&folder.join("scenario.yaml"), scenario_text)?;
    keep_inputs(folder, inputs)
}

/// A name as a file name: nothing that leads out of the folder, nothing that a shell or Windows objects to.
pub(super) fn file_name(name: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let text: String = name.chars().map(kept).collect();
    let text = text.trim_matches('.');
    if text.is_empty() { "unnamed".to_owned() } else { text.to_owned() }
}

/// `reports/latest`: a symbolic link, or a file with the path where there are none.
fn point(reports: &Path, target: &Path) -> io::Result<()> {
    let (latest, fresh) = (reports.join("latest"), reports.join(format!(".latest.new-{}", std::process::id())));
    discard(&fresh)?;
    match link(target, &fresh) {
        Ok(()) => {}
        Err(_) => fs::write(&fresh, format!("{}\n", target.display())).map_err(|error| at(&fresh, &error))?,
    }
    fs::rename(&fresh, &latest).map_err(|error| at(&latest, &error))
}

#[cfg(unix)]
fn link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn link(_target: &Path, _link: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn discard(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(super) fn create(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder).map_err(|error| at(folder, &error))
}

/// Writes beside the place and renames, so that nobody reads half a file.
pub(super) fn put(path: &Path, text: &str) -> io::Result<()> {
    put_bytes(path, text.as_bytes())
}

fn put_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    // Two processes may write the same report: each has its own fresh file, and whoever renames last has the last word.
    fresh.push(format!(".new-{}", std::process::id()));
    let fresh = PathBuf::from(fresh);
    let written = fs::write(&fresh, bytes).map_err(|error| at(&fresh, &error));
    written.and_then(|()| fs::rename(&fresh, path).map_err(|error| at(path, &error))).inspect_err(|_| {
        // On a full disk half a file is in the way of the next one.
        let _ = fs::remove_file(&fresh);
    })
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::outcome::Incomplete;
    use crate::campaign::outcome::fixture::{SOURCE, split_brain};

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder is there");
        let name =
            |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn the_folder_has_every_format_and_latest_points_at_it() {
        let reports = tempfile::tempdir().expect("a temporary folder");
        let folder = write(&split_brain(), reports.path(), SOURCE, &Meta::default()).expect("it is writable");
        let all = "audit.csv index.html meta.json metrics.csv plots result.json scenario.yaml seeds.csv summary.md";
        assert_eq!(names(&folder).join(" "), all);
        assert_eq!(names(&folder.join("plots")).len(), 7);
        assert_eq!(names(&reports.path().join("latest")), names(&folder));
    }

    #[test]
    fn writing_again_gives_the_same_folder_and_the_same_bytes() {
        let reports = tempfile::tempdir().expect("a temporary folder");
        let read = |file: &Path| fs::read_to_string(file).expect("it was written");
        let first = write(&split_brain(), reports.path(), SOURCE, &Meta::default()).expect("it is writable");
        let before: Vec<String> = ALL.iter().map(|format| read(&first.join(format.file))).collect();
        let again = write(&split_brain(), reports.path(), SOURCE, &Meta::default()).expect("it is writable");
        assert_eq!(first, again);
        assert_eq!(before, ALL.iter().map(|format| read(&again.join(format.file))).collect::<Vec<_>>());
    }

    #[test]
    fn the_folder_is_named_by_what_decides_the_outcome() {
        let name = folder_name(&split_brain());
        assert_eq!(name.len(), 16);
        let other_seeds = CampaignOutcome { seeds: (0, 21), ..split_brain() };
        assert_ne!(folder_name(&other_seeds), name);
        let mut elsewhere = split_brain();
        elsewhere.invocation.file = "/tmp/copy.yaml".to_owned();
        assert_eq!(folder_name(&elsewhere), name);
        let partial = CampaignOutcome { incomplete: Some(Incomplete::Interrupted), ..split_brain() };
        assert_eq!(folder_name(&partial), format!("{name}-partial"));
    }

    #[test]
    fn other_files_are_kept_under_the_names_the_scenario_gives_them() {
        let reports = tempfile::tempdir().expect("a temporary folder");
        let folder = write(&split_brain(), reports.path(), SOURCE, &Meta::default()).expect("it is writable");
        assert_eq!(kept_input(&folder, "flags.json"), None);
        let inputs = [("../a/flags.json".to_owned(), b"{}".to_vec()), ("flags.json".to_owned(), b"[]".to_vec())];
        keep_inputs(&folder, &inputs).expect("it is writable");
        for (named, bytes) in &inputs {
            let kept = kept_input(&folder, named).expect("it is kept");
            assert!(kept.starts_with(&folder));
            assert_eq!(&fs::read(kept).expect("it was written"), bytes);
        }
        assert_eq!(kept_input(reports.path(), "flags.json"), None, "only a campaign's folder");
    }

    #[test]
    fn a_name_cannot_lead_out_of_the_folder() {
        assert_eq!(file_name("../../etc/passwd"), "-..-etc-passwd");
        assert_eq!(file_name(".."), "unnamed");
    }

    #[test]
    fn what_could_not_be_written_leaves_nothing_behind() {
        let reports = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(reports.path().join("taken")).expect("it is writable");
        assert!(put(&reports.path().join("taken"), "text").is_err(), "a folder is no file");
        assert_eq!(names(reports.path()), ["taken"]);
    }

    #[test]
    fn an_error_names_the_path() {
        let reports = tempfile::tempdir().expect("a temporary folder");
        let blocked = reports.path().join("file");
        fs::write(&blocked, "").expect("it is writable");
        let error = write(&split_brain(), &blocked, SOURCE, &Meta::default()).expect_err("a file is no folder");
        assert!(error.to_string().contains("file/split-brain/"), "{error}");
    }
}
