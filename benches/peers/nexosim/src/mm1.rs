//! M/M/1 in one model, utilisation 0.8.

use crate::random::Random;
use crate::{Counter, run};
use nexosim::model::{Context, Model, schedulable};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

const BETWEEN_ARRIVALS: Duration = Duration::from_micros(1_250);
const SERVICE: Duration = Duration::from_millis(1);

static ARRIVED: Counter = Counter::new();
static DEPARTED: Counter = Counter::new();
/// Nanoseconds spent by all that have left.
static SPENT: Counter = Counter::new();

#[derive(Serialize, Deserialize)]
struct Queue {
    arrivals: Random,
    services: Random,
    present: VecDeque<MonotonicTime>,
}

#[Model]
impl Queue {
    #[nexosim(init)]
    async fn init(&mut self, cx: &Context<Self>) {
        self.plan_arrival(cx);
    }

    fn plan_arrival(&mut self, cx: &Context<Self>) {
        let wait = self.arrivals.exponential(BETWEEN_ARRIVALS);
        cx.schedule_event(wait, schedulable!(Self::arrive), ()).expect("the wait is not zero");
    }

    fn plan_departure(&mut self, cx: &Context<Self>) {
        let work = self.services.exponential(SERVICE);
        cx.schedule_event(work, schedulable!(Self::depart), ()).expect("the work is not zero");
    }

    #[nexosim(schedulable)]
    fn arrive(&mut self, _: (), cx: &Context<Self>) {
        ARRIVED.add(1);
        self.present.push_back(cx.time());
        if self.present.len() == 1 {
            self.plan_departure(cx);
        }
        self.plan_arrival(cx);
    }

    #[nexosim(schedulable)]
    fn depart(&mut self, _: (), cx: &Context<Self>) {
        let came = self.present.pop_front().expect("who departs was present");
        SPENT.add(cx.time().duration_since(came).as_nanos() as u64);
        DEPARTED.add(1);
        if !self.present.is_empty() {
            self.plan_departure(cx);
        }
    }
}

pub fn one_model(customers: u64, seed: u64) {
    let queue = Queue { arrivals: Random::of(seed, 1), services: Random::of(seed, 2), present: VecDeque::new() };
    let bench = SimInit::with_num_threads(1).add_model(queue, Mailbox::new(), "queue");
    let mut simulation = bench.init(MonotonicTime::EPOCH).expect("the bench is sound");
    let nanos = u128::from(customers) * BETWEEN_ARRIVALS.as_nanos();
    let cpu_ns = run(&mut simulation, Duration::from_nanos(nanos as u64));
    let (arrived, departed) = (ARRIVED.get(), DEPARTED.get());
    let sojourn_ms = SPENT.get() as f64 / departed as f64 / 1e6;
    println!("events={} completions={departed} cpu_ns={cpu_ns} sojourn_ms={sojourn_ms}", arrived + departed);
}
