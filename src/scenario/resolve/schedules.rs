//! Overrides with a schedule: entries of the timeline, once all steps are known that they may hang on.

use super::Draft;
use super::place::Place;
use crate::models::estate::{Entry, Happening, When};
use crate::rollout::{FeatureId, Override, Who};
use crate::scenario::problem::Problem;
use crate::units::SimDuration;

/// An override that has a beginning or an end of its own.
pub(super) struct Scheduled<'a> {
    pub feature: FeatureId,
    /// The step it stands in; that of a whole rollout: the first.
    pub step: usize,
    pub given: Override,
    pub place: Place<'a>,
}

/// From when to when an override holds, as planned.
struct Span<'a> {
    feature: FeatureId,
    who: Who,
    from: SimDuration,
    until: SimDuration,
    place: Place<'a>,
}

impl<'a> Draft<'a> {
    pub(super) fn schedules(&mut self) {
        let mut spans: Vec<Span<'a>> = Vec::new();
        for Scheduled { feature, step, given, place } in std::mem::take(&mut self.scheduled) {
            let Some(rollout) = self.estate.rollouts.iter().position(|rollout| rollout.feature == feature) else {
                continue;
            };
            let what = named(given.who);
            let (from_place, until_place) = (place.key("from"), place.key("until"));
            let from = match from_place.is_given() {
                true => self.due_at(&from_place, &format!("the override of {what}")),
                false => Some(When::AfterStep { rollout, step, offset: SimDuration::ZERO }),
            };
            let until = match until_place.is_given() {
                true => self.due_at(&until_place, &format!("the end of the override of {what}")).map(Some),
                false => Some(None),
            };
            let (Some(from), Some(until)) = (from, until) else { continue };
            let (begins, ends) = (self.planned(&from), until.as_ref().map(|until| self.planned(until)));
            if let Some(ends) = ends.filter(|ends| *ends <= begins) {
                let message = format!("the override of {what} ends at {ends}, and begins at {begins}");
                self.error(until_place.span, message, "expected later than its beginning");
                continue;
            }
            let span = Span { feature, who: given.who, from: begins, until: ends.unwrap_or(SimDuration::MAX), place };
            self.check_overlap(&span, &spans, rollout);
            spans.push(span);
            self.enter_schedule(feature, given, from, until);
        }
    }

    /// One subject has one override at a time.
    fn check_overlap(&mut self, span: &Span<'a>, earlier: &[Span<'a>], rollout: usize) {
        let same = |other: &&Span<'a>| other.feature == span.feature && other.who == span.who;
        let overlaps = |other: &&Span<'a>| span.from < other.until && other.from < span.until;
        if let Some(other) = earlier.iter().filter(same).find(overlaps) {
            let problem = Problem::error(span.place.span, "the same subject is given a stage twice at one time");
            self.problems.push(problem.label("again here").related(other.place.span, "first here"));
        }
        let steps = &self.estate.rollouts[rollout].steps;
        if let Some(step) = steps.iter().find(|step| step.overrides.iter().any(|given| given.who == span.who)) {
            let message = format!("{} has an override without a schedule from step {} on", named(span.who), step.name);
            let problem = Problem::error(span.place.span, message).label("and one with a schedule");
            self.problems.push(problem.help("give the other one `from:` or `until:`, too"));
        }
    }

    fn enter_schedule(&mut self, feature: FeatureId, given: Override, from: When, until: Option<When>) {
        let begins = u32::try_from(self.estate.timeline.len()).unwrap_or(u32::MAX);
        let ends = until.is_some().then_some(begins + 1);
        let of = &self.estate.features[feature];
        let label = format!("override {} {}", named(given.who), of.stage_name(given.to));
        let what = Happening::Override { feature, given, until: ends };
        self.estate.timeline.push(Entry { label: label.clone(), when: from, what });
        if let Some(when) = until {
            let what = Happening::OverrideEnds { feature, who: given.who, given_by: begins };
            self.estate.timeline.push(Entry { label: format!("end of {label}"), when, what });
        }
    }
}

fn named(who: Who) -> String {
    match who {
        Who::User(number) => format!("user {number}"),
        Who::Tenant(number) => format!("tenant {number}"),
    }
}
