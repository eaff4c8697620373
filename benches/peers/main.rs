//! The same models here and in SimPy, NeXosim and desim, interleaved in one run: `cargo bench --bench peers`.
//! Installs and builds the peers below `target/peers` first.

#[path = "../common/mod.rs"]
mod common;
mod contest;
mod mm1;
#[path = "../models/mod.rs"]
mod models;
mod phold;
mod program;
mod split_brain;

use clap::Parser;
use common::{Options, Page};
use program::Peers;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = Options::parse();
    let peers = Peers::prepare();
    let mut page = Page::new("peers");
    phold::measure(&options, &peers, &mut page);
    mm1::measure(&options, &peers, &mut page);
    split_brain::measure(&options, &peers, &mut page);
    page.finish(&options)
}
