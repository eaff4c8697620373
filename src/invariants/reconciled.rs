//! `reconciled`: a feature becomes authoritative only where old and new were compared and agree.

use super::{Entry, Invariant, Ledger, Settings, Violation};
use crate::models::estate::Estate;
use crate::models::observation::{Kind, Observation, ObservationId, Observed};
use crate::models::reconciliation::ReconciliationSpec;
use crate::rollout::FeatureId;
use crate::units::SimTime;

pub static ENTRY: Entry = Entry {
    name: "reconciled",
    sentence: "a step moved somebody to the feature's commit_stage or beyond while the latest run of a reconciliation of \
               the feature that compared anything showed a variance above what it `allows`, or had not compared \
               anything yet",
    exercised_when: "a step moved somebody of a feature with a reconciliation to its commit stage or beyond",
    exhibits: ("unreconciled", "unreconciled:fixed-first"),
    causes: &["variance", "never compared"],
    reachable,
    create: |estate, _| Box::new(Reconciled { latest: vec![None; estate.reconciliations.len()], begun: Vec::new() }),
};

fn reachable(estate: &Estate, _: &Settings) -> bool {
    let steps =
        estate.rollouts.iter().flat_map(|rollout| rollout.steps.iter().map(move |step| (rollout.feature, step)));
    let mut commits = steps.filter(|(feature, step)| {
        estate.features[*feature]
            .commit_stage
            .is_some_and(|commit| step.moves.iter().any(|line| estate.features[*feature].at_or_after(line.to, commit)))
    });
    commits.any(|(feature, _)| of_feature(estate, feature).next().is_some())
}

/// The jobs that compare the results of a feature.
fn of_feature(estate: &Estate, feature: FeatureId) -> impl Iterator<Item = (usize, &ReconciliationSpec)> {
    estate.reconciliations.iter().enumerate().filter(move |(_, job)| job.feature == Some(feature))
}

struct Reconciled {
    /// By job: the latest run that compared anything.
    latest: Vec<Option<Compared>>,
    /// Features that are authoritative for some already.
    begun: Vec<FeatureId>,
}

#[derive(Clone, Copy)]
struct Compared {
    compared: u64,
    off: u64,
    seen: ObservationId,
}

impl Invariant for Reconciled {
    fn interests(&self) -> &'static [Kind] {
        if self.latest.is_empty() { &[] } else { &[Kind::Reconciled, Kind::Stepped] }
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate, ledger: &mut Ledger) {
        if let Observation::Reconciled { job, compared, missing, differing } = observed.what {
            if compared > 0 {
                let seen = observed.id;
                self.latest[job as usize] = Some(Compared { compared, off: missing + differing, seen });
            }
        } else if let Observation::Stepped { rollout, step, .. } = observed.what {
            let of = &estate.rollouts[usize::from(rollout)];
            let feature = &estate.features[of.feature];
            let moves = &of.steps[usize::from(step)].moves;
            let commits = |commit| moves.iter().any(|line| feature.at_or_after(line.to, commit));
            if feature.commit_stage.is_some_and(commits) {
                let for_more = self.begun.contains(&of.feature);
                self.begun.push(of.feature);
                for (job, _) in of_feature(estate, of.feature) {
                    self.judge(observed, job, for_more, estate, ledger);
                }
            }
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, _: &mut Ledger) {}
}

impl Reconciled {
    fn judge(&self, observed: &Observed, job: usize, for_more: bool, estate: &Estate, ledger: &mut Ledger) {
        let spec = &estate.reconciliations[job];
        let more = if for_more { " for more" } else { "" };
        ledger.check();
        ledger.exercise();
        let feature = spec.feature.map_or("", |feature| estate.features[feature].name.as_str());
        let (cause, told, seen) = match self.latest[job] {
            None => ("never compared", "before it had compared anything".to_owned(), None),
            Some(latest) => {
                let variance = latest.off as f64 / latest.compared as f64;
                ledger.margin(spec.allows.fraction() - variance);
                if variance <= spec.allows.fraction() {
                    return;
                }
                let told = format!("while {} of the {} it had compared last were off", latest.off, latest.compared);
                ("variance", told, Some(latest.seen))
            }
        };
        ledger.violate("reconciled", cause, None, job as u64, || Violation {
            at: observed.at,
            interaction: None,
            clause: "reconciled",
            cause,
            about: spec.name.clone(),
            text: format!("{feature} became authoritative{more} {told} ({})", spec.name),
            witnesses: seen.into_iter().chain([observed.id]).collect(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::*;
    use crate::invariants::{Verdict, verdict};
    use crate::models::reconciliation::{Compares, Schedule};
    use crate::units::{Share, SimDuration};

    /// The fixture, whose charges and shipments are compared; its commit stage is where its steps lead.
    fn compared() -> Estate {
        let mut estate = estate();
        estate.features[FEATURE].commit_stage = Some(ON);
        estate.reconciliations = vec![ReconciliationSpec {
            name: "nightly".into(),
            compares: Compares::Effects { left: SHIP, right: CHARGE },
            schedule: Schedule::Every(SimDuration::from_secs(60)),
            feature: Some(FEATURE),
            settles_after: Vec::new(),
            allows: Share::new(0.01).expect("a share"),
            metric: None,
            exceptions: None,
        }];
        estate
    }

    fn judged(fill: impl FnOnce(&mut Stream)) -> Ledger {
        let estate = compared();
        let mut stream = Stream::new(&estate);
        fill(&mut stream);
        judge(&ENTRY, &estate, Settings::default(), &stream, 300.0)
    }

    fn runs(stream: &mut Stream, compared: u64, missing: u64, differing: u64) {
        stream.push(Observation::Reconciled { job: 0, compared, missing, differing });
    }

    #[test]
    fn a_step_to_the_commit_stage_above_the_variance_allowed_is_a_violation() {
        let ledger = judged(|stream| {
            stream.at(60.0);
            runs(stream, 200, 2, 1);
            stream.at(70.0).steps(0, 2);
        });
        assert_eq!(ledger.causes, [("variance", 1)]);
        assert_eq!(
            ledger.first[0].text,
            "new-checkout became authoritative while 3 of the 200 it had compared last were off (nightly)"
        );
    }

    #[test]
    fn within_what_is_allowed_it_holds_and_each_step_for_more_is_judged_anew() {
        let ledger = judged(|stream| {
            stream.at(60.0);
            runs(stream, 200, 100, 0);
            stream.at(61.0);
            runs(stream, 200, 1, 1);
            // A run that finds nothing to compare says nothing.
            stream.at(62.0);
            runs(stream, 0, 0, 0);
            stream.at(70.0).steps(0, 2);
        });
        assert_eq!((verdict(&ledger, false), ledger.exercised, ledger.min_margin), (Verdict::Holds, 1, Some(0.0)));
        let wider = judged(|stream| {
            stream.at(61.0);
            runs(stream, 200, 1, 1);
            stream.at(70.0).steps(0, 2);
            stream.at(80.0);
            runs(stream, 200, 100, 0);
            stream.at(90.0).steps(1, 3);
        });
        assert_eq!((verdict(&wider, false), wider.exercised), (Verdict::Violated, 2));
        assert!(wider.first[0].text.contains("became authoritative for more while 100 of the 200"));
    }

    #[test]
    fn what_was_never_compared_is_not_reconciled() {
        let ledger = judged(|stream| stream.at(70.0).steps(0, 2));
        assert_eq!(ledger.causes, [("never compared", 1)]);
        assert!(ledger.first[0].text.contains("before it had compared anything"));
        assert_eq!(verdict(&judged(|_| {}), false), Verdict::Vacuous);
        assert!(reachable(&compared(), &Settings::default()) && !reachable(&estate(), &Settings::default()));
    }
}
