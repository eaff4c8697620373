//! Polls that cannot find anything new are left out, exactly: idle costs nothing (rules.md, 28).
//!
//! After [`QUIET`] polls in a row that found what was known, a replica rests: its further polls are no events. When one
//! of them could go otherwise (a version becomes visible in its region, its control plane fails, slows or comes back,
//! its process ends, luck is drawn anew), it is woken first: every poll of the past is counted, one that is on its way
//! goes on from where it is, and the next one is an event again. Whoever asks when the last contact was asks after the
//! same bookkeeping. Draws are keyed by ordinals, so that a poll left out takes none from the others.

use super::{Cache, period, sdk_of};
use crate::models::estate::{Delivery, Estate, RegionId, ReplicaId, Sdk};
use crate::models::event::Event;
use crate::models::observation::Observation;
use crate::models::planted::ordered;
use crate::models::world::World;
use crate::rollout::policy::PolicyVersion;
use crate::units::{SimDuration, SimTime};

/// So many polls in a row find nothing before later ones are left out. What follows an outage is then over, and a
/// scenario of minutes is made of its events one by one.
const QUIET: u32 = 100;

/// The schedule of a replica that polls.
#[derive(Clone, Copy)]
struct Schedule {
    every: SimDuration,
    jitter: f64,
    /// No poll takes longer than this, there and back.
    longest: SimDuration,
}

impl Schedule {
    /// Of a replica whose polls never overlap and never meet the SDK's timeout while nothing is wrong.
    fn of(estate: &Estate, sdk: &Sdk) -> Option<Schedule> {
        let Delivery::Poll { every, jitter } = sdk.delivery else { return None };
        let every = period(every);
        let longest = estate.control_plane.latency.longest().saturating_mul(2);
        let in_time = longest < sdk.timeout && longest < every.scaled(1.0 - jitter);
        (in_time && estate.control_plane.errors.fraction() == 0.0).then_some(Schedule { every, jitter, longest })
    }
}

/// What a replica has sent when it is woken.
pub(super) enum UnderWay {
    Nothing,
    /// A poll that was left out so far, and when it is read and answered.
    Asked {
        read: SimTime,
        answered: SimTime,
    },
}

impl World {
    /// From now on every poll is an event, whether or not it can find anything. The observations are the same.
    pub fn take_every_poll(&mut self) {
        self.every_poll = true;
    }

    /// A poll has just been made: whether the next ones may be left out.
    pub(super) fn may_rest(&mut self, estate: &Estate, replica: ReplicaId) -> bool {
        let Some(sdk) = sdk_of(estate, replica) else { return false };
        let region = estate.replicas[replica].region;
        let well = self.control_plane.obstacle(region).is_none() && self.control_plane.slowness(region).is_zero();
        let served = PolicyVersion(self.served(estate, replica));
        let every_poll = self.every_poll;
        let cache = &mut self.caches[replica.index()];
        let nothing_new = well && !cache.hung.now() && cache.failures == 0 && cache.held == Some(served);
        cache.quiet = if nothing_new { cache.quiet.saturating_add(1) } else { 0 };
        !every_poll && cache.quiet > QUIET && Schedule::of(estate, sdk).is_some()
    }

    /// Accounts for the polls left out whose answer has arrived by now: a contact each.
    pub(in crate::models) fn catch_up(&mut self, estate: &Estate, replica: ReplicaId) {
        self.catch_up_to(estate, replica, self.cx.now());
    }

    fn catch_up_to(&mut self, estate: &Estate, replica: ReplicaId, now: SimTime) {
        if !self.caches[replica.index()].resting {
            return;
        }
        let Some((sdk, schedule)) = sdk_of(estate, replica).and_then(|sdk| Some((sdk, Schedule::of(estate, sdk)?)))
        else {
            return;
        };
        let mut questions = 0;
        loop {
            let cache = &mut self.caches[replica.index()];
            if cache.next_poll >= now {
                break;
            }
            questions += cache.skip_answered(schedule, now);
            let asked_at = cache.next_poll;
            let (there, back) = self.legs_of_next(estate, replica);
            if asked_at + there + back > now {
                break;
            }
            self.caches[replica.index()].contact = asked_at + there + back;
            self.count_poll(sdk, replica);
            questions += 1;
        }
        if questions > 0 {
            self.cx.observe(Observation::Asked { replica, questions, idle: true });
        }
    }

    /// Both legs of the next poll, as its event would draw them.
    fn legs_of_next(&mut self, estate: &Estate, replica: ReplicaId) -> (SimDuration, SimDuration) {
        let fetch = self.caches[replica.index()].fetch.wrapping_add(1);
        (self.policy_leg(estate, replica, fetch, 0), self.policy_leg(estate, replica, fetch, 1))
    }

    /// The next poll has been made; where the schedule stands after it.
    fn count_poll(&mut self, sdk: &Sdk, replica: ReplicaId) {
        let cache = &mut self.caches[replica.index()];
        cache.fetch = cache.fetch.wrapping_add(1);
        self.advance_schedule(sdk, replica);
    }

    /// What a resting replica is about to be shown may differ from what it knows: its polls are events again.
    pub(super) fn wake(&mut self, estate: &Estate, replica: ReplicaId, now: SimTime) {
        let Some(under_way) = self.stop_resting(estate, replica, now) else { return };
        let version = self.served(estate, replica);
        let cache = &mut self.caches[replica.index()];
        let (life, fetch, next) = (cache.life, cache.fetch, cache.next_poll);
        if let UnderWay::Asked { read, answered } = under_way {
            cache.fetching = true;
            if read >= now {
                self.cx.at(read, Event::PolicyRead { replica, life, fetch });
            } else {
                self.cx.at(answered, Event::PolicyAnswer { replica, life, fetch, version });
            }
        }
        self.cx.at(next, Event::Poll { replica, life });
    }

    /// The books are up to date, and a poll that is on its way is counted. `None` for a replica that did not rest.
    pub(super) fn stop_resting(&mut self, estate: &Estate, replica: ReplicaId, now: SimTime) -> Option<UnderWay> {
        self.catch_up_to(estate, replica, now);
        let cache = &mut self.caches[replica.index()];
        if !std::mem::take(&mut cache.resting) {
            return None;
        }
        cache.quiet = 0;
        let asked_at = cache.next_poll;
        let sdk = sdk_of(estate, replica)?;
        if asked_at >= now {
            return Some(UnderWay::Nothing);
        }
        let (there, back) = self.legs_of_next(estate, replica);
        self.count_poll(sdk, replica);
        self.cx.observe(Observation::Asked { replica, questions: 1, idle: true });
        Some(UnderWay::Asked { read: asked_at + there, answered: asked_at + there + back })
    }

    /// Wakes everybody who asks the control plane of a region, before it changes.
    pub(in crate::models) fn wake_region(&mut self, estate: &Estate, region: RegionId) {
        self.wake_region_at(estate, region, self.cx.now());
    }

    fn wake_region_at(&mut self, estate: &Estate, region: RegionId, now: SimTime) {
        for replica in ordered(estate.replicas.ids()) {
            if estate.replicas[replica].region == region && self.caches[replica.index()].resting {
                self.wake(estate, replica, now);
            }
        }
    }

    /// Wakes everybody at a moment before which nothing else is due.
    pub(in crate::models) fn wake_all(&mut self, estate: &Estate, now: SimTime) {
        for region in estate.regions.ids() {
            self.wake_region_at(estate, region, now);
        }
    }

    /// The run ends at `end`: what has been left out until then is observed.
    pub fn catch_up_all(&mut self, estate: &Estate, end: SimTime) {
        self.cx.clear_observations();
        for replica in estate.replicas.ids() {
            self.catch_up_to(estate, replica, end);
            let cache = &self.caches[replica.index()];
            if cache.resting && cache.next_poll <= end {
                // Asked, and not answered before the end.
                self.cx.observe(Observation::Asked { replica, questions: 1, idle: true });
            }
        }
    }
}

impl Cache {
    /// Leaves out the polls of a fixed schedule that are certainly answered by `now`, but for the last of them: how
    /// many.
    fn skip_answered(&mut self, schedule: Schedule, now: SimTime) -> u64 {
        if schedule.jitter > 0.0 {
            return 0;
        }
        let sure = now.since(self.next_poll).saturating_sub(schedule.longest);
        let skipped = sure.nanos() / schedule.every.nanos().max(1);
        self.fetch = self.fetch.wrapping_add(skipped as u32);
        self.polls += skipped;
        self.next_poll += schedule.every.saturating_mul(skipped);
        skipped
    }
}
