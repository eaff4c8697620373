//! Flags that nobody will remove.

use super::Lint;
use super::behaviour::{asks_for_value, codes_of, rules_at, stages_of};
use super::schedule::{codes_between, published};
use super::subject::Subject;
use crate::rollout::FeatureId;
use crate::scenario::defaults::RELEASE_FLAG_LIFETIME;
use crate::scenario::problem::Problem;
use crate::scenario::quantity;
use crate::units::{Share, SimDuration, SimTime};

pub static LINT: Lint = Lint {
    code: "WT001",
    name: "flag-debt",
    sentence: "a feature has no owner or no `retire_by`, outlives it, or is on for everybody and still asked for",
    reason: "a flag that outlives its purpose is a second path through the code that nobody tests any more",
    repair: "name an owner and a day, and remove the code of the flag by then",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Vec<Problem>) {
    for id in subject.estate.features.ids().filter(|id| !subject.is_flag(*id)) {
        owner_and_day(subject, id, found);
        finished(subject, id, found);
    }
}

fn owner_and_day(subject: &Subject<'_>, id: FeatureId, found: &mut Vec<Problem>) {
    let estate = subject.estate;
    let feature = &estate.features[id];
    let name = &feature.name;
    let missing = match (&feature.owner, feature.retire_by) {
        (None, None) => Some("neither an owner nor a day to retire it"),
        (None, Some(_)) => Some("no owner"),
        (Some(_), None) => Some("no day to retire it"),
        (Some(_), Some(_)) => None,
    };
    if let Some(missing) = missing {
        let problem = Problem::advice(subject.feature(id), format!("the feature `{name}` has {missing}"));
        found.push(problem.help("write `owner:` and `retire_by:`, the day on which its code is gone"));
    }
    let Some(day) = feature.retire_by else { return };
    let (first, last) = (estate.starts_on, estate.day_at(SimTime::from(estate.duration)));
    let span = subject.feature_key(id, "retire_by");
    let rest_of_day = SimDuration::from_secs_f64((f64::from(day.0 - first.0) + 1.0) * 86_400.0);
    let still_read = still_decides(subject, id, rest_of_day) || subject.users_read(id);
    if day < first {
        let message = format!("the feature `{name}` was to be retired by {day}, before the run begins on {first}");
        found.push(Problem::warning(span, message).help("remove its code, or give it a new day and say why"));
    } else if day < last && still_read {
        let message = format!("the feature `{name}` is to be retired by {day}, and the run goes on to {last}");
        let problem = Problem::warning(span, message).label("the estate still asks for it after this day");
        found.push(problem.help("end the rollout earlier, deploy code without the flag, or move the day"));
    }
}

/// Whether code that runs at or after a time does one thing at one stage of the feature and another at another.
fn still_decides(subject: &Subject<'_>, id: FeatureId, time: SimDuration) -> bool {
    let estate = subject.estate;
    subject.readers(id).into_iter().any(|operation| {
        let operation = &estate.operations[operation];
        let live = codes_between(estate, operation.service, time, None);
        let asks = |code: &u32| {
            let mut does = stages_of(estate, id).map(|stage| rules_at(estate, operation, id, stage, *code));
            let first = does.next();
            asks_for_value(operation, id)
                || does.any(|other| Some(&other) != first.as_ref())
                || first.is_some_and(|rules| rules.len() > 1)
        };
        codes_of(estate, operation).iter().filter(|code| live.contains(code)).any(asks)
    })
}

/// On for everybody for longer than a release flag is expected to live.
fn finished(subject: &Subject<'_>, id: FeatureId, found: &mut Vec<Problem>) {
    let estate = subject.estate;
    let lifetime = quantity::duration(RELEASE_FLAG_LIFETIME.text).expect("a default can be read");
    for rollout in estate.rollouts.iter().filter(|rollout| rollout.feature == id) {
        let Some((at, step)) = published(estate, rollout).into_iter().zip(&rollout.steps).next_back() else { continue };
        let everybody = matches!(step.moves.as_slice(), [line] if line.of.is_none() && line.percent == Share::ALL);
        let top = step.moves.first().and_then(|line| estate.features[id].stages[line.to.index()].rank);
        let is_top = top.is_some() && top == estate.features[id].stages.iter().filter_map(|stage| stage.rank).max();
        let left = estate.duration.saturating_sub(at);
        if everybody && is_top && left > lifetime && still_decides(subject, id, estate.duration) {
            let name = &estate.features[id].name;
            let message = format!("`{name}` is at its last stage for everybody from {at} on, and asked for to the end");
            let span = subject.step(id, rollout.steps.len() - 1).map(|node| node.span);
            let problem = Problem::warning(span, message).label(format!("{left} before the end of the run"));
            found.push(problem.help("deploy code that has only the new path, then delete the flag"));
        }
    }
}
