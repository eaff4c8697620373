//! What became of calls that fail at random, where nothing queues.

use crate::models::estate::{Estate, ServiceId};
use crate::models::observation::{Kind, Observation, Observed, Outcome};
use crate::units::SimTime;
use crate::validation::Probe;

/// One sample per interaction, of the only journey; they share nothing but services without queues.
pub struct Attempts {
    of: Counted,
    bottom: Option<ServiceId>,
    samples: Vec<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    AttemptsAtTheBottom,
    Failures,
}

impl Attempts {
    /// Samples of the number of attempts at the service named `bottom`.
    pub fn at_the_bottom() -> Box<dyn Probe> {
        Box::new(Attempts { of: Counted::AttemptsAtTheBottom, bottom: None, samples: Vec::new() })
    }

    /// Samples of 1 where the customer was told of a failure, else 0.
    pub fn failed_for_good() -> Box<dyn Probe> {
        Box::new(Attempts { of: Counted::Failures, bottom: None, samples: Vec::new() })
    }
}

impl Probe for Attempts {
    fn reads(&self) -> &'static [Kind] {
        match self.of {
            Counted::AttemptsAtTheBottom => &[Kind::Arrived, Kind::Called],
            Counted::Failures => &[Kind::Arrived, Kind::Finished],
        }
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        if let Observation::Arrived { .. } = observed.what {
            self.samples.push(0.0);
        } else if let Observation::Called { interaction, operation, .. } = observed.what {
            let bottom = *self.bottom.get_or_insert_with(|| {
                estate.service_named("bottom").expect("the scenario has a service of this name")
            });
            if estate.operations[operation].service == bottom {
                self.samples[interaction.n as usize] += 1.0;
            }
        } else if let Observation::Finished { interaction, outcome: Outcome::Failed(_), .. } = observed.what {
            self.samples[interaction.n as usize] = 1.0;
        }
    }

    fn samples(&mut self, _end: SimTime, _estate: &Estate) -> Vec<f64> {
        std::mem::take(&mut self.samples)
    }
}
