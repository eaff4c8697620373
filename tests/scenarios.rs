//! The shipped scenarios come out as they say, and the OpenTelemetry demo also on its real flag file.

use assert_cmd::Command;
use std::path::Path;

fn test_scenarios(args: &[&str]) -> (i32, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::cargo_bin("windtunnel").expect("the binary is built with its tests");
    let output = command
        .current_dir(root)
        .args(["test", "--no-report", "--seeds", "1..6"])
        .args(args)
        .output()
        .expect("the binary runs");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), said)
}

#[test]
fn every_shipped_scenario_comes_out_as_it_says_in_every_variant() {
    let (code, said) = test_scenarios(&["scenarios"]);
    assert_eq!(code, 0, "{said}");
    // One line for each scenario and variant that has a digest in git.
    let golden = include_str!("golden/digests.txt");
    let variants = golden.lines().filter(|line| !line.starts_with('#')).count();
    assert!(said.matches('✓').count() >= variants, "{variants} variants ship:\n{said}");
}

#[test]
fn the_otel_demo_has_the_same_verdicts_on_its_real_flag_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let real = root.join("../shared/data/otel-demo/demo.flagd.json");
    let Ok(real) = real.canonicalize() else {
        eprintln!("skipped: the real flag file is not at hand");
        return;
    };
    let set = format!("flags_file={}", real.display());
    let (code, said) = test_scenarios(&["scenarios/otel-demo", "--set", &set]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(said, test_scenarios(&["scenarios/otel-demo"]).1, "the same facts give the same words");
}
