//! Metrics that a file has of its own: what one reconciliation finds and what waits for people, the good ends of an
//! entity, and what counts from a step on.

mod common;

use assert_cmd::Command;
use common::{plan, run_once, told};
use windtunnel::models::observation::{Kind, Observation};
use windtunnel::models::world::{Course, World};
use windtunnel::run::Completed;

use windtunnel::units::SimTime;

/// Payments that a ledger books. On the new path a tenth of what is booked is wrong and a twentieth of payments fails
/// before it is; a screening runs with a shadow that disagrees with 2%.
const BOOKS: &str = r#"
windtunnel: 1
name: books
start: 2026-03-02T00:00:00Z
duration: 10h
features: { instant: { stages: [BATCH, INSTANT] } }
services:
  payments:
    sdk: { poll: 5s }
    operations:
      pay:
        by_stage:
          BATCH: { path: old, do: [{ shadow: { of: new, disagrees: 2% } }, { effect: screen }, { effect: pay }, { call: ledger.book }, { set: posted }] }
          INSTANT: { path: new, do: [{ effect: screen }, { effect: pay }, { fail: 5% }, { call: ledger.book }, { set: posted }] }
  ledger:
    sdk: { poll: 5s }
    code: { 1: { defects: [{ corrupts: 10%, path: new }] } }
    operations:
      book:
        by_stage:
          BATCH: { path: old, do: [{ effect: book }] }
          INSTANT: { path: new, do: [{ effect: book }] }
journeys:
  pay:
    arrivals: { every: 10s }
    first: payments.pay
    feature: instant
    entity: { name: payment, transitions: { none: [posted, rejected] }, final: [posted, rejected], void: [rejected] }
reconciliation:
  clearing-vs-ledger: { left: pay, right: book, every: 1h, metric: posting_variance, exceptions: { park: true, rate: 10/h } }
  screening: { compare: screen, every: 1h, metric: screen_variance }
rollout:
  instant: { steps: [{ name: live, at: 5h, move: [{ to: INSTANT }] }] }
expect: { posting_variance: "<= 50%" }
"#;

fn metric(run: &Completed, name: &str) -> f64 {
    run.summary.metric(name).unwrap_or_else(|| panic!("{name} has no value"))
}

fn run(text: &str) -> Completed {
    run_once(&plan(text), 1)
}

/// The books with one text in place of another.
fn books(from: &str, to: &str) -> String {
    assert_eq!(BOOKS.matches(from).count(), 1, "{from:?} stands once in the books");
    BOOKS.replace(from, to)
}

/// The books with other expectations.
fn expecting(what: &str) -> String {
    books("expect: { posting_variance: \"<= 50%\" }", &format!("expect: {{ {what} }}"))
}

/// Every moment at which the queue of exceptions changed, in hours: how many joined it, were worked off, and wait.
fn exceptions(text: &str) -> Vec<(f64, u64, u64, u64)> {
    let plan = plan(text);
    let estate = &*plan.estate;
    let mut world = World::assemble(estate, 1, Course::WithRollouts, [true; Kind::COUNT]);
    let mut seen = Vec::new();
    while world.step(estate, SimTime::from(estate.horizon())) {
        for fact in world.cx().observations() {
            if let Observation::Exceptions { parked, worked, backlog, .. } = fact.what {
                seen.push((fact.at.since_start().as_secs_f64() / 3_600.0, parked, worked, backlog));
            }
        }
    }
    seen
}

#[test]
fn a_job_reports_what_it_found_under_a_name_of_its_own() {
    let run = run(BOOKS);
    // Of the new half of the day 5% lack the booking, and 10% of the rest are wrong.
    let expected = 0.5 * (0.05 + 0.95 * 0.1);
    assert!((metric(&run, "posting_variance") - expected).abs() < 0.02, "{}", metric(&run, "posting_variance"));
    assert!((metric(&run, "screen_variance") - 0.02).abs() < 0.01, "{}", metric(&run, "screen_variance"));
    let of_all = metric(&run, "reconciliation_variance");
    assert!(of_all < metric(&run, "posting_variance") && of_all > metric(&run, "screen_variance"), "{of_all}");
}

#[test]
fn a_job_compares_an_effect_with_the_shadows_beside_it_and_with_no_others() {
    let without = run(&books("shadow: { of: new, disagrees: 2% }", "shadow: { of: new, disagrees: 0% }"));
    assert_eq!(metric(&without, "screen_variance"), 0.0);
    let all = run(&books("shadow: { of: new, disagrees: 2% }", "shadow: { of: new, disagrees: 100% }"));
    assert_eq!(metric(&all, "screen_variance"), 1.0);
    // Five hours of shadows, one each ten seconds; the new path has none.
    let screened = books("left: pay, right: book, every: 1h", "left: pay, right: book, every: 11h");
    assert!((metric(&run(&screened), "reconciled.count") - 1_800.0).abs() < 5.0);
}

#[test]
fn an_exit_waits_for_what_a_job_finds() {
    let steps = |bound: &str, disagrees: &str| {
        let text =
            books("shadow: { of: new, disagrees: 2% }", &format!("shadow: {{ of: new, disagrees: {disagrees} }}"));
        let plan = format!(
            "steps: [{{ name: few, at: 1h, move: [{{ percent: 10%, to: INSTANT }}], hold: 3h, exit: [\"{bound}\"] }}, \
             {{ name: live, move: [{{ to: INSTANT }}] }}]"
        );
        run(&text.replace("steps: [{ name: live, at: 5h, move: [{ to: INSTANT }] }]", &plan)).summary.steps.len()
    };
    assert_eq!(steps("screen_variance < 5%", "1%"), 2);
    assert_eq!(steps("screen_variance < 5%", "20%"), 1);
    // A tenth of those who are moved are booked wrong, and a twentieth not at all.
    assert_eq!(steps("posting_variance < 30%", "1%"), 2);
    assert_eq!(steps("posting_variance == 0%", "1%"), 1);
}

#[test]
fn an_alert_fires_on_a_variance_and_on_exceptions_that_wait() {
    let with = |when: &str| {
        let alert =
            format!("alerts:\n  - {{ name: off, when: '{when}', scrape: 1m, does: {{ kill: instant }} }}\nrollout:");
        run(&books("rollout:", &alert))
    };
    for (when, kills) in [
        ("posting_variance > 5%", true),
        ("posting_variance > 90%", false),
        ("exceptions{job: clearing-vs-ledger} > 20", true),
        ("exceptions{job: clearing-vs-ledger} > 9000", false),
    ] {
        let run = with(when);
        assert_eq!(metric(&run, "alerts_raised.count"), f64::from(u8::from(kills)), "{when}");
        // Killed after the first run that looks at the new path, and without it an hour of it is half of all.
        assert_eq!(metric(&run, "posting_variance") < 0.03, kills, "{when}");
    }
}

#[test]
fn what_is_off_waits_for_people_who_work_it_off_one_by_one() {
    let seen = exceptions(BOOKS);
    let parked: u64 = seen.iter().map(|(_, parked, ..)| parked).sum();
    // 360 payments an hour, of which 14.5% are off, for five hours.
    assert!((200..330).contains(&parked), "{parked}");
    assert!(seen[0].0 == 6.0, "the first run after the step: {:?}", seen[0]);
    let worked: Vec<f64> = seen.iter().filter(|(_, _, worked, _)| *worked == 1).map(|(at, ..)| *at).collect();
    for pair in worked.windows(2) {
        assert!((pair[1] - pair[0] - 0.1).abs() < 1e-9, "ten an hour: {pair:?}");
    }
    let mut waiting = 0;
    for (_, parked, worked, backlog) in &seen {
        waiting = waiting + parked - worked;
        assert_eq!(waiting, *backlog);
    }
    let run = run(BOOKS);
    assert_eq!(metric(&run, "exceptions.count"), parked as f64);
    assert_eq!(metric(&run, "exceptions_backlog.end"), waiting as f64);
    assert_eq!(metric(&run, "exceptions_backlog.max"), seen.iter().map(|(.., backlog)| *backlog).max().unwrap() as f64);
}

#[test]
fn with_enough_people_nothing_waits_and_with_none_everything_does() {
    // The last of its runs, every 59 minutes, leaves ten minutes for the work.
    let quick = books("rate: 10/h", "rate: 1000/h").replace("book, every: 1h", "book, every: 59m");
    let quick = run(&quick);
    assert!(metric(&quick, "exceptions.count") > 200.0);
    assert_eq!(metric(&quick, "exceptions_backlog.end"), 0.0);
    let nobody = run(&books("{ park: true, rate: 10/h }", "{ park: true }"));
    assert_eq!(metric(&nobody, "exceptions_backlog.end"), metric(&nobody, "exceptions.count"));
    assert!(metric(&nobody, "exceptions.count") > 200.0);
    let reported = run(&books("{ park: true, rate: 10/h }", "{ park: false }"));
    assert_eq!(reported.summary.metric("exceptions.count"), None);
}

#[test]
fn the_good_ends_of_an_entity_are_those_of_all_that_begin_one() {
    let whole = run(&expecting("payment_success: { at_least: 90% }"));
    // 5% of the new half fail before anything is posted.
    assert!((metric(&whole, "payment_success") - 0.975).abs() < 0.01, "{}", metric(&whole, "payment_success"));
    let turned_down = expecting("payment_success: { at_most: 10% }").replace("{ set: posted }", "{ set: rejected }");
    assert_eq!(metric(&run(&turned_down), "payment_success"), 0.0, "a void end is none");
    let unfinished = expecting("payment_success: { at_most: 10% }").replace(", { set: posted }", "");
    assert_eq!(metric(&run(&unfinished), "payment_success"), 0.0);
}

#[test]
fn from_a_step_on_only_what_arrives_then_counts() {
    let of = |what: &str, unit: &str| run(&expecting(&format!("{what}: {{ at_least: 0{unit}, from: live }}")));
    let name = |what: &str| format!("{what} from live");
    let run = of("interactions.count", "");
    let (all, since) = (metric(&run, "interactions.count"), metric(&run, &name("interactions.count")));
    assert!((all - 3_600.0).abs() < 2.0 && (since - 1_800.0).abs() < 2.0, "{all} {since}");
    let success = of("payment_success", "%");
    assert!((metric(&success, &name("payment_success")) - 0.95).abs() < 0.02);
    let errors = of("error_rate", "%");
    assert!((metric(&errors, &name("error_rate")) / metric(&errors, "error_rate") - 2.0).abs() < 0.01);
    let variance = of("posting_variance", "%");
    assert!((metric(&variance, &name("posting_variance")) - 0.145).abs() < 0.03);
    let latency = of("latency.p99", "s");
    assert!(metric(&latency, &name("latency.p99")) > 0.0);
}

#[test]
fn what_counts_from_a_step_that_never_comes_is_inconclusive() {
    let held = "steps: [{ name: few, at: 1h, move: [{ percent: 10%, to: INSTANT }], hold: 3h, exit: [\"posting_variance > 99%\"] }, \
                { name: live, move: [{ to: INSTANT }] }]";
    let late = expecting("payment_success: { at_least: 90%, from: live }")
        .replace("steps: [{ name: live, at: 5h, move: [{ to: INSTANT }] }]", held);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("late.yaml");
    std::fs::write(&file, late).expect("a temporary folder can be written");
    let output = Command::cargo_bin("windtunnel")
        .expect("the binary is built with its tests")
        .arg("run")
        .arg(&file)
        .args(["--no-report", "--seeds", "1..3"])
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("the step instant/live was published in no run"), "{said}");
}

#[test]
fn names_that_are_taken_or_mean_nothing_are_told_at_their_place() {
    let cases: &[(&str, &str, &str)] = &[
        (
            "metric: screen_variance",
            "metric: posting_variance",
            "is the metric of the reconciliation `clearing-vs-ledger`",
        ),
        ("metric: screen_variance", "metric: error_rate", "`error_rate` is a metric that every scenario has"),
        ("metric: screen_variance", "metric: answers", "`answers` is a metric that every scenario has"),
        ("metric: screen_variance", "metric: payment_success", "is the share of `payment` that comes to a good end"),
        ("metric: screen_variance", "metric: screen-variance", "expected small letters, digits and underscores"),
        ("compare: screen, every", "compare: scren, every", "did you mean `screen`?"),
        ("compare: screen, every", "compare: pay, left: pay, every", "has no `left`"),
        ("compare: screen, every", "compare: book, every", "no rule that makes `book` runs a shadow beside it"),
        ("{ park: true, rate: 10/h }", "{ park: false, rate: 10/h }", "what is not parked is not worked off"),
        ("{ park: true, rate: 10/h }", "{ rate: 10 }", "`10` is not a rate"),
    ];
    for (from, to, part) in cases {
        let told = told(&books(from, to));
        assert!(told.contains(part), "{to}: {told}");
    }
    let expected: &[(&str, &str)] = &[
        ("posting_varianc: \"< 5%\"", "did you mean `posting_variance`?"),
        ("paymnt_success: \"> 5%\"", "did you mean `payment_success`?"),
        ("payment_success: \"> 5s\"", "`payment_success` is measured in another unit"),
        ("time_to_full: { at_most: 5s, from: live }", "`time_to_full` is of a whole run"),
        ("error_rate: { at_most: 5%, from: lve }", "there is no step `lve`"),
        ("error_rate: { from: live }", "what is expected of `error_rate`?"),
        ("split-brain: { at_most: 5s, from: live }", "`from` is for metrics, and `split-brain` is an invariant"),
    ];
    for (what, part) in expected {
        let told = told(&expecting(what));
        assert!(told.contains(part), "{what}: {told}");
    }
    let gates: &[(&str, &str)] = &[
        ("posting_variance < 5s", "expected a share, such as 2%"),
        ("posting_variance.delta < 5%", "a reconciliation has no control"),
        ("posting_variance{journey: pay} < 5%", "is of one job and has no labels"),
        ("posting_varianc < 5%", "did you mean `posting_variance`?"),
        ("exceptions < 5", "the exceptions of which job?"),
        ("exceptions{job: nightly} < 5", "there is no reconciliation `nightly`"),
        ("exceptions{job: screening} < 5", "`screening` parks no exceptions"),
        ("exceptions{job: clearing-vs-ledger} < 5%", "exceptions are counted"),
    ];
    for (bound, part) in gates {
        let told =
            told(&books("move: [{ to: INSTANT }] }", &format!("move: [{{ to: INSTANT }}], exit: [\"{bound}\"] }}")));
        assert!(told.contains(part), "{bound}: {told}");
    }
}
