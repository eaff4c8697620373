//! Work that is accepted and held: how much, for how long, and what was given up.

use super::{Measure, Report};
use crate::invariants::Histogram;
use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed};
use crate::models::program::Action;
use crate::units::SimTime;

#[derive(Debug)]
pub struct Held {
    /// Whether anything holds work.
    active: bool,
    count: u64,
    now: u64,
    most: u64,
    given_up: u64,
    lasted: Histogram,
}

impl Held {
    pub fn new(estate: &Estate) -> Held {
        let mut actions =
            estate.operations.iter().flat_map(|operation| &operation.rules).flat_map(|rule| &rule.actions);
        let active = actions.any(|action| matches!(action, Action::QueueUntil(_)));
        Held { active, count: 0, now: 0, most: 0, given_up: 0, lasted: Histogram::default() }
    }
}

impl Measure for Held {
    fn interests(&self) -> &'static [Kind] {
        if self.active { &[Kind::Held, Kind::Resumed] } else { &[] }
    }

    fn observe(&mut self, observed: &Observed, _: &Estate) {
        if let Observation::Held { .. } = observed.what {
            self.count += 1;
            self.now += 1;
            self.most = self.most.max(self.now);
        } else if let Observation::Resumed { held, given_up, .. } = observed.what {
            self.now -= 1;
            self.given_up += u64::from(given_up.is_some());
            self.lasted.record(held);
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, report: &mut Report) {
        if !self.active {
            return;
        }
        report.count("held.count", self.count);
        report.count("held.max", self.most);
        report.count("held.end", self.now);
        report.secs("held_for.p50", self.lasted.quantile(0.5));
        report.secs("held_for.max", self.lasted.max());
        report.count("given_up.count", self.given_up);
    }
}
