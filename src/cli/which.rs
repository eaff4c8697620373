//! Which run of which scenario is meant, as `replay` takes it and hands it on to other processes.

use crate::report::number::exact;
use crate::run::{Fork, Limits, RunSpec};
use crate::scenario::quantity;
use crate::units::{SimDuration, SimTime};
use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Which {
    /// A scenario file, or the folder of a result such as `reports/latest`; none: the embedded scenario.
    pub file: Option<PathBuf>,
    /// The seed; of a result's folder the only one, or with `--verify` every one.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// A variant of the file instead of the file as it is.
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// Set a parameter or a key.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Stop at this moment of the run, such as `10m`; obligations that are open then are pending.
    #[arg(long, value_name = "T", value_parser = moment)]
    pub until: Option<SimTime>,
    /// The same past and other luck from this moment on: every draw after it is another, customers and cohorts stay.
    #[arg(long, value_name = "T", value_parser = moment, requires = "salt")]
    pub fork_at: Option<SimTime>,
    /// Which luck: one future for each number.
    #[arg(long, value_name = "N", requires = "fork_at")]
    pub salt: Option<u64>,
    /// Stop after so many events; what is not settled then is `undecided`.
    #[arg(long, value_name = "N")]
    pub max_events: Option<u64>,
}

fn moment(text: &str) -> Result<SimTime, String> {
    quantity::duration(text).map(SimTime::from)
}

impl Which {
    pub fn spec(&self, seed: u64) -> RunSpec {
        let fork = self.fork_at.zip(self.salt).map(|(at, salt)| Fork { at, salt });
        RunSpec { seed, fork, until: self.until }
    }

    /// Refuses moments that a run never comes to: nothing would happen at them, and it would look as if it had.
    pub fn within(&self, horizon: SimDuration) -> Result<(), String> {
        let moments = [("--until", self.until), ("--fork-at", self.fork_at)];
        let beyond: Vec<String> = moments
            .into_iter()
            .filter_map(|(option, at)| Some((option, at?.since_start())))
            .filter(|(_, at)| *at > horizon)
            .map(|(option, at)| format!("{option} {}", exact(at)))
            .collect();
        let verb = if beyond.len() == 1 { "lies" } else { "lie" };
        let end = exact(horizon);
        if beyond.is_empty() {
            Ok(())
        } else {
            Err(format!("{} {verb} beyond the end of the run, which is at {end}", beyond.join(" and ")))
        }
    }

    pub fn limits(&self) -> Limits {
        self.max_events.map_or_else(Limits::default, |events| Limits { events })
    }

    /// The same, as arguments for another process.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = self.file.iter().map(|file| file.clone().into_os_string()).collect();
        let mut option = |name: &str, value: Option<String>| {
            words.extend(value.into_iter().flat_map(|value| [name.to_owned().into(), value.into()]));
        };
        let nanos = |moment: SimTime| format!("{}ns", moment.nanos());
        option("--variant", self.variant.clone());
        for set in &self.set {
            option("--set", Some(set.clone()));
        }
        option("--seed", self.seed.map(|seed| seed.to_string()));
        option("--until", self.until.map(nanos));
        option("--fork-at", self.fork_at.map(nanos));
        option("--salt", self.salt.map(|salt| salt.to_string()));
        option("--max-events", self.max_events.map(|events| events.to_string()));
        words
    }
}
