//! One variant: what was expected and seen, one violation as a story, the run over time, the numbers.

use super::{badge, scroll, tables};
use crate::campaign::outcome::{CampaignOutcome, Exhibit, VariantOutcome};
use crate::campaign::verdict::{self, Overall};
use crate::report::{number, plot, sentence};
use crate::run::summary::{Series, Story};
use maud::{Markup, PreEscaped, html};

/// The section of the variant at `index`.
pub fn section(outcome: &CampaignOutcome, variant: &VariantOutcome, index: usize) -> Markup {
    let rows = verdict::judge(variant, outcome.invocation.strict);
    let overall = Overall::of(rows.iter().map(|row| &row.judgement));
    html! {
        section.variant id={ "variant-" (index) } {
            h2 { "Variant " (variant.plan.variant) " " (badge(overall)) }
            p.facts {
                (number::runs(variant.made())) ", " (sentence::seeds(outcome))
                " · scenario hash " code { (variant.plan.hash) }
                @for (key, value) in &variant.plan.params { " · " code { (key) "=" (value) } }
            }
            h3 { "What is expected" }
            (scroll("What is expected", tables::expectations(variant, &rows)))
            h3 { "Every invariant" }
            (scroll("Every invariant", tables::invariants(variant)))
            @if let Some(exhibit) = &variant.exhibit { (shown(exhibit, index)) }
            h3 { "Metrics" }
            (scroll("Metrics", tables::metrics(variant)))
            @if !variant.happened().is_empty() {
                h3 { "What happened to the estate" }
                (scroll("What happened to the estate", tables::happenings(variant)))
            }
            @if !variant.plan_ends().is_empty() {
                h3 { "How plans ended" }
                (scroll("How plans ended", tables::plans(variant)))
            }
            @if !variant.tally.published.is_empty() {
                h3 { "Steps of the rollout" }
                (scroll("Steps of the rollout", tables::steps(variant)))
            }
            details {
                summary { "Seeds and digests" }
                (scroll("Seeds and digests", tables::seeds(variant)))
            }
        }
    }
}

/// The run that is shown: its stories, then its course.
fn shown(exhibit: &Exhibit, index: usize) -> Markup {
    let (plots, absent) = plot::plots(&exhibit.series);
    html! {
        @for (nth, story) in exhibit.stories.iter().enumerate() {
            @if nth == 0 { h3 { "How it is violated" } }
            (told(story))
        }
        h3 { "The run over time, seed " (exhibit.seed) }
        @if !plots.is_empty() { (key(&exhibit.series)) }
        @for plot in &plots { (figure(plot, index)) }
        @for sentence in absent { p.quiet { (sentence) } }
    }
}

fn told(story: &Story) -> Markup {
    html! {
        article.story {
            p.headline { strong { (story.headline) } " Seed " (story.seed) "." }
            ol {
                @for line in &story.lines {
                    li {
                        span.at { (number::clock(line.at)) }
                        span.who { (line.who) }
                        span.what { (line.text) }
                    }
                }
            }
        }
    }
}

/// What the lines and bands of the plots stand for, in words and in order.
fn key(series: &Series) -> Markup {
    const MOST: usize = 24;
    let marks = plot::key(series);
    html! {
        @if !marks.is_empty() {
            p { "Dashed lines are steps, kills and lifts; grey bands are faults, deploys and kills in force:" }
            ul.key {
                @for (from, until, label) in marks.iter().take(MOST) {
                    li {
                        span.at { (from) @if let Some(until) = until { " to " (until) } } " " (label)
                    }
                }
                @if marks.len() > MOST {
                    li { "and " (number::count((marks.len() - MOST) as u64)) " more" }
                }
            }
        }
    }
}

pub fn figure(plot: &plot::Plot, index: usize) -> Markup {
    let id = format!("plot-{index}-{}", plot.name);
    html! {
        figure {
            p.title { (plot.title) }
            ul.legend {
                @for (property, text) in &plot.legend {
                    li { span.swatch style={ "background:var(" (property) ")" } {} (text) }
                }
            }
            (scroll(&plot.title, html! { (PreEscaped(plot.inline(&id))) }))
            figcaption { (plot.caption) }
        }
    }
}
