//! SARIF 2.1.0: a result per expectation that is not met, a rule per invariant or metric, for code scanning.

use super::gitlab::identity;
use super::row::clipped;
use super::{Format, Outcome, Row, Rule, Suite, Weight};
use crate::scenario::plan::Line;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Results that GitHub keeps of a run; it drops what is above, and refuses a file with more than 25,000. There are
/// never more rules than results.
pub const MOST_RESULTS: usize = 5_000;

pub const FORMAT: Format = Format {
    name: "sarif",
    sentence: "SARIF 2.1.0: a result per expectation that is not met, at its line, for code scanning",
    details: "missed, not run and inconclusive are of level error (with --inconclusive warn inconclusive is a warning), \
              accepted is a note with a suppression; at most 5 000 results, the heaviest first, and told if there are more",
    render,
};

/// The text of the file.
pub fn render(suite: &Suite) -> String {
    let told = suite.told();
    let rows = &told[..told.len().min(MOST_RESULTS)];
    let mut rules: Vec<&Rule> = rows.iter().map(|row| &row.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    let mut invocation = json!({ "executionSuccessful": true });
    if rows.len() < told.len() {
        let text = format!("{} more results are left out: code scanning keeps {MOST_RESULTS}", told.len() - rows.len());
        invocation["toolExecutionNotifications"] = json!([{ "level": "warning", "message": { "text": text } }]);
    }
    let mut seen = BTreeMap::new();
    let results: Vec<Value> = rows.iter().map(|row| result(suite, row, &rules, &mut seen)).collect();
    let document = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "windtunnel",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| described(rule)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [invocation],
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&document).expect("texts and numbers serialize");
    text.push('\n');
    text
}

fn described(rule: &Rule) -> Value {
    let sentence = clipped(&rule.sentence());
    json!({
        "id": rule.id(),
        "shortDescription": { "text": clipped(&rule.id()) },
        "fullDescription": { "text": sentence },
        "help": { "text": clipped(&rule.help()) },
    })
}

fn result(suite: &Suite, row: &Row, rules: &[&Rule], seen: &mut BTreeMap<u64, u64>) -> Value {
    let level = match suite.weight(row) {
        Weight::Error => "error",
        Weight::Warning => "warning",
        Weight::Notice | Weight::None => "note",
    };
    let plain = identity(row, 0);
    let nth = *seen.entry(plain).and_modify(|times| *times += 1).or_insert(0);
    // Code scanning takes two results with one of these for the same alert, and one line has several variants.
    let print = format!("{:016x}:1", identity(row, nth));
    json!({
        "ruleId": row.rule.id(),
        "ruleIndex": rules.iter().position(|rule| **rule == row.rule),
        "level": level,
        "message": { "text": message(row) },
        "locations": [{
            "physicalLocation": physical(&row.at),
            "logicalLocations": [{ "fullyQualifiedName": format!("{}:{}", row.scenario, row.variant) }],
        }],
        "partialFingerprints": { "primaryLocationLineHash": print },
        "suppressions": suppressions(row),
    })
}

fn message(row: &Row) -> String {
    let word = match row.outcome {
        Outcome::Met => "met",
        Outcome::Missed => "missed",
        Outcome::Inconclusive => "inconclusive",
        Outcome::Accepted => "accepted",
        Outcome::Refused => "not run",
    };
    clipped(&format!("{}:{}: {word}: {}: {}\n{}", row.scenario, row.variant, row.subject, row.account, row.replay))
}

/// Accepted violations are suppressed where the file accepts them. Present on every result, as the standard asks for
/// where it is on any.
fn suppressions(row: &Row) -> Vec<Value> {
    let suppression = |(terms, at): &(String, Line)| {
        json!({
            "kind": "inSource",
            "status": "accepted",
            "justification": clipped(terms),
            "location": { "physicalLocation": physical(at) },
        })
    };
    row.accepted.iter().map(suppression).collect()
}

fn physical(at: &Line) -> Value {
    json!({ "artifactLocation": { "uri": uri(&at.file) }, "region": { "startLine": at.number } })
}

/// A path as a URI reference (RFC 3986): relative ones stay relative, to the root of the repository.
pub fn uri(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => text.push(char::from(byte)),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    if text.starts_with('/') { format!("file://{text}") } else { text }
}
