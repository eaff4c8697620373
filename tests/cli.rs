//! The command line as its users meet it: outputs, files, exit codes.

use assert_cmd::Command;
use std::fs;
use std::path::Path;

fn windtunnel(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("windtunnel").expect("the binary is built with its tests");
    command
        .current_dir(folder)
        .env_remove("WINDTUNNEL_SEEDS")
        .env_remove("WINDTUNNEL_JOBS")
        .env_remove("GITHUB_ACTIONS")
        .env("NO_COLOR", "1");
    command
}

fn empty() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

fn said(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

const SMALL: &str = "windtunnel: 1\nname: small\nsummary: Do two services disagree?\nduration: 2m\n\
    features: { f: { stages: [\"off\", \"on\"] } }\n\
    services:\n  a: { replicas: 1, sdk: { poll: 30s } }\n  b: { replicas: 1, sdk: { poll: 30s } }\n\
    journeys: { j: { arrivals: 10/s, calls: [a, b], feature: f } }\n\
    rollout: { f: { steps: [{ at: 1m, move: [{ to: \"on\" }] }] } }\n";

fn written(folder: &Path, expect: &str) -> String {
    fs::write(folder.join("small.yaml"), format!("{SMALL}{expect}\n")).expect("a temporary folder can be written");
    "small.yaml".to_owned()
}

#[test]
fn the_first_command_works_in_an_empty_folder_and_writes_a_report() {
    let folder = empty();
    let (code, out, err) = said(windtunnel(folder.path()).args(["run", "--seeds", "1..3"]));
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("split-brain") && out.contains("stale cache") && out.contains("PASS"), "{out}");
    let report = folder.path().join("reports/latest/index.html");
    let html = fs::read_to_string(&report).expect("the report is written");
    assert!(html.contains("<svg") && !html.contains("<script"), "plots, no scripts");
    for file in ["result.json", "meta.json", "scenario.yaml", "seeds.csv", "metrics.csv", "summary.md"] {
        assert!(folder.path().join("reports/latest").join(file).is_file(), "{file}");
    }
}

#[test]
fn exit_codes_are_those_of_the_table() {
    let folder = empty();
    let run = |args: &[&str]| said(windtunnel(folder.path()).args(args).args(["--no-report"])).0;
    let file = written(folder.path(), "expect: { split-brain: violated }");
    assert_eq!(run(&["run", &file, "--seeds", "1..3"]), 0);
    written(folder.path(), "expect: { split-brain: holds }");
    assert_eq!(run(&["run", &file, "--seeds", "1..3"]), 1);
    written(folder.path(), "expect: { split-brain: violated, reached: [\"crashed while f/step-1\"] }");
    assert_eq!(run(&["run", &file, "--seeds", "1..3"]), 3, "a situation that was never reached is inconclusive");
    written(folder.path(), "expect: { split-brian: holds }");
    assert_eq!(run(&["run", &file, "--seeds", "1..3"]), 2);
    assert_eq!(run(&["run", "absent.yaml"]), 2);
    assert_eq!(run(&["run", &file, "--seeds", "3..3"]), 2, "usage");
    written(folder.path(), "expect: { split-brain: violated }");
    assert_eq!(run(&["test", &file, "--filter", "nothing-of-the-kind"]), 4);
    assert_eq!(run(&["run", &file, "--seeds", "1..2", "--max-events", "1000"]), 3, "cut short is undecided");
}

#[test]
fn output_that_cannot_be_written_is_exit_74_and_the_result_is_still_told() {
    let folder = empty();
    let file = written(folder.path(), "expect: { split-brain: violated }");
    fs::write(folder.path().join("occupied"), "a file where a folder is wanted").expect("writable");
    let (code, out, err) = said(windtunnel(folder.path()).args(["run", &file, "--seeds", "1..3", "--out", "occupied"]));
    assert_eq!(code, 74, "{err}");
    assert!(err.contains("occupied"), "{err}");
    assert!(out.contains("split-brain"), "{out}");
}

#[test]
fn results_are_the_same_bytes_in_another_process_with_another_number_of_jobs() {
    let folder = empty();
    let file = written(folder.path(), "expect: { split-brain: violated }");
    let result = |jobs: &str| {
        let (code, out, err) =
            said(windtunnel(folder.path()).args(["run", &file, "--seeds", "1..7", "--jobs", jobs, "--format", "json"]));
        assert_eq!(code, 0, "{err}");
        (out, fs::read(folder.path().join("reports/latest/result.json")).expect("written"))
    };
    assert_eq!(result("1"), result("2"));
}

#[test]
fn json_has_the_fields_other_tools_rely_on() {
    let folder = empty();
    let file = written(folder.path(), "expect: { split-brain: violated }");
    let (_, out, _) =
        said(windtunnel(folder.path()).args(["run", &file, "--seeds", "1..5", "--format", "json", "--no-report"]));
    let result: serde_json::Value = serde_json::from_str(&out).expect("JSON on standard output, and nothing else");
    assert_eq!(result["schema_version"], 1);
    assert_eq!(result["verdict"], "pass");
    let invariants = result["invariants"].as_array().expect("a list");
    let split = invariants.iter().find(|one| one["name"] == "split-brain").expect("it is listed");
    assert_eq!((&split["verdict"], &split["runs"], &split["variant"]), (&"violated".into(), &4.into(), &"base".into()));
    assert!(split["violations"].as_u64().expect("a count") > 0);
    let run = &result["runs"][0];
    assert_eq!(run["digest"].as_str().expect("text").len(), 32);
    assert_eq!(run["causes"]["split-brain"], "stale cache");
}

#[test]
fn every_mistake_of_a_file_is_told_at_once_with_its_place_and_the_nearest_name() {
    let folder = empty();
    let broken = SMALL
        .replace("calls: [a, b]", "calls: [a, bb]")
        .replace("to: \"on\"", "to: \"onn\"")
        .replace("replicas: 1, sdk", "replicsa: 1, sdk");
    fs::write(folder.path().join("broken.yaml"), broken).expect("writable");
    let (code, out, err) = said(windtunnel(folder.path()).args(["check", "broken.yaml"]));
    assert_eq!(code, 2, "{out}");
    for expected in ["broken.yaml:", "replicsa", "did you mean `replicas`", "did you mean `on`", "bb"] {
        assert!(err.contains(expected), "{expected} is missing in:\n{err}");
    }
}

#[test]
fn hostile_files_end_in_exit_code_2_with_a_message() {
    let folder = empty();
    let deep = format!("windtunnel: 1\nname: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let bomb = "windtunnel: 1\na: &a [x, x]\nb: &b [*a, *a]\nname: *b\n".to_owned();
    let huge = SMALL.replace("replicas: 1", "replicas: 1000000000000000000");
    let negative = SMALL.replace("poll: 30s", "poll: -30s");
    let nan = SMALL.replace("arrivals: 10/s", "arrivals: .nan/s");
    let large = format!("windtunnel: 1\nname: large\nsummary: \"{}\"\n", "x".repeat(20 << 20));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("deep", deep.into()),
        ("bomb", bomb.into()),
        ("huge", huge.into()),
        ("negative", negative.into()),
        ("nan", nan.into()),
        ("large", large.into()),
        ("not-text", vec![0xff, 0xfe, 0x00, 0x9f]),
        ("empty", Vec::new()),
    ];
    for (name, bytes) in cases {
        let file = format!("{name}.yaml");
        fs::write(folder.path().join(&file), bytes).expect("writable");
        let (code, out, err) = said(windtunnel(folder.path()).args(["run", &file, "--no-report"]));
        assert_eq!(code, 2, "{name}: {out}{err}");
        assert!(err.contains("error") && !err.contains("panicked"), "{name}: {err}");
    }
}

#[test]
fn explain_prints_the_exit_codes_an_invariant_a_fault_and_the_plan() {
    let folder = empty();
    let explain = |args: &[&str]| said(windtunnel(folder.path()).arg("explain").args(args));
    let (code, out, _) = explain(&["exit-codes"]);
    assert_eq!(code, 0);
    for told in ["inconclusive", "determinism mismatch", "could not be written", "interrupted"] {
        assert!(out.contains(told), "{told} is missing in {out}");
    }
    assert!(explain(&["split-brain"]).1.contains("violated when"));
    assert!(explain(&["control_plane.down"]).1.contains("aimed at"));
    assert!(explain(&["plan"]).1.contains("everybody -> on"));
    assert!(explain(&["assumptions"]).1.contains("sdk.poll"));
    let (code, _, err) = explain(&["split-brian"]);
    assert_eq!(code, 2);
    assert!(err.contains("did you mean `split-brain`?"), "{err}");
}

#[test]
fn the_schema_is_json_and_completions_are_written_for_a_shell() {
    let folder = empty();
    let (code, out, _) = said(windtunnel(folder.path()).arg("schema"));
    let schema: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(code, 0);
    assert!(schema["properties"]["services"].is_object(), "{schema}");
    assert!(said(windtunnel(folder.path()).args(["completions", "bash"])).1.contains("windtunnel"));
}

#[test]
fn lists_name_every_invariant_fault_and_metric() {
    let folder = empty();
    let (_, out, _) = said(windtunnel(folder.path()).arg("list"));
    let names = windtunnel::invariants::ALL.iter().map(|entry| entry.name);
    let faults = windtunnel::faults::ALL.iter().map(|fault| fault.name());
    let metrics = windtunnel::models::metric::ALL.iter().map(|metric| metric.name);
    for name in names.chain(faults).chain(metrics) {
        assert!(out.contains(name), "{name}");
    }
}

#[test]
fn a_comparison_with_theory_can_be_shown_and_its_scenario_read_like_any_file() {
    let folder = empty();
    let (code, text, _) = said(windtunnel(folder.path()).args(["validate", "--show", "herd/offered-rate@8"]));
    assert_eq!(code, 0);
    std::fs::write(folder.path().join("shown.yaml"), text).expect("the folder is writable");
    assert_eq!(said(windtunnel(folder.path()).args(["check", "shown.yaml"])).0, 0);
    let (code, _, complaint) = said(windtunnel(folder.path()).args(["validate", "weather"]));
    assert_eq!(code, 2);
    assert!(complaint.contains("no family `weather`; there are caches"), "{complaint}");
}

#[test]
fn the_page_of_all_families_is_not_overwritten_by_that_of_some() {
    let folder = empty();
    let page = folder.path().join("validation.md");
    std::fs::write(&page, "of all families").expect("the folder is writable");
    let (code, out, complaint) = said(windtunnel(folder.path()).args(["validate", "herd", "--out", "."]));
    assert_eq!((code, out.as_str()), (2, ""), "nothing ran");
    assert!(complaint.contains("`--out` writes the page of all families, not of herd only"), "{complaint}");
    assert_eq!(std::fs::read_to_string(&page).expect("the page is still there"), "of all families");
    assert!(!folder.path().join("validation").exists(), "no plot was written");
}
