//! What a rule reads: the estate of one variant, and where in its files things are written.

use crate::models::estate::{AtTimeout, Estate, Quantity, Service};
use crate::models::program::{Action, OperationId, RuleWhen};
use crate::rollout::FeatureId;
use crate::scenario::problem::Span;
use crate::scenario::tree::Node;

/// One variant of a scenario.
pub struct Subject<'a> {
    pub estate: &'a Estate,
    root: &'a Node,
    flags: Option<&'a Node>,
    /// By operation: whether a journey gets there, by calls or by events.
    reached: Vec<bool>,
}

impl<'a> Subject<'a> {
    pub fn new(root: &'a Node, flags: Option<&'a Node>, estate: &'a Estate) -> Self {
        Subject { estate, root, flags, reached: reached(estate) }
    }

    /// Operations that some journey gets to.
    pub fn operations(&self) -> impl Iterator<Item = OperationId> + '_ {
        self.estate.operations.ids().filter(|id| self.reached[id.index()])
    }

    /// `service.operation`.
    pub fn operation_name(&self, id: OperationId) -> String {
        let operation = &self.estate.operations[id];
        format!("{}.{}", self.estate.services[operation.service].name, operation.name)
    }

    /// The index of the context an operation belongs to.
    pub fn context_of(&self, id: OperationId) -> u16 {
        self.estate.services[self.estate.operations[id].service].context
    }

    /// Whether a feature is a flag of the flag file.
    pub fn is_flag(&self, feature: FeatureId) -> bool {
        self.estate.features[feature].stages.iter().any(|stage| stage.value.is_some())
    }

    /// Whether closed-loop users depend on a feature.
    pub fn users_read(&self, feature: FeatureId) -> bool {
        self.estate.users.iter().any(|users| {
            let counts = matches!(users.count, Quantity::Flag { feature: read, .. } if read == feature);
            counts || users.while_on == Some(feature)
        })
    }

    /// The reached operations that read a feature.
    pub fn readers(&self, feature: FeatureId) -> Vec<OperationId> {
        self.operations().filter(|id| self.estate.operations[*id].may_read.contains(&feature)).collect()
    }

    /// Where the key at the end of a path is written.
    pub fn key(&self, path: &[&str]) -> Option<Span> {
        key_in(self.root, path)
    }

    /// What is written at a path.
    pub fn node(&self, path: &[&str]) -> Option<&'a Node> {
        path.iter().try_fold(self.root, |node, key| node.get(key))
    }

    /// Where a feature is declared.
    pub fn feature(&self, feature: FeatureId) -> Option<Span> {
        let name = self.estate.features[feature].name.as_str();
        let in_file = || key_in(self.flags?, &["flags", name]);
        self.key(&["features", name]).or_else(in_file).or_else(|| self.key(&["flags"]))
    }

    /// Where a key of a feature is written, or else the feature.
    pub fn feature_key(&self, feature: FeatureId, key: &str) -> Option<Span> {
        self.node(&["features", &self.estate.features[feature].name, key])
            .map(|node| node.span)
            .or_else(|| self.feature(feature))
    }

    /// Where a stage is listed.
    pub fn stage(&self, feature: FeatureId, stage: &str) -> Option<Span> {
        let items = self.node(&["features", &self.estate.features[feature].name, "stages"]).and_then(Node::as_list);
        let found = items.unwrap_or_default().iter().find(|item| {
            let named = item.as_map().is_some_and(|entries| entries.iter().any(|entry| entry.name() == stage));
            item.as_text() == Some(stage) || named
        });
        found.map(|item| item.span).or_else(|| self.feature(feature))
    }

    /// Where a rollout is written.
    pub fn rollout(&self, feature: FeatureId) -> Option<Span> {
        self.key(&["rollout", &self.estate.features[feature].name])
    }

    /// A step of a rollout.
    pub fn step(&self, feature: FeatureId, step: usize) -> Option<&'a Node> {
        self.node(&["rollout", &self.estate.features[feature].name, "steps"])?.as_list()?.get(step)
    }

    /// Where an operation is written: its key, or the journey whose `calls` make it.
    pub fn operation(&self, id: OperationId) -> Option<Span> {
        let operation = &self.estate.operations[id];
        let service = self.estate.services[operation.service].name.as_str();
        let journey = operation.name.split(" (").next().unwrap_or_default();
        self.key(&["services", service, "operations", &operation.name])
            .or_else(|| self.key(&["journeys", journey, "calls"]))
            .or_else(|| self.key(&["services", service]))
    }

    /// Where a rule of an operation is written.
    pub fn rule(&self, id: OperationId, rule: usize) -> Option<Span> {
        let operation = &self.estate.operations[id];
        let service = self.estate.services[operation.service].name.as_str();
        let written = self.node(&["services", service, "operations", &operation.name]);
        let in_list = |node: &'a Node| Some(node.as_list().or_else(|| node.get("rules")?.as_list())?.get(rule)?.span);
        let in_matrix = |node: &'a Node| {
            let rows = node.get("by_stage")?.as_map()?;
            let names: Vec<&str> = match &operation.rules[rule].when {
                RuleWhen::Stages { feature, stages } => {
                    stages.iter().map(|stage| self.estate.features[*feature].stage_name(*stage)).collect()
                }
                RuleWhen::Always | RuleWhen::Condition(_) => Vec::new(),
            };
            let named = names.iter().find_map(|name| rows.iter().find(|row| row.name() == *name));
            named.or_else(|| rows.iter().find(|row| row.name() == "else")).map(|row| row.key.span)
        };
        written.and_then(|node| in_list(node).or_else(|| in_matrix(node))).or_else(|| self.operation(id))
    }

    /// An entry of the timeline. Random faults become one entry for each kind, so that later entries move on.
    pub fn timeline(&self, at: usize) -> Option<Span> {
        let items = self.node(&["timeline"]).and_then(Node::as_list).unwrap_or_default();
        let mut entry = 0;
        for item in items {
            entry += item.get("random").and_then(Node::as_list).map_or(1, <[Node]>::len);
            if entry > at {
                return Some(item.span);
            }
        }
        self.key(&["timeline"])
    }
}

fn key_in(root: &Node, path: &[&str]) -> Option<Span> {
    let (last, before) = path.split_last()?;
    let map = before.iter().try_fold(root, |node, key| node.get(key))?.as_map()?;
    map.iter().find(|entry| entry.name() == *last).map(|entry| entry.key.span)
}

/// Follows every journey by its calls, the events it causes and what its sagas start.
fn reached(estate: &Estate) -> Vec<bool> {
    let mut reached = vec![false; estate.operations.len()];
    let at_timeout = |service: &Service| service.saga.as_ref().map(|saga| saga.on_timeout);
    let compensates = estate.services.iter().any(|service| at_timeout(service) == Some(AtTimeout::Compensate));
    let mut open: Vec<OperationId> = estate.journeys.iter().map(|journey| journey.first).collect();
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut reached[id.index()], true) {
            continue;
        }
        if let Some(AtTimeout::Run(then)) = at_timeout(&estate.services[estate.operations[id].service]) {
            open.push(then);
        }
        for action in estate.operations[id].rules.iter().flat_map(|rule| &rule.actions) {
            if let Some(site) = action.effect() {
                open.extend(site.compensated_by.filter(|_| compensates));
            }
            if let Action::Call(site) = action {
                open.push(site.operation);
            }
            if let Action::Emit(site) = action {
                let groups = estate.topics[site.topic].groups.iter().map(|group| &estate.groups[*group]);
                let handlers = groups.flat_map(|group| &group.handlers);
                open.extend(handlers.filter(|(kind, _)| *kind == site.event_type).map(|(_, id)| *id));
            }
        }
    }
    reached
}
