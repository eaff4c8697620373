//! The network between services: latency, loss, partitions.

use super::estate::{Estate, RegionId, ServiceId};
use super::observation::Obstacle;
use super::world::World;
use crate::kernel::StreamKey;
use crate::units::{Share, SimDuration};

/// What is wrong with the network now.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// How many faults cut each region off from the others.
    cut: Vec<u32>,
    /// Added latency of messages to a service; `None`: of all messages.
    slow: Vec<(Option<ServiceId>, SimDuration)>,
    /// Share lost of messages to a service; `None`: of all messages.
    lossy: Vec<(Option<ServiceId>, Share)>,
    /// Share of messages from a service that lose their context; `None`: of all services.
    stripped: Vec<(Option<ServiceId>, Share)>,
}

/// Where a message goes and what keys its chance.
pub struct Leg {
    pub from: RegionId,
    pub to: RegionId,
    pub service: ServiceId,
    pub key: StreamKey,
    pub address: (u64, u64),
}

impl Links {
    pub fn new(regions: usize) -> Links {
        Links { cut: vec![0; regions], ..Links::default() }
    }

    pub(super) fn partitioned(&self, a: RegionId, b: RegionId) -> bool {
        a != b && (self.cut[a.index()] > 0 || self.cut[b.index()] > 0)
    }

    pub fn cut(&mut self, region: RegionId, cut: bool) {
        let count = &mut self.cut[region.index()];
        if cut {
            *count += 1;
        } else {
            *count -= 1;
        }
    }

    pub fn slow(&mut self, service: Option<ServiceId>, by: SimDuration, begins: bool) {
        toggle(&mut self.slow, (service, by), begins);
    }

    pub fn lossy(&mut self, service: Option<ServiceId>, share: Share, begins: bool) {
        toggle(&mut self.lossy, (service, share), begins);
    }

    pub fn strip(&mut self, service: Option<ServiceId>, share: Share, begins: bool) {
        toggle(&mut self.stripped, (service, share), begins);
    }

    /// The share of messages from `service` that still carry their context.
    pub fn still_carried(&self, service: ServiceId) -> f64 {
        let concerned = self.stripped.iter().filter(|(of, _)| of.is_none_or(|of| of == service));
        concerned.fold(1.0, |kept, (_, share)| kept * (1.0 - share.fraction()))
    }
}

fn toggle<T: PartialEq>(active: &mut Vec<T>, one: T, begins: bool) {
    if begins {
        active.push(one);
    } else if let Some(position) = active.iter().position(|known| *known == one) {
        active.remove(position);
    }
}

impl World {
    /// How long a message takes, or what keeps it from arriving.
    pub(super) fn cross(&mut self, estate: &Estate, leg: &Leg) -> Result<SimDuration, Obstacle> {
        if self.links.partitioned(leg.from, leg.to) {
            return Err(Obstacle::Partitioned);
        }
        let (a, b) = leg.address;
        let arriving = self.arriving_share(estate, leg.service);
        if arriving < 1.0 && self.cx.draws.unit(leg.key, a, b ^ 1 << 62) >= arriving {
            return Err(Obstacle::Lost);
        }
        let law = if leg.from == leg.to { &estate.network.within } else { &estate.network.between };
        let latency = self.cx.sample(law, leg.key, a, b);
        let concerned = self.links.slow.iter().filter(|(of, _)| of.is_none_or(|of| of == leg.service));
        Ok(concerned.fold(latency, |sum, (_, by)| sum + *by))
    }

    fn arriving_share(&self, estate: &Estate, service: ServiceId) -> f64 {
        let always = 1.0 - estate.network.loss.fraction();
        let concerned = self.links.lossy.iter().filter(|(of, _)| of.is_none_or(|of| of == service));
        concerned.fold(always, |kept, (_, share)| kept * (1.0 - share.fraction()))
    }
}
