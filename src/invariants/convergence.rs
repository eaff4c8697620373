//! `convergence`: a published policy is everywhere within its bound.

use super::fleet::Fleet;
use super::{Entry, Invariant, Ledger, Violation};
use crate::models::estate::{Delivery, Estate, Happening, Part, ReplicaId};
use crate::models::observation::{Kind, Observation, ObservationId, Observed, Publication};
use crate::rollout::PolicyVersion;
use crate::units::{Id, SimDuration, SimTime};

/// The bound where the file sets none: two rounds of a 30 s poll.
const BOUND: SimDuration = SimDuration::from_secs(60);
/// How many observations of stragglers a violation names.
const NAMED: usize = 8;

pub static ENTRY: Entry = Entry {
    name: "convergence",
    sentence: "the bound (60s) after the last publication, some live replica whose SDK follows the control plane (not \
               `file`, and not `remote`, which keeps nothing) does not hold the newest policy",
    exercised_when: "a version was published and not replaced by a newer one before every replica held it or its \
                     bound was over",
    exhibits: ("control-plane-outage", "split-brain"),
    causes: &["control plane", "restarted", "slow refresh"],
    reachable: |estate, _| {
        let steps = estate.rollouts.iter().any(|rollout| !rollout.steps.is_empty());
        let kills = estate.timeline.iter().any(|entry| matches!(entry.what, Happening::Kill { .. }));
        (steps || kills) && estate.replicas.ids().any(|replica| follows(estate, replica))
    },
    create: |estate, settings| {
        Box::new(Convergence {
            bound: settings.bound.unwrap_or(BOUND),
            fleet: Fleet::new(estate),
            follows: estate.replicas.ids().map(|replica| follows(estate, replica)).collect(),
            hindered: vec![None; estate.replicas.len()],
            awaited: None,
        })
    },
};

fn follows(estate: &Estate, replica: ReplicaId) -> bool {
    let service = &estate.services[estate.replicas[replica].service];
    let sdk = service.sdk.as_ref().filter(|_| service.part != Part::Switches);
    sdk.is_some_and(|sdk| match sdk.delivery {
        Delivery::Poll { .. } | Delivery::Ttl { .. } | Delivery::Stream { .. } | Delivery::Topic { .. } => true,
        Delivery::Remote | Delivery::File => false,
    })
}

struct Convergence {
    bound: SimDuration,
    fleet: Fleet,
    /// Whether a replica should come to hold what is published.
    follows: Vec<bool>,
    /// Per replica: what last kept it from the policy.
    hindered: Vec<Option<Hindrance>>,
    awaited: Option<Awaited>,
}

#[derive(Clone, Copy)]
struct Hindrance {
    at: SimTime,
    observation: ObservationId,
    restarted: bool,
}

/// The newest version, on its way.
#[derive(Clone, Copy)]
struct Awaited {
    version: PolicyVersion,
    published: SimTime,
    observation: ObservationId,
    /// Live replicas that do not hold it.
    behind: u32,
    /// Whether its bound is over and that was told.
    overdue: bool,
}

impl Invariant for Convergence {
    fn interests(&self) -> &'static [Kind] {
        &[
            Kind::PolicyPublished,
            Kind::PolicyApplied,
            Kind::PolicyLost,
            Kind::Suppressed,
            Kind::Crashed,
            Kind::Restarted,
        ]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        self.settle(observed.at, estate, ledger);
        let hinders = |replica: ReplicaId, restarted| {
            (replica, Some(Hindrance { at: observed.at, observation: observed.id, restarted }))
        };
        if let Observation::PolicyPublished { version, publication, .. } = observed.what {
            if publication != Publication::Initial {
                ledger.check();
                let awaited =
                    Awaited { version, published: observed.at, observation: observed.id, behind: 0, overdue: false };
                self.awaited = Some(Awaited { behind: self.behind(version), ..awaited });
                self.arrived(observed.at, ledger);
            }
            return;
        }
        if let Observation::Suppressed { replica, .. } = observed.what {
            let (replica, hindrance) = hinders(replica, false);
            self.hindered[replica.index()] = hindrance;
            return;
        }
        if let Observation::Restarted { replica } = observed.what {
            let (replica, hindrance) = hinders(replica, true);
            self.hindered[replica.index()] = hindrance;
        }
        let Some(concerned) = Fleet::concerned(&observed.what) else { return };
        let version = self.awaited.map(|awaited| awaited.version);
        let was_behind = version.is_some_and(|version| self.is_behind(concerned, version));
        if self.fleet.observe(&observed.what)
            && let Some(version) = version
        {
            // Only this one replica has changed: the others need not be counted again.
            let is_behind = self.is_behind(concerned, version);
            let awaited = self.awaited.as_mut().expect("a version is awaited");
            awaited.behind = awaited.behind + u32::from(is_behind) - u32::from(was_behind);
            self.arrived(observed.at, ledger);
        }
    }

    fn finish(&mut self, end: SimTime, estate: &Estate, ledger: &mut Ledger) {
        self.settle(end, estate, ledger);
        if let Some(awaited) = self.awaited {
            ledger.pending += u64::from(!awaited.overdue);
            ledger.margin(self.margin(&awaited, end));
        }
    }
}

impl Convergence {
    fn is_behind(&self, replica: ReplicaId, version: PolicyVersion) -> bool {
        self.follows[replica.index()]
            && self.fleet.is_live(replica)
            && self.fleet.held(replica).is_none_or(|held| held < version)
    }

    fn behind(&self, version: PolicyVersion) -> u32 {
        self.stragglers(version).count() as u32
    }

    /// Those that should hold the version and do not.
    fn stragglers(&self, version: PolicyVersion) -> impl Iterator<Item = ReplicaId> {
        (0..self.follows.len()).map(Id::new).filter(move |replica| self.is_behind(*replica, version))
    }

    /// Whether everybody who should holds it now.
    fn arrived(&mut self, now: SimTime, ledger: &mut Ledger) {
        if let Some(awaited) = self.awaited
            && awaited.behind == 0
        {
            if !awaited.overdue {
                ledger.exercise();
            }
            ledger.margin(self.margin(&awaited, now));
            self.awaited = None;
        }
    }

    fn margin(&self, awaited: &Awaited, now: SimTime) -> f64 {
        self.bound.as_secs_f64() - now.since(awaited.published).as_secs_f64()
    }

    /// Nothing changed between the deadline and now, so that what is held now was held at the deadline.
    fn settle(&mut self, now: SimTime, estate: &Estate, ledger: &mut Ledger) {
        let Some(awaited) = self.awaited else { return };
        let deadline = awaited.published + self.bound;
        if awaited.overdue || deadline >= now {
            return;
        }
        self.awaited = Some(Awaited { overdue: true, ..awaited });
        ledger.exercise();
        let stragglers: Vec<ReplicaId> = self.stragglers(awaited.version).collect();
        let hindrances = stragglers.iter().filter_map(|replica| self.hindered[replica.index()]);
        let hindrances: Vec<Hindrance> = hindrances.filter(|hindrance| hindrance.at >= awaited.published).collect();
        let cause = match hindrances.iter().map(|hindrance| hindrance.restarted).min() {
            Some(false) => "control plane",
            Some(true) => "restarted",
            None => "slow refresh",
        };
        let version = awaited.version;
        ledger.violate("convergence", cause, None, u64::from(version.0), || {
            let mut witnesses: Vec<ObservationId> = hindrances.iter().map(|hindrance| hindrance.observation).collect();
            witnesses.sort_unstable();
            witnesses.truncate(NAMED);
            witnesses.insert(0, awaited.observation);
            let first = &estate.replicas[stragglers[0]].name;
            let others = stragglers.len() - 1;
            let who = if others == 0 { first.clone() } else { format!("{first} and {others} other replicas") };
            let verb = if others == 0 { "does" } else { "do" };
            Violation {
                at: deadline,
                interaction: None,
                clause: "convergence",
                cause,
                about: format!("policy {version}"),
                text: format!("{who} {verb} not hold policy {version} {} after it was published", self.bound),
                witnesses,
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Settings, Verdict, verdict};

    /// Version 2 is published at 100 s and applied by all but the last `stragglers` replicas; then what `more` does.
    fn published(stragglers: u32, end: f64, more: impl FnOnce(&mut Stream)) -> Ledger {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        stream.publishes(1, Publication::Initial);
        stream.at(100.0).steps(0, 2);
        for at in 0..8 - stragglers {
            stream.at(101.0 + f64::from(at)).applies(at, 2);
        }
        more(&mut stream);
        judge(&ENTRY, &estate, Settings::default(), &stream, end)
    }

    #[test]
    fn a_version_that_is_everywhere_in_time_holds_with_its_margin() {
        let ledger = published(1, 300.0, |stream| stream.at(159.0).applies(7, 2));
        assert_eq!(verdict(&ledger, false), Verdict::Holds);
        assert_eq!((ledger.checked, ledger.exercised, ledger.min_margin), (1, 1, Some(1.0)));
    }

    #[test]
    fn without_a_publication_it_is_vacuous() {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        stream.publishes(1, Publication::Initial);
        let ledger = judge(&ENTRY, &estate, Settings::default(), &stream, 300.0);
        assert_eq!(verdict(&ledger, false), Verdict::Vacuous);
    }

    #[test]
    fn each_cause_comes_from_what_happened_to_the_stragglers_since_the_publication() {
        let ledger = published(2, 300.0, |stream| stream.at(161.0).applies(6, 2));
        assert_eq!((ledger.causes, ledger.min_margin), (vec![("slow refresh", 1)], Some(-140.0)));
        assert_eq!(
            ledger.first[0].text,
            "mailer/1 and 1 other replicas do not hold policy 2 1m after it was published"
        );
        let ledger = published(1, 300.0, |stream| stream.at(130.0).suppressed(7));
        assert_eq!(ledger.causes, [("control plane", 1)]);
        assert_eq!(ledger.first[0].text, "mailer/2 does not hold policy 2 1m after it was published");
        let ledger = published(1, 300.0, |stream| stream.at(130.0).suppressed(6));
        assert_eq!(ledger.causes, [("slow refresh", 1)]);
        let ledger = published(1, 300.0, |stream| {
            stream.at(130.0).push(Observation::Restarted { replica: replica(7) });
        });
        assert_eq!(ledger.causes, [("restarted", 1)]);
    }

    #[test]
    fn a_replica_that_is_down_need_not_hold_it_until_it_is_back() {
        let crashed = |back: Option<f64>| {
            published(1, 300.0, |stream| {
                stream.at(120.0).push(Observation::Crashed { replica: replica(7) });
                if let Some(back) = back {
                    stream.at(back).push(Observation::Restarted { replica: replica(7) });
                }
            })
        };
        assert_eq!(verdict(&crashed(None), false), Verdict::Holds);
        assert_eq!(verdict(&crashed(Some(170.0)), false), Verdict::Holds);
    }

    #[test]
    fn only_the_last_of_several_publications_is_owed() {
        let ledger = published(1, 300.0, |stream| {
            stream.at(150.0).steps(1, 3);
            for at in 0..8 {
                stream.applies(at, 3);
            }
        });
        assert_eq!((ledger.checked, ledger.exercised, ledger.violations), (2, 1, 0));
    }

    #[test]
    fn a_bound_past_the_end_is_pending() {
        assert_eq!(verdict(&published(1, 150.0, |_| {}), false), Verdict::Pending);
    }
}
