//! The lag of partitions over time.

use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, Observed};
use crate::units::SimTime;
use crate::validation::Probe;
use std::collections::BTreeMap;
use std::ops::Range;

/// One sample per partition of the only topic, whose consumer group has a member on a replica of its own for each: a
/// function of its lag over time, lag being records appended and not worked through. An offset is committed later than
/// its record is worked through; the laws are about the latter.
pub struct Lag {
    empty: Collected,
    partitions: Vec<Held>,
    /// The partition that each replica works on.
    partition_of: BTreeMap<u32, usize>,
}

#[derive(Clone)]
struct Held {
    records: u64,
    since: SimTime,
    collected: Collected,
}

/// What is collected of the lag of one partition. Times are in seconds.
#[derive(Clone)]
enum Collected {
    /// The integral over a window of a function of the lag.
    Integral { window: Range<f64>, of: fn(u64, f64) -> f64, argument: f64, sum: f64 },
    /// How long it took from a moment until there was no lag for the first time.
    Emptying { from: f64, took: Option<f64> },
    /// The lag at both ends of a window.
    Ends { window: Range<f64>, lags: [u64; 2] },
}

impl Collected {
    /// The lag was `records` between these times.
    fn stretch(&mut self, records: u64, from: f64, until: f64) {
        match self {
            Collected::Integral { window, of, argument, sum } => {
                let within = until.min(window.end) - from.max(window.start);
                *sum += of(records, *argument) * within.max(0.0);
            }
            Collected::Emptying { from: begun, took } => {
                if records == 0 && until >= *begun {
                    took.get_or_insert(from.max(*begun) - *begun);
                }
            }
            Collected::Ends { window, lags } => {
                for (end, lag) in [window.start, window.end].into_iter().zip(lags) {
                    if (from..until).contains(&end) {
                        *lag = records;
                    }
                }
            }
        }
    }

    fn sample(&self) -> f64 {
        match self {
            Collected::Integral { window, sum, .. } => sum / (window.end - window.start),
            Collected::Emptying { took, .. } => took.expect("the run goes on until every partition is drained"),
            Collected::Ends { window, lags: [first, last] } => {
                (*last as f64 - *first as f64) / (window.end - window.start)
            }
        }
    }
}

impl Lag {
    fn collecting(empty: Collected) -> Box<dyn Probe> {
        Box::new(Lag { empty, partitions: Vec::new(), partition_of: BTreeMap::new() })
    }

    /// Samples of the mean lag over a window of time.
    pub fn mean_over(window: Range<f64>) -> Box<dyn Probe> {
        Lag::collecting(Collected::Integral { window, of: |lag, _| lag as f64, argument: 0.0, sum: 0.0 })
    }

    /// Samples of the share of a window of time in which the lag is at least `records`.
    pub fn share_at_least(records: f64, window: Range<f64>) -> Box<dyn Probe> {
        let of = |lag: u64, records: f64| f64::from(lag as f64 >= records);
        Lag::collecting(Collected::Integral { window, of, argument: records, sum: 0.0 })
    }

    /// Samples of the seconds from a moment until there is no lag.
    pub fn time_to_empty(from: f64) -> Box<dyn Probe> {
        Lag::collecting(Collected::Emptying { from, took: None })
    }

    /// Samples of the records per second by which the lag grows over a window of time.
    pub fn growth_over(window: Range<f64>) -> Box<dyn Probe> {
        Lag::collecting(Collected::Ends { window, lags: [0; 2] })
    }

    fn moves(&mut self, partition: usize, now: SimTime, by: i64) {
        let held = &mut self.partitions[partition];
        held.collected.stretch(held.records, held.since.as_secs_f64(), now.as_secs_f64());
        held.records = held.records.checked_add_signed(by).expect("what is worked through was appended before");
        held.since = now;
    }
}

impl Probe for Lag {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::Emitted, Kind::Delivered, Kind::Effect]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        let partitions = estate.topics.as_slice()[0].partitions as usize;
        if self.partitions.is_empty() {
            let held = Held { records: 0, since: SimTime::ZERO, collected: self.empty.clone() };
            self.partitions.resize(partitions, held);
        }
        if let Observation::Emitted { partition, .. } = observed.what {
            self.moves(partition as usize, observed.at, 1);
        } else if let Observation::Delivered(delivered) = observed.what {
            self.partition_of.insert(delivered.replica.as_u32(), delivered.partition as usize);
        } else if let Observation::Effect(effect) = observed.what {
            let partition = self.partition_of[&effect.replica.as_u32()];
            self.moves(partition, observed.at, -1);
        }
    }

    fn samples(&mut self, end: SimTime, _estate: &Estate) -> Vec<f64> {
        for partition in 0..self.partitions.len() {
            self.moves(partition, end, 0);
        }
        self.partitions.iter().map(|held| held.collected.sample()).collect()
    }
}
