//! Student's t: the quantile of the 95% interval of a mean.

/// `t` such that a variable with `freedom` degrees of freedom lies within ±t with probability 95%.
///
/// # Panics
/// Without a degree of freedom: one value has no spread.
pub fn two_sided_95(freedom: u64) -> f64 {
    assert!(freedom > 0, "an interval needs at least two values");
    let (mut low, mut high) = (1.9, 12.8);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if within(middle, freedom) < 0.95 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The two-sided p-value of a statistic that has Student's law with so many degrees of freedom.
///
/// # Panics
/// Without a degree of freedom.
pub fn two_sided_p(statistic: f64, freedom: u64) -> f64 {
    assert!(freedom > 0, "a statistic needs at least two values");
    (1.0 - within(statistic.abs(), freedom)).clamp(0.0, 1.0)
}

/// P(|T| < t), by the finite series for whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4).
fn within(t: f64, freedom: u64) -> f64 {
    let angle = libm::atan(t / libm::sqrt(freedom as f64));
    let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
    let odd = freedom % 2 == 1;
    let mut term = if odd { cosine } else { 1.0 };
    let mut sum = 0.0;
    let mut power = if odd { 1 } else { 0 };
    while power + 2 <= freedom && term > 1e-18 {
        sum += term;
        power += 2;
        term *= cosine * cosine * (power as f64 - 1.0) / power as f64;
    }
    if odd { std::f64::consts::FRAC_2_PI * (angle + sine * sum) } else { sine * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_printed_tables() {
        // Abramowitz and Stegun, table 26.10, two-sided 0.95.
        let table =
            [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (19, 2.093), (30, 2.042), (120, 1.980)];
        for (freedom, quantile) in table {
            let computed = two_sided_95(freedom);
            assert!((computed - quantile).abs() < 6e-4, "{freedom}: {computed} is not {quantile}");
        }
        assert!((two_sided_95(100_000) - 1.960).abs() < 6e-4);
    }

    #[test]
    fn the_p_value_of_the_quantile_is_what_it_leaves_out() {
        for freedom in [1, 2, 5, 19, 200] {
            assert!((two_sided_p(two_sided_95(freedom), freedom) - 0.05).abs() < 1e-9);
            assert!((two_sided_p(-two_sided_95(freedom), freedom) - 0.05).abs() < 1e-9);
        }
        assert_eq!((two_sided_p(0.0, 7), two_sided_p(1e300, 7)), (1.0, 0.0));
    }
}
