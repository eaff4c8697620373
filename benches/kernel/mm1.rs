//! M/M/1 on the kernel, checked against theory.

use crate::common::rounds::short;
use crate::common::{Contender, Cost, Options, Page, Table, interleave};
use crate::models::mm1::{Mm1, SOJOURN, tolerance};

pub fn measure(options: &Options, page: &mut Page) {
    if !options.wants("mm1") {
        return;
    }
    let customers = options.scaled(10_000_000);
    let mut sojourns = Vec::new();
    let mut seed = 0;
    let contender = Contender::new("kernel", || {
        seed += 1;
        let mut queue = Mm1::new(seed);
        let cost = Cost::of_work(|| queue.serve(customers));
        sojourns.push(queue.mean_sojourn());
        cost
    });
    let rounds = interleave(options.rounds, vec![contender]);
    for sojourn in &sojourns {
        assert!((sojourn / SOJOURN - 1.0).abs() < tolerance(customers), "mean sojourn {sojourn} s, theory {SOJOURN} s");
    }
    let cost = rounds.cost("kernel");
    let mut table = Table::new(
        format!("M/M/1 on the kernel, utilisation 0.8, {customers} customers"),
        &["engine", "ns/customer", "s for all", "mean sojourn, ms (theory 5)"],
    );
    let mean = sojourns.iter().sum::<f64>() / sojourns.len() as f64;
    table.row(["kernel".to_owned(), cost.to_string(), short(cost.median * customers as f64 / 1e9), short(mean * 1e3)]);
    page.table(&table);
}
