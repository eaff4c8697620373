//! `semantic-lag`: events mean to their consumers what they meant to their producers.

use super::account::occurrence;
use super::{Entry, Invariant, Ledger, Violation};
use crate::models::estate::Estate;
use crate::models::observation::{Delivered, Kind, Observation, Observed};
use crate::units::SimTime;

pub static ENTRY: Entry = Entry {
    name: "semantic-lag",
    sentence: "a consumer handled an event under another domain version than it was produced with",
    exercised_when: "a record was delivered on replay, was set aside instead of handled, or is of an event type of \
                     which more than one domain version has been produced",
    exhibits: ("consumer-lag", "consumer-lag:consumers-first"),
    causes: &["replayed", "old code reads new meaning", "new code reads old meaning"],
    reachable: |estate, _| {
        let tells_apart = |group: &crate::models::estate::ConsumerGroup| {
            estate.services[group.service].codes.iter().any(|code| !code.understands.is_empty())
        };
        estate.groups.iter().any(tells_apart)
    },
    create: |estate, _| Box::new(SemanticLag { produced: vec![Produced::Nothing; estate.event_types.len()] }),
};

/// The domain versions produced of an event type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Produced {
    Nothing,
    One(u32),
    Several,
}

impl Produced {
    fn with(self, version: u32) -> Produced {
        match self {
            Produced::Nothing => Produced::One(version),
            Produced::One(known) if known == version => self,
            Produced::One(_) | Produced::Several => Produced::Several,
        }
    }
}

struct SemanticLag {
    produced: Vec<Produced>,
}

impl Invariant for SemanticLag {
    fn interests(&self) -> &'static [Kind] {
        &[Kind::Emitted, Kind::Delivered]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Emitted { event_type, domain_version, .. } = observed.what {
            self.produce(event_type, domain_version);
        } else if let Observation::Delivered(delivered) = &observed.what {
            let produced = self.produce(delivered.event_type, delivered.produced_version);
            ledger.check();
            let misread = delivered.handled_as.is_some_and(|version| version != delivered.produced_version);
            let replayed = delivered.interaction.replay > 0;
            if misread || replayed || delivered.handled_as.is_none() || produced == Produced::Several {
                ledger.exercise();
            }
            if misread {
                misreads(observed, delivered, estate, ledger);
            }
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, _: &mut Ledger) {
        // Every delivery was judged when it was made.
    }
}

impl SemanticLag {
    fn produce(&mut self, event_type: u16, version: u32) -> Produced {
        let produced = &mut self.produced[usize::from(event_type)];
        *produced = produced.with(version);
        *produced
    }
}

fn misreads(observed: &Observed, delivered: &Delivered, estate: &Estate, ledger: &mut Ledger) {
    let Some(handled_as) = delivered.handled_as else { return };
    let cause = if delivered.interaction.replay > 0 {
        "replayed"
    } else if handled_as < delivered.produced_version {
        "old code reads new meaning"
    } else {
        "new code reads old meaning"
    };
    let event = estate.event_types.text(delivered.event_type);
    let subject = u64::from(delivered.group.as_u32()) << 16 | u64::from(delivered.event_type);
    ledger.violate("meaning", cause, Some(delivered.interaction), subject, || Violation {
        at: observed.at,
        interaction: Some(delivered.interaction),
        clause: "meaning",
        cause,
        about: event.to_owned(),
        text: format!(
            "in {}, {} (code {}) handled {event} of domain version {} as version {handled_as}",
            occurrence(&delivered.interaction, estate),
            estate.contexts.text(delivered.context),
            delivered.code,
            delivered.produced_version,
        ),
        witnesses: vec![observed.id],
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Settings, Verdict, verdict};
    use crate::models::observation::Interaction;

    fn delivered(records: &[Delivered]) -> Ledger {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        for record in records {
            stream.push(Observation::Delivered(*record));
        }
        judge(&ENTRY, &estate, Settings::default(), &stream, 60.0)
    }

    #[test]
    fn two_versions_each_handled_as_what_they_are_hold() {
        let ledger = delivered(&[delivery(interaction(0, 0), 1, Some(1)), delivery(interaction(1, 0), 2, Some(2))]);
        assert_eq!((ledger.checked, ledger.exercised), (2, 1));
        assert_eq!(verdict(&ledger, false), Verdict::Holds);
    }

    #[test]
    fn one_version_only_is_vacuous_and_a_parked_record_exercises_it() {
        let first = delivery(interaction(0, 0), 1, Some(1));
        assert_eq!(verdict(&delivered(&[first]), false), Verdict::Vacuous);
        let parked = Delivered { handled_as: None, ..first };
        assert_eq!(verdict(&delivered(&[parked]), false), Verdict::Holds);
    }

    #[test]
    fn a_version_that_was_emitted_but_not_yet_delivered_counts_as_produced() {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        let topic = crate::units::Id::from_u32(0);
        let (interaction, partition, offset, event_type, domain_version) = (interaction(1, 1), 0, 7, 0, 2);
        stream.push(Observation::Emitted { interaction, topic, partition, offset, event_type, domain_version });
        stream.push(Observation::Delivered(delivery(interaction, 1, Some(1))));
        assert_eq!(judge(&ENTRY, &estate, Settings::default(), &stream, 60.0).exercised, 1);
    }

    #[test]
    fn each_cause_is_named() {
        let replay = Interaction { replay: 1, ..interaction(0, 0) };
        let cases = [
            (delivery(interaction(0, 0), 2, Some(1)), "old code reads new meaning"),
            (delivery(interaction(0, 0), 1, Some(2)), "new code reads old meaning"),
            (delivery(replay, 1, Some(2)), "replayed"),
        ];
        for (record, cause) in cases {
            assert_eq!(delivered(&[record]).causes, [(cause, 1)]);
        }
    }

    #[test]
    fn the_account_names_both_meanings() {
        let ledger = delivered(&[delivery(interaction(4, 0), 2, Some(1))]);
        assert_eq!(
            ledger.first[0].text,
            "in place-order #4, mailer (code 1) handled OrderPlaced of domain version 2 as version 1"
        );
    }
}
