//! Memory follows what is in flight: the most heap that runs of 100 thousand, a million and ten million requests hold.

#[path = "common/mod.rs"]
mod common;
#[path = "models/mod.rs"]
mod models;

use clap::Parser;
use common::heap;
use common::rounds::{Spread, short};
use common::{Bar, Options, Page, Table};
use models::scenario::{plan, run_once};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: heap::Measuring = heap::Measuring;

fn main() -> ExitCode {
    let options = Options::parse();
    let mut page = Page::new("memory");
    let mut table = Table::new(
        "Memory: the split-brain chain, all default checkers on, one pass",
        &["requests", "events", "most heap, kB"],
    );
    let mut most = Vec::new();
    for seconds in [500, 5_000, 50_000].map(|seconds| options.scaled(seconds).max(180)) {
        let plan = plan(Some("edge-context"), seconds);
        let before = heap::held();
        heap::reset_most();
        let run = run_once(&plan, 1);
        let held = heap::most() - before;
        table.row([(200 * seconds).to_string(), run.events.to_string(), short(held as f64 / 1e3)]);
        most.push(held as f64);
    }
    page.table(&table);
    let ratio = most[2] / most[0];
    page.bars(
        "Memory: bars",
        &[Bar::at_most("heap of 10 million requests against 100,000", 1.10, Spread::exactly(ratio))],
    );
    page.finish(&options)
}
