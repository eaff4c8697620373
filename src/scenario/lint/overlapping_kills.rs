//! Kill switches that overlap and cannot be compared.

use super::Lint;
use super::schedule::due;
use super::subject::Subject;
use crate::models::estate::{Happening, When};
use crate::rollout::{Kill, Scope};
use crate::scenario::problem::Problem;
use crate::units::SimDuration;

pub static LINT: Lint = Lint {
    code: "WT005",
    name: "overlapping-kills",
    sentence: "two kills reach the same customers at the same time and neither allows less than the other",
    reason: "where kills cannot be compared everybody whom both reach falls to the safe stage, below what either asked for",
    repair: "kill to stages of which one grants no more than the other, or lift the first before the second",
    check,
};

fn check(subject: &Subject<'_>, found: &mut Vec<Problem>) {
    let estate = subject.estate;
    let mut before: Vec<(usize, Window, Kill, usize)> = Vec::new();
    for (at, entry) in estate.timeline.iter().enumerate() {
        let Happening::Kill { feature, kill, lift_after } = &entry.what else { continue };
        if entry.when == When::OnDemand {
            // A gate's or an operator's, and there is one of each.
            continue;
        }
        let begins = due(estate, &entry.when);
        let window = (begins, lift_after.map(|after| begins.saturating_add(after)));
        let of = &estate.features[*feature];
        for (number, other_window, other, other_feature) in &before {
            let comparable = of.at_most_as_permissive(kill.to, other.to) || of.at_most_as_permissive(other.to, kill.to);
            let apart =
                *other_feature != feature.index() || !meet(window, *other_window) || disjoint(kill.scope, other.scope);
            if comparable || apart {
                continue;
            }
            let message = format!(
                "two kills of `{}` overlap, to `{}` and to `{}`, and neither allows less than the other",
                of.name,
                of.stage_name(other.to),
                of.stage_name(kill.to),
            );
            let label = format!("whom both reach is at `{}`", of.stage_name(of.safe_stage));
            let problem = Problem::warning(subject.timeline(at), message).label(label);
            found.push(match subject.timeline(*number) {
                Some(span) => problem.related(span, "the first"),
                None => problem,
            });
        }
        before.push((at, window, *kill, feature.index()));
    }
}

/// From when until when; `None`: to the end.
type Window = (SimDuration, Option<SimDuration>);

fn meet(a: Window, b: Window) -> bool {
    a.1.is_none_or(|end| b.0 < end) && b.1.is_none_or(|end| a.0 < end)
}

/// Whether no customer can be in both scopes.
fn disjoint(a: Scope, b: Scope) -> bool {
    fn differ<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
        a.is_some() && b.is_some() && a != b
    }
    differ(a.region, b.region) || differ(a.tenant, b.tenant) || differ(a.journey, b.journey)
}
