//! `split-brain`: contexts of one interaction agree on the stage they use.

use super::account::{occurrence, side};
use super::fleet::Fleet;
use super::places::{Places, Reset};
use super::{Entry, Invariant, Ledger, Settings, Violation, reach};
use crate::models::estate::{Estate, Happening};
use crate::models::observation::{Decided, Kind, Observation, ObservationId, Observed, Refused, Source};
use crate::rollout::FeatureId;
use crate::units::SimTime;

pub static ENTRY: Entry = Entry {
    name: "split-brain",
    sentence: "two contexts used different stages of one feature in one interaction; differences made by a kill or a \
               local switch (`restricted in flight`) and by one context twice (`same context`) are counted apart",
    exercised_when: "at least two contexts of an interaction read one feature while live replicas held different \
                     policy versions, or with decisions from different sources or versions",
    exhibits: ("split-brain", "split-brain:edge-context"),
    causes: &[
        "stripped context",
        "expired context",
        "untrusted context",
        "fallback",
        "other salt",
        "wrong environment",
        "other attributes",
        "old code",
        "stale cache",
        "carried context",
        "carried by an event",
        "kept by the entity",
        "unexplained",
    ],
    reachable,
    create: |estate, _| Box::new(SplitBrain { fleet: Fleet::new(estate), places: Places::default() }),
};

fn reachable(estate: &Estate, _: &Settings) -> bool {
    let disturbed = estate.timeline.iter().any(|entry| matches!(entry.what, Happening::Fault { .. }));
    let changes = |feature| {
        let rolled_out = estate.rollouts.iter().any(|rollout| rollout.feature == feature && !rollout.steps.is_empty());
        let mut happenings = estate.timeline.iter().map(|entry| &entry.what);
        disturbed
            || rolled_out
            || happenings.any(|what| matches!(what, Happening::Kill { feature: killed, .. } if *killed == feature))
    };
    let shared = |feature| {
        let mut journeys = estate.journeys.iter();
        journeys.any(|journey| reach::deciders(estate, journey, feature).len() > 1)
    };
    estate.features.ids().any(|feature| changes(feature) && shared(feature))
}

/// Why two contexts that used different stages did so, from the two records alone.
///
/// Asked in the order of rules.md, 5: where the decisions came from, salt, attributes, code, policy version. Other
/// code counts only under the same policy version: services number their code each for itself, so that two numbers
/// differ even where nothing is old. Under different versions, what the older one came from says how it got old.
pub fn cause(a: &Decided, b: &Decided) -> &'static str {
    let stripped = |one: &Decided| one.context_missing && !is_carried(one);
    if stripped(a) != stripped(b) {
        return "stripped context";
    }
    // Whoever did not go by what was carried decided for itself, under what it knew.
    match (a.refused, b.refused) {
        (Some(why), None) | (None, Some(why)) => return refusal(why),
        (Some(_), Some(_)) | (None, None) => {}
    }
    if a.source == Source::Fallback || b.source == Source::Fallback {
        return "fallback";
    }
    if a.salt != b.salt {
        return "other salt";
    }
    if a.environment != b.environment {
        return "wrong environment";
    }
    if a.attributes != b.attributes {
        return "other attributes";
    }
    let older = match a.policy_version.cmp(&b.policy_version) {
        std::cmp::Ordering::Less => a,
        std::cmp::Ordering::Greater => b,
        std::cmp::Ordering::Equal if a.code != b.code => return "old code",
        std::cmp::Ordering::Equal => return "unexplained",
    };
    match older.source {
        Source::Sdk | Source::Fallback | Source::Kill | Source::Local => "stale cache",
        Source::Context => "carried context",
        Source::Event => "carried by an event",
        Source::Entity => "kept by the entity",
    }
}

fn refusal(why: Refused) -> &'static str {
    match why {
        Refused::Expired => "expired context",
        Refused::Untrusted => "untrusted context",
    }
}

fn is_carried(decided: &Decided) -> bool {
    match decided.source {
        Source::Context | Source::Event | Source::Entity => true,
        Source::Sdk | Source::Fallback | Source::Kill | Source::Local => false,
    }
}

fn is_restriction(decided: &Decided) -> bool {
    match decided.source {
        Source::Kill | Source::Local => true,
        Source::Context | Source::Event | Source::Entity | Source::Sdk | Source::Fallback => false,
    }
}

struct SplitBrain {
    fleet: Fleet,
    places: Places<Readings>,
}

/// The decisions used in one interaction, and what was found of each feature.
#[derive(Default)]
struct Readings {
    used: Vec<(SimTime, ObservationId, Decided)>,
    features: Vec<Found>,
}

#[derive(Clone, Copy)]
struct Found {
    feature: FeatureId,
    checked: bool,
    exercised: bool,
    split: bool,
    restricted: bool,
    same_context: bool,
}

impl Reset for Readings {
    fn reset(&mut self) {
        self.used.clear();
        self.features.clear();
    }
}

impl Readings {
    fn found(&mut self, feature: FeatureId) -> usize {
        self.features.iter().position(|found| found.feature == feature).unwrap_or_else(|| {
            let (checked, exercised, split, restricted, same_context) = (false, false, false, false, false);
            self.features.push(Found { feature, checked, exercised, split, restricted, same_context });
            self.features.len() - 1
        })
    }

    /// Whether a kill or a local switch made the difference: one side is the restriction, or both go back to one
    /// decision, which only a restriction on the way can have changed, or one side carries what was restricted.
    fn is_restricted(&self, a: &Decided, b: &Decided) -> bool {
        let carries = |one: &Decided| {
            let mut restrictions = self.used.iter().filter(|(_, _, used)| is_restriction(used));
            restrictions.any(|(_, _, used)| used.decision_id == one.decision_id && used.stage == one.stage)
        };
        is_restriction(a) || is_restriction(b) || a.decision_id == b.decision_id || carries(a) || carries(b)
    }
}

impl Invariant for SplitBrain {
    fn interests(&self) -> &'static [Kind] {
        &[Kind::Decided, Kind::Closed, Kind::PolicyApplied, Kind::PolicyLost, Kind::Crashed, Kind::Restarted]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Decided(decided) = &observed.what {
            self.decided(observed, decided, estate, ledger);
        } else if let Observation::Closed { interaction, .. } = &observed.what {
            self.places.close(interaction);
        } else {
            self.fleet.observe(&observed.what);
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, _: &mut Ledger) {
        // Every decision was judged when it was made.
    }
}

impl SplitBrain {
    fn decided(&mut self, observed: &Observed, decided: &Decided, estate: &Estate, ledger: &mut Ledger) {
        let readings = self.places.of(&decided.interaction);
        let index = readings.found(decided.feature);
        let mut found = readings.features[index];
        let (mut repeats, mut clash) = (false, None);
        for (position, (_, _, earlier)) in readings.used.iter().enumerate() {
            if earlier.feature != decided.feature {
                continue;
            }
            let grounds_differ = earlier.source != decided.source || earlier.policy_version != decided.policy_version;
            if earlier.context == decided.context {
                repeats |= earlier.stage == decided.stage && !grounds_differ;
                if earlier.stage != decided.stage && !std::mem::replace(&mut found.same_context, true) {
                    ledger.set_apart("same context");
                }
                continue;
            }
            if !std::mem::replace(&mut found.checked, true) {
                ledger.check();
            }
            if !found.exercised && (grounds_differ || self.fleet.is_divided()) {
                found.exercised = true;
                ledger.exercise();
            }
            if earlier.stage == decided.stage {
                continue;
            }
            if readings.is_restricted(earlier, decided) {
                if !std::mem::replace(&mut found.restricted, true) {
                    ledger.set_apart("restricted in flight");
                }
            } else if clash.is_none() && !found.split {
                clash = Some(position);
            }
        }
        if let Some(position) = clash {
            found.split = true;
            if !std::mem::replace(&mut found.exercised, true) {
                ledger.exercise();
            }
            split(&readings.used[position], observed, decided, estate, ledger);
        }
        readings.features[index] = found;
        if !repeats {
            readings.used.push((observed.at, observed.id, *decided));
        }
    }
}

fn split(
    (earlier_at, earlier_id, earlier): &(SimTime, ObservationId, Decided),
    observed: &Observed,
    decided: &Decided,
    estate: &Estate,
    ledger: &mut Ledger,
) {
    let cause = cause(earlier, decided);
    let feature = &estate.features[decided.feature];
    ledger.violate("stages", cause, Some(decided.interaction), decided.feature.index() as u64, || Violation {
        at: observed.at,
        interaction: Some(decided.interaction),
        clause: "stages",
        cause,
        about: feature.name.clone(),
        text: format!(
            "in {}, {} and {}",
            occurrence(&decided.interaction, estate),
            side(earlier, *earlier_at, estate),
            side(decided, observed.at, estate)
        ),
        witnesses: vec![*earlier_id, observed.id],
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Verdict, verdict};
    use crate::models::observation::Interaction;
    use crate::rollout::Reason;
    use crate::units::SimDuration;

    fn order() -> Interaction {
        interaction(0, 0)
    }

    /// gateway already holds policy 2, and uses `on`; billing uses what `side` makes of its decision.
    fn split_with(side: impl Fn(Decided) -> Decided) -> Ledger {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        stream.at(10.0).applies(0, 2);
        stream.at(13.0).decides(under(2, decision(order(), GATEWAY, ON)));
        stream.decides(side(decision(order(), BILLING, OFF)));
        judge(&ENTRY, &estate, Settings::default(), &stream, 60.0)
    }

    fn causes(ledger: &Ledger) -> Vec<(&'static str, u64)> {
        ledger.causes.clone()
    }

    #[test]
    fn contexts_that_agree_while_the_fleet_is_divided_hold() {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        stream.at(10.0).applies(0, 2);
        stream.decides(decision(order(), GATEWAY, OFF));
        stream.decides(decision(order(), CHECKOUT, OFF));
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 60.0);
        assert_eq!((ledger.checked, ledger.exercised, ledger.violations), (1, 1, 0));
        assert_eq!(verdict(&ledger, false), Verdict::Holds);
    }

    #[test]
    fn agreement_under_one_version_held_by_all_is_vacuous() {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        stream.decides(decision(order(), GATEWAY, OFF));
        stream.decides(decision(order(), CHECKOUT, OFF));
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 60.0);
        assert_eq!((ledger.checked, ledger.exercised), (1, 0));
        assert_eq!(verdict(&ledger, false), Verdict::Vacuous);
    }

    #[test]
    fn the_account_names_each_sides_source_policy_and_age() {
        let replaced = SimDuration::from_millis(12_400);
        let ledger = split_with(|billing| Decided { staleness: replaced, ..billing });
        assert_eq!(
            ledger.first[0].text,
            "in place-order #0, gateway used on (sdk, policy 2, 3s old) and billing used off (sdk, policy 1, replaced \
             12.4s ago)"
        );
        assert_eq!(ledger.first[0].witnesses, [2, 3]);
    }

    #[test]
    fn each_cause_is_told_from_the_two_records() {
        let fallback = |d: Decided| Decided { source: Source::Fallback, reason: Reason::Error, ..d };
        let told = |expected, side: fn(Decided) -> Decided| assert_eq!(causes(&split_with(side)), [(expected, 1)]);
        told("stale cache", |d| d);
        told("carried context", |d| Decided { source: Source::Context, ..d });
        told("carried by an event", |d| Decided { source: Source::Event, ..d });
        told("kept by the entity", |d| Decided { source: Source::Entity, ..d });
        told("other salt", |d| Decided { salt: 8, attributes: 8, ..d });
        told("wrong environment", |d| Decided { environment: 5, attributes: 8, ..d });
        told("expired context", |d| Decided { refused: Some(Refused::Expired), salt: 8, ..d });
        told("untrusted context", |d| Decided { refused: Some(Refused::Untrusted), ..d });
        told("other attributes", |d| Decided { attributes: 8, code: 2, ..d });
        told("old code", |d| under(2, Decided { code: 2, ..d }));
        assert_eq!(causes(&split_with(|d| under(2, d))), [("unexplained", 1)]);
        assert_eq!(causes(&split_with(fallback)), [("fallback", 1)]);
        let stripped = |d| Decided { context_missing: true, salt: 8, ..d };
        assert_eq!(causes(&split_with(stripped)), [("stripped context", 1)]);
        assert_eq!(causes(&split_with(|d| fallback(stripped(d)))), [("stripped context", 1)]);
    }

    #[test]
    fn the_cause_does_not_depend_on_who_decided_first() {
        let (a, b) = (under(2, decision(order(), GATEWAY, ON)), decision(order(), BILLING, OFF));
        for b in [b, Decided { context_missing: true, ..b }, Decided { source: Source::Event, ..b }] {
            assert_eq!(cause(&a, &b), cause(&b, &a));
        }
    }

    #[test]
    fn code_numbers_of_two_services_do_not_hide_a_stale_cache() {
        assert_eq!(causes(&split_with(|d| Decided { code: 3, ..d })), [("stale cache", 1)]);
    }

    #[test]
    fn a_third_context_that_differs_adds_no_second_violation() {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        for service in [CHECKOUT, BILLING] {
            stream.decides(decision(order(), service, OFF));
        }
        stream.decides(under(2, decision(order(), GATEWAY, ON)));
        stream.decides(under(2, decision(order(), MAILER, ON)));
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 60.0);
        assert_eq!((ledger.checked, ledger.violations), (1, 1));
    }

    #[test]
    fn restrictions_in_flight_and_second_thoughts_of_one_context_are_counted_apart() {
        let ledger = split_with(|d| Decided { source: Source::Kill, reason: Reason::Killed, ..d });
        assert_eq!((ledger.violations, ledger.apart), (0, vec![("restricted in flight", 1)]));
        let carried_on = |d| Decided { source: Source::Context, decision_id: 1, ..d };
        let ledger = split_with(carried_on);
        assert_eq!((ledger.violations, ledger.apart), (0, vec![("restricted in flight", 1)]));
        let again = |d| Decided { context: 0, service: GATEWAY, attempt: 2, ..d };
        let ledger = split_with(again);
        assert_eq!((ledger.checked, ledger.violations, ledger.apart), (0, 0, vec![("same context", 1)]));
    }

    #[test]
    fn features_and_interactions_are_not_compared_with_each_other() {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        stream.decides(under(2, decision(order(), GATEWAY, ON)));
        stream.closes(order(), None);
        stream.decides(decision(interaction(1, 0), BILLING, OFF));
        let other = crate::units::Id::from_u32(1);
        stream.decides(Decided { feature: other, ..decision(interaction(1, 0), CHECKOUT, ON) });
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 60.0);
        assert_eq!((ledger.checked, ledger.violations), (0, 0));
    }

    #[test]
    fn a_plan_in_which_nothing_changes_cannot_reach_it() {
        let mut estate = estate();
        assert!(reachable(&estate, &Settings::default()));
        estate.timeline.clear();
        assert!(reachable(&estate, &Settings::default()));
        estate.rollouts.clear();
        assert!(!reachable(&estate, &Settings::default()));
    }
}
