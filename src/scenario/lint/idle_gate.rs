//! Gates that say nothing: no value breaks them, none satisfies them, or no window holds enough answers.

use super::Lint;
use super::subject::Subject;
use crate::models::estate::{Arrivals, Rollout};
use crate::models::guard::{Against, BoundId, Bounded, Compared, Comparison, GaugeSpec, Measured, Side, Statistic};
use crate::rollout::Step;
use crate::scenario::problem::{Problem, Span};

pub static LINT: Lint = Lint {
    code: "WT011",
    name: "idle-gate",
    sentence: "a gate cannot fail, cannot pass, or gets no data",
    reason: "a gate that never speaks is trusted like one that has",
    repair: "choose a bound inside the range of what it measures, a wider `window`, a larger share, or fewer \
             `min_answers`",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Vec<Problem>) {
    for rollout in &subject.estate.rollouts {
        let Some(guard) = &rollout.guard else { continue };
        let mut told: Vec<BoundId> = Vec::new();
        for (at, watched) in guard.steps.iter().enumerate() {
            for id in watched.gates.iter().chain(&watched.exit) {
                if told.contains(id) {
                    continue;
                }
                let bound = &subject.estate.bounds[usize::from(*id)];
                let said = idle(subject, bound).or_else(|| starved(subject, &rollout.steps[at], bound));
                if let Some((message, label)) = said {
                    told.push(*id);
                    found.push(Problem::warning(place(subject, rollout, at, &bound.text), message).label(label));
                }
            }
        }
    }
}

/// A bound that one side of what can be measured lies on.
fn idle(subject: &Subject<'_>, bound: &Bounded) -> Option<(String, String)> {
    let (least, most) = range(subject, bound);
    let holds = |value: f64| bound.comparison.holds(value, bound.limit);
    let (always, never) = match bound.comparison {
        Comparison::Below | Comparison::AtMost => (holds(most), !holds(least)),
        Comparison::Above | Comparison::AtLeast => (holds(least), !holds(most)),
        Comparison::Equal => (false, bound.limit < least || bound.limit > most),
    };
    let text = &bound.text;
    if always {
        return Some((format!("the gate `{text}` cannot fail"), "every value it can measure holds".to_owned()));
    }
    never.then(|| (format!("the gate `{text}` cannot pass"), "no value it can measure holds".to_owned()))
}

/// What a bound can measure.
fn range(subject: &Subject<'_>, bound: &Bounded) -> (f64, f64) {
    let is_share = match bound.measured {
        Measured::Gauge(gauge) => match subject.estate.gauges[usize::from(gauge)].statistic {
            Statistic::ErrorRate | Statistic::SuccessRate | Statistic::RejectRate | Statistic::ShadowMismatch => true,
            Statistic::Latency(_) | Statistic::Count => false,
        },
        Measured::Variance(_) => true,
        Measured::Lag(_) | Measured::Exceptions(_) => false,
    };
    match (bound.compared, is_share) {
        (Compared::Absolute, true) => (0.0, 1.0),
        (Compared::Delta, true) => (-1.0, 1.0),
        (Compared::Delta, false) => (f64::NEG_INFINITY, f64::INFINITY),
        (Compared::Absolute, false) | (Compared::Ratio, _) => (0.0, f64::INFINITY),
    }
}

/// A window that holds too few answers of a step, by more than chance gives or takes.
fn starved(subject: &Subject<'_>, step: &Step, bound: &Bounded) -> Option<(String, String)> {
    let spec = |measured: Measured| match measured {
        Measured::Gauge(gauge) => Some(&subject.estate.gauges[usize::from(gauge)]),
        Measured::Lag(_) | Measured::Variance(_) | Measured::Exceptions(_) => None,
    };
    let control = match bound.against {
        Against::Control(control) if bound.compared != Compared::Absolute => spec(control),
        Against::Control(_) | Against::Before => None,
    };
    let expected =
        [spec(bound.measured), control].into_iter().flatten().filter_map(|spec| answers(subject, step, spec));
    let fewest = expected.fold(f64::INFINITY, f64::min);
    // Six standard deviations of a Poisson count.
    let most = fewest + 6.0 * libm::sqrt(fewest);
    (most < bound.least as f64).then(|| {
        let message = format!("the gate `{}` gets no data at step `{}`", bound.text, step.name);
        (message, format!("a window holds about {fewest:.0} answers, and it asks for {}", bound.least))
    })
}

/// The answers expected in a window, where the plan decides them.
fn answers(subject: &Subject<'_>, step: &Step, spec: &GaugeSpec) -> Option<f64> {
    if spec.region.is_some() || spec.statistic == Statistic::ShadowMismatch {
        return None;
    }
    let mut per_second = 0.0;
    for (id, journey) in subject.estate.journeys.enumerate() {
        if spec.journey.is_some_and(|wanted| wanted != id) {
            continue;
        }
        per_second += match &journey.arrivals {
            Arrivals::Poisson { per_second } => *per_second,
            Arrivals::Every(every) => 1.0 / every.as_secs_f64(),
            Arrivals::Closed | Arrivals::Follows => return None,
        };
    }
    if step.moves.iter().any(|line| line.of.is_some()) {
        return None;
    }
    let moved = step.moves.iter().map(|line| line.percent.fraction()).fold(0.0, f64::max);
    let share = match spec.side {
        Side::Everybody => 1.0,
        Side::Treated(_) => moved,
        Side::Control(_) => 1.0 - moved,
    };
    Some(per_second * share * spec.window.as_secs_f64())
}

/// Where a bound is written: in the rollout, or in its step.
fn place(subject: &Subject<'_>, rollout: &Rollout, step: usize, text: &str) -> Option<Span> {
    let name = subject.estate.features[rollout.feature].name.as_str();
    let of_step = subject.step(rollout.feature, step);
    let of_rollout = subject.node(&["rollout", name]);
    let lists = [of_step, of_rollout].into_iter().flatten().flat_map(|node| ["gate", "exit"].map(|key| node.get(key)));
    let mut items = lists.flatten().filter_map(|node| node.as_list()).flatten();
    items
        .find(|item| item.as_text().is_some_and(|written| written.trim() == text))
        .map(|item| item.span)
        .or_else(|| subject.rollout(rollout.feature))
}
