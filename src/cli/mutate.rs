//! `windtunnel mutate`: the estate is broken on purpose, and the file's expectations are asked whether they notice.

use super::campaign::progress_bar;
use super::run::{Options, plan};
use super::{Exit, files, print, stop, tell};
use crate::campaign::grid::Together;
use crate::campaign::mutate::{Mutants, Mutation, Ran, Standing, mutants, mutate, operators, unmutated};
use crate::campaign::verdict::{Judgement, Overall};
use crate::report::mutate as report;
use crate::report::terminal::Ink;
use crate::run::Limits;
use crate::scenario::Plan;
use crate::scenario::problem::nearest;
use crate::scenario::quantity;
use crate::units::Share;
use clap::{Args, ValueEnum};
use std::ops::Range;
use std::path::PathBuf;

/// Seeds when none are named: what shows in half of all runs is missed in all five once in 32 mutants, and every seed
/// costs a run of every mutant.
const SEEDS: u64 = 5;

/// Exit code 0: every mutant ran. 1: without a mutant the file is not as it expects, or `--require` is not met. 2 for a
/// mistake, 3 where nothing could be judged without a mutant, 4 where no mutant applies, 130 and 143 when interrupted.
#[derive(Debug, Args)]
pub(crate) struct Mutate {
    /// The scenario file; none: the embedded one.
    file: Option<PathBuf>,
    /// A variant of the file instead of the file as it is.
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Set a parameter or a key.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Only these: `slow-cache`, `slow-cache@billing`. `windtunnel list mutants` names the kinds.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Fail (exit code 1) unless so many mutants are noticed: `all`, which allows no blind invariant either, or a share.
    #[arg(long, value_name = "all|SHARE", value_parser = required)]
    require: Option<Required>,
    /// Seeds, half-open: `1..6` are five.
    #[arg(long, value_name = "A..B", value_parser = super::run::seed_range, env = "WINDTUNNEL_SEEDS")]
    seeds: Option<Range<u64>>,
    /// Runs at a time; the results do not depend on it.
    #[arg(long, value_name = "N", env = "WINDTUNNEL_JOBS")]
    jobs: Option<usize>,
    /// A table for people, or JSON for other tools.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

/// What `--require` asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Required {
    All,
    Score(Share),
}

fn required(text: &str) -> Result<Required, String> {
    if text == "all" {
        return Ok(Required::All);
    }
    quantity::share(text).map(Required::Score).map_err(|why| format!("expected `all` or a share of mutants: {why}"))
}

impl Mutate {
    pub fn run(self, ink: Ink) -> Exit {
        let options = Options { set: self.set.clone(), jobs: self.jobs, no_report: true, ..Options::default() };
        let loaded = files::read(self.file.as_deref(), &self.set, ink)
            .and_then(|source| plan(&source, self.variant.as_deref(), &options, ink));
        let plan = match loaded {
            Ok(loaded) => loaded.plan,
            Err(exit) => return exit,
        };
        let mutants = match self.wanted(&plan) {
            Ok(mutants) => mutants,
            Err(exit) => return exit,
        };
        let stop = stop::signals();
        let seeds = self.seeds.clone().unwrap_or(1..1 + SEEDS);
        let total = (seeds.end - seeds.start).saturating_mul(1 + mutants.all.len() as u64);
        let bar = progress_bar(total, false);
        bar.set_message(plan.scenario.clone());
        let progress = || bar.inc(1);
        let together =
            Together { jobs: options.jobs(), limits: Limits::default(), stop: &stop.requested, progress: &progress };
        let Some(base) = unmutated(&plan, seeds.clone(), together) else {
            bar.finish_and_clear();
            tell("INTERRUPTED before the runs without a mutant were finished: nothing can be compared\n");
            return stop.exit().unwrap_or(Exit::INTERNAL);
        };
        if let Some(exit) = self.unfit(&base, seeds.end - seeds.start) {
            bar.finish_and_clear();
            return exit;
        }
        let found = mutate(&plan, &base, mutants, seeds, together);
        bar.finish_and_clear();
        print(&match self.format {
            Format::Human => report::text(&found),
            Format::Json => report::json(&found),
        });
        stop.exit().unwrap_or_else(|| self.judged(&found))
    }

    /// The mutants that are asked for.
    fn wanted(&self, plan: &Plan) -> Result<Mutants, Exit> {
        let mut found = mutants(plan, operators::ALL);
        if !self.only.is_empty() {
            let names: Vec<String> = found.all.iter().map(|named| named.name()).collect();
            let known = || operators::ALL.iter().map(|operator| operator.name).chain(names.iter().map(String::as_str));
            if let Some(wrong) = self.only.iter().find(|wanted| !known().any(|name| name == **wanted)) {
                let help = nearest(wrong, known()).map_or_else(
                    || "`windtunnel list mutants` names them".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                tell(&format!("error: there is no mutant `{wrong}` here: {help}\n"));
                return Err(Exit::USAGE);
            }
            let wanted = |operator: &str, name: &str| self.only.iter().any(|only| only == operator || only == name);
            found.all.retain(|named| wanted(named.operator, &named.name()));
            found.not_applicable.retain(|(operator, _)| wanted(operator, operator));
        }
        if found.all.is_empty() {
            tell("error: nothing selected: no mutant applies to this scenario\n");
            for (operator, why) in &found.not_applicable {
                tell(&format!("  {operator}: {why}\n"));
            }
            return Err(Exit::NOTHING_SELECTED);
        }
        Ok(found)
    }

    /// A file that is not as it expects without a mutant, or of which nothing can be told, notices nothing.
    fn unfit(&self, base: &Ran, seeds: u64) -> Option<Exit> {
        let unmet = base.rows.iter().filter(|row| row.judgement != Judgement::Met);
        let told: String = unmet
            .map(|row| match &row.judgement {
                Judgement::Missed(why) | Judgement::Inconclusive(why) | Judgement::Accepted(why) => {
                    format!("  {}: {why}\n", row.text)
                }
                Judgement::Met => String::new(),
            })
            .collect();
        let overall = Overall::of(base.rows.iter().map(|row| &row.judgement));
        let some_met = base.rows.iter().any(|row| row.judgement == Judgement::Met);
        match overall {
            Overall::Pass if some_met => None,
            Overall::Inconclusive if some_met => {
                tell(&format!(
                    "note: with {seeds} seeds and no mutant this is open, so that it notices nothing:\n{told}"
                ));
                None
            }
            Overall::Fail => {
                tell(&format!(
                    "error: without a mutant the file is not as it expects, so that it cannot notice one:\n{told}"
                ));
                Some(Exit::FAIL)
            }
            Overall::Pass | Overall::Inconclusive => {
                tell(&format!("error: without a mutant nothing that the file expects could be told:\n{told}"));
                Some(Exit(Overall::Inconclusive.exit_code()))
            }
        }
    }

    fn judged(&self, found: &Mutation) -> Exit {
        let met = match self.require {
            None => true,
            Some(Required::All) => {
                found.count(Standing::Noticed) == found.outcomes.len() as u64 && found.blind.is_empty()
            }
            Some(Required::Score(share)) => found.score().is_some_and(|score| score >= share.fraction()),
        };
        if met { Exit::PASS } else { Exit::FAIL }
    }
}
