//! How customers fare after a retreat: whoever came in its scope once its bound was over, and how many of them failed.
//!
//! A checker counts them in the run; the run without the rollout counts those of the same windows.

use super::places::{Places, Reset};
use super::retreats::{Retreat, Retreats};
use crate::models::observation::{Kind, Observation, ObservationId, Observed, Outcome};
use crate::rollout::{FeatureId, Scope};
use crate::units::{SimDuration, SimTime};

/// The customers who came after a retreat and its bound, until it was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub feature: FeatureId,
    pub scope: Scope,
    pub from: SimTime,
    /// `None`: to the end of the run.
    pub until: Option<SimTime>,
    /// The observation with which the retreat began.
    pub ground: ObservationId,
    pub finished: u64,
    pub failed: u64,
}

impl Window {
    /// The same window, with nothing counted yet.
    pub fn emptied(&self) -> Window {
        Window { finished: 0, failed: 0, ..*self }
    }
}

#[derive(Default, Debug)]
struct Who {
    tenant: u32,
    region: u16,
    arrived: SimTime,
}

impl Reset for Who {
    fn reset(&mut self) {
        *self = Who::default();
    }
}

/// The windows of a run, and who is in flight.
#[derive(Default, Debug)]
pub struct Aftermath {
    pub windows: Vec<Window>,
    places: Places<Who>,
}

impl Aftermath {
    /// What it has to see.
    pub const INTERESTS: [Kind; 3] = [Kind::Arrived, Kind::Finished, Kind::Closed];

    /// Counts the customers of these windows.
    pub fn of(windows: Vec<Window>) -> Aftermath {
        Aftermath { windows, ..Aftermath::default() }
    }

    /// A retreat has begun. Whom a partial one reaches is a matter of each subject, and it has no window.
    pub fn begins(&mut self, retreat: &Retreat, bound: SimDuration) {
        let (feature, scope, ground) = (retreat.feature, retreat.scope, retreat.observation);
        let from = retreat.at + bound;
        if retreat.to.is_some() {
            self.windows.push(Window { feature, scope, from, until: None, ground, finished: 0, failed: 0 });
        }
    }

    /// The windows of retreats that are over end.
    pub fn ends(&mut self, at: SimTime, under_way: &Retreats) {
        for window in self.windows.iter_mut().filter(|window| window.until.is_none()) {
            if under_way.iter().all(|retreat| retreat.observation != window.ground) {
                window.until = Some(at);
            }
        }
    }

    pub fn observe(&mut self, observed: &Observed) {
        if let Observation::Arrived { interaction, tenant, tenant_region, .. } = &observed.what {
            let who = self.places.of(interaction);
            *who = Who { tenant: *tenant, region: tenant_region.index() as u16, arrived: observed.at };
        } else if let Observation::Finished { interaction, outcome, .. } = &observed.what {
            let Some(who) = self.places.known(interaction) else { return };
            let journey = interaction.journey.index() as u16;
            for window in &mut self.windows {
                let within = who.arrived > window.from && window.until.is_none_or(|until| who.arrived < until);
                if within && window.scope.contains(who.region, who.tenant, journey) {
                    window.finished += 1;
                    window.failed += u64::from(matches!(outcome, Outcome::Failed(_)));
                }
            }
        } else if let Observation::Closed { interaction, .. } = &observed.what {
            self.places.close(interaction);
        }
    }
}
