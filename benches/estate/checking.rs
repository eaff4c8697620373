//! What it costs to watch: a run with all default checkers and metrics against the bare world, and the digest.

use crate::common::rounds::{Spread, short};
use crate::common::{Bar, Contender, Cost, Options, Page, Table, interleave};
use crate::models::scenario::{plan, run_once};
use std::hint::black_box;
use windtunnel::kernel::Digest;
use windtunnel::models::observation::Kind;
use windtunnel::models::world::{Course, World};
use windtunnel::scenario::Plan;
use windtunnel::units::SimTime;

pub fn measure(options: &Options, page: &mut Page) {
    if !options.wants("checking") {
        return;
    }
    let seconds = options.scaled(2_000).max(180);
    let requests = 200 * seconds;
    let plan = plan(Some("edge-context"), seconds);
    let whole = run_once(&plan, 1);
    // Each of the three services decides once.
    let decisions = 3 * requests;
    let folds = whole.events + whole.draws + decisions;
    let rounds = interleave(
        options.rounds,
        vec![
            Contender::new("bare", || Cost::of_work(|| bare(&plan, requests))),
            Contender::new("watched", || {
                Cost::of_work(|| {
                    black_box(run_once(&plan, 1));
                    requests
                })
            }),
            Contender::new("digest", || Cost::of_work(|| fold(folds, requests))),
        ],
    );
    let cost = |name| rounds.cost(name);
    let mut table = Table::new(
        format!("What it costs to watch: the split-brain chain, {requests} requests, one pass"),
        &["run", "ns/request", "of the bare world"],
    );
    for (what, name) in [
        ("the bare world: nothing observed, digest on", "bare"),
        ("all default checkers and metrics", "watched"),
        ("the folds of the digest alone", "digest"),
    ] {
        table.row([what.to_owned(), cost(name).to_string(), rounds.ratio(name, "bare").to_string()]);
    }
    table.row(["events per request".into(), short(whole.events as f64 / requests as f64), String::new()]);
    page.table(&table);
    // Without the digest the world would cost its bare cost less the folds, if those overlapped with nothing.
    let (watched, digest) = (rounds.ratio("watched", "bare"), rounds.ratio("digest", "bare"));
    let total = |watched: f64, digest: f64| watched / (1.0 - digest);
    let all = Spread {
        median: total(watched.median, digest.median),
        least: total(watched.least, digest.least),
        most: total(watched.most, digest.most),
    };
    page.bars(
        "What it costs to watch: bars",
        &[
            Bar::at_most("checkers and metrics, against the world alone", 1.25, watched),
            Bar::at_most("digest, checkers and metrics, against a world without them", 1.25, all),
        ],
    );
}

/// The world alone.
fn bare(plan: &Plan, requests: u64) -> u64 {
    let estate = &*plan.estate;
    let mut world = World::assemble(estate, 1, Course::WithRollouts, [false; Kind::COUNT]);
    let horizon = SimTime::from(estate.horizon());
    while world.step(estate, horizon) {}
    black_box(world.cx().digest());
    requests
}

/// As many folds as the run makes, each waiting for the one before.
fn fold(folds: u64, requests: u64) -> u64 {
    let mut digest = Digest::default();
    for n in 0..folds {
        digest.fold(n, n.rotate_left(32));
    }
    black_box(digest);
    requests
}
