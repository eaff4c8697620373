use super::*;
use crate::invariants::fixtures::*;
use crate::invariants::{Settings, Verdict, verdict};
use crate::rollout::Scope;

/// The canary becomes version 2, the half version 3; the user of order `n` decides under each of these versions.
fn ramped(decisions: &[(u32, Decided)]) -> Ledger {
    let estate = estate();
    let mut stream = Stream::new(&estate);
    stream.at(1.0).steps(0, 2);
    stream.at(2.0).steps(1, 3);
    for (version, decided) in decisions {
        stream.arrives(decided.interaction);
        stream.decides(under(*version, *decided));
        stream.closes(decided.interaction, None);
    }
    judge(&ENTRY, &estate, Settings::default(), &stream, 60.0)
}

fn inside() -> Decided {
    decision(interaction(0, 0), BILLING, ON)
}

fn outside() -> Decided {
    decision(interaction(0, 0), BILLING, OFF)
}

#[test]
fn a_subject_that_comes_in_and_stays_in_holds_in_whatever_order_versions_are_used() {
    for decisions in [[(2, outside()), (3, inside()), (3, inside())], [(3, inside()), (2, outside()), (3, inside())]] {
        let ledger = ramped(&decisions);
        assert_eq!((verdict(&ledger, false), ledger.exercised), (Verdict::Holds, 1));
    }
}

#[test]
fn one_version_only_is_vacuous_even_where_time_goes_back_and_forth() {
    let ledger = ramped(&[(2, inside()), (2, inside())]);
    assert_eq!((verdict(&ledger, false), ledger.checked), (Verdict::Vacuous, 2));
    assert_eq!(ramped(&[(1, outside()), (2, inside()), (1, outside())]).violations, 0);
}

#[test]
fn a_subject_that_falls_out_under_a_later_version_is_told_once_with_its_cause() {
    let ledger = ramped(&[(2, inside()), (3, outside()), (3, outside())]);
    assert_eq!(ledger.causes, [("re-bucketed", 1)]);
    assert_eq!(
        ledger.first[0].text,
        "in place-order #0, user 100 is out of new-checkout under policy 3, though it was in under policy 2"
    );
    assert_eq!(ramped(&[(3, inside()), (2, inside()), (3, outside())]).violations, 1);
    let other_salt = Decided { salt: 8, ..outside() };
    assert_eq!(ramped(&[(3, other_salt), (2, inside())]).causes, [("re-salted", 1)]);
    let other_attributes = Decided { attributes: 8, ..outside() };
    let ledger = ramped(&[(2, inside()), (3, other_attributes)]);
    assert_eq!((ledger.violations, ledger.apart), (0, vec![("other attributes", 1)]));
}

#[test]
fn other_subjects_sources_and_features_do_not_mix() {
    let other_user = decision(interaction(1, 0), BILLING, OFF);
    assert_eq!(ramped(&[(2, inside()), (3, other_user)]).violations, 0);
    let carried = Decided { source: Source::Context, ..outside() };
    assert_eq!(ramped(&[(2, inside()), (3, carried)]).violations, 0);
}

#[test]
fn a_kill_between_two_versions_ends_the_promise() {
    let estate = estate();
    let mut stream = Stream::new(&estate);
    stream.at(1.0).steps(0, 2);
    stream.arrives(interaction(0, 0));
    stream.decides(under(2, inside()));
    stream.at(2.0).kills(3, Scope::default());
    stream.at(3.0).lifts(4);
    stream.decides(under(3, outside()));
    stream.decides(under(4, outside()));
    let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 60.0);
    assert_eq!((ledger.checked, ledger.violations), (2, 0));
}

#[test]
fn by_tenant_the_tenant_is_the_subject() {
    let mut estate = estate();
    estate.bucket_by = vec![BucketBy::Tenant];
    let mut stream = Stream::new(&estate);
    stream.at(1.0).steps(0, 2);
    stream.steps(1, 3);
    stream.decides(under(2, inside()));
    stream.decides(under(3, decision(interaction(5, 1), GATEWAY, OFF)));
    let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 60.0);
    assert_eq!(ledger.causes, [("re-bucketed", 1)]);
}
