//! Memory follows what is in flight: the most heap that runs of 100 thousand, a million and ten million requests hold.

#[path = "common/mod.rs"]
mod common;
#[path = "models/mod.rs"]
mod models;

use clap::Parser;
use common::rounds::{Spread, short};
use common::{Bar, Options, Page, Table};
use models::scenario::{plan, run_once};
use std::alloc::{GlobalAlloc, Layout, System};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes held now, and the most that were held at once since the last reset.
struct Measuring;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn grow(bytes: usize) {
    let held = HELD.fetch_add(bytes, Ordering::Relaxed) + bytes;
    MOST.fetch_max(held, Ordering::Relaxed);
}

unsafe impl GlobalAlloc for Measuring {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        grow(size);
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Measuring = Measuring;

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
        let before = HELD.load(Ordering::Relaxed);
        MOST.store(before, Ordering::Relaxed);
        let run = run_once(&plan, 1);
        let heap = MOST.load(Ordering::Relaxed) - before;
        table.row([(200 * seconds).to_string(), run.events.to_string(), short(heap as f64 / 1e3)]);
        most.push(heap as f64);
    }
    page.table(&table);
    let ratio = most[2] / most[0];
    page.bars(
        "Memory: bars",
        &[Bar::at_most("heap of 10 million requests against 100,000", 1.10, Spread::exactly(ratio))],
    );
    page.finish(&options)
}
