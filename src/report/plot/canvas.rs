//! One chart over the time of a run: axes, layers, curves or bars, and what happened, as bands and lines.

use super::marks;
use super::time_axis::TimeAxis;
use crate::run::summary::Series;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

/// Drawn large, because the backend rounds to whole pixels; the page scales it.
pub const WIDTH: u32 = 1920;
/// Of the plotting area with the labels under it.
const HEIGHT: u32 = 560;
/// Between the edge and the plotting area: room for `100%` and for large counts.
const LEFT: u32 = 150;
const RIGHT: u32 = 40;
/// The backend writes a font size 1.24 times smaller than asked.
pub const FONT: f64 = 36.0;
const AXIS_LABELS: u32 = 60;

/// What a colour is for. Each is drawn as a colour that nothing else uses and becomes a custom property afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Series(usize),
    /// Where there is no policy at all.
    Nothing,
    Surface,
    Ink,
    Muted,
    Grid,
    Band,
}

impl Paint {
    /// Every colour a drawing can use.
    pub fn all() -> impl Iterator<Item = Paint> {
        let others = [Paint::Nothing, Paint::Surface, Paint::Ink, Paint::Muted, Paint::Grid, Paint::Band];
        (0..super::COLORS).map(Paint::Series).chain(others)
    }

    /// `--series-1`, ….
    pub fn property(self) -> String {
        match self {
            Paint::Series(index) => format!("--series-{}", index + 1),
            Paint::Nothing => "--nothing".to_owned(),
            Paint::Surface => "--surface".to_owned(),
            Paint::Ink => "--ink".to_owned(),
            Paint::Muted => "--muted".to_owned(),
            Paint::Grid => "--grid".to_owned(),
            Paint::Band => "--band".to_owned(),
        }
    }

    /// The colour it is drawn in.
    pub fn stand_in(self) -> RGBColor {
        let number = match self {
            Paint::Series(index) => index as u8,
            Paint::Nothing => 100,
            Paint::Surface => 101,
            Paint::Ink => 102,
            Paint::Muted => 103,
            Paint::Grid => 104,
            Paint::Band => 105,
        };
        RGBColor(0xF1, 0x02, number)
    }
}

/// A finished drawing.
pub struct Drawing {
    pub svg: String,
    pub height: u32,
}

type Axes = Cartesian2d<TimeAxis, RangedCoordf64>;

/// A chart whose axes stand, open for data.
pub struct Chart<'a, 'b> {
    context: ChartContext<'a, SVGBackend<'b>, Axes>,
    bucket: f64,
}

/// Draws a chart of `series` from 0 to `top`: first what `data` draws, then bands and lines over it.
pub fn draw(series: &Series, top: f64, tick: fn(f64) -> String, data: impl FnOnce(&mut Chart<'_, '_>)) -> Drawing {
    let axis = TimeAxis { end: series.bucket.as_secs_f64() * series.buckets as f64 };
    let (left, right) = (f64::from(LEFT), f64::from(WIDTH - RIGHT));
    let laid_out = marks::lay_out(series, axis.end, left, right, f64::from(WIDTH));
    let strip = laid_out.height();
    let height = HEIGHT + strip;
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
        let context = ChartBuilder::on(&root)
            .margin_top(strip)
            .margin_right(RIGHT)
            .set_label_area_size(LabelAreaPosition::Left, LEFT)
            .set_label_area_size(LabelAreaPosition::Bottom, AXIS_LABELS)
            .build_cartesian_2d(axis, 0.0..top)
            .expect(STRING);
        let mut chart = Chart { context, bucket: series.bucket.as_secs_f64() };
        chart.axes(tick);
        data(&mut chart);
        chart.bands(series, top);
        laid_out.draw(&root, HEIGHT + strip - AXIS_LABELS);
        root.present().expect(STRING);
    }
    Drawing { svg: text, height }
}

pub const STRING: &str = "drawing into a string cannot fail";

/// A round number at or above `most`, with a little room over it.
pub fn ceiling(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let wanted = most * 1.08;
    let mut power = 1e-9;
    while power * 10.0 <= wanted {
        power *= 10.0;
    }
    let steps = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|top| *top >= wanted).unwrap_or(wanted)
}

pub fn text(color: Paint) -> TextStyle<'static> {
    ("sans-serif", FONT).into_font().color(&color.stand_in())
}

impl Chart<'_, '_> {
    fn axes(&mut self, tick: fn(f64) -> String) {
        self.context
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(10)
            .y_labels(6)
            .bold_line_style(Paint::Grid.stand_in().stroke_width(2))
            .light_line_style(TRANSPARENT)
            .axis_style(Paint::Muted.stand_in().stroke_width(2))
            .label_style(text(Paint::Muted))
            .y_label_formatter(&|value| tick(*value))
            .draw()
            .expect(STRING);
    }

    /// The end of a bucket, where its value was taken.
    fn end_of(&self, bucket: usize) -> f64 {
        (bucket + 1) as f64 * self.bucket
    }

    /// A layer of a stack. The first value is drawn back to the beginning of the run.
    pub fn layer(&mut self, below: &[f64], above: &[f64], color: Paint) {
        let edge = |values: &[f64]| -> Vec<(f64, f64)> {
            let first = values.first().map(|value| (0.0, *value));
            let rest = values.iter().enumerate().map(|(bucket, value)| (self.end_of(bucket), *value));
            first.into_iter().chain(rest).collect()
        };
        let (lower, upper) = (edge(below), edge(above));
        let outline: Vec<(f64, f64)> = upper.iter().copied().chain(lower.into_iter().rev()).collect();
        self.context.draw_series([Polygon::new(outline, color.stand_in().filled())]).expect(STRING);
        let rim = Paint::Surface.stand_in().stroke_width(3);
        self.context.draw_series([PathElement::new(upper, rim)]).expect(STRING);
    }

    pub fn curve(&mut self, values: &[u64], color: Paint) {
        let points: Vec<(f64, f64)> =
            values.iter().enumerate().map(|(bucket, value)| (self.end_of(bucket), *value as f64)).collect();
        self.context.draw_series(LineSeries::new(points, color.stand_in().stroke_width(5))).expect(STRING);
    }

    /// One bar per bucket; none where there is no value.
    pub fn bars(&mut self, values: &[Option<f64>], color: Paint) {
        let bars = values.iter().enumerate().filter_map(|(bucket, value)| value.map(|value| (bucket, value)));
        let bars: Vec<_> = bars
            .filter(|(_, value)| *value > 0.0)
            .map(|(bucket, value)| {
                let corners = [(self.end_of(bucket) - self.bucket, value), (self.end_of(bucket), 0.0)];
                Rectangle::new(corners, color.stand_in().filled())
            })
            .collect();
        self.context.draw_series(bars).expect(STRING);
    }

    fn bands(&mut self, series: &Series, top: f64) {
        let end = self.bucket * series.buckets as f64;
        let inside = |at: crate::units::SimTime| at.as_secs_f64().min(end);
        let bands: Vec<_> = series
            .bands
            .iter()
            .map(|(_, from, until)| {
                let corners = [(inside(*from), top), (inside(*until), 0.0)];
                Rectangle::new(corners, Paint::Band.stand_in().mix(0.25).filled())
            })
            .collect();
        self.context.draw_series(bands).expect(STRING);
    }
}
