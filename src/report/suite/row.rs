//! One row of a suite: a scenario, a variant, one thing expected, and what came of it.

use crate::campaign::accepted::{self, Standing};
use crate::campaign::outcome::{CampaignOutcome, Incomplete, VariantOutcome};
use crate::campaign::verdict::{self, Judged, Judgement, Subject};
use crate::report::{number, sentence};
use crate::scenario::plan::{Expected, Line};
use crate::{invariants, models::metric};

/// Characters of a text in a row at most: enough for what a verdict says, and below every platform's limit.
const LONGEST: usize = 1_000;
/// The embedded scenario has no file; this is what stands for its path.
const EMBEDDED: &str = "split-brain.yaml (embedded)";

/// What came of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Met,
    Missed,
    Inconclusive,
    /// Missed, and accepted until a day.
    Accepted,
    /// The file is wrong, or there was no time for it: it did not run.
    Refused,
}

/// What a row is held against, for formats that group by rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    Invariant(&'static str),
    Metric(String),
    Reached,
    Timeline,
    /// Something is expected at all, and runs were made.
    Expectations,
    /// What is accepted still occurs.
    Accepted,
    /// The scenario file runs.
    Scenario,
}

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    pub scenario: String,
    /// `base` without an overlay.
    pub variant: String,
    /// The scenario's file, as it was named.
    pub file: String,
    /// Where it says what is expected.
    pub at: Line,
    pub rule: Rule,
    /// What it is about: an invariant's or metric's name, an entry of the timeline.
    pub subject: String,
    /// As the file writes it.
    pub expected: String,
    pub outcome: Outcome,
    /// What came of it, in one line.
    pub account: String,
    /// The line that runs it again.
    pub replay: String,
    /// On which terms it is accepted, and where the file says so.
    pub accepted: Vec<(String, Line)>,
}

impl Rule {
    /// A stable name.
    pub fn id(&self) -> String {
        match self {
            Rule::Invariant(name) => (*name).to_owned(),
            Rule::Metric(name) => format!("metric/{name}"),
            Rule::Reached => "reached".to_owned(),
            Rule::Timeline => "timeline".to_owned(),
            Rule::Expectations => "expectations".to_owned(),
            Rule::Accepted => "accepted".to_owned(),
            Rule::Scenario => "scenario".to_owned(),
        }
    }

    /// What it means not to keep it, in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Rule::Invariant(name) => {
                let entry = invariants::named(name);
                entry.map_or(String::new(), |entry| format!("Violated when {}.", entry.sentence))
            }
            Rule::Metric(name) => {
                let formula = metric::named(name).map(|metric| metric.formula);
                let formula = formula.map_or(String::new(), |formula| format!(": {formula}"));
                format!("The mean of {name} over seeds is not within its bounds{formula}.")
            }
            Rule::Reached => "A situation that must be reached was reached in no run.".to_owned(),
            Rule::Timeline => "An entry of the timeline took place in no run.".to_owned(),
            Rule::Expectations => "Nothing was expected, or not every run was made.".to_owned(),
            Rule::Accepted => "A violation is accepted that does not occur any more.".to_owned(),
            Rule::Scenario => "A scenario did not run.".to_owned(),
        }
    }

    /// Where more is told of it.
    pub fn help(&self) -> String {
        match self {
            Rule::Invariant(name) => {
                format!("`windtunnel explain {name}` tells when it is violated, and for which causes.")
            }
            Rule::Metric(name) if metric::named(name).is_some() => {
                format!("`windtunnel explain {name}` tells what it measures.")
            }
            Rule::Metric(_) => "The scenario file defines it.".to_owned(),
            Rule::Reached | Rule::Timeline | Rule::Expectations => {
                "What is named and never happens is inconclusive: `windtunnel explain exit-codes`.".to_owned()
            }
            Rule::Accepted => "Remove the entry from `accepted`: the list can only become shorter.".to_owned(),
            Rule::Scenario => "`windtunnel check` prints what is wrong, with its place and a way out.".to_owned(),
        }
    }
}

/// The rows of a campaign: every variant's, what is accepted and over, and why runs are missing where they are.
pub fn rows_of(outcome: &CampaignOutcome) -> Vec<Row> {
    let mut rows = Vec::new();
    for variant in &outcome.variants {
        for judged in verdict::judge(variant, outcome.invocation.strict) {
            rows.push(row_of(outcome, variant, &judged));
        }
        // Where no run was made, that is a row already.
        if let Some(why) = outcome.incomplete.as_ref().filter(|_| variant.made() > 0) {
            rows.push(incomplete(outcome, variant, why));
        }
        rows.extend(over(outcome, variant));
    }
    rows
}

/// The row of a file, or of one of its variants, that did not run.
pub fn refused(file: &str, variant: Option<&str>, why: &str) -> Row {
    let file = path(file);
    Row {
        scenario: file.clone(),
        variant: variant.unwrap_or("base").to_owned(),
        at: Line { file: file.clone(), number: 1 },
        rule: Rule::Scenario,
        subject: "scenario".to_owned(),
        expected: "the scenario runs".to_owned(),
        outcome: Outcome::Refused,
        account: clipped(why),
        replay: format!("windtunnel test {}", sentence::quoted(&file)),
        accepted: Vec::new(),
        file,
    }
}

fn row_of(outcome: &CampaignOutcome, variant: &VariantOutcome, judged: &Judged) -> Row {
    let plan = &variant.plan;
    let came_to = match judged.judgement {
        Judgement::Met => Outcome::Met,
        Judgement::Missed(_) => Outcome::Missed,
        Judgement::Inconclusive(_) => Outcome::Inconclusive,
        Judgement::Accepted(_) => Outcome::Accepted,
    };
    let accepted = judged.invariant().filter(|_| came_to == Outcome::Accepted).into_iter().flat_map(|name| {
        let entries = plan.accepted.iter().filter(move |entry| entry.invariant == name);
        entries.map(|entry| (accepted::terms(entry), at_path(&entry.at)))
    });
    let rule = match &judged.of {
        Subject::Expectation(Expected::Invariant { name, .. }) | Subject::Strict(name) => Rule::Invariant(name),
        Subject::Expectation(Expected::Metric { name, .. }) => Rule::Metric(name.clone().into_owned()),
        Subject::Expectation(Expected::Reached { .. }) => Rule::Reached,
        Subject::Timeline(_) => Rule::Timeline,
        Subject::Variant => Rule::Expectations,
    };
    Row {
        at: line_of(outcome, variant, judged),
        rule,
        subject: clipped(&sentence::subject(judged)),
        expected: clipped(&judged.text),
        outcome: came_to,
        account: clipped(&sentence::account(judged, variant)),
        replay: replay(outcome, variant, judged),
        accepted: accepted.collect(),
        ..blank(outcome, variant)
    }
}

/// A row of a variant with nothing in it.
fn blank(outcome: &CampaignOutcome, variant: &VariantOutcome) -> Row {
    Row {
        scenario: outcome.scenario.clone(),
        variant: variant.plan.variant.clone(),
        file: file_of(outcome),
        at: Line { file: file_of(outcome), number: 1 },
        rule: Rule::Expectations,
        subject: String::new(),
        expected: String::new(),
        outcome: Outcome::Met,
        account: String::new(),
        replay: String::new(),
        accepted: Vec::new(),
    }
}

fn incomplete(outcome: &CampaignOutcome, variant: &VariantOutcome, why: &Incomplete) -> Row {
    Row {
        subject: "runs".to_owned(),
        expected: "every run is made".to_owned(),
        outcome: Outcome::Inconclusive,
        account: format!("{} after {}", why.told(), number::runs(variant.made())),
        replay: command(outcome, variant, None),
        ..blank(outcome, variant)
    }
}

/// What is accepted and over, told with the first variant that has it.
fn over<'a>(outcome: &'a CampaignOutcome, variant: &'a VariantOutcome) -> impl Iterator<Item = Row> + 'a {
    let entries = accepted::standings(outcome).into_iter();
    let over = entries.filter(|entry| entry.standing == Standing::Over && entry.variant == variant.plan.variant);
    let (from, to) = outcome.seeds;
    let again = format!("{} --seeds {from}..{to}", sentence::command("test", &outcome.invocation, "base"));
    over.map(move |entry| Row {
        at: at_path(&entry.accepted.at),
        rule: Rule::Accepted,
        subject: format!("accepted: {}", accepted::named(entry.accepted)),
        expected: format!("accepted: {}", accepted::named(entry.accepted)),
        outcome: Outcome::Missed,
        account: clipped(&accepted::over(entry.accepted)),
        replay: again.clone(),
        ..blank(outcome, variant)
    })
}

/// Where a row's expectation is written; the first line of the file for what nothing is written of.
fn line_of(outcome: &CampaignOutcome, variant: &VariantOutcome, judged: &Judged) -> Line {
    let written = match &judged.of {
        Subject::Expectation(of) => {
            let expectations = variant.plan.expectations.iter();
            let same = |one: &&crate::scenario::Expectation| one.of == *of && one.text == judged.text;
            expectations.filter(|one| one.at.is_some()).find(same).and_then(|one| one.at.as_ref())
        }
        Subject::Strict(_) | Subject::Timeline(_) | Subject::Variant => None,
    };
    written.map_or_else(|| Line { file: file_of(outcome), number: 1 }, at_path)
}

/// The line that runs a seed again in which the row can be seen.
fn replay(outcome: &CampaignOutcome, variant: &VariantOutcome, judged: &Judged) -> String {
    let violated =
        judged.invariant().and_then(|name| variant.tally.invariant(name).and_then(|tally| tally.first_violated));
    let seed = violated.or_else(|| sentence::shown_seed(variant, outcome.invocation.strict));
    command(outcome, variant, seed)
}

fn command(outcome: &CampaignOutcome, variant: &VariantOutcome, seed: Option<u64>) -> String {
    let of = &variant.plan.variant;
    match (seed, outcome.seeds) {
        (Some(seed), _) => sentence::replay(&outcome.invocation, of, seed),
        (None, (from, to)) => format!("{} --seeds {from}..{to}", sentence::command("run", &outcome.invocation, of)),
    }
}

fn file_of(outcome: &CampaignOutcome) -> String {
    if outcome.invocation.file.is_empty() { EMBEDDED.to_owned() } else { path(&outcome.invocation.file) }
}

fn at_path(line: &Line) -> Line {
    Line { file: path(&line.file), number: line.number }
}

/// A path as platforms want it: with slashes, and without a leading `./`.
fn path(file: &str) -> String {
    let slashed = if cfg!(windows) { file.replace('\\', "/") } else { file.to_owned() };
    let mut rest = slashed.as_str();
    while let Some(shorter) = rest.strip_prefix("./") {
        rest = shorter;
    }
    rest.to_owned()
}

/// A text with plain spaces, cut to what every platform shows.
pub fn clipped(text: &str) -> String {
    let text = number::with_plain_spaces(text);
    match text.char_indices().nth(LONGEST) {
        Some(_) => text.chars().take(LONGEST - 1).chain(['…']).collect(),
        None => text,
    }
}
