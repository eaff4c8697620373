//! Where the labels of steps, kills and faults go: in a strip above the data, in rows, never over one another.

use super::canvas::{FONT, Paint, STRING, text};
use crate::run::summary::Series;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const ROW: u32 = 46;
const ROWS: usize = 4;
/// The mean width of a character, as a part of the font's written size.
const CHARACTER: f64 = 0.51;
/// Characters of a label at most; the key beside the plot has all of them.
const LONGEST: usize = 36;
const GAP: f64 = 22.0;

/// A mark with its place.
struct Placed {
    /// Where it begins, and where a band ends, in pixels.
    x: f64,
    until: Option<f64>,
    /// The row of its label, from the top; none where there was no room.
    row: Option<usize>,
    /// The label stands left of its line, because there is no room to the right.
    left: bool,
    label: String,
}

pub struct Layout {
    placed: Vec<Placed>,
    rows: usize,
}

/// Gives each mark a row in which its label overlaps no other and its line crosses none; upper rows first.
/// The data lies between `left` and `right`, the drawing ends at `edge`; all in pixels.
pub fn lay_out(series: &Series, end: f64, left: f64, right: f64, edge: f64) -> Layout {
    let pixel = |secs: f64| left + (secs / end).clamp(0.0, 1.0) * (right - left);
    let mut ends = [f64::NEG_INFINITY; ROWS];
    let mut placed: Vec<Placed> = Vec::new();
    for (from, until, label) in super::key(series) {
        let (x, label) = (pixel(from.as_secs_f64()), shortened(label));
        let width = label.chars().count() as f64 * FONT / 1.24 * CHARACTER + GAP;
        let turned = x + width > edge;
        let begin = if turned { x - width } else { x };
        let crosses_none = |row: usize| ends[row + 1..].iter().all(|end| *end <= x);
        let row = (0..ROWS).find(|row| ends[*row] <= begin && crosses_none(*row));
        let until = until.map(|until| pixel(until.as_secs_f64()));
        if let Some(row) = row {
            ends[row] = if turned { x + GAP } else { x + width };
        }
        placed.push(Placed { x, until, row, left: turned, label });
    }
    let rows = placed.iter().filter_map(|mark| mark.row).max().map_or(0, |row| row + 1);
    Layout { placed, rows }
}

fn shortened(label: &str) -> String {
    if label.chars().count() <= LONGEST {
        return label.to_owned();
    }
    label.chars().take(LONGEST - 1).chain(['…']).collect()
}

impl Layout {
    /// Of the strip above the data.
    pub fn height(&self) -> u32 {
        self.rows as u32 * ROW + 24
    }

    /// Draws lines down to `bottom`, then every label over them.
    pub fn draw(&self, root: &DrawingArea<SVGBackend<'_>, Shift>, bottom: u32) {
        for mark in &self.placed {
            self.draw_line(root, mark, bottom as i32);
        }
        for mark in &self.placed {
            let Some(row) = mark.row else { continue };
            let side = if mark.left { HPos::Right } else { HPos::Left };
            let color = if mark.until.is_some() { Paint::Muted } else { Paint::Ink };
            let style = text(color).pos(Pos::new(side, VPos::Center));
            let nudge = if mark.left { -10 } else { 10 };
            let place = (mark.x as i32 + nudge, row_middle(row));
            root.draw(&Text::new(mark.label.clone(), place, style)).expect(STRING);
        }
    }

    fn draw_line(&self, root: &DrawingArea<SVGBackend<'_>, Shift>, mark: &Placed, bottom: i32) {
        let x = mark.x as i32;
        let top = mark.row.map_or(self.height() as i32, |row| row_middle(row) - 16);
        let path = |x: i32, top: i32, color: Paint, width: u32| {
            PathElement::new(vec![(x, top), (x, bottom)], color.stand_in().stroke_width(width))
        };
        match mark.until {
            // A band's edges are thin and unbroken, a moment's line is dashed.
            Some(until) => {
                root.draw(&path(x, top, Paint::Band, 2)).expect(STRING);
                root.draw(&path(until as i32, self.height() as i32, Paint::Band, 2)).expect(STRING);
            }
            None => {
                let mut from = top;
                while from < bottom {
                    let dash = vec![(x, from), (x, (from + 12).min(bottom))];
                    root.draw(&PathElement::new(dash, Paint::Ink.stand_in().stroke_width(3))).expect(STRING);
                    from += 22;
                }
            }
        }
    }
}

fn row_middle(row: usize) -> i32 {
    (row as u32 * ROW + ROW / 2 + 2) as i32
}
