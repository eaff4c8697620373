//! Reconciliations: jobs that compare two effects of one entity, or what an effect came to with what its shadow did, and
//! find what the estate itself does not know.
//!
//! A job sees results, not causes: whether both effects are there and agree in their amount, and whether one is wrong.
//! What is younger than its time to settle is not looked at yet; what was looked at once is not looked at again.

use super::estate::{Estate, JourneyId};
use super::event::Event;
use super::exceptions::ExceptionQueue;
use super::observation::{EffectMade, Interaction, Observation, Shadowed};
use super::world::World;
use crate::rollout::{FeatureId, StageId};
use crate::units::{Share, SimDuration, SimTime};
use std::collections::BTreeMap;

/// A job as the file describes it.
#[derive(Clone, Debug)]
pub struct ReconciliationSpec {
    pub name: String,
    pub compares: Compares,
    pub schedule: Schedule,
    /// The feature whose results it compares.
    pub feature: Option<FeatureId>,
    /// How long a difference is in order, by the stage under which the first of the two was made.
    pub settles_after: Vec<(StageId, SimDuration)>,
    /// The variance up to which the feature may become authoritative.
    pub allows: Share,
    /// Its variance under a name of the file's own.
    pub metric: Option<String>,
    /// What becomes of what it finds to be off; `None`: it is reported, and that is all.
    pub exceptions: Option<ExceptionQueue>,
}

/// What a job compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compares {
    /// Two effects of one entity.
    Effects { left: u16, right: u16 },
    /// The results of an effect with those of the shadows that run beside it, as they were compared since the last run.
    Shadows { effect: u16 },
}

/// When a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    Every(SimDuration),
    /// At this second of the day (UTC).
    Daily(u32),
}

/// The state of a job: pairs that were not looked at yet.
#[derive(Clone, Debug, Default)]
pub struct Reconciliation {
    pairs: BTreeMap<(JourneyId, u64), Pair>,
    /// Comparisons of shadows since the last run: all, those without a result, those with another one.
    shadows: (u64, u64, u64),
    /// The share that the latest run which compared anything found to be off.
    pub(super) latest: Option<f64>,
    /// Exceptions that nobody has worked off yet.
    pub(super) backlog: u64,
}

/// Two effects that belong together, as far as they were made.
#[derive(Clone, Copy, Debug)]
struct Pair {
    settled: SimTime,
    left: Option<Side>,
    right: Option<Side>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Side {
    amount: Option<u64>,
    wrong: bool,
}

impl ReconciliationSpec {
    fn settles(&self, made: &EffectMade) -> SimDuration {
        let under = made.under.filter(|(feature, _)| Some(*feature) == self.feature);
        let time = under.and_then(|(_, stage)| self.settles_after.iter().find(|(of, _)| *of == stage));
        time.map_or(SimDuration::ZERO, |(_, time)| *time)
    }
}

/// By what the two sides are matched: the entity, whichever interaction works on it.
fn entity_of(interaction: &Interaction, estate: &Estate) -> (JourneyId, u64) {
    interaction.creator(estate).unwrap_or((interaction.journey, interaction.n))
}

impl World {
    pub(super) fn plan_reconciliations(&mut self, estate: &Estate) {
        for job in 0..estate.reconciliations.len() {
            self.plan_reconciliation(estate, job as u32);
        }
    }

    fn plan_reconciliation(&mut self, estate: &Estate, job: u32) {
        let wait = match estate.reconciliations[job as usize].schedule {
            Schedule::Every(every) => every,
            Schedule::Daily(second_of_day) => estate.until_daily(self.cx.now(), second_of_day),
        };
        self.cx.after(wait, Event::Reconcile { job });
    }

    /// Takes an effect in at the jobs that compare it. A replay repeats what was compared once.
    pub(super) fn note_for_reconciliation(&mut self, estate: &Estate, made: &EffectMade) {
        if made.interaction.replay > 0 {
            return;
        }
        let now = self.cx.now();
        for (spec, state) in estate.reconciliations.iter().zip(&mut self.reconciliations) {
            let Compares::Effects { left, right } = spec.compares else { continue };
            if made.effect != left && made.effect != right {
                continue;
            }
            let fresh = || Pair { settled: now + spec.settles(made), left: None, right: None };
            let pair = state.pairs.entry(entity_of(&made.interaction, estate)).or_insert_with(fresh);
            let side = Some(Side { amount: made.amount, wrong: made.wrong.is_some() });
            if made.effect == left { pair.left = side } else { pair.right = side }
        }
    }

    /// What was undone is not compared any more.
    pub(super) fn take_out_of_reconciliation(&mut self, estate: &Estate, of: &Interaction, effect: u16) {
        let key = entity_of(of, estate);
        for (spec, state) in estate.reconciliations.iter().zip(&mut self.reconciliations) {
            let Compares::Effects { left, right } = spec.compares else { continue };
            let Some(pair) = state.pairs.get_mut(&key) else { continue };
            if effect == left {
                pair.left = None;
            }
            if effect == right {
                pair.right = None;
            }
            if pair.left.is_none() && pair.right.is_none() {
                state.pairs.remove(&key);
            }
        }
    }

    /// A shadow was compared beside an effect that these jobs watch.
    pub(super) fn note_shadow(&mut self, jobs: &[u32], shadowed: Shadowed) {
        for job in jobs {
            let (compared, missing, differing) = &mut self.reconciliations[*job as usize].shadows;
            *compared += 1;
            match shadowed {
                Shadowed::Agreed => {}
                Shadowed::Failed => *missing += 1,
                Shadowed::Disagreed => *differing += 1,
            }
        }
    }

    /// A job runs: every pair that has settled is compared.
    pub(super) fn on_reconcile(&mut self, estate: &Estate, job: u32) {
        let now = self.cx.now();
        let state = &mut self.reconciliations[job as usize];
        let (mut compared, mut missing, mut differing) = std::mem::take(&mut state.shadows);
        state.pairs.retain(|_, pair| {
            if pair.settled > now {
                return true;
            }
            compared += 1;
            match (pair.left, pair.right) {
                (Some(left), Some(right)) => {
                    differing += u64::from(left.amount != right.amount || left.wrong || right.wrong);
                }
                _ => missing += 1,
            }
            false
        });
        if compared > 0 {
            state.latest = Some((missing + differing) as f64 / compared as f64);
        }
        self.cx.cause = self.cx.observe(Observation::Reconciled { job, compared, missing, differing });
        if estate.reconciliations[job as usize].exceptions.is_some() {
            self.park_exceptions(estate, job, missing + differing);
        }
        self.plan_reconciliation(estate, job);
    }
}
