//! `windtunnel compare`: variants on the same seeds.

use assert_cmd::Command;
use serde_json::Value as Json;
use std::path::Path;

fn compare(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("windtunnel").expect("the binary is built with its tests");
    let output = command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .arg("compare")
        .args(args)
        .output()
        .expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn document(args: &[&str]) -> Json {
    let (code, out, err) = compare(&[args, &["--format", "json"]].concat());
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).expect("it is JSON")
}

/// A cheap scenario: a pilot that is killed.
const IRREVERSIBLE: &str = "scenarios/irreversible.yaml";

#[test]
fn the_same_seeds_are_compared_whatever_the_number_of_jobs() {
    let once = compare(&[IRREVERSIBLE, "--seeds", "1..13", "--jobs", "1"]);
    let twice = compare(&[IRREVERSIBLE, "--seeds", "1..13", "--jobs", "2"]);
    assert_eq!(once, twice);
    assert_eq!(once.0, 0, "{}", once.2);
}

#[test]
fn what_differs_is_told_with_its_interval_and_what_is_infeasible_is_not_on_the_front() {
    let found = document(&["scenarios/split-brain.yaml", "--seeds", "1..21", "--set", "duration=4m"]);
    assert_eq!((&found["baseline"], &found["compared"]), (&Json::from("base"), &Json::from(20)));
    let variants = found["variants"].as_array().expect("variants");
    let of = |name: &str| variants.iter().find(|one| one["variant"] == name).expect("it was compared");
    assert_eq!((&of("base")["feasible"], &of("base")["on_front"]), (&Json::from(false), &Json::from(false)));
    assert_eq!(
        (&of("edge-context")["feasible"], &of("edge-context")["on_front"]),
        (&Json::from(true), &Json::from(true))
    );
    let against = &found["against"][0];
    assert_eq!(against["variant"], "edge-context");
    let invariant = &against["invariants"][0];
    assert_eq!((&invariant["only_baseline"], &invariant["only_variant"]), (&Json::from(20), &Json::from(0)));
    assert!(invariant["mcnemar_p"].as_f64().expect("a number") < 1e-5);
    let metrics = against["metrics"].as_array().expect("metrics");
    let mixed = metrics.iter().find(|one| one["name"] == "mixed_interactions.count").expect("it differs");
    // 200/s for three services that poll every 30 s: 3 000 mixed orders a publication (docs/validation.md).
    let baseline = mixed["baseline"].as_f64().expect("a number");
    assert!((baseline / 3_000.0 - 1.0).abs() < 0.15, "{baseline}");
    assert_eq!((&mixed["mean"], &mixed["lower"]), (&Json::from(0.0), &Json::from(20)));
    let interval = mixed["ci95"].as_array().expect("twenty differ");
    let ends: Vec<f64> = interval.iter().map(|end| end.as_f64().expect("a number")).collect();
    assert!(ends[0] < -baseline && -baseline < ends[1], "{ends:?} around {}", -baseline);
}

#[test]
fn two_strategies_on_the_same_customers_vary_together() {
    let found = document(&["scenarios/mobile-tail.yaml", "--seeds", "1..21", "--variants", "new-apps-only"]);
    let metrics = found["against"][0]["metrics"].as_array().expect("metrics");
    let exposed = metrics.iter().find(|one| one["name"] == "exposed_interactions.count").expect("it differs");
    assert!(exposed["variance_reduction"].as_f64().expect("both vary") > 2.0, "{exposed}");
}

#[test]
fn another_baseline_and_another_primary_metric_may_be_named() {
    let args = [IRREVERSIBLE, "--seeds", "1..13", "--baseline", "committed-first", "--variants", "base"];
    let found = document(&[&args[..], &["--primary", "new_path_effects.count"]].concat());
    assert_eq!((&found["baseline"], &found["primary"]), (&"committed-first".into(), &"new_path_effects.count".into()));
    let against = found["against"].as_array().expect("variants");
    assert_eq!((against.len(), &against[0]["variant"]), (1, &Json::from("base")));
    assert_eq!(against[0]["metrics"][0]["name"], "new_path_effects.count", "the primary one comes first");
}

#[test]
fn mistakes_are_told_with_the_nearest_name_and_exit_code_2() {
    for (args, expected) in [
        (&[IRREVERSIBLE, "--variants", "compensater"][..], "did you mean `compensator`?"),
        (&[IRREVERSIBLE, "--baseline", "bas"], "did you mean `base`?"),
        (&[IRREVERSIBLE, "--primary", "harm.cuont"], "did you mean `harm.count`?"),
        (&[IRREVERSIBLE, "--variants", "base"], "nothing to compare"),
        (&[IRREVERSIBLE, "--seeds", "5..5"], "holds no seed"),
        (&["scenarios/nowhere.yaml"], "nowhere.yaml"),
    ] {
        let (code, out, err) = compare(args);
        assert_eq!(code, 2, "{args:?}: {out}{err}");
        assert!(err.contains(expected), "{args:?}: {err}");
    }
}
