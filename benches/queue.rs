//! The pending-event set alone: the hold model (take the next, put in another) against the standard heap with entries
//! of 24 bytes `(time, sequence, event)`. Both must give the same order in every round.

#[path = "common/mod.rs"]
mod common;

use clap::Parser;
use common::heap;
use common::rounds::{Rounds, Spread, short};
use common::{Bar, Contender, Cost, Options, Page, Table, interleave};
use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::process::ExitCode;
use windtunnel::kernel::stream::unit_interval;
use windtunnel::kernel::{EventQueue, StreamKey, maths};
use windtunnel::units::SimTime;

#[global_allocator]
static ALLOCATOR: heap::Measuring = heap::Measuring;

/// What both sides can do.
trait PendingSet: Default {
    fn push(&mut self, at: u64, event: u64);
    fn pop(&mut self) -> Option<(u64, u64)>;
}

#[derive(Default)]
struct StandardHeap {
    heap: BinaryHeap<Reverse<(u64, u64, u64)>>,
    sequence: u64,
}

impl PendingSet for StandardHeap {
    fn push(&mut self, at: u64, event: u64) {
        self.heap.push(Reverse((at, self.sequence, event)));
        self.sequence += 1;
    }

    fn pop(&mut self) -> Option<(u64, u64)> {
        self.heap.pop().map(|Reverse((at, _, event))| (at, event))
    }
}

impl PendingSet for EventQueue<u64> {
    fn push(&mut self, at: u64, event: u64) {
        EventQueue::push(self, SimTime::from_nanos(at), event);
    }

    fn pop(&mut self) -> Option<(u64, u64)> {
        EventQueue::pop(self).map(|(at, event)| (at.nanos(), event))
    }
}

/// How far ahead events are put in.
struct Case {
    name: &'static str,
    /// Later than everything that happens.
    far_timer: bool,
    /// The delay for three uniform numbers, in nanoseconds.
    delay: fn([f64; 3]) -> u64,
}

fn exponential(mean: f64, u: f64) -> u64 {
    (-maths::ln(u) * mean) as u64
}

const CASES: [Case; 5] = [
    Case { name: "exponential", far_timer: false, delay: |[u, ..]| exponential(1e6, u) },
    Case { name: "far timer", far_timer: true, delay: |[u, ..]| exponential(1e6, u) },
    Case {
        name: "bimodal",
        far_timer: false,
        delay: |[which, u, _]| match which {
            0.0..0.9 => exponential(1e5, u),
            0.9..0.99 => exponential(3e10, u),
            _ => 3_600_000_000_000,
        },
    },
    Case { name: "ties on 1 ms", far_timer: false, delay: |[u, ..]| (1 + exponential(1e7, u) / 1_000_000) * 1_000_000 },
    Case { name: "one delay", far_timer: false, delay: |_| 1_000_000 },
];

/// Pending events, by the name of their number.
const SIZES: [(&str, usize); 5] =
    [("100", 100), ("1 k", 1_000), ("10 k", 10_000), ("100 k", 100_000), ("1 M", 1_000_000)];

const HOLDS: u64 = 2_000_000;

/// Delays are drawn beforehand and used again and again: this is a power of two.
const DELAYS: usize = 1 << 20;

fn delays(case: &Case) -> Vec<u64> {
    let key = StreamKey::of_seed(1).child(case.name);
    (0..DELAYS as u64).map(|n| (case.delay)([0, 1, 2].map(|which| unit_interval(key.word(n, which))))).collect()
}

/// What a contender leaves for the others to compare with.
#[derive(Default)]
struct Seen {
    order: Cell<u64>,
    bytes: Cell<usize>,
}

fn hold<Q: PendingSet>(case: &Case, delays: &[u64], population: usize, holds: u64, seen: &Seen) -> Cost {
    let before = heap::held();
    heap::reset_most();
    let mut queue = Q::default();
    if case.far_timer {
        queue.push(1 << 60, u64::MAX);
    }
    let mut next = delays.iter().cycle();
    let mut delay = || *next.next().expect("a cycle has no end");
    for event in 0..population as u64 {
        queue.push(delay(), event);
    }
    let mut order = 0u64;
    let mut go = |count: u64| {
        for _ in 0..count {
            let (now, event) = queue.pop().expect("what is taken is put in again");
            order = (order ^ now).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) ^ event;
            queue.push(now + delay(), event);
        }
        count
    };
    go(2 * population as u64 + 20_000);
    let cost = Cost::of_work(|| go(holds));
    seen.order.set(order);
    seen.bytes.set(heap::most() - before);
    cost
}

const HEAP: &str = "standard heap";
const QUEUE: &str = "queue";

fn main() -> ExitCode {
    let options = Options::parse();
    let mut page = Page::new("queue");
    let mut table = Table::new(
        "Pending-event set: hold",
        &["delays", "pending", "std heap, ns", "queue, ns", "ratio", "heap bytes a pending event", "of the std heap"],
    );
    let mut bars = Vec::new();
    for (size, population) in SIZES {
        let mut exponential = None;
        for case in CASES.iter().filter(|case| options.wants(case.name)) {
            let delays = delays(case);
            let holds = options.scaled(HOLDS);
            let (heap, queue) = (Seen::default(), Seen::default());
            let rounds = interleave(
                options.rounds,
                vec![
                    Contender::new(HEAP, || hold::<StandardHeap>(case, &delays, population, holds, &heap)),
                    Contender::new(QUEUE, || hold::<EventQueue<u64>>(case, &delays, population, holds, &queue)),
                ],
            );
            assert_eq!(heap.order.get(), queue.order.get(), "{}, {size}: the orders differ", case.name);
            let per_event = |seen: &Seen| seen.bytes.get() as f64 / population as f64;
            table.row([
                case.name.to_owned(),
                size.to_owned(),
                rounds.cost(HEAP).to_string(),
                rounds.cost(QUEUE).to_string(),
                rounds.ratio(QUEUE, HEAP).to_string(),
                short(per_event(&queue)),
                short(per_event(&heap)),
            ]);
            bars.extend(bars_of(case, size, population, &rounds, per_event(&queue), &mut exponential));
        }
    }
    page.table(&table);
    page.bars("Pending-event set: bars", &bars);
    page.finish(&options)
}

/// The bars of one case at one size; `exponential` is what the exponential case cost at this size.
fn bars_of(
    case: &Case,
    size: &str,
    population: usize,
    rounds: &Rounds,
    bytes: f64,
    exponential: &mut Option<f64>,
) -> Vec<Bar> {
    let mut bars = Vec::new();
    let cost = rounds.cost(QUEUE);
    if case.name == "exponential" {
        *exponential = Some(cost.median);
        let most = [(1_000, 0.75), (100_000, 0.35), (1_000_000, 0.10)];
        if let Some((_, most)) = most.iter().find(|(at, _)| *at == population) {
            bars.push(Bar::at_most(format!("hold, {size} pending"), *most, rounds.ratio(QUEUE, HEAP)));
        }
    } else if case.name != "bimodal"
        && let Some(base) = *exponential
    {
        let relative = Spread::of([cost.median, cost.least, cost.most].map(|nanos| nanos / base).into_iter());
        bars.push(Bar::at_most(format!("{} against exponential, {size} pending", case.name), 1.5, relative));
    }
    if population >= 100_000 {
        bars.push(Bar::at_most(
            format!("heap bytes a pending event, {}, {size}", case.name),
            40.0,
            Spread::exactly(bytes),
        ));
    }
    bars
}
