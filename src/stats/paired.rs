//! Two variants over the same seeds: what the paired differences say. Common random numbers make them smaller than the
//! difference of independent runs would be, and how much smaller is measured, too.

use super::discordant;
use crate::kernel::StreamKey;
use crate::kernel::stream::unit_interval;

/// Resamples of the bootstrap and flips of the test (methods: Efron and Tibshirani, An Introduction to the Bootstrap,
/// 1993, ch. 12 and 15).
const RESAMPLES: u64 = 2_000;
const FLIPS: u64 = 9_999;
/// With fewer differences than this that are not zero, an interval would be a guess.
const FEWEST_DIFFERENT: usize = 10;
/// Below this reduction the runs were as good as independent.
const IN_STEP: f64 = 1.2;

/// What paired values say; b against a.
#[derive(Clone, Debug, PartialEq)]
pub struct Paired {
    /// Seeds in which both have a value.
    pub seeds: u64,
    pub mean_a: f64,
    pub mean_b: f64,
    /// The mean of b minus a.
    pub difference: f64,
    /// Its 95% interval by the studentised bootstrap; `None` with too few differences that are not zero.
    pub interval: Option<(f64, f64)>,
    /// The mean of b over that of a, with its 95% interval; `None` where a has no positive mean.
    pub ratio: Option<(f64, Option<(f64, f64)>)>,
    /// Seeds in which b is lower, higher, equal.
    pub lower: u64,
    pub higher: u64,
    pub equal: u64,
    /// Two-sided p-value of the sign test.
    pub sign_p: f64,
    /// Two-sided p-value of the test that flips the signs of the differences.
    pub flip_p: f64,
    /// By how much pairing reduces the variance: (Var a + Var b) / Var (b - a); `None` where nothing varies.
    pub reduction: Option<f64>,
}

impl Paired {
    /// Compares paired values, in seed order; `None` without two pairs. `key` gives the resamples.
    pub fn of(pairs: &[(f64, f64)], key: StreamKey) -> Option<Paired> {
        if pairs.len() < 2 {
            return None;
        }
        let n = pairs.len() as f64;
        let differences: Vec<f64> = pairs.iter().map(|(a, b)| b - a).collect();
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / n;
        let (mean_a, mean_b) = (mean(&mut pairs.iter().map(|p| p.0)), mean(&mut pairs.iter().map(|p| p.1)));
        let difference = mean(&mut differences.iter().copied());
        let count = |wanted: fn(&f64) -> bool| differences.iter().filter(|d| wanted(d)).count() as u64;
        let (lower, higher) = (count(|d| *d < 0.0), count(|d| *d > 0.0));
        let telling = (lower + higher) as usize >= FEWEST_DIFFERENT;
        let variance = |values: &mut dyn Iterator<Item = f64>, mean: f64| {
            values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / (n - 1.0)
        };
        let of_difference = variance(&mut differences.iter().copied(), difference);
        let of_a = variance(&mut pairs.iter().map(|p| p.0), mean_a);
        let of_b = variance(&mut pairs.iter().map(|p| p.1), mean_b);
        Some(Paired {
            seeds: pairs.len() as u64,
            mean_a,
            mean_b,
            difference,
            interval: telling.then(|| studentised(pairs, key, |pairs| Some(plain(pairs)))).flatten(),
            ratio: (mean_a > 0.0).then(|| {
                let interval = telling.then(|| studentised(pairs, key, relative)).flatten();
                (mean_b / mean_a, interval)
            }),
            lower,
            higher,
            equal: pairs.len() as u64 - lower - higher,
            sign_p: discordant::sign_test(lower, higher),
            flip_p: flipped(&differences, key),
            reduction: (of_difference > 0.0 && of_a > 0.0 && of_b > 0.0).then(|| (of_a + of_b) / of_difference),
        })
    }

    /// Whether the two varied together, so that pairing was worth something; true where one of them does not vary.
    pub fn in_step(&self) -> bool {
        self.reduction.is_none_or(|reduction| reduction >= IN_STEP)
    }
}

/// The mean difference and its standard error.
fn plain(pairs: &[(f64, f64)]) -> (f64, f64) {
    let n = pairs.len() as f64;
    let mean = pairs.iter().map(|(a, b)| b - a).sum::<f64>() / n;
    let squares: f64 = pairs.iter().map(|(a, b)| (b - a - mean) * (b - a - mean)).sum();
    (mean, libm::sqrt(squares / (n - 1.0) / n))
}

/// The ratio of the means and its standard error, linearised.
fn relative(pairs: &[(f64, f64)]) -> Option<(f64, f64)> {
    let n = pairs.len() as f64;
    let (a, b) = pairs.iter().fold((0.0, 0.0), |(a, b), pair| (a + pair.0, b + pair.1));
    if a <= 0.0 {
        return None;
    }
    let ratio = b / a;
    let squares: f64 = pairs.iter().map(|(a, b)| (b - ratio * a) * (b - ratio * a)).sum();
    Some((ratio, libm::sqrt(squares / (n - 1.0) / n) / (a / n)))
}

/// The 95% interval of an estimate by the studentised bootstrap: resamples whose error is zero say nothing of the
/// spread and are left out; `None` where most are.
fn studentised(
    pairs: &[(f64, f64)],
    key: StreamKey,
    estimate: impl Fn(&[(f64, f64)]) -> Option<(f64, f64)>,
) -> Option<(f64, f64)> {
    let (value, error) = estimate(pairs)?;
    let n = pairs.len();
    let key = key.child("bootstrap");
    let mut resample = Vec::with_capacity(n);
    let mut studentised: Vec<f64> = Vec::with_capacity(RESAMPLES as usize);
    for round in 0..RESAMPLES {
        resample.clear();
        resample.extend(
            (0..n as u64).map(|at| pairs[((unit_interval(key.word(round, at)) * n as f64) as usize).min(n - 1)]),
        );
        if let Some((resampled, of)) = estimate(&resample)
            && of > 0.0
        {
            studentised.push((resampled - value) / of);
        }
    }
    if (studentised.len() as u64) < RESAMPLES / 2 {
        return None;
    }
    studentised.sort_by(f64::total_cmp);
    let quantile = |q: f64| studentised[((q * studentised.len() as f64) as usize).min(studentised.len() - 1)];
    Some((value - quantile(0.975) * error, value - quantile(0.025) * error))
}

/// The p-value of the mean difference if each difference were as likely to be its negative: all flips where these are
/// few, else so many by chance, itself among them.
fn flipped(differences: &[f64], key: StreamKey) -> f64 {
    const ALL_FLIPS: usize = 16;
    let telling: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    if telling.is_empty() {
        return 1.0;
    }
    let sum: f64 = telling.iter().sum();
    // As far out as what was seen, but for rounding.
    let seen = sum.abs() * (1.0 - 1e-12);
    if telling.len() <= ALL_FLIPS {
        let all = 1_u64 << telling.len();
        let as_far = (0..all).filter(|signs| {
            let flipped = telling.iter().enumerate().map(|(at, d)| if signs >> at & 1 == 1 { -d } else { *d });
            flipped.sum::<f64>().abs() >= seen
        });
        return as_far.count() as f64 / all as f64;
    }
    let key = key.child("flips");
    let as_far = (0..FLIPS).filter(|round| {
        let mut sum = 0.0;
        for (block, part) in telling.chunks(64).enumerate() {
            let signs = key.word(*round, block as u64);
            sum += part.iter().enumerate().map(|(at, d)| if signs >> at & 1 == 1 { -d } else { *d }).sum::<f64>();
        }
        sum.abs() >= seen
    });
    (1 + as_far.count()) as f64 / (1 + FLIPS) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::distribution::normal_quantile;

    fn key(name: &str) -> StreamKey {
        StreamKey::of_seed(9).child(name)
    }

    /// Pairs whose difference is lognormal with this mean, on top of what they have in common.
    fn pairs(round: u64, n: u64, shift: f64) -> Vec<(f64, f64)> {
        let normal = |i: u64, which: u64| normal_quantile(unit_interval(key("values").nth(round).word(i, which)));
        let pair = |i: u64| {
            let common = 100.0 + 10.0 * normal(i, 0);
            (common, common + libm::exp(normal(i, 1)) + shift)
        };
        (0..n).map(pair).collect()
    }

    #[test]
    fn the_interval_covers_the_mean_of_skewed_differences_where_students_does_not() {
        // methods.md 1.4: lognormal differences, n = 100: bootstrap-t about 0.93, Student's about 0.90.
        let mean = libm::exp(0.5);
        let covered = (0..300).filter(|round| {
            let found = Paired::of(&pairs(*round, 100, 0.0), key("bootstrap").nth(*round)).expect("pairs");
            let (low, high) = found.interval.expect("every difference tells");
            low <= mean && mean <= high
        });
        let share = covered.count() as f64 / 300.0;
        assert!((0.88..0.985).contains(&share), "{share}");
    }

    #[test]
    fn the_ratios_interval_covers_the_ratio_of_the_means() {
        let ratio = (100.0 + libm::exp(0.5)) / 100.0;
        let covered = (0..200).filter(|round| {
            let found = Paired::of(&pairs(*round, 100, 0.0), key("ratio").nth(*round)).expect("pairs");
            let (_, interval) = found.ratio.expect("a has a mean");
            let (low, high) = interval.expect("every difference tells");
            low <= ratio && ratio <= high
        });
        let share = covered.count() as f64 / 200.0;
        assert!((0.86..0.99).contains(&share), "{share}");
    }

    #[test]
    fn what_is_common_cancels_and_what_is_not_does_not() {
        let found = Paired::of(&pairs(1, 200, 0.0), key("one")).expect("pairs");
        assert!(found.reduction.expect("they vary") > 20.0 && found.in_step());
        let apart: Vec<(f64, f64)> =
            pairs(1, 200, 0.0).iter().zip(pairs(2, 200, 0.0)).map(|(one, other)| (one.0, other.1)).collect();
        let found = Paired::of(&apart, key("two")).expect("pairs");
        assert!(!found.in_step(), "{:?}", found.reduction);
    }

    #[test]
    fn no_difference_is_no_evidence_and_a_clear_one_is() {
        let same: Vec<(f64, f64)> = (0..50).map(|i| (f64::from(i), f64::from(i))).collect();
        let found = Paired::of(&same, key("same")).expect("pairs");
        assert_eq!((found.sign_p, found.flip_p, found.interval, found.equal), (1.0, 1.0, None, 50));
        let clear = Paired::of(&pairs(3, 50, 1.0), key("clear")).expect("pairs");
        assert!(clear.sign_p < 1e-9 && clear.flip_p <= 1.0 / 10_000.0 + 1e-12);
        assert_eq!(clear.higher, 50);
    }

    #[test]
    fn the_flips_of_few_differences_are_all_of_them() {
        // 2 of the 2^5 flips are as far out.
        let found =
            Paired::of(&[(0.0, 1.0), (0.0, 2.0), (0.0, 3.0), (0.0, 4.0), (0.0, 5.0)], key("few")).expect("pairs");
        assert!((found.flip_p - 2.0 / 32.0).abs() < 1e-12);
        assert_eq!(found.interval, None, "five differences are too few for an interval");
    }

    #[test]
    fn under_no_difference_the_test_rejects_as_rarely_as_it_says() {
        let rejected = (0..300_u64).filter(|round| {
            let value = |i: u64, which| normal_quantile(unit_interval(key("null").nth(*round).word(i, which)));
            let pairs: Vec<(f64, f64)> = (0..30).map(|i| (value(i, 0), value(i, 1))).collect();
            Paired::of(&pairs, key("null-flips").nth(*round)).expect("pairs").flip_p <= 0.05
        });
        let share = rejected.count() as f64 / 300.0;
        assert!((0.01..0.10).contains(&share), "{share}");
    }
}
