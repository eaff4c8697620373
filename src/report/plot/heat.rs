//! A heat map: a metric or rate over the values of two parameters. Its one colour goes from the ground to full, so
//! that it reads on a light ground and on a dark one; the numbers stand in the cells where there is room.

use super::canvas::{self, FONT, Paint, STRING, WIDTH};
use super::{Plot, number};
use crate::campaign::sweep::{Axis, Curve, Sweep};
use crate::report::sweep::words;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Of the cells; labels and the scale are beside and below.
const TOP: i32 = 40;
const LEFT: i32 = 300;
const RIGHT: i32 = WIDTH as i32 - 330;
const ROW: i32 = 84;
const HIGHEST: i32 = 900;
/// The faintest cell can be told from the ground.
const FAINTEST: f64 = 0.06;
const STRONGEST: f64 = 0.9;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The map of one metric or rate over two parameters; `None` where nothing was measured.
pub fn heat_map(sweep: &Sweep, curve: &Curve) -> Option<Plot> {
    let [across, up] = sweep.axes.as_slice() else { return None };
    let means = || curve.readings.iter().flatten().map(|reading| reading.mean);
    let low = means().fold(f64::INFINITY, f64::min);
    let high = means().fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return None;
    }
    let rows = up.values.len() as i32;
    let bottom = TOP + (rows * ROW).min(HIGHEST);
    let height = bottom as u32 + 150;
    let mut body = String::new();
    {
        let root = SVGBackend::with_string(&mut body, (WIDTH, height)).into_drawing_area();
        let map = Map { across, up, low, high, bottom, unit: curve.unit };
        for (point, reading) in sweep.points.iter().zip(&curve.readings) {
            map.cell(
                &root,
                point.values[0] as i32,
                point.values[1] as i32,
                reading.as_ref().map(|reading| reading.mean),
            );
        }
        map.labels(&root);
        map.scale(&root);
        root.present().expect(STRING);
    }
    let name = curve.of.name();
    Some(Plot {
        name: format!("map-{name}").into(),
        title: format!("{name} over {} and {}", across.key, up.key).into(),
        caption: words::caption(sweep, curve),
        legend: vec![(
            Paint::Series(0).property(),
            "the fuller the colour, the greater the mean over seeds".to_owned(),
        )],
        height,
        body,
    })
}

struct Map<'a> {
    across: &'a Axis,
    up: &'a Axis,
    low: f64,
    high: f64,
    bottom: i32,
    unit: &'a str,
}

impl Map<'_> {
    /// Left, right, top and bottom of a cell, in pixels.
    fn corners(&self, x: i32, y: i32) -> [(i32, i32); 2] {
        let (columns, rows) = (self.across.values.len() as i32, self.up.values.len() as i32);
        let column = |x: i32| LEFT + (RIGHT - LEFT) * x / columns;
        let row = |y: i32| self.bottom - (self.bottom - TOP) * y / rows;
        [(column(x), row(y + 1)), (column(x + 1), row(y))]
    }

    fn strength(&self, mean: f64) -> f64 {
        let share = if self.high > self.low { (mean - self.low) / (self.high - self.low) } else { 0.0 };
        FAINTEST + (STRONGEST - FAINTEST) * share
    }

    fn cell(&self, root: &Area<'_>, x: i32, y: i32, mean: Option<f64>) {
        let corners = self.corners(x, y);
        let rim = Paint::Surface.stand_in().stroke_width(3);
        if let Some(mean) = mean {
            let fill = Paint::Series(0).stand_in().mix(self.strength(mean)).filled();
            root.draw(&Rectangle::new(corners, fill)).expect(STRING);
            root.draw(&Rectangle::new(corners, rim)).expect(STRING);
        } else {
            root.draw(&Rectangle::new(corners, Paint::Grid.stand_in().stroke_width(2))).expect(STRING);
        }
        let told = mean.map_or_else(|| "–".to_owned(), |mean| number::quantity(mean, self.unit));
        let [(left, top), (right, bottom)] = corners;
        let fits = wide(&told) + 10.0 <= f64::from(right - left) && bottom - top >= 38;
        if fits {
            let style = canvas::text(Paint::Ink).pos(Pos::new(HPos::Center, VPos::Center));
            root.draw(&Text::new(told, ((left + right) / 2, (top + bottom) / 2), style)).expect(STRING);
        }
    }

    fn labels(&self, root: &Area<'_>) {
        let below = canvas::text(Paint::Muted).pos(Pos::new(HPos::Center, VPos::Top));
        let mut free = f64::NEG_INFINITY;
        for (x, value) in self.across.values.iter().enumerate() {
            let [(left, _), (right, _)] = self.corners(x as i32, 0);
            let (middle, half) = ((left + right) / 2, wide(&value.text) / 2.0 + 10.0);
            if f64::from(middle) - half >= free {
                root.draw(&Text::new(value.text.clone(), (middle, self.bottom + 12), below.clone())).expect(STRING);
                free = f64::from(middle) + half;
            }
        }
        let key = (((LEFT + RIGHT) / 2), self.bottom + 72);
        root.draw(&Text::new(self.across.key.clone(), key, below)).expect(STRING);
        let beside = canvas::text(Paint::Muted).pos(Pos::new(HPos::Right, VPos::Center));
        let mut free = i32::MAX;
        for (y, value) in self.up.values.iter().enumerate() {
            let [(_, top), (_, bottom)] = self.corners(0, y as i32);
            let middle = (top + bottom) / 2;
            if middle + 20 <= free {
                root.draw(&Text::new(value.text.clone(), (LEFT - 14, middle), beside.clone())).expect(STRING);
                free = middle - 20;
            }
        }
        let style = canvas::text(Paint::Muted).pos(Pos::new(HPos::Left, VPos::Top));
        root.draw(&Text::new(self.up.key.clone(), (14, self.bottom + 72), style)).expect(STRING);
    }

    /// The colours from the least to the greatest value.
    fn scale(&self, root: &Area<'_>) {
        const STEPS: i32 = 24;
        let (left, right) = (RIGHT + 60, RIGHT + 100);
        let at = |step: i32| self.bottom - (self.bottom - TOP) * step / STEPS;
        for step in 0..STEPS {
            let share = f64::from(step) / f64::from(STEPS - 1);
            let fill = Paint::Series(0).stand_in().mix(FAINTEST + (STRONGEST - FAINTEST) * share).filled();
            root.draw(&Rectangle::new([(left, at(step + 1)), (right, at(step))], fill)).expect(STRING);
        }
        let style = |at: VPos| canvas::text(Paint::Muted).pos(Pos::new(HPos::Left, at));
        let (low, high) = (number::quantity(self.low, self.unit), number::quantity(self.high, self.unit));
        root.draw(&Text::new(high, (right + 14, TOP), style(VPos::Top))).expect(STRING);
        root.draw(&Text::new(low, (right + 14, self.bottom), style(VPos::Bottom))).expect(STRING);
    }
}

/// The width of a text in pixels, roughly.
fn wide(text: &str) -> f64 {
    text.chars().count() as f64 * FONT / 1.24 * 0.55
}
