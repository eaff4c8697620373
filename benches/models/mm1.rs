//! M/M/1: customers come at random to one server. Two events a customer, and a closed form to answer to.

use super::Kernel;
use std::collections::VecDeque;
use windtunnel::kernel::{Distribution, StreamKey};
use windtunnel::units::{SimDuration, SimTime};

/// One arrival in 1.25 ms and 1 ms of service: utilisation 0.8.
const BETWEEN_ARRIVALS: SimDuration = SimDuration::from_micros(1_250);
const SERVICE: SimDuration = SimDuration::from_millis(1);
/// Mean sojourn, 1 / (mu - lambda).
pub const SOJOURN: f64 = 5e-3;

/// Five standard errors of the mean sojourn, relative. Its asymptotic variance in units of the squared service time is
/// rho (2 + 5 rho - 4 rho^2 + rho^3) / (1 - rho)^4 (Whitt, Management Science 35, 1989), 1,976 at 0.8.
pub fn tolerance(customers: u64) -> f64 {
    5.0 * (1_976.0 / customers as f64).sqrt() / (SOJOURN / SERVICE.as_secs_f64())
}

#[derive(Clone, Copy)]
enum Event {
    Arrive,
    Depart,
}

impl Event {
    fn words(self) -> (u64, u64) {
        match self {
            Event::Arrive => (1, 0),
            Event::Depart => (2, 0),
        }
    }
}

/// The model on the product's kernel; draws are addressed by the customer's number.
pub struct Mm1 {
    kernel: Kernel<Event>,
    arrivals: StreamKey,
    services: StreamKey,
    between: Distribution,
    service: Distribution,
    arrived: u64,
    departed: u64,
    /// When those present came; the first is served.
    present: VecDeque<SimTime>,
    spent: f64,
}

impl Mm1 {
    pub fn new(seed: u64) -> Mm1 {
        let root = StreamKey::of_seed(seed).child("mm1");
        let mut mm1 = Mm1 {
            kernel: Kernel::default(),
            arrivals: root.child("arrivals"),
            services: root.child("services"),
            between: Distribution::Exponential { mean: BETWEEN_ARRIVALS },
            service: Distribution::Exponential { mean: SERVICE },
            arrived: 0,
            departed: 0,
            present: VecDeque::new(),
            spent: 0.0,
        };
        mm1.plan_arrival();
        mm1
    }

    /// Goes on until so many have left.
    pub fn serve(&mut self, customers: u64) -> u64 {
        while self.departed < customers
            && let Some(event) = self.kernel.next(Event::words)
        {
            match event {
                Event::Arrive => self.on_arrive(),
                Event::Depart => self.on_depart(),
            }
        }
        std::hint::black_box(self.kernel.digest());
        self.departed
    }

    /// Events dispatched.
    pub fn dispatched(&self) -> u64 {
        self.kernel.agenda.dispatched()
    }

    /// In seconds.
    pub fn mean_sojourn(&self) -> f64 {
        self.spent / self.departed as f64
    }

    fn on_arrive(&mut self) {
        self.arrived += 1;
        self.present.push_back(self.kernel.agenda.now());
        if self.present.len() == 1 {
            self.plan_departure();
        }
        self.plan_arrival();
    }

    fn on_depart(&mut self) {
        let came = self.present.pop_front().expect("who departs was present");
        self.spent += self.kernel.agenda.now().since(came).as_secs_f64();
        self.departed += 1;
        if !self.present.is_empty() {
            self.plan_departure();
        }
    }

    fn plan_arrival(&mut self) {
        let wait = self.between.sample(self.kernel.draws.word(self.arrivals, self.arrived, 0));
        self.kernel.agenda.after(wait, Event::Arrive);
    }

    fn plan_departure(&mut self) {
        let work = self.service.sample(self.kernel.draws.word(self.services, self.departed, 0));
        self.kernel.agenda.after(work, Event::Depart);
    }
}
