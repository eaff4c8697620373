//! Advice on a scenario that can run: what in the rollout it describes is known to hurt, or is more than it needs.
//!
//! One rule per file. A rule reads the plan of one variant and the tree it was made of, which has the places; it runs
//! nothing. It speaks only where the plan decides the matter: what depends on attributes, statuses or luck is left to
//! runs.

mod behaviour;
mod dead_targeting;
mod flag_debt;
mod idle_gate;
mod irreversible;
mod meaningless_read;
mod overlapping_kills;
mod plain_toggle;
mod schedule;
mod subject;
mod two_meanings;
mod unread_feature;
mod unstable_bucketing;
mod version_not_understood;

use super::problem::{Problem, Problems, Severity, Sources, Span, render_with_rules};
use super::{BASE, Diagnostics, Request, Scenario};
use std::collections::BTreeMap;
use subject::Subject;

/// A rule of advice.
#[derive(Debug)]
pub struct Lint {
    pub code: &'static str,
    pub name: &'static str,
    /// What it finds, as the end of "a scenario in which …".
    pub sentence: &'static str,
    /// Why that hurts.
    pub reason: &'static str,
    /// What to do about it.
    pub repair: &'static str,
    check: fn(&Subject<'_>, &mut Vec<Problem>),
}

/// Every rule, by code.
pub static ALL: &[&Lint] = &[
    &flag_debt::LINT,
    &unread_feature::LINT,
    &dead_targeting::LINT,
    &two_meanings::LINT,
    &overlapping_kills::LINT,
    &version_not_understood::LINT,
    &irreversible::LINT,
    &meaningless_read::LINT,
    &unstable_bucketing::LINT,
    &plain_toggle::LINT,
    &idle_gate::LINT,
];

/// The rule of a code or a name.
pub fn named(name: &str) -> Option<&'static Lint> {
    ALL.iter().copied().find(|lint| lint.code.eq_ignore_ascii_case(name) || lint.name == name)
}

/// A finding: what, where, why and what to do, and the variants in which it is so.
#[derive(Clone, Debug)]
pub struct Finding {
    pub lint: &'static Lint,
    pub problem: Problem,
    /// The variants in which it is so, in the order of the file, `base` first.
    pub variants: Vec<String>,
}

impl Finding {
    pub fn code(&self) -> &'static str {
        self.lint.code
    }

    pub fn is_advice(&self) -> bool {
        self.problem.severity == Severity::Advice
    }
}

/// The findings as a terminal shows them.
pub fn render(found: &[Finding], sources: &Sources, color: bool) -> String {
    let rule = |finding: &Finding| Some((finding.lint.code, finding.lint.reason));
    render_with_rules(found.iter().map(|finding| (&finding.problem, rule(finding))), sources, color)
}

/// What is to be said of a scenario in all its variants, each finding once, in the order of places.
///
/// # Errors
/// The mistakes of the first variant that cannot run.
pub fn lint(scenario: &Scenario) -> Result<Vec<Finding>, Diagnostics> {
    let names: Vec<String> = std::iter::once(BASE.to_owned()).chain(scenario.variants()).collect();
    let mut found: BTreeMap<(Option<Span>, &'static str, String, String), Finding> = BTreeMap::new();
    for name in &names {
        for (lint, problem) in of_variant(scenario, name)? {
            let key = (problem.span, lint.code, problem.message.clone(), problem.label.clone());
            let finding = Finding { lint, problem, variants: Vec::new() };
            found.entry(key).or_insert(finding).variants.push(name.clone());
        }
    }
    let mut found: Vec<Finding> = found.into_values().collect();
    // In which variants something is so is said where it is not in all.
    for finding in found.iter_mut().filter(|finding| finding.variants.len() < names.len()) {
        finding.problem = finding.problem.clone().help(format!("so in {}", finding.variants.join(", ")));
    }
    Ok(found)
}

fn of_variant(scenario: &Scenario, name: &str) -> Result<Vec<(&'static Lint, Problem)>, Diagnostics> {
    let mut sources = scenario.sources().clone();
    let (merged, resolved) = scenario.merged(&Request { variant: Some(name), set: &[] }, &mut sources);
    let Some(plan) = &resolved.plan else {
        return Err(Diagnostics { problems: resolved.problems.into_vec(), sources });
    };
    let subject = Subject::new(&merged.root, scenario.flag_file(&merged.root), &plan.estate);
    let mut found = Vec::new();
    for lint in ALL.iter().copied() {
        let mut problems = Problems::default();
        let mut told = Vec::new();
        (lint.check)(&subject, &mut told);
        problems.extend(told);
        found.extend(problems.into_vec().into_iter().map(|problem| {
            let problem = if problem.help.is_empty() { problem.help(lint.repair) } else { problem };
            (lint, problem)
        }));
    }
    Ok(found)
}
