//! What `compare` holds against each other: variants of a file, of several files, or runs that are recorded already.

use super::files::{self, Source};
use super::run::{Options, compiled, plan};
use super::{Exit, tell};
use crate::campaign::outcome::{KEPT, VariantOutcome};
use crate::report::record::{self, Header, Reading};
use crate::report::terminal::Ink;
use crate::scenario::plan::Plan;
use crate::scenario::problem::nearest;
use std::path::{Path, PathBuf};

/// One side of a comparison, with the name it goes by.
pub(crate) struct Side {
    pub name: String,
    pub of: Of,
}

/// Where its runs come from.
pub(crate) enum Of {
    /// They are to be made.
    Plan(Box<Plan>),
    /// They are recorded.
    Runs(Box<VariantOutcome>),
}

impl Side {
    pub fn plan(&self) -> &Plan {
        match &self.of {
            Of::Plan(plan) => plan,
            Of::Runs(outcome) => &outcome.plan,
        }
    }
}

/// A path with a variant: `canary.yaml:gate`, `reports/latest:gate`. A path that exists as it is has none.
fn split(text: &Path) -> (PathBuf, Option<String>) {
    if text.exists() {
        return (text.to_owned(), None);
    }
    let words = text.to_string_lossy();
    match words.rsplit_once(':') {
        Some((path, variant)) => (PathBuf::from(path), Some(variant.to_owned())),
        None => (text.to_owned(), None),
    }
}

/// The sides that are named on the command line: the variants of one scenario, or one side for each path.
pub(crate) fn sides(
    paths: &[PathBuf],
    variants: &[String],
    baseline: Option<&str>,
    options: &Options,
    ink: Ink,
) -> Result<(Option<Source>, Vec<Side>), Exit> {
    match paths {
        [] => of_one(None, variants, baseline, options, ink),
        [path] if !path.is_dir() && split(path).1.is_none() => of_one(Some(path), variants, baseline, options, ink),
        [folder] if folder.is_dir() => Ok((None, of_record(folder, variants, baseline, ink)?)),
        [_] => Err(refused("one side is nothing to compare: name another, or a file without a variant")),
        several => {
            if !variants.is_empty() || baseline.is_some() {
                return Err(refused(
                    "with several files the first is the baseline: write FILE:VARIANT for another one",
                ));
            }
            let mut sides: Vec<Side> = Vec::new();
            for path in several {
                let (path, variant) = split(path);
                let side = one_of(&path, variant.as_deref(), options, ink)?;
                sides.push(side);
            }
            named_apart(&mut sides, several);
            Ok((None, sides))
        }
    }
}

/// Sides of one name go by their paths, as they were given.
fn named_apart(sides: &mut [Side], paths: &[PathBuf]) {
    let names: Vec<String> = sides.iter().map(|side| side.name.clone()).collect();
    for (side, path) in sides.iter_mut().zip(paths) {
        if names.iter().filter(|name| **name == side.name).count() > 1 {
            side.name = path.display().to_string();
        }
    }
}

/// The baseline and the other variants of one scenario, each once.
fn of_one(
    path: Option<&PathBuf>,
    variants: &[String],
    baseline: Option<&str>,
    options: &Options,
    ink: Ink,
) -> Result<(Option<Source>, Vec<Side>), Exit> {
    let source = files::read(path.map(PathBuf::as_path), &options.set, ink)?;
    let known: Vec<String> =
        std::iter::once("base".to_owned()).chain(source.scenario.variants().iter().cloned()).collect();
    let mut sides = Vec::new();
    for name in wanted(&known, variants, baseline)? {
        let variant = (name != "base").then_some(name.as_str());
        let plan = Box::new(plan(&source, variant, options, ink)?.plan);
        sides.push(Side { name, of: Of::Plan(plan) });
    }
    Ok((Some(source), sides))
}

/// The recorded variants of one campaign.
fn of_record(folder: &Path, variants: &[String], baseline: Option<&str>, ink: Ink) -> Result<Vec<Side>, Exit> {
    let header = header(folder)?;
    let known: Vec<String> = header.variants.iter().map(|(variant, _)| variant.clone()).collect();
    let mut sides = Vec::new();
    for name in wanted(&known, variants, baseline)? {
        let runs = Box::new(recorded(folder, &header, &name, ink)?);
        sides.push(Side { name, of: Of::Runs(runs) });
    }
    Ok(sides)
}

fn one_of(path: &Path, variant: Option<&str>, options: &Options, ink: Ink) -> Result<Side, Exit> {
    if path.is_dir() {
        let header = header(path)?;
        let known: Vec<String> = header.variants.iter().map(|(variant, _)| variant.clone()).collect();
        let variant = match variant {
            Some(named) => known.iter().find(|name| *name == named).ok_or_else(|| unknown(named, &known))?,
            None => known.first().ok_or_else(|| refused(&format!("{}: it has no variant", path.display())))?,
        };
        let runs = Box::new(recorded(path, &header, variant, ink)?);
        return Ok(Side { name: named(&header.scenario, variant), of: Of::Runs(runs) });
    }
    let source = files::read(Some(path), &options.set, ink)?;
    let known: Vec<String> =
        std::iter::once("base".to_owned()).chain(source.scenario.variants().iter().cloned()).collect();
    if let Some(variant) = variant.filter(|variant| !known.iter().any(|name| name == variant)) {
        return Err(unknown(variant, &known));
    }
    let plan = Box::new(plan(&source, variant.filter(|name| *name != "base"), options, ink)?.plan);
    Ok(Side { name: named(source.scenario.name(), &plan.variant), of: Of::Plan(plan) })
}

fn named(scenario: &str, variant: &str) -> String {
    format!("{scenario}:{variant}")
}

/// The baseline first, then the others, each once.
fn wanted(known: &[String], variants: &[String], baseline: Option<&str>) -> Result<Vec<String>, Exit> {
    let first = known.first().map_or("base", String::as_str);
    let others = if variants.is_empty() { known } else { variants };
    let mut wanted = vec![baseline.unwrap_or(first).to_owned()];
    for name in others {
        if !wanted.contains(name) {
            wanted.push(name.clone());
        }
    }
    if let Some(wrong) = wanted.iter().find(|name| !known.contains(name)) {
        return Err(unknown(wrong, known));
    }
    if wanted.len() < 2 {
        return Err(refused("nothing to compare: the scenario has one variant, and two are needed"));
    }
    Ok(wanted)
}

fn unknown(wrong: &str, known: &[String]) -> Exit {
    let near = nearest(wrong, known.iter().map(String::as_str));
    let help =
        near.map_or_else(|| format!("expected one of {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
    refused(&format!("there is no variant `{wrong}`: {help}"))
}

fn header(folder: &Path) -> Result<Header, Exit> {
    let header = Reading::open(&folder.join(record::FILE)).map_err(|why| refused(&why.0))?.header;
    let own = env!("CARGO_PKG_VERSION");
    if header.windtunnel != own {
        let (folder, made) = (folder.display(), &header.windtunnel);
        return Err(refused(&format!("{folder}: its runs were made by windtunnel {made}, and this is {own}")));
    }
    Ok(header)
}

/// The recorded runs of a variant.
fn recorded(folder: &Path, header: &Header, variant: &str, ink: Ink) -> Result<VariantOutcome, Exit> {
    let set: Vec<String> = header.set.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let source = files::read(Some(&folder.join("scenario.yaml")), &set, ink)?;
    let plan = compiled(&source, (variant != "base").then_some(variant), &set, ink)?.plan;
    if !header.variants.iter().any(|(name, hash)| name == variant && *hash == plan.hash) {
        let folder = folder.display();
        return Err(refused(&format!("{folder}: its scenario.yaml is not the one whose runs were recorded")));
    }
    let mut reading = Reading::open(&folder.join(record::FILE)).map_err(|why| refused(&why.0))?;
    let mut runs = Vec::new();
    while let Some((of, run)) = reading.next_run().map_err(|why| refused(&why.0))? {
        if of == variant {
            runs.push(run);
        }
        if runs.len() > KEPT {
            return Err(too_many());
        }
    }
    Ok(VariantOutcome::of(plan, runs))
}

/// A comparison holds every run.
pub(crate) fn too_many() -> Exit {
    refused(&format!("a comparison pairs every run with its like: at most {KEPT} seeds"))
}

fn refused(why: &str) -> Exit {
    tell(&format!("error: {why}\n"));
    Exit::USAGE
}
