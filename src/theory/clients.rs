//! Apps that keep the decision they fetched at their start: sessions follow one another, and a request falls in the
//! one under way.
//!
//! Source of all: the renewal argument (Cox, Renewal Theory, 1962, ch. 5): the age of the interval under way has the
//! density `(1 - F(x)) / mean`.

/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874_040_841;

/// The share of requests whose app still goes by what it fetched before a change, `after` seconds since the change,
/// with exponential sessions of this `mean`: `exp(-after/mean)`. Sessions by memory-less ends have ages like lengths.
pub fn before_the_change(after: f64, mean: f64) -> f64 {
    libm::exp(-after / mean)
}

/// The same with lognormal sessions of median `p50` and 99th percentile `p99`, in seconds: with `m = ln p50` and
/// `s = (ln p99 - m) / z(0.99)`, the mean of `(X - after)+ / E X`, which is
/// `Q((ln after - m)/s - s) - after / E X · Q((ln after - m)/s)`, Q the upper tail of the standard normal.
pub fn before_the_change_lognormal(after: f64, p50: f64, p99: f64) -> f64 {
    let m = libm::log(p50);
    let s = (libm::log(p99) - m) / Z99;
    let mean = libm::exp(m + s * s / 2.0);
    let z = (libm::log(after) - m) / s;
    let tail = |z: f64| libm::erfc(z / std::f64::consts::SQRT_2) / 2.0;
    tail(z - s) - after / mean * tail(z)
}

/// The share of users that have an old version `after` a time, in any unit, of which half are replaced in every
/// `half_life`: `share · 2^(-after/half_life)`.
pub fn old_versions(after: f64, share: f64, half_life: f64) -> f64 {
    share * libm::exp2(-after / half_life)
}

#[cfg(test)]
mod tests {
    use super::super::assert_near;
    use super::*;

    /// The integral of the survival function from `after` on, over the mean, by sums over a fine grid.
    #[test]
    fn the_closed_form_of_lognormal_sessions_is_the_integral_of_their_tail() {
        let (p50, p99, after) = (480.0, 10_800.0, 3_600.0);
        let m = libm::log(p50);
        let s = (libm::log(p99) - m) / Z99;
        let survival = |x: f64| libm::erfc((libm::log(x) - m) / s / std::f64::consts::SQRT_2) / 2.0;
        let width = 5.0;
        let sum: f64 = (0..2_000_000).map(|at| survival(after + (f64::from(at) + 0.5) * width) * width).sum();
        let expected = sum / libm::exp(m + s * s / 2.0);
        assert_near(before_the_change_lognormal(after, p50, p99), expected, 1e-4);
    }

    #[test]
    fn half_of_the_old_versions_are_left_after_a_half_life() {
        assert_near(old_versions(14.0, 0.12, 14.0), 0.06, 1e-12);
    }
}
