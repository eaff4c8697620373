//! The peers' programs: installed and built below `target/peers`, started as children, and heard on one line of
//! `name=value`.

use crate::common::clock;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// What a program, or this process, did in one round. The counts are the model's own.
#[derive(Clone, Debug)]
pub struct Account {
    pub events: u64,
    pub completions: u64,
    /// Processor time of the loop, without the set-up.
    pub cpu: Duration,
    /// What else it tells: a mean sojourn, a number of splits.
    pub figures: BTreeMap<String, f64>,
}

/// Where the peers are.
pub struct Peers {
    sources: PathBuf,
    built: PathBuf,
}

impl Peers {
    /// Installs SimPy into a virtual environment and builds the Rust peers, each from its own lock file.
    pub fn prepare() -> Peers {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let peers = Peers { sources: root.join("benches/peers"), built: root.join("target/peers") };
        let python = peers.python();
        if !python.exists() {
            succeed(Command::new("python3").args(["-m", "venv"]).arg(peers.built.join("venv")));
        }
        let requirements = peers.sources.join("simpy/requirements.txt");
        succeed(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
                .arg(requirements),
        );
        for package in ["nexosim", "desim"] {
            // desim is made of coroutines, which are a nightly feature.
            let bootstrap = if package == "desim" { "1" } else { "0" };
            succeed(
                Command::new(env!("CARGO"))
                    .args(["build", "--release", "--locked", "--quiet", "--manifest-path"])
                    .arg(peers.sources.join(package).join("Cargo.toml"))
                    .arg("--target-dir")
                    .arg(peers.built.join(package))
                    .env("RUSTC_BOOTSTRAP", bootstrap),
            );
        }
        peers
    }

    fn python(&self) -> PathBuf {
        self.built.join("venv/bin/python")
    }

    pub fn simpy(&self, script: &str, arguments: &[String]) -> Account {
        hear(Command::new(self.python()).arg(self.sources.join("simpy").join(script)).args(arguments))
    }

    pub fn nexosim(&self, arguments: &[String]) -> Account {
        hear(Command::new(self.built.join("nexosim/release/peer-nexosim")).args(arguments))
    }

    pub fn desim(&self, arguments: &[String]) -> Account {
        hear(Command::new(self.built.join("desim/release/peer-desim")).args(arguments))
    }
}

fn succeed(command: &mut Command) {
    let status = command.status().unwrap_or_else(|why| panic!("{command:?}: {why}"));
    assert!(status.success(), "{command:?}: {status}");
}

/// Runs a program to its end. What it says its loop has cost must lie within what the system says the whole has.
fn hear(command: &mut Command) -> Account {
    let before = clock::children_cpu();
    let output = command.stderr(Stdio::inherit()).output().unwrap_or_else(|why| panic!("{command:?}: {why}"));
    let whole = clock::children_cpu() - before;
    assert!(output.status.success(), "{command:?}: {}", output.status);
    let text = String::from_utf8(output.stdout).expect("programs print text");
    let mut figures: BTreeMap<String, f64> = text
        .split_whitespace()
        .map(|field| {
            let (name, value) = field.split_once('=').unwrap_or_else(|| panic!("{command:?} prints `{field}`"));
            (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{command:?} prints `{field}`")))
        })
        .collect();
    let mut taken = |name: &str| figures.remove(name).unwrap_or_else(|| panic!("{command:?} does not print `{name}`"));
    let (events, completions) = (taken("events") as u64, taken("completions") as u64);
    let cpu = Duration::from_nanos(taken("cpu_ns") as u64);
    // The system counts in ticks where it does not know better: ten milliseconds are its right.
    assert!(cpu <= whole + Duration::from_millis(10), "{command:?}: a loop of {cpu:?} in a process of {whole:?}");
    Account { events, completions, cpu, figures }
}
