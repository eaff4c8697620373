//! Bucketing: what a hash of unit and salt does to cohorts, ramps and experiments.
//!
//! A unit's bucket is uniform over [0, 1) and independent between units and between salts; a rule with share p admits
//! the units whose bucket is below p. All results are shares of units.

/// Mean of Pearson's χ² = Σ(O-E)²/E over `bins` equally likely bins: bins - 1, for any number of units.
///
/// Source: Pearson 1900; E(O-E)² is the binomial variance, and Σ E(1-1/bins)/E = bins - 1.
pub fn chi_square_mean(bins: u32) -> f64 {
    f64::from(bins - 1)
}

/// Variance of the same for `units` units: 2(bins-1)(1 - 1/units).
///
/// Source: the multinomial's fourth moments (Haldane 1937), for equal probabilities.
pub fn chi_square_variance(bins: u32, units: f64) -> f64 {
    2.0 * f64::from(bins - 1) * (1.0 - 1.0 / units)
}

/// Share of units that two rules with different salts treat differently: p + q - 2pq.
///
/// Source: two independent events of which exactly one happens, p(1-q) + q(1-p).
pub fn disagreement_of_salts(p: f64, q: f64) -> f64 {
    p + q - 2.0 * p * q
}

/// Share of units that two rules with the same salt treat differently: |p-q|.
///
/// Source: one uniform bucket that lies between the two shares.
pub fn disagreement_of_shares(p: f64, q: f64) -> f64 {
    (p - q).abs()
}

/// Share of units that two features admit both, each with a salt of its own: pq.
///
/// Source: two independent events.
pub fn joint_exposure(p: f64, q: f64) -> f64 {
    p * q
}

/// Share of units that two features with one salt admit both: min(p, q). The experiments are then correlated.
///
/// Source: one uniform bucket that lies below both shares.
pub fn joint_exposure_with_one_salt(p: f64, q: f64) -> f64 {
    p.min(q)
}

/// Share of units that lose the feature when a ramp goes from p to q and is salted anew: p(1-q). With the salt kept it
/// is exactly zero for q ≥ p.
///
/// Source: two independent events, on before and not on after.
pub fn flips_of_resalting(p: f64, q: f64) -> f64 {
    p * (1.0 - q)
}

/// Standard deviation of the realised share of traffic, where unit i brings the share w(i) of it: √(p(1-p)Σw²).
///
/// `squares` is Σw². It is 1/units only where all units weigh the same. Source: a sum of independent weighted
/// Bernoulli variables.
pub fn realised_share_deviation(p: f64, squares: f64) -> f64 {
    libm::sqrt(p * (1.0 - p) * squares)
}

/// Variance of the share of `requests` requests that are on, where each comes from unit i with probability w(i) and
/// units are on with probability p: p(1-p)(1/n + (1-1/n)Σw²).
///
/// Source: two requests are of the same unit with probability Σw²; [`realised_share_deviation`] is its limit.
pub fn sampled_share_variance(p: f64, squares: f64, requests: f64) -> f64 {
    p * (1.0 - p) * (1.0 / requests + (1.0 - 1.0 / requests) * squares)
}

/// Σw² of units weighted by Zipf's law: w(i) ∝ i^-exponent, i from 1 to `units`.
///
/// Source: the definition (Zipf 1949), summed as it stands.
pub fn zipf_squares(units: u32, exponent: f64) -> f64 {
    let weight = |rank: u32| libm::pow(f64::from(rank), -exponent);
    let sum: f64 = (1..=units).map(weight).sum();
    (1..=units).map(|rank| weight(rank) * weight(rank)).sum::<f64>() / (sum * sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn about(value: f64, expected: f64) {
        assert!((value - expected).abs() < 0.0005 * expected.abs().max(1.0), "{value} is not about {expected}");
    }

    #[test]
    fn different_salts_disagree_and_the_same_salt_only_by_the_ramp() {
        about(disagreement_of_salts(0.3, 0.3), 0.42);
        about(disagreement_of_salts(0.2, 0.5), 0.5);
        about(disagreement_of_shares(0.2, 0.5), 0.3);
    }

    #[test]
    fn who_is_on_in_one_of_two_rules_is_on_in_both_or_in_one_only() {
        for (p, q) in [(0.1, 0.2), (0.5, 0.25), (1.0, 0.3)] {
            about(disagreement_of_salts(p, q) + 2.0 * joint_exposure(p, q), p + q);
            about(disagreement_of_shares(p, q) + 2.0 * joint_exposure_with_one_salt(p, q), p + q);
            about(flips_of_resalting(p, q) + joint_exposure(p, q), p);
        }
    }

    #[test]
    fn uneven_traffic_spreads_the_realised_share() {
        let even = realised_share_deviation(0.3, 1.0 / 2000.0);
        let zipf = realised_share_deviation(0.3, zipf_squares(2000, 1.0));
        assert!(zipf / even > 6.5, "{zipf} and {even}");
        about(zipf_squares(2000, 0.0), 1.0 / 2000.0);
        let many = sampled_share_variance(0.3, zipf_squares(2000, 1.0), 1e9);
        about(libm::sqrt(many), zipf);
    }

    #[test]
    fn a_hundred_bins_have_ninety_nine_degrees_of_freedom() {
        assert_eq!(chi_square_mean(100), 99.0);
        about(chi_square_variance(100, 1e6), 198.0);
    }
}
