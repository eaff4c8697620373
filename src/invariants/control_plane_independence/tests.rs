use super::*;
use crate::invariants::fixtures::*;
use crate::invariants::{Settings, Verdict, verdict};
use crate::models::observation::Failure;
use crate::units::Id;

fn unfounded(decided: Decided) -> Decided {
    Decided {
        source: Source::Fallback,
        reason: Reason::Error,
        rule: None,
        policy_version: None,
        freshness: Some(SimDuration::from_secs(300)),
        ..decided
    }
}

/// An order during an outage; what `fill` observes of it.
fn during_outage(estate: &Estate, fill: impl FnOnce(&mut Stream, Interaction)) -> Ledger {
    let mut stream = Stream::new(estate);
    stream.at(100.0).push(Observation::FaultStarted { entry: OUTAGE });
    stream.at(120.0).arrives(interaction(0, 0));
    fill(&mut stream, interaction(0, 0));
    judge(&ENTRY, estate, Settings::default(), &stream, 300.0)
}

#[test]
fn business_that_goes_on_under_the_last_policy_holds() {
    let ledger = during_outage(&estate(), |stream, order| {
        stream.decides(decision(order, GATEWAY, ON));
        stream.finishes(order);
    });
    assert_eq!(verdict(&ledger, false), Verdict::Holds);
    assert_eq!(ledger.exercised, 2);
}

#[test]
fn without_an_outage_it_is_vacuous_even_where_interactions_fail() {
    let estate = estate();
    let mut stream = Stream::new(&estate);
    stream.push(Observation::FaultStarted { entry: OUTAGE });
    stream.push(Observation::FaultEnded { entry: OUTAGE });
    stream.arrives(interaction(0, 0));
    stream.decides(decision(interaction(0, 0), GATEWAY, ON));
    stream.ends(interaction(0, 0), Outcome::Failed(Failure::Timeout));
    assert_eq!(verdict(&judge(&ENTRY, &estate, Settings::default(), &stream, 300.0), false), Verdict::Vacuous);
}

#[test]
fn a_failure_after_a_decision_without_policy_is_violated_and_one_without_is_not() {
    let fails = |decided: fn(Decided) -> Decided| {
        during_outage(&estate(), |stream, order| {
            stream.decides(decided(decision(order, GATEWAY, OFF)));
            stream.ends(order, Outcome::Failed(Failure::Error));
        })
    };
    let ledger = fails(unfounded);
    assert_eq!(ledger.causes, [("no policy", 1)]);
    assert_eq!(ledger.first[0].text, "place-order #0 failed (error) after a decision found no policy");
    assert_eq!(fails(|decided| decided).violations, 0);
    assert_eq!(fails(|decided| Decided { freshness: None, ..unfounded(decided) }).violations, 0);
}

#[test]
fn a_failure_or_delay_after_a_prevented_fetch_on_demand_is_violated() {
    let mut asking = estate();
    asking.services[GATEWAY].sdk.as_mut().expect("gateway has an SDK").delivery = Delivery::Remote;
    let called = |estate: &Estate, outcome, latency| {
        during_outage(estate, |stream, order| {
            let (operation, replica) = (Id::from_u32(0), replica(0));
            stream.push(Observation::Called { interaction: order, from: None, operation, replica, attempt: 1 });
            stream.at(120.5).suppressed(0);
            let latency = SimDuration::from_secs(latency);
            stream.push(Observation::Finished { interaction: order, outcome, latency });
        })
    };
    assert_eq!(called(&asking, Outcome::Failed(Failure::Timeout), 1).causes, [("no answer", 1)]);
    let slow = called(&asking, Outcome::Succeeded, 61);
    assert_eq!((slow.causes, slow.first[0].clause), (vec![("no answer", 1)], "slow"));
    assert_eq!(called(&asking, Outcome::Succeeded, 60).violations, 0);
    assert_eq!(called(&estate(), Outcome::Failed(Failure::Timeout), 1).violations, 0);
}

#[test]
fn a_fetch_prevented_before_the_interaction_or_by_a_crash_is_not_what_it_failed_of() {
    let mut asking = estate();
    asking.services[GATEWAY].sdk.as_mut().expect("gateway has an SDK").delivery = Delivery::Remote;
    for (at, by) in [(110.0, Obstacle::ControlPlaneDown), (121.0, Obstacle::ReplicaDown)] {
        let mut stream = Stream::new(&asking);
        if at < 120.0 {
            stream.at(at).push(Observation::Suppressed { replica: replica(0), by });
        }
        let order = interaction(0, 0);
        stream.at(120.0).arrives(order);
        let (operation, called) = (Id::from_u32(0), replica(0));
        stream.push(Observation::Called { interaction: order, from: None, operation, replica: called, attempt: 1 });
        if at > 120.0 {
            stream.at(at).push(Observation::Suppressed { replica: replica(0), by });
        }
        stream.ends(order, Outcome::Failed(Failure::Timeout));
        assert_eq!(judge(&ENTRY, &asking, Settings::default(), &stream, 300.0).violations, 0);
    }
}

#[test]
fn a_feature_of_high_risk_must_not_be_on_under_an_old_policy_or_none() {
    let mut risky = estate();
    risky.features[FEATURE].risk = Risk::High;
    risky.features[FEATURE].stale_after = Some(SimDuration::from_secs(60));
    let old = |decided| Decided { freshness: Some(SimDuration::from_secs(61)), ..decided };
    let decides = |estate: &Estate, decided: Decided| {
        during_outage(estate, |stream, _| {
            stream.decides(decided);
            stream.decides(decided);
        })
    };
    let on = decision(interaction(0, 0), GATEWAY, ON);
    let ledger = decides(&risky, old(on));
    assert_eq!((ledger.causes, ledger.first[0].clause), (vec![("policy too old", 1)], "unfresh"));
    assert_eq!(
        ledger.first[0].text,
        "in place-order #0, gateway/1 used on of new-checkout (sdk, policy 1, 1m 1s old), though the feature is of \
         high risk"
    );
    assert_eq!(decides(&risky, unfounded(on)).causes, [("failed open", 1)]);
    assert_eq!(decides(&risky, Decided { stage: OFF, ..old(on) }).violations, 0);
    assert_eq!(decides(&estate(), old(on)).violations, 0);
}

#[test]
fn falling_back_to_another_stage_than_the_policys_is_violated_and_to_the_same_is_not() {
    let falls_back = |before: StageId, used: StageId| {
        during_outage(&estate(), |stream, order| {
            stream.decides(under(4, decision(interaction(7, 7), CHECKOUT, before)));
            stream.decides(unfounded(decision(order, GATEWAY, used)));
        })
    };
    let ledger = falls_back(ON, OFF);
    assert_eq!((ledger.causes, ledger.first[0].clause), (vec![("fell back", 1)], "fallback"));
    assert_eq!(falls_back(OFF, OFF).violations, 0);
}

#[test]
fn where_subjects_differ_only_the_same_interaction_tells_what_the_policy_says() {
    let split = |decided| Decided { reason: Reason::Split, ..decided };
    let ledger = during_outage(&estate(), |stream, order| {
        stream.decides(split(decision(interaction(7, 7), CHECKOUT, ON)));
        stream.decides(unfounded(decision(order, GATEWAY, OFF)));
    });
    assert_eq!(ledger.violations, 0);
    for first in [GATEWAY, BILLING] {
        let ledger = during_outage(&estate(), |stream, order| {
            let (policy, none) = (split(decision(order, BILLING, ON)), unfounded(decision(order, GATEWAY, OFF)));
            let both = if first == GATEWAY { [none, policy] } else { [policy, none] };
            both.into_iter().for_each(|decided| stream.decides(decided));
        });
        assert_eq!(ledger.causes, [("fell back", 1)]);
    }
}

#[test]
fn failing_closed_is_what_a_feature_of_high_risk_must_do_and_another_must_not() {
    let mut closed = estate();
    closed.features[FEATURE].when_unknown = WhenUnknown::FailClosed;
    let falls = |estate: &Estate| {
        during_outage(estate, |stream, order| {
            stream.decides(under(4, decision(interaction(7, 7), CHECKOUT, ON)));
            stream.decides(unfounded(decision(order, GATEWAY, OFF)));
        })
    };
    assert_eq!(falls(&closed).causes, [("failed closed", 1)]);
    closed.features[FEATURE].risk = Risk::High;
    let ledger = falls(&closed);
    assert_eq!((ledger.violations, ledger.apart), (0, vec![("failed closed", 1)]));
}
