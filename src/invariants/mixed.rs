//! Interactions in which contexts used different stages of one feature: what the metric and the plots count.

use super::places::{Places, Reset};
use crate::models::observation::{Decided, Interaction};
use crate::rollout::{FeatureId, StageId};

/// What a decision made of its interaction, told once each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Nothing new.
    Known,
    /// For the first time two contexts have read one feature, and agree.
    Judged,
    /// Contexts that had agreed on what they read do so no more.
    Mixed,
    /// Two contexts have read one feature for the first time, and disagree at once.
    JudgedMixed,
}

/// Follows the stages used in each interaction in flight, whatever they came from.
#[derive(Debug, Default)]
pub struct Mixed {
    places: Places<Used>,
}

#[derive(Debug, Default)]
struct Used {
    stages: Vec<(FeatureId, u16, StageId)>,
    judged: bool,
    mixed: bool,
}

impl Reset for Used {
    fn reset(&mut self) {
        self.stages.clear();
        self.judged = false;
        self.mixed = false;
    }
}

impl Mixed {
    pub fn decided(&mut self, decided: &Decided) -> Reading {
        let used = self.places.of(&decided.interaction);
        if used.mixed {
            return Reading::Known;
        }
        let (mut known, mut others, mut differs) = (false, false, false);
        for (feature, context, stage) in &used.stages {
            if *feature == decided.feature {
                known |= *context == decided.context && *stage == decided.stage;
                others |= *context != decided.context;
                differs |= *context != decided.context && *stage != decided.stage;
            }
        }
        if !known {
            used.stages.push((decided.feature, decided.context, decided.stage));
        }
        used.mixed = differs;
        let first = others && !used.judged;
        used.judged |= others;
        match (first, differs) {
            (false, false) => Reading::Known,
            (true, false) => Reading::Judged,
            (false, true) => Reading::Mixed,
            (true, true) => Reading::JudgedMixed,
        }
    }

    pub fn close(&mut self, interaction: &Interaction) {
        self.places.close(interaction);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::{BILLING, CHECKOUT, GATEWAY, OFF, ON, decision, interaction};

    #[test]
    fn an_interaction_is_judged_once_and_mixed_once() {
        let mut mixed = Mixed::default();
        let order = interaction(0, 0);
        let readings = [(GATEWAY, ON), (GATEWAY, ON), (CHECKOUT, ON), (BILLING, OFF), (BILLING, OFF)]
            .map(|(service, stage)| mixed.decided(&decision(order, service, stage)));
        assert_eq!(readings, [Reading::Known, Reading::Known, Reading::Judged, Reading::Mixed, Reading::Known]);
        let next = interaction(1, 0);
        assert_eq!(mixed.decided(&decision(next, GATEWAY, ON)), Reading::Known);
        assert_eq!(mixed.decided(&decision(next, BILLING, OFF)), Reading::JudgedMixed);
    }
}
