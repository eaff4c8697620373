//! The command line: one subcommand per file. The only place that prints, reads files and looks at the clock.

mod baseline;
mod campaign;
mod check;
mod ci;
mod clock;
mod compare;
mod completions;
mod emit;
mod explain;
mod files;
mod lint;
mod list;
mod locate;
mod lockstep;
mod merge;
mod mutate;
mod recorded;
mod replay;
mod report;
mod rollback;
mod run;
mod schema;
mod shard;
mod sides;
mod stop;
mod sweep;
mod test;
mod validate;
mod verify;
mod which;

use crate::report::terminal::Ink;
use clap::{Parser, Subcommand, ValueEnum};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tries a feature rollout on a model of your estate before production does.
///
/// Without a file, `run` takes the embedded split-brain scenario.
#[derive(Debug, Parser)]
#[command(name = "windtunnel", version, max_term_width = 100, subcommand_required = false)]
struct Cli {
    /// Colours: `auto` means on a terminal without NO_COLOR.
    #[arg(long, global = true, value_enum, default_value = "auto", env = "WINDTUNNEL_COLOR")]
    color: Color,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenario files over seeds, print what was seen, and write a report.
    Run(run::Run),
    /// Run scenarios, each in all its variants, against their `expect`; folders are walked.
    Test(test::Test),
    /// Hold the variants of a scenario against each other on the same seeds.
    Compare(compare::Compare),
    /// Draw metrics over the values of one parameter or two, on the same seeds, with bands, theory and the knee.
    Sweep(sweep::Sweep),
    /// Make one run again, from a scenario file or a result's folder: its digest, its verdicts, its first violations.
    Replay(replay::Replay),
    /// Read scenario files and tell every mistake, without running anything.
    Check(check::Check),
    /// Tell what in a scenario's rollout is known to hurt, or is more than it needs, without running anything.
    Lint(lint::Lint),
    /// Compare the engine with theory: closed forms against the runs of generated scenarios.
    Validate(validate::Validate),
    /// List what the language knows: invariants, faults, metrics, lints, formats, vocabularies, strategies; or the variants of a file.
    List(list::List),
    /// Explain an invariant, a fault, a metric, a lint, a strategy, a report format or the exit codes; or a file's plan or assumptions.
    Explain(explain::Explain),
    /// Break the estate on purpose, one thing at a time: which expectations of the file notice.
    Mutate(mutate::Mutate),
    /// Try the ways back after each step of a rollout: what stays, until when, who must act, the point of no return.
    Rollback(rollback::Rollback),
    /// Put the results of several machines together.
    Report(report::Report),
    /// Print the JSON Schema of scenario files, for editors.
    Schema(schema::Schema),
    /// Print a completion script for a shell.
    Completions(completions::Completions),
    /// One run at the pace of the process that compares it with another one.
    #[command(hide = true)]
    Lockstep(lockstep::Lockstep),
}

/// How a command ended, by the exit codes that `explain exit-codes` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Exit(pub u8);

impl Exit {
    pub const PASS: Exit = Exit(0);
    pub const FAIL: Exit = Exit(1);
    pub const USAGE: Exit = Exit(2);
    pub const NOTHING_SELECTED: Exit = Exit(4);
    pub const MISMATCH: Exit = Exit(5);
    pub const INTERNAL: Exit = Exit(70);
    pub const NOT_WRITTEN: Exit = Exit(74);

    /// Whether a signal ended it.
    pub fn is_interruption(self) -> bool {
        matches!(self.0, 130 | 143)
    }

    /// The one that is told when several apply (cli.md): interruptions, internal, output, usage, fail, inconclusive.
    pub fn worst(self, other: Exit) -> Exit {
        const ORDER: [u8; 11] = [143, 130, 70, 74, 5, 2, 1, 3, 4, 0, 255];
        let rank = |exit: Exit| ORDER.iter().position(|code| *code == exit.0).unwrap_or(ORDER.len());
        if rank(self) <= rank(other) { self } else { other }
    }
}

/// The exit codes and what they mean, in the order in which `explain exit-codes` prints them.
pub(crate) const EXIT_CODES: &[(&str, &str)] = &[
    ("0", "everything expected was seen, or is accepted until a day; nothing vacuous"),
    (
        "1",
        "a violation, threshold or regression that was not expected; what is accepted and expired, or over; a finding of `lint` that counts",
    ),
    ("2", "usage or scenario error; nothing ran"),
    (
        "3",
        "inconclusive: something named was never exercised, pending or undecided; a fault never fired; the run was cut short (with --inconclusive warn: told, and 0)",
    ),
    ("4", "nothing selected"),
    ("5", "determinism mismatch: what differs is printed, with the first differing event where it can be found"),
    ("70", "internal error"),
    ("74", "output could not be written"),
    ("130, 143", "interrupted; the partial report says so"),
];

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    #[cfg(feature = "planted")]
    plant();
    let cli = Cli::parse();
    let ink = match cli.color {
        Color::Always => Ink::Colored,
        Color::Never => Ink::Plain,
        Color::Auto => {
            let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            if !plain && std::io::stdout().is_terminal() { Ink::Colored } else { Ink::Plain }
        }
    };
    let exit = match cli.command.unwrap_or_else(|| Command::Run(run::Run::default())) {
        Command::Run(command) => command.run(ink),
        Command::Test(command) => command.run(ink),
        Command::Compare(command) => command.run(ink),
        Command::Sweep(command) => command.run(ink),
        Command::Replay(command) => command.run(ink),
        Command::Check(command) => command.run(ink),
        Command::Lint(command) => command.run(ink),
        Command::Validate(command) => command.run(),
        Command::List(command) => command.run(ink),
        Command::Explain(command) => command.run(ink),
        Command::Mutate(command) => command.run(ink),
        Command::Rollback(command) => command.run(ink),
        Command::Report(command) => command.run(ink),
        Command::Schema(command) => command.run(),
        Command::Completions(command) => command.run(),
        Command::Lockstep(command) => command.run(ink),
    };
    let printed = if NOT_PRINTED.load(Ordering::Relaxed) { Exit::NOT_WRITTEN } else { Exit::PASS };
    ExitCode::from(exit.worst(printed).0)
}

/// Plants the bug that the environment names, for tests of whole processes. An unknown name is a mistake of the test.
#[cfg(feature = "planted")]
#[expect(clippy::disallowed_methods, reason = "compiled into tests only; processes inherit it from one another")]
fn plant() {
    use crate::models::planted::{Planted, plant};
    if let Ok(wanted) = std::env::var("WINDTUNNEL_PLANTED") {
        let found = Planted::ALL.into_iter().find(|(name, _)| *name == wanted);
        let (_, bug) = found.unwrap_or_else(|| panic!("no planted bug is called `{wanted}`"));
        plant(Some(bug));
    }
}

/// Whether something could not be written to standard output.
static NOT_PRINTED: AtomicBool = AtomicBool::new(false);

/// Writes to standard output. A reader that has gone away wanted no more; any other failure is exit code 74.
pub(crate) fn print(text: &str) {
    let mut out = anstream::stdout();
    if let Err(why) = out.write_all(text.as_bytes()).and_then(|()| out.flush())
        && why.kind() != std::io::ErrorKind::BrokenPipe
        && !NOT_PRINTED.swap(true, Ordering::Relaxed)
    {
        tell(&format!("error: standard output could not be written: {why}\n"));
    }
}

/// Writes to standard error.
pub(crate) fn tell(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}
