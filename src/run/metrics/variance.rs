//! What reconciliations found: how much they compared, and which share was off.

use super::{Measure, Report};
use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed};
use crate::units::SimTime;

#[derive(Debug)]
pub struct Variance {
    /// Whether anything is reconciled.
    active: bool,
    runs: u64,
    compared: u64,
    missing: u64,
    differing: u64,
    /// The greatest share that one run found to be off.
    most: Option<f64>,
}

impl Variance {
    pub fn new(estate: &Estate) -> Variance {
        let active = !estate.reconciliations.is_empty();
        Variance { active, runs: 0, compared: 0, missing: 0, differing: 0, most: None }
    }
}

impl Measure for Variance {
    fn interests(&self) -> &'static [Kind] {
        if self.active { &[Kind::Reconciled] } else { &[] }
    }

    fn observe(&mut self, observed: &Observed, _: &Estate) {
        if let Observation::Reconciled { compared, missing, differing, .. } = observed.what {
            self.runs += 1;
            self.compared += compared;
            self.missing += missing;
            self.differing += differing;
            if compared > 0 {
                let off = (missing + differing) as f64 / compared as f64;
                self.most = Some(self.most.map_or(off, |most| most.max(off)));
            }
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, report: &mut Report) {
        if self.active {
            report.count("reconciliations.count", self.runs);
            report.count("reconciled.count", self.compared);
            report.count("reconciliation_missing.count", self.missing);
            report.count("reconciliation_differing.count", self.differing);
            report.share("reconciliation_variance", self.missing + self.differing, self.compared);
            report.value("reconciliation_variance.max", self.most);
        }
    }
}
