//! A mutation analysis, in words for a terminal and as JSON.

use super::number::{counted, percent, with_plain_spaces};
use super::sentence::counted_list;
use crate::campaign::mutate::{Column, Mutation, Outcome, Seen, Standing};
use crate::campaign::verdict::Judgement;
use serde_json::{Value as Json, json};

/// The version of the JSON document.
const SCHEMA_VERSION: u32 = 1;

/// For people.
pub fn text(found: &Mutation) -> String {
    let (from, to) = found.seeds;
    let mut out = format!(
        "{} · {} · {} on the same {} ({from}..{to})\n",
        found.scenario,
        found.variant,
        counted(found.asked as u64, "mutant", "mutants"),
        counted(to - from, "seed", "seeds"),
    );
    if found.interrupted {
        let done = counted(found.outcomes.len() as u64, "mutant is", "mutants are");
        out.push_str(&format!("INTERRUPTED: {done} finished\n"));
    }
    out.push_str(&matrix(found));
    out.push_str(&each(found));
    out.push_str(&weaknesses(found));
    if !found.not_applicable.is_empty() {
        out.push_str("\n  not applicable here\n");
        for (operator, why) in &found.not_applicable {
            out.push_str(&format!("    {operator}: {why}\n"));
        }
    }
    out.push_str(&format!("\n  {}\n", score(found)));
    with_plain_spaces(&out)
}

/// `12 of 23 mutants were noticed: 52.2%`
pub fn score(found: &Mutation) -> String {
    let all = counted(found.outcomes.len() as u64, "mutant", "mutants");
    match found.score() {
        None => "no mutant was finished".to_owned(),
        Some(score) => {
            format!(
                "score: {} of {all} noticed by what the file expects, {}",
                found.count(Standing::Noticed),
                percent(score)
            )
        }
    }
}

/// Rows are mutants, columns what the file expects and what else turned red.
fn matrix(found: &Mutation) -> String {
    let mut out = "\n  columns\n".to_owned();
    let letters: Vec<String> = (0..found.columns.len()).map(letter).collect();
    let widest = letters.iter().map(String::len).max().unwrap_or(1);
    for (letter, column) in letters.iter().zip(&found.columns) {
        out.push_str(&format!("    {letter:widest$}  {}\n", told(column)));
    }
    out.push_str(
        "  cells: seeds newly violated; ! not as expected any more; 0 never happens any more; = in the run without the \
         rollout too; · nothing\n\n",
    );
    let names: Vec<String> = found.outcomes.iter().map(Outcome::name).collect();
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let cells: Vec<Vec<String>> =
        found.outcomes.iter().map(|outcome| outcome.seen.iter().map(cell).collect()).collect();
    let width = |at: usize| {
        let cells = cells.iter().map(|row| row[at].chars().count());
        cells.chain([letters[at].len()]).max().unwrap_or(1)
    };
    let widths: Vec<usize> = (0..letters.len()).map(width).collect();
    let row = |mark: char, name: &str, cells: &[String]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}"));
        format!("  {mark} {name:longest$}  {}\n", cells.collect::<Vec<_>>().join(" ")).trim_end().to_owned() + "\n"
    };
    out.push_str(&row(' ', "", &letters));
    for ((outcome, name), cells) in found.outcomes.iter().zip(&names).zip(&cells) {
        out.push_str(&row(mark(outcome.standing), name, cells));
    }
    out
}

/// `a`, …, `z`, `aa`, …
fn letter(at: usize) -> String {
    let last = char::from(b'a' + (at % 26) as u8);
    if at < 26 { last.to_string() } else { format!("{}{last}", letter(at / 26 - 1)) }
}

fn told(column: &Column) -> String {
    match (column.expected.is_empty(), column.notices) {
        (true, _) => format!("{} (not named by the file: it decides nothing)", column.name),
        (false, true) => column.expected.clone(),
        (false, false) => format!("{} (not met without a mutant: it decides nothing here)", column.expected),
    }
}

fn mark(standing: Standing) -> char {
    match standing {
        Standing::Noticed => '✓',
        Standing::Unnamed => '?',
        Standing::Survived => '✗',
    }
}

fn cell(seen: &Seen) -> String {
    match seen {
        Seen::Nothing => "·".to_owned(),
        Seen::Red { seeds, .. } => seeds.to_string(),
        Seen::Missed(_) => "!".to_owned(),
        Seen::Gone => "0".to_owned(),
        Seen::Excused { .. } => "=".to_owned(),
    }
}

/// Each mutant of which something was seen: what was changed, and what was seen.
fn each(found: &Mutation) -> String {
    let mut out = String::new();
    for outcome in found.outcomes.iter().filter(|outcome| outcome.standing != Standing::Survived) {
        out.push_str(&format!("\n  {} {}: {}\n", mark(outcome.standing), outcome.name(), outcome.change));
        for (column, seen) in found.columns.iter().zip(&outcome.seen) {
            if let Some(sentence) = sentence(found, column, seen) {
                out.push_str(&format!("      {sentence}\n"));
            }
        }
    }
    out
}

fn sentence(found: &Mutation, column: &Column, seen: &Seen) -> Option<String> {
    let all = counted(found.seeds.1 - found.seeds.0, "seed", "seeds");
    let name = &column.name;
    let unnamed = if column.notices { "" } else { " (decides nothing)" };
    Some(match seen {
        Seen::Nothing => return None,
        Seen::Red { seeds, causes } => {
            let causes = if causes.is_empty() { String::new() } else { format!(": {}", counted_list(causes)) };
            format!("{name} violated in {seeds} of {all} in which it was not{causes}{unnamed}")
        }
        Seen::Missed(why) => format!("{}: {why}{unnamed}", column.expected),
        Seen::Gone => format!("{name} is never exercised any more, or has no value{unnamed}"),
        Seen::Excused { seeds } => {
            format!(
                "{name}: what it sees in {seeds} of {all} is in the run without the rollout too, and does not count"
            )
        }
    })
}

/// What the file cannot see, and what it names for nothing.
fn weaknesses(found: &Mutation) -> String {
    let mut out = String::new();
    let of = |standing: Standing| found.outcomes.iter().filter(move |outcome| outcome.standing == standing);
    if of(Standing::Survived).next().is_some() {
        out.push_str("\n  survived: what this file expects cannot see these defects\n");
        for outcome in of(Standing::Survived) {
            out.push_str(&format!("    {}: {}\n", outcome.name(), outcome.change));
            let seen = found.columns.iter().zip(&outcome.seen);
            seen.filter_map(|(column, seen)| sentence(found, column, seen)).for_each(|sentence| {
                out.push_str(&format!("      {sentence}\n"));
            });
            if outcome.same_runs {
                out.push_str("      nothing that is measured depends on it in these runs\n");
            }
        }
    }
    if of(Standing::Unnamed).next().is_some() {
        out.push_str("\n  seen only by what decides nothing: name it under `expect`\n");
        for outcome in of(Standing::Unnamed) {
            let by = found.columns.iter().zip(&outcome.seen);
            let by = by.filter(|(_, seen)| !matches!(seen, Seen::Nothing | Seen::Excused { .. }));
            let by: Vec<&str> = by.map(|(column, _)| column.name.as_str()).collect();
            out.push_str(&format!("    {}: {}\n", outcome.name(), by.join(", ")));
        }
    }
    if !found.blind.is_empty() {
        out.push_str("\n  blind: expected to hold, and no mutant that ran turned it red\n");
        for invariant in &found.blind {
            out.push_str(&format!("    {invariant}\n"));
        }
    }
    out
}

/// For other tools. Documented in `docs/mutate.md`.
pub fn json(found: &Mutation) -> String {
    let column = |column: &Column| json!({ "name": column.name, "expected": (!column.expected.is_empty()).then_some(&column.expected), "decides": column.notices });
    let unmutated = found.unmutated.iter().map(|row| {
        let (judgement, why) = match &row.judgement {
            Judgement::Met => ("met", None),
            Judgement::Missed(why) => ("missed", Some(why)),
            Judgement::Inconclusive(why) => ("inconclusive", Some(why)),
            Judgement::Accepted(why) => ("accepted", Some(why)),
        };
        json!({ "expected": row.text, "judgement": judgement, "why": why })
    });
    let not_applicable = found.not_applicable.iter().map(|(operator, why)| json!({ "operator": operator, "why": why }));
    let whole = json!({
        "schema_version": SCHEMA_VERSION,
        "windtunnel": env!("CARGO_PKG_VERSION"),
        "scenario": found.scenario,
        "variant": found.variant,
        "seeds": [found.seeds.0, found.seeds.1],
        "interrupted": found.interrupted,
        "asked_mutants": found.asked,
        "noticed": found.count(Standing::Noticed),
        "unnamed": found.count(Standing::Unnamed),
        "survived": found.count(Standing::Survived),
        "score": found.score(),
        "unmutated": unmutated.collect::<Vec<Json>>(),
        "columns": found.columns.iter().map(column).collect::<Vec<Json>>(),
        "mutants": found.outcomes.iter().map(mutant).collect::<Vec<Json>>(),
        "blind": found.blind,
        "not_applicable": not_applicable.collect::<Vec<Json>>(),
    });
    format!("{whole:#}\n")
}

fn mutant(outcome: &Outcome) -> Json {
    let seen = |seen: &Seen| match seen {
        Seen::Nothing => Json::Null,
        Seen::Red { seeds, causes } => {
            let causes: Vec<Json> =
                causes.iter().map(|(cause, count)| json!({ "cause": cause, "count": count })).collect();
            json!({ "seen": "red", "seeds": seeds, "causes": causes })
        }
        Seen::Missed(why) => json!({ "seen": "missed", "why": why }),
        Seen::Gone => json!({ "seen": "gone" }),
        Seen::Excused { seeds } => json!({ "seen": "excused", "seeds": seeds }),
    };
    let standing = match outcome.standing {
        Standing::Noticed => "noticed",
        Standing::Unnamed => "unnamed",
        Standing::Survived => "survived",
    };
    json!({
        "name": outcome.name(), "operator": outcome.operator, "place": outcome.place, "change": outcome.change,
        "standing": standing, "same_runs": outcome.same_runs, "seen": outcome.seen.iter().map(seen).collect::<Vec<Json>>(),
    })
}
