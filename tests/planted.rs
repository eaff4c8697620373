//! Each bug planted in the engine turns the comparisons named for it red; without one they are green.
//!
//! One test, because what is planted is planted in the whole process.

use windtunnel::kernel::planted::{Planted, plant};
use windtunnel::validation::{ALL, Case, Effort, disagreement, measure};

/// The comparisons that must see each bug.
const SEEN_BY: &[(Planted, &[&str])] = &[
    (Planted::PeriodTooLong, &["caches/time-to-full@40", "caches/time-to-full@10", "caches/stale-by-age@25"]),
    (
        Planted::PhaseNotUniform,
        &["caches/stale-by-age@15", "caches/two-disagree-by-age@15", "chains/split-by-services@3"],
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
];

fn case(name: &str) -> Case {
    ALL.iter().flat_map(|family| family.cases()).find(|case| case.name() == name).expect("the comparison exists")
}

fn agrees(name: &str) -> bool {
    disagreement(&measure(case(name), Effort::Quick), Effort::Quick).is_none()
}

#[test]
fn a_planted_bug_turns_the_comparisons_named_for_it_red() {
    let mut wrong = Vec::new();
    for (bug, names) in SEEN_BY {
        for name in *names {
            plant(None);
            if !agrees(name) {
                wrong.push(format!("{name} is red without a bug"));
            }
            plant(Some(*bug));
            if agrees(name) {
                wrong.push(format!("{name} does not see {bug:?}"));
            }
        }
    }
    plant(None);
    assert_eq!(wrong, Vec::<String>::new());
}
