//! Running a scenario over seeds: progress, the record, the end by a signal or a limit of time, and the report.

use super::clock::Clock;
use super::emit;
use super::files::Source;
use super::run::Options;
use super::{Exit, stop, tell};
use crate::campaign::outcome::{CampaignOutcome, Incomplete, Invocation, VariantOutcome};
use crate::campaign::seeds::By;
use crate::campaign::verdict::gate::Gate;
use crate::campaign::{Orders, Record, Seeds, Unrecorded, run_variant};
use crate::report::folder::{self, Identity, Meta};
use crate::report::record::{self, Header, Refused, Writer};
use crate::run::Limits;
use crate::scenario::Loaded;
use crate::scenario::plan::Plan;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A finished campaign with its report's folder.
pub(crate) struct Reported {
    pub outcome: CampaignOutcome,
    pub report: Option<PathBuf>,
}

/// What is the same for all scenario files of one command, and where it stands.
pub(crate) struct Progress {
    clock: Clock,
    /// Runs and files of the command so far.
    runs: u64,
    files: u64,
    /// Which file each scenario is in.
    names: BTreeMap<String, String>,
}

impl Progress {
    pub fn start() -> Progress {
        Progress { clock: Clock::start(), runs: 0, files: 0, names: BTreeMap::new() }
    }

    /// Refuses a second scenario of the same name, for what goes by names.
    pub fn alone(&mut self, source: &Source, what: &str) -> Result<(), Exit> {
        let name = source.scenario.name();
        let file = source.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let Some(first) = self.names.insert(name.to_owned(), file.clone()) else { return Ok(()) };
        tell(&format!(
            "error: {first} and {file} are both called {name}, and {what} goes by names: give one another `name`\n"
        ));
        Err(Exit::USAGE)
    }

    /// Whether the time that the command may take is up.
    pub fn is_out_of_time(&self, options: &Options) -> bool {
        options.within.is_some_and(|within| self.clock.seconds() >= within.as_secs_f64())
    }
}

/// Runs variants over the same seeds and writes the report.
pub(crate) fn campaign(
    source: &Source,
    loaded: Vec<Loaded>,
    seeds: Range<u64>,
    options: &Options,
    progress: &mut Progress,
) -> Result<(Reported, Exit), Exit> {
    let plans: Vec<Plan> = loaded.into_iter().map(|one| one.plan).collect();
    let whole = options.ci.is_test && plans.len() == 1 + source.scenario.variants().len();
    let invocation = Invocation { whole, ..invocation(source, &plans, options) };
    let before = progress.runs;
    progress.files += 1;
    let shares = shares(&plans, &seeds, options, progress);
    if options.shard.is_some() {
        progress.alone(source, "a shard's record")?;
    }
    let folder = place(source, &plans, &seeds, &invocation, options);
    let header = header(source, &plans, &seeds, &invocation, options, [progress.files - 1, before]);
    let (mut record, mut exit) = opened(source, &header, options, folder.as_deref())?;
    let stop = stop::signals();
    let out_of_time = || progress.is_out_of_time(options);
    let bar = progress_bar(shares.iter().map(Seeds::len).fold(0, u64::saturating_add), options.quiet);
    // What was made before says nothing of the rate of today.
    bar.set_position(record.as_ref().map_or(0, |writer| writer.resumed));
    bar.reset_eta();
    let orders = Orders {
        jobs: options.jobs(),
        limits: options.limits(),
        stop: &stop.requested,
        may_begin: &|| !out_of_time(),
        gate: invocation.gate,
        strict: options.strict,
        exhibit: options.shard.is_none(),
        progress: &|| bar.inc(1),
    };
    let mut variants: Vec<VariantOutcome> = Vec::new();
    for (plan, share) in plans.into_iter().zip(&shares) {
        bar.set_message(format!("{}:{}", plan.scenario, plan.variant));
        let mut unrecorded = Unrecorded;
        let into: &mut dyn Record = record.as_mut().map_or(&mut unrecorded, |writer| writer);
        variants.push(run_variant(plan, share, &orders, into));
    }
    bar.finish_and_clear();
    let whole = |(variant, share): (&VariantOutcome, &Seeds)| {
        variant.made() == share.len() || variant.gate.is_some_and(|gate| gate.decides(&variant.plan, &variant.tally))
    };
    let incomplete = if stop.exit().is_some() {
        Some(Incomplete::Interrupted)
    } else if !variants.iter().zip(&shares).all(whole) {
        Some(Incomplete::OutOfTime)
    } else {
        None
    };
    if let Some(writer) = record {
        exit = exit.worst(finished(writer, incomplete.is_none()));
    }
    let outcome = CampaignOutcome {
        scenario: source.scenario.name().to_owned(),
        variants,
        seeds: (seeds.start, seeds.end),
        incomplete,
        invocation,
    };
    exit = stop.exit().map_or(exit, |interrupted| exit.worst(interrupted));
    if options.shard.is_some() {
        return Ok((Reported { outcome, report: folder }, exit));
    }
    exit = exit.worst(options.ci.exit(&outcome));
    let (report, written) = concluded(&outcome, source, options, &progress.clock);
    Ok((Reported { outcome, report }, exit.worst(written)))
}

/// Writes what was asked for of a finished campaign: single formats, and the report's folder.
pub(crate) fn concluded(
    outcome: &CampaignOutcome,
    source: &Source,
    options: &Options,
    clock: &Clock,
) -> (Option<PathBuf>, Exit) {
    let exit = emit::campaign(&options.emit, outcome);
    if options.no_report {
        return (None, exit);
    }
    let meta = meta(clock, options.jobs());
    let written = folder::write(outcome, &options.out, &source.text, &meta)
        .and_then(|folder| folder::keep_inputs(&folder, &source.inputs).map(|()| folder));
    match written {
        Ok(folder) => (Some(folder.join("index.html")), exit),
        Err(why) => {
            tell(&format!("error: the report could not be written: {why}\n"));
            (None, exit.worst(Exit::NOT_WRITTEN))
        }
    }
}

/// What depends on the machine and the hour.
pub(crate) fn meta(clock: &Clock, jobs: usize) -> Meta {
    Meta {
        started: clock.started(),
        seconds: clock.seconds(),
        jobs,
        command: std::env::args().collect(),
        machine: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
    }
}

fn invocation(source: &Source, plans: &[Plan], options: &Options) -> Invocation {
    let set =
        options.set.iter().filter_map(|set| set.split_once('=')).map(|(key, value)| (key.to_owned(), value.to_owned()));
    Invocation {
        file: source.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        set: set.collect(),
        strict: options.strict,
        gate: options.until_decided.then(|| Gate::of(plans, options.budget.fraction(), options.strict)),
        max_events: options.max_events,
        today: plans.iter().find_map(|plan| plan.judged_on),
        whole: false,
    }
}

/// Which seeds of each variant are run here.
fn shares(plans: &[Plan], seeds: &Range<u64>, options: &Options, progress: &mut Progress) -> Vec<Seeds> {
    let share = |plan: &Plan| {
        let before = progress.runs;
        progress.runs = progress.runs.saturating_add(seeds.end - seeds.start);
        match options.shard {
            Some(shard) => Seeds::of_shard(seeds.clone(), shard, &plan.scenario, &plan.variant, before),
            None => Seeds::all(seeds.clone()),
        }
    };
    plans.iter().map(share).collect()
}

fn place(
    source: &Source,
    plans: &[Plan],
    seeds: &Range<u64>,
    invocation: &Invocation,
    options: &Options,
) -> Option<PathBuf> {
    let scenario = source.scenario.name();
    let identity = Identity { scenario, plans: plans.iter().collect(), seeds: (seeds.start, seeds.end), invocation };
    (!options.no_report).then(|| identity.place(&options.out, options.shard))
}

/// What the record of the campaign says of it; `nth` and `before` are the files and the runs before it.
fn header(
    source: &Source,
    plans: &[Plan],
    seeds: &Range<u64>,
    invocation: &Invocation,
    options: &Options,
    [nth, before]: [u64; 2],
) -> Header {
    let variants = plans.iter().map(|plan| (plan.variant.clone(), plan.hash.clone())).collect();
    Header {
        file: invocation.file.clone(),
        set: invocation.set.clone(),
        strict: invocation.strict,
        budget: invocation.gate.map(|gate| gate.budget),
        max_events: invocation.max_events,
        today: invocation.today.map(|day| day.to_string()),
        whole: invocation.whole,
        nth,
        shard: options.shard.map(Into::into),
        before: if options.shard.is_some_and(|shard| shard.by == By::Slice) { before } else { 0 },
        ..Header::new(source.scenario.name(), variants, (seeds.start, seeds.end))
    }
}

/// The record of the campaign, where a report is wanted. One that cannot be written costs the possibility to go on
/// later, not the campaign; one that is broken is not written over.
fn opened(
    source: &Source,
    header: &Header,
    options: &Options,
    folder: Option<&Path>,
) -> Result<(Option<Writer>, Exit), Exit> {
    let Some(folder) = folder else { return Ok((None, Exit::PASS)) };
    let path = folder.join(record::FILE);
    let opened = folder::begin(folder, &source.text, &source.inputs)
        .map_err(Refused::NotWritten)
        .and_then(|()| Writer::open(&path, header, options.fresh));
    match opened {
        Ok(writer) => {
            if writer.resumed > 0 && !options.quiet {
                let runs = crate::report::number::counted(writer.resumed, "run", "runs");
                tell(&format!("goes on after {runs} in {} (--fresh begins anew)\n", path.display()));
            }
            Ok((Some(writer), Exit::PASS))
        }
        Err(Refused::NotWritten(why)) if options.shard.is_some() => {
            tell(&format!("error: the record could not be written, and a shard is nothing else: {why}\n"));
            Err(Exit::NOT_WRITTEN)
        }
        Err(Refused::NotWritten(why)) => {
            tell(&format!("error: the record could not be written: {why}\n"));
            Ok((None, Exit::NOT_WRITTEN))
        }
        Err(Refused::InUse(path)) => {
            let path = path.display();
            tell(&format!("error: {path}: another process is writing it: wait for it, or name another --out\n"));
            Err(Exit::NOT_WRITTEN)
        }
        Err(Refused::Corrupt(why)) => {
            tell(&format!("error: {}\n  = help: --fresh begins anew and writes over it\n", why.0));
            Err(Exit::USAGE)
        }
    }
}

/// Ends a record.
pub(crate) fn finished(writer: Writer, complete: bool) -> Exit {
    match writer.finish(complete) {
        Ok(()) => Exit::PASS,
        Err(why) => {
            tell(&format!("error: the record could not be written any further: {why}\n"));
            Exit::NOT_WRITTEN
        }
    }
}

pub(crate) fn progress_bar(total: u64, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let template = "{msg} {wide_bar} {pos}/{len} runs, {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

impl Options {
    /// Runs at a time: as asked for, or one for each core.
    pub fn jobs(&self) -> usize {
        self.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1)
    }

    fn limits(&self) -> Limits {
        self.max_events.map_or_else(Limits::default, |events| Limits { events })
    }
}
