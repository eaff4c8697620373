//! Who is on: the cohorts that decisions show.

use crate::models::estate::Estate;
use crate::models::observation::{Decided, Kind, Observation, Observed};
use crate::units::SimTime;
use crate::validation::Probe;
use std::collections::{BTreeMap, BTreeSet};

/// Pearson's χ² of the users of each journey over the stages of its feature, which split them evenly: one sample per
/// journey, each with a feature and so a salt of its own. A user counts once.
#[derive(Default)]
pub struct Bins {
    users: Users,
    counted: BTreeSet<(usize, u64)>,
    /// Per journey, users by stage.
    found: Vec<Vec<u64>>,
}

/// The user of each interaction under way.
#[derive(Default)]
struct Users(BTreeMap<(usize, u64), u64>);

impl Users {
    fn observe(&mut self, observation: &Observation) {
        if let Observation::Arrived { interaction, user, .. } = observation {
            self.0.insert((interaction.journey.index(), interaction.n), *user);
        }
    }

    fn of(&mut self, decided: &Decided) -> u64 {
        let key = (decided.interaction.journey.index(), decided.interaction.n);
        self.0.remove(&key).expect("who decides has arrived, and decides once")
    }
}

impl Bins {
    pub fn of_stages() -> Box<dyn Probe> {
        Box::<Bins>::default()
    }
}

impl Probe for Bins {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::Arrived, Kind::Decided]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        self.users.observe(&observed.what);
        if let Observation::Decided(decided) = observed.what {
            let (journey, user) = (decided.interaction.journey.index(), self.users.of(&decided));
            if self.counted.insert((journey, user)) {
                let stages = estate.features[decided.feature].stages.len();
                self.found.resize(estate.journeys.len(), vec![0; stages]);
                self.found[journey][decided.stage.index()] += 1;
            }
        }
    }

    fn samples(&mut self, _end: SimTime, _estate: &Estate) -> Vec<f64> {
        let chi_square = |found: &Vec<u64>| {
            let expected = found.iter().sum::<u64>() as f64 / found.len() as f64;
            let parts = found.iter().map(|found| (*found as f64 - expected) * (*found as f64 - expected));
            parts.sum::<f64>() / expected
        };
        self.found.iter().map(chi_square).collect()
    }
}

/// One sample per journey: how often one of its users was on and then off.
#[derive(Default)]
pub struct Flaps {
    users: Users,
    on: BTreeSet<(usize, u64)>,
    flaps: Vec<f64>,
}

impl Flaps {
    pub fn counted() -> Box<dyn Probe> {
        Box::<Flaps>::default()
    }
}

impl Probe for Flaps {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::Arrived, Kind::Decided]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        self.flaps.resize(estate.journeys.len(), 0.0);
        self.users.observe(&observed.what);
        if let Observation::Decided(decided) = observed.what {
            let journey = decided.interaction.journey.index();
            let user = (journey, self.users.of(&decided));
            if decided.stage.index() > 0 {
                self.on.insert(user);
            } else if self.on.remove(&user) {
                self.flaps[journey] += 1.0;
            }
        }
    }

    fn samples(&mut self, _end: SimTime, _estate: &Estate) -> Vec<f64> {
        std::mem::take(&mut self.flaps)
    }
}

/// One sample per interaction in which two decisions are taken, of users that hardly ever come twice: 1 where they are
/// as the law says, else 0.
pub struct Pairs {
    first: BTreeMap<u64, bool>,
    of: fn(bool, bool) -> bool,
    samples: Vec<f64>,
}

impl Pairs {
    /// Whether a pair counts, from the first and the second decision being on.
    pub fn where_both(of: fn(bool, bool) -> bool) -> Box<dyn Probe> {
        Box::new(Pairs { first: BTreeMap::new(), of, samples: Vec::new() })
    }
}

impl Probe for Pairs {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::Decided]
    }

    fn observe(&mut self, observed: &Observed, _estate: &Estate) {
        if let Observation::Decided(decided) = observed.what {
            let (n, on) = (decided.interaction.n, decided.stage.index() > 0);
            match self.first.remove(&n) {
                Some(first) => self.samples.push(f64::from((self.of)(first, on))),
                None => {
                    self.first.insert(n, on);
                }
            }
        }
    }

    fn samples(&mut self, _end: SimTime, _estate: &Estate) -> Vec<f64> {
        assert!(self.first.is_empty(), "decisions come in pairs");
        std::mem::take(&mut self.samples)
    }
}

/// One sample per journey, each with a feature and so a salt of its own: the share of its first `requests` requests
/// that are on.
pub struct Shares {
    requests: u64,
    decided: u64,
    on: Vec<u64>,
}

impl Shares {
    pub fn of_first(requests: u64) -> Box<dyn Probe> {
        Box::new(Shares { requests, decided: 0, on: Vec::new() })
    }
}

impl Probe for Shares {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::Decided]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        if let Observation::Decided(decided) = observed.what
            && decided.interaction.n < self.requests
        {
            self.on.resize(estate.journeys.len(), 0);
            self.decided += 1;
            self.on[decided.interaction.journey.index()] += u64::from(decided.stage.index() > 0);
        }
    }

    fn samples(&mut self, _end: SimTime, estate: &Estate) -> Vec<f64> {
        let wanted = self.requests * estate.journeys.len() as u64;
        assert_eq!(self.decided, wanted, "the run is long enough for all requests that count");
        self.on.iter().map(|on| *on as f64 / self.requests as f64).collect()
    }
}
