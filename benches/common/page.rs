//! The page on which results are published: each benchmark owns one marked part of it and replaces that, so that no
//! figure is typed by hand.

use super::bar::Bar;
use super::options::Options;
use super::table::Table;
use std::fmt::Write;
use std::fs;
use std::process::{Command, ExitCode};

/// The tables of one benchmark, printed as they come.
pub struct Page {
    bench: &'static str,
    text: String,
    missed: usize,
}

impl Page {
    pub fn new(bench: &'static str) -> Page {
        Page { bench, text: String::new(), missed: 0 }
    }

    pub fn table(&mut self, table: &Table) {
        println!("{table}");
        writeln!(self.text, "{}", table.to_markdown()).expect("a string takes all that is written");
    }

    pub fn bars(&mut self, title: &str, bars: &[Bar]) {
        self.missed += bars.iter().filter(|bar| !bar.is_met()).count();
        self.table(&Bar::table(title, bars));
    }

    /// Writes the page where that was asked for. The exit code is a failure only if bars are to be enforced.
    pub fn finish(self, options: &Options) -> ExitCode {
        if let Some(path) = &options.markdown {
            let whole = fs::read_to_string(path).unwrap_or_default();
            let part = format!("{}\n\n{}", conditions(options), self.text.trim_end());
            fs::write(path, with_part(&whole, self.bench, &part)).expect("the page can be written");
        }
        if options.enforce && self.missed > 0 {
            eprintln!("{}: {} bars missed", self.bench, self.missed);
            return ExitCode::FAILURE;
        }
        ExitCode::SUCCESS
    }
}

/// The page with this benchmark's part put in place of the last one, or at the end.
fn with_part(whole: &str, bench: &str, part: &str) -> String {
    let (begin, end) = (format!("<!-- {bench}: begin -->"), format!("<!-- {bench}: end -->"));
    let marked = format!("{begin}\n\n{part}\n\n{end}");
    match (whole.find(&begin), whole.find(&end)) {
        (Some(from), Some(to)) if from < to => format!("{}{marked}{}", &whole[..from], &whole[to + end.len()..]),
        _ => format!("{}\n\n{marked}\n", whole.trim_end()),
    }
}

/// Under which conditions this part was measured.
fn conditions(options: &Options) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpu.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split(": ").nth(1)).unwrap_or("unknown").to_owned()
    };
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    format!(
        "Measured on {} (family {}, model {}), {cores} virtual cores, {}, by {}; {} interleaved rounds, scale {}, load \
         of the machine at the end {load}.",
        field("model name"),
        field("cpu family"),
        field("model\t"),
        first_line("uname", &["-sr"]),
        first_line("rustc", &["--version"]),
        options.rounds,
        options.scale,
    )
}

fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}
