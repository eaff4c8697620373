//! A result's folder, read again: `result.json` with its digests, and the scenario beside it.

use super::verify::{Rows, key_of, rows_of};
use super::which::Which;
use super::{Exit, tell};
use serde_json::Value;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What a result's folder says.
pub(crate) struct Recorded {
    pub folder: PathBuf,
    pub scenario: String,
    pub rows: Rows,
    /// `--set` as the campaign was given it.
    pub set: Vec<String>,
    /// Runs at a time back then.
    pub jobs: usize,
    hashes: Vec<(String, String)>,
}

impl Recorded {
    /// Whether this is the folder of a result.
    pub fn is_at(path: &Path) -> bool {
        path.is_dir()
    }

    pub fn read(folder: &Path) -> Result<Recorded, Exit> {
        let refused = |why: String| {
            tell(&format!("error: {}: {why}\n", folder.display()));
            Exit::USAGE
        };
        let document = |name: &str| -> Result<Value, Exit> {
            let text = std::fs::read_to_string(folder.join(name))
                .map_err(|why| refused(format!("it is not the folder of a result: {name}: {why}")))?;
            serde_json::from_str(&text).map_err(|why| refused(format!("{name}: {why}")))
        };
        let result = document("result.json")?;
        let (version, own) = (result["windtunnel"].as_str().unwrap_or_default(), env!("CARGO_PKG_VERSION"));
        if version != own {
            return Err(refused(format!(
                "it was recorded by windtunnel {version}, and this is {own}: a digest is promised within one version"
            )));
        }
        let texts = |value: &Value| -> Vec<String> {
            let items = value.as_array().into_iter().flatten();
            items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
        };
        let hash = |row: &Value| {
            let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
            (text("variant"), text("scenario_hash"))
        };
        let known = |(_, hash): &(String, String)| !hash.is_empty();
        let jobs = document("meta.json").ok().and_then(|meta| meta["jobs"].as_u64()).unwrap_or(1);
        Ok(Recorded {
            folder: folder.to_owned(),
            scenario: result["scenario"].as_str().unwrap_or_default().to_owned(),
            rows: rows_of(&result),
            set: texts(&result["set"]),
            jobs: usize::try_from(jobs).unwrap_or(1),
            hashes: result["variants"].as_array().into_iter().flatten().map(hash).filter(known).collect(),
        })
    }

    /// The rows of one variant and, if it is named, of one seed; without a variant, of the only one or of the base.
    pub fn rows_for(&self, variant: Option<&str>, seed: Option<u64>) -> Rows {
        let wanted = |row: &&Value| {
            let (of, n) = key_of(row);
            variant.is_none_or(|variant| variant == of) && seed.is_none_or(|seed| seed == n)
        };
        self.rows.iter().filter(wanted).cloned().collect()
    }

    /// The variants it has runs of.
    pub fn variants(&self) -> Vec<&str> {
        let mut variants: Vec<&str> = self.rows.iter().map(|row| key_of(row).0).collect();
        variants.dedup();
        variants
    }

    /// How the recorded runs are asked for again: from the scenario in the folder, with what was set.
    pub fn which(&self, asked: &Which, variant: &str, rows: &Rows) -> Which {
        // A run that hit its limit hits it again only with the same one.
        let limit = rows.iter().find(|row| row["cut_short"] == true).and_then(|row| row["events"].as_u64());
        let set = self.set.iter().chain(&asked.set).cloned().collect();
        Which {
            file: Some(self.folder.join("scenario.yaml")),
            variant: Some(variant.to_owned()),
            set,
            max_events: asked.max_events.or(limit),
            ..asked.clone()
        }
    }

    /// Whether a plan is the one that was recorded; says so where it is not.
    pub fn is_of(&self, variant: &str, hash: &str) -> Result<(), Exit> {
        match self.hashes.iter().find(|(of, _)| of == variant) {
            Some((_, recorded)) if recorded == hash => Ok(()),
            Some((_, recorded)) => {
                let folder = self.folder.display();
                tell(&format!(
                    "error: {folder}: its scenario.yaml has the hash {hash}, and its result.json is of {recorded}: \
                     the folder was changed, or --set was\n"
                ));
                Err(Exit::USAGE)
            }
            None => {
                let folder = self.folder.display();
                tell(&format!(
                    "error: {folder}: its result.json has no scenario_hash of the variant {variant}, so it cannot be \
                     told whether its scenario.yaml is the one that was run: the folder was changed\n"
                ));
                Err(Exit::USAGE)
            }
        }
    }
}

/// From the first to the last seed of rows.
pub(crate) fn seeds_of(rows: &Rows) -> Range<u64> {
    let seeds = || rows.iter().map(|row| key_of(row).1);
    seeds().min().unwrap_or(0)..seeds().max().map_or(0, |last| last.saturating_add(1))
}
