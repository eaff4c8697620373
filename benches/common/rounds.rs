//! Interleaved rounds: every contender once per round, and comparisons within a round only.

use super::clock;
use std::fmt;
use std::time::Duration;

/// What a contender spent in one round, and on how many units of work (events, customers, requests).
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub cpu: Duration,
    pub wall: Duration,
    pub units: u64,
}

impl Cost {
    /// What this process spent on a piece of work that says how many units it was.
    pub fn of_work(work: impl FnOnce() -> u64) -> Cost {
        Cost::between(clock::process_cpu, work)
    }

    /// What the children spent that a piece of work starts and waits for.
    pub fn of_children(work: impl FnOnce() -> u64) -> Cost {
        Cost::between(clock::children_cpu, work)
    }

    fn between(cpu: impl Fn() -> Duration, work: impl FnOnce() -> u64) -> Cost {
        let (cpu_before, wall_before) = (cpu(), clock::wall());
        let units = work();
        Cost { cpu: cpu() - cpu_before, wall: clock::wall() - wall_before, units }
    }

    fn per_unit(self, time: Duration) -> f64 {
        time.as_nanos() as f64 / self.units.max(1) as f64
    }
}

/// Which time is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Of the processor: hardly depends on the neighbours.
    Cpu,
    /// On the wall: the only one that sees idle cores.
    Wall,
}

/// Somebody who takes part in every round. Preparing what is not to be measured is `run`'s own affair.
pub struct Contender<'a> {
    name: String,
    run: Box<dyn FnMut() -> Cost + 'a>,
}

impl<'a> Contender<'a> {
    pub fn new(name: impl Into<String>, run: impl FnMut() -> Cost + 'a) -> Contender<'a> {
        Contender { name: name.into(), run: Box::new(run) }
    }
}

/// What everybody spent, by contender and round.
pub struct Rounds {
    names: Vec<String>,
    costs: Vec<Vec<Cost>>,
}

/// Runs `count` rounds. The contender that begins moves on by one each round, so that none always comes after the
/// same neighbour.
pub fn interleave(count: usize, mut contenders: Vec<Contender<'_>>) -> Rounds {
    let mut costs = vec![Vec::with_capacity(count); contenders.len()];
    for round in 0..count {
        for offset in 0..contenders.len() {
            let index = (round + offset) % contenders.len();
            let cost = (contenders[index].run)();
            eprintln!("round {}/{count}: {}: {} ns", round + 1, contenders[index].name, short(cost.per_unit(cost.cpu)));
            costs[index].push(cost);
        }
    }
    Rounds { names: contenders.into_iter().map(|contender| contender.name).collect(), costs }
}

impl Rounds {
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Nanoseconds of processor time per unit.
    pub fn cost(&self, name: &str) -> Spread {
        Spread::of(self.nanos(name, Clock::Cpu))
    }

    /// How many times as much processor time `one` needs as `other`, round by round.
    pub fn ratio(&self, one: &str, other: &str) -> Spread {
        self.ratio_by(Clock::Cpu, one, other)
    }

    pub fn ratio_by(&self, clock: Clock, one: &str, other: &str) -> Spread {
        Spread::of(self.nanos(one, clock).zip(self.nanos(other, clock)).map(|(one, other)| one / other))
    }

    fn nanos(&self, name: &str, clock: Clock) -> impl Iterator<Item = f64> {
        let index = self.names.iter().position(|known| known == name);
        let costs = &self.costs[index.unwrap_or_else(|| panic!("no contender is called `{name}`"))];
        costs.iter().map(move |cost| match clock {
            Clock::Cpu => cost.per_unit(cost.cpu),
            Clock::Wall => cost.per_unit(cost.wall),
        })
    }
}

/// A median over rounds, and the extremes.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    pub fn of(values: impl Iterator<Item = f64>) -> Spread {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(least), Some(most)) = (sorted.first().copied(), sorted.last().copied()) else {
            panic!("a spread is of at least one round");
        };
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
        Spread { median, least, most }
    }

    /// One number that has no rounds: a count, a size.
    pub fn exactly(value: f64) -> Spread {
        Spread { median: value, least: value, most: value }
    }
}

/// `0.58 [0.55..0.61]`, and a bare number where nothing varies.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.least == self.most {
            return f.write_str(&short(self.median));
        }
        write!(f, "{} [{}..{}]", short(self.median), short(self.least), short(self.most))
    }
}

/// About three significant digits.
pub fn short(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}
