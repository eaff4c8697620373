//! The summary of a step of GitHub Actions, in Markdown: what is not met first, then every variant.

use super::{Format, Outcome, Row, Suite, Tally, Weight};
use crate::report::summary::escaped;

/// Bytes of a summary. GitHub refuses a step's summary above one mebibyte whole.
pub const LARGEST: usize = 900 * 1024;
/// What is kept for the sentence that tells of a cut.
const CLOSING: usize = 300;

pub const FORMAT: Format = Format {
    name: "summary",
    sentence: "Markdown for the summary of a CI step: what is not met, with the line to paste, then every variant",
    details: "below 900 KiB, since GitHub refuses more than 1 MiB: cut after a row, which is then said",
    render,
};

/// The text of the file.
pub fn render(suite: &Suite) -> String {
    render_within(suite, LARGEST)
}

/// The same in at most so many bytes, for a file that has others' words already; empty where not even a heading fits.
pub fn render_within(suite: &Suite, most: usize) -> String {
    let mut page = Page { text: String::new(), room: most.min(LARGEST).saturating_sub(CLOSING), left_out: 0 };
    let word = match suite.told().first().map(|row| (suite.weight(row), row.outcome)) {
        None if suite.rows.is_empty() => "nothing selected",
        None | Some((Weight::Notice | Weight::None, _)) => "pass",
        Some((Weight::Error, Outcome::Inconclusive)) if suite.tally().missed + suite.tally().refused == 0 => {
            "inconclusive"
        }
        Some((Weight::Error, _)) => "fail",
        Some((Weight::Warning, _)) => "inconclusive, let pass",
    };
    let variants = suite.variants().count();
    let counts = format!("{} of {} expectations", suite.tally().told(), suite.tally().rows());
    if !page.line(&format!("## windtunnel: {word}\n\n{counts} in {variants} scenario variants.\n")) {
        return String::new();
    }
    let told = suite.told();
    if !told.is_empty() {
        page.table("\n| | where | expected | seen |\n|---|---|---|---|\n", told.iter().map(|row| told_row(row)));
    }
    if variants > 0 {
        let rows = suite.variants().filter_map(variant_row);
        page.table("\n| scenario variant | file | expectations |\n|---|---|---|\n", rows);
    }
    page.close()
}

fn told_row(row: &Row) -> String {
    let word = match row.outcome {
        Outcome::Met => "met",
        Outcome::Missed => "**missed**",
        Outcome::Inconclusive => "*inconclusive*",
        Outcome::Accepted => "accepted",
        Outcome::Refused => "**not run**",
    };
    let place =
        format!("{}:{}<br>{}:{}", escaped(&row.scenario), escaped(&row.variant), escaped(&row.at.file), row.at.number);
    let account = format!("{}<br><code>{}</code>", escaped(&row.account), code(&row.replay));
    format!("| {word} | {place} | {} | {account} |\n", escaped(&row.expected))
}

fn variant_row(rows: &[Row]) -> Option<String> {
    let first = rows.first()?;
    let name = escaped(&format!("{}:{}", first.scenario, first.variant));
    Some(format!("| {name} | {} | {} |\n", escaped(&first.file), Tally::of(rows).told()))
}

/// Text within `<code>` in a cell.
fn code(text: &str) -> String {
    let entity = |c: char| match c {
        '<' | '>' | '&' | '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '~' => format!("&#{};", u32::from(c)),
        '\n' | '\r' => " ".to_owned(),
        control if control.is_control() => "\u{fffd}".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(entity).collect()
}

struct Page {
    text: String,
    room: usize,
    left_out: usize,
}

impl Page {
    /// Appends what fits whole.
    fn line(&mut self, line: &str) -> bool {
        let fits = self.left_out == 0 && self.text.len() + line.len() <= self.room;
        if fits {
            self.text.push_str(line);
        }
        fits
    }

    fn table(&mut self, head: &str, rows: impl Iterator<Item = String>) {
        let begun = self.line(head);
        for row in rows {
            if !(begun && self.line(&row)) {
                self.left_out += 1;
            }
        }
    }

    fn close(mut self) -> String {
        if self.left_out > 0 {
            let sentence = "left out here, since a step's summary has a limit; the reports have all of them.";
            self.text.push_str(&format!("\n{} more rows are {sentence}\n", self.left_out));
        }
        self.text
    }
}
