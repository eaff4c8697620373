//! Which observations belong to the story of a violation.

use crate::invariants::{Fleet, Violation};
use crate::models::estate::{Estate, ReplicaId};
use crate::models::observation::{Decided, Interaction, Observation, Observed};
use crate::rollout::{FeatureId, PolicyVersion};
use crate::units::SimTime;
use std::collections::BTreeSet;

/// How many replicas of a fleet are followed.
const FOLLOWED: usize = 8;

/// The positions in the trace of what belongs to the story, in order.
pub fn of(violation: &Violation, trace: &[Observed], estate: &Estate) -> BTreeSet<usize> {
    let mut selected = Selection { trace, chosen: BTreeSet::new() };
    selected.choose(|observed| violation.witnesses.contains(&observed.id));
    match violation.interaction {
        Some(interaction) => selected.interaction(&interaction),
        None => selected.fleet(violation, estate),
    }
    selected.faults(violation.at);
    selected.chosen
}

struct Selection<'a> {
    trace: &'a [Observed],
    chosen: BTreeSet<usize>,
}

impl Selection<'_> {
    fn choose(&mut self, is_chosen: impl Fn(&Observed) -> bool) {
        let chosen = self.trace.iter().enumerate().filter(|(_, observed)| is_chosen(observed));
        self.chosen.extend(chosen.map(|(index, _)| index));
    }

    fn first(&mut self, is_chosen: impl Fn(&Observed) -> bool) -> Option<SimTime> {
        let index = self.trace.iter().position(is_chosen)?;
        self.chosen.insert(index);
        Some(self.trace[index].at)
    }

    fn last(&mut self, is_chosen: impl Fn(&Observed) -> bool) -> Option<SimTime> {
        let index = self.trace.iter().rposition(is_chosen)?;
        self.chosen.insert(index);
        Some(self.trace[index].at)
    }

    /// What happened in the interaction, and how each of its decisions came by its policy.
    fn interaction(&mut self, interaction: &Interaction) {
        self.choose(|observed| observed.what.interaction().is_some_and(|of| of.key() == interaction.key()));
        let decisions: Vec<(SimTime, Decided)> = self
            .chosen
            .iter()
            .filter_map(|index| {
                let observed = &self.trace[*index];
                if let Observation::Decided(decided) = observed.what { Some((observed.at, decided)) } else { None }
            })
            .collect();
        for (at, decided) in decisions {
            let replaced = decided.policy_version.and_then(|version| {
                self.first(|observed| publishes(observed, |published| published == version));
                let next = PolicyVersion(version.0 + 1);
                self.first(|observed| observed.at <= at && publishes(observed, |published| published == next))
            });
            self.replica(decided.replica, replaced.unwrap_or(at), at);
            if replaced.is_some() {
                self.next_policy(decided.replica, at);
            }
            self.kills(decided.feature, at);
        }
    }

    /// Who did not hold what was published, and why.
    fn fleet(&mut self, violation: &Violation, estate: &Estate) {
        let witnessed = self.trace.iter().filter(|observed| violation.witnesses.contains(&observed.id));
        let mut published = witnessed.filter_map(|observed| {
            let Observation::PolicyPublished { version, .. } = observed.what else { return None };
            Some((observed.at, version))
        });
        let Some((at, version)) = published.next_back() else { return };
        for replica in behind(self.trace, version, violation.at, estate).into_iter().take(FOLLOWED) {
            self.replica(replica, at, violation.at);
            self.next_policy(replica, violation.at);
        }
    }

    /// How a replica came by the policy it held at `at`: what it last applied, and what kept it from a newer one since
    /// that was published.
    fn replica(&mut self, of: ReplicaId, published: SimTime, at: SimTime) {
        let applied = self.last(|observed| observed.at <= at && applies(observed, of)).unwrap_or(SimTime::ZERO);
        self.choose(|observed| (published..=at).contains(&observed.at) && hindrance(&observed.what) == Some(of));
        self.choose(|observed| (applied..=at).contains(&observed.at) && setback(&observed.what) == Some(of));
    }

    /// When the replica went on to another policy.
    fn next_policy(&mut self, of: ReplicaId, after: SimTime) {
        self.first(|observed| observed.at > after && applies(observed, of));
    }

    fn kills(&mut self, of: FeatureId, until: SimTime) {
        let concerns = |what: &Observation| {
            if let Observation::Killed { feature, .. } | Observation::Lifted { feature, .. } = *what {
                feature == of
            } else {
                false
            }
        };
        self.choose(|observed| observed.at <= until && concerns(&observed.what));
    }

    /// Faults that were active between the first thing told and the violation.
    fn faults(&mut self, until: SimTime) {
        let Some(since) = self.chosen.first().map(|index| self.trace[*index].at) else { return };
        let mut active: Vec<(u32, usize)> = Vec::new();
        for (index, observed) in self.trace.iter().enumerate() {
            if let Observation::FaultStarted { entry } = observed.what
                && observed.at <= until
            {
                active.push((entry, index));
            } else if let Observation::FaultEnded { entry } = observed.what
                && let Some(position) = active.iter().position(|(started, _)| *started == entry)
            {
                let (_, started) = active.swap_remove(position);
                if observed.at >= since {
                    self.chosen.extend([started, index]);
                }
            }
        }
        self.chosen.extend(active.into_iter().map(|(_, started)| started));
    }
}

/// Replicas that were live at `at` and did not hold `version`, as the trace tells it.
fn behind(trace: &[Observed], version: PolicyVersion, at: SimTime, estate: &Estate) -> Vec<ReplicaId> {
    let mut fleet = Fleet::new(estate);
    for observed in trace.iter().take_while(|observed| observed.at <= at) {
        fleet.observe(&observed.what);
    }
    let is_behind = |replica: &ReplicaId| {
        fleet.keeps(*replica) && fleet.is_live(*replica) && fleet.held(*replica).is_none_or(|held| held < version)
    };
    estate.replicas.ids().filter(is_behind).collect()
}

fn applies(observed: &Observed, of: ReplicaId) -> bool {
    matches!(observed.what, Observation::PolicyApplied { replica, .. } if replica == of)
}

fn publishes(observed: &Observed, is_meant: impl Fn(PolicyVersion) -> bool) -> bool {
    matches!(observed.what, Observation::PolicyPublished { version, .. } if is_meant(version))
}

/// The replica whose poll, push or fetch came to nothing, or which said that its policy is too old.
fn hindrance(what: &Observation) -> Option<ReplicaId> {
    if let Observation::Suppressed { replica, .. } | Observation::Alert { replica } = *what {
        Some(replica)
    } else {
        None
    }
}

/// The replica that stopped, came back or lost its policy.
fn setback(what: &Observation) -> Option<ReplicaId> {
    if let Observation::PolicyLost { replica } | Observation::Crashed { replica } | Observation::Restarted { replica } =
        *what
    {
        Some(replica)
    } else {
        None
    }
}
