//! `windtunnel rollback`: from a checkpoint after each step, what each way back leaves, until when, and who must act.

mod common;

use std::sync::atomic::AtomicBool;
use windtunnel::report::rollback::{json, table};
use windtunnel::run::rollback::{Future, Way, WaysBack, ways_back};
use windtunnel::scenario::Plan;

fn tried(plan: &Plan) -> Vec<WaysBack> {
    ways_back(plan, 1, &AtomicBool::new(false)).expect("nobody stops it")
}

/// The future of one way back after a step, both by their place.
fn future(found: &[WaysBack], step: usize, way: Way) -> &Future {
    let futures = &found[0].steps[step].futures;
    futures.iter().find(|future| future.way == way).expect("all three ways are tried")
}

/// A shop that ships once a second: reversible, or `irreversible`; ten seconds of polling.
fn shop(effect: &str, steps: &str) -> Plan {
    common::plan(&shop_text(effect, steps))
}

fn shop_text(effect: &str, steps: &str) -> String {
    format!(
        r#"windtunnel: 1
name: shop
duration: 5m
features:
  express: {{ stages: ["off", "on"] }}
services:
  web:
    sdk: {{ poll: 10s }}
    operations:
      order: [{{ when: 'stage == "on"', path: new, do: [{{ {effect} }}] }}, {{ path: old, do: [{{ effect: post }}] }}]
      recall: [{{ do: [{{ compensate: ship }}] }}]
journeys:
  order: {{ arrivals: {{ every: 1s }}, first: web.order, feature: express }}
rollout:
  express: {{ steps: [{steps}] }}
"#
    )
}

const ALL_AT_ONCE: &str = "{ name: all, at: 1m, move: [{ to: \"on\" }] }";

#[test]
fn what_nothing_takes_back_is_left_by_every_way_and_the_step_is_the_point_of_no_return() {
    let found = tried(&shop("effect: ship, irreversible: true", ALL_AT_ONCE));
    // From 1m to the middle of what is left, 3m, one a second, and up to ten seconds of polling at either end.
    for way in Way::ALL {
        let future = future(&found, 0, way);
        assert!((110..=130).contains(&future.irreversible_left), "{future:?}");
        assert_eq!(future.compensation_debt, 0);
        assert!(!future.is_clean());
    }
    assert_eq!(found[0].point_of_no_return().map(|after| after.step), Some(0));
}

#[test]
fn what_can_be_undone_is_a_debt_of_its_context_and_no_point_of_no_return() {
    let found = tried(&shop("effect: ship, irreversible: true, compensated_by: web.recall", ALL_AT_ONCE));
    let future = future(&found, 0, Way::AllTheWayBack);
    assert_eq!(future.irreversible_left, 0);
    assert!((110..=130).contains(&future.compensation_debt), "{future:?}");
    assert_eq!((future.contexts.len(), future.is_clean()), (1, true));
    assert_eq!(found[0].point_of_no_return(), None);
}

/// The shop, whose orders are about 9.99 EUR each.
fn shop_with_amounts(effect: &str) -> Plan {
    let express = "feature: express }";
    common::plan(
        &shop_text(effect, ALL_AT_ONCE)
            .replace(express, "feature: express, entity: { name: parcel, amount: { currency: EUR, is: 9.99 } } }"),
    )
}

#[test]
fn what_is_left_is_told_in_number_and_in_money() {
    let compensable = "effect: ship, irreversible: true, compensated_by: web.recall";
    let plan = shop_with_amounts(compensable);
    let found = tried(&plan);
    let owed = future(&found, 0, Way::Kill);
    assert!(owed.compensation_debt > 100);
    assert_eq!(owed.compensation_debt_amount, owed.compensation_debt * 999);
    assert_eq!((owed.irreversible_left, owed.irreversible_left_amount), (0, 0));
    let euros = owed.compensation_debt * 999;
    let cell = format!("{}, {}.{:02} EUR", owed.compensation_debt, euros / 100, euros % 100);
    assert!(table(&plan, 1, &found).contains(&cell), "{cell}");
    let told: serde_json::Value = serde_json::from_str(&json(&plan, 1, &found)).expect("it is JSON");
    assert_eq!(
        (&told["currency"], &told["rollouts"][0]["steps"][0]["futures"][2]["compensation_debt_amount"]),
        (&serde_json::json!("EUR"), &serde_json::json!(euros),)
    );
    let left = tried(&shop_with_amounts("effect: ship, irreversible: true"));
    let left = future(&left, 0, Way::Kill);
    assert_eq!((left.irreversible_left_amount, left.compensation_debt_amount), (left.irreversible_left * 999, 0));
}

#[test]
fn where_nobody_speaks_of_money_there_is_no_amount() {
    let plan = shop("effect: ship", ALL_AT_ONCE);
    let told: serde_json::Value = serde_json::from_str(&json(&plan, 1, &tried(&plan))).expect("it is JSON");
    assert!(told["currency"].is_null());
    assert!(told["rollouts"][0]["steps"][0]["futures"][0]["compensation_debt_amount"].is_null());
}

#[test]
fn a_polling_fleet_is_clean_within_one_interval() {
    let found = tried(&shop("effect: ship", ALL_AT_ONCE));
    for way in Way::ALL {
        let after = future(&found, 0, way).clean_after.expect("everybody hears of it").as_secs_f64();
        assert!(after > 0.0 && after < 10.5, "{after}");
    }
}

#[test]
fn a_step_that_does_nothing_irreversible_is_before_the_point_of_no_return_and_one_step_back_keeps_the_share() {
    let steps =
        "{ name: tenth, at: 1m, move: [{ to: \"on\", percent: 10% }] }, { name: all, at: 3m, move: [{ to: \"on\" }] }";
    let found = tried(&shop("effect: ship, irreversible: true", steps));
    let (one, all) = (future(&found, 1, Way::OneStepBack), future(&found, 1, Way::AllTheWayBack));
    // The tenth that stays is where it was before the last step: what it shipped is as intended as it was then.
    let tenth = all.irreversible_left - one.irreversible_left;
    assert!(tenth > 0 && tenth * 3 < all.irreversible_left, "{tenth} of {}", all.irreversible_left);
    assert_eq!(future(&found, 0, Way::OneStepBack).irreversible_left, future(&found, 0, Way::Kill).irreversible_left);
}

#[test]
fn entities_in_flight_keep_a_consumer_busy_after_the_control_plane_is_done() {
    let plan = common::plan(
        r#"windtunnel: 1
name: billing
duration: 6m
features:
  express: { stages: ["off", "on"] }
services:
  web:
    sdk: { poll: 10s }
    operations:
      order: [{ do: [{ emit: orders, type: Ordered, domain_version: 1 }] }]
    edge: true
  billing:
    decides_from: [event, safe_stage]
    consumes: { orders: { group: billing, takes: 5ms } }
    operations:
      on Ordered: [{ when: 'stage == "on"', path: new, do: [{ effect: charge }] }, { path: old, do: [{ effect: charge }] }]
topics: { orders: { partitions: 1, key: entity, carries: all } }
journeys:
  order: { arrivals: { every: 1s }, first: web.order, feature: express }
rollout:
  express: { steps: [{ name: all, at: 1m, move: [{ to: "on" }], hold: 2m }] }
timeline:
  - { at: 2m 30s, fault: consumer.stall, target: billing/orders, lasts: 90s }
"#,
    );
    let found = tried(&plan);
    let billing = plan.estate.contexts.find("billing").expect("the context");
    let kill = future(&found, 0, Way::Kill);
    // Killed at 3m, the consumer goes on at 4m with what was ordered before.
    assert!(kill.contexts.contains(&billing), "{kill:?}");
    assert!(kill.clean_after.is_some_and(|after| after.as_secs_f64() >= 59.0), "{kill:?}");
}

#[test]
fn the_futures_are_the_same_each_time_and_leave_the_run_as_it_is() {
    let plan = common::plan(&common::shipped("irreversible.yaml"));
    let before = common::run_once(&plan, 1).summary.digest;
    let first = json(&plan, 1, &tried(&plan));
    assert_eq!(first, json(&plan, 1, &tried(&plan)));
    assert_eq!(before, common::run_once(&plan, 1).summary.digest);
}

#[test]
fn the_table_names_each_step_its_ways_back_and_the_point_of_no_return() {
    let text = common::shipped("irreversible.yaml");
    let tables: Vec<String> = [None, Some("committed-first")]
        .map(|variant| common::plan_with(&text, variant, &[]))
        .iter()
        .map(|plan| table(plan, 1, &tried(plan)))
        .collect();
    insta::assert_snapshot!(tables.join("\n"));
}

#[test]
fn json_has_the_same_for_other_tools() {
    let plan = shop("effect: ship, irreversible: true", ALL_AT_ONCE);
    let found: serde_json::Value = serde_json::from_str(&json(&plan, 1, &tried(&plan))).expect("it is JSON");
    assert_eq!(found["rollouts"][0]["point_of_no_return"], "all");
    let futures = found["rollouts"][0]["steps"][0]["futures"].as_array().expect("a list");
    assert_eq!(futures.len(), 3);
    assert!(futures.iter().all(|future| future["clean"] == false && future["irreversible_left"].as_u64() > Some(100)));
}
