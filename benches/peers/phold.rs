//! PHOLD in every engine's idioms.

use crate::common::clock;
use crate::common::rounds::short;
use crate::common::{Bar, Options, Page, Table};
use crate::contest::{Contest, Engine};
use crate::models::phold::Phold;
use crate::program::{Account, Peers};
use std::collections::BTreeMap;

struct Size {
    name: &'static str,
    population: u64,
    events: u64,
    /// Times as much as ours: NeXosim's best idiom and its ports, SimPy's callbacks and processes.
    bars: Option<[f64; 4]>,
}

const SIZES: [Size; 3] = [
    Size { name: "1 k", population: 1_000, events: 1_000_000, bars: Some([3.0, 8.0, 12.0, 18.0]) },
    Size { name: "100 k", population: 100_000, events: 1_000_000, bars: Some([4.0, 20.0, 12.0, 18.0]) },
    Size { name: "1 M", population: 1_000_000, events: 2_000_000, bars: None },
];

const OURS: &str = "windtunnel";
const BEST: &str = "NeXosim, one model";
const PORTS: &str = "NeXosim, ports";
const DESIM: &str = "desim";
const CALLBACKS: &str = "SimPy, callbacks";
const PROCESSES: &str = "SimPy, processes";

pub fn measure(options: &Options, peers: &Peers, page: &mut Page) {
    let wanted: Vec<&Size> = SIZES.iter().filter(|size| options.wants(&format!("phold {}", size.name))).collect();
    if wanted.is_empty() {
        return;
    }
    let columns = ["engine", "pending", "ns/event", "times windtunnel's"];
    let mut table = Table::new("PHOLD against peers, one thread", &columns);
    let mut bars = Vec::new();
    for size in wanted {
        let contest = Contest::hold(&format!("PHOLD, {}", size.name), options.rounds, engines(size, options, peers));
        for name in contest.rounds.names() {
            let ratio = contest.times_ours(name);
            let cost = contest.rounds.cost(name).to_string();
            table.row([name.to_owned(), size.name.to_owned(), cost, ratio.to_string()]);
        }
        for (name, least) in [BEST, PORTS, CALLBACKS, PROCESSES].into_iter().zip(size.bars.unwrap_or_default()) {
            if size.bars.is_some() {
                let what = format!("PHOLD against {name}, {} pending", size.name);
                bars.push(Bar::at_least(what, least, contest.times_ours(name)));
            }
        }
        eprintln!("{}: {} M events/s", size.name, short(1e3 / contest.rounds.cost(OURS).median));
    }
    page.table(&table);
    page.bars("PHOLD against peers: bars", &bars);
}

fn engines<'a>(size: &Size, options: &Options, peers: &'a Peers) -> Vec<Engine<'a>> {
    let (population, events) = (size.population, options.scaled(size.events));
    let words = move |idiom: &[&str], seed: u64| -> Vec<String> {
        let numbers = [population, events, seed].map(|number| number.to_string());
        idiom.iter().map(|word| (*word).to_owned()).chain(numbers).collect()
    };
    let mut engines: Vec<Engine<'a>> = vec![
        (OURS, Box::new(move |seed| ours(population, events, seed))),
        (BEST, Box::new(move |seed| peers.nexosim(&words(&["phold", "one"], seed)))),
        (DESIM, Box::new(move |seed| peers.desim(&words(&["phold"], seed)))),
        (CALLBACKS, Box::new(move |seed| peers.simpy("phold.py", &words(&["callbacks"], seed)))),
        (PROCESSES, Box::new(move |seed| peers.simpy("phold.py", &words(&["processes"], seed)))),
    ];
    // A million models with four ports each need more memory than a small machine has.
    if population <= 100_000 {
        engines.insert(2, (PORTS, Box::new(move |seed| peers.nexosim(&words(&["phold", "ports"], seed)))));
    }
    engines
}

fn ours(population: u64, events: u64, seed: u64) -> Account {
    let mut phold = Phold::new(population, seed);
    let before = clock::process_cpu();
    let events = phold.run(events);
    let cpu = clock::process_cpu() - before;
    Account { events, completions: events, cpu, figures: BTreeMap::new() }
}
