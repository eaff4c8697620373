//! Whose fault it is: a violation that the same seed has without the rollout does not count against the rollout.

use super::summary::InvariantOutcome;
use crate::invariants::board::verdict;
use crate::invariants::{Entry, Ledger, Verdict};
use std::collections::BTreeMap;

/// Sets the violations that the baseline has too apart, and comes to the verdict on the others.
pub fn attribute(
    entry: &'static Entry,
    ledger: Ledger,
    baseline: Option<&Ledger>,
    cut_short: bool,
) -> InvariantOutcome {
    let mut known: Vec<u64> =
        baseline.map(|ledger| ledger.keys.iter().map(|(key, _)| *key).collect()).unwrap_or_default();
    known.sort_unstable();
    let is_known = |key: &u64| known.binary_search(key).is_ok();
    let in_baseline = ledger.keys.iter().filter(|(key, _)| is_known(key)).count() as u64;
    let mut by_cause: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (key, cause) in &ledger.keys {
        if !is_known(key) {
            *by_cause.entry(cause).or_default() += 1;
        }
    }
    // Beyond the bound of keys violations are counted by their causes only: none of them is attributed away.
    let beyond = ledger.violations - ledger.keys.len() as u64;
    let mut causes: Vec<(&'static str, u64)> =
        if beyond > 0 && in_baseline == 0 { ledger.causes.clone() } else { by_cause.into_iter().collect() };
    causes.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let first = ledger.first.iter().zip(&ledger.keys).filter(|(_, (key, _))| !is_known(key));
    let first: Vec<_> = first.map(|(violation, _)| violation.clone()).collect();
    let violations = ledger.violations - in_baseline;
    let counted = Ledger { violations, ..ledger.clone() };
    let verdict: Verdict = verdict(&counted, cut_short);
    InvariantOutcome {
        name: entry.name,
        verdict,
        checked: ledger.checked,
        exercised: ledger.exercised,
        violations,
        in_baseline,
        pending: ledger.pending,
        min_margin: ledger.min_margin,
        causes,
        apart: ledger.apart.clone(),
        first,
    }
}
