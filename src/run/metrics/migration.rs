//! Shadows and dual writes: how often both paths come to the same, and how often their stores do.

use super::{Measure, Report};
use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed, Shadowed, Wrote};
use crate::units::SimTime;

#[derive(Debug, Default)]
pub struct Migration {
    compared: u64,
    differed: u64,
    written: u64,
    gaps: u64,
}

impl Measure for Migration {
    fn interests(&self) -> &'static [Kind] {
        &[Kind::ShadowCompared, Kind::DualWrote]
    }

    fn observe(&mut self, observed: &Observed, _: &Estate) {
        if let Observation::ShadowCompared { shadowed, .. } = observed.what {
            self.compared += 1;
            self.differed += u64::from(shadowed != Shadowed::Agreed);
        } else if let Observation::DualWrote { wrote, .. } = observed.what {
            self.written += 1;
            self.gaps += u64::from(matches!(wrote, Wrote::OnlyOne | Wrote::OnlyOther));
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, report: &mut Report) {
        report.share("shadow_mismatch", self.differed, self.compared);
        report.share("dual_write_gaps.share", self.gaps, self.written);
        if self.written > 0 {
            report.count("dual_write_gaps.count", self.gaps);
        }
    }
}
