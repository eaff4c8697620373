//! What consumers are handed, what they make of it, and who is put out of a group.

use super::{Measure, Report};
use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed};
use crate::units::SimTime;

#[derive(Debug)]
pub struct Deliveries {
    /// Whether anybody consumes.
    active: bool,
    deliveries: u64,
    redeliveries: u64,
    misread: u64,
    parked: u64,
    evictions: u64,
    first_eviction: Option<SimTime>,
}

impl Deliveries {
    pub fn new(estate: &Estate) -> Deliveries {
        let active = !estate.groups.is_empty();
        Deliveries { active, deliveries: 0, redeliveries: 0, misread: 0, parked: 0, evictions: 0, first_eviction: None }
    }
}

impl Measure for Deliveries {
    fn interests(&self) -> &'static [Kind] {
        if self.active { &[Kind::Delivered, Kind::Parked, Kind::Evicted] } else { &[] }
    }

    fn observe(&mut self, observed: &Observed, _: &Estate) {
        if let Observation::Delivered(delivered) = &observed.what {
            self.deliveries += 1;
            self.redeliveries += u64::from(delivered.redelivery > 0);
            let misread = delivered.handled_as.is_some_and(|version| version != delivered.produced_version);
            self.misread += u64::from(misread);
        } else if let Observation::Parked { .. } = &observed.what {
            self.parked += 1;
        } else if let Observation::Evicted { .. } = &observed.what {
            self.evictions += 1;
            self.first_eviction.get_or_insert(observed.at);
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, report: &mut Report) {
        if !self.active {
            return;
        }
        report.count("deliveries.count", self.deliveries);
        report.count("redeliveries.count", self.redeliveries);
        report.share("redelivery_rate", self.redeliveries, self.deliveries);
        report.count("evictions.count", self.evictions);
        report.value("first_eviction", self.first_eviction.map(SimTime::as_secs_f64));
        report.count("parked.count", self.parked);
        report.count("misread_events.count", self.misread);
    }
}
