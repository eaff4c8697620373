//! Runs the scenario of a case until it has samples enough, and estimates what theory predicts.

use super::{Case, Effort, Estimate};
use crate::kernel::digest::hash_bytes;
use crate::models::observation::Kind;
use crate::models::world::{Course, World};
use crate::scenario::{Plan, Request, Scenario};
use crate::units::SimTime;

/// Fewer samples than this say nothing, however little they vary: the standard error would not be normal.
const LEAST_SAMPLES: usize = 200;

/// What a case measured.
#[derive(Clone)]
pub struct Measured {
    pub case: Case,
    pub theory: f64,
    /// The estimate from the samples: their mean, or their variance.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
    pub samples: usize,
    pub runs: u64,
    pub events: u64,
    /// For [`Estimate::Exactly`]: samples that are something else.
    pub unequal: usize,
}

impl Measured {
    /// Deviation from theory in standard errors; `None` where the estimate has no error of its own.
    pub fn z(&self) -> Option<f64> {
        (self.case.law.estimate != Estimate::Exactly).then(|| (self.value - self.theory) / self.error)
    }

    /// Relative deviation from theory.
    pub fn deviation(&self) -> f64 {
        if self.theory == 0.0 { self.value } else { self.value / self.theory - 1.0 }
    }

    /// The smallest relative bias that would have been seen: five standard errors.
    pub fn detectable(&self) -> f64 {
        5.0 * self.error / self.theory.abs()
    }
}

/// Measures a case. The result depends on nothing else, and no two cases share a seed.
pub fn measure(case: Case, effort: Effort) -> Measured {
    let law = case.law;
    let plan = plan(&case);
    let wanted = wanted(effort, (law.spread)(case.at));
    let first_seed = hash_bytes(case.name().as_bytes());
    let mut samples = Vec::with_capacity(wanted);
    let (mut runs, mut events) = (0, 0);
    while samples.len() < wanted {
        let before = samples.len();
        events += run(&case, &plan, first_seed.wrapping_add(runs), &mut samples);
        runs += 1;
        assert!(samples.len() > before, "{}: a run gives at least one sample", case.name());
    }
    let theory = (law.theory)(case.at);
    let (value, error) = match law.estimate {
        Estimate::Mean | Estimate::Exactly => mean_and_error(&samples),
        Estimate::Variance => variance_and_error(&samples),
    };
    let unequal = samples.iter().filter(|sample| **sample != theory).count();
    Measured { case, theory, value, error, samples: samples.len(), runs, events, unequal }
}

/// Samples for five standard errors to be the bias that must be seen.
fn wanted(effort: Effort, spread: f64) -> usize {
    let root = 5.0 * spread / effort.bias();
    ((root * root).ceil() as usize).max(LEAST_SAMPLES)
}

/// The plan of a case's scenario, read like any file.
fn plan(case: &Case) -> Plan {
    let text = (case.law.scenario)(case.at);
    let mut alone = |path: &str| Err(format!("{path}: a generated scenario names no other file"));
    let read = Scenario::read(&case.name(), text.as_bytes(), &mut alone);
    match read.and_then(|scenario| scenario.plan(&Request::default())) {
        Ok(loaded) => loaded.plan,
        Err(diagnostics) => panic!("{}: the generated scenario is wrong:\n{diagnostics}", case.name()),
    }
}

fn run(case: &Case, plan: &Plan, seed: u64, samples: &mut Vec<f64>) -> u64 {
    let estate = &*plan.estate;
    let mut probe = (case.law.probe)(case.at);
    let reads = probe.reads();
    let mut world = World::assemble(estate, seed, Course::WithRollouts, Kind::ALL.map(|kind| reads.contains(&kind)));
    let horizon = SimTime::from(estate.horizon());
    loop {
        for observed in world.cx().observations() {
            probe.observe(observed, estate);
        }
        if !world.step(estate, horizon) {
            break;
        }
    }
    samples.extend(probe.samples(horizon, estate));
    world.cx().dispatched()
}

fn mean_and_error(samples: &[f64]) -> (f64, f64) {
    let n = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / n;
    let squares = samples.iter().map(|sample| (sample - mean) * (sample - mean)).sum::<f64>();
    (mean, (squares / (n - 1.0) / n).sqrt())
}

/// The unbiased variance; its error from the fourth moment, `√((m₄ - m₂²)/n)`.
fn variance_and_error(samples: &[f64]) -> (f64, f64) {
    let n = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / n;
    let moment = |power: fn(f64) -> f64| samples.iter().map(|sample| power(sample - mean)).sum::<f64>() / n;
    let second = moment(|d| d * d);
    let fourth = moment(|d| d * d * d * d);
    (second * n / (n - 1.0), ((fourth - second * second) / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_of_a_known_set_are_those_of_the_textbook() {
        let samples = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        let (mean, error) = mean_and_error(&samples);
        assert_eq!(mean, 5.0);
        assert!((error - (32.0f64 / 7.0 / 8.0).sqrt()).abs() < 1e-12);
        let (variance, error) = variance_and_error(&samples);
        assert!((variance - 32.0 / 7.0).abs() < 1e-12);
        // m₂ = 4, m₄ = 44.5.
        assert!((error - (28.5f64 / 8.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn samples_are_enough_for_five_standard_errors_to_be_the_bias() {
        assert_eq!(wanted(Effort::Quick, 0.5), 2_500);
        assert_eq!(wanted(Effort::Full, 0.5), 15_625);
        assert_eq!(wanted(Effort::Full, 0.0), LEAST_SAMPLES);
    }
}
