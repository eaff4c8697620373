//! How far the last publication has come.

use super::{Measure, Report};
use crate::invariants::Fleet;
use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed, Publication};
use crate::rollout::PolicyVersion;
use crate::units::{SimDuration, SimTime};

#[derive(Debug)]
pub struct Convergence {
    fleet: Fleet,
    published: Option<(PolicyVersion, SimTime)>,
    full: Option<SimTime>,
    /// When the first replica came to hold it, and how much later the last one did, at most.
    first: Option<SimTime>,
    divergence: Option<SimDuration>,
}

impl Convergence {
    pub fn new(estate: &Estate) -> Convergence {
        Convergence { fleet: Fleet::new(estate), published: None, full: None, first: None, divergence: None }
    }

    /// Whether everybody holds what was published, for the first time.
    fn look(&mut self, now: SimTime) {
        if let (Some((version, _)), None) = (self.published, self.full)
            && self.fleet.all_hold(version)
        {
            self.full = Some(now);
            self.divergence = self.divergence.max(self.first.map(|first| now.since(first)));
        }
    }
}

impl Measure for Convergence {
    fn interests(&self) -> &'static [Kind] {
        &[Kind::PolicyPublished, Kind::PolicyApplied, Kind::PolicyLost, Kind::Crashed, Kind::Restarted]
    }

    fn observe(&mut self, observed: &Observed, _: &Estate) {
        if let Observation::PolicyPublished { version, publication, .. } = &observed.what {
            if *publication != Publication::Initial {
                self.published = Some((*version, observed.at));
                self.full = None;
                self.first = None;
                self.look(observed.at);
            }
        } else if self.fleet.observe(&observed.what) {
            if let (Observation::PolicyApplied { version, .. }, Some((published, _))) = (&observed.what, self.published)
                && *version == published
            {
                self.first.get_or_insert(observed.at);
            }
            self.look(observed.at);
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, report: &mut Report) {
        report.secs("divergence_window.max", self.divergence);
        let times = self.published.zip(self.full);
        report.secs("time_to_full", times.map(|((_, published), full)| full.since(published)));
    }
}
