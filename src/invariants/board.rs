//! All checkers of a run, each shown only the kinds of observations it asked for.

pub use super::ledger::verdict;
use super::{ALL, Entry, Invariant, Ledger, Settings};
use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observed};
use crate::units::SimTime;

/// The checkers at work in one run, with their ledgers.
pub struct Board {
    checkers: Vec<Checker>,
    /// Per kind of observation: the positions of those who want it.
    subscribers: Vec<Vec<u8>>,
}

struct Checker {
    entry: &'static Entry,
    invariant: Box<dyn Invariant>,
    ledger: Ledger,
}

impl Board {
    /// Every built-in invariant, with what the file sets of it.
    pub fn new(estate: &Estate, settings: &dyn Fn(&str) -> Settings) -> Board {
        Board::of(ALL, estate, settings)
    }

    fn of(entries: &[&'static Entry], estate: &Estate, settings: &dyn Fn(&str) -> Settings) -> Board {
        let mut subscribers = vec![Vec::new(); Kind::COUNT];
        let mut checkers = Vec::new();
        for entry in entries {
            let invariant = (entry.create)(estate, &settings(entry.name));
            let position = u8::try_from(checkers.len()).expect("there are fewer than 256 invariants");
            for kind in invariant.interests() {
                subscribers[*kind as usize].push(position);
            }
            checkers.push(Checker { entry, invariant, ledger: Ledger::default() });
        }
        Board { checkers, subscribers }
    }

    /// Whether any checker wants observations of this kind.
    pub fn wants(&self, kind: Kind) -> bool {
        !self.subscribers[kind as usize].is_empty()
    }

    /// Shows the next observations, in the order in which they were made.
    pub fn observe(&mut self, observed: &[Observed], estate: &Estate) {
        for fact in observed {
            for position in &self.subscribers[fact.what.kind() as usize] {
                let checker = &mut self.checkers[usize::from(*position)];
                checker.invariant.observe(fact, estate, &mut checker.ledger);
            }
        }
    }

    /// The run is over at `end`: the account of each invariant, in the order of the catalogue.
    pub fn finish(self, end: SimTime, estate: &Estate) -> Vec<(&'static Entry, Ledger)> {
        let settle = |mut checker: Checker| {
            checker.invariant.finish(end, estate, &mut checker.ledger);
            (checker.entry, checker.ledger)
        };
        self.checkers.into_iter().map(settle).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::{Stream, estate, interaction};

    struct Counts;

    impl Invariant for Counts {
        fn interests(&self) -> &'static [Kind] {
            &[Kind::Arrived, Kind::Closed]
        }
        fn observe(&mut self, _: &Observed, _: &Estate, ledger: &mut Ledger) {
            ledger.check();
        }
        fn finish(&mut self, _: SimTime, _: &Estate, ledger: &mut Ledger) {
            ledger.exercise();
        }
    }

    static COUNTS: Entry = Entry {
        name: "counts",
        sentence: "never",
        exercised_when: "always",
        exhibits: ("", ""),
        causes: &[],
        reachable: |_, _| true,
        create: |_, _| Box::new(Counts),
    };

    #[test]
    fn a_checker_sees_the_kinds_it_asked_for_and_no_others() {
        let estate = estate();
        let mut board = Board::of(&[&COUNTS], &estate, &|_| Settings::default());
        let mut stream = Stream::new(&estate);
        stream.arrives(interaction(0, 0));
        stream.finishes(interaction(0, 0));
        stream.closes(interaction(0, 0), None);
        assert!(board.wants(Kind::Arrived) && !board.wants(Kind::Finished));
        board.observe(stream.observed(), &estate);
        let accounts = board.finish(SimTime::ZERO, &estate);
        assert_eq!((accounts[0].1.checked, accounts[0].1.exercised), (2, 1));
    }

    #[test]
    fn the_board_reports_every_invariant_of_the_catalogue_in_its_order() {
        let estate = estate();
        let accounts = Board::new(&estate, &|_| Settings::default()).finish(SimTime::ZERO, &estate);
        let names: Vec<_> = accounts.iter().map(|(entry, _)| entry.name).collect();
        assert_eq!(names, ALL.iter().map(|entry| entry.name).collect::<Vec<_>>());
    }
}
