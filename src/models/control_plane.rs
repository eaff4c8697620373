//! The rollout control plane: numbered policy versions, their publication, and their replication to regions.

use super::estate::{Delivery, Estate, RegionId, ReplicaId};
use super::event::Event;
use super::observation::{Observation, Obstacle, Publication};
use super::planted::{Planted, ordered};
use super::world::World;
use crate::rollout::FeatureId;
use crate::rollout::policy::{FeaturePolicy, Kill, Policy, PolicyVersion, Scope};
use crate::units::{SimDuration, SimTime};
use std::sync::Arc;

/// The state of the control plane.
#[derive(Clone, Debug)]
pub struct ControlPlane {
    /// Version n is at position n - 1.
    versions: Vec<Arc<Policy>>,
    published: Vec<SimTime>,
    /// Whether a version is a kill or its end, which are announced.
    urgent: Vec<bool>,
    regions: Vec<Region>,
}

/// The control plane as one region sees it.
#[derive(Clone, Debug, Default)]
struct Region {
    /// The newest version that has arrived.
    arrived: u32,
    /// The newest version it serves: behind `arrived` while replication into it is stopped.
    visible: u32,
    down: u32,
    frozen: u32,
    slowness: Vec<SimDuration>,
    /// The newest version it has written to the topic of policies.
    written: u32,
    /// Faults because of which it announces nothing.
    mute: u32,
    /// Since when it answers with which version, or not at all; the first is version 1, from the start.
    answers: Vec<(SimTime, Option<u32>)>,
}

impl Region {
    fn remember(&mut self, now: SimTime) {
        let answer = (self.down == 0).then_some(self.visible);
        if self.answers.last().is_none_or(|(_, last)| *last != answer) {
            self.answers.push((now, answer));
        }
    }
}

impl ControlPlane {
    pub fn new(initial: Policy, regions: usize) -> ControlPlane {
        ControlPlane {
            versions: vec![Arc::new(initial)],
            published: vec![SimTime::ZERO],
            urgent: vec![false],
            regions: vec![Region { arrived: 1, visible: 1, written: 1, ..Region::default() }; regions],
        }
    }

    pub fn newest(&self) -> &Arc<Policy> {
        self.versions.last().expect("version 1 always exists")
    }

    pub fn policy(&self, version: PolicyVersion) -> &Arc<Policy> {
        &self.versions[version.0 as usize - 1]
    }

    /// The version a region's control plane answers with.
    pub fn visible(&self, region: RegionId) -> u32 {
        self.regions[region.index()].visible
    }

    /// What a region has not written to the topic of policies yet, and now does; nothing while it is down.
    pub fn to_write(&mut self, region: RegionId) -> Option<u32> {
        let state = &mut self.regions[region.index()];
        let pending = state.down == 0 && state.written < state.visible;
        pending.then(|| {
            state.written = state.visible;
            state.written
        })
    }

    /// The newest version in a region's topic of policies.
    pub fn written(&self, region: RegionId) -> u32 {
        self.regions[region.index()].written
    }

    /// Whether announcements from a region's control plane are lost.
    pub fn is_mute(&self, region: RegionId) -> bool {
        self.regions[region.index()].mute > 0
    }

    /// What a region's control plane answered at a moment up to now; `None`: nothing.
    pub fn answered(&self, region: RegionId, at: SimTime) -> Option<u32> {
        let answers = &self.regions[region.index()].answers;
        let next = answers.partition_point(|(since, _)| *since <= at);
        next.checked_sub(1).map_or(Some(1), |last| answers[last].1)
    }

    /// The last moment up to `at` at which a region's control plane answered; the start, where it never did.
    pub fn last_answer(&self, region: RegionId, at: SimTime) -> SimTime {
        let answers = &self.regions[region.index()].answers;
        let next = answers.partition_point(|(since, _)| *since <= at);
        if next.checked_sub(1).is_none_or(|last| answers[last].1.is_some()) {
            return at;
        }
        // It had fallen silent; the moment before is the last of the answer before.
        let silent = answers[..next].iter().rev().find(|(_, answer)| answer.is_none());
        silent.map_or(SimTime::ZERO, |(since, _)| SimTime::from(since.since_start() - SimDuration::from_nanos(1)))
    }

    pub fn obstacle(&self, region: RegionId) -> Option<Obstacle> {
        (self.regions[region.index()].down > 0).then_some(Obstacle::ControlPlaneDown)
    }

    /// What a slow control plane adds to each leg.
    pub fn slowness(&self, region: RegionId) -> SimDuration {
        self.regions[region.index()].slowness.iter().fold(SimDuration::ZERO, |sum, slow| sum + *slow)
    }

    /// Time since the first version newer than this one was published; zero while it is the newest.
    pub fn staleness(&self, version: PolicyVersion, now: SimTime) -> SimDuration {
        self.published.get(version.0 as usize).map_or(SimDuration::ZERO, |newer| now.since(*newer))
    }
}

impl World {
    /// Publishes the next version: readable at home at once, elsewhere when it has been replicated.
    pub(super) fn publish(
        &mut self,
        estate: &Estate,
        feature: FeatureId,
        changed: FeaturePolicy,
        why: Publication,
    ) -> PolicyVersion {
        let policy = self.control_plane.newest().next(feature, changed);
        let version = policy.version;
        self.control_plane.versions.push(Arc::new(policy));
        self.control_plane.published.push(self.cx.now());
        let urgent = matches!(why, Publication::Kill { .. } | Publication::Lift { .. });
        self.control_plane.urgent.push(urgent);
        self.cx.cause =
            self.cx.observe(Observation::PolicyPublished { version, feature: Some(feature), publication: why });
        if !estate.sweeps.is_empty() {
            self.policy_calls_for_sweeps(estate, feature);
        }
        for region in estate.regions.ids() {
            let delay = if region == estate.control_plane.home {
                SimDuration::ZERO
            } else {
                let key = self.keys.replication[region.index()];
                self.cx.sample(&estate.control_plane.replication[region.index()], key, version.0.into(), 0)
            };
            self.cx.after(delay, Event::Replicate { region, version: version.0 });
        }
        version
    }

    pub(super) fn on_replicate(&mut self, estate: &Estate, region: RegionId, version: u32) {
        let state = &mut self.control_plane.regions[region.index()];
        // A region holds a prefix: a later version brings the earlier ones with it.
        state.arrived = state.arrived.max(version);
        self.show(estate, region);
    }

    /// Serves what has arrived, and pushes it to the streams, unless replication into the region is stopped.
    fn show(&mut self, estate: &Estate, region: RegionId) {
        let state = &mut self.control_plane.regions[region.index()];
        if state.frozen > 0 || state.visible == state.arrived {
            return;
        }
        // Whoever rests has heard of what was visible so far, and of nothing else.
        self.wake_region(estate, region);
        let now = self.cx.now();
        let state = &mut self.control_plane.regions[region.index()];
        let before = std::mem::replace(&mut state.visible, state.arrived);
        state.remember(now);
        let version = state.visible;
        self.cx.observe(Observation::PolicyReplicated { region, version: PolicyVersion(version) });
        for replica in ordered(estate.replicas.ids()) {
            let spec = &estate.replicas[replica];
            let Some(sdk) = &estate.services[spec.service].sdk else { continue };
            let streams = matches!(sdk.delivery, Delivery::Stream { .. });
            if streams && spec.region == region && self.caches[replica.index()].connected {
                self.push_policy(estate, replica);
            }
        }
        self.write_policy(estate, region);
        if self.control_plane.urgent[before as usize..version as usize].contains(&true) {
            self.announce(estate, region);
        }
    }

    /// Sends what its region serves to a replica whose stream is open.
    pub(super) fn push_policy(&mut self, estate: &Estate, replica: ReplicaId) {
        let spec = &estate.replicas[replica];
        let Some(Delivery::Stream { delay }) = estate.services[spec.service].sdk.as_ref().map(|sdk| &sdk.delivery)
        else {
            return;
        };
        let version = self.served(estate, replica);
        let life = self.caches[replica.index()].life;
        let key = self.keys.replicas[replica.index()].policy_latency;
        let leg = self.cx.sample(&estate.control_plane.latency, key, version.into(), 2);
        let delay = self.cx.sample(delay, key, version.into(), 3);
        let delay = if Planted::PushTooSlow.is_active() { delay.scaled(1.05) } else { delay };
        let slowness = self.control_plane.slowness(spec.region);
        self.cx.after(leg + delay + slowness, Event::PolicyPush { replica, life, version });
    }

    pub(super) fn kill(&mut self, estate: &Estate, entry: u32, feature: FeatureId, kill: Kill) {
        let mut changed = self.control_plane.newest().feature(feature).clone();
        changed.kills.push(Kill { issued_by: entry, ..kill });
        let version = self.publish(estate, feature, changed, Publication::Kill { entry });
        self.cx.observe(Observation::Killed { feature, entry, scope: kill.scope, to: kill.to, version });
        if kill.scope == Scope::default() {
            self.stop_plans(estate, feature);
        }
    }

    pub(super) fn lift_kill(&mut self, estate: &Estate, entry: u32, feature: FeatureId) {
        let mut changed = self.control_plane.newest().feature(feature).clone();
        changed.kills.retain(|kill| kill.issued_by != entry);
        let version = self.publish(estate, feature, changed, Publication::Lift { entry });
        self.cx.observe(Observation::Lifted { feature, entry, version });
    }

    pub(super) fn set_control_plane_down(&mut self, estate: &Estate, region: RegionId, down: bool) {
        self.wake_region(estate, region);
        let now = self.cx.now();
        let state = &mut self.control_plane.regions[region.index()];
        if down {
            state.down += 1;
            state.remember(now);
            self.break_streams(estate, region, Obstacle::ControlPlaneDown);
        } else {
            state.down -= 1;
            state.remember(now);
            self.write_policy(estate, region);
        }
    }

    pub(super) fn set_mute(&mut self, region: RegionId, mute: bool) {
        let count = &mut self.control_plane.regions[region.index()].mute;
        *count = if mute { *count + 1 } else { *count - 1 };
    }

    pub(super) fn set_replication_stopped(&mut self, estate: &Estate, region: RegionId, stopped: bool) {
        let state = &mut self.control_plane.regions[region.index()];
        if stopped {
            state.frozen += 1;
        } else {
            state.frozen -= 1;
            self.show(estate, region);
        }
    }

    pub(super) fn set_control_plane_slow(&mut self, estate: &Estate, region: RegionId, by: SimDuration, slow: bool) {
        self.wake_region(estate, region);
        let slowness = &mut self.control_plane.regions[region.index()].slowness;
        if slow {
            slowness.push(by);
        } else if let Some(position) = slowness.iter().position(|known| *known == by) {
            slowness.remove(position);
        }
    }
}
