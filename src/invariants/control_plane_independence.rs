//! `control-plane-independence`: without the control plane, business goes on, and nothing risky goes on unwatched.

use super::account::{grounds, occurrence};
use super::places::{Places, Reset};
use super::{Entry, Invariant, Ledger, Violation};
use crate::models::estate::{Delivery, Estate, Happening, ReplicaId};
use crate::models::observation::{
    Decided, Interaction, Kind, Observation, ObservationId, Observed, Obstacle, Outcome, Source,
};
use crate::rollout::feature::Risk;
use crate::rollout::{FeatureId, PolicyVersion, Reason, StageId, WhenUnknown};
use crate::units::{SimDuration, SimTime};

pub static ENTRY: Entry = Entry {
    name: "control-plane-independence",
    sentence: "an interaction failed (`failed`) or took longer than its bound (`slow`) after one of its decisions \
               found no policy or a fetch it waited for was prevented; or a feature of high risk was on under a \
               policy older than its `stale_after` or under none (`unfresh`); or a context without a policy used \
               another stage than the policy gave the same interaction, or gives everybody (`fallback`). A feature of \
               high risk that fails closed does what it must, and is counted apart (`failed closed`)",
    exercised_when: "an interaction arrived or a decision was made while a `control_plane.*` fault was active, or a \
                     decision found no policy",
    exhibits: ("control-plane-outage:fail-closed", "control-plane-outage"),
    causes: &["no policy", "no answer", "policy too old", "failed open", "failed closed", "fell back"],
    reachable: |estate, _| estate.timeline.iter().any(|entry| is_outage(&entry.what)),
    create: |estate, _| {
        let on_demand = |replica: &crate::models::estate::ReplicaSpec| {
            let sdk = estate.services[replica.service].sdk.as_ref();
            sdk.is_some_and(|sdk| match sdk.delivery {
                Delivery::Remote => true,
                Delivery::Ttl { stale_while_revalidate, .. } => !stale_while_revalidate,
                Delivery::Poll { .. } | Delivery::Stream { .. } | Delivery::File | Delivery::Topic { .. } => false,
            })
        };
        let on_demand: Vec<bool> = estate.replicas.iter().map(on_demand).collect();
        Box::new(Independence {
            outages: 0,
            anybody_waits: on_demand.contains(&true),
            prevented: vec![None; on_demand.len()],
            on_demand,
            usual: estate.features.ids().map(|feature| Usual::of(estate, feature)).collect(),
            places: Places::default(),
        })
    },
};

fn is_outage(what: &Happening) -> bool {
    match what {
        Happening::Fault { fault, .. } => fault.name().starts_with("control_plane."),
        Happening::Deploy { .. }
        | Happening::Kill { .. }
        | Happening::Replay { .. }
        | Happening::Act { .. }
        | Happening::Override { .. }
        | Happening::OverrideEnds { .. } => false,
    }
}

struct Independence {
    /// Faults of the control plane that are active now.
    outages: u32,
    /// Per replica: whether requests wait for its fetches.
    on_demand: Vec<bool>,
    anybody_waits: bool,
    /// Per replica whose fetches requests wait for: the last one that was prevented.
    prevented: Vec<Option<(SimTime, ObservationId)>>,
    /// Per feature.
    usual: Vec<Usual>,
    places: Places<Dependence>,
}

/// What the newest policy that has decided anything gives everybody.
#[derive(Clone, Copy)]
enum Usual {
    /// Audiences tell subjects apart, so that nothing can be said of one from another.
    Unknowable,
    Unknown,
    Everybody(PolicyVersion, StageId),
    /// Subjects get different stages under it.
    Divided(PolicyVersion),
}

impl Usual {
    fn of(estate: &Estate, feature: FeatureId) -> Usual {
        let rollouts = estate.rollouts.iter().filter(|rollout| rollout.feature == feature);
        let mut moves = rollouts.flat_map(|rollout| &rollout.steps).flat_map(|step| &step.moves);
        let mut standing = estate.standing_rules.iter().filter(|(named, _)| *named == feature);
        let targeted = moves.any(|line| line.of.is_some())
            || standing.any(|(_, rules)| rules.iter().any(|rule| rule.audience.is_some()));
        if targeted { Usual::Unknowable } else { Usual::Unknown }
    }

    fn learn(&mut self, version: PolicyVersion, decided: &Decided) {
        let everybody = match decided.reason {
            Reason::TargetingMatch | Reason::Default => Usual::Everybody(version, decided.stage),
            Reason::Split | Reason::Killed | Reason::Stale | Reason::Error => Usual::Divided(version),
        };
        *self = match *self {
            Usual::Unknowable => Usual::Unknowable,
            Usual::Everybody(known, stage) if known == version => match everybody {
                Usual::Everybody(_, same) if same == stage => everybody,
                Usual::Unknowable | Usual::Unknown | Usual::Everybody(..) | Usual::Divided(_) => {
                    Usual::Divided(version)
                }
            },
            Usual::Everybody(known, _) | Usual::Divided(known) if known >= version => *self,
            Usual::Unknown | Usual::Everybody(..) | Usual::Divided(_) => everybody,
        };
    }
}

#[derive(Default)]
struct Dependence {
    arrived: SimTime,
    /// The first decision that found no policy.
    unfounded: Option<ObservationId>,
    /// Replicas asked whose fetches requests wait for.
    asked: Vec<ReplicaId>,
    /// What was decided under a policy, and without one.
    founded: Vec<(FeatureId, StageId)>,
    without: Vec<(FeatureId, StageId, &'static str)>,
    told: Vec<(FeatureId, &'static str)>,
}

impl Reset for Dependence {
    fn reset(&mut self) {
        self.arrived = SimTime::ZERO;
        self.unfounded = None;
        self.asked.clear();
        self.founded.clear();
        self.without.clear();
        self.told.clear();
    }
}

impl Dependence {
    /// Whether this is the first time that the clause is broken for the feature.
    fn tell(&mut self, feature: FeatureId, clause: &'static str) -> bool {
        let known = self.told.contains(&(feature, clause));
        if !known {
            self.told.push((feature, clause));
        }
        !known
    }
}

impl Invariant for Independence {
    fn interests(&self) -> &'static [Kind] {
        &[
            Kind::Arrived,
            Kind::Called,
            Kind::Decided,
            Kind::Finished,
            Kind::Closed,
            Kind::Suppressed,
            Kind::FaultStarted,
            Kind::FaultEnded,
        ]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Decided(decided) = &observed.what {
            self.decided(observed, decided, estate, ledger);
        } else if let Observation::Called { interaction, replica, .. } = &observed.what {
            if self.anybody_waits && self.on_demand[replica.index()] {
                self.places.of(interaction).asked.push(*replica);
            }
        } else if let Observation::Arrived { interaction, .. } = &observed.what {
            self.places.of(interaction).arrived = observed.at;
            if self.outages > 0 {
                ledger.exercise();
            }
        } else if let Observation::Finished { interaction, outcome, latency } = &observed.what {
            self.finished(observed, interaction, *outcome, *latency, estate, ledger);
        } else if let Observation::Closed { interaction, .. } = &observed.what {
            self.places.close(interaction);
        } else if let Observation::Suppressed { replica, by } = observed.what {
            let asked = !matches!(by, Obstacle::ReplicaDown | Obstacle::AnnouncementLost);
            if asked && self.on_demand[replica.index()] {
                self.prevented[replica.index()] = Some((observed.at, observed.id));
            }
        } else if let Observation::FaultStarted { entry } = observed.what {
            self.outages += u32::from(is_outage(&estate.timeline[entry as usize].what));
        } else if let Observation::FaultEnded { entry } = observed.what {
            let ended = u32::from(is_outage(&estate.timeline[entry as usize].what));
            self.outages = self.outages.saturating_sub(ended);
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, _: &mut Ledger) {
        // Interactions without an answer are judged by `completion`.
    }
}

impl Independence {
    fn decided(&mut self, observed: &Observed, decided: &Decided, estate: &Estate, ledger: &mut Ledger) {
        ledger.check();
        let unfounded = lacks_policy(decided);
        if self.outages > 0 || unfounded {
            ledger.exercise();
        }
        let feature = &estate.features[decided.feature];
        if feature.risk == Risk::High && is_unwatched(decided, estate) {
            let cause = if decided.source == Source::Fallback { "failed open" } else { "policy too old" };
            self.tell(observed, decided, ("unfresh", cause, "though the feature is of high risk"), estate, ledger);
        }
        let dependence = self.places.of(&decided.interaction);
        let used = (decided.feature, decided.stage);
        if unfounded {
            dependence.unfounded.get_or_insert(observed.id);
            let closed = fails_closed(decided, estate);
            if closed && feature.risk == Risk::High {
                ledger.set_apart("failed closed");
                return;
            }
            let cause = if closed { "failed closed" } else { "fell back" };
            dependence.without.push((decided.feature, decided.stage, cause));
            let founded = dependence.founded.iter().find(|(feature, _)| *feature == decided.feature);
            let everybody = match self.usual[decided.feature.index()] {
                Usual::Everybody(_, stage) => Some(stage),
                Usual::Unknowable | Usual::Unknown | Usual::Divided(_) => None,
            };
            if founded.map(|(_, stage)| *stage).or(everybody).is_some_and(|stage| stage != decided.stage) {
                let what = ("fallback", cause, "which is not what the policy says");
                self.tell(observed, decided, what, estate, ledger);
            }
        } else if let Some(version) = decided.policy_version
            && decided.source == Source::Sdk
        {
            self.usual[decided.feature.index()].learn(version, decided);
            if !dependence.founded.contains(&used) {
                dependence.founded.push(used);
            }
            let mut without = dependence.without.iter();
            let other = without.find(|(feature, stage, _)| *feature == decided.feature && *stage != decided.stage);
            if let Some((_, _, cause)) = other {
                let what = ("fallback", *cause, "where another context had no policy and used another stage");
                self.tell(observed, decided, what, estate, ledger);
            }
        }
    }

    fn tell(
        &mut self,
        observed: &Observed,
        decided: &Decided,
        (clause, cause, why): (&'static str, &'static str, &str),
        estate: &Estate,
        ledger: &mut Ledger,
    ) {
        if !self.places.of(&decided.interaction).tell(decided.feature, clause) {
            return;
        }
        let feature = &estate.features[decided.feature];
        ledger.violate(clause, cause, Some(decided.interaction), decided.feature.index() as u64, || Violation {
            at: observed.at,
            interaction: Some(decided.interaction),
            clause,
            cause,
            about: feature.name.clone(),
            text: format!(
                "in {}, {} used {} of {} ({}), {why}",
                occurrence(&decided.interaction, estate),
                estate.replicas[decided.replica].name,
                feature.stage_name(decided.stage),
                feature.name,
                grounds(decided, observed.at),
            ),
            witnesses: vec![observed.id],
        });
    }

    fn finished(
        &mut self,
        observed: &Observed,
        interaction: &Interaction,
        outcome: Outcome,
        latency: SimDuration,
        estate: &Estate,
        ledger: &mut Ledger,
    ) {
        ledger.check();
        let (clause, how) = match outcome {
            Outcome::Failed(why) => ("failed", format!("failed ({})", why.name())),
            Outcome::Succeeded | Outcome::Rejected(_) => {
                if latency <= estate.journeys[interaction.journey].completes_within {
                    return;
                }
                ("slow", format!("took {latency}"))
            }
        };
        let dependence = self.places.of(interaction);
        let waited = dependence.asked.iter().filter_map(|replica| self.prevented[replica.index()]);
        let waited = waited.filter(|(at, _)| *at >= dependence.arrived).map(|(_, observation)| observation).min();
        let (cause, witness, why) = match (dependence.unfounded, waited) {
            (Some(decision), _) => ("no policy", decision, "after a decision found no policy"),
            (None, Some(fetch)) => ("no answer", fetch, "after a fetch of the policy was prevented"),
            (None, None) => return,
        };
        ledger.violate(clause, cause, Some(*interaction), 0, || Violation {
            at: observed.at,
            interaction: Some(*interaction),
            clause,
            cause,
            about: estate.journeys[interaction.journey].name.clone(),
            text: format!("{} {how} {why}", occurrence(interaction, estate)),
            witnesses: vec![witness, observed.id],
        });
    }
}

/// Whether an SDK was asked and had no policy that counts. Without an SDK in the question, it is not the control plane
/// that is missing.
fn lacks_policy(decided: &Decided) -> bool {
    decided.source == Source::Fallback && decided.reason == Reason::Error && decided.freshness.is_some()
}

fn fails_closed(decided: &Decided, estate: &Estate) -> bool {
    let feature = &estate.features[decided.feature];
    match feature.when_unknown_for(decided.context) {
        WhenUnknown::FailClosed => decided.stage == feature.safe_stage,
        WhenUnknown::LastKnownGood | WhenUnknown::FailOpen(_) | WhenUnknown::CodeDefault(_) => false,
    }
}

/// Whether a context on its own account allowed more than the safe stage, without a policy that is fresh enough.
fn is_unwatched(decided: &Decided, estate: &Estate) -> bool {
    let feature = &estate.features[decided.feature];
    let own = match decided.source {
        Source::Sdk | Source::Fallback => true,
        Source::Context | Source::Event | Source::Entity | Source::Kill | Source::Local => false,
    };
    let too_old = decided.freshness.zip(feature.stale_after).is_some_and(|(age, bound)| age > bound);
    own && !feature.at_most_as_permissive(decided.stage, feature.safe_stage)
        && (too_old || decided.reason == Reason::Stale || lacks_policy(decided))
}

#[cfg(test)]
mod tests;
