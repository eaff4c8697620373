//! JUnit XML, as Jenkins, GitLab and most others read it: a test suite per variant, a test case per expectation.
//!
//! There are several dialects and no standard; this keeps to the schema of Jenkins' xUnit plugin (`junit-10.xsd`). No
//! time, no host: the same results are the same bytes.

use super::{Doubt, Format, Outcome, Row, Suite, Tally};
use std::fmt::Write;

pub const FORMAT: Format = Format {
    name: "junit",
    sentence: "JUnit XML: a test suite per scenario and variant, a test case per expectation",
    details: "missed is a failure, inconclusive an error (with --inconclusive warn: skipped, with its reason), accepted is \
              skipped with its terms, a file that does not run is an error",
    render,
};

/// The text of the file.
pub fn render(suite: &Suite) -> String {
    let total = Counts::of(suite, &suite.rows);
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (tests, failures, errors) = (suite.rows.len(), total.failures, total.errors);
    let _ = writeln!(
        text,
        "<testsuites name=\"windtunnel\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">"
    );
    for rows in suite.variants() {
        test_suite(suite, rows, &mut text);
    }
    text.push_str("</testsuites>\n");
    text
}

/// Rows by what JUnit calls them.
struct Counts {
    failures: u64,
    errors: u64,
    skipped: u64,
}

impl Counts {
    fn of(suite: &Suite, rows: &[Row]) -> Counts {
        let tally = Tally::of(rows);
        let (doubted, passed_over) = match suite.doubt {
            Doubt::Fails => (tally.inconclusive, 0),
            Doubt::Warns => (0, tally.inconclusive),
        };
        Counts { failures: tally.missed, errors: tally.refused + doubted, skipped: tally.accepted + passed_over }
    }
}

fn test_suite(suite: &Suite, rows: &[Row], text: &mut String) {
    let Some(first) = rows.first() else { return };
    let counts = Counts::of(suite, rows);
    let _ = writeln!(
        text,
        "  <testsuite name=\"{}\" file=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
        escaped(&format!("{}:{}", first.scenario, first.variant)),
        escaped(&first.file),
        rows.len(),
        counts.failures,
        counts.errors,
        counts.skipped,
    );
    for (at, row) in rows.iter().enumerate() {
        // Readers keep one of several test cases of a name.
        let earlier = rows[..at].iter().filter(|other| other.expected == row.expected).count();
        let name = if earlier == 0 { row.expected.clone() } else { format!("{} ({})", row.expected, earlier + 1) };
        test_case(suite, row, &name, text);
    }
    text.push_str("  </testsuite>\n");
}

fn test_case(suite: &Suite, row: &Row, name: &str, text: &mut String) {
    // Jenkins takes what stands before the last dot for a package.
    let class = format!("{}.{}", row.scenario.replace('.', "_"), row.variant.replace('.', "_"));
    let _ = write!(text, "    <testcase classname=\"{}\" name=\"{}\"", escaped(&class), escaped(name));
    let (element, kind) = match (row.outcome, suite.doubt) {
        (Outcome::Met, _) => {
            let _ = writeln!(text, ">\n      <system-out>{}</system-out>\n    </testcase>", escaped(&row.account));
            return;
        }
        (Outcome::Missed, _) => ("failure", "missed"),
        (Outcome::Inconclusive, Doubt::Fails) => ("error", "inconclusive"),
        (Outcome::Inconclusive, Doubt::Warns) => ("skipped", "inconclusive"),
        (Outcome::Accepted, _) => ("skipped", "accepted"),
        (Outcome::Refused, _) => ("error", "refused"),
    };
    let place = format!("{}:{}", row.at.file, row.at.number);
    let message = escaped(&row.account);
    let _ = write!(text, ">\n      <{element} type=\"{kind}\" message=\"{message}\">");
    let _ = write!(text, "{message}\n{}\n{}", escaped(&place), escaped(&row.replay));
    let _ = writeln!(text, "</{element}>\n    </testcase>");
}

/// Text for content and attributes of XML 1.0. What XML cannot say is U+FFFD.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            // Written as they are they would become spaces in an attribute.
            '\n' | '\r' | '\t' => {
                let _ = write!(safe, "&#{};", u32::from(c));
            }
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}
