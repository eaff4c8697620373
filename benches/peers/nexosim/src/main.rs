//! The benchmark's models in NeXosim, on one thread: `peer-nexosim phold one|ports PENDING EVENTS SEED` and
//! `peer-nexosim mm1 CUSTOMERS SEED`. Prints one line of counts and what the loop alone cost.

mod mm1;
mod phold;
mod random;

use nexosim::simulation::Simulation;
use nix::time::{ClockId, clock_gettime};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A count that models share; on one thread a plain load and store is enough.
pub struct Counter(AtomicU64);

impl Counter {
    pub const fn new() -> Counter {
        Counter(AtomicU64::new(0))
    }

    pub fn add(&self, more: u64) {
        self.0.store(self.get() + more, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs up to a moment; nanoseconds of processor time.
fn run(simulation: &mut Simulation, until: Duration) -> u64 {
    let cpu = || Duration::from(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("Linux has this clock"));
    let before = cpu();
    simulation.step_until(until).expect("the simulation goes on");
    (cpu() - before).as_nanos() as u64
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| -> u64 { arguments[at].parse().expect("a number") };
    match (arguments[0].as_str(), arguments[1].as_str()) {
        ("phold", "one") => phold::one_model(number(2), number(3), number(4)),
        ("phold", "ports") => phold::models_with_ports(number(2), number(3), number(4)),
        ("mm1", _) => mm1::one_model(number(1), number(2)),
        (model, idiom) => panic!("no model {model} {idiom}"),
    }
}
