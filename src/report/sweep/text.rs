//! For a terminal: a table for each curve, or a matrix over two parameters.

use super::words;
use crate::campaign::sweep::{Axis, Curve, Reading, Subject, Sweep};
use crate::report::number::{count, counted, quantity, with_plain_spaces};
use std::path::Path;

/// Rows of a table at most; files have all of them.
const ROWS: usize = 40;
/// Columns of a matrix at most.
const COLUMNS: usize = 10;

/// For people.
pub fn render(sweep: &Sweep, page: Option<&Path>) -> String {
    let axes: Vec<String> = sweep.axes.iter().map(ToString::to_string).collect();
    let (from, to) = sweep.seeds;
    let mut out = format!(
        "{} · {} · {}\n{} at each of {} ({from}..{to}), the same everywhere\n",
        sweep.scenario,
        sweep.variant,
        axes.join("; "),
        counted(to - from, "seed", "seeds"),
        counted(sweep.asked as u64, "point", "points"),
    );
    if sweep.interrupted {
        let done = sweep.points.len() as u64;
        out.push_str(&format!("INTERRUPTED: {} of {} points are finished\n", count(done), count(sweep.asked as u64)));
    }
    if sweep.points.is_empty() {
        return with_plain_spaces(&out);
    }
    let cut_short = sweep.points.iter().map(|point| point.cut_short).sum::<u64>();
    if cut_short > 0 {
        let runs = counted(cut_short, "run", "runs");
        out.push_str(&format!("{runs} hit the limit of events before the end: what they say is not the whole\n"));
    }
    let (flat, telling): (Vec<&Curve>, Vec<&Curve>) = sweep.curves.iter().partition(|curve| flat_rate(curve).is_some());
    for curve in telling {
        let kind = match curve.of {
            Subject::Metric(_) => "",
            Subject::Violated(_) => " is violated",
        };
        out.push_str(&format!("\n  {}{kind}: {}\n", curve.of.name(), curve.formula));
        out.push_str(&if sweep.axes.len() == 2 { matrix(sweep, curve) } else { table(sweep, curve) });
        out.push_str(&said(sweep, curve));
    }
    if !flat.is_empty() {
        out.push_str("\n  the same at every value\n");
        let rows: Vec<Vec<String>> = flat.iter().filter_map(|curve| flat_rate(curve)).collect();
        out.push_str(&aligned(&rows));
    }
    if !sweep.further.is_empty() {
        out.push_str(&format!("\n  closed forms hold for further metrics (--metric): {}\n", sweep.further.join(", ")));
    }
    if let Some(page) = page {
        out.push_str(&format!("\n  report: {}\n", page.display()));
    }
    with_plain_spaces(&out)
}

/// What is said of an invariant that no run violates, or every one, or none exercises, where no law says more.
fn flat_rate(curve: &Curve) -> Option<Vec<String>> {
    let Subject::Violated(invariant) = curve.of else { return None };
    let readings: Vec<&Reading> = curve.readings.iter().flatten().collect();
    let violated = |reading: &&Reading| reading.violated.map_or(0, |(violated, _)| violated);
    let exercised: u64 = readings.iter().map(|reading| reading.seeds).sum();
    let of = if exercised == 0 {
        "never exercised: this is worth nothing".to_owned()
    } else if readings.iter().any(|reading| reading.theory.is_some()) {
        return None;
    } else if readings.iter().map(violated).sum::<u64>() == 0 {
        format!("violated in none of {} that exercise it", counted(exercised, "run", "runs"))
    } else if readings.iter().all(|reading| violated(reading) == reading.seeds) {
        format!("violated in all {} that exercise it", counted(exercised, "run", "runs"))
    } else {
        return None;
    };
    Some(vec![invariant.to_owned(), of])
}

/// Where it bends, and what theory says.
fn said(sweep: &Sweep, curve: &Curve) -> String {
    let mut out = String::new();
    if let Some(bend) = words::bend(sweep, curve) {
        out.push_str(&format!("    {bend}\n"));
    }
    for found in curve.agreements() {
        let theory = curve.readings.iter().flatten().filter_map(|reading| reading.theory);
        let law = theory.map(|theory| theory.law).find(|law| law.name == found.law);
        let formula = law.map_or("", |law| law.formula);
        out.push_str(&format!("    closed form {}: {formula}\n", found.law));
        out.push_str(&format!("      {}\n", words::agreement(sweep, &found)));
    }
    out
}

fn table(sweep: &Sweep, curve: &Curve) -> String {
    let axis = &sweep.axes[0];
    let theory = curve.readings.iter().flatten().any(|reading| reading.theory.is_some());
    let rate = matches!(curve.of, Subject::Violated(_));
    let mut head = vec![axis.key.clone()];
    head.extend([if rate { "violated" } else { "mean" }, "95% band"].map(str::to_owned));
    if rate {
        head.insert(1, "rate".to_owned());
    }
    if theory {
        head.push("theory".to_owned());
    }
    let mut rows = vec![head];
    let shown = thinned(sweep.points.len(), ROWS);
    for at in &shown {
        let mut row = vec![axis.values[sweep.points[*at].values[0]].text.clone()];
        match &curve.readings[*at] {
            Some(reading) => row.extend(cells(sweep, curve, reading, theory)),
            None if rate => row.push("never exercised".to_owned()),
            None => row.push("no value".to_owned()),
        }
        rows.push(row);
    }
    let mut out = aligned(&rows);
    if shown.len() < sweep.points.len() {
        let all = counted(sweep.points.len() as u64, "value", "values");
        out.push_str(&format!("    {} of {all}: all of them are in sweep.csv and in the JSON\n", shown.len()));
    }
    out
}

fn cells(sweep: &Sweep, curve: &Curve, reading: &Reading, theory: bool) -> Vec<String> {
    let of = |value: f64| quantity(value, curve.unit);
    let mut cells = vec![of(reading.mean)];
    if let Some((violated, runs)) = reading.violated {
        let exercised = if reading.seeds == runs { String::new() } else { format!(" (of {})", count(runs)) };
        cells.push(format!("{} of {}{exercised}", count(violated), count(reading.seeds)));
    }
    // A metric that some runs do not have rests on fewer seeds.
    let all = sweep.seeds.1 - sweep.seeds.0;
    let partly = reading.violated.is_none() && reading.seeds < all;
    let seeds = if partly {
        format!(" ({} of {})", count(reading.seeds), counted(all, "seed", "seeds"))
    } else {
        String::new()
    };
    cells.push(format!("{}{seeds}", words::band(curve, reading.ci95)));
    if theory {
        cells.push(reading.theory.map_or_else(|| "-".to_owned(), |theory| of(theory.value)));
    }
    cells
}

/// The means over two parameters: rows for the first, columns for the second.
fn matrix(sweep: &Sweep, curve: &Curve) -> String {
    let (down, across): (&Axis, &Axis) = (&sweep.axes[0], &sweep.axes[1]);
    let (rows, columns) = (thinned(down.values.len(), ROWS), thinned(across.values.len(), COLUMNS));
    let mut head = vec![format!("{} \\ {}", down.key, across.key)];
    head.extend(columns.iter().map(|at| across.values[*at].text.clone()));
    let mut table = vec![head];
    for row in &rows {
        let mut cells = vec![down.values[*row].text.clone()];
        cells.extend(columns.iter().map(|column| {
            let at = sweep.points.iter().position(|point| point.values == [*row, *column]);
            let reading = at.and_then(|at| curve.readings[at].as_ref());
            reading.map_or_else(|| "-".to_owned(), |reading| quantity(reading.mean, curve.unit))
        }));
        table.push(cells);
    }
    let mut out = aligned(&table);
    let bands = if matches!(curve.of, Subject::Violated(_)) { "rates" } else { "means" };
    out.push_str(&format!("    {bands}; their 95% bands are in sweep.csv and in the JSON\n"));
    if rows.len() < down.values.len() || columns.len() < across.values.len() {
        out.push_str("    not all values are shown here\n");
    }
    out
}

/// At most so many of `n` positions, evenly, the first and the last among them.
fn thinned(n: usize, most: usize) -> Vec<usize> {
    if n <= most { (0..n).collect() } else { (0..most).map(|at| at * (n - 1) / (most - 1)).collect() }
}

/// Rows with columns of one width; the first begins on the left.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(at, (cell, width))| if at == 0 { format!("{cell:width$}") } else { format!("{cell:>width$}") });
        format!("    {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
