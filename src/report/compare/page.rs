//! `index.html`: what is feasible, the differences with their intervals, and the front, in one file without scripts.

use super::folder::plots;
use crate::campaign::compare::{Against, Comparison, FRONT, Judged};
use crate::report::html::{page, scroll, variant::figure};
use crate::report::number::{count, counted, percent, quantity};
use maud::{Markup, html};

pub fn render(found: &Comparison) -> String {
    let (from, to) = found.seeds;
    let plots = plots(found);
    let body = html! {
            header {
                p.kicker { "windtunnel comparison" }
                h1 { (found.scenario) }
                p.facts {
                    (counted(found.variants.len() as u64, "variant", "variants")) " on the same "
                    (counted(found.compared, "seed", "seeds")) " (" (from) ".." (to) ") · held against "
                    (found.baseline) " · " (found.primary) " decides"
                }
                @if found.interrupted {
                    div.verdict.unsure {
                        p.word { "Interrupted" }
                        p { "Only the seeds that every variant finished are compared." }
                    }
                }
                @for against in &found.against { p { strong { (against.variant) ": " } (super::sentence(found, against)) "." } }
            }
            section.variant {
                h2 { "What is feasible" }
                (scroll("What is feasible", feasible(found)))
            }
            section.variant {
                h2 { "The front: " (FRONT.join(", ")) }
                p.quiet { "Each the less the better; a variant is on the front where no feasible one is at least as good in everything and better in something." }
                (scroll("The front", front_table(found)))
                @for (index, plot) in plots.iter().enumerate() { (figure(plot, index)) }
                @if plots.is_empty() { p.quiet { "There is nothing to draw: fewer than two variants have both measures." } }
            }
            @for against in &found.against {
                section.variant {
                    h2 { (against.variant) " against " (found.baseline) }
                    (scroll("Differences", differences(against)))
                }
            }
    };
    page(
        &format!("{}: compared · windtunnel", found.scenario),
        "intervals are 95%, by the studentised bootstrap over paired seeds; p-values by sign flips, of the primary metric after Holm.",
        &body,
    )
}

fn feasible(found: &Comparison) -> Markup {
    html! {
        table {
            thead { tr { th { "variant" } th { "invariant" } th.number { "violated runs" } th.number { "exercised runs" } th.number { "at most, with 95% confidence" } } }
            tbody {
                @for one in &found.variants {
                    @for rate in &one.invariants {
                        tr {
                            td { (one.variant) }
                            td { (rate.invariant) }
                            td.number { (count(rate.violated)) }
                            td.number { (count(rate.exercised)) }
                            td.number { @if let Some(most) = rate.at_most { (percent(most)) } @else { "never exercised" } }
                        }
                    }
                }
            }
        }
    }
}

fn front_table(found: &Comparison) -> Markup {
    let of = |one: &Judged, at: usize| {
        one.front[at].map_or("–".to_owned(), |value| quantity(value, if at == 0 { "1" } else { "s" }))
    };
    html! {
        table {
            thead { tr { th { "variant" } @for name in FRONT { th.number { (name) } } th { "" } } }
            tbody {
                @for one in &found.variants {
                    tr {
                        td { (one.variant) }
                        @for at in 0..FRONT.len() { td.number { (of(one, at)) } }
                        td { @if one.on_front { "on the front" } @else if one.feasible { "beaten" } @else { "not feasible" } }
                    }
                }
            }
        }
    }
}

fn differences(against: &Against) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th { "metric" } th.number { "baseline" } th.number { "here" } th.number { "difference" }
                    th.number { "95% interval" } th.number { "lower in" } th.number { "higher in" } th.number { "pairing" }
                }
            }
            tbody {
                @for one in &against.metrics {
                    @let of = |value| quantity(value, one.unit);
                    tr {
                        td { code { (one.name) } }
                        td.number { (of(one.paired.mean_a)) }
                        td.number { (of(one.paired.mean_b)) }
                        td.number { (of(one.paired.difference)) }
                        td.number {
                            @if let Some((low, high)) = one.paired.interval { (of(low)) " to " (of(high)) } @else { "too few differ" }
                        }
                        td.number { (count(one.paired.lower)) }
                        td.number { (count(one.paired.higher)) }
                        td.number { @if let Some(factor) = one.paired.reduction { "×" (quantity(factor, "1")) } @else { "–" } }
                    }
                }
            }
        }
    }
}
