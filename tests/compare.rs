//! `windtunnel compare`: variants on the same seeds.

use assert_cmd::Command;
use serde_json::Value as Json;
use std::path::Path;

fn compare(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("windtunnel").expect("the binary is built with its tests");
    let output = command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .args(["compare", "--no-report"])
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

/// The small scenario with variants that differ in exposure.
fn small() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let edge = "checkout: { decides_from: [context] }, billing: { decides_from: [context] }";
    let more = format!(
        "
  slow-poll:
    services: {{ gateway: {{ edge: true, sdk: {{ poll: 60s }} }}, {edge} }}
    expect: {{ split-brain: holds }}
  ramp:
    services: {{ gateway: {{ edge: true }}, {edge} }}
    rollout: {{ new-checkout: {{ steps: [{{ name: half, at: 1m, move: [{{ to: 'on', percent: 50% }}] }}] }} }}
    expect: {{ split-brain: holds }}
"
    );
    let text = include_str!("../benches/models/split-brain-small.yaml").replace("arrivals: 20/s", "arrivals: 5/s");
    std::fs::write(folder.path().join("small.yaml"), text + &more).expect("it is writable");
    folder
}

fn within(folder: &tempfile::TempDir, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("windtunnel").expect("the binary is built with its tests");
    let output = command.current_dir(folder.path()).args(args).output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_best_is_chosen_among_those_that_may_be_and_the_worse_are_left_out_early() {
    let folder = small();
    let best = ["compare", "small.yaml", "--best", "--primary", "exposed_interactions.count", "--format", "json"];
    let (code, said, why) = within(&folder, &[&best[..], &["--indifference", "5"]].concat());
    assert_eq!(code, 0, "{why}");
    let found: Json = serde_json::from_str(&said).expect("it is JSON");
    assert_eq!(found["best"], "ramp");
    let fate = |at: usize| (&found["variants"][at]["variant"], &found["variants"][at]["fate"]);
    assert_eq!(fate(0), (&Json::from("base"), &Json::from("infeasible")));
    assert_eq!(found["variants"][0]["violates"]["invariant"], "split-brain");
    assert_eq!(fate(1), (&Json::from("edge-context"), &Json::from("worse")));
    // A few orders more change when decisions are used, one way or the other.
    let more = std::fs::read_to_string(folder.path().join("small.yaml")).expect("it is readable");
    std::fs::write(folder.path().join("more.yaml"), more.replace("5/s", "5.1/s")).expect("it is writable");
    let best = ["compare", "small.yaml:edge-context", "more.yaml:edge-context", "--best", "--primary", "staleness.max"];
    let (code, said, _) = within(&folder, &[&best[..], &["--indifference", "0.1", "--seeds", "1..31"]].concat());
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("INCONCLUSIVE: 30 seeds do not tell which is the best by 100ms"), "{said}");
}

#[test]
fn files_and_recorded_runs_are_sides_and_meet_the_same_seeds() {
    let folder = small();
    let made = within(&folder, &["test", "small.yaml", "--seeds", "1..13", "--out", "recorded", "--quiet"]);
    assert_eq!(made.0, 0, "{}", made.2);
    let fresh = within(&folder, &["compare", "small.yaml", "--seeds", "1..13", "--format", "json"]);
    let recorded = within(&folder, &["compare", "recorded/latest", "--format", "json"]);
    assert_eq!((recorded.0, &recorded.1), (0, &fresh.1), "{}", recorded.2);
    let page = std::fs::read_dir(folder.path().join("reports/split-brain-small")).expect("it has reports");
    let page = page.map(|entry| entry.expect("an entry").path()).find(|path| path.join("compare.json").is_file());
    let page = page.expect("the comparison has a folder");
    let html = std::fs::read_to_string(page.join("index.html")).expect("it has a page");
    assert!(html.contains("harm.count against time_to_full") && html.contains("ramp\n</text>"), "the front is drawn");
    assert!(page.join("plots/front-time_to_full.svg").is_file());
    // Seeds that only one side has are left out.
    let args = ["compare", "recorded/latest:edge-context", "small.yaml:ramp", "--seeds", "5..41", "--format", "json"];
    let (code, said, why) = within(&folder, &args);
    assert_eq!(code, 0, "{why}");
    let found: Json = serde_json::from_str(&said).expect("it is JSON");
    assert_eq!((&found["seeds"][0], &found["seeds"][1], &found["compared"]), (&5.into(), &13.into(), &8.into()));
    assert_eq!(found["against"][0]["variant"], "split-brain-small:ramp");
    let refused = |args: &[&str]| {
        let (code, _, why) = within(&folder, &[&["compare"], args].concat());
        assert_eq!(code, 2, "{why}");
        why
    };
    assert!(refused(&["recorded/latest:edge-contxt", "small.yaml"]).contains("did you mean `edge-context`?"));
    assert!(refused(&["small.yaml:ramp"]).contains("one side is nothing to compare"));
    assert!(refused(&["recorded/latest:base", "small.yaml", "--seeds", "90..99"]).contains("no seed in common"));
    assert!(refused(&["recorded/latest", "--best", "--indifference", "1"]).contains("recorded runs are what they are"));
    assert!(refused(&["small.yaml", "--seeds", "1..20000"]).contains("at most 10000 seeds"));
    assert!(refused(&["small.yaml", "--best", "--indifference", "0"]).contains("takes for ever"));
}

#[test]
fn of_two_that_are_the_same_the_first_is_chosen_without_running_all_the_seeds_there_are() {
    let folder = small();
    std::fs::copy(folder.path().join("small.yaml"), folder.path().join("same.yaml")).expect("it is writable");
    let args = ["compare", "small.yaml:edge-context", "same.yaml:edge-context", "--best", "--indifference", "1"];
    let (code, said, why) = within(&folder, &args);
    assert_eq!(code, 0, "{said}{why}");
    assert!(said.contains("the best is small.yaml:edge-context"), "{said}");
    assert!(said.contains("no better, no worse") && said.contains("40 runs"), "{said}");
}
