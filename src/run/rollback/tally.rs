//! What was done beyond the policy that a way back leads to, counted while it happens.

use super::{Future, Way, beyond};
use crate::invariants::is_new;
use crate::models::estate::{Estate, JourneyId};
use crate::models::interaction::Customer;
use crate::models::observation::{Decided, EffectMade, Interaction, Observation, Source};
use crate::models::way_back::waits_to_hear;
use crate::models::world::World;
use crate::rollout::policy::PolicyVersion;
use crate::rollout::{FeatureId, Policy, StageId};
use crate::units::SimTime;
use std::collections::{BTreeMap, BTreeSet};

/// The customer of each interaction in flight.
#[derive(Clone, Default)]
pub struct Users(BTreeMap<u32, Customer>);

impl Users {
    pub fn observe(&mut self, world: &World) {
        for observed in world.cx().observations() {
            if let Observation::Arrived { interaction, tenant, user, tenant_region, means } = observed.what {
                self.0.insert(interaction.place, Customer { tenant, user, tenant_region, means });
            }
        }
    }

    /// Lets go of those whose interaction is closed, after everybody has seen it.
    pub fn forget(&mut self, world: &World) {
        for observed in world.cx().observations() {
            if let Observation::Closed { interaction, .. } = observed.what {
                self.0.remove(&interaction.place);
            }
        }
    }
}

/// Effects in number and in money.
#[derive(Clone, Copy, Default)]
struct Sum {
    count: u64,
    /// In minor units.
    amount: u64,
}

impl Sum {
    fn add(&mut self, made: &EffectMade) {
        self.count += 1;
        self.amount = self.amount.saturating_add(made.amount.unwrap_or(0));
    }
}

/// Counts for one policy that could be put back.
#[derive(Clone)]
pub struct Tally {
    feature: FeatureId,
    /// What is put back; `None`: the feature is killed to its safe stage.
    to: Option<Policy>,
    irreversible: Sum,
    debt: Sum,
    /// Contexts that made effects that somebody has to undo.
    debtors: BTreeSet<u16>,
    /// Contexts that decided beyond the policy after it was put back because of what was under way.
    carriers: BTreeSet<u16>,
    /// Interactions in flight that went beyond the policy.
    open: BTreeSet<(JourneyId, u64, u32)>,
    /// When the way back begins, and with which version.
    back: Option<(SimTime, PolicyVersion)>,
    /// The last thing after that which was not clean.
    last: SimTime,
}

impl Tally {
    pub fn new(feature: FeatureId, to: Option<Policy>) -> Tally {
        Tally {
            feature,
            to,
            irreversible: Sum::default(),
            debt: Sum::default(),
            debtors: BTreeSet::new(),
            carriers: BTreeSet::new(),
            open: BTreeSet::new(),
            back: None,
            last: SimTime::ZERO,
        }
    }

    pub fn feature(&self) -> FeatureId {
        self.feature
    }

    /// From now on the policy is put back.
    pub fn goes_back(&mut self, at: SimTime, version: PolicyVersion) {
        self.back = Some((at, version));
        self.last = at;
    }

    /// Takes in what has just been observed.
    pub fn observe(&mut self, estate: &Estate, world: &World, users: &Users) {
        for observed in world.cx().observations() {
            if let Observation::Decided(decided) = &observed.what {
                self.decided(estate, world, users, decided, observed.at);
            } else if let Observation::Effect(made) = &observed.what {
                self.effect(estate, world, users, made, observed.at);
            } else if let Observation::Closed { interaction, .. } = &observed.what {
                if self.open.remove(&interaction.key()) {
                    self.last = self.last.max(observed.at);
                }
            } else if let Observation::PolicyApplied { replica, version, previous } = observed.what
                && let Some((_, back)) = self.back
                && version >= back
                && waits_to_hear(estate, replica)
                && previous.is_some_and(|held| held < back)
            {
                self.last = self.last.max(observed.at);
            }
        }
    }

    fn decided(&mut self, estate: &Estate, world: &World, users: &Users, decided: &Decided, at: SimTime) {
        if decided.feature != self.feature || !self.is_beyond(estate, world, users, &decided.interaction, decided.stage)
        {
            return;
        }
        self.open.insert(decided.interaction.key());
        self.last = self.last.max(at);
        if self.back.is_some() && matches!(decided.source, Source::Context | Source::Event | Source::Entity) {
            self.carriers.insert(decided.context);
        }
    }

    fn effect(&mut self, estate: &Estate, world: &World, users: &Users, made: &EffectMade, at: SimTime) {
        let Some((_, stage)) = made.under.filter(|(feature, _)| *feature == self.feature && is_new(made)) else {
            return;
        };
        if !self.is_beyond(estate, world, users, &made.interaction, stage) {
            return;
        }
        self.last = self.last.max(at);
        if made.irreversible && !made.compensated {
            self.irreversible.add(made);
        } else {
            self.debt.add(made);
            self.debtors.insert(made.context);
        }
    }

    /// Whether a stage used in an interaction allows more than its subject would have.
    fn is_beyond(&self, estate: &Estate, world: &World, users: &Users, of: &Interaction, stage: StageId) -> bool {
        let left = match (&self.to, users.0.get(&of.place)) {
            (Some(policy), Some(customer)) => world.stage_under(estate, of, *customer, self.feature, policy),
            (Some(policy), None) => policy.feature(self.feature).default_stage,
            (None, _) => estate.features[self.feature].safe_stage,
        };
        beyond(estate, self.feature, stage, left)
    }

    /// What it came to at the end of the run.
    pub fn future(self, way: Way, still_behind: u64) -> Future {
        let (at, _) = self.back.expect("a future begins with a way back");
        let still_open = self.open.len() as u64;
        let mut contexts = self.debtors;
        contexts.extend(self.carriers);
        Future {
            way,
            irreversible_left: self.irreversible.count,
            irreversible_left_amount: self.irreversible.amount,
            compensation_debt: self.debt.count,
            compensation_debt_amount: self.debt.amount,
            clean_after: (still_open == 0 && still_behind == 0).then(|| self.last.since(at)),
            still_open,
            still_behind,
            contexts: contexts.into_iter().collect(),
        }
    }
}
