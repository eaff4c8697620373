//! Failure modes emerge as facts and arithmetic demand, and not as a file says.

mod common;

use common::{plan_with, shipped};
use windtunnel::models::observation::{Kind, Observation};
use windtunnel::models::world::{Course, World};
use windtunnel::run::{Keep, Limits, RunSpec, Walk};
use windtunnel::units::{SimDuration, SimTime};

/// Executions of flagged orders before and after a moment: all of them, and those on the old meaning.
fn executions(variant: Option<&str>, seed: u64, moment: SimTime) -> [(u64, u64); 2] {
    let plan = plan_with(&shipped("flag-reuse.yaml"), variant, &[]);
    let estate = &*plan.estate;
    let peg = estate.paths.find("peg");
    let mut world = World::assemble(estate, seed, Course::WithRollouts, Kind::ALL.map(|kind| kind == Kind::Effect));
    let mut counts = [(0, 0); 2];
    while world.step(estate, SimTime::from(estate.horizon())) {
        for fact in world.cx().observations() {
            if let Observation::Effect(made) = fact.what
                && made.irreversible
            {
                let (all, old) = &mut counts[usize::from(fact.at >= moment)];
                *all += 1;
                *old += u64::from(made.path == peg && peg.is_some());
            }
        }
    }
    counts
}

#[test]
fn a_reused_flag_means_the_old_thing_to_one_order_in_eight_and_to_all_once_the_code_is_taken_back() {
    let taken_back = SimTime::from(SimDuration::from_secs(110 * 60 + 5));
    let (mut before, mut after) = ((0, 0), (0, 0));
    for seed in 1..=10 {
        let [early, late] = executions(Some("rolled-back"), seed, taken_back);
        before = (before.0 + early.0, before.1 + early.1);
        after = (after.0 + late.0, after.1 + late.1);
    }
    // 38 orders a minute, 20 minutes, 10 runs; the routing is equal. Five standard deviations of a binomial count.
    let (orders, old) = (before.0 as f64, before.1 as f64);
    assert!((orders - 7_600.0).abs() < 5.0 * 7_600.0_f64.sqrt() + 100.0, "{before:?}");
    assert!((old - orders / 8.0).abs() < 5.0 * (orders * 7.0 / 64.0).sqrt(), "{before:?}");
    assert!(after.0 > 8_000 && after.0 == after.1, "every order is on the old meaning: {after:?}");
}

#[test]
fn with_a_flag_of_its_own_or_code_on_all_servers_nobody_does_the_old_thing() {
    for variant in ["own-flag", "all-eight"] {
        let [none, all] = executions(Some(variant), 1, SimTime::from(SimDuration::from_secs(90 * 60)));
        assert_eq!((none.0, all.1), (0, 0), "{variant}");
        assert!(all.0 > 1_000, "{variant}");
    }
}

#[test]
fn half_a_year_of_forty_polling_replicas_is_made_of_what_happens_in_it() {
    let plan = plan_with(&shipped("flag-debt.yaml"), None, &[]);
    assert_eq!(plan.estate.replicas.len(), 40);
    let end = Walk::new(&plan, &RunSpec::of(1), Limits::default(), Keep::Nothing).to_end();
    // 40 replicas, 180 days, a poll every 30 s: 20.7 million polls of three events each.
    assert!(end.events < 1_000_000, "{} events", end.events);
    let questions = common::run_once(&plan, 1).summary.metrics;
    let asked = questions.iter().find(|metric| metric.name == "control_plane_questions.count").expect("it is measured");
    assert!((asked.value - 20_736_000.0).abs() < 20_736.0, "{} polls", asked.value);
}

fn metric(run: &windtunnel::run::Completed, name: &str) -> f64 {
    run.summary.metrics.iter().find(|metric| metric.name == name).expect("it is measured").value
}

fn violations(run: &windtunnel::run::Completed, name: &str) -> u64 {
    run.summary.invariants.iter().find(|invariant| invariant.name == name).expect("it is checked").violations
}

#[test]
fn a_fleet_that_starts_inside_an_outage_is_off_until_its_end_unless_its_policy_is_written_down() {
    let run = |variant| common::run_once(&plan_with(&shipped("cold-start.yaml"), variant, &[]), 2);
    let cold = violations(&run(None), "control-plane-independence") as f64;
    // Four requests a second from 10m to 18m, and until the first poll after it.
    assert!((cold - 1_920.0).abs() < 5.0 * 1_920.0_f64.sqrt(), "{cold}");
    assert_eq!(violations(&run(Some("persist")), "control-plane-independence"), 0);
}

#[test]
fn replicas_whose_streams_broke_together_come_back_in_one_second_unless_their_pauses_are_drawn() {
    for seed in 1..=5 {
        let run = |variant| common::run_once(&plan_with(&shipped("cold-start.yaml"), Some(variant), &[]), seed);
        assert_eq!(metric(&run("herd"), "control_plane_load.after_outage"), 30.0);
        let spread = metric(&run("herd-jitter"), "control_plane_load.after_outage");
        assert!((1.0..=10.0).contains(&spread), "{spread} in one second");
    }
}

#[test]
fn a_report_that_asks_the_flag_is_wrong_for_whom_a_step_or_a_kill_has_moved_since() {
    let wrong = |variant, seed| {
        violations(&common::run_once(&plan_with(&shipped("misreported.yaml"), variant, &[]), seed), "record-truth")
    };
    let counts: Vec<u64> = (1..=5).map(|seed| wrong(None, seed)).collect();
    let mean = counts.iter().sum::<u64>() as f64 / 5.0;
    // 48 and 60, and 4 for the polls; five standard deviations of the mean of five Poisson counts.
    assert!((mean - 112.0).abs() < 5.0 * (112.0_f64 / 5.0).sqrt(), "{counts:?}");
    assert_eq!(wrong(Some("from-event"), 1), 0);
    assert!((1..20).contains(&wrong(Some("no-lag"), 1)));
}

#[test]
fn a_ledger_of_which_one_posting_in_fifty_is_wrong_counts_all_the_same_unless_it_is_mended_a_day_before() {
    let run = |variant| common::run_once(&plan_with(&shipped("unreconciled.yaml"), variant, &[]), 1);
    let base = run(None);
    assert_eq!(violations(&base, "reconciled"), 1);
    let (off, compared) = (metric(&base, "reconciliation_differing.count"), metric(&base, "reconciled.count"));
    // One a minute until the third morning, less ten minutes to settle.
    assert!((compared - 53.0 * 60.0).abs() < 5.0 * (53.0_f64 * 60.0).sqrt() + 10.0, "{compared}");
    assert!((off - compared * 0.02).abs() < 5.0 * (compared * 0.02).sqrt(), "{off} of {compared}");
    assert_eq!(violations(&run(Some("fixed-first")), "reconciled"), 0);
    assert_eq!(violations(&run(Some("by-night")), "reconciled"), 1);
}

/// A path that fails every time makes no effect, and is no less harmful for it.
#[test]
fn a_new_path_that_always_fails_does_harm_to_everybody_who_is_sent_on_it() {
    let text = r#"
windtunnel: 1
name: broken
duration: 10m
features: { f: { stages: ["off", "on"] } }
services:
  shop:
    sdk: { stream: true }
    operations: { buy: [{ when: 'stage == "on"', path: new, do: [{ fail: 100% }] }, { path: old, do: [{ effect: sell }] }] }
journeys: { buy: { arrivals: { every: 1s }, first: shop.buy, feature: f } }
rollout: { f: { steps: [{ at: 5m, move: [{ to: "on" }] }] } }
"#;
    let summary = common::run_once(&common::plan(text), 1).summary;
    let (exposed, harmed) = (summary.metric("exposed_interactions.count"), summary.metric("harm.count"));
    assert!(exposed.is_some_and(|count| (298.0..=301.0).contains(&count)), "{exposed:?}");
    assert_eq!((harmed, summary.metric("new_path_effects.count")), (exposed, Some(0.0)));
}
