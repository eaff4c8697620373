//! `exactly-once-effect`: whatever is tried, delivered or emitted again, what it is for happens once.

use super::account::{effect_made, occurrence};
use super::places::{Places, Reset};
use super::{Entry, Invariant, Ledger, Violation};
use crate::models::estate::{Estate, Quantity};
use crate::models::observation::{EffectMade, Interaction, Kind, Observation, ObservationId, Observed, Repeat};
use crate::models::program::Action;
use crate::units::SimTime;

const RETRIED: &str = "retried";
const UNKNOWN: &str = "retried after an unknown outcome";
const REDELIVERED: &str = "delivered again";
const COPIED: &str = "copied";
const UNEXPLAINED: &str = "unexplained";

pub static ENTRY: Entry = Entry {
    name: "exactly-once-effect",
    sentence: "one effect took place twice: the same step of one occurrence, tried, delivered or emitted again",
    exercised_when: "an attempt of a call was repeated, a record was delivered again, or a further copy of an event had \
                     an effect",
    exhibits: ("unknown-outcome", "unknown-outcome:idempotency-key"),
    causes: &[RETRIED, UNKNOWN, REDELIVERED, COPIED, UNEXPLAINED],
    reachable: |estate, _| {
        let mut actions =
            estate.operations.iter().flat_map(|operation| &operation.rules).flat_map(|rule| &rule.actions);
        let repeats = actions.any(|action| match action {
            Action::Call(site) => site.retries > 0,
            Action::Emit(site) => site.extra_copies != Quantity::Given(0.0),
            _ => false,
        });
        repeats || !estate.groups.is_empty() && !estate.timeline.is_empty()
    },
    create: |_, _| Box::new(ExactlyOnceEffect { places: Places::default() }),
};

struct ExactlyOnceEffect {
    places: Places<Seen>,
}

#[derive(Default)]
struct Seen {
    made: Vec<(u64, Option<Repeat>, ObservationId)>,
    /// Whether an external party gave no answer to one of its calls.
    unanswered: bool,
}

impl Reset for Seen {
    fn reset(&mut self) {
        self.made.clear();
        self.unanswered = false;
    }
}

impl Invariant for ExactlyOnceEffect {
    fn interests(&self) -> &'static [Kind] {
        &[Kind::Effect, Kind::Retried, Kind::Delivered, Kind::OutcomeUnknown, Kind::Closed]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Effect(made) = &observed.what {
            self.made(observed, made, estate, ledger);
        } else if let Observation::Retried { .. } = &observed.what {
            ledger.exercise();
        } else if let Observation::Delivered(delivered) = &observed.what {
            if delivered.redelivery > 0 {
                ledger.exercise();
            }
        } else if let Observation::OutcomeUnknown { interaction, .. } = &observed.what {
            self.places.of(interaction).unanswered = true;
        } else if let Observation::Closed { interaction, .. } = &observed.what {
            self.places.close(interaction);
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, _: &mut Ledger) {
        // Every effect was judged when it was made.
    }
}

impl ExactlyOnceEffect {
    fn made(&mut self, observed: &Observed, made: &EffectMade, estate: &Estate, ledger: &mut Ledger) {
        ledger.check();
        if made.repeat == Some(Repeat::Copy) {
            ledger.exercise();
        }
        let seen = self.places.of(&made.interaction);
        let Some((_, before, first)) = seen.made.iter().find(|(id, ..)| *id == made.id).copied() else {
            seen.made.push((made.id, made.repeat, observed.id));
            return;
        };
        // What comes late may be the first try: then the one before it was the repetition.
        let cause = match made.repeat.or(before) {
            Some(Repeat::Retry) if seen.unanswered => UNKNOWN,
            Some(Repeat::Retry) => RETRIED,
            Some(Repeat::Redelivery) => REDELIVERED,
            Some(Repeat::Copy) => COPIED,
            None => UNEXPLAINED,
        };
        violate(observed, made, (cause, first), estate, ledger);
    }
}

fn violate(
    observed: &Observed,
    made: &EffectMade,
    (cause, first): (&'static str, ObservationId),
    estate: &Estate,
    ledger: &mut Ledger,
) {
    let interaction: Interaction = made.interaction;
    ledger.violate("twice", cause, Some(interaction), made.effect.into(), || Violation {
        at: observed.at,
        interaction: Some(interaction),
        clause: "twice",
        cause,
        about: estate.effects.text(made.effect).to_owned(),
        text: format!(
            "in {}, {} did {} again",
            occurrence(&interaction, estate),
            estate.contexts.text(made.context),
            effect_made(made, estate),
        ),
        witnesses: vec![first, observed.id],
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Settings, Verdict, verdict};
    use crate::units::Id;

    fn judged(fill: impl FnOnce(&mut Stream)) -> Ledger {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        fill(&mut stream);
        judge(&ENTRY, &estate, Settings::default(), &stream, 60.0)
    }

    fn charge(n: u64, repeat: Option<Repeat>) -> EffectMade {
        EffectMade { repeat, ..effect(interaction(n, n as u32), BILLING, CHARGE, None) }
    }

    #[test]
    fn effects_of_different_steps_and_occurrences_hold() {
        let ledger = judged(|stream| {
            stream.push(Observation::Retried {
                interaction: interaction(0, 0),
                operation: Id::from_u32(1),
                attempt: 2,
            });
            stream.effects(charge(0, None));
            stream.effects(EffectMade { id: 77, ..charge(0, Some(Repeat::Retry)) });
            stream.effects(charge(1, None));
        });
        assert_eq!((ledger.checked, ledger.exercised), (3, 1));
        assert_eq!(verdict(&ledger, false), Verdict::Holds);
    }

    #[test]
    fn without_any_repetition_it_is_vacuous() {
        assert_eq!(verdict(&judged(|stream| stream.effects(charge(0, None))), false), Verdict::Vacuous);
    }

    #[test]
    fn the_same_step_twice_is_violated_with_what_was_repeated_as_the_cause() {
        let cases = [(Repeat::Retry, RETRIED), (Repeat::Redelivery, REDELIVERED), (Repeat::Copy, COPIED)];
        for (repeat, cause) in cases {
            for late in [false, true] {
                let (first, second) = if late { (Some(repeat), None) } else { (None, Some(repeat)) };
                let ledger = judged(|stream| {
                    stream.effects(charge(0, first));
                    stream.at(5.0).effects(charge(0, second));
                });
                assert_eq!(ledger.causes, [(cause, 1)]);
            }
        }
        let ledger = judged(|stream| (0..2).for_each(|_| stream.effects(charge(0, None))));
        assert_eq!(ledger.causes, [(UNEXPLAINED, 1)]);
    }

    #[test]
    fn a_retry_after_silence_says_so_and_the_account_names_the_effect() {
        let ledger = judged(|stream| {
            let (interaction, operation) = (interaction(3, 3), Id::from_u32(2));
            stream.push(Observation::OutcomeUnknown { interaction, operation, attempt: 1, takes_effect: true });
            stream.effects(charge(3, None));
            stream.effects(charge(3, Some(Repeat::Retry)));
        });
        assert_eq!(ledger.causes, [(UNKNOWN, 1)]);
        assert_eq!(ledger.first[0].text, "in place-order #3, billing did charge again");
    }

    #[test]
    fn a_place_that_is_used_again_begins_anew() {
        let ledger = judged(|stream| {
            stream.effects(charge(0, None));
            stream.closes(interaction(0, 0), None);
            stream.effects(EffectMade { interaction: interaction(8, 0), ..charge(0, Some(Repeat::Copy)) });
        });
        assert_eq!(ledger.violations, 0);
    }
}
