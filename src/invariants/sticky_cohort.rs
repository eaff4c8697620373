//! `sticky-cohort`: whoever is in stays in while the percentage grows.

mod ramp;

use super::account::occurrence;
use super::places::Places;
use super::subjects::{MOST, Subjects};
use super::{Entry, Invariant, Ledger, Violation};
use crate::models::estate::Estate;
use crate::models::observation::{Decided, Kind, Observation, ObservationId, Observed, Publication, Source};
use crate::rollout::{BucketBy, PolicyVersion, Reason, StageId};
use crate::units::SimTime;
pub(super) use ramp::asks_only_subjects;
use ramp::{Ramps, is_growing};

pub static ENTRY: Entry = Entry {
    name: "sticky-cohort",
    sentence: "under a growing percentage a subject was in under one policy version and out under a later one, judged \
               along versions, not time, and between kills and steps that lower a stage; a subject seen with other \
               attributes is counted apart (`other attributes`)",
    exercised_when: "a subject was decided under two versions of a growing percentage",
    exhibits: ("none shipped yet", "none shipped yet"),
    causes: &["re-salted", "re-bucketed"],
    reachable: |estate, _| estate.features.ids().any(|feature| is_growing(estate, feature)),
    create: |estate, _| {
        Box::new(StickyCohort {
            active: estate.features.ids().any(|feature| is_growing(estate, feature)),
            ramps: Ramps::new(estate),
            users: Places::default(),
            subjects: Subjects::new(MOST),
        })
    },
};

struct StickyCohort {
    active: bool,
    ramps: Ramps,
    /// The user of each interaction in flight.
    users: Places<Vec<u64>>,
    subjects: Subjects<Cohort>,
}

/// What is known of a subject within one growing percentage.
#[derive(Clone, Copy, Debug, Default)]
struct Cohort {
    ramp: u32,
    seen: u32,
    exercised: bool,
    broken: bool,
    /// The lowest version under which it was in, and the highest under which it was out; zero: none.
    inside: Sighting,
    outside: Sighting,
}

/// A decision, as far as it must be remembered.
#[derive(Clone, Copy, Debug, Default)]
struct Sighting {
    version: u32,
    /// Of 64 bits each, the lower half.
    salt: u32,
    attributes: u32,
    observation: ObservationId,
}

impl Invariant for StickyCohort {
    fn interests(&self) -> &'static [Kind] {
        match self.active {
            true => &[Kind::Arrived, Kind::Decided, Kind::Closed, Kind::PolicyPublished],
            false => &[],
        }
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Decided(decided) = &observed.what {
            self.decided(observed, decided, estate, ledger);
        } else if let Observation::Arrived { interaction, user, .. } = &observed.what {
            let users = self.users.of(interaction);
            users.clear();
            users.push(*user);
        } else if let Observation::Closed { interaction, .. } = &observed.what {
            self.users.close(interaction);
        } else if let Observation::PolicyPublished { version, feature, publication } = observed.what {
            match (publication, feature) {
                (Publication::Initial, _) | (_, None) => {}
                (Publication::Step { rollout, step }, Some(feature)) => {
                    self.ramps.stepped(feature, version, rollout, step)
                }
                (Publication::Kill { .. }, Some(feature)) => self.ramps.killed(feature, version),
                (Publication::Lift { .. }, Some(feature)) => self.ramps.lifted(feature, version),
                (Publication::Override { .. }, Some(feature)) => self.ramps.overridden(feature, version),
                (Publication::RolledBack { .. } | Publication::Capped { .. }, Some(feature)) => {
                    self.ramps.went_back(feature, version);
                }
            }
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, _: &mut Ledger) {
        // Every decision was judged when it was made.
    }
}

impl StickyCohort {
    fn decided(&mut self, observed: &Observed, decided: &Decided, estate: &Estate, ledger: &mut Ledger) {
        let Some((version, ramp, target)) = self.on_ramp(decided) else { return };
        let unit = match estate.bucket_by.get(decided.feature.index()) {
            Some(BucketBy::Tenant) => u64::from(decided.tenant),
            // Who is bucketed by what changes is still the same user, and goes in and out.
            Some(BucketBy::User | BucketBy::Session | BucketBy::Attribute(_)) | None => {
                let user = self.users.known(&decided.interaction).and_then(|users| users.first());
                let Some(user) = user else { return };
                *user
            }
        };
        ledger.check();
        let Some(cohort) = self.subjects.of(decided.feature, unit) else {
            ledger.untracked += 1;
            return;
        };
        if cohort.ramp > ramp {
            return;
        }
        if cohort.ramp < ramp || cohort.seen == 0 {
            *cohort = Cohort { ramp, seen: version.0, ..Cohort::default() };
        }
        if cohort.seen != version.0 && !std::mem::replace(&mut cohort.exercised, true) {
            ledger.exercise();
        }
        let (salt, attributes) = (decided.salt as u32, decided.attributes as u32);
        let sighting = Sighting { version: version.0, salt, attributes, observation: observed.id };
        if estate.features[decided.feature].at_or_after(decided.stage, target) {
            if cohort.inside.version == 0 || version.0 < cohort.inside.version {
                cohort.inside = sighting;
            }
        } else if version.0 > cohort.outside.version {
            cohort.outside = sighting;
        }
        let (inside, outside) = (cohort.inside, cohort.outside);
        if inside.version > 0 && inside.version < outside.version && !std::mem::replace(&mut cohort.broken, true) {
            fell_out((inside, outside), unit, observed, decided, estate, ledger);
        }
    }

    /// The version, ramp and target of a decision that a growing percentage made.
    fn on_ramp(&self, decided: &Decided) -> Option<(PolicyVersion, u32, StageId)> {
        let rests_on_policy = match decided.reason {
            Reason::TargetingMatch | Reason::Split | Reason::Default | Reason::Stale => true,
            Reason::Killed | Reason::Error => false,
        };
        let version = decided.policy_version.filter(|_| decided.source == Source::Sdk && rests_on_policy)?;
        let (ramp, target) = self.ramps.at(decided.feature, version)?;
        Some((version, ramp, target))
    }
}

fn fell_out(
    (inside, outside): (Sighting, Sighting),
    unit: u64,
    observed: &Observed,
    decided: &Decided,
    estate: &Estate,
    ledger: &mut Ledger,
) {
    if inside.attributes != outside.attributes {
        ledger.set_apart("other attributes");
        return;
    }
    let cause = if inside.salt != outside.salt { "re-salted" } else { "re-bucketed" };
    let feature = &estate.features[decided.feature];
    let unit_name = match estate.bucket_by.get(decided.feature.index()) {
        Some(BucketBy::Tenant) => "tenant",
        Some(BucketBy::User | BucketBy::Session | BucketBy::Attribute(_)) | None => "user",
    };
    let subject = (decided.feature.index() as u64) << 48 ^ unit;
    ledger.violate("cohort", cause, Some(decided.interaction), subject, || {
        let mut witnesses = vec![inside.observation, outside.observation];
        witnesses.sort_unstable();
        Violation {
            at: observed.at,
            interaction: Some(decided.interaction),
            clause: "cohort",
            cause,
            about: feature.name.clone(),
            text: format!(
                "in {}, {unit_name} {unit} is out of {} under policy {}, though it was in under policy {}",
                occurrence(&decided.interaction, estate),
                feature.name,
                outside.version,
                inside.version
            ),
            witnesses,
        }
    });
}

#[cfg(test)]
mod tests;
