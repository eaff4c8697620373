//! GitLab's Code Quality report: a JSON list of findings, of which a merge request shows the new ones.

use super::{Format, Row, Suite, Weight};
use crate::kernel::digest::{Digest, hash_bytes};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const FORMAT: Format = Format {
    name: "gitlab",
    sentence: "GitLab Code Quality JSON: a finding per expectation that is not met, at its line",
    details: "missed and not run are critical, inconclusive is critical (with --inconclusive warn: minor), accepted is info",
    render,
};

/// The text of the file.
pub fn render(suite: &Suite) -> String {
    let mut seen = BTreeMap::new();
    let findings: Vec<Value> = suite.told().into_iter().map(|row| finding(suite, row, &mut seen)).collect();
    let mut text = serde_json::to_string_pretty(&findings).expect("texts and numbers serialize");
    text.push('\n');
    text
}

fn finding(suite: &Suite, row: &Row, seen: &mut BTreeMap<u64, u64>) -> Value {
    let severity = match suite.weight(row) {
        Weight::Error => "critical",
        Weight::Warning => "minor",
        Weight::Notice | Weight::None => "info",
    };
    // GitLab keeps one of several findings with one fingerprint.
    let plain = identity(row, 0);
    let nth = *seen.entry(plain).and_modify(|times| *times += 1).or_insert(0);
    json!({
        "description": format!("{}:{}: {}: {}", row.scenario, row.variant, row.subject, row.account),
        "check_name": row.rule.id(),
        "fingerprint": format!("{:016x}", identity(row, nth)),
        "severity": severity,
        "location": { "path": row.at.file, "lines": { "begin": row.at.number } },
    })
}

/// What makes a finding the same one from run to run: what is expected, and where. Neither the line nor what came of
/// it: both may move.
pub fn identity(row: &Row, nth: u64) -> u64 {
    let mut digest = Digest::default();
    for text in [&row.file, &row.scenario, &row.variant, &row.rule.id(), &row.expected] {
        digest.fold(hash_bytes(text.as_bytes()), text.len() as u64);
    }
    digest.fold(nth, 0);
    digest.word()
}
