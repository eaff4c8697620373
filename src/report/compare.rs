//! Variants side by side, in words for a terminal and as JSON.

mod choice;
pub mod folder;
mod page;

use super::number::{counted, percent, plain, quantity, with_plain_spaces};
use crate::campaign::compare::{Against, Comparison, Discordant, FRONT, Judged, Measured};
use crate::stats::paired::Paired;
pub use choice::{choice_json, choice_text};
use serde_json::{Value as Json, json};

/// The version of the JSON document.
const SCHEMA_VERSION: u32 = 1;

/// For people.
pub fn text(found: &Comparison) -> String {
    let (from, to) = found.seeds;
    let mut out = format!(
        "{} · {} on the same {} ({from}..{to})\n",
        found.scenario,
        counted(found.variants.len() as u64, "variant", "variants"),
        counted(found.compared, "seed", "seeds"),
    );
    if found.interrupted {
        out.push_str("INTERRUPTED: only the seeds that every variant finished are compared\n");
    }
    out.push_str("\n  which are feasible: no invariant that the file names is violated in any run\n");
    let widest = found.variants.iter().map(|one| one.variant.chars().count()).max().unwrap_or(0);
    for one in &found.variants {
        let mark = match (one.feasible, one.invariants.is_empty()) {
            (_, true) => '·',
            (true, false) => '✓',
            (false, false) => '✗',
        };
        out.push_str(&format!("  {mark} {:widest$}  {}\n", one.variant, rates(one)));
    }
    for one in &found.against {
        out.push_str(&format!("\n  {} against {}\n", one.variant, found.baseline));
        out.push_str(&format!("    {}\n", sentence(found, one)));
        for discordant in
            one.invariants.iter().filter(|discordant| discordant.only_baseline + discordant.only_variant > 0)
        {
            out.push_str(&format!("    {}\n", violations(discordant, found)));
        }
        out.push_str(&table(&one.metrics));
    }
    out.push_str(&front(found));
    with_plain_spaces(&out)
}

fn rates(one: &Judged) -> String {
    let told = one.invariants.iter().map(|rate| match rate.at_most {
        None => format!("{} never exercised: this is worth nothing", rate.invariant),
        Some(_) if rate.violated > 0 => {
            format!("{} violated in {} of {} that exercised it", rate.invariant, rate.violated, runs(rate.exercised))
        }
        Some(most) => format!(
            "{} in none of {} that exercised it (with 95% confidence in at most {})",
            rate.invariant,
            runs(rate.exercised),
            percent(most)
        ),
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { "the file names no invariant".to_owned() } else { told.join("; ") }
}

/// `p = 0.03`, `p < 0.0001`.
fn p_text(p: f64) -> String {
    const LEAST: f64 = 0.0001;
    if p < LEAST { format!("p < {LEAST}") } else { format!("p = {}", plain(p)) }
}

fn runs(n: u64) -> String {
    counted(n, "run", "runs")
}

/// `edge-context: 61% less harm.count than base (95% interval 52% to 68%), lower in 187 seeds, …`
pub fn sentence(found: &Comparison, one: &Against) -> String {
    let Some(measured) = one.metrics.iter().find(|measured| measured.name == found.primary) else {
        return format!("{} has no value in both: nothing can be said of it", found.primary);
    };
    let Paired { lower, higher, equal, mean_a, mean_b, .. } = measured.paired;
    let of = |value: f64| quantity(value, measured.unit);
    let how = match &measured.paired.ratio {
        _ if lower + higher == 0 => {
            return format!("{}: the same in every seed, {} on average", measured.name, of(mean_a));
        }
        Some((0.0, _)) => format!("none of {}", measured.name),
        Some((ratio, interval)) => {
            let word = if *ratio <= 1.0 { "less" } else { "more" };
            let size = |ratio: f64| percent((1.0 - ratio).abs());
            let between = match interval {
                // An interval that holds both sides is told as what it is.
                Some((low, high)) if *low <= 1.0 && 1.0 <= *high => format!(
                    " (95% interval: from {} less to {} more)",
                    percent((1.0 - low).max(0.0)),
                    percent((high - 1.0).max(0.0))
                ),
                Some((low, high)) => {
                    let (one, other) = if *ratio <= 1.0 { (high, low) } else { (low, high) };
                    format!(" (95% interval {} to {})", size(*one), size(*other))
                }
                None => " (too few differences for an interval)".to_owned(),
            };
            format!("{} {word} {}{between}", size(*ratio), measured.name)
        }
        None => format!("{} {} instead of {}", measured.name, of(mean_b), of(mean_a)),
    };
    let p_value = one.p_value.map(|p| format!("; {} after Holm", p_text(p))).unwrap_or_default();
    let step =
        if measured.paired.in_step() { "" } else { "; the two hardly vary together: more seeds are needed than usual" };
    let seeds = |n: u64| counted(n, "seed", "seeds");
    format!(
        "{how}: {} instead of {}; lower in {}, higher in {}, equal in {}{p_value}{step}",
        of(mean_b),
        of(mean_a),
        seeds(lower),
        seeds(higher),
        seeds(equal)
    )
}

fn violations(one: &Discordant, found: &Comparison) -> String {
    let (low, high) = one.difference;
    format!(
        "{}: violated only in {} in {}, only here in {}, in both in {}; difference of shares {} to {}, {}",
        one.invariant,
        found.baseline,
        counted(one.only_baseline, "seed", "seeds"),
        counted(one.only_variant, "seed", "seeds"),
        counted(one.both, "seed", "seeds"),
        percent(low),
        percent(high),
        p_text(one.p_value)
    )
}

/// One row a metric: both means, the difference with its interval, in how many seeds it is lower and higher, and by how
/// much the pairing reduces the variance.
fn table(metrics: &[Measured]) -> String {
    let mut rows = vec![
        ["metric", "baseline", "here", "difference", "95% interval", "lower", "higher", "pairing"].map(str::to_owned),
    ];
    for Measured { name, unit, paired } in metrics {
        let of = |value: f64| quantity(value, unit);
        rows.push([
            name.clone(),
            of(paired.mean_a),
            of(paired.mean_b),
            of(paired.difference),
            paired
                .interval
                .map_or_else(|| "too few differ".to_owned(), |(low, high)| format!("{} to {}", of(low), of(high))),
            paired.lower.to_string(),
            paired.higher.to_string(),
            paired.reduction.map_or_else(|| "-".to_owned(), |factor| format!("×{}", plain(factor))),
        ]);
    }
    aligned(&rows, 1)
}

/// Rows with columns of one width; the first `left` columns begin on the left.
fn aligned<const N: usize>(rows: &[[String; N]], left: usize) -> String {
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells =
            row.iter().zip(&widths).enumerate().map(|(at, (cell, width))| {
                if at < left { format!("{cell:width$}") } else { format!("{cell:>width$}") }
            });
        format!("    {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// The feasible variants that no other beats in everything.
fn front(found: &Comparison) -> String {
    let on_front: Vec<&Judged> = found.variants.iter().filter(|one| one.on_front).collect();
    let mut out = format!("\n  the front of {}, each the less the better\n", FRONT.join(", "));
    if on_front.is_empty() {
        out.push_str("    no variant is feasible\n");
        return out;
    }
    let mut rows = vec![["variant", FRONT[0], FRONT[1], FRONT[2]].map(str::to_owned)];
    for one in on_front {
        let of = |at: usize| {
            let unit = if at == 0 { "1" } else { "s" };
            one.front[at].map_or_else(|| "-".to_owned(), |value| quantity(value, unit))
        };
        rows.push([one.variant.clone(), of(0), of(1), of(2)]);
    }
    out.push_str(&aligned(&rows, 1));
    out
}

/// For other tools: numbers in the units of `list metrics`, `null` where there is none.
pub fn json(found: &Comparison) -> String {
    let measured = |one: &Measured| {
        let Paired {
            seeds,
            mean_a,
            mean_b,
            difference,
            interval,
            ratio,
            lower,
            higher,
            equal,
            sign_p,
            flip_p,
            reduction,
        } = &one.paired;
        json!({
            "name": one.name, "unit": one.unit, "seeds": seeds, "baseline": mean_a, "mean": mean_b,
            "difference": difference, "ci95": interval.map(|(low, high)| [low, high]),
            "ratio": ratio.map(|(ratio, _)| ratio),
            "ratio_ci95": ratio.and_then(|(_, interval)| interval).map(|(low, high)| [low, high]),
            "lower": lower, "higher": higher, "equal": equal, "sign_test_p": sign_p, "permutation_p": flip_p,
            "variance_reduction": reduction,
        })
    };
    let discordant = |one: &Discordant| {
        json!({
            "invariant": one.invariant, "only_baseline": one.only_baseline, "only_variant": one.only_variant,
            "both": one.both, "difference_ci95": [one.difference.0, one.difference.1], "mcnemar_p": one.p_value,
        })
    };
    let against = |one: &Against| {
        json!({
            "variant": one.variant, "primary_p_holm": one.p_value,
            "invariants": one.invariants.iter().map(discordant).collect::<Vec<Json>>(),
            "metrics": one.metrics.iter().map(measured).collect::<Vec<Json>>(),
        })
    };
    let judged = |one: &Judged| {
        let invariants: Vec<Json> = one
            .invariants
            .iter()
            .map(|rate| {
                json!({
                    "name": rate.invariant, "violated_runs": rate.violated, "exercised_runs": rate.exercised,
                    "at_most_95": rate.at_most,
                })
            })
            .collect();
        let front: serde_json::Map<String, Json> =
            FRONT.iter().zip(one.front).map(|(name, mean)| ((*name).to_owned(), json!(mean))).collect();
        json!({
            "variant": one.variant, "feasible": one.feasible, "on_front": one.on_front, "front": front,
            "invariants": invariants,
        })
    };
    let whole = json!({
        "schema_version": SCHEMA_VERSION,
        "windtunnel": env!("CARGO_PKG_VERSION"),
        "scenario": found.scenario,
        "seeds": [found.seeds.0, found.seeds.1],
        "compared": found.compared,
        "interrupted": found.interrupted,
        "baseline": found.baseline,
        "primary": found.primary,
        "variants": found.variants.iter().map(judged).collect::<Vec<_>>(),
        "against": found.against.iter().map(against).collect::<Vec<_>>(),
    });
    format!("{whole:#}\n")
}
