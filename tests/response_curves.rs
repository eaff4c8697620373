//! `windtunnel sweep`: response curves. Closed forms lie in the bands of the engine's runs where their conditions hold and
//! say nothing where they do not; a wrong one is caught; the knee of a known curve is where it is known to be.

mod common;

use assert_cmd::Command;
use common::plan;
use serde_json::Value as Json;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use windtunnel::campaign::grid::Together;
use windtunnel::campaign::sweep::{Asked, Axis, ClosedForm, Curve, Sweep, laws, sweep};
use windtunnel::run::Limits;
use windtunnel::stats::knee::Bend;

/// The sweep of a text with `VALUE` in it.
fn swept_with(text: &str, values: &str, metrics: &[&str], seeds: u64, laws: &[&'static ClosedForm]) -> Sweep {
    let axes = [Axis::read(&format!("VALUE={values}")).expect(values)];
    let plans: Vec<_> = axes[0].values.iter().map(|value| plan(&text.replace("VALUE", &value.text))).collect();
    let metrics: Vec<String> = metrics.iter().map(|name| (*name).to_owned()).collect();
    let stop = AtomicBool::new(false);
    let together = Together { jobs: 2, limits: Limits::default(), stop: &stop, progress: &|| {} };
    sweep(&Asked { axes: &axes, plans: &plans, metrics: &metrics, between: &[], laws }, 1..1 + seeds, together)
}

/// That each of these laws holds over a sweep.
fn assert_laws(text: &str, values: &str, seeds: u64, laws: &[(&str, &str)]) {
    let metrics: Vec<&str> = laws.iter().map(|(metric, _)| *metric).filter(|name| *name != "convergence").collect();
    let found = swept_with(text, values, &metrics, seeds, laws::ALL);
    laws.iter().for_each(|(name, law)| assert_law(&found, name, law));
}

fn curve<'s>(sweep: &'s Sweep, name: &str) -> &'s Curve {
    sweep.curves.iter().find(|curve| curve.of.name() == name).expect(name)
}

/// That the law holds at every point, lies in the bands, and would not if it were a quarter off.
fn assert_law(sweep: &Sweep, name: &str, law: &str) {
    let curve = curve(sweep, name);
    let found = curve.agreements();
    let [agreement] = found.as_slice() else { panic!("{law}: {found:?}") };
    assert_eq!((agreement.law, agreement.points), (law, sweep.points.len() as u64), "{agreement:?}");
    // Of 95% bands one in twenty is left out by chance.
    assert!(agreement.within + 1 >= agreement.points && agreement.disagrees.is_none(), "{law}: {curve:#?}");
    let off = curve.readings.iter().flatten().any(|reading| {
        let (theory, (low, high)) = (reading.theory.expect("it holds").value, reading.ci95.expect("many seeds"));
        0.75 * theory < low && high < 1.25 * theory
    });
    assert!(off, "{law} is seen too roughly to tell: {curve:#?}");
}

/// Two services that poll every `VALUE`; half of all users are moved, and then the others.
const POLLING: &str = r#"
windtunnel: 1
name: polling
duration: 120s
features: { f: { stages: ["off", "on"] } }
services:
  a: { replicas: 3, sdk: { poll: VALUE } }
  b: { replicas: 2, sdk: { poll: VALUE } }
journeys: { j: { arrivals: 30/s, calls: [a, b], feature: f } }
rollout: { f: { steps: [{ at: 5s, move: [{ to: "on", percent: 50% }], hold: 50s }, { move: [{ to: "on" }] }] } }
expect: { split-brain: violated }
"#;

#[test]
fn requests_that_polling_caches_split_follow_their_law_in_count_in_share_and_in_harm() {
    let laws = [
        ("mixed_interactions.count", "split-requests-of-polling"),
        ("mixed_interactions.share", "split-share-of-polling"),
        ("harm.count", "harm-of-polling"),
    ];
    assert_laws(POLLING, "10s,25s,40s", 24, &laws);
}

#[test]
fn requests_that_pushes_split_follow_their_law() {
    let text = POLLING.replace("poll: VALUE", "stream: { mean: VALUE }").replace("hold: 50s", "hold: 45s");
    let laws = [("mixed_interactions.count", "split-requests-of-pushes"), ("harm.count", "harm-of-pushes")];
    assert_laws(&text, "1s,2s", 40, &laws);
}

#[test]
fn a_wrong_law_is_caught() {
    static WRONG: ClosedForm = ClosedForm {
        name: "wrong",
        of: "mixed_interactions.count",
        formula: "λT k/(k+1)",
        holds: "never",
        source: "planted: the greatest of k uniform delays instead of their range",
        resolution: 0.0,
        value: |plan| laws::applies(laws::ALL, "mixed_interactions.count", plan).map(|(_, value)| 2.0 * value),
    };
    static A_TENTH_OFF: ClosedForm = ClosedForm {
        name: "a-tenth-off",
        of: "control_plane_questions.count",
        formula: "Σ N H/(1.1 T)",
        holds: "never",
        source: "planted: a period that is too long",
        resolution: 0.0,
        value: |plan| laws::applies(laws::ALL, "control_plane_questions.count", plan).map(|(_, value)| value / 1.1),
    };
    let wrong = [&WRONG, &A_TENTH_OFF];
    let found = swept_with(POLLING, "10s,25s", &wrong.map(|law| law.of), 40, &wrong);
    for law in wrong {
        let agreement = &curve(&found, law.of).agreements()[0];
        assert!(agreement.within == 0 && agreement.disagrees.is_some_and(|(_, p)| p < 1e-3), "{agreement:?}");
    }
}

#[test]
fn a_law_says_nothing_where_its_conditions_do_not_hold() {
    let holds = |text: &str| laws::applies(laws::ALL, "mixed_interactions.count", &plan(text)).is_some();
    let text = POLLING.replace("VALUE", "20s");
    assert!(holds(&text));
    let a = "a: { replicas: 3, sdk: { poll: 20s } }";
    for (what, changed) in [
        ("jitter", text.replace("poll: 20s", "poll: 20s, jitter: 0.2")),
        ("two periods", text.replace(a, "a: { sdk: { poll: 10s } }")),
        ("an edge", text.replace(a, "a: { edge: true, sdk: { poll: 20s } }")),
        ("a salt of its own", text.replace(a, "a: { sdk: { poll: 20s, salt: mine } }")),
        ("loss", text.replace("journeys:", "network: { loss: 1% }\njourneys:")),
        ("two regions", text.replace("journeys:", "population: { regions: { x: 50%, y: 50% } }\njourneys:")),
        ("errors of the control plane", text.replace("journeys:", "control_plane: { errors: 5% }\njourneys:")),
        ("a fault", text.clone() + "timeline: [{ at: 50s, fault: control_plane.down, lasts: 10s }]\n"),
        ("a kill", text.clone() + "timeline: [{ at: 60s, kill: f, to: \"off\" }]\n"),
        ("publications too close", text.replace("hold: 50s", "hold: 15s")),
        ("an audience", text.replace("percent: 50%", "of: 'tenant.id < 1', percent: 50%")),
        ("shares of a tenant", text.replace("rollout: { f: {", "rollout: { f: { bucket_by: tenant,")),
        ("slow services", text.replace("replicas: 3,", "replicas: 3, takes: 2s,")),
        ("an overload", text.replace("replicas: 3,", "replicas: 1, workers: 1, takes: 20ms,")),
        ("too old a policy", text.replace("stages: [", "stale_after: 30s, stages: [")),
    ] {
        assert_ne!(changed, text, "{what}");
        assert!(!holds(&changed), "{what}");
    }
}

#[test]
fn the_time_until_a_fleet_is_full_follows_its_law_and_so_do_its_window_and_the_late_ones() {
    let text = POLLING.replace("percent: 50% }], hold: 50s }, { move: [{ to: \"on\" }] }] }", "percent: 50% }] }] }");
    let text = text.replace("split-brain: violated", "convergence: { at_most: 24s }").replace("30/s", "1/s");
    let laws = [
        ("time_to_full", "full-by-polling"),
        ("divergence_window.max", "divergence-of-polling"),
        ("convergence", "late-convergence"),
    ];
    assert_laws(&text, "20s,28s,40s", 60, &laws);
    let text = text.replace("poll: VALUE", "stream: { mean: VALUE }");
    assert_laws(
        &text,
        "1s,4s",
        60,
        &[("time_to_full", "full-by-push"), ("divergence_window.max", "divergence-of-pushes")],
    );
}

#[test]
fn what_a_fleet_asks_of_its_control_plane_follows_its_law() {
    let (count, load) = ("control_plane_questions.count", "control_plane_load.mean");
    assert_laws(POLLING, "5s,20s", 20, &[(count, "questions-of-polling"), (load, "load-of-polling")]);
    let text = r#"
windtunnel: 1
name: on-demand
duration: 5m
features: { f: { stages: ["off", "on"] } }
services: { a: { replicas: 10, sdk: { ttl: VALUE } } }
journeys: { j: { arrivals: 2/s, calls: [a], feature: f } }
rollout: { f: { steps: [{ at: 1m, move: [{ to: "on" }] }] } }
"#;
    assert_laws(text, "5s,20s,60s", 20, &[(count, "questions-on-demand"), (load, "load-on-demand")]);
}

#[test]
fn the_last_decision_after_a_kill_follows_its_law() {
    let text = r#"
windtunnel: 1
name: kill
duration: 3m
features: { f: { stages: ["off", "on"] } }
services: { a: { replicas: 4, sdk: { poll: VALUE } } }
journeys: { j: { arrivals: 4/s, calls: [a], feature: f } }
rollout: { f: { steps: [{ at: 10s, move: [{ to: "on", percent: 50% }] }] } }
timeline: [{ at: 90s, kill: f, to: "off" }]
"#;
    assert_laws(text, "15s,40s", 80, &[("time_to_kill.decisions", "last-decision-after-a-kill")]);
}

#[test]
fn retries_through_two_layers_follow_their_law() {
    let text = r#"
windtunnel: 1
name: retries
duration: 60s
services:
  a: { operations: { o: [{ do: [{ call: b.o, timeout: 100s, retries: 1, backoff: 10ms }] }] } }
  b: { operations: { o: [{ do: [{ call: c.o, timeout: 10s, retries: 2, backoff: 10ms }, { fail: 20% }] }] } }
  c: { operations: { o: [{ do: [{ fail: VALUE }] }] } }
journeys: { j: { arrivals: 20/s, first: a.o } }
"#;
    let laws = [("attempts_per_call", "attempts-of-retries"), ("error_rate", "failures-of-retries")];
    assert_laws(text, "20%,50%,80%", 20, &laws);
}

#[test]
fn the_time_to_an_answer_of_one_worker_follows_its_law() {
    let text = r#"
windtunnel: 1
name: queue
duration: 4m
network: { within: 0s, between: 0s }
services: { a: { workers: 1, queue: 1000, operations: { o: { takes: { mean: 10ms }, rules: [{ do: [{ effect: x }] }] } } } }
journeys: { j: { arrivals: VALUE, first: a.o } }
"#;
    assert_laws(text, "45/s..75/s/3", 10, &[("latency.p50", "median-sojourn"), ("latency.p99", "p99-sojourn")]);
}

#[test]
fn what_waits_behind_a_paused_consumer_follows_its_law() {
    let text = r#"
windtunnel: 1
name: paused
duration: 4m
features: { f: { stages: ["off", "on"] } }
services:
  orders:
    sdk: { poll: 5s }
    operations: { place: { by_stage: { "off": { path: old, do: [{ emit: t, type: Made }] }, "on": { path: new, do: [{ emit: t, type: Made }] } } } }
  worker: { replicas: 2, consumes: { t: { takes: 5ms, offset_reset: earliest } }, operations: { "on Made": [{ do: [{ effect: x }] }] } }
topics: { t: { partitions: 4, key: none } }
journeys: { j: { arrivals: 10/s, first: orders.place, feature: f, completes_within: 10m } }
rollout: { f: { steps: [{ at: VALUE, move: [{ to: "on" }] }] } }
timeline: [{ at: 1m, fault: consumer.pause, target: worker/t, lasts: 2m }]
"#;
    assert_laws(text, "80s,110s,170s", 16, &[("lag_at_step.max", "lag-of-a-pause")]);
}

#[test]
fn a_gate_takes_back_as_many_healthy_releases_as_its_law_says() {
    let text = r#"
windtunnel: 1
name: gate
duration: 14m
features: { f: { owner: a, retire_by: 2030-01-01, stages: ["off", "on"] } }
services:
  shop:
    edge: true
    sdk: { poll: 10s }
    decides_from: [sdk, safe_stage]
    code: { 1: { defects: [{ fails: 0.4% }] } }
    operations: { buy: { by_stage: { "off": { path: old, do: [{ effect: x }] }, "on": { path: new, do: [{ effect: x }] } } } }
journeys: { buy: { arrivals: 4/s, first: shop.buy, feature: f } }
rollout:
  f:
    analysis: { every: 1m, window: 1m, delay: 0s, failures: VALUE }
    gate: ["error_rate{path: new} < 1%"]
    on_failure: back_all
    steps: [{ name: few, at: 2m, move: [{ percent: 50%, to: "on" }], hold: 10m }]
"#;
    let laws = [
        ("plan_completed", "plans-that-a-gate-lets-through"),
        ("plan_rollbacks.count", "plans-that-a-gate-takes-back"),
    ];
    assert_laws(text, "1,2", 100, &laws);
}

#[test]
fn the_lag_of_a_consumer_has_its_knee_where_it_is_busy_all_the_time() {
    // One partition and 40 ms a record: beyond 25 records a second lag grows with every one more, below it does not.
    let text = r#"
windtunnel: 1
name: busy
duration: 3m
drain: 1s
services:
  source: { operations: { make: [{ do: [{ emit: t, type: Made }] }] } }
  worker: { consumes: { t: { takes: 40ms, offset_reset: earliest, max_poll_records: 10, auto_commit_interval: 1s } }, operations: { "on Made": [{ do: [{ effect: x }] }] } }
topics: { t: { key: none } }
journeys: { j: { arrivals: VALUE, first: source.make, completes_within: 1s } }
"#;
    let found = swept_with(text, "10/s..40/s/7", &["lag.end"], 8, laws::ALL);
    let Some(Bend::Knee(knee)) = &curve(&found, "lag.end").bend else { panic!("{:#?}", found.curves) };
    assert!((23.0..27.0).contains(&knee.at) && knee.interval.0 > 20.0 && knee.interval.1 < 30.0, "{knee:?}");
    // What grows with the period as it does by theory is a straight line.
    let straight = swept_with(POLLING, "10s..40s/5", &["mixed_interactions.count"], 8, laws::ALL);
    assert!(matches!(curve(&straight, "mixed_interactions.count").bend, Some(Bend::Straight { .. })));
}

#[test]
fn an_interruption_leaves_the_points_that_are_finished() {
    let axes = [Axis::read("VALUE=10s,20s,30s").expect("values")];
    let plans: Vec<_> = axes[0].values.iter().map(|value| plan(&POLLING.replace("VALUE", &value.text))).collect();
    let (stop, finished) = (AtomicBool::new(false), AtomicU64::new(0));
    let progress = || {
        if finished.fetch_add(1, Ordering::Relaxed) == 4 {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let together = Together { jobs: 1, limits: Limits::default(), stop: &stop, progress: &progress };
    let metrics = ["harm.count".to_owned()];
    let asked = Asked { axes: &axes, plans: &plans, metrics: &metrics, between: &[], laws: laws::ALL };
    let found = sweep(&asked, 1..4, together);
    assert!(found.interrupted && found.points.len() == 1 && found.asked == 3, "{found:#?}");
    assert_eq!((curve(&found, "harm.count").readings.len(), &curve(&found, "harm.count").bend), (1, &None));
}

fn run(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("windtunnel").expect("the binary is built with its tests");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = command.current_dir(root).arg("sweep").args(args).output().expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// A cheap scenario.
const CHEAP: [&str; 6] = [
    "scenarios/split-brain.yaml",
    "--set",
    "duration=3m",
    "--set",
    "journeys.place-order.arrivals=40/s",
    "--no-report",
];
const POLLS: &str = "services.*.sdk.poll=10s,20s,30s";

#[test]
fn the_tables_do_not_depend_on_the_number_of_jobs() {
    let with = |jobs| run(&[&CHEAP[..], &["--param", POLLS, "--seeds", "1..5", "--jobs", jobs]].concat());
    let (one, two) = (with("1"), with("2"));
    assert_eq!(one, two);
    assert_eq!(one.0, 0, "{}", one.2);
    insta::assert_snapshot!(one.1);
}

#[test]
fn the_document_has_what_its_page_says() {
    let args = [&CHEAP[..3], &["--no-report", "--param", POLLS, "--seeds", "1..5", "--format", "json"]].concat();
    let (code, out, err) = run(&[&args[..], &["--param", "journeys.place-order.arrivals=10/s,20/s"]].concat());
    assert_eq!(code, 0, "{err}");
    let found: Json = serde_json::from_str(&out).expect("it is JSON");
    assert_eq!((&found["schema_version"], &found["asked_points"]), (&Json::from(1), &Json::from(6)));
    let points = found["points"].as_array().expect("points");
    assert_eq!(points[1]["values"]["services.*.sdk.poll"], "10s");
    assert_eq!(points[1]["values"]["journeys.place-order.arrivals"], "20/s");
    assert_eq!(
        points[1]["replay"],
        "windtunnel run scenarios/split-brain.yaml --set duration=3m --set 'services.*.sdk.poll=10s' \
         --set journeys.place-order.arrivals=20/s --seeds 1..5"
    );
    let harm = &found["curves"][0];
    assert_eq!((&harm["name"], &harm["kind"], &harm["bend"]), (&"harm.count".into(), &"metric".into(), &Json::Null));
    // λT(k−1)/(k+1) of three services.
    assert_eq!(harm["readings"][1]["theory"], 100.0);
    assert_eq!(harm["closed_forms"][0]["name"], "harm-of-polling");
    let rate = &found["curves"][1];
    assert_eq!(
        (&rate["name"], &rate["kind"], &rate["readings"][0]["violated_runs"]),
        (&"split-brain".into(), &"violation_rate".into(), &4.into())
    );
}

#[test]
fn the_folder_has_the_page_the_numbers_and_a_plot_for_each_curve() {
    let reports = tempfile::tempdir().expect("a temporary folder");
    let out = reports.path().to_str().expect("a name");
    let args = [&CHEAP[..5], &["--out", out, "--seeds", "1..3", "--param", POLLS]].concat();
    let (code, text, err) = run(&args);
    assert_eq!(code, 0, "{err}");
    let told = text.lines().find_map(|line| line.trim().strip_prefix("report: ")).expect("it is told where");
    let folder = Path::new(told).parent().expect("a folder");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect(name);
    let page = read("index.html");
    for part in ["default-src 'none'", "<svg", "var(--series-1)", "harm-of-polling", "--seeds 1..3"] {
        assert!(page.contains(part), "missing {part}");
    }
    for forbidden in ["<script", "<link", "<img", "@import", "url(", " src=", "=\"#F1"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert_eq!(read("sweep.csv").lines().count(), 1 + 3 * 2);
    assert!(read("sweep.json").contains("\"schema_version\": 1") && read("scenario.yaml").contains("new-checkout"));
    assert!(read("plots/curve-harm.count.svg").contains("prefers-color-scheme:dark"));
    assert!(folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("sweep-")));
    let (_, again, _) = run(&args);
    assert_eq!(again, text, "the same folder again");
    let args = [&args[..], &["--param", "services.billing.replicas=1,4"]].concat();
    let (code, text, err) = run(&args);
    assert_eq!(code, 0, "{err}");
    let told = text.lines().find_map(|line| line.trim().strip_prefix("report: ")).expect("it is told where");
    let map = Path::new(told).with_file_name("plots").join("map-harm.count.svg");
    assert!(std::fs::read_to_string(map).expect("the map").contains("opacity=\"0."));
}

#[test]
fn words_are_values_too_and_a_variant_may_be_swept() {
    let args = [&CHEAP[..], &["--seeds", "1..3"]].concat();
    let more = ["--variant", "edge-context", "--param", "services.gateway.edge=true,false"];
    let (code, out, err) = run(&[&args[..], &more[..]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("services.gateway.edge: true, false") && out.contains("edge-context"), "{out}");
    assert!(!out.contains("knee"), "{out}");
}

#[test]
fn mistakes_are_told_before_anything_runs() {
    let base = ["scenarios/canary.yaml", "--no-report"];
    for (args, parts) in [
        (&["--param", "duraton=1h,2h"][..], &["unknown key `duraton`", "did you mean `duration`?"][..]),
        (&["--param", "services.chekout.replicas=1,2"], &["has no `chekout`", "nothing was run"]),
        (&["--param", "duration=0s,5m"], &["refuses duration=0s", "expected more than 0s"]),
        (&["--param", "duration=5m..1h/1"], &["at least two values"]),
        (&["--param", "duration=1h..5m/4"], &["goes up: duration=5m..1h/4"]),
        (&["--param", "duration=0s..5m/4:log"], &["begins above zero"]),
        (&["--param", "duration=5m..1h/10001"], &["at most 10000 points"]),
        (&["--param", "duration=5m..1h/200", "--param", "drain=1m..2m/200"], &["at most 10000 points", "40000"]),
        (&["--param", "duration=40m,50m", "--param", "duration=7m,8m"], &["swept twice"]),
        (&["--param", "duration=40m,50m", "--set", "duration=7m"], &["cannot be both"]),
        (&["--param", "duration=5m"], &["--set duration=5m"]),
        (&["--param", "duration=40m,50m", "--metric", "harm.cuont"], &["did you mean `harm.count`?"]),
        (&["--param", "duration=40m,50m", "--metric", "split-brain"], &["is an invariant"]),
        (&["--param", "duration=40m,50m", "--variant", "nobody"], &["no variant `nobody`"]),
        (&["--param", "a=1,2", "--param", "b=1,2", "--param", "c=1,2"], &["more than two --param"]),
        (&["--param", "duration=40m,50m", "--seeds", "5..5"], &["holds no seed"]),
        (&[], &["--param"]),
    ] {
        let (code, out, err) = run(&[&base[..], args].concat());
        assert_eq!(code, 2, "{args:?}: {out}{err}");
        for part in parts {
            assert!(err.contains(part), "{args:?}: missing {part:?} in {err}");
        }
    }
    let (code, _, err) = run(&["scenarios/nowhere.yaml", "--param", "a=1,2"]);
    assert!(code == 2 && err.contains("nowhere.yaml") && !err.contains("refuses"), "{err}");
}

#[test]
fn the_page_in_the_docs_lists_every_closed_form() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sweep.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    for law in laws::ALL {
        let row = format!("| `{}` | `{}` | {} |", law.name, law.of, law.formula);
        assert!(page.contains(&row), "missing {row}");
    }
}
