//! Plans that are watched over: what gates and alerts found and when, what became of the plan, and what it cost to ask.

use super::{Measure, Report};
use crate::models::estate::Estate;
use crate::models::observation::{Consent, GateVerdict, Kind, Observation, Observed, Standstill};
use crate::units::{SimDuration, SimTime};

#[derive(Debug)]
pub struct Plans {
    watched: bool,
    /// Per rollout: when its last step was published, and since when it waits for approval.
    stepped: Vec<Option<SimTime>>,
    asked: Vec<Option<SimTime>>,
    completed: Vec<bool>,
    detected: Option<SimDuration>,
    waited: SimDuration,
    gates_failed: u64,
    gates_blind: u64,
    went_back: u64,
    bypassed: u64,
    alerts: u64,
    acted: u64,
    wrongly: u64,
}

impl Plans {
    pub fn new(estate: &Estate) -> Plans {
        let rollouts = estate.rollouts.len();
        Plans {
            watched: !estate.alerts.is_empty() || estate.rollouts.iter().any(|rollout| rollout.guard.is_some()),
            stepped: vec![None; rollouts],
            asked: vec![None; rollouts],
            completed: vec![false; rollouts],
            detected: None,
            waited: SimDuration::ZERO,
            gates_failed: 0,
            gates_blind: 0,
            went_back: 0,
            bypassed: 0,
            alerts: 0,
            acted: 0,
            wrongly: 0,
        }
    }

    fn detects(&mut self, at: SimTime, since: Option<SimTime>) {
        self.detected = self.detected.or_else(|| Some(at.since(since?)));
    }

    fn answered(&mut self, rollout: u16, at: SimTime) {
        if let Some(since) = self.asked[usize::from(rollout)].take() {
            self.waited = self.waited + at.since(since);
        }
    }
}

impl Measure for Plans {
    fn interests(&self) -> &'static [Kind] {
        if self.watched {
            &[
                Kind::Stepped,
                Kind::Gate,
                Kind::Approval,
                Kind::PlanHeld,
                Kind::RolledBack,
                Kind::AlertRaised,
                Kind::OperatorActed,
            ]
        } else {
            &[]
        }
    }

    fn observe(&mut self, observed: &Observed, _: &Estate) {
        let at = observed.at;
        match observed.what {
            Observation::Stepped { rollout, .. } => {
                self.stepped[usize::from(rollout)] = Some(at);
                self.answered(rollout, at);
            }
            Observation::Gate { rollout, verdict: GateVerdict::Failed, .. } => {
                self.gates_failed += 1;
                self.detects(at, self.stepped[usize::from(rollout)]);
            }
            Observation::Gate { verdict: GateVerdict::NoData, .. } => self.gates_blind += 1,
            Observation::Approval { consent: Consent::Bypassed, .. } => self.bypassed += 1,
            Observation::PlanHeld { rollout, why, .. } => {
                if why == Standstill::AwaitsApproval {
                    self.asked[usize::from(rollout)].get_or_insert(at);
                }
                self.completed[usize::from(rollout)] = why == Standstill::Completed;
            }
            Observation::RolledBack { .. } => self.went_back += 1,
            Observation::AlertRaised { .. } => {
                self.alerts += 1;
                let last = self.stepped.iter().copied().flatten().max();
                self.detects(at, last);
            }
            Observation::OperatorActed { wrong, .. } => {
                self.acted += 1;
                self.wrongly += u64::from(wrong);
            }
            _ => {}
        }
    }

    fn finish(&mut self, end: SimTime, estate: &Estate, report: &mut Report) {
        if !self.watched {
            return;
        }
        for rollout in 0..self.asked.len() {
            self.answered(rollout as u16, end);
        }
        let plans = estate.rollouts.iter().filter(|rollout| rollout.guard.is_some()).count() as u64;
        let completed = self.completed.iter().filter(|completed| **completed).count() as u64;
        report.share("plan_completed", completed, plans);
        report.secs("time_to_detect", self.detected);
        report.count("gate_failures.count", self.gates_failed);
        report.count("gates_without_data.count", self.gates_blind);
        report.count("plan_rollbacks.count", self.went_back);
        report.secs("approval_wait", Some(self.waited));
        report.count("bypasses.count", self.bypassed);
        report.count("alerts_raised.count", self.alerts);
        report.count("operator_actions.count", self.acted);
        report.count("wrong_actions.count", self.wrongly);
    }
}
