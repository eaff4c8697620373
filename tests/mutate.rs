//! `windtunnel mutate`: an estate that is broken on purpose is noticed by the invariant that is there for it; what nobody
//! notices and what notices nothing is told.

mod common;

use assert_cmd::Command;
use common::{plan, plan_with, shipped};
use serde_json::Value as Json;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use windtunnel::campaign::grid::Together;
use windtunnel::campaign::mutate::{Mutant, Mutation, Operator, Seen, Standing, mutants, mutate, operators, unmutated};
use windtunnel::run::Limits;
use windtunnel::scenario::Plan;

/// The mutants of a plan with these names, or all of them, over two seeds.
fn mutated(plan: &Plan, operators: &[&'static Operator], only: &[&str]) -> Mutation {
    let mut found = mutants(plan, operators);
    found.all.retain(|named| only.is_empty() || only.contains(&named.name().as_str()));
    assert!(only.iter().all(|name| found.all.iter().any(|named| named.name() == *name)), "{only:?} apply");
    let stop = AtomicBool::new(false);
    let together = Together { jobs: 2, limits: Limits::default(), stop: &stop, progress: &|| {} };
    let base = unmutated(plan, 1..3, together).expect("nobody stops it");
    mutate(plan, &base, found, 1..3, together)
}

/// Scenario, variant, mutant, the invariant that notices it, and the cause it names.
const NOTICED: [[&str; 5]; 11] = [
    ["split-brain", "edge-context", "ignore-context@billing", "split-brain", "stale cache"],
    ["split-brain", "edge-context", "strip-context@gateway", "split-brain", "stripped context"],
    ["lost-events", "commit-after-work", "commit-early@shipping", "no-lost-event", "committed before it was handled"],
    [
        "unknown-outcome",
        "idempotency-key",
        "no-idempotency-key@transfer",
        "exactly-once-effect",
        "retried after an unknown outcome",
    ],
    ["layered-caches", "announced", "no-invalidation@payments", "kill-latency", "stale cache"],
    ["mobile-tail", "kill-at-the-edge", "ignore-kill-channel@api", "kill-latency", "carried context"],
    ["rollback-unsafe", "keep-reader", "misunderstand@ledger", "rollback-safe", "read under an old meaning"],
    ["control-plane-outage", "restart-persist", "lose-persistence@payments", "control-plane-independence", "fell back"],
    ["misreported", "from-event", "ignore-event-context@reporting", "record-truth", "other path"],
    [
        "irreversible",
        "committed-first",
        "early-stage@payouts.pay_out",
        "irreversible-exposure",
        "before the commit stage",
    ],
    ["unreconciled", "fixed-first", "new-path-corrupts@ledger", "reconciled", "variance"],
];

/// The split-brain scenario, so small that it costs nothing.
const SMALL: [&str; 2] = ["duration=3m", "journeys.place-order.arrivals=20/s"];

#[test]
fn each_mutant_is_noticed_by_the_invariant_that_is_there_for_it() {
    for [file, variant, mutant, invariant, cause] in NOTICED {
        let small: &[&str] = if file == "split-brain" { &SMALL } else { &[] };
        let plan = plan_with(&shipped(&format!("{file}.yaml")), Some(variant), small);
        let found = mutated(&plan, operators::ALL, &[mutant]);
        let [outcome] = found.outcomes.as_slice() else { panic!("{file}: {:?}", found.outcomes) };
        let at = found.columns.iter().position(|column| column.name == invariant).expect(invariant);
        let Seen::Red { seeds, causes } = &outcome.seen[at] else { panic!("{mutant}: {:?}", outcome.seen) };
        assert_eq!((outcome.standing, *seeds, causes[0].0), (Standing::Noticed, 2, cause), "{mutant} of {file}");
        assert!(!outcome.same_runs && !found.blind.contains(&invariant), "{mutant} of {file}");
    }
}

/// Two services, one of which goes by what the other has decided.
const CARRIED: &str = r#"
windtunnel: 1
name: carried
duration: 2m
features: { f: { stages: ["off", "on"] } }
services:
  a: { edge: true, sdk: { poll: 20s } }
  b: { sdk: { poll: 20s }, decides_from: [context] }
journeys: { j: { arrivals: 10/s, calls: [a, b], feature: f } }
rollout: { f: { steps: [{ at: 30s, move: [{ to: "on", percent: 50% }] }] } }
expect: { split-brain: holds, completion: holds }
"#;

fn do_nothing(plan: &Plan) -> Result<Vec<Mutant>, &'static str> {
    Ok(vec![Mutant { place: String::new(), change: "nothing".to_owned(), plan: plan.clone() }])
}

static DO_NOTHING: Operator =
    Operator { name: "do-nothing", sentence: "Planted: nothing is changed at all.", mutants: do_nothing };

#[test]
fn a_mutant_that_does_nothing_survives_and_what_notices_nothing_is_blind() {
    let found = mutated(&plan(CARRIED), &[&DO_NOTHING], &[]);
    let [outcome] = found.outcomes.as_slice() else { panic!("{:?}", found.outcomes) };
    assert_eq!(
        (outcome.standing, outcome.same_runs, outcome.name()),
        (Standing::Survived, true, "do-nothing".to_owned())
    );
    assert!(outcome.seen.iter().all(|seen| *seen == Seen::Nothing), "{:?}", outcome.seen);
    assert_eq!((found.blind.as_slice(), found.score()), (&["split-brain", "completion"][..], Some(0.0)));
}

#[test]
fn an_invariant_that_no_mutant_turns_red_is_reported_and_one_that_some_does_is_not() {
    let found = mutated(&plan(CARRIED), operators::ALL, &[]);
    assert_eq!(found.blind, ["completion"]);
    assert!(found.outcomes.iter().any(|outcome| outcome.name() == "ignore-context@b"));
    // What decides nothing is told apart from what the file names.
    let elsewhere = found.outcomes.iter().find(|outcome| outcome.name() == "wrong-environment@a").expect("it asks");
    assert_eq!(elsewhere.standing, Standing::Unnamed, "{elsewhere:?}");
    let red = found.columns.iter().zip(&elsewhere.seen).filter(|(_, seen)| matches!(seen, Seen::Red { .. }));
    let red: Vec<(&str, bool)> = red.map(|(column, _)| (column.name.as_str(), column.notices)).collect();
    assert_eq!(red, [("sample-ratio", false), ("convergence", false)]);
}

#[test]
fn a_mutant_that_keeps_what_is_named_from_happening_is_noticed() {
    let text =
        CARRIED.replace("expect: {", "timeline: [{ at: 80s, kill: f, to: \"off\" }]\nexpect: { kill-latency: holds,");
    let found = mutated(&plan(&text), operators::ALL, &["drop-kill@kill f"]);
    let at = found.columns.iter().position(|column| column.name == "kill-latency").expect("it is named");
    assert_eq!((&found.outcomes[0].seen[at], found.outcomes[0].standing), (&Seen::Gone, Standing::Noticed));
    // That nothing happens any more is no proof that it could be seen.
    assert!(found.blind.contains(&"kill-latency"));
}

#[test]
fn what_does_not_apply_is_told_with_the_reason_and_names_are_unique() {
    let found = mutants(&plan(CARRIED), operators::ALL);
    let why = |name: &str| found.not_applicable.iter().find(|(operator, _)| *operator == name).map(|(_, why)| *why);
    assert_eq!(why("drop-kill"), Some("the timeline has no kill"));
    assert_eq!(why("commit-early"), Some("no group commits what it has handled"));
    let mut names: Vec<String> = found.all.iter().map(|named| named.name()).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
    // Every operator either applies or says why not.
    let applied: Vec<&str> = found.all.iter().map(|named| named.operator).collect();
    assert!(operators::ALL.iter().all(|operator| applied.contains(&operator.name) != why(operator.name).is_some()));
}

#[test]
fn every_operator_applies_to_some_shipped_scenario() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut applied: Vec<&'static str> = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let scenario = common::scenario(&std::fs::read_to_string(&path).expect("it is text"));
        for variant in std::iter::once("base".to_owned()).chain(scenario.variants()) {
            let request = windtunnel::scenario::Request { variant: Some(&variant), set: &[] };
            let Ok(loaded) = scenario.plan(&request) else { continue };
            applied.extend(mutants(&loaded.plan, operators::ALL).all.iter().map(|named| named.operator));
        }
    }
    let idle: Vec<&str> =
        operators::ALL.iter().map(|operator| operator.name).filter(|name| !applied.contains(name)).collect();
    assert_eq!(idle, ["drop-local-switch", "forget-decision", "carry-forever"], "these have a test of their own");
}

#[test]
fn operators_that_no_shipped_scenario_needs_change_what_they_say() {
    let text = CARRIED
        .replace("edge: true", "edge: { expires: 5s }")
        .replace("[context]", "[local, entity, context], local: { f: \"off\" }");
    let found = mutants(&plan(&text), operators::ALL);
    let mutant = |name: &str| &found.all.iter().find(|named| named.name() == name).expect(name).mutant.plan.estate;
    let service = |name: &str, of: &str| {
        let estate = mutant(name);
        estate.services[estate.service_named(of).expect(of)].clone()
    };
    assert!(
        service("drop-local-switch@b", "b").local.is_empty()
            && service("drop-local-switch@b", "a").edge_expires.is_some()
    );
    assert!(
        service("carry-forever@a", "a").edge_expires.is_none() && !service("carry-forever@a", "b").local.is_empty()
    );
}

fn run(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("windtunnel").expect("the binary is built with its tests");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = command.current_dir(root).arg("mutate").args(args).output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// A cheap scenario.
const CHEAP: [&str; 9] = [
    "scenarios/split-brain.yaml",
    "--variant",
    "edge-context",
    "--set",
    "duration=3m",
    "--set",
    "journeys.place-order.arrivals=20/s",
    "--seeds",
    "1..3",
];

#[test]
fn the_matrix_does_not_depend_on_the_number_of_jobs() {
    let only = ["--only", "ignore-context,frozen-cache@gateway,slow-cache@gateway,skip-gate,fail-open"];
    let with = |jobs| run(&[&CHEAP[..], &only, &["--jobs", jobs]].concat());
    let (one, two) = (with("1"), with("2"));
    assert_eq!(one, two);
    assert_eq!(one.0, 0, "{}", one.2);
    insta::assert_snapshot!(one.1);
}

#[test]
fn the_document_has_what_its_page_says() {
    let (code, out, err) =
        run(&[&CHEAP[..], &["--only", "ignore-context@billing,drop-kill", "--format", "json"]].concat());
    assert_eq!(code, 0, "{err}");
    let found: Json = serde_json::from_str(&out).expect("it is JSON");
    assert_eq!((&found["schema_version"], &found["score"], &found["noticed"]), (&1.into(), &1.0.into(), &1.into()));
    let mutant = &found["mutants"][0];
    assert_eq!((&mutant["name"], &mutant["standing"]), (&"ignore-context@billing".into(), &"noticed".into()));
    assert_eq!((&mutant["seen"][0]["seen"], &mutant["seen"][0]["seeds"]), (&"red".into(), &2.into()));
    assert_eq!(mutant["seen"][0]["causes"][0]["cause"], "stale cache");
    assert_eq!(found["columns"][0]["name"], "split-brain");
    assert_eq!(found["not_applicable"][0]["operator"], "drop-kill");
}

#[test]
fn exit_codes_are_those_of_the_page() {
    let only = |names| [&CHEAP[..], &["--only", names]].concat();
    let one = only("ignore-context@billing");
    let both = only("ignore-context@billing,frozen-cache@gateway");
    for (args, code, part) in [
        ([&one[..], &["--require", "all"]].concat(), 0, ""),
        ([&both[..], &["--require", "50%"]].concat(), 0, ""),
        ([&both[..], &["--require", "all"]].concat(), 1, ""),
        ([&both[..], &["--require", "51%"]].concat(), 1, ""),
        ([&both[..], &["--require", "most"]].concat(), 2, "expected `all` or a share of mutants"),
        (only("ignore-contxt"), 2, "did you mean `ignore-context`?"),
        (only("ignore-context@biling"), 2, "did you mean `ignore-context@billing`?"),
        (only("drop-kill"), 4, "drop-kill: the timeline has no kill"),
        (
            [&one[..], &["--set", "services.checkout.decides_from=[sdk]"]].concat(),
            1,
            "without a mutant the file is not as it expects",
        ),
        ([&one[..], &["--set", "expect.split-brain=violated", "--set", "duration=1m"]].concat(), 2, "never happens"),
    ] {
        let (seen, out, err) = run(&args);
        assert_eq!(seen, code, "{args:?}: {out}{err}");
        assert!(err.contains(part), "{args:?}: {err}");
    }
}

#[test]
fn the_page_in_the_docs_lists_every_mutant() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/mutate.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    for operator in operators::ALL {
        assert!(
            page.contains(&format!("| `{}` | {} |", operator.name, operator.sentence)),
            "missing {}",
            operator.name
        );
    }
}
