//! `index.html`: every curve with its plot and its numbers in one file, without network and without scripts.

use super::{Reported, plots, replay, words};
use crate::campaign::sweep::{Curve, Reading, Subject, Sweep};
use crate::report::html::{page, scroll, variant::figure};
use crate::report::number::{count, counted, quantity};
use maud::{Markup, html};

/// Rows of a table at most; `sweep.csv` has all of them.
const ROWS: usize = 400;

pub fn render(reported: &Reported) -> String {
    let sweep = &reported.sweep;
    let plots = plots(sweep);
    let body = html! {
            (opening(reported))
            @for (index, (curve, plot)) in sweep.curves.iter().zip(&plots).enumerate() {
                section.variant {
                    h2 { (curve.of.name()) @if let Subject::Violated(_) = curve.of { ": rate of violation" } }
                    @match plot {
                        Some(plot) => (figure(plot, index)),
                        None => p.quiet { "Nothing was measured: it has no value at any point." },
                    }
                    (theory(curve))
                    details open[sweep.points.len() <= 24] {
                        summary { "Numbers" }
                        (scroll("Numbers", numbers(sweep, curve)))
                    }
                }
            }
            (again(reported))
            details {
                summary { "The scenario file" }
                pre { code { (reported.source) } }
            }
    };
    page(
        &format!("{}: response curves · windtunnel", sweep.scenario),
        "bands are 95% intervals over seeds, each for itself.",
        &body,
    )
}

fn opening(reported: &Reported) -> Markup {
    let sweep = &reported.sweep;
    let (from, to) = sweep.seeds;
    html! {
        header {
            p.kicker { "windtunnel response curves" }
            h1 { (sweep.scenario) }
            @if !reported.summary.is_empty() { p.question { (reported.summary) } }
            p.facts {
                "variant " (sweep.variant)
                @for axis in &sweep.axes { " · " (axis) }
                " · " (counted(to - from, "seed", "seeds")) " at each of " (counted(sweep.asked as u64, "point", "points"))
                " (" (from) ".." (to) "), the same everywhere"
                @for (key, value) in &reported.invocation.set { " · " code { (key) "=" (value) } }
            }
            @if sweep.interrupted {
                div.verdict.unsure {
                    p.word { "Interrupted" }
                    p { (count(sweep.points.len() as u64)) " of " (count(sweep.asked as u64)) " points are finished." }
                }
            }
        }
    }
}

/// Each law that holds somewhere on a curve: formula, conditions, source.
fn theory(curve: &Curve) -> Markup {
    let law = |name: &str| {
        let theory = curve.readings.iter().flatten().filter_map(|reading| reading.theory);
        theory.map(|theory| theory.law).find(|law| law.name == name)
    };
    html! {
        @for found in curve.agreements() {
            @if let Some(law) = law(found.law) {
                p.quiet { strong { (law.name) ": " } (law.formula) "; " (law.holds) ". Source: " (law.source) "." }
            }
        }
    }
}

fn numbers(sweep: &Sweep, curve: &Curve) -> Markup {
    let theory = curve.readings.iter().flatten().any(|reading| reading.theory.is_some());
    let rate = matches!(curve.of, Subject::Violated(_));
    html! {
        table {
            thead {
                tr {
                    @for axis in &sweep.axes { th { (axis.key) } }
                    th.number { @if rate { "rate" } @else { "mean" } }
                    @if rate { th.number { "violated runs" } }
                    th.number { "95% band" }
                    @if theory { th.number { "theory" } }
                    th.number { @if rate { "exercised runs" } @else { "seeds" } }
                }
            }
            tbody {
                @for (point, reading) in sweep.points.iter().zip(&curve.readings).take(ROWS) {
                    tr {
                        @for (axis, at) in sweep.axes.iter().zip(&point.values) { td { (axis.values[*at].text) } }
                        @match reading {
                            Some(reading) => (row(curve, reading, theory)),
                            None => td.quiet colspan="5" { @if rate { "never exercised" } @else { "no value" } },
                        }
                    }
                }
            }
        }
        @if sweep.points.len() > ROWS {
            p.quiet { "and " (counted((sweep.points.len() - ROWS) as u64, "more point", "more points")) " in sweep.csv" }
        }
    }
}

fn row(curve: &Curve, reading: &Reading, theory: bool) -> Markup {
    html! {
        td.number { (quantity(reading.mean, curve.unit)) }
        @if let Some((violated, runs)) = reading.violated { td.number { (count(violated)) " of " (count(runs)) } }
        td.number { (words::band(curve, reading.ci95)) }
        @if theory {
            td.number { @if let Some(theory) = reading.theory { (quantity(theory.value, curve.unit)) } @else { "–" } }
        }
        td.number { (count(reading.seeds)) }
    }
}

/// The first and the last point, to be run again.
fn again(reported: &Reported) -> Markup {
    let points = &reported.sweep.points;
    let ends = points.first().into_iter().chain(points.last().filter(|_| points.len() > 1));
    html! {
        @if !points.is_empty() {
            h2 { "Again" }
            p { "A run depends on the scenario, the seed and the version only. This makes the runs of the first and of the last point again:" }
            pre { code { @for point in ends { (replay(reported, point)) "\n" } } }
        }
    }
}
