//! `flag-debt`: a flag has somebody who answers for it, a day on which it is gone, and no stage that nothing sets.

use super::account::occurrence;
use super::{Entry, Invariant, Ledger, Violation};
use crate::models::estate::{Estate, Happening};
use crate::models::observation::{Decided, Kind, Observation, Observed};
use crate::rollout::{FeatureId, StageId, WhenUnknown};
use crate::units::{Day, SimTime};

pub static ENTRY: Entry = Entry {
    name: "flag-debt",
    sentence: "after the first step of its rollout a feature is evaluated past the day of its `retire_by`, or has no \
               owner, no such day, or a stage on its ladder that nothing in the plan sets although its last stage is \
               set; inactive where no feature has an owner or a day, and for the flags of a flag file",
    exercised_when: "a feature with a day was evaluated; the margin is what was left of its time",
    exhibits: ("flag-debt", "flag-debt:retired"),
    causes: &["past its day", "no owner", "no day", "dead stage"],
    reachable: |estate, _| keeps_inventory(estate),
    create: |estate, _| {
        let judged = |id| Judged { begun: estate.rollouts.iter().all(|rollout| rollout.feature != id), seen: false };
        Box::new(FlagDebt { active: keeps_inventory(estate), features: estate.features.ids().map(judged).collect() })
    },
};

/// Whether anybody keeps book of flags. Where nobody does, `lint` says so.
fn keeps_inventory(estate: &Estate) -> bool {
    estate.features.iter().any(|feature| feature.owner.is_some() || feature.retire_by.is_some())
}

struct FlagDebt {
    active: bool,
    features: Vec<Judged>,
}

#[derive(Clone, Copy)]
struct Judged {
    /// Its rollout has begun, or it has none: from here on it is a flag like any other. A run without the rollout does
    /// not owe what the rollout leaves behind.
    begun: bool,
    /// What is missing in its entry of the inventory has been told.
    seen: bool,
}

impl Invariant for FlagDebt {
    fn interests(&self) -> &'static [Kind] {
        if self.active { &[Kind::Decided, Kind::Stepped] } else { &[] }
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Stepped { rollout, .. } = observed.what {
            self.features[estate.rollouts[usize::from(rollout)].feature.index()].begun = true;
        } else if let Observation::Decided(decided) = &observed.what
            && self.features[decided.feature.index()].begun
            && estate.features[decided.feature].stages.iter().all(|stage| stage.value.is_none())
        {
            self.evaluated(observed, decided, estate, ledger);
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, _: &mut Ledger) {
        // Every evaluation was judged when it was made.
    }
}

impl FlagDebt {
    fn evaluated(&mut self, observed: &Observed, decided: &Decided, estate: &Estate, ledger: &mut Ledger) {
        let feature = &estate.features[decided.feature];
        ledger.check();
        if !std::mem::replace(&mut self.features[decided.feature.index()].seen, true) {
            if feature.owner.is_none() {
                owed("inventory", "no owner", "nobody answers for it".to_owned(), observed, decided, estate, ledger);
            }
            if feature.retire_by.is_none() {
                let text = "nobody has said when it will be gone".to_owned();
                owed("inventory", "no day", text, observed, decided, estate, ledger);
            }
            for stage in dead_stages(estate, decided.feature) {
                let text = format!("nothing in the plan sets its stage {}", feature.stage_name(stage));
                owed("stages", "dead stage", text, observed, decided, estate, ledger);
            }
        }
        let Some(day) = feature.retire_by else { return };
        ledger.exercise();
        let left = seconds_to_end_of(day, estate) - observed.at.as_secs_f64();
        ledger.margin(left);
        if left <= 0.0 {
            let text = format!("it was to be gone by {day}, and it is {}", estate.day_at(observed.at));
            owed("retired", "past its day", text, observed, decided, estate, ledger);
        }
    }
}

/// From the beginning of the run to the end of a day (UTC).
fn seconds_to_end_of(day: Day, estate: &Estate) -> f64 {
    let days = i64::from(day.0) + 1 - i64::from(estate.starts_on.0);
    days as f64 * 86_400.0 - f64::from(estate.starts_at_second_of_day)
}

/// The stages on the ladder that nothing sets, where the rollout goes to its end. What lies above the last stage of a
/// plan that stops on the way is still to come, and a stage off the ladder is there for emergencies.
fn dead_stages(estate: &Estate, id: FeatureId) -> Vec<StageId> {
    let feature = &estate.features[id];
    let set = set_stages(estate, id);
    let ladder = || (0_u16..).map(StageId).zip(&feature.stages).filter(|(_, stage)| stage.rank.is_some());
    let last = ladder().max_by_key(|(_, stage)| stage.rank).map(|(stage, _)| stage);
    if last.is_none_or(|last| !set.contains(&last)) {
        return Vec::new();
    }
    ladder().map(|(stage, _)| stage).filter(|stage| !set.contains(stage)).collect()
}

/// Every stage that something in the plan sets.
fn set_stages(estate: &Estate, id: FeatureId) -> Vec<StageId> {
    let feature = &estate.features[id];
    let mut set = vec![feature.initial_stage, feature.safe_stage];
    let unknown = std::iter::once(&feature.when_unknown).chain(feature.when_unknown_in.iter().map(|(_, how)| how));
    set.extend(unknown.filter_map(|how| match how {
        WhenUnknown::FailOpen(stage) | WhenUnknown::CodeDefault(stage) => Some(*stage),
        WhenUnknown::LastKnownGood | WhenUnknown::FailClosed => None,
    }));
    for step in estate.rollouts.iter().filter(|rollout| rollout.feature == id).flat_map(|rollout| &rollout.steps) {
        set.extend(step.moves.iter().map(|line| line.to));
        set.extend(step.overrides.iter().map(|given| given.to));
    }
    let standing = estate.standing_rules.iter().filter(|(of, _)| *of == id).flat_map(|(_, rules)| rules);
    set.extend(standing.map(|rule| rule.stage));
    set.extend(estate.timeline.iter().filter_map(|entry| match &entry.what {
        Happening::Kill { feature, kill, .. } => (*feature == id).then_some(kill.to),
        Happening::Override { feature, given, .. } => (*feature == id).then_some(given.to),
        Happening::Fault { .. }
        | Happening::Deploy { .. }
        | Happening::Replay { .. }
        | Happening::Act { .. }
        | Happening::OverrideEnds { .. } => None,
    }));
    let local = estate.services.iter().flat_map(|service| &service.local).filter(|(of, _)| *of == id);
    set.extend(local.map(|(_, stage)| *stage));
    set
}

fn owed(
    clause: &'static str,
    cause: &'static str,
    why: String,
    observed: &Observed,
    decided: &Decided,
    estate: &Estate,
    ledger: &mut Ledger,
) {
    let name = &estate.features[decided.feature].name;
    let subject = u64::from(decided.feature.as_u32()) << 16 | u64::from(decided.context);
    ledger.violate(clause, cause, Some(decided.interaction), subject, || Violation {
        at: observed.at,
        interaction: Some(decided.interaction),
        clause,
        cause,
        about: name.clone(),
        text: format!(
            "in {}, {} still asks for {name}: {why}",
            occurrence(&decided.interaction, estate),
            estate.replicas[decided.replica].name
        ),
        witnesses: vec![observed.id],
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Settings, Verdict, verdict};

    /// The fixture begins on 2026-01-01; its flag has an owner and this day.
    fn inventoried(day: Option<Day>) -> Estate {
        let mut estate = estate();
        estate.features[FEATURE].owner = Some("shop".into());
        estate.features[FEATURE].retire_by = day;
        estate
    }

    const NEW_YEAR: Day = Day::new(2026, 1, 1);

    /// The rollout begins, and billing evaluates the flag at these times.
    fn evaluated(estate: &Estate, at: &[f64]) -> Ledger {
        let mut stream = Stream::new(estate);
        stream.at(1.0).steps(0, 2);
        for (n, at) in (0..).zip(at) {
            stream.at(*at).decides(decision(interaction(n, n as u32), BILLING, ON));
        }
        judge(&ENTRY, estate, Settings::default(), &stream, 200_000.0)
    }

    #[test]
    fn a_flag_evaluated_on_its_last_day_holds_with_what_is_left_of_it() {
        let ledger = evaluated(&inventoried(Some(NEW_YEAR)), &[10.0, 86_000.0]);
        assert_eq!((verdict(&ledger, false), ledger.min_margin), (Verdict::Holds, Some(400.0)));
    }

    #[test]
    fn a_flag_evaluated_after_its_day_is_violated_each_time() {
        let ledger = evaluated(&inventoried(Some(NEW_YEAR)), &[10.0, 86_400.0, 100_000.0]);
        assert_eq!(ledger.causes, [("past its day", 2)]);
        assert_eq!(
            ledger.first[0].text,
            "in place-order #1, billing/1 still asks for new-checkout: it was to be gone by 2026-01-01, and it is \
             2026-01-02"
        );
    }

    #[test]
    fn before_its_rollout_begins_a_flag_owes_nothing() {
        let estate = inventoried(Some(NEW_YEAR));
        let mut stream = Stream::new(&estate);
        stream.at(100_000.0).decides(decision(interaction(0, 0), BILLING, OFF));
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 200_000.0);
        assert_eq!(verdict(&ledger, false), Verdict::Vacuous);
    }

    #[test]
    fn a_flag_without_an_owner_or_a_day_is_told_once() {
        let ledger = evaluated(&inventoried(None), &[10.0, 20.0]);
        assert_eq!(ledger.causes, [("no day", 1)]);
        let mut estate = inventoried(Some(NEW_YEAR));
        estate.features[FEATURE].owner = None;
        assert_eq!(evaluated(&estate, &[10.0, 20.0]).causes, [("no owner", 1)]);
    }

    #[test]
    fn a_stage_that_nothing_sets_is_dead_once_the_last_one_is_set() {
        let mut estate = inventoried(Some(NEW_YEAR));
        let stages = &mut estate.features[FEATURE].stages;
        let stage = |name: &str, rank| crate::rollout::Stage { name: name.into(), rank, ..stages[1].clone() };
        let (above, beside) = (stage("beyond", Some(2)), stage("draining", None));
        stages.extend([above, beside]);
        // The steps go to `on`: what lies above it is still to come.
        assert_eq!(evaluated(&estate, &[10.0]).violations, 0);
        estate.rollouts[0].steps[2].moves[0].to = StageId(2);
        assert_eq!(evaluated(&estate, &[10.0]).violations, 0);
        for step in &mut estate.rollouts[0].steps {
            step.moves[0].to = StageId(2);
        }
        let ledger = evaluated(&estate, &[10.0]);
        assert_eq!(ledger.causes, [("dead stage", 1)]);
        assert!(ledger.first[0].text.ends_with("nothing in the plan sets its stage on"), "{}", ledger.first[0].text);
    }

    #[test]
    fn where_nobody_keeps_book_it_is_inactive() {
        let estate = estate();
        assert!(!(ENTRY.reachable)(&estate, &Settings::default()));
        assert_eq!(evaluated(&estate, &[100_000.0]).checked, 0);
        assert!((ENTRY.reachable)(&inventoried(None), &Settings::default()));
    }
}
