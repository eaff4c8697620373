//! What `windtunnel rollback` prints: for each step the three ways back, as a table or as JSON.

use super::number;
use crate::models::estate::Estate;
use crate::run::rollback::{AfterStep, Future, Way, WaysBack};
use crate::scenario::plan::Plan;
use serde_json::{Value as Json, json};

/// The version of the JSON's schema.
const SCHEMA_VERSION: u32 = 1;

const HEAD: [&str; 7] =
    ["after", "at", "way back", "irreversible left", "to compensate", "clean after", "who must act"];

/// The table, with the point of no return below it.
pub fn table(plan: &Plan, seed: u64, found: &[WaysBack]) -> String {
    let estate = &*plan.estate;
    let mut text = format!("{} · {} · seed {seed}\n", plan.scenario, plan.variant);
    for ways in found {
        text.push_str(&format!("\nways back of {}\n", estate.features[ways.feature].name));
        let mut rows = vec![HEAD.map(str::to_owned)];
        for after in &ways.steps {
            for (nth, future) in after.futures.iter().enumerate() {
                rows.push(row(estate, ways, after, future, nth == 0));
            }
        }
        text.push_str(&aligned(&rows));
        text.push_str(&verdict(estate, ways));
    }
    number::with_plain_spaces(&text)
}

fn row(estate: &Estate, ways: &WaysBack, after: &AfterStep, future: &Future, names_step: bool) -> [String; 7] {
    let (step, at) = match names_step {
        true => (step_name(estate, ways, after), number::clock(after.at)),
        false => (String::new(), String::new()),
    };
    [
        step,
        at,
        way(estate, ways, future),
        counted(estate, future.irreversible_left, future.irreversible_left_amount),
        counted(estate, future.compensation_debt, future.compensation_debt_amount),
        clean(future),
        actors(estate, future),
    ]
}

/// `884, 212160.00 EUR`, where the estate speaks of money.
fn counted(estate: &Estate, count: u64, amount: u64) -> String {
    let money = estate.currency.as_ref().filter(|_| count > 0).map(|currency| format!(", {}", currency.text(amount)));
    number::count(count) + &money.unwrap_or_default()
}

fn step_name(estate: &Estate, ways: &WaysBack, after: &AfterStep) -> String {
    let rollout = estate.rollouts.iter().find(|rollout| rollout.feature == ways.feature);
    rollout.map_or(String::new(), |rollout| rollout.steps[after.step].name.clone())
}

fn way(estate: &Estate, ways: &WaysBack, future: &Future) -> String {
    let feature = &estate.features[ways.feature];
    match future.way {
        Way::OneStepBack | Way::AllTheWayBack => future.way.name().to_owned(),
        Way::Kill => format!("kill to {}", feature.stage_name(feature.safe_stage)),
    }
}

fn clean(future: &Future) -> String {
    match (future.clean_after, future.still_behind, future.still_open) {
        (Some(after), ..) => number::seconds(after.as_secs_f64()),
        (None, 0, open) => format!("never: {}", number::counted(open, "interaction is open", "interactions are open")),
        (None, behind, _) => {
            format!("never: {}", number::counted(behind, "replica holds old policy", "replicas hold old policy"))
        }
    }
}

fn actors(estate: &Estate, future: &Future) -> String {
    let contexts: Vec<&str> = future.contexts.iter().map(|context| estate.contexts.text(*context)).collect();
    match (future.irreversible_left, contexts.is_empty()) {
        (0, true) => "the control plane alone".to_owned(),
        (0, false) => contexts.join(", "),
        (_, true) => "people: no system can undo it".to_owned(),
        (_, false) => format!("people, {}", contexts.join(", ")),
    }
}

fn verdict(estate: &Estate, ways: &WaysBack) -> String {
    match ways.point_of_no_return() {
        _ if ways.steps.is_empty() => "no step is published while customers come\n".to_owned(),
        Some(after) => {
            let name = step_name(estate, ways, after);
            format!("point of no return: {name}; from there on no way back is clean\n")
        }
        None => "no point of no return: after every step some way back is clean\n".to_owned(),
    }
}

/// Columns as wide as their widest cell.
fn aligned(rows: &[[String; 7]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(&widths).enumerate().map(|(at, (cell, width))| match at {
            3..=5 => format!("{cell:>width$}"),
            _ => format!("{cell:width$}"),
        });
        format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// The same for other tools; times in seconds, amounts in minor units of the currency, `null` where there is none.
pub fn json(plan: &Plan, seed: u64, found: &[WaysBack]) -> String {
    let estate = &*plan.estate;
    let money = |minor: u64| estate.currency.as_ref().map(|_| minor);
    let future = |future: &Future| {
        let contexts: Vec<&str> = future.contexts.iter().map(|context| estate.contexts.text(*context)).collect();
        json!({
            "way": future.way.name(),
            "irreversible_left": future.irreversible_left,
            "irreversible_left_amount": money(future.irreversible_left_amount),
            "compensation_debt": future.compensation_debt,
            "compensation_debt_amount": money(future.compensation_debt_amount),
            "clean_after": future.clean_after.map(|after| after.as_secs_f64()),
            "still_open": future.still_open,
            "still_behind": future.still_behind,
            "contexts": contexts,
            "clean": future.is_clean(),
        })
    };
    let rollout = |ways: &WaysBack| {
        let steps: Vec<Json> = ways
            .steps
            .iter()
            .map(|after| {
                json!({
                    "step": step_name(estate, ways, after),
                    "published": after.published.as_secs_f64(),
                    "at": after.at.as_secs_f64(),
                    "futures": after.futures.iter().map(future).collect::<Vec<_>>(),
                })
            })
            .collect();
        json!({
            "feature": estate.features[ways.feature].name,
            "point_of_no_return": ways.point_of_no_return().map(|after| step_name(estate, ways, after)),
            "steps": steps,
        })
    };
    let whole = json!({
        "schema_version": SCHEMA_VERSION,
        "windtunnel": env!("CARGO_PKG_VERSION"),
        "scenario": plan.scenario,
        "variant": plan.variant,
        "seed": seed,
        "currency": estate.currency.as_ref().map(|currency| currency.code.as_str()),
        "rollouts": found.iter().map(rollout).collect::<Vec<_>>(),
    });
    format!("{whole:#}\n")
}
