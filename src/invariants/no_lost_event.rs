//! `no-lost-event`: what was appended is handled, or set aside where somebody sees it.

use super::account::occurrence;
use super::{Entry, Invariant, Ledger, Violation};
use crate::models::estate::{Estate, GroupId, TopicId};
use crate::models::observation::{Failure, Interaction, Kind, Observation, ObservationId, Observed, Outcome};
use crate::units::SimTime;
use std::collections::VecDeque;

const CRASHED: &str = "committed before it was handled";
const FAILED: &str = "failed and skipped";

pub static ENTRY: Entry = Entry {
    name: "no-lost-event",
    sentence: "a group committed past an event that it neither handled nor set aside: the process that held it ended, \
               or its handling failed and was skipped",
    exercised_when: "an event was appended to a topic that somebody consumes",
    exhibits: ("lost-events", "lost-events:commit-after-work"),
    causes: &[CRASHED, FAILED],
    reachable: |estate, _| !estate.groups.is_empty(),
    create: |estate, _| {
        let partitions = |group: &crate::models::estate::ConsumerGroup| {
            let partitions = estate.topics[group.topic].partitions as usize;
            (0..partitions).map(|_| Partition::default()).collect()
        };
        Box::new(NoLostEvent { groups: estate.groups.iter().map(partitions).collect() })
    },
};

struct NoLostEvent {
    /// By group and partition.
    groups: Vec<Vec<Partition>>,
}

/// What a group has still to do in a partition.
#[derive(Default)]
struct Partition {
    /// The offset of the first event that is not done.
    base: u64,
    events: VecDeque<Event>,
    committed: u64,
}

struct Event {
    interaction: Interaction,
    event_type: u16,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not handled yet.
    Open,
    /// Whoever had it is not going to handle it, for this reason; only a delivery from before the commit helps.
    Undone(&'static str, ObservationId),
    Done,
}

impl Invariant for NoLostEvent {
    fn interests(&self) -> &'static [Kind] {
        match self.groups.is_empty() {
            true => &[],
            false => &[Kind::Emitted, Kind::Delivered, Kind::Handled, Kind::Dropped, Kind::Committed],
        }
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Emitted { interaction, topic, partition, offset, event_type, .. } = &observed.what {
            self.append((*topic, *partition, *offset), *interaction, *event_type, estate, ledger);
        } else if let Observation::Delivered(delivered) = &observed.what {
            let group = &estate.groups[delivered.group];
            let handled = group.handlers.iter().any(|(event_type, _)| *event_type == delivered.event_type);
            // What is set aside or of no concern is done with; the rest is in somebody's hands again.
            let state = if delivered.handled_as.is_some() && handled { State::Open } else { State::Done };
            self.turn(delivered.group, delivered.partition, delivered.offset, state);
        } else if let Observation::Handled { group, partition, offset, outcome, .. } = &observed.what {
            let state = match outcome {
                Outcome::Succeeded | Outcome::Rejected(_) => State::Done,
                Outcome::Failed(Failure::Crashed) => State::Undone(CRASHED, observed.id),
                Outcome::Failed(_) => State::Undone(FAILED, observed.id),
            };
            self.turn(*group, *partition, *offset, state);
            self.judge(*group, *partition, observed, estate, ledger);
        } else if let Observation::Dropped { group, partition, offset, .. } = &observed.what {
            self.turn(*group, *partition, *offset, State::Undone(CRASHED, observed.id));
            self.judge(*group, *partition, observed, estate, ledger);
        } else if let Observation::Committed { group, partition, offset, .. } = &observed.what {
            let of = &mut self.groups[group.index()][*partition as usize];
            of.committed = of.committed.max(*offset);
            self.judge(*group, *partition, observed, estate, ledger);
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, ledger: &mut Ledger) {
        // What lags behind when the run ends may still be handled.
        let open = self.groups.iter().flatten().flat_map(|partition| &partition.events);
        ledger.pending += open.filter(|event| event.state != State::Done).count() as u64;
    }
}

impl NoLostEvent {
    fn append(
        &mut self,
        (topic, partition, offset): (TopicId, u32, u64),
        interaction: Interaction,
        event_type: u16,
        estate: &Estate,
        ledger: &mut Ledger,
    ) {
        for group in &estate.topics[topic].groups {
            ledger.check();
            ledger.exercise();
            let of = &mut self.groups[group.index()][partition as usize];
            debug_assert_eq!(of.base + of.events.len() as u64, offset, "offsets are appended one by one");
            of.events.push_back(Event { interaction, event_type, state: State::Open });
        }
    }

    fn turn(&mut self, group: GroupId, partition: u32, offset: u64, state: State) {
        let of = &mut self.groups[group.index()][partition as usize];
        let Some(event) = offset.checked_sub(of.base).and_then(|index| of.events.get_mut(index as usize)) else {
            return;
        };
        if event.state != State::Done {
            event.state = state;
        }
        of.forget();
    }

    /// What is undone and committed is lost.
    fn judge(&mut self, group: GroupId, partition: u32, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        let of = &mut self.groups[group.index()][partition as usize];
        let committed = of.committed.saturating_sub(of.base) as usize;
        for (index, event) in of.events.iter_mut().enumerate().take(committed) {
            if let State::Undone(cause, undone) = event.state {
                event.state = State::Done;
                let place = (group, partition, of.base + index as u64);
                lose(event, place, (cause, undone), observed, estate, ledger);
            }
        }
        of.forget();
    }
}

impl Partition {
    fn forget(&mut self) {
        while self.events.front().is_some_and(|event| event.state == State::Done) {
            self.events.pop_front();
            self.base += 1;
        }
    }
}

fn lose(
    event: &Event,
    (group, partition, offset): (GroupId, u32, u64),
    (cause, undone): (&'static str, ObservationId),
    observed: &Observed,
    estate: &Estate,
    ledger: &mut Ledger,
) {
    let subject = u64::from(group.as_u32()) << 16 | u64::from(event.event_type);
    let name = estate.event_types.text(event.event_type);
    let group = &estate.groups[group].name;
    ledger.violate("lost", cause, Some(event.interaction), subject, || Violation {
        at: observed.at,
        interaction: Some(event.interaction),
        clause: "lost",
        cause,
        about: name.to_owned(),
        text: format!(
            "in {}, {group} never handled {name} at offset {offset} of partition {partition}",
            occurrence(&event.interaction, estate),
        ),
        witnesses: if undone < observed.id { vec![undone, observed.id] } else { vec![observed.id] },
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Settings, Verdict, verdict};
    use crate::models::observation::Delivered;
    use crate::units::Id;

    fn judged(fill: impl FnOnce(&mut Stream)) -> Ledger {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        fill(&mut stream);
        judge(&ENTRY, &estate, Settings::default(), &stream, 60.0)
    }

    fn append(stream: &mut Stream, offset: u64) {
        let (interaction, topic) = (interaction(offset, offset as u32), Id::from_u32(0));
        let (partition, event_type, domain_version) = (0, 0, 1);
        stream.push(Observation::Emitted { interaction, topic, partition, offset, event_type, domain_version });
    }

    fn hand(stream: &mut Stream, offset: u64) {
        stream.push(Observation::Delivered(delivery(interaction(offset, offset as u32), 1, Some(1))));
    }

    fn handled(stream: &mut Stream, offset: u64, outcome: Outcome) {
        let (interaction, group) = (interaction(offset, offset as u32), Id::from_u32(0));
        stream.push(Observation::Handled { interaction, group, partition: 0, offset, outcome });
    }

    fn commit(stream: &mut Stream, offset: u64) {
        let (group, member) = (Id::from_u32(0), Id::from_u32(0));
        stream.push(Observation::Committed { group, member, partition: 0, offset });
    }

    fn drop_it(stream: &mut Stream, offset: u64) {
        let (interaction, group) = (interaction(offset, offset as u32), Id::from_u32(0));
        stream.push(Observation::Dropped { interaction, group, partition: 0, offset });
    }

    #[test]
    fn what_is_handled_before_or_after_its_commit_holds() {
        let ledger = judged(|stream| {
            (0..3).for_each(|offset| append(stream, offset));
            commit(stream, 1);
            for offset in 0..3 {
                hand(stream, offset);
                handled(stream, offset, Outcome::Succeeded);
            }
            commit(stream, 3);
        });
        assert_eq!((ledger.checked, ledger.exercised, ledger.pending), (3, 3, 0));
        assert_eq!(verdict(&ledger, false), Verdict::Holds);
    }

    #[test]
    fn what_is_dropped_after_its_commit_is_lost_at_once_and_before_it_with_the_commit() {
        for commits_first in [true, false] {
            let ledger = judged(|stream| {
                append(stream, 0);
                append(stream, 1);
                if commits_first {
                    commit(stream, 1);
                    drop_it(stream, 0);
                } else {
                    drop_it(stream, 0);
                    commit(stream, 1);
                }
            });
            assert_eq!(ledger.causes, [(CRASHED, 1)]);
            assert_eq!(ledger.pending, 1, "the other one may still be handled");
            let text = "in place-order #0, mailer never handled OrderPlaced at offset 0 of partition 0";
            assert_eq!(ledger.first[0].text, text);
        }
    }

    #[test]
    fn what_is_dropped_and_delivered_again_before_the_commit_is_not_lost() {
        let ledger = judged(|stream| {
            append(stream, 0);
            hand(stream, 0);
            handled(stream, 0, Outcome::Failed(Failure::Crashed));
            hand(stream, 0);
            handled(stream, 0, Outcome::Succeeded);
            commit(stream, 1);
        });
        assert_eq!((ledger.violations, ledger.pending), (0, 0));
    }

    #[test]
    fn a_failure_that_is_skipped_is_lost_and_a_refusal_is_an_answer() {
        let one = |outcome| {
            judged(|stream| {
                append(stream, 0);
                hand(stream, 0);
                handled(stream, 0, outcome);
                commit(stream, 1);
            })
        };
        assert_eq!(one(Outcome::Failed(Failure::Error)).causes, [(FAILED, 1)]);
        assert_eq!(verdict(&one(Outcome::Rejected(0)), false), Verdict::Holds);
    }

    #[test]
    fn what_is_parked_is_not_lost_and_what_lags_is_pending() {
        let ledger = judged(|stream| {
            append(stream, 0);
            append(stream, 1);
            let parked = delivery(interaction(0, 0), 2, None);
            stream.push(Observation::Delivered(Delivered { ..parked }));
            commit(stream, 1);
        });
        assert_eq!((ledger.violations, ledger.pending), (0, 1));
        assert_eq!(verdict(&ledger, false), Verdict::Pending);
    }
}
