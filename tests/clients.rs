//! Apps that keep their decisions while they run: against theory, and what a file can say of them.

mod common;

use common::{observe, told};
use windtunnel::models::estate::Estate;
use windtunnel::models::observation::{Decided, Interaction, Observation, Observed};
use windtunnel::theory::clients::{before_the_change, before_the_change_lognormal, old_versions};
use windtunnel::units::{SimDuration, SimTime};

/// Users enough that hardly one acts twice in a session; the feature is turned on after two hours.
fn shop(client: &str, more: &str) -> String {
    format!(
        r#"windtunnel: 1
name: shop
duration: 4h
population: {{ tenants: {{ users: 9000000 }}, clients: {{ app: {client} }} }}
features: {{ wrap: {{ stages: ["off", "on"] }} }}
services:
  web:
    sdk: {{ stream: true }}
    decides_from: [sdk]
    operations: {{ buy: [{{ when: 'stage == "on"', path: new, do: [{{ effect: wrap }}] }}, {{ path: old, do: [{{ effect: pack }}] }}] }}
journeys: {{ buy: {{ arrivals: 10/s, first: web.buy, feature: wrap }} }}
rollout: {{ wrap: {{ steps: [{{ at: 2h, move: [{{ to: "on" }}] }}] }} }}
{more}
"#
    )
}

/// What the app decided, with the time at which the request came.
fn by_the_app(estate: &Estate, seen: &[Observed]) -> Vec<(SimTime, Decided)> {
    let app = estate.service_named("app").expect("the client is a context");
    let decided = seen.iter().filter_map(|fact| match &fact.what {
        Observation::Decided(decided) if decided.service == app => Some((fact.at, *decided)),
        _ => None,
    });
    decided.collect()
}

fn at(hours: f64) -> SimTime {
    SimTime::from(SimDuration::from_secs_f64(hours * 3_600.0))
}

/// The share of decisions from before the change among those made `after` it, in seconds, with their number: within
/// two minutes around.
fn share_from_before(decisions: &[(SimTime, Decided)], after: f64) -> (f64, f64) {
    let (from, to) = (at(2.0 + (after - 60.0) / 3_600.0), at(2.0 + (after + 60.0) / 3_600.0));
    let then: Vec<&Decided> =
        decisions.iter().filter(|(when, _)| (from..to).contains(when)).map(|(_, decided)| decided).collect();
    let before = then.iter().filter(|decided| decided.policy_version.is_some_and(|version| version.0 == 1)).count();
    (before as f64 / then.len() as f64, then.len() as f64)
}

/// Standard errors by which a share is off.
fn off(share: (f64, f64), expected: f64) -> f64 {
    (share.0 - expected).abs() / (expected * (1.0 - expected) / share.1).sqrt()
}

#[test]
fn decisions_from_before_a_change_die_out_as_the_age_of_the_session_under_way_says() {
    let (estate, seen) = observe(&shop("{ share: 100%, session: { mean: 15m } }", ""), 1);
    let decisions = by_the_app(&estate, &seen);
    for after in [300.0, 900.0, 1_800.0] {
        let share = share_from_before(&decisions, after);
        let expected = before_the_change(after, 900.0);
        assert!(off(share, expected) < 4.0, "after {after} s: {share:?} against {expected}");
        // Sessions met as often as others, whatever their length, would have younger ages: uniform in a mean of 900 s.
        let naive = 1.0 - (1.0 - libm::exp(-after / 900.0)) - after / 900.0 * exponential_integral(after / 900.0);
        assert!(off(share, naive) > 8.0, "after {after} s: {share:?} is as near to {naive}");
    }
}

/// `E1(x)`, by a sum over a fine grid.
fn exponential_integral(x: f64) -> f64 {
    (0..400_000).map(|step| x + (f64::from(step) + 0.5) * 1e-4).map(|t| libm::exp(-t) / t * 1e-4).sum()
}

#[test]
fn long_sessions_leave_a_longer_tail_than_their_median_says() {
    let (estate, seen) = observe(&shop("{ share: 100%, session: { p50: 8m, p99: 3h } }", ""), 2);
    let decisions = by_the_app(&estate, &seen);
    for after in [600.0, 1_800.0, 5_400.0] {
        let (share, expected) =
            (share_from_before(&decisions, after), before_the_change_lognormal(after, 480.0, 10_800.0));
        assert!(off(share, expected) < 4.0, "after {after} s: {share:?} against {expected}");
        assert!(expected > before_the_change(after, 480.0 / std::f64::consts::LN_2));
    }
}

#[test]
fn an_app_that_asks_for_each_request_knows_what_its_control_plane_knows() {
    let (estate, seen) = observe(&shop("{ share: 100%, session: { mean: 15m }, refetch: on_navigation }", ""), 1);
    let decisions = by_the_app(&estate, &seen);
    assert!(decisions.len() > 100_000);
    for (when, decided) in decisions {
        let newest = if when < at(2.0) { 1 } else { 2 };
        assert_eq!(decided.policy_version.expect("it always hears").0, newest, "at {when:?}");
        assert_eq!(decided.freshness, Some(SimDuration::ZERO));
    }
}

#[test]
fn a_user_keeps_its_decision_for_the_whole_session_and_no_longer() {
    // Few users, who act several times in a session.
    let text = shop("{ share: 100%, session: 30m }", "").replace("users: 9000000", "users: 500");
    let (estate, seen) = observe(&text, 3);
    let mut sessions = std::collections::BTreeMap::<u64, Vec<SimTime>>::new();
    for (_, decided) in by_the_app(&estate, &seen) {
        let fetched = sessions.entry(decided.attributes).or_default();
        if fetched.last() != Some(&decided.decided_at) {
            fetched.push(decided.decided_at);
        }
    }
    assert_eq!(sessions.len(), 500);
    for fetched in sessions.values() {
        // The first began before the run, or before anybody looked.
        let lasted = fetched.windows(2).skip(1).map(|pair| pair[1].since(pair[0]));
        assert!(lasted.clone().all(|lasted| lasted >= SimDuration::from_secs(1)), "{fetched:?}");
        assert!((4..=9).contains(&fetched.len()), "half an hour each, in four hours: {fetched:?}");
    }
}

#[test]
fn old_versions_ask_for_nothing_carry_nothing_and_die_out_by_half_lives() {
    let client = "{ share: 100%, session: { mean: 15m }, old_versions: { share: 40%, half_life: 2h } }";
    let (estate, seen) = observe(&shop(client, ""), 4);
    let decisions = by_the_app(&estate, &seen);
    for hour in [0.0, 1.0, 3.0] {
        let within = |when: SimTime| (at(hour)..at(hour + 0.1)).contains(&when);
        let came =
            seen.iter().filter(|fact| within(fact.at) && matches!(fact.what, Observation::Arrived { .. })).count();
        let decided = decisions.iter().filter(|(when, _)| within(*when)).count();
        let share = (1.0 - decided as f64 / came as f64, came as f64);
        let expected = old_versions(hour + 0.05, 0.4, 2.0);
        assert!(off(share, expected) < 4.0, "in hour {hour}: {share:?} against {expected}");
    }
}

#[test]
fn a_request_written_offline_is_sent_later_with_the_decision_of_then() {
    let client = "{ share: 100%, session: 1s, offline: { share: 10%, lasts: 1h } }";
    let (estate, seen) = observe(&shop(client, ""), 5);
    let decisions = by_the_app(&estate, &seen);
    let late = |decided: &Decided, when: SimTime| when.since(decided.decided_at) >= SimDuration::from_secs(3_600);
    let after: Vec<&(SimTime, Decided)> =
        decisions.iter().filter(|(when, _)| (at(2.01)..at(2.99)).contains(when)).collect();
    let offline: Vec<&&(SimTime, Decided)> = after.iter().filter(|(when, decided)| late(decided, *when)).collect();
    assert!(off((offline.len() as f64 / after.len() as f64, after.len() as f64), 0.1) < 4.0);
    assert!(offline.iter().all(|(_, decided)| decided.policy_version.expect("it held one").0 == 1));
    let online = after.iter().filter(|(when, decided)| !late(decided, *when));
    assert!(online.clone().all(|(_, decided)| decided.policy_version.expect("it held one").0 == 2));
}

#[test]
fn an_app_that_starts_in_an_outage_goes_by_what_it_wrote_down_or_by_nothing() {
    let outage = "timeline: [{ at: 1h, fault: control_plane.down, lasts: 2h }]";
    for (persist, expected) in [(true, Some(1)), (false, None)] {
        let client = format!("{{ share: 100%, session: 1m, persist: {persist} }}");
        let (estate, seen) = observe(&shop(&client, outage), 6);
        let decisions = by_the_app(&estate, &seen);
        let during: Vec<&Decided> = decisions
            .iter()
            .filter(|(when, _)| (at(2.1)..at(2.9)).contains(when))
            .map(|(_, decided)| decided)
            .collect();
        assert!(during.len() > 10_000);
        for decided in during {
            assert_eq!(decided.policy_version.map(|version| version.0), expected, "persist: {persist}");
        }
        let back: Vec<&(SimTime, Decided)> = decisions.iter().filter(|(when, _)| *when >= at(3.02)).collect();
        assert!(back.iter().all(|(_, decided)| decided.policy_version.is_some_and(|version| version.0 == 2)));
    }
}

#[test]
fn what_an_app_decided_is_carried_to_whoever_goes_by_it_and_believes_the_app() {
    let sources = |from: &str| shop("{ share: 60%, session: { mean: 15m } }", "").replace("decides_from: [sdk]", from);
    let stages = |from: &str| {
        let (estate, seen) = observe(&sources(from), 7);
        let (app, web) = (estate.service_named("app").expect("app"), estate.service_named("web").expect("web"));
        let of = |service| {
            let decided = seen.iter().filter_map(move |fact| match &fact.what {
                Observation::Decided(decided) if decided.service == service => {
                    Some((decided.interaction.key(), decided.stage))
                }
                _ => None,
            });
            decided.collect::<std::collections::BTreeMap<_, _>>()
        };
        let (app, web) = (of(app), of(web));
        (app.iter().filter(|(key, stage)| web.get(*key) != Some(*stage)).count(), app.len(), web.len())
    };
    let (differ, apps, all) = stages("decides_from: [context, sdk]");
    assert_eq!(differ, 0, "the server goes by the app");
    assert!(off((apps as f64 / all as f64, all as f64), 0.6) < 4.0);
    assert!(stages("decides_from: [sdk]").0 > 1_000, "the server decides for itself");
    assert!(stages("trusts: [web]\n    decides_from: [context, sdk]").0 > 1_000, "the server does not believe the app");
}

#[test]
fn a_run_that_begins_in_an_outage_begins_with_the_policy_from_before_it() {
    let outage = "timeline: [{ at: 0s, fault: control_plane.down, lasts: 3h }]";
    let (estate, seen) = observe(&shop("{ share: 100%, session: 1m }", outage), 9);
    let decisions = by_the_app(&estate, &seen);
    assert!(decisions.len() > 50_000);
    for (when, decided) in decisions.iter().filter(|(when, _)| *when < at(2.9)) {
        assert_eq!(decided.policy_version.map(|version| version.0), Some(1), "at {when:?}");
    }
}

#[test]
fn a_decision_is_as_fresh_as_what_the_app_had_when_it_asked() {
    let risky = |timeline: &str| {
        shop("{ share: 100%, session: 40m }", timeline)
            .replace("stages: [\"off\", \"on\"]", "stages: [\"off\", \"on\"], risk: high, stale_after: 10m")
    };
    let (estate, seen) = observe(&risky(""), 1);
    let fresh = by_the_app(&estate, &seen);
    assert!(
        fresh.iter().all(|(_, decided)| decided.freshness == Some(SimDuration::ZERO)),
        "it was answered at its start"
    );
    // Who starts unanswered, with a policy older than the bound, fails closed.
    let (estate, seen) = observe(&risky("timeline: [{ at: 150m, fault: control_plane.down, lasts: 90m }]"), 1);
    let late = by_the_app(&estate, &seen);
    let closed = |decided: &Decided| decided.stage.index() == 0;
    let late: Vec<&Decided> = late.iter().filter(|(when, _)| *when > at(3.9)).map(|(_, decided)| decided).collect();
    assert!(late.len() > 1_000 && late.iter().all(|decided| closed(decided)));
    assert!(fresh.iter().filter(|(when, _)| *when > at(3.9)).all(|(_, decided)| !closed(decided)));
}

#[test]
fn a_kill_is_asked_for_on_demand_whatever_apps_carry() {
    let text = shop("{ share: 100%, session: 2h }", "timeline: [{ at: 3h, kill: wrap, to: \"off\" }]")
        .replace("sdk: { stream: true }", "sdk: { ttl: 5s }")
        .replace("decides_from: [sdk]", "decides_from: [kill, context, safe_stage]");
    let (estate, seen) = observe(&text, 2);
    let web = estate.service_named("web").expect("web");
    let on_late = seen.iter().filter(|fact| match &fact.what {
        Observation::Decided(decided) => decided.service == web && decided.stage.index() == 1 && fact.at > at(3.01),
        _ => false,
    });
    assert_eq!(on_late.count(), 0);
}

#[test]
fn faults_at_random_strike_services_only() {
    let text = shop(
        "{ share: 100%, session: 2h }",
        "timeline: [{ random: [service.crash, cache.freeze], rate: 1/m, lasts: 5s }]",
    )
    .replace("sdk: { stream: true }", "sdk: { poll: 30s, switches: { poll: 5s } }");
    let (estate, seen) = observe(&text, 3);
    let web = estate.service_named("web").expect("web");
    let struck = seen.iter().filter_map(|fact| match fact.what {
        Observation::Crashed { replica } => Some(estate.replicas[replica].service),
        _ => None,
    });
    let struck: Vec<_> = struck.collect();
    assert!(struck.len() > 30 && struck.iter().all(|service| *service == web), "{}", struck.len());
}

#[test]
fn conditions_can_ask_for_the_client_and_whether_it_is_old() {
    let client = "{ share: 50%, session: 5m, old_versions: 30% }";
    let text =
        shop(client, "").replace("{ to: \"on\" }", "{ of: 'client.name == \"app\" && !client.old', to: \"on\" }");
    let (_, seen) = observe(&text, 8);
    let mut old = std::collections::BTreeMap::<(_, u64, u32), Option<bool>>::new();
    for fact in &seen {
        if let Observation::Arrived { interaction, means, .. } = &fact.what {
            old.insert(Interaction::key(interaction), means.map(|means| means.old));
        } else if let Observation::Decided(decided) = &fact.what
            && fact.at > at(3.0)
            && decided.policy_version.is_some_and(|version| version.0 == 2)
        {
            let on = decided.stage.index() == 1;
            assert_eq!(on, old[&decided.interaction.key()] == Some(false), "{decided:?}");
        }
    }
}

#[test]
fn mistakes_about_clients_are_told() {
    for (wrong, expected) in [
        (shop("{ share: 60%, session: 0s }", ""), "a session that lasts no time"),
        (shop("{ share: 60% }", ""), "`session`"),
        (shop("{ share: 60%, session: 5m }", "").replace("app:", "web:"), "the name of a service"),
        (
            shop("{ share: 60%, session: 5m }", "").replace("app:", "pad: { share: 50%, session: 5m }, app:"),
            "the clients have 110.0% of the users",
        ),
        (shop("{ share: 60%, session: 5m, old_versions: { share: 5%, half_life: 0s } }", ""), "a half-life of no time"),
        (
            shop("{ share: 60%, session: 5m }", "").replace("stage ==", "client.age == 3 && stage =="),
            "`client.age` is not known",
        ),
        (
            shop("{ share: 60%, session: 5m }", "")
                .replace("clients: { app: { share: 60%, session: 5m } }", "regions: { eu: 100% }")
                .replace("stage ==", "client.old && stage =="),
            "nobody has a client",
        ),
        (shop("{ share: 60%, session: 5m }", "timeline: [{ at: 1h, fault: service.crash, target: app }]"), "app"),
        (shop("{ share: 60%, session: 5m }", "timeline: [{ at: 1h, deploy: { app: 2 } }]"), "app"),
    ] {
        let told = told(&wrong);
        assert!(told.contains(expected), "{told:?} does not tell: {expected}");
    }
}
