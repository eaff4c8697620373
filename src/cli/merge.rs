//! `windtunnel report merge`: the records of shards put together, judged and reported as one campaign.

use super::campaign::{Reported, concluded};
use super::ci::{self, Ci};
use super::clock::Clock;
use super::emit::{self, Emit, Stdout, emitted};
use super::files::{self, Source};
use super::run::{Format, Options, compiled, one_line};
use super::test::lines;
use super::{Exit, print, stop, tell};
use crate::campaign::outcome::{CampaignOutcome, Incomplete, Invocation, VariantOutcome};
use crate::campaign::{Orders, Seeds, run_variant};
use crate::report::folder::{self, Identity};
use crate::report::record::merged::{Merged, Wrong};
use crate::report::record::{self, Header, Reading, Refused, Writer};
use crate::report::result;
use crate::report::terminal::Ink;
use crate::run::Limits;
use clap::Args;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Only the run that the report shows is made again; all others come from the records. A shard that is missing or
/// unfinished makes the result inconclusive.
#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// Folders with the records of shards, as `--out` named them; they are walked.
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// Where the report goes.
    #[arg(long, value_name = "DIR", default_value = "reports", env = "WINDTUNNEL_OUT")]
    out: PathBuf,
    /// Write one format to a file of your choice.
    #[arg(long, value_name = "FORMAT=FILE", value_parser = emitted)]
    emit: Vec<Emit>,
    /// Result on standard output: for people, or as JSON (one document, or one line per scenario).
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Only failures.
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    ci: Ci,
}

/// The records of one campaign.
struct Group {
    header: Header,
    /// With the shard of each.
    records: Vec<(PathBuf, u64)>,
}

impl Merge {
    pub fn run(self, ink: Ink) -> Exit {
        match self.merged(ink) {
            Ok(exit) | Err(exit) => exit,
        }
    }

    fn merged(&self, ink: Ink) -> Result<Exit, Exit> {
        let clock = Clock::start();
        let groups = self.groups()?;
        if groups.len() > 1 && self.format == Format::Json {
            return Err(super::run::one_document_only());
        }
        if let Some(refused) = emit::refused(&self.emit, groups.len()) {
            return Err(refused);
        }
        let mut suite = self.ci.suite();
        let mut exit = Exit::PASS;
        for group in &groups {
            if let Some(interrupted) = stop::signals().exit() {
                return Ok(exit.worst(interrupted));
            }
            let (source, reported, ended) = self.group(group, ink)?;
            let (report, written) = concluded(&reported.outcome, &source, &self.options(&group.header), &clock);
            let reported = Reported { report, ..reported };
            exit = exit.worst(ended).worst(written);
            suite.add(&reported.outcome);
            match self.format {
                Format::Human => lines(&reported.outcome, self.quiet, ink),
                Format::Json => print(&result::render(&reported.outcome)),
                Format::Ndjson => print(&one_line(&result::render(&reported.outcome))),
            }
        }
        let stdout = match self.format {
            Format::Human => Stdout::ForPeople,
            Format::Json | Format::Ndjson => Stdout::Document,
        };
        exit = stop::signals().exit().map_or(exit, |interrupted| exit.worst(interrupted));
        Ok(exit.worst(emit::whole(&self.emit, &suite, &self.ci, stdout)))
    }

    /// The campaigns that the folders hold records of, in the order of their command.
    fn groups(&self) -> Result<Vec<Group>, Exit> {
        let mut records: Vec<(PathBuf, Header)> = Vec::new();
        for folder in &self.folders {
            let found = records_under(folder).map_err(|why| refused(format!("{}: {why}", folder.display())))?;
            if found.is_empty() {
                let what =
                    format!("{}: there is no {} in it: expected the --out of a shard", folder.display(), record::FILE);
                return Err(refused(what));
            }
            for path in found {
                let header = Reading::open(&path).map_err(|why| refused(why.0))?.header;
                records.push((path, header));
            }
        }
        // Beside the shards of a scenario the record of a whole is that of an earlier merge, or of another campaign.
        let in_shards: BTreeSet<String> =
            records.iter().filter(|(_, of)| of.shard.is_some()).map(|(_, of)| of.scenario.clone()).collect();
        records.retain(|(_, of)| of.shard.is_some() || !in_shards.contains(&of.scenario));
        let mut groups: Vec<Group> = Vec::new();
        for (path, header) in records {
            add(&mut groups, path, header)?;
        }
        groups.sort_by_key(|group| group.header.nth);
        Ok(groups)
    }

    fn group(&self, group: &Group, ink: Ink) -> Result<(Source, Reported, Exit), Exit> {
        let header = &group.header;
        let folder = group.records[0].0.parent().unwrap_or(Path::new(""));
        let set: Vec<String> = header.set.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mut source = files::read(Some(&folder.join("scenario.yaml")), &set, ink)?;
        source.path = (!header.file.is_empty()).then(|| PathBuf::from(&header.file));
        // Shards that were made around midnight are judged by the later day.
        let recorded = header.today.as_ref().and_then(|day| ci::day(day).ok());
        let today = recorded.map(|recorded| self.ci.named_day().unwrap_or(recorded));
        let invocation = Invocation {
            file: header.file.clone(),
            set: header.set.clone(),
            strict: header.strict,
            gate: None,
            max_events: header.max_events,
            today,
            whole: header.whole,
        };
        let mut plans = Vec::new();
        for (variant, hash) in &header.variants {
            let named = (variant != "base").then_some(variant.as_str());
            let mut plan = compiled(&source, named, &set, ink)?.plan;
            plan.judged_on = today.filter(|_| !plan.accepted.is_empty());
            if plan.hash != *hash {
                let folder = folder.display();
                return Err(refused(format!("{folder}: its scenario.yaml is not the one whose runs were recorded")));
            }
            plans.push(plan);
        }
        let scenario = source.scenario.name();
        let identity =
            Identity { scenario, plans: plans.iter().collect(), seeds: header.seeds, invocation: &invocation };
        let folder_of_whole = identity.place(&self.out, None);
        let (writer, mut exit) = self.writer(&folder_of_whole, header, &source)?;
        let paths = group.records.iter().map(|(path, _)| path.clone()).collect();
        let mut merged = Merged::open(paths, writer).map_err(|why| refused(why.0))?;
        let stop = stop::signals();
        let orders = Orders {
            limits: header.max_events.map_or_else(Limits::default, |events| Limits { events }),
            strict: header.strict,
            exhibit: true,
            ..Orders::new(1, &stop.requested)
        };
        let range = header.seeds.0..header.seeds.1;
        // Everything comes from the records: there is no seed to be run.
        let variants: Vec<VariantOutcome> = plans
            .into_iter()
            .map(|plan| run_variant(plan, &Seeds::none(range.clone()), &orders, &mut merged))
            .collect();
        let (unfinished, writer) = merged.finish().map_err(|wrong| match wrong {
            Wrong::Corrupt(why) => refused(why.0),
            Wrong::Mismatch(why) => {
                tell(&format!("error: {why}\n"));
                Exit::MISMATCH
            }
        })?;
        let mut missing = group.missing();
        missing.extend(unfinished.iter().filter_map(|path| group.shard_of(path)));
        missing.sort_unstable();
        missing.dedup();
        let all = variants.iter().all(|variant| variant.made() == range.end - range.start);
        let incomplete = (!all).then(|| Incomplete::MissingShards { missing, of: group.of() });
        if let Some(writer) = writer {
            let fresh = folder_of_whole.join(record::FRESH);
            exit = exit.worst(super::campaign::finished(writer, incomplete.is_none()));
            // A record with gaps is none that a campaign could go on from: what was there before stays.
            let placed = if incomplete.is_none() && exit != Exit::NOT_WRITTEN {
                std::fs::rename(&fresh, folder_of_whole.join(record::FILE))
            } else {
                std::fs::remove_file(&fresh)
            };
            if let Err(why) = placed {
                tell(&format!("error: {}: {why}\n", fresh.display()));
                exit = exit.worst(Exit::NOT_WRITTEN);
            }
        }
        let outcome = CampaignOutcome {
            scenario: source.scenario.name().to_owned(),
            variants,
            seeds: header.seeds,
            incomplete,
            invocation,
        };
        exit = exit.worst(self.ci.exit(&outcome));
        Ok((source, Reported { outcome, report: None }, exit))
    }

    /// The record of the whole, as the campaign would have written it that made all runs itself. It takes its place once
    /// it is complete: one of the records that are read may be there.
    fn writer(&self, folder: &Path, header: &Header, source: &Source) -> Result<(Option<Writer>, Exit), Exit> {
        let whole = Header { shard: None, before: 0, ..header.clone() };
        let opened = folder::begin(folder, &source.text, &source.inputs)
            .map_err(Refused::NotWritten)
            .and_then(|()| Writer::open(&folder.join(record::FRESH), &whole, true));
        match opened {
            Ok(writer) => Ok((Some(writer), Exit::PASS)),
            Err(Refused::NotWritten(why)) => {
                tell(&format!("error: the record could not be written: {why}\n"));
                Ok((None, Exit::NOT_WRITTEN))
            }
            Err(Refused::InUse(path)) => {
                tell(&format!("error: {}: another merge is writing it\n", path.display()));
                Err(Exit::NOT_WRITTEN)
            }
            Err(Refused::Corrupt(why)) => Err(refused(why.0)),
        }
    }

    fn options(&self, header: &Header) -> Options {
        Options {
            strict: header.strict,
            max_events: header.max_events,
            out: self.out.clone(),
            emit: self.emit.clone(),
            quiet: self.quiet,
            ..Options::default()
        }
    }
}

impl Group {
    /// How many shards there are.
    fn of(&self) -> u64 {
        self.header.shard.as_ref().map_or(1, |shard| shard.of)
    }

    /// The shards without a record.
    fn missing(&self) -> Vec<u64> {
        (1..=self.of()).filter(|k| self.records.iter().all(|(_, known)| known != k)).collect()
    }

    fn shard_of(&self, path: &Path) -> Option<u64> {
        self.records.iter().find(|(known, _)| known == path).map(|(_, k)| *k)
    }
}

/// Puts a record to those of its campaign. The same scenario in another version, over other seeds or dealt out in
/// another way cannot be merged with it.
fn add(groups: &mut Vec<Group>, path: PathBuf, header: Header) -> Result<(), Exit> {
    let k = header.shard.as_ref().map_or(1, |shard| shard.k);
    let own = env!("CARGO_PKG_VERSION");
    if header.windtunnel != own {
        let (path, made) = (path.display(), &header.windtunnel);
        return Err(refused(format!("{path}: its runs were made by windtunnel {made}, and this is {own}")));
    }
    if header.budget.is_some() {
        let path = path.display();
        return Err(refused(format!("{path}: its runs were made until all was decided: it is no part of a whole")));
    }
    let Some(group) = groups.iter_mut().find(|group| group.header.scenario == header.scenario) else {
        groups.push(Group { header, records: vec![(path, k)] });
        return Ok(());
    };
    if let Some(what) = difference(&group.header, &header) {
        let (one, other) = (group.records[0].0.display(), path.display());
        return Err(refused(format!("{one} and {other} are of scenario {}, and differ in {what}", header.scenario)));
    }
    group.header.today = group.header.today.take().max(header.today);
    group.records.push((path, k));
    Ok(())
}

/// In what two records are not parts of one campaign.
fn difference(one: &Header, other: &Header) -> Option<String> {
    let shards = |header: &Header| header.shard.as_ref().map(|shard| (shard.by.clone(), shard.of));
    let hashes = |header: &Header| header.variants.clone();
    if hashes(one) != hashes(other) {
        return Some("what they simulate: the scenario file, its variants or --set".to_owned());
    }
    if one.seeds != other.seeds {
        let ((a, b), (c, d)) = (one.seeds, other.seeds);
        return Some(format!("their seeds: {a}..{b} and {c}..{d}"));
    }
    if shards(one) != shards(other) {
        return Some("how the runs were dealt out: --shard".to_owned());
    }
    if one.before != other.before {
        return Some("what was run before it: name the same files in the same order for every shard".to_owned());
    }
    (one.strict != other.strict || one.max_events != other.max_events)
        .then(|| "how they were run: --strict or --max-events".to_owned())
}

/// Every record below a folder, in the order of their names.
fn records_under(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    entries.sort();
    let mut found = Vec::new();
    for entry in entries {
        if entry.is_dir() && !entry.is_symlink() {
            found.extend(records_under(&entry)?);
        } else if entry.file_name().is_some_and(|name| name == record::FILE) {
            found.push(entry);
        }
    }
    Ok(found)
}

fn refused(why: String) -> Exit {
    tell(&format!("error: {why}\n"));
    Exit::USAGE
}
