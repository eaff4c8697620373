//! The clause `moments`: contexts consider a business moment to have happened at the same time.

use crate::invariants::account::occurrence;
use crate::invariants::places::{Places, Reset};
use crate::invariants::{Ledger, Violation, reach};
use crate::models::estate::Estate;
use crate::models::observation::{Decided, Interaction, ObservationId, Observed};
use crate::rollout::{FeatureId, StageId};
use crate::units::{SimDuration, SimTime};
use smallvec::SmallVec;

/// The contracts' moments, and the marks of each occurrence in flight.
pub struct Moments {
    rules: Vec<Rule>,
    places: Places<Occurrence>,
}

struct Rule {
    feature: FeatureId,
    moment: u16,
    authority: Option<u16>,
    tolerance: SimDuration,
    since: Option<StageId>,
    /// Per journey: the contexts that can mark it in what the journey leads to.
    markers: Vec<Vec<u16>>,
}

#[derive(Default)]
struct Occurrence {
    /// The first mark of each context for each rule.
    marks: SmallVec<[Mark; 4]>,
    /// The rules whose `since` has been used.
    reached: SmallVec<[usize; 2]>,
    broken: SmallVec<[usize; 2]>,
    rejected: Option<SimTime>,
}

#[derive(Clone, Copy)]
struct Mark {
    rule: usize,
    context: u16,
    occurred_at: SimTime,
    observation: ObservationId,
}

impl Reset for Occurrence {
    fn reset(&mut self) {
        self.marks.clear();
        self.reached.clear();
        self.broken.clear();
        self.rejected = None;
    }
}

impl Occurrence {
    /// The earliest and the latest mark by when it occurred; of equals, the first seen.
    fn extremes(&self, rule: usize) -> Option<(Mark, Mark)> {
        let mut marks = self.marks.iter().filter(|mark| mark.rule == rule);
        let first = *marks.next()?;
        Some(marks.fold((first, first), |(earliest, latest), mark| {
            let earliest = if mark.occurred_at < earliest.occurred_at { *mark } else { earliest };
            let latest = if mark.occurred_at > latest.occurred_at { *mark } else { latest };
            (earliest, latest)
        }))
    }

    fn is_judged(&self, index: usize, rule: &Rule) -> bool {
        rule.since.is_none() || self.reached.contains(&index)
    }
}

impl Moments {
    pub fn new(estate: &Estate) -> Moments {
        let markers = |moment| estate.journeys.iter().map(move |journey| reach::markers(estate, journey.first, moment));
        let rules = estate.features.enumerate().flat_map(|(feature, described)| {
            described.contract.moments.iter().map(move |rule| Rule {
                feature,
                moment: rule.moment,
                authority: rule.authority,
                tolerance: rule.tolerance,
                since: rule.since,
                markers: markers(rule.moment).collect(),
            })
        });
        Moments { rules: rules.collect(), places: Places::default() }
    }

    /// A stage used may be the one since which a moment is judged, also for marks made before.
    pub fn decided(&mut self, observed: &Observed, decided: &Decided, estate: &Estate, ledger: &mut Ledger) {
        let feature = &estate.features[decided.feature];
        for (index, rule) in self.rules.iter().enumerate() {
            let reaches = rule.feature == decided.feature
                && rule.since.is_some_and(|since| feature.at_or_after(decided.stage, since));
            if !reaches {
                continue;
            }
            let occurrence = self.places.of(&decided.interaction);
            if !occurrence.reached.contains(&index) {
                occurrence.reached.push(index);
                late(index, rule, occurrence, (observed.at, &decided.interaction), estate, ledger);
            }
        }
    }

    /// `context` considers `moment` to have happened when the record it acts on occurred.
    pub fn marked(
        &mut self,
        observed: &Observed,
        interaction: &Interaction,
        (moment, context, occurred_at): (u16, u16, SimTime),
        estate: &Estate,
        ledger: &mut Ledger,
    ) {
        for (index, rule) in self.rules.iter().enumerate().filter(|(_, rule)| rule.moment == moment) {
            let occurrence = self.places.of(interaction);
            if !occurrence.marks.iter().any(|mark| mark.rule == index && mark.context == context) {
                occurrence.marks.push(Mark { rule: index, context, occurred_at, observation: observed.id });
                late(index, rule, occurrence, (observed.at, interaction), estate, ledger);
            }
        }
    }

    pub fn rejected(&mut self, interaction: &Interaction, at: SimTime) {
        if !self.rules.is_empty() {
            self.places.of(interaction).rejected.get_or_insert(at);
        }
    }

    /// Nothing more can come: whoever has not marked by now never will.
    pub fn close(&mut self, interaction: &Interaction, at: SimTime, estate: &Estate, ledger: &mut Ledger) {
        if let Some(occurrence) = self.places.known(interaction) {
            for (index, rule) in self.rules.iter().enumerate() {
                settle(index, rule, occurrence, (at, interaction), None, estate, ledger);
            }
            self.places.close(interaction);
        }
    }

    pub fn finish(&mut self, end: SimTime, estate: &Estate, ledger: &mut Ledger) {
        for (interaction, occurrence) in self.places.open() {
            for (index, rule) in self.rules.iter().enumerate() {
                settle(index, rule, occurrence, (end, &interaction), Some(end), estate, ledger);
            }
        }
    }
}

/// Whether the marks so far are further apart than the tolerance.
fn late(
    index: usize,
    rule: &Rule,
    occurrence: &mut Occurrence,
    (at, interaction): (SimTime, &Interaction),
    estate: &Estate,
    ledger: &mut Ledger,
) {
    if !occurrence.is_judged(index, rule) || occurrence.broken.contains(&index) {
        return;
    }
    let Some((earliest, latest)) = occurrence.extremes(index) else { return };
    let apart = latest.occurred_at.since(earliest.occurred_at);
    if apart <= rule.tolerance {
        return;
    }
    occurrence.broken.push(index);
    let name = |context| estate.contexts.text(context);
    let text = || {
        format!(
            "{} considers {} to have happened at {}, {} {apart} later, beyond {}",
            name(earliest.context),
            estate.moments.text(rule.moment),
            earliest.occurred_at,
            name(latest.context),
            rule.tolerance
        )
    };
    violate("late", rule, &[earliest, latest], (at, interaction), text, estate, ledger);
}

/// The occurrence is done, or the run is over at `end`: whether every context that can mark the moment has.
fn settle(
    index: usize,
    rule: &Rule,
    occurrence: &Occurrence,
    (at, interaction): (SimTime, &Interaction),
    end: Option<SimTime>,
    estate: &Estate,
    ledger: &mut Ledger,
) {
    let markers = &rule.markers[interaction.journey.index()];
    // On a replay only those who consume again mark again, and one context alone cannot disagree.
    if markers.len() < 2 || !occurrence.is_judged(index, rule) {
        return;
    }
    let Some((earliest, latest)) = occurrence.extremes(index) else { return };
    ledger.check();
    ledger.exercise();
    let apart = latest.occurred_at.since(earliest.occurred_at);
    ledger.margin(rule.tolerance.as_secs_f64() - apart.as_secs_f64());
    let marked = |context: &u16| occurrence.marks.iter().any(|mark| mark.rule == index && mark.context == *context);
    let due = earliest.occurred_at + rule.tolerance;
    let discharged = interaction.replay > 0 || occurrence.rejected.is_some_and(|rejected| rejected <= due);
    let Some(missing) = markers.iter().find(|context| !marked(context)) else { return };
    if discharged || occurrence.broken.contains(&index) {
        return;
    }
    if end.is_some_and(|end| due > end) {
        ledger.pending += 1;
        return;
    }
    let text = || {
        format!(
            "{} considers {} to have happened at {}, {} does not within {}",
            estate.contexts.text(earliest.context),
            estate.moments.text(rule.moment),
            earliest.occurred_at,
            estate.contexts.text(*missing),
            rule.tolerance
        )
    };
    violate("missing", rule, &[earliest], (at, interaction), text, estate, ledger);
}

fn violate(
    cause: &'static str,
    rule: &Rule,
    marks: &[Mark],
    (at, interaction): (SimTime, &Interaction),
    text: impl FnOnce() -> String,
    estate: &Estate,
    ledger: &mut Ledger,
) {
    let subject = (rule.feature.index() as u64) << 16 | u64::from(rule.moment);
    ledger.violate("moments", cause, Some(*interaction), subject, || {
        let authority = rule.authority.map(|context| format!(" (authority: {})", estate.contexts.text(context)));
        let mut witnesses: Vec<ObservationId> = marks.iter().map(|mark| mark.observation).collect();
        witnesses.sort_unstable();
        Violation {
            at,
            interaction: Some(*interaction),
            clause: "moments",
            cause,
            about: estate.moments.text(rule.moment).to_owned(),
            text: format!("in {}, {}{}", occurrence(interaction, estate), text(), authority.unwrap_or_default()),
            witnesses,
        }
    });
}

#[cfg(test)]
mod tests;
