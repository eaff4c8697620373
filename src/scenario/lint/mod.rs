//! Advice on a scenario that can run: what in the rollout it describes is known to hurt, or is more than it needs.
//!
//! One rule per file. A rule reads the plan of one variant and the tree it was made of, which has the places; it runs
//! nothing. It speaks only where the plan decides the matter: what depends on attributes, statuses or luck is left to
//! runs.

mod behaviour;
mod dead_targeting;
mod flag_debt;
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

use super::problem::{Problem, Problems, Severity, Span};
use super::{BASE, Diagnostics, Request, Scenario};
use std::collections::BTreeMap;
use subject::Subject;

/// A rule of advice.
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
];

/// The rule of a code or a name.
pub fn named(name: &str) -> Option<&'static Lint> {
    ALL.iter().copied().find(|lint| lint.code.eq_ignore_ascii_case(name) || lint.name == name)
}

/// A finding: what, where, why and what to do, and the variants in which it is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub code: &'static str,
    pub problem: Problem,
    /// The variants in which it is so, in the order of the file, `base` first.
    pub variants: Vec<String>,
}

impl Finding {
    pub fn is_advice(&self) -> bool {
        self.problem.severity == Severity::Advice
    }
}

/// What is to be said of a scenario in all its variants, each finding once, in the order of places.
///
/// # Errors
/// The mistakes of the first variant that cannot run.
pub fn lint(scenario: &Scenario) -> Result<Vec<Finding>, Diagnostics> {
    let names = std::iter::once(BASE.to_owned()).chain(scenario.variants());
    let names: Vec<String> = names.collect();
    let mut found: BTreeMap<(Option<Span>, &'static str, String, String), Finding> = BTreeMap::new();
    for name in &names {
        for problem in of_variant(scenario, name)? {
            let code = problem.code.expect("every finding has the code of its rule");
            let key = (problem.span, code, problem.message.clone(), problem.label.clone());
            let finding = Finding { code, problem, variants: Vec::new() };
            found.entry(key).or_insert(finding).variants.push(name.clone());
        }
    }
    let every = names.len();
    Ok(found.into_values().map(|finding| with_variants(finding, every)).collect())
}

/// Says in which variants something is found, where it is not in all.
fn with_variants(mut finding: Finding, every: usize) -> Finding {
    if finding.variants.len() < every {
        let only = format!("so in {}", finding.variants.join(", "));
        finding.problem = finding.problem.help(only);
    }
    finding
}

fn of_variant(scenario: &Scenario, name: &str) -> Result<Vec<Problem>, Diagnostics> {
    let mut sources = scenario.sources().clone();
    let (root, resolved) = scenario.merged(&Request { variant: Some(name), set: &[] }, &mut sources);
    let Some(plan) = &resolved.plan else {
        return Err(Diagnostics { problems: resolved.problems.into_vec(), sources });
    };
    let flags = scenario.flag_file(&root);
    let subject = Subject::new(&root, flags, &plan.estate);
    let mut kept = Problems::default();
    for lint in ALL {
        let mut problems = Vec::new();
        (lint.check)(&subject, &mut problems);
        for problem in problems {
            let reason = if problem.reason.is_empty() { lint.reason.to_owned() } else { problem.reason.clone() };
            let help = if problem.help.is_empty() { vec![lint.repair.to_owned()] } else { problem.help.clone() };
            kept.push(Problem { code: Some(lint.code), reason, help, ..problem });
        }
    }
    Ok(kept.into_vec().into_iter().filter(|problem| problem.code.is_some()).collect())
}
