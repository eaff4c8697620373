//! Variants as points of what they cost: what nothing beats in both is the front.

use super::canvas::{self, Paint, STRING, WIDTH};
use super::{Plot, number};
use crate::campaign::compare::{Comparison, Judged};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const HEIGHT: u32 = 720;
/// Harm is the first of what the front is made of.
const HARM: usize = 0;

/// Harm against one of the other measures of the front, by its place there; `None` where fewer than two variants have
/// both.
pub fn front(found: &Comparison, against: usize) -> Option<Plot> {
    let names = crate::campaign::compare::FRONT;
    let with_both = found.variants.iter().filter_map(|one| Some((one, one.front[against]?, one.front[HARM]?)));
    let points: Vec<(&Judged, f64, f64)> = with_both.collect();
    if points.len() < 2 {
        return None;
    }
    let most = |of: fn(&(&Judged, f64, f64)) -> f64| canvas::ceiling(points.iter().map(of).fold(0.0, f64::max));
    let (right, top) = (most(|point| point.1), most(|point| point.2));
    let mut body = String::new();
    {
        let root = SVGBackend::with_string(&mut body, (WIDTH, HEIGHT)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin_top(40)
            .margin_right(60)
            .set_label_area_size(LabelAreaPosition::Left, 170)
            .set_label_area_size(LabelAreaPosition::Bottom, 110)
            .build_cartesian_2d(0.0..right, 0.0..top)
            .expect(STRING);
        chart
            .configure_mesh()
            .x_labels(8)
            .y_labels(6)
            .x_desc(names[against])
            .y_desc(names[HARM])
            .bold_line_style(Paint::Grid.stand_in().stroke_width(2))
            .light_line_style(TRANSPARENT)
            .axis_style(Paint::Muted.stand_in().stroke_width(2))
            .axis_desc_style(canvas::text(Paint::Muted))
            .label_style(canvas::text(Paint::Muted))
            .x_label_formatter(&|value| number::quantity(*value, "s"))
            .y_label_formatter(&|value| number::quantity(*value, "1"))
            .draw()
            .expect(STRING);
        let line = staircase(&points, right, top);
        let color = Paint::Series(0).stand_in();
        chart.draw_series([PathElement::new(line, color.mix(0.6).stroke_width(4))]).expect(STRING);
        for (one, x, y) in &points {
            let place = [(*x, *y)];
            if one.feasible {
                let paint = if one.on_front { Paint::Series(0) } else { Paint::Muted };
                chart.draw_series(place.map(|at| Circle::new(at, 12, paint.stand_in().filled()))).expect(STRING);
            } else {
                let style = Paint::Series(1).stand_in().stroke_width(5);
                chart.draw_series(place.map(|at| Cross::new(at, 12, style))).expect(STRING);
            }
        }
        for (name, x, y) in labels(&points, right, top) {
            let end = x > 0.75 * right;
            let (side, nudge) = if end { (HPos::Right, -20) } else { (HPos::Left, 20) };
            let style = canvas::text(Paint::Ink).pos(Pos::new(side, VPos::Center));
            chart.draw_series([EmptyElement::at((x, y)) + Text::new(name, (nudge, -26), style)]).expect(STRING);
        }
        root.present().expect(STRING);
    }
    Some(Plot {
        name: format!("front-{}", names[against]).into(),
        title: format!("{} against {}", names[HARM], names[against]).into(),
        caption: caption(found, &points, against),
        legend: vec![
            (Paint::Series(0).property(), "feasible, and nothing beats it in everything".to_owned()),
            (Paint::Muted.property(), "feasible, and beaten".to_owned()),
            (Paint::Series(1).property(), "violates an invariant that the file names".to_owned()),
        ],
        height: HEIGHT,
        body,
    })
}

/// The border of what is beaten in these two: from the least of one to the least of the other.
fn staircase(points: &[(&Judged, f64, f64)], right: f64, top: f64) -> Vec<(f64, f64)> {
    let mut feasible: Vec<(f64, f64)> =
        points.iter().filter(|(one, ..)| one.feasible).map(|(_, x, y)| (*x, *y)).collect();
    feasible.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut line = Vec::new();
    let mut least = top;
    for (x, y) in feasible {
        if y < least || line.is_empty() {
            line.extend([(x, least), (x, y)]);
            least = y;
        }
    }
    if !line.is_empty() {
        line.push((right, least));
    }
    line
}

/// Names beside their points; those of points that lie on one another share a line.
fn labels(points: &[(&Judged, f64, f64)], right: f64, top: f64) -> Vec<(String, f64, f64)> {
    let mut placed: Vec<(String, f64, f64)> = Vec::new();
    for (one, x, y) in points {
        let near = |(_, a, b): &&mut (String, f64, f64)| (a - x).abs() < 0.12 * right && (b - y).abs() < 0.05 * top;
        match placed.iter_mut().find(near) {
            Some((names, ..)) => names.push_str(&format!(", {}", one.variant)),
            None => placed.push((one.variant.clone(), *x, *y)),
        }
    }
    placed
}

fn caption(found: &Comparison, points: &[(&Judged, f64, f64)], against: usize) -> String {
    let lacking: Vec<&str> = found
        .variants
        .iter()
        .filter(|one| points.iter().all(|(known, ..)| known.variant != one.variant))
        .map(|one| one.variant.as_str())
        .collect();
    let mut text = "Means over the same seeds; the nearer to the lower left the better.".to_owned();
    if !lacking.is_empty() {
        let name = crate::campaign::compare::FRONT[against];
        text.push_str(&format!(" Not drawn, because {name} has no value there: {}.", lacking.join(", ")));
    }
    text
}
