//! The engine: what checkers, metrics and the digest add to a run, requests with timeouts, and a large estate.

#[path = "../common/mod.rs"]
mod common;
#[path = "../models/mod.rs"]
mod models;

mod checking;
mod large;
mod timeouts;

use clap::Parser;
use common::{Options, Page};
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = Options::parse();
    let mut page = Page::new("estate");
    checking::measure(&options, &mut page);
    timeouts::measure(&options, &mut page);
    large::measure(&options, &mut page);
    page.finish(&options)
}
