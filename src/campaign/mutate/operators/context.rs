//! Decisions that travel, and services that do not go by them.

use super::{Operator, each_service};
use crate::models::estate::{DecidesFrom, Estate, Sdk, Service, ServiceId};
use crate::models::program::Action;
use crate::units::Share;

pub static IGNORE_CONTEXT: Operator = Operator {
    name: "ignore-context",
    sentence: "A service evaluates for itself instead of going by the decision that its request carries.",
    mutants: |plan| {
        each_service(plan, "no service decides from the `context` of its requests", |estate, id, service| {
            evaluates(estate, id, service, DecidesFrom::Context)
        })
    },
};

pub static IGNORE_EVENT_CONTEXT: Operator = Operator {
    name: "ignore-event-context",
    sentence: "A consumer evaluates for itself instead of going by the decision that its event carries.",
    mutants: |plan| {
        each_service(plan, "no service decides from the `event` it consumes", |estate, id, service| {
            evaluates(estate, id, service, DecidesFrom::Event)
        })
    },
};

pub static FORGET_DECISION: Operator = Operator {
    name: "forget-decision",
    sentence: "A service decides anew what an aggregate was created under.",
    mutants: |plan| {
        each_service(plan, "no service decides from the `entity`", |estate, id, service| {
            evaluates(estate, id, service, DecidesFrom::Entity)
        })
    },
};

pub static STRIP_CONTEXT: Operator = Operator {
    name: "strip-context",
    sentence: "A service does not pass on the decisions that came to it: a library was left out, a header is not allowed.",
    mutants: |plan| {
        let carried = |service: &Service| {
            service.decides_from.iter().any(|source| matches!(source, DecidesFrom::Context | DecidesFrom::Event))
        };
        if !plan.estate.services.iter().any(carried) {
            return Err("no service goes by a decision that is carried to it");
        }
        each_service(plan, "no service passes anything on", |estate, id, service| {
            let passes_on = service.forwards != Share::NONE && sends(estate, id);
            service.forwards = Share::NONE;
            passes_on.then(|| "it forwards no context".to_owned())
        })
    },
};

pub static NO_EDGE: Operator = Operator {
    name: "no-edge",
    sentence: "An edge does not decide any more: each service behind it is left to itself.",
    mutants: |plan| {
        each_service(plan, "no service is an `edge`", |_, _, service| {
            std::mem::take(&mut service.edge).then(|| "it is no edge".to_owned())
        })
    },
};

pub static CARRY_FOREVER: Operator = Operator {
    name: "carry-forever",
    sentence: "What an edge decides never expires on its way.",
    mutants: |plan| {
        each_service(plan, "no edge lets its decisions expire", |_, _, service| {
            let expired = service.edge_expires.take()?;
            Some(format!("its decisions do not expire after {expired}"))
        })
    },
};

/// Takes a source out of what a service decides from; it evaluates with the sdk it has, or with that of the edge.
fn evaluates(estate: &Estate, id: ServiceId, service: &mut Service, source: DecidesFrom) -> Option<String> {
    let before = service.decides_from.len();
    service.decides_from.retain(|known| *known != source);
    if service.decides_from.len() == before {
        return None;
    }
    let name = match source {
        DecidesFrom::Context => "context",
        DecidesFrom::Event => "event",
        DecidesFrom::Entity => "entity",
        DecidesFrom::Kill | DecidesFrom::Local | DecidesFrom::Sdk | DecidesFrom::SafeStage => return None,
    };
    if service.decides_from.contains(&DecidesFrom::Sdk) {
        return Some(format!("without `{name}` in its `decides_from`"));
    }
    let (from, sdk) = match &service.sdk {
        Some(sdk) => ("its own".to_owned(), sdk.clone()),
        None => another_sdk(estate, id)?,
    };
    service.sdk = Some(sdk);
    let at = service.decides_from.iter().position(|known| *known == DecidesFrom::SafeStage);
    service.decides_from.insert(at.unwrap_or(service.decides_from.len()), DecidesFrom::Sdk);
    Some(format!("it asks an sdk like {from} instead of its `{name}`"))
}

/// The sdk that a service would be given: an edge's, else the first one's.
fn another_sdk(estate: &Estate, than: ServiceId) -> Option<(String, Sdk)> {
    let others = || estate.services.enumerate().filter(|(id, _)| *id != than).map(|(_, service)| service);
    let found = others().find(|service| service.edge && service.sdk.is_some());
    let found = found.or_else(|| others().find(|service| service.sdk.is_some()))?;
    Some((format!("{}'s", found.name), found.sdk.clone()?))
}

/// Whether a service calls another one or emits events.
fn sends(estate: &Estate, id: ServiceId) -> bool {
    let operations = estate.services[id].operations.iter().map(|operation| &estate.operations[*operation]);
    let mut actions = operations.flat_map(|operation| &operation.rules).flat_map(|rule| &rule.actions);
    actions.any(|action| matches!(action, Action::Call(_) | Action::Emit(_)))
}
