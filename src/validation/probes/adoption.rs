//! When each replica adopts the first published version.

use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed, Publication};
use crate::units::SimTime;
use crate::validation::Probe;

/// One sample per replica, a function of the seconds from publication to its adoption (infinite: never).
pub struct Adoption {
    published: Option<SimTime>,
    /// Per replica, seconds from publication.
    adopted: Vec<f64>,
    sample: Box<dyn Fn(f64) -> f64>,
}

impl Adoption {
    /// Samples of `sample(delay)`.
    pub fn of(sample: impl Fn(f64) -> f64 + 'static) -> Box<dyn Probe> {
        Box::new(Adoption { published: None, adopted: Vec::new(), sample: Box::new(sample) })
    }

    /// 1 where the replica does not hold the version at this age.
    pub fn stale_at(age: f64) -> Box<dyn Probe> {
        Adoption::of(move |delay| f64::from(delay > age))
    }
}

impl Probe for Adoption {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::PolicyPublished, Kind::PolicyApplied]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        match observed.what {
            Observation::PolicyPublished { publication, .. } if publication != Publication::Initial => {
                self.published.get_or_insert(observed.at);
                self.adopted.resize(estate.replicas.len(), f64::INFINITY);
            }
            Observation::PolicyApplied { replica, .. } => {
                if let (Some(published), Some(adopted)) = (self.published, self.adopted.get_mut(replica.index())) {
                    *adopted = adopted.min(observed.at.since(published).as_secs_f64());
                }
            }
            _ => {}
        }
    }

    fn samples(&mut self, _end: SimTime, _estate: &Estate) -> Vec<f64> {
        self.adopted.iter().map(|delay| (self.sample)(*delay)).collect()
    }
}
