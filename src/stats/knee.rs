//! Where a response curve bends: two straight lines that meet, against one straight line and against a parabola.
//!
//! The curve is the mean over seeds at each value; the two lines are fitted by least squares, and the knee is where they
//! meet (two-phase regression: Hinkley, Biometrika 56, 1969; Muggeo, Statistics in Medicine 22, 2003). Whether there is
//! a bend at all is a test of the greatest improvement over every possible knee, whose law under "no knee" comes from
//! resampling (Davies, Biometrika 74, 1987; Hansen, Econometrica 64, 1996). The seed is the sampling unit throughout: a
//! resample takes whole curves, so that what points have in common, because they share their seeds, stays in. A smooth
//! curve has no knee: where a parabola or a power law, which have fewer parameters, explain it as well as two lines,
//! none is named. (A power law looks the same on every scale, and what would pass for its knee moves with the values
//! that were chosen.) Where two lines are not all there is to a curve, its knee is said to be gradual.

use crate::kernel::StreamKey;
use crate::kernel::stream::unit_interval;

/// With fewer points two lines fit almost anything: they have four parameters.
pub const FEWEST_POINTS: usize = 5;
/// With fewer curves resampling says little of how much they vary.
pub const FEWEST_SEEDS: usize = 8;
const RESAMPLES: u64 = 1_999;
/// Places at which a knee is looked for, between the second point and the last but one.
const PLACES: usize = 240;
/// Error of each of the two tests.
const LEVEL: f64 = 0.05;
/// A bend of less than this share of the curve's range is none that anybody could see, however surely it is measured.
const LEAST_BEND: f64 = 0.02;

/// How a curve bends.
#[derive(Clone, Debug, PartialEq)]
pub enum Bend {
    TooFewPoints,
    TooFewSeeds,
    /// The same at every value.
    Flat,
    /// A straight line explains it as well; `p_value` is that of the improvement by a knee.
    Straight {
        p_value: f64,
    },
    /// It bends, and a curve without a knee explains it as well as two lines; `p_value` is that of the improvement of
    /// the lines.
    Smooth {
        by: Smooth,
        p_value: f64,
    },
    Knee(Knee),
}

/// A curve that bends and has no knee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Smooth {
    Parabola,
    PowerLaw,
}

/// Where two lines meet.
#[derive(Clone, Debug, PartialEq)]
pub struct Knee {
    /// On the scale of the values given.
    pub at: f64,
    /// Its 95% interval over seeds (percentiles of resamples).
    pub interval: (f64, f64),
    /// The two lines at the first value, at the knee, and at the last value.
    pub lines: [f64; 3],
    /// That one straight line explains it as well, and the greatest of those of smooth curves.
    pub p_values: (f64, f64),
    /// Two lines leave more than chance does: it turns more slowly than they do.
    pub gradual: bool,
    /// Curves it rests on.
    pub seeds: u64,
}

/// Judges curves of equal length, one per seed, at ascending values. `places` are the values as their axis is drawn (their
/// logarithms on a logarithmic one): there lines are straight, and there the knee is told. `key` gives the resamples.
pub fn bend(values: &[f64], places: &[f64], curves: &[Vec<f64>], key: StreamKey) -> Bend {
    if values.len() < FEWEST_POINTS {
        return Bend::TooFewPoints;
    }
    if curves.len() < FEWEST_SEEDS {
        return Bend::TooFewSeeds;
    }
    let mean = mean_of(curves.iter(), values.len());
    let low = mean.iter().copied().fold(f64::INFINITY, f64::min);
    let high = mean.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if high <= low {
        return Bend::Flat;
    }
    let shapes = Shapes::over(values, places);
    let (place, improved) = shapes.best(&mean);
    let resampled: Vec<Vec<f64>> = (0..RESAMPLES).map(|round| resample(curves, key, round)).collect();
    // Resampled means vary by (n-1)/n too little.
    let spread = libm::sqrt(curves.len() as f64 / (curves.len() as f64 - 1.0));
    let noise = |resampled: &Vec<f64>| -> Vec<f64> {
        resampled.iter().zip(&mean).map(|(resampled, mean)| (resampled - mean) * spread).collect()
    };
    let noises: Vec<Vec<f64>> = resampled.iter().map(noise).collect();
    let share = |as_far: &dyn Fn(&Vec<f64>) -> bool| {
        (1 + noises.iter().filter(|noise| as_far(noise)).count()) as f64 / (1 + RESAMPLES) as f64
    };
    let p_value = share(&|noise| shapes.best(noise).1 >= improved);
    let most = shapes.hinges[place].iter().fold(0.0_f64, |most, part| most.max(part.abs()));
    if p_value > LEVEL || libm::sqrt(improved) * most < LEAST_BEND * (high - low) {
        return Bend::Straight { p_value };
    }
    let mut greatest = 0.0_f64;
    for (by, smooth) in shapes.smooth(&mean) {
        // By how much the lines leave less than the smooth curve does.
        let gained = |curve: &[f64]| shapes.left_by(by, curve) - shapes.left_by_lines(curve);
        let seen = gained(&mean);
        let rounding = 1e-12 * dot(&mean, &mean);
        let as_far = |noise: &Vec<f64>| gained(&sum(&smooth, noise)) >= seen;
        let p_value = if seen <= rounding { 1.0 } else { share(&as_far) };
        if p_value > LEVEL {
            return Bend::Smooth { by, p_value };
        }
        greatest = greatest.max(p_value);
    }
    let left = shapes.left_by_lines(&mean);
    let gradual = left > 1e-9 * dot(&mean, &mean) && share(&|noise| shapes.left_by_lines(noise) >= left) <= LEVEL;
    let mut found: Vec<f64> = resampled.iter().map(|curve| shapes.places[shapes.best(curve).0]).collect();
    found.sort_by(f64::total_cmp);
    let quantile = |q: f64| found[((q * found.len() as f64) as usize).min(found.len() - 1)];
    let at = shapes.places[place];
    Bend::Knee(Knee {
        at,
        interval: (quantile(0.025).min(at), quantile(0.975).max(at)),
        lines: shapes.lines(&mean, place),
        p_values: (p_value, greatest),
        gradual,
        seeds: curves.len() as u64,
    })
}

fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn mean_of<'a>(curves: impl ExactSizeIterator<Item = &'a Vec<f64>>, points: usize) -> Vec<f64> {
    let n = curves.len() as f64;
    let mut sums = vec![0.0; points];
    for curve in curves {
        sums.iter_mut().zip(curve).for_each(|(sum, value)| *sum += value);
    }
    sums.iter().map(|sum| sum / n).collect()
}

/// The mean of as many curves as there are, drawn with replacement.
fn resample(curves: &[Vec<f64>], key: StreamKey, round: u64) -> Vec<f64> {
    let n = curves.len();
    let drawn: Vec<&Vec<f64>> = (0..n as u64)
        .map(|at| &curves[((unit_interval(key.word(round, at)) * n as f64) as usize).min(n - 1)])
        .collect();
    mean_of(drawn.into_iter(), curves[0].len())
}

/// What may explain a curve beyond a straight line. Each is a unit vector at right angles to every straight line, so
/// that the square of its product with a curve is by how much it reduces the sum of squares.
struct Shapes {
    values: Vec<f64>,
    /// Where a knee may be, and the hinge there.
    places: Vec<f64>,
    hinges: Vec<Vec<f64>>,
    parabola: Vec<f64>,
    /// Powers of the values, not at right angles to anything; none where a value is not positive.
    powers: Vec<Vec<f64>>,
    line: [Vec<f64>; 2],
}

/// Exponents of power laws, in hundredths.
const EXPONENTS: std::ops::RangeInclusive<i32> = -400..=400;
const EXPONENT_STEP: usize = 2;

impl Shapes {
    fn over(raw: &[f64], values: &[f64]) -> Shapes {
        let n = values.len();
        let (from, until) = (values[1], values[n - 2]);
        let even = (0..=PLACES).map(|place| from + (until - from) * place as f64 / PLACES as f64);
        let mut places: Vec<f64> = even.chain(values[1..n - 1].iter().copied()).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let level = unit(vec![1.0; n], &[]).expect("a curve has points");
        let slope = unit(values.to_vec(), &[&level]).expect("values ascend");
        let line = [level, slope];
        let beyond = |shape: Vec<f64>| unit(shape, &[&line[0], &line[1]]);
        let hinge = |place: f64| beyond(values.iter().map(|value| (value - place).max(0.0)).collect());
        let hinges = places.iter().map(|place| hinge(*place).expect("a hinge between points is no line")).collect();
        // Centred, so that squares of large numbers lose no digits.
        let middle = (values[0] + values[n - 1]) / 2.0;
        let parabola = beyond(values.iter().map(|value| square(value - middle)).collect());
        let parabola = parabola.expect("a parabola over five points is no line");
        let power = |hundredths: i32| {
            let exponent = f64::from(hundredths) / 100.0;
            unit(raw.iter().map(|value| libm::pow(value / raw[0], exponent)).collect(), &[])
        };
        let powers =
            if raw[0] > 0.0 { EXPONENTS.step_by(EXPONENT_STEP).filter_map(power).collect() } else { Vec::new() };
        Shapes { values: values.to_vec(), places, hinges, parabola, powers, line }
    }

    /// The best place of a knee in a curve, and by how much it reduces the sum of squares; of equal ones the first.
    fn best(&self, curve: &[f64]) -> (usize, f64) {
        let improved = self.hinges.iter().map(|hinge| square(dot(hinge, curve))).enumerate();
        improved.fold((0, -1.0), |best, this| if this.1 > best.1 { this } else { best })
    }

    /// The smooth curves of each kind that are nearest to a curve.
    fn smooth(&self, curve: &[f64]) -> Vec<(Smooth, Vec<f64>)> {
        let parabola = (Smooth::Parabola, self.combined(curve, &self.parabola));
        let power = self.power(curve).map(|power| (Smooth::PowerLaw, power));
        std::iter::once(parabola).chain(power).collect()
    }

    /// The power law that is nearest to a curve.
    fn power(&self, curve: &[f64]) -> Option<Vec<f64>> {
        let along = |power: &&Vec<f64>| square(dot(power, curve));
        let best = self.powers.iter().max_by(|a, b| along(a).total_cmp(&along(b)))?;
        let times = dot(best, curve);
        Some(best.iter().map(|part| times * part).collect())
    }

    /// The sum of squares that the best two lines leave.
    fn left_by_lines(&self, curve: &[f64]) -> f64 {
        self.left_by_line(curve) - self.best(curve).1
    }

    fn left_by_line(&self, curve: &[f64]) -> f64 {
        dot(curve, curve) - self.line.iter().map(|part| square(dot(part, curve))).sum::<f64>()
    }

    /// The sum of squares that the best smooth curve of a kind leaves.
    fn left_by(&self, kind: Smooth, curve: &[f64]) -> f64 {
        match kind {
            Smooth::Parabola => self.left_by_line(curve) - square(dot(&self.parabola, curve)),
            Smooth::PowerLaw => {
                let along = self.powers.iter().map(|power| square(dot(power, curve))).fold(0.0, f64::max);
                dot(curve, curve) - along
            }
        }
    }

    /// The nearest combination of a line and one more shape.
    fn combined(&self, curve: &[f64], shape: &[f64]) -> Vec<f64> {
        let parts = [&self.line[0][..], &self.line[1], shape].map(|part| (dot(part, curve), part));
        (0..curve.len()).map(|at| parts.iter().map(|(times, part)| times * part[at]).sum()).collect()
    }

    /// The two lines with a knee at a place: at the first value, at the knee, at the last value.
    fn lines(&self, curve: &[f64], place: usize) -> [f64; 3] {
        let fitted = self.combined(curve, &self.hinges[place]);
        let (x, at) = (&self.values, self.places[place]);
        // The first line goes through the first two points of the fit: no knee lies before the second.
        let knee = fitted[0] + (fitted[1] - fitted[0]) / (x[1] - x[0]) * (at - x[0]);
        [fitted[0], knee, fitted[fitted.len() - 1]]
    }
}

/// A vector of length one at right angles to others; `None` where it is a combination of them.
fn unit(mut vector: Vec<f64>, others: &[&[f64]]) -> Option<Vec<f64>> {
    let size = libm::sqrt(dot(&vector, &vector));
    // Twice is enough: what rounding left of the others goes the second time.
    for _ in 0..2 {
        for other in others {
            let along = dot(&vector, other);
            vector.iter_mut().zip(*other).for_each(|(part, other)| *part -= along * other);
        }
    }
    let length = libm::sqrt(dot(&vector, &vector));
    (length > size * 1e-12).then(|| vector.iter().map(|part| part / length).collect())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn square(x: f64) -> f64 {
    x * x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::distribution::normal_quantile;

    const VALUES: [f64; 9] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];

    /// Curves of twenty seeds around a truth: noise of the whole curve, which seeds share between points, and noise of
    /// each point.
    fn noisy(truth: fn(f64) -> f64, noise: f64, round: u64) -> Vec<Vec<f64>> {
        let key = StreamKey::of_seed(4).child("knee").nth(round);
        let normal = |seed: u64, at: u64| normal_quantile(unit_interval(key.word(seed, at)));
        let curve = |seed: u64| {
            let point =
                |(at, value): (usize, &f64)| truth(*value) + noise * (normal(seed, 99) + normal(seed, at as u64));
            VALUES.iter().enumerate().map(point).collect()
        };
        (0..20).map(curve).collect()
    }

    fn judged(truth: fn(f64) -> f64, noise: f64, round: u64) -> Bend {
        bend(&VALUES, &VALUES, &noisy(truth, noise, round), StreamKey::of_seed(5).nth(round))
    }

    fn two_lines(x: f64) -> f64 {
        10.0 + x + 6.0 * (x - 5.3).max(0.0)
    }

    #[test]
    fn the_knee_of_two_lines_is_where_they_meet() {
        let Bend::Knee(knee) = judged(two_lines, 0.0, 0) else { panic!("it has a knee") };
        assert!((knee.at - 5.3).abs() < 0.02, "{knee:?}");
        // The place is on a grid of 240: what that leaves is rounding to chance, which there is none of here.
        let Bend::Knee(noisy) = judged(two_lines, 0.3, 0) else { panic!("it has a knee") };
        assert!(!noisy.gradual, "{noisy:?}");
        for (told, expected) in knee.lines.iter().zip([10.0, 15.3, 34.2]) {
            assert!((told - expected).abs() < 0.1, "{knee:?}");
        }
    }

    #[test]
    fn the_interval_of_a_noisy_knee_holds_it_about_as_often_as_it_says() {
        let (mut found, mut covered) = (0, 0);
        for round in 0..100 {
            if let Bend::Knee(knee) = judged(two_lines, 2.0, round) {
                found += 1;
                covered += usize::from(knee.interval.0 <= 5.3 && 5.3 <= knee.interval.1);
            }
        }
        assert!(found >= 85, "{found} of 100 found");
        let share = covered as f64 / found as f64;
        assert!(share >= 0.85, "{share} of {found}");
    }

    #[test]
    fn a_straight_line_has_no_knee_however_noisy_it_is() {
        assert!(matches!(judged(|x| 3.0 - 2.0 * x, 0.0, 0), Bend::Straight { .. }));
        let wrong = (0..200).filter(|round| !matches!(judged(|x| 3.0 * x, 2.0, *round), Bend::Straight { .. })).count();
        assert!(wrong <= 22, "{wrong} of 200 bends, 5% are allowed");
    }

    #[test]
    fn noise_around_nothing_has_no_knee() {
        let wrong = (0..100).filter(|round| matches!(judged(|_| 5.0, 1.0, *round), Bend::Knee(_))).count();
        assert!(wrong <= 10, "{wrong} of 100");
        assert_eq!(judged(|_| 5.0, 0.0, 0), Bend::Flat);
    }

    #[test]
    fn a_parabola_bends_without_a_knee() {
        assert!(matches!(judged(|x| x * x, 0.0, 0), Bend::Smooth { by: Smooth::Parabola, .. }));
        let knees = (0..60).filter(|round| matches!(judged(|x| x * x, 2.0, *round), Bend::Knee(_))).count();
        assert!(knees <= 8, "{knees} of 60");
    }

    #[test]
    fn the_wait_in_a_queue_has_its_knee_before_it_is_full() {
        // M/M/1 at loads of 0.1 to 0.9: flat for long, then steep.
        let wait = |x: f64| (0.1 + x / 10.0) / (0.9 - x / 10.0);
        let Bend::Knee(knee) = judged(wait, 0.05, 1) else { panic!("it has a knee") };
        assert!((5.5..7.0).contains(&knee.at) && knee.gradual, "{knee:?}");
    }

    #[test]
    fn a_power_law_has_no_knee_on_any_axis() {
        let values = VALUES.map(|value| value + 1.0);
        let logarithms = values.map(libm::log);
        let curves: Vec<Vec<f64>> = noisy(|x| 100.0 / (x + 1.0), 0.3, 2);
        for places in [&values, &logarithms] {
            let found = bend(&values, places, &curves, StreamKey::of_seed(1));
            assert!(matches!(found, Bend::Smooth { by: Smooth::PowerLaw, .. }), "{found:?}");
        }
    }

    #[test]
    fn a_bend_that_nobody_could_see_is_none() {
        assert!(matches!(judged(|x| x + 0.01 * (x - 4.0).max(0.0), 0.0, 0), Bend::Straight { .. }));
    }

    #[test]
    fn too_little_is_told_as_too_little() {
        let curves = noisy(two_lines, 0.1, 0);
        assert_eq!(bend(&VALUES, &VALUES, &curves[..7], StreamKey::of_seed(1)), Bend::TooFewSeeds);
        let short: Vec<Vec<f64>> = curves.iter().map(|curve| curve[..4].to_vec()).collect();
        assert_eq!(bend(&VALUES[..4], &VALUES[..4], &short, StreamKey::of_seed(1)), Bend::TooFewPoints);
    }

    #[test]
    fn the_scale_of_values_does_not_matter() {
        let curves = noisy(two_lines, 1.0, 3);
        let thousand = VALUES.map(|value| 1e6 + value * 1e3);
        let (one, other) = (
            bend(&VALUES, &VALUES, &curves, StreamKey::of_seed(1)),
            bend(&thousand, &thousand, &curves, StreamKey::of_seed(1)),
        );
        let (Bend::Knee(one), Bend::Knee(other)) = (one, other) else { panic!("both have a knee") };
        assert!((one.at - (other.at - 1e6) / 1e3).abs() < 1e-6);
    }
}
