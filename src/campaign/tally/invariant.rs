//! One invariant over all runs of a variant.

use crate::run::summary::{InvariantOutcome, Verdict};
use crate::stats::evidence::Evidence;

/// What one invariant comes to over all runs of a variant.
#[derive(Clone, Debug)]
pub struct Totals {
    pub name: &'static str,
    /// The worst over the runs: violated, undecided, pending; then vacuous where no run exercised it, else holds.
    pub verdict: Verdict,
    pub runs: u64,
    pub exercised_runs: u64,
    pub violated_runs: u64,
    pub pending_runs: u64,
    pub undecided_runs: u64,
    pub checked: u64,
    pub exercised: u64,
    /// Net of what the baseline has too.
    pub violations: u64,
    pub in_baseline: u64,
    pub pending: u64,
    pub min_margin: Option<f64>,
    /// Violations by cause, most frequent first, then by name.
    pub causes: Vec<(&'static str, u64)>,
    /// What was seen and set apart by class, because another invariant judges it.
    pub apart: Vec<(&'static str, u64)>,
}

/// The totals of an invariant, and what judging it needs besides.
#[derive(Clone, Debug)]
pub struct InvariantTally {
    pub totals: Totals,
    /// The first seed that violates it.
    pub first_violated: Option<u64>,
    /// Runs that exercised it and ended before it could be told.
    pub exercised_open: u64,
    /// Those of them that do not violate it either.
    pub clean_open: u64,
    /// What the runs that exercised it say of rates, however often one looks.
    pub evidence: RateEvidence,
    /// The same of runs with a violation that nothing accepts today, or that stay open.
    pub unaccepted: Evidence,
    /// Violated runs by the causes they show.
    shown: Vec<ShownCause>,
    /// What the file says a violation is about, and of which cause; the first violated run without one.
    about: Option<(String, Option<String>)>,
    pub astray: Option<Astray>,
}

/// Evidence for the rate of violated runs. A run that stays open counts each time for the worse.
#[derive(Clone, Copy, Debug, Default)]
pub struct RateEvidence {
    /// Of violated runs, for showing that there are few: open ones count as violated.
    pub few: Evidence,
    /// Of violated runs, for showing that there are many: open ones count as clean.
    pub many: Evidence,
    /// Of runs that are not violated, for showing that nearly all are.
    pub clean: Evidence,
}

/// In how many violated runs a cause is seen, and the first one in which it is not.
#[derive(Clone, Debug)]
struct ShownCause {
    cause: &'static str,
    runs: u64,
    missing_in: Option<u64>,
}

/// A violated run in which no violation that was kept is about what the file names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Astray {
    pub seed: u64,
    /// Violations that were kept, and whether there were more.
    pub kept: u64,
    pub more: bool,
}

/// Whether this run counts as a violation of the invariant. Violations that the baseline has too do not count;
/// a verdict of `violated` without any violation to excuse does.
pub fn is_violated(outcome: &InvariantOutcome) -> bool {
    outcome.violations > 0 || (outcome.verdict == Verdict::Violated && outcome.in_baseline == 0)
}

/// Whether what the invariant guards occurred in this run.
pub fn is_exercised(outcome: &InvariantOutcome) -> bool {
    outcome.exercised > 0 || is_violated(outcome)
}

/// Whether the run ended before the invariant could be told.
pub fn is_open(outcome: &InvariantOutcome) -> bool {
    match outcome.verdict {
        Verdict::Pending | Verdict::Undecided => true,
        Verdict::Holds | Verdict::Violated | Verdict::Vacuous => false,
    }
}

impl InvariantTally {
    pub fn new(name: &'static str, about: Option<(String, Option<String>)>) -> InvariantTally {
        InvariantTally {
            totals: Totals::of_none(name),
            first_violated: None,
            exercised_open: 0,
            clean_open: 0,
            evidence: RateEvidence::default(),
            unaccepted: Evidence::default(),
            shown: Vec::new(),
            about,
            astray: None,
        }
    }

    /// One more run, of a greater seed than those before; whether what violates it there is accepted today.
    pub fn add(&mut self, seed: u64, outcome: &InvariantOutcome, is_accepted: bool) {
        let (violated, exercised, open) = (is_violated(outcome), is_exercised(outcome), is_open(outcome));
        if violated {
            self.causes(seed, outcome);
            self.follow(seed, outcome);
            self.first_violated = self.first_violated.or(Some(seed));
        }
        if exercised {
            self.exercised_open += u64::from(open);
            self.clean_open += u64::from(open && !violated);
            self.evidence.few.add(violated || open);
            self.evidence.many.add(violated);
            self.evidence.clean.add(!violated);
            self.unaccepted.add(open || (violated && !is_accepted));
        }
        self.totals.add(outcome);
    }

    /// Violated runs that do not show this cause, and the first of them.
    pub fn without(&self, cause: &str) -> Option<(u64, u64)> {
        let shown = self.shown.iter().find(|shown| shown.cause == cause);
        let missing = self.totals.violated_runs - shown.map_or(0, |shown| shown.runs);
        let first = shown.map_or(self.first_violated, |shown| shown.missing_in)?;
        (missing > 0).then_some((missing, first))
    }

    fn causes(&mut self, seed: u64, outcome: &InvariantOutcome) {
        for (cause, _) in outcome.causes.iter().filter(|(_, count)| *count > 0) {
            if self.shown.iter().all(|shown| shown.cause != *cause) {
                self.shown.push(ShownCause { cause, runs: 0, missing_in: self.first_violated });
            }
        }
        for shown in &mut self.shown {
            if outcome.causes.iter().any(|(cause, count)| *cause == shown.cause && *count > 0) {
                shown.runs += 1;
            } else {
                shown.missing_in = shown.missing_in.or(Some(seed));
            }
        }
    }

    /// Every violated run must show a violation about what is named. Only the first of a run are kept, so not finding
    /// it among them proves nothing where there are more.
    fn follow(&mut self, seed: u64, outcome: &InvariantOutcome) {
        let Some((about, cause)) = &self.about else { return };
        let fits = |seen: &str| cause.as_ref().is_none_or(|named| named == seen);
        let found = outcome.first.iter().any(|violation| violation.about == *about && fits(violation.cause));
        if !found && self.astray.is_none() {
            let kept = outcome.first.len() as u64;
            self.astray = Some(Astray { seed, kept, more: outcome.violations > kept });
        }
    }
}

impl Totals {
    /// Before the first run.
    pub fn of_none(name: &'static str) -> Totals {
        Totals {
            name,
            verdict: Verdict::Vacuous,
            runs: 0,
            exercised_runs: 0,
            violated_runs: 0,
            pending_runs: 0,
            undecided_runs: 0,
            checked: 0,
            exercised: 0,
            violations: 0,
            in_baseline: 0,
            pending: 0,
            min_margin: None,
            causes: Vec::new(),
            apart: Vec::new(),
        }
    }

    fn add(&mut self, outcome: &InvariantOutcome) {
        self.runs += 1;
        self.exercised_runs += u64::from(is_exercised(outcome));
        self.violated_runs += u64::from(is_violated(outcome));
        self.pending_runs += u64::from(outcome.verdict == Verdict::Pending);
        self.undecided_runs += u64::from(outcome.verdict == Verdict::Undecided);
        self.checked += outcome.checked;
        self.exercised += outcome.exercised;
        self.violations += outcome.violations;
        self.in_baseline += outcome.in_baseline;
        self.pending += outcome.pending;
        if let Some(margin) = outcome.min_margin
            && self.min_margin.is_none_or(|smallest| margin < smallest)
        {
            self.min_margin = Some(margin);
        }
        add_counts(&mut self.causes, &outcome.causes);
        add_counts(&mut self.apart, &outcome.apart);
        self.verdict = self.settled();
    }

    fn settled(&self) -> Verdict {
        if self.violated_runs > 0 {
            Verdict::Violated
        } else if self.undecided_runs > 0 {
            Verdict::Undecided
        } else if self.pending_runs > 0 {
            Verdict::Pending
        } else if self.exercised_runs == 0 {
            Verdict::Vacuous
        } else {
            Verdict::Holds
        }
    }
}

/// Adds counts to sums that stay ordered: the greatest first, then by name.
fn add_counts(sums: &mut Vec<(&'static str, u64)>, counts: &[(&'static str, u64)]) {
    if counts.is_empty() {
        return;
    }
    for (name, count) in counts {
        match sums.iter_mut().find(|(known, _)| known == name) {
            Some((_, sum)) => *sum += count,
            None => sums.push((name, *count)),
        }
    }
    sums.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
}
