//! What a file has names of its own for: the variance of one job, the good ends of one entity; and all that counts from a
//! step on.

use super::since::Since;
use super::{Measure, Report, answers, calls, decisions, migration, variance};
use crate::models::estate::{EntityId, Estate, JourneyId};
use crate::models::metric::Metric;
use crate::models::observation::{Kind, Observation, Observed};
use crate::models::own_metric::Own;
use crate::units::SimTime;
use std::collections::BTreeMap;

/// Everything that measures what the estate has of its own.
pub fn all(estate: &Estate) -> impl Iterator<Item = Box<dyn Measure>> {
    estate.own_metrics.iter().map(|metric| {
        let measure: Box<dyn Measure> = match metric.of {
            Own::Known(known) => concern_of(known, estate),
            Own::Variance { job } => Box::new(Variance { job, compared: 0, off: 0 }),
            Own::Success { entity } => Box::new(Success::new(entity, estate)),
        };
        match metric.since {
            Some(step) => Box::new(Since::new(measure, metric, step, estate)),
            None => measure,
        }
    })
}

/// What measures a metric of the catalogue that can be measured from a step on.
fn concern_of(known: &'static Metric, estate: &Estate) -> Box<dyn Measure> {
    match known.name {
        "attempts_per_call" => Box::new(calls::Calls::default()),
        "mixed_interactions.count"
        | "mixed_interactions.share"
        | "fallback_rate"
        | "staleness.p50"
        | "staleness.p99"
        | "staleness.max" => Box::new(decisions::Decisions::default()),
        "shadow_mismatch" => Box::new(migration::Migration::default()),
        "reconciliation_variance" => Box::new(variance::Variance::new(estate)),
        _ => Box::new(answers::Answers::default()),
    }
}

/// The variance that one job found.
#[derive(Debug)]
struct Variance {
    job: u32,
    compared: u64,
    off: u64,
}

impl Measure for Variance {
    fn interests(&self) -> &'static [Kind] {
        &[Kind::Reconciled]
    }

    fn observe(&mut self, observed: &Observed, _: &Estate) {
        if let Observation::Reconciled { job, compared, missing, differing } = observed.what
            && job == self.job
        {
            self.compared += compared;
            self.off += missing + differing;
        }
    }

    fn finish(&mut self, _: SimTime, estate: &Estate, report: &mut Report) {
        let name = Own::Variance { job: self.job }.name(estate);
        report.own(&name, (self.compared > 0).then(|| self.off as f64 / self.compared as f64));
    }
}

/// How many of the interactions that begin an entity bring it to a good end, by themselves or later.
#[derive(Debug)]
struct Success {
    entity: EntityId,
    /// The journeys that begin one.
    begin: Vec<JourneyId>,
    /// Those that may still come to an end, and whether anything has become of them yet. What fails without a trace
    /// leaves this with its interaction.
    open: BTreeMap<(JourneyId, u64), bool>,
    begun: u64,
    succeeded: u64,
}

impl Success {
    fn new(entity: EntityId, estate: &Estate) -> Success {
        let journeys = estate.journeys.enumerate();
        let begin = journeys.filter(|(_, journey)| journey.entity == Some(entity) && journey.follows.is_none());
        let begin = begin.map(|(id, _)| id).collect();
        Success { entity, begin, open: BTreeMap::new(), begun: 0, succeeded: 0 }
    }
}

impl Measure for Success {
    fn interests(&self) -> &'static [Kind] {
        &[Kind::Arrived, Kind::Status, Kind::Closed]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        if let Observation::Arrived { interaction, .. } = &observed.what {
            if interaction.replay == 0 && self.begin.contains(&interaction.journey) {
                self.begun += 1;
                self.open.insert((interaction.journey, interaction.n), false);
            }
        } else if let Observation::Status { interaction, entity, to, .. } = &observed.what {
            let key = interaction.creator(estate).unwrap_or((interaction.journey, interaction.n));
            let Some(touched) = self.open.get_mut(&key).filter(|_| *entity == self.entity) else { return };
            *touched = true;
            let kind = &estate.entities[self.entity];
            if kind.finals.contains(to) && !kind.void.contains(to) {
                self.open.remove(&key);
                self.succeeded += 1;
            }
        } else if let Observation::Closed { interaction, .. } = &observed.what {
            let key = (interaction.journey, interaction.n);
            if interaction.replay == 0 && self.open.get(&key) == Some(&false) {
                self.open.remove(&key);
            }
        }
    }

    fn finish(&mut self, _: SimTime, estate: &Estate, report: &mut Report) {
        let name = Own::Success { entity: self.entity }.name(estate);
        report.own(&name, (self.begun > 0).then(|| self.succeeded as f64 / self.begun as f64));
    }
}
