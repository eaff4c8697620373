//! A campaign on two cores against two independent processes that share the same seeds: what is lost is what threads
//! of one process take from each other (allocator, results, the tail).

use crate::common::{Bar, Clock, Contender, Cost, Options, Page, Table, interleave};
use std::ops::Range;
use std::process::{Child, Command, Stdio};

const SCENARIO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/split-brain.yaml");

pub fn measure(options: &Options, page: &mut Page) {
    if !options.wants("campaign") {
        return;
    }
    let half = options.scaled(24);
    let (first, second, all) = (1..1 + half, 1 + half..1 + 2 * half, 1..1 + 2 * half);
    let ways = [
        ("one core", vec![(all.clone(), 1)]),
        ("two cores", vec![(all, 2)]),
        ("two processes", vec![(first, 1), (second, 1)]),
    ];
    let contenders = ways.iter().map(|(name, parts)| Contender::new(*name, || cost_of(parts))).collect();
    let rounds = interleave(options.rounds, contenders);
    let mut table = Table::new(
        format!("A campaign of {} runs of split-brain, 3 minutes each", 2 * half),
        &["way", "ms of CPU a run", "throughput on the wall against one core"],
    );
    for (way, _) in &ways {
        let throughput = rounds.ratio_by(Clock::Wall, "one core", way).to_string();
        let cost = rounds.cost(way);
        table.row([(*way).to_owned(), crate::common::rounds::short(cost.median / 1e6), throughput]);
    }
    page.table(&table);
    let what = "a campaign on two cores against two independent processes";
    page.bars(
        "Campaign: bars",
        &[
            Bar::at_least(
                format!("{what}, throughput on the wall"),
                0.95,
                rounds.ratio_by(Clock::Wall, "two processes", "two cores"),
            ),
            Bar::at_least(format!("{what}, by CPU time"), 0.95, rounds.ratio("two processes", "two cores")),
        ],
    );
}

/// Parts of the seeds side by side, each in a process with so many jobs.
fn cost_of(parts: &[(Range<u64>, u32)]) -> Cost {
    Cost::of_children(|| {
        let children: Vec<Child> = parts.iter().map(|(seeds, jobs)| start(seeds, *jobs)).collect();
        for mut child in children {
            let status = child.wait().expect("a child can be waited for");
            assert!(status.code().is_some_and(|code| code < 2), "a campaign ends with a verdict: {status}");
        }
        parts.iter().map(|(seeds, _)| seeds.end - seeds.start).sum()
    })
}

fn start(seeds: &Range<u64>, jobs: u32) -> Child {
    Command::new(env!("CARGO_BIN_EXE_windtunnel"))
        .args(["run", SCENARIO, "--set", "duration=3m", "--no-report"])
        .args(["--seeds", &format!("{}..{}", seeds.start, seeds.end), "--jobs", &jobs.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts")
}
