//! What is said of a curve: where it bends, and how it agrees with theory.

use crate::campaign::sweep::{Agreement, Axis, Curve, Scale, Subject, Sweep};
use crate::report::number::{self, counted, percent, plain, quantity};
use crate::stats::knee::{Bend, FEWEST_POINTS, FEWEST_SEEDS, Knee, Smooth};

/// `poll=5s`, `poll=5s percent=10%`.
pub fn place(sweep: &Sweep, point: usize) -> String {
    let values = sweep.axes.iter().zip(&sweep.points[point].values);
    let told: Vec<String> = values.map(|(axis, at)| format!("{}={}", axis.key, axis.values[*at].text)).collect();
    told.join(" ")
}

/// The formulas of the laws that hold somewhere on a curve.
pub fn formulas(curve: &Curve) -> Vec<&'static str> {
    let mut formulas = Vec::new();
    for theory in curve.readings.iter().flatten().filter_map(|reading| reading.theory) {
        if !formulas.contains(&theory.law.formula) {
            formulas.push(theory.law.formula);
        }
    }
    formulas
}

/// Where a curve bends; `None` where that is not asked.
pub fn bend(sweep: &Sweep, curve: &Curve) -> Option<String> {
    let axis = sweep.axes.first()?;
    let line = match axis.scale {
        Scale::Log => "a straight line over the logarithm",
        Scale::Linear | Scale::Words => "a straight line",
    };
    Some(match curve.bend.as_ref()? {
        Bend::TooFewPoints => format!("no knee is looked for: that takes at least {FEWEST_POINTS} values"),
        Bend::TooFewSeeds => {
            format!("no knee is looked for: that takes at least {FEWEST_SEEDS} seeds with a value everywhere")
        }
        Bend::Flat => "the same at every value".to_owned(),
        Bend::Straight { p_value } if *p_value > 0.05 => {
            format!("no knee: {line} explains it as well ({})", p_text(*p_value))
        }
        Bend::Straight { .. } => format!("no knee: {line} explains it but for less than 2% of its range"),
        Bend::Smooth { by, p_value } => format!(
            "no knee: it bends, and {} explains it as well as two lines that meet ({})",
            smooth(*by),
            p_text(*p_value)
        ),
        Bend::Knee(knee) => knee_text(axis, curve, knee),
    })
}

fn smooth(by: Smooth) -> &'static str {
    match by {
        Smooth::Parabola => "a parabola",
        Smooth::PowerLaw => "a power law",
    }
}

fn knee_text(axis: &Axis, curve: &Curve, knee: &Knee) -> String {
    let at = |place: f64| quantity(axis.at_place(place), axis.unit);
    let of = |value: f64| quantity(value, curve.unit);
    let gradual = if knee.gradual { "; it turns more slowly than they do, so that the place is theirs" } else { "" };
    let (first, last) = (&axis.values[0].text, &axis.values[axis.values.len() - 1].text);
    format!(
        "knee at {} (95% interval {} to {} over {}): two lines that meet there go from {} at {first} to {} and on to {} \
         at {last}; one line ({}), a parabola or a power law ({}) do not explain it as well{gradual}",
        at(knee.at),
        at(knee.interval.0),
        at(knee.interval.1),
        counted(knee.seeds, "seed", "seeds"),
        of(knee.lines[0]),
        of(knee.lines[1]),
        of(knee.lines[2]),
        p_text(knee.p_values.0),
        p_text(knee.p_values.1),
    )
}

/// How a curve agrees with a law.
pub fn agreement(sweep: &Sweep, found: &Agreement) -> String {
    let points = counted(found.points, "value", "values");
    let within = format!("theory lies in the 95% band at {} of {points}", number::count(found.within));
    match found.disagrees {
        None => within,
        Some((point, p_value)) => format!(
            "{within}, and THEY DISAGREE beyond chance, most at {} ({} after Holm): the closed form does not describe this plan",
            place(sweep, point),
            p_text(p_value)
        ),
    }
}

/// Under a plot: what is drawn, and what there is to see.
pub fn caption(sweep: &Sweep, curve: &Curve) -> String {
    let seeds = counted(sweep.seeds.1 - sweep.seeds.0, "seed", "seeds");
    let mut told = vec![match curve.of {
        Subject::Metric(_) => format!("{}. Means over {seeds}, the same at every point.", upper(&curve.formula)),
        Subject::Violated(_) => format!("{}, over {seeds}, the same at every point.", upper(&curve.formula)),
    }];
    told.extend(bend(sweep, curve).map(|bend| format!("{}.", upper(&bend))));
    told.extend(curve.agreements().iter().map(|found| format!("{}.", upper(&agreement(sweep, found)))));
    told.join(" ")
}

fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// `p = 0.03`, `p < 0.001`.
pub fn p_text(p: f64) -> String {
    const LEAST: f64 = 0.001;
    // Of two thousand resamples no more digits mean anything.
    if p < LEAST { format!("p < {LEAST}") } else { format!("p = {}", plain((p * 1_000.0).round() / 1_000.0)) }
}

/// A mean with its band: `12 (10 to 14)`; of a rate, with its runs.
pub fn band(curve: &Curve, ci95: Option<(f64, f64)>) -> String {
    let of = |value: f64| if curve.unit == "share" { percent(value) } else { quantity(value, curve.unit) };
    ci95.map_or_else(|| "one seed has none".to_owned(), |(low, high)| format!("{} to {}", of(low), of(high)))
}
