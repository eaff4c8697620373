//! Decisions: on what they rest, how old that is, and whether contexts agree.

use super::{Measure, Report};
use crate::invariants::{Histogram, Mixed, Reading};
use crate::models::estate::Estate;
use crate::models::observation::{Decided, Kind, Observation, Observed, Source};
use crate::units::SimTime;

#[derive(Debug, Default)]
pub struct Decisions {
    decisions: u64,
    fallbacks: u64,
    /// Without any policy: before a first answer, or after a start in an outage.
    cold: u64,
    staleness: Histogram,
    mixed: Mixed,
    judged_count: u64,
    mixed_count: u64,
}

impl Measure for Decisions {
    fn interests(&self) -> &'static [Kind] {
        &[Kind::Decided, Kind::Closed]
    }

    fn observe(&mut self, observed: &Observed, _: &Estate) {
        if let Observation::Decided(decided) = &observed.what {
            self.decided(decided);
        } else if let Observation::Closed { interaction, .. } = &observed.what {
            self.mixed.close(interaction);
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, report: &mut Report) {
        report.count("mixed_interactions.count", self.mixed_count);
        report.share("mixed_interactions.share", self.mixed_count, self.judged_count);
        report.share("fallback_rate", self.fallbacks, self.decisions);
        report.count("cold_decisions.count", self.cold);
        report.secs("staleness.p50", self.staleness.quantile(0.50));
        report.secs("staleness.p99", self.staleness.quantile(0.99));
        report.secs("staleness.max", self.staleness.max());
    }
}

impl Decisions {
    fn decided(&mut self, decided: &Decided) {
        self.decisions += 1;
        self.fallbacks += u64::from(decided.source == Source::Fallback);
        self.cold += u64::from(decided.policy_version.is_none() && decided.source == Source::Fallback);
        self.staleness.record(decided.staleness);
        let (judged, mixed) = match self.mixed.decided(decided) {
            Reading::Known => (0, 0),
            Reading::Judged => (1, 0),
            Reading::Mixed => (0, 1),
            Reading::JudgedMixed => (1, 1),
        };
        self.judged_count += judged;
        self.mixed_count += mixed;
    }
}
