//! A nondeterminism on purpose, in the order in which the models go through replicas, is caught by `--verify` and
//! located to the event that handled them in another order. The finder compares processes and knows no place.

use assert_cmd::Command;
use std::fs;
use std::path::Path;

fn windtunnel(folder: &Path, planted: bool) -> Command {
    let mut command = Command::cargo_bin("windtunnel").expect("the binary is built with its tests");
    command.current_dir(folder).env_remove("WINDTUNNEL_SEEDS").env_remove("WINDTUNNEL_JOBS").env("NO_COLOR", "1");
    command.env_remove("WINDTUNNEL_PLANTED");
    if planted {
        command.env("WINDTUNNEL_PLANTED", "iteration-order");
    }
    command
}

fn said(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// A publication at 1m is pushed to twelve replicas, each message with a random delay; or an outage at 1m breaks
/// their streams, and each comes back after the same fixed pause.
fn scenario(folder: &Path, timeline: &str) -> String {
    let text = format!(
        "windtunnel: 1\nname: streams\nduration: 3m\n\
        features: {{ f: {{ stages: [\"off\", \"on\"] }} }}\n\
        services:\n  a: {{ replicas: 6, sdk: {{ stream: {{ mean: 50ms }} }} }}\n  \
        b: {{ replicas: 6, sdk: {{ stream: {{ mean: 50ms }} }} }}\n\
        journeys: {{ j: {{ arrivals: 50/s, calls: [a, b], feature: f }} }}\n{timeline}\n\
        expect: {{ completion: holds }}\n"
    );
    fs::write(folder.join("streams.yaml"), text).expect("a temporary folder can be written");
    "streams.yaml".to_owned()
}

const PUBLISH: &str = "rollout: { f: { steps: [{ at: 1m, move: [{ to: \"on\" }] }] } }";
const OUTAGE: &str = "timeline: [{ at: 1m, fault: control_plane.down, lasts: 2s }]\n\
    rollout: { f: { steps: [{ at: 2m, move: [{ to: \"on\" }] }] } }";

/// The lines of the two sides that begin with `at`: moment, kind and subject of the event located.
fn located(err: &str) -> Vec<&str> {
    err.lines().map(str::trim).filter(|line| line.starts_with("at ")).collect()
}

#[test]
fn pushes_in_another_order_are_located_at_the_event_that_pushed() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = scenario(folder.path(), PUBLISH);
    let args = ["run", &file, "--seeds", "1..3", "--no-report", "--verify"];
    let (code, out, err) = said(windtunnel(folder.path(), true).args(args));
    assert_eq!(code, 5, "{out}{err}");
    assert!(err.contains("determinism mismatch: streams:base, seed 1"), "{err}");
    assert!(err.contains("first differing event"), "{err}");
    let event = "at 60s  Replicate  version 2 to region local";
    assert_eq!(located(&err), [event, event], "both sides did the same thing, in another order: {err}");
    assert!(err.contains("policy latency of a/") && err.contains("PolicyPush"), "{err}");
    assert!(err.contains("differing, too: base 2"), "{err}");
}

#[test]
fn draws_from_before_a_fork_are_told_by_name_although_every_stream_has_another_key_since() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = scenario(folder.path(), PUBLISH);
    // The window of events in which the two part holds the publication at 60s and the fork.
    let args = ["replay", &file, "--seed", "1", "--verify", "--fork-at", "60001ms", "--salt", "1"];
    let (code, out, err) = said(windtunnel(folder.path(), true).args(args));
    assert_eq!(code, 5, "{out}{err}");
    assert_eq!(located(&err).len(), 2, "{err}");
    assert!(err.contains("policy latency of a/") && !err.contains("stream "), "{err}");
}

#[test]
fn an_order_without_a_draw_is_located_where_it_was_planned_and_not_where_it_showed() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = scenario(folder.path(), OUTAGE);
    let (code, out, err) = said(windtunnel(folder.path(), true).args(["replay", &file, "--seed", "1", "--verify"]));
    assert_eq!(code, 5, "{out}{err}");
    let event = "at 60s  EntryBegins  control_plane.down";
    assert_eq!(located(&err), [event, event], "{err}");
    assert!(err.contains("65s  Reconnect  "), "{err}");
    assert!(err.contains("drew     nothing"), "{err}");
}

#[test]
fn a_result_recorded_by_another_execution_is_found_to_differ() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = scenario(folder.path(), PUBLISH);
    let (code, out, err) = said(windtunnel(folder.path(), true).args(["run", &file, "--seeds", "1..3"]));
    assert_eq!(code, 0, "{out}{err}");
    let (code, _, err) = said(windtunnel(folder.path(), true).args(["replay", "reports/latest", "--verify"]));
    assert_eq!(code, 5, "{err}");
    assert!(err.contains("recorded") && err.contains("Replicate"), "{err}");
    // The build that heals it differs from the record, and agrees with itself.
    let (code, _, err) = said(windtunnel(folder.path(), false).args(["replay", "reports/latest", "--seed", "1"]));
    assert_eq!(code, 5, "{err}");
    assert!(err.contains("8 further pairs of processes"), "{err}");
}

#[test]
fn nothing_differs_where_nothing_is_planted() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for timeline in [PUBLISH, OUTAGE] {
        let file = scenario(folder.path(), timeline);
        let args = ["run", &file, "--seeds", "1..3", "--no-report", "--verify"];
        let (code, out, err) = said(windtunnel(folder.path(), false).args(args));
        assert_eq!(code, 0, "{out}{err}");
        assert!(out.contains("verified  2 runs again in another process"), "{out}");
    }
}
