//! `migration: 1..5`: the stages in which an estate comes from flags of its own in each service to one rollout that
//! travels, as values beneath whatever the file does not say. A preset makes no business of its own: what is shadowed,
//! compared and emitted stays the file's.

use super::defaults;
use super::problem::Span;
use super::tree::{Entry, Kind, Node};

/// A stage of the migration.
struct Stage {
    number: &'static str,
    /// Where its values are from, as `explain assumptions` prints it.
    source: &'static str,
}

const STAGES: [Stage; 5] = [
    Stage { number: "1", source: "migration: 1, central inventory and local flags" },
    Stage { number: "2", source: "migration: 2, rollout context carried from the edge" },
    Stage { number: "3", source: "migration: 3, versioned contracts of events" },
    Stage { number: "4", source: "migration: 4, reconciliation and shadowing" },
    Stage { number: "5", source: "migration: 5, local checks retired" },
];

/// A value that a stage has set: its path as `--set` names it, how a file writes it, and its source.
pub struct Preset {
    pub path: String,
    pub value: String,
    pub source: &'static str,
}

/// Lays the values of a stage beneath a tree whose defaults lie in it already. What is no stage is told by the shape.
pub fn lay_beneath(root: &mut Node) -> Vec<Preset> {
    let Some(asked) = root.get("migration").filter(|node| !node.is_null()) else { return Vec::new() };
    let (span, text) = (asked.span, asked.as_text().unwrap_or_default());
    let Some(at) = STAGES.iter().position(|stage| stage.number == text) else { return Vec::new() };
    let mut laying = Laying { span, stage: at + 1, source: STAGES[at].source, laid: Vec::new() };
    laying.services(root);
    laying.topics(root);
    if laying.stage >= 4 {
        laying.exits(root);
    }
    laying.laid
}

struct Laying {
    span: Span,
    stage: usize,
    source: &'static str,
    laid: Vec<Preset>,
}

impl Laying {
    fn services(&mut self, root: &mut Node) {
        let entries = entry_services(root);
        let Some(services) = map_of(root, "services") else { return };
        for Entry { key, value: service } in services {
            let external = service.get("external").and_then(Node::as_text) == Some("true");
            let (Some(name), false, true) = (key.as_text(), external, service.as_map().is_some()) else { continue };
            let (path, is_entry) = (format!("services.{name}"), entries.iter().any(|entry| entry == name));
            let is_edge = self.stage >= 2 && is_entry;
            if is_edge {
                self.text(service, &path, "edge", "true");
            }
            if self.stage == 1 {
                self.text(service, &path, "forwards", "0%");
            }
            if service.get("ignores").is_some() {
                continue;
            }
            let consumes = service.get("consumes").is_some();
            let own_sdk = given(service, "sdk");
            let sources = self.sources(is_edge, consumes, own_sdk);
            if sources.contains(&"sdk") && !own_sdk && !given(service, "decides_from") {
                let poll = Entry { key: self.scalar("poll"), value: self.scalar(defaults::MIGRATION_POLL.text) };
                let sdk = Node { span: self.span, kind: Kind::Map(vec![poll]) };
                self.set(service, &path, "sdk", sdk, format!("{{ poll: {} }}", defaults::MIGRATION_POLL.text));
            }
            self.list(service, &path, "decides_from", &sources);
            if self.stage >= 3 && consumes {
                self.text(service, &path, "otherwise", "park");
            }
        }
    }

    /// Where a service of ours takes its decisions from.
    fn sources(&self, is_edge: bool, consumes: bool, own_sdk: bool) -> Vec<&'static str> {
        let mut sources = Vec::new();
        let retired = self.stage == 5 && !is_edge;
        if retired && own_sdk {
            sources.push("kill");
        }
        if self.stage >= 2 && !is_edge {
            sources.push("context");
        }
        if self.stage >= 3 && consumes {
            sources.push("event");
        }
        if !retired {
            sources.push("sdk");
        }
        sources.push("safe_stage");
        sources
    }

    fn topics(&mut self, root: &mut Node) {
        let of_all = |root: &Node| root.get("defaults")?.get("topic")?.get("carries").map(|_| ());
        if of_all(root).is_some() {
            return;
        }
        let stage = self.stage;
        let Some(topics) = map_of(root, "topics") else { return };
        for Entry { key, value: topic } in topics {
            let Some(name) = key.as_text() else { continue };
            if topic.is_null() {
                *topic = Node { span: self.span, kind: Kind::Map(Vec::new()) };
            }
            let path = format!("topics.{name}");
            match stage {
                1 | 2 => self.list(topic, &path, "carries", &[]),
                _ => self.text(topic, &path, "carries", "all"),
            }
        }
    }

    /// Each step of a rollout without an `exit` waits for the jobs that compare the results of its feature.
    fn exits(&mut self, root: &mut Node) {
        let features: Vec<String> = names(root, "features");
        let mut bounds: Vec<(String, String)> = Vec::new();
        for Entry { key, value: job } in map_of(root, "reconciliation").into_iter().flatten() {
            let Some(name) = key.as_text().map(str::to_owned) else { continue };
            let metric = format!("{}_variance", name.replace('-', "_"));
            self.text(job, &format!("reconciliation.{name}"), "metric", &metric);
            let metric = job.get("metric").and_then(Node::as_text).unwrap_or_default();
            let allows = job.get("allows").and_then(Node::as_text).unwrap_or(defaults::VARIANCE.text);
            let feature = job.get("feature").and_then(Node::as_text).or(match features.as_slice() {
                [only] => Some(only),
                _ => None,
            });
            bounds.extend(feature.map(|feature| (feature.to_owned(), format!("{metric} <= {allows}"))));
        }
        let Some(rollouts) = map_of(root, "rollout") else { return };
        for Entry { key, value: rollout } in rollouts {
            let Some(feature) = key.as_text() else { continue };
            let steps = rollout.get("steps").and_then(Node::as_list).unwrap_or_default();
            let own: Vec<&str> =
                bounds.iter().filter(|(of, _)| of == feature).map(|(_, bound)| bound.as_str()).collect();
            if own.is_empty() || steps.iter().any(|step| given(step, "exit")) {
                continue;
            }
            let path = format!("rollout.{feature}");
            self.list(rollout, &path, "exit", &own);
        }
    }

    fn scalar(&self, text: &str) -> Node {
        Node::scalar(self.span, text, true)
    }

    fn text(&mut self, node: &mut Node, path: &str, key: &str, text: &str) {
        let value = self.scalar(text);
        self.set(node, path, key, value, text.to_owned());
    }

    fn list(&mut self, node: &mut Node, path: &str, key: &str, items: &[&str]) {
        let value = Node { span: self.span, kind: Kind::List(items.iter().map(|item| self.scalar(item)).collect()) };
        self.set(node, path, key, value, format!("[{}]", items.join(", ")));
    }

    /// Sets a key that the file does not have. A null says that there is none, and stays.
    fn set(&mut self, node: &mut Node, path: &str, key: &str, value: Node, written: String) {
        let key_node = self.scalar(key);
        let Kind::Map(entries) = &mut node.kind else { return };
        if entries.iter().all(|entry| entry.name() != key) {
            entries.push(Entry { key: key_node, value });
            self.laid.push(Preset { path: format!("{path}.{key}"), value: written, source: self.source });
        }
    }
}

fn given(node: &Node, key: &str) -> bool {
    node.get(key).is_some_and(|value| !value.is_null())
}

fn names(root: &Node, key: &str) -> Vec<String> {
    let entries = root.get(key).and_then(Node::as_map).unwrap_or_default();
    entries.iter().map(|entry| entry.name().to_owned()).collect()
}

fn map_of<'n>(root: &'n mut Node, key: &str) -> Option<&'n mut Vec<Entry>> {
    let Kind::Map(entries) = &mut root.kind else { return None };
    let found = entries.iter_mut().find(|entry| entry.name() == key)?;
    match &mut found.value.kind {
        Kind::Map(entries) => Some(entries),
        Kind::Scalar(_) | Kind::List(_) => None,
    }
}

/// The services in which journeys begin: those customers meet.
fn entry_services(root: &Node) -> Vec<String> {
    let journeys = root.get("journeys").and_then(Node::as_map).unwrap_or_default();
    let first = |journey: &Node| {
        let called = journey.get("calls").and_then(Node::as_list).and_then(|calls| calls.first()?.as_text());
        let operation = journey.get("first").and_then(Node::as_text);
        operation.map(|of| of.split('.').next().unwrap_or(of)).or(called).map(str::to_owned)
    };
    journeys.iter().filter_map(|entry| first(&entry.value)).collect()
}
