//! One drawing per family: a panel for each law, with theory as a line and what was measured as points with bars of
//! two standard errors to both sides.

use super::{Family, Law, Measured};
use crate::report::number;
use crate::report::plot::{Paint, STRING, TEXT_STYLE, WIDTH, ceiling, elements, escaped, palette, text};
use plotters::coord::Shift;
use plotters::prelude::*;

const COLUMNS: u32 = 2;
const PANEL_HEIGHT: u32 = 560;
/// Between points of a theory's curve there are so many steps.
const STEPS: u32 = 120;

/// The drawing of a family as a file of its own, readable on light and on dark ground.
pub fn plot(family: &Family, measured: &[Measured]) -> String {
    let rows = (family.laws.len() as u32).div_ceil(COLUMNS);
    let height = rows * PANEL_HEIGHT;
    let mut drawn = String::new();
    {
        let root = SVGBackend::with_string(&mut drawn, (WIDTH, height)).into_drawing_area();
        let panels = root.split_evenly((rows as usize, COLUMNS as usize));
        for (law, area) in family.laws.iter().zip(&panels) {
            let points: Vec<&Measured> = measured.iter().filter(|one| std::ptr::eq(one.case.law, law)).collect();
            panel(law, &points, area);
        }
        root.present().expect(STRING);
    }
    let (light, dark) = palette();
    let (title, description) = (escaped(family.title), escaped(family.sentence));
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-labelledby=\"title desc\">\
         <title id=\"title\">{title}</title><desc id=\"desc\">{description}</desc>\n\
         <style>svg{{{light};font-family:system-ui,sans-serif}}\
         @media (prefers-color-scheme:dark){{svg{{{dark}}}}}text{{{TEXT_STYLE}}}</style>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"var(--surface)\"/>\n{}</svg>\n",
        elements(&drawn)
    )
}

/// A parameter without a unit whose values are all whole counts something: nothing lies between its values.
fn counts(law: &Law) -> bool {
    !law.parameter.contains('(') && law.at.iter().all(|at| at.fract() == 0.0)
}

/// Where theory is drawn.
fn curve(law: &Law) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (law.at.first(), law.at.last()) else { return Vec::new() };
    let along: Vec<f64> = if counts(law) || first >= last {
        law.at.to_vec()
    } else {
        (0..=STEPS).map(|step| first + (last - first) * f64::from(step) / f64::from(STEPS)).collect()
    };
    along.into_iter().map(|at| (at, (law.theory)(at))).filter(|(_, value)| value.is_finite()).collect()
}

fn panel(law: &Law, points: &[&Measured], area: &DrawingArea<SVGBackend<'_>, Shift>) {
    let curve = curve(law);
    let bars: Vec<(f64, f64, f64)> = points.iter().map(|one| (one.case.at, one.value, 2.0 * one.error)).collect();
    let tops = bars.iter().map(|(_, value, error)| value + error).chain(curve.iter().map(|(_, value)| *value));
    let top = ceiling(tops.fold(0.0, f64::max));
    let (first, last) = (law.at[0], law.at[law.at.len() - 1]);
    // Room beside the outer points; a single one stands in the middle.
    let margin = if last > first { (last - first) * 0.06 } else { 1.0 };
    let titled = area.titled(&format!("{} ({})", law.name, law.unit), text(Paint::Ink)).expect(STRING);
    let mut chart = ChartBuilder::on(&titled)
        .margin_top(10)
        .margin_right(40)
        .margin_bottom(24)
        .set_label_area_size(LabelAreaPosition::Left, 150)
        .set_label_area_size(LabelAreaPosition::Bottom, 110)
        .build_cartesian_2d(first - margin..last + margin, 0.0..top)
        .expect(STRING);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(6)
        .y_labels(5)
        .x_desc(law.parameter)
        .bold_line_style(Paint::Grid.stand_in().stroke_width(2))
        .light_line_style(TRANSPARENT)
        .axis_style(Paint::Muted.stand_in().stroke_width(2))
        .axis_desc_style(text(Paint::Muted))
        .label_style(text(Paint::Muted))
        .x_label_formatter(&|value| number::plain(*value))
        .y_label_formatter(&|value| number::plain(*value))
        .draw()
        .expect(STRING);
    chart.draw_series(LineSeries::new(curve, Paint::Series(0).stand_in().stroke_width(5))).expect(STRING);
    let measured = Paint::Series(1).stand_in();
    chart
        .draw_series(bars.iter().flat_map(|(at, value, error)| {
            let (low, high) = ((value - error).max(0.0), value + error);
            let across = |value: f64| vec![(at - margin / 4.0, value), (at + margin / 4.0, value)];
            [vec![(*at, low), (*at, high)], across(low), across(*value), across(high)]
                .map(|line| PathElement::new(line, measured.stroke_width(4)))
        }))
        .expect(STRING);
}
