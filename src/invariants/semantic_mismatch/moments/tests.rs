use crate::invariants::fixtures::*;
use crate::invariants::semantic_mismatch::ENTRY;
use crate::invariants::{Ledger, Settings, Verdict, verdict};
use crate::models::estate::Estate;
use crate::models::observation::Interaction;
use crate::rollout::StageId;
use crate::rollout::feature::MomentRule;
use crate::units::SimDuration;

/// `settled` within 10 s, on billing's authority.
fn contracted(since: Option<StageId>) -> Estate {
    let mut estate = estate();
    let authority = Some(context(&estate, BILLING));
    let rule = MomentRule { moment: SETTLED, authority, tolerance: SimDuration::from_secs(10), since };
    estate.features[FEATURE].contract.moments = vec![rule];
    estate
}

/// Billing marks what occurred at 5 s; then what `more` does; judged at `end`.
fn marked(since: Option<StageId>, end: f64, more: impl FnOnce(&mut Stream, Interaction)) -> Ledger {
    let estate = contracted(since);
    let mut stream = Stream::new(&estate);
    let order = interaction(0, 0);
    stream.at(5.0).marks(order, BILLING, 5.0);
    more(&mut stream, order);
    judge(&ENTRY, &estate, Settings::default(), &stream, end)
}

#[test]
fn marks_are_compared_by_when_they_occurred_however_late_they_are_made() {
    let ledger = marked(None, 900.0, |stream, order| {
        stream.at(300.0).marks(order, MAILER, 12.0);
        stream.at(301.0).closes(order, None);
    });
    assert_eq!(verdict(&ledger, false), Verdict::Holds);
    assert_eq!((ledger.checked, ledger.min_margin), (1, Some(3.0)));
}

#[test]
fn a_mark_beyond_the_tolerance_is_late_once_whoever_comes_first() {
    let ledger = marked(None, 900.0, |stream, order| {
        stream.at(20.0).marks(order, MAILER, 16.0);
        stream.marks(order, MAILER, 100.0);
        stream.at(21.0).closes(order, None);
    });
    assert_eq!((ledger.causes, ledger.exercised), (vec![("late", 1)], 1));
    assert_eq!(
        ledger.first[0].text,
        "in place-order #0, billing considers settled to have happened at 5s, mailer 11s later, beyond 10s (authority: \
         billing)"
    );
    let estate = contracted(None);
    let mut stream = Stream::new(&estate);
    stream.at(20.0).marks(interaction(0, 0), MAILER, 19.0);
    stream.marks(interaction(0, 0), BILLING, 5.0);
    let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 900.0);
    assert_eq!(ledger.causes, [("late", 1)]);
}

#[test]
fn a_mark_just_beyond_the_tolerance_is_late_and_one_at_it_is_not() {
    let mark_at = |secs| marked(None, 900.0, move |stream, order| stream.at(20.0).marks(order, MAILER, secs));
    assert_eq!(mark_at(15.001).causes, [("late", 1)]);
    assert_eq!(mark_at(15.0).violations, 0);
}

#[test]
fn a_context_that_never_marks_is_missing_when_the_occurrence_is_done() {
    let ledger = marked(None, 900.0, |stream, order| stream.at(6.0).closes(order, None));
    assert_eq!(ledger.causes, [("missing", 1)]);
    assert_eq!(
        ledger.first[0].text,
        "in place-order #0, billing considers settled to have happened at 5s, mailer does not within 10s (authority: \
         billing)"
    );
}

#[test]
fn an_occurrence_still_open_at_the_end_is_missing_or_pending_by_its_deadline() {
    assert_eq!(marked(None, 15.0, |_, _| {}).causes, [("missing", 1)]);
    let ledger = marked(None, 14.0, |_, _| {});
    assert_eq!(verdict(&ledger, false), Verdict::Pending);
}

#[test]
fn a_reject_before_the_deadline_discharges_who_is_missing_and_a_later_one_does_not() {
    let rejected = |at: f64| {
        marked(None, 900.0, |stream, order| {
            stream.at(at).push(rejection(order, 0));
            stream.closes(order, None);
        })
    };
    assert_eq!(rejected(14.0).violations, 0);
    assert_eq!(rejected(16.0).causes, [("missing", 1)]);
}

#[test]
fn a_moment_is_judged_only_once_its_stage_is_used() {
    let decides = |stage| {
        marked(Some(ON), 900.0, |stream, order| {
            stream.at(20.0).marks(order, MAILER, 19.0);
            stream.decides(decision(order, GATEWAY, stage));
            stream.closes(order, None);
        })
    };
    assert_eq!(verdict(&decides(OFF), false), Verdict::Vacuous);
    assert_eq!(decides(ON).causes, [("late", 1)]);
}

#[test]
fn on_a_replay_nobody_is_missing() {
    let estate = contracted(None);
    let mut stream = Stream::new(&estate);
    let replay = Interaction { replay: 1, ..interaction(0, 0) };
    stream.at(5.0).marks(replay, MAILER, 5.0);
    stream.closes(replay, None);
    assert_eq!(judge(&ENTRY, &estate, Settings::default(), &stream, 900.0).violations, 0);
}
