//! Canary analysis: how often a guard aborts a good release, and how often it lets a bad one pass.
//!
//! A check looks at n requests of its own and fails if more than the share θ of them failed; there are K checks,
//! independent of each other. Chance, not the release, is what these laws are about.
//!
//! The functions are held to known values; the engine is held to them by `tests/gates.rs`, which counts the healthy
//! releases that a gate takes back.

/// Probability that a check of `requests` requests fails where each fails with probability p: P(Bin(n, p) > θn).
///
/// This is a, for p the error rate of a good release, and the power w, for that of a bad one.
pub fn check_fails(requests: u32, failing: f64, bound: f64) -> f64 {
    // The bound is meant exactly; the product of two decimal numbers may lie a little beside it.
    let most = libm::floor(bound * f64::from(requests) + 1e-9) as u32;
    at_least(requests, failing, most + 1)
}

/// P(Bin(n, p) ≥ k).
pub fn at_least(n: u32, p: f64, k: u32) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        let always = if p >= 1.0 { n } else { 0 };
        return if always >= k { 1.0 } else { 0.0 };
    }
    (k..=n).map(|hits| probability(n, p, hits)).sum()
}

/// P(Bin(n, p) = k), by logarithms of factorials.
fn probability(n: u32, p: f64, k: u32) -> f64 {
    let factorial = |n: u32| libm::lgamma(f64::from(n) + 1.0);
    let ways = factorial(n) - factorial(k) - factorial(n - k);
    libm::exp(ways + f64::from(k) * libm::log(p) + f64::from(n - k) * libm::log1p(-p))
}

/// Probability that a rule which aborts at the m-th failed check of K aborts: P(Bin(K, a) ≥ m).
///
/// Argo Rollouts' `failureLimit` is the number of failures *allowed*: m is one more. Given the power of a check it is
/// the probability of detection; one minus it the false negative.
pub fn aborts_at_total(checks: u32, failing: f64, total: u32) -> f64 {
    at_least(checks, failing, total)
}

/// Probability that a rule which aborts after c failed checks in a row aborts within K checks.
///
/// Source: the chain over the length of the current run of failures, stepped K times.
pub fn aborts_in_a_row(checks: u32, failing: f64, row: u32) -> f64 {
    let row = row as usize;
    if row == 0 {
        return 1.0;
    }
    let mut runs = vec![0.0; row];
    runs[0] = 1.0;
    let mut aborted = 0.0;
    for _ in 0..checks {
        let passed: f64 = runs.iter().sum::<f64>() * (1.0 - failing);
        aborted += runs[row - 1] * failing;
        for length in (1..row).rev() {
            runs[length] = runs[length - 1] * failing;
        }
        runs[0] = passed;
    }
    aborted
}

/// Probability that none of several rows of checks comes to an end by failures: each row is judged for itself, its checks
/// fail with the probabilities given, and it ends at `row` failed checks in a row, or at more than `allowed` in all.
///
/// Source: the chain over the length of the current run of failures and their number, stepped check by check.
pub fn survives(rows: &[Vec<f64>], row: u32, allowed: Option<u32>) -> f64 {
    rows.iter().map(|checks| row_survives(checks, row, allowed)).product()
}

fn row_survives(checks: &[f64], row: u32, allowed: Option<u32>) -> f64 {
    // By failures in all and in a row; what has ended is in none.
    let totals = allowed.map_or(1, |allowed| allowed as usize + 1);
    let mut alive = vec![vec![0.0; row.max(1) as usize]; totals];
    alive[0][0] = 1.0;
    for failing in checks {
        let mut next = vec![vec![0.0; row.max(1) as usize]; totals];
        for (total, runs) in alive.iter().enumerate() {
            for (run, probability) in runs.iter().enumerate() {
                next[total][0] += probability * (1.0 - failing);
                let counted = if allowed.is_some() { total + 1 } else { 0 };
                if run + 1 < runs.len() && counted < totals {
                    next[counted][run + 1] += probability * failing;
                }
            }
        }
        alive = next;
    }
    alive.iter().flatten().sum()
}

/// Mean number of checks until c failed ones in a row, without a bound on checks: (1 - w^c)/(w^c(1-w)).
///
/// Source: Feller I, XIII.7, the mean recurrence of success runs. Infinite where checks never fail.
pub fn mean_checks_in_a_row(failing: f64, row: u32) -> f64 {
    if failing >= 1.0 {
        return f64::from(row);
    }
    let all = libm::pow(failing, f64::from(row));
    (1.0 - all) / (all * (1.0 - failing))
}

#[cfg(test)]
mod tests {
    use super::super::assert_near;
    use super::*;

    #[track_caller]
    fn about(value: f64, expected: f64) {
        assert!((value - expected).abs() < 0.0005 * expected.abs().max(0.1), "{value} is not about {expected}");
    }

    /// 400 requests a check, 1% good and 3% bad, abort above 2%, twelve checks.
    #[test]
    fn twelve_checks_of_four_hundred_requests() {
        let (good, bad) = (check_fails(400, 0.01, 0.02), check_fails(400, 0.03, 0.02));
        about(aborts_at_total(12, good, 1), 0.2226);
        about(aborts_at_total(12, good, 2), 0.0248);
        about(aborts_in_a_row(12, good, 2), 0.00465);
        about(aborts_in_a_row(12, bad, 3), 0.9927);
        about(mean_checks_in_a_row(bad, 2), 2.565);
    }

    #[test]
    fn one_in_a_row_is_one_in_total() {
        about(aborts_in_a_row(12, 0.3, 1), aborts_at_total(12, 0.3, 1));
        assert_eq!(aborts_in_a_row(5, 1.0, 3), 1.0);
        assert_eq!(aborts_in_a_row(2, 1.0, 3), 0.0);
        assert_eq!(mean_checks_in_a_row(1.0, 3), 3.0);
    }

    #[test]
    fn a_bound_that_is_a_whole_number_of_requests_may_be_reached() {
        assert_eq!(check_fails(10, 1.0, 1.0), 0.0);
        about(check_fails(10, 0.5, 0.9), at_least(10, 0.5, 10));
        about(check_fails(100, 0.5, 0.29), at_least(100, 0.5, 30));
    }

    #[test]
    fn rows_of_checks_survive_as_rarely_as_single_ones_abort() {
        for row in [1, 2, 3] {
            let one = survives(&[vec![0.2; 12]], row, None);
            assert_near(one, 1.0 - aborts_in_a_row(12, 0.2, row), 1e-12);
            assert_near(survives(&[vec![0.2; 12], vec![0.2; 12]], row, None), one * one, 1e-12);
        }
        // A row that is never full leaves the total: more than two of twelve.
        assert_near(survives(&[vec![0.2; 12]], 13, Some(2)), 1.0 - aborts_at_total(12, 0.2, 3), 1e-12);
        assert_near(survives(&[vec![0.5, 0.25]], 1, None), 0.5 * 0.75, 1e-12);
    }
}
