//! `decision-lineage`: every effect on a new path can be walked back to a published policy and to what caused it.

use super::account::{effect_made, occurrence};
use super::kills::is_new;
use super::places::Places;
use super::{Entry, Invariant, Ledger, Settings, Violation};
use crate::models::estate::{Estate, PATH_OLD};
use crate::models::observation::{
    Decided, EffectMade, Kind, Observation, ObservationId, Observed, Publication, Source,
};
use crate::rollout::PolicyVersion;
use crate::units::SimTime;

pub static ENTRY: Entry = Entry {
    name: "decision-lineage",
    sentence: "an effect on a new path took place without a complete chain from the effect through the decision it rests \
               on to a policy version that was published, and what caused that: it rests on no decision, on one that no \
               policy made (`code_default`, `fail_open`), on the policy of another environment, or on a version that \
               nobody published",
    exercised_when: "an effect took place on a new path",
    exhibits: ("none shipped yet", "none shipped yet"),
    causes: &["no decision", "no policy", "another environment", "unpublished version"],
    reachable,
    create: |estate, settings| {
        Box::new(DecisionLineage {
            active: reachable(estate, settings),
            published: Vec::new(),
            decisions: Places::default(),
        })
    },
};

/// Whether some rule on a new path has an effect.
fn reachable(estate: &Estate, _: &Settings) -> bool {
    let rules = estate.operations.iter().flat_map(|operation| &operation.rules);
    let mut new = rules.filter(|rule| rule.path.is_some_and(|path| path != PATH_OLD));
    new.any(|rule| rule.actions.iter().any(|action| action.effect().is_some()))
}

struct DecisionLineage {
    active: bool,
    /// The audit log as it is known here: what published each version, and where that was seen.
    published: Vec<(PolicyVersion, Publication, ObservationId)>,
    /// The decisions used in each interaction in flight.
    decisions: Places<Vec<Used>>,
}

/// A decision, as far as an effect is traced through it.
#[derive(Clone, Copy)]
struct Used {
    id: u64,
    context: u16,
    version: Option<PolicyVersion>,
    source: Source,
    environment: u32,
    observation: ObservationId,
}

impl Used {
    fn of(decided: &Decided, observation: ObservationId) -> Used {
        Used {
            id: decided.decision_id,
            context: decided.context,
            version: decided.policy_version,
            source: decided.source,
            environment: decided.environment,
            observation,
        }
    }
}

impl Invariant for DecisionLineage {
    fn interests(&self) -> &'static [Kind] {
        match self.active {
            true => &[Kind::PolicyPublished, Kind::Decided, Kind::Effect, Kind::Closed],
            false => &[],
        }
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Decided(decided) = &observed.what {
            self.decisions.of(&decided.interaction).push(Used::of(decided, observed.id));
        } else if let Observation::Effect(made) = &observed.what {
            if is_new(made) {
                self.judge(observed, made, estate, ledger);
            }
        } else if let Observation::Closed { interaction, .. } = &observed.what {
            self.decisions.close(interaction);
        } else if let Observation::PolicyPublished { version, publication, .. } = observed.what {
            self.published.push((version, publication, observed.id));
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, _: &mut Ledger) {
        // Every effect was traced when it was made.
    }
}

impl DecisionLineage {
    fn judge(&mut self, observed: &Observed, made: &EffectMade, estate: &Estate, ledger: &mut Ledger) {
        ledger.check();
        ledger.exercise();
        let used = self.decisions.known(&made.interaction).and_then(|all| {
            // The context's own record of the decision comes before another's that carried it on.
            let of = |used: &&Used| made.under.is_some() && used.id == made.decision_id;
            all.iter().rev().filter(of).max_by_key(|used| used.context == made.context).copied()
        });
        let Some(used) = used else {
            self.broken(observed, made, None, "no decision", "rests on no decision".to_owned(), estate, ledger);
            return;
        };
        let version = match used.version {
            Some(version) if used.source != Source::Fallback => version,
            _ => {
                let why = format!("rests on a decision that no policy made ({})", used.source.name());
                self.broken(observed, made, Some(used), "no policy", why, estate, ledger);
                return;
            }
        };
        if used.environment != 0 {
            let why = format!("rests on policy {version} of another environment");
            self.broken(observed, made, Some(used), "another environment", why, estate, ledger);
        } else if self.published.iter().all(|(known, ..)| *known != version) {
            let why = format!("rests on policy {version}, which nobody published");
            self.broken(observed, made, Some(used), "unpublished version", why, estate, ledger);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one place that words what four breaches have in common")]
    fn broken(
        &self,
        observed: &Observed,
        made: &EffectMade,
        used: Option<Used>,
        cause: &'static str,
        why: String,
        estate: &Estate,
        ledger: &mut Ledger,
    ) {
        ledger.violate(cause, cause, Some(made.interaction), made.effect.into(), || {
            let mut witnesses: Vec<ObservationId> = used.map(|used| used.observation).into_iter().collect();
            witnesses.push(observed.id);
            Violation {
                at: observed.at,
                interaction: Some(made.interaction),
                clause: "lineage",
                cause,
                about: estate.effects.text(made.effect).to_owned(),
                text: format!(
                    "in {}, {} did {}, which {why}",
                    occurrence(&made.interaction, estate),
                    estate.contexts.text(made.context),
                    effect_made(made, estate),
                ),
                witnesses,
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Verdict, verdict};
    use crate::models::estate::PATH_NEW;

    fn estate_with_new_path() -> Estate {
        let mut estate = estate();
        estate.operations[crate::units::Id::new(2)].rules[0].path = Some(PATH_NEW);
        estate
    }

    /// A charge on the new path by billing, which decided under the policy of step 1 before.
    fn stream(estate: &Estate, change: impl Fn(Decided) -> Decided) -> Stream {
        let mut stream = Stream::new(estate);
        stream.steps(0, 1);
        stream.at(10.0).decides(change(decision(interaction(0, 0), BILLING, ON)));
        stream.at(11.0).effects(effect(interaction(0, 0), BILLING, CHARGE, Some(PATH_NEW)));
        stream
    }

    fn causes(estate: &Estate, stream: &Stream) -> Vec<(&'static str, u64)> {
        judge(&ENTRY, estate, Settings::default(), stream, 60.0).causes
    }

    #[test]
    fn an_effect_under_a_published_policy_has_its_lineage() {
        let estate = estate_with_new_path();
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream(&estate, |decided| decided), 60.0);
        assert_eq!((ledger.exercised, verdict(&ledger, false)), (1, Verdict::Holds));
    }

    #[test]
    fn an_effect_without_a_decision_has_none() {
        let estate = estate_with_new_path();
        let other = |decided| Decided { decision_id: 77, ..decided };
        assert_eq!(causes(&estate, &stream(&estate, other)), [("no decision", 1)]);
        let mut unread = Stream::new(&estate);
        unread.effects(EffectMade { under: None, ..effect(interaction(0, 0), BILLING, CHARGE, Some(PATH_NEW)) });
        assert_eq!(causes(&estate, &unread), [("no decision", 1)]);
    }

    #[test]
    fn an_effect_under_a_default_of_the_code_has_none() {
        let estate = estate_with_new_path();
        let fallback = |decided| Decided { source: Source::Fallback, ..decided };
        assert_eq!(causes(&estate, &stream(&estate, fallback)), [("no policy", 1)]);
        let none = |decided| Decided { policy_version: None, ..decided };
        assert_eq!(causes(&estate, &stream(&estate, none)), [("no policy", 1)]);
    }

    #[test]
    fn a_policy_that_nobody_published_or_of_another_environment_is_no_ground() {
        let estate = estate_with_new_path();
        assert_eq!(causes(&estate, &stream(&estate, |decided| under(9, decided))), [("unpublished version", 1)]);
        let staging = |decided| Decided { environment: 5, ..decided };
        assert_eq!(causes(&estate, &stream(&estate, staging)), [("another environment", 1)]);
    }

    #[test]
    fn effects_on_the_old_path_need_none() {
        let estate = estate_with_new_path();
        let mut old = Stream::new(&estate);
        old.effects(effect(interaction(0, 0), BILLING, CHARGE, Some(PATH_OLD)));
        assert_eq!(verdict(&judge(&ENTRY, &estate, Settings::default(), &old, 60.0), false), Verdict::Vacuous);
    }
}
