//! What chance allows: bounds of Chernoff's kind, so that a run that is in order is called out once in a thousand
//! million judgements.

use crate::kernel::maths::ln;

/// The chance with which what is in order is called out: one in a thousand million.
const LN_ALPHA: f64 = -20.723_265_836_946_41;

/// KL(q || p), of one coin from another.
fn divergence(q: f64, p: f64) -> f64 {
    let part = |q: f64, p: f64| if q == 0.0 { 0.0 } else { q * ln(q / p) };
    part(q, p) + part(1.0 - q, 1.0 - p)
}

/// Whether `inside` of `subjects` is further from `share` than chance lets it be: with q the realised share, twice
/// exp(-n KL(q || p)) is above the probability of both tails (Chernoff 1952, for the binomial).
pub fn is_another_share(inside: u64, subjects: u64, share: f64) -> bool {
    let (n, q) = (subjects as f64, inside as f64 / subjects as f64);
    ln(2.0) - n * divergence(q, share) < LN_ALPHA
}

/// Whether `of` of `all` is a greater share than `other` of `other_all` by more than chance lets it be. Given how many
/// there are in both together, those of the first are binomial with its part of all (the C-test of Przyborowski and
/// Wilenski 1940, exact for rare events and cautious for others); exp(-k KL(q || p)) is above the tail (Chernoff 1952).
pub fn is_greater_share(of: u64, all: u64, other: u64, other_all: u64) -> bool {
    if of == 0 || all == 0 || other_all == 0 {
        return false;
    }
    let together = (of + other) as f64;
    let (q, p) = (of as f64 / together, all as f64 / (all + other_all) as f64);
    q > p && -together * divergence(q, p) < LN_ALPHA
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_alpha_allows_what_exact_binomials_allow() {
        // P(X <= 340) for 400 at 0.9 is about 7e-4; P(X <= 300) about 1e-18.
        assert!(!is_another_share(340, 400, 0.9) && is_another_share(300, 400, 0.9));
        assert!(is_another_share(0, 400, 0.5) && is_another_share(400, 400, 0.5));
    }

    #[test]
    fn against_none_at_all_thirty_are_too_many_and_twenty_nine_are_not() {
        // Half of the answers each: 2^-29 is above 1e-9, and 2^-30 below it.
        assert!(!is_greater_share(29, 1_000, 0, 1_000) && is_greater_share(30, 1_000, 0, 1_000));
    }

    #[test]
    fn a_share_that_is_smaller_or_of_nobody_is_never_greater() {
        assert!(!is_greater_share(10, 1_000, 500, 1_000) && !is_greater_share(0, 10, 0, 10));
        assert!(!is_greater_share(50, 50, 0, 0), "with nobody to compare with nothing is told");
        assert!(!is_greater_share(100, 1_000, 200, 2_000) && is_greater_share(300, 1_000, 200, 2_000));
    }
}
