//! An SDK whose background thread hangs: it neither asks nor hears, and the process goes on serving what it holds.
//!
//! What is due while it hangs is suppressed, one observation each; what has arrived meanwhile is lost with it. When it
//! goes on, a poll is made when the next one is due, and a stream, which its server has given up (nobody read it), is
//! opened again at once. A new process has a new thread.

use super::{Cache, sdk_of};
use crate::models::estate::{Delivery, Estate, ReplicaId, Service};
use crate::models::event::Event;
use crate::models::observation::{Observation, Obstacle};
use crate::models::world::World;
use crate::units::SimDuration;

/// How many faults hang a process's SDK, and how many that have not ended yet struck a process that is gone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hung {
    holding: u32,
    outlived: u32,
}

impl Hung {
    pub(super) fn now(self) -> bool {
        self.holding > 0
    }

    pub(super) fn process_ends(&mut self) {
        self.outlived += std::mem::take(&mut self.holding);
    }

    fn strikes(&mut self, up: bool) {
        if up { self.holding += 1 } else { self.outlived += 1 }
    }

    fn ends(&mut self) {
        if self.outlived > 0 { self.outlived -= 1 } else { self.holding = self.holding.saturating_sub(1) }
    }
}

impl World {
    /// `cache.freeze` begins or ends at a replica. Without a background refresh there is nothing that can hang.
    pub(in crate::models) fn set_hung(&mut self, estate: &Estate, replica: ReplicaId, hangs: bool) {
        if !estate.services[estate.replicas[replica].service].refreshes_in_background() {
            return;
        }
        let now = self.cx.now();
        if hangs {
            // Its further polls find nothing, each for a reason.
            self.wake(estate, replica, now);
            let up = self.replicas[replica.index()].up;
            let cache = &mut self.caches[replica.index()];
            if cache.hears() {
                cache.contact = now;
            }
            cache.hung.strikes(up);
            return;
        }
        let cache = &mut self.caches[replica.index()];
        let hung = cache.hung.now();
        cache.hung.ends();
        if hung && !cache.hung.now() {
            self.thaw(estate, replica);
        }
    }

    fn thaw(&mut self, estate: &Estate, replica: ReplicaId) {
        let Some(sdk) = sdk_of(estate, replica) else { return };
        let cache = &mut self.caches[replica.index()];
        match sdk.delivery {
            Delivery::Stream { .. } => {
                cache.connected = false;
                let life = cache.life;
                self.cx.after(SimDuration::ZERO, Event::Reconnect { replica, life });
            }
            // The refresh that hung is over; the next decision that finds the value too old begins another.
            Delivery::Ttl { .. } => cache.fetching = false,
            // Its place in the topic is where it was.
            Delivery::Topic { .. } => self.read_on(estate, replica),
            Delivery::Poll { .. } | Delivery::Remote | Delivery::File => {}
        }
    }

    /// Whether a poll, a push or a reconnection that is due does not take place, because the SDK hangs.
    pub(super) fn hangs(&mut self, replica: ReplicaId) -> bool {
        let hung = self.caches[replica.index()].hung.now();
        if hung {
            self.cx.observe(Observation::Suppressed { replica, by: Obstacle::SdkHung });
        }
        hung
    }

    /// Whether an answer to a fetch meets an SDK that hangs. Whoever waits for it goes on without.
    pub(super) fn hears_nothing(&mut self, estate: &Estate, replica: ReplicaId, fetch: u32) -> bool {
        if !self.hangs(replica) {
            return false;
        }
        let cache = &mut self.caches[replica.index()];
        cache.fetching &= cache.fetch != fetch;
        self.resume_waiting(estate, replica, fetch);
        true
    }

    /// Whether an on-demand cache whose refresh hangs serves what it has, if anything. The first decision that finds
    /// it too old begins the refresh that does not come back.
    pub(super) fn refresh_hangs(&mut self, estate: &Estate, replica: ReplicaId, expired: bool) -> bool {
        if !self.caches[replica.index()].hung.now() {
            return false;
        }
        let on_demand = matches!(sdk_of(estate, replica).map(|sdk| &sdk.delivery), Some(Delivery::Ttl { .. }));
        if on_demand && expired && !self.caches[replica.index()].fetching {
            self.caches[replica.index()].fetching = self.hangs(replica);
        }
        true
    }
}

impl Service {
    /// Whether its SDK has a thread of its own that keeps the cache fresh. One that asks when a decision needs it, or reads
    /// a file at its start, has none.
    pub fn refreshes_in_background(&self) -> bool {
        self.sdk.as_ref().is_some_and(|sdk| match sdk.delivery {
            Delivery::Poll { .. } | Delivery::Stream { .. } | Delivery::Topic { .. } => true,
            Delivery::Ttl { stale_while_revalidate, .. } => stale_while_revalidate,
            Delivery::Remote | Delivery::File => false,
        })
    }
}

impl Cache {
    /// Whether its stream is open and read.
    pub(super) fn hears(&self) -> bool {
        self.connected && !self.hung.now()
    }
}
