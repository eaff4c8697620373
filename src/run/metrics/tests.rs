use super::*;
use crate::invariants::fixtures::*;
use crate::models::amount::Currency;
use crate::models::estate::Estate;
use crate::models::estate::{PATH_NEW, PATH_OLD};
use crate::models::exceptions::ExceptionQueue;
use crate::models::metric::Metric;
use crate::models::observation::*;
use crate::models::own_metric::{Own, OwnMetric};
use crate::models::program::Action;
use crate::models::reconciliation::{Compares, ReconciliationSpec, Schedule};
use crate::rollout::Scope;
use crate::rollout::policy::PolicyVersion;
use crate::units::Id;

/// Something of everything: four orders, a step, a kill, consumers in trouble.
fn eventful() -> Stream {
    let estate = estate();
    let mut stream = Stream::new(&estate);
    for n in 0..4 {
        stream.arrives(interaction(n, n as u32));
    }
    stream.at(10.0).steps(0, 2);
    (0..8).for_each(|at| stream.applies(at, 2));
    stream.at(14.0).push(Observation::PolicyLost { replica: replica(7) });
    stream.decides(under(2, decision(interaction(0, 0), GATEWAY, ON)));
    let stale = SimDuration::from_secs(8);
    stream.decides(Decided { staleness: stale, ..decision(interaction(0, 0), BILLING, OFF) });
    stream.decides(decision(interaction(1, 1), GATEWAY, OFF));
    stream.decides(Decided { source: Source::Fallback, ..decision(interaction(1, 1), BILLING, OFF) });
    for (attempt, place) in [(1, 0), (2, 0), (1, 1), (1, 2)] {
        let (interaction, operation, replica) = (interaction(u64::from(place), place), Id::from_u32(0), replica(0));
        stream.push(Observation::Called { interaction, from: Some(Id::new(0)), operation, replica, attempt });
    }
    let outcomes = [Outcome::Succeeded, Outcome::Succeeded, Outcome::Rejected(0), Outcome::Failed(Failure::Timeout)];
    for (n, outcome) in outcomes.into_iter().enumerate() {
        let (interaction, latency) = (interaction(n as u64, n as u32), SimDuration::from_millis(10 * (n as u64 + 1)));
        stream.push(Observation::Finished { interaction, outcome, latency });
    }
    stream.at(20.0).effects(effect(interaction(0, 0), GATEWAY, CHARGE, Some(PATH_NEW)));
    stream.at(30.0).kills(3, Scope::default());
    stream.at(33.0).effects(effect(interaction(0, 0), GATEWAY, CHARGE, Some(PATH_NEW)));
    stream.effects(effect(interaction(0, 0), GATEWAY, SHIP, Some(PATH_OLD)));
    stream.at(36.0).push(Observation::PolicyLost { replica: replica(7) });
    (0..8).for_each(|at| stream.applies(at, 3));
    stream.push(Observation::FaultStarted { entry: OUTAGE });
    stream.push(Observation::FaultEnded { entry: OUTAGE });
    for questions in [1, 4] {
        stream.push(Observation::Asked { replica: replica(0), questions, idle: false });
    }
    consumers(&mut stream);
    held(&mut stream);
    given_up(&mut stream);
    stream.push(Observation::Reconciled { job: 0, compared: 16, missing: 1, differing: 1 });
    stream.push(Observation::Reconciled { job: 0, compared: 4, missing: 0, differing: 3 });
    stream.push(Observation::Exceptions { job: 0, parked: 5, worked: 0, backlog: 5 });
    stream.push(Observation::Exceptions { job: 0, parked: 0, worked: 1, backlog: 4 });
    stream
}

fn held(stream: &mut Stream) {
    let (interaction, operation) = (interaction(0, 0), Id::from_u32(3));
    let goes_on = |stream: &mut Stream, secs, given_up| {
        let held = SimDuration::from_secs(secs);
        stream.push(Observation::Resumed { interaction, operation, held, given_up });
    };
    for at in [51.0, 52.0, 53.0] {
        stream.at(at).push(Observation::Held { interaction, operation });
    }
    goes_on(stream, 2, None);
    stream.at(54.0).push(Observation::Held { interaction, operation });
    goes_on(stream, 4, Some(Failure::HeldTooLong));
}

/// The estate of the fixtures, with a queue in the mailer.
fn holding() -> Estate {
    let mut estate = estate();
    let (when, every) = (std::sync::Arc::new(crate::rollout::Condition::always()), SimDuration::from_secs(1));
    let site = crate::models::program::HoldSite { when, looks_every: every, at_most: every, room: 1 };
    estate.operations[Id::from_u32(3)].rules[0].actions.push(crate::models::program::Action::QueueUntil(site));
    estate
}

/// The fixture whose charges name what compensates them, and are about money.
fn estate() -> Estate {
    let mut estate = crate::invariants::fixtures::estate();
    estate.currency = Some(Currency { code: "EUR".to_owned(), decimals: 2 });
    estate.reconciliations = vec![ReconciliationSpec {
        name: "nightly".to_owned(),
        compares: Compares::Effects { left: SHIP, right: CHARGE },
        schedule: Schedule::Daily(0),
        feature: None,
        settles_after: Vec::new(),
        allows: crate::units::Share::NONE,
        metric: None,
        exceptions: Some(ExceptionQueue { each: None }),
    }];
    for action in
        estate.operations.iter_mut().flat_map(|operation| &mut operation.rules).flat_map(|rule| &mut rule.actions)
    {
        if let Action::Effect(site) = action {
            site.compensated_by = (site.effect == CHARGE).then_some(Id::from_u32(2));
        }
    }
    estate
}

/// Four charges whose saga times out: one is compensated, one comes to a good end after all, two stay.
fn given_up(stream: &mut Stream) {
    let charge = |n: u64| {
        let amount = Some([500, 700, 1_100, 1_300][n as usize - 10]);
        EffectMade { compensated: true, amount, ..effect(interaction(n, 10), BILLING, CHARGE, None) }
    };
    for n in 10..14 {
        let of = Interaction { place: n as u32, ..interaction(n, 0) };
        stream.at(55.0).effects(EffectMade { interaction: of, ..charge(n) });
        let made = stream.observed().len() as u64;
        let after = SimDuration::from_secs(30);
        stream.push(Observation::Expired { interaction: of, service: BILLING, replica: replica(4), after });
        if n == 11 {
            stream.compensates(of, made, CHARGE);
        }
        if n == 13 {
            let entity = Id::from_u32(0);
            stream.push(Observation::Status { interaction: of, entity, from: PLACED, to: DONE, legal: true });
        }
    }
}

fn consumers(stream: &mut Stream) {
    let group = Id::from_u32(0);
    for (partition, end, committed) in [(0, 10, 4), (1, 5, 0), (0, 10, 9)] {
        stream.push(Observation::Lag { group, partition, end, committed });
    }
    let record = delivery(interaction(0, 0), 2, Some(1));
    stream.push(Observation::Delivered(record));
    stream.push(Observation::Delivered(Delivered { redelivery: 1, handled_as: None, ..record }));
    stream.push(Observation::Parked { interaction: interaction(0, 0), group, event_type: 0 });
    for at in [40.0, 50.0] {
        stream.at(at).push(Observation::Evicted { group, member: Id::from_u32(0), why: Eviction::PollInterval });
    }
}

fn measured(stream: &Stream) -> Vec<MetricValue> {
    let estate = holding();
    let mut metrics = Metrics::new(&estate);
    for observed in stream.observed() {
        if metrics.wants(observed.what.kind()) {
            metrics.observe(observed, &estate);
        }
    }
    metrics.finish(seconds(60.0), &estate)
}

#[test]
fn every_metric_of_the_catalogue_is_measured_as_its_formula_says() {
    let expected = [
        ("interactions.count", 4.0),
        ("mixed_interactions.count", 1.0),
        ("mixed_interactions.share", 0.5),
        ("success_rate", 0.75),
        ("error_rate", 0.25),
        ("reject_rate", 0.25),
        ("latency.p50", 0.02),
        ("latency.p99", 0.04),
        ("attempts_per_call", 4.0 / 3.0),
        ("fallback_rate", 0.25),
        ("staleness.p99", 8.0),
        ("staleness.max", 8.0),
        ("time_to_full", 6.0),
        ("new_path_effects.count", 2.0),
        ("time_to_kill", 3.0),
        ("lag.max", 11.0),
        ("lag.end", 6.0),
        ("deliveries.count", 2.0),
        ("redeliveries.count", 1.0),
        ("redelivery_rate", 0.5),
        ("evictions.count", 2.0),
        ("first_eviction", 40.0),
        ("parked.count", 1.0),
        ("misread_events.count", 1.0),
        ("held.count", 4.0),
        ("held.max", 3.0),
        ("held.end", 2.0),
        ("held_for.p50", 2.0),
        ("held_for.max", 4.0),
        ("given_up.count", 1.0),
        ("control_plane_questions.count", 5.0),
        ("control_plane_load.mean", 5.0 / 60.0),
        ("control_plane_load.peak", 5.0),
        ("control_plane_load.after_outage", 5.0),
        ("herd_factor", 60.0),
        ("exposed_interactions.count", 1.0),
        ("harm.count", 1.0),
        ("harm.share", 1.0),
        ("blast_radius.share", 0.25),
        ("blast_radius.max_region", 0.25),
        ("exposure_at_detection.count", 1.0),
        ("exposure_at_containment.count", 1.0),
        ("divergence_window.max", 0.0),
        ("time_to_kill.decisions", 0.0),
        ("irreversible_after_kill.count", 0.0),
        ("cold_decisions.count", 0.0),
        ("staleness.p50", 0.0),
        ("flap_rate", 0.0),
        ("decision_lineage.share", 1.0),
        ("lag_at_step.max", 0.0),
        ("opportunity_cost", 37.5),
        ("version_tuples.count", 2.0),
        ("compensations.count", 1.0),
        ("compensation_debt.max", 3.0),
        ("compensation_debt.end", 2.0),
        ("compensation_debt_amount.max", 2_900.0),
        ("compensation_debt_amount.end", 1_600.0),
        ("reconciliations.count", 2.0),
        ("reconciled.count", 20.0),
        ("reconciliation_missing.count", 1.0),
        ("reconciliation_differing.count", 4.0),
        ("reconciliation_variance", 0.25),
        ("reconciliation_variance.max", 0.75),
        ("exceptions.count", 5.0),
        ("exceptions_backlog.max", 5.0),
        ("exceptions_backlog.end", 4.0),
    ];
    // What plans and migrations are measured by is in `tests/gates.rs` and `tests/migration.rs`.
    const ELSEWHERE: [&str; 13] = [
        "plan_completed",
        "time_to_detect",
        "gate_failures.count",
        "gates_without_data.count",
        "plan_rollbacks.count",
        "approval_wait",
        "bypasses.count",
        "alerts_raised.count",
        "operator_actions.count",
        "wrong_actions.count",
        "shadow_mismatch",
        "dual_write_gaps.share",
        "dual_write_gaps.count",
    ];
    let here = metric::ALL.iter().map(|metric| metric.name).filter(|name| !ELSEWHERE.contains(name));
    assert_eq!(expected.map(|(name, _)| name).to_vec(), here.collect::<Vec<_>>());
    let measured = measured(&eventful());
    assert_eq!(measured.len(), expected.len());
    for (found, (name, value)) in measured.iter().zip(expected) {
        assert_eq!(found.name, name);
        assert!((found.value - value).abs() <= value / 64.0, "{name}: {} instead of {value}", found.value);
    }
}

#[test]
fn what_never_happened_has_no_value() {
    let absent = ["mixed_interactions.share", "latency.p99", "time_to_full", "time_to_kill", "first_eviction"];
    let estate = estate();
    let measured = measured(&Stream::new(&estate));
    for name in absent {
        assert!(measured.iter().all(|metric| metric.name != name), "{name}");
    }
    let zero = measured.iter().find(|metric| metric.name == "evictions.count");
    assert_eq!(zero.map(|metric| metric.value), Some(0.0));
    let plain = Metrics::new(&crate::invariants::fixtures::estate()).finish(seconds(1.0), &estate);
    assert!(
        plain.iter().all(|metric| !metric.name.starts_with("compensation") && !metric.name.starts_with("reconcil"))
    );
}

#[test]
fn a_version_that_one_replica_never_gets_is_never_full() {
    let estate = estate();
    let mut stream = Stream::new(&estate);
    stream.at(10.0).steps(0, 2);
    (0..7).for_each(|at| stream.applies(at, 2));
    assert!(measured(&stream).iter().all(|metric| metric.name != "time_to_full"));
}

#[test]
fn without_consumers_or_queues_their_metrics_are_absent() {
    let mut estate = estate();
    estate.groups = crate::units::IdVec::default();
    let values = Metrics::new(&estate).finish(seconds(1.0), &estate);
    for absent in ["lag", "parked", "held", "given_up"] {
        assert!(values.iter().all(|metric| !metric.name.starts_with(absent)), "{absent}");
    }
}

#[test]
fn every_metric_that_may_count_from_a_step_on_is_measured_from_there() {
    let mut stream = eventful();
    let (interaction, shadowed) = (interaction(0, 0), Shadowed::Disagreed);
    stream.push(Observation::ShadowCompared { interaction, context: 0, of: PATH_NEW, shadowed });
    let name = |known: &Metric| format!("{} from few", known.name);
    let mut estate = holding();
    estate.own_metrics = metric::FROM_A_STEP
        .iter()
        .map(|known| metric::named(known).expect("it is in the catalogue"))
        .map(|known| OwnMetric { name: name(known), of: Own::Known(known), since: Some((0, 1)) })
        .collect();
    let measured = |stream: &Stream| {
        let mut metrics = Metrics::new(&estate);
        stream.observed().iter().for_each(|observed| metrics.observe(observed, &estate));
        metrics.finish(seconds(60.0), &estate)
    };
    let own = |values: &[MetricValue]| values.iter().filter(|value| value.name.ends_with(" from few")).count();
    assert_eq!(own(&measured(&stream)), 0, "this step has not come");
    let mut since = Stream::new(&estate);
    since.push(Observation::Stepped { rollout: 0, step: 1, version: PolicyVersion(2) });
    for observed in stream.observed() {
        since.push(observed.what);
    }
    let values = measured(&since);
    for known in metric::FROM_A_STEP {
        let value = |name: &str| values.iter().find(|value| value.name == name).map(|value| value.value);
        let whole = value(known).unwrap_or_else(|| panic!("{known} has a value"));
        assert_eq!(value(&format!("{known} from few")), Some(whole), "{known}: all of it came after the step");
    }
}
