//! Who agrees before a step: everybody is asked at once, each takes their time, and says yes or no.

use super::estate::Estate;
use super::event::Event;
use super::observation::{Consent, Observation, Standstill};
use super::progress::{Hold, guard_of};
use super::world::World;

/// A question that waits for its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Position in the guard's approvals.
    pub approval: u16,
    given: u32,
    refused: u32,
}

/// In place of a person: the question lapses.
const LAPSES: u16 = u16::MAX;

impl World {
    pub(super) fn ask_approval(&mut self, estate: &Estate, rollout: u16, step: u16, approval: u16) {
        let Some(guard) = guard_of(estate, rollout) else { return };
        let described = &guard.approvals[usize::from(approval)];
        let progress = &mut self.plans[usize::from(rollout)];
        progress.asks += 1;
        progress.hold = Hold::Approval(Asked { approval, given: 0, refused: 0 });
        let ask = progress.asks;
        self.stands(rollout, step, Standstill::AwaitsApproval);
        let key = self.keys.approvals[usize::from(rollout)];
        for who in 0..described.by.len() as u16 {
            let time = self.cx.sample(&described.takes, key, address(step, ask), u64::from(who) << 1);
            self.cx.after(time, Event::ApprovalDue { rollout, ask, who });
        }
        if let Some(expires) = described.expires {
            self.cx.after(expires, Event::ApprovalDue { rollout, ask, who: LAPSES });
        }
    }

    pub(super) fn on_approval_due(&mut self, estate: &Estate, rollout: u16, ask: u32, who: u16) {
        let Some(guard) = guard_of(estate, rollout) else { return };
        let progress = &self.plans[usize::from(rollout)];
        let Hold::Approval(asked) = progress.hold else { return };
        if progress.asks != ask {
            return;
        }
        let step = progress.next;
        let described = &guard.approvals[usize::from(asked.approval)];
        let observe = |world: &mut World, consent: Consent, by: Option<u16>| {
            world.cx.observe(Observation::Approval { rollout, step, consent, by });
        };
        if who == LAPSES {
            observe(self, Consent::Lapsed, None);
            return self.stuck(rollout, step, Standstill::Lapsed);
        }
        let by = Some(described.by[usize::from(who)]);
        let key = self.keys.approvals[usize::from(rollout)];
        let word = self.cx.draws.word(key, address(step, ask), u64::from(who) << 1 | 1);
        let refuses = described.rejects.admits(word);
        observe(self, if refuses { Consent::Refused } else { Consent::Given }, by);
        let asked = match refuses {
            true => Asked { refused: asked.refused + 1, ..asked },
            false => Asked { given: asked.given + 1, ..asked },
        };
        self.plans[usize::from(rollout)].hold = Hold::Approval(asked);
        if asked.given >= described.need {
            self.agreed(estate, rollout);
        } else if (described.by.len() as u32 - asked.refused) < described.need {
            self.stuck(rollout, step, Standstill::Refused);
        }
    }

    fn agreed(&mut self, estate: &Estate, rollout: u16) {
        let progress = &mut self.plans[usize::from(rollout)];
        progress.approved += 1;
        progress.asks += 1;
        progress.hold = Hold::Ready;
        self.try_step(estate, rollout);
    }

    /// Nobody agrees any more; who resumes the plan asks again.
    fn stuck(&mut self, rollout: u16, step: u16, why: Standstill) {
        let progress = &mut self.plans[usize::from(rollout)];
        progress.asks += 1;
        progress.hold = Hold::Ready;
        progress.paused = Some(why);
        self.stands(rollout, step, why);
    }

    /// Goes on without the approval that is waited for, where somebody may; `false` where nothing is waited for.
    pub(super) fn bypass(&mut self, estate: &Estate, rollout: u16) -> bool {
        let Some(guard) = guard_of(estate, rollout) else { return false };
        let progress = &self.plans[usize::from(rollout)];
        let Hold::Approval(asked) = progress.hold else { return false };
        let Some(by) = guard.approvals[usize::from(asked.approval)].bypass else { return false };
        let step = progress.next;
        self.cx.observe(Observation::Approval { rollout, step, consent: Consent::Bypassed, by: Some(by) });
        self.agreed(estate, rollout);
        true
    }
}

/// Approvals are drawn by the step and the question.
fn address(step: u16, ask: u32) -> u64 {
    u64::from(step) << 32 | u64::from(ask)
}
