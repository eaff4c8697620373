//! A response curve: the mean over seeds with its band, theory beside it, and where it bends.

use super::canvas::{self, FONT, Paint, STRING, WIDTH};
use super::{Plot, number};
use crate::campaign::sweep::{Axis, Curve, Reading, Scale, Subject, Sweep};
use crate::report::sweep::words;
use crate::stats::knee::{Bend, Knee};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

const HEIGHT: u32 = 640;
/// Room beside the outer values, as a share of the axis.
const ROOM: f64 = 0.04;

/// The curve of one metric or rate over one parameter; `None` where nothing was measured.
pub fn response(sweep: &Sweep, curve: &Curve) -> Option<Plot> {
    let axis = sweep.axes.first()?;
    let points: Vec<(f64, &Reading)> = sweep
        .points
        .iter()
        .zip(&curve.readings)
        .filter_map(|(point, reading)| Some((axis.place(axis.values[point.values[0]].at), reading.as_ref()?)))
        .collect();
    if points.is_empty() {
        return None;
    }
    let theory = theory(curve, &points);
    let mut body = String::new();
    {
        let root = SVGBackend::with_string(&mut body, (WIDTH, HEIGHT)).into_drawing_area();
        let values = ValueAxis::over(axis);
        let (bottom, top) = heights(curve.unit, &points, &theory);
        let context = ChartBuilder::on(&root)
            .margin_top(60)
            .margin_right(60)
            .set_label_area_size(LabelAreaPosition::Left, 170)
            .set_label_area_size(LabelAreaPosition::Bottom, 110)
            .build_cartesian_2d(values, bottom..top)
            .expect(STRING);
        let mut chart = Chart { context, axis, unit: curve.unit };
        chart.axes();
        let knee = if let Some(Bend::Knee(knee)) = &curve.bend { Some(knee) } else { None };
        if let Some(knee) = knee {
            chart.interval(knee, bottom, top);
        }
        chart.measured(&points);
        chart.theory(&theory);
        if let Some(knee) = knee {
            chart.knee(knee, bottom, top);
        }
        root.present().expect(STRING);
    }
    let seeds = "95% band over seeds";
    let mean = match curve.of {
        Subject::Metric(_) => format!("mean, with its {seeds}"),
        Subject::Violated(_) => format!("share of exercised runs, with its {seeds}"),
    };
    let mut legend = vec![(Paint::Series(0).property(), mean)];
    if !theory.is_empty() {
        let formulas: Vec<&str> = words::formulas(curve);
        legend.push((Paint::Series(1).property(), format!("theory: {}", formulas.join("; "))));
    }
    if matches!(curve.bend, Some(Bend::Knee(_))) {
        legend.push((Paint::Ink.property(), "knee, with its 95% interval in grey".to_owned()));
    }
    let name = curve.of.name();
    Some(Plot {
        name: format!("curve-{name}").into(),
        title: format!("{name} over {}", axis.key).into(),
        caption: words::caption(sweep, curve),
        legend,
        height: HEIGHT,
        body,
    })
}

/// What theory says, as a line: at the points, and between them where one law holds throughout.
fn theory(curve: &Curve, points: &[(f64, &Reading)]) -> Vec<(f64, f64)> {
    let at_points = points.iter().filter_map(|(place, reading)| Some((*place, reading.theory?.value)));
    let mut line: Vec<(f64, f64)> = at_points.collect();
    if let (Some(first), Some(last)) = (line.first().copied(), line.last().copied()) {
        line.extend(curve.between.iter().filter(|(place, _)| first.0 < *place && *place < last.0));
    }
    line.sort_by(|a, b| a.0.total_cmp(&b.0));
    line
}

/// From where to where the vertical axis goes: from zero, unless everything lies far above it.
fn heights(unit: &str, points: &[(f64, &Reading)], theory: &[(f64, f64)]) -> (f64, f64) {
    let bounds = points.iter().flat_map(|(_, reading)| {
        let (low, high) = reading.ci95.unwrap_or((reading.mean, reading.mean));
        [low, high, reading.mean]
    });
    let all: Vec<f64> = bounds.chain(theory.iter().map(|(_, value)| *value)).collect();
    let low = all.iter().copied().fold(f64::INFINITY, f64::min);
    let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let full = canvas::ceiling(high.max(0.0));
    let top = if unit == "share" { full.min(1.0) } else { full };
    if low >= 0.0 && (low <= 0.5 * high || high <= low) {
        return (0.0, top);
    }
    let room = (high - low) * 0.15;
    let most = if unit == "share" { (high + room).min(1.0) } else { high + room };
    let least = if low >= 0.0 { (low - room).max(0.0) } else { low - room };
    (least, most)
}

/// The values of a parameter as they are drawn, with ticks at those that were tried.
#[derive(Clone)]
pub struct ValueAxis {
    from: f64,
    until: f64,
    /// Places and what stands at them.
    ticks: Vec<(f64, String)>,
}

impl ValueAxis {
    fn over(axis: &Axis) -> ValueAxis {
        let places = axis.places();
        let (first, last) = (places[0], places[places.len() - 1]);
        // Words are wider than numbers.
        let room = (last - first) * if axis.scale == Scale::Words { 4.0 * ROOM } else { ROOM };
        let (from, until) = (first - room, last + room);
        let pixels = f64::from(WIDTH - 230) / (until - from);
        let mut ticks: Vec<(f64, String)> = Vec::new();
        let mut free = f64::NEG_INFINITY;
        for (place, value) in places.iter().zip(&axis.values) {
            // The mean width of a character is half of the written size.
            let half = value.text.chars().count() as f64 * FONT / 1.24 * 0.51 / 2.0 + 14.0;
            let middle = (place - from) * pixels;
            if middle - half >= free {
                ticks.push((*place, value.text.clone()));
                free = middle + half;
            }
        }
        ValueAxis { from, until, ticks }
    }
}

impl Ranged for ValueAxis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let width = f64::from(limit.1 - limit.0);
        limit.0 + ((value - self.from) / (self.until - self.from) * width).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(place, _)| *place).collect()
    }

    fn range(&self) -> Range<f64> {
        self.from..self.until
    }
}

impl ValueFormatter<f64> for ValueAxis {
    fn format_ext(&self, value: &f64) -> String {
        self.ticks.iter().find(|(place, _)| place == value).map(|(_, text)| text.clone()).unwrap_or_default()
    }
}

struct Chart<'a, 'b> {
    context: ChartContext<'a, SVGBackend<'b>, Cartesian2d<ValueAxis, RangedCoordf64>>,
    axis: &'a Axis,
    unit: &'a str,
}

impl Chart<'_, '_> {
    fn axes(&mut self) {
        let unit = self.unit;
        self.context
            .configure_mesh()
            .disable_x_mesh()
            .y_labels(6)
            .x_desc(match self.axis.scale {
                Scale::Log => format!("{} (logarithmic)", self.axis.key),
                Scale::Linear | Scale::Words => self.axis.key.clone(),
            })
            .bold_line_style(Paint::Grid.stand_in().stroke_width(2))
            .light_line_style(TRANSPARENT)
            .axis_style(Paint::Muted.stand_in().stroke_width(2))
            .axis_desc_style(canvas::text(Paint::Muted))
            .label_style(canvas::text(Paint::Muted))
            .y_label_formatter(&|value| number::quantity(*value, unit))
            .draw()
            .expect(STRING);
    }

    fn measured(&mut self, points: &[(f64, &Reading)]) {
        let color = Paint::Series(0).stand_in();
        let bounds = |(place, reading): &(f64, &Reading)| Some((*place, reading.ci95?));
        let bands: Vec<(f64, (f64, f64))> = points.iter().filter_map(bounds).collect();
        if self.axis.scale == Scale::Words {
            let bars = bands
                .iter()
                .map(|(at, (low, high))| PathElement::new(vec![(*at, *low), (*at, *high)], color.stroke_width(5)));
            self.context.draw_series(bars).expect(STRING);
        } else {
            let lower = bands.iter().map(|(at, (low, _))| (*at, *low));
            let upper = bands.iter().rev().map(|(at, (_, high))| (*at, *high));
            let outline: Vec<(f64, f64)> = lower.chain(upper).collect();
            self.context.draw_series([Polygon::new(outline, color.mix(0.22).filled())]).expect(STRING);
            let line: Vec<(f64, f64)> = points.iter().map(|(at, reading)| (*at, reading.mean)).collect();
            self.context.draw_series(LineSeries::new(line, color.stroke_width(5))).expect(STRING);
        }
        let dots = points.iter().map(|(at, reading)| Circle::new((*at, reading.mean), 9, color.filled()));
        self.context.draw_series(dots).expect(STRING);
    }

    fn theory(&mut self, line: &[(f64, f64)]) {
        let color = Paint::Series(1).stand_in();
        if self.axis.scale == Scale::Words {
            let crosses = line.iter().map(|point| Cross::new(*point, 14, color.stroke_width(5)));
            self.context.draw_series(crosses).expect(STRING);
        } else {
            let dashed = DashedLineSeries::new(line.iter().copied(), 22, 14, color.stroke_width(5));
            self.context.draw_series(dashed).expect(STRING);
        }
    }

    fn interval(&mut self, knee: &Knee, bottom: f64, top: f64) {
        let corners = [(knee.interval.0, top), (knee.interval.1, bottom)];
        let band = Rectangle::new(corners, Paint::Band.stand_in().mix(0.25).filled());
        self.context.draw_series([band]).expect(STRING);
    }

    /// The two lines, and where they meet.
    fn knee(&mut self, knee: &Knee, bottom: f64, top: f64) {
        let places = self.axis.places();
        let ends = [places[0], knee.at, places[places.len() - 1]];
        let lines: Vec<(f64, f64)> = ends.into_iter().zip(knee.lines).collect();
        let ink = Paint::Ink.stand_in();
        self.context.draw_series([PathElement::new(lines, ink.mix(0.55).stroke_width(3))]).expect(STRING);
        let vertical = DashedLineSeries::new([(knee.at, bottom), (knee.at, top)], 12, 10, ink.stroke_width(3));
        self.context.draw_series(vertical).expect(STRING);
        let right = (knee.at - places[0]) > 0.7 * (places[places.len() - 1] - places[0]);
        let (side, nudge) = if right { (HPos::Right, -12) } else { (HPos::Left, 12) };
        let style = canvas::text(Paint::Ink).pos(Pos::new(side, VPos::Bottom));
        let told = format!("knee at {}", number::quantity(self.axis.at_place(knee.at), self.axis.unit));
        let label = EmptyElement::at((knee.at, top)) + Text::new(told, (nudge, -8), style);
        self.context.draw_series([label]).expect(STRING);
    }
}
