//! The folder of a sweep: `reports/<scenario>/sweep-<hash>/` with its page, numbers, plots and scenario.

use super::{Reported, csv, json, page, plots};
use crate::kernel::digest::{Digest, hash_bytes};
use crate::report::folder::{Meta, create, file_name, keep_inputs, put};
use std::io;
use std::path::{Path, PathBuf};

/// Writes everything below `reports`. Each file appears whole or not at all; errors name the path.
pub fn write(reported: &Reported, reports: &Path, meta: &Meta, inputs: &[(String, Vec<u8>)]) -> io::Result<PathBuf> {
    let folder = reports.join(file_name(&reported.sweep.scenario)).join(folder_name(reported));
    create(&folder.join("plots"))?;
    put(&folder.join("index.html"), &page::render(reported))?;
    put(&folder.join("sweep.json"), &json::render(reported))?;
    put(&folder.join("sweep.csv"), &csv::render(&reported.sweep))?;
    put(&folder.join("scenario.yaml"), &reported.source)?;
    let mut meta = serde_json::to_string_pretty(meta).map_err(io::Error::other)?;
    meta.push('\n');
    put(&folder.join("meta.json"), &meta)?;
    for plot in plots(&reported.sweep).into_iter().flatten() {
        put(&folder.join("plots").join(format!("{}.svg", file_name(&plot.name))), &plot.file())?;
    }
    keep_inputs(&folder, inputs)?;
    Ok(folder)
}

/// `sweep-` and sixteen hexadecimal digits over the plans of all points, seeds, curves and version; an interrupted sweep
/// gets a folder of its own.
fn folder_name(reported: &Reported) -> String {
    let sweep = &reported.sweep;
    let mut digest = Digest::default();
    let mut fold = |text: &str| digest.fold(hash_bytes(text.as_bytes()), text.len() as u64);
    fold(env!("CARGO_PKG_VERSION"));
    fold(&sweep.scenario);
    fold(&sweep.variant);
    for axis in &sweep.axes {
        fold(&axis.key);
        axis.values.iter().for_each(|value| fold(&value.text));
    }
    sweep.points.iter().for_each(|point| fold(&point.hash));
    sweep.curves.iter().for_each(|curve| fold(curve.of.name()));
    digest.fold(sweep.seeds.0, sweep.seeds.1);
    let partial = if sweep.interrupted { "-partial" } else { "" };
    format!("sweep-{:016x}{partial}", digest.word())
}
