//! Response curves: for a terminal, as JSON and CSV, and as a folder with a page and its plots.

pub mod csv;
pub mod files;
pub mod json;
pub mod page;
pub mod text;
pub mod words;

use super::plot::{Plot, heat_map, response};
use super::sentence::quoted;
use crate::campaign::outcome::Invocation;
use crate::campaign::sweep::{Point, Sweep};

/// A finished sweep and how it was asked for.
#[derive(Clone, Debug)]
pub struct Reported {
    pub sweep: Sweep,
    pub invocation: Invocation,
    /// The question the scenario answers.
    pub summary: String,
    /// The scenario file as it was read.
    pub source: String,
}

/// The plot of each curve: over one parameter or as a map over two; none where nothing was measured.
pub fn plots(sweep: &Sweep) -> Vec<Option<Plot>> {
    let plot = |curve| if sweep.axes.len() == 2 { heat_map(sweep, curve) } else { response(sweep, curve) };
    sweep.curves.iter().map(plot).collect()
}

/// The command that makes the runs of a point again.
pub fn replay(reported: &Reported, point: &Point) -> String {
    let Sweep { axes, variant, seeds, .. } = &reported.sweep;
    let file = &reported.invocation.file;
    let file = if file.is_empty() { String::new() } else { format!(" {}", quoted(file)) };
    let variant = if variant == "base" { String::new() } else { format!(" --variant {}", quoted(variant)) };
    let set =
        reported.invocation.set.iter().map(|(key, value)| format!(" --set {}", quoted(&format!("{key}={value}"))));
    let values = axes.iter().zip(&point.values);
    let values =
        values.map(|(axis, at)| format!(" --set {}", quoted(&format!("{}={}", axis.key, axis.values[*at].text))));
    let sets: String = set.chain(values).collect();
    format!("windtunnel run{file}{variant}{sets} --seeds {}..{}", seeds.0, seeds.1)
}
