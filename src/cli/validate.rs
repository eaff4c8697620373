//! `windtunnel validate`: the engine against theory.

use super::{Exit, print, tell};
use crate::validation::{ALL, Case, Effort, Family, Measured, disagreement, document, judge, measure, plot};
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Families of closed forms, such as `caches`; none: all.
    families: Vec<String>,
    /// Enough samples to see a bias of 2%, not of 5%.
    #[arg(long)]
    full: bool,
    /// Write `validation.md` and `validation/FAMILY.svg` into this folder; of all families only.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Print the generated scenario of a comparison, such as `caches/stale-by-age@10`, and run nothing.
    #[arg(long, value_name = "COMPARISON")]
    show: Option<String>,
    /// Comparisons measured at once; they do not depend on it.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

impl Validate {
    pub fn run(self) -> Exit {
        if let Some(name) = &self.show {
            return show(name);
        }
        let chosen = match self.chosen() {
            Ok(chosen) => chosen,
            Err(exit) => return exit,
        };
        if self.out.is_some() && !self.families.is_empty() {
            let named = self.families.join(", ");
            tell(&format!(
                "error: `--out` writes the page of all families, not of {named} only; leave out the names or `--out`\n"
            ));
            return Exit::USAGE;
        }
        let effort = if self.full { Effort::Full } else { Effort::Quick };
        let cases: Vec<Case> = chosen.iter().flat_map(|family| family.cases()).collect();
        let jobs = self.jobs.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
        let measured = measure_all(&cases, effort, jobs.max(1));
        print(&table(&measured, effort));
        let agreement = judge(&measured, effort);
        let mean_square = agreement.mean_square.map_or("none".to_owned(), |mean| format!("{mean:.2}"));
        print(&format!("\n{} comparisons with a z, mean z² {mean_square}\n", agreement.compared));
        let exit = if agreement.disagreements.is_empty() { Exit::PASS } else { Exit(1) };
        for disagreement in &agreement.disagreements {
            tell(&format!("disagrees: {disagreement}\n"));
        }
        let written = self.out.as_deref().map_or(Ok(()), |out| write(out, &chosen, &measured, effort));
        match written {
            Ok(()) => exit,
            Err(why) => {
                tell(&format!("error: {why}\n"));
                exit.worst(Exit::NOT_WRITTEN)
            }
        }
    }

    fn chosen(&self) -> Result<Vec<&'static Family>, Exit> {
        for name in &self.families {
            if ALL.iter().all(|family| family.name != name) {
                let known: Vec<&str> = ALL.iter().map(|family| family.name).collect();
                tell(&format!("error: no family `{name}`; there are {}\n", known.join(", ")));
                return Err(Exit::USAGE);
            }
        }
        let wanted = |family: &Family| self.families.is_empty() || self.families.iter().any(|name| name == family.name);
        Ok(ALL.iter().copied().filter(|family| wanted(family)).collect())
    }
}

fn show(name: &str) -> Exit {
    match ALL.iter().flat_map(|family| family.cases()).find(|case| case.name() == name) {
        Some(case) => {
            print(&(case.law.scenario)(case.at));
            Exit::PASS
        }
        None => {
            tell(&format!("error: no comparison `{name}`; the table of `windtunnel validate` names them\n"));
            Exit::USAGE
        }
    }
}

/// Measures on so many threads; the result is in the order of the cases.
fn measure_all(cases: &[Case], effort: Effort, jobs: usize) -> Vec<Measured> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Option<Measured>>> = Mutex::new(vec![None; cases.len()]);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { break };
                    let measured = measure(*case, effort);
                    done.lock().expect("no measurement panics while it stores")[index] = Some(measured);
                }
            });
        }
    });
    let done = done.into_inner().expect("no measurement panics while it stores");
    done.into_iter().map(|one| one.expect("every case was measured")).collect()
}

fn table(measured: &[Measured], effort: Effort) -> String {
    let width = measured.iter().map(|one| one.case.name().len()).max().unwrap_or(0);
    let mut text =
        format!("{:width$}  {:>11} {:>11} {:>9} {:>6} {:>8}\n", "", "measured", "theory", "deviation", "z", "samples");
    for one in measured {
        let z = one.z().map_or("exact".to_owned(), |z| format!("{z:+.2}"));
        let mark = if disagreement(one, effort).is_some() { "  disagrees" } else { "" };
        text.push_str(&format!(
            "{:width$}  {:>11.4} {:>11.4} {:>+8.2}% {z:>6} {:>8}{mark}\n",
            one.case.name(),
            one.value,
            one.theory,
            100.0 * one.deviation(),
            one.samples
        ));
    }
    text
}

/// The page and its drawings.
fn write(out: &Path, chosen: &[&'static Family], measured: &[Measured], effort: Effort) -> Result<(), String> {
    let of = |family: &Family| -> Vec<Measured> {
        measured.iter().filter(|one| one.case.family.name == family.name).cloned().collect()
    };
    let families: Vec<(&'static Family, Vec<Measured>)> = chosen.iter().map(|family| (*family, of(family))).collect();
    let folder = out.join("validation");
    std::fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let save =
        |path: PathBuf, text: String| std::fs::write(&path, text).map_err(|why| format!("{}: {why}", path.display()));
    save(out.join("validation.md"), document(&families, effort))?;
    families
        .iter()
        .try_for_each(|(family, measured)| save(folder.join(format!("{}.svg", family.name)), plot(family, measured)))
}
