//! What must not be faked: no key without effect, no failure mode that knows its scenario's name, no number in a story
//! that is not an observation's.

mod common;

use common::{plan_with, run_once, shipped};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use windtunnel::campaign::{Orders, Seeds, Unrecorded, run_variant};
use windtunnel::scenario::tree::{self, Kind, Node};
use windtunnel::scenario::{Request, Scenario, Sources};

const SHIPPED: [&str; 5] = [
    "split-brain.yaml",
    "consumer-lag.yaml",
    "control-plane-outage.yaml",
    "semantic-mismatch.yaml",
    "otel-demo/otel-demo.yaml",
];

fn leaves(node: &Node, found: &mut Vec<(usize, usize)>) {
    match &node.kind {
        Kind::Scalar(_) if node.span.end > node.span.start && !node.is_null() => {
            found.push((node.span.start as usize, node.span.end as usize));
        }
        Kind::Scalar(_) => {}
        Kind::List(items) => items.iter().for_each(|item| leaves(item, found)),
        Kind::Map(entries) => entries.iter().for_each(|entry| leaves(&entry.value, found)),
    }
}

/// Another value of the same kind where that is easy, nonsense where it is not.
fn perturbed(text: &str) -> String {
    let bare = text.trim_matches(['"', '\'']);
    let quote = if text == bare { "" } else { &text[..1] };
    let inner = match bare {
        // Of the moment a run begins only the time of day is used.
        _ if bare.contains("T06:") => bare.replace("T06:", "T07:"),
        "true" => "false".to_owned(),
        "false" => "true".to_owned(),
        _ if bare.starts_with(|c: char| c.is_ascii_digit()) => {
            let digits = bare.find(|c: char| !c.is_ascii_digit()).unwrap_or(bare.len());
            let number: u64 = bare[..digits].parse().unwrap_or(0);
            let other = match number {
                0 => 3,
                1 => 2,
                more => more.div_ceil(2),
            };
            format!("{other}{}", &bare[digits..])
        }
        _ => format!("{bare}x"),
    };
    format!("{quote}{inner}{quote}")
}

/// Everything of every variant's plan that something downstream can see, but for the hash of the text itself.
fn seen(text: &str, folder: &Path) -> Vec<String> {
    let mut include = |path: &str| std::fs::read(folder.join(path)).map_err(|why| why.to_string());
    let Ok(scenario) = Scenario::read("perturbed.yaml", text.as_bytes(), &mut include) else {
        return vec!["an error of reading".to_owned()];
    };
    let variants = scenario.variants();
    let of = |variant: Option<&str>| match scenario.plan(&Request { variant, set: &[] }) {
        Ok(loaded) => {
            let plan = loaded.plan;
            format!("{} {} {:?} {:?} {:?}", plan.scenario, plan.summary, plan.estate, plan.expectations, plan.settings)
        }
        Err(_) => "an error of meaning".to_owned(),
    };
    std::iter::once(None).chain(variants.iter().map(|name| Some(name.as_str()))).map(of).collect()
}

#[test]
fn no_value_of_a_shipped_scenario_is_parsed_and_then_read_by_nobody() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut idle = Vec::new();
    let mut tried = 0;
    for name in SHIPPED {
        let path = root.join(name);
        let folder = path.parent().expect("a file lies in a folder");
        let text = shipped(name);
        let as_written = seen(&text, folder);
        let tree = tree::read(&mut Sources::default(), name, text.as_bytes()).expect("a shipped scenario is YAML");
        let mut spans = Vec::new();
        leaves(&tree, &mut spans);
        for (start, end) in spans {
            tried += 1;
            let other = format!("{}{}{}", &text[..start], perturbed(&text[start..end]), &text[end..]);
            if seen(&other, folder) == as_written {
                let line = text[..start].lines().count();
                idle.push(format!("{name}:{line}: {} -> {}", &text[start..end], perturbed(&text[start..end])));
            }
        }
    }
    assert!(tried > 300, "{tried} values tried");
    assert_eq!(idle, Vec::<String>::new());
}

#[test]
fn renaming_scenario_feature_and_stages_changes_no_count_and_no_cause() {
    let text = shipped("split-brain.yaml");
    let renamed = text
        .replace("split-brain\n", "some-name\n")
        .replace("new-checkout", "zebra")
        .replace("\"on\"", "\"stripes\"")
        .replace("\"off\"", "\"plain\"");
    let (one, other) = (run_once(&common::plan(&text), 3), run_once(&common::plan(&renamed), 3));
    for (a, b) in one.summary.invariants.iter().zip(&other.summary.invariants) {
        assert_eq!((a.verdict, a.violations, &a.causes), (b.verdict, b.violations, &b.causes), "{}", a.name);
    }
    assert!(one.summary.invariants[0].violations > 0);
}

#[test]
fn renaming_services_changes_no_verdict_and_no_cause() {
    let text = shipped("split-brain.yaml");
    let renamed = text
        .replace("gateway", "ant")
        .replace("  checkout:", "  bee:")
        .replace(" checkout,", " bee,")
        .replace("billing", "cow");
    let (one, other) = (run_once(&common::plan(&text), 3), run_once(&common::plan(&renamed), 3));
    for (a, b) in one.summary.invariants.iter().zip(&other.summary.invariants) {
        let causes = |causes: &[(&'static str, u64)]| causes.iter().map(|(cause, _)| *cause).collect::<Vec<_>>();
        assert_eq!((a.verdict, causes(&a.causes)), (b.verdict, causes(&b.causes)), "{}", a.name);
    }
}

#[test]
fn two_causes_in_one_run_are_told_apart() {
    let plan = plan_with(&shipped("control-plane-outage.yaml"), Some("restart"), &[]);
    let run = run_once(&plan, 1);
    let split = run.summary.invariants.iter().find(|one| one.name == "split-brain").expect("it is checked");
    let causes: Vec<&str> = split.causes.iter().map(|(cause, _)| *cause).collect();
    assert!(causes.contains(&"stale cache") && causes.contains(&"fallback"), "{causes:?}");
}

#[test]
fn the_baseline_without_the_rollout_has_none_of_the_violations() {
    for (name, invariant) in [("semantic-mismatch.yaml", "semantic-mismatch"), ("split-brain.yaml", "split-brain")] {
        let run = run_once(&common::plan(&shipped(name)), 2);
        let outcome = run.summary.invariants.iter().find(|one| one.name == invariant).expect("it is checked");
        assert!(outcome.violations > 0 && outcome.in_baseline == 0, "{name}: {outcome:?}");
    }
}

#[test]
fn a_violation_that_the_baseline_has_too_does_not_count() {
    // No rollout at all: the consumer's code knows version 1 only and reads every event of version 2 as that.
    let text = "windtunnel: 1\nname: old-sin\nduration: 2m\n\
        features: { f: { stages: [\"off\", \"on\"], initial_stage: \"on\" } }\n\
        services:\n  a: { replicas: 1, sdk: { poll: 10s } }\n  b: { replicas: 1, sdk: { poll: 10s }, consumes: { t: { group: b } }, code: { 1: { understands: [1] } }, otherwise: { process_as: 1 }, operations: { on E: [{ do: [{ effect: e }] }] } }\n  c: { replicas: 1, operations: { o: [{ do: [{ emit: t, type: E, domain_version: 2 }] }] } }\n\
        topics: { t: { partitions: 1 } }\n\
        journeys: { j: { arrivals: 5/s, first: c.o } }\n\
        expect: { completion: holds }\n";
    let run = run_once(&common::plan(text), 1);
    let lag = run.summary.invariants.iter().find(|one| one.name == "semantic-lag").expect("it is checked");
    assert_eq!(lag.violations, 0);
    assert!(lag.in_baseline > 100, "every event is misread with and without a rollout: {lag:?}");
    assert_ne!(lag.verdict.name(), "violated");
}

#[test]
fn every_line_of_a_story_is_an_observation() {
    let plan = plan_with(&shipped("control-plane-outage.yaml"), None, &[]);
    let stop = AtomicBool::new(false);
    let outcome =
        run_variant(plan, &Seeds::all(1..2), &Orders { exhibit: true, ..Orders::new(1, &stop) }, &mut Unrecorded);
    let exhibit = outcome.exhibit.expect("there is a run to show");
    assert!(!exhibit.stories.is_empty());
    for story in exhibit.stories {
        assert!(story.lines.len() > 3, "{}", story.headline);
        assert!(story.lines.iter().all(|line| line.observation > 0), "{}", story.headline);
        assert!(story.lines.windows(2).all(|pair| pair[0].at <= pair[1].at), "in time order");
    }
}
