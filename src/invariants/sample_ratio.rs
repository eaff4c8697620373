//! `sample-ratio`: who is in is the share that the policy says, beyond what chance allows.

use super::chance::is_another_share;
use super::places::Places;
use super::subjects::{MOST, Subjects};
use super::{Entry, Invariant, Ledger, Violation};
use crate::models::estate::{Estate, ServiceId};
use crate::models::observation::{Decided, Kind, Observation, ObservationId, Observed, Publication, Source};
use crate::rollout::{BucketBy, FeatureId, PolicyVersion, Reason, StageId};
use crate::units::{Id, Share, SimTime};

pub static ENTRY: Entry = Entry {
    name: "sample-ratio",
    sentence: "of the subjects that a service decided under one policy version whose first move takes in a share of \
               everybody, another share was in than chance allows (Chernoff's bound of both tails together below \
               1e-9); a subject without a policy, or with another environment's, counts as out under the newest \
               version",
    exercised_when: "a service decided at least 100 different subjects under such a version",
    exhibits: ("none shipped yet", "none shipped yet"),
    causes: &["too few in", "too many in"],
    reachable: |estate, _| active(estate),
    create: |estate, _| {
        Box::new(SampleRatio {
            active: active(estate),
            newest: vec![None; estate.features.len()],
            cells: Vec::new(),
            users: Places::default(),
        })
    },
};

/// Below this many subjects nothing is judged.
const FEWEST: u64 = 100;

fn first_share(estate: &Estate, rollout: u16, step: u16) -> Option<(Share, StageId)> {
    let line = estate.rollouts.get(usize::from(rollout))?.steps.get(usize::from(step))?.moves.first()?;
    let splits = line.of.is_none() && line.percent > Share::NONE && line.percent < Share::ALL;
    splits.then_some((line.percent, line.to))
}

/// Whether a step moves a share of everybody first, and observations tell by what subjects are bucketed.
fn active(estate: &Estate) -> bool {
    estate.rollouts.iter().enumerate().any(|(rollout, of)| {
        let told = match estate.bucket_by.get(of.feature.index()) {
            Some(BucketBy::User | BucketBy::Tenant) => true,
            Some(BucketBy::Session | BucketBy::Attribute(_)) | None => false,
        };
        told && (0..of.steps.len()).any(|step| first_share(estate, rollout as u16, step as u16).is_some())
    })
}

/// The subjects of one service under one version.
struct Cell {
    feature: FeatureId,
    version: PolicyVersion,
    service: ServiceId,
    share: Share,
    stage: StageId,
    seen: Subjects<bool>,
    subjects: u64,
    inside: u64,
    last: ObservationId,
}

struct SampleRatio {
    active: bool,
    /// Per feature: the newest version that splits everybody, how, and whether it still is the newest.
    newest: Vec<Option<(PolicyVersion, Share, StageId)>>,
    cells: Vec<Cell>,
    users: Places<Vec<u64>>,
}

impl Invariant for SampleRatio {
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
        } else if let Observation::PolicyPublished { version, feature: Some(feature), publication } = &observed.what {
            self.published(*version, *feature, *publication, estate);
        }
    }

    fn finish(&mut self, end: SimTime, estate: &Estate, ledger: &mut Ledger) {
        for cell in &self.cells {
            if cell.subjects < FEWEST {
                continue;
            }
            ledger.exercise();
            if !is_another_share(cell.inside, cell.subjects, cell.share.fraction()) {
                continue;
            }
            let realised = cell.inside as f64 / cell.subjects as f64;
            let cause = if realised < cell.share.fraction() { "too few in" } else { "too many in" };
            let subject = u64::from(cell.version.0) << 32 | u64::from(cell.service.as_u32());
            ledger.violate("share", cause, None, subject, || Violation {
                at: end,
                interaction: None,
                clause: "share",
                cause,
                about: estate.features[cell.feature].name.clone(),
                text: format!(
                    "of {} subjects that {} decided under policy {}, {} were in {}, where the policy says {}",
                    cell.subjects,
                    estate.services[cell.service].name,
                    cell.version,
                    cell.inside,
                    estate.features[cell.feature].stage_name(cell.stage),
                    cell.share,
                ),
                witnesses: vec![cell.last],
            });
        }
    }
}

impl SampleRatio {
    fn published(&mut self, version: PolicyVersion, feature: FeatureId, why: Publication, estate: &Estate) {
        let newest = &mut self.newest[feature.index()];
        *newest = match why {
            Publication::Step { rollout, step } => {
                first_share(estate, rollout, step).map(|(share, stage)| (version, share, stage))
            }
            // The share holds on beneath it, for a sample of its own.
            Publication::Override { .. } => newest.map(|(_, share, stage)| (version, share, stage)),
            // A kill takes some out, and nobody says how many; what is back is not a sample.
            Publication::Initial
            | Publication::Kill { .. }
            | Publication::Lift { .. }
            | Publication::RolledBack { .. }
            | Publication::Capped { .. } => None,
        };
    }

    fn decided(&mut self, observed: &Observed, decided: &Decided, estate: &Estate, ledger: &mut Ledger) {
        let Some((version, share, stage)) = self.newest[decided.feature.index()] else { return };
        let founded = decided.environment == 0 && decided.reason != Reason::Error;
        // An old policy is another sample, and no wrong one; carried decisions are the edge's.
        let counts = match decided.source {
            Source::Sdk => !founded || decided.policy_version == Some(version),
            Source::Fallback => true,
            Source::Context | Source::Event | Source::Entity | Source::Kill | Source::Local => false,
        };
        let overridden = founded && decided.rule.is_none() && decided.reason == Reason::TargetingMatch;
        if !counts || overridden {
            return;
        }
        let unit = match estate.bucket_by.get(decided.feature.index()) {
            Some(BucketBy::Tenant) => Some(u64::from(decided.tenant)),
            Some(BucketBy::User) => self.users.known(&decided.interaction).and_then(|users| users.first()).copied(),
            Some(BucketBy::Session | BucketBy::Attribute(_)) | None => None,
        };
        let Some(unit) = unit else { return };
        ledger.check();
        let key = (decided.feature, version, decided.service);
        let found = self.cells.iter().position(|cell| (cell.feature, cell.version, cell.service) == key);
        let at = found.unwrap_or_else(|| {
            let (feature, version, service) = key;
            let seen = Subjects::new(MOST);
            self.cells.push(Cell { feature, version, service, share, stage, seen, subjects: 0, inside: 0, last: 0 });
            self.cells.len() - 1
        });
        let cell = &mut self.cells[at];
        let Some(known) = cell.seen.of(Id::from_u32(0), unit) else {
            ledger.untracked += 1;
            return;
        };
        if !std::mem::replace(known, true) {
            cell.subjects += 1;
            let inside = founded && decided.source == Source::Sdk && decided.rule == Some(0);
            cell.inside += u64::from(inside);
            cell.last = observed.id;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Settings, Verdict, verdict};

    /// 400 orders of as many users at billing under the half; of each hundred so many are in.
    fn half(of_hundred: u64, side: impl Fn(Decided) -> Decided) -> Ledger {
        let estate = estate();
        let mut stream = Stream::new(&estate);
        stream.at(10.0).steps(1, 2);
        for n in 0..400 {
            let order = interaction(n, 0);
            stream.arrives(order);
            let inside = n % 100 < of_hundred;
            let decided = under(2, decision(order, BILLING, if inside { ON } else { OFF }));
            let (rule, reason) = if inside { (Some(0), Reason::Split) } else { (None, Reason::Default) };
            stream.decides(side(Decided { rule, reason, ..decided }));
            stream.closes(order, None);
        }
        judge(&ENTRY, &estate, Settings::default(), &stream, 600.0)
    }

    #[test]
    fn a_share_within_chance_holds_and_one_beyond_it_is_red() {
        for within in [45, 50, 58] {
            assert_eq!(verdict(&half(within, |d| d), false), Verdict::Holds, "{within}");
        }
        assert_eq!(half(30, |d| d).causes, [("too few in", 1)]);
        assert_eq!(half(70, |d| d).causes, [("too many in", 1)]);
    }

    #[test]
    fn subjects_without_policy_or_with_another_environments_count_as_out() {
        let fallback = |d: Decided| Decided { source: Source::Fallback, reason: Reason::Error, ..d };
        assert_eq!(half(50, fallback).causes, [("too few in", 1)]);
        assert_eq!(half(50, |d| Decided { environment: 4, ..under(1, d) }).causes, [("too few in", 1)]);
    }

    #[test]
    fn an_old_policy_is_another_sample() {
        let ledger = half(10, |d| under(1, d));
        assert_eq!((ledger.checked, ledger.violations), (0, 0));
    }
}
