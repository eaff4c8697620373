//! `kill-precedence`: no decision contradicts the table of precedence under the policy it claims.
//!
//! The policy is put together here from what was published, and what may come out of it is derived from the table
//! without the function that decides. An audience cannot be asked again from observations: a rule with one may or may
//! not have taken in the subject.

mod view;

use super::account::{grounds, occurrence};
use super::places::Places;
use super::{Entry, Invariant, Ledger, Violation};
use crate::models::estate::{Estate, Happening};
use crate::models::observation::{Decided, Kind, Observation, Observed, Source};
use crate::rollout::{BucketBy, FeatureId, Reason};
use crate::units::SimTime;
use view::{Asks, Views};

pub static ENTRY: Entry = Entry {
    name: "kill-precedence",
    sentence: "a decision contradicts the table of `explain precedence` under the policy it claims: more than a kill or \
               a local switch leaves, another stage than an override gives, or one that no rule of that policy gives",
    exercised_when: "a decision was made from a policy with a kill or an override that reaches its subject, or behind a \
                     local switch of the feature",
    exhibits: ("none shipped yet", "none shipped yet"),
    causes: &["beyond a kill", "beyond a local switch", "override ignored", "no rule gives it"],
    reachable: |estate, _| active(estate),
    create: |estate, _| {
        Box::new(KillPrecedence { active: active(estate), views: Views::new(estate), users: Places::default() })
    },
};

fn active(estate: &Estate) -> bool {
    let told = |what: &Happening| matches!(what, Happening::Kill { .. } | Happening::Override { .. });
    let told = estate.timeline.iter().any(|entry| told(&entry.what));
    let mut steps = estate.rollouts.iter().flat_map(|rollout| &rollout.steps);
    told || steps.any(|step| !step.overrides.is_empty())
        || estate.services.iter().any(|service| !service.local.is_empty())
}

struct KillPrecedence {
    active: bool,
    views: Views,
    /// The user of each interaction in flight.
    users: Places<Vec<u64>>,
}

impl Invariant for KillPrecedence {
    fn interests(&self) -> &'static [Kind] {
        match self.active {
            true => &[Kind::Arrived, Kind::Decided, Kind::Closed, Kind::PolicyPublished, Kind::Killed, Kind::Lifted],
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
        } else {
            self.views.observe(&observed.what, estate);
        }
    }

    fn finish(&mut self, _: SimTime, _: &Estate, _: &mut Ledger) {
        // Every decision was judged when it was made.
    }
}

impl KillPrecedence {
    fn decided(&mut self, observed: &Observed, decided: &Decided, estate: &Estate, ledger: &mut Ledger) {
        let feature = &estate.features[decided.feature];
        let local = estate.services[decided.service].local.iter().find(|(named, _)| *named == decided.feature);
        if let Some((_, most)) = local {
            ledger.check();
            ledger.exercise();
            if !feature.at_most_as_permissive(decided.stage, *most) {
                contradicts("beyond a local switch", observed, decided, estate, ledger);
                return;
            }
        }
        let made_from_policy = decided.source == Source::Sdk && decided.reason != Reason::Error;
        let Some(version) = decided.policy_version.filter(|_| made_from_policy) else { return };
        let Some(view) = self.views.at(decided.feature, version) else { return };
        let user = self.users.known(&decided.interaction).and_then(|users| users.first()).copied();
        let unit = unit(estate, decided.feature, user, decided.tenant);
        let asks = Asks {
            user,
            tenant: decided.tenant,
            region: decided.tenant_region.index() as u16,
            journey: decided.interaction.journey.index() as u16,
            bucket: unit.map(|unit| crate::rollout::decide::bucket_word(decided.salt, unit)),
        };
        ledger.check();
        if view.speaks_of(&asks) {
            ledger.exercise();
        }
        if let Some(cause) = view.contradiction(feature, &asks, decided.stage) {
            contradicts(cause, observed, decided, estate, ledger);
        }
    }
}

/// What the subject is bucketed by, where observations tell it.
fn unit(estate: &Estate, feature: FeatureId, user: Option<u64>, tenant: u32) -> Option<u64> {
    match estate.bucket_by.get(feature.index()) {
        Some(BucketBy::User) => user,
        Some(BucketBy::Tenant) => Some(tenant.into()),
        Some(BucketBy::Session | BucketBy::Attribute(_)) | None => None,
    }
}

fn contradicts(cause: &'static str, observed: &Observed, decided: &Decided, estate: &Estate, ledger: &mut Ledger) {
    let subject = u64::from(decided.feature.as_u32()) << 16 | u64::from(decided.context);
    ledger.violate("precedence", cause, Some(decided.interaction), subject, || Violation {
        at: observed.at,
        interaction: Some(decided.interaction),
        clause: "precedence",
        cause,
        about: estate.features[decided.feature].name.clone(),
        text: format!(
            "in {}, {} used {} ({}), which the table of precedence does not allow: {cause}",
            occurrence(&decided.interaction, estate),
            estate.replicas[decided.replica].name,
            estate.features[decided.feature].stage_name(decided.stage),
            grounds(decided, observed.at),
        ),
        witnesses: vec![observed.id],
    });
}

#[cfg(test)]
mod tests;
