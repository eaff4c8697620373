//! `completion`: what a customer began comes to an end.

use super::account::occurrence;
use super::places::{Places, Reset};
use super::{Entry, Invariant, Ledger, Violation};
use crate::models::estate::{EntityId, Estate, JourneyId};
use crate::models::observation::{Interaction, Kind, Observation, ObservationId, Observed, Outcome};
use crate::units::{SimDuration, SimTime};

pub static ENTRY: Entry = Entry {
    name: "completion",
    sentence: "an interaction has no answer, or what it caused is not done, within the journey's `completes_within`; \
               or it is done and its entity is in no final status, though it was not rejected and did not fail before \
               it began",
    exercised_when: "an interaction arrived",
    exhibits: ("none shipped yet", "none shipped yet"),
    causes: &["timed out", "still open", "not final"],
    reachable: |_, _| true,
    create: |estate, settings| {
        let bounds = estate.journeys.iter().map(|journey| settings.bound.unwrap_or(journey.completes_within));
        let bounds: Vec<SimDuration> = bounds.collect();
        Box::new(Completion { waiting: vec![Waiting::default(); bounds.len()], bounds, places: Places::default() })
    },
};

struct Completion {
    /// Per journey.
    bounds: Vec<SimDuration>,
    /// Per journey: those in flight whose bound is not over, the oldest first; a list through their places.
    waiting: Vec<Waiting>,
    places: Places<Begun>,
}

#[derive(Clone, Copy, Default)]
struct Waiting {
    first: Option<Interaction>,
    last: Option<Interaction>,
}

#[derive(Default)]
struct Begun {
    arrived: Option<(SimTime, ObservationId)>,
    before: Option<Interaction>,
    after: Option<Interaction>,
    rejected: bool,
    outcome: Option<Outcome>,
}

impl Reset for Begun {
    fn reset(&mut self) {
        *self = Begun::default();
    }
}

impl Invariant for Completion {
    fn interests(&self) -> &'static [Kind] {
        &[Kind::Arrived, Kind::Finished, Kind::Rejected, Kind::Closed]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Arrived { interaction, .. } = &observed.what {
            self.settle(interaction.journey, observed.at, estate, ledger);
            ledger.check();
            ledger.exercise();
            self.enlist(interaction, observed);
        } else if let Observation::Finished { interaction, outcome, .. } = &observed.what {
            self.settle(interaction.journey, observed.at, estate, ledger);
            self.places.of(interaction).outcome = Some(*outcome);
        } else if let Observation::Rejected { interaction, .. } = &observed.what {
            self.places.of(interaction).rejected = true;
        } else if let Observation::Closed { interaction, status } = &observed.what {
            self.settle(interaction.journey, observed.at, estate, ledger);
            self.close(observed, interaction, *status, estate, ledger);
        }
    }

    fn finish(&mut self, end: SimTime, estate: &Estate, ledger: &mut Ledger) {
        for journey in estate.journeys.ids() {
            // A bound that ends with the run is over.
            self.settle(journey, end + SimDuration::from_nanos(1), estate, ledger);
            while let Some(open) = self.waiting[journey.index()].first {
                ledger.pending += 1;
                self.delist(&open);
            }
        }
    }
}

impl Completion {
    fn enlist(&mut self, interaction: &Interaction, observed: &Observed) {
        let waiting = &mut self.waiting[interaction.journey.index()];
        let before = waiting.last.replace(*interaction);
        match before {
            Some(before) => self.places.of(&before).after = Some(*interaction),
            None => waiting.first = Some(*interaction),
        }
        let begun = self.places.of(interaction);
        begun.arrived = Some((observed.at, observed.id));
        begun.before = before;
    }

    fn delist(&mut self, interaction: &Interaction) {
        let begun = self.places.of(interaction);
        let (before, after) = (begun.before.take(), begun.after.take());
        begun.arrived = None;
        let waiting = &mut self.waiting[interaction.journey.index()];
        match before {
            Some(before) => self.places.of(&before).after = after,
            None => waiting.first = after,
        }
        match after {
            Some(after) => self.places.of(&after).before = before,
            None => waiting.last = before,
        }
    }

    /// Whoever's bound was over before `now` and is still in the list is not complete.
    fn settle(&mut self, journey: JourneyId, now: SimTime, estate: &Estate, ledger: &mut Ledger) {
        let bound = self.bounds[journey.index()];
        while let Some(oldest) = self.waiting[journey.index()].first {
            let begun = self.places.of(&oldest);
            let (arrived, observation) = begun.arrived.expect("whoever waits has arrived");
            let deadline = arrived + bound;
            if deadline >= now {
                return;
            }
            let answered = begun.outcome.is_some();
            let (cause, what) = match answered || oldest.replay > 0 {
                true => ("still open", "has caused what is not done"),
                false => ("timed out", "has no answer"),
            };
            self.delist(&oldest);
            let text = || format!("{} {what} {bound} after it arrived", occurrence(&oldest, estate));
            violate("deadline", cause, &oldest, (deadline, &[observation]), text, ledger);
        }
    }

    fn close(
        &mut self,
        observed: &Observed,
        interaction: &Interaction,
        status: Option<(EntityId, u16)>,
        estate: &Estate,
        ledger: &mut Ledger,
    ) {
        let begun = self.places.of(interaction);
        // Whoever's bound was over has been told of already.
        let Some((arrived, observation)) = begun.arrived else { return self.places.close(interaction) };
        let (outcome, rejected) = (begun.outcome, begun.rejected);
        let took = observed.at.since(arrived);
        ledger.margin(self.bounds[interaction.journey.index()].as_secs_f64() - took.as_secs_f64());
        if let Some((entity, status)) = status
            && !rejected
            // A replay repeats a part of what once brought the entity to its end.
            && interaction.replay == 0
            && !is_settled(estate, entity, status, outcome)
        {
            let text = || {
                format!(
                    "{} is done, and its {} is {}, which is not final",
                    occurrence(interaction, estate),
                    estate.entities[entity].name,
                    estate.statuses.text(status)
                )
            };
            violate("final", "not final", interaction, (observed.at, &[observation, observed.id]), text, ledger);
        }
        self.delist(interaction);
        self.places.close(interaction);
    }
}

/// Whether an interaction may end with its entity in this status. The life of an entity per subject goes on beyond it;
/// one that failed before its entity left the initial status began nothing.
fn is_settled(estate: &Estate, entity: EntityId, status: u16, outcome: Option<Outcome>) -> bool {
    let entity = &estate.entities[entity];
    let (failed, rejected) = match outcome {
        Some(Outcome::Failed(_)) => (true, false),
        Some(Outcome::Rejected(_)) => (false, true),
        Some(Outcome::Succeeded) | None => (false, false),
    };
    entity.per_subject
        || entity.finals.is_empty()
        || entity.finals.contains(&status)
        || rejected
        || (failed && status == entity.initial)
}

fn violate(
    clause: &'static str,
    cause: &'static str,
    interaction: &Interaction,
    (at, witnesses): (SimTime, &[ObservationId]),
    text: impl FnOnce() -> String,
    ledger: &mut Ledger,
) {
    ledger.violate(clause, cause, Some(*interaction), 0, || Violation {
        at,
        interaction: Some(*interaction),
        clause,
        cause,
        about: String::new(),
        text: text(),
        witnesses: witnesses.to_vec(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Settings, Verdict, verdict};
    use crate::models::observation::Failure;

    fn judged(end: f64, fill: impl FnOnce(&mut Stream)) -> Ledger {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        fill(&mut stream);
        judge(&ENTRY, &estate, Settings::default(), &stream, end)
    }

    /// An order that ends so, its entity in this status.
    fn ended(outcome: Outcome, status: u16) -> Ledger {
        judged(300.0, |stream| {
            stream.arrives(interaction(0, 0));
            stream.at(1.0).ends(interaction(0, 0), outcome);
            stream.at(20.0).closes(interaction(0, 0), Some(status));
        })
    }

    #[test]
    fn an_interaction_that_ends_in_a_final_status_holds_and_none_is_vacuous() {
        let ledger = ended(Outcome::Succeeded, DONE);
        assert_eq!((verdict(&ledger, false), ledger.min_margin), (Verdict::Holds, Some(40.0)));
        assert_eq!(verdict(&judged(300.0, |_| {}), false), Verdict::Vacuous);
    }

    #[test]
    fn a_status_that_is_not_final_is_excused_only_by_a_reject_or_a_failure_before_it_began() {
        assert_eq!(ended(Outcome::Succeeded, PLACED).causes, [("not final", 1)]);
        assert_eq!(ended(Outcome::Succeeded, 0).causes, [("not final", 1)]);
        assert_eq!(ended(Outcome::Failed(Failure::Timeout), PLACED).causes, [("not final", 1)]);
        assert_eq!(ended(Outcome::Failed(Failure::Timeout), 0).violations, 0);
        assert_eq!(ended(Outcome::Rejected(0), PLACED).violations, 0);
        assert_eq!(
            ended(Outcome::Succeeded, PLACED).first[0].text,
            "place-order #0 is done, and its order is placed, which is not final"
        );
    }

    #[test]
    fn whoever_is_not_done_in_time_is_told_by_how_far_it_came_and_only_once() {
        let ledger = judged(300.0, |stream| {
            for n in 0..4 {
                stream.at(n as f64).arrives(interaction(n, n as u32));
            }
            stream.at(10.0).finishes(interaction(1, 1));
            stream.finishes(interaction(2, 2));
            stream.closes(interaction(2, 2), Some(DONE));
            stream.at(64.0).finishes(interaction(0, 0));
            stream.at(70.0).closes(interaction(0, 0), Some(DONE));
            stream.closes(interaction(1, 1), Some(PLACED));
        });
        assert_eq!(ledger.causes, [("timed out", 2), ("still open", 1)]);
        assert_eq!((ledger.violations, ledger.pending), (3, 0));
        assert_eq!(ledger.first[0].text, "place-order #0 has no answer 1m after it arrived");
        assert_eq!(ledger.first[0].at, seconds(60.0));
    }

    #[test]
    fn a_reject_behind_the_answer_excuses_the_status_too() {
        let ledger = judged(300.0, |stream| {
            stream.arrives(interaction(0, 0));
            stream.finishes(interaction(0, 0));
            stream.push(rejection(interaction(0, 0), 2));
            stream.closes(interaction(0, 0), Some(PLACED));
        });
        assert_eq!(ledger.violations, 0);
    }

    #[test]
    fn a_replay_must_come_to_an_end_but_brings_no_entity_to_one() {
        let replay = Interaction { replay: 1, ..interaction(0, 0) };
        let ledger = judged(300.0, |stream| {
            stream.arrives(replay);
            stream.at(20.0).closes(replay, Some(0));
        });
        assert_eq!(verdict(&ledger, false), Verdict::Holds);
        assert_eq!(judged(300.0, |stream| stream.arrives(replay)).causes, [("still open", 1)]);
    }

    #[test]
    fn a_bound_past_the_end_is_pending_and_one_at_the_end_is_over() {
        let until = |end| judged(end, |stream| stream.at(10.0).arrives(interaction(0, 0)));
        assert_eq!(verdict(&until(69.0), false), Verdict::Pending);
        assert_eq!(until(71.0).causes, [("timed out", 1)]);
        assert_eq!(until(70.0).causes, [("timed out", 1)]);
    }

    #[test]
    fn a_done_interaction_leaves_the_list_wherever_it_stands_in_it() {
        let order = [1u64, 3, 0, 2];
        let ledger = judged(300.0, |stream| {
            for n in 0..4 {
                stream.arrives(interaction(n, n as u32));
            }
            for n in order {
                stream.at(5.0).finishes(interaction(n, n as u32));
                stream.closes(interaction(n, n as u32), Some(DONE));
            }
            stream.at(200.0).arrives(interaction(4, 2));
            stream.closes(interaction(4, 2), None);
        });
        assert_eq!((ledger.checked, ledger.violations, ledger.pending), (5, 0, 0));
        let ledger = judged(300.0, |stream| {
            stream.arrives(interaction(0, 0));
            stream.arrives(interaction(1, 1));
            stream.closes(interaction(1, 1), Some(DONE));
            stream.arrives(interaction(2, 1));
        });
        assert_eq!(ledger.causes, [("timed out", 2)]);
    }
}
