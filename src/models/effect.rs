//! Effects, and what keeps one from happening twice.

use super::estate::Estate;
use super::flow::Next;
use super::interaction::Ongoing;
use super::observation::{EffectMade, Observation};
use super::program::{EffectSite, OnceBy};
use super::reach::Reach;
use super::task::{Task, deed};
use super::world::World;
use crate::units::Slot;

impl World {
    pub(super) fn effect(&mut self, estate: &Estate, slot: Slot<Task>, site: &EffectSite) -> Next {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let rule = &estate.operations[task.operation].rules[usize::from(task.rule.expect("a task at work has a rule"))];
        let (under, service) = (task.under(), estate.replicas[task.replica].service);
        let (replica, acts_on, key) = (task.replica, self.acts_on(slot), task.interaction);
        let (id, repeat) = (deed(task.deed, u64::from(site.effect) | 1 << 41, site.ordinal.into()), task.repeat);
        let now = self.cx.now();
        let wrong = self.wrong_on(estate, slot, rule.path);
        if let Some(once_by) = site.once_by
            && self.known(slot, key, site.effect, once_by)
        {
            return Next::Go;
        }
        let amount = self.amount(estate, slot, site);
        let interaction = self.interactions.get_mut(key).expect("a task's interaction is open");
        self.cx.cause = interaction.cause;
        let customer = interaction.customer;
        let mut made = EffectMade {
            interaction: interaction.id,
            effect: site.effect,
            path: rule.path,
            context: estate.services[service].context,
            service,
            replica,
            under: under.map(|(feature, decision)| (feature, decision.stage)),
            decision_id: under.map_or(0, |(_, decision)| decision.decision_id),
            policy_version: under.and_then(|(_, decision)| decision.policy_version),
            irreversible: site.irreversible,
            compensated: site.compensated_by.is_some(),
            amount,
            tenant: interaction.customer.tenant,
            tenant_region: interaction.customer.tenant_region,
            occurred_at: acts_on.unwrap_or(now),
            wrong,
            id,
            repeat,
            records: site.records,
            reach: Reach::default(),
        };
        made.reach = self.reach(estate, &made, customer);
        let interaction = self.interactions.get_mut(key).expect("a task's interaction is open");
        let seen = self.cx.observe(Observation::Effect(made));
        interaction.cause = seen;
        self.note_undoable(estate, key, site, &made, seen);
        if !estate.reconciliations.is_empty() {
            self.note_for_reconciliation(estate, &made);
        }
        Next::Go
    }

    /// Whether whoever does the effect finds its key in its table; it is put there if not.
    fn known(&mut self, slot: Slot<Task>, of: Slot<Ongoing>, effect: u16, once_by: OnceBy) -> bool {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let interaction = self.interactions.get_mut(of).expect("a task's interaction is open");
        let key = match once_by {
            OnceBy::Entity => {
                if let Some(aggregate) = interaction.aggregate.and_then(|about| self.aggregates.get_mut(about)) {
                    let known = aggregate.once.contains(&effect);
                    if !known {
                        aggregate.once.push(effect);
                    }
                    return known;
                }
                0
            }
            OnceBy::Request => 0,
            OnceBy::Event => task.handling.map_or(0, |handling| 1 + u64::from(handling.event)),
            OnceBy::Attempt => deed(task.deed, task.attempt.into(), task.repeat.map_or(0, |repeat| 1 + repeat as u64)),
            OnceBy::User => {
                return self.once.insert((u32::from(effect), interaction.customer.user), ()).is_some();
            }
            OnceBy::Tenant => {
                let by_tenant = u32::from(effect) | 1 << 16;
                return self.once.insert((by_tenant, interaction.customer.tenant.into()), ()).is_some();
            }
        };
        let known = interaction.once.contains(&(effect, key));
        if !known {
            interaction.once.push((effect, key));
        }
        known
    }
}
