use super::*;
use crate::invariants::fixtures::*;
use crate::invariants::{Verdict, verdict};
use crate::models::estate::{PATH_NEW, PATH_OLD};
use crate::models::observation::Failure;
use crate::models::observation::{EffectMade, Interaction, Observation, Outcome, Publication};
use crate::models::program::Action;
use crate::models::reach::Reach;
use crate::rollout::Scope;

/// The final status that is void.
const REJECTED: u16 = 3;

/// The fixture whose charges name what compensates them; a rejected order is void.
fn plan() -> Estate {
    let mut estate = estate();
    estate.entities[crate::units::Id::new(0)].void = vec![REJECTED];
    for operation in estate.operations.iter_mut() {
        for action in operation.rules.iter_mut().flat_map(|rule| &mut rule.actions) {
            if let Action::Effect(site) = action
                && site.effect == CHARGE
            {
                site.compensated_by = Some(crate::units::Id::new(2));
            }
        }
    }
    estate
}

fn charge(n: u64) -> EffectMade {
    EffectMade { compensated: true, ..effect(interaction(n, n as u32), BILLING, CHARGE, Some(PATH_NEW)) }
}

fn moves(stream: &mut Stream, n: u64, to: u16) {
    let (interaction, entity) = (interaction(n, n as u32), crate::units::Id::new(0));
    stream.push(Observation::Status { interaction, entity, from: PLACED, to, legal: true });
}

fn expires(stream: &mut Stream, n: u64) {
    let (interaction, after) = (interaction(n, n as u32), SimDuration::from_secs(30));
    stream.push(Observation::Expired { interaction, service: BILLING, replica: replica(4), after });
}

fn judged(end: f64, fill: impl FnOnce(&mut Stream)) -> Ledger {
    let estate = plan();
    let mut stream = Stream::new(&estate);
    fill(&mut stream);
    let settings = Settings { bound: Some(SimDuration::from_secs(60)), quantile: None };
    judge(&ENTRY, &estate, settings, &stream, end)
}

#[test]
fn what_was_in_flight_in_a_killed_scope_and_is_not_compensated_is_a_gap() {
    let ledger = judged(300.0, |stream| {
        stream.at(10.0).effects(charge(0));
        stream.at(20.0).kills(2, Scope::default());
    });
    assert_eq!(ledger.causes, [("in flight when killed", 1)]);
    assert_eq!(
        ledger.first[0].text,
        "in place-order #0, charge on path new by billing is not compensated 1m after new-checkout was killed"
    );
    assert_eq!(ledger.first[0].at, seconds(80.0));
}

#[test]
fn what_is_compensated_in_time_holds_and_one_too_late_does_not() {
    let compensated_at = |at: f64| {
        judged(300.0, |stream| {
            stream.at(10.0).effects(charge(0));
            stream.at(20.0).kills(2, Scope::default());
            stream.at(at).compensates(interaction(0, 0), 1, CHARGE);
        })
    };
    let ledger = compensated_at(50.0);
    assert_eq!((verdict(&ledger, false), ledger.min_margin), (Verdict::Holds, Some(30.0)));
    assert_eq!(verdict(&compensated_at(80.0), false), Verdict::Holds);
    assert_eq!(compensated_at(81.0).violations, 1);
}

#[test]
fn what_was_final_when_the_kill_came_or_ends_well_afterwards_owes_nothing() {
    let ledger = judged(300.0, |stream| {
        for n in 0..2 {
            stream.at(10.0).effects(charge(n));
        }
        moves(stream, 0, DONE);
        stream.at(20.0).kills(2, Scope::default());
        stream.at(30.0);
        moves(stream, 1, DONE);
    });
    assert_eq!((ledger.exercised, ledger.violations, ledger.pending), (1, 0, 0));
    let none = judged(300.0, |stream| stream.at(10.0).effects(charge(0)));
    assert_eq!(verdict(&none, false), Verdict::Vacuous);
}

#[test]
fn another_scope_the_old_path_and_what_needs_no_undoing_are_not_meant_by_a_kill() {
    let ledger = judged(300.0, |stream| {
        stream.at(10.0).effects(EffectMade { path: Some(PATH_OLD), ..charge(0) });
        stream.effects(EffectMade { compensated: false, ..charge(1) });
        stream.at(20.0).kills(2, Scope { region: Some(7), ..Scope::default() });
        stream.at(21.0).effects(charge(2));
    });
    assert_eq!((ledger.checked, ledger.violations), (2, 0));
}

#[test]
fn a_replica_that_has_not_heard_of_the_kill_owes_as_well() {
    let ledger = judged(300.0, |stream| {
        stream.at(20.0).kills(2, Scope::default());
        stream.at(25.0).effects(charge(0));
    });
    assert_eq!(ledger.causes, [("done after the kill", 1)]);
    assert!(ledger.first[0].text.ends_with("1m after it was done, 5s after new-checkout was killed"));
}

/// A charge whose subject came to its stage with a step of the plan: the ways back to before it, or an earlier one,
/// reach it.
fn charge_since(step: usize, n: u64) -> EffectMade {
    EffectMade { reach: Reach::of((0..=step).map(|_| true)), ..charge(n) }
}

#[test]
fn a_plan_that_goes_back_owes_for_whom_it_takes_back_and_for_nobody_else() {
    let ledger = judged(300.0, |stream| {
        stream.steps(0, 2);
        stream.at(10.0).effects(charge_since(0, 0));
        stream.at(15.0).steps(1, 3);
        stream.at(16.0).effects(charge_since(1, 1));
        stream.at(20.0).publishes(4, Publication::RolledBack { rollout: 0, before: 1 });
        stream.at(22.0).effects(charge_since(1, 2));
        stream.effects(charge_since(0, 3));
    });
    assert_eq!(ledger.causes, [("in flight when rolled back", 1), ("done after the rollback", 1)]);
    let texts: Vec<&str> = ledger.first.iter().map(|violation| violation.text.as_str()).collect();
    assert!(texts[0].starts_with("in place-order #1, charge on path new by billing is not compensated 1m after "));
    assert!(texts[0].ends_with("new-checkout went back to before step half"), "{texts:?}");
    assert!(texts[1].ends_with("it was done, 2s after new-checkout went back to before step half"), "{texts:?}");
}

#[test]
fn a_plan_that_is_capped_owes_for_everybody_above_and_one_that_went_on_again_for_nobody_new() {
    let most = crate::rollout::StageId(0);
    let ledger = judged(300.0, |stream| {
        stream.steps(0, 2);
        stream.at(10.0).effects(charge_since(0, 0));
        stream.at(20.0).publishes(3, Publication::Capped { rollout: 0, most });
        stream.at(40.0).steps(0, 4);
        stream.at(50.0).effects(charge_since(0, 1));
    });
    assert_eq!(ledger.causes, [("in flight when rolled back", 1)]);
    assert!(ledger.first[0].text.ends_with("new-checkout went back to off"), "{}", ledger.first[0].text);
}

#[test]
fn a_saga_that_timed_out_a_void_status_and_an_end_that_is_none_owe_on_every_path() {
    let ledger = judged(300.0, |stream| {
        stream.at(10.0).effects(charge(0));
        stream.effects(EffectMade { path: Some(PATH_OLD), ..charge(1) });
        stream.effects(EffectMade { irreversible: true, compensated: false, ..charge(2) });
        stream.at(40.0);
        expires(stream, 0);
        moves(stream, 1, REJECTED);
        stream.closes(interaction(1, 1), Some(REJECTED));
        stream.closes(interaction(2, 2), Some(PLACED));
    });
    assert_eq!(ledger.causes, [("saga timed out", 1), ("void", 1), ("did not complete", 1)]);
    let texts: Vec<&str> = ledger.first.iter().map(|violation| violation.text.as_str()).collect();
    assert!(texts[0].ends_with("1m after the saga of billing timed out"), "{texts:?}");
    assert!(texts[1].ends_with("1m after order became rejected"), "{texts:?}");
    assert!(texts[2].ends_with("1m after it ended without being completed"), "{texts:?}");
}

#[test]
fn a_void_status_does_not_discharge_what_a_kill_demands() {
    let ledger = judged(300.0, |stream| {
        stream.at(10.0).effects(charge(0));
        stream.at(20.0).kills(2, Scope::default());
        stream.at(30.0);
        moves(stream, 0, REJECTED);
        stream.closes(interaction(0, 0), Some(REJECTED));
    });
    assert_eq!(ledger.causes, [("in flight when killed", 1)]);
}

#[test]
fn where_there_is_no_end_to_come_to_the_answer_says_whether_it_completed() {
    let answered = |outcome| {
        judged(300.0, |stream| {
            stream.at(10.0).effects(charge(0));
            stream.ends(interaction(0, 0), outcome);
            stream.closes(interaction(0, 0), None);
        })
    };
    assert_eq!(answered(Outcome::Succeeded).exercised, 0);
    assert_eq!(answered(Outcome::Failed(Failure::Timeout)).causes, [("did not complete", 1)]);
    assert_eq!(answered(Outcome::Rejected(0)).causes, [("did not complete", 1)]);
}

#[test]
fn a_deadline_past_the_end_is_pending_and_one_at_the_end_is_over() {
    let until = |end| {
        judged(end, |stream| {
            stream.at(10.0).effects(charge(0));
            stream.at(20.0);
            expires(stream, 0);
        })
    };
    assert_eq!(verdict(&until(79.0), false), Verdict::Pending);
    assert_eq!(until(80.0).violations, 1);
}

#[test]
fn a_replay_that_ends_in_no_final_status_owes_nothing() {
    let replay = Interaction { replay: 1, ..interaction(0, 0) };
    let ledger = judged(300.0, |stream| {
        stream.at(10.0).effects(EffectMade { interaction: replay, ..charge(0) });
        stream.closes(replay, Some(0));
    });
    assert_eq!((ledger.checked, ledger.exercised), (1, 0));
}

#[test]
fn without_a_bound_it_is_inactive_and_needs_something_to_undo() {
    let bound = Settings { bound: Some(SimDuration::from_secs(60)), quantile: None };
    assert!(reachable(&plan(), &bound) && !reachable(&plan(), &Settings::default()));
    assert!(!reachable(&estate(), &bound));
}
