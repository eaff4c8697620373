//! Where each service takes its decisions from, and whether it can.

use super::Draft;
use crate::models::estate::{DecidesFrom, ServiceId};
use crate::models::program::OperationId;
use crate::scenario::problem::Problem;
use crate::units::Id;

impl<'a> Draft<'a> {
    pub(super) fn decide_sources(&mut self) {
        let edges = self.estate.services.enumerate().filter(|(_, service)| service.edge);
        let mut first: Vec<OperationId> = edges.flat_map(|(_, service)| service.operations.iter().copied()).collect();
        // What comes from a client has been decided there.
        if !self.estate.population.clients.is_empty() {
            first.extend(self.estate.journeys.iter().map(|journey| journey.first));
        }
        let behind: Vec<ServiceId> =
            self.reached_from(first).into_iter().map(|id| self.estate.operations[id].service).collect();
        for at in 0..self.services.len() {
            let id: ServiceId = Id::new(at);
            let behind_an_edge = behind.contains(&id) && !self.estate.services[id].edge;
            self.sources_of(id, behind_an_edge);
            self.check_ignored(id);
        }
    }

    fn sources_of(&mut self, id: ServiceId, behind_an_edge: bool) {
        let place = self.services[id.index()].place.key("decides_from");
        let has_sdk = self.estate.services[id].sdk.is_some();
        let mut sources = Vec::new();
        for (name, span) in place.texts() {
            let Some(source) = source_named(name) else { continue };
            if sources.contains(&source) {
                self.error(span, format!("`{name}` is listed twice"), "each source is asked once");
            }
            if !has_sdk && matches!(source, DecidesFrom::Kill | DecidesFrom::Sdk) && !self.writes_sdk(id) {
                let service = &self.estate.services[id].name;
                let problem = Problem::error(span, format!("`{service}` decides from `{name}` and has no sdk"));
                let problem = problem.label("it is the sdk's cache that is read");
                self.problems.push(problem.help("write sdk: { poll: 30s }"));
            }
            sources.push(source);
        }
        if place.is_given() && sources.is_empty() {
            self.error(place.span, "a service that decides from nothing", "expected sources, safe_stage last");
        }
        if !place.is_given() {
            sources = match (behind_an_edge, has_sdk) {
                (true, true) => vec![DecidesFrom::Context, DecidesFrom::Sdk, DecidesFrom::SafeStage],
                (false, true) => vec![DecidesFrom::Sdk, DecidesFrom::SafeStage],
                (true, false) => vec![DecidesFrom::Context, DecidesFrom::SafeStage],
                (false, false) => vec![DecidesFrom::SafeStage],
            };
            self.advise_blind(id, behind_an_edge);
        }
        self.estate.services[id].decides_from = sources;
    }

    /// Whether the file has an sdk for it, which may be one that was refused.
    fn writes_sdk(&self, id: ServiceId) -> bool {
        self.services[id.index()].place.key("sdk").is_given()
    }

    /// A service that reads a stage and has nothing to learn it from.
    fn advise_blind(&mut self, id: ServiceId, behind_an_edge: bool) {
        let service = &self.estate.services[id];
        if service.sdk.is_some() || behind_an_edge || self.writes_sdk(id) {
            return;
        }
        let reads = |operation: &OperationId| self.estate.operations[*operation].may_read.first().copied();
        let Some(feature) = service.operations.iter().find_map(reads) else { return };
        let message = format!(
            "`{}` reads the stage of `{}` and has no sdk: it always decides for the safe stage",
            service.name, self.estate.features[feature].name
        );
        let key = self.services[id.index()].key;
        let problem = Problem::advice(key, message).label("decides from [safe_stage]");
        self.problems.push(problem.help("write sdk: { poll: 30s }, or decides_from: [event, safe_stage]"));
    }

    /// `ignores` is a declaration that is checked.
    fn check_ignored(&mut self, id: ServiceId) {
        let service = &self.estate.services[id];
        for operation in &service.operations {
            let operation = &self.estate.operations[*operation];
            let Some(feature) = operation.may_read.iter().find(|feature| service.ignores.contains(feature)) else {
                continue;
            };
            let message = format!(
                "`{}` declares to ignore `{}`, and its operation `{}` reads it",
                service.name, self.estate.features[*feature].name, operation.name
            );
            let place = self.services[id.index()].place.key("ignores");
            self.problems.push(Problem::error(place.span, message).label("declared here"));
            return;
        }
    }
}

fn source_named(name: &str) -> Option<DecidesFrom> {
    Some(match name {
        "kill" => DecidesFrom::Kill,
        "local" => DecidesFrom::Local,
        "entity" => DecidesFrom::Entity,
        "context" => DecidesFrom::Context,
        "event" => DecidesFrom::Event,
        "sdk" => DecidesFrom::Sdk,
        "safe_stage" => DecidesFrom::SafeStage,
        _ => return None,
    })
}
