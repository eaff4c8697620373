//! `index.html`: the whole report in one file. It needs no network and no script, and follows the reader's colours.

mod tables;
pub(super) mod variant;

use super::plot;
use super::{number, sentence};
use crate::campaign::outcome::{CampaignOutcome, VariantOutcome};
use crate::campaign::verdict::{self, Judgement, Overall};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("html/report.css");
/// Nothing is loaded and nothing runs, whatever a scenario file says.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// The text of `index.html`.
pub fn render(outcome: &CampaignOutcome) -> String {
    let overall = verdict::overall(outcome);
    let body = html! {
            (opening(outcome, overall))
            @if outcome.variants.len() > 1 { (overview(outcome)) }
            (accepted(outcome))
            @for (index, variant) in outcome.variants.iter().enumerate() {
                (variant::section(outcome, variant, index))
            }
            (replaying(outcome))
            (sources(outcome))
    };
    page(
        &format!("{}: {} · windtunnel", outcome.scenario, overall.name()),
        "same scenario, seeds and version: same digests.",
        &body,
    )
}

/// A page in one file: its title, what its footer says besides the version, and what stands in it.
pub(super) fn page(title: &str, footer: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(style())) }
            }
            body {
                main { (body) }
                footer {
                    p {
                        "windtunnel " (env!("CARGO_PKG_VERSION")) " · " (footer)
                        " Rates are those of this scenario's fault model, not probabilities of production."
                    }
                }
            }
        }
    };
    page.into_string()
}

fn style() -> String {
    let (light, dark) = plot::palette();
    format!(
        ":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}@media print{{:root{{{light}}}}}\n{STYLE}figure svg text{{{}}}\n",
        plot::TEXT_STYLE
    )
}

fn opening(outcome: &CampaignOutcome, overall: Overall) -> Markup {
    let mut questions: Vec<&str> = Vec::new();
    for variant in &outcome.variants {
        if !variant.plan.summary.is_empty() && !questions.contains(&variant.plan.summary.as_str()) {
            questions.push(&variant.plan.summary);
        }
    }
    html! {
        header {
            p.kicker { "windtunnel report" }
            h1 { (outcome.scenario) }
            @for question in questions { p.question { (question) } }
            div.verdict.(tone(overall)) {
                p.word { (mark(overall)) " " (word(overall)) }
                p { (sentence::headline(outcome)) }
            }
        }
    }
}

/// One line per variant, for files with several.
fn overview(outcome: &CampaignOutcome) -> Markup {
    html! {
        h2 { "Variants" }
        (scroll("Variants", html! {
            table {
                thead { tr { th { "variant" } th { "verdict" } th.number { "expectations met" } th.number { "runs" } } }
                tbody {
                    @for (index, variant) in outcome.variants.iter().enumerate() {
                        @let rows = verdict::judge(variant, outcome.invocation.strict);
                        @let met = rows.iter().filter(|row| row.judgement == Judgement::Met).count() as u64;
                        tr {
                            td { a href={ "#variant-" (index) } { (variant.plan.variant) } }
                            td { (badge(Overall::of(rows.iter().map(|row| &row.judgement)))) }
                            td.number { (number::count(met)) " of " (number::count(rows.len() as u64)) }
                            td.number { (number::count(variant.made())) }
                        }
                    }
                }
            }
        }))
    }
}

fn accepted(outcome: &CampaignOutcome) -> Markup {
    let entries = crate::campaign::accepted::standings(outcome);
    html! {
        @if !entries.is_empty() {
            h2 { "Accepted violations" }
            (scroll("Accepted violations", tables::accepted(&entries)))
        }
    }
}

fn replaying(outcome: &CampaignOutcome) -> Markup {
    let seed = |variant: &VariantOutcome| sentence::shown_seed(variant, outcome.invocation.strict);
    html! {
        h2 { "Replay" }
        p { "A run depends on the scenario, the seed and the version only. This repeats the runs shown here, digest for digest:" }
        pre { code {
            @for variant in &outcome.variants {
                @if let Some(seed) = seed(variant) {
                    (sentence::replay(&outcome.invocation, &variant.plan.variant, seed)) "\n"
                }
            }
        } }
    }
}

/// The file as it was read; once, where all variants come from one.
fn sources(outcome: &CampaignOutcome) -> Markup {
    let mut sources: Vec<(&str, &str)> = Vec::new();
    for variant in &outcome.variants {
        if sources.iter().all(|(_, text)| *text != variant.plan.source) {
            sources.push((&variant.plan.variant, &variant.plan.source));
        }
    }
    html! {
        @for (variant, text) in &sources {
            details {
                summary { "The scenario file" @if sources.len() > 1 { " (" (variant) ")" } }
                pre { code { (text) } }
            }
        }
    }
}

/// A container in which what is too wide scrolls by itself, with the keyboard too.
pub(super) fn scroll(label: &str, content: Markup) -> Markup {
    html! { div.scroll role="region" aria-label=(label) tabindex="0" { (content) } }
}

fn tone(overall: Overall) -> &'static str {
    match overall {
        Overall::Pass => "good",
        Overall::Fail => "bad",
        Overall::Inconclusive => "unsure",
    }
}

fn word(overall: Overall) -> &'static str {
    match overall {
        Overall::Pass => "Pass",
        Overall::Fail => "Fail",
        Overall::Inconclusive => "Inconclusive",
    }
}

fn mark(overall: Overall) -> &'static str {
    match overall {
        Overall::Pass => "✓",
        Overall::Fail => "✗",
        Overall::Inconclusive => "?",
    }
}

fn badge(overall: Overall) -> Markup {
    html! { span.badge.(tone(overall)) { (mark(overall)) " " (word(overall).to_lowercase()) } }
}

fn badge_of(judgement: &Judgement) -> Markup {
    match judgement {
        Judgement::Accepted(_) => html! { span.badge.unsure { "! accepted" } },
        Judgement::Met | Judgement::Missed(_) | Judgement::Inconclusive(_) => badge(Overall::of([judgement])),
    }
}

#[cfg(test)]
mod tests;
