//! Campaigns as whole processes: any number of jobs and any sharding give the same bytes, a killed one goes on where it
//! was, and what is wrong with records is told.

use assert_cmd::cargo::cargo_bin;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Three services that poll one flag, and the repair as a variant.
const SMALL: &str = include_str!("../benches/models/split-brain-small.yaml");

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(tempfile::tempdir().expect("a temporary folder"));
        fs::write(place.path("small.yaml"), SMALL).expect("it is writable");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn windtunnel(&self, args: &[&str]) -> (i32, String, String) {
        let output = self.command(args).output().expect("the binary runs");
        told(&output)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(cargo_bin("windtunnel"));
        for variable in ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "CI_NODE_INDEX"] {
            command.env_remove(variable);
        }
        command.current_dir(self.0.path()).args(args);
        command
    }

    /// Every file of a report but what depends on the hour, by its path.
    fn report(&self, out: &str) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        collect(&self.path(out), &self.path(out), &mut files);
        files.sort();
        files.retain(|(path, _)| !path.ends_with("meta.json"));
        files
    }

    /// The record of the only campaign below a folder.
    fn record(&self, out: &str) -> PathBuf {
        let mut files = Vec::new();
        collect(&self.path(out), &self.path(out), &mut files);
        let found = files.iter().find(|(path, _)| path.ends_with("runs.ndjson")).expect("there is a record");
        self.path(out).join(&found.0)
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.map(|entry| entry.expect("an entry").path()) {
        if entry.is_symlink() {
            continue;
        }
        if entry.is_dir() {
            collect(root, &entry, files);
        } else {
            let name = entry.strip_prefix(root).expect("below the root").display().to_string();
            files.push((name, fs::read(&entry).expect("it is readable")));
        }
    }
}

fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// A record in which one line is another, with the checks that belong to it.
fn forged(text: &str, line: usize, other: &str) -> String {
    let mut last = String::new();
    let mut checked = |(n, text): (usize, &str)| {
        let body = if n == line { other } else { text }.split_once("\",").expect("a check").1;
        let check = windtunnel::kernel::digest::hash_bytes(format!("{last}{body}").as_bytes());
        if n > 0 {
            last = format!("{check:016x}");
        }
        format!("{{\"check\":\"{check:016x}\",{body}\n")
    };
    text.lines().enumerate().map(&mut checked).collect()
}

#[test]
fn any_number_of_jobs_and_any_sharding_give_the_same_bytes() {
    let place = Place::new();
    let seeds = ["--seeds", "1..14"];
    let (code, said, why) =
        place.windtunnel(&[&["test", "small.yaml", "--out", "whole", "--jobs", "1"], &seeds[..]].concat());
    assert_eq!(code, 0, "{said}{why}");
    let whole = place.report("whole");
    assert!(whole.iter().any(|(path, _)| path.ends_with("runs.ndjson")) && whole.len() > 10);
    let two = place.windtunnel(&[&["test", "small.yaml", "--out", "two", "--jobs", "2"], &seeds[..]].concat());
    assert_eq!((two.0, &two.1), (0, &said));
    assert!(place.report("two") == whole, "two jobs");
    for (by, of) in [("slice", 3), ("hash", 2), ("slice", 1)] {
        let parts: Vec<String> = (1..=of).map(|k| format!("{by}-{of}-{k}")).collect();
        for (k, part) in (1..=of).zip(&parts) {
            let shard = format!("{by}:{k}/{of}");
            let args = ["test", "small.yaml", "--out", part, "--shard", &shard];
            let (code, said, why) = place.windtunnel(&[&args[..], &seeds[..]].concat());
            assert_eq!(code, 0, "{said}{why}");
            assert!(said.contains(&format!("shard {shard} of split-brain-small:")), "{said}");
        }
        let out = format!("{by}-{of}");
        // In whatever order they come.
        let mut merge = vec!["report", "merge", "--out", &out];
        merge.extend(parts.iter().rev().map(String::as_str));
        let merged = place.windtunnel(&merge);
        assert_eq!((merged.0, &merged.1), (0, &said), "{}", merged.2);
        assert!(place.report(&out) == whole, "{by} {of}");
    }
}

#[test]
fn a_missing_shard_is_inconclusive_and_named() {
    let place = Place::new();
    for k in ["1", "3"] {
        let shard = format!("slice:{k}/3");
        let (code, _, why) =
            place.windtunnel(&["test", "small.yaml", "--seeds", "1..7", "--out", k, "--shard", &shard]);
        assert_eq!(code, 0, "{why}");
    }
    let (code, said, _) = place.windtunnel(&["report", "merge", "1", "3", "--out", "merged"]);
    assert_eq!(code, 3);
    assert!(said.contains("Of 3 shards, shard 2 is missing: this is not everything"), "{said}");
    let partial = place.report("merged");
    assert!(partial.iter().any(|(path, _)| path.contains("-partial/result.json")));
    assert!(!partial.iter().any(|(path, _)| path.ends_with("runs.ndjson")), "nobody goes on from a record with gaps");
}

#[test]
fn records_that_are_not_parts_of_one_campaign_are_refused_with_the_reason() {
    let place = Place::new();
    let shard = |out: &str, more: &[&str]| {
        let made = place.windtunnel(&[&["test", "small.yaml", "--out", out], more].concat());
        assert_eq!(made.0, 0, "{}", made.2);
    };
    shard("a", &["--seeds", "1..4", "--shard", "slice:1/2"]);
    shard("seeds", &["--seeds", "1..5", "--shard", "slice:2/2"]);
    shard("other", &["--seeds", "1..4", "--shard", "slice:2/2", "--set", "duration=4m"]);
    shard("by", &["--seeds", "1..4", "--shard", "hash:2/2"]);
    let refused = |with: &str| {
        let (code, _, why) = place.windtunnel(&["report", "merge", "a", with, "--out", "merged"]);
        assert_eq!(code, 2, "{why}");
        why
    };
    assert!(refused("seeds").contains("differ in their seeds: 1..4 and 1..5"), "{}", refused("seeds"));
    assert!(refused("other").contains("differ in what they simulate"), "{}", refused("other"));
    assert!(refused("by").contains("how the runs were dealt out"), "{}", refused("by"));
    assert!(refused("nowhere").contains("nowhere: No such file"), "{}", refused("nowhere"));
    fs::create_dir(place.path("empty")).expect("it is writable");
    assert!(refused("empty").contains("there is no runs.ndjson in it"), "{}", refused("empty"));
    // Another version.
    shard("version", &["--seeds", "1..4", "--shard", "slice:2/2"]);
    let record = place.record("version");
    let text = fs::read_to_string(&record).expect("it is readable");
    let own = concat!("\"windtunnel\":\"", env!("CARGO_PKG_VERSION"), "\"");
    let header = text.lines().next().expect("a header").replace(own, "\"windtunnel\":\"9.9.9\"");
    fs::write(&record, forged(&text, 0, &header)).expect("it is writable");
    assert!(
        refused("version").contains("its runs were made by windtunnel 9.9.9, and this is"),
        "{}",
        refused("version")
    );
}

#[test]
fn one_run_that_came_out_twice_and_not_alike_is_a_determinism_mismatch() {
    let place = Place::new();
    for out in ["a", "b"] {
        let made = place.windtunnel(&["test", "small.yaml", "--seeds", "1..3", "--out", out, "--shard", "slice:1/1"]);
        assert_eq!(made.0, 0, "{}", made.2);
    }
    let merged = place.windtunnel(&["report", "merge", "a", "b", "--out", "merged"]);
    assert_eq!(merged.0, 0, "a task that was made twice: {}", merged.2);
    // The same shard of a program with another digest, with its check.
    let record = place.record("b");
    let text = fs::read_to_string(&record).expect("it is readable");
    let line = text.lines().nth(1).expect("a run");
    let at = line.find("\"digest\":\"").expect("a digest") + 10;
    let forged = forged(&text, 1, &format!("{}0000{}", &line[..at], &line[at + 4..]));
    fs::write(&record, forged).expect("it is writable");
    let (code, _, why) = place.windtunnel(&["report", "merge", "a", "b", "--out", "merged"]);
    assert_eq!(code, 5, "{why}");
    assert!(why.contains("seed 1 of base is not the same run in two records"), "{why}");
}

#[test]
fn a_campaign_that_is_killed_goes_on_where_it_was_and_gives_the_same_bytes() {
    let place = Place::new();
    let seeds = ["--seeds", "1..61"];
    let (code, ..) = place.windtunnel(&[&["run", "small.yaml", "--out", "whole"], &seeds[..]].concat());
    assert_eq!(code, 0);
    let mut child = place
        .command(&[&["run", "small.yaml", "--out", "killed", "--quiet"], &seeds[..]].concat())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the binary runs");
    // Until some runs are recorded, however long that takes.
    let runs = || {
        let mut files = Vec::new();
        collect(&place.path("killed"), &place.path("killed"), &mut files);
        let record = files.iter().find(|(path, _)| path.ends_with("runs.ndjson"));
        record.map_or(0, |(_, bytes)| bytes.iter().filter(|byte| **byte == b'\n').count())
    };
    while runs() < 5 && child.try_wait().expect("it can be waited for").is_none() {
        std::thread::yield_now();
    }
    child.kill().expect("SIGKILL");
    child.wait().expect("it can be waited for");
    let before = runs();
    let (code, _, why) = place.windtunnel(&[&["run", "small.yaml", "--out", "killed"], &seeds[..]].concat());
    assert_eq!(code, 0, "{why}");
    // Where the machine was so fast that it had finished, there is nothing to go on with.
    assert!(before > 61 || why.contains("goes on after"), "{before} lines: {why}");
    assert!(place.report("killed") == place.report("whole"));
}

#[test]
fn a_broken_record_is_told_and_fresh_begins_anew() {
    let place = Place::new();
    let run = ["run", "small.yaml", "--out", "out", "--seeds", "1..5"];
    assert_eq!(place.windtunnel(&run).0, 0);
    let record = place.record("out");
    let text = fs::read_to_string(&record).expect("it is readable");
    let unfinished: Vec<&str> = text.lines().filter(|line| !line.contains("\"end\":")).collect();
    fs::write(&record, unfinished.join("\n").replacen("\"seed\":2", "\"seed\":7", 1) + "\n").expect("it is writable");
    let (code, _, why) = place.windtunnel(&run);
    assert_eq!(code, 2, "{why}");
    assert!(why.contains("runs.ndjson:3: the line is not as it was written"), "{why}");
    assert!(why.contains("--fresh begins anew"), "{why}");
    assert_eq!(place.windtunnel(&[&run[..], &["--fresh"]].concat()).0, 0);
    assert_eq!(fs::read_to_string(&record).expect("it is readable"), text);
}

#[test]
fn a_record_that_cannot_be_written_costs_the_record_and_not_the_results() {
    let place = Place::new();
    fs::write(place.path("file"), "").expect("it is writable");
    let (code, said, why) = place.windtunnel(&["run", "small.yaml", "--seeds", "1..3", "--out", "file"]);
    assert_eq!(code, 74);
    assert!(why.contains("error: the record could not be written: file/"), "{why}");
    assert!(said.contains("violated in 2 of 2 runs"), "{said}");
    let (code, _, why) =
        place.windtunnel(&["run", "small.yaml", "--seeds", "1..3", "--out", "file", "--shard", "slice:1/2"]);
    assert_eq!(code, 74);
    assert!(why.contains("a shard is nothing else"), "{why}");
}

#[test]
fn no_time_is_no_run_and_the_same_command_goes_on_later() {
    let place = Place::new();
    let run = ["test", "small.yaml", "--out", "out", "--seeds", "1..5"];
    let (code, said, _) = place.windtunnel(&[&run[..], &["--within", "1ns"]].concat());
    assert_eq!(code, 3);
    assert!(said.contains("Out of time: this is not everything"), "{said}");
    assert_eq!(place.windtunnel(&run).0, 0);
}

#[test]
fn until_decided_runs_no_more_than_are_needed_and_says_what_it_knows() {
    let place = Place::new();
    let until = |variant: &str, more: &[&str]| {
        let args = ["run", "small.yaml", "--variant", variant, "--until-decided", "--no-report", "--format", "json"];
        let (code, said, why) = place.windtunnel(&[&args[..], more].concat());
        let json: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}{why}"));
        (code, json["runs"].as_array().map_or(0, Vec::len), json["expectations"][0].clone())
    };
    // 71 clean runs show a rate below 5%; it is looked at after every second run by then.
    let (code, runs, _) = until("edge-context", &["--budget", "5%"]);
    assert_eq!((code, runs), (0, 72));
    assert_eq!(until("edge-context", &["--budget", "5%", "--jobs", "1"]).1, runs, "whatever the number of jobs");
    let (code, runs, row) = until("edge-context", &["--budget", "5%", "--seeds", "1..41"]);
    assert_eq!((code, runs), (3, 40));
    let why = row["why"].as_str().expect("a reason");
    assert!(why.starts_with("0 violated of 40 runs: up to") && why.ends_with("the budget is 5%"), "{why}");
    // What the file does not name has a say under --strict, and its part of the error.
    let (code, strictly, _) = until("edge-context", &["--budget", "5%", "--strict"]);
    assert!(code == 0 && strictly > 90, "{strictly}");
    // What must hold and does not is decided by the first run that shows it.
    let (code, runs, _) = until("edge-context", &["--set", "services.billing.decides_from=[sdk]"]);
    assert_eq!((code, runs), (1, 1));
}

#[test]
fn a_shard_of_a_scheduler_is_the_one_its_environment_names() {
    let place = Place::new();
    let auto = |variables: &[(&str, &str)]| {
        let mut command = place.command(&["test", "small.yaml", "--seeds", "1..4", "--out", "out", "--shard", "auto"]);
        told(&command.envs(variables.iter().copied()).output().expect("the binary runs"))
    };
    let slurm = [("SLURM_ARRAY_TASK_ID", "5"), ("SLURM_ARRAY_TASK_MIN", "4"), ("SLURM_ARRAY_TASK_COUNT", "3")];
    assert!(auto(&slurm).1.contains("shard slice:2/3 of"), "{:?}", auto(&slurm));
    let kubernetes = [("JOB_COMPLETION_INDEX", "0"), ("WINDTUNNEL_SHARDS", "4")];
    assert!(auto(&kubernetes).1.contains("shard slice:1/4 of"), "{:?}", auto(&kubernetes));
    let gitlab = [("CI_NODE_INDEX", "4"), ("CI_NODE_TOTAL", "4")];
    assert!(auto(&gitlab).1.contains("shard slice:4/4 of"), "{:?}", auto(&gitlab));
    let lacking = auto(&[("JOB_COMPLETION_INDEX", "0")]);
    assert_eq!(lacking.0, 2);
    assert!(
        lacking.2.contains("it looks like a Kubernetes Indexed Job, but WINDTUNNEL_SHARDS is not set"),
        "{}",
        lacking.2
    );
    let nowhere = auto(&[]);
    assert!(nowhere.0 == 2 && nowhere.2.contains("no scheduler is known here"), "{}", nowhere.2);
}

#[test]
fn a_part_fails_on_what_no_other_part_can_cure_unless_the_merge_is_to_judge() {
    let place = Place::new();
    fs::write(place.path("small.yaml"), SMALL.replace("[context]", "[sdk]")).expect("it is writable");
    let args = ["test", "small.yaml", "--seeds", "1..4", "--out", "out", "--shard", "slice:1/2"];
    let (code, said, _) = place.windtunnel(&args);
    assert_eq!(code, 1);
    assert!(said.contains("✗ split-brain-small:edge-context  split-brain: holds: violated in"), "{said}");
    assert_eq!(place.windtunnel(&[&args[..], &["--defer-verdict"]].concat()).0, 0);
}

#[test]
fn a_merge_into_the_folder_it_reads_loses_nothing_and_can_be_made_again() {
    let place = Place::new();
    let test = ["test", "small.yaml", "--seeds", "1..5", "--out", "out", "--quiet"];
    assert_eq!(place.windtunnel(&test).0, 0);
    let before = place.report("out");
    let merge = ["report", "merge", "out", "--out", "out"];
    assert_eq!(place.windtunnel(&merge).0, 0);
    assert!(place.report("out") == before, "the record that was read is the one that is written");
    // A part of it is no reason to lose the whole.
    assert_eq!(place.windtunnel(&[&test[..], &["--shard", "slice:1/2"]].concat()).0, 0);
    assert_eq!(place.windtunnel(&merge).0, 3, "shard 2 is missing");
    let whole = |files: Vec<(String, Vec<u8>)>| -> Vec<(String, Vec<u8>)> {
        files.into_iter().filter(|(path, _)| before.iter().any(|(known, _)| known == path)).collect()
    };
    assert!(whole(place.report("out")) == before);
    assert_eq!(place.windtunnel(&[&test[..], &["--shard", "slice:2/2"]].concat()).0, 0);
    for time in ["the first time", "with its own result beside the shards"] {
        assert_eq!(place.windtunnel(&merge).0, 0, "{time}");
    }
}

#[test]
fn shards_of_files_in_another_order_are_refused_rather_than_gone_on_with_or_merged() {
    let place = Place::new();
    fs::write(place.path("other.yaml"), SMALL.replace("split-brain-small", "other")).expect("it is writable");
    let shard = |files: [&str; 2], k: &str, out: &str, more: &[&str]| {
        let args = ["test", files[0], files[1], "--seeds", "1..6"];
        let shard = format!("slice:{k}/3");
        place.windtunnel(&[&args[..], &["--out", out, "--shard", &shard, "--defer-verdict"], more].concat())
    };
    assert_eq!(shard(["small.yaml", "other.yaml"], "1", "one", &[]).0, 0);
    assert_eq!(shard(["other.yaml", "small.yaml"], "2", "two", &[]).0, 0);
    let (code, _, why) = place.windtunnel(&["report", "merge", "one", "two", "--out", "merged"]);
    assert_eq!(code, 2, "{why}");
    assert!(why.contains("differ in what was run before it: name the same files in the same order"), "{why}");
    // A record of the same shard in another place has other seeds.
    assert_eq!(shard(["small.yaml", "other.yaml"], "3", "three", &["--within", "1ns"]).0, 3);
    let (code, _, why) = shard(["other.yaml", "small.yaml"], "3", "three", &[]);
    assert_eq!(code, 2, "{why}");
    assert!(why.contains("it is the record of another campaign"), "{why}");
}

#[test]
fn two_scenarios_of_one_name_are_refused_where_names_tell_them_apart() {
    let place = Place::new();
    fs::write(place.path("twin.yaml"), SMALL.replace("30s", "20s")).expect("it is writable");
    let (code, _, why) = place.windtunnel(&[
        "test",
        "small.yaml",
        "twin.yaml",
        "--seeds",
        "1..3",
        "--out",
        "out",
        "--shard",
        "slice:1/2",
    ]);
    assert_eq!(code, 2);
    assert!(why.contains("small.yaml and twin.yaml are both called split-brain-small"), "{why}");
    assert_eq!(place.windtunnel(&["test", "small.yaml", "twin.yaml", "--seeds", "1..3", "--no-report"]).0, 0);
}

#[test]
fn run_and_test_of_a_file_without_variants_go_on_with_each_other() {
    let place = Place::new();
    let half = SMALL.split("variants:").next().expect("a first half");
    fs::write(place.path("small.yaml"), half).expect("it is writable");
    let of = |command: &str, more: &[&str]| {
        place.windtunnel(&[&[command, "./small.yaml", "--seeds", "1..4", "--out", "out"], more].concat())
    };
    assert_eq!(of("run", &["--within", "1ns"]).0, 3);
    let (code, said, why) = of("test", &[]);
    assert_eq!(code, 0, "{said}{why}");
}

#[test]
fn more_shards_than_runs_and_more_seeds_than_anybody_has_time_for_are_no_trouble() {
    let place = Place::new();
    for k in 1..=7 {
        let shard = format!("slice:{k}/7");
        let made = place.windtunnel(&["test", "small.yaml", "--seeds", "1..3", "--out", "out", "--shard", &shard]);
        assert_eq!(made.0, 0, "{}{}", made.1, made.2);
    }
    assert_eq!(place.windtunnel(&["report", "merge", "out", "--out", "merged"]).0, 0);
    let all = ["test", "small.yaml", "--seeds", "0..18446744073709551615", "--within", "1ns", "--no-report"];
    let (code, _, why) = place.windtunnel(&all);
    assert_eq!(code, 3, "{why}");
}

#[test]
fn two_processes_do_not_write_one_record_at_the_same_time() {
    let place = Place::new();
    let run = ["run", "small.yaml", "--seeds", "1..4", "--out", "out", "--quiet"];
    assert_eq!(place.windtunnel(&run).0, 0);
    let record = place.record("out");
    let before = fs::read(&record).expect("it is readable");
    let held = fs::OpenOptions::new().write(true).open(&record).expect("it is writable");
    held.try_lock().expect("nobody else writes it");
    for more in [&[][..], &["--fresh"]] {
        let (code, _, why) = place.windtunnel(&[&run[..], more].concat());
        assert_eq!(code, 74, "{why}");
        assert!(why.contains("another process is writing it"), "{why}");
    }
    assert!(fs::read(&record).expect("it is readable") == before);
    drop(held);
    assert_eq!(place.windtunnel(&run).0, 0);
}

#[test]
fn a_file_whose_record_is_in_the_way_is_in_the_reports_of_the_suite() {
    let place = Place::new();
    let test = ["test", "small.yaml", "--seeds", "1..3", "--out", "out", "--emit", "junit=junit.xml"];
    assert_eq!(place.windtunnel(&[&test[..], &["--within", "1ns"]].concat()).0, 3);
    fs::write(place.record("out"), "broken\nbroken\n").expect("it is writable");
    assert_eq!(place.windtunnel(&test).0, 2);
    let junit = fs::read_to_string(place.path("junit.xml")).expect("it was written");
    assert!(junit.contains("small.yaml") && junit.contains("not run: its record is broken"), "{junit}");
}
