//! Who calls whom, who hears of what, and which journeys get where.

use std::collections::BTreeSet;

use super::Draft;
use super::operations::Body;
use super::place::Place;
use crate::models::estate::{Part, TopicId};
use crate::models::program::OperationId;
use crate::scenario::defaults;
use crate::scenario::problem::Problem;
use crate::scenario::quantity;
use crate::scenario::shapes::VERBS;
use crate::scenario::tree::Node;
use crate::units::{Id, SimDuration};

/// The actions of a written operation, in every rule and row; rows by name, so that the order of keys never matters.
pub(super) fn actions_of<'n>(operation: &Place<'n>) -> Vec<Place<'n>> {
    let mut actions = Vec::new();
    let mut take_rules = |rules: &Place<'n>| {
        for rule in rules.items() {
            actions.extend(rule.key("do").items());
        }
    };
    if operation.node.and_then(Node::as_list).is_some() {
        take_rules(operation);
        return actions;
    }
    take_rules(&operation.key("rules"));
    for (_, row) in operation.key("by_stage").named() {
        let listed = row.node.and_then(Node::as_list).is_some();
        actions.extend(if listed { row.items() } else { row.key("do").items() });
    }
    actions
}

/// What an action does: its telling key.
pub(super) fn verb_of(action: &Place<'_>) -> Option<&'static str> {
    let entries = action.node?.as_map()?;
    let telling = |name: &str| VERBS.iter().map(|shape| shape.telling()).find(|verb| *verb == name);
    entries.iter().find_map(|entry| telling(entry.name()))
}

/// How long a queue can hold what it accepts: to the next time of day, or until it gives up.
fn longest_hold(until: &Place<'_>) -> SimDuration {
    const A_DAY: SimDuration = SimDuration::from_secs(24 * 3_600);
    if until.key("daily").is_given() {
        return A_DAY;
    }
    if !until.key("when").is_given() {
        return SimDuration::ZERO;
    }
    let at_most = until.key("at_most");
    quantity::duration(at_most.text().unwrap_or(defaults::HELD_AT_MOST.text)).unwrap_or(SimDuration::ZERO)
}

impl<'a> Draft<'a> {
    /// Draws the graph of operations and finds what each can be reached by.
    pub(super) fn reach(&mut self) {
        for at in 0..self.operations.len() {
            self.sketch(at);
        }
        self.check_cycles();
        let mut done: BTreeSet<(Option<_>, Option<_>, OperationId)> = BTreeSet::new();
        for at in 0..self.journeys.len() {
            let (feature, entity) = (self.journeys[at].feature, self.journeys[at].entity);
            let Some(first) = self.journeys[at].first else { continue };
            if self.lacks_feature(at) {
                continue;
            }
            let known = !done.insert((feature, entity, first));
            let reached = if known && !self.holds_somewhere() { continue } else { self.reached_from([first]) };
            let mut holds = SimDuration::ZERO;
            for id in reached {
                let draft = &mut self.operations[id.index()];
                draft.reached = true;
                draft.features.extend(feature);
                draft.entities.extend(entity);
                holds = holds.max(draft.holds);
            }
            self.allow_hold(at, holds);
        }
        // Where a journey could not be read, what it would reach is not known.
        if (0..self.journeys.len()).all(|at| self.journeys[at].first.is_some() && !self.lacks_feature(at)) {
            self.advise_unreached();
        }
    }

    /// Whether a journey names a feature that there is not.
    fn lacks_feature(&self, journey: usize) -> bool {
        self.journeys[journey].feature.is_none() && self.journeys[journey].place.key("feature").is_given()
    }

    fn holds_somewhere(&self) -> bool {
        self.operations.iter().any(|operation| !operation.holds.is_zero())
    }

    /// What an operation calls and emits, and the statuses it sets; unknown names are told when it is compiled.
    fn sketch(&mut self, at: usize) {
        let (mut calls, mut emits, mut holds) = (Vec::new(), Vec::new(), SimDuration::ZERO);
        let mut later = self.begun_later(self.operations[at].service, &[]);
        match self.operations[at].body.clone() {
            Body::Written(place) => {
                later = self.begun_later(self.operations[at].service, &actions_of(&place));
                for action in actions_of(&place) {
                    calls.extend(action.key("call").text().and_then(|target| self.find_operation(target)));
                    let set = action.key("set");
                    if let Some(status) = set.text() {
                        self.status(status, set.span);
                    }
                    self.note_names(&action);
                    holds = holds.max(longest_hold(&action.key("queue_until")));
                    let (topic, kind) = (action.key("emit"), action.key("type"));
                    let topic = topic.text().and_then(|name| {
                        self.estate.topics.enumerate().find(|(_, topic)| topic.name == name).map(|(id, _)| id)
                    });
                    let kind = kind
                        .text()
                        .and_then(|name| self.intern(kind.span, "event types", name, |estate| &mut estate.event_types));
                    emits.extend(topic.zip(kind));
                }
            }
            Body::Link { next, .. } => {
                calls.extend(next);
                calls.extend(self.plainly_called(at));
            }
            Body::Serve => calls.extend(self.plainly_called(at)),
        }
        let draft = &mut self.operations[at];
        (draft.calls, draft.emits, draft.later, draft.holds) = (calls, emits, later, holds);
    }

    /// Effects and moments are declared by being used, also in an operation that has other mistakes.
    fn note_names(&mut self, action: &Place<'a>) {
        let (effect, moment) = (action.key("effect"), action.key("mark"));
        if let Some(name) = effect.text() {
            self.intern(effect.span, "effects", name, |estate| &mut estate.effects);
        }
        if let Some(name) = moment.text() {
            self.intern(moment.span, "moments", name, |estate| &mut estate.moments);
        }
    }

    fn plainly_called(&self, at: usize) -> Vec<OperationId> {
        let service = self.operations[at].service;
        let calls = self.services[service.index()].place.key("calls").texts();
        calls.iter().filter_map(|(target, _)| self.find_operation(target)).collect()
    }

    /// The types of events that anybody emits to a topic.
    pub(super) fn emitted_on(&self, topic: TopicId) -> Vec<(u16, String)> {
        let emits = self.operations.iter().flat_map(|operation| &operation.emits);
        let types: BTreeSet<u16> = emits.filter(|(on, _)| *on == topic).map(|(_, kind)| *kind).collect();
        types.into_iter().map(|kind| (kind, self.estate.event_types.text(kind).to_owned())).collect()
    }

    /// The operations that handle an event on a topic.
    fn handlers_of(&self, topic: TopicId, kind: u16) -> Vec<OperationId> {
        let wanted = format!("on {}", self.estate.event_types.text(kind));
        let services = self.estate.topics[topic].groups.iter().map(|group| self.estate.groups[*group].service);
        let operations = services.flat_map(|service| self.estate.services[service].operations.iter().copied());
        operations.filter(|id| self.estate.operations[*id].name == wanted).collect()
    }

    /// Everything that follows from these operations, themselves included: calls, the handling of events, and what sagas
    /// start.
    pub(super) fn reached_from(&self, first: impl IntoIterator<Item = OperationId>) -> Vec<OperationId> {
        let mut reached = vec![false; self.operations.len()];
        let mut open: Vec<OperationId> = first.into_iter().collect();
        let mut heard: BTreeSet<(TopicId, u16)> = BTreeSet::new();
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut reached[id.index()], true) {
                continue;
            }
            let draft = &self.operations[id.index()];
            open.extend(draft.calls.iter().chain(&draft.later).copied());
            for (topic, kind) in &draft.emits {
                if heard.insert((*topic, *kind)) {
                    open.extend(self.handlers_of(*topic, *kind));
                }
            }
        }
        reached.iter().enumerate().filter(|(_, reached)| **reached).map(|(at, _)| Id::new(at)).collect()
    }

    /// Calls that come back to where they began would never be answered.
    fn check_cycles(&mut self) {
        #[derive(Clone, Copy, PartialEq)]
        enum Seen {
            Not,
            Open,
            Done,
        }
        let mut seen = vec![Seen::Not; self.operations.len()];
        for start in 0..self.operations.len() {
            // Depth first with a stack of its own: a chain may be as long as a file.
            let mut stack: Vec<(usize, usize)> = Vec::new();
            if seen[start] == Seen::Not {
                seen[start] = Seen::Open;
                stack.push((start, 0));
            }
            while let Some((at, next)) = stack.last_mut() {
                let at = *at;
                let Some(called) = self.operations[at].calls.get(*next).map(|id| id.index()) else {
                    seen[at] = Seen::Done;
                    stack.pop();
                    continue;
                };
                *next += 1;
                match seen[called] {
                    Seen::Not => {
                        seen[called] = Seen::Open;
                        stack.push((called, 0));
                    }
                    Seen::Open => {
                        let from = stack.iter().position(|(open, _)| *open == called).unwrap_or(0);
                        let cycle: Vec<usize> = stack[from..].iter().map(|(open, _)| *open).collect();
                        self.cycle(&cycle);
                    }
                    Seen::Done => {}
                }
            }
        }
    }

    fn cycle(&mut self, cycle: &[usize]) {
        /// More of a long cycle is not read.
        const SHOWN: usize = 12;
        let name = |at: &usize| {
            let operation = &self.estate.operations[Id::new(*at)];
            format!("{}.{}", self.estate.services[operation.service].name, operation.name)
        };
        let mut names: Vec<String> = cycle.iter().take(SHOWN).map(name).collect();
        if cycle.len() > SHOWN {
            names.push("…".to_owned());
        }
        names.extend(cycle.first().map(name));
        let message = format!("calls go round in a circle: {}", names.join(" -> "));
        let key = self.operations[cycle[0]].key;
        let problem = Problem::error(key, message).label("this call would never be answered");
        self.problems.push(problem.help("answer first and go on by an event, or call another operation"));
    }

    /// A service without operations that nothing calls is more often a misspelt one than one to come.
    fn advise_idle_services(&mut self) {
        let names: Vec<&str> = self.estate.services.iter().map(|service| service.name.as_str()).collect();
        for (id, service) in self.estate.services.enumerate() {
            if service.operations.is_empty() && service.part == Part::Service {
                let others = names.iter().copied().filter(|other| *other != service.name);
                let message = format!("no journey reaches the service `{}`", service.name);
                let problem = Problem::advice(self.services[id.index()].key, message).label("nothing calls it");
                self.problems.push(problem.did_you_mean(&service.name, others));
            }
        }
    }

    fn advise_unreached(&mut self) {
        self.advise_idle_services();
        // Whoever undoes an effect calls what the effect names, and may be a person.
        let mut compensators = Vec::new();
        named_as(self.root, "compensated_by", &mut compensators);
        for (at, draft) in self.operations.iter().enumerate() {
            let operation = &self.estate.operations[Id::new(at)];
            if draft.reached || !matches!(draft.body, Body::Written(_)) {
                continue;
            }
            if operation.name.starts_with("on ") {
                // Told as a handler of nothing, or follows from another operation that is told.
                continue;
            }
            let service = &self.estate.services[operation.service].name;
            if compensators.contains(&format!("{service}.{}", operation.name).as_str()) {
                continue;
            }
            let message = format!("no journey reaches `{service}.{}`", operation.name);
            self.problems.push(Problem::advice(draft.key, message).label("never called"));
        }
    }
}

/// Every text that a key of this name has, anywhere in a tree.
fn named_as<'n>(node: &'n Node, key: &str, found: &mut Vec<&'n str>) {
    for item in node.as_list().unwrap_or_default() {
        named_as(item, key, found);
    }
    for entry in node.as_map().unwrap_or_default() {
        found.extend(entry.value.as_text().filter(|_| entry.name() == key));
        named_as(&entry.value, key, found);
    }
}
