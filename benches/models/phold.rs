//! PHOLD (Fujimoto 1990): as many events pending as there are processes; each event is answered by one more, after an
//! exponential delay of mean 1 ms, at a process chosen at random.

use super::Kernel;
use windtunnel::kernel::{Distribution, StreamKey};
use windtunnel::units::SimDuration;

pub const MEAN: SimDuration = SimDuration::from_millis(1);

/// What moves in the model: a job that visits one process after the other.
#[derive(Clone, Copy)]
pub enum Event {
    Visit { process: u32 },
}

impl Event {
    fn words(self) -> (u64, u64) {
        match self {
            Event::Visit { process } => (1, process.into()),
        }
    }
}

/// PHOLD with all that a run does for every event: the clock, the digest of events and of draws, draws addressed by
/// the process and its visit, typed events and a dispatch.
pub struct Phold {
    kernel: Kernel<Event>,
    key: StreamKey,
    delay: Distribution,
    /// Visits so far, by process: all that a stream needs to remember.
    visits: Vec<u64>,
}

impl Phold {
    pub fn new(population: u64, seed: u64) -> Phold {
        let mut phold = Phold {
            kernel: Kernel::default(),
            key: StreamKey::of_seed(seed).child("phold"),
            delay: Distribution::Exponential { mean: MEAN },
            visits: vec![0; population as usize],
        };
        for process in 0..population as u32 {
            phold.send(process, process);
        }
        phold
    }

    pub fn pending(&self) -> usize {
        self.kernel.agenda.pending()
    }

    /// Dispatches so many events, and says how many it were.
    pub fn run(&mut self, events: u64) -> u64 {
        let before = self.kernel.agenda.dispatched();
        while self.kernel.agenda.dispatched() < before + events
            && let Some(event) = self.kernel.next(Event::words)
        {
            match event {
                Event::Visit { process } => self.on_visit(process),
            }
        }
        std::hint::black_box(self.kernel.digest());
        self.kernel.agenda.dispatched() - before
    }

    fn on_visit(&mut self, process: u32) {
        let address = self.visits[process as usize] << 1 | 1;
        let word = self.kernel.draws.word(self.key, process.into(), address);
        let population = self.visits.len() as u128;
        self.send(process, ((u128::from(word) * population) >> 64) as u32);
    }

    /// The process sends its job on, after a delay.
    fn send(&mut self, from: u32, to: u32) {
        let visits = &mut self.visits[from as usize];
        let word = self.kernel.draws.word(self.key, from.into(), *visits << 1);
        *visits += 1;
        self.kernel.agenda.after(self.delay.sample(word), Event::Visit { process: to });
    }
}
