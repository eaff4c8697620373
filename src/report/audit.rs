//! `audit.csv`: the append-only log of every policy version of every run, with who or what caused it and why.

use super::csv::line;
use super::number;
use crate::campaign::outcome::CampaignOutcome;
use crate::models::estate::{Estate, Happening, When};
use crate::models::observation::{Consent, Publication};
use crate::run::summary::Audited;

/// One line per variant, seed and policy version, in the order of their publication.
pub fn render(outcome: &CampaignOutcome) -> String {
    let mut text = String::new();
    line(&mut text, ["variant", "seed", "version", "at", "feature", "caused_by", "why"]);
    for variant in &outcome.variants {
        let estate = &*variant.plan.estate;
        for run in &variant.runs {
            for audited in &run.audit {
                let run = [variant.plan.variant.clone(), run.seed.to_string()];
                line(&mut text, run.into_iter().chain(entry(audited, estate)));
            }
        }
    }
    text
}

/// A version, when it was published, of which feature, who or what caused it, and why.
pub fn entry(audited: &Audited, estate: &Estate) -> [String; 5] {
    let (caused_by, why) = account(audited, estate);
    let why = why + &consents(audited, estate);
    let feature = audited.feature.map_or(String::new(), |feature| estate.features[feature].name.clone());
    [audited.version.to_string(), number::exact(audited.at.since_start()), feature, caused_by, why]
}

/// Who or what caused a version, and why.
fn account(audited: &Audited, estate: &Estate) -> (String, String) {
    let label = |entry: u32| estate.timeline.get(entry as usize).map_or("", |entry| entry.label.as_str()).to_owned();
    match audited.publication {
        Publication::Initial => ("the beginning of the run".to_owned(), "in force before the rollout".to_owned()),
        Publication::Step { rollout, step } => {
            let steps = &estate.rollouts[usize::from(rollout)].steps;
            let step = usize::from(step);
            let why = match (steps[step].at, step.checked_sub(1).and_then(|before| steps.get(before))) {
                (Some(at), _) => format!("due {at} after the start of the rollout"),
                (None, Some(before)) => format!("the hold of {} ended after {}", before.name, before.hold),
                (None, None) => "the rollout starts".to_owned(),
            };
            (format!("step {}", steps[step].name), why)
        }
        Publication::Kill { entry } => (label(entry), killed(entry, estate)),
        Publication::Lift { entry } => (label(entry), "the kill is lifted".to_owned()),
        Publication::Override { entry } => (label(entry), overridden(entry, estate)),
        Publication::RolledBack { rollout, before } => {
            let step = &estate.rollouts[usize::from(rollout)].steps[usize::from(before)].name;
            ("the plan goes back".to_owned(), format!("as it was before step {step}"))
        }
        Publication::Capped { rollout, most } => {
            let feature = &estate.features[estate.rollouts[usize::from(rollout)].feature];
            ("the plan goes back".to_owned(), format!("nobody stays above {}", feature.stage_name(most)))
        }
    }
}

/// Who agreed to it, and who did without.
fn consents(audited: &Audited, estate: &Estate) -> String {
    let told = audited.consents.iter().map(|(consent, by)| {
        let who = by.map_or("nobody", |by| estate.people.text(by));
        match consent {
            Consent::Given => format!("; approved by {who}"),
            Consent::Refused => format!("; refused by {who}"),
            Consent::Lapsed => "; the question lapsed".to_owned(),
            Consent::Bypassed => format!("; without approval, by {who} in an emergency"),
        }
    });
    told.collect()
}

fn killed(entry: u32, estate: &Estate) -> String {
    match estate.timeline.get(entry as usize).map(|entry| &entry.what) {
        Some(Happening::Kill { feature, kill, .. }) => {
            let scope = crate::invariants::scope(&kill.scope, estate);
            format!("nobody{scope} may be above {}", estate.features[*feature].stage_name(kill.to))
        }
        Some(
            Happening::Fault { .. }
            | Happening::Deploy { .. }
            | Happening::Replay { .. }
            | Happening::Act { .. }
            | Happening::Override { .. }
            | Happening::OverrideEnds { .. },
        )
        | None => String::new(),
    }
}

/// What a scheduled override says, and since when or after what.
fn overridden(entry: u32, estate: &Estate) -> String {
    let Some(entry) = estate.timeline.get(entry as usize) else { return String::new() };
    let when = match &entry.when {
        When::At(at) => format!("scheduled for {at}"),
        When::AfterStep { rollout, step, offset } => {
            let step = &estate.rollouts[*rollout].steps[*step].name;
            if offset.is_zero() { format!("with step {step}") } else { format!("{offset} after step {step}") }
        }
        When::Random { .. } | When::OnDemand => String::new(),
    };
    match &entry.what {
        Happening::Override { feature, given, .. } => {
            format!("whatever the rules say it is in {}: {when}", estate.features[*feature].stage_name(given.to))
        }
        _ => format!("the rules hold for it again: {when}"),
    }
}
