//! The digests of the shipped scenarios, in git: they change on purpose or not at all.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use windtunnel::run::{Keep, Limits, RunSpec, Walk};
use windtunnel::scenario::{Request, Scenario};

const SEED: u64 = 1;
const HEAD: &str = "# scenario:variant, seed, events, draws, end, digest. Written by\n\
    # WINDTUNNEL_BLESS=\"why\" cargo test --test golden_digests\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn golden() -> PathBuf {
    root().join("tests/golden/digests.txt")
}

/// The scenarios below a folder; their other files are no YAML.
fn scenarios_under(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the shipped scenarios are readable");
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.expect("they are readable").path()).collect();
    entries.sort();
    let below = |path: PathBuf| match path.extension().and_then(|ending| ending.to_str()) {
        _ if path.is_dir() => scenarios_under(&path),
        Some("yaml" | "yml") => vec![path],
        _ => Vec::new(),
    };
    entries.into_iter().flat_map(below).collect()
}

fn lines_of(path: &Path) -> String {
    let bytes = fs::read(path).expect("a shipped scenario is readable");
    let folder = path.parent().expect("it lies in a folder").to_owned();
    let mut include = |named: &str| fs::read(folder.join(named)).map_err(|why| why.to_string());
    let scenario =
        Scenario::read(&path.display().to_string(), &bytes, &mut include).expect("a shipped scenario is right");
    let variants = scenario.variants();
    let mut lines = String::new();
    for variant in std::iter::once(None).chain(variants.iter().map(|name| Some(name.as_str()))) {
        let plan = scenario.plan(&Request { variant, set: &[] }).expect("a shipped scenario is right").plan;
        let end = Walk::new(&plan, &RunSpec::of(SEED), Limits::default(), Keep::Nothing).to_end();
        let (events, draws, at) = (end.events, end.draws, end.at.nanos());
        writeln!(lines, "{}:{} {SEED} {events} {draws} {at}ns {}", plan.scenario, plan.variant, end.digest)
            .expect("text can be written");
    }
    lines
}

/// What changed, as lines of both.
fn difference(old: &str, new: &str) -> String {
    let only = |of: &str, not_in: &str, mark: &str| -> String {
        let lines = of.lines().filter(|line| !not_in.lines().any(|other| other == *line));
        lines.map(|line| format!("{mark} {line}\n")).collect()
    };
    only(old, new, "-") + &only(new, old, "+")
}

/// Writes the new digests and names the change in the changelog; the tree must hold nothing else that is not
/// committed, so that no other change is blessed by accident.
fn bless(why: &str, text: &str) {
    assert!(why.split_whitespace().count() >= 3, "say in a few words why the digests change, not `{why}`");
    let status =
        Command::new("git").args(["status", "--porcelain", "--untracked-files=no"]).current_dir(root()).output();
    let status = status.expect("git is there where digests are blessed");
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    let own = |line: &&str| line.ends_with("tests/golden/digests.txt") || line.ends_with("CHANGELOG.md");
    let others: Vec<&str> = status.lines().filter(|line| !own(line)).collect();
    assert!(others.is_empty(), "commit these first, so that it is seen which change the digests are of:\n{others:#?}");
    let log = root().join("CHANGELOG.md");
    let changes = fs::read_to_string(&log).expect("the changelog is readable");
    let (before, after) = changes.split_once("## Unreleased\n\n").expect("the changelog has a part for what is new");
    fs::write(log, format!("{before}## Unreleased\n\n- Digests changed: {why}.\n{after}")).expect("it is writable");
    fs::write(golden(), text).expect("the golden digests are writable");
}

#[test]
#[allow(clippy::disallowed_methods, reason = "blessing is asked for from outside the test")]
fn shipped_scenarios_have_the_digests_that_are_in_git() {
    let shipped = scenarios_under(&root().join("scenarios"));
    let new: String = shipped.iter().fold(HEAD.to_owned(), |text, path| text + &lines_of(path));
    let old = fs::read_to_string(golden()).unwrap_or_default().replace("\r\n", "\n");
    // Each line says what it is of: their order says nothing.
    let changes = difference(&old, &new);
    if changes.is_empty() {
        return;
    }
    if let Ok(why) = std::env::var("WINDTUNNEL_BLESS") {
        return bless(why.trim().trim_end_matches('.'), &new);
    }
    panic!(
        "digests have changed:\n{}\nA run that comes out differently is a change users see. If it is meant, commit it \
         and say why:\n    WINDTUNNEL_BLESS=\"why\" cargo test --test golden_digests\nwhich rewrites \
         tests/golden/digests.txt and names the change in CHANGELOG.md. If it is not meant, `git stash`, \
         `windtunnel run FILE`, `git stash pop` and `windtunnel replay reports/latest --verify` show both sides.",
        changes
    );
}

#[test]
fn a_changed_digest_is_shown_with_both_lines() {
    assert_eq!(difference("a 1\nb 2\n", "a 1\nb 3\n"), "- b 2\n+ b 3\n");
    assert_eq!(difference("a 1\nb 2\n", "b 2\na 1\n"), "");
}

#[test]
fn a_scenario_that_ships_without_a_digest_is_a_change() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let within = folder.path().join("deeper");
    fs::create_dir(&within).expect("a temporary folder can be written");
    for file in ["b.yaml", "deeper/a.yml", "deeper/flags.json"] {
        fs::write(folder.path().join(file), "").expect("a temporary folder can be written");
    }
    assert_eq!(scenarios_under(folder.path()), [folder.path().join("b.yaml"), within.join("a.yml")]);
    assert_eq!(difference("a 1\n", "a 1\nb 2\n"), "+ b 2\n");
}
