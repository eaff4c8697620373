//! What many seeds cost beyond their runs: time for each, and heap that does not grow with their number.

#[path = "common/mod.rs"]
mod common;
#[path = "models/mod.rs"]
mod models;

use clap::Parser;
use common::heap;
use common::rounds::{Contender, Cost, Spread, interleave, short};
use common::{Bar, Options, Page, Table};
use models::scenario::{plan_of, run_once};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use windtunnel::campaign::{Orders, Seeds, run_variant};
use windtunnel::report::record::{Header, Writer};
use windtunnel::scenario::Plan;

#[global_allocator]
static ALLOCATOR: heap::Measuring = heap::Measuring;

/// The small scenario, for two seconds: a run of some ten microseconds, so that what is beside it shows.
fn tiny() -> Plan {
    let text = include_str!("models/split-brain-small.yaml");
    plan_of(&text.replace("duration: 3m", "duration: 2s").replace("20/s", "1/s").replace("at: 1m", "at: 1s"))
}

/// A recorded campaign on one core.
fn recorded(plan: &Plan, seeds: u64) -> u64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let variants = vec![(plan.variant.clone(), plan.hash.clone())];
    let header = Header::new(&plan.scenario, variants, (1, 1 + seeds));
    let mut writer = Writer::open(&folder.path().join("runs.ndjson"), &header, true).expect("it is writable");
    let stop = AtomicBool::new(false);
    let outcome = run_variant(plan.clone(), &Seeds::all(1..1 + seeds), &Orders::new(1, &stop), &mut writer);
    writer.finish(true).expect("it is writable");
    outcome.made()
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut page = Page::new("campaign");
    let plan = tiny();
    let seeds = options.scaled(20_000);
    let alone = || {
        let runs = || (1..1 + seeds).map(|seed| run_once(&plan, seed).events.min(1)).sum();
        Cost::of_work(runs)
    };
    let (one, other) = ("runs alone", "a recorded campaign");
    let contenders =
        vec![Contender::new(one, alone), Contender::new(other, || Cost::of_work(|| recorded(&plan, seeds)))];
    let rounds = interleave(options.rounds, contenders);
    let mut table = Table::new("A campaign of many small runs, one core", &["contender", "CPU time a seed, ns"]);
    for name in rounds.names() {
        table.row([name.to_owned(), rounds.cost(name).to_string()]);
    }
    page.table(&table);
    let beyond = (rounds.cost(other).median - rounds.cost(one).median) / 1e3;

    let mut most = Vec::new();
    let mut table = Table::new("Heap of a recorded campaign", &["seeds", "most heap, kB"]);
    // The first so many runs and values are kept as they are; it is what comes after them that may not grow.
    for seeds in [options.scaled(40_000), options.scaled(400_000)] {
        let before = heap::held();
        heap::reset_most();
        recorded(&plan, seeds);
        let held = heap::most() - before;
        table.row([seeds.to_string(), short(held as f64 / 1e3)]);
        most.push(held as f64);
    }
    page.table(&table);
    page.bars(
        "A campaign: bars",
        &[
            Bar::at_most("overhead of a seed beyond its run, recorded, µs", 50.0, Spread::exactly(beyond)),
            Bar::at_most("heap of 400,000 seeds against 40,000", 1.10, Spread::exactly(most[1] / most[0])),
        ],
    );
    page.finish(&options)
}
