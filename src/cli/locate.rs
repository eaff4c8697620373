//! The first event in which two executions of one run differ: two processes in step, checkpoint by checkpoint, then
//! the events of the window in which they part. Nothing is assumed about the cause. A process that is lost on the way
//! is neither an agreement nor an end: only one that says that its run is over has ended.

use super::lockstep::Line;
use super::which::Which;
use crate::report::mismatch::{EventTold, FirstDifference, Search};
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

/// A difference that comes of chance need not come again at once: so many pairs are tried.
const PAIRS: u32 = 8;

/// Looks for the first difference between executions of a run; `which` names the seed. `stop` ends the search.
pub(crate) fn locate(which: &Which, stop: &AtomicBool) -> Search {
    let lockstep = || -> Result<Command, String> {
        let program = std::env::current_exe().map_err(|why| format!("this program is not found: {why}"))?;
        let mut command = Command::new(program);
        command.arg("lockstep").args(which.arguments());
        Ok(command)
    };
    search(&lockstep, stop)
}

/// The search with any two processes that keep to the protocol.
fn search(process: &dyn Fn() -> Result<Command, String>, stop: &AtomicBool) -> Search {
    for _ in 0..PAIRS {
        match pair(process, stop) {
            // Ctrl-C reaches the two processes, too: that they are lost then says nothing.
            Err(_) if stop.load(Ordering::Relaxed) => return Search::Interrupted,
            Err(why) => return Search::Failed(why),
            Ok(Some(difference)) => return Search::Found(Box::new(difference)),
            Ok(None) => {}
        }
    }
    Search::NotAgain { pairs: PAIRS }
}

fn pair(process: &dyn Fn() -> Result<Command, String>, stop: &AtomicBool) -> Result<Option<FirstDifference>, String> {
    let (mut one, mut other) = (Side::start(process()?)?, Side::start(process()?)?);
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err("it was interrupted".to_owned());
        }
        let lines: (Line, Line) = (one.read()?, other.read()?);
        match lines {
            (Line::End, Line::End) => return Ok(None),
            (a, b) if a == b => {
                one.say("on")?;
                other.say("on")?;
            }
            // One had ended a checkpoint earlier, and was equal up to it: its side has nothing more to show.
            (a, b) => {
                let window = |side: &mut Side, line| if line == Line::End { Ok(Vec::new()) } else { side.show() };
                let (ones, others) = (window(&mut one, a)?, window(&mut other, b)?);
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
    fn start(mut command: Command) -> Result<Side, String> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().map_err(|why| format!("another process does not start: {why}"))?;
        let says = BufReader::new(child.stdout.take().expect("standard output is piped")).lines();
        let hears = child.stdin.take().expect("standard input is piped");
        Ok(Side { child, says, hears })
    }

    fn read<T: DeserializeOwned>(&mut self) -> Result<T, String> {
        let Some(line) = self.says.next() else { return Err(self.lost()) };
        let line = line.map_err(|why| format!("another process is not heard: {why}"))?;
        serde_json::from_str(&line).map_err(|why| format!("another process is not understood: {why}"))
    }

    fn say(&mut self, word: &str) -> Result<(), String> {
        let said = writeln!(self.hears, "{word}").and_then(|()| self.hears.flush());
        said.map_err(|_| self.lost())
    }

    fn show(&mut self) -> Result<Vec<EventTold>, String> {
        self.say("show")?;
        self.read()
    }

    /// What became of a process that says no more, or hears no more, before it should.
    fn lost(&mut self) -> String {
        match self.child.wait() {
            Ok(status) => format!("another process ended before its run was over: {status}"),
            Err(why) => format!("another process was lost: {why}"),
        }
    }
}

impl Drop for Side {
    /// Whatever became of the comparison, no process is left behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// What a process says that stands at its `n`th checkpoint, as a shell's command.
    fn checkpoint(n: u64) -> String {
        let (digest, plans) = ("d".to_owned(), "p".to_owned());
        told(&Line::Checkpoint { events: n, at: n, draws: n, digest, plans })
    }

    fn told(message: &impl serde::Serialize) -> String {
        format!("echo '{}'", serde_json::to_string(message).expect("names and numbers serialize"))
    }

    fn event(number: u64) -> EventTold {
        let text = String::new;
        let (at, kind, about, digest, plans) = (text(), text(), text(), text(), text());
        EventTold { number, at, kind, about, draws: Vec::new(), planned: Vec::new(), digest, plans }
    }

    /// The search between a process that runs the one script and one that runs the other.
    fn searched(scripts: [&str; 2], stop: bool) -> Search {
        let started = Cell::new(0);
        let process = || {
            let script = scripts[started.replace(started.get() + 1) % 2];
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            Ok(command)
        };
        search(&process, &AtomicBool::new(stop))
    }

    fn failed(scripts: [&str; 2]) -> String {
        match searched(scripts, false) {
            Search::Failed(why) => why,
            other => panic!("a lost process was taken for {other:?}"),
        }
    }

    #[test]
    fn two_processes_that_fail_have_not_agreed() {
        let why = failed(["exit 3", "exit 3"]);
        assert!(why.contains("ended before its run was over") && why.contains("exit status: 3"), "{why}");
        let (checkpoint, end) = (checkpoint(1), told(&Line::End));
        let midway = format!("{checkpoint}; read on; exit 3");
        assert!(failed([&midway, &midway]).contains("exit status: 3"));
        let silent = format!("{checkpoint}; read on; exit 0");
        assert!(failed([&silent, &silent]).contains("exit status: 0"), "success without an end is no end");
        let whole = format!("{checkpoint}; read on; {end}");
        assert_eq!(searched([&whole, &whole], false), Search::NotAgain { pairs: PAIRS }, "and these have");
    }

    #[test]
    fn a_process_that_dies_is_not_a_run_that_is_over() {
        let (first, second, end) = (checkpoint(1), checkpoint(2), told(&Line::End));
        let killed = format!("{first}; read on; kill -9 $$");
        let lives = format!("{first}; read on; {second}; read show; {}", told(&[event(2)]));
        assert!(failed([&killed, &lives]).contains("signal: 9"));
        assert!(failed([&lives, &killed]).contains("signal: 9"));
        let shows_nothing = format!("{second}; read show; exit 4");
        let shows = format!("{first}; read show; {}", told(&[event(1)]));
        assert!(failed([&shows, &shows_nothing]).contains("exit status: 4"));
        let over = format!("{first}; read on; {end}");
        let found = Search::Found(Box::new(FirstDifference { one: None, other: Some(event(2)) }));
        assert_eq!(searched([&over, &lives], false), found, "and this one is over");
    }

    #[test]
    fn a_search_that_is_asked_to_stop_stops() {
        let endless = format!("while :; do {}; read on || exit; done", checkpoint(1));
        assert_eq!(searched([&endless, &endless], true), Search::Interrupted);
    }
}
