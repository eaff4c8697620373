//! What happens to the estate: faults begin and end, code is deployed, switches are thrown, offsets are set back.

use super::estate::{Entry, Estate, Happening, Part, RegionId, ReplicaId, ServiceId, Target, When};
use super::event::Event;
use super::levers::Levers;
use super::observation::Observation;
use super::world::World;
use crate::kernel::maths;
use crate::units::{SimDuration, SimTime};

/// An entry's state.
#[derive(Clone, Debug, Default)]
pub struct EntryState {
    /// Times it took place.
    pub strikes: u32,
    /// Strikes whose end is still to come: overlapping ones merge.
    under_way: u32,
    /// The target of the strike under way, where chance chose it.
    target: Option<Target>,
    /// Its time has come, whether or not there was anything to do.
    pub(super) came: bool,
}

impl World {
    pub(super) fn plan_timeline(&mut self, estate: &Estate) {
        for (index, entry) in estate.timeline.iter().enumerate() {
            match &entry.when {
                When::At(at) => self.cx.at(SimTime::from(*at), Event::EntryBegins { entry: index as u32 }),
                When::AfterStep { rollout, step, offset } => {
                    // In a run without rollouts the anchors are where the compared run had them.
                    if let Some(at) = self.anchors.get(*rollout).and_then(|steps| steps[*step]) {
                        self.cx.at(at + *offset, Event::EntryBegins { entry: index as u32 });
                    }
                }
                When::Random { from, .. } => self.plan_random(index, entry, SimTime::from(*from)),
                When::OnDemand => {}
            }
        }
    }

    fn plan_random(&mut self, index: usize, entry: &Entry, after: SimTime) {
        let When::Random { per_second, until, .. } = entry.when else { return };
        let strike = self.entries[index].strikes;
        let u = self.cx.draws.unit(self.keys.entries[index], strike.into(), 0);
        let at = after + SimDuration::from_secs_f64(-maths::ln(u) / per_second);
        if at < SimTime::from(until) {
            self.cx.at(at, Event::EntryBegins { entry: index as u32 });
        }
    }

    pub(super) fn plan_entries_after(&mut self, estate: &Estate, rollout: usize, step: usize) {
        for (index, entry) in estate.timeline.iter().enumerate() {
            if let When::AfterStep { rollout: of, step: after, offset } = &entry.when
                && (*of, *after) == (rollout, step)
            {
                self.cx.after(*offset, Event::EntryBegins { entry: index as u32 });
            }
        }
    }

    pub(super) fn on_entry_begins(&mut self, estate: &Estate, index: u32) {
        let entry = &estate.timeline[index as usize];
        let now = self.cx.now();
        let random = matches!(entry.when, When::Random { .. });
        let strike = self.entries[index as usize].strikes;
        match &entry.what {
            Happening::Fault { fault, target, lasts, strength } => {
                self.entries[index as usize].strikes += 1;
                if random {
                    self.plan_random(index as usize, entry, now);
                }
                self.entries[index as usize].under_way += 1;
                if let Some(lasts) = lasts {
                    let time = self.cx.sample(lasts, self.keys.entries[index as usize], strike.into(), 1);
                    self.cx.after(time, Event::EntryEnds { entry: index, strike });
                } else if !fault.goes_on() {
                    self.cx.after(SimDuration::ZERO, Event::EntryEnds { entry: index, strike });
                }
                if self.entries[index as usize].under_way == 1 {
                    let target = if random { self.aim(estate, index, target) } else { target.clone() };
                    self.entries[index as usize].target = Some(target.clone());
                    self.cx.cause = self.cx.observe(Observation::FaultStarted { entry: index });
                    fault.begin(&mut Levers::new(self, estate), &target, *strength);
                }
            }
            Happening::Deploy { .. } => {
                self.entries[index as usize].strikes += 1;
                self.on_deploy_batch(estate, index, 0);
            }
            Happening::Kill { feature, kill, lift_after } => {
                if self.without_rollouts && estate.rollouts.iter().any(|rollout| rollout.feature == *feature) {
                    return;
                }
                self.entries[index as usize].strikes += 1;
                self.kill(estate, index, *feature, *kill);
                if let Some(lift_after) = lift_after {
                    self.cx.after(*lift_after, Event::LiftKill { entry: index });
                }
            }
            Happening::Replay { group, from } => {
                self.entries[index as usize].strikes += 1;
                self.replay(estate, *group, *from);
            }
            Happening::Act { rollout, deed } => {
                let done = self.act(estate, *rollout, *deed);
                self.entries[index as usize].strikes += u32::from(done);
            }
            Happening::Override { feature, given, until } => {
                self.give_override(estate, index, *feature, *given, *until);
            }
            Happening::OverrideEnds { feature, who, given_by } => {
                self.end_override(estate, index, *feature, *who, *given_by);
            }
        }
    }

    /// Whom a random fault hits: one service, region or group, uniformly, where the entry names none.
    fn aim(&mut self, estate: &Estate, index: u32, target: &Target) -> Target {
        use super::fault::Aim;
        let Happening::Fault { fault, .. } = &estate.timeline[index as usize].what else { return target.clone() };
        let strike = self.entries[index as usize].strikes;
        let key = self.keys.entries[index as usize];
        let mut one_of = |count: usize, purpose: u64| {
            let u = self.cx.draws.unit(key, strike.into(), purpose);
            ((u * count as f64) as usize).min(count.saturating_sub(1))
        };
        let mut target = target.clone();
        match fault.aim() {
            Aim::ControlPlane | Aim::Region => {
                if target.region.is_none() && estate.regions.len() > 1 {
                    target.region = Some(RegionId::new(one_of(estate.regions.len(), 2)));
                }
            }
            Aim::Service | Aim::Network | Aim::Sdk => {
                if target.service.is_none() {
                    let any = fault.aim() != Aim::Sdk;
                    let eligible = |id: &ServiceId| {
                        let service = &estate.services[*id];
                        service.part == Part::Service && (any || service.refreshes_in_background())
                    };
                    let eligible: Vec<ServiceId> = estate.services.ids().filter(eligible).collect();
                    target.service = eligible.get(one_of(eligible.len(), 3)).copied();
                }
                target.count = target.count.or(Some(1));
                if let Some(service) = target.service {
                    target.skip = one_of(estate.services[service].replicas.len(), 5) as u32;
                }
            }
            Aim::ConsumerGroup => {
                if target.group.is_none() && !estate.groups.is_empty() {
                    target.group = Some(super::estate::GroupId::new(one_of(estate.groups.len(), 4)));
                }
            }
        }
        target
    }

    pub(super) fn on_entry_ends(&mut self, estate: &Estate, index: u32) {
        let state = &mut self.entries[index as usize];
        state.under_way -= 1;
        if state.under_way > 0 {
            return;
        }
        let target = state.target.take().expect("a fault under way has a target");
        if let Happening::Fault { fault, strength, .. } = &estate.timeline[index as usize].what {
            self.cx.cause = self.cx.observe(Observation::FaultEnded { entry: index });
            fault.end(&mut Levers::new(self, estate), &target, *strength);
        }
    }

    pub(super) fn on_lift_kill(&mut self, estate: &Estate, index: u32) {
        if let Happening::Kill { feature, .. } = estate.timeline[index as usize].what {
            self.lift_kill(estate, index, feature);
        }
    }

    /// One batch of a rolling deploy: its replicas get the new code and start with it, all services in step.
    pub(super) fn on_deploy_batch(&mut self, estate: &Estate, index: u32, nth: u32) {
        let Happening::Deploy { services, region, count, batch, every } = &estate.timeline[index as usize].what else {
            return;
        };
        let mut more = false;
        for (service, code) in services {
            let concerned =
                |replica: &&ReplicaId| region.is_none_or(|region| estate.replicas[**replica].region == region);
            let reached = estate.services[*service].replicas.iter().filter(concerned);
            let replicas: Vec<ReplicaId> =
                reached.take(count.map_or(usize::MAX, |count| count as usize)).copied().collect();
            let first = (u64::from(nth) * u64::from(*batch)) as usize;
            let last = (first + *batch as usize).min(replicas.len());
            more |= last < replicas.len();
            for replica in replicas.get(first..last).unwrap_or_default() {
                self.deploy(estate, *replica, *code);
            }
        }
        self.fleet_changed(estate);
        if more {
            self.cx.after(*every, Event::DeployBatch { entry: index, batch: nth + 1 });
        }
    }

    /// Replaces a replica's process in order: what it was doing is finished elsewhere (connections are drained), its
    /// consumers close, its cache begins anew.
    fn deploy(&mut self, estate: &Estate, replica: ReplicaId, code: u32) {
        self.replicas[replica.index()].code = code;
        self.begins_code(replica);
        self.cx.cause = self.cx.observe(Observation::Deployed { replica, code });
        if !self.replicas[replica.index()].up {
            return;
        }
        for member in self.members_of(estate, replica) {
            self.replace_member(estate, member);
        }
        let mut waiting = self.lose_cache(estate, replica);
        self.cold_cache(estate, replica);
        // Who waited for both layers begins once.
        let mut seen = Vec::with_capacity(waiting.len());
        waiting.retain(|task| {
            let new = !seen.contains(&task.to_word());
            seen.push(task.to_word());
            new
        });
        for task in waiting {
            self.fetch_again(estate, task);
        }
    }

    pub(super) fn members_of(&self, estate: &Estate, replica: ReplicaId) -> Vec<super::estate::MemberId> {
        estate.members.enumerate().filter(|(_, member)| member.replica == replica).map(|(id, _)| id).collect()
    }

    /// The process ends without warning, or is held down by one more cause.
    pub(super) fn crash(&mut self, estate: &Estate, replica: ReplicaId) {
        self.replicas[replica.index()].held_down += 1;
        if !std::mem::replace(&mut self.replicas[replica.index()].up, false) {
            return;
        }
        self.cx.observe(Observation::Crashed { replica });
        // The consumers' threads end first: a record that dies with its task is not done with.
        for member in self.members_of(estate, replica) {
            self.stop_member(estate, member, false);
        }
        self.crash_tasks(estate, replica);
        self.lose_cache(estate, replica);
    }

    /// One cause less to be down; with the last one the process starts.
    pub(super) fn restart(&mut self, estate: &Estate, replica: ReplicaId) {
        let state = &mut self.replicas[replica.index()];
        state.held_down = state.held_down.saturating_sub(1);
        if state.held_down > 0 || std::mem::replace(&mut state.up, true) {
            return;
        }
        self.cx.observe(Observation::Restarted { replica });
        self.begins_code(replica);
        self.cold_cache(estate, replica);
        for member in self.members_of(estate, replica) {
            self.start_member(estate, member);
        }
    }
}
