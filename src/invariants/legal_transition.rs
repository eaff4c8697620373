//! `legal-transition`: no aggregate and no subject moves along an edge that is not there.

use super::account::occurrence;
use super::places::Places;
use super::subjects::{MOST, Subjects};
use super::{Entry, Invariant, Ledger, Settings, Violation};
use crate::models::estate::{EntityId, Estate};
use crate::models::observation::{Decided, Interaction, Kind, Observation, ObservationId, Observed, Source};
use crate::rollout::{BucketBy, Feature, FeatureId, PolicyVersion, StageId};
use crate::units::SimTime;

pub static ENTRY: Entry = Entry {
    name: "legal-transition",
    sentence: "an aggregate's status moved along an edge that its entity does not declare (`status`), or a subject moved \
               from one stage to another between two policy versions and the feature's `transitions` do not lead there \
               in as many moves as there were publications (`stage`); the way to the safe stage is always open",
    exercised_when: "an aggregate with declared transitions changed its status, or a subject's stage changed under a \
                     feature that declares them",
    exhibits: ("none shipped yet", "none shipped yet"),
    causes: &["no such edge", "stage skipped"],
    reachable,
    create: |estate, _| {
        Box::new(LegalTransition {
            statuses: estate.entities.iter().any(|entity| !entity.transitions.is_empty()),
            moves: estate.features.enumerate().map(|(id, feature)| Moves::of(estate, id, feature)).collect(),
            published: Vec::new(),
            users: Places::default(),
            subjects: Subjects::new(MOST),
        })
    },
};

fn reachable(estate: &Estate, _: &Settings) -> bool {
    let statuses = estate.entities.iter().any(|entity| !entity.transitions.is_empty());
    statuses || estate.features.enumerate().any(|(id, feature)| is_judged(estate, id, feature))
}

/// Whether a feature says which moves are legal, and subjects stay who they are from one interaction to the next.
fn is_judged(estate: &Estate, id: FeatureId, feature: &Feature) -> bool {
    !feature.transitions.is_empty()
        && matches!(estate.bucket_by.get(id.index()), Some(BucketBy::User | BucketBy::Tenant))
        && super::sticky_cohort::asks_only_subjects(estate, id)
}

/// How many legal moves it takes from one stage to another.
struct Moves(Option<Vec<Vec<Option<u32>>>>);

impl Moves {
    fn of(estate: &Estate, id: FeatureId, feature: &Feature) -> Moves {
        if !is_judged(estate, id, feature) {
            return Moves(None);
        }
        let stages = feature.stages.len();
        let from = |start: usize| {
            let mut least: Vec<Option<u32>> = vec![None; stages];
            least[start] = Some(0);
            let mut open = std::collections::VecDeque::from([start]);
            while let Some(at) = open.pop_front() {
                let next = feature.transitions.iter().filter(|(edge, _)| edge.index() == at);
                for (_, to) in next.chain([&(StageId(at as u16), feature.safe_stage)]) {
                    if least[to.index()].is_none() {
                        least[to.index()] = least[at].map(|moves| moves + 1);
                        open.push_back(to.index());
                    }
                }
            }
            least
        };
        Moves(Some((0..stages).map(from).collect()))
    }

    /// `None` where the feature is not judged; else whether so many moves lead there.
    fn lead(&self, from: StageId, to: StageId, moves: usize) -> Option<bool> {
        let least = self.0.as_ref()?[from.index()][to.index()];
        Some(least.is_some_and(|least| least as usize <= moves))
    }
}

struct LegalTransition {
    statuses: bool,
    /// By feature.
    moves: Vec<Moves>,
    /// The versions that changed each feature, ascending.
    published: Vec<(FeatureId, PolicyVersion)>,
    /// The user of each interaction in flight.
    users: Places<Vec<u64>>,
    subjects: Subjects<Option<Seen>>,
}

/// Where a subject was under the newest version it was decided under.
#[derive(Clone, Copy)]
struct Seen {
    version: PolicyVersion,
    stage: StageId,
    observation: ObservationId,
}

impl Invariant for LegalTransition {
    fn interests(&self) -> &'static [Kind] {
        match (self.statuses, self.moves.iter().any(|moves| moves.0.is_some())) {
            (true, false) => &[Kind::Status],
            (_, true) => &[Kind::Status, Kind::Arrived, Kind::Decided, Kind::Closed, Kind::PolicyPublished],
            (false, false) => &[],
        }
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Decided(decided) = &observed.what {
            self.decided(observed, decided, estate, ledger);
        } else if let Observation::Status { interaction, entity, from, to, legal } = &observed.what {
            if !estate.entities[*entity].transitions.is_empty() {
                ledger.check();
                ledger.exercise();
                if !legal {
                    status(observed, interaction, *entity, (*from, *to), estate, ledger);
                }
            }
        } else if let Observation::Arrived { interaction, user, .. } = &observed.what {
            let users = self.users.of(interaction);
            users.clear();
            users.push(*user);
        } else if let Observation::Closed { interaction, .. } = &observed.what {
            self.users.close(interaction);
        } else if let Observation::PolicyPublished { version, feature: Some(feature), .. } = observed.what {
            self.published.push((feature, version));
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, _: &mut Ledger) {
        // Every move was judged when it was seen.
    }
}

impl LegalTransition {
    /// Decisions from a policy of production; what is carried or kept was judged where it was made, and a fallback is
    /// no move of the rollout.
    fn decided(&mut self, observed: &Observed, decided: &Decided, estate: &Estate, ledger: &mut Ledger) {
        let moves = &self.moves[decided.feature.index()];
        let Some(version) = decided.policy_version else { return };
        if moves.0.is_none() || decided.source != Source::Sdk || decided.environment != 0 {
            return;
        }
        let user = self.users.known(&decided.interaction).and_then(|users| users.first());
        let Some(seen) = user.and_then(|user| self.subjects.of(decided.feature, *user)) else {
            ledger.untracked += u64::from(user.is_some());
            return;
        };
        let now = Seen { version, stage: decided.stage, observation: observed.id };
        let Some(before) = seen.replace(now) else { return };
        if before.version >= version {
            // A cache that lags shows an older stage; the subject has not moved there.
            *seen = Some(before);
            return;
        }
        ledger.check();
        if before.stage == decided.stage {
            return;
        }
        ledger.exercise();
        let between = |(feature, of): &&(FeatureId, PolicyVersion)| {
            *feature == decided.feature && before.version < *of && *of <= version
        };
        let publications = self.published.iter().filter(between).count();
        if moves.lead(before.stage, decided.stage, publications) == Some(false) {
            let feature = &estate.features[decided.feature];
            let (from, to) = (feature.stage_name(before.stage), feature.stage_name(decided.stage));
            let subject = u64::from(before.stage.0) << 16 | u64::from(decided.stage.0);
            ledger.violate("stage", "stage skipped", Some(decided.interaction), subject, || Violation {
                at: observed.at,
                interaction: Some(decided.interaction),
                clause: "stage",
                cause: "stage skipped",
                about: to.to_owned(),
                text: format!(
                    "in {}, the subject was at {from} of {} under policy {} and is at {to} under policy {version}: no \
                     legal transition leads there",
                    occurrence(&decided.interaction, estate),
                    feature.name,
                    before.version,
                ),
                witnesses: vec![before.observation, observed.id],
            });
        }
    }
}

fn status(
    observed: &Observed,
    interaction: &Interaction,
    entity: EntityId,
    (from, to): (u16, u16),
    estate: &Estate,
    ledger: &mut Ledger,
) {
    let subject = u64::from(from) << 16 | u64::from(to);
    ledger.violate("status", "no such edge", Some(*interaction), subject, || {
        let (from, to) = (estate.statuses.text(from), estate.statuses.text(to));
        Violation {
            at: observed.at,
            interaction: Some(*interaction),
            clause: "status",
            cause: "no such edge",
            about: to.to_owned(),
            text: format!(
                "in {}, the {} went from {from} to {to}, which its transitions do not allow",
                occurrence(interaction, estate),
                estate.entities[entity].name,
            ),
            witnesses: vec![observed.id],
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Verdict, verdict};
    use crate::rollout::Stage;
    use crate::units::Id;

    const PILOT: StageId = StageId(2);

    /// The fixture with a third stage between the two: off to pilot, pilot to on.
    fn estate_with_ladder() -> Estate {
        let mut estate = estate();
        let feature = &mut estate.features[FEATURE];
        feature.stages.push(Stage { name: "pilot".into(), rank: None, grants: Vec::new(), value: None });
        feature.transitions = vec![(OFF, PILOT), (PILOT, ON)];
        estate
    }

    /// One customer who comes again and again, decided at each stage under each version; every version is a step.
    fn customer(estate: &Estate, moves: &[(u32, StageId)]) -> Stream {
        let mut stream = Stream::new(estate);
        let newest = moves.iter().map(|(version, _)| *version).max().unwrap_or(0);
        (1..=newest).for_each(|version| stream.steps(0, version));
        for (nth, (version, stage)) in moves.iter().enumerate() {
            let of = interaction(nth as u64, 0);
            stream.at(10.0 * (nth + 1) as f64);
            stream.push(Observation::Arrived {
                interaction: of,
                tenant: 1,
                user: 7,
                tenant_region: Id::new(0),
                means: None,
            });
            stream.decides(under(*version, decision(of, GATEWAY, *stage)));
            stream.closes(of, None);
        }
        stream
    }

    fn judged(moves: &[(u32, StageId)]) -> Ledger {
        let estate = estate_with_ladder();
        judge(&ENTRY, &estate, Settings::default(), &customer(&estate, moves), 600.0)
    }

    #[test]
    fn a_subject_that_skips_a_stage_within_one_publication_is_a_violation() {
        let ledger = judged(&[(1, OFF), (2, ON)]);
        assert_eq!(ledger.causes, [("stage skipped", 1)]);
        assert!(ledger.first[0].text.contains("was at off of new-checkout under policy 1 and is at on under policy 2"));
    }

    #[test]
    fn a_subject_that_was_away_while_both_steps_were_published_is_none() {
        let ledger = judged(&[(1, OFF), (3, ON)]);
        assert_eq!((ledger.exercised, verdict(&ledger, false)), (1, Verdict::Holds));
        assert_eq!(verdict(&judged(&[(1, OFF), (2, PILOT), (3, ON)]), false), Verdict::Holds);
    }

    #[test]
    fn the_way_to_the_safe_stage_is_open_and_the_way_back_to_a_lower_one_is_not() {
        assert_eq!(judged(&[(1, OFF), (3, ON), (4, OFF)]).violations, 0);
        assert_eq!(judged(&[(1, OFF), (3, ON), (4, PILOT)]).violations, 1);
    }

    #[test]
    fn an_older_policy_of_a_cache_that_lags_moves_nobody() {
        let ledger = judged(&[(3, ON), (2, PILOT), (3, ON)]);
        assert_eq!((ledger.exercised, ledger.violations), (0, 0));
    }

    #[test]
    fn a_status_along_an_edge_that_is_not_declared_is_a_violation() {
        let mut estate = estate();
        estate.entities[Id::new(0)].transitions = vec![(0, PLACED), (PLACED, DONE)];
        let mut stream = Stream::new(&estate);
        let (interaction, entity) = (interaction(0, 0), Id::new(0));
        stream.push(Observation::Status { interaction, entity, from: 0, to: PLACED, legal: true });
        let good = judge(&ENTRY, &estate, Settings::default(), &stream, 60.0);
        assert_eq!(verdict(&good, false), Verdict::Holds);
        stream.push(Observation::Status { interaction, entity, from: DONE, to: PLACED, legal: false });
        let bad = judge(&ENTRY, &estate, Settings::default(), &stream, 60.0);
        assert_eq!((bad.exercised, bad.causes), (2, vec![("no such edge", 1)]));
    }
}
