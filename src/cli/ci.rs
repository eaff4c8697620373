//! What `run` and `test` say to continuous integration: the day by which accepted violations are judged, what an
//! inconclusive result does to the exit code, and what GitHub Actions is told.

use super::{Exit, clock, tell};
use crate::campaign::CampaignOutcome;
use crate::campaign::verdict::{self, Overall};
use crate::scenario::quantity;
use crate::units::Day;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Ci {
    /// Whether an inconclusive result fails (exit code 3) or is only told (0, where nothing else is wrong).
    #[arg(long, value_enum, default_value = "fail", env = "WINDTUNNEL_INCONCLUSIVE")]
    pub inconclusive: Inconclusive,
    /// The day by which `accepted` violations are judged, such as 2026-12-31; by default today in UTC.
    #[arg(long, value_name = "DAY", value_parser = day, env = "WINDTUNNEL_TODAY")]
    today: Option<Day>,
    /// Whether GitHub Actions is told: annotations on standard output, and a summary of the step.
    #[arg(long, value_enum, default_value = "auto", env = "WINDTUNNEL_CI")]
    ci: Told,
    /// As GitHub's runner says it.
    #[arg(long, env = "GITHUB_ACTIONS", hide = true)]
    github_actions: Option<String>,
    /// As GitHub's runner says it.
    #[arg(long, env = "GITHUB_STEP_SUMMARY", hide = true)]
    github_step_summary: Option<PathBuf>,
    /// Whether the scenarios are tested as a whole, so that accepted violations that nobody sees are over.
    #[arg(skip)]
    pub is_test: bool,
}

/// What an inconclusive result does to the exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Inconclusive {
    #[default]
    Fail,
    Warn,
}

/// Who is told besides people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Told {
    /// GitHub Actions, where this runs there (`GITHUB_ACTIONS=true`).
    #[default]
    Auto,
    /// GitHub Actions, wherever this runs.
    Github,
    /// Nobody.
    None,
}

pub(crate) fn day(text: &str) -> Result<Day, String> {
    quantity::date(text).map(|text| quantity::day(text).expect("a date that was checked is a day"))
}

impl Ci {
    /// The day by which accepted violations are judged.
    pub fn today(&self) -> Day {
        self.today.unwrap_or_else(clock::today)
    }

    /// The day that was named.
    pub fn named_day(&self) -> Option<Day> {
        self.today
    }

    pub fn is_on_github(&self) -> bool {
        match self.ci {
            Told::Auto => self.github_actions.as_deref() == Some("true"),
            Told::Github => true,
            Told::None => false,
        }
    }

    /// The file that GitHub's runner shows as the summary of the step.
    pub fn step_summary(&self) -> Option<&Path> {
        self.github_step_summary.as_deref().filter(|file| !file.as_os_str().is_empty())
    }

    /// How a campaign ends by its verdict.
    pub fn exit(&self, outcome: &CampaignOutcome) -> Exit {
        match (verdict::overall(outcome), self.inconclusive) {
            (Overall::Inconclusive, Inconclusive::Warn) => {
                tell(&format!(
                    "warning: {} is inconclusive, which shows nothing; --inconclusive warn lets it pass\n",
                    outcome.scenario
                ));
                Exit::PASS
            }
            (overall @ (Overall::Pass | Overall::Fail | Overall::Inconclusive), _) => Exit(overall.exit_code()),
        }
    }
}
