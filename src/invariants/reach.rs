//! What an interaction can lead to: operations through calls, and through events to whoever consumes them.

use crate::models::estate::{Estate, Journey, ServiceId};
use crate::models::program::{Action, OperationId};
use crate::rollout::FeatureId;

/// Every operation reachable from `first`, itself included, in the order of their ids.
pub fn operations(estate: &Estate, first: OperationId) -> Vec<OperationId> {
    let mut seen = vec![false; estate.operations.len()];
    let mut open = vec![first];
    while let Some(operation) = open.pop() {
        if std::mem::replace(&mut seen[operation.index()], true) {
            continue;
        }
        for action in estate.operations[operation].rules.iter().flat_map(|rule| &rule.actions) {
            follow(estate, action, &mut open);
        }
    }
    estate.operations.ids().filter(|operation| seen[operation.index()]).collect()
}

fn follow(estate: &Estate, action: &Action, open: &mut Vec<OperationId>) {
    match action {
        Action::Call(call) => open.push(call.operation),
        Action::Emit(emit) => {
            for group in &estate.topics[emit.topic].groups {
                let handlers = estate.groups[*group].handlers.iter();
                open.extend(handlers.filter(|(event_type, _)| *event_type == emit.event_type).map(|(_, to)| *to));
            }
        }
        // These stay within the operation.
        Action::Effect(_)
        | Action::Shadow(_)
        | Action::DualWrite(_)
        | Action::Set { .. }
        | Action::Mark { .. }
        | Action::Compensate { .. }
        | Action::Wait(_)
        | Action::WaitFlag { .. }
        | Action::Reject { .. }
        | Action::Ignore
        | Action::Fail { .. }
        | Action::QueueUntilDaily { .. }
        | Action::QueueUntil(_) => {}
    }
}

/// The contexts that read `feature` somewhere in what `first` can lead to, each once.
pub fn readers(estate: &Estate, first: OperationId, feature: FeatureId) -> Vec<u16> {
    let reads = |operation: &OperationId| {
        let operation = &estate.operations[*operation];
        let service = &estate.services[operation.service];
        (operation.may_read.contains(&feature) && !service.ignores.contains(&feature)).then_some(operation.service)
    };
    contexts(estate, operations(estate, first).iter().filter_map(reads))
}

/// The contexts that decide on `feature` in an interaction of a journey, each once: those that read it, edges, which decide
/// for all that follows, and the clients with which its customers come.
pub fn deciders(estate: &Estate, journey: &Journey, feature: FeatureId) -> Vec<u16> {
    let mut contexts = readers(estate, journey.first, feature);
    for operation in operations(estate, journey.first) {
        let service = &estate.services[estate.operations[operation].service];
        let decides = match service.edge_features.as_slice() {
            [] => journey.feature == Some(feature),
            named => named.contains(&feature),
        };
        if service.edge && decides && !contexts.contains(&service.context) {
            contexts.push(service.context);
        }
    }
    if journey.feature == Some(feature) {
        let clients = estate.population.clients.iter();
        contexts.extend(clients.map(|client| estate.services[client.service].context));
    }
    contexts
}

/// The contexts that can mark `moment` in what `first` can lead to, each once.
pub fn markers(estate: &Estate, first: OperationId, moment: u16) -> Vec<u16> {
    let marks = |operation: &OperationId| {
        let operation = &estate.operations[*operation];
        let mut actions = operation.rules.iter().flat_map(|rule| &rule.actions);
        actions
            .any(|action| matches!(action, Action::Mark { moment: marked } if *marked == moment))
            .then_some(operation.service)
    };
    contexts(estate, operations(estate, first).iter().filter_map(marks))
}

fn contexts(estate: &Estate, services: impl Iterator<Item = ServiceId>) -> Vec<u16> {
    let mut contexts: Vec<u16> = services.map(|service| estate.services[service].context).collect();
    contexts.sort_unstable();
    contexts.dedup();
    contexts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::{BILLING, CHECKOUT, GATEWAY, MAILER, context, estate};

    #[test]
    fn what_a_journey_leads_to_crosses_calls_and_events() {
        let estate = estate();
        let journey = estate.journeys.iter().next().expect("the estate has a journey");
        assert_eq!(operations(&estate, journey.first).len(), estate.operations.len());
        let feature = estate.feature_named("new-checkout").expect("the estate has the feature");
        let contexts = [GATEWAY, CHECKOUT, BILLING, MAILER].map(|service| context(&estate, service));
        assert_eq!(readers(&estate, journey.first, feature), contexts[..3]);
        assert_eq!(markers(&estate, journey.first, 0), contexts[2..]);
    }
}
