//! The first event in which two executions of one run differ: two processes in step, checkpoint by checkpoint, then
//! the events of the window in which they part. Nothing is assumed about the cause.

use super::lockstep::Line;
use super::which::Which;
use crate::report::mismatch::{EventTold, FirstDifference, Search};
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A difference that comes of chance need not come again at once: so many pairs are tried.
const PAIRS: u32 = 8;

/// Looks for the first difference between executions of a run; `which` names the seed.
pub(crate) fn locate(which: &Which) -> Search {
    for _ in 0..PAIRS {
        match pair(which) {
            Ok(Some(difference)) => return Search::Found(Box::new(difference)),
            Ok(None) => {}
            Err(why) => return Search::Failed(why),
        }
    }
    Search::NotAgain { pairs: PAIRS }
}

fn pair(which: &Which) -> Result<Option<FirstDifference>, String> {
    let (mut one, mut other) = (Side::start(which)?, Side::start(which)?);
    loop {
        let checkpoints: (Option<Line>, Option<Line>) = (one.read()?, other.read()?);
        match checkpoints {
            (None, None) => return Ok(None),
            (a, b) if a == b => {
                one.say("on")?;
                other.say("on")?;
            }
            // One had ended a checkpoint earlier, and was equal up to it: its side has nothing more to show.
            (a, b) => {
                let window = |side: &mut Side, there: bool| if there { side.show() } else { Ok(Vec::new()) };
                let (ones, others) = (window(&mut one, a.is_some())?, window(&mut other, b.is_some())?);
                return Ok(Some(first_difference(ones, others)));
            }
        }
    }
}

fn first_difference(mut one: Vec<EventTold>, mut other: Vec<EventTold>) -> FirstDifference {
    let equal = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let at = |events: &mut Vec<EventTold>| (equal < events.len()).then(|| events.swap_remove(equal));
    FirstDifference { one: at(&mut one), other: at(&mut other) }
}

/// One of the two processes.
struct Side {
    child: Child,
    says: Lines<BufReader<ChildStdout>>,
    hears: ChildStdin,
}

impl Side {
    fn start(which: &Which) -> Result<Side, String> {
        let program = std::env::current_exe().map_err(|why| format!("this program is not found: {why}"))?;
        let mut command = Command::new(program);
        command.arg("lockstep").args(which.arguments());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().map_err(|why| format!("another process does not start: {why}"))?;
        let says = BufReader::new(child.stdout.take().expect("standard output is piped")).lines();
        let hears = child.stdin.take().expect("standard input is piped");
        Ok(Side { child, says, hears })
    }

    fn read<T: DeserializeOwned>(&mut self) -> Result<Option<T>, String> {
        match self.says.next() {
            None => Ok(None),
            Some(line) => {
                let line = line.map_err(|why| format!("another process is not heard: {why}"))?;
                serde_json::from_str(&line).map(Some).map_err(|why| format!("another process is not understood: {why}"))
            }
        }
    }

    fn say(&mut self, word: &str) -> Result<(), String> {
        let said = writeln!(self.hears, "{word}").and_then(|()| self.hears.flush());
        said.map_err(|why| format!("another process has ended: {why}"))
    }

    fn show(&mut self) -> Result<Vec<EventTold>, String> {
        self.say("show")?;
        self.read()?.ok_or_else(|| "another process has ended before it showed its events".to_owned())
    }
}

impl Drop for Side {
    /// Whatever became of the comparison, no process is left behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
