//! `windtunnel sweep`: response curves over the values of one parameter or two.

use super::campaign::progress_bar;
use super::clock::Clock;
use super::files::{self, Source};
use super::run::Options;
use super::{Exit, print, stop, tell};
use crate::campaign::compare::{PRIMARY, knows_metric};
use crate::campaign::grid::Together;
use crate::campaign::outcome::Invocation;
use crate::campaign::sweep::axis::MOST_POINTS;
use crate::campaign::sweep::{Asked, Axis, Value, laws, sweep};
use crate::invariants;
use crate::models::metric;
use crate::report::folder::Meta;
use crate::report::sweep::{Reported, files as written, json, text};
use crate::report::terminal::Ink;
use crate::run::Limits;
use crate::scenario::problem::{nearest, render};
use crate::scenario::{Loaded, Plan, Request};
use clap::{Args, ValueEnum};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Seeds at each point when none are named. A band is t/√n standard deviations wide: with twenty seeds Student's t is
/// within 7% of its limit, and twice as narrow takes four times as many runs at every point.
const SEEDS: u64 = 20;
/// Steps between the first and the last value at which theory is asked, so that its line is a curve.
const STEPS: usize = 60;

/// Every point runs over the same seeds, so that points differ by the parameter and not by luck. The exit code judges
/// nothing: 0 when all points were run, 2 for a mistake, 74 where files could not be written, 130 and 143 when
/// interrupted (what is finished is told and written).
#[derive(Debug, Args)]
pub(crate) struct Sweep {
    /// The scenario file; none: the embedded one.
    file: Option<PathBuf>,
    /// A parameter or a key path and its values: `poll=5s,30s,2m`, `poll=5s..60s/8`, `percent=1%..50%/6:log`. Twice for
    /// a map over two.
    #[arg(long = "param", value_name = "KEY=VALUES", required = true, value_parser = Axis::read)]
    param: Vec<Axis>,
    /// Metrics whose curves are wanted; the invariants that `expect` names come besides.
    #[arg(long = "metric", value_name = "NAME", value_delimiter = ',', default_value = PRIMARY)]
    metrics: Vec<String>,
    /// A variant of the file instead of the file as it is.
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Set a parameter or a key.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Seeds, half-open, the same at every point: `1..21` are twenty.
    #[arg(long, value_name = "A..B", value_parser = super::run::seed_range, env = "WINDTUNNEL_SEEDS")]
    seeds: Option<Range<u64>>,
    /// Runs at a time; the results do not depend on it.
    #[arg(long, value_name = "N", env = "WINDTUNNEL_JOBS")]
    jobs: Option<usize>,
    /// Stop a run after so many events; what is measured of it is not the whole, and is told so.
    #[arg(long, value_name = "N")]
    max_events: Option<u64>,
    /// Where reports go.
    #[arg(long, value_name = "DIR", default_value = "reports", env = "WINDTUNNEL_OUT")]
    out: PathBuf,
    /// Write no report.
    #[arg(long)]
    no_report: bool,
    /// Tables for people, or JSON for other tools.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Human,
    Json,
}

/// Every point, compiled.
struct Planned {
    source: Source,
    plans: Vec<Plan>,
    /// Further places on the axis, for theory alone.
    between: Vec<(f64, Plan)>,
}

impl Sweep {
    pub fn run(self, ink: Ink) -> Exit {
        match self.asked(ink) {
            Ok(Planned { source, plans, between }) => self.swept(&source, &plans, &between),
            Err(exit) => exit,
        }
    }

    /// Reads the file and compiles every point, so that every mistake is told before anything runs.
    fn asked(&self, ink: Ink) -> Result<Planned, Exit> {
        self.check_axes()?;
        // A file that cannot be read is no matter of any value.
        files::read(self.file.as_deref(), &self.set, ink)?;
        let points = self.points();
        let mut plans = Vec::with_capacity(points.len());
        let mut first = None;
        for values in &points {
            let (source, loaded) = self.point(values, ink)?;
            if first.is_none() {
                self.tell_notes(&source, &loaded, ink);
                first = Some(source);
            }
            plans.push(loaded.plan);
        }
        self.check_metrics(&plans)?;
        let between = self.between();
        Ok(Planned { source: first.expect("a sweep has points"), plans, between })
    }

    fn check_axes(&self) -> Result<(), Exit> {
        let wrong = |message: &str| {
            tell(&format!("error: {message}\n"));
            Err(Exit::USAGE)
        };
        if let [_, _, _, ..] = self.param.as_slice() {
            return wrong("a curve has one parameter and a map two: more than two --param cannot be drawn");
        }
        if let [one, other] = self.param.as_slice()
            && one.key == other.key
        {
            return wrong(&format!("`{}` is swept twice: a map has two different parameters", one.key));
        }
        let count = self.param.iter().map(|axis| axis.values.len()).fold(1, usize::saturating_mul);
        if count > MOST_POINTS {
            return wrong(&format!("a sweep has at most {MOST_POINTS} points, and these parameters have {count}"));
        }
        let key_of = |set: &String| set.split('=').next().unwrap_or_default().to_owned();
        if let Some(axis) = self.param.iter().find(|axis| self.set.iter().any(|set| key_of(set) == axis.key)) {
            return wrong(&format!("`{}` is swept and --set: it cannot be both", axis.key));
        }
        Ok(())
    }

    /// The values of every point, the first parameter changing slowest.
    fn points(&self) -> Vec<Vec<&Value>> {
        let mut points: Vec<Vec<&Value>> = vec![Vec::new()];
        for axis in &self.param {
            points = points
                .iter()
                .flat_map(|point| axis.values.iter().map(|value| point.iter().copied().chain([value]).collect()))
                .collect();
        }
        points
    }

    /// What is set at a point: what holds for all of them, then its values.
    fn set_at(&self, values: &[&Value]) -> Vec<String> {
        let own = self.param.iter().zip(values).map(|(axis, value)| format!("{}={}", axis.key, value.text));
        self.set.iter().cloned().chain(own).collect()
    }

    /// The file is read anew for each point: a value may name another file than the scenario does.
    fn point(&self, values: &[&Value], ink: Ink) -> Result<(Source, Loaded), Exit> {
        let set = self.set_at(values);
        let told = set[self.set.len()..].join(" ");
        let refused = |exit: Exit| {
            tell(&format!("error: the scenario refuses {told}, so nothing was run\n"));
            exit
        };
        let source = files::read(self.file.as_deref(), &set, ink).map_err(refused)?;
        let request = Request { variant: self.variant.as_deref(), set: &set };
        match source.scenario.plan(&request) {
            Ok(loaded) => Ok((source, loaded)),
            Err(diagnostics) => Err(refused(files::refuse(&diagnostics, ink))),
        }
    }

    fn tell_notes(&self, source: &Source, loaded: &Loaded, ink: Ink) {
        if !loaded.notes.is_empty() {
            tell(&format!("{}\n", render(&loaded.notes, source.scenario.sources(), ink == Ink::Colored)));
        }
    }

    fn check_metrics(&self, plans: &[Plan]) -> Result<(), Exit> {
        let unknown = |name: &&String| plans.iter().any(|plan| !knows_metric(plan, name));
        let Some(wrong) = self.metrics.iter().find(unknown) else { return Ok(()) };
        let own = plans.iter().flat_map(|plan| &plan.estate.own_metrics).map(|own| own.name.as_str());
        let names = metric::ALL.iter().map(|metric| metric.name).chain(own);
        let help = if invariants::named(wrong).is_some() {
            "it is an invariant, whose rate of violation is drawn where `expect` names it".to_owned()
        } else {
            nearest(wrong, names).map_or_else(
                || "`windtunnel list metrics` names them".to_owned(),
                |near| format!("did you mean `{near}`?"),
            )
        };
        tell(&format!("error: not every point has a metric `{wrong}`: {help}\n"));
        Err(Exit::USAGE)
    }

    /// Plans between the values of a single parameter, for theory; what the scenario refuses there is left out.
    fn between(&self) -> Vec<(f64, Plan)> {
        let [axis] = self.param.as_slice() else { return Vec::new() };
        let plan = |value: Value| {
            let set = self.set_at(&[&value]);
            let quiet = files::read_quietly(self.file.as_deref(), &set)?;
            let plan = quiet.plan(&Request { variant: self.variant.as_deref(), set: &set }).ok()?.plan;
            Some((axis.place(value.at), plan))
        };
        axis.between(STEPS).into_iter().filter_map(plan).collect()
    }

    fn swept(&self, source: &Source, plans: &[Plan], between: &[(f64, Plan)]) -> Exit {
        let clock = Clock::start();
        let stop = stop::signals();
        let seeds = self.seeds.clone().unwrap_or(1..1 + SEEDS);
        let jobs = Options { jobs: self.jobs, ..Options::default() }.jobs();
        let total = (seeds.end - seeds.start).saturating_mul(plans.len() as u64);
        let bar = progress_bar(total, false);
        bar.set_message(source.scenario.name().to_owned());
        let asked = Asked { axes: &self.param, plans, metrics: &self.metrics, between, laws: laws::ALL };
        let together = Together {
            jobs,
            limits: self.max_events.map_or_else(Limits::default, |events| Limits { events }),
            stop: &stop.requested,
            progress: &|| bar.inc(1),
        };
        let found = sweep(&asked, seeds, together);
        bar.finish_and_clear();
        let set = self.set.iter().filter_map(|set| set.split_once('='));
        let reported = Reported {
            summary: source.scenario.summary().to_owned(),
            source: source.text.clone(),
            invocation: Invocation {
                file: source.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
                set: set.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
                max_events: self.max_events,
                ..Invocation::default()
            },
            sweep: found,
        };
        let (page, exit) = self.report(&reported, source, &clock, jobs);
        print(&match self.format {
            Format::Human => text::render(&reported.sweep, page.as_deref()),
            Format::Json => json::render(&reported),
        });
        stop.exit().map_or(exit, |interrupted| exit.worst(interrupted))
    }

    fn report(&self, reported: &Reported, source: &Source, clock: &Clock, jobs: usize) -> (Option<PathBuf>, Exit) {
        if self.no_report || reported.sweep.points.is_empty() {
            return (None, Exit::PASS);
        }
        let meta = Meta {
            started: clock.started(),
            seconds: clock.seconds(),
            jobs,
            command: std::env::args().collect(),
            machine: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        };
        match written::write(reported, Path::new(&self.out), &meta, &source.inputs) {
            Ok(folder) => (Some(folder.join("index.html")), Exit::PASS),
            Err(why) => {
                tell(&format!("error: the report could not be written: {why}\n"));
                (None, Exit::NOT_WRITTEN)
            }
        }
    }
}
