//! `semantic-mismatch`: what happens to one entity belongs together, and contexts agree when it happened.

mod moments;
mod paths;

use super::{Entry, Invariant, Ledger, Settings};
use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed};
use crate::units::SimTime;
use moments::Moments;
use paths::Paths;

pub static ENTRY: Entry = Entry {
    name: "semantic-mismatch",
    sentence: "effects of one occurrence carry paths that no row of the feature's contract, admissible by the stages \
               used so far, allows together (`paths`); or contexts marked the same moment further apart than its \
               tolerance, or one that can mark it did not (`moments`)",
    exercised_when: "an occurrence made two effects that one contract names, or marked a moment of a contract that \
                     more than one of the contexts it can reach can mark",
    exhibits: ("semantic-mismatch", "semantic-mismatch:commit-event"),
    causes: &["mixed paths", "ahead of its stage", "late", "missing"],
    reachable,
    create: |estate, _| {
        Box::new(SemanticMismatch {
            active: reachable(estate, &Settings::default()),
            paths: Paths::new(estate),
            moments: Moments::new(estate),
        })
    },
};

fn reachable(estate: &Estate, _: &Settings) -> bool {
    let mut contracts = estate.features.iter().map(|feature| &feature.contract);
    contracts.any(|contract| !contract.paths.is_empty() || !contract.moments.is_empty())
}

struct SemanticMismatch {
    /// Whether any feature has a contract.
    active: bool,
    paths: Paths,
    moments: Moments,
}

impl Invariant for SemanticMismatch {
    fn interests(&self) -> &'static [Kind] {
        match self.active {
            true => &[Kind::Decided, Kind::Effect, Kind::Moment, Kind::Rejected, Kind::Closed, Kind::Compensated],
            false => &[],
        }
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Decided(decided) = &observed.what {
            self.paths.decided(decided, estate);
            self.moments.decided(observed, decided, estate, ledger);
        } else if let Observation::Effect(made) = &observed.what {
            self.paths.effect(observed, made, estate, ledger);
        } else if let Observation::Moment { interaction, moment, context, occurred_at } = &observed.what {
            self.moments.marked(observed, interaction, (*moment, *context, *occurred_at), estate, ledger);
        } else if let Observation::Rejected { interaction, .. } = &observed.what {
            self.moments.rejected(interaction, observed.at);
        } else if let Observation::Compensated(made) = &observed.what {
            self.paths.compensated(made);
        } else if let Observation::Closed { interaction, .. } = &observed.what {
            self.paths.close(interaction);
            self.moments.close(interaction, observed.at, estate, ledger);
        }
    }

    fn finish(&mut self, end: SimTime, estate: &Estate, ledger: &mut Ledger) {
        self.moments.finish(end, estate, ledger);
    }
}
