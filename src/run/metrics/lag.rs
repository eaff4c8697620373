//! Consumer lag, per group and partition.

use super::{Measure, Report};
use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed};
use crate::units::SimTime;

#[derive(Debug)]
pub struct Lag {
    partitions: Vec<Vec<u64>>,
    groups: Vec<u64>,
    max: u64,
    /// The greatest of all groups together when a step was published.
    at_step: Option<u64>,
}

impl Lag {
    pub fn new(estate: &Estate) -> Lag {
        let partitions = estate.groups.iter().map(|group| vec![0; estate.topics[group.topic].partitions as usize]);
        Lag { partitions: partitions.collect(), groups: vec![0; estate.groups.len()], max: 0, at_step: None }
    }

    fn set(&mut self, group: usize, partition: u32, lag: u64) {
        let known = &mut self.partitions[group][partition as usize];
        let sum = &mut self.groups[group];
        *sum = *sum - *known + lag;
        *known = lag;
        self.max = self.max.max(*sum);
    }
}

impl Measure for Lag {
    fn interests(&self) -> &'static [Kind] {
        if self.groups.is_empty() { &[] } else { &[Kind::Lag, Kind::Stepped] }
    }

    fn observe(&mut self, observed: &Observed, _: &Estate) {
        if let Observation::Lag { group, partition, end, committed } = &observed.what {
            self.set(group.index(), *partition, end.saturating_sub(*committed));
        } else if let Observation::Stepped { .. } = &observed.what {
            self.at_step = self.at_step.max(Some(self.groups.iter().sum()));
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, report: &mut Report) {
        if !self.groups.is_empty() {
            report.count("lag.max", self.max);
            report.count("lag.end", self.groups.iter().sum());
            report.value("lag_at_step.max", self.at_step.map(|lag| lag as f64));
        }
    }
}
