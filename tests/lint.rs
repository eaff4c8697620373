//! `windtunnel lint`: each rule finds what it is for, says nothing of the repair, and what it says of the shipped
//! scenarios is kept.

use assert_cmd::Command;
use std::path::{Path, PathBuf};
use windtunnel::scenario::Scenario;
use windtunnel::scenario::lint::{ALL, Finding, lint, named, render};

/// A shop with an irreversible effect on the new path, events of two versions, a deploy and a kill; nothing to say of it.
const SHOP: &str = r#"windtunnel: 1
name: shop
start: 2026-03-02T00:00:00Z
duration: 20d
features:
  gift:
    owner: shop
    retire_by: 2026-12-31
    stages:
      - NONE
      - OFFERED: { grants: [see] }
      - WRAPPED: { grants: [see, wrap] }
    commit_stage: WRAPPED
services:
  web:
    sdk: { poll: 30s }
    edge: true
    operations:
      order:
        - { when: '!can("see")', path: old, do: [{ call: store.pack }] }
        - { path: new, do: [{ call: store.pack }, { effect: offer }] }
  store:
    sdk: { poll: 30s }
    code: { 1: { understands: [1] }, 2: { understands: [1, 2] } }
    operations:
      pack:
        - { when: 'stage == "WRAPPED"', path: new, do: [{ effect: wrap, irreversible: true }, { emit: orders, type: Packed, domain_version: 2 }] }
        - { path: old, do: [{ effect: bag }, { emit: orders, type: Packed, domain_version: 1 }] }
  books:
    code: { 1: { understands: [1] }, 2: { understands: [1, 2] } }
    runs: 2
    otherwise: { process_as: 1 }
    consumes: { orders: { group: books } }
    operations:
      on Packed:
        by_stage:
          NONE: { path: old, do: [{ effect: book }] }
          WRAPPED: { path: new, do: [{ effect: book_gift }] }
topics:
  orders: { partitions: 2, carries: all }
journeys:
  order: { arrivals: 1/h, first: web.order, feature: gift }
rollout:
  gift:
    steps:
      - { name: offered, at: 1d, move: [{ to: OFFERED }], hold: 1d }
      - { name: wrapped, move: [{ to: WRAPPED }] }
timeline:
  - { at: 12h, deploy: { store: 2 } }
"#;

fn findings(text: &str) -> (Vec<Finding>, String) {
    let mut include = |path: &str| Err(format!("no file {path}"));
    let scenario = Scenario::read("shop.yaml", text.as_bytes(), &mut include)
        .unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let found = lint(&scenario).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let told = render(&found, scenario.sources(), false);
    (found, told)
}

/// The shop with a passage replaced has exactly these findings, and the text has these parts.
fn finds(changes: &[(&str, &str)], codes: &[&str], parts: &[&str]) {
    let mut text = SHOP.to_owned();
    for (old, new) in changes {
        assert_eq!(text.matches(old).count(), 1, "{old} is once in the shop");
        text = text.replace(old, new);
    }
    let (found, told) = findings(&text);
    let found: Vec<&str> = found.iter().map(|finding| finding.code()).collect();
    assert_eq!(found, codes, "{told}");
    for part in parts {
        assert!(told.contains(part), "missing {part:?} in:\n{told}");
    }
}

#[test]
fn a_sound_rollout_has_no_findings() {
    finds(&[], &[], &[]);
}

#[test]
fn every_rule_has_a_code_a_name_and_words_and_is_found_by_either() {
    for (at, rule) in ALL.iter().enumerate() {
        assert_eq!(rule.code, format!("WT{:03}", at + 1));
        assert_eq!(named(rule.name).map(|found| found.code), Some(rule.code));
        assert_eq!(named(&rule.code.to_lowercase()).map(|found| found.name), Some(rule.name));
        assert!(!rule.sentence.is_empty() && !rule.reason.is_empty() && !rule.repair.is_empty());
    }
}

#[test]
fn a_flag_without_an_owner_or_a_day_or_beyond_its_day_is_debt() {
    finds(&[("    owner: shop\n", "")], &["WT001"], &["shop.yaml:6:3", "has no owner", "advice[WT001]"]);
    finds(&[("    retire_by: 2026-12-31\n", "")], &["WT001"], &["no day to retire it"]);
    finds(
        &[("2026-12-31", "2026-03-10")],
        &["WT001"],
        &["warning[WT001]", "to be retired by 2026-03-10", "2026-03-22"],
    );
    finds(&[("2026-12-31", "2026-02-28")], &["WT001"], &["before the run begins on 2026-03-02"]);
    finds(&[("duration: 20d", "duration: 60d")], &["WT001"], &["at its last stage for everybody from 2d on"]);
}

#[test]
fn a_feature_that_nothing_reads_is_told() {
    let unread = "features:\n  idle: { owner: shop, retire_by: 2026-12-31, stages: [\"off\", \"on\"] }\n";
    finds(&[("features:\n", unread)], &["WT002"], &["advice[WT002]", "nothing that a journey reaches reads `idle`"]);
    let rollout = "rollout:\n  idle: { steps: [{ at: 1d, move: [{ to: \"on\" }] }] }\n";
    finds(&[("features:\n", unread), ("rollout:\n", rollout)], &["WT002"], &["warning[WT002]", "is rolled out"]);
}

#[test]
fn what_an_earlier_line_takes_is_dead() {
    let covered = "- { when: 'stage == \"WRAPPED\"', path: new, do: [{ effect: bag }] }\n        - { path: old, do: [{ effect: bag }";
    finds(&[("- { path: old, do: [{ effect: bag }", covered)], &["WT003"], &["no stage of `gift` reaches this rule"]);
    let again = "move: [{ percent: 50%, to: OFFERED }, { percent: 20%, to: WRAPPED }], hold: 1d";
    finds(
        &[("move: [{ to: OFFERED }], hold: 1d", again)],
        &["WT003"],
        &["this move moves nobody", "they are moved here"],
    );
    let step = "- { name: wrapped, move: [{ to: WRAPPED }] }\n      - { name: again, at: 5d, move: [{ to: WRAPPED }] }";
    finds(&[("- { name: wrapped, move: [{ to: WRAPPED }] }", step)], &["WT003"], &["the step `again` changes nothing"]);
    finds(
        &[
            ("- { name: offered, at: 1d, move: [{ to: OFFERED }], hold: 1d }\n      ", ""),
            ("name: wrapped,", "name: wrapped, at: 2d,"),
        ],
        &["WT003"],
        &["nothing ever sets the stage `OFFERED`", "the plan goes past it"],
    );
}

#[test]
fn a_flag_that_old_code_reads_otherwise_has_two_meanings_while_both_run() {
    let reused = "- { when: 'stage == \"WRAPPED\" && code == 1', path: power_peg, do: [{ effect: peg }] }\n        - { when: 'stage == \"WRAPPED\"', path: new";
    let change = ("- { when: 'stage == \"WRAPPED\"', path: new", reused);
    let emit = (", { emit: orders, type: Packed, domain_version: 2 }", "");
    finds(&[change, emit], &[], &[]);
    let partial = ("{ at: 12h, deploy: { store: 2 } }", "{ at: 10d, deploy: { store: 2 } }");
    finds(&[change, emit, partial], &["WT004"], &["means one thing to code 1 of `store` and another to code 2"]);
}

#[test]
fn kills_that_cannot_be_compared_are_told_where_they_overlap() {
    let stages = (
        "      - WRAPPED: { grants: [see, wrap] }",
        "      - ASIDE: { off_ladder: true, grants: [wrap] }\n      - WRAPPED: { grants: [see, wrap] }",
    );
    let row = (
        "          WRAPPED: { path: new, do: [{ effect: book_gift }] }",
        "          WRAPPED: { path: new, do: [{ effect: book_gift }] }\n          ASIDE: { like: NONE }",
    );
    let kills = |second: &str| {
        format!(
            "timeline:\n  - {{ at: 5d, kill: gift, to: OFFERED, lift_after: 1d }}\n  - {{ at: {second}, kill: gift, to: ASIDE }}\n"
        )
    };
    let overlapping = kills("126h");
    finds(&[stages, row, ("timeline:\n", &overlapping)], &["WT005"], &["to `OFFERED` and to `ASIDE`", "the first"]);
    let apart = kills("8d");
    finds(&[stages, row, ("timeline:\n", &apart)], &[], &[]);
}

#[test]
fn a_consumer_that_runs_old_code_when_a_new_version_is_emitted_is_told() {
    let old = ("    runs: 2\n    otherwise", "    otherwise");
    finds(
        &[old],
        &["WT006"],
        &["may be sent version 2 of `Packed`", "processed as version 1", "version 2 is emitted here"],
    );
    finds(&[old, ("otherwise: { process_as: 1 }", "otherwise: park")], &["WT006"], &["advice[WT006]", "it is parked"]);
    finds(&[("carries: all", "carries: [occurred_at]")], &["WT006"], &["cannot tell the versions of `Packed`"]);
}

#[test]
fn a_consumer_may_go_back_to_old_code_once_a_kill_has_ended_the_new_version() {
    let staged = (
        "        - { when: 'stage == \"WRAPPED\"', path: new, do: [{ effect: wrap, irreversible: true }, { emit: orders, type: Packed, domain_version: 2 }] }\n        - { path: old, do: [{ effect: bag }, { emit: orders, type: Packed, domain_version: 1 }] }",
        "          by_stage:\n            NONE: { path: old, do: [{ effect: bag }, { emit: orders, type: Packed, domain_version: 1 }] }\n            WRAPPED: { path: new, do: [{ effect: wrap, irreversible: true }, { emit: orders, type: Packed, domain_version: 2 }] }",
    );
    let timeline = |kill: &str, back: &str| {
        format!("timeline:\n  - {{ at: 5d, {kill} }}\n  - {{ at: {back}, deploy: {{ books: 1 }} }}\n")
    };
    let cases = [
        ("kill: gift, to: OFFERED", "6d", true),
        // Whoever goes back with the kill meets what is emitted until everybody has polled.
        ("kill: gift, to: OFFERED", "5d", false),
        ("kill: gift, to: OFFERED, lift_after: 2d", "6d", false),
        ("kill: gift, to: OFFERED, scope: { tenant: 0 }", "6d", false),
        ("kill: gift, to: WRAPPED", "6d", false),
    ];
    for (kill, back, fine) in cases {
        let timeline = timeline(kill, back);
        let told: &[&str] = if fine { &[] } else { &["WT006"] };
        finds(&[staged, ("timeline:\n", &timeline)], told, &[]);
    }
}

#[test]
fn what_can_be_undone_in_both_stores_need_not_wait() {
    let both = "{ dual_write: { effect: wrap, of: old, irreversible: true } }";
    let effect = "{ effect: wrap, irreversible: true }";
    let early = ("    commit_stage: WRAPPED\n", "");
    finds(&[early, (effect, both)], &["WT007"], &["`store.pack` does `wrap`"]);
    let undone = "{ dual_write: { effect: wrap, of: old, irreversible: true, compensated_by: store.unwrap } }";
    let unwrap = (
        "    operations:\n      pack:",
        "    operations:\n      unwrap: [{ do: [{ compensate: wrap }] }]\n      pack:",
    );
    finds(&[early, (effect, undone), unwrap], &[], &[]);
}

#[test]
fn what_cannot_be_undone_waits_for_the_commit_stage() {
    finds(
        &[("    commit_stage: WRAPPED\n", "")],
        &["WT007"],
        &["the feature has no commit stage", "`store.pack` does `wrap`"],
    );
    finds(
        &[("{ effect: offer }", "{ effect: offer, irreversible: true }")],
        &["WT007"],
        &["before the commit stage, `WRAPPED`"],
    );
}

#[test]
fn asking_for_a_stage_and_doing_the_same_at_every_one_is_told() {
    finds(
        &[
            ("effect: book_gift", "effect: book"),
            ("WRAPPED: { path: new, do: [{ effect: book }", "WRAPPED: { path: old, do: [{ effect: book }"),
        ],
        &["WT008"],
        &["`books.on Packed` asks for the stage of `gift`"],
    );
}

#[test]
fn a_gate_that_never_speaks_is_told() {
    let canary = include_str!("../scenarios/canary.yaml");
    let told = |from: &str, to: &str| {
        assert!(canary.contains(from), "{from}");
        let (found, told) = findings(&canary.replace(from, to));
        assert!(found.iter().all(|finding| finding.code() == "WT011"), "{told}");
        told
    };
    assert_eq!(told("gate", "gate"), "");
    let cases = [
        ("error_rate.delta < 0.5%", "error_rate.delta <= 100%", "cannot fail"),
        ("error_rate < 0.5%", "error_rate < 0%", "cannot pass"),
        ("error_rate < 0.5%", "latency.p99 >= 0s", "cannot fail"),
        ("min_answers: 300", "min_answers: 3000", "a window holds about 600 answers, and it asks for 3000"),
    ];
    for (from, to, expected) in cases {
        assert!(told(from, to).contains(expected), "{to}: {}", told(from, to));
    }
}

#[test]
fn a_cohort_by_request_is_told_where_entities_live_on() {
    let journey = (
        "feature: gift }",
        "feature: gift, attributes: { country: { DE: 50%, FR: 50% } }, entity: { name: basket, per_subject: true } }",
    );
    let target = ("move: [{ to: OFFERED }]", "move: [{ of: 'request.country == \"DE\"', to: OFFERED }]");
    finds(&[target, journey], &["WT009"], &["depends on `request.country`"]);
}

#[test]
fn a_feature_of_one_context_that_leaves_nothing_behind_is_a_plain_toggle() {
    let text = "windtunnel: 1\nname: t\nduration: 1d\nfeatures:\n  banner: { owner: web, retire_by: 2026-12-31, stages: [\"off\", \"on\"] }\nservices:\n  web:\n    sdk: { poll: 30s }\n    operations:\n      see: [{ when: 'stage == \"on\"', path: new, do: [{ effect: show }] }, { path: old, do: [{ ignore: true }] }]\njourneys:\n  look: { arrivals: 1/h, first: web.see, feature: banner }\nrollout:\n  banner: { steps: [{ at: 1h, move: [{ to: \"on\" }] }] }\n";
    let (found, told) = findings(text);
    assert_eq!(found.iter().map(|finding| finding.code()).collect::<Vec<_>>(), ["WT010"], "{told}");
    assert!(told.contains("a plain toggle will do"), "{told}");
    assert!(
        findings(&text.replace("effect: show }", "effect: show, irreversible: true }"))
            .0
            .iter()
            .all(|f| f.code() != "WT010")
    );
}

fn windtunnel(args: &[&str]) -> (i32, String, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::cargo_bin("windtunnel").expect("the binary is built with its tests");
    let output = command.current_dir(root).arg("--color").arg("never").args(args).output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

#[test]
fn warnings_fail_and_advice_fails_where_it_is_denied() {
    assert_eq!(windtunnel(&["lint", "scenarios/consumer-lag.yaml"]).0, 1);
    assert_eq!(windtunnel(&["lint", "--allow", "WT006", "scenarios/consumer-lag.yaml"]).0, 0);
    assert_eq!(windtunnel(&["lint", "scenarios/split-brain.yaml"]).0, 0);
    assert_eq!(windtunnel(&["lint", "--deny", "advice", "scenarios/split-brain.yaml"]).0, 1);
    assert_eq!(windtunnel(&["lint", "--deny", "flag-debt", "scenarios/split-brain.yaml"]).0, 1);
    assert_eq!(windtunnel(&["lint", "--deny", "WT010", "scenarios/split-brain.yaml"]).0, 0);
    let (code, _, said) = windtunnel(&["lint", "--deny", "flagdebt", "scenarios/split-brain.yaml"]);
    assert!(code == 2 && said.contains("did you mean `flag-debt`?"), "{said}");
    assert!(windtunnel(&["list", "lints"]).1.contains("WT005  overlapping-kills"));
    assert!(windtunnel(&["explain", "WT004"]).1.contains("Knight Capital"));
}

fn scenarios(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("readable").path());
    let mut found = Vec::new();
    for path in entries {
        if path.is_dir() {
            found.extend(scenarios(&path));
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn what_is_said_of_the_shipped_scenarios_is_kept() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in scenarios(&root.join("scenarios")) {
        let within = path.strip_prefix(root).expect("below the root").display().to_string();
        let (code, said, wrong) = windtunnel(&["lint", &within]);
        assert!(code == 0 || code == 1, "{within}: {wrong}");
        let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        insta::assert_snapshot!(name, said);
    }
}

/// What each shipped scenario's repair is called: of these nothing but advice is said.
const REPAIRED: [(&str, &[&str]); 17] = [
    ("split-brain.yaml", &["edge-context"]),
    ("control-plane-outage.yaml", &["edge-closed"]),
    ("semantic-mismatch.yaml", &["commit-event"]),
    ("consumer-lag.yaml", &["consumers-first"]),
    ("canary.yaml", &["canary", "approval"]),
    ("deferred-payment.yaml", &["edge-context"]),
    ("split-shipment.yaml", &["requires"]),
    ("rollback-unsafe.yaml", &["keep-reader"]),
    ("flag-debt.yaml", &["retired"]),
    ("cold-start.yaml", &["alerting", "cached", "herd-jitter"]),
    ("flag-reuse.yaml", &["own-flag", "all-eight"]),
    ("unknown-outcome.yaml", &["idempotency-key"]),
    ("layered-caches.yaml", &["short-poll", "announced", "layers", "layers-unheard", "topic"]),
    ("mobile-tail.yaml", &["kill-at-the-edge", "new-apps-only"]),
    ("lost-events.yaml", &["commit-after-work-once"]),
    ("duplicated-rules.yaml", &["quote-at-signoff", "one-owner"]),
    ("compensation-gap.yaml", &["keep-context", "finish"]),
];

#[test]
fn nothing_is_held_against_the_shipped_repairs() {
    for (file, repairs) in REPAIRED {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(file);
        let text = std::fs::read(&path).expect("the scenario is there");
        let scenario = Scenario::read(file, &text, &mut |path| Err(path.to_owned())).expect("it can be read");
        for finding in lint(&scenario).expect("it can run").iter().filter(|finding| !finding.is_advice()) {
            let held = finding.variants.iter().find(|variant| repairs.contains(&variant.as_str()));
            assert_eq!(held, None, "{file}: {}", finding.problem.message);
        }
    }
}
