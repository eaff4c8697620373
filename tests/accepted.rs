//! Accepted violations through the command line: until a day, for a cause, told everywhere, and gone when they are over.

mod common;

use assert_cmd::Command;
use common::told;
use serde_json::Value;
use std::fs;
use std::path::Path;

const SMALL: &str = "windtunnel: 1\nname: small\nsummary: Do two services disagree?\nduration: 2m\n\
    features: { f: { stages: [\"off\", \"on\"] } }\n\
    services:\n  a: { replicas: 1, sdk: { poll: 30s } }\n  b: { replicas: 1, sdk: { poll: 30s } }\n\
    journeys: { j: { arrivals: 5/s, calls: [a, b], feature: f } }\n\
    rollout: { f: { steps: [{ at: 1m, move: [{ to: \"on\" }] }] } }\n\
    expect: { split-brain: holds }\n";
/// Its line is the thirteenth of the file.
const ENTRY: &str = "accepted:\n  - { invariant: split-brain, cause: stale cache, until: 2026-12-31, owner: payments, ticket: SHOP-1 }\n";
const REPAIRED: &str = "variants:\n  repaired:\n    services: { a: { edge: true }, b: { decides_from: [context] } }\n";

fn written(more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    fs::write(folder.path().join("small.yaml"), format!("{SMALL}{more}")).expect("writable");
    folder
}

fn said(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("windtunnel").expect("the binary is built with its tests");
    command.current_dir(folder).env("NO_COLOR", "1").args(args).args(["--seeds", "1..3"]);
    for inherited in ["WINDTUNNEL_SEEDS", "WINDTUNNEL_TODAY", "GITHUB_ACTIONS"] {
        command.env_remove(inherited);
    }
    let output = command.output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

const ON_TIME: &[&str] = &["--today", "2026-12-31", "--no-report"];
const LATE: &[&str] = &["--today", "2027-01-01", "--no-report"];

#[test]
fn an_accepted_violation_passes_and_is_told_and_fails_after_its_day() {
    let folder = written(&format!("{ENTRY}{REPAIRED}"));
    let test = |day: &[&str]| said(folder.path(), &[&["test", "small.yaml"], day].concat());
    let (code, out, err) = test(ON_TIME);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("1 expectation in 2 runs: 0 met, 1 accepted"), "{out}");
    assert!(out.contains("accepted until 2026-12-31 by payments, ticket SHOP-1"), "{out}");
    assert!(
        out.contains("windtunnel run small.yaml --today 2026-12-31 --seed 1"),
        "the line judges as it was judged: {out}"
    );
    let (code, out, _) = test(LATE);
    assert_eq!(code, 1);
    assert!(out.contains("accepted until 2026-12-31 by payments, ticket SHOP-1: expired"), "{out}");
    // --quiet leaves out what is met, and nothing is met here.
    assert!(test(&["--today", "2026-12-31", "--no-report", "--quiet"]).1.contains("SHOP-1"));
}

#[test]
fn every_report_of_a_campaign_tells_it_and_records_the_day() {
    let folder = written(ENTRY);
    let (code, out, _) = said(folder.path(), &["run", "small.yaml", "--today", "2026-12-31"]);
    assert_eq!(code, 0);
    assert!(out.contains("accepted violations") && out.contains("0 met, 1 accepted"), "{out}");
    let read = |file: &str| fs::read_to_string(folder.path().join("reports/latest").join(file)).expect("written");
    let result: Value = serde_json::from_str(&read("result.json")).expect("JSON");
    assert_eq!((&result["verdict"], &result["today"]), (&"pass".into(), &"2026-12-31".into()));
    assert_eq!(result["expectations"][0]["judgement"], "accepted");
    let entry = &result["accepted"][0];
    assert_eq!((&entry["invariant"], &entry["cause"]), (&"split-brain".into(), &"stale cache".into()));
    assert_eq!((&entry["standing"], &entry["variants"][0]), (&"accepted".into(), &"base".into()));
    assert!(entry["violations"].as_u64() > Some(0));
    let (_, out, _) = said(folder.path(), &["run", "small.yaml", "--today", "2027-01-01", "--no-report"]);
    assert!(out.contains("1 of 1 expectation is missed") && out.contains("SHOP-1: expired"), "{out}");
    for file in ["index.html", "summary.md"] {
        let text = read(file).replace('\\', "");
        assert!(text.contains("accepted until 2026-12-31 by payments, ticket SHOP-1"), "{file}");
    }
    let first = read("result.json");
    said(folder.path(), &["run", "small.yaml", "--today", "2026-12-31", "--jobs", "1"]);
    assert_eq!(read("result.json"), first, "the same day, the same bytes");
}

#[test]
fn without_anything_accepted_no_day_is_recorded() {
    let folder = written("");
    let result = |day: &str| {
        said(folder.path(), &["run", "small.yaml", "--today", day]);
        fs::read_to_string(folder.path().join("reports/latest/result.json")).expect("written")
    };
    let text = result("2026-12-31");
    assert!(!text.contains("\"today\"") && !text.contains("\"accepted\""));
    assert_eq!(text, result("2027-01-01"));
}

#[test]
fn what_is_accepted_and_over_fails_a_test_with_the_line_to_remove() {
    let other = ENTRY.replace("stale cache", "fallback");
    let folder = written(&format!("{}{REPAIRED}", SMALL_REPAIRED.replace("ENTRY", &other)));
    let (code, out, _) = said(folder.path(), &[&["test", "small.yaml"], ON_TIME].concat());
    assert_eq!(code, 1, "{out}");
    let line = "✗ small  split-brain for fallback: accepted and no longer needed: nothing violates it any more; \
                remove the entry at small.yaml:";
    assert!(out.contains(line), "{out}");
    let (_, out, _) = said(folder.path(), &[&["test", "small.yaml", "--format", "json"], ON_TIME].concat());
    let result: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&result["verdict"], &result["accepted"][0]["standing"]), (&"fail".into(), &"over".into()));
    // One variant of two, or a run, cannot tell.
    for part in [&["test", "small.yaml", "--filter", "repaired"][..], &["run", "small.yaml"]] {
        let (code, out, _) = said(folder.path(), &[part, ON_TIME].concat());
        assert_eq!(code, 0, "{out}");
    }
    let emitted = [&["test", "small.yaml", "--emit", "sarif=out.sarif"], ON_TIME].concat();
    said(folder.path(), &emitted);
    let sarif: Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("out.sarif")).expect("written")).expect("JSON");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"accepted".into(), &"error".into()));
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 14);
}

/// More keys of the small scenario, which repair it in the base as well; and an entry.
const SMALL_REPAIRED: &str = "defaults: { service: { decides_from: [context] } }\nENTRY";

#[test]
fn another_cause_is_not_accepted() {
    let folder = written(&ENTRY.replace("stale cache", "fallback"));
    let (code, out, _) = said(folder.path(), &[&["run", "small.yaml"], ON_TIME].concat());
    assert_eq!(code, 1);
    assert!(out.contains("; not accepted: stale cache"), "{out}");
}

#[test]
fn a_variant_may_accept_what_the_base_does_not() {
    let own = format!("variants:\n  late:\n    {}", ENTRY.replace("\n  -", "\n      -"));
    let folder = written(&own);
    let (code, out, _) = said(folder.path(), &[&["test", "small.yaml"], ON_TIME].concat());
    assert_eq!(code, 1);
    assert!(out.contains("✗ small:base") && out.contains("✓ small:late"), "{out}");
}

#[test]
fn the_day_is_a_day_and_may_come_from_the_environment() {
    let folder = written(ENTRY);
    let (code, _, err) = said(folder.path(), &["run", "small.yaml", "--today", "2026-02-30"]);
    assert!(code == 2 && err.contains("28 days"), "{err}");
    let mut command = Command::cargo_bin("windtunnel").expect("the binary is built with its tests");
    command.current_dir(folder.path()).args(["run", "small.yaml", "--seed", "1", "--no-report"]);
    let code = |day: &str| command.env("WINDTUNNEL_TODAY", day).output().expect("the binary runs").status.code();
    let mut code = code;
    assert_eq!((code("2026-12-31"), code("2027-01-01")), (Some(0), Some(1)));
}

#[test]
fn mistakes_are_told_at_their_place() {
    let with = |entry: &str| told(&format!("{SMALL}accepted: [{entry}]\n"));
    let whole = "{ invariant: split-brain, until: 2026-12-31, owner: payments, ticket: SHOP-1 }";
    assert_eq!(with(whole), "");
    for (from, to, said) in [
        ("split-brain", "split-brian", "did you mean `split-brain`?"),
        ("2026-12-31", "2026-12-32", "this month has 31 days"),
        ("2026-12-31", "never", "expected a day such as 2026-12-31"),
        (", owner: payments", "", "owner"),
        (", ticket: SHOP-1", "", "ticket"),
        ("until:", "untl: x, until:", "did you mean `until`?"),
        ("until:", "cause: stale cach, until:", "did you mean `stale cache`?"),
    ] {
        let found = with(&whole.replace(from, to));
        assert!(found.contains(said) && found.contains("test.yaml:12:"), "{to}: {found}");
    }
    let twice = with(&format!("{whole}, {}", whole.replace("until:", "cause: stale cache, until:")));
    assert!(twice.contains("`split-brain` is accepted twice for one cause") && twice.contains("first here"), "{twice}");
}
