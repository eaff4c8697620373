//! A replica's SDK and its cache: how the policy reaches it, how old it is, and what a failure does to it.

mod announce;
mod frozen;
mod idle;
mod topic;

use super::cx::Cx;
use super::estate::{Backoff, Delivery, Estate, ReplicaId, Sdk};
use super::event::Event;
use super::observation::{Observation, Obstacle};
use super::planted::{Planted, ordered};
use super::task::Task;
use super::world::World;
use crate::kernel::under_way::in_proportion;
use crate::rollout::policy::PolicyVersion;
use crate::units::{SimDuration, SimTime, Slot};

/// What one replica knows of the policy.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    pub held: Option<PolicyVersion>,
    /// Last successful contact with the control plane; an answer that nothing changed counts. While a stream is open
    /// it is in contact.
    contact: SimTime,
    /// Counts restarts; what was planned before one is void.
    pub life: u32,
    /// The number of the fetch under way or last made.
    fetch: u32,
    fetching: bool,
    failures: u32,
    /// Polls so far: the address of the next one's draws.
    polls: u64,
    /// Where a fixed schedule stands.
    next_poll: SimTime,
    /// When what an on-demand cache holds is too old to be used.
    expires: SimTime,
    /// Whether its stream is open.
    pub connected: bool,
    alerted: bool,
    /// Polls in a row that could find nothing new.
    quiet: u32,
    /// Its polls are no events for now: they can find nothing.
    resting: bool,
    /// Whether what refreshes it hangs.
    hung: frozen::Hung,
    /// Tasks that wait for a fetch, with its number.
    waiting: Vec<(u32, Slot<Task>)>,
}

/// The SDK of a replica's service.
fn sdk_of(estate: &Estate, replica: ReplicaId) -> Option<&Sdk> {
    estate.services[estate.replicas[replica].service].sdk.as_ref()
}

/// Between two polls, jitter apart.
fn period(every: SimDuration) -> SimDuration {
    if Planted::PeriodTooLong.is_active() { every.scaled(1.05) } else { every }
}

impl World {
    /// A replica that was already running when the run begins: it holds version 1 and is somewhere in its cycle.
    pub(super) fn warm_cache(&mut self, estate: &Estate, replica: ReplicaId) {
        let Some(sdk) = sdk_of(estate, replica) else { return };
        let cache = &mut self.caches[replica.index()];
        cache.held = Some(PolicyVersion(1));
        cache.connected = matches!(sdk.delivery, Delivery::Stream { .. } | Delivery::Topic { .. });
        if let Delivery::Poll { every, jitter } = &sdk.delivery {
            let key = self.keys.replicas[replica.index()].poll;
            let phase = self.cx.draws.unit(key, 0, 1) * if Planted::PhaseNotUniform.is_active() { 0.5 } else { 1.0 };
            // In periods: a given moment falls into a long interval more often.
            let within = match *jitter {
                0.0 => 1.0,
                jitter => in_proportion(1.0 - jitter, 1.0 + jitter, self.cx.draws.unit(key, 0, 2)),
            };
            let first = every.scaled(within * phase);
            cache.next_poll = self.cx.now() + first;
            self.cx.after(first, Event::Poll { replica, life: 0 });
        }
        if let Delivery::Ttl { ttl, .. } = &sdk.delivery {
            // A cache in use is at any age up to its TTL.
            let left = self.cx.draws.unit(self.keys.replicas[replica.index()].poll, 0, 1);
            cache.expires = self.cx.now() + ttl.scaled(left);
        }
        self.watch_staleness(sdk, replica);
    }

    /// A replica that has just started without a connection: it asks at once. A policy that was written down is as
    /// old as it was.
    pub(super) fn cold_cache(&mut self, estate: &Estate, replica: ReplicaId) {
        let Some(sdk) = sdk_of(estate, replica) else { return };
        let now = self.cx.now();
        let cache = &mut self.caches[replica.index()];
        if cache.held.is_none() {
            cache.contact = now;
        }
        cache.expires = now;
        cache.failures = 0;
        let life = cache.life;
        match &sdk.delivery {
            Delivery::Poll { .. } => {
                cache.next_poll = now;
                self.cx.after(SimDuration::ZERO, Event::Poll { replica, life });
            }
            Delivery::Stream { .. } => self.cx.after(SimDuration::ZERO, Event::Reconnect { replica, life }),
            Delivery::File => self.ask(estate, replica),
            Delivery::Topic { .. } => self.read_topic(estate, replica),
            // Fetched when a decision needs it.
            Delivery::Ttl { .. } | Delivery::Remote => {}
        }
        self.watch_staleness(sdk, replica);
        if let Some(switches) = estate.replicas[replica].switches {
            self.replicas[switches.index()].up = true;
            self.cold_cache(estate, switches);
        }
    }

    /// The process ends: what it knew is gone, unless its SDK writes it down. Gives the tasks whose fetch will not
    /// be answered any more.
    pub(super) fn lose_cache(&mut self, estate: &Estate, replica: ReplicaId) -> Vec<Slot<Task>> {
        let Some(sdk) = sdk_of(estate, replica) else { return Vec::new() };
        let now = self.cx.now();
        self.stop_resting(estate, replica, now);
        let cache = &mut self.caches[replica.index()];
        cache.life += 1;
        cache.fetching = false;
        cache.alerted = false;
        cache.disconnect(now);
        // A hung thread ends with its process.
        cache.hung.process_ends();
        let waiting = std::mem::take(&mut cache.waiting);
        if !sdk.persist && cache.held.take().is_some() {
            self.cx.observe(Observation::PolicyLost { replica });
        }
        let mut waiting: Vec<Slot<Task>> = waiting.into_iter().map(|(_, task)| task).collect();
        if let Some(switches) = estate.replicas[replica].switches {
            self.replicas[switches.index()].up = false;
            waiting.extend(self.lose_cache(estate, switches));
        }
        waiting
    }

    pub(super) fn on_poll(&mut self, estate: &Estate, replica: ReplicaId, life: u32) {
        let cache = &self.caches[replica.index()];
        if cache.life != life || !self.replicas[replica.index()].up {
            return;
        }
        if self.hangs(replica) {
            // Counted, so that later polls draw what they would have drawn.
            self.caches[replica.index()].fetch += 1;
        } else {
            self.ask(estate, replica);
        }
        self.plan_next_poll(estate, replica);
    }

    /// The next poll of the ordinary schedule, unless it could find nothing.
    fn plan_next_poll(&mut self, estate: &Estate, replica: ReplicaId) {
        let Some(sdk) = sdk_of(estate, replica) else { return };
        self.advance_schedule(sdk, replica);
        let rests = self.may_rest(estate, replica);
        let cache = &mut self.caches[replica.index()];
        cache.resting = rests;
        let (at, life) = (cache.next_poll, cache.life);
        if !rests {
            self.cx.at(at, Event::Poll { replica, life });
        }
    }

    /// A poll has been made: when the next one is due. Failures change it where the SDK backs off.
    fn advance_schedule(&mut self, sdk: &Sdk, replica: ReplicaId) {
        let Delivery::Poll { every, jitter } = &sdk.delivery else { return };
        let every = period(*every);
        let cache = &mut self.caches[replica.index()];
        cache.polls += 1;
        let interval = if *jitter > 0.0 {
            let u = self.cx.draws.unit(self.keys.replicas[replica.index()].poll, cache.polls, 2);
            every.scaled(1.0 + jitter * (2.0 * u - 1.0))
        } else {
            every
        };
        let pause = match sdk.backoff {
            Backoff::Linear { most } => interval.saturating_mul(u64::from(1 + cache.failures.min(most))),
            Backoff::None | Backoff::Exponential { .. } => interval,
        };
        cache.next_poll += pause;
    }

    /// Sends the question to the control plane of the replica's region.
    pub(super) fn ask(&mut self, estate: &Estate, replica: ReplicaId) {
        let Some(sdk) = sdk_of(estate, replica) else { return };
        let cache = &mut self.caches[replica.index()];
        cache.fetch += 1;
        cache.fetching = true;
        let (life, fetch) = (cache.life, cache.fetch);
        let region = estate.replicas[replica].region;
        let obstacle = self.control_plane.obstacle(region);
        self.cx.observe(Observation::Asked { replica, questions: 1, idle: false });
        if let Some(by) = obstacle {
            self.cx.observe(Observation::Suppressed { replica, by });
            // Refused, not silent: the answer "unavailable" takes one round trip at the most.
            let refused = self.policy_leg(estate, replica, fetch, 0).min(sdk.timeout);
            self.cx.after(refused, Event::PolicyUnavailable { replica, life, fetch });
            return;
        }
        let slowness = self.control_plane.slowness(region);
        let leg = self.policy_leg(estate, replica, fetch, 0) + slowness;
        let back = self.policy_leg(estate, replica, fetch, 1) + slowness;
        if leg + back >= sdk.timeout {
            self.cx.observe(Observation::Suppressed { replica, by: Obstacle::ControlPlaneSlow });
            self.cx.after(sdk.timeout, Event::PolicyUnavailable { replica, life, fetch });
        } else {
            self.cx.after(leg, Event::PolicyRead { replica, life, fetch });
        }
    }

    /// The version with which the replica's control plane answers. Another environment knows nothing of the rollout: it
    /// stays at the policy from before.
    pub(super) fn served(&self, estate: &Estate, replica: ReplicaId) -> u32 {
        let elsewhere = sdk_of(estate, replica).is_some_and(|sdk| sdk.environment.is_some());
        if elsewhere { 1 } else { self.control_plane.visible(estate.replicas[replica].region) }
    }

    fn policy_leg(&mut self, estate: &Estate, replica: ReplicaId, fetch: u32, leg: u64) -> SimDuration {
        let key = self.keys.replicas[replica.index()].policy_latency;
        self.cx.sample(&estate.control_plane.latency, key, u64::from(fetch), leg)
    }

    fn answers_with_error(&mut self, estate: &Estate, replica: ReplicaId, fetch: u32) -> bool {
        let share = estate.control_plane.errors.fraction();
        let key = self.keys.replicas[replica.index()].policy_latency;
        share > 0.0 && self.cx.draws.unit(key, fetch.into(), 4) < share
    }

    /// The version is read here, at the control plane's end; a later one is in the next answer.
    pub(super) fn on_policy_read(&mut self, estate: &Estate, replica: ReplicaId, life: u32, fetch: u32) {
        let region = estate.replicas[replica].region;
        if let Some(by) = self.control_plane.obstacle(region) {
            self.cx.observe(Observation::Suppressed { replica, by });
            self.cx.after(SimDuration::ZERO, Event::PolicyUnavailable { replica, life, fetch });
            return;
        }
        let leg = self.policy_leg(estate, replica, fetch, 1) + self.control_plane.slowness(region);
        if self.answers_with_error(estate, replica, fetch) {
            self.cx.observe(Observation::Suppressed { replica, by: Obstacle::ControlPlaneError });
            self.cx.after(leg, Event::PolicyUnavailable { replica, life, fetch });
            return;
        }
        let version = self.served(estate, replica);
        self.cx.after(leg, Event::PolicyAnswer { replica, life, fetch, version });
    }

    pub(super) fn on_policy_answer(
        &mut self,
        estate: &Estate,
        replica: ReplicaId,
        life: u32,
        fetch: u32,
        version: u32,
    ) {
        let version = if Planted::PolicyReadAtAnswer.is_active() { self.served(estate, replica) } else { version };
        let cache = &self.caches[replica.index()];
        if cache.life != life || !self.replicas[replica.index()].up {
            return;
        }
        if self.hears_nothing(estate, replica, fetch) {
            return;
        }
        let cache = &mut self.caches[replica.index()];
        if cache.fetch == fetch {
            cache.fetching = false;
            cache.failures = cache.failures.saturating_sub(match sdk_of(estate, replica).map(|sdk| sdk.backoff) {
                Some(Backoff::Linear { .. }) => 1,
                Some(Backoff::None | Backoff::Exponential { .. }) | None => u32::MAX,
            });
        }
        if let Some(Delivery::Ttl { ttl, .. }) = sdk_of(estate, replica).map(|sdk| &sdk.delivery) {
            let ttl = if Planted::TtlTooLong.is_active() { ttl.scaled(1.05) } else { *ttl };
            cache.expires = self.cx.now() + ttl;
        }
        self.apply(replica, PolicyVersion(version));
        if let Some(Delivery::Stream { .. }) = sdk_of(estate, replica).map(|sdk| &sdk.delivery) {
            self.open_stream(estate, replica, version);
        }
        self.resume_waiting(estate, replica, fetch);
    }

    /// A stream opens with its first answer, which may be overtaken: what was published while it travelled is pushed
    /// after it, and a control plane that has gone down meanwhile breaks it at once.
    fn open_stream(&mut self, estate: &Estate, replica: ReplicaId, answered: u32) {
        let region = estate.replicas[replica].region;
        self.caches[replica.index()].connected = true;
        if let Some(by) = self.control_plane.obstacle(region) {
            self.break_stream(estate, replica, by);
        } else if self.served(estate, replica) > answered {
            self.push_policy(estate, replica);
        }
    }

    pub(super) fn on_policy_unavailable(&mut self, estate: &Estate, replica: ReplicaId, life: u32, fetch: u32) {
        let Some(sdk) = sdk_of(estate, replica) else { return };
        let cache = &self.caches[replica.index()];
        if cache.life != life || !self.replicas[replica.index()].up {
            return;
        }
        if self.hears_nothing(estate, replica, fetch) {
            return;
        }
        let cache = &mut self.caches[replica.index()];
        cache.fetching &= cache.fetch != fetch;
        cache.failures = cache.failures.saturating_add(1);
        let failures = cache.failures;
        if let Delivery::Stream { .. } = sdk.delivery {
            let pause = self.backoff_pause(sdk, replica, failures);
            self.cx.after(pause, Event::Reconnect { replica, life });
        } else if let (Delivery::Poll { .. } | Delivery::File, Backoff::Exponential { .. }) =
            (&sdk.delivery, sdk.backoff)
        {
            // An extra attempt before the next ordinary one.
            let pause = self.backoff_pause(sdk, replica, failures);
            if self.cx.now() + pause < self.caches[replica.index()].next_poll || matches!(sdk.delivery, Delivery::File)
            {
                self.cx.after(pause, Event::Reconnect { replica, life });
            }
        }
        self.resume_waiting(estate, replica, fetch);
    }

    fn backoff_pause(&mut self, sdk: &Sdk, replica: ReplicaId, failures: u32) -> SimDuration {
        let key = self.keys.replicas[replica.index()].backoff;
        match sdk.backoff {
            Backoff::Exponential { first, most, jitter } => {
                let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(30)).min(most);
                let doubled = if Planted::BackoffTooLong.is_active() { doubled.scaled(1.1) } else { doubled };
                if jitter {
                    // Full jitter (Brooker, AWS Architecture Blog 2015): uniform between nothing and the whole pause.
                    doubled.scaled(self.cx.draws.unit(key, self.caches[replica.index()].fetch.into(), 0))
                } else {
                    doubled
                }
            }
            Backoff::None | Backoff::Linear { .. } => super::estate::RECONNECT_EVERY,
        }
    }

    /// Opens the stream again, or repeats a failed fetch.
    pub(super) fn on_reconnect(&mut self, estate: &Estate, replica: ReplicaId, life: u32) {
        let cache = &self.caches[replica.index()];
        let idle = !cache.fetching && !cache.connected;
        if cache.life == life && idle && self.replicas[replica.index()].up && !self.hangs(replica) {
            self.ask(estate, replica);
        }
    }

    pub(super) fn on_policy_push(&mut self, replica: ReplicaId, life: u32, version: u32) {
        let cache = &self.caches[replica.index()];
        if cache.life == life && cache.connected && self.replicas[replica.index()].up && !self.hangs(replica) {
            self.apply(replica, PolicyVersion(version));
        }
    }

    /// The streams of a region break: each of its replicas notices and tries to come back.
    pub(super) fn break_streams(&mut self, estate: &Estate, region: super::estate::RegionId, by: Obstacle) {
        for replica in ordered(estate.replicas.ids()) {
            let spec = &estate.replicas[replica];
            let streams = matches!(sdk_of(estate, replica).map(|sdk| &sdk.delivery), Some(Delivery::Stream { .. }));
            if spec.region != region || !streams || !self.caches[replica.index()].connected {
                continue;
            }
            self.break_stream(estate, replica, by);
        }
    }

    fn break_stream(&mut self, estate: &Estate, replica: ReplicaId, by: Obstacle) {
        let now = self.cx.now();
        self.caches[replica.index()].disconnect(now);
        self.cx.observe(Observation::Suppressed { replica, by });
        let sdk = sdk_of(estate, replica).expect("a replica with a stream has an SDK");
        let pause = self.backoff_pause(sdk, replica, 1);
        let life = self.caches[replica.index()].life;
        self.cx.after(pause, Event::Reconnect { replica, life });
    }

    fn apply(&mut self, replica: ReplicaId, version: PolicyVersion) {
        let now = self.cx.now();
        let cache = &mut self.caches[replica.index()];
        cache.contact = now;
        cache.alerted = false;
        // Versions are a prefix everywhere; a slower answer must not undo a faster one.
        if cache.held.is_none_or(|held| version > held) {
            let previous = cache.held.replace(version);
            self.cx.observe(Observation::PolicyApplied { replica, version, previous });
        }
    }

    fn watch_staleness(&mut self, sdk: &Sdk, replica: ReplicaId) {
        if let Some(after) = sdk.alert_after {
            let life = self.caches[replica.index()].life;
            self.cx.after(after, Event::StalenessCheck { replica, life });
        }
    }

    /// One timer per replica that arms itself again.
    pub(super) fn on_staleness_check(&mut self, estate: &Estate, replica: ReplicaId, life: u32) {
        let after = sdk_of(estate, replica).and_then(|sdk| sdk.alert_after);
        self.catch_up(estate, replica);
        let cache = &mut self.caches[replica.index()];
        let Some(after) = after else { return };
        if cache.life != life {
            return;
        }
        let now = self.cx.now();
        let due = if cache.hears() { now } else { cache.contact } + after;
        if due > now {
            self.cx.at(due, Event::StalenessCheck { replica, life });
            return;
        }
        if !cache.alerted {
            cache.alerted = true;
            self.cx.observe(Observation::Alert { replica });
        }
        self.cx.after(after, Event::StalenessCheck { replica, life });
    }

    /// How many fetches a decision now would have to wait for: one of each layer at most. The task waits for them.
    pub(super) fn fetch_for(&mut self, estate: &Estate, replica: ReplicaId, task: Slot<Task>) -> u8 {
        let layers = [Some(replica), estate.replicas[replica].switches];
        let mut awaited = 0;
        for layer in layers.into_iter().flatten() {
            if self.must_fetch(estate, layer) {
                self.wait_for_fetch(layer, task);
                awaited += 1;
            }
        }
        awaited
    }

    /// Whether a decision now would have to wait for a fetch. Starts one where it would, or where the cache
    /// revalidates while it serves what it has.
    fn must_fetch(&mut self, estate: &Estate, replica: ReplicaId) -> bool {
        let Some(sdk) = sdk_of(estate, replica) else { return false };
        let cache = &self.caches[replica.index()];
        let (expired, serves_stale) = match &sdk.delivery {
            Delivery::Remote => (true, false),
            Delivery::Ttl { ttl: _, stale_while_revalidate } => {
                let old = cache.held.is_none() || self.cx.now() >= cache.expires;
                (old, *stale_while_revalidate && cache.held.is_some())
            }
            Delivery::Poll { .. } | Delivery::Stream { .. } | Delivery::File | Delivery::Topic { .. } => (false, false),
        };
        if self.refresh_hangs(estate, replica, expired) {
            return false;
        }
        let cache = &self.caches[replica.index()];
        // A remote question is a fetch of its own for each decision; a cache's fetch is shared by all that wait.
        if expired && (!cache.fetching || matches!(sdk.delivery, Delivery::Remote)) {
            self.ask(estate, replica);
        }
        expired && !serves_stale
    }

    fn wait_for_fetch(&mut self, replica: ReplicaId, task: Slot<Task>) {
        let cache = &mut self.caches[replica.index()];
        cache.waiting.push((cache.fetch, task));
    }

    fn resume_waiting(&mut self, estate: &Estate, replica: ReplicaId, fetch: u32) {
        let mut waiting = std::mem::take(&mut self.caches[replica.index()].waiting);
        waiting.retain(|(awaited, task)| {
            if *awaited == fetch {
                self.go_on_after_fetch(estate, *task);
            }
            *awaited != fetch
        });
        // Whoever began to wait meanwhile comes after those who waited already.
        waiting.append(&mut self.caches[replica.index()].waiting);
        self.caches[replica.index()].waiting = waiting;
    }
}

impl Cache {
    /// Time since the last successful contact; of a cache that rests, once it is caught up.
    pub fn freshness(&self, cx: &Cx) -> SimDuration {
        if self.hears() { SimDuration::ZERO } else { cx.now().since(self.contact) }
    }

    fn disconnect(&mut self, now: SimTime) {
        let heard = self.hears();
        self.connected = false;
        if heard {
            self.contact = now;
        }
    }
}
