//! `irreversible-exposure`: nothing that cannot be taken back happens on a new path while the rollout still can be.

use super::account::{effect_made, occurrence};
use super::kills::is_new;
use super::retreats::{By, Retreat, Retreats};
use super::{Entry, Invariant, Ledger, Settings, Violation};
use crate::models::estate::{Estate, Happening};
use crate::models::observation::{EffectMade, Interaction, Kind, Observation, ObservationId, Observed};
use crate::models::reach::Reach;
use crate::rollout::{FeatureId, StageId};
use crate::units::SimTime;
use smallvec::SmallVec;
use std::collections::BTreeMap;

pub static ENTRY: Entry = Entry {
    name: "irreversible-exposure",
    sentence: "an irreversible effect on a new path took place under a stage before the feature's commit_stage \
               (`uncommitted`), or its subject was taken off that stage, before or after the effect, by a kill, a step back \
               or a plan that went back (`rolled_back`), and no operation compensates it; with a compensator it is \
               counted apart, as compensated, not undone",
    exercised_when: "an irreversible effect took place on a new path",
    exhibits: ("irreversible", "irreversible:committed-first"),
    causes: &["before the commit stage", "rolled back later", "done after the kill", "done after the rollback"],
    reachable,
    create: |estate, settings| {
        let by_tenant = estate.timeline.iter().any(|entry| match &entry.what {
            Happening::Kill { kill, .. } => kill.scope.tenant.is_some(),
            Happening::Fault { .. }
            | Happening::Deploy { .. }
            | Happening::Replay { .. }
            | Happening::Act { .. }
            | Happening::Override { .. }
            | Happening::OverrideEnds { .. } => false,
        });
        Box::new(IrreversibleExposure {
            active: reachable(estate, settings),
            by_tenant,
            retreats: Retreats::default(),
            done: BTreeMap::new(),
        })
    },
};

/// What a violation is told apart from where a compensator exists.
const COMPENSATED: &str = "compensated, not undone";

fn reachable(estate: &Estate, _: &Settings) -> bool {
    let mut actions = estate.operations.iter().flat_map(|operation| &operation.rules).flat_map(|rule| &rule.actions);
    actions.any(|action| action.effect().is_some_and(|site| site.irreversible))
}

struct IrreversibleExposure {
    /// Whether the plan has an irreversible effect at all.
    active: bool,
    /// Whether a kill of the plan is for one tenant; tenants need not be told apart otherwise.
    by_tenant: bool,
    retreats: Retreats,
    /// Irreversible effects done so far that nothing has condemned yet: how many in each cell, never each by itself.
    done: BTreeMap<Cell, Done>,
}

/// What a later retreat can tell effects apart by (rules.md, 14).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    feature: FeatureId,
    stage: StageId,
    effect: u16,
    path: u16,
    journey: u16,
    region: u16,
    tenant: u32,
    reach: Reach,
}

#[derive(Default)]
struct Done {
    count: u64,
    first: SmallVec<[(ObservationId, Interaction); 16]>,
}

impl Invariant for IrreversibleExposure {
    fn interests(&self) -> &'static [Kind] {
        match self.active {
            true => &[Kind::Effect, Kind::PolicyPublished, Kind::Stepped, Kind::Killed, Kind::Lifted],
            false => &[],
        }
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Effect(made) = &observed.what {
            if made.irreversible && is_new(made) {
                self.judge(observed, made, estate, ledger);
            }
        } else if let Some(retreat) = self.retreats.observe(observed, estate) {
            self.condemn(observed, &retreat, estate, ledger);
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, _: &mut Ledger) {}
}

impl IrreversibleExposure {
    fn judge(&mut self, observed: &Observed, made: &EffectMade, estate: &Estate, ledger: &mut Ledger) {
        ledger.check();
        ledger.exercise();
        if made.compensated {
            ledger.set_apart(COMPENSATED);
            return;
        }
        let Some((feature, stage)) = made.under else { return };
        let described = &estate.features[feature];
        if let Some(retreat) = self.retreats.iter().find(|retreat| retreat.forbids(made, estate)) {
            let breach = Breach {
                clause: "rolled_back",
                cause: if retreat.is_kill() { "done after the kill" } else { "done after the rollback" },
                ground: retreat.observation,
                circumstances: format!("{} after {}", observed.at.since(retreat.at), retreat.told(estate)),
            };
            violate(observed, made, breach, estate, ledger);
        } else if let Some(commit) = described.commit_stage
            && !described.at_or_after(stage, commit)
        {
            let (used, commit) = (described.stage_name(stage), described.stage_name(commit));
            let breach = Breach {
                clause: "uncommitted",
                cause: "before the commit stage",
                ground: observed.id,
                circumstances: format!("under {used} of {}, before its commit stage {commit}", described.name),
            };
            violate(observed, made, breach, estate, ledger);
        } else {
            let cell = Cell {
                feature,
                stage,
                effect: made.effect,
                path: made.path.unwrap_or_default(),
                journey: made.interaction.journey.index() as u16,
                region: made.tenant_region.index() as u16,
                tenant: if self.by_tenant { made.tenant } else { 0 },
                reach: made.reach,
            };
            let done = self.done.entry(cell).or_default();
            done.count += 1;
            if done.first.len() < done.first.inline_size() {
                done.first.push((observed.id, made.interaction));
            }
        }
    }

    /// What had been done in the scope of a retreat and is not allowed there any more: it stays done.
    fn condemn(&mut self, observed: &Observed, retreat: &Retreat, estate: &Estate, ledger: &mut Ledger) {
        let described = &estate.features[retreat.feature];
        let condemned = |cell: &Cell| match retreat.by {
            By::Back { before, .. } => cell.feature == retreat.feature && cell.reach.contains(before),
            By::Kill(_) | By::Step { .. } | By::Cap => {
                cell.feature == retreat.feature
                    && retreat.scope.contains(cell.region, cell.tenant, cell.journey)
                    && retreat.is_beyond(cell.stage, estate)
            }
        };
        self.done.retain(|cell, done| {
            if !condemned(cell) {
                return true;
            }
            for nth in 0..done.count {
                let witness = done.first.get(nth as usize).copied();
                let subject = retreat.observation << 48 ^ u64::from(cell.effect) << 32 ^ nth;
                ledger.violate("rolled_back", "rolled back later", witness.map(|(_, of)| of), subject, || {
                    let (seen, of) = witness.unwrap_or(done.first[0]);
                    Violation {
                        at: observed.at,
                        interaction: Some(of),
                        clause: "rolled_back",
                        cause: "rolled back later",
                        about: estate.effects.text(cell.effect).to_owned(),
                        text: format!(
                            "{} on path {} in {} and {} more were done under {} when {}: nothing undoes them",
                            estate.effects.text(cell.effect),
                            estate.paths.text(cell.path),
                            occurrence(&of, estate),
                            done.count - 1,
                            described.stage_name(cell.stage),
                            retreat.told(estate),
                        ),
                        witnesses: vec![seen, retreat.observation],
                    }
                });
            }
            false
        });
    }
}

/// What is wrong with an effect that was just made.
struct Breach {
    clause: &'static str,
    cause: &'static str,
    /// What it rests on besides the effect.
    ground: ObservationId,
    circumstances: String,
}

fn violate(observed: &Observed, made: &EffectMade, breach: Breach, estate: &Estate, ledger: &mut Ledger) {
    let Breach { clause, cause, ground, circumstances } = breach;
    ledger.violate(clause, cause, Some(made.interaction), made.effect.into(), || {
        let mut witnesses = vec![ground, observed.id];
        witnesses.dedup();
        Violation {
            at: observed.at,
            interaction: Some(made.interaction),
            clause,
            cause,
            about: estate.effects.text(made.effect).to_owned(),
            text: format!(
                "in {}, {} did {}, which nothing takes back, {circumstances}",
                occurrence(&made.interaction, estate),
                estate.contexts.text(made.context),
                effect_made(made, estate),
            ),
            witnesses,
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Verdict, verdict};
    use crate::models::estate::{PATH_NEW, PATH_OLD};
    use crate::models::observation::Publication;
    use crate::rollout::Scope;

    /// The fixture whose charges cannot be taken back, with its commit stage.
    fn estate_with(commit: Option<StageId>) -> Estate {
        let mut estate = estate();
        estate.features[FEATURE].commit_stage = commit;
        for operation in estate.operations.iter_mut() {
            for action in operation.rules.iter_mut().flat_map(|rule| &mut rule.actions) {
                if let crate::models::program::Action::Effect(site) = action {
                    site.irreversible = site.effect == CHARGE;
                }
            }
        }
        estate
    }

    fn charge(n: u64) -> EffectMade {
        let made = effect(interaction(n, 0), BILLING, CHARGE, Some(PATH_NEW));
        EffectMade { irreversible: true, ..made }
    }

    #[test]
    fn an_irreversible_effect_under_a_stage_before_the_commit_stage_is_a_violation() {
        let mut estate = estate_with(None);
        let later = crate::rollout::Stage { name: "committed".into(), rank: Some(2), grants: Vec::new(), value: None };
        estate.features[FEATURE].stages.push(later);
        estate.features[FEATURE].commit_stage = Some(StageId(2));
        let mut stream = Stream::new(&estate);
        stream.at(10.0).effects(charge(0));
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 300.0);
        assert_eq!(ledger.causes, [("before the commit stage", 1)]);
        assert_eq!(
            ledger.first[0].text,
            "in place-order #0, billing did charge on path new, which nothing takes back, under on of new-checkout, \
             before its commit stage committed"
        );
    }

    #[test]
    fn from_the_commit_stage_on_it_holds_and_a_reversible_effect_is_not_meant() {
        let estate = estate_with(Some(ON));
        let mut stream = Stream::new(&estate);
        stream.at(10.0).effects(EffectMade { irreversible: false, ..charge(0) });
        assert_eq!(verdict(&judge(&ENTRY, &estate, Settings::default(), &stream, 300.0), false), Verdict::Vacuous);
        stream.at(11.0).effects(EffectMade { path: Some(PATH_OLD), ..charge(1) });
        assert_eq!(verdict(&judge(&ENTRY, &estate, Settings::default(), &stream, 300.0), false), Verdict::Vacuous);
        stream.at(12.0).effects(charge(2));
        assert_eq!(verdict(&judge(&ENTRY, &estate, Settings::default(), &stream, 300.0), false), Verdict::Holds);
    }

    #[test]
    fn a_later_kill_condemns_each_effect_in_its_scope_and_no_other() {
        let estate = estate_with(Some(ON));
        let mut stream = Stream::new(&estate);
        for n in 0..40 {
            stream.at(10.0).effects(charge(n));
        }
        stream.at(100.0).kills(2, Scope::default());
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 300.0);
        assert_eq!(ledger.causes, [("rolled back later", 40)]);
        let mut elsewhere = Stream::new(&estate);
        elsewhere.at(10.0).effects(charge(0));
        elsewhere.at(100.0).kills(2, Scope { region: Some(7), ..Scope::default() });
        assert_eq!(judge(&ENTRY, &estate, Settings::default(), &elsewhere, 300.0).violations, 0);
    }

    #[test]
    fn what_is_done_in_a_killed_scope_is_told_apart_from_what_was_done_before() {
        let estate = estate_with(Some(ON));
        let mut stream = Stream::new(&estate);
        stream.at(100.0).kills(2, Scope::default());
        stream.at(130.0).effects(charge(0));
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 300.0);
        assert_eq!(ledger.causes, [("done after the kill", 1)]);
    }

    #[test]
    fn a_plan_that_goes_back_condemns_what_those_it_takes_back_have_done_and_go_on_to_do() {
        let estate = estate_with(Some(ON));
        let since = |step: usize, n| EffectMade { reach: Reach::of((0..=step).map(|_| true)), ..charge(n) };
        let mut stream = Stream::new(&estate);
        stream.at(10.0).effects(since(0, 0));
        for n in 1..4 {
            stream.at(20.0).effects(since(1, n));
        }
        stream.at(100.0).publishes(4, Publication::RolledBack { rollout: 0, before: 1 });
        stream.at(110.0).effects(since(1, 4));
        stream.effects(since(0, 5));
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 300.0);
        assert_eq!(ledger.causes, [("rolled back later", 3), ("done after the rollback", 1)]);
        stream.at(120.0).publishes(5, Publication::RolledBack { rollout: 0, before: 0 });
        let all = judge(&ENTRY, &estate, Settings::default(), &stream, 300.0);
        assert_eq!(all.causes, [("rolled back later", 5), ("done after the rollback", 1)]);
    }

    #[test]
    fn with_a_compensator_it_is_counted_apart() {
        let estate = estate_with(Some(ON));
        let mut stream = Stream::new(&estate);
        stream.at(10.0).effects(EffectMade { compensated: true, ..charge(0) });
        stream.at(100.0).kills(2, Scope::default());
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 300.0);
        assert_eq!((ledger.exercised, ledger.violations), (1, 0));
        assert_eq!(ledger.apart, [("compensated, not undone", 1)]);
    }
}
