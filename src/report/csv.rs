//! `seeds.csv` and `metrics.csv`: one line per run, one per run and metric, for spreadsheets and data frames.

use super::number;
use crate::campaign::outcome::CampaignOutcome;

/// One line per variant and seed: identity of the run, then the verdict on every invariant.
pub fn seeds(outcome: &CampaignOutcome) -> String {
    let mut invariants: Vec<&'static str> = Vec::new();
    for name in outcome.variants.iter().flat_map(|variant| variant.invariants()) {
        if !invariants.contains(&name) {
            invariants.push(name);
        }
    }
    let mut text = String::new();
    let head = ["variant", "seed", "digest", "events", "draws", "end", "cut_short"];
    line(&mut text, head.into_iter().chain(invariants.iter().copied()));
    for variant in &outcome.variants {
        for run in &variant.runs {
            let verdict = |name: &&str| {
                let found = run.invariants.iter().find(|outcome| outcome.name == *name);
                found.map_or(String::new(), |outcome| outcome.verdict.name().to_owned())
            };
            let identity = [
                variant.plan.variant.clone(),
                run.seed.to_string(),
                run.digest.clone(),
                run.events.to_string(),
                run.draws.to_string(),
                number::exact(run.end.since_start()),
                run.cut_short.to_string(),
            ];
            line(&mut text, identity.into_iter().chain(invariants.iter().map(verdict)));
        }
    }
    text
}

/// One line per variant, seed and metric that has a value, in the metric's own unit.
pub fn metrics(outcome: &CampaignOutcome) -> String {
    let mut text = String::new();
    line(&mut text, ["variant", "seed", "metric", "value"]);
    for variant in &outcome.variants {
        for run in &variant.runs {
            for metric in &run.metrics {
                let fields = [&variant.plan.variant, &run.seed.to_string(), &*metric.name, &metric.value.to_string()];
                line(&mut text, fields);
            }
        }
    }
    text
}

/// One record as RFC 4180 has it, with plain newlines.
pub(super) fn line<S: AsRef<str>>(text: &mut String, fields: impl IntoIterator<Item = S>) {
    for (index, field) in fields.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        let field = field.as_ref();
        if field.contains([',', '"', '\n', '\r']) {
            text.push_str(&format!("\"{}\"", field.replace('"', "\"\"")));
        } else {
            text.push_str(field);
        }
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::outcome::fixture::split_brain;

    #[test]
    fn there_is_one_line_per_run_with_a_verdict_per_invariant() {
        let text = seeds(&split_brain());
        assert_eq!(text.lines().count(), 41);
        let lines: Vec<&str> = text.lines().collect();
        insta::assert_snapshot!(format!("{}\n{}", lines[0], lines[25]), @r#"
        variant,seed,digest,events,draws,end,cut_short,split-brain,kill-latency,completion,no-lost-event
        edge-context,4,78dde6e5fd29f0540000000000c0fff2,481238,601012,600s,false,holds,violated,holds,vacuous
        "#);
    }

    #[test]
    fn there_is_one_line_per_metric_of_a_run() {
        let text = metrics(&split_brain());
        assert_eq!(text.lines().count(), 1 + 40 * 7);
        assert_eq!(text.lines().nth(1), Some("base,0,interactions.count,120000"));
    }

    #[test]
    fn a_field_with_a_comma_or_a_quote_is_quoted() {
        let mut text = String::new();
        line(&mut text, ["a,b", "say \"no\"", "c"]);
        assert_eq!(text, "\"a,b\",\"say \"\"no\"\"\",c\n");
    }
}
