//! Caches in layers: kill switches that reach the replicas of a service by a way of their own. The layer is a service of
//! the tables with one replica beside each of the service's, so that it polls, fails and comes back as any cache does.

use super::Draft;
use super::services::ServiceDraft;
use crate::models::estate::{Part, ReplicaId, ReplicaSpec, Sdk, Service, ServiceId};
use crate::scenario::shapes::DELIVERIES;
use crate::units::Id;

impl<'a> Draft<'a> {
    /// After the services and the clients: layers come last in the tables.
    pub(super) fn layers(&mut self) {
        for at in 0..self.services.len() {
            let ServiceDraft { place, .. } = &self.services[at];
            let place = place.key("sdk").key("switches");
            let of: ServiceId = Id::new(at);
            let (Some(_), Some(sdk)) = (place.node, self.estate.services[of].sdk.clone()) else { continue };
            let Some(given) = DELIVERIES.into_iter().find(|key| place.key(key).is_given()) else { continue };
            let delivery = self.delivery(&place, given);
            let sdk = Sdk { delivery, invalidation: None, alert_after: None, ..sdk };
            let layer: ServiceId = Id::new(self.estate.services.len());
            let mut replicas: Vec<ReplicaId> = Vec::new();
            for replica in self.estate.services[of].replicas.clone() {
                let spec = &self.estate.replicas[replica];
                let (region, name) = (spec.region, format!("{}/switches", spec.name));
                let made = self.estate.replicas.push(ReplicaSpec { service: layer, region, name, switches: None });
                self.estate.replicas[replica].switches = Some(made);
                replicas.push(made);
            }
            let service = &self.estate.services[of];
            let layer = Service {
                name: format!("{}/switches", service.name),
                replicas,
                sdk: Some(sdk),
                decides_from: Vec::new(),
                edge: false,
                part: Part::Switches,
                operations: Vec::new(),
                ..service.clone()
            };
            self.estate.services.push(layer);
        }
    }
}
