//! M/M/1 in every engine, each answer checked against theory.

use crate::common::clock;
use crate::common::rounds::short;
use crate::common::{Bar, Options, Page, Table};
use crate::contest::{Contest, Engine};
use crate::models::mm1::{Mm1, SOJOURN, tolerance};
use crate::program::{Account, Peers};
use std::collections::BTreeMap;

const SIMPY: &str = "SimPy, Resource";

pub fn measure(options: &Options, peers: &Peers, page: &mut Page) {
    if !options.wants("mm1") {
        return;
    }
    let customers = options.scaled(1_000_000);
    let words = |model: &[&str], seed: u64| -> Vec<String> {
        let numbers = [customers, seed].map(|number| number.to_string());
        model.iter().map(|word| (*word).to_owned()).chain(numbers).collect()
    };
    let engines: Vec<Engine<'_>> = vec![
        ("windtunnel", Box::new(|seed| ours(customers, seed))),
        ("NeXosim, one model", Box::new(|seed| peers.nexosim(&words(&["mm1"], seed)))),
        ("desim", Box::new(|seed| peers.desim(&words(&["mm1"], seed)))),
        (SIMPY, Box::new(|seed| peers.simpy("mm1.py", &words(&[], seed)))),
    ];
    let contest = Contest::hold("M/M/1", options.rounds, engines);
    let mut table = Table::new(
        format!("M/M/1 against peers, utilisation 0.8, {customers} customers a round"),
        &["engine", "ns/customer", "times windtunnel's", "mean sojourn, ms (theory 5)"],
    );
    for name in contest.rounds.names() {
        let sojourn = contest.figure(name, "sojourn_ms");
        let allowed = tolerance(customers * options.rounds as u64);
        assert!((sojourn / 1e3 / SOJOURN - 1.0).abs() < allowed, "{name}: mean sojourn {sojourn} ms, theory 5 ms");
        let cost = contest.rounds.cost(name).to_string();
        table.row([name.to_owned(), cost, contest.times_ours(name).to_string(), short(sojourn)]);
    }
    page.table(&table);
    let what = format!("M/M/1 on the kernel against {SIMPY}");
    page.bars("M/M/1 against peers: bars", &[Bar::at_least(what, 60.0, contest.times_ours(SIMPY))]);
}

fn ours(customers: u64, seed: u64) -> Account {
    let mut queue = Mm1::new(seed);
    let before = clock::process_cpu();
    let completions = queue.serve(customers);
    let cpu = clock::process_cpu() - before;
    let figures = BTreeMap::from([("sojourn_ms".to_owned(), queue.mean_sojourn() * 1e3)]);
    Account { events: queue.dispatched(), completions, cpu, figures }
}
