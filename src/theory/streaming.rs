//! Policy pushed to replicas, each message delayed independently; a version is published at age 0. Checked.

use super::whole;

/// The share of replicas that do not hold the version yet at `age` seconds, delays exponential with mean `mean`:
/// `1 - F(age) = e^(-age/mean)`.
pub fn stale_at_age(age: f64, mean: f64) -> f64 {
    libm::exp(-age / mean)
}

/// The n-th harmonic number, `1 + 1/2 + … + 1/n`.
pub fn harmonic(n: f64) -> f64 {
    (1..=whole(n)).map(|at| 1.0 / f64::from(at)).sum()
}

/// Expected requests per publish that see two decisions, `rate` per second through `k` services whose pushes take
/// exponential times with mean `mean` seconds: `rate ∫ (1 - F^k - (1-F)^k) = rate mean H(k-1)`.
pub fn split_requests(rate: f64, mean: f64, k: f64) -> f64 {
    rate * mean * harmonic(k - 1.0)
}

/// Mean seconds until the last of `replicas` holds the version: the greatest of N exponential times, `mean H(N)`
/// (Rényi's representation, 1953).
pub fn time_to_full(mean: f64, replicas: f64) -> f64 {
    mean * harmonic(replicas)
}

#[cfg(test)]
mod tests {
    use super::super::assert_near;
    use super::*;

    #[test]
    fn exponential_pushes_have_the_known_values() {
        assert_near(split_requests(20.0, 2.0, 3.0), 60.0, 1e-9);
        assert_near(split_requests(20.0, 2.0, 5.0), 83.33, 5e-3);
        assert_near(time_to_full(0.8, 50.0), 3.5994, 5e-5);
        assert_near(stale_at_age(2.0, 2.0), 0.3679, 5e-5);
    }
}
