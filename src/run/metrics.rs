//! Measures every metric of the catalogue (`models::metric`) from the observations of one run.
//!
//! Times that are quantiles come from histograms and are within 1.6 % of the truth; `.max` and counts are exact.

use super::summary::MetricValue;
use crate::invariants::{Fleet, Histogram, Kills, Mixed, Reading};
use crate::models::estate::{Estate, PATH_OLD};
use crate::models::metric;
use crate::models::observation::{
    Decided, Delivered, EffectMade, Kind, Observation, Observed, Outcome, Publication, Source,
};
use crate::rollout::PolicyVersion;
use crate::units::{SimDuration, SimTime};

/// The numbers of one run, as they come together.
pub struct Metrics {
    interactions: u64,
    mixed: Mixed,
    judged_count: u64,
    mixed_count: u64,
    finished: u64,
    failed: u64,
    rejected: u64,
    latency: Histogram,
    calls: u64,
    attempts: u64,
    decisions: u64,
    fallbacks: u64,
    staleness: Histogram,
    convergence: Convergence,
    new_path_effects: u64,
    kills: Kills,
    killed: Option<LastKill>,
    lags: Lags,
    deliveries: u64,
    redeliveries: u64,
    evictions: u64,
    first_eviction: Option<SimTime>,
    parked: u64,
    misread: u64,
}

/// How far the last publication has come.
struct Convergence {
    fleet: Fleet,
    published: Option<(PolicyVersion, SimTime)>,
    full: Option<SimTime>,
}

struct LastKill {
    entry: u32,
    issued: SimTime,
    last_effect: Option<SimTime>,
}

/// Lag per group and partition.
struct Lags {
    partitions: Vec<Vec<u64>>,
    groups: Vec<u64>,
    max: u64,
}

impl Lags {
    fn new(estate: &Estate) -> Lags {
        let partitions = estate.groups.iter().map(|group| vec![0; estate.topics[group.topic].partitions as usize]);
        Lags { partitions: partitions.collect(), groups: vec![0; estate.groups.len()], max: 0 }
    }

    fn observe(&mut self, group: usize, partition: u32, lag: u64) {
        let known = &mut self.partitions[group][partition as usize];
        let sum = &mut self.groups[group];
        *sum = *sum - *known + lag;
        *known = lag;
        self.max = self.max.max(*sum);
    }
}

impl Convergence {
    /// Whether everybody holds what was published, for the first time.
    fn look(&mut self, now: SimTime) {
        if let (Some((version, _)), None) = (self.published, self.full)
            && self.fleet.all_hold(version)
        {
            self.full = Some(now);
        }
    }
}

impl Metrics {
    pub fn new(estate: &Estate) -> Metrics {
        Metrics {
            interactions: 0,
            mixed: Mixed::default(),
            judged_count: 0,
            mixed_count: 0,
            finished: 0,
            failed: 0,
            rejected: 0,
            latency: Histogram::default(),
            calls: 0,
            attempts: 0,
            decisions: 0,
            fallbacks: 0,
            staleness: Histogram::default(),
            convergence: Convergence { fleet: Fleet::new(estate), published: None, full: None },
            new_path_effects: 0,
            kills: Kills::default(),
            killed: None,
            lags: Lags::new(estate),
            deliveries: 0,
            redeliveries: 0,
            evictions: 0,
            first_eviction: None,
            parked: 0,
            misread: 0,
        }
    }

    /// Whether observations of this kind are measured.
    pub fn wants(&self, kind: Kind) -> bool {
        self.interests().contains(&kind)
    }

    pub fn interests(&self) -> &'static [Kind] {
        &[
            Kind::Arrived,
            Kind::Finished,
            Kind::Closed,
            Kind::Called,
            Kind::Decided,
            Kind::Effect,
            Kind::Delivered,
            Kind::Parked,
            Kind::Lag,
            Kind::Evicted,
            Kind::PolicyPublished,
            Kind::PolicyApplied,
            Kind::PolicyLost,
            Kind::Killed,
            Kind::Lifted,
            Kind::Crashed,
            Kind::Restarted,
        ]
    }

    pub fn observe(&mut self, observed: &Observed, estate: &Estate) {
        match &observed.what {
            // A replay is an interaction in which nobody arrives.
            Observation::Arrived { interaction, .. } => self.interactions += u64::from(interaction.replay == 0),
            Observation::Finished { outcome, latency, .. } => self.answered(*outcome, *latency),
            Observation::Closed { interaction, .. } => self.mixed.close(interaction),
            Observation::Called { from: None, .. } => {}
            Observation::Called { attempt, .. } => {
                self.attempts += 1;
                // Attempts count from 1; what is not the first belongs to a call that was counted.
                self.calls += u64::from(*attempt <= 1);
            }
            Observation::Decided(decided) => self.decided(decided),
            Observation::Effect(made) => self.effect(observed.at, made, estate),
            Observation::Delivered(delivered) => self.delivered(delivered),
            Observation::Parked { .. } => self.parked += 1,
            Observation::Lag { group, partition, end, committed } => {
                self.lags.observe(group.index(), *partition, end.saturating_sub(*committed));
            }
            Observation::Evicted { .. } => {
                self.evictions += 1;
                self.first_eviction.get_or_insert(observed.at);
            }
            Observation::PolicyPublished { version, publication, .. } => {
                if *publication != Publication::Initial {
                    self.convergence.published = Some((*version, observed.at));
                    self.convergence.full = None;
                    self.convergence.look(observed.at);
                }
            }
            Observation::PolicyApplied { .. }
            | Observation::PolicyLost { .. }
            | Observation::Crashed { .. }
            | Observation::Restarted { .. } => {
                if self.convergence.fleet.observe(&observed.what) {
                    self.convergence.look(observed.at);
                }
            }
            Observation::Killed { .. } | Observation::Lifted { .. } => {
                if let Some(kill) = self.kills.observe(observed) {
                    self.killed = Some(LastKill { entry: kill.entry, issued: kill.issued, last_effect: None });
                }
            }
            // Nothing is measured of these.
            Observation::Failed { .. }
            | Observation::Retried { .. }
            | Observation::Rejected { .. }
            | Observation::Moment { .. }
            | Observation::Status { .. }
            | Observation::Emitted { .. }
            | Observation::DeadLettered { .. }
            | Observation::Committed { .. }
            | Observation::Rewound { .. }
            | Observation::Rebalanced { .. }
            | Observation::PolicyReplicated { .. }
            | Observation::Suppressed { .. }
            | Observation::MessageLost { .. }
            | Observation::Alert { .. }
            | Observation::Stepped { .. }
            | Observation::Deployed { .. }
            | Observation::FaultStarted { .. }
            | Observation::FaultEnded { .. } => {}
        }
    }

    fn answered(&mut self, outcome: Outcome, latency: SimDuration) {
        self.finished += 1;
        self.latency.record(latency);
        match outcome {
            Outcome::Succeeded => {}
            Outcome::Rejected(_) => self.rejected += 1,
            Outcome::Failed(_) => self.failed += 1,
        }
    }

    fn decided(&mut self, decided: &Decided) {
        self.decisions += 1;
        self.fallbacks += u64::from(decided.source == Source::Fallback);
        self.staleness.record(decided.staleness);
        let (judged, mixed) = match self.mixed.decided(decided) {
            Reading::Known => (0, 0),
            Reading::Judged => (1, 0),
            Reading::Mixed => (0, 1),
            Reading::JudgedMixed => (1, 1),
        };
        self.judged_count += judged;
        self.mixed_count += mixed;
    }

    fn effect(&mut self, at: SimTime, made: &EffectMade, estate: &Estate) {
        self.new_path_effects += u64::from(made.path.is_some_and(|path| path != PATH_OLD));
        if let Some(killed) = &mut self.killed {
            let kill = self.kills.iter().find(|kill| kill.entry == killed.entry && kill.issued == killed.issued);
            if kill.is_some_and(|kill| kill.forbids(made, estate)) {
                killed.last_effect = Some(at);
            }
        }
    }

    fn delivered(&mut self, delivered: &Delivered) {
        self.deliveries += 1;
        self.redeliveries += u64::from(delivered.redelivery > 0);
        self.misread += u64::from(delivered.handled_as.is_some_and(|version| version != delivered.produced_version));
    }

    /// The run is over: every metric that has a value, in the order of the catalogue.
    pub fn finish(&self, _end: SimTime, estate: &Estate) -> Vec<MetricValue> {
        let value = |metric: &metric::Metric| {
            self.value(metric.name, estate).map(|value| MetricValue { name: metric.name, value })
        };
        metric::ALL.iter().filter_map(value).collect()
    }

    fn value(&self, name: &str, estate: &Estate) -> Option<f64> {
        let count = |count: u64| Some(count as f64);
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let secs = |duration: Option<SimDuration>| duration.map(SimDuration::as_secs_f64);
        let of_consumers = |count: u64| (!estate.groups.is_empty()).then_some(count as f64);
        match name {
            "interactions.count" => count(self.interactions),
            "mixed_interactions.count" => count(self.mixed_count),
            "mixed_interactions.share" => share(self.mixed_count, self.judged_count),
            "success_rate" => share(self.finished - self.failed, self.finished),
            "error_rate" => share(self.failed, self.finished),
            "reject_rate" => share(self.rejected, self.finished),
            "latency.p50" => secs(self.latency.quantile(0.50)),
            "latency.p99" => secs(self.latency.quantile(0.99)),
            "attempts_per_call" => share(self.attempts, self.calls),
            "fallback_rate" => share(self.fallbacks, self.decisions),
            "staleness.p99" => secs(self.staleness.quantile(0.99)),
            "staleness.max" => secs(self.staleness.max()),
            "time_to_full" => {
                let (published, full) = self.convergence.published.zip(self.convergence.full)?;
                Some(full.since(published.1).as_secs_f64())
            }
            "new_path_effects.count" => count(self.new_path_effects),
            "time_to_kill" => {
                let killed = self.killed.as_ref()?;
                Some(killed.last_effect.unwrap_or(killed.issued).since(killed.issued).as_secs_f64())
            }
            "lag.max" => of_consumers(self.lags.max),
            "lag.end" => of_consumers(self.lags.groups.iter().sum()),
            "deliveries.count" => of_consumers(self.deliveries),
            "redeliveries.count" => of_consumers(self.redeliveries),
            "redelivery_rate" => share(self.redeliveries, self.deliveries),
            "evictions.count" => of_consumers(self.evictions),
            "first_eviction" => self.first_eviction.map(SimTime::as_secs_f64),
            "parked.count" => of_consumers(self.parked),
            "misread_events.count" => of_consumers(self.misread),
            // A metric of the catalogue that is not measured here fails the test that asks for all of them.
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
