//! What happens to a plan, in sentences: gates, approvals, going back, alerts and who answers them.

use crate::models::estate::Estate;
use crate::models::guard::{Bounded, Compared, Measured, Statistic};
use crate::models::observation::{Consent, GateVerdict, Observation};

/// Who and what, of an observation about a plan.
pub fn of_plan(what: &Observation, estate: &Estate) -> Option<(String, String)> {
    let feature = |rollout: u16| estate.features[estate.rollouts[usize::from(rollout)].feature].name.clone();
    let step = |rollout: u16, step: u16| {
        let steps = &estate.rollouts[usize::from(rollout)].steps;
        steps.get(usize::from(step)).map_or_else(String::new, |step| step.name.clone())
    };
    let plan = |rollout: u16| format!("plan of {}", feature(rollout));
    Some(match *what {
        Observation::Gate { rollout, step: at, bound, verdict, value } => {
            let bound = &estate.bounds[usize::from(bound)];
            let measured = value.map_or_else(String::new, |value| format!(" with {}", shown(bound, value, estate)));
            let said = match verdict {
                GateVerdict::Passed => "passes",
                GateVerdict::Failed => "fails",
                GateVerdict::NoData => "has no data for",
            };
            (plan(rollout), format!("at step {}, {said} the gate {}{measured}", step(rollout, at), bound.text))
        }
        Observation::Approval { rollout, step: at, consent, by } => {
            let who = by.map_or_else(|| plan(rollout), |by| estate.people.text(by).to_owned());
            let of = format!("step {} of {}", step(rollout, at), feature(rollout));
            let said = match consent {
                Consent::Given => format!("approves {of}"),
                Consent::Refused => format!("refuses {of}"),
                Consent::Lapsed => format!("has no approval of {of} in time"),
                Consent::Bypassed => format!("goes on with {of} without approval, in an emergency"),
            };
            (who, said)
        }
        Observation::PlanHeld { rollout, step: at, why } => {
            (plan(rollout), format!("at step {}: {}", step(rollout, at), why.name()))
        }
        Observation::RolledBack { rollout, before, version } => {
            let said = format!("goes back to before step {} with policy {version}", step(rollout, before));
            (plan(rollout), said)
        }
        Observation::AlertRaised { alert, value } => {
            let alert = &estate.alerts[usize::from(alert)];
            let bound = &estate.bounds[usize::from(alert.when)];
            (format!("alert {}", alert.name), format!("fires with {}", shown(bound, value, estate)))
        }
        Observation::OperatorActed { alert, act, wrong } => {
            let rule = &estate.alerts[usize::from(alert)];
            let who = rule.pages.map_or("automation", |team| estate.teams[usize::from(team)].name.as_str());
            let did = act.map_or_else(
                || "does nothing that helps".to_owned(),
                |act| format!("does {} to {}", act.deed.name(), feature(act.rollout)),
            );
            let wrong = if wrong { ", which is the wrong action" } else { "" };
            (who.to_owned(), format!("{did}{wrong}"))
        }
        _ => return None,
    })
}

/// A measured value in the bound's unit.
fn shown(bound: &Bounded, value: f64, estate: &Estate) -> String {
    let statistic = match bound.measured {
        Measured::Gauge(gauge) => estate.gauges[usize::from(gauge)].statistic,
        Measured::Variance(_) => Statistic::ErrorRate,
        Measured::Lag(_) | Measured::Exceptions(_) => Statistic::Count,
    };
    match (bound.compared, statistic) {
        (Compared::Ratio, _) => format!("{value:.2}"),
        (_, Statistic::ErrorRate | Statistic::SuccessRate | Statistic::RejectRate | Statistic::ShadowMismatch) => {
            format!("{:.2}%", value * 100.0)
        }
        (_, Statistic::Latency(_)) => format!("{:.0}ms", value * 1_000.0),
        (_, Statistic::Count) => format!("{value:.0}"),
    }
}
