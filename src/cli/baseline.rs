//! `--baseline` and `--bless`: golden numbers in git.

use super::{Exit, print, tell};
use crate::campaign::CampaignOutcome;
use crate::report::baseline::{self, Numbers};
use crate::report::{number, sentence};
use clap::Args;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where golden numbers are unless another place is named.
pub(crate) const FOLDER: &str = "reports/baselines";

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Baseline {
    /// Hold every number against the one in this folder, and fail where one has moved.
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = FOLDER, require_equals = true,
        conflicts_with_all = ["shard", "until_decided"])]
    baseline: Option<PathBuf>,
    /// Write the numbers of today into the folder of `--baseline`.
    #[arg(long, conflicts_with_all = ["shard", "until_decided", "set", "max_events"])]
    bless: bool,
}

impl Baseline {
    /// Whether golden numbers are asked for.
    pub fn is_asked_for(&self) -> bool {
        self.folder().is_some()
    }

    fn folder(&self) -> Option<PathBuf> {
        self.baseline.clone().or_else(|| self.bless.then(|| PathBuf::from(FOLDER)))
    }

    /// Compares a campaign, or blesses it. `whole`: all variants of the scenario are in it.
    pub fn judge(&self, outcome: &CampaignOutcome, whole: bool) -> Exit {
        let Some(folder) = self.folder() else { return Exit::PASS };
        if outcome.incomplete.is_some() {
            let name = &outcome.scenario;
            say(&format!("? {name}  is not held against its golden numbers, nor blessed: not all runs were made\n"));
            return Exit(3);
        }
        let now: Vec<Numbers> = outcome.variants.iter().map(|variant| Numbers::of(variant, outcome.seeds)).collect();
        let path = folder.join(format!("{}.ndjson", outcome.scenario));
        let known = match known(&path) {
            Ok(known) => known,
            Err(exit) => return exit,
        };
        if self.bless {
            return blessed(&folder, &path, known, now, whole, &outcome.scenario);
        }
        let mut exit = Exit::PASS;
        for one in &now {
            let name = format!("{}:{}", outcome.scenario, one.variant);
            let Some(before) = known.iter().find(|known| known.variant == one.variant) else {
                say(&format!("? {name}  has no golden numbers yet: --bless keeps those of today\n"));
                exit = exit.worst(Exit(3));
                continue;
            };
            exit = exit.worst(moved(&name, before, one, outcome));
        }
        for gone in known.iter().filter(|known| whole && now.iter().all(|one| one.variant != known.variant)) {
            say(&format!(
                "✗ {}:{}  has golden numbers and is no variant: --bless removes them\n",
                outcome.scenario, gone.variant
            ));
            exit = exit.worst(Exit::FAIL);
        }
        exit
    }
}

fn moved(name: &str, before: &Numbers, now: &Numbers, outcome: &CampaignOutcome) -> Exit {
    if before.seeds != now.seeds {
        let ((a, b), (c, d)) = (before.seeds, now.seeds);
        tell(&format!("error: the golden numbers of {name} are those of seeds {a}..{b}, and these are {c}..{d}\n"));
        return Exit::USAGE;
    }
    let told = before.moved_to(now);
    let Some((first, more)) = told.split_first() else { return Exit::PASS };
    let mut text = format!("✗ {name}  moved: {first}\n");
    more.iter().for_each(|line| text.push_str(&format!("    {line}\n")));
    if let Some(seed) = before.seeds_moved(now).first() {
        text.push_str(&format!("    {}\n", sentence::replay(&outcome.invocation, &now.variant, *seed)));
    }
    say(&text);
    Exit::FAIL
}

fn known(path: &Path) -> Result<Vec<Numbers>, Exit> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => {
            tell(&format!("error: {}: {why}\n", path.display()));
            return Err(Exit::USAGE);
        }
    };
    baseline::parse(&text).map_err(|why| {
        tell(&format!(
            "error: {}: {why}\n  = help: --bless cannot mend it: restore it, or remove it\n",
            path.display()
        ));
        Exit::USAGE
    })
}

/// Writes the numbers of today; variants that were not run keep theirs.
fn blessed(folder: &Path, path: &Path, known: Vec<Numbers>, now: Vec<Numbers>, whole: bool, scenario: &str) -> Exit {
    let mut moved: u64 = 0;
    let mut lines = if whole { Vec::new() } else { known.clone() };
    for one in now {
        moved += u64::from(known.iter().all(|known| *known != one));
        match lines.iter_mut().find(|line| line.variant == one.variant) {
            Some(line) => *line = one,
            None => lines.push(one),
        }
    }
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, baseline::file(&lines)));
    if let Err(why) = written {
        tell(&format!("error: {} could not be written: {why}\n", path.display()));
        return Exit::NOT_WRITTEN;
    }
    if moved > 0 {
        say(&format!("blessed {scenario}: {} moved\n", number::counted(moved, "line", "lines")));
    }
    Exit::PASS
}

fn say(text: &str) {
    print(&number::with_plain_spaces(text));
}

/// Every scenario in a folder of golden numbers, in the order of their names.
pub(crate) fn all(folder: &Path) -> Result<Vec<(String, Vec<Numbers>)>, Exit> {
    let refused = |why: String| {
        tell(&format!("error: {}: {why}\n", folder.display()));
        Exit::USAGE
    };
    let entries = std::fs::read_dir(folder).map_err(|why| refused(why.to_string()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "ndjson"));
    paths.sort();
    if paths.is_empty() {
        return Err(refused("there are no golden numbers in it: `windtunnel test --bless` writes them".to_owned()));
    }
    let named = |path: PathBuf| {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        known(&path).map(|lines| (name, lines))
    };
    paths.into_iter().map(named).collect()
}
