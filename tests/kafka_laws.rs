//! The laws of Kafka's consumer groups, through scenario files and the ordinary engine: each reads deliveries, offsets,
//! commits and evictions from observations, and imports no formula from the engine. X2 and X3 are what real
//! librdkafka 2.16 clients did under SIGKILL: 330 and 332 records redelivered where (t mod 5 s) x rate says 331, and 329
//! never processed where batch - processed says 329.

mod common;

use common::plan;
use std::collections::BTreeMap;
use windtunnel::models::observation::{Delivered, Eviction, Kind, Observation, Observed};
use windtunnel::models::world::{Course, World};
use windtunnel::units::SimTime;

/// One topic of one consumer group whose records take ten milliseconds, one record every `every`.
struct Setting<'a> {
    every: &'a str,
    duration: &'a str,
    partitions: u32,
    replicas: u32,
    consumer: &'a str,
    timeline: &'a str,
}

impl Setting<'_> {
    fn observe(&self, seed: u64) -> Vec<Observed> {
        let Setting { every, duration, partitions, replicas, consumer, timeline } = self;
        let text = format!(
            "windtunnel: 1\nname: laws\nduration: {duration}\ndrain: 5m\nnetwork: {{ within: 0s, between: 0s }}\n\
             services:\n  source: {{ takes: 0s, operations: {{ make: [{{ do: [{{ emit: records, type: Made }}] }}] }} }}\n  \
             worker:\n    replicas: {replicas}\n    consumes: {{ records: {{ session_timeout: 6s, heartbeat: 1s, offset_reset: earliest, {consumer} }} }}\n    \
             operations: {{ \"on Made\": [{{ do: [{{ effect: work }}] }}] }}\n\
             topics: {{ records: {{ partitions: {partitions}, key: none }} }}\n\
             journeys: {{ made: {{ arrivals: {{ every: {every} }}, first: source.make, completes_within: 5m }} }}\n\
             timeline: {timeline}\n"
        );
        let plan = plan(&text);
        let estate = &*plan.estate;
        let mut world = World::assemble(estate, seed, Course::WithRollouts, [true; Kind::COUNT]);
        let mut seen = Vec::new();
        while world.step(estate, SimTime::from(estate.horizon())) {
            seen.extend_from_slice(world.cx().observations());
        }
        seen
    }
}

fn deliveries(seen: &[Observed]) -> impl Iterator<Item = (f64, Delivered)> + '_ {
    seen.iter().filter_map(|fact| match fact.what {
        Observation::Delivered(delivered) => Some((fact.at.as_secs_f64(), delivered)),
        _ => None,
    })
}

/// When members were put out, and why.
fn evictions(seen: &[Observed]) -> Vec<(f64, Eviction)> {
    let evicted = seen.iter().filter_map(|fact| match fact.what {
        Observation::Evicted { why, .. } => Some((fact.at.as_secs_f64(), why)),
        _ => None,
    });
    evicted.collect()
}

/// When offsets were committed.
fn commits(seen: &[Observed]) -> Vec<f64> {
    let committed = seen.iter().filter(|fact| matches!(fact.what, Observation::Committed { .. }));
    committed.map(|fact| fact.at.as_secs_f64()).collect()
}

/// How often the effect of each record was made, by its journey's ordinal.
fn processed(seen: &[Observed]) -> BTreeMap<u64, u32> {
    let mut times = BTreeMap::new();
    for fact in seen {
        match fact.what {
            Observation::Arrived { interaction, .. } => {
                times.entry(interaction.n).or_default();
            }
            Observation::Effect(effect) => *times.entry(effect.interaction.n).or_default() += 1,
            _ => {}
        }
    }
    times
}

fn never_processed(seen: &[Observed]) -> usize {
    processed(seen).values().filter(|times| **times == 0).count()
}

fn twice_processed(seen: &[Observed]) -> usize {
    processed(seen).values().filter(|times| **times > 1).count()
}

#[test]
fn a_crash_between_two_ticks_of_the_commit_timer_redelivers_what_was_done_since() {
    // X2: one record per poll, 100 records/s, a commit every 5 s: the time since the last tick x rate.
    let mut most = 0.0f64;
    for at in [8.309, 12.1, 19.977, 20.203, 21.5] {
        let timeline = format!("[{{ at: {at}s, fault: service.crash, target: worker, lasts: 30s }}]");
        let consumer = "client: librdkafka-2, takes: 10ms, max_poll_records: 1";
        let setting =
            Setting { every: "5ms", duration: "40s", partitions: 1, replicas: 1, consumer, timeline: &timeline };
        let seen = setting.observe(1);
        let ticks: Vec<f64> = commits(&seen).into_iter().filter(|tick| *tick < at).collect();
        assert!(ticks.windows(2).all(|two| (two[1] - two[0] - 5.0).abs() < 1e-6), "every 5 s: {ticks:?}");
        let law = (at - ticks.last().expect("it ticked")) * 100.0;
        most = most.max(law);
        let again = deliveries(&seen).filter(|(_, delivered)| delivered.redelivery > 0).count() as f64;
        assert!((again - law).abs() <= 2.0, "killed at {at} s: {again} redelivered, the law says {law}");
        assert!(never_processed(&seen) <= 1, "at most the one that was handed out when the timer ticked");
    }
    assert!(most > 250.0, "the crashes are spread over the interval: {most}");
}

#[test]
fn a_crash_inside_a_batch_that_the_timer_committed_loses_the_rest_of_it() {
    // X3: a batch of 1000 is taken at 30 s, its end is committed within 5 s, and at 36.709 s 670 of them are processed.
    let timeline = "[{ at: 0s, fault: consumer.pause, target: worker/records, lasts: 30s }, \
                     { at: 36.709s, fault: service.crash, target: worker, lasts: 30s }]";
    let consumer = "client: librdkafka-2, takes: 10ms, max_poll_records: 1000";
    let setting = Setting { every: "10ms", duration: "1m", partitions: 1, replicas: 1, consumer, timeline };
    let seen = setting.observe(1);
    assert_eq!(never_processed(&seen), 1000 - 670, "batch - processed");
    assert_eq!(twice_processed(&seen), 0, "what is lost is not redelivered");
    // With one record per poll the same crash loses nothing that was not in hand.
    let consumer = "client: librdkafka-2, takes: 10ms, max_poll_records: 1";
    assert!(never_processed(&Setting { consumer, ..setting }.observe(1)) <= 1);
}

#[test]
fn a_batch_over_several_partitions_is_handed_over_as_one() {
    let timeline = "[{ at: 0s, fault: consumer.pause, target: worker/records, lasts: 30s }, \
                     { at: 36.709s, fault: service.crash, target: worker, lasts: 30s }]";
    let consumer = "client: librdkafka-2, takes: 10ms, max_poll_records: 1000";
    let seen = Setting { every: "10ms", duration: "1m", partitions: 4, replicas: 1, consumer, timeline }.observe(1);
    assert_eq!(never_processed(&seen), 1000 - 670, "however its records are spread");
}

#[test]
fn a_client_that_commits_inside_poll_loses_nothing_and_repeats_no_more_than_interval_and_batch() {
    let batch = 150.0;
    let mut most = 0.0f64;
    for at in [6.3, 9.99, 11.02, 13.7, 14.95, 17.4, 21.77] {
        let timeline = format!("[{{ at: {at}s, fault: service.crash, target: worker, lasts: 30s }}]");
        let consumer = "client: kafka-java-3, takes: 10ms, max_poll_records: 150";
        let setting =
            Setting { every: "5ms", duration: "40s", partitions: 1, replicas: 1, consumer, timeline: &timeline };
        let seen = setting.observe(1);
        let again = deliveries(&seen).filter(|(_, delivered)| delivered.redelivery > 0).count() as f64;
        most = most.max(again);
        assert!(again <= 100.0 * 5.0 + 2.0 * batch, "killed at {at} s: {again} redelivered");
        assert_eq!(never_processed(&seen), 0, "killed at {at} s");
    }
    assert!(most > 100.0 * 5.0 - batch, "the bound is nearly reached: {most}");
}

#[test]
fn a_crash_is_noticed_between_session_timeout_less_a_heartbeat_and_session_timeout() {
    let timeline = "[{ at: 20s, fault: service.crash, target: worker, replicas: 1, lasts: 1m }]";
    let consumer = "takes: 1ms";
    let setting = Setting { every: "20ms", duration: "1m", partitions: 4, replicas: 2, consumer, timeline };
    let after: Vec<f64> = (1..=40)
        .map(|seed| match evictions(&setting.observe(seed))[..] {
            [(at, Eviction::Session)] => at - 20.0,
            ref others => panic!("one member is put out for its session, not {others:?}"),
        })
        .collect();
    assert!(after.iter().all(|after| (5.0..=6.0).contains(after)), "{after:?}");
    let mean = after.iter().sum::<f64>() / after.len() as f64;
    assert!((mean - 5.5).abs() < 4.0 * 0.289 / libm::sqrt(40.0), "uniform over a heartbeat: mean {mean}");
}

#[test]
fn a_second_crash_of_a_member_is_not_noticed_by_the_clock_of_the_first() {
    // Down from 20 s to 22 s: its return opens a join phase, which after a second gives the lost session up. Down
    // again from 24 s: that session ends at 29..30 s, and not when the first would have, at 25..26 s.
    let timeline = "[{ at: 20s, fault: service.crash, target: worker, replicas: 1, lasts: 2s }, \
                     { at: 24s, fault: service.crash, target: worker, replicas: 1, lasts: 1m }]";
    let consumer = "takes: 1ms, max_poll_records: 10, max_poll_interval: 1s";
    let setting = Setting { every: "20ms", duration: "1m", partitions: 4, replicas: 2, consumer, timeline };
    for seed in 1..=10 {
        let put_out = evictions(&setting.observe(seed));
        let [(first, Eviction::RebalanceTimeout), (second, Eviction::Session)] = put_out[..] else {
            panic!("seed {seed}: {put_out:?}")
        };
        assert!((first - 23.0).abs() < 0.1 && (29.0..=30.0).contains(&second), "seed {seed}: {put_out:?}");
    }
}

#[test]
fn the_partitions_of_a_crashed_member_are_taken_over_after_session_and_remaining_poll_loop() {
    // The other member works through at most 100 records of 10 ms before it polls, and so joins, again.
    let timeline = "[{ at: 20s, fault: service.crash, target: worker, replicas: 1, lasts: 2m }]";
    let consumer = "takes: 10ms, max_poll_records: 100";
    let setting = Setting { every: "4ms", duration: "1m", partitions: 2, replicas: 2, consumer, timeline };
    for seed in 1..=10 {
        let seen = setting.observe(seed);
        let before: Vec<Delivered> =
            deliveries(&seen).take_while(|(at, _)| *at < 20.0).map(|(_, delivered)| delivered).collect();
        let partitions = |member| before.iter().find(move |one| one.member == member).map(|one| one.partition);
        let after = || deliveries(&seen).filter(|(at, _)| *at > 20.0);
        let survivor = after().next().expect("the other goes on").1.member;
        let orphan = (0..2).find(|partition| Some(*partition) != partitions(survivor)).expect("two partitions");
        let resumed = after().find(|(_, one)| one.partition == orphan).expect("it is taken over").0 - 20.0;
        assert!((5.0..=6.0 + 1.0 + 0.05).contains(&resumed), "seed {seed}: {resumed} s");
    }
}

#[test]
fn a_batch_longer_than_the_poll_interval_makes_no_progress_at_all() {
    // 400 x 10 ms > 3 s; 200 x 10 ms < 3 s. The backlog is there from a pause, so that every poll returns a full batch.
    let timeline = "[{ at: 0s, fault: consumer.pause, target: worker/records, lasts: 20s }]";
    let consumer = "takes: 10ms, max_poll_records: 400, max_poll_interval: 3s, session_timeout: 40s";
    let setting = Setting { every: "12ms", duration: "2m", partitions: 1, replicas: 1, consumer, timeline };
    let consumer = consumer.replace("session_timeout: 40s", "auto_commit_interval: 1s");
    let setting = Setting { consumer: &consumer, ..setting };
    let seen = setting.observe(1);
    let put_out = evictions(&seen);
    let (first, why) = put_out[0];
    assert!(
        why == Eviction::PollInterval && (first - 23.0).abs() < 1e-6,
        "three seconds after the poll at 20 s: {first}"
    );
    assert!(put_out.len() > 5, "again and again: {put_out:?}");
    assert!(!seen.iter().any(|fact| matches!(fact.what, Observation::Committed { .. })), "progress is zero");
    let furthest = deliveries(&seen).map(|(_, delivered)| delivered.offset).max();
    assert_eq!(furthest, Some(399), "it is handed the same batch for ever");
    let consumer = consumer.replace("max_poll_records: 400", "max_poll_records: 200");
    let seen = Setting { consumer: &consumer, ..setting }.observe(1);
    assert!(evictions(&seen).is_empty() && never_processed(&seen) == 0 && twice_processed(&seen) == 0);
}

#[test]
fn a_pause_drains_in_lag_over_what_is_left_of_the_capacity() {
    // lambda = 50/s, mu = 100/s, 60 s: lag 3000, drained 3000 / (100 - 50) = 60 s later; max delay 60 s, mean 30 s.
    let timeline = "[{ at: 30s, fault: consumer.pause, target: worker/records, lasts: 60s }]";
    let consumer = "takes: 10ms, max_poll_records: 50";
    let seen = Setting { every: "20ms", duration: "4m", partitions: 1, replicas: 1, consumer, timeline }.observe(1);
    let delays: Vec<(f64, f64)> = deliveries(&seen)
        .map(|(at, delivered)| (at, at - delivered.appended_at.as_secs_f64()))
        .filter(|(_, delay)| *delay > 1.0)
        .collect();
    let end = delays.last().expect("a pause delays").0;
    assert!((end - 150.0).abs() < 3.0, "lag is gone at {end} s, at 90 s + 60 s by the law");
    let most = delays.iter().map(|(_, delay)| *delay).fold(0.0, f64::max);
    let mean = delays.iter().map(|(_, delay)| *delay).sum::<f64>() / delays.len() as f64;
    assert!((most - 60.0).abs() < 1.0 && (mean - 30.0).abs() < 1.0, "max {most} s, mean {mean} s");
    assert_eq!(evictions(&seen).len(), 0, "who pauses goes on polling");
}

#[test]
fn a_member_put_out_goes_on_with_its_batch_and_the_others_do_it_again() {
    // Two members; all stall for 10 s while one polls every 3 s at least: both are put out, and when the stall is over
    // both finish what they hold before they ask to join again.
    let timeline = "[{ at: 0s, fault: consumer.pause, target: worker/records, lasts: 20s }, \
                     { at: 20.505s, fault: consumer.stall, target: worker/records, replicas: 1, lasts: 30s }]";
    let consumer = "takes: 10ms, max_poll_records: 200, max_poll_interval: 4s, auto_commit_interval: 1s";
    let seen = Setting { every: "20ms", duration: "2m", partitions: 2, replicas: 2, consumer, timeline }.observe(1);
    assert_eq!(evictions(&seen).iter().map(|(_, why)| *why).collect::<Vec<_>>(), [Eviction::PollInterval]);
    let late: Vec<Delivered> =
        deliveries(&seen).filter(|(at, _)| (50.4..52.1).contains(at)).map(|(_, delivered)| delivered).collect();
    let stalled = deliveries(&seen).next().map(|(_, delivered)| delivered.member).expect("somebody works");
    let zombie = late.iter().filter(|one| one.redelivery > 0).count();
    assert_eq!(zombie, 149, "200 in the batch, 51 before the stall; first member {stalled:?}");
    assert_eq!(
        twice_processed(&seen),
        200,
        "the whole batch, of which nothing was committed, was also done by the other"
    );
    assert_eq!(never_processed(&seen), 0);
}

#[test]
fn a_rolling_deploy_of_a_consumer_neither_loses_nor_repeats_a_record() {
    for client in ["kafka-java-3", "librdkafka-2"] {
        let timeline = "[{ at: 20s, deploy: { worker: 1 }, rolling: { batch: 1, every: 5s } }]";
        let consumer = format!("client: {client}, takes: 10ms, max_poll_records: 20");
        let setting =
            Setting { every: "8ms", duration: "1m", partitions: 4, replicas: 3, consumer: &consumer, timeline };
        let seen = setting.observe(1);
        assert!(seen.iter().any(|fact| matches!(fact.what, Observation::Rebalanced { .. })), "{client}");
        assert_eq!((never_processed(&seen), twice_processed(&seen)), (0, 0), "{client}");
    }
}

#[test]
fn a_member_that_joins_while_the_others_wait_for_their_assignment_locks_nobody_out() {
    // Latency makes the sync phase last; the stalled member comes back inside it in some of the seeds.
    let timeline = "[{ random: [consumer.stall], rate: 1200/h, lasts: 3s, until: 2m }, \
                     { random: [service.crash], target: worker, replicas: 2, rate: 600/h, lasts: 1s, until: 2m }]";
    let consumer = "takes: 10ms, max_poll_records: 5, max_poll_interval: 1s";
    let setting = Setting { every: "20ms", duration: "3m", partitions: 6, replicas: 4, consumer, timeline };
    for seed in 1..=10 {
        let seen = setting.observe(seed);
        assert_eq!(never_processed(&seen), 0, "seed {seed}");
        let lag = seen.iter().rev().find_map(|fact| match fact.what {
            Observation::Lag { end, committed, .. } => Some(end - committed),
            _ => None,
        });
        assert_eq!(lag, Some(0), "seed {seed}");
    }
}
