//! Evidence that may be looked at after every run: a confidence sequence for a rate, valid at all times together.
//!
//! Against a candidate rate p the evidence after S failures in n runs is the likelihood of what was seen under a mixture,
//! half of it on "never fails" and half on the predictions of Krichevsky and Trofimov, over that under p. By Ville's
//! inequality it ever reaches 1/α with a probability of at most α, so that stopping when one likes costs nothing
//! (Howard et al., Annals of Statistics 49, 2021). The spike removes the price of looking where nothing fails.

use super::bisect;

/// What failures and successes one by one say of their rate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    failures: u64,
    runs: u64,
    /// The logarithm of the product of the predictions so far.
    predicted: f64,
}

impl Evidence {
    /// One more run.
    pub fn add(&mut self, failed: bool) {
        let (s, n) = (self.failures as f64, self.runs as f64);
        let seen = if failed { s + 0.5 } else { n - s + 0.5 };
        self.predicted += libm::log(seen / (n + 1.0));
        self.failures += u64::from(failed);
        self.runs += 1;
    }

    pub fn failures(&self) -> u64 {
        self.failures
    }

    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// The logarithm of the evidence against the rate `p`.
    pub fn against(&self, p: f64) -> f64 {
        let half = -std::f64::consts::LN_2;
        let (s, n) = (self.failures as f64, self.runs as f64);
        let mixture = if self.failures == 0 {
            let spike = half;
            let spread = half + self.predicted;
            spike.max(spread) + libm::log1p(libm::exp(-(spike - spread).abs()))
        } else {
            half + self.predicted
        };
        let of = |count: f64, rate: f64| if count == 0.0 { 0.0 } else { count * libm::log(rate) };
        mixture - of(s, p) - of(n - s, 1.0 - p)
    }

    /// The rates against which there is not enough evidence at this error: the interval holds the true rate at all
    /// times together with probability `1 - alpha`.
    pub fn interval(&self, alpha: f64) -> (f64, f64) {
        if self.runs == 0 {
            return (0.0, 1.0);
        }
        let bound = -libm::log(alpha);
        let centre = self.failures as f64 / self.runs as f64;
        let refuted = |p: f64| self.against(p) >= bound;
        let low = if self.failures == 0 { 0.0 } else { bisect(0.0, centre, refuted) };
        let high = if self.failures == self.runs { 1.0 } else { bisect(centre, 1.0, |p| !refuted(p)) };
        (low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::StreamKey;
    use crate::kernel::stream::unit_interval;

    fn seen(failures: u64, runs: u64) -> Evidence {
        let mut evidence = Evidence::default();
        for run in 0..runs {
            // Spread evenly; the order does not matter to the product.
            evidence.add(run < failures);
        }
        evidence
    }

    #[test]
    fn without_a_failure_looking_costs_next_to_nothing() {
        // methods.md 1.2: at n = 1000 the upper end is 0.366%.
        let (low, high) = seen(0, 1_000).interval(0.05);
        assert!(low == 0.0 && (high - 0.003_66).abs() < 2e-5, "{high}");
        let (low, high) = seen(5, 1_000).interval(0.05);
        assert!((low - 0.000_46).abs() < 1e-4 && (high - 0.018_9).abs() < 1e-4, "{low} to {high}");
    }

    #[test]
    fn a_rate_below_a_budget_is_shown_after_as_many_clean_runs_as_the_note_says() {
        for (budget, runs) in [(0.05, 71), (0.01, 365), (0.001, 3_678)] {
            let first = (1..5_000).find(|runs| seen(0, *runs).interval(0.05).1 < budget).expect("it is shown");
            assert!(first.abs_diff(runs) <= 1, "below {budget} after {first} runs, not {runs}");
        }
    }

    #[test]
    fn the_true_rate_is_ever_left_out_in_at_most_five_of_a_hundred_campaigns() {
        let key = StreamKey::of_seed(3).child("evidence");
        for p in [0.01, 0.1, 0.5] {
            let missed = (0..400_u64).filter(|round| {
                let mut evidence = Evidence::default();
                (0..2_000).any(|i| {
                    evidence.add(unit_interval(key.word(*round, i)) < p);
                    evidence.against(p) >= -libm::log(0.05)
                })
            });
            let share = missed.count() as f64 / 400.0;
            assert!(share <= 0.05 + 4.0 * (0.05_f64 * 0.95 / 400.0).sqrt(), "{p}: {share}");
        }
    }

    #[test]
    fn looking_at_a_fixed_interval_after_every_run_would_mislead() {
        // The same campaigns with Clopper and Pearson's bound, which is for one look only: far more false alarms.
        let key = StreamKey::of_seed(3).child("evidence");
        let p = 0.01;
        let misled = (0..200_u64).filter(|round| {
            let mut failures = 0;
            (0..2_000_u64).any(|i| {
                failures += u64::from(unit_interval(key.word(*round, i)) < p);
                i % 10 == 9 && super::super::binomial::lower_bound(failures, i + 1, 0.95) > p
            })
        });
        let share = misled.count() as f64 / 200.0;
        assert!(share > 0.10, "{share}");
    }
}
