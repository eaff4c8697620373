//! The clause `paths`: the effects of an occurrence fit one row of the contract.

use crate::invariants::account::occurrence;
use crate::invariants::places::{Places, Reset};
use crate::invariants::{Ledger, Violation};
use crate::models::estate::Estate;
use crate::models::observation::{CompensationMade, Decided, EffectMade, Interaction, ObservationId, Observed};
use crate::rollout::{FeatureId, StageId};
use smallvec::SmallVec;

/// The contracts' rows, and the effects of each occurrence in flight.
pub struct Paths {
    rows: Vec<Row>,
    /// The rows that are admissible before anything has read the feature: from its initial stage on.
    at_first: Vec<bool>,
    places: Places<Occurrence>,
}

struct Row {
    feature: FeatureId,
    from: StageId,
    paths: Vec<(u16, u16)>,
}

#[derive(Default)]
struct Occurrence {
    /// By row; empty until something happens.
    admissible: SmallVec<[bool; 8]>,
    seen: SmallVec<[Seen; 4]>,
    exercised: SmallVec<[FeatureId; 2]>,
    broken: SmallVec<[FeatureId; 2]>,
}

#[derive(Clone, Copy)]
struct Seen {
    effect: u16,
    path: u16,
    context: u16,
    observation: ObservationId,
}

impl Reset for Occurrence {
    fn reset(&mut self) {
        self.admissible.clear();
        self.seen.clear();
        self.exercised.clear();
        self.broken.clear();
    }
}

impl Row {
    fn names(&self, effect: u16) -> bool {
        self.paths.iter().any(|(named, _)| *named == effect)
    }

    fn fits(&self, seen: &[Seen]) -> bool {
        let agrees = |seen: &Seen| {
            let mut paths = self.paths.iter();
            paths.all(|(effect, path)| *effect != seen.effect || *path == seen.path)
        };
        seen.iter().all(agrees)
    }
}

impl Paths {
    pub fn new(estate: &Estate) -> Paths {
        let rows: Vec<Row> = estate
            .features
            .enumerate()
            .flat_map(|(feature, described)| described.contract.paths.iter().map(move |row| (feature, row)))
            .map(|(feature, row)| Row { feature, from: row.from, paths: row.paths.clone() })
            .collect();
        let at_first = |row: &Row| {
            let feature = &estate.features[row.feature];
            feature.at_or_after(feature.initial_stage, row.from)
        };
        Paths { at_first: rows.iter().map(at_first).collect(), rows, places: Places::default() }
    }

    /// A stage used makes every row from it down admissible.
    pub fn decided(&mut self, decided: &Decided, estate: &Estate) {
        let feature = &estate.features[decided.feature];
        if feature.contract.paths.is_empty() {
            return;
        }
        let occurrence = self.places.of(&decided.interaction);
        if occurrence.admissible.is_empty() {
            occurrence.admissible.extend_from_slice(&self.at_first);
        }
        for (row, admissible) in self.rows.iter().zip(&mut occurrence.admissible) {
            *admissible |= row.feature == decided.feature && feature.at_or_after(decided.stage, row.from);
        }
    }

    /// What is compensated does not count any more (rules.md, 7).
    pub fn compensated(&mut self, made: &CompensationMade) {
        if self.places.known(&made.of).is_some() {
            let gone = |seen: &Seen| seen.effect == made.effect && Some(seen.path) == made.path;
            self.places.of(&made.of).seen.retain(|seen| !gone(seen));
        }
    }

    /// A neutral effect fits everything.
    pub fn effect(&mut self, observed: &Observed, made: &EffectMade, estate: &Estate, ledger: &mut Ledger) {
        let Some(path) = made.path else { return };
        if !self.rows.iter().any(|row| row.names(made.effect)) {
            return;
        }
        let occurrence = self.places.of(&made.interaction);
        if occurrence.admissible.is_empty() {
            occurrence.admissible.extend_from_slice(&self.at_first);
        }
        if occurrence.seen.iter().any(|seen| seen.effect == made.effect && seen.path == path) {
            return;
        }
        occurrence.seen.push(Seen { effect: made.effect, path, context: made.context, observation: observed.id });
        for (feature, described) in estate.features.enumerate() {
            if !described.contract.paths.is_empty() {
                judge(&self.rows, feature, occurrence, observed, made, estate, ledger);
            }
        }
    }

    pub fn close(&mut self, interaction: &Interaction) {
        self.places.close(interaction);
    }
}

fn judge(
    rows: &[Row],
    feature: FeatureId,
    occurrence: &mut Occurrence,
    observed: &Observed,
    made: &EffectMade,
    estate: &Estate,
    ledger: &mut Ledger,
) {
    let of_feature = || rows.iter().zip(&occurrence.admissible).filter(|(row, _)| row.feature == feature);
    let named = |effect| of_feature().any(|(row, _)| row.names(effect));
    // A contract that begins above the stages used so far promises nothing yet.
    if !named(made.effect) || !of_feature().any(|(_, admissible)| *admissible) {
        return;
    }
    ledger.check();
    let distinct = occurrence.seen.iter().filter(|seen| named(seen.effect)).count();
    let fits_admissible = of_feature().any(|(row, admissible)| *admissible && row.fits(&occurrence.seen));
    let ahead = of_feature().find(|(row, _)| row.fits(&occurrence.seen)).map(|(row, _)| row.from);
    if (distinct > 1 || !fits_admissible) && !occurrence.exercised.contains(&feature) {
        occurrence.exercised.push(feature);
        ledger.exercise();
    }
    if fits_admissible || occurrence.broken.contains(&feature) {
        return;
    }
    occurrence.broken.push(feature);
    let cause = if ahead.is_some() { "ahead of its stage" } else { "mixed paths" };
    ledger.violate("paths", cause, Some(made.interaction), feature.index() as u64, || {
        let seen: Vec<Seen> = occurrence.seen.iter().copied().filter(|seen| named(seen.effect)).collect();
        Violation {
            at: observed.at,
            interaction: Some(made.interaction),
            clause: "paths",
            cause,
            about: estate.effects.text(made.effect).to_owned(),
            text: account(&seen, ahead, feature, &made.interaction, estate),
            witnesses: seen.iter().map(|seen| seen.observation).collect(),
        }
    });
}

fn account(
    seen: &[Seen],
    ahead: Option<StageId>,
    feature: FeatureId,
    interaction: &Interaction,
    estate: &Estate,
) -> String {
    let one = |seen: &Seen| {
        let effect = estate.effects.text(seen.effect);
        format!("{effect} on path {} ({})", estate.paths.text(seen.path), estate.contexts.text(seen.context))
    };
    let effects = seen.iter().map(one).collect::<Vec<_>>().join(" and ");
    let feature = &estate.features[feature];
    let breach = match ahead {
        Some(from) => format!("belong to {} only from {} on, which no context has used", feature.name, {
            feature.stage_name(from)
        }),
        None => format!("fit no row of the contract of {} together", feature.name),
    };
    format!("in {}, {effects} {breach}", occurrence(interaction, estate))
}

#[cfg(test)]
mod tests {
    use crate::invariants::fixtures::*;
    use crate::invariants::semantic_mismatch::ENTRY;
    use crate::invariants::{Ledger, Settings, Verdict, verdict};
    use crate::models::estate::{Estate, PATH_NEW, PATH_OLD};
    use crate::rollout::StageId;
    use crate::rollout::feature::ContractRow;

    /// Both effects old from `off` on, both new from `on` on.
    fn contracted() -> Estate {
        let mut estate = estate();
        let row = |from, path| ContractRow { from, paths: vec![(SHIP, path), (CHARGE, path)] };
        estate.features[FEATURE].contract.paths = vec![row(OFF, PATH_OLD), row(ON, PATH_NEW)];
        estate
    }

    /// The first decides this stage, where one is given; then both effects on these paths.
    fn made(used: Option<StageId>, ship: Option<u16>, charge: Option<u16>) -> Ledger {
        let estate = contracted();
        let mut stream = Stream::new(&estate);
        let order = interaction(0, 0);
        if let Some(stage) = used {
            stream.decides(decision(order, GATEWAY, stage));
        }
        stream.effects(effect(order, CHECKOUT, SHIP, ship));
        stream.effects(effect(order, BILLING, CHARGE, charge));
        // A redelivery repeats what was judged.
        stream.effects(effect(order, BILLING, CHARGE, charge));
        stream.closes(order, None);
        judge(&ENTRY, &estate, Settings::default(), &stream, 60.0)
    }

    const OLD: Option<u16> = Some(PATH_OLD);
    const NEW: Option<u16> = Some(PATH_NEW);

    #[test]
    fn what_is_compensated_leaves_the_occurrence() {
        let (estate, order) = (contracted(), interaction(0, 0));
        let after = |compensated: bool| {
            let mut stream = Stream::new(&estate);
            stream.decides(decision(order, GATEWAY, ON));
            stream.effects(effect(order, CHECKOUT, SHIP, NEW));
            if compensated {
                stream.compensates(order, 2, SHIP);
            }
            stream.effects(effect(order, BILLING, CHARGE, OLD));
            judge(&ENTRY, &estate, Settings::default(), &stream, 60.0).violations
        };
        assert_eq!((after(true), after(false)), (0, 1));
    }

    #[test]
    fn effects_of_one_row_hold_and_every_row_below_a_used_stage_stays_admissible() {
        for (used, path) in [(None, OLD), (Some(OFF), OLD), (Some(ON), OLD), (Some(ON), NEW)] {
            let ledger = made(used, path, path);
            assert_eq!(verdict(&ledger, false), Verdict::Holds, "{used:?} {path:?}");
            assert_eq!((ledger.checked, ledger.exercised), (2, 1));
        }
    }

    #[test]
    fn a_neutral_effect_fits_everything_and_one_effect_alone_exercises_nothing() {
        assert_eq!(verdict(&made(Some(ON), NEW, None), false), Verdict::Vacuous);
    }

    #[test]
    fn paths_that_no_row_allows_together_are_mixed() {
        let ledger = made(Some(ON), NEW, OLD);
        assert_eq!(ledger.causes, [("mixed paths", 1)]);
        assert_eq!(
            ledger.first[0].text,
            "in place-order #0, ship on path new (checkout) and charge on path old (billing) fit no row of the \
             contract of new-checkout together"
        );
    }

    #[test]
    fn a_row_whose_stage_nobody_used_is_not_admissible_yet() {
        for used in [None, Some(OFF)] {
            let ledger = made(used, NEW, NEW);
            assert_eq!(ledger.causes, [("ahead of its stage", 1)]);
            assert_eq!(ledger.exercised, 1);
        }
    }

    #[test]
    fn a_contract_that_begins_above_the_stages_used_promises_nothing() {
        let mut estate = contracted();
        estate.features[FEATURE].contract.paths.remove(0);
        let mut stream = Stream::new(&estate);
        stream.decides(decision(interaction(0, 0), GATEWAY, OFF));
        stream.effects(effect(interaction(0, 0), CHECKOUT, SHIP, OLD));
        assert_eq!(judge(&ENTRY, &estate, Settings::default(), &stream, 60.0).checked, 0);
    }

    #[test]
    fn effects_of_two_occurrences_do_not_mix() {
        let estate = contracted();
        let mut stream = Stream::new(&estate);
        for (n, path) in [(0, OLD), (1, NEW)] {
            stream.decides(decision(interaction(n, 0), GATEWAY, ON));
            stream.effects(effect(interaction(n, 0), CHECKOUT, SHIP, path));
            stream.closes(interaction(n, 0), None);
        }
        assert_eq!(judge(&ENTRY, &estate, Settings::default(), &stream, 60.0).violations, 0);
    }
}
