//! `broken-promise`: what was offered or accepted is not refused further on because of where the rollout stands.

use super::account::occurrence;
use super::kills::is_new;
use super::places::Places;
use super::{Entry, Invariant, Ledger, Violation};
use crate::models::estate::{Estate, NO_RULE, PATH_OLD};
use crate::models::observation::{Decided, EffectMade, Interaction, Kind, Observation, ObservationId, Observed};
use crate::rollout::{FeatureId, StageId};
use crate::units::SimTime;

const DECIDED: &str = "decided otherwise further on";
const NO_RULE_FOR_IT: &str = "no rule for the stage";
const OLD_RULES: &str = "judged by the old rules";

pub static ENTRY: Entry = Entry {
    name: "broken-promise",
    sentence: "an edge offered more than the safe stage, or a context did its part on a new path, and another context \
               then refused: because it used a less permissive stage, had no rule for the stage, or went by the rules of \
               the old path after a new one had accepted",
    exercised_when: "something was offered or accepted, and another context then came to a decision on the same feature",
    exhibits: ("duplicated-rules", "duplicated-rules:quote-at-signoff"),
    causes: &[DECIDED, NO_RULE_FOR_IT, OLD_RULES],
    reachable: |estate, _| {
        let mut actions =
            estate.operations.iter().flat_map(|operation| &operation.rules).flat_map(|rule| &rule.actions);
        let refuses = actions.any(|action| matches!(action, crate::models::program::Action::Reject { .. }));
        let promises = |operation: &crate::models::program::Operation| {
            estate.services[operation.service].edge
                || operation.rules.iter().any(|rule| rule.path.is_some_and(|path| path != PATH_OLD))
        };
        refuses && estate.operations.iter().any(promises)
    },
    create: |_, _| Box::new(BrokenPromise { places: Places::default() }),
};

struct BrokenPromise {
    /// Per interaction: what was promised, the first of each context and feature.
    places: Places<Vec<Promise>>,
}

#[derive(Clone, Copy)]
struct Promise {
    context: u16,
    feature: FeatureId,
    stage: StageId,
    /// Something was done on a new path, and not only offered.
    accepted: bool,
    seen: ObservationId,
}

impl Invariant for BrokenPromise {
    fn interests(&self) -> &'static [Kind] {
        &[Kind::Decided, Kind::Effect, Kind::Rejected, Kind::Closed]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Decided(decided) = &observed.what {
            self.decided(observed, decided, estate, ledger);
        } else if let Observation::Effect(made) = &observed.what {
            self.made(observed, made);
        } else if let Observation::Rejected { interaction, context, under: Some(under), passed_on: false, .. } =
            &observed.what
        {
            self.refused(observed, interaction, *context, *under, estate, ledger);
        } else if let Observation::Closed { interaction, .. } = &observed.what {
            self.places.close(interaction);
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, _: &mut Ledger) {
        // Every refusal was judged when it was made.
    }
}

impl BrokenPromise {
    fn decided(&mut self, observed: &Observed, decided: &Decided, estate: &Estate, ledger: &mut Ledger) {
        let Decided { context, feature, stage, .. } = *decided;
        let promises = self.places.of(&decided.interaction);
        if promises.iter().any(|promise| promise.feature == feature && promise.context != context) {
            ledger.check();
            ledger.exercise();
        }
        let described = &estate.features[feature];
        let offers =
            estate.services[decided.service].edge && !described.at_most_as_permissive(stage, described.safe_stage);
        if offers && promises.iter().all(|promise| (promise.feature, promise.context) != (feature, context)) {
            promises.push(Promise { context, feature, stage, accepted: false, seen: observed.id });
        }
    }

    fn made(&mut self, observed: &Observed, made: &EffectMade) {
        let Some((feature, stage)) = made.under.filter(|_| is_new(made)) else { return };
        let promises = self.places.of(&made.interaction);
        let context = made.context;
        match promises.iter_mut().find(|promise| (promise.feature, promise.context) == (feature, context)) {
            Some(promise) => promise.accepted = true,
            None => promises.push(Promise { context, feature, stage, accepted: true, seen: observed.id }),
        }
    }

    fn refused(
        &mut self,
        observed: &Observed,
        interaction: &Interaction,
        context: u16,
        (feature, stage): (FeatureId, StageId),
        estate: &Estate,
        ledger: &mut Ledger,
    ) {
        let Observation::Rejected { reason, path, .. } = &observed.what else { return };
        let described = &estate.features[feature];
        let no_rule = estate.reasons.text(*reason) == NO_RULE;
        let why = |promise: &Promise| {
            let less = stage != promise.stage && described.at_most_as_permissive(stage, promise.stage);
            match (less, no_rule) {
                (true, _) => Some(DECIDED),
                (false, true) => Some(NO_RULE_FOR_IT),
                (false, false) => (promise.accepted && *path == Some(PATH_OLD)).then_some(OLD_RULES),
            }
        };
        let promises = self.places.of(interaction).iter();
        let mut broken = promises.filter(|promise| promise.feature == feature && promise.context != context);
        let Some((promise, cause)) = broken.find_map(|promise| why(promise).map(|cause| (*promise, cause))) else {
            return;
        };
        let subject = u64::from(feature.as_u32()) << 32 | u64::from(context) << 16 | u64::from(*reason);
        ledger.violate("promise", cause, Some(*interaction), subject, || Violation {
            at: observed.at,
            interaction: Some(*interaction),
            clause: "promise",
            cause,
            about: described.name.clone(),
            text: format!(
                "in {}, {} {} under {} of {}, and {} refused under {}: {}",
                occurrence(interaction, estate),
                estate.contexts.text(promise.context),
                if promise.accepted { "accepted" } else { "offered" },
                described.stage_name(promise.stage),
                described.name,
                estate.contexts.text(context),
                described.stage_name(stage),
                estate.reasons.text(*reason),
            ),
            witnesses: vec![promise.seen, observed.id],
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Settings, Verdict, verdict};
    use crate::models::estate::PATH_NEW;

    fn judged(edge: bool, fill: impl FnOnce(&mut Stream)) -> Ledger {
        let mut estate = estate();
        estate.services[GATEWAY].edge = edge;
        let mut stream = Stream::new(&estate);
        fill(&mut stream);
        judge(&ENTRY, &estate, Settings::default(), &stream, 60.0)
    }

    fn refuses(stream: &mut Stream, reason: u16, path: Option<u16>, stage: StageId, passed_on: bool) {
        let (interaction, context) = (interaction(0, 0), BILLING.as_u32() as u16);
        let under = Some((FEATURE, stage));
        stream.push(Observation::Rejected { interaction, context, reason, path, under, passed_on });
    }

    fn offered(stream: &mut Stream) {
        stream.decides(decision(interaction(0, 0), GATEWAY, ON));
        stream.decides(decision(interaction(0, 0), BILLING, ON));
    }

    #[test]
    fn what_is_offered_and_refused_under_a_lower_stage_or_for_want_of_a_rule_is_broken() {
        let ledger = judged(true, |stream| {
            offered(stream);
            refuses(stream, 0, None, OFF, false);
        });
        assert_eq!(ledger.causes, [(DECIDED, 1)]);
        let text =
            "in place-order #0, gateway offered under on of new-checkout, and billing refused under off: no stock";
        assert_eq!(ledger.first[0].text, text);
        let ledger = judged(true, |stream| {
            offered(stream);
            refuses(stream, 1, None, ON, false);
        });
        assert_eq!(ledger.causes, [(NO_RULE_FOR_IT, 1)]);
    }

    #[test]
    fn what_was_accepted_on_the_new_path_and_is_refused_on_the_old_one_is_broken() {
        let ledger = judged(false, |stream| {
            stream.effects(effect(interaction(0, 0), CHECKOUT, SHIP, Some(PATH_NEW)));
            refuses(stream, 0, Some(PATH_OLD), ON, false);
        });
        assert_eq!(ledger.causes, [(OLD_RULES, 1)]);
    }

    #[test]
    fn a_refusal_for_a_reason_of_the_business_holds() {
        let ledger = judged(true, |stream| {
            offered(stream);
            refuses(stream, 0, None, ON, false);
            refuses(stream, 0, Some(PATH_OLD), ON, false);
            stream.push(rejection(interaction(0, 0), 2));
        });
        assert_eq!((ledger.violations, ledger.exercised), (0, 1));
        assert_eq!(verdict(&ledger, false), Verdict::Holds);
    }

    #[test]
    fn a_refusal_that_is_passed_on_is_not_another_one_and_without_a_promise_nothing_is_broken() {
        let ledger = judged(true, |stream| {
            offered(stream);
            refuses(stream, 0, None, OFF, true);
        });
        assert_eq!(ledger.violations, 0);
        let ledger = judged(true, |stream| {
            stream.decides(decision(interaction(0, 0), GATEWAY, OFF));
            refuses(stream, 0, None, OFF, false);
        });
        assert_eq!(verdict(&ledger, false), Verdict::Vacuous);
    }
}
