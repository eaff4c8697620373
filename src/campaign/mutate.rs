//! Mutation analysis: the estate is broken on purpose, one thing at a time, and what a scenario expects is asked whether it
//! notices.
//!
//! Every mutant runs over the seeds of the unmutated plan. An expectation notices where it was met without the mutant and
//! is not with it: an invariant that held is violated in a seed in which it was not, a metric leaves its bounds, a violation
//! that is demanded does not come, or what is named is never exercised any more. A mutant that none notices has survived:
//! the file cannot see that defect. An invariant that is to hold and that no mutant turns red is blind to all of them
//! (DeMillo, Lipton and Sayward, Computer 11, 1978).

pub mod operators;

use super::grid::{Together, over_seeds};
use super::outcome::{VariantOutcome, is_exercised, is_violated};
use super::verdict::{self, Judged, Judgement, Subject};
use crate::run::summary::RunSummary;
use crate::scenario::plan::{ComesOut, Expected, Plan};
pub use operators::{Mutant, Operator};
use std::ops::Range;

/// A mutant with the name by which it is selected: `slow-cache@billing`.
#[derive(Clone, Debug)]
pub struct Named {
    pub operator: &'static str,
    pub mutant: Mutant,
}

/// Every mutant of a plan, in the order of the catalogue.
#[derive(Clone, Debug, Default)]
pub struct Mutants {
    pub all: Vec<Named>,
    /// Operators that apply nowhere, with the reason.
    pub not_applicable: Vec<(&'static str, &'static str)>,
}

/// What an expectation, or an invariant that none names, saw of a mutant.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// As without the mutant.
    Nothing,
    /// Violated in so many seeds in which it was not, with the causes there, the most frequent first.
    Red { seeds: u64, causes: Vec<(&'static str, u64)> },
    /// The expectation is not met any more.
    Missed(String),
    /// What is named never happens any more, or has no value.
    Gone,
    /// Its violations, all of them, are in the run without the rollout too: they do not count.
    Excused { seeds: u64 },
}

/// How a mutant came off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// An expectation of the file noticed it.
    Noticed,
    /// Only invariants noticed it that the file does not name and that decide nothing.
    Unnamed,
    Survived,
}

/// A column of the matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The invariant's name or the metric's, or the whole text of `reached`.
    pub name: String,
    /// As the file says it; empty for an invariant that it does not name.
    pub expected: String,
    /// The file names it, and it was met without a mutant.
    pub notices: bool,
}

/// A mutant and what was seen of it, by column.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub operator: &'static str,
    pub place: String,
    pub change: String,
    pub seen: Vec<Seen>,
    pub standing: Standing,
    /// Its runs are those without it, in events, decisions, metrics and all that invariants looked at: nothing that is
    /// measured depends on what was changed.
    pub same_runs: bool,
}

/// What a mutation analysis comes to.
#[derive(Clone, Debug)]
pub struct Mutation {
    pub scenario: String,
    pub variant: String,
    pub seeds: (u64, u64),
    pub interrupted: bool,
    /// How many mutants were to run.
    pub asked: usize,
    /// Without a mutant: what the file expects, judged.
    pub unmutated: Vec<Judged>,
    pub columns: Vec<Column>,
    pub outcomes: Vec<Outcome>,
    pub not_applicable: Vec<(&'static str, &'static str)>,
    /// Invariants that the file expects to hold and that no mutant which ran turned red.
    pub blind: Vec<&'static str>,
}

/// Every mutant of a plan.
pub fn mutants(plan: &Plan, operators: &[&'static Operator]) -> Mutants {
    let mut found = Mutants::default();
    for operator in operators {
        match (operator.mutants)(plan) {
            Ok(all) => found.all.extend(all.into_iter().map(|mutant| Named { operator: operator.name, mutant })),
            Err(why) => found.not_applicable.push((operator.name, why)),
        }
    }
    found
}

impl Named {
    /// `drop-kill@kill instant`, or the operator's name where there is but one place.
    pub fn name(&self) -> String {
        name(self.operator, &self.mutant.place)
    }
}

impl Outcome {
    pub fn name(&self) -> String {
        name(self.operator, &self.place)
    }
}

fn name(operator: &str, place: &str) -> String {
    if place.is_empty() { operator.to_owned() } else { format!("{operator}@{place}") }
}

impl Mutation {
    pub fn count(&self, standing: Standing) -> u64 {
        self.outcomes.iter().filter(|outcome| outcome.standing == standing).count() as u64
    }

    /// The share of mutants that expectations of the file noticed; `None` without a mutant.
    pub fn score(&self) -> Option<f64> {
        let all = self.outcomes.len() as f64;
        (all > 0.0).then(|| self.count(Standing::Noticed) as f64 / all)
    }
}

/// The unmutated plan over the seeds, judged as `test` does; `None` where it was stopped before its end.
pub fn unmutated(plan: &Plan, seeds: Range<u64>, together: Together<'_>) -> Option<Ran> {
    let conclude = |_: usize, runs: Vec<RunSummary>| Ran::of(plan, runs);
    over_seeds(std::slice::from_ref(plan), seeds, together, &conclude).pop().flatten()
}

/// Runs mutants over the seeds of the unmutated plan and asks what its expectations notice.
pub fn mutate(plan: &Plan, base: &Ran, mutants: Mutants, seeds: Range<u64>, together: Together<'_>) -> Mutation {
    let plans: Vec<Plan> = mutants.all.iter().map(|named| named.mutant.plan.clone()).collect();
    let ran = over_seeds(&plans, seeds.clone(), together, &|at, runs| Ran::of(&plans[at], runs));
    let interrupted = ran.iter().any(Option::is_none);
    let mut columns = columns_named(plan, base);
    let finished: Vec<(Named, Ran)> =
        mutants.all.into_iter().zip(ran).filter_map(|(named, ran)| Some((named, ran?))).collect();
    for invariant in red_without_a_name(base, &finished, &columns) {
        columns.push(Column { name: invariant.to_owned(), expected: String::new(), notices: false });
    }
    let outcomes: Vec<Outcome> = finished.iter().map(|(named, ran)| outcome(named, base, ran, &columns)).collect();
    Mutation {
        scenario: plan.scenario.clone(),
        variant: plan.variant.clone(),
        seeds: (seeds.start, seeds.end),
        interrupted,
        asked: plans.len(),
        unmutated: base.rows.clone(),
        blind: blind(plan, &columns, &outcomes),
        columns,
        outcomes,
        not_applicable: mutants.not_applicable,
    }
}

/// What is kept of a plan's runs.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The expectations judged, in the plan's order.
    pub rows: Vec<Judged>,
    /// Of each run: what it was and what was seen of it.
    fingerprints: Vec<String>,
    invariants: Vec<Looked>,
    /// Metrics of expectations that have no value in any run.
    without_value: Vec<String>,
}

/// An invariant over the seeds.
#[derive(Clone, Debug)]
struct Looked {
    name: &'static str,
    /// By seed: the causes where it is violated, none where it is not.
    violated: Vec<Option<Vec<(&'static str, u64)>>>,
    /// By seed: violated, and all of it in the run without the rollout too.
    excused: Vec<bool>,
    exercised: bool,
}

impl Ran {
    fn of(plan: &Plan, runs: Vec<RunSummary>) -> Ran {
        let outcome = VariantOutcome::of(plan.clone(), runs);
        let rows = verdict::judge(&outcome, false);
        let expected = |row: &Judged| matches!(row.of, Subject::Expectation(_));
        let looked = |name: &'static str| {
            let of: Vec<_> = outcome.runs.iter().flat_map(|run| &run.invariants).filter(|of| of.name == name).collect();
            Looked {
                name,
                violated: of.iter().map(|run| is_violated(run).then(|| run.causes.clone())).collect(),
                excused: of.iter().map(|run| run.in_baseline > 0 && !is_violated(run)).collect(),
                exercised: of.iter().any(|run| is_exercised(run)),
            }
        };
        let metrics = plan.expectations.iter().filter_map(|expectation| match &expectation.of {
            Expected::Metric { name, .. } => Some(name.to_string()),
            Expected::Invariant { .. } | Expected::Reached { .. } => None,
        });
        Ran {
            rows: rows.into_iter().filter(expected).collect(),
            fingerprints: outcome.runs.iter().map(fingerprint).collect(),
            invariants: outcome.invariants().into_iter().map(looked).collect(),
            without_value: metrics.filter(|name| outcome.estimate(name).is_none()).collect(),
        }
    }

    fn looked(&self, invariant: &str) -> Option<&Looked> {
        self.invariants.iter().find(|looked| looked.name == invariant)
    }
}

/// What tells a run from another one: its digest, its metrics, and how often each invariant looked and what it found.
fn fingerprint(run: &RunSummary) -> String {
    let metrics = run.metrics.iter().map(|metric| format!("{}={:x};", metric.name, metric.value.to_bits()));
    let looked = run
        .invariants
        .iter()
        .map(|of| format!("{}:{},{},{},{};", of.name, of.checked, of.exercised, of.violations, of.in_baseline));
    std::iter::once(run.digest.clone()).chain(metrics).chain(looked).collect()
}

/// The expectations that something could be seen by.
fn columns_named(plan: &Plan, base: &Ran) -> Vec<Column> {
    let columns = plan.expectations.iter().zip(&base.rows).map(|(expectation, row)| Column {
        name: match &expectation.of {
            Expected::Invariant { name, .. } => (*name).to_owned(),
            Expected::Metric { name, .. } => name.to_string(),
            Expected::Reached { .. } => expectation.text.clone(),
        },
        expected: expectation.text.clone(),
        notices: row.judgement == Judgement::Met,
    });
    columns.collect()
}

/// Invariants that the file does not name and that some mutant turns red.
fn red_without_a_name(base: &Ran, finished: &[(Named, Ran)], columns: &[Column]) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = Vec::new();
    for (_, ran) in finished {
        for looked in &ran.invariants {
            let named = columns.iter().any(|column| column.name == looked.name);
            let red = matches!(newly_red(base, ran, looked.name), Some(Seen::Red { .. }));
            if !named && red && !found.contains(&looked.name) {
                found.push(looked.name);
            }
        }
    }
    let place = |name: &&'static str| crate::invariants::ALL.iter().position(|entry| entry.name == *name);
    found.sort_by_key(place);
    found
}

/// Violated, or violated but for the baseline, in seeds in which it was not.
fn newly_red(base: &Ran, ran: &Ran, invariant: &str) -> Option<Seen> {
    let looked = ran.looked(invariant)?;
    let before = |seed: usize| {
        base.looked(invariant).is_some_and(|before| before.violated.get(seed).is_some_and(Option::is_some))
    };
    let new =
        looked.violated.iter().enumerate().filter(|(seed, _)| !before(*seed)).filter_map(|(_, causes)| causes.as_ref());
    let mut causes: Vec<(&'static str, u64)> = Vec::new();
    let mut seeds = 0;
    for of_seed in new {
        seeds += 1;
        for (cause, count) in of_seed {
            match causes.iter_mut().find(|(known, _)| known == cause) {
                Some((_, sum)) => *sum += count,
                None => causes.push((cause, *count)),
            }
        }
    }
    if seeds > 0 {
        causes.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        return Some(Seen::Red { seeds, causes });
    }
    let was = |seed: usize| {
        base.looked(invariant).is_some_and(|before| before.excused.get(seed).is_some_and(|excused| *excused))
    };
    let excused = looked.excused.iter().enumerate().filter(|(seed, excused)| **excused && !was(*seed)).count() as u64;
    (excused > 0).then_some(Seen::Excused { seeds: excused })
}

fn outcome(named: &Named, base: &Ran, ran: &Ran, columns: &[Column]) -> Outcome {
    let seen: Vec<Seen> = columns.iter().enumerate().map(|(at, column)| seen(base, ran, at, column)).collect();
    let tells = |seen: &Seen| match seen {
        Seen::Red { .. } | Seen::Missed(_) | Seen::Gone => true,
        Seen::Nothing | Seen::Excused { .. } => false,
    };
    let noticed =
        |wanted: bool| columns.iter().zip(&seen).any(|(column, seen)| column.notices == wanted && tells(seen));
    let standing = match (noticed(true), noticed(false)) {
        (true, _) => Standing::Noticed,
        (false, true) => Standing::Unnamed,
        (false, false) => Standing::Survived,
    };
    Outcome {
        operator: named.operator,
        place: named.mutant.place.clone(),
        change: named.mutant.change.clone(),
        seen,
        standing,
        same_runs: base.fingerprints == ran.fingerprints,
    }
}

/// What one column saw of a mutant.
fn seen(base: &Ran, ran: &Ran, at: usize, column: &Column) -> Seen {
    // Columns of expectations come first, in the plan's order.
    let Some(row) = ran.rows.get(at).filter(|_| !column.expected.is_empty()) else {
        return newly_red(base, ran, &column.name).unwrap_or(Seen::Nothing);
    };
    let Subject::Expectation(expected) = &row.of else { return Seen::Nothing };
    match expected {
        Expected::Invariant { name, comes_out: ComesOut::Holds | ComesOut::AtMost { .. } } => {
            let gone = || {
                let exercised = |ran: &Ran| ran.looked(name).is_some_and(|looked| looked.exercised);
                (exercised(base) && !exercised(ran)).then_some(Seen::Gone)
            };
            let unmet = || match &row.judgement {
                // What is pending or undecided is not met either; a rate over few seeds is for chance.
                Judgement::Missed(why) | Judgement::Inconclusive(why)
                    if matches!(expected, Expected::Invariant { comes_out: ComesOut::Holds, .. }) && column.notices =>
                {
                    Some(Seen::Missed(why.clone()))
                }
                Judgement::Met | Judgement::Accepted(_) | Judgement::Missed(_) | Judgement::Inconclusive(_) => None,
            };
            let red = newly_red(base, ran, name);
            let excused = red.clone().filter(|seen| matches!(seen, Seen::Excused { .. }));
            red.filter(|seen| matches!(seen, Seen::Red { .. }))
                .or_else(gone)
                .or_else(unmet)
                .or(excused)
                .unwrap_or(Seen::Nothing)
        }
        Expected::Invariant { comes_out: ComesOut::Violated { .. }, .. } | Expected::Reached { .. } => {
            match &row.judgement {
                Judgement::Missed(why) | Judgement::Inconclusive(why) if column.notices => Seen::Missed(why.clone()),
                Judgement::Met | Judgement::Accepted(_) | Judgement::Missed(_) | Judgement::Inconclusive(_) => {
                    Seen::Nothing
                }
            }
        }
        Expected::Metric { name, .. } => match &row.judgement {
            Judgement::Missed(why) if column.notices => Seen::Missed(why.clone()),
            Judgement::Inconclusive(_) if column.notices && ran.without_value.iter().any(|gone| *gone == **name) => {
                Seen::Gone
            }
            // Runs that were cut short say nothing of a mean.
            Judgement::Met | Judgement::Accepted(_) | Judgement::Missed(_) | Judgement::Inconclusive(_) => {
                Seen::Nothing
            }
        },
    }
}

/// Invariants that are to hold and that nothing which ran turned red.
fn blind(plan: &Plan, columns: &[Column], outcomes: &[Outcome]) -> Vec<&'static str> {
    let red = |at: usize| {
        outcomes.iter().any(|outcome| match outcome.seen[at] {
            Seen::Red { .. } | Seen::Missed(_) => true,
            // That nothing is looked at any more is no proof that it could see anything.
            Seen::Nothing | Seen::Gone | Seen::Excused { .. } => false,
        })
    };
    let holds = plan.expectations.iter().enumerate().filter_map(|(at, expectation)| match expectation.of {
        Expected::Invariant { name, comes_out: ComesOut::Holds | ComesOut::AtMost { .. } } => Some((at, name)),
        Expected::Invariant { comes_out: ComesOut::Violated { .. }, .. }
        | Expected::Metric { .. }
        | Expected::Reached { .. } => None,
    });
    holds.filter(|(at, _)| columns[*at].notices && !red(*at)).map(|(_, name)| name).collect()
}
