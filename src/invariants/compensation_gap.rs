//! `compensation-gap`: what a rollback or a failure leaves half done is undone in time.

use super::account::{effect_made, occurrence};
use super::debts::{self, By, Change, Debts, Done, OccurrenceKey, Owed};
use super::{Entry, Invariant, Ledger, Settings, Violation};
use crate::models::estate::Estate;
use crate::models::observation::{Kind, ObservationId, Observed};
use crate::units::{SimDuration, SimTime};
use std::collections::VecDeque;

pub static ENTRY: Entry = Entry {
    name: "compensation-gap",
    sentence: "an effect that is irreversible or names what compensates it was not compensated within the bound after \
               its subject was taken off the stage it was made under, by a kill, a step back or a plan that went back, \
               while its occurrence had come to no end (`rolled_back`), or after its saga timed out, its entity came \
               to a `void` status, or its interaction ended without a final one (`not_completed`); an occurrence that \
               comes to another final status owes nothing. Inactive without a bound",
    exercised_when: "an effect was to be undone",
    exhibits: ("compensation-gap", "compensation-gap:keep-context"),
    causes: &[
        "in flight when killed",
        "in flight when rolled back",
        "done after the kill",
        "done after the rollback",
        "saga timed out",
        "void",
        "did not complete",
    ],
    reachable,
    create: |estate, settings| {
        Box::new(CompensationGap {
            active: reachable(estate, settings),
            bound: settings.bound.unwrap_or_default(),
            debts: Debts::new(estate),
            due: VecDeque::new(),
        })
    },
};

/// What an irreversible effect with a compensator comes to.
const COMPENSATED: &str = "compensated, not undone";

fn reachable(estate: &Estate, settings: &Settings) -> bool {
    settings.bound.is_some() && debts::are_possible(estate)
}

struct CompensationGap {
    /// Whether there is a bound, and anything that could have to be undone.
    active: bool,
    bound: SimDuration,
    debts: Debts,
    /// What is owed, in the order in which it is due: since when, of which occurrence, which effect.
    due: VecDeque<(SimTime, OccurrenceKey, ObservationId)>,
}

impl Invariant for CompensationGap {
    fn interests(&self) -> &'static [Kind] {
        if self.active { debts::INTERESTS } else { &[] }
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        self.settle(observed.at, estate, ledger);
        let (due, bound) = (&mut self.due, self.bound);
        self.debts.observe(observed, estate, &mut |change| match change {
            Change::Done => ledger.check(),
            Change::Owed(done, owed) => {
                ledger.exercise();
                due.push_back((owed.since, done.made.interaction.key(), done.seen));
            }
            Change::Undone(made, done) => {
                if let Some(owed) = done.owed {
                    ledger.margin(bound.as_secs_f64() - observed.at.since(owed.since).as_secs_f64());
                }
                if made.irreversible {
                    ledger.set_apart(COMPENSATED);
                }
            }
            Change::Forgiven(_) => {}
        });
    }

    fn finish(&mut self, end: SimTime, estate: &Estate, ledger: &mut Ledger) {
        // A bound that ends with the run is over.
        self.settle(end + SimDuration::from_nanos(1), estate, ledger);
        ledger.pending += self.debts.open().count() as u64;
    }
}

impl CompensationGap {
    /// What is due and not undone is a gap.
    fn settle(&mut self, now: SimTime, estate: &Estate, ledger: &mut Ledger) {
        while let Some((since, key, seen)) = self.due.front().copied()
            && since + self.bound < now
        {
            self.due.pop_front();
            if let Some(done) = self.debts.write_off(key, seen, since)
                && let Some(owed) = done.owed
            {
                self.gap(since + self.bound, &done, &owed, estate, ledger);
            }
        }
    }

    fn gap(&self, due: SimTime, done: &Done, owed: &Owed, estate: &Estate, ledger: &mut Ledger) {
        let (made, bound) = (&done.made, self.bound);
        ledger.violate(owed.clause, owed.cause, Some(made.interaction), made.effect.into(), || {
            let mut witnesses = vec![done.seen, owed.ground];
            witnesses.sort_unstable();
            witnesses.dedup();
            Violation {
                at: due,
                interaction: Some(made.interaction),
                clause: owed.clause,
                cause: owed.cause,
                about: estate.effects.text(made.effect).to_owned(),
                text: format!(
                    "in {}, {} by {} is not compensated {bound} after {}",
                    occurrence(&made.interaction, estate),
                    effect_made(made, estate),
                    estate.contexts.text(made.context),
                    reason(owed, estate),
                ),
                witnesses,
            }
        });
    }
}

fn reason(owed: &Owed, estate: &Estate) -> String {
    match owed.by {
        By::Retreat(retreat) if owed.since > retreat.at => {
            format!("it was done, {} after {}", owed.since.since(retreat.at), retreat.told(estate))
        }
        By::Retreat(retreat) => retreat.told(estate),
        By::Saga(service) => format!("the saga of {} timed out", estate.services[service].name),
        By::Status(entity, to) => {
            format!("{} became {}", estate.entities[entity].name, estate.statuses.text(to))
        }
        By::End => "it ended without being completed".to_owned(),
    }
}

#[cfg(test)]
mod tests;
