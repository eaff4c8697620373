//! Requests with a timeout that mostly does not come: deadlines of the kernel against an entry in a heap per request,
//! dead after the answer and popped when due.

use crate::common::rounds::{Spread, short};
use crate::common::{Bar, Contender, Cost, Options, Page, Table, interleave};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use windtunnel::kernel::{Agenda, Deadlines, Distribution, Due, StreamKey};
use windtunnel::units::{SimDuration, SimTime};

const CLIENTS: u64 = 1_000;
const TAKES: SimDuration = SimDuration::from_millis(1);
const TIMEOUT: SimDuration = SimDuration::from_secs(1);

pub fn measure(options: &Options, page: &mut Page) {
    if !options.wants("timeouts") {
        return;
    }
    let requests = options.scaled(10_000_000);
    let (mut tombstones, mut deadlines) = (Tombstones::new(), WithDeadlines::new());
    let rounds = interleave(
        options.rounds,
        vec![
            Contender::new("tombstones", || Cost::of_work(|| tombstones.run(requests))),
            Contender::new("deadlines", || Cost::of_work(|| deadlines.run(requests))),
        ],
    );
    let mut table = Table::new(
        format!("Requests of {CLIENTS} clients that take 1 ms, with a timeout of 1 s"),
        &["way", "ns/request", "most pending per client"],
    );
    let per_client = |most: usize| most as f64 / CLIENTS as f64;
    for (way, name, most) in [
        ("std heap, one entry per timeout", "tombstones", tombstones.most_pending),
        ("one timer per constant timeout", "deadlines", deadlines.most_pending),
    ] {
        table.row([way.to_owned(), rounds.cost(name).to_string(), short(per_client(most))]);
    }
    page.table(&table);
    page.bars(
        "Timeouts: bars",
        &[
            Bar::at_most(
                "a request with timeout against heap tombstones",
                0.25,
                rounds.ratio("deadlines", "tombstones"),
            ),
            Bar::at_most("pending entries per client", 2.0, Spread::exactly(per_client(deadlines.most_pending))),
        ],
    );
}

/// How long the n-th request of a client takes.
fn takes(key: StreamKey, client: u64, n: u64) -> SimDuration {
    Distribution::Exponential { mean: TAKES }.sample(key.word(client, n))
}

/// What somebody writes who has a heap and no cancelling.
struct Tombstones {
    heap: BinaryHeap<Reverse<(u64, u64, u64, u64)>>,
    sequence: u64,
    /// The number of the request each client waits for.
    current: Vec<u64>,
    key: StreamKey,
    most_pending: usize,
}

/// Whether an entry is the end of a timeout: in the top bit of the client.
const TIMES_OUT: u64 = 1 << 63;

impl Tombstones {
    fn new() -> Tombstones {
        let key = StreamKey::of_seed(1).child("requests");
        let current = vec![0; CLIENTS as usize];
        let mut all = Tombstones { heap: BinaryHeap::new(), sequence: 0, current, key, most_pending: 0 };
        for client in 0..CLIENTS {
            all.request(0, client);
        }
        all
    }

    fn push(&mut self, at: u64, who: u64, n: u64) {
        self.heap.push(Reverse((at, self.sequence, who, n)));
        self.sequence += 1;
    }

    fn request(&mut self, now: u64, client: u64) {
        let current = &mut self.current[client as usize];
        *current += 1;
        let n = *current;
        self.push(now + takes(self.key, client, n).nanos(), client, n);
        self.push(now + TIMEOUT.nanos(), client | TIMES_OUT, n);
    }

    fn run(&mut self, requests: u64) -> u64 {
        let mut answered = 0;
        while answered < requests {
            let Reverse((now, _, who, n)) = self.heap.pop().expect("clients go on");
            let client = who & !TIMES_OUT;
            if self.current[client as usize] != n {
                continue;
            }
            answered += 1;
            self.request(now, client);
            self.most_pending = self.most_pending.max(self.heap.len());
        }
        requests
    }
}

#[derive(Clone, Copy)]
enum Event {
    Answer { client: u32, n: u64 },
    Deadlines,
}

/// The same on the kernel.
struct WithDeadlines {
    agenda: Agenda<Event>,
    deadlines: Deadlines<(u32, u64)>,
    current: Vec<u64>,
    key: StreamKey,
    most_pending: usize,
}

impl WithDeadlines {
    fn new() -> WithDeadlines {
        let mut all = WithDeadlines {
            agenda: Agenda::default(),
            deadlines: Deadlines::new(TIMEOUT),
            current: vec![0; CLIENTS as usize],
            key: StreamKey::of_seed(1).child("requests"),
            most_pending: 0,
        };
        for client in 0..CLIENTS as u32 {
            all.request(client);
        }
        all
    }

    fn request(&mut self, client: u32) {
        let current = &mut self.current[client as usize];
        *current += 1;
        let n = *current;
        self.agenda.after(takes(self.key, client.into(), n), Event::Answer { client, n });
        let waits = |(client, n): (u32, u64)| self.current[client as usize] == n;
        if let Some(due) = self.deadlines.begin(self.agenda.now(), (client, n), waits) {
            self.agenda.at(due, Event::Deadlines);
        }
    }

    fn run(&mut self, requests: u64) -> u64 {
        let mut answered = 0;
        while answered < requests {
            match self.agenda.next(SimTime::NEVER).expect("clients go on") {
                Event::Answer { client, n } => {
                    if self.current[client as usize] == n {
                        answered += 1;
                        self.request(client);
                    }
                }
                Event::Deadlines => answered += self.time_out(),
            }
            self.most_pending = self.most_pending.max(self.agenda.pending());
        }
        requests
    }

    fn time_out(&mut self) -> u64 {
        let mut overdue = 0;
        loop {
            let current = &self.current;
            match self.deadlines.next(self.agenda.now(), |(client, n)| current[client as usize] == n) {
                Due::Overdue((client, _)) => {
                    overdue += 1;
                    self.request(client);
                }
                Due::Later(due) => {
                    self.agenda.at(due, Event::Deadlines);
                    return overdue;
                }
                Due::Nothing => return overdue,
            }
        }
    }
}
