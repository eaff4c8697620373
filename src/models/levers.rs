//! The levers a fault can pull: what a message, a timer or a process may do. Nothing here writes a cache, a decision
//! or an offset.

use super::estate::{Estate, GroupId, MemberId, Part, RegionId, ReplicaId, ServiceId, Target};
use super::event::Event;
use super::world::World;
use crate::units::{Share, SimDuration};

/// The world, as far as a fault may touch it.
pub struct Levers<'a> {
    world: &'a mut World,
    estate: &'a Estate,
}

impl<'a> Levers<'a> {
    pub(super) fn new(world: &'a mut World, estate: &'a Estate) -> Levers<'a> {
        Levers { world, estate }
    }

    /// The regions a target means: the one it names, or all.
    pub fn regions(&self, target: &Target) -> Vec<RegionId> {
        target.region.map_or_else(|| self.estate.regions.ids().collect(), |region| vec![region])
    }

    /// The replicas a target means, in the order of their names.
    pub fn replicas(&self, target: &Target) -> Vec<ReplicaId> {
        // Without a service: what the file describes as one.
        let ours = |service: ServiceId| self.estate.services[service].part == Part::Service;
        let concerned = |(_, spec): &(ReplicaId, &super::estate::ReplicaSpec)| {
            target.service.map_or_else(|| ours(spec.service), |service| spec.service == service)
                && target.region.is_none_or(|region| spec.region == region)
        };
        let mut found: Vec<ReplicaId> = self.estate.replicas.enumerate().filter(concerned).map(|(id, _)| id).collect();
        if !found.is_empty() {
            let begin = target.skip as usize % found.len();
            found.rotate_left(begin);
        }
        found.truncate(target.count.map_or(usize::MAX, |count| count as usize));
        found
    }

    /// The members a target means.
    pub fn members(&self, target: &Target) -> Vec<MemberId> {
        let groups: Vec<GroupId> = target.group.map_or_else(|| self.estate.groups.ids().collect(), |group| vec![group]);
        let members = groups.into_iter().flat_map(|group| self.estate.groups[group].members.iter().copied());
        members.take(target.count.map_or(usize::MAX, |count| count as usize)).collect()
    }

    /// The control plane of a region stops or starts answering.
    pub fn control_plane_down(&mut self, region: RegionId, down: bool) {
        self.world.set_control_plane_down(self.estate, region, down);
    }

    /// New versions no longer reach the control plane of a region, or do again.
    pub fn stop_replication(&mut self, region: RegionId, stopped: bool) {
        self.world.set_replication_stopped(self.estate, region, stopped);
    }

    /// Announcements from the control plane of a region are lost, or no longer are.
    pub fn mute(&mut self, region: RegionId, mute: bool) {
        self.world.set_mute(region, mute);
    }

    /// Every leg to and from the control plane of a region takes this much longer, or no longer does.
    pub fn slow_control_plane(&mut self, region: RegionId, by: SimDuration, slow: bool) {
        self.world.set_control_plane_slow(self.estate, region, by, slow);
    }

    /// A region can no longer exchange messages with the others, or can again; replication follows.
    pub fn cut_off(&mut self, region: RegionId, cut: bool) {
        self.world.links.cut(region, cut);
        let home = self.estate.control_plane.home;
        let cut_from_home: Vec<RegionId> = if region == home {
            self.estate.regions.ids().filter(|other| *other != home).collect()
        } else {
            vec![region]
        };
        for region in cut_from_home {
            self.world.set_replication_stopped(self.estate, region, cut);
        }
    }

    pub fn slow_links(&mut self, to: Option<ServiceId>, by: SimDuration, begins: bool) {
        self.world.links.slow(to, by, begins);
    }

    pub fn lossy_links(&mut self, to: Option<ServiceId>, share: Share, begins: bool) {
        self.world.links.lossy(to, share, begins);
    }

    /// A share of a service's messages goes on without its rollout context.
    pub fn strip_context(&mut self, from: Option<ServiceId>, share: Share, begins: bool) {
        self.world.links.strip(from, share, begins);
    }

    /// Ends a process; it stays down until each crash has had its start.
    pub fn crash(&mut self, replica: ReplicaId) {
        self.world.crash(self.estate, replica);
    }

    pub fn start(&mut self, replica: ReplicaId) {
        self.world.restart(self.estate, replica);
    }

    /// Starts a crashed replica again after `pause`, unless something else keeps it down.
    pub fn start_after(&mut self, replica: ReplicaId, pause: SimDuration) {
        self.world.cx.after(pause, Event::ReplicaUp { replica });
    }

    /// What refreshes a replica's cache stands still, or goes on; a process that starts meanwhile is well.
    pub fn hang_sdk(&mut self, replica: ReplicaId, hangs: bool) {
        self.world.set_hung(self.estate, replica, hangs);
    }

    pub fn pause_consumer(&mut self, member: MemberId, paused: bool) {
        self.world.set_paused(member, paused);
    }

    pub fn stall_consumer(&mut self, member: MemberId, stalled: bool) {
        self.world.set_stalled(self.estate, member, stalled);
    }
}
