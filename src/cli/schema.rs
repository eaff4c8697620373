//! `windtunnel schema`: the JSON Schema of scenario files.

use super::{Exit, print};
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Schema {}

impl Schema {
    pub fn run(self) -> Exit {
        print(&format!("{:#}\n", crate::scenario::json_schema()));
        Exit::PASS
    }
}
