//! Kills that are announced: whoever is told asks at once, whatever its own schedule. A message that is lost is not
//! missed by anybody, and the schedule goes on.

use super::sdk_of;
use crate::models::estate::{Delivery, Estate, RegionId, ReplicaId};
use crate::models::event::Event;
use crate::models::observation::{Observation, Obstacle};
use crate::models::planted::ordered;
use crate::models::world::World;

/// What the draw about an announcement is counted by; other numbers of the stream are other messages.
const ANNOUNCED: u64 = 7;

impl World {
    /// Tells the replicas of a region that something urgent has been published.
    pub(in crate::models) fn announce(&mut self, estate: &Estate, region: RegionId) {
        for replica in ordered(estate.replicas.ids()) {
            let told = estate.replicas[replica].region == region && self.replicas[replica.index()].up;
            let Some(delay) = sdk_of(estate, replica).and_then(|sdk| sdk.invalidation.as_ref()).filter(|_| told) else {
                continue;
            };
            if self.control_plane.is_mute(region) || self.control_plane.obstacle(region).is_some() {
                self.cx.observe(Observation::Suppressed { replica, by: Obstacle::AnnouncementLost });
                continue;
            }
            let key = self.keys.replicas[replica.index()].policy_latency;
            let version = self.control_plane.visible(region);
            let delay = self.cx.sample(delay, key, version.into(), ANNOUNCED);
            let life = self.caches[replica.index()].life;
            self.cx.after(delay, Event::Announced { replica, life });
        }
    }

    /// What is held is void: it asks now, or when a decision needs it.
    pub(in crate::models) fn on_announced(&mut self, estate: &Estate, replica: ReplicaId, life: u32) {
        let cache = &self.caches[replica.index()];
        if cache.life != life || !self.replicas[replica.index()].up || self.hangs(replica) {
            return;
        }
        if matches!(sdk_of(estate, replica).map(|sdk| &sdk.delivery), Some(Delivery::Ttl { .. })) {
            self.caches[replica.index()].expires = self.cx.now();
        } else {
            self.wake(estate, replica, self.cx.now());
            self.ask(estate, replica);
        }
    }
}
