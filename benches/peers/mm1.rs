//! M/M/1 in every engine, each answer checked against theory.

use crate::common::clock;
use crate::common::rounds::short;
use crate::common::{Bar, Options, Page, Table};
use crate::contest::{Contest, Engine};
use crate::models::mm1::{Mm1, SOJOURN, tolerance};
use crate::models::scenario::{metric, plan_of, run_once};
use crate::program::{Account, Peers};
use std::collections::BTreeMap;

const SIMPY: &str = "SimPy, Resource";
const SCENARIO: &str = "windtunnel, scenario file";

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
        (SCENARIO, Box::new(|seed| through_a_scenario(customers, seed))),
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
        // A run of a scenario keeps a histogram, whose buckets are 1.6% wide.
        let buckets = if name == SCENARIO { 0.016 } else { 0.0 };
        let allowed = tolerance(customers * options.rounds as u64) + buckets;
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

/// The same queue as a scenario: a service with one worker, customers who are answered, all default checkers on.
fn through_a_scenario(customers: u64, seed: u64) -> Account {
    let seconds = customers as f64 / 800.0;
    let text = format!(
        "windtunnel: 1\nname: queue\nduration: {seconds}s\nnetwork: {{ within: 0s, between: 0s }}\nservices:\n  s: {{ \
         replicas: 1, workers: 1, queue: 1000000, operations: {{ o: {{ takes: {{ mean: 1ms }}, rules: [{{ do: [{{ \
         ignore: true }}] }}] }} }} }}\njourneys:\n  j: {{ arrivals: 800/s, first: s.o }}\nexpect: {{ completion: holds \
         }}\n"
    );
    let plan = plan_of(&text);
    let before = clock::process_cpu();
    let summary = run_once(&plan, seed);
    let cpu = clock::process_cpu() - before;
    // The sojourn is exponential: its mean is its median over ln 2.
    let sojourn = metric(&summary, "latency.p50") / std::f64::consts::LN_2;
    let figures = BTreeMap::from([("sojourn_ms".to_owned(), sojourn * 1e3)]);
    let completions = metric(&summary, "interactions.count").round() as u64;
    Account { events: summary.events, completions, cpu, figures }
}
