//! The options that every benchmark takes: `cargo bench --bench NAME -- --rounds 9 --markdown docs/performance.md`.

use clap::Parser;
use std::path::PathBuf;

#[derive(Clone, Debug, Parser)]
pub struct Options {
    /// Interleaved rounds; medians need at least five
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Share of the full amount of work, for a quick look (ratios of small runs mean little)
    #[arg(long, default_value_t = 1.0)]
    pub scale: f64,
    /// Puts the tables into this page, in place of this benchmark's last ones
    #[arg(long)]
    pub markdown: Option<PathBuf>,
    /// Fails if a bar is missed
    #[arg(long)]
    pub enforce: bool,
    /// Only cases whose name contains one of these
    pub cases: Vec<String>,
    /// What cargo passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// The share of `full` that was asked for, at least one.
    pub fn scaled(&self, full: u64) -> u64 {
        ((full as f64 * self.scale) as u64).max(1)
    }

    pub fn wants(&self, case: &str) -> bool {
        self.cases.is_empty() || self.cases.iter().any(|part| case.contains(part.as_str()))
    }
}
