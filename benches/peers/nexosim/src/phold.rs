//! PHOLD: in one model that owns all processes, and with a model per process whose ports lead to four others.

use crate::random::Random;
use crate::{Counter, run};
use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::Output;
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};
use std::time::Duration;

const MEAN: Duration = Duration::from_millis(1);
const NEIGHBOURS: usize = 4;

static VISITS: Counter = Counter::new();

#[derive(Serialize, Deserialize)]
struct Processes {
    random: Vec<Random>,
}

#[Model]
impl Processes {
    #[nexosim(init)]
    async fn init(&mut self, cx: &Context<Self>) {
        for process in 0..self.random.len() as u64 {
            let delay = self.random[process as usize].exponential(MEAN);
            cx.schedule_event(delay, schedulable!(Self::visit), process).expect("the delay is not zero");
        }
    }

    #[nexosim(schedulable)]
    fn visit(&mut self, process: u64, cx: &Context<Self>) {
        VISITS.add(1);
        let population = self.random.len() as u64;
        let random = &mut self.random[process as usize];
        let delay = random.exponential(MEAN);
        let to = random.below(population);
        cx.schedule_event(delay, schedulable!(Self::visit), to).expect("the delay is not zero");
    }
}

pub fn one_model(population: u64, events: u64, seed: u64) {
    let processes = Processes { random: (0..population).map(|process| Random::of(seed, process)).collect() };
    let bench = SimInit::with_num_threads(1).add_model(processes, Mailbox::new(), "processes");
    finish(bench, population, events);
}

/// A process: what comes in waits here for its delay, then goes out through one of the ports.
#[derive(Serialize, Deserialize)]
struct Process {
    random: Random,
    out: [Output<()>; NEIGHBOURS],
}

#[Model]
impl Process {
    #[nexosim(init)]
    async fn init(&mut self, cx: &Context<Self>) {
        self.hold(cx);
    }

    /// Input port.
    fn visit(&mut self, _: (), cx: &Context<Self>) {
        VISITS.add(1);
        self.hold(cx);
    }

    fn hold(&mut self, cx: &Context<Self>) {
        let delay = self.random.exponential(MEAN);
        cx.schedule_event(delay, schedulable!(Self::send_on), ()).expect("the delay is not zero");
    }

    #[nexosim(schedulable)]
    async fn send_on(&mut self) {
        let port = self.random.below(NEIGHBOURS as u64) as usize;
        self.out[port].send(()).await;
    }
}

pub fn models_with_ports(population: u64, events: u64, seed: u64) {
    let mailboxes: Vec<Mailbox<Process>> = (0..population).map(|_| Mailbox::new()).collect();
    let mut wiring = Random::of(seed, u64::MAX);
    let mut processes = Vec::new();
    for process in 0..population {
        let mut out: [Output<()>; NEIGHBOURS] = Default::default();
        for port in &mut out {
            // A model that sends to itself through its mailbox is what NeXosim advises against.
            let to = (process + 1 + wiring.below(population - 1)) % population;
            port.connect(Process::visit, &mailboxes[to as usize]);
        }
        processes.push(Process { random: Random::of(seed, process), out });
    }
    let mut bench = SimInit::with_num_threads(1);
    for (number, (process, mailbox)) in processes.into_iter().zip(mailboxes).enumerate() {
        bench = bench.add_model(process, mailbox, &number.to_string());
    }
    finish(bench, population, events);
}

fn finish(bench: SimInit, population: u64, events: u64) {
    let mut simulation = bench.init(MonotonicTime::EPOCH).expect("the bench is sound");
    // Each job is visited once a millisecond on average.
    let nanos = u128::from(events) * MEAN.as_nanos() / u128::from(population);
    let cpu_ns = run(&mut simulation, Duration::from_nanos(nanos as u64));
    let visits = VISITS.get();
    println!("events={visits} completions={visits} cpu_ns={cpu_ns}");
}
