//! Policy that reaches replicas over a compacted topic: the control plane writes, each replica reads at its own pace, and
//! what lies between is the lag.
//!
//! The topic outlives an outage of the control plane: who starts inside one reads what was written before it.

use super::sdk_of;
use crate::models::estate::{Delivery, Estate, RegionId, ReplicaId};
use crate::models::event::Event;
use crate::models::planted::ordered;
use crate::models::world::World;
use crate::units::SimDuration;

/// What the draws about a record are counted by; other numbers of the stream are other messages.
const READ: u64 = 5;
const READ_AT_START: u64 = 6;

impl World {
    /// The control plane of a region writes what it serves, unless it is down.
    pub(in crate::models) fn write_policy(&mut self, estate: &Estate, region: RegionId) {
        let Some(version) = self.control_plane.to_write(region) else { return };
        for replica in ordered(estate.replicas.ids()) {
            let here = estate.replicas[replica].region == region && self.replicas[replica.index()].up;
            if here && self.served(estate, replica) > 1 {
                self.read_policy(estate, replica, version, 1);
            }
        }
    }

    /// A replica that starts reads the last record of each feature, and after that what is written meanwhile.
    pub(super) fn read_topic(&mut self, estate: &Estate, replica: ReplicaId) {
        let cache = &mut self.caches[replica.index()];
        (cache.connected, cache.next_poll) = (true, self.cx.now());
        let written = self.control_plane.written(estate.replicas[replica].region);
        let version = if self.served(estate, replica) > 1 { written } else { 1 };
        self.read_policy(estate, replica, version, estate.features.len() as u64);
    }

    /// So many records are read after those before them; the last one brings the version.
    fn read_policy(&mut self, estate: &Estate, replica: ReplicaId, version: u32, records: u64) {
        let Some(Delivery::Topic { takes }) = sdk_of(estate, replica).map(|sdk| &sdk.delivery) else { return };
        let key = self.keys.replicas[replica.index()].policy_latency;
        let life = self.caches[replica.index()].life;
        let mut time = SimDuration::ZERO;
        for record in 0..records {
            time = time
                + match records {
                    1 => self.cx.sample(takes, key, version.into(), READ),
                    _ => self.cx.sample(takes, key, u64::from(life) << 32 | record, READ_AT_START),
                };
        }
        let cache = &mut self.caches[replica.index()];
        cache.next_poll = cache.next_poll.max(self.cx.now()) + time;
        self.cx.at(cache.next_poll, Event::PolicyPush { replica, life, version });
    }
}
