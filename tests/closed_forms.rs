//! Agreement with theory where the shipped scenarios have a closed form: through scenario files and the ordinary
//! engine, judged by |z| < 4. Sources: the renewal arguments in the project's validation notes; each formula is
//! stated where it is used and imports nothing from the engine.

mod common;

use common::{mean_and_error, plan, run_once};

const SEEDS: u64 = 60;

/// Three services, one replica each unless asked otherwise, no latency and no service time: reads are simultaneous.
fn polling(services: usize, replicas: usize, every: u32, edge: bool) -> String {
    let names = ["a", "b", "c", "d", "e"];
    let chosen = &names[..services];
    let carried = ", decides_from: [context]";
    let service = |(index, name): (usize, &&str)| {
        let more = match (edge, index) {
            (false, _) => "",
            (true, 0) => ", edge: true",
            (true, _) => carried,
        };
        format!("  {name}: {{ replicas: {replicas}, takes: 0s, sdk: {{ poll: {every}s }}{more} }}\n")
    };
    let services: String = chosen.iter().enumerate().map(service).collect();
    format!(
        "windtunnel: 1\nname: polling\nduration: 4m\nfeatures:\n  f: {{ stages: [\"off\", \"on\"] }}\n\
         network: {{ within: 0s, between: 0s }}\ncontrol_plane: {{ latency: 0s }}\nservices:\n{services}\
         journeys:\n  j: {{ arrivals: 20/s, calls: [{}], feature: f }}\n\
         rollout:\n  f: {{ steps: [{{ at: 1m, move: [{{ to: \"on\" }}] }}] }}\nexpect: {{ completion: holds }}\n",
        chosen.join(", ")
    )
}

fn mixed(text: &str) -> Vec<f64> {
    let plan = plan(text);
    let count = |seed| run_once(&plan, seed).summary.metric("mixed_interactions.count").expect("always measured");
    (1..=SEEDS).map(count).collect()
}

fn z_of(values: &[f64], theory: f64) -> f64 {
    let (mean, error) = mean_and_error(values);
    (mean - theory) / error
}

#[test]
fn mixed_orders_per_publish_agree_with_the_range_of_adoption_delays() {
    // Polls of period T with uniform phases: E[range of k uniform delays] = T (k-1)/(k+1), times the arrival rate.
    let mut squares = Vec::new();
    for (k, replicas) in [(2, 1), (3, 1), (5, 1), (3, 4)] {
        let theory = 20.0 * 30.0 * (k as f64 - 1.0) / (k as f64 + 1.0);
        let z = z_of(&mixed(&polling(k, replicas, 30, false)), theory);
        assert!(z.abs() < 4.0, "k = {k}, {replicas} replicas: z = {z:.2} against {theory}");
        squares.push(z * z);
    }
    let mean = squares.iter().sum::<f64>() / squares.len() as f64;
    assert!(mean < 4.0, "the four together: mean z squared = {mean:.2}");
}

#[test]
fn a_period_half_as_long_again_does_not_agree() {
    // The planted mutant: theory of T = 30 s against an engine that polls every 45 s must not agree.
    let theory = 20.0 * 30.0 * 0.5;
    let z = z_of(&mixed(&polling(3, 1, 45, false)), theory);
    assert!(z.abs() > 4.0, "the check cannot fail: z = {z:.2}");
}

#[test]
fn a_decision_carried_from_the_edge_is_never_mixed() {
    assert!(mixed(&polling(5, 2, 30, true)).iter().all(|count| *count == 0.0), "identically zero, not nearly");
}

#[test]
fn time_to_full_agrees_with_the_greatest_of_n_uniform_phases() {
    // N replicas, uniform phases: E[max] = T N/(N+1).
    let plan = plan(&polling(3, 4, 30, false));
    let times: Vec<f64> =
        (1..=SEEDS).map(|seed| run_once(&plan, seed).summary.metric("time_to_full").expect("all adopt")).collect();
    let z = z_of(&times, 30.0 * 12.0 / 13.0);
    assert!(z.abs() < 4.0, "z = {z:.2}");
}

#[test]
fn the_wait_in_a_queue_agrees_with_the_formula_for_one_server() {
    // M/M/1, lambda = 70/s, mu = 100/s: mean time in system 1/(mu - lambda) = 33.3 ms; p50 of an exponential is
    // ln 2 times the mean, p99 is ln 100 times the mean.
    let text = "windtunnel: 1\nname: queue\nduration: 20m\nnetwork: { within: 0s, between: 0s }\n\
        services:\n  s: { replicas: 1, workers: 1, queue: 100000, operations: { o: { takes: { mean: 10ms }, rules: [{ do: [{ ignore: true }] }] } } }\n\
        journeys:\n  j: { arrivals: 70/s, first: s.o }\nexpect: { completion: holds }\n";
    let plan = plan(text);
    let mean = 1.0 / 30.0;
    for (metric, theory) in [("latency.p50", mean * libm::log(2.0)), ("latency.p99", mean * libm::log(100.0))] {
        let values: Vec<f64> =
            (1..=20).map(|seed| run_once(&plan, seed).summary.metric(metric).expect("measured")).collect();
        let (measured, error) = mean_and_error(&values);
        // The histogram's buckets add up to 1.6% of their own.
        let allowed = 4.0 * error + 0.016 * theory;
        assert!((measured - theory).abs() < allowed, "{metric}: {measured:.4} against {theory:.4} ± {allowed:.4}");
    }
}
