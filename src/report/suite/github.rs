//! Workflow commands of GitHub Actions: annotations at the lines that are not kept.
//!
//! GitHub shows ten errors, ten warnings and ten notices of a step and drops the rest without a word, so there is one
//! per invariant or metric, which says how many more there are.

use super::{Format, Row, Suite, Weight};
use std::fmt::Write;

/// Annotations of one kind that GitHub shows of a step.
pub const SHOWN: usize = 10;
/// Places of one subject that its annotation names; the rest is counted.
const NAMED: usize = 5;

pub const FORMAT: Format = Format {
    name: "github",
    sentence: "annotations of GitHub Actions, as workflow commands: one per violated invariant, at its line",
    details: "missed, not run and inconclusive are errors (with --inconclusive warn inconclusive is a warning), accepted is a \
              notice; at most ten of each, which is what GitHub shows of a step",
    render,
};

/// One command a line; nothing where everything is met.
pub fn render(suite: &Suite) -> String {
    let told = suite.told();
    let mut text = String::new();
    for (weight, kind) in [(Weight::Error, "error"), (Weight::Warning, "warning"), (Weight::Notice, "notice")] {
        let groups = by_subject(told.iter().copied().filter(|row| suite.weight(row) == weight));
        // The last one tells of those that do not fit.
        let fit = if groups.len() > SHOWN { SHOWN - 1 } else { groups.len() };
        for rows in &groups[..fit] {
            annotation(kind, rows, &mut text);
        }
        if fit < groups.len() {
            let more: Vec<&str> = groups[fit..].iter().map(|rows| rows[0].subject.as_str()).take(NAMED).collect();
            let more = format!("and {} more: {}, … (the step summary has all)", groups.len() - fit, more.join(", "));
            let _ = writeln!(text, "::{kind} title=windtunnel::{}", data(&more));
        }
    }
    text
}

/// Rows of one subject together, in the order of their first.
fn by_subject<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<Vec<&'a Row>> {
    let mut groups: Vec<Vec<&Row>> = Vec::new();
    for row in rows {
        match groups.iter_mut().find(|group| group[0].rule == row.rule && group[0].subject == row.subject) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups
}

fn annotation(kind: &str, rows: &[&Row], text: &mut String) {
    let first = rows[0];
    let mut message = format!("{}\n{}", first.account, first.replay);
    if rows.len() > 1 {
        let place = |row: &&Row| format!("{}:{}", row.scenario, row.variant);
        let named: Vec<String> = rows[1..].iter().map(place).take(NAMED).collect();
        let rest = if rows.len() - 1 > NAMED { ", …" } else { "" };
        message.push_str(&format!("\nand {} more: {}{rest}", rows.len() - 1, named.join(", ")));
    }
    let title = format!("{} in {}:{}", first.subject, first.scenario, first.variant);
    let _ = writeln!(
        text,
        "::{kind} file={},line={},title={}::{}",
        property(&first.at.file),
        first.at.number,
        property(&title),
        data(&message)
    );
}

/// A message, so that it ends where it ends.
pub fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which a colon or a comma would end.
pub fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
