//! The folder of a comparison: `reports/<scenario>/compare-<hash>/` with its page, its numbers and its plots.

use super::{json, page};
use crate::campaign::compare::Comparison;
use crate::kernel::digest::{Digest, hash_bytes};
use crate::report::folder::{Meta, create, file_name, put};
use crate::report::plot::{Plot, front};
use std::io;
use std::path::{Path, PathBuf};

/// Harm against time to full and against time to kill, as far as there is something to see.
pub fn plots(found: &Comparison) -> Vec<Plot> {
    [1, 2].into_iter().filter_map(|against| front(found, against)).collect()
}

/// Writes everything below `reports`. `hashes` are those of the plans. Each file appears whole or not at all; errors name
/// the path.
pub fn write(found: &Comparison, hashes: &[String], reports: &Path, meta: &Meta) -> io::Result<PathBuf> {
    let folder = reports.join(file_name(&found.scenario)).join(folder_name(found, hashes));
    create(&folder.join("plots"))?;
    put(&folder.join("index.html"), &page::render(found))?;
    put(&folder.join("compare.json"), &json(found))?;
    let mut meta = serde_json::to_string_pretty(meta).map_err(io::Error::other)?;
    meta.push('\n');
    put(&folder.join("meta.json"), &meta)?;
    for plot in plots(found) {
        put(&folder.join("plots").join(format!("{}.svg", file_name(&plot.name))), &plot.file())?;
    }
    Ok(folder)
}

fn folder_name(found: &Comparison, hashes: &[String]) -> String {
    let mut digest = Digest::default();
    let mut fold = |text: &str| digest.fold(hash_bytes(text.as_bytes()), text.len() as u64);
    fold(env!("CARGO_PKG_VERSION"));
    fold(&found.primary);
    found.variants.iter().for_each(|one| fold(&one.variant));
    hashes.iter().for_each(|hash| fold(hash));
    digest.fold(found.seeds.0, found.seeds.1);
    digest.fold(found.compared, 0);
    let partial = if found.interrupted { "-partial" } else { "" };
    format!("compare-{:016x}{partial}", digest.word())
}
