//! What is left of a service some time after a pause.

use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed, Outcome};
use crate::units::SimTime;
use crate::validation::Probe;
use std::ops::Range;

/// One sample per journey, each with a service of its own, from what happens in a window of time.
pub struct Pauses {
    window: Range<SimTime>,
    of: fn(&Seen, f64) -> f64,
    seen: Vec<Seen>,
}

/// What a journey did in the window.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    arrived: u64,
    succeeded: u64,
    /// Calls from service to service.
    attempts: u64,
}

impl Pauses {
    /// Samples of 1 where at least half the customers of the window are served, else 0.
    pub fn recovered(window: Range<SimTime>) -> Box<dyn Probe> {
        let of = |seen: &Seen, _: f64| f64::from(2 * seen.succeeded >= seen.arrived);
        Box::new(Pauses { window, of, seen: Vec::new() })
    }

    /// Samples of attempts per second.
    pub fn attempts_per_second(window: Range<SimTime>) -> Box<dyn Probe> {
        Box::new(Pauses { window, of: |seen, seconds| seen.attempts as f64 / seconds, seen: Vec::new() })
    }
}

impl Probe for Pauses {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::Arrived, Kind::Called, Kind::Finished]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        self.seen.resize(estate.journeys.len(), Seen::default());
        if !self.window.contains(&observed.at) {
            return;
        }
        if let Observation::Arrived { interaction, .. } = observed.what {
            self.seen[interaction.journey.index()].arrived += 1;
        } else if let Observation::Called { interaction, from: Some(_), .. } = observed.what {
            self.seen[interaction.journey.index()].attempts += 1;
        } else if let Observation::Finished { interaction, outcome: Outcome::Succeeded, .. } = observed.what {
            self.seen[interaction.journey.index()].succeeded += 1;
        }
    }

    fn samples(&mut self, _end: SimTime, _estate: &Estate) -> Vec<f64> {
        let seconds = self.window.end.since(self.window.start).as_secs_f64();
        self.seen.iter().map(|seen| (self.of)(seen, seconds)).collect()
    }
}
