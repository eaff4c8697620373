//! Clients of the population. Each becomes a context of its own: a service without operations and with one replica, to
//! which nothing is sent, so that what it decides is told, trusted and compared as a service's decision is.

use super::Draft;
use super::place::Place;
use crate::models::client::{Client, Offline, OldVersions, Refetch};
use crate::models::estate::{CodeVersion, DecidesFrom, Otherwise, Part, RegionId, ReplicaSpec, Service, ServiceId};
use crate::scenario::problem::Problem;
use crate::units::{Id, Share, SimDuration};

impl<'a> Draft<'a> {
    /// After the services: they are known by their places.
    pub(super) fn clients(&mut self, place: &Place<'a>) {
        let mut sum = 0.0;
        for (entry, place) in place.named() {
            let name = entry.name();
            self.check_name("client", name, entry.key.span);
            if self.estate.services.iter().any(|service| service.name == name)
                || self.estate.contexts.iter().any(|context| context == name)
            {
                let message = format!("`{name}` is the name of a service or of its context, too");
                self.error(entry.key.span, message, "a client needs a name of its own");
                continue;
            }
            let share = self.maybe_share(&place.key("share")).unwrap_or(Share::NONE);
            sum += share.fraction();
            let Some(session) = self.maybe_distribution(&place.key("session")) else { continue };
            if session.longest().is_zero() {
                self.error(place.key("session").span, "a session that lasts no time", "expected a longer one");
                continue;
            }
            let refetch = match place.key("refetch").text() {
                Some("on_navigation") => Refetch::OnNavigation,
                _ => Refetch::OnAppStart,
            };
            let persist = !place.key("persist").is_given() || self.boolean(&place.key("persist"));
            let old_versions = self.old_versions(&place.key("old_versions"));
            let offline = self.offline(&place.key("offline"));
            let context = self.estate.contexts.intern(name);
            let service: ServiceId = Id::new(self.estate.services.len());
            let region: RegionId = Id::new(0);
            let replica =
                self.estate.replicas.push(ReplicaSpec { service, region, name: name.to_owned(), switches: None });
            self.estate.services.push(app(name, context, vec![replica]));
            let name = name.to_owned();
            self.estate.population.clients.push(Client {
                name,
                share,
                refetch,
                session,
                persist,
                old_versions,
                offline,
                service,
                replica,
            });
        }
        if sum > 1.0 {
            let message = format!("the clients have {:.1}% of the users", sum * 100.0);
            self.error(place.span, message, "expected at most 100% together");
        }
    }

    fn old_versions(&mut self, place: &Place<'a>) -> Option<OldVersions> {
        let node = place.node?;
        let given = if node.as_map().is_some() { place.key("share") } else { place.clone() };
        let share = self.maybe_share(&given)?;
        let half_life = self.maybe_duration(&place.key("half_life"));
        if half_life.is_some_and(SimDuration::is_zero) {
            let problem = Problem::error(place.key("half_life").span, "a half-life of no time leaves no old version");
            self.problems.push(problem.label("expected a longer one, such as 14d"));
        }
        Some(OldVersions { share, half_life })
    }

    fn offline(&mut self, place: &Place<'a>) -> Option<Offline> {
        place.node?;
        let share = self.maybe_share(&place.key("share"))?;
        let lasts = self.maybe_distribution(&place.key("lasts"))?;
        Some(Offline { share, lasts })
    }
}

fn app(name: &str, context: u16, replicas: Vec<crate::models::estate::ReplicaId>) -> Service {
    Service {
        name: name.to_owned(),
        context,
        replicas,
        workers: 1,
        queue: 0,
        sdk: None,
        decides_from: vec![DecidesFrom::Sdk],
        edge: true,
        edge_features: Vec::new(),
        edge_expires: None,
        trusts: Vec::new(),
        forwards: Share::ALL,
        local: Vec::new(),
        ignores: Vec::new(),
        codes: vec![CodeVersion { number: 1, ..CodeVersion::default() }],
        initial_code: 1,
        defective: false,
        otherwise: Otherwise::Park,
        external: true,
        part: Part::Client,
        silence: None,
        saga: None,
        operations: Vec::new(),
    }
}
