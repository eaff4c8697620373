//! `record-truth`: what is recorded of an effect is how it took place.

use super::account::occurrence;
use super::places::Places;
use super::{Entry, Invariant, Ledger, Violation};
use crate::models::estate::Estate;
use crate::models::observation::{EffectMade, Kind, Observation, ObservationId, Observed};
use crate::models::program::Action;
use crate::rollout::{FeatureId, StageId};
use crate::units::SimTime;

const OTHER_PATH: &str = "other path";
const OTHER_STAGE: &str = "other stage";
const NOTHING: &str = "did not happen";

pub static ENTRY: Entry = Entry {
    name: "record-truth",
    sentence: "an effect that `records` another one says another path or another stage than that one had, or records what \
               did not happen",
    exercised_when: "an effect that records another one took place",
    exhibits: ("misreported", "misreported:from-event"),
    causes: &[OTHER_PATH, OTHER_STAGE, NOTHING],
    reachable: |estate, _| recorded(estate).next().is_some(),
    create: |estate, _| {
        let mut wanted = vec![false; estate.effects.len()];
        recorded(estate).for_each(|effect| wanted[usize::from(effect)] = true);
        Box::new(RecordTruth { active: wanted.contains(&true), wanted, places: Places::default() })
    },
};

/// The effects that others record.
fn recorded(estate: &Estate) -> impl Iterator<Item = u16> + '_ {
    let actions = estate.operations.iter().flat_map(|operation| &operation.rules).flat_map(|rule| &rule.actions);
    actions.filter_map(|action| match action {
        Action::Effect(site) => site.records,
        _ => None,
    })
}

struct RecordTruth {
    active: bool,
    /// By effect: whether another one records it.
    wanted: Vec<bool>,
    /// Per interaction: the last of each recorded effect.
    places: Places<Vec<Made>>,
}

#[derive(Clone, Copy)]
struct Made {
    effect: u16,
    path: Option<u16>,
    under: Option<(FeatureId, StageId)>,
    seen: ObservationId,
}

impl Invariant for RecordTruth {
    fn interests(&self) -> &'static [Kind] {
        if self.active { &[Kind::Effect, Kind::Closed] } else { &[] }
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Effect(made) = &observed.what {
            if let Some(of) = made.records {
                self.record(observed, made, of, estate, ledger);
            }
            if self.wanted[usize::from(made.effect)] {
                let EffectMade { effect, path, under, .. } = *made;
                let known = self.places.of(&made.interaction);
                known.retain(|made| made.effect != effect);
                known.push(Made { effect, path, under, seen: observed.id });
            }
        } else if let Observation::Closed { interaction, .. } = &observed.what {
            self.places.close(interaction);
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, _: &mut Ledger) {
        // Every record was judged when it was made.
    }
}

impl RecordTruth {
    fn record(&mut self, observed: &Observed, made: &EffectMade, of: u16, estate: &Estate, ledger: &mut Ledger) {
        let happened = self.places.of(&made.interaction).iter().find(|known| known.effect == of).copied();
        // What it records took place in another interaction: the one that is replayed, or that created what it is about.
        let elsewhere = made.interaction.replay > 0 || estate.journeys[made.interaction.journey].follows.is_some();
        if happened.is_none() && elsewhere {
            return;
        }
        ledger.check();
        ledger.exercise();
        let other_path = |known: &Made| made.path.is_some() && known.path.is_some() && made.path != known.path;
        let other_stage = |known: &Made| match (made.under, known.under) {
            (Some((feature, stage)), Some((of, under))) => feature == of && stage != under,
            _ => false,
        };
        let cause = match &happened {
            None => NOTHING,
            Some(known) if other_path(known) => OTHER_PATH,
            Some(known) if other_stage(known) => OTHER_STAGE,
            Some(_) => return,
        };
        let subject = u64::from(made.effect) << 16 | u64::from(of);
        ledger.violate("record", cause, Some(made.interaction), subject, || Violation {
            at: observed.at,
            interaction: Some(made.interaction),
            clause: "record",
            cause,
            about: estate.effects.text(of).to_owned(),
            text: format!(
                "in {}, {} recorded {} {}, and {}",
                occurrence(&made.interaction, estate),
                estate.contexts.text(made.context),
                estate.effects.text(of),
                how(made.path, made.under, estate),
                happened.map_or("it did not happen".to_owned(), |known| {
                    format!("it took place {}", how(known.path, known.under, estate))
                }),
            ),
            witnesses: happened.map(|known| known.seen).into_iter().chain([observed.id]).collect(),
        });
    }
}

/// `on path new under INSTANT`.
fn how(path: Option<u16>, under: Option<(FeatureId, StageId)>, estate: &Estate) -> String {
    let path = path.map_or("on no path".to_owned(), |path| format!("on path {}", estate.paths.text(path)));
    let under = under.map(|(feature, stage)| format!(" under {}", estate.features[feature].stage_name(stage)));
    format!("{path}{}", under.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Settings, Verdict, verdict};
    use crate::models::estate::{PATH_NEW, PATH_OLD};
    use crate::models::program::EffectSite;
    use crate::units::Id;

    const REPORT: u16 = CHARGE;

    fn judged(made: &[EffectMade]) -> Ledger {
        let mut estate = estate();
        let site = EffectSite {
            effect: REPORT,
            ordinal: 0,
            irreversible: false,
            compensated_by: None,
            undoable: false,
            amount: None,
            once_by: None,
            records: Some(SHIP),
        };
        estate.operations[Id::from_u32(3)].rules[0].actions.push(Action::Effect(site));
        let mut stream = Stream::new(&estate);
        made.iter().for_each(|made| stream.effects(*made));
        judge(&ENTRY, &estate, Settings::default(), &stream, 60.0)
    }

    fn ship(path: u16) -> EffectMade {
        effect(interaction(0, 0), CHECKOUT, SHIP, Some(path))
    }

    fn report(path: Option<u16>) -> EffectMade {
        EffectMade { records: Some(SHIP), ..effect(interaction(0, 0), MAILER, REPORT, path) }
    }

    #[test]
    fn a_record_of_the_path_and_stage_that_were_holds() {
        let ledger = judged(&[ship(PATH_OLD), ship(PATH_NEW), report(Some(PATH_NEW))]);
        assert_eq!((ledger.checked, ledger.exercised), (1, 1));
        assert_eq!(verdict(&ledger, false), Verdict::Holds);
    }

    #[test]
    fn another_path_another_stage_and_what_did_not_happen_are_told_apart() {
        let other_stage = EffectMade { under: Some((FEATURE, OFF)), ..report(None) };
        let cases = [
            (vec![ship(PATH_OLD), report(Some(PATH_NEW))], OTHER_PATH),
            (vec![ship(PATH_NEW), other_stage], OTHER_STAGE),
            (vec![report(Some(PATH_NEW))], NOTHING),
        ];
        for (made, cause) in cases {
            assert_eq!(judged(&made).causes, [(cause, 1)]);
        }
        let ledger = judged(&[ship(PATH_OLD), report(Some(PATH_NEW))]);
        let text =
            "in place-order #0, mailer recorded ship on path new under on, and it took place on path old under off";
        assert_eq!(ledger.first[0].text, text);
    }

    #[test]
    fn without_a_record_it_is_vacuous() {
        assert_eq!(verdict(&judged(&[ship(PATH_NEW)]), false), Verdict::Vacuous);
    }
}
