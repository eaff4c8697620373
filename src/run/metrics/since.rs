//! A metric from a step on: of the interactions that arrive once the step is published, and of what belongs to none since
//! then. Where the step never comes there is no value.

use super::{Measure, Report};
use crate::models::estate::{Estate, JourneyId};
use crate::models::observation::{Kind, Observation, Observed};
use crate::models::own_metric::OwnMetric;
use crate::units::SimTime;
use std::collections::BTreeSet;

pub struct Since {
    measure: Box<dyn Measure>,
    /// The name of what it measures over a whole run, and its own.
    base: String,
    name: String,
    /// Rollout and step.
    step: (u16, u16),
    interests: Vec<Kind>,
    /// What the measure itself is shown.
    shown: [bool; Kind::COUNT],
    open: bool,
    /// Interactions that arrived before and are not over: they do not count.
    earlier: BTreeSet<(JourneyId, u64, u32)>,
}

impl Since {
    pub fn new(measure: Box<dyn Measure>, metric: &OwnMetric, step: (u16, u16), estate: &Estate) -> Since {
        let mut shown = [false; Kind::COUNT];
        measure.interests().iter().for_each(|kind| shown[*kind as usize] = true);
        let own = [Kind::Stepped, Kind::Arrived, Kind::Closed];
        let interests = Kind::ALL.into_iter().filter(|kind| shown[*kind as usize] || own.contains(kind)).collect();
        let (base, name) = (metric.of.name(estate), metric.name.clone());
        Since { measure, base, name, step, interests, shown, open: false, earlier: BTreeSet::new() }
    }
}

impl Measure for Since {
    fn interests(&self) -> &[Kind] {
        &self.interests
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        let of = observed.what.interaction().map(|interaction| interaction.key());
        if self.open {
            let counts = of.is_none_or(|key| !self.earlier.contains(&key));
            if counts && self.shown[observed.what.kind() as usize] {
                self.measure.observe(observed, estate);
            }
        } else if let Observation::Stepped { rollout, step, .. } = observed.what {
            self.open = (rollout, step) == self.step;
        } else if let (Observation::Arrived { .. }, Some(key)) = (&observed.what, of) {
            self.earlier.insert(key);
        }
        if let (Observation::Closed { .. }, Some(key)) = (&observed.what, of) {
            self.earlier.remove(&key);
        }
    }

    fn finish(&mut self, end: SimTime, estate: &Estate, report: &mut Report) {
        if !self.open {
            return;
        }
        let mut whole = Report::default();
        self.measure.finish(end, estate, &mut whole);
        let found = whole.values.iter().find(|value| value.name == self.base);
        report.own(&self.name, found.map(|value| value.value));
    }
}
