//! PHOLD on the kernel against a raw loop over the standard heap.

use crate::common::rounds::short;
use crate::common::{Bar, Contender, Cost, Options, Page, Table, interleave};
use crate::models::phold::{MEAN, Phold};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Pending events, what the kernel may cost of the raw loop, and events per round.
const SIZES: [(&str, u64, f64, u64); 3] =
    [("1 k", 1_000, 1.3, 10_000_000), ("100 k", 100_000, 1.2, 5_000_000), ("1 M", 1_000_000, 0.5, 4_000_000)];

pub fn measure(options: &Options, page: &mut Page) {
    let mut bars = Vec::new();
    let mut table =
        Table::new("PHOLD on the kernel", &["pending", "raw heap, ns/event", "kernel, ns/event", "M events/s"]);
    for (size, population, most, events) in SIZES {
        if !options.wants(&format!("phold {size}")) {
            continue;
        }
        let events = options.scaled(events);
        let mut raw = RawLoop::new(population);
        let mut kernel = Phold::new(population, 1);
        let raw_loop = Contender::new("raw", || Cost::of_work(|| raw.run(events)));
        let on_kernel = Contender::new("kernel", || Cost::of_work(|| kernel.run(events)));
        let rounds = interleave(options.rounds, vec![raw_loop, on_kernel]);
        assert_eq!(raw.heap.len(), kernel.pending(), "both keep the population");
        let (raw_cost, kernel_cost) = (rounds.cost("raw"), rounds.cost("kernel"));
        let rate = short(1e3 / kernel_cost.median);
        table.row([size.to_owned(), raw_cost.to_string(), kernel_cost.to_string(), rate]);
        bars.push(Bar::at_most(
            format!("kernel PHOLD against a raw std-heap loop, {size} pending"),
            most,
            rounds.ratio("kernel", "raw"),
        ));
    }
    if !bars.is_empty() {
        page.table(&table);
        page.bars("PHOLD: bars", &bars);
    }
}

/// The same without a kernel: the standard heap, tuples, a SplitMix generator of 8 bytes per process, std's `ln`.
struct RawLoop {
    heap: BinaryHeap<Reverse<(u64, u64, u64)>>,
    sequence: u64,
    processes: Vec<u64>,
}

impl RawLoop {
    fn new(population: u64) -> RawLoop {
        let processes = (0..population).map(|process| process.wrapping_mul(0xd134_2543_de82_ef95) | 1).collect();
        let mut raw = RawLoop { heap: BinaryHeap::new(), sequence: 0, processes };
        for process in 0..population {
            let delay = exponential(&mut raw.processes[process as usize]);
            raw.push(delay, process);
        }
        raw
    }

    fn push(&mut self, at: u64, process: u64) {
        self.heap.push(Reverse((at, self.sequence, process)));
        self.sequence += 1;
    }

    fn run(&mut self, events: u64) -> u64 {
        for _ in 0..events {
            let Reverse((now, _, process)) = self.heap.pop().expect("every event is answered by one more");
            let population = self.processes.len() as u128;
            let state = &mut self.processes[process as usize];
            let delay = exponential(state);
            let to = ((u128::from(split_mix(state)) * population) >> 64) as u64;
            self.push(now + delay, to);
        }
        events
    }
}

/// The next word of a SplitMix64 generator (Steele, Lea, Flood 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Nanoseconds of an exponential delay.
#[allow(clippy::disallowed_methods, reason = "the raw loop is what somebody writes who needs no other platform")]
fn exponential(state: &mut u64) -> u64 {
    let uniform = ((split_mix(state) >> 11) as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0);
    (-uniform.ln() * MEAN.nanos() as f64) as u64
}
