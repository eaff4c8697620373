//! Each bug planted in the engine turns the comparisons named for it red; without one they are green. Red is a value
//! that is off, not an estimate that is too uncertain.
//!
//! One test plants, because what is planted is planted in the whole process.

use windtunnel::models::planted::{Planted, plant};
use windtunnel::validation::{ALL, Case, Effort, Measured, disagreement, is_off, measure};

/// The comparisons that must see each bug.
const SEEN_BY: &[(Planted, &[&str])] = &[
    (
        Planted::PeriodTooLong,
        &[
            "caches/time-to-full@40",
            "caches/time-to-full@10",
            "caches/stale-by-age@25",
            "chains/split-by-services@3",
            "chains/split-by-replicas@4",
        ],
    ),
    (
        Planted::PhaseNotUniform,
        &[
            "caches/stale-by-age@15",
            "caches/two-disagree-by-age@15",
            "chains/split-over-a-topic@2",
            "chains/any-split@1",
        ],
    ),
    (
        Planted::PolicyReadAtAnswer,
        &["caches/stale-by-age-with-slow-answers@8", "caches/stale-by-age-with-slow-answers@26"],
    ),
    (
        Planted::RetryTooFew,
        &[
            "retries/attempts-by-retries@1",
            "retries/failures-by-retries@2",
            "retries/attempts-through-layers@3",
            "retries/attempts-where-all-fail@3",
            "retries/recovery-with-one-retry@70",
        ],
    ),
    (Planted::TtlTooLong, &["on-demand/served-age@0.1", "on-demand/stale-after-ttl@0.5", "on-demand/stale-served@0.2"]),
    (Planted::PushTooSlow, &["streaming/stale-by-age@3"]),
    (Planted::BackoffTooLong, &["herd/offered-rate@26", "herd/answered-after-recovery@1"]),
    (
        Planted::ServiceTooSlow,
        &["queues/wait-of-one-worker@0.7", "queues/timeouts@0.05", "queues/wait-of-four-workers@0.7"],
    ),
    (Planted::RecordTooSlow, &["lag/drain@4", "lag/mean-lag@0.7", "lag/lag-at-least@3"]),
    (Planted::SaltIgnored, &["bucketing/salt-of-one-service@0.1", "bucketing/joint-exposure@0.3"]),
    (Planted::SaltOfVersion, &["bucketing/flaps-of-a-ramp@6"]),
    (
        Planted::FailureTooRare,
        &["exposure/exposures-on-a-linear-ramp@3", "exposure/exposures-on-an-exponential-ramp@5"],
    ),
];

fn case(name: &str) -> Case {
    ALL.iter().flat_map(|family| family.cases()).find(|case| case.name() == name).expect("the comparison exists")
}

fn measured(name: &str) -> Measured {
    measure(case(name), Effort::Quick)
}

#[test]
fn a_planted_bug_turns_the_comparisons_named_for_it_red() {
    let mut wrong = Vec::new();
    for (bug, names) in SEEN_BY {
        for name in *names {
            plant(None);
            if let Some(why) = disagreement(&measured(name), Effort::Quick) {
                wrong.push(format!("red without a bug: {why}"));
            }
            plant(Some(*bug));
            let seen = measured(name);
            if !is_off(&seen) {
                wrong.push(format!("{name} does not see {bug:?}: z = {:?}", seen.z()));
            }
        }
    }
    plant(None);
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_family_has_a_bug_that_it_sees() {
    let sees = |family: &str| {
        let names = SEEN_BY.iter().flat_map(|(_, names)| *names);
        names.into_iter().any(|name| name.split_once('/').is_some_and(|(of, _)| of == family))
    };
    let blind: Vec<&str> = ALL.iter().map(|family| family.name).filter(|family| !sees(family)).collect();
    assert_eq!(blind, Vec::<&str>::new());
}
