//! What replicas ask of the control plane, and how they come back together after an outage.

use super::{Measure, Report};
use crate::models::estate::{Estate, Happening};
use crate::models::observation::{Kind, Observation, Observed};
use crate::units::SimTime;

/// How long after an outage its herd is looked for: longer than the longest pause of the SDKs' reconnects (30 s).
const HERD_SECONDS: u64 = 60;

/// Questions by seconds of the run. Idle polls are spread over their period and never make the busiest second: only
/// those that are events are counted by second.
#[derive(Debug, Default)]
pub struct Questions {
    asked: u64,
    second: u64,
    in_second: u64,
    busiest: u64,
    /// Outages that are under way.
    outages: u32,
    /// When the last one ended, and the busiest second since.
    over: Option<u64>,
    herd: Option<u64>,
}

impl Measure for Questions {
    fn interests(&self) -> &'static [Kind] {
        &[Kind::Asked, Kind::FaultStarted, Kind::FaultEnded]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        let second = observed.at.nanos() / 1_000_000_000;
        if let Observation::Asked { questions, idle, .. } = observed.what {
            self.asked += questions;
            if !idle {
                self.count(second, questions);
            }
        } else if let Observation::FaultStarted { entry } = observed.what {
            self.outages += u32::from(is_outage(estate, entry));
        } else if let Observation::FaultEnded { entry } = observed.what
            && is_outage(estate, entry)
        {
            self.outages -= 1;
            if self.outages == 0 {
                self.over = Some(second);
                self.herd = Some(self.herd.unwrap_or(0));
            }
        }
    }

    fn finish(&mut self, end: SimTime, _: &Estate, report: &mut Report) {
        report.count("control_plane_questions.count", self.asked);
        let seconds = end.as_secs_f64();
        let mean = (seconds > 0.0).then(|| self.asked as f64 / seconds);
        report.value("control_plane_load.mean", mean);
        report.value("control_plane_load.peak", (self.busiest > 0).then_some(self.busiest as f64));
        report.value("control_plane_load.after_outage", self.herd.map(|herd| herd as f64));
        let steady = mean.filter(|mean| *mean > 0.0);
        report.value("herd_factor", self.herd.zip(steady).map(|(herd, steady)| herd as f64 / steady));
    }
}

impl Questions {
    fn count(&mut self, second: u64, questions: u64) {
        if second != self.second {
            self.second = second;
            self.in_second = 0;
        }
        self.in_second += questions;
        self.busiest = self.busiest.max(self.in_second);
        let recent = self.over.is_some_and(|over| second - over < HERD_SECONDS);
        if recent && self.outages == 0 {
            self.herd = self.herd.max(Some(self.in_second));
        }
    }
}

fn is_outage(estate: &Estate, entry: u32) -> bool {
    match &estate.timeline[entry as usize].what {
        Happening::Fault { fault, .. } => fault.name().starts_with("control_plane."),
        _ => false,
    }
}
