//! `windtunnel lockstep`, hidden: one run, checkpoint by checkpoint, at the pace of the process that compares it with
//! another one. It writes a line per checkpoint and reads a line after each: `on`, or `show`, which it answers with
//! the events since the checkpoint before and ends; after the last checkpoint it says that the run is over. Only so is
//! it sure that the events shown are those of the very execution that differed, and not of a third one.

use super::which::Which;
use super::{Exit, files, print, run};
use crate::models::identity::Account;
use crate::models::streams::StreamNames;
use crate::report::mismatch::EventTold;
use crate::report::number::exact;
use crate::report::terminal::Ink;
use crate::run::{Deed, Keep, Walk};
use crate::units::SimTime;
use clap::Args;
use serde::{Deserialize, Serialize};

#[derive(Debug, Args)]
pub(crate) struct Lockstep {
    #[command(flatten)]
    which: Which,
}

/// Where a run stands, on its way between processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Line {
    Checkpoint {
        events: u64,
        at: u64,
        draws: u64,
        digest: String,
        plans: String,
    },
    /// The run is over. A process that ends without it has failed.
    End,
}

impl Lockstep {
    pub fn run(self, ink: Ink) -> Exit {
        let source = match files::read(self.which.file.as_deref(), &self.which.set, ink) {
            Ok(source) => source,
            Err(exit) => return exit,
        };
        let loaded = match run::compiled(&source, self.which.variant.as_deref(), &self.which.set, ink) {
            Ok(loaded) => loaded,
            Err(exit) => return exit,
        };
        let spec = self.which.spec(self.which.seed.unwrap_or(1));
        let mut walk = Walk::new(&loaded.plan, &spec, self.which.limits(), Keep::Deeds);
        let mut answers = std::io::stdin().lines();
        while let Some(checkpoint) = walk.next_checkpoint() {
            send(&Line::Checkpoint {
                events: checkpoint.events,
                at: checkpoint.at.nanos(),
                draws: checkpoint.draws,
                digest: checkpoint.digest.to_string(),
                plans: checkpoint.plans.to_string(),
            });
            match answers.next() {
                Some(Ok(answer)) if answer == "on" => {}
                Some(Ok(answer)) if answer == "show" => {
                    let names = walk.stream_names();
                    send(&walk.deeds().iter().map(|deed| told(deed, &names)).collect::<Vec<_>>());
                    return Exit::PASS;
                }
                // Nobody compares any more.
                Some(_) | None => return Exit::PASS,
            }
        }
        send(&Line::End);
        Exit::PASS
    }
}

fn send(message: &impl Serialize) {
    let line = serde_json::to_string(message).expect("numbers and names always serialize");
    print(&format!("{line}\n"));
}

fn told(deed: &Deed, names: &StreamNames) -> EventTold {
    let moment = |at: SimTime| exact(at.since_start());
    let planned = |(at, account): &(SimTime, Account)| format!("{}  {}  {}", moment(*at), account.kind, account.about);
    let draw = |draw: &crate::kernel::Draw| {
        let (a, b) = draw.address;
        format!("{} at ({a:x}, {b:x}): {:016x}", names.text(draw.key), draw.word)
    };
    EventTold {
        number: deed.number,
        at: moment(deed.at),
        kind: deed.event.kind.to_owned(),
        about: deed.event.about.clone(),
        draws: deed.draws.iter().map(draw).collect(),
        planned: deed.planned.iter().map(planned).collect(),
        digest: deed.digest.to_string(),
        plans: deed.plans.to_string(),
    }
}
