//! Both paths at once: a shadow that is compared and dropped, and writes to two stores. What a migration is made of.

use super::estate::Estate;
use super::flow::Next;
use super::observation::{Failure, Observation, Outcome, Shadowed, Wrote};
use super::program::{DualWriteSite, ShadowSite};
use super::task::Task;
use super::world::World;
use crate::units::{Share, Slot};

/// What the draws of an action are counted by, beside its own address.
const DISAGREES: u64 = 1 << 62;
const OTHER: u64 = 1 << 61;

impl World {
    fn happens(&mut self, slot: Slot<Task>, share: Share, purpose: u64) -> bool {
        let (identity, at) = self.chance_address(slot);
        let key = self.keys.chance[self.operation_index(slot)];
        share != Share::NONE && share.admits(self.cx.draws.word(key, identity, at ^ purpose))
    }

    /// Runs the other path beside this one and compares: what its code gets wrong shows here, and so does what this
    /// one's does.
    pub(super) fn shadow(&mut self, estate: &Estate, slot: Slot<Task>, site: &ShadowSite) -> Next {
        let path = self.path_of(estate, slot);
        let shadowed = if self.fails_on(estate, slot, Some(site.of)) {
            Shadowed::Failed
        } else {
            let differ =
                self.wrong_on(estate, slot, path).is_some() != self.wrong_on(estate, slot, Some(site.of)).is_some();
            if differ || self.happens(slot, site.disagrees, DISAGREES) { Shadowed::Disagreed } else { Shadowed::Agreed }
        };
        let context = self.context_at(estate, slot);
        let interaction = self.interaction_at(slot);
        self.cx.observe(Observation::ShadowCompared { interaction, context, of: site.of, shadowed });
        self.gauge_comparison(estate, shadowed);
        if interaction.replay == 0 {
            self.note_shadow(&site.jobs, shadowed);
        }
        let (identity, at) = self.chance_address(slot);
        let key = self.keys.chance[self.operation_index(slot)];
        let pause = self.cx.sample(&site.takes, key, identity, at);
        self.pause(slot, pause)
    }

    /// Writes to both stores, one after the other. The request fails with the write that counts; of the other one
    /// nobody is told, and the stores differ until somebody compares them.
    pub(super) fn dual_write(&mut self, estate: &Estate, slot: Slot<Task>, site: &DualWriteSite) -> Next {
        let fails = self.happens(slot, site.fails, 0);
        let other_fails = self.happens(slot, site.other_fails, OTHER);
        let wrote = match (site.other_first, fails, other_fails) {
            (_, false, false) => Wrote::Both,
            (false, true, _) | (true, true, true) => Wrote::Neither,
            (false, false, true) => Wrote::OnlyOne,
            // It is first and fails: the write that counts is skipped, and the request fails.
            (true, false, true) => Wrote::Neither,
            (true, true, false) => Wrote::OnlyOther,
        };
        let context = self.context_at(estate, slot);
        let interaction = self.interaction_at(slot);
        self.cx.observe(Observation::DualWrote {
            interaction,
            context,
            effect: site.effect.effect,
            of: site.of,
            wrote,
        });
        match wrote {
            Wrote::Both | Wrote::OnlyOne => self.effect(estate, slot, &site.effect),
            Wrote::OnlyOther | Wrote::Neither => {
                self.settle(slot, Outcome::Failed(Failure::Error));
                Next::Go
            }
        }
    }

    fn context_at(&self, estate: &Estate, slot: Slot<Task>) -> u16 {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        estate.services[estate.replicas[task.replica].service].context
    }

    fn interaction_at(&mut self, slot: Slot<Task>) -> super::observation::Interaction {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let interaction = self.interactions.get(task.interaction).expect("a task's interaction is open");
        self.cx.cause = interaction.cause;
        interaction.id
    }
}
