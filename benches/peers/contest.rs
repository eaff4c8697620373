//! One model in several engines: interleaved rounds that count only if all did the same work.

use super::program::Account;
use crate::common::rounds::{Rounds, Spread, interleave};
use crate::common::{Contender, Cost};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// By how much counts of different engines may differ: 1%, or, where so little is run that chance alone does more, four
/// standard deviations of the difference of two Poisson counts of completions.
fn allowance(completions: u64) -> f64 {
    (4.0 * (2.0 / completions.max(1) as f64).sqrt()).max(0.01)
}

/// An engine's name, and one round of the model in it, given the round's seed.
pub type Engine<'a> = (&'static str, Box<dyn Fn(u64) -> Account + 'a>);

/// What the rounds gave.
pub struct Contest {
    pub rounds: Rounds,
    accounts: BTreeMap<&'static str, Vec<Account>>,
}

impl Contest {
    /// Lets each engine run once per round; costs are per completion.
    pub fn hold(model: &str, rounds: usize, engines: Vec<Engine<'_>>) -> Contest {
        eprintln!("{model}");
        let accounts = RefCell::new(BTreeMap::<&'static str, Vec<Account>>::new());
        let contenders = engines.iter().map(|(name, run)| {
            let accounts = &accounts;
            Contender::new(*name, move || {
                let seed = 1 + accounts.borrow().get(name).map_or(0, Vec::len) as u64;
                let account = run(seed);
                let cost = Cost { cpu: account.cpu, wall: account.cpu, units: account.completions };
                accounts.borrow_mut().entry(name).or_default().push(account);
                cost
            })
        });
        let contenders = contenders.collect();
        let rounds = interleave(rounds, contenders);
        let contest = Contest { rounds, accounts: accounts.into_inner() };
        contest.refuse_unequal_work(model);
        contest
    }

    /// Peers must have had as many events and completions; windtunnel itself, on another level, as many completions.
    fn refuse_unequal_work(&self, model: &str) {
        let ours = &self.accounts["windtunnel"];
        for (name, accounts) in &self.accounts {
            let is_peer = !name.starts_with("windtunnel");
            for (account, other) in ours.iter().zip(accounts) {
                let events = is_peer.then_some(("events", account.events, other.events));
                let completions = ("completions", account.completions, other.completions);
                for (what, own, other) in events.into_iter().chain([completions]) {
                    let difference = (other as f64 / own as f64 - 1.0).abs();
                    assert!(
                        difference <= allowance(account.completions),
                        "{model}: {other} {what} in {name}, {own} here: this is no comparison"
                    );
                }
            }
        }
    }

    /// The mean over rounds of a figure that an engine tells.
    pub fn figure(&self, engine: &str, name: &str) -> f64 {
        let accounts = &self.accounts[engine];
        accounts.iter().map(|account| account.figures[name]).sum::<f64>() / accounts.len() as f64
    }

    /// How many times as much an engine costs as we do.
    pub fn times_ours(&self, engine: &str) -> Spread {
        self.rounds.ratio(engine, "windtunnel")
    }
}
