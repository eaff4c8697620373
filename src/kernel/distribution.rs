//! Random durations by inversion: one uniform word in, one duration out, the same bits on every platform.

use super::maths;
use super::stream::unit_interval;
use crate::units::SimDuration;
use std::sync::Arc;

/// How long something takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    Fixed(SimDuration),
    /// Exponential, by its mean.
    Exponential {
        mean: SimDuration,
    },
    /// Lognormal: `exp(mu + sigma z)` seconds.
    Lognormal {
        mu: f64,
        sigma: f64,
    },
    Uniform {
        low: SimDuration,
        high: SimDuration,
    },
    /// Sorted samples, drawn with equal weight and linear interpolation between neighbours.
    Empirical(Arc<[SimDuration]>),
}

/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874_040_841;

impl Distribution {
    pub const ZERO: Distribution = Distribution::Fixed(SimDuration::ZERO);

    /// The lognormal distribution with this median and this 99th percentile. A zero median is fixed at zero.
    pub fn lognormal(p50: SimDuration, p99: SimDuration) -> Distribution {
        if p50.is_zero() {
            return Distribution::Fixed(p50);
        }
        let mu = maths::ln(p50.as_secs_f64());
        let sigma = (maths::ln(p99.as_secs_f64()) - mu) / Z99;
        if sigma <= 0.0 { Distribution::Fixed(p50) } else { Distribution::Lognormal { mu, sigma } }
    }

    /// Whether a sample does not depend on chance.
    pub fn is_fixed(&self) -> bool {
        matches!(self, Distribution::Fixed(_))
    }

    /// The duration at this uniform word.
    pub fn sample(&self, word: u64) -> SimDuration {
        match self {
            Distribution::Fixed(duration) => *duration,
            Distribution::Exponential { mean } => {
                SimDuration::from_secs_f64(-maths::ln(unit_interval(word)) * mean.as_secs_f64())
            }
            Distribution::Lognormal { mu, sigma } => {
                SimDuration::from_secs_f64(maths::exp(mu + sigma * normal_quantile(unit_interval(word))))
            }
            Distribution::Uniform { low, high } => {
                let width = (*high - *low).as_secs_f64();
                *low + SimDuration::from_secs_f64(width * unit_interval(word))
            }
            Distribution::Empirical(samples) => interpolate(samples, unit_interval(word)),
        }
    }

    /// No sample is longer: all are monotone in the word.
    pub fn longest(&self) -> SimDuration {
        self.sample(0).max(self.sample(u64::MAX))
    }

    /// The mean, where it has a closed form in the parameters.
    pub fn mean(&self) -> SimDuration {
        match self {
            Distribution::Fixed(duration) => *duration,
            Distribution::Exponential { mean } => *mean,
            Distribution::Lognormal { mu, sigma } => SimDuration::from_secs_f64(maths::exp(mu + sigma * sigma / 2.0)),
            Distribution::Uniform { low, high } => SimDuration::from_nanos(low.nanos() / 2 + high.nanos() / 2),
            Distribution::Empirical(samples) => {
                let sum: f64 = samples.iter().map(|sample| sample.as_secs_f64()).sum();
                SimDuration::from_secs_f64(sum / samples.len().max(1) as f64)
            }
        }
    }
}

fn interpolate(samples: &[SimDuration], u: f64) -> SimDuration {
    let Some(last) = samples.len().checked_sub(1) else { return SimDuration::ZERO };
    let position = u * last as f64;
    let below = position as usize;
    let above = (below + 1).min(last);
    let fraction = position - below as f64;
    let (low, high) = (samples[below].as_secs_f64(), samples[above].as_secs_f64());
    SimDuration::from_secs_f64(low + (high - low) * fraction)
}

/// Quantile of the standard normal distribution: Wichura's algorithm AS 241, PPND16 (Applied Statistics 37, 1988),
/// relative error about 1e-16.
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&CENTRE_NUMERATOR, r) / polynomial(&CENTRE_DENOMINATOR, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-maths::ln(tail)).sqrt();
    let magnitude = if r <= 5.0 {
        let r = r - 1.6;
        polynomial(&MIDDLE_NUMERATOR, r) / polynomial(&MIDDLE_DENOMINATOR, r)
    } else {
        let r = r - 5.0;
        polynomial(&FAR_NUMERATOR, r) / polynomial(&FAR_DENOMINATOR, r)
    };
    if q < 0.0 { -magnitude } else { magnitude }
}

/// Horner's scheme, highest coefficient last.
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

const CENTRE_NUMERATOR: [f64; 8] = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const CENTRE_DENOMINATOR: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_545,
];
const MIDDLE_NUMERATOR: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    2.417_807_251_774_506e-1,
    2.272_384_498_926_918_4e-2,
    7.745_450_142_783_414e-4,
];
const MIDDLE_DENOMINATOR: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    6.897_673_349_851e-1,
    1.481_039_764_274_800_8e-1,
    1.519_866_656_361_645_7e-2,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const FAR_NUMERATOR: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    2.965_605_718_285_048_7e-1,
    2.653_218_952_657_612_4e-2,
    1.242_660_947_388_078_4e-3,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_DENOMINATOR: [f64; 8] = [
    1.0,
    5.998_322_065_558_88e-1,
    1.369_298_809_227_358e-1,
    1.487_536_129_085_061_5e-2,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::StreamKey;

    fn mean_of(distribution: &Distribution) -> f64 {
        let key = StreamKey::of_seed(1).child("mean");
        let n = 200_000;
        (0..n).map(|i| distribution.sample(key.word(i, 0)).as_secs_f64()).sum::<f64>() / n as f64
    }

    #[test]
    fn normal_quantiles_agree_with_published_values() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.959_963_984_540_054), (0.99, Z99), (1e-9, -5.997_807_015_007_687)] {
            assert!((normal_quantile(p) - z).abs() < 1e-9, "p = {p}: {}", normal_quantile(p));
        }
    }

    #[test]
    fn sampled_means_agree_with_the_closed_forms() {
        let ms = SimDuration::from_millis;
        for distribution in [
            Distribution::Fixed(ms(20)),
            Distribution::Exponential { mean: ms(20) },
            Distribution::lognormal(ms(20), ms(60)),
            Distribution::Uniform { low: ms(10), high: ms(30) },
        ] {
            let (sampled, closed) = (mean_of(&distribution), distribution.mean().as_secs_f64());
            assert!((sampled / closed - 1.0).abs() < 0.01, "{distribution:?}: {sampled} against {closed}");
        }
    }

    #[test]
    fn a_lognormal_has_the_median_and_the_99th_percentile_it_was_given() {
        let distribution = Distribution::lognormal(SimDuration::from_millis(20), SimDuration::from_millis(120));
        let at = |p: f64| distribution.sample((p * u64::MAX as f64) as u64).as_secs_f64();
        assert!((at(0.5) - 0.020).abs() < 1e-6);
        assert!((at(0.99) - 0.120).abs() < 1e-5);
    }
}
