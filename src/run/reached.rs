//! `reached`: whether a run really came into the situation its scenario is about.

use crate::models::estate::{Estate, Happening};
use crate::models::observation::{Kind, Observation, Observed};
use crate::scenario::plan::{During, Expectation, Expected};

/// Counts the observations that `reached` expectations ask for.
#[derive(Debug)]
pub struct Reached {
    asked: Vec<(Kind, During, u64)>,
    /// Entries of the timeline that are under way.
    active: Vec<u32>,
    /// The step each rollout is in.
    steps: Vec<Option<u16>>,
}

impl Reached {
    pub fn new(expectations: &[Expectation], estate: &Estate) -> Reached {
        let asked = expectations.iter().filter_map(|expectation| match &expectation.of {
            Expected::Reached { kind, during } => Some((*kind, during.clone(), 0)),
            Expected::Invariant { .. } | Expected::Metric { .. } => None,
        });
        Reached { asked: asked.collect(), active: Vec::new(), steps: vec![None; estate.rollouts.len()] }
    }

    pub fn wants(&self, kind: Kind) -> bool {
        let marks = [Kind::FaultStarted, Kind::FaultEnded, Kind::Stepped, Kind::Killed, Kind::Lifted];
        !self.asked.is_empty() && (marks.contains(&kind) || self.asked.iter().any(|(asked, ..)| *asked == kind))
    }

    pub fn observe(&mut self, observed: &Observed, estate: &Estate) {
        if self.asked.is_empty() {
            return;
        }
        if let Observation::FaultStarted { entry } | Observation::Killed { entry, .. } = observed.what {
            self.active.push(entry);
        }
        if let Observation::Stepped { rollout, step, .. } = observed.what {
            self.steps[usize::from(rollout)] = Some(step);
        }
        let kind = observed.what.kind();
        for (asked, during, count) in &mut self.asked {
            let holds = match during {
                During::Happening(name) => {
                    self.active.iter().any(|entry| named(estate, *entry).is_some_and(|label| label == name))
                }
                During::Step { rollout, step } => self.steps[*rollout].map(usize::from) == Some(*step),
            };
            if *asked == kind && holds {
                *count += 1;
            }
        }
        if let Observation::FaultEnded { entry } | Observation::Lifted { entry, .. } = observed.what {
            self.active.retain(|active| *active != entry);
        }
    }

    /// How often each situation was reached, in the order of the expectations.
    pub fn finish(self) -> Vec<u64> {
        self.asked.into_iter().map(|(_, _, count)| count).collect()
    }
}

fn named(estate: &Estate, entry: u32) -> Option<&'static str> {
    match &estate.timeline[entry as usize].what {
        Happening::Fault { fault, .. } => Some(fault.name()),
        Happening::Kill { .. } => Some("kill"),
        Happening::Deploy { .. } => Some("deploy"),
        Happening::Replay { .. } => Some("replay"),
        Happening::Act { deed, .. } => Some(deed.name()),
        Happening::Override { .. } | Happening::OverrideEnds { .. } => Some("override"),
    }
}
