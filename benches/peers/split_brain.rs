//! The split-brain chain: through its scenario file with all default checkers here, against a SimPy program of the same
//! fidelity that checks nothing.

use crate::common::clock;
use crate::common::rounds::{Spread, short};
use crate::common::{Bar, Options, Page, Table};
use crate::contest::{Contest, Engine};
use crate::models::scenario::{metric, plan, run_once};
use crate::program::{Account, Peers};
use std::collections::BTreeMap;
use windtunnel::scenario::Plan;

const OURS: &str = "windtunnel";
const ONE_PASS: &str = "windtunnel, edge-context";
const SIMPY: &str = "SimPy, no checkers";

pub fn measure(options: &Options, peers: &Peers, page: &mut Page) {
    if !options.wants("split-brain") {
        return;
    }
    let seconds = options.scaled(2_000).max(180);
    let (base, edge) = (plan(None, seconds), plan(Some("edge-context"), seconds));
    let engines: Vec<Engine<'_>> = vec![
        (OURS, Box::new(|seed| ours(&base, seed))),
        (ONE_PASS, Box::new(|seed| ours(&edge, seed))),
        (SIMPY, Box::new(|seed| peers.simpy("split_brain.py", &[seconds.to_string(), seed.to_string()]))),
    ];
    let contest = Contest::hold("the split-brain chain", options.rounds, engines);
    let mut table = Table::new(
        format!("The split-brain chain, {seconds} s of 200 requests/s"),
        &["engine", "ns/request", "times windtunnel's", "split requests, mean"],
    );
    for name in contest.rounds.names() {
        let cost = contest.rounds.cost(name).to_string();
        let split = short(contest.figure(name, "split"));
        table.row([name.to_owned(), cost, contest.times_ours(name).to_string(), split]);
    }
    page.table(&table);
    let micros = |name: &str| {
        let cost = contest.rounds.cost(name);
        Spread { median: cost.median / 1e3, least: cost.least / 1e3, most: cost.most / 1e3 }
    };
    let chain = "split-brain chain through its file, checkers on";
    page.bars(
        "Split-brain chain: bars",
        &[
            Bar::at_least(
                format!("{chain}, with the run without the rollout, against SimPy"),
                12.0,
                contest.times_ours(SIMPY),
            ),
            Bar::at_least(format!("{chain}, against SimPy"), 12.0, contest.rounds.ratio(SIMPY, ONE_PASS)),
            Bar::at_most(format!("{chain}, µs of CPU a request"), 2.5, micros(ONE_PASS)),
        ],
    );
}

fn ours(plan: &Plan, seed: u64) -> Account {
    let before = clock::process_cpu();
    let summary = run_once(plan, seed);
    let cpu = clock::process_cpu() - before;
    let succeeded = metric(&summary, "interactions.count") * metric(&summary, "success_rate");
    let figures = BTreeMap::from([("split".to_owned(), metric(&summary, "mixed_interactions.count"))]);
    Account { events: summary.events, completions: succeeded.round() as u64, cpu, figures }
}
