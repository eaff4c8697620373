//! Reports: one format per file, each a pure function from the outcome of a campaign to text.
//!
//! Nothing here simulates or judges, and nothing reads a clock: equal outcomes give equal bytes.

pub mod audit;
pub mod baseline;
pub mod compare;
pub mod csv;
pub mod folder;
pub mod html;
pub mod mismatch;
pub mod mutate;
pub mod number;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod plot;
pub mod record;
pub mod replay;
pub mod result;
pub mod rollback;
pub mod sentence;
pub mod suite;
pub mod summary;
pub mod sweep;
pub mod terminal;

use crate::campaign::outcome::CampaignOutcome;

/// A format as the catalogue knows it.
pub struct Format {
    /// As `--emit` names it.
    pub name: &'static str,
    /// Its file in the folder of a campaign.
    pub file: &'static str,
    /// The sentence that `explain` prints.
    pub sentence: &'static str,
    pub render: fn(&CampaignOutcome) -> String,
}

/// Every format that is one file.
pub static ALL: &[Format] = &[
    Format {
        name: "json",
        file: "result.json",
        sentence: "the outcome for other tools, with a documented schema and the same bytes for the same inputs",
        render: result::render,
    },
    Format {
        name: "html",
        file: "index.html",
        sentence: "the whole report in one file that needs no network and no script",
        render: html::render,
    },
    Format {
        name: "markdown",
        file: "summary.md",
        sentence: "what was expected and seen, on half a page, for a pull request or a CI step",
        render: summary::render,
    },
    Format {
        name: "seeds",
        file: "seeds.csv",
        sentence: "one line per run: digest, events, draws and the verdict on every invariant",
        render: csv::seeds,
    },
    Format {
        name: "metrics",
        file: "metrics.csv",
        sentence: "one line per run and metric, in the metric's own unit",
        render: csv::metrics,
    },
    Format {
        name: "audit",
        file: "audit.csv",
        sentence: "the audit log: one line per policy version, with who or what caused it and why",
        render: audit::render,
    },
];

pub fn named(name: &str) -> Option<&'static Format> {
    ALL.iter().find(|format| format.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_different_names_and_files() {
        for (index, format) in ALL.iter().enumerate() {
            assert!(ALL[..index].iter().all(|other| other.name != format.name && other.file != format.file));
            assert!(named(format.name).is_some_and(|found| found.file == format.file));
        }
    }
}
