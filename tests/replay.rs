//! `windtunnel replay` and `run --verify` as their users meet them.

use assert_cmd::Command;
use std::fs;
use std::path::Path;

fn windtunnel(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("windtunnel").expect("the binary is built with its tests");
    command.current_dir(folder).env_remove("WINDTUNNEL_SEEDS").env_remove("WINDTUNNEL_JOBS").env("NO_COLOR", "1");
    command
}

fn said(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = windtunnel(folder).args(args).output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

const SMALL: &str = "windtunnel: 1\nname: small\nsummary: Do two services disagree?\nduration: 2m\n\
    features: { f: { stages: [\"off\", \"on\"] } }\n\
    services:\n  a: { replicas: 1, sdk: { poll: 30s } }\n  b: { replicas: 1, sdk: { poll: 30s } }\n\
    journeys: { j: { arrivals: 10/s, calls: [a, b], feature: f } }\n\
    rollout: { f: { steps: [{ at: 1m, move: [{ to: \"on\" }] }] } }\n\
    expect: { split-brain: violated }\n\
    variants:\n  edge: { services: { a: { edge: true }, b: { decides_from: [context] } }, expect: { split-brain: holds } }\n";

fn small() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    fs::write(folder.path().join("small.yaml"), SMALL).expect("a temporary folder can be written");
    folder
}

/// A result of three seeds, in `reports/latest`.
fn recorded(more: &[&str]) -> tempfile::TempDir {
    let folder = small();
    let args = [&["run", "small.yaml", "--seeds", "1..4", "--quiet"], more].concat();
    let (code, out, err) = said(folder.path(), &args);
    assert_eq!(code, 0, "{out}{err}");
    folder
}

fn edited(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join("reports/latest").join(file);
    let text = fs::read_to_string(&path).expect("it was written");
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(path, text.replacen(from, to, 1)).expect("it is writable");
}

fn changed(folder: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let path = folder.join("reports/latest/result.json");
    let text = fs::read_to_string(&path).expect("it was written");
    let mut result = serde_json::from_str(&text).expect("JSON");
    change(&mut result);
    fs::write(path, result.to_string()).expect("it is writable");
}

fn value_of<'a>(out: &'a str, row: &str) -> &'a str {
    let line = out.lines().find_map(|line| line.trim().strip_prefix(row)).unwrap_or_else(|| panic!("no {row}: {out}"));
    line.trim()
}

#[test]
fn a_replay_tells_the_digest_of_the_run_its_verdicts_and_its_first_violation() {
    let folder = small();
    let (code, out, err) = said(folder.path(), &["replay", "small.yaml", "--seed", "2"]);
    assert_eq!(code, 0, "{err}");
    let verdict = out.lines().find(|line| line.trim_start().starts_with("split-brain ")).unwrap_or_default();
    assert!(out.contains("small · base · seed 2") && verdict.contains("  violated in 1 of 1 run"), "{out}");
    assert!(out.contains("how split-brain is violated, seed 2"), "{out}");
    let (_, json, _) = said(folder.path(), &["run", "small.yaml", "--seed", "2", "--no-report", "--format", "json"]);
    let run = &serde_json::from_str::<serde_json::Value>(&json).expect("JSON")["runs"][0];
    assert_eq!(value_of(&out, "digest"), run["digest"]);
    assert_eq!(value_of(&out, "events").replace(' ', ""), run["events"].to_string());
    assert_eq!(value_of(&out, "draws").replace(' ', ""), run["draws"].to_string());
}

#[test]
fn until_stops_a_run_there_and_its_obligations_are_open() {
    let folder = small();
    let replay = |more: &[&str]| said(folder.path(), &[&["replay", "small.yaml", "--seed", "2"], more].concat());
    let (code, out, err) = replay(&["--until", "50s", "--verify"]);
    assert_eq!(code, 0, "{err}");
    assert!(value_of(&out, "end").starts_with("50s of "), "{out}");
    assert!(!out.contains("violated"), "nothing was switched on yet: {out}");
    assert!(out.contains("verified  1 run again in another process"), "{out}");
    let count = |out: &str| value_of(out, "events").replace(' ', "").parse::<u64>().expect("a count");
    assert!(count(&out) < count(&replay(&[]).1), "{out}");
}

#[test]
fn a_fork_is_another_run_and_can_be_replayed_and_verified_itself() {
    let folder = small();
    let replay = |more: &[&str]| said(folder.path(), &[&["replay", "small.yaml", "--seed", "2"], more].concat());
    let digest = |more: &[&str]| value_of(&replay(more).1, "digest").to_owned();
    let one = digest(&["--fork-at", "70s", "--salt", "1"]);
    assert_eq!(one, digest(&["--fork-at", "70s", "--salt", "1", "--verify"]));
    assert_ne!(one, digest(&["--fork-at", "70s", "--salt", "2"]));
    assert_ne!(one, digest(&[]));
    let before = digest(&["--until", "69s"]);
    assert_eq!(before, digest(&["--until", "69s", "--fork-at", "70s", "--salt", "1"]), "the same past");
    assert!(replay(&["--fork-at", "70s", "--salt", "1"]).1.contains("other luck from 70s on, salt 1"));
    assert_eq!(replay(&["--salt", "1"]).0, 2, "a salt without a fork does nothing");
    assert_eq!(replay(&["--fork-at", "70s"]).0, 2);
}

#[test]
fn a_moment_after_the_end_is_refused_with_the_end() {
    let folder = small();
    let replay = |more: &[&str]| said(folder.path(), &[&["replay", "small.yaml", "--seed", "2"], more].concat());
    let end = value_of(&replay(&[]).1, "end").to_owned();
    let refused = |more: &[&str], told: &str| {
        let (code, out, err) = replay(more);
        assert_eq!(code, 2, "{out}{err}");
        assert!(err.contains(&format!("{told} beyond the end of the run, which is at {end}")), "{err}");
        assert_eq!(out, "", "nothing ran");
    };
    refused(&["--until", "1h"], "--until 1h lies");
    refused(&["--fork-at", "1h", "--salt", "1"], "--fork-at 1h lies");
    refused(&["--until", "2h", "--fork-at", "1h", "--salt", "1"], "--until 2h and --fork-at 1h lie");
    assert_eq!(replay(&["--until", &end]).0, 0, "the end itself is a moment of the run");
    assert_eq!(replay(&["--fork-at", &end, "--salt", "1"]).0, 0);
    let (code, out, err) = replay(&["--until", "69s", "--fork-at", "70s", "--salt", "1"]);
    assert_eq!(code, 0, "{err}");
    assert!(value_of(&out, "fork").starts_with("none: the run ends before 70s"), "{out}");
}

#[test]
fn a_recorded_run_is_compared_with_its_record_exactly_where_it_is_the_same_run() {
    let folder = recorded(&[]);
    let replay = |more: &[&str]| said(folder.path(), &[&["replay", "reports/latest", "--seed", "2"], more].concat());
    let end = value_of(&replay(&[]).1, "end").to_owned();
    let (code, out, err) = replay(&["--until", &end]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("verified  1 run as recorded"), "to its own end it is that run: {out}");
    for other in [&["--until", "50s"][..], &["--fork-at", "70s", "--salt", "1"], &["--max-events", "100"]] {
        let (code, out, err) = replay(other);
        assert_eq!(code, 0, "{other:?}: {err}");
        assert!(out.contains("not compared with the record") && !out.contains("verified"), "{out}");
    }
    assert_eq!(replay(&["--until", "1h"]).0, 2);
    for other in [&["--until", "50s"][..], &["--max-events", "100"]] {
        let all = [&["replay", "reports/latest", "--verify"], other].concat();
        assert_eq!(said(folder.path(), &all).0, 2, "{other:?} is for one run");
    }
}

#[test]
fn a_run_is_verified_in_another_process_with_another_number_of_jobs() {
    let folder = small();
    for (jobs, others) in [("1", "2"), ("2", "1")] {
        let args = ["run", "small.yaml", "--variant", "edge", "--seeds", "1..4", "--jobs", jobs, "--verify"];
        let (code, out, err) = said(folder.path(), &args);
        assert_eq!(code, 0, "{err}");
        let told = format!("verified  3 runs again in another process with jobs: {others}");
        assert!(out.contains(&told), "{out}");
    }
    let args = ["run", "small.yaml", "--seeds", "1..3", "--no-report", "--verify", "--format", "json"];
    let (code, out, _) = said(folder.path(), &args);
    assert_eq!(code, 0);
    assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "JSON stays one document: {out}");
}

#[test]
fn a_recorded_result_is_verified_run_by_run() {
    let folder = recorded(&["--set", "services.a.sdk.poll=20s"]);
    // The result is replayed from its own folder.
    fs::remove_file(folder.path().join("small.yaml")).expect("it was written");
    let (code, out, err) = said(folder.path(), &["replay", "reports/latest", "--seed", "3"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("verified  1 run as recorded"), "{out}");
    let (code, out, err) = said(folder.path(), &["replay", "reports/latest", "--verify"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("verified  3 runs of small:base again in another process"), "{out}");
    let (code, _, err) = said(folder.path(), &["replay", "reports/latest"]);
    assert_eq!(code, 2);
    assert!(err.contains("--seed") && err.contains("--verify"), "{err}");
    assert_eq!(said(folder.path(), &["replay", "reports/latest", "--seed", "9"]).0, 4);
}

#[test]
fn a_result_takes_the_files_its_scenario_reads_with_it() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/otel-demo");
    for file in ["otel-demo.yaml", "demo.flagd.json"] {
        fs::copy(shipped.join(file), folder.path().join(file)).expect("it is shipped");
    }
    let (code, out, err) = said(folder.path(), &["run", "otel-demo.yaml", "--seed", "1", "--max-events", "20000"]);
    assert_eq!(code, 3, "cut short: {out}{err}");
    for file in ["otel-demo.yaml", "demo.flagd.json"] {
        fs::remove_file(folder.path().join(file)).expect("it was copied");
    }
    let (code, out, err) = said(folder.path(), &["replay", "reports/latest", "--seed", "1", "--verify"]);
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn a_record_that_differs_is_exit_5_with_both_sides() {
    let folder = recorded(&[]);
    let text = fs::read_to_string(folder.path().join("reports/latest/result.json")).expect("it was written");
    let result: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let digest = result["runs"][1]["digest"].as_str().expect("a digest");
    let forged = "0123456789abcdef0123456789abcdef";
    edited(folder.path(), "result.json", digest, forged);
    let (code, _, err) = said(folder.path(), &["replay", "reports/latest", "--verify"]);
    assert_eq!(code, 5, "{err}");
    assert!(err.contains("determinism mismatch: small:base, seed 2"), "{err}");
    assert!(err.contains(forged) && err.contains(digest), "{err}");
    assert!(err.contains("8 further pairs of processes"), "two processes of this build agree: {err}");
}

/// A search whose processes fail: the scenario can be read once, and is gone when they look for it.
#[cfg(unix)]
#[test]
fn processes_that_fail_are_not_told_as_processes_that_agree() {
    let folder = recorded(&[]);
    let text = fs::read_to_string(folder.path().join("reports/latest/result.json")).expect("it was written");
    let result: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let digest = result["runs"][0]["digest"].as_str().expect("a digest");
    edited(folder.path(), "result.json", digest, "0123456789abcdef0123456789abcdef");
    let scenario = folder.path().join("reports/latest/scenario.yaml");
    let text = fs::read(&scenario).expect("it was written");
    fs::remove_file(&scenario).expect("it was written");
    let made = std::process::Command::new("mkfifo").arg(&scenario).status().expect("there is mkfifo");
    assert!(made.success());
    let (code, _, err) = std::thread::scope(|scope| {
        scope.spawn(|| {
            // Opened when the reader opens it; gone before the reader sees its end.
            let mut pipe = fs::OpenOptions::new().write(true).open(&scenario).expect("a pipe can be opened");
            std::io::Write::write_all(&mut pipe, &text).expect("it is read");
            fs::remove_file(&scenario).expect("it is there");
        });
        let said = said(folder.path(), &["replay", "reports/latest", "--seed", "1"]);
        // Were the scenario never read, its writer would wait for ever.
        let _reader = fs::OpenOptions::new().read(true).write(true).open(&scenario);
        said
    });
    assert_eq!(code, 5, "{err}");
    assert!(err.contains("could not be found: another process ended before its run was over: exit status: 2"), "{err}");
    assert!(!err.contains("agreed") && !err.contains("the run is over"), "{err}");
}

#[test]
fn a_result_that_does_not_say_which_scenario_it_is_of_is_refused() {
    let folder = recorded(&[]);
    changed(folder.path(), |result| {
        result["variants"][0].as_object_mut().expect("a row").remove("scenario_hash").expect("a hash");
    });
    for more in [&["--seed", "1"][..], &["--verify"]] {
        let (code, out, err) = said(folder.path(), &[&["replay", "reports/latest"], more].concat());
        assert_eq!(code, 2, "{out}{err}");
        assert!(err.contains("no scenario_hash of the variant base"), "{err}");
        assert_eq!(out, "", "nothing ran");
    }
}

#[test]
fn a_result_without_runs_is_told_as_such() {
    let folder = recorded(&[]);
    changed(folder.path(), |result| result["runs"] = serde_json::json!([]));
    let (code, _, err) = said(folder.path(), &["replay", "reports/latest", "--verify"]);
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("has no run to replay") && !err.contains("0..0"), "{err}");
}

#[test]
fn a_result_of_another_version_or_another_scenario_is_told_as_such() {
    let folder = recorded(&[]);
    let version = env!("CARGO_PKG_VERSION");
    edited(folder.path(), "result.json", &format!("\"windtunnel\": \"{version}\""), "\"windtunnel\": \"0.0.1\"");
    let (code, _, err) = said(folder.path(), &["replay", "reports/latest", "--seed", "1"]);
    assert_eq!(code, 2);
    assert!(err.contains("recorded by windtunnel 0.0.1, and this is") && err.contains(version), "{err}");
    let folder = recorded(&[]);
    edited(folder.path(), "scenario.yaml", "arrivals: 10/s", "arrivals: 11/s");
    let (code, _, err) = said(folder.path(), &["replay", "reports/latest", "--seed", "1"]);
    assert_eq!(code, 2);
    assert!(err.contains("the folder was changed"), "{err}");
    let (code, _, err) = said(folder.path(), &["replay", ".", "--seed", "1"]);
    assert_eq!(code, 2);
    assert!(err.contains("not the folder of a result"), "{err}");
}
