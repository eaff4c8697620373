//! How things went over time in one run: what the plots draw.

use super::summary::Series;
use crate::invariants::{Fleet, Mixed, Places, Reading};
use crate::models::estate::{Estate, ServiceId};
use crate::models::observation::{Decided, Interaction, Kind, Observation, Observed, Outcome};
use crate::units::{SimDuration, SimTime};

/// Samples and counts observations into buckets of equal width.
pub struct Recorder {
    bucket: SimDuration,
    buckets: usize,
    /// The bucket that is being filled.
    current: usize,
    fleet: Fleet,
    /// Per bucket that is over: live replicas per version, by its number.
    held: Vec<Vec<u32>>,
    mixed: Mixed,
    arrived: Places<Vec<usize>>,
    /// Per group: its lag per partition, its sum, and the sum at the end of each bucket that is over.
    lag: Vec<(Vec<u64>, u64, Vec<u64>)>,
    open: Vec<Band>,
    series: Series,
}

/// A band that has begun; with what ends it.
struct Band {
    of: BandOf,
    label: String,
    begin: SimTime,
    end: Option<SimTime>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BandOf {
    Fault(u32),
    Kill(u32),
    /// From the first replica that runs this code to the last.
    Deploy(ServiceId, u32),
}

impl Recorder {
    /// Divides the time to the horizon into so many buckets, at least one.
    pub fn new(estate: &Estate, buckets: usize) -> Recorder {
        let buckets = buckets.max(1);
        let width = estate.horizon().nanos().div_ceil(buckets as u64).max(1);
        let bucket = SimDuration::from_nanos(width);
        let lag = |group: &crate::models::estate::ConsumerGroup| {
            (vec![0; estate.topics[group.topic].partitions as usize], 0, Vec::new())
        };
        let counts = || vec![0; buckets];
        Recorder {
            bucket,
            buckets,
            current: 0,
            fleet: Fleet::new(estate),
            held: Vec::new(),
            mixed: Mixed::default(),
            arrived: Places::default(),
            lag: estate.groups.iter().map(lag).collect(),
            open: Vec::new(),
            series: Series {
                bucket,
                buckets,
                judged: counts(),
                mixed: counts(),
                failed: counts(),
                finished: counts(),
                lag: estate.groups.iter().map(|group| (group.name.clone(), Vec::new())).collect(),
                ..Series::default()
            },
        }
    }

    /// The kinds of observations that are drawn.
    pub fn interests(&self) -> &'static [Kind] {
        &[
            Kind::Arrived,
            Kind::Finished,
            Kind::Closed,
            Kind::Decided,
            Kind::Lag,
            Kind::PolicyApplied,
            Kind::PolicyLost,
            Kind::Crashed,
            Kind::Restarted,
            Kind::Stepped,
            Kind::Killed,
            Kind::Lifted,
            Kind::Deployed,
            Kind::FaultStarted,
            Kind::FaultEnded,
            Kind::RolledBack,
            Kind::AlertRaised,
        ]
    }

    pub fn observe(&mut self, observed: &Observed, estate: &Estate) {
        self.advance(self.bucket_of(observed.at));
        match &observed.what {
            Observation::Arrived { interaction, .. } => {
                self.arrival(interaction, observed.at);
            }
            Observation::Finished { outcome, .. } => self.answered(*outcome),
            Observation::Closed { interaction, .. } => {
                self.arrived.close(interaction);
                self.mixed.close(interaction);
            }
            Observation::Decided(decided) => self.decided(decided, observed.at),
            Observation::Lag { group, partition, end, committed } => {
                let (partitions, sum, _) = &mut self.lag[group.index()];
                let lag = end.saturating_sub(*committed);
                *sum = *sum - partitions[*partition as usize] + lag;
                partitions[*partition as usize] = lag;
            }
            Observation::PolicyApplied { .. }
            | Observation::PolicyLost { .. }
            | Observation::Crashed { .. }
            | Observation::Restarted { .. } => {
                self.fleet.observe(&observed.what);
            }
            Observation::Stepped { .. }
            | Observation::Killed { .. }
            | Observation::Lifted { .. }
            | Observation::Deployed { .. }
            | Observation::FaultStarted { .. }
            | Observation::FaultEnded { .. }
            | Observation::RolledBack { .. }
            | Observation::AlertRaised { .. } => self.annotate(observed, estate),
            // Nothing is drawn of these.
            Observation::Gate { .. }
            | Observation::Approval { .. }
            | Observation::PlanHeld { .. }
            | Observation::OperatorActed { .. }
            | Observation::ShadowCompared { .. }
            | Observation::DualWrote { .. } => {}
            Observation::Called { .. }
            | Observation::Failed { .. }
            | Observation::Retried { .. }
            | Observation::Rejected { .. }
            | Observation::Effect(_)
            | Observation::Moment { .. }
            | Observation::Status { .. }
            | Observation::Emitted { .. }
            | Observation::Delivered(_)
            | Observation::Parked { .. }
            | Observation::DeadLettered { .. }
            | Observation::Committed { .. }
            | Observation::Rewound { .. }
            | Observation::Rebalanced { .. }
            | Observation::Evicted { .. }
            | Observation::PolicyPublished { .. }
            | Observation::PolicyReplicated { .. }
            | Observation::Suppressed { .. }
            | Observation::MessageLost { .. }
            | Observation::Alert { .. }
            | Observation::Held { .. }
            | Observation::Resumed { .. }
            | Observation::Asked { .. }
            | Observation::OutcomeUnknown { .. }
            | Observation::Handled { .. }
            | Observation::Dropped { .. }
            | Observation::Compensated(_)
            | Observation::Expired { .. }
            | Observation::Reconciled { .. }
            | Observation::Exceptions { .. } => {}
        }
    }

    /// The run ended at `end`: what was open then is drawn to it, and buckets after it show what was so then.
    pub fn finish(mut self, end: SimTime, _estate: &Estate) -> Series {
        self.advance(self.buckets);
        let whole = f64::from(self.fleet.size().max(1));
        let versions = self.held.iter().map(Vec::len).max().unwrap_or(0);
        let count = |held: &Vec<u32>, version: usize| held.get(version).copied().unwrap_or(0);
        for version in 0..versions {
            if self.held.iter().any(|held| count(held, version) > 0) {
                let shares = self.held.iter().map(|held| f64::from(count(held, version)) / whole).collect();
                self.series.held.push((Some(version as u32), shares));
            }
        }
        let none = |held: &Vec<u32>| f64::from(self.fleet.size() - held.iter().sum::<u32>()) / whole;
        self.series.held.push((None, self.held.iter().map(none).collect()));
        for (lag, (_, _, sampled)) in self.series.lag.iter_mut().zip(self.lag) {
            lag.1 = sampled;
        }
        let band = |band: Band| (band.label, band.begin, band.end.unwrap_or(end));
        self.series.bands = self.open.into_iter().map(band).collect();
        self.series
    }

    fn bucket_of(&self, at: SimTime) -> usize {
        let index = at.nanos() / self.bucket.nanos();
        usize::try_from(index).map_or(self.buckets - 1, |index| index.min(self.buckets - 1))
    }

    /// Every bucket before this one is over.
    fn advance(&mut self, to: usize) {
        while self.current < to {
            self.held.push(self.fleet.counts().to_vec());
            for (_, sum, sampled) in &mut self.lag {
                sampled.push(*sum);
            }
            self.current += 1;
        }
    }

    /// The bucket in which the interaction arrived, as far as that was seen.
    fn arrival(&mut self, interaction: &Interaction, at: SimTime) -> usize {
        let bucket = self.bucket_of(at);
        let arrived = self.arrived.of(interaction);
        if arrived.is_empty() {
            arrived.push(bucket);
        }
        arrived[0]
    }

    fn answered(&mut self, outcome: Outcome) {
        self.series.finished[self.current] += 1;
        match outcome {
            Outcome::Succeeded | Outcome::Rejected(_) => {}
            Outcome::Failed(_) => self.series.failed[self.current] += 1,
        }
    }

    fn decided(&mut self, decided: &Decided, at: SimTime) {
        let bucket = self.arrival(&decided.interaction, at);
        let (judged, mixed) = match self.mixed.decided(decided) {
            Reading::Known => return,
            Reading::Judged => (1, 0),
            Reading::Mixed => (0, 1),
            Reading::JudgedMixed => (1, 1),
        };
        self.series.judged[bucket] += judged;
        self.series.mixed[bucket] += mixed;
    }

    fn annotate(&mut self, observed: &Observed, estate: &Estate) {
        let at = observed.at;
        if let Observation::Stepped { rollout, step, .. } = observed.what {
            let rollout = &estate.rollouts[usize::from(rollout)];
            let step = &rollout.steps[usize::from(step)].name;
            self.series.lines.push((format!("{}: {step}", estate.features[rollout.feature].name), at));
        } else if let Observation::Killed { feature, entry, .. } = observed.what {
            let label = format!("kill {}", estate.features[feature].name);
            self.series.lines.push((label.clone(), at));
            self.open.push(Band { of: BandOf::Kill(entry), label, begin: at, end: None });
        } else if let Observation::Lifted { feature, entry, .. } = observed.what {
            self.series.lines.push((format!("lift {}", estate.features[feature].name), at));
            self.end(BandOf::Kill(entry), at);
        } else if let Observation::RolledBack { rollout, .. } = observed.what {
            let feature = estate.rollouts[usize::from(rollout)].feature;
            self.series.lines.push((format!("{}: back", estate.features[feature].name), at));
        } else if let Observation::AlertRaised { alert, .. } = observed.what {
            self.series.lines.push((format!("alert {}", estate.alerts[usize::from(alert)].name), at));
        } else if let Observation::FaultStarted { entry } = observed.what {
            let label = estate.timeline[entry as usize].label.clone();
            self.open.push(Band { of: BandOf::Fault(entry), label, begin: at, end: None });
        } else if let Observation::FaultEnded { entry } = observed.what {
            self.end(BandOf::Fault(entry), at);
        } else if let Observation::Deployed { replica, code } = observed.what {
            let service = estate.replicas[replica].service;
            let of = BandOf::Deploy(service, code);
            match self.open.iter_mut().find(|band| band.of == of) {
                Some(band) => band.end = Some(at),
                None => {
                    let label = format!("deploy {} {code}", estate.services[service].name);
                    self.open.push(Band { of, label, begin: at, end: Some(at) });
                }
            }
        }
    }

    fn end(&mut self, of: BandOf, at: SimTime) {
        if let Some(band) = self.open.iter_mut().find(|band| band.of == of && band.end.is_none()) {
            band.end = Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::models::observation::Failure;
    use crate::rollout::Scope;
    use crate::units::Id;

    /// The fixture's horizon is 660 s: eleven buckets of a minute.
    fn recorded(fill: impl FnOnce(&mut Stream)) -> Series {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        fill(&mut stream);
        let mut recorder = Recorder::new(&estate, 11);
        for observed in stream.observed() {
            assert_eq!(recorder.bucket, SimDuration::from_secs(60));
            if recorder.interests().contains(&observed.what.kind()) {
                recorder.observe(observed, &estate);
            }
        }
        recorder.finish(seconds(660.0), &estate)
    }

    #[test]
    fn held_versions_are_sampled_at_the_end_of_each_bucket_and_add_up_to_everybody() {
        let series = recorded(|stream| {
            stream.at(70.0).applies(0, 2);
            stream.at(130.0).applies(1, 2);
            stream.at(190.0).push(Observation::PolicyLost { replica: replica(2) });
        });
        let shares = |version| &series.held.iter().find(|(held, _)| *held == version).expect("was held").1;
        assert_eq!(shares(Some(1))[..5], [1.0, 0.875, 0.75, 0.625, 0.625]);
        assert_eq!(shares(Some(2))[..5], [0.0, 0.125, 0.25, 0.25, 0.25]);
        assert_eq!(shares(None)[..5], [0.0, 0.0, 0.0, 0.125, 0.125]);
        for bucket in 0..series.buckets {
            assert_eq!(series.held.iter().map(|(_, shares)| shares[bucket]).sum::<f64>(), 1.0);
        }
    }

    #[test]
    fn mixed_interactions_count_where_they_arrived_and_answers_where_they_came() {
        let series = recorded(|stream| {
            stream.at(59.0).arrives(interaction(0, 0));
            stream.decides(decision(interaction(0, 0), GATEWAY, ON));
            stream.at(61.0).decides(decision(interaction(0, 0), BILLING, OFF));
            stream.ends(interaction(0, 0), Outcome::Failed(Failure::Timeout));
            stream.closes(interaction(0, 0), None);
            stream.arrives(interaction(1, 0));
            stream.decides(decision(interaction(1, 0), GATEWAY, ON));
            stream.decides(decision(interaction(1, 0), BILLING, ON));
        });
        assert_eq!((&series.judged[..2], &series.mixed[..2]), (&[1, 1][..], &[1, 0][..]));
        assert_eq!((&series.finished[..2], &series.failed[..2]), (&[0, 1][..], &[0, 1][..]));
    }

    #[test]
    fn lag_is_summed_over_partitions() {
        let series = recorded(|stream| {
            for (at, partition, committed) in [(10.0, 0, 3), (20.0, 1, 5), (70.0, 0, 10)] {
                let (group, end) = (Id::from_u32(0), 10);
                stream.at(at).push(Observation::Lag { group, partition, end, committed });
            }
        });
        assert_eq!(series.lag[0].0, "mailer");
        assert_eq!(series.lag[0].1[..3], [12, 5, 5]);
    }

    #[test]
    fn faults_kills_and_deploys_are_bands_and_steps_kills_and_lifts_are_lines() {
        let series = recorded(|stream| {
            stream.at(10.0).steps(0, 2);
            stream.at(20.0).push(Observation::FaultStarted { entry: OUTAGE });
            stream.at(30.0).kills(3, Scope::default());
            stream.at(40.0).push(Observation::FaultEnded { entry: OUTAGE });
            for (at, replica) in [(50.0, replica(4)), (55.0, replica(5))] {
                stream.at(at).push(Observation::Deployed { replica, code: 2 });
            }
            stream.at(60.0).lifts(4);
            stream.at(70.0).push(Observation::FaultStarted { entry: OUTAGE });
        });
        let at = |secs| seconds(secs);
        let bands = [
            ("control_plane.down", 20.0, 40.0),
            ("kill new-checkout", 30.0, 60.0),
            ("deploy billing 2", 50.0, 55.0),
            ("control_plane.down", 70.0, 660.0),
        ];
        assert_eq!(series.bands, bands.map(|(label, begin, end)| (label.to_owned(), at(begin), at(end))));
        let lines = [("new-checkout: canary", 10.0), ("kill new-checkout", 30.0), ("lift new-checkout", 60.0)];
        assert_eq!(series.lines, lines.map(|(label, when)| (label.to_owned(), at(when))));
    }
}
