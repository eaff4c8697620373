//! For other tools: numbers in the units of `list metrics`, `null` where there is none. Documented in `docs/sweep.md`.

use super::{Reported, replay};
use crate::campaign::sweep::{Agreement, Axis, Curve, Reading, Scale, Subject, Sweep};
use crate::stats::knee::{Bend, Smooth};
use serde_json::{Map, Value as Json, json};

/// The version of the JSON document.
const SCHEMA_VERSION: u32 = 1;

pub fn render(reported: &Reported) -> String {
    let sweep = &reported.sweep;
    let points = sweep.points.iter().map(|point| {
        let values: Map<String, Json> = sweep
            .axes
            .iter()
            .zip(&point.values)
            .map(|(axis, at)| (axis.key.clone(), json!(axis.values[*at].text)))
            .collect();
        let at: Vec<f64> = sweep.axes.iter().zip(&point.values).map(|(axis, at)| axis.values[*at].at).collect();
        json!({
            "values": values, "at": at, "scenario_hash": point.hash, "cut_short_runs": point.cut_short,
            "replay": replay(reported, point),
        })
    });
    let set: Vec<String> = reported.invocation.set.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let whole = json!({
        "schema_version": SCHEMA_VERSION,
        "windtunnel": env!("CARGO_PKG_VERSION"),
        "scenario": sweep.scenario,
        "variant": sweep.variant,
        "set": set,
        "seeds": [sweep.seeds.0, sweep.seeds.1],
        "interrupted": sweep.interrupted,
        "asked_points": sweep.asked,
        "params": sweep.axes.iter().map(axis).collect::<Vec<Json>>(),
        "points": points.collect::<Vec<Json>>(),
        "curves": sweep.curves.iter().map(|of| curve(sweep, of)).collect::<Vec<Json>>(),
        "further_closed_forms": sweep.further,
    });
    format!("{whole:#}\n")
}

fn axis(axis: &Axis) -> Json {
    let scale = match axis.scale {
        Scale::Linear => "linear",
        Scale::Log => "log",
        Scale::Words => "words",
    };
    let values: Vec<&str> = axis.values.iter().map(|value| value.text.as_str()).collect();
    json!({ "key": axis.key, "unit": axis.unit, "scale": scale, "values": values })
}

fn curve(sweep: &Sweep, curve: &Curve) -> Json {
    let kind = match curve.of {
        Subject::Metric(_) => "metric",
        Subject::Violated(_) => "violation_rate",
    };
    let readings: Vec<Json> =
        curve.readings.iter().map(|reading| reading.as_ref().map_or(Json::Null, of_point)).collect();
    let laws: Vec<Json> = curve.agreements().iter().map(|found| agreement(curve, found)).collect();
    json!({
        "kind": kind, "name": curve.of.name(), "unit": curve.unit, "formula": curve.formula, "readings": readings,
        "closed_forms": laws, "bend": curve.bend.as_ref().map(|bend| bent(&sweep.axes[0], bend)),
    })
}

fn of_point(reading: &Reading) -> Json {
    json!({
        "mean": reading.mean, "ci95": reading.ci95.map(|(low, high)| [low, high]), "n": reading.seeds,
        "violated_runs": reading.violated.map(|(violated, _)| violated),
        "runs": reading.violated.map(|(_, runs)| runs),
        "theory": reading.theory.map(|theory| theory.value),
        "closed_form": reading.theory.map(|theory| theory.law.name),
        "theory_p": reading.theory.map(|theory| theory.p_value),
    })
}

fn agreement(curve: &Curve, found: &Agreement) -> Json {
    let theory = curve.readings.iter().flatten().filter_map(|reading| reading.theory);
    let law = theory.map(|theory| theory.law).find(|law| law.name == found.law);
    json!({
        "name": found.law, "formula": law.map(|law| law.formula), "holds": law.map(|law| law.holds),
        "source": law.map(|law| law.source), "points": found.points, "within_band": found.within,
        "disagrees_at_point": found.disagrees.map(|(point, _)| point), "disagrees_p_holm": found.disagrees.map(|(_, p)| p),
    })
}

fn bent(axis: &Axis, bend: &Bend) -> Json {
    let at = |place: f64| axis.at_place(place);
    match bend {
        Bend::TooFewPoints => json!({ "verdict": "too few points" }),
        Bend::TooFewSeeds => json!({ "verdict": "too few seeds" }),
        Bend::Flat => json!({ "verdict": "flat" }),
        Bend::Straight { p_value } => json!({ "verdict": "straight", "p": p_value }),
        Bend::Smooth { by, p_value } => {
            let by = match by {
                Smooth::Parabola => "parabola",
                Smooth::PowerLaw => "power law",
            };
            json!({ "verdict": "smooth", "by": by, "p": p_value })
        }
        Bend::Knee(knee) => json!({
            "verdict": "knee", "at": at(knee.at), "ci95": [at(knee.interval.0), at(knee.interval.1)],
            "lines": knee.lines, "p_line": knee.p_values.0, "p_smooth": knee.p_values.1, "gradual": knee.gradual, "seeds": knee.seeds,
        }),
    }
}
