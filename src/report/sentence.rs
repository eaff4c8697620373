//! What reports say in words, the same in every format: counts, expectations, the verdict, the line to paste.

use super::number;
use crate::campaign::accepted::{self, Entry, Standing};
use crate::campaign::outcome::{CampaignOutcome, Happened, Invocation, Totals, VariantOutcome};
use crate::campaign::verdict::gate::CONFIDENCE;
use crate::campaign::verdict::{self, Judged, Judgement, Overall, Subject};
use crate::run::summary::Verdict;
use crate::scenario::plan::{ComesOut, Expected};
use crate::stats::binomial;

/// What is said of anything named that never happened.
pub const WORTHLESS: &str = "never exercised: this result is worth nothing";

/// An invariant's counts: `violated in 20 of 20 runs, 3 012 violations, cause: stale cache (3 012)`.
pub fn counts(totals: &Totals) -> String {
    let mut text = match totals.verdict {
        Verdict::Violated => {
            let violations = number::counted(totals.violations, "violation", "violations");
            format!("violated in {}, {violations}{}", of_exercised(totals.violated_runs, totals), causes(totals))
        }
        Verdict::Holds => {
            let times = number::counted(totals.exercised, "time", "times");
            let clean = totals.exercised_runs - totals.violated_runs;
            format!("holds in {}, exercised {times}", of_exercised(clean, totals))
        }
        Verdict::Pending => {
            let open = number::counted(totals.pending, "obligation", "obligations");
            format!("pending in {}: {open} open at the end", of_all(totals.pending_runs, totals.runs))
        }
        Verdict::Vacuous => WORTHLESS.to_owned(),
        Verdict::Undecided => {
            format!("undecided in {}: a limit was hit first", of_all(totals.undecided_runs, totals.runs))
        }
    };
    if totals.in_baseline > 0 {
        let too = number::counted(totals.in_baseline, "violation", "violations");
        text.push_str(&format!(", {too} in the baseline too"));
    }
    if !totals.apart.is_empty() {
        text.push_str(&format!(", judged elsewhere: {}", counted_list(&totals.apart)));
    }
    text
}

/// `, causes: stale cache (3 012), fallback (19)`; empty without any.
fn causes(totals: &Totals) -> String {
    let told = counted_list(&totals.causes);
    match totals.causes.len() {
        0 => String::new(),
        1 => format!(", cause: {told}"),
        _ => format!(", causes: {told}"),
    }
}

/// `stale cache (3 012), fallback (19)`.
pub fn counted_list(counts: &[(&'static str, u64)]) -> String {
    let told: Vec<String> = counts.iter().map(|(name, times)| format!("{name} ({})", number::count(*times))).collect();
    told.join(", ")
}

fn of_exercised(part: u64, totals: &Totals) -> String {
    if totals.exercised_runs == totals.runs {
        return of_all(part, totals.runs);
    }
    let of = number::count(totals.exercised_runs);
    format!("{} of {of} runs that exercised it ({} in all)", number::count(part), number::count(totals.runs))
}

/// `2 of 20 runs`.
pub fn of_all(part: u64, runs: u64) -> String {
    format!("{} of {}", number::count(part), number::runs(runs))
}

/// What a row is about: the invariant's or metric's name, the entry of the timeline.
pub fn subject(row: &Judged) -> String {
    match &row.of {
        Subject::Expectation(Expected::Invariant { name, .. }) | Subject::Strict(name) => (*name).to_owned(),
        Subject::Expectation(Expected::Metric { name, .. }) => name.clone().into_owned(),
        Subject::Expectation(Expected::Reached { .. }) | Subject::Timeline(_) | Subject::Variant => row.text.clone(),
    }
}

/// What a row came to, in one line: the counts where it was met, what was expected and what came instead where not.
pub fn account(row: &Judged, outcome: &VariantOutcome) -> String {
    let expected = match &row.of {
        Subject::Expectation(Expected::Invariant { comes_out, .. }) => Some(comes_out_words(comes_out)),
        Subject::Strict(_) => Some("expected to hold (strict)".to_owned()),
        Subject::Expectation(Expected::Metric { .. }) => Some(format!("expected {}", row.text)),
        Subject::Expectation(Expected::Reached { .. }) | Subject::Timeline(_) | Subject::Variant => None,
    };
    match (&row.judgement, expected) {
        (Judgement::Met, _) => met(row, outcome),
        (Judgement::Missed(why) | Judgement::Inconclusive(why) | Judgement::Accepted(why), Some(expected)) => {
            format!("{expected}, but {why}")
        }
        (Judgement::Missed(why) | Judgement::Inconclusive(why) | Judgement::Accepted(why), None) => why.clone(),
    }
}

fn met(row: &Judged, outcome: &VariantOutcome) -> String {
    match &row.of {
        Subject::Expectation(Expected::Invariant { name, comes_out }) => {
            let counts = counts(&outcome.totals(name));
            match (comes_out, &row.note) {
                (ComesOut::AtMost { .. }, Some(note)) => note.clone(),
                (ComesOut::Holds, _) => format!("{counts}{}", not_zero(outcome, name)),
                // Other causes and the baseline's share stand in the counts already.
                _ => counts,
            }
        }
        Subject::Strict(name) => counts(&outcome.totals(name)),
        Subject::Expectation(Expected::Metric { .. }) => {
            format!("{}, as expected: {}", row.note.as_deref().unwrap_or("it is within its bounds"), row.text)
        }
        Subject::Expectation(Expected::Reached { .. }) => "reached".to_owned(),
        Subject::Timeline(_) | Subject::Variant => String::new(),
    }
}

/// What no violation says of the rate: not that it is zero. Of a single run there is nothing to be said.
fn not_zero(outcome: &VariantOutcome, invariant: &str) -> String {
    let Some(tally) = outcome.tally.invariant(invariant).filter(|tally| tally.totals.exercised_runs > 1) else {
        return String::new();
    };
    let most = match &outcome.gate {
        Some(gate) => tally.evidence.few.interval(gate.error(CONFIDENCE)).1,
        None => binomial::upper_bound(tally.totals.violated_runs, tally.totals.exercised_runs, CONFIDENCE),
    };
    format!("; with {} confidence violated in at most {} of runs", number::percent(CONFIDENCE), number::percent(most))
}

fn comes_out_words(comes_out: &ComesOut) -> String {
    match comes_out {
        ComesOut::Holds => "expected to hold".to_owned(),
        ComesOut::Violated { cause: None, .. } => "expected to be violated".to_owned(),
        ComesOut::Violated { cause: Some(cause), .. } => format!("expected to be violated for {cause}"),
        ComesOut::AtMost { share, confidence } => {
            format!("expected in at most {share} of runs with {} confidence", number::percent(*confidence))
        }
    }
}

/// `holds`, `violated`, `at most 5% of runs`: as `result.json` says what is expected of an invariant.
pub fn expected(comes_out: &ComesOut) -> String {
    match comes_out {
        ComesOut::Holds => "holds".to_owned(),
        ComesOut::Violated { .. } => "violated".to_owned(),
        ComesOut::AtMost { share, .. } => format!("at most {share} of runs"),
    }
}

/// An entry of the timeline: `in 20 of 20 runs, 23 times in all`.
pub fn happened(entry: &Happened, runs: u64) -> String {
    if entry.fired_runs == 0 {
        return "never took place: what it was to show is not shown".to_owned();
    }
    let in_runs = format!("in {}", of_all(entry.fired_runs, runs));
    if entry.times == entry.fired_runs {
        in_runs
    } else {
        format!("{in_runs}, {} times in all", number::count(entry.times))
    }
}

/// One sentence on what the campaign came to.
pub fn headline(outcome: &CampaignOutcome) -> String {
    let strict = outcome.invocation.strict;
    let rows: Vec<(&VariantOutcome, Judged)> = outcome
        .variants
        .iter()
        .flat_map(|variant| verdict::judge(variant, strict).into_iter().map(move |row| (variant, row)))
        .collect();
    let total = rows.len() as u64;
    let first = |wanted: fn(&Judgement) -> bool| rows.iter().find(|(_, row)| wanted(&row.judgement));
    let told = |(variant, row): &(&VariantOutcome, Judged)| {
        format!("{} in {}: {}", subject(row), variant.plan.variant, account(row, variant))
    };
    let text = match verdict::overall(outcome) {
        Overall::Pass => {
            let accepted =
                rows.iter().filter(|(_, row)| matches!(row.judgement, Judgement::Accepted(_))).count() as u64;
            match accepted {
                0 => format!("Everything expected was seen: {}.", met_of(total)),
                some => format!(
                    "Everything expected was seen, or is accepted until a day: {}, {} met, {} accepted.",
                    number::counted(total, "expectation", "expectations"),
                    number::count(total - some),
                    number::count(some)
                ),
            }
        }
        Overall::Fail => {
            let missed = rows.iter().filter(|(_, row)| matches!(row.judgement, Judgement::Missed(_))).count() as u64;
            let which = first(|judgement| matches!(judgement, Judgement::Missed(_))).map(told);
            let which = match which {
                Some(which) => which,
                None => return over(outcome),
            };
            let are = if missed == 1 { "is" } else { "are" };
            let of = number::counted(total, "expectation", "expectations");
            format!("{} of {of} {are} missed. {which}.", number::count(missed))
        }
        Overall::Inconclusive => match first(|judgement| matches!(judgement, Judgement::Inconclusive(_))) {
            Some(row) => format!("It cannot be told. {}.", told(row)),
            None => "It cannot be told: not every run was made.".to_owned(),
        },
    };
    match &outcome.incomplete {
        Some(incomplete) => format!("{}, so this is not everything. {text}", incomplete.told()),
        None => text,
    }
}

/// What is said where everything expected was seen and accepted violations are over.
fn over(outcome: &CampaignOutcome) -> String {
    let entries = accepted::standings(outcome);
    let over: Vec<&Entry<'_>> = entries.iter().filter(|entry| entry.standing == Standing::Over).collect();
    let first =
        over.first().map(|entry| format!(" {}: {}.", accepted::named(entry.accepted), accepted::over(entry.accepted)));
    let many = number::counted(over.len() as u64, "accepted violation is over.", "accepted violations are over.");
    format!("{many}{}", first.unwrap_or_default())
}

/// An accepted violation and how it stands, in one line.
pub fn standing(entry: &Entry<'_>) -> String {
    let terms = accepted::terms(entry.accepted);
    let seen = || {
        let violations = number::counted(entry.violations, "violation", "violations");
        format!("{violations} in {}", entry.seen_in.join(", "))
    };
    match entry.standing {
        Standing::InForce => format!("{terms}; {}", seen()),
        Standing::Expired => format!("{terms}: expired; {}", seen()),
        Standing::Over => accepted::over(entry.accepted),
        Standing::NotSeen => {
            format!("{terms}; not seen here, and `windtunnel test` of all variants tells whether it is over")
        }
    }
}

fn met_of(total: u64) -> String {
    number::counted(total, "expectation, met", "expectations, all met")
}

/// `seeds 0..20`, half-open as on the command line.
pub fn seeds(outcome: &CampaignOutcome) -> String {
    format!("seeds {}..{}", outcome.seeds.0, outcome.seeds.1)
}

/// The line that runs one seed of one variant again.
pub fn replay(invocation: &Invocation, variant: &str, seed: u64) -> String {
    format!("{} --seed {seed}", command("run", invocation, variant))
}

/// The line of a subcommand for one variant, without seeds; of `test` the base is every variant.
pub fn command(subcommand: &str, invocation: &Invocation, variant: &str) -> String {
    let mut line = format!("windtunnel {subcommand}");
    if !invocation.file.is_empty() {
        line.push_str(&format!(" {}", quoted(&invocation.file)));
    }
    if variant != "base" {
        line.push_str(&format!(" --variant {}", quoted(variant)));
    }
    for (key, value) in &invocation.set {
        line.push_str(&format!(" --set {}", quoted(&format!("{key}={value}"))));
    }
    if invocation.strict {
        line.push_str(" --strict");
    }
    if let Some(events) = invocation.max_events {
        line.push_str(&format!(" --max-events {events}"));
    }
    if let Some(today) = invocation.today {
        line.push_str(&format!(" --today {today}"));
    }
    line
}

/// A word as a POSIX shell takes it.
pub fn quoted(word: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_./=:,%+@".contains(c);
    if !word.is_empty() && word.chars().all(safe) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The seed a report points at: the exhibit's, else the one that would be shown.
pub fn shown_seed(variant: &VariantOutcome, strict: bool) -> Option<u64> {
    let shown = variant.exhibit.as_ref().map(|exhibit| exhibit.seed);
    shown.or_else(|| variant.tally.shown(strict).map(|run| run.seed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::outcome::fixture::{campaign, expects, held, line, plan, run, variant};
    use crate::scenario::plan::Accepted;
    use crate::units::Day;

    #[test]
    fn what_another_invariant_judges_is_told_apart() {
        let mut outcome = held("split-brain", 3);
        outcome.apart = vec![("restricted in flight", 2)];
        let totals = variant(plan("base", vec![]), vec![run(0, vec![outcome])]).totals("split-brain");
        let told = "holds in 1 of 1 run, exercised 3 times, judged elsewhere: restricted in flight (2)";
        assert_eq!(counts(&totals), told);
    }

    #[test]
    fn a_campaign_that_fails_for_what_is_over_says_so() {
        let mut plan = plan("base", vec![expects("split-brain", ComesOut::Holds)]);
        let (owner, ticket) = ("payments".to_owned(), "SHOP-1".to_owned());
        let until = Day::new(2026, 12, 31);
        plan.accepted = vec![Accepted { invariant: "split-brain", cause: None, until, owner, ticket, at: line(20) }];
        let mut outcome = campaign(vec![variant(plan, vec![run(0, vec![held("split-brain", 3)])])]);
        assert!(headline(&outcome).starts_with("Everything expected was seen"), "not all of it is here");
        outcome.invocation.whole = true;
        let told = "1 accepted violation is over. split-brain: accepted and no longer needed: nothing violates it any \
                    more; remove the entry at scenarios/split-brain.yaml:20.";
        assert_eq!(headline(&outcome), told);
    }

    #[test]
    fn the_replay_line_can_be_pasted_into_a_shell() {
        let mut invocation = Invocation { file: "my scenarios/it's.yaml".to_owned(), ..Invocation::default() };
        invocation.set.push(("poll".to_owned(), "30s".to_owned()));
        let line = replay(&invocation, "edge-context", 7);
        assert_eq!(line, r"windtunnel run 'my scenarios/it'\''s.yaml' --variant edge-context --set poll=30s --seed 7");
        assert_eq!(replay(&Invocation::default(), "base", 0), "windtunnel run --seed 0");
    }
}
