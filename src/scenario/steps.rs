//! `explain plan`: the policy that results after each step of a rollout, in words.

use super::plan::Plan;
use crate::models::estate::{Estate, Happening, Rollout, When};
use crate::rollout::{BucketBy, FeatureId, FeaturePolicy, Rule, Who};
use crate::units::{Share, SimDuration};
use std::fmt::Write;

/// Every rollout's steps with the policy after each.
pub fn plan_steps(plan: &Plan) -> String {
    let estate = &*plan.estate;
    let mut text = String::new();
    for rollout in &estate.rollouts {
        describe(estate, rollout, &mut text);
    }
    if estate.rollouts.is_empty() {
        text.push_str("no rollout: every feature keeps its initial stage\n");
    }
    text
}

fn describe(estate: &Estate, rollout: &Rollout, text: &mut String) {
    let feature = &estate.features[rollout.feature];
    let mut policy = FeaturePolicy {
        overrides: Vec::new(),
        rules: estate
            .standing_rules
            .iter()
            .find(|(of, _)| *of == rollout.feature)
            .map(|(_, rules)| rules.clone())
            .unwrap_or_default(),
        default_stage: feature.initial_stage,
        kills: Vec::new(),
        bucket_by: estate.bucket_by[rollout.feature.index()],
        salt: 0,
    };
    let by = match policy.bucket_by {
        BucketBy::User => "user",
        BucketBy::Tenant => "tenant",
        BucketBy::Session => "session",
        BucketBy::Attribute(_) => "an attribute",
    };
    let _ = writeln!(text, "{} (shares by {by})", feature.name);
    let line = |rule: &Rule| {
        let who = rule.audience.as_ref().map_or("everybody", |audience| audience.source());
        let share = if rule.share == Share::ALL { String::new() } else { format!("{} of ", rule.share) };
        format!("{share}{who} -> {}", feature.stage_name(rule.stage))
    };
    let otherwise = format!("otherwise -> {}", feature.stage_name(feature.initial_stage));
    let _ = writeln!(text, "  before\n    {otherwise}");
    let mut due = rollout.starts;
    for (index, step) in rollout.steps.iter().enumerate() {
        if let Some(at) = step.at {
            due = rollout.starts + at;
        }
        policy = step.apply(&policy);
        let hold = if step.hold == SimDuration::ZERO { String::new() } else { format!(", holds {}", step.hold) };
        let _ = writeln!(text, "  {}. {} at {due}{hold}", index + 1, step.name);
        for given in &policy.overrides {
            let _ = writeln!(text, "    {} -> {}", named(given.who), feature.stage_name(given.to));
        }
        for rule in &policy.rules {
            let _ = writeln!(text, "    {}", line(rule));
        }
        let _ = writeln!(text, "    {otherwise}");
        due = due + step.hold;
    }
    scheduled(estate, rollout.feature, text);
}

/// Overrides that have a beginning and an end of their own.
fn scheduled(estate: &Estate, of: FeatureId, text: &mut String) {
    let mut told = false;
    for entry in &estate.timeline {
        let Happening::Override { feature, given, until } = &entry.what else { continue };
        if *feature != of {
            continue;
        }
        if !std::mem::replace(&mut told, true) {
            text.push_str("  whatever the rules say\n");
        }
        let stage = estate.features[of].stage_name(given.to);
        let end = until.and_then(|until| estate.timeline.get(until as usize));
        let end = end.map_or(String::new(), |end| format!(" until {}", moment(&end.when, estate)));
        let _ = writeln!(text, "    {} -> {stage} from {}{end}", named(given.who), moment(&entry.when, estate));
    }
}

/// A time as a file writes it.
fn moment(when: &When, estate: &Estate) -> String {
    match when {
        When::At(at) => at.to_string(),
        When::AfterStep { rollout, step, offset } => {
            let step = &estate.rollouts[*rollout].steps[*step].name;
            if offset.is_zero() { step.clone() } else { format!("{step} + {offset}") }
        }
        When::Random { .. } | When::OnDemand => String::new(),
    }
}

fn named(who: Who) -> String {
    match who {
        Who::User(user) => format!("user {user}"),
        Who::Tenant(tenant) => format!("tenant {tenant}"),
    }
}
