//! `cache.freeze`: the SDK's background thread hangs, and the process goes on serving what it holds.

mod common;

use common::{plan, scenario};
use windtunnel::models::estate::{Estate, ReplicaId};
use windtunnel::models::observation::{Kind, Observation, Observed, Obstacle};
use windtunnel::models::world::{Course, World};
use windtunnel::rollout::policy::PolicyVersion;
use windtunnel::scenario::Request;
use windtunnel::units::SimTime;

/// Two services that read one feature, which is turned on at 5m, and what happens to the SDKs of `ledger`.
fn estate_with(sdk: &str, timeline: &str) -> String {
    format!(
        r#"windtunnel: 1
name: hung
duration: 20m
features:
  fast: {{ stages: ["off", "on"] }}
services:
  gateway: {{ replicas: 2, sdk: {{ poll: 30s }} }}
  ledger: {{ replicas: 3, sdk: {sdk} }}
journeys:
  pay: {{ arrivals: 5/s, calls: [gateway, ledger], feature: fast }}
rollout:
  fast: {{ steps: [{{ name: live, at: 5m, move: [{{ to: "on" }}] }}] }}
timeline:
{timeline}
"#
    )
}

fn observe(text: &str, seed: u64) -> (std::sync::Arc<Estate>, Vec<Observed>) {
    let plan = plan(text);
    let estate = std::sync::Arc::clone(&plan.estate);
    let mut world = World::assemble(&estate, seed, Course::WithRollouts, [true; Kind::COUNT]);
    let mut seen = world.cx().observations().to_vec();
    while world.step(&estate, SimTime::from(estate.horizon())) {
        seen.extend_from_slice(world.cx().observations());
    }
    (estate, seen)
}

fn replica(estate: &Estate, name: &str) -> ReplicaId {
    estate.replicas.enumerate().find(|(_, spec)| spec.name == name).expect("the replica exists").0
}

/// When a replica came to hold the second version, in seconds.
fn heard(seen: &[Observed], of: ReplicaId) -> Option<f64> {
    seen.iter().find_map(|fact| match fact.what {
        Observation::PolicyApplied { replica, version: PolicyVersion(2), .. } if replica == of => {
            Some(seconds(fact.at))
        }
        _ => None,
    })
}

fn seconds(at: SimTime) -> f64 {
    at.since_start().as_secs_f64()
}

fn suppressed(seen: &[Observed]) -> Vec<(f64, ReplicaId)> {
    let hung = seen.iter().filter_map(|fact| match fact.what {
        Observation::Suppressed { replica, by: Obstacle::SdkHung } => Some((seconds(fact.at), replica)),
        _ => None,
    });
    hung.collect()
}

/// The age of what the ledger's first replica decides on, by when it does.
fn freshness(estate: &Estate, seen: &[Observed]) -> Vec<(f64, f64)> {
    let of = replica(estate, "ledger/1");
    let decided = seen.iter().filter_map(|fact| match &fact.what {
        Observation::Decided(decided) if decided.replica == of => {
            Some((seconds(fact.at), decided.freshness?.as_secs_f64()))
        }
        _ => None,
    });
    decided.collect()
}

fn told(text: &str) -> String {
    scenario(text).plan(&Request::default()).map(|_| ()).expect_err("the file is wrong").to_string()
}

const FROM_4_TO_12: &str = "  - { at: 4m, fault: cache.freeze, target: ledger, replicas: 1, lasts: 8m }";

#[test]
fn a_replica_that_polls_misses_the_step_until_its_thread_goes_on() {
    let (estate, seen) = observe(&estate_with("{ poll: 30s }", FROM_4_TO_12), 1);
    let heard_at = |name: &str| heard(&seen, replica(&estate, name)).expect("everybody hears of it in the end");
    for well in ["gateway/1", "gateway/2", "ledger/2", "ledger/3"] {
        assert!((300.0..331.0).contains(&heard_at(well)), "{well}: {}", heard_at(well));
    }
    assert!((720.0..751.0).contains(&heard_at("ledger/1")), "{}", heard_at("ledger/1"));
    let kept_from = suppressed(&seen);
    assert!(kept_from.iter().all(|(_, of)| *of == replica(&estate, "ledger/1")), "the others are well");
    assert_eq!(kept_from.len(), 16, "a poll every 30 s for 8 minutes");
}

#[test]
fn what_it_serves_ages_for_as_long_as_it_hangs() {
    for sdk in ["{ poll: 30s }", "{ stream: true }"] {
        let (estate, seen) = observe(&estate_with(sdk, FROM_4_TO_12), 1);
        let oldest = |from: f64, to: f64| {
            let of = freshness(&estate, &seen);
            of.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, age)| *age).fold(0.0, f64::max)
        };
        assert!(oldest(0.0, 240.0) < 31.0, "{sdk}: {}", oldest(0.0, 240.0));
        assert!(oldest(240.0, 720.0) > 450.0, "{sdk}: {}", oldest(240.0, 720.0));
        assert!(oldest(760.0, 1200.0) < 31.0, "{sdk}: {}", oldest(760.0, 1200.0));
    }
}

#[test]
fn a_push_is_not_applied_and_the_stream_is_opened_again_as_soon_as_the_thread_goes_on() {
    let (estate, seen) = observe(&estate_with("{ stream: true }", FROM_4_TO_12), 1);
    let of = replica(&estate, "ledger/1");
    let [(at, kept_from)] = suppressed(&seen)[..] else { panic!("one push: {:?}", suppressed(&seen)) };
    assert!(kept_from == of && (300.0..302.0).contains(&at), "{at}");
    let heard = heard(&seen, of).expect("it hears of it");
    assert!((720.0..721.0).contains(&heard), "{heard}");
}

#[test]
fn a_thread_that_hangs_notices_no_outage_and_comes_back_after_it() {
    let timeline = format!("{FROM_4_TO_12}\n  - {{ at: 6m, fault: control_plane.down, lasts: 10m }}");
    let (estate, seen) = observe(&estate_with("{ stream: true }", &timeline), 1);
    let heard = heard(&seen, replica(&estate, "ledger/1")).expect("it hears of it");
    assert!((960.0..970.0).contains(&heard), "{heard}");
}

#[test]
fn a_cache_that_revalidates_in_the_background_serves_what_it_has() {
    let (estate, seen) = observe(&estate_with("{ ttl: 30s, stale_while_revalidate: true }", FROM_4_TO_12), 1);
    let of = replica(&estate, "ledger/1");
    let heard = heard(&seen, of).expect("it hears of it");
    assert!((720.0..730.0).contains(&heard), "{heard}");
    assert_eq!(suppressed(&seen).len(), 1, "one refresh began and did not come back");
    assert!(freshness(&estate, &seen).iter().any(|(at, age)| *at < 720.0 && *age > 400.0));
}

#[test]
fn a_restart_cures_it_and_the_end_of_the_fault_changes_nothing_more() {
    for sdk in ["{ poll: 30s }", "{ stream: true }"] {
        let timeline = format!("{FROM_4_TO_12}\n  - {{ at: 6m, fault: service.restart, target: ledger, replicas: 1 }}");
        let (estate, seen) = observe(&estate_with(sdk, &timeline), 1);
        let heard = heard(&seen, replica(&estate, "ledger/1")).expect("it hears of it");
        assert!((360.0..385.0).contains(&heard), "{sdk}: {heard}");
        assert!(suppressed(&seen).iter().all(|(at, _)| *at < 360.0), "{sdk}: {:?}", suppressed(&seen));
    }
}

#[test]
fn at_random_it_strikes_only_sdks_with_a_thread_of_their_own() {
    let text = estate_with("{ remote: true }", "  - { random: [cache.freeze], rate: 60/h, lasts: 2m }");
    let mut struck = 0;
    for seed in 1..=5 {
        let (estate, seen) = observe(&text, seed);
        let gateways = [replica(&estate, "gateway/1"), replica(&estate, "gateway/2")];
        assert!(suppressed(&seen).iter().all(|(_, of)| gateways.contains(of)));
        struck += suppressed(&seen).len();
    }
    assert!(struck > 20, "{struck}");
}

#[test]
fn an_sdk_that_asks_when_a_decision_needs_it_has_nothing_that_could_hang() {
    for sdk in ["{ remote: true }", "{ file: true }", "{ ttl: 30s }"] {
        let told = told(&estate_with(sdk, FROM_4_TO_12));
        assert!(told.contains("`cache.freeze` finds nothing that could hang: `ledger` has no SDK"), "{told}");
    }
    let told = told(&estate_with("{ poll: 30s }", "  - { at: 4m, fault: cache.freeze, lasts: 8m }"));
    assert!(told.contains("the fault `cache.freeze` needs `target`"), "{told}");
}
