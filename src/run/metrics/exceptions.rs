//! What reconciliations put aside for people: how much, and how far these are behind.

use super::{Measure, Report};
use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed};
use crate::units::SimTime;

#[derive(Debug)]
pub struct Exceptions {
    /// Whether any job puts anything aside.
    active: bool,
    /// By job: what waits.
    backlog: Vec<u64>,
    parked: u64,
    most: u64,
}

impl Exceptions {
    pub fn new(estate: &Estate) -> Exceptions {
        let active = estate.reconciliations.iter().any(|job| job.exceptions.is_some());
        Exceptions { active, backlog: vec![0; estate.reconciliations.len()], parked: 0, most: 0 }
    }

    fn waiting(&self) -> u64 {
        self.backlog.iter().sum()
    }
}

impl Measure for Exceptions {
    fn interests(&self) -> &'static [Kind] {
        if self.active { &[Kind::Exceptions] } else { &[] }
    }

    fn observe(&mut self, observed: &Observed, _: &Estate) {
        if let Observation::Exceptions { job, parked, backlog, .. } = observed.what {
            self.parked += parked;
            self.backlog[job as usize] = backlog;
            self.most = self.most.max(self.waiting());
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, report: &mut Report) {
        if self.active {
            report.count("exceptions.count", self.parked);
            report.count("exceptions_backlog.max", self.most);
            report.count("exceptions_backlog.end", self.waiting());
        }
    }
}
