//! `migration: 1..5`: one scenario in the five stages of a migration, from flags in each service to one rollout that
//! travels with requests and events.

mod common;

use common::{plan_with, run_once, scenario, shipped, told};
use std::sync::LazyLock;
use windtunnel::models::observation::{Kind, Observation, Source};
use windtunnel::models::world::{Course, World};
use windtunnel::run::summary::RunSummary;
use windtunnel::scenario::{Assumption, Origin, Request, assumptions};
use windtunnel::units::SimTime;

/// The scenario that ships: a shop that says nothing of how its services come to decisions.
fn shop() -> String {
    shipped("migration-stages.yaml")
}

/// The base is in the first stage.
fn variant(stage: usize) -> Option<String> {
    (stage > 1).then(|| format!("stage-{stage}"))
}

/// Three runs of each stage.
static RUNS: LazyLock<Vec<Vec<RunSummary>>> = LazyLock::new(|| {
    let stage = |stage| {
        let plan = plan_with(&shop(), variant(stage).as_deref(), &[]);
        (1..=3).map(|seed| run_once(&plan, seed).summary).collect()
    };
    (1..=5).map(stage).collect()
});

/// A metric's mean in each stage.
fn by_stage(name: &str) -> [f64; 5] {
    let value = |run: &RunSummary| run.metric(name).unwrap_or_else(|| panic!("{name} has no value"));
    [0, 1, 2, 3, 4].map(|stage| RUNS[stage].iter().map(value).sum::<f64>() / RUNS[stage].len() as f64)
}

/// What a stage lays beneath the shop, in the order in which `explain assumptions` prints it.
fn laid(text: &str, stage: usize) -> Vec<(String, String)> {
    let scenario = scenario(text);
    let of_stage = |assumption: &Assumption| match assumption.origin {
        Origin::Default { source } => source.starts_with(&format!("migration: {stage}, ")),
        Origin::Given => false,
    };
    let listed = assumptions(&scenario, &Request { variant: variant(stage).as_deref(), set: &[] });
    listed.into_iter().filter(of_stage).map(|assumption| (assumption.path, assumption.value)).collect()
}

#[test]
fn a_decision_that_travels_with_requests_and_then_with_events_is_split_less_and_less() {
    let mixed = by_stage("mixed_interactions.count");
    assert!(mixed[1] < 0.7 * mixed[0], "carried from the edge: {mixed:?}");
    assert!(mixed[2] < 0.1 * mixed[1], "and by events: {mixed:?}");
    assert!(mixed[3] <= mixed[2] && mixed[4] <= mixed[2] + 1.0, "{mixed:?}");
}

#[test]
fn events_that_say_their_version_are_misread_by_nobody() {
    let misread = by_stage("misread_events.count");
    assert!(misread[0] > 1_000.0 && misread[1] > 1_000.0, "{misread:?}");
    assert_eq!(misread[2..], [0.0; 3]);
}

#[test]
fn what_must_reconcile_first_exposes_few_to_what_is_wrong() {
    let exposed = by_stage("exposed_interactions.count");
    assert!(exposed[3] < 0.3 * exposed[2], "a step waits for what the job finds: {exposed:?}");
}

#[test]
fn once_local_checks_are_retired_only_the_edge_asks_its_sdk() {
    let questions = by_stage("control_plane_questions.count");
    assert!(questions[4] < 0.7 * questions[3], "{questions:?}");
    for stage in [4, 5] {
        let plan = plan_with(&shop(), variant(stage).as_deref(), &[]);
        let estate = &*plan.estate;
        let web = estate.service_named("web").expect("the service");
        let mut world = World::assemble(estate, 1, Course::WithRollouts, [true; Kind::COUNT]);
        let mut elsewhere = 0;
        while world.step(estate, SimTime::from(estate.horizon())) {
            for fact in world.cx().observations() {
                if let Observation::Decided(decided) = &fact.what {
                    elsewhere += u64::from(decided.source == Source::Sdk && decided.service != web);
                }
            }
        }
        assert_eq!(elsewhere, 0, "stage {stage}: nothing is stripped, so that nobody falls back on a check of its own");
    }
}

#[test]
fn what_a_stage_sets_is_an_assumption_with_its_source() {
    let path =
        |stage| laid(&shop(), stage).into_iter().map(|(path, value)| format!("{path}: {value}")).collect::<Vec<_>>();
    assert_eq!(
        path(1),
        [
            "services.books.decides_from: [sdk, safe_stage]",
            "services.books.forwards: 0%",
            "services.books.sdk: { poll: 30s }",
            "services.payments.decides_from: [sdk, safe_stage]",
            "services.payments.forwards: 0%",
            "services.payments.sdk: { poll: 30s }",
            "services.stock.decides_from: [sdk, safe_stage]",
            "services.stock.forwards: 0%",
            "services.web.decides_from: [sdk, safe_stage]",
            "services.web.forwards: 0%",
            "services.web.sdk: { poll: 30s }",
            "topics.payment-events.carries: []",
        ]
    );
    assert_eq!(
        path(2),
        [
            "services.books.decides_from: [context, sdk, safe_stage]",
            "services.books.sdk: { poll: 30s }",
            "services.payments.decides_from: [context, sdk, safe_stage]",
            "services.payments.sdk: { poll: 30s }",
            "services.stock.decides_from: [context, sdk, safe_stage]",
            "services.web.decides_from: [sdk, safe_stage]",
            "services.web.edge: true",
            "services.web.sdk: { poll: 30s }",
            "topics.payment-events.carries: []",
        ]
    );
    assert_eq!(
        path(4),
        [
            "reconciliation.pay-vs-book.metric: pay_vs_book_variance",
            "rollout.instant.exit: [pay_vs_book_variance <= 0.3%]",
            "services.books.decides_from: [context, event, sdk, safe_stage]",
            "services.books.otherwise: park",
            "services.books.sdk: { poll: 30s }",
            "services.payments.decides_from: [context, sdk, safe_stage]",
            "services.payments.sdk: { poll: 30s }",
            "services.stock.decides_from: [context, sdk, safe_stage]",
            "services.web.decides_from: [sdk, safe_stage]",
            "services.web.edge: true",
            "services.web.sdk: { poll: 30s }",
            "topics.payment-events.carries: all",
        ]
    );
    assert_eq!(
        path(5)[2..7],
        [
            "services.books.decides_from: [context, event, safe_stage]",
            "services.books.otherwise: park",
            "services.payments.decides_from: [context, safe_stage]",
            "services.stock.decides_from: [kill, context, safe_stage]",
            "services.web.decides_from: [sdk, safe_stage]",
        ]
    );
}

#[test]
fn what_the_file_says_stands_above_what_a_stage_sets() {
    let says = shop()
        .replace(
            "topics: { payment-events: { partitions: 4 } }",
            "defaults: { topic: { carries: [domain_version] } }\ntopics: { payment-events: { partitions: 4 } }",
        )
        .replace("sdk: { poll: 20s }", "sdk: { poll: 20s }\n    decides_from: [safe_stage]");
    let of = |path: &str| laid(&says, 1).iter().any(|(laid, _)| laid == path);
    assert!(of("services.web.decides_from") && of("services.stock.forwards"));
    assert!(!of("services.stock.decides_from") && !of("topics.payment-events.carries") && !of("services.stock.sdk"));
    let exits =
        shop().replace("hold: 20m }\n      - { name: all", "hold: 20m, exit: [\"answers > 1\"] }\n      - { name: all");
    assert!(laid(&exits, 4).iter().all(|(path, _)| path != "rollout.instant.exit"));
}

#[test]
fn a_stage_that_there_is_not_is_told() {
    for wrong in ["0", "6", "two"] {
        let told = told(&shop().replace("migration: 1\n", &format!("migration: {wrong}\n")));
        assert!(told.contains(&format!("`migration` is never `{wrong}`")), "{told}");
    }
}
