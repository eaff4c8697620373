//! What stops a feature does not.

use super::{Mutant, Operator, each_service, or_none};
use crate::models::estate::{DecidesFrom, Happening, When};
use crate::scenario::plan::Plan;

pub static DROP_KILL: Operator = Operator {
    name: "drop-kill",
    sentence: "A kill of the timeline is never issued: nobody pulled the switch.",
    mutants: |plan| or_none(entries(plan, |what| matches!(what, Happening::Kill { .. })), "the timeline has no kill"),
};

pub static NO_INVALIDATION: Operator = Operator {
    name: "no-invalidation",
    sentence: "Kills are not announced to a service's caches any more: they learn of one when they ask.",
    mutants: |plan| {
        each_service(plan, "no sdk has `invalidation`", |_, _, service| {
            service.sdk.as_mut()?.invalidation.take()?;
            Some("its sdk has no `invalidation`".to_owned())
        })
    },
};

pub static IGNORE_KILL_CHANNEL: Operator = Operator {
    name: "ignore-kill-channel",
    sentence: "A service that goes by carried decisions does not look whether they have been killed meanwhile.",
    mutants: |plan| {
        each_service(plan, "no service has `kill` in `decides_from`", |_, _, service| {
            let before = service.decides_from.len();
            service.decides_from.retain(|source| *source != DecidesFrom::Kill);
            (service.decides_from.len() < before).then(|| "without `kill` in its `decides_from`".to_owned())
        })
    },
};

pub static DROP_LOCAL_SWITCH: Operator = Operator {
    name: "drop-local-switch",
    sentence: "A service loses the switch in its own configuration that holds a feature down.",
    mutants: |plan| {
        each_service(plan, "no service has a `local` switch", |_, _, service| {
            let had = !std::mem::take(&mut service.local).is_empty();
            had.then(|| "without its `local` switches".to_owned())
        })
    },
};

/// A mutant for each entry of the timeline of a kind: it is never due.
pub(super) fn entries(plan: &Plan, wanted: fn(&Happening) -> bool) -> Vec<Mutant> {
    let timeline = &plan.estate.timeline;
    let due = timeline.iter().enumerate().filter(|(_, entry)| entry.when != When::OnDemand && wanted(&entry.what));
    due.map(|(at, entry)| {
        let same = timeline.iter().filter(|other| other.label == entry.label).count();
        let place = if same > 1 { format!("{} ({})", entry.label, at + 1) } else { entry.label.clone() };
        let change = format!("`{}` does not take place", entry.label);
        Mutant::of(plan, place, change, |estate| estate.timeline[at].when = When::OnDemand)
    })
    .collect()
}
