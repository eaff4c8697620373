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
const READ_LATE: u64 = 8;

impl World {
    /// The control plane of a region writes what it serves, unless it is down.
    pub(in crate::models) fn write_policy(&mut self, estate: &Estate, region: RegionId) {
        let Some(version) = self.control_plane.to_write(region) else { return };
        for replica in ordered(estate.replicas.ids()) {
            let here = estate.replicas[replica].region == region && self.replicas[replica.index()].up;
            if here && self.served(estate, replica) > 1 {
                self.read_policy(estate, replica, version, [u64::from(version)], READ);
            }
        }
    }

    /// A replica that starts reads the last record of each feature, and after that what is written meanwhile.
    pub(super) fn read_topic(&mut self, estate: &Estate, replica: ReplicaId) {
        let cache = &mut self.caches[replica.index()];
        (cache.connected, cache.next_poll) = (true, self.cx.now());
        let written = self.control_plane.written(estate.replicas[replica].region);
        let version = if self.served(estate, replica) > 1 { written } else { 1 };
        let life = u64::from(self.caches[replica.index()].life) << 32;
        let records = (0..estate.features.len() as u64).map(|record| life | record);
        self.read_policy(estate, replica, version, records, READ_AT_START);
    }

    /// A replica that has not read for a while reads what was written meanwhile.
    pub(super) fn read_on(&mut self, estate: &Estate, replica: ReplicaId) {
        let version = self.control_plane.written(estate.replicas[replica].region);
        let held = self.caches[replica.index()].held.map_or(0, |held| held.0);
        if held < version && self.served(estate, replica) > 1 {
            let records = (held + 1..=version).map(u64::from);
            self.read_policy(estate, replica, version, records, READ_LATE);
        }
    }

    /// So many records are read after those before them; the last one brings the version.
    fn read_policy(
        &mut self,
        estate: &Estate,
        replica: ReplicaId,
        version: u32,
        records: impl IntoIterator<Item = u64>,
        purpose: u64,
    ) {
        let Some(Delivery::Topic { takes }) = sdk_of(estate, replica).map(|sdk| &sdk.delivery) else { return };
        let key = self.keys.replicas[replica.index()].policy_latency;
        let life = self.caches[replica.index()].life;
        let mut time = SimDuration::ZERO;
        for record in records {
            time = time + self.cx.sample(takes, key, record, purpose);
        }
        let cache = &mut self.caches[replica.index()];
        cache.next_poll = cache.next_poll.max(self.cx.now()) + time;
        self.cx.at(cache.next_poll, Event::PolicyPush { replica, life, version });
    }
}
