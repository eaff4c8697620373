//! What a rollout exposes until its defect is seen, and after.

use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed, Outcome};
use crate::units::SimTime;
use crate::validation::Probe;
use std::collections::BTreeSet;

/// One sample per journey, each watched for itself: it is detected at the n-th failure of a request that was exposed,
/// that is, decided on. The rollout goes on.
pub struct Detection {
    needed: u64,
    of: Sought,
    begun: f64,
    watched: Vec<Watched>,
}

#[derive(Clone, Copy, Debug)]
enum Sought {
    Exposures,
    Seconds,
    /// Exposures in so many seconds after detection.
    ExposuresAfter(f64),
}

#[derive(Clone, Copy, Debug, Default)]
struct Watched {
    exposed: u64,
    failed: u64,
    detected_at: Option<f64>,
    after: u64,
}

impl Detection {
    fn of(needed: f64, begun: f64, of: Sought) -> Box<dyn Probe> {
        Box::new(Detection { needed: needed as u64, of, begun, watched: Vec::new() })
    }

    /// Samples of exposures up to the failure that is the detection.
    pub fn exposures(needed: f64) -> Box<dyn Probe> {
        Detection::of(needed, 0.0, Sought::Exposures)
    }

    /// Samples of the seconds until detection, of a ramp begun at this second.
    pub fn seconds(needed: f64, begun: f64) -> Box<dyn Probe> {
        Detection::of(needed, begun, Sought::Seconds)
    }

    /// Samples of exposures in the `latency` seconds after detection.
    pub fn exposures_during_kill(needed: f64, latency: f64) -> Box<dyn Probe> {
        Detection::of(needed, 0.0, Sought::ExposuresAfter(latency))
    }
}

impl Probe for Detection {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::Decided, Kind::Finished]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        self.watched.resize(estate.journeys.len(), Watched::default());
        let now = observed.at.as_secs_f64();
        if let Observation::Decided(decided) = observed.what
            && decided.stage.index() > 0
        {
            let watched = &mut self.watched[decided.interaction.journey.index()];
            match (watched.detected_at, self.of) {
                (None, _) => watched.exposed += 1,
                (Some(at), Sought::ExposuresAfter(latency)) => watched.after += u64::from(now - at <= latency),
                (Some(_), Sought::Exposures | Sought::Seconds) => {}
            }
        } else if let Observation::Finished { interaction, outcome: Outcome::Failed(_), .. } = observed.what {
            let watched = &mut self.watched[interaction.journey.index()];
            watched.failed += 1;
            if watched.failed == self.needed {
                watched.detected_at = Some(now);
            }
        }
    }

    fn samples(&mut self, end: SimTime, _estate: &Estate) -> Vec<f64> {
        let sample = |watched: &Watched| {
            let at = watched.detected_at.expect("the run goes on until every journey is detected");
            match self.of {
                Sought::Exposures => watched.exposed as f64,
                Sought::Seconds => at - self.begun,
                Sought::ExposuresAfter(latency) => {
                    assert!(at + latency <= end.as_secs_f64(), "the run goes on until the kill is done");
                    watched.after as f64
                }
            }
        };
        self.watched.iter().map(sample).collect()
    }
}

/// One sample per journey: distinct users among its first requests.
pub struct Distinct {
    requests: u64,
    users: Vec<BTreeSet<u64>>,
}

impl Distinct {
    pub fn among_first(requests: f64) -> Box<dyn Probe> {
        Box::new(Distinct { requests: requests as u64, users: Vec::new() })
    }
}

impl Probe for Distinct {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::Arrived]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        self.users.resize(estate.journeys.len(), BTreeSet::new());
        if let Observation::Arrived { interaction, user, .. } = observed.what
            && interaction.n < self.requests
        {
            self.users[interaction.journey.index()].insert(user);
        }
    }

    fn samples(&mut self, _end: SimTime, _estate: &Estate) -> Vec<f64> {
        self.users.iter().map(|users| users.len() as f64).collect()
    }
}
