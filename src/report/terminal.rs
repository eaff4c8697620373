//! What `windtunnel run` and `windtunnel test` print: what was expected and seen, one story, the line to paste.

use super::{number, sentence};
use crate::campaign::accepted::{self, Entry, Standing};
use crate::campaign::outcome::{CampaignOutcome, Estimate, VariantOutcome};
use crate::campaign::verdict::{self, Judged, Judgement, Overall, Subject};
use crate::run::summary::{Story, Verdict};
use crate::scenario::plan::Expected;
use anstyle::{AnsiColor, Style};
use std::path::Path;

/// Lines of a story at most; the report has all of them.
const STORY_LINES: usize = 12;
/// Metrics at most; `metrics.csv` has all of them.
const METRICS: usize = 6;
/// Metrics worth a line when nothing names any, by what a reader asks first: harm, errors, how long it takes.
const TELLING: [&str; 10] = [
    "mixed_interactions.count",
    "mixed_interactions.share",
    "error_rate",
    "latency.p99",
    "time_to_full",
    "time_to_kill",
    "misread_events.count",
    "redelivery_rate",
    "lag.max",
    "staleness.max",
];

/// Whether the text may carry colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Plain,
    Colored,
}

/// The whole summary; `report` is where `index.html` was written, if it was.
pub fn render(outcome: &CampaignOutcome, report: Option<&Path>, ink: Ink) -> String {
    let mut page = Page { text: String::new(), ink };
    for variant in &outcome.variants {
        page.variant(outcome, variant);
        page.line("");
    }
    page.accepted(outcome);
    page.close(outcome, report);
    number::with_plain_spaces(&page.text)
}

/// One line on one variant, as `windtunnel test` prints it: mark, `scenario:variant`, and what was missed first.
pub fn one_line(variant: &VariantOutcome, strict: bool, ink: Ink) -> String {
    let page = Page { text: String::new(), ink };
    let rows = verdict::judge(variant, strict);
    let overall = Overall::of(rows.iter().map(|row| &row.judgement));
    let unmet = |row: &&Judged| match (&row.judgement, overall) {
        (Judgement::Missed(_), Overall::Fail) | (Judgement::Inconclusive(_), Overall::Inconclusive) => true,
        (Judgement::Met | Judgement::Missed(_) | Judgement::Inconclusive(_) | Judgement::Accepted(_), _) => false,
    };
    let name = format!("{}:{}", variant.plan.scenario, variant.plan.variant);
    let runs = number::runs(variant.made());
    let accepted: Vec<&Judged> = rows.iter().filter(|row| matches!(row.judgement, Judgement::Accepted(_))).collect();
    let said = match rows.iter().find(unmet) {
        Some(row) => format!("{}: {}", sentence::subject(row), sentence::account(row, variant)),
        None => {
            let total = number::counted(rows.len() as u64, "expectation", "expectations");
            let met = (rows.len() - accepted.len()) as u64;
            match accepted.len() as u64 {
                0 => format!("{total} met in {runs}"),
                some => format!("{total} in {runs}: {} met, {} accepted", number::count(met), number::count(some)),
            }
        }
    };
    let mut text = format!("{} {name}  {said}\n", page.mark_of(overall));
    for row in accepted {
        let told = format!("{}: {}", sentence::subject(row), sentence::account(row, variant));
        text.push_str(&format!("  {} {told}\n", page.accepted_mark()));
    }
    number::with_plain_spaces(&text)
}

/// The accepted violations that are over, one line each, as `windtunnel test` prints them after the variants.
pub fn over(outcome: &CampaignOutcome, ink: Ink) -> String {
    let page = Page { text: String::new(), ink };
    let entries = accepted::standings(outcome);
    let over = entries.iter().filter(|entry| entry.standing == Standing::Over);
    let line = |entry: &Entry<'_>| {
        let named = accepted::named(entry.accepted);
        let mark = page.mark_of(Overall::Fail);
        format!("{mark} {}  {named}: {}\n", outcome.scenario, sentence::standing(entry))
    };
    over.map(line).collect()
}

/// One story as `run` prints it.
pub fn story(story: &Story, ink: Ink) -> String {
    let mut page = Page { text: String::new(), ink };
    page.story(story);
    number::with_plain_spaces(&page.text)
}

struct Page {
    text: String,
    ink: Ink,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn head(&mut self, text: &str) {
        self.line("");
        self.line(&format!("  {}", self.paint(Style::new().bold(), text)));
    }

    fn paint(&self, style: Style, text: &str) -> String {
        match self.ink {
            Ink::Plain => text.to_owned(),
            Ink::Colored => format!("{style}{text}{style:#}"),
        }
    }

    fn faint(&self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    fn mark_of(&self, overall: Overall) -> String {
        let (mark, color) = match overall {
            Overall::Pass => ("✓", AnsiColor::Green),
            Overall::Fail => ("✗", AnsiColor::Red),
            Overall::Inconclusive => ("?", AnsiColor::Yellow),
        };
        self.paint(color.on_default().bold(), mark)
    }

    fn accepted_mark(&self) -> String {
        self.paint(AnsiColor::Yellow.on_default().bold(), "!")
    }

    fn variant(&mut self, outcome: &CampaignOutcome, variant: &VariantOutcome) {
        let plan = &variant.plan;
        let title = self.paint(Style::new().bold(), &format!("{} · {}", plan.scenario, plan.variant));
        let runs = number::runs(variant.made());
        self.line(&format!("{title} · {runs}, {}", sentence::seeds(outcome)));
        if !plan.summary.is_empty() {
            self.line(&plan.summary);
        }
        let rows = verdict::judge(variant, outcome.invocation.strict);
        self.expected(variant, &rows);
        self.also_checked(variant, &rows);
        self.metrics(variant);
        self.timeline(variant);
        self.plans(variant);
        if let Some(story) = variant.exhibit.as_ref().and_then(|exhibit| exhibit.stories.first()) {
            self.story(story);
        }
        if let Some(seed) = sentence::shown_seed(variant, outcome.invocation.strict) {
            self.head("replay");
            self.line(&format!("    {}", sentence::replay(&outcome.invocation, &plan.variant, seed)));
        }
    }

    fn expected(&mut self, variant: &VariantOutcome, rows: &[Judged]) {
        self.head("expected");
        let named: Vec<String> = rows.iter().map(sentence::subject).collect();
        let width = width_of(named.iter().map(String::as_str));
        for (row, name) in rows.iter().zip(&named) {
            let mark = match row.judgement {
                Judgement::Accepted(_) => self.accepted_mark(),
                Judgement::Met | Judgement::Missed(_) | Judgement::Inconclusive(_) => {
                    self.mark_of(Overall::of([&row.judgement]))
                }
            };
            let account = match &row.of {
                // The row's text is its subject already.
                Subject::Timeline(_) => "never took place: what it was to show is not shown".to_owned(),
                Subject::Expectation(_) | Subject::Strict(_) | Subject::Variant => sentence::account(row, variant),
            };
            self.line(&format!("  {mark} {name:width$}  {account}"));
        }
    }

    fn also_checked(&mut self, variant: &VariantOutcome, rows: &[Judged]) {
        let judged: Vec<&'static str> = rows.iter().filter_map(Judged::invariant).collect();
        let others: Vec<_> = variant
            .invariants()
            .into_iter()
            .filter(|name| !judged.contains(name))
            .map(|name| variant.totals(name))
            .collect();
        if others.is_empty() {
            return;
        }
        self.head("also checked, without a say");
        let width = width_of(others.iter().map(|totals| totals.name));
        for totals in others.iter().filter(|totals| totals.verdict != Verdict::Vacuous) {
            self.line(&format!("  · {:width$}  {}", totals.name, sentence::counts(totals)));
        }
        let idle: Vec<&str> =
            others.iter().filter(|totals| totals.verdict == Verdict::Vacuous).map(|totals| totals.name).collect();
        if !idle.is_empty() {
            self.line(&format!("  · {}", self.faint(&format!("never exercised here: {}", idle.join(", ")))));
        }
    }

    fn metrics(&mut self, variant: &VariantOutcome) {
        let shown = telling_metrics(variant);
        if shown.is_empty() {
            return;
        }
        self.head("metrics, mean over seeds and its 95% interval");
        let width = width_of(shown.iter().map(|estimate| &*estimate.name));
        for estimate in shown {
            let told = |value| number::quantity(value, estimate.unit);
            let interval =
                estimate.ci95.map_or(String::new(), |(low, high)| format!("  ({} to {})", told(low), told(high)));
            self.line(&format!("    {:width$}  {}{}", estimate.name, told(estimate.mean), self.faint(&interval)));
        }
    }

    fn timeline(&mut self, variant: &VariantOutcome) {
        let entries = variant.happened();
        if entries.is_empty() {
            return;
        }
        self.head("timeline");
        let width = width_of(entries.iter().map(|entry| entry.label.as_str()));
        for entry in entries {
            let told = sentence::happened(entry, variant.made());
            self.line(&format!("    {:width$}  {told}", entry.label));
        }
    }

    fn plans(&mut self, variant: &VariantOutcome) {
        let ends = variant.plan_ends();
        if ends.is_empty() {
            return;
        }
        self.head("plans");
        let width = width_of(ends.iter().map(|(feature, ..)| *feature));
        for (feature, end, runs) in ends {
            let of = number::counted(variant.made(), "run", "runs");
            self.line(&format!("    {feature:width$}  {end}  {}", self.faint(&format!("{runs} of {of}"))));
        }
    }

    fn story(&mut self, story: &Story) {
        self.head(&format!("how {} is violated, seed {}", story.invariant, story.seed));
        self.line(&format!("    {}", story.headline));
        let times: Vec<String> = story.lines.iter().map(|line| number::clock(line.at)).collect();
        let (time, who) =
            (width_of(times.iter().map(String::as_str)), width_of(story.lines.iter().map(|line| line.who.as_str())));
        for (at, line) in times.iter().zip(&story.lines).take(STORY_LINES) {
            let at = self.faint(&format!("{at:>time$}"));
            self.line(&format!("    {at}  {:who$}  {}", line.who, line.text));
        }
        if story.lines.len() > STORY_LINES {
            let more = number::counted((story.lines.len() - STORY_LINES) as u64, "more line", "more lines");
            self.line(&format!("    {}", self.faint(&format!("and {more} in the report"))));
        }
    }

    /// What the file accepts, and how it stands.
    fn accepted(&mut self, outcome: &CampaignOutcome) {
        let entries = accepted::standings(outcome);
        if entries.is_empty() {
            return;
        }
        self.head("accepted violations");
        let named: Vec<String> = entries.iter().map(|entry| accepted::named(entry.accepted)).collect();
        let width = width_of(named.iter().map(String::as_str));
        for (entry, name) in entries.iter().zip(&named) {
            let mark = match entry.standing {
                Standing::InForce => self.accepted_mark(),
                Standing::Expired | Standing::Over => self.mark_of(Overall::Fail),
                Standing::NotSeen => "·".to_owned(),
            };
            self.line(&format!("  {mark} {name:width$}  {}", sentence::standing(entry)));
        }
        self.line("");
    }

    fn close(&mut self, outcome: &CampaignOutcome, report: Option<&Path>) {
        let overall = verdict::overall(outcome);
        let (word, color) = match overall {
            Overall::Pass => ("PASS", AnsiColor::Green),
            Overall::Fail => ("FAIL", AnsiColor::Red),
            Overall::Inconclusive => ("INCONCLUSIVE", AnsiColor::Yellow),
        };
        let word = self.paint(color.on_default().bold(), word);
        self.line(&format!("{word}  {}", sentence::headline(outcome)));
        if let Some(report) = report {
            self.line(&format!("report  {}", report.display()));
        }
    }
}

/// Metrics that an expectation names, then telling ones that are not zero.
fn telling_metrics(variant: &VariantOutcome) -> Vec<Estimate> {
    let named = variant.plan.expectations.iter().filter_map(|expectation| match &expectation.of {
        Expected::Metric { name, .. } => Some(&**name),
        Expected::Invariant { .. } | Expected::Reached { .. } => None,
    });
    let named: Vec<&str> = named.collect();
    let mut shown: Vec<Estimate> = Vec::new();
    for name in named.iter().copied().chain(TELLING) {
        let fresh = shown.iter().all(|estimate| estimate.name != name);
        let wanted = |estimate: &Estimate| named.contains(&name) || estimate.mean != 0.0;
        if let (true, Some(estimate)) = (fresh && shown.len() < METRICS, variant.estimate(name).filter(wanted)) {
            shown.push(estimate);
        }
    }
    shown
}

/// Columns, counted in characters.
fn width_of<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests;
