//! The tables of a variant.

use super::badge_of;
use crate::campaign::accepted::{self, Standing};
use crate::campaign::outcome::{Estimate, QUANTILES, Totals, VariantOutcome};
use crate::campaign::verdict::{self, Judged};
use crate::report::{number, sentence};
use crate::run::summary::Verdict;
use crate::stats::order;
use maud::{Markup, html};

/// Rows of seeds at most; `seeds.csv` has all that are kept, `runs.ndjson` all.
const SEEDS: usize = 200;

pub fn expectations(variant: &VariantOutcome, rows: &[Judged]) -> Markup {
    html! {
        table {
            thead { tr { th { "verdict" } th { "expected" } th { "seen" } } }
            tbody {
                @for row in rows {
                    tr {
                        td { (badge_of(&row.judgement)) }
                        td.named { (row.text) }
                        td.wide { (sentence::account(row, variant)) }
                    }
                }
            }
        }
    }
}

/// What the file accepts, and how it stands.
pub fn accepted(entries: &[accepted::Entry<'_>]) -> Markup {
    html! {
        table {
            thead { tr { th { "standing" } th { "accepted" } th { "how it stands" } } }
            tbody {
                @for entry in entries {
                    @let tone = match entry.standing {
                        Standing::InForce | Standing::NotSeen => "unsure",
                        Standing::Expired | Standing::Over => "bad",
                    };
                    tr {
                        td { span.badge.(tone) { (entry.standing.name()) } }
                        td.named { (accepted::named(entry.accepted)) }
                        td.wide { (sentence::standing(entry)) }
                    }
                }
            }
        }
    }
}

pub fn invariants(variant: &VariantOutcome) -> Markup {
    let totals: Vec<Totals> = variant.invariants().into_iter().map(|name| variant.totals(name)).collect();
    let excused = totals.iter().any(|totals| totals.in_baseline > 0);
    html! {
        table {
            thead {
                tr {
                    th { "invariant" }
                    th { "verdict" }
                    th { "causes" }
                    th.number title="runs with a violation, of runs in which the guarded situation occurred" { "violated runs" }
                    th.number title="Clopper–Pearson, one-sided, of exercised runs" { "rate at most (95%)" }
                    th.number title="how often the guarded situation occurred" { "exercised" }
                    th.number { "violations" }
                    @if excused { th.number title="violations that the run without the rollout has too; they do not count" { "in baseline" } }
                    th.number title="the smallest distance to a violation, in the invariant's own unit: seconds for deadlines" { "min margin" }
                }
            }
            tbody { @for totals in &totals { (invariant(totals, excused)) } }
        }
    }
}

fn invariant(totals: &Totals, excused: bool) -> Markup {
    let rate = verdict::upper_bound(totals.violated_runs, totals.exercised_runs, 0.95);
    html! {
        tr {
            td { code { (totals.name) } }
            td { (verdict_badge(totals.verdict)) }
            @if totals.exercised_runs == 0 {
                td.quiet colspan=(if excused { 7 } else { 6 }) { (sentence::WORTHLESS) }
            } @else {
                td.named { (told_causes(totals)) }
                td.number { (number::count(totals.violated_runs)) " of " (number::count(totals.exercised_runs)) }
                td.number { (number::percent(rate)) }
                td.number { (number::count(totals.exercised)) }
                td.number { (number::count(totals.violations)) }
                @if excused { td.number { (number::count(totals.in_baseline)) } }
                td.number { @if let Some(margin) = totals.min_margin { (number::plain(margin)) } @else { "–" } }
            }
        }
    }
}

fn told_causes(totals: &Totals) -> String {
    let list = sentence::counted_list;
    match (totals.causes.as_slice(), totals.apart.as_slice()) {
        ([], []) => "–".to_owned(),
        (causes, []) => list(causes),
        ([], apart) => format!("judged elsewhere: {}", list(apart)),
        (causes, apart) => format!("{}; judged elsewhere: {}", list(causes), list(apart)),
    }
}

/// How it came out; whether that is good is the expectation's to say, so only the shape differs.
fn verdict_badge(verdict: Verdict) -> Markup {
    let (mark, tone) = match verdict {
        Verdict::Holds => ("●", "held"),
        Verdict::Violated => ("▲", "violated"),
        Verdict::Pending | Verdict::Undecided | Verdict::Vacuous => ("○", "open"),
    };
    html! { span.came-out.(tone) { (mark) " " (verdict.name()) } }
}

pub fn metrics(variant: &VariantOutcome) -> Markup {
    html! {
        table {
            thead { tr { th { "metric" } th.number { "mean over seeds" } th.number { "95% interval" } th.number { "median" } th.number { "95th percentile" } th.number { "seeds" } } }
            tbody {
                @for estimate in variant.estimates() {
                    @let told = |value| number::quantity(value, estimate.unit);
                    tr {
                        td { code title=(estimate.formula) { (estimate.name) } span.formula { (estimate.formula) } }
                        td.number { (told(estimate.mean)) }
                        td.number {
                            @if let Some((low, high)) = estimate.ci95 { (told(low)) " to " (told(high)) } @else { "–" }
                        }
                        td.number { (quantile(&estimate, 0)) }
                        td.number { (quantile(&estimate, 2)) }
                        td.number { (number::count(estimate.seeds)) }
                    }
                }
            }
        }
    }
}

/// A quantile over seeds, or how many seeds it needs.
fn quantile(estimate: &Estimate, at: usize) -> Markup {
    html! {
        @match estimate.quantiles[at] {
            Some(told) => {
                @if told.approximate { "≈ " }
                (number::quantity(told.value, estimate.unit))
            }
            None => span.quiet { "needs " (number::runs(order::runs_needed(QUANTILES[at], 0.95))) }
        }
    }
}

pub fn plans(variant: &VariantOutcome) -> Markup {
    html! {
        table {
            thead { tr { th { "plan" } th { "how it ended" } th.number { "runs" } } }
            tbody {
                @for (feature, end, runs) in variant.plan_ends() {
                    tr { td { (feature) } td { (end) } td.number { (number::count(runs)) } }
                }
            }
        }
    }
}

pub fn happenings(variant: &VariantOutcome) -> Markup {
    html! {
        table {
            thead { tr { th { "entry of the timeline" } th { "took place" } } }
            tbody {
                @for entry in variant.happened() {
                    tr {
                        td { (entry.label) }
                        td { (sentence::happened(entry, variant.made())) }
                    }
                }
            }
        }
    }
}

pub fn steps(variant: &VariantOutcome) -> Markup {
    html! {
        table {
            thead { tr { th { "step" } th.number { "published at" } th.number { "in runs" } } }
            tbody {
                @for step in &variant.tally.published {
                    tr {
                        td { (step.label) }
                        td.number { (step.first) @if step.last != step.first { " to " (step.last) } }
                        td.number { (number::count(step.runs)) " of " (number::count(variant.made())) }
                    }
                }
            }
        }
    }
}

pub fn seeds(variant: &VariantOutcome) -> Markup {
    let more = variant.made().saturating_sub(SEEDS as u64);
    html! {
        table {
            thead { tr { th.number { "seed" } th { "digest" } th.number { "events" } th.number { "draws" } th.number { "end" } th { "violated" } } }
            tbody {
                @for run in variant.runs.iter().take(SEEDS) {
                    @let violated = run.invariants.iter().filter(|outcome| crate::campaign::outcome::is_violated(outcome));
                    @let names: Vec<&str> = violated.map(|outcome| outcome.name).collect();
                    tr {
                        td.number { (run.seed) }
                        td { code { (run.digest) } }
                        td.number { (number::count(run.events)) }
                        td.number { (number::count(run.draws)) }
                        td.number { (run.end) @if run.cut_short { " (cut short)" } }
                        td { @if names.is_empty() { "–" } @else { (names.join(", ")) } }
                    }
                }
            }
        }
        @if more > 0 { p.quiet { "and " (number::counted(more, "more run", "more runs")) " in runs.ndjson" } }
    }
}
