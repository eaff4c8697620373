//! Stopping as soon as everything is decided (`--until-decided`), without being misled by having looked so often.
//!
//! Rates are judged by evidence that stays valid however often one looks (`stats::evidence`). Where several are judged
//! together each gets its part of the error (Bonferroni), so that the whole campaign errs as rarely as it says.

use super::{Judgement, invariant, strict_names, timeline_rows};
use crate::campaign::tally::Tally;
use crate::scenario::plan::{ComesOut, Expected, Plan};

/// Of an invariant that must hold: it is taken to hold once the rate of violated runs is shown to be below this.
pub const BUDGET: f64 = 0.01;
/// A mean is judged on no fewer runs than this, as many as `test` makes.
pub const FEWEST: u64 = 20;
/// The confidence with which a rate is shown, where the file names none.
pub const CONFIDENCE: f64 = 0.95;

/// How rates are judged while runs are still being made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gate {
    /// Rates that are judged together: each gets this part of the error.
    pub together: u64,
    /// Below which rate of violated runs an invariant counts as holding, and of clean ones as violated.
    pub budget: f64,
    /// Whether the built-in invariants that the file does not name are judged, too.
    pub strict: bool,
}

impl Gate {
    /// The gate of a campaign over these plans.
    pub fn of<'a>(plans: impl IntoIterator<Item = &'a Plan>, budget: f64, strict: bool) -> Gate {
        let all: Vec<&'static str> = crate::invariants::ALL.iter().map(|entry| entry.name).collect();
        let rates = plans.into_iter().map(|plan| {
            let named = plan.expectations.iter().filter(|expectation| match expectation.of {
                Expected::Invariant { .. } => true,
                Expected::Metric { .. } | Expected::Reached { .. } => false,
            });
            named.count() + if strict { strict_names(plan, all.iter().copied()).count() } else { 0 }
        });
        Gate { together: (rates.sum::<usize>() as u64).max(1), budget, strict }
    }

    /// The error that one rate may make.
    pub fn error(&self, confidence: f64) -> f64 {
        (1.0 - confidence) / self.together as f64
    }

    /// Whether further runs could not change the verdict: something is missed for good, or everything is met. Bounds on
    /// metrics are judged on the runs that the rest needed, and on no fewer than [`FEWEST`].
    pub fn decides(&self, plan: &Plan, tally: &Tally) -> bool {
        if !is_looked_at(tally.runs) {
            return false;
        }
        let mut all_met = true;
        let mut reached = 0;
        for expectation in &plan.expectations {
            let judgement = match &expectation.of {
                Expected::Invariant { name, comes_out } => invariant::judge(plan, tally, Some(self), name, comes_out).0,
                Expected::Metric { .. } => {
                    all_met &= tally.runs >= FEWEST;
                    continue;
                }
                Expected::Reached { .. } => {
                    reached += 1;
                    super::reached_row(tally, reached - 1)
                }
            };
            match judgement {
                Judgement::Met | Judgement::Accepted(_) => {}
                Judgement::Missed(_) if is_final(tally, &expectation.of) => return true,
                Judgement::Missed(_) | Judgement::Inconclusive(_) => all_met = false,
            }
        }
        if self.strict {
            let names = tally.invariants.iter().map(|known| known.totals.name);
            for name in strict_names(plan, names) {
                match invariant::judge(plan, tally, Some(self), name, &ComesOut::Holds).0 {
                    Judgement::Met | Judgement::Accepted(_) => {}
                    Judgement::Missed(_) => return true,
                    Judgement::Inconclusive(_) => all_met = false,
                }
            }
        }
        all_met && !plan.expectations.is_empty() && timeline_rows(tally).is_empty()
    }
}

/// Whether what is missed stays missed whatever comes. The most frequent cause may still become another one.
fn is_final(tally: &Tally, expected: &Expected) -> bool {
    match expected {
        Expected::Invariant { comes_out: ComesOut::Holds | ComesOut::AtMost { .. }, .. } => true,
        Expected::Invariant { name, comes_out: ComesOut::Violated { .. } } => tally.invariant(name).is_some_and(|of| {
            let totals = &of.totals;
            totals.violated_runs + of.exercised_open < totals.exercised_runs
        }),
        Expected::Metric { .. } | Expected::Reached { .. } => false,
    }
}

/// Looking takes longer than some runs: after every run at first, then thirty-two times while their number doubles.
fn is_looked_at(runs: u64) -> bool {
    let every = 1_u64 << (63 - runs.max(1).leading_zeros()).saturating_sub(5);
    runs.is_multiple_of(every)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::outcome::VariantOutcome;
    use crate::campaign::outcome::fixture::{broken, expects, held, line, plan, run};
    use crate::campaign::verdict::judge;
    use crate::kernel::StreamKey;
    use crate::kernel::stream::unit_interval;
    use crate::scenario::plan::Accepted;
    use crate::units::{Day, Share};

    fn at_most(percent: f64) -> ComesOut {
        ComesOut::AtMost { share: Share::new(percent / 100.0).expect("a share"), confidence: 0.95 }
    }

    /// After how many runs it is decided, and how it came out; `violated` says which runs are.
    fn decided(
        expected: &[(&'static str, ComesOut)],
        most: u64,
        violated: impl Fn(u64) -> bool,
    ) -> (u64, Vec<Judgement>) {
        let expectations = expected.iter().map(|(name, comes_out)| expects(name, comes_out.clone())).collect();
        let plan = plan("base", expectations);
        let gate = Gate::of([&plan], BUDGET, false);
        let mut tally = Tally::new(&plan);
        for seed in 0..most {
            let of = |(name, _): &(&'static str, ComesOut)| {
                if violated(seed) { broken(name, 3, &[("stale cache", 1)]) } else { held(name, 3) }
            };
            tally.add(&run(seed, expected.iter().map(of).collect()));
            if gate.decides(&plan, &tally) {
                break;
            }
        }
        let runs = tally.runs;
        let outcome = VariantOutcome { plan, runs: Vec::new(), tally, gate: Some(gate), exhibit: None };
        (runs, judge(&outcome, false).into_iter().map(|row| row.judgement).collect())
    }

    #[test]
    fn an_invariant_holds_once_its_rate_is_shown_to_be_below_the_budget() {
        // methods.md 1.2: 365 clean runs certify a rate below 1%.
        let (runs, rows) = decided(&[("split-brain", ComesOut::Holds)], 2_000, |_| false);
        assert!((365..=376).contains(&runs), "{runs}");
        assert_eq!(rows, [Judgement::Met]);
    }

    #[test]
    fn the_first_violation_of_what_must_hold_ends_it() {
        let (runs, rows) = decided(&[("split-brain", ComesOut::Holds)], 2_000, |seed| seed == 6);
        assert_eq!(runs, 7);
        assert!(matches!(&rows[0], Judgement::Missed(why) if why.contains("first with seed 6")), "{rows:?}");
    }

    #[test]
    fn a_rate_far_from_its_budget_is_decided_early_and_one_near_it_is_not_decided_at_all() {
        let key = StreamKey::of_seed(9).child("gate");
        let at = |rate: f64| move |seed: u64| unit_interval(key.word(seed, 0)) < rate;
        let (runs, rows) = decided(&[("split-brain", at_most(5.0))], 10_000, at(0.30));
        assert!(runs < 60 && matches!(rows[0], Judgement::Missed(_)), "{runs} {rows:?}");
        let (runs, rows) = decided(&[("split-brain", at_most(30.0))], 10_000, at(0.10));
        assert!(runs < 120 && rows[0] == Judgement::Met, "{runs} {rows:?}");
        let (runs, rows) = decided(&[("split-brain", at_most(10.0))], 500, at(0.10));
        assert_eq!(runs, 500);
        assert!(matches!(&rows[0], Judgement::Inconclusive(why) if why.contains("straddles")), "{rows:?}");
    }

    #[test]
    fn several_rates_share_the_error_so_that_together_they_err_as_rarely() {
        let one = decided(&[("split-brain", at_most(5.0))], 10_000, |_| false).0;
        let three = [("split-brain", at_most(5.0)), ("completion", at_most(5.0)), ("kill-latency", at_most(5.0))];
        let together = decided(&three, 10_000, |_| false).0;
        assert!(one < together, "{one} and {together}");
    }

    #[test]
    fn a_rate_at_its_budget_is_wrongly_decided_in_at_most_five_of_a_hundred_campaigns() {
        let wrong = (0..300_u64).filter(|round| {
            let key = StreamKey::of_seed(*round).child("rate at its budget");
            let (_, rows) =
                decided(&[("split-brain", at_most(20.0))], 400, |seed| unit_interval(key.word(seed, 1)) < 0.2);
            !matches!(rows[0], Judgement::Inconclusive(_))
        });
        let share = wrong.count() as f64 / 300.0;
        assert!(share <= 0.05 + 4.0 * (0.05_f64 * 0.95 / 300.0).sqrt(), "{share}");
    }

    #[test]
    fn what_is_accepted_is_not_decided_before_another_cause_is_shown_to_be_rare() {
        let accepted = |seed: u64, stale: &'static str| run(seed, vec![broken("split-brain", 3, &[(stale, 1)])]);
        let mut plan = plan("base", vec![expects("split-brain", ComesOut::Holds)]);
        let (owner, ticket) = ("payments".to_owned(), "SHOP-1".to_owned());
        let (cause, until) = (Some("stale cache".to_owned()), Day::new(2026, 12, 31));
        plan.accepted = vec![Accepted { invariant: "split-brain", cause, until, owner, ticket, at: line(20) }];
        plan.judged_on = Some(Day::new(2026, 11, 26));
        let gate = Gate::of([&plan], BUDGET, false);
        let mut tally = Tally::new(&plan);
        for seed in 0..100 {
            tally.add(&accepted(seed, "stale cache"));
            assert!(!gate.decides(&plan, &tally), "after seed {seed}");
        }
        let mut other = tally.clone();
        other.add(&accepted(100, "lost update"));
        let outcome =
            VariantOutcome { plan: plan.clone(), runs: Vec::new(), tally: other, gate: Some(gate), exhibit: None };
        assert!(matches!(judge(&outcome, false)[0].judgement, Judgement::Missed(_)));
        for seed in 100..384 {
            tally.add(&accepted(seed, "stale cache"));
        }
        assert!(gate.decides(&plan, &tally));
    }

    #[test]
    fn a_mean_alone_is_not_judged_on_the_first_run() {
        let of = Expected::Metric { name: "harm.count".into(), at_least: None, at_most: Some(5.0) };
        let mut plan = plan("base", vec![expects("split-brain", ComesOut::Holds)]);
        plan.expectations[0].of = of;
        let gate = Gate::of([&plan], BUDGET, false);
        let mut tally = Tally::new(&plan);
        let decided = (0..100).find(|seed| {
            tally.add(&run(*seed, vec![held("split-brain", 3)]));
            gate.decides(&plan, &tally)
        });
        assert_eq!(decided, Some(FEWEST - 1));
    }

    #[test]
    fn what_never_happened_is_not_decided() {
        let plan = plan("base", vec![expects("split-brain", ComesOut::Holds)]);
        let gate = Gate::of([&plan], BUDGET, false);
        let runs: Vec<_> = (0..1_024).map(|seed| run(seed, vec![held("split-brain", 0)])).collect();
        assert!(!gate.decides(&plan, &Tally::of(&plan, &runs)));
    }
}
