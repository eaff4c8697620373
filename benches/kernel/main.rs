//! The kernel: PHOLD against a raw loop over the standard heap, M/M/1 against theory, a campaign on two cores against
//! two independent processes.

#[path = "../common/mod.rs"]
mod common;
#[path = "../models/mod.rs"]
mod models;

mod campaign;
mod mm1;
mod phold;

use clap::Parser;
use common::{Options, Page};
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = Options::parse();
    let mut page = Page::new("kernel");
    phold::measure(&options, &mut page);
    mm1::measure(&options, &mut page);
    campaign::measure(&options, &mut page);
    page.finish(&options)
}
