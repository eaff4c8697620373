//! Golden numbers: they move only with a reason, the seeds that moved them are named, and the README shows them.

use assert_cmd::cargo::cargo_bin;
use std::fs;
use std::path::Path;
use std::process::Command;

const SMALL: &str = include_str!("../benches/models/split-brain-small.yaml");

fn windtunnel(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output =
        Command::new(cargo_bin("windtunnel")).current_dir(folder).args(args).output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

#[test]
fn numbers_that_move_fail_until_they_are_blessed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path();
    let file = place.join("small.yaml");
    fs::write(&file, SMALL).expect("it is writable");
    let test =
        |more: &[&str]| windtunnel(place, &[&["test", "small.yaml", "--no-report", "--seeds", "1..6"], more].concat());
    let none = test(&["--baseline"]);
    assert_eq!(none.0, 3, "{}", none.1);
    assert!(none.1.contains("? split-brain-small:base  has no golden numbers yet: --bless"), "{}", none.1);
    let blessed = test(&["--bless"]);
    assert!(blessed.0 == 0 && blessed.1.contains("blessed split-brain-small: 2 lines moved"), "{}", blessed.1);
    let line = fs::read_to_string(place.join("reports/baselines/split-brain-small.ndjson")).expect("it was written");
    assert_eq!(line.lines().count(), 2);
    assert_eq!(test(&["--baseline"]).0, 0);
    assert_eq!(test(&["--baseline", "--jobs", "1"]).0, 0, "whatever the number of jobs");

    fs::write(&file, SMALL.replace("poll: 30s", "poll: 29s")).expect("it is writable");
    let (code, said, _) = test(&["--baseline"]);
    assert_eq!(code, 1);
    assert!(said.contains("✗ split-brain-small:base  moved: "), "{said}");
    assert!(said.contains("; moved by 5 of 5 seeds: 1, 2, 3, 4, 5"), "{said}");
    assert!(said.contains("the scenario itself is another one than that of the baseline"), "{said}");
    assert!(said.contains("windtunnel run small.yaml --seed 1"), "{said}");
    assert_eq!((test(&["--bless"]).0, test(&["--baseline"]).0), (0, 0));

    let other = windtunnel(place, &["test", "small.yaml", "--no-report", "--seeds", "1..7", "--baseline"]);
    assert!(other.0 == 2 && other.2.contains("those of seeds 1..6, and these are 1..7"), "{}", other.2);
    let half: String = SMALL.split("variants:").next().expect("a first half").to_owned();
    fs::write(&file, half.replace("poll: 30s", "poll: 29s")).expect("it is writable");
    let gone = test(&["--baseline"]);
    assert!(
        gone.0 == 1 && gone.1.contains("split-brain-small:edge-context  has golden numbers and is no variant"),
        "{}",
        gone.1
    );
    fs::write(place.join("reports/baselines/split-brain-small.ndjson"), "{\n").expect("it is writable");
    let broken = test(&["--baseline"]);
    assert!(broken.0 == 2 && broken.2.contains("split-brain-small.ndjson: line 1:"), "{}", broken.2);
}

#[test]
fn the_readme_shows_the_golden_numbers_of_today() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (code, table, why) = windtunnel(root, &["report", "numbers"]);
    assert_eq!(code, 0, "{why}");
    let readme = fs::read_to_string(root.join("README.md")).expect("there is a README");
    let (begin, end) = ("<!-- windtunnel report numbers -->\n", "<!-- end -->");
    let (before, rest) = readme.split_once(begin).expect("the README has a place for the numbers");
    let (shown, after) = rest.split_once(end).expect("the place has an end");
    if std::env::var_os("WINDTUNNEL_BLESS").is_some() {
        fs::write(root.join("README.md"), format!("{before}{begin}{table}{end}{after}")).expect("it is writable");
    } else {
        assert!(
            shown == table,
            "the README's numbers are not those of reports/baselines: WINDTUNNEL_BLESS=why cargo test --test baselines"
        );
    }
}

#[test]
fn golden_numbers_are_of_whole_campaigns_of_files_as_they_are() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path();
    fs::write(place.join("small.yaml"), SMALL).expect("it is writable");
    fs::write(place.join("twin.yaml"), SMALL.replace("30s", "20s")).expect("it is writable");
    let test = |more: &[&str]| windtunnel(place, &[&["test", "small.yaml", "--seeds", "1..3"], more].concat());
    // A part has no numbers of the whole, and what stops early or is set on the command line is not the file.
    for more in [
        &["--bless", "--shard", "slice:1/2"][..],
        &["--baseline", "--shard", "slice:1/2"],
        &["--baseline", "--until-decided"],
        &["--bless", "--set", "duration=4m"],
    ] {
        let (code, _, why) = test(more);
        assert!(code == 2 && why.contains("cannot be used with"), "{more:?}: {why}");
    }
    let (code, said, _) = test(&["--bless", "--within", "1ns", "--inconclusive", "warn"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("nor blessed: not all runs were made"), "{said}");
    let (code, _, why) = test(&["twin.yaml", "--bless", "--no-report"]);
    assert!(code == 2 && why.contains("small.yaml and twin.yaml are both called split-brain-small"), "{why}");
    // A filter blesses what it lets through, and leaves the rest as it was.
    let file = place.join("reports/baselines/split-brain-small.ndjson");
    let before = fs::read_to_string(&file).expect("the first file was blessed");
    assert_eq!(before.lines().count(), 2);
    assert_eq!(test(&["--bless", "--filter", "edge", "--no-report"]).0, 0);
    assert_eq!(fs::read_to_string(&file).expect("it is there"), before);
}
