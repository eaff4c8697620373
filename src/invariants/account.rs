//! How violations name what they rest on.

use crate::models::estate::Estate;
use crate::models::observation::{Decided, EffectMade, Interaction, Source};
use crate::rollout::Scope;
use crate::units::SimTime;

/// A decision as one side of a sentence: `gateway used on (sdk, policy 2, 3.1s old)`.
///
/// A local decision is as old as the last contact of its cache, a carried one as what it goes back to. Where a newer
/// policy was out already, that is said instead: `replaced 12.4s ago`.
pub fn side(decided: &Decided, at: SimTime, estate: &Estate) -> String {
    let feature = &estate.features[decided.feature];
    format!(
        "{} used {} ({})",
        estate.contexts.text(decided.context),
        feature.stage_name(decided.stage),
        grounds(decided, at)
    )
}

/// What a decision rests on: source, policy version, age.
pub fn grounds(decided: &Decided, at: SimTime) -> String {
    let policy = decided.policy_version.map_or("no policy".to_owned(), |version| format!("policy {version}"));
    let age = match (decided.staleness.is_zero(), decided.source, decided.freshness) {
        (false, _, _) => format!(", replaced {} ago", decided.staleness),
        (true, Source::Context | Source::Event | Source::Entity, _) => {
            format!(", decided {} ago", at.since(decided.decided_at))
        }
        (true, Source::Sdk | Source::Fallback | Source::Kill | Source::Local, Some(freshness)) => {
            format!(", {freshness} old")
        }
        (true, Source::Sdk | Source::Fallback | Source::Kill | Source::Local, None) => String::new(),
    };
    format!("{}, {policy}{age}", decided.source.name())
}

/// `place-order #17`, or `place-order #17, replay 2`.
pub fn occurrence(interaction: &Interaction, estate: &Estate) -> String {
    let journey = &estate.journeys[interaction.journey].name;
    match interaction.replay {
        0 => format!("{journey} #{}", interaction.n),
        replay => format!("{journey} #{}, replay {replay}", interaction.n),
    }
}

/// `charge on path new`.
pub fn effect_made(made: &EffectMade, estate: &Estate) -> String {
    let name = estate.effects.text(made.effect);
    match made.path {
        Some(path) => format!("{name} on path {}", estate.paths.text(path)),
        None => name.to_owned(),
    }
}

/// ` in eu-west`, ` for tenant 3`, ` for place-order`; nothing where the scope is global.
pub fn scope(scope: &Scope, estate: &Estate) -> String {
    let mut text = String::new();
    if let Some(region) = scope.region.and_then(|region| estate.regions.as_slice().get(usize::from(region))) {
        text.push_str(&format!(" in {}", region.name));
    }
    if let Some(tenant) = scope.tenant {
        text.push_str(&format!(" for tenant {tenant}"));
    }
    if let Some(journey) = scope.journey.and_then(|journey| estate.journeys.as_slice().get(usize::from(journey))) {
        text.push_str(&format!(" for {}", journey.name));
    }
    text
}
