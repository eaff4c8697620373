//! What `run` and `test` say to continuous integration: the day by which accepted violations are judged, what an
//! inconclusive result does to the exit code, and what GitHub Actions is told.

use super::{Exit, clock, tell};
use crate::campaign::CampaignOutcome;
use crate::campaign::verdict::{self, Overall};
use crate::scenario::quantity;
use crate::units::Day;
use clap::{Args, ValueEnum};

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Ci {
    /// Whether an inconclusive result fails (exit code 3) or is only told (0, where nothing else is wrong).
    #[arg(long, value_enum, default_value = "fail", env = "WINDTUNNEL_INCONCLUSIVE")]
    pub inconclusive: Inconclusive,
    /// The day by which `accepted` violations are judged, such as 2026-12-31; by default today in UTC.
    #[arg(long, value_name = "DAY", value_parser = day, env = "WINDTUNNEL_TODAY")]
    today: Option<Day>,
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
