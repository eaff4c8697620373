//! The ways by which policy reaches a replica beside polling: a compacted topic, switches of their own, announcements.

mod common;

use common::{observe, told};
use windtunnel::models::estate::Estate;
use windtunnel::models::observation::{Decided, Observation, Observed, Source};
use windtunnel::units::{SimDuration, SimTime};

/// One service; the feature is on from 10 minutes, killed at 20, and free again at 30.
fn shop(sdk: &str, timeline: &str) -> String {
    format!(
        r#"windtunnel: 1
name: shop
duration: 40m
network: {{ within: 0s, between: 0s }}
control_plane: {{ latency: 0s }}
features: {{ wrap: {{ stages: ["off", "on"] }}, bow: {{ stages: ["off", "on"] }}, tag: {{ stages: ["off", "on"] }} }}
services:
  web:
    replicas: 4
    takes: 0s
    sdk: {sdk}
    operations: {{ buy: [{{ when: 'stage == "on"', path: new, do: [{{ effect: wrap }}] }}, {{ path: old, do: [{{ effect: pack }}] }}] }}
journeys: {{ buy: {{ arrivals: {{ every: 1s }}, first: web.buy, feature: wrap }} }}
rollout: {{ wrap: {{ steps: [{{ at: 10m, move: [{{ to: "on" }}] }}] }} }}
timeline:
  - {{ at: 20m, kill: wrap, to: "off", lift_after: 10m }}
{timeline}
"#
    )
}

fn minutes(minutes: f64) -> SimTime {
    SimTime::from(SimDuration::from_secs_f64(minutes * 60.0))
}

/// When each replica came to hold each version.
fn applied(estate: &Estate, seen: &[Observed]) -> Vec<(String, u32, SimTime)> {
    let applied = seen.iter().filter_map(|fact| match fact.what {
        Observation::PolicyApplied { replica, version, .. } => {
            Some((estate.replicas[replica].name.clone(), version.0, fact.at))
        }
        _ => None,
    });
    applied.collect()
}

fn decided(seen: &[Observed]) -> impl Iterator<Item = (SimTime, Decided)> + '_ {
    seen.iter().filter_map(|fact| match fact.what {
        Observation::Decided(decided) => Some((fact.at, decided)),
        _ => None,
    })
}

#[test]
fn each_version_of_a_topic_reaches_each_replica_after_what_a_record_takes() {
    let (estate, seen) = observe(&shop("{ topic: 2s }", ""), 1);
    let applied = applied(&estate, &seen);
    assert_eq!(applied.len(), 3 * 4);
    for (replica, version, at) in applied {
        let published = minutes(f64::from(version - 1) * 10.0);
        assert_eq!(at.since(published), SimDuration::from_secs(2), "{replica}, version {version}");
    }
}

#[test]
fn records_of_a_topic_are_read_one_after_the_other() {
    // Two kills a second apart, a minute for each record: the second waits for the first.
    let second = "  - { at: 1201s, kill: bow, to: \"off\" }";
    let (estate, seen) = observe(&shop("{ topic: 1m }", second), 1);
    let applied = applied(&estate, &seen);
    let of = |version: u32| applied.iter().find(|(_, applied, _)| *applied == version).expect("it was applied").2;
    assert_eq!((of(3), of(4)), (minutes(21.0), minutes(22.0)));
}

#[test]
fn who_starts_in_an_outage_reads_from_the_topic_what_was_written_before_it() {
    let outage =
        "  - { at: 12m, fault: control_plane.down, lasts: 5m }\n  - { at: 13m, fault: service.restart, target: web }";
    let (_, seen) = observe(&shop("{ topic: 1s }", outage), 1);
    let stages = |from: f64, to: f64, seen: &[Observed]| {
        let within = decided(seen).filter(|(at, _)| (minutes(from)..minutes(to)).contains(at));
        let mut stages: Vec<(usize, Source)> =
            within.map(|(_, decided)| (decided.stage.index(), decided.source)).collect();
        stages.dedup();
        stages
    };
    let started = seen.iter().filter(|fact| matches!(fact.what, Observation::Restarted { .. })).map(|fact| fact.at);
    let started = started.max().expect("it restarts").since_start().as_secs_f64() / 60.0;
    // Three features, a second for each: until then nothing is known.
    assert_eq!(stages(started + 0.01, started + 0.04, &seen), [(0, Source::Fallback)]);
    assert_eq!(stages(started + 0.06, 17.0, &seen), [(1, Source::Sdk)]);
    let (_, polled) = observe(&shop("{ poll: 1s }", outage), 1);
    assert_eq!(stages(started + 0.06, 16.9, &polled), [(0, Source::Fallback)], "a poll finds nobody");
}

#[test]
fn what_is_published_in_an_outage_is_written_to_the_topic_after_it() {
    let (estate, seen) = observe(&shop("{ topic: 1s }", "  - { at: 19m, fault: control_plane.down, lasts: 5m }"), 1);
    let killed = applied(&estate, &seen).into_iter().filter(|(_, version, _)| *version == 3);
    assert!(killed.clone().count() == 4);
    for (replica, _, at) in killed {
        assert_eq!(at.since(minutes(24.0)), SimDuration::from_secs(1), "{replica}");
    }
}

#[test]
fn switches_of_their_own_bring_a_kill_and_never_lift_one_that_the_targeting_knows() {
    let (estate, seen) = observe(&shop("{ poll: 5m, switches: { poll: 2s } }", ""), 3);
    for (at, decided) in decided(&seen) {
        let on = decided.stage.index() == 1;
        if at > minutes(15.0) && at < minutes(20.0) {
            assert!(on && decided.source == Source::Sdk, "the targeting is known after five minutes");
        }
        if at > minutes(20.05) && at < minutes(25.0) && decided.source == Source::Kill {
            assert_eq!(decided.policy_version.map(|version| version.0), Some(3), "it names the kill's version");
        }
        assert!(!on || at < minutes(20.05) || at > minutes(30.0), "on at {at:?}: {decided:?}");
        assert!(on || at < minutes(35.0), "free again once the targeting has heard: off at {at:?}");
    }
    let by_switches = decided(&seen).filter(|(_, decided)| decided.source == Source::Kill).count();
    let slow =
        applied(&estate, &seen).into_iter().filter(|(name, version, _)| *version == 3 && !name.contains("switches"));
    let late = slow.map(|(_, _, at)| at.since(minutes(20.0)).as_secs_f64()).fold(0.0, f64::max);
    assert!(late > 60.0 && by_switches > 60, "{by_switches} decisions before the last replica heard after {late} s");
}

#[test]
fn a_fallback_does_not_outlive_a_kill_that_the_switches_know() {
    // Failing open to the new path, with a targeting that can never be had and switches that can.
    let text = shop(
        "{ remote: true, timeout: 1ms, switches: { topic: true } }",
        "  - { at: 15m, fault: control_plane.slow, by: 1s, lasts: 25m }",
    )
    .replace(
        "wrap: { stages: [\"off\", \"on\"] }",
        "wrap: { stages: [\"off\", \"on\"], when_unknown: { default: { fail_open: \"on\" } } }",
    );
    let (_, seen) = observe(&text, 1);
    let during = |from: f64, to: f64| {
        let within = decided(&seen).filter(|(at, _)| (minutes(from)..minutes(to)).contains(at));
        within.map(|(_, decided)| (decided.source, decided.stage.index())).collect::<Vec<_>>()
    };
    assert!(during(16.0, 20.0).iter().all(|found| *found == (Source::Fallback, 1)), "it fails open");
    assert!(during(20.1, 30.0).iter().all(|found| *found == (Source::Kill, 0)), "until it is killed");
}

#[test]
fn switches_end_and_begin_with_the_replica_beside_which_they_are() {
    let crash = "  - { at: 25m, fault: service.crash, target: web, lasts: 2m }";
    let (estate, seen) = observe(&shop("{ poll: 1h, switches: { stream: true } }", crash), 1);
    let lost = seen.iter().filter_map(|fact| match fact.what {
        Observation::PolicyLost { replica } => Some(estate.replicas[replica].name.as_str()),
        _ => None,
    });
    let mut lost: Vec<&str> = lost.collect();
    lost.sort_unstable();
    let names = |layer: &str| (1..=4).map(|n| format!("web/{n}{layer}")).collect::<Vec<_>>();
    let mut expected = [names(""), names("/switches")].concat();
    expected.sort_unstable();
    assert_eq!(lost, expected);
    let back =
        applied(&estate, &seen).into_iter().filter(|(name, _, at)| *at >= minutes(27.0) && name.contains("switches"));
    assert!(back.clone().count() >= 4 && back.clone().all(|(_, version, _)| version >= 3));
}

#[test]
fn a_request_waits_for_each_layer_that_is_too_old() {
    let text = shop("{ ttl: 10s, switches: { ttl: 1s } }", "")
        .replace("control_plane: { latency: 0s }", "control_plane: { latency: 40ms }");
    let (_, seen) = observe(&text, 1);
    let latencies = seen.iter().filter_map(|fact| match fact.what {
        Observation::Finished { latency, .. } => Some(latency.nanos() / 1_000_000),
        _ => None,
    });
    let mut latencies: Vec<u64> = latencies.collect();
    latencies.sort_unstable();
    latencies.dedup();
    assert_eq!(latencies, [0, 80], "both are asked at once");
    for (at, decided) in decided(&seen) {
        let killed = at > minutes(20.02) && at < minutes(30.0);
        assert!(!killed || decided.stage.index() == 0, "a kill is known after a second: {at:?}");
    }
}

#[test]
fn an_announced_kill_is_asked_for_at_once_and_a_lost_announcement_is_missed() {
    for sdk in ["{ poll: 9m, invalidation: 3s }", "{ ttl: 9m, invalidation: 3s }"] {
        let (_, seen) = observe(&shop(sdk, ""), 2);
        for (at, decided) in decided(&seen) {
            let killed = at > minutes(20.06) && at < minutes(30.0);
            assert!(!killed || decided.stage.index() == 0, "{sdk}: {at:?}");
        }
        let on_before =
            decided(&seen).any(|(at, decided)| at > minutes(20.0) && at < minutes(20.05) && decided.stage.index() == 1);
        assert!(on_before, "{sdk}: the message takes three seconds");
        let (_, lost) = observe(&shop(sdk, "  - { at: 19m, fault: invalidation.lost, lasts: 2m }"), 2);
        let on =
            decided(&lost).any(|(at, decided)| at > minutes(21.0) && at < minutes(30.0) && decided.stage.index() == 1);
        assert!(on, "{sdk}: nobody was told");
    }
}

#[test]
fn each_layer_may_hang_by_itself_and_the_other_goes_on() {
    let on_while_killed = |sdk: &str, target: &str| {
        let freeze = format!("  - {{ at: 15m, fault: cache.freeze, target: {target}, lasts: 20m }}");
        let (_, seen) = observe(&shop(sdk, &freeze), 4);
        let late = decided(&seen).filter(|(at, _)| (minutes(20.2)..minutes(30.0)).contains(at));
        late.filter(|(_, decided)| decided.stage.index() == 1).count()
    };
    let both = "{ poll: 1s, switches: { poll: 1s } }";
    assert_eq!(on_while_killed(both, "web"), 0, "the switches hear of the kill");
    assert_eq!(on_while_killed(both, "web/switches"), 0, "the targeting has it, too");
    assert!(on_while_killed("{ poll: 9m, switches: { poll: 1s } }", "web/switches") > 100, "nobody hears of it");
    assert!(on_while_killed("{ poll: 9m, invalidation: true }", "web") > 100, "who hangs hears no announcement");
}

#[test]
fn a_reader_of_a_topic_that_hangs_goes_on_where_it_was() {
    let freeze = "  - { at: 15m, fault: cache.freeze, target: web, lasts: 10m }";
    let (estate, seen) = observe(&shop("{ topic: 3s }", freeze), 1);
    let killed = applied(&estate, &seen).into_iter().filter(|(_, version, _)| *version == 3);
    assert_eq!(killed.clone().count(), 4);
    for (replica, _, at) in killed {
        assert_eq!(at.since(minutes(25.0)), SimDuration::from_secs(3), "{replica}");
    }
}

#[test]
fn a_step_of_a_rollout_is_not_announced() {
    let (_, seen) = observe(&shop("{ poll: 9m, invalidation: true }", ""), 2);
    let off =
        decided(&seen).any(|(at, decided)| at > minutes(10.1) && at < minutes(19.0) && decided.stage.index() == 0);
    assert!(off, "it is not urgent");
}

#[test]
fn mistakes_about_deliveries_are_told() {
    for (sdk, expected) in [
        ("{ topic: true, invalidation: true }", "this sdk has `topic`"),
        ("{ stream: true, invalidation: true }", "this sdk has `stream`"),
        ("{ topic: true, poll: 5s }", "not poll and topic"),
        ("{ poll: 5s, switches: {} }", "switches"),
        ("{ poll: 5s, switches: { poll: 1s, ttl: 1s } }", "ttl"),
        ("{ poll: 5s, switches: { ttl: 1s, jitter: 0.1 } }", "`jitter` belongs to `poll`"),
        ("{ poll: 5s, jitter: 0.1, topic: true }", "not poll and topic"),
    ] {
        let told = told(&shop(sdk, ""));
        assert!(told.contains(expected), "{sdk}: {told:?} does not tell: {expected}");
    }
    let layer = told(&shop(
        "{ poll: 5s, switches: { poll: 1s } }",
        "  - { at: 5m, fault: service.crash, target: web/switches }",
    ));
    assert!(layer.contains("`web/switches`"), "{layer}");
}
