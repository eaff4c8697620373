//! Instructions executed, counted by Valgrind: they hardly depend on the machine and not at all on its mood, so that
//! they can gate. Each case has a budget, about a tenth above what was counted when it was last set; whoever exceeds
//! one raises it here and says why, and whoever does much better lowers it. Needs `valgrind`, and `gungraun-runner` of
//! the same version as the library on the path.

#[path = "models/mod.rs"]
mod models;

use gungraun::prelude::*;
use gungraun::{Callgrind, EventKind, main};
use models::mm1::Mm1;
use models::phold::Phold;
use std::hint::black_box;
use windtunnel::kernel::{Distribution, EventQueue, StreamKey};
use windtunnel::scenario::Plan;
use windtunnel::units::{SimDuration, SimTime};

/// At most so many instructions.
fn budget(instructions: u64) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::with_args(["--cache-sim=no"]);
    callgrind.hard_limits([(EventKind::Ir, instructions)]);
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

/// The hold model: the next event is taken out and one put in, an exponential delay later.
struct Hold {
    queue: EventQueue<u64>,
    delays: Vec<SimDuration>,
}

fn hold_of(pending: u64) -> Hold {
    let key = StreamKey::of_seed(1).child("hold");
    let law = Distribution::Exponential { mean: SimDuration::from_millis(1) };
    let delays: Vec<SimDuration> = (0..1 << 16).map(|n| law.sample(key.word(n, 0))).collect();
    let mut queue = EventQueue::default();
    for event in 0..pending {
        queue.push(SimTime::ZERO + law.sample(key.word(event, 1)), event);
    }
    Hold { queue, delays }
}

#[library_benchmark(setup = hold_of)]
#[bench::pending_1k(args = (1_000,), config = budget(HOLD_1K))]
#[bench::pending_100k(args = (100_000,), config = budget(HOLD_100K))]
fn a_hundred_thousand_holds(mut hold: Hold) -> Hold {
    for n in 0..100_000 {
        let (now, event) = hold.queue.pop().expect("every event is answered by one more");
        hold.queue.push(now + hold.delays[n & 0xffff], event);
    }
    hold
}

fn phold_of(pending: u64) -> Phold {
    let mut phold = Phold::new(pending, 1);
    phold.run(pending);
    phold
}

#[library_benchmark(setup = phold_of)]
#[bench::pending_1k(args = (1_000,), config = budget(PHOLD_1K))]
fn a_hundred_thousand_events_of_phold(mut phold: Phold) -> Phold {
    phold.run(100_000);
    phold
}

#[library_benchmark(setup = Mm1::new)]
#[bench::utilisation_80(args = (1,), config = budget(MM1))]
fn fifty_thousand_customers_of_mm1(mut queue: Mm1) -> Mm1 {
    queue.serve(50_000);
    queue
}

fn split_brain_of(rollout_at: &str) -> Plan {
    let step = format!("rollout.new-checkout.steps.everybody.at={rollout_at}");
    models::scenario::plan_with(None, &["duration=60s", &step])
}

#[library_benchmark(setup = split_brain_of)]
#[bench::rollout_at_20s(args = ("20s",), config = budget(SPLIT_BRAIN))]
fn a_minute_of_split_brain(plan: Plan) -> Plan {
    black_box(models::scenario::run_once(&plan, 1));
    plan
}

library_benchmark_group!(name = queue, benchmarks = a_hundred_thousand_holds);
library_benchmark_group!(
    name = kernel,
    benchmarks = [a_hundred_thousand_events_of_phold, fifty_thousand_customers_of_mm1]
);
library_benchmark_group!(name = scenario, benchmarks = a_minute_of_split_brain);
main!(library_benchmark_groups = [queue, kernel, scenario]);

const HOLD_1K: u64 = 31_500_000;
const HOLD_100K: u64 = 38_000_000;
const PHOLD_1K: u64 = 67_500_000;
const MM1: u64 = 37_200_000;
const SPLIT_BRAIN: u64 = 495_000_000;
