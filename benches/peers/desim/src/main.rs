//! The benchmark's models in desim: `peer-desim phold PENDING EVENTS SEED` and `peer-desim mm1 CUSTOMERS SEED`. Prints
//! one line of counts and what the loop alone cost. Times in ms. desim is made of coroutines, which need nightly
//! features: build with `RUSTC_BOOTSTRAP=1`.

#![feature(coroutines, coroutine_trait, stmt_expr_attributes)]

mod random;

use desim::resources::SimpleStore;
use desim::{Effect, EndCondition, SimContext, SimState, Simulation};
use nix::time::{ClockId, clock_gettime};
use random::Random;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

const MEAN: f64 = 1.0;
const BETWEEN_ARRIVALS: f64 = 1.25;
const SERVICE: f64 = 1.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| -> u64 { arguments[at].parse().expect("a number") };
    match arguments[0].as_str() {
        "phold" => phold(number(1), number(2), number(3)),
        "mm1" => mm1(number(1), number(2)),
        model => panic!("no model {model}"),
    }
}

fn cpu() -> Duration {
    Duration::from(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("Linux has this clock"))
}

/// What a PHOLD process yields: nothing is logged.
#[derive(Clone, Copy)]
struct Visit(Effect);

impl SimState for Visit {
    fn get_effect(&self) -> Effect {
        self.0
    }

    fn set_effect(&mut self, effect: Effect) {
        self.0 = effect;
    }

    fn should_log(&self) -> bool {
        false
    }
}

/// A coroutine per process; each visit wakes another one after a delay.
fn phold(population: u64, events: u64, seed: u64) {
    let visits = Rc::new(Cell::new(0u64));
    let mut simulation = Simulation::new();
    for process in 0..population {
        let visits = Rc::clone(&visits);
        let mut random = Random::of(seed, process);
        simulation.schedule_event(random.exponential(MEAN), process as usize, Visit(Effect::Wait));
        simulation.create_process(Box::new(
            #[coroutine]
            move |_: SimContext<Visit>| {
                loop {
                    visits.set(visits.get() + 1);
                    let time = random.exponential(MEAN);
                    let process = random.below(population) as usize;
                    yield Visit(Effect::Event { time, process });
                }
            },
        ));
    }
    let before = cpu();
    // Each job is visited once a millisecond on average.
    let _simulation = simulation.run(EndCondition::Time(events as f64 / population as f64 * MEAN));
    let cpu_ns = (cpu() - before).as_nanos();
    println!("events={visits} completions={visits} cpu_ns={cpu_ns}", visits = visits.get());
}

/// What the processes of the queue yield: when the customer came travels with the effect.
#[derive(Clone, Copy)]
struct Customer {
    effect: Effect,
    came: f64,
}

impl SimState for Customer {
    fn get_effect(&self) -> Effect {
        self.effect
    }

    fn set_effect(&mut self, effect: Effect) {
        self.effect = effect;
    }

    fn should_log(&self) -> bool {
        false
    }
}

/// A source that pushes customers into a store, and a server that pulls them out of it.
fn mm1(customers: u64, seed: u64) {
    let (arrived, departed, spent) = (Rc::new(Cell::new(0u64)), Rc::new(Cell::new(0u64)), Rc::new(Cell::new(0.0)));
    let mut simulation = Simulation::new();
    let queue = simulation.create_store(Box::new(SimpleStore::new(usize::MAX)));
    let mut random = Random::of(seed, 1);
    let count = Rc::clone(&arrived);
    let source = simulation.create_process(Box::new(
        #[coroutine]
        move |_: SimContext<Customer>| {
            loop {
                let now: SimContext<Customer> =
                    yield Customer { effect: Effect::TimeOut(random.exponential(BETWEEN_ARRIVALS)), came: 0.0 };
                count.set(count.get() + 1);
                let came = now.time();
                yield Customer { effect: Effect::Push(queue), came };
            }
        },
    ));
    let mut random = Random::of(seed, 2);
    let (count, sum) = (Rc::clone(&departed), Rc::clone(&spent));
    let server = simulation.create_process(Box::new(
        #[coroutine]
        move |_: SimContext<Customer>| {
            loop {
                let now: SimContext<Customer> = yield Customer { effect: Effect::Pull(queue), came: 0.0 };
                let came = now.state().came;
                let now: SimContext<Customer> =
                    yield Customer { effect: Effect::TimeOut(random.exponential(SERVICE)), came };
                sum.set(sum.get() + now.time() - came);
                count.set(count.get() + 1);
            }
        },
    ));
    for process in [source, server] {
        simulation.schedule_event(0.0, process, Customer { effect: Effect::Wait, came: 0.0 });
    }
    let before = cpu();
    let _simulation = simulation.run(EndCondition::Time(customers as f64 * BETWEEN_ARRIVALS));
    let cpu_ns = (cpu() - before).as_nanos();
    let (arrived, departed) = (arrived.get(), departed.get());
    let sojourn_ms = spent.get() / departed as f64;
    println!("events={} completions={departed} cpu_ns={cpu_ns} sojourn_ms={sojourn_ms}", arrived + departed);
}
