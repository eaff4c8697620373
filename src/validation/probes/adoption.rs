//! When each replica adopts the version that the last step publishes.

use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed, Publication};
use crate::units::SimTime;
use crate::validation::Probe;

/// From the delays of a group to its sample.
type Sample = Box<dyn Fn(&[f64]) -> f64>;

/// One sample per group of replicas: a function of the seconds from publication to each one's adoption (infinite:
/// never).
pub struct Adoption {
    published: Option<SimTime>,
    /// Per replica, seconds from publication.
    delays: Vec<f64>,
    group: usize,
    sample: Sample,
}

impl Adoption {
    /// Samples of `sample(delays)` over groups of so many replicas that share nothing.
    pub fn of_groups(group: f64, sample: impl Fn(&[f64]) -> f64 + 'static) -> Box<dyn Probe> {
        Box::new(Adoption { published: None, delays: Vec::new(), group: group as usize, sample: Box::new(sample) })
    }

    /// Samples of `sample(delay)` of each replica.
    pub fn of_each(sample: impl Fn(f64) -> f64 + 'static) -> Box<dyn Probe> {
        Adoption::of_groups(1.0, move |delays| sample(delays[0]))
    }

    /// 1 where the replica does not hold the version at this age.
    pub fn stale_at(age: f64) -> Box<dyn Probe> {
        Adoption::of_each(move |delay| f64::from(delay > age))
    }

    /// 1 where some of the group hold the version at this age and some do not.
    pub fn divided_at(age: f64, group: f64) -> Box<dyn Probe> {
        Adoption::of_groups(group, move |delays| {
            let stale = delays.iter().filter(|delay| **delay > age).count();
            f64::from(stale > 0 && stale < delays.len())
        })
    }

    /// The seconds until the whole group holds the version.
    pub fn last_of(group: f64) -> Box<dyn Probe> {
        Adoption::of_groups(group, |delays| delays.iter().copied().fold(0.0, f64::max))
    }
}

impl Probe for Adoption {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::PolicyPublished, Kind::PolicyApplied]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        if let Observation::PolicyPublished { publication, .. } = observed.what
            && publication != Publication::Initial
        {
            self.published = Some(observed.at);
            self.delays = vec![f64::INFINITY; estate.replicas.len()];
        } else if let Observation::PolicyApplied { replica, .. } = observed.what
            && let (Some(published), Some(delay)) = (self.published, self.delays.get_mut(replica.index()))
        {
            *delay = delay.min(observed.at.since(published).as_secs_f64());
        }
    }

    fn samples(&mut self, _end: SimTime, _estate: &Estate) -> Vec<f64> {
        self.delays.chunks_exact(self.group).map(|delays| (self.sample)(delays)).collect()
    }
}
