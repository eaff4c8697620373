//! What gates and alerts measure: answers in a window that slides in slices, and lags as they are.

use super::estate::{Estate, JourneyId, RegionId};
use super::guard::{Against, BoundId, Bounded, Compared, GaugeSpec, Measured, Side, Statistic};
use super::observation::{Failure, Outcome, Shadowed};
use super::world::World;
use crate::kernel::Histogram;
use crate::rollout::{FeatureId, StageId};
use crate::units::{SimDuration, SimTime};

/// A window consists of so many slices: its ends are sharp to a tenth of it.
const SLICES: u64 = 10;

/// Which rollouts' features an interaction has met, a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    asked: u64,
    treated: u64,
}

impl Trail {
    /// Rollouts beyond this many cannot be compared with a control.
    pub const ROLLOUTS: usize = 64;

    fn is_of(self, side: Side) -> bool {
        match side {
            Side::Everybody => true,
            Side::Treated(rollout) => self.treated >> rollout & 1 == 1,
            Side::Control(rollout) => (self.asked & !self.treated) >> rollout & 1 == 1,
        }
    }
}

/// Who has an answer, as far as gauges ask.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    pub journey: JourneyId,
    pub region: RegionId,
    pub trail: Trail,
}

/// One measure over time.
#[derive(Clone, Debug)]
pub struct Gauge {
    width: u64,
    slices: Vec<Slice>,
}

#[derive(Clone, Debug, Default)]
struct Slice {
    /// Which slice of time this is; anything else in its place is older.
    ordinal: u64,
    finished: u64,
    failed: u64,
    rejected: u64,
    latency: Option<Box<Histogram>>,
}

/// A value and the answers it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    pub value: f64,
    pub answers: u64,
}

impl Gauge {
    pub fn new(spec: &GaugeSpec) -> Gauge {
        let width = (spec.window.nanos() / SLICES).max(1);
        let kept = SLICES + spec.delay.nanos().div_ceil(width) + 1;
        Gauge { width, slices: vec![Slice::default(); kept as usize] }
    }

    fn record(&mut self, at: SimTime, outcome: Outcome, latency: Option<SimDuration>) {
        let ordinal = at.nanos() / self.width;
        let kept = self.slices.len() as u64;
        let slice = &mut self.slices[(ordinal % kept) as usize];
        if slice.ordinal != ordinal {
            (slice.ordinal, slice.finished, slice.failed, slice.rejected) = (ordinal, 0, 0, 0);
            slice.latency.iter_mut().for_each(|histogram| histogram.clear());
        }
        slice.finished += 1;
        match outcome {
            Outcome::Succeeded => {}
            Outcome::Rejected(_) => slice.rejected += 1,
            Outcome::Failed(_) => slice.failed += 1,
        }
        if let Some(latency) = latency {
            slice.latency.get_or_insert_default().record(latency);
        }
    }

    /// The window that ended `delay` before `now`; `None` where nobody was answered in it.
    fn read(&self, spec: &GaugeSpec, now: SimTime) -> Option<Reading> {
        let end = now.nanos().saturating_sub(spec.delay.nanos()) / self.width;
        let kept = self.slices.len() as u64;
        let within = (end.saturating_sub(SLICES)..end)
            .map(|ordinal| (ordinal, &self.slices[(ordinal % kept) as usize]))
            .filter(|(ordinal, slice)| slice.ordinal == *ordinal)
            .map(|(_, slice)| slice);
        let (mut finished, mut failed, mut rejected) = (0, 0, 0);
        let mut latency: Option<Histogram> = None;
        for slice in within {
            finished += slice.finished;
            failed += slice.failed;
            rejected += slice.rejected;
            if let Some(of_slice) = &slice.latency {
                latency.get_or_insert_default().merge(of_slice);
            }
        }
        if finished == 0 && spec.statistic != Statistic::Count {
            return None;
        }
        let share = |part: u64| part as f64 / finished as f64;
        let value = match spec.statistic {
            Statistic::ErrorRate | Statistic::ShadowMismatch => share(failed),
            Statistic::SuccessRate => 1.0 - share(failed),
            Statistic::RejectRate => share(rejected),
            Statistic::Latency(quantile) => latency?.quantile(quantile)?.as_secs_f64(),
            Statistic::Count => finished as f64,
        };
        Some(Reading { value, answers: finished })
    }
}

impl World {
    /// An interaction has met a stage of a feature.
    pub(super) fn leave_trail(estate: &Estate, trail: &mut Trail, feature: FeatureId, stage: StageId) {
        for (index, rollout) in estate.rollouts.iter().enumerate().take(Trail::ROLLOUTS) {
            if rollout.feature == feature {
                trail.asked |= 1 << index;
                trail.treated |= u64::from(stage != estate.features[feature].initial_stage) << index;
            }
        }
    }

    /// A customer has an answer.
    pub(super) fn gauge_answer(&mut self, estate: &Estate, of: Answered, outcome: Outcome, latency: SimDuration) {
        let now = self.cx.now();
        for (spec, gauge) in estate.gauges.iter().zip(&mut self.gauges) {
            let counts = spec.statistic != Statistic::ShadowMismatch
                && spec.journey.is_none_or(|journey| journey == of.journey)
                && spec.region.is_none_or(|region| region == of.region)
                && of.trail.is_of(spec.side);
            if counts {
                let latency = matches!(spec.statistic, Statistic::Latency(_)).then_some(latency);
                gauge.record(now, outcome, latency);
            }
        }
    }

    /// A shadow was compared.
    pub(super) fn gauge_comparison(&mut self, estate: &Estate, shadowed: Shadowed) {
        let now = self.cx.now();
        for (spec, gauge) in estate.gauges.iter().zip(&mut self.gauges) {
            if spec.statistic == Statistic::ShadowMismatch {
                let differs = shadowed != Shadowed::Agreed;
                gauge.record(now, if differs { Outcome::Failed(Failure::Error) } else { Outcome::Succeeded }, None);
            }
        }
    }

    fn measure(&self, estate: &Estate, measured: Measured) -> Option<Reading> {
        match measured {
            Measured::Gauge(gauge) => {
                let index = usize::from(gauge);
                self.gauges[index].read(&estate.gauges[index], self.cx.now())
            }
            Measured::Lag(group) => {
                let committed = &self.groups[group.index()].committed;
                let log = &self.logs[estate.groups[group].topic.index()];
                let behind = log.partitions.iter().zip(committed).map(|(of, committed)| of.end() - committed);
                Some(Reading { value: behind.sum::<u64>() as f64, answers: u64::MAX })
            }
            Measured::Variance(job) => {
                let value = self.reconciliations[job as usize].latest?;
                Some(Reading { value, answers: u64::MAX })
            }
            Measured::Exceptions(job) => {
                let value = self.reconciliations[job as usize].backlog as f64;
                Some(Reading { value, answers: u64::MAX })
            }
        }
    }

    /// The measure of a bound as it is now, to compare with later.
    pub(super) fn reference(&self, estate: &Estate, bound: BoundId) -> Option<f64> {
        self.measure(estate, estate.bounds[usize::from(bound)].measured).map(|reading| reading.value)
    }

    /// What is compared with the bound's limit; `None` where there is too little data.
    pub(super) fn value_of(&self, estate: &Estate, bound: &Bounded, before: Option<f64>) -> Option<f64> {
        let enough = |reading: &Reading| reading.answers >= bound.least;
        let reading = self.measure(estate, bound.measured).filter(enough)?;
        if bound.compared == Compared::Absolute {
            return Some(reading.value);
        }
        let reference = match bound.against {
            Against::Control(control) => self.measure(estate, control).filter(enough)?.value,
            Against::Before => before?,
        };
        match bound.compared {
            Compared::Absolute => Some(reading.value),
            Compared::Delta => Some(reading.value - reference),
            // Nothing over nothing is no worse than before.
            Compared::Ratio if reference == 0.0 && reading.value == 0.0 => Some(1.0),
            Compared::Ratio => Some(reading.value / reference),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(statistic: Statistic, delay: u64) -> GaugeSpec {
        let (window, delay) = (SimDuration::from_secs(10), SimDuration::from_secs(delay));
        GaugeSpec { statistic, side: Side::Everybody, journey: None, region: None, window, delay }
    }

    fn at(secs: u64) -> SimTime {
        SimTime::from(SimDuration::from_secs(secs))
    }

    #[test]
    fn a_window_holds_what_it_should_and_forgets_the_rest() {
        let spec = spec(Statistic::ErrorRate, 0);
        let mut gauge = Gauge::new(&spec);
        assert_eq!(gauge.read(&spec, at(5)), None);
        for second in 0..60 {
            let outcome = if second < 30 { Outcome::Failed(Failure::Error) } else { Outcome::Succeeded };
            gauge.record(at(second), outcome, None);
        }
        assert_eq!(gauge.read(&spec, at(60)), Some(Reading { value: 0.0, answers: 10 }));
        assert_eq!(gauge.read(&spec, at(90)), None);
    }

    #[test]
    fn what_is_scraped_late_is_seen_late() {
        let spec = spec(Statistic::ErrorRate, 20);
        let mut gauge = Gauge::new(&spec);
        let mut seen = Vec::new();
        for second in 0..60 {
            let outcome = if second < 30 { Outcome::Succeeded } else { Outcome::Failed(Failure::Error) };
            gauge.record(at(second), outcome, None);
            if let Some(reading) = gauge.read(&spec, at(second + 1)) {
                seen.push((second + 1, reading.value));
            }
        }
        let first_bad = seen.iter().find(|(_, value)| *value > 0.0).map(|(second, _)| *second);
        assert_eq!(first_bad, Some(51));
    }

    #[test]
    fn the_quantile_is_that_of_the_window() {
        let spec = spec(Statistic::Latency(0.5), 0);
        let mut gauge = Gauge::new(&spec);
        for second in 0..40 {
            let latency = SimDuration::from_millis(if second < 30 { 900 } else { 100 });
            gauge.record(at(second), Outcome::Succeeded, Some(latency));
        }
        let median = gauge.read(&spec, at(40)).expect("there were answers").value;
        assert!((median - 0.1).abs() < 0.002, "{median}");
    }

    #[test]
    fn an_interaction_is_treated_once_it_has_met_the_new_stage_and_control_only_without() {
        let mut trail = Trail::default();
        assert!(!trail.is_of(Side::Control(3)) && !trail.is_of(Side::Treated(3)));
        trail.asked |= 1 << 3;
        assert!(trail.is_of(Side::Control(3)));
        trail.treated |= 1 << 3;
        assert!(trail.is_of(Side::Treated(3)) && !trail.is_of(Side::Control(3)));
        assert!(!trail.is_of(Side::Treated(2)) && trail.is_of(Side::Everybody));
    }
}
