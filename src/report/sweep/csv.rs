//! `sweep.csv`: one line per point and curve, for spreadsheets and data frames.

use crate::campaign::sweep::{Subject, Sweep};
use crate::report::csv::line;

pub fn render(sweep: &Sweep) -> String {
    let mut text = String::new();
    let keys = sweep.axes.iter().map(|axis| axis.key.as_str());
    let rest =
        ["kind", "name", "unit", "mean", "low95", "high95", "n", "violated_runs", "runs", "theory", "closed_form"];
    line(&mut text, keys.chain(rest));
    for (at, point) in sweep.points.iter().enumerate() {
        for curve in &sweep.curves {
            let values = sweep.axes.iter().zip(&point.values).map(|(axis, at)| axis.values[*at].text.clone());
            let kind = match curve.of {
                Subject::Metric(_) => "metric",
                Subject::Violated(_) => "violation_rate",
            };
            let reading = curve.readings[at].as_ref();
            let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
            let whole = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
            let ci95 = reading.and_then(|reading| reading.ci95);
            let violated = reading.and_then(|reading| reading.violated);
            let theory = reading.and_then(|reading| reading.theory);
            let told = [
                kind.to_owned(),
                curve.of.name().to_owned(),
                curve.unit.to_owned(),
                number(reading.map(|reading| reading.mean)),
                number(ci95.map(|(low, _)| low)),
                number(ci95.map(|(_, high)| high)),
                whole(Some(reading.map_or(0, |reading| reading.seeds))),
                whole(violated.map(|(violated, _)| violated)),
                whole(violated.map(|(_, runs)| runs)),
                number(theory.map(|theory| theory.value)),
                theory.map_or_else(String::new, |theory| theory.law.name.to_owned()),
            ];
            line(&mut text, values.chain(told));
        }
    }
    text
}
