//! `windtunnel explain`: a name of the language, the exit codes, or what a file will do.

use super::{EXIT_CODES, Exit, files, print, tell};
use crate::campaign::mutate::operators;
use crate::campaign::sweep::laws;
use crate::models::fault::{Aim, Takes};
use crate::models::metric;
use crate::report::terminal::Ink;
use crate::rollout::{precedence, strategy, vocabulary};
use crate::scenario::lint;
use crate::scenario::problem::nearest;
use crate::scenario::{Assumption, Origin, Request, assumptions, plan_steps};
use crate::{faults, invariants, report};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// An invariant, a fault, a metric, a lint (by code or name), a vocabulary of stages, a strategy, a report format, a closed form, a mutant, `precedence`, `exit-codes`, `plan` or `assumptions`.
    name: String,
    /// For `plan` and `assumptions`: the scenario file; none: the embedded one.
    file: Option<PathBuf>,
    /// A variant of the file.
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Set a parameter or a key.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Explain {
    pub fn run(self, ink: Ink) -> Exit {
        match self.name.as_str() {
            "exit-codes" => {
                let rows = EXIT_CODES.iter().map(|(code, meaning)| format!("{code:>8}  {meaning}\n"));
                print(&rows.collect::<String>());
                return Exit::PASS;
            }
            "precedence" => {
                print(&precedence::printed());
                return Exit::PASS;
            }
            "plan" | "assumptions" => return self.about_file(ink),
            _ => {}
        }
        let text = invariant(&self.name).or_else(|| fault(&self.name)).or_else(|| one_metric(&self.name));
        let text = text.or_else(|| one_lint(&self.name)).or_else(|| stages(&self.name));
        let text = text
            .or_else(|| one_strategy(&self.name))
            .or_else(|| one_format(&self.name))
            .or_else(|| closed_form(&self.name));
        let text = text.or_else(|| mutant(&self.name));
        match text {
            Some(text) => {
                print(&text);
                Exit::PASS
            }
            None => {
                let known = known();
                let hint = nearest(&self.name, known.iter().copied()).map_or_else(
                    || "`windtunnel list` prints every name".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                tell(&format!("error: nothing is called `{}`: {hint}\n", self.name));
                Exit::USAGE
            }
        }
    }

    fn about_file(&self, ink: Ink) -> Exit {
        let source = match files::read(self.file.as_deref(), &self.set, ink) {
            Ok(source) => source,
            Err(exit) => return exit,
        };
        let request = Request { variant: self.variant.as_deref(), set: &self.set };
        match source.scenario.plan(&request) {
            Ok(loaded) if self.name == "plan" => print(&plan_steps(&loaded.plan)),
            Ok(_) => print(&numbers(&assumptions(&source.scenario, &request))),
            Err(diagnostics) => return files::refuse(&diagnostics, ink),
        }
        Exit::PASS
    }
}

/// The numbers a plan rests on, one a line: where, how much, from where.
fn numbers(rows: &[Assumption]) -> String {
    let width = rows.iter().map(|row| row.path.len()).max().unwrap_or(0);
    let values = rows.iter().map(|row| row.value.len()).max().unwrap_or(0);
    let line = |row: &Assumption| {
        let from = match row.origin {
            Origin::Given => "given",
            Origin::Default { source } => source,
        };
        format!("{:width$}  {:values$}  {from}\n", row.path, row.value)
    };
    rows.iter().map(line).collect()
}

fn known() -> Vec<&'static str> {
    let mut names: Vec<&'static str> = invariants::ALL.iter().map(|entry| entry.name).collect();
    names.extend(faults::ALL.iter().map(|fault| fault.name()));
    names.extend(metric::ALL.iter().map(|metric| metric.name));
    names.extend(lint::ALL.iter().flat_map(|lint| [lint.code, lint.name]));
    names.extend(vocabulary::NAMES);
    names.extend(strategy::NAMES);
    names.extend(super::emit::names());
    names.extend(laws::ALL.iter().map(|law| law.name));
    names.extend(operators::ALL.iter().map(|operator| operator.name));
    names.extend(["precedence", "exit-codes", "plan", "assumptions"]);
    names
}

fn invariant(name: &str) -> Option<String> {
    let entry = invariants::named(name)?;
    let (breaks, repairs) = entry.exhibits;
    Some(format!(
        "{name}, an invariant\n  violated when   {}\n  exercised when  {}\n  causes          {}\n  broken by       {breaks}\n  repaired by     {repairs}\n",
        entry.sentence,
        entry.exercised_when,
        entry.causes.join(", "),
    ))
}

fn mutant(name: &str) -> Option<String> {
    let operator = operators::named(name)?;
    Some(format!("{name}, a mutant of `mutate`\n  {}\n", operator.sentence))
}

fn closed_form(name: &str) -> Option<String> {
    let law = laws::ALL.iter().find(|law| law.name == name)?;
    Some(format!(
        "{name}, a closed form that `sweep` draws over {}\n  {}\n  holds for  {}\n  source     {}\n",
        law.of, law.formula, law.holds, law.source,
    ))
}

fn fault(name: &str) -> Option<String> {
    let fault = faults::named(name)?;
    let aim = match fault.aim() {
        Aim::ControlPlane => "the control plane; `region:` narrows it",
        Aim::Service => "the replicas of `target: SERVICE`; `region:` and `replicas:` narrow it",
        Aim::Sdk => {
            "the SDKs of the replicas of `target: SERVICE`, which refresh in the background; `region:` and `replicas:` narrow it"
        }
        Aim::ConsumerGroup => "the members of `target: SERVICE/TOPIC`",
        Aim::Region => "the `region:` that is cut off",
        Aim::Network => "messages of `target: SERVICE`; without it, all",
    };
    let takes = match fault.takes() {
        Takes::Nothing => "nothing more",
        Takes::Share => "`share: 10%`",
        Takes::Delay => "`by: 500ms`",
    };
    Some(format!("{name}, a fault\n  {}\n  aimed at  {aim}\n  takes     {takes}\n", fault.sentence()))
}

/// A shipped vocabulary: its stages in the order of the ladder with what they grant, and what the grants mean.
fn stages(name: &str) -> Option<String> {
    let shipped = vocabulary::named(name)?;
    let mut text = format!("stages: {name}, {}\n", shipped.sentence);
    for stage in shipped.stages {
        let off = if stage.off_ladder { " (off the ladder)" } else { "" };
        text.push_str(&format!("  {:17} {}{off}\n", stage.name, stage.sentence));
        text.push_str(&format!("  {:17} grants {}\n", "", granted(stage.grants)));
    }
    text.push_str("what an adapter may do, asked with can(\"…\") from the last to the first\n");
    for (capability, meaning) in shipped.capabilities {
        text.push_str(&format!("  {capability:17} {meaning}\n"));
    }
    Some(text)
}

fn granted(grants: &[&str]) -> String {
    if grants.is_empty() { "nothing".to_owned() } else { grants.join(", ") }
}

fn one_strategy(name: &str) -> Option<String> {
    let chosen = strategy::named(name)?;
    let takes: Vec<&str> = ["to", "every"].iter().chain(chosen.takes).copied().collect();
    let takes = takes.join(", ");
    Some(format!("{name}, a strategy of a rollout\n  {}\n  takes  {takes}\n", chosen.sentence))
}

fn one_format(name: &str) -> Option<String> {
    let of_one = report::named(name).map(|format| {
        let (sentence, file) = (format.sentence, format.file);
        format!(
            "{name}, a report format of one scenario\n  {sentence}\n  {file} in its folder, or --emit {name}=FILE\n"
        )
    });
    of_one.or_else(|| {
        let format = report::suite::named(name)?;
        let (sentence, details) = (format.sentence, format.details);
        Some(format!(
            "{name}, a report format of a whole suite\n  {sentence}\n  {details}\n  --emit {name}=FILE, with any number of scenario files\n"
        ))
    })
}

fn one_metric(name: &str) -> Option<String> {
    let metric = metric::named(name)?;
    Some(format!("{name}, a metric in {}\n  {}\n", metric.unit, metric.formula))
}

fn one_lint(name: &str) -> Option<String> {
    let lint = lint::named(name)?;
    Some(format!(
        "{} {}, a rule of `windtunnel lint`\n  found where  {}\n  because      {}\n  repair       {}\n",
        lint.code, lint.name, lint.sentence, lint.reason, lint.repair,
    ))
}
