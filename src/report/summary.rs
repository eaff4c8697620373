//! `summary.md`: the outcome on half a page, for a pull request or a CI step.

use super::{number, sentence};
use crate::campaign::accepted;
use crate::campaign::outcome::{CampaignOutcome, VariantOutcome};
use crate::campaign::verdict::{self, Judgement, Overall};

/// The text of `summary.md`.
pub fn render(outcome: &CampaignOutcome) -> String {
    let word = match verdict::overall(outcome) {
        Overall::Pass => "pass",
        Overall::Fail => "fail",
        Overall::Inconclusive => "inconclusive",
    };
    let mut text = format!("## {}: {word}\n\n{}\n", escaped(&outcome.scenario), escaped(&sentence::headline(outcome)));
    for variant in &outcome.variants {
        text.push_str(&section(outcome, variant));
    }
    let entries = accepted::standings(outcome);
    if !entries.is_empty() {
        text.push_str("\n### accepted violations\n\n| | accepted | |\n|---|---|---|\n");
    }
    for entry in &entries {
        let (named, told) = (accepted::named(entry.accepted), sentence::standing(entry));
        let mark = entry.standing.name();
        text.push_str(&format!("| {mark} | {} | {} |\n", escaped(&named), escaped(&told)));
    }
    number::with_plain_spaces(&text)
}

fn section(outcome: &CampaignOutcome, variant: &VariantOutcome) -> String {
    let runs = number::runs(variant.made());
    let mut text = format!("\n### {} ({runs}, {})\n\n", escaped(&variant.plan.variant), sentence::seeds(outcome));
    text.push_str("| | expected | seen |\n|---|---|---|\n");
    for row in verdict::judge(variant, outcome.invocation.strict) {
        let mark = match row.judgement {
            Judgement::Met => "met",
            Judgement::Missed(_) => "**missed**",
            Judgement::Inconclusive(_) => "*inconclusive*",
            Judgement::Accepted(_) => "*accepted*",
        };
        let account = sentence::account(&row, variant);
        text.push_str(&format!("| {mark} | {} | {} |\n", escaped(&row.text), escaped(&account)));
    }
    if let Some(story) = variant.exhibit.as_ref().and_then(|exhibit| exhibit.stories.first()) {
        text.push_str(&format!("\n{}\n", escaped(&story.headline)));
    }
    if let Some(seed) = sentence::shown_seed(variant, outcome.invocation.strict) {
        text.push_str(&format!(
            "\n```sh\n{}\n```\n",
            sentence::replay(&outcome.invocation, &variant.plan.variant, seed)
        ));
    }
    text
}

/// Text that Markdown takes as it is, in a table cell too.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => safe.push(' '),
            control if control.is_control() => safe.push('\u{fffd}'),
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' => safe.extend(['\\', c]),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::outcome::fixture::split_brain;

    #[test]
    fn the_summary_fits_on_half_a_page() {
        insta::assert_snapshot!(render(&split_brain()), @r#"
        ## split-brain: fail

        1 of 5 expectations is missed. kill-latency in edge-context: expected to hold, but violated in 2 of 20 runs, first with seed 4: carried context (4).

        ### base (20 runs, seeds 0..20)

        | | expected | seen |
        |---|---|---|
        | met | split-brain: violated, cause: stale cache | violated in 20 of 20 runs, 3 019 violations, causes: stale cache (3 000), fallback (19) |
        | met | error\_rate &lt;= 0.01 | the mean is 0.0305%, as expected: error\_rate &lt;= 0.01 |

        Order place-order \#24417 is checked out under stage on and billed under stage off.

        ```sh
        windtunnel run scenarios/split-brain.yaml --seed 0
        ```

        ### edge-context (20 runs, seeds 0..20)

        | | expected | seen |
        |---|---|---|
        | met | split-brain: holds | holds in 20 of 20 runs, exercised 81 220 times; with 95% confidence violated in at most 13.9% of runs |
        | **missed** | kill-latency: holds | expected to hold, but violated in 2 of 20 runs, first with seed 4: carried context (4) |
        | met | reached: decided while control\_plane.down | reached |

        An invoice is posted on the new path 41s after the kill, 11s beyond the bound.

        ```sh
        windtunnel run scenarios/split-brain.yaml --variant edge-context --seed 4
        ```
        "#);
    }

    #[test]
    fn what_a_file_says_cannot_become_markup() {
        assert_eq!(escaped("a|b <img src=x>\n*c*"), r"a\|b &lt;img src=x> \*c\*");
    }
}
