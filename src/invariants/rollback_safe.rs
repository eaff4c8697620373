//! `rollback-safe`: after a rollback or a kill, and its bound, things are as they were before the rollout.

use super::account::{effect_made, occurrence};
use super::aftermath::Aftermath;
use super::kills::is_new;
use super::places::{Places, Reset};
use super::retreats::{Retreat, Retreats, is_step_back};
use super::{Entry, Invariant, Ledger, Settings, Violation};
use crate::models::estate::{EntityId, Estate, Happening};
use crate::models::observation::{
    Decided, Delivered, EffectMade, Interaction, Kind, Observation, ObservationId, Observed,
};
use crate::rollout::{FeatureId, StageId};
use crate::units::{SimDuration, SimTime};
use smallvec::SmallVec;

pub static ENTRY: Entry = Entry {
    name: "rollback-safe",
    sentence: "after a kill, or when a plan or a step brings everybody back, the rolled-back fleet reads what the new one \
               wrote under another meaning (`meaning`) or gives it up (`unread`); or, once the bound is over as well, an \
               effect still takes place on a new path in its scope (`new path`, which a plan that goes back in part owes \
               to those it takes back), what had begun on the new stage before it is not in a final status \
               (`unfinished`), or more of the customers in its scope who come later fail than in the run without the \
               rollout, beyond what chance allows (`errors`; Chernoff's bound below 1e-9). Without a bound it is inactive",
    exercised_when: "a kill or a step back found interactions under way on the new stage",
    exhibits: ("rollback-unsafe", "rollback-unsafe:keep-reader"),
    causes: &["read under an old meaning", "newer data given up", "new path after the bound", "never finished", ERRORS],
    reachable,
    create: |estate, settings| {
        Box::new(RollbackSafe {
            bound: settings.bound.filter(|_| reachable(estate, settings)),
            retreats: Retreats::default(),
            places: Places::default(),
            aftermath: Aftermath::default(),
        })
    },
};

/// The cause that only a comparison with the run without the rollout tells.
pub const ERRORS: &str = "errors above the baseline";

fn reachable(estate: &Estate, settings: &Settings) -> bool {
    let kills = estate.timeline.iter().any(|entry| match &entry.what {
        Happening::Kill { .. } => true,
        Happening::Fault { .. }
        | Happening::Deploy { .. }
        | Happening::Replay { .. }
        | Happening::Act { .. }
        | Happening::Override { .. }
        | Happening::OverrideEnds { .. } => false,
    });
    let steps_back = estate
        .rollouts
        .iter()
        .any(|rollout| (0..rollout.steps.len()).any(|step| is_step_back(estate, rollout, step).is_some()));
    let watched = estate.rollouts.iter().any(|rollout| rollout.guard.is_some());
    settings.bound.is_some() && (kills || steps_back || watched)
}

struct RollbackSafe {
    bound: Option<SimDuration>,
    retreats: Retreats,
    /// Interactions in flight.
    places: Places<Begun>,
    /// Customers who come after the bounds of retreats.
    aftermath: Aftermath,
}

/// What is known of an interaction in flight.
#[derive(Default)]
struct Begun {
    tenant: u32,
    region: u16,
    arrived: SimTime,
    /// The stages that decided something in it, with where that was seen.
    used: SmallVec<[(FeatureId, StageId, ObservationId); 4]>,
    /// By when it must be in a final status, because of which retreat.
    owes: Option<(SimTime, ObservationId)>,
}

impl Reset for Begun {
    fn reset(&mut self) {
        *self = Begun::default();
    }
}

impl Begun {
    /// Whether a retreat reaches it, and it was on a stage that the retreat does not leave: where that was seen.
    fn caught_by(&self, of: &Interaction, retreat: &Retreat, estate: &Estate) -> Option<ObservationId> {
        let in_scope = retreat.scope.contains(self.region, self.tenant, of.journey.index() as u16);
        let beyond = |stage: StageId| retreat.is_beyond(stage, estate);
        let mut used = self.used.iter().filter(|(of, stage, _)| *of == retreat.feature && beyond(*stage));
        used.next().filter(|_| in_scope).map(|(_, _, seen)| *seen)
    }
}

impl Invariant for RollbackSafe {
    fn interests(&self) -> &'static [Kind] {
        match self.bound {
            Some(_) => &[
                Kind::Arrived,
                Kind::Finished,
                Kind::Closed,
                Kind::Decided,
                Kind::Effect,
                Kind::Delivered,
                Kind::Parked,
                Kind::DeadLettered,
                Kind::PolicyPublished,
                Kind::Stepped,
                Kind::Killed,
                Kind::Lifted,
            ],
            None => &[],
        }
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        self.aftermath.observe(observed);
        if let Observation::Arrived { interaction, tenant, tenant_region, .. } = &observed.what {
            let begun = self.places.of(interaction);
            (begun.tenant, begun.region, begun.arrived) = (*tenant, tenant_region.index() as u16, observed.at);
        } else if let Observation::Decided(decided) = &observed.what {
            self.decided(observed, decided);
        } else if let Observation::Effect(made) = &observed.what {
            self.effect(observed, made, estate, ledger);
        } else if let Observation::Delivered(delivered) = &observed.what {
            self.delivered(observed, delivered, estate, ledger);
        } else if let Observation::Parked { interaction, .. } | Observation::DeadLettered { interaction, .. } =
            &observed.what
        {
            self.given_up(observed, interaction, estate, ledger);
        } else if let Observation::Closed { interaction, status } = &observed.what {
            self.closed(observed, interaction, *status, estate, ledger);
        } else {
            let begun = self.retreats.observe(observed, estate);
            self.aftermath.ends(observed.at, &self.retreats);
            if let Some(retreat) = begun {
                self.retreat(observed, &retreat, estate, ledger);
            }
        }
    }

    fn finish(&mut self, end: SimTime, estate: &Estate, ledger: &mut Ledger) {
        ledger.windows = std::mem::take(&mut self.aftermath.windows);
        let owing = self.places.open().filter_map(|(of, begun)| begun.owes.map(|owed| (of, owed)));
        for (of, (due, ground)) in owing.collect::<Vec<_>>() {
            if due > end {
                ledger.pending += 1;
            } else {
                unfinished(end, &of, (due, &[ground]), "is still open", estate, ledger);
            }
        }
    }
}

impl RollbackSafe {
    fn decided(&mut self, observed: &Observed, decided: &Decided) {
        let used = &mut self.places.of(&decided.interaction).used;
        if used.iter().all(|(feature, stage, _)| (*feature, *stage) != (decided.feature, decided.stage)) {
            used.push((decided.feature, decided.stage, observed.id));
        }
    }

    /// From now on the scope is to come to rest: what is under way on the new stage owes a final status.
    fn retreat(&mut self, observed: &Observed, retreat: &Retreat, estate: &Estate, ledger: &mut Ledger) {
        let Some(bound) = self.bound else { return };
        self.aftermath.begins(retreat, bound);
        let caught = self.places.open().filter(|(of, begun)| begun.caught_by(of, retreat, estate).is_some());
        for of in caught.map(|(of, _)| of).collect::<Vec<_>>() {
            ledger.exercise();
            let begun = self.places.of(&of);
            let own = begun.arrived + estate.journeys[of.journey].completes_within;
            begun.owes = Some(((observed.at + bound).max(own), observed.id));
        }
    }

    fn effect(&mut self, observed: &Observed, made: &EffectMade, estate: &Estate, ledger: &mut Ledger) {
        let Some(bound) = self.bound.filter(|_| is_new(made)) else { return };
        let forbids = |retreat: &&Retreat| retreat.forbids(made, estate) && observed.at > retreat.at + bound;
        let Some(retreat) = self.retreats.iter().find(forbids).copied() else { return };
        ledger.check();
        ledger.violate("new path", "new path after the bound", Some(made.interaction), made.effect.into(), || {
            Violation {
                at: observed.at,
                interaction: Some(made.interaction),
                clause: "new path",
                cause: "new path after the bound",
                about: estate.effects.text(made.effect).to_owned(),
                text: format!(
                    "in {}, {} did {} {} after {}",
                    occurrence(&made.interaction, estate),
                    estate.contexts.text(made.context),
                    effect_made(made, estate),
                    observed.at.since(retreat.at),
                    retreat.told(estate),
                ),
                witnesses: vec![retreat.observation, observed.id],
            }
        });
    }

    /// The retreat that an interaction had begun beyond, if one is under way.
    fn beyond(&self, of: &Interaction, estate: &Estate) -> Option<(Retreat, ObservationId)> {
        let begun = self.places.known(of)?;
        self.retreats.iter().find_map(|retreat| Some((*retreat, begun.caught_by(of, retreat, estate)?)))
    }

    fn delivered(&mut self, observed: &Observed, delivered: &Delivered, estate: &Estate, ledger: &mut Ledger) {
        let Some((retreat, decided)) = self.beyond(&delivered.interaction, estate) else { return };
        ledger.check();
        let Some(read) = delivered.handled_as.filter(|read| *read != delivered.produced_version) else { return };
        let cause = "read under an old meaning";
        ledger.violate("meaning", cause, Some(delivered.interaction), delivered.event_type.into(), || Violation {
            at: observed.at,
            interaction: Some(delivered.interaction),
            clause: "meaning",
            cause,
            about: estate.event_types.text(delivered.event_type).to_owned(),
            text: format!(
                "in {}, {} at code {} read {}, which means version {}, as version {read} {} after {} went back",
                occurrence(&delivered.interaction, estate),
                estate.contexts.text(delivered.context),
                delivered.code,
                estate.event_types.text(delivered.event_type),
                delivered.produced_version,
                observed.at.since(retreat.at),
                estate.features[retreat.feature].name,
            ),
            witnesses: sorted([decided, retreat.observation, observed.id]),
        });
    }

    fn given_up(&mut self, observed: &Observed, of: &Interaction, estate: &Estate, ledger: &mut Ledger) {
        let Some((retreat, decided)) = self.beyond(of, estate) else { return };
        ledger.check();
        ledger.violate("unread", "newer data given up", Some(*of), 0, || Violation {
            at: observed.at,
            interaction: Some(*of),
            clause: "unread",
            cause: "newer data given up",
            about: String::new(),
            text: format!(
                "in {}, what the new path had written was given up {} after {} went back",
                occurrence(of, estate),
                observed.at.since(retreat.at),
                estate.features[retreat.feature].name,
            ),
            witnesses: sorted([decided, retreat.observation, observed.id]),
        });
    }

    fn closed(
        &mut self,
        observed: &Observed,
        of: &Interaction,
        status: Option<(EntityId, u16)>,
        estate: &Estate,
        ledger: &mut Ledger,
    ) {
        let owed = self.places.known(of).and_then(|begun| begun.owes);
        self.places.close(of);
        let Some((due, ground)) = owed else { return };
        ledger.check();
        let settled = status.is_none_or(|(entity, status)| {
            let finals = &estate.entities[entity].finals;
            finals.is_empty() || finals.contains(&status)
        });
        if !settled {
            unfinished(
                observed.at,
                of,
                (due, &[ground, observed.id]),
                "is done and in no final status",
                estate,
                ledger,
            );
        } else if observed.at > due {
            unfinished(observed.at, of, (due, &[ground, observed.id]), "was done later", estate, ledger);
        } else {
            ledger.margin(due.since(observed.at).as_secs_f64());
        }
    }
}

fn unfinished(
    at: SimTime,
    of: &Interaction,
    (due, witnesses): (SimTime, &[ObservationId]),
    what: &str,
    estate: &Estate,
    ledger: &mut Ledger,
) {
    ledger.violate("unfinished", "never finished", Some(*of), 0, || Violation {
        at,
        interaction: Some(*of),
        clause: "unfinished",
        cause: "never finished",
        about: String::new(),
        text: format!(
            "{} had begun on the new stage and was to be finished by {}, and {what}",
            occurrence(of, estate),
            due.since_start(),
        ),
        witnesses: witnesses.to_vec(),
    });
}

fn sorted(mut witnesses: [ObservationId; 3]) -> Vec<ObservationId> {
    witnesses.sort_unstable();
    let mut witnesses = witnesses.to_vec();
    witnesses.dedup();
    witnesses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Verdict, verdict};
    use crate::models::estate::PATH_NEW;
    use crate::rollout::Scope;

    const MINUTE: Settings = Settings { bound: Some(SimDuration::from_secs(60)), quantile: None };

    /// An order begun on the new stage ten seconds before a kill.
    fn killed(estate: &Estate) -> Stream {
        let mut stream = Stream::new(estate);
        stream.at(90.0).arrives(interaction(0, 0));
        stream.decides(decision(interaction(0, 0), GATEWAY, ON));
        stream.at(100.0).kills(2, Scope::default());
        stream
    }

    fn judged(stream: &Stream, end: f64) -> Ledger {
        judge(&ENTRY, &estate(), MINUTE, stream, end)
    }

    #[test]
    fn an_order_that_ends_well_within_the_bound_is_a_safe_rollback() {
        let mut stream = killed(&estate());
        stream.at(110.0).push(Observation::Delivered(delivery(interaction(0, 0), 2, Some(2))));
        stream.at(120.0).closes(interaction(0, 0), Some(DONE));
        let ledger = judged(&stream, 600.0);
        assert_eq!((ledger.exercised, verdict(&ledger, false)), (1, Verdict::Holds));
    }

    #[test]
    fn newer_data_read_under_an_old_meaning_after_the_kill_is_a_violation_and_before_it_none() {
        let mut stream = killed(&estate());
        stream.at(110.0).push(Observation::Delivered(delivery(interaction(0, 0), 2, Some(1))));
        stream.at(120.0).closes(interaction(0, 0), Some(DONE));
        assert_eq!(judged(&stream, 600.0).causes, [("read under an old meaning", 1)]);
        let mut before = Stream::new(&estate());
        before.at(90.0).arrives(interaction(0, 0));
        before.decides(decision(interaction(0, 0), GATEWAY, ON));
        before.at(91.0).push(Observation::Delivered(delivery(interaction(0, 0), 2, Some(1))));
        before.at(100.0).kills(2, Scope::default());
        before.at(101.0).closes(interaction(0, 0), Some(DONE));
        assert_eq!(judged(&before, 600.0).violations, 0);
    }

    #[test]
    fn newer_data_that_is_given_up_leaves_the_order_unfinished() {
        let mut stream = killed(&estate());
        let group = crate::units::Id::new(0);
        stream.at(110.0).push(Observation::Parked { interaction: interaction(0, 0), group, event_type: 0 });
        stream.closes(interaction(0, 0), Some(PLACED));
        assert_eq!(judged(&stream, 600.0).causes, [("newer data given up", 1), ("never finished", 1)]);
    }

    #[test]
    fn what_is_still_open_when_its_time_is_over_is_a_violation_and_before_that_pending() {
        let stream = killed(&estate());
        assert_eq!(judged(&stream, 600.0).causes, [("never finished", 1)]);
        let early = judged(&stream, 130.0);
        assert_eq!((early.pending, verdict(&early, false)), (1, Verdict::Pending));
    }

    #[test]
    fn a_new_path_after_the_bound_is_a_violation_and_within_it_none() {
        for (at, expected) in [(150.0, 0), (170.0, 1)] {
            let mut stream = killed(&estate());
            stream.at(120.0).closes(interaction(0, 0), Some(DONE));
            stream.at(at).effects(effect(interaction(1, 1), BILLING, CHARGE, Some(PATH_NEW)));
            assert_eq!(judged(&stream, 600.0).violations, expected, "{at}");
        }
    }

    #[test]
    fn without_a_bound_it_is_inactive_and_without_anybody_under_way_vacuous() {
        let ledger = judge(&ENTRY, &estate(), Settings::default(), &killed(&estate()), 600.0);
        assert_eq!(ledger.violations, 0);
        let mut nobody = Stream::new(&estate());
        nobody.at(100.0).kills(2, Scope::default());
        assert_eq!(verdict(&judged(&nobody, 600.0), false), Verdict::Vacuous);
    }
}
