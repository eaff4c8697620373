//! The tree of one variant: includes beneath the file, the variant over it, `--set` over that, parameters replaced,
//! defaults beneath what they are defaults of.

use super::migration::{self, Preset};
use super::overlay;
use super::problem::{Problem, Problems, Sources, Span};
use super::shapes::{DELIVERIES, SCENARIO};
use super::tree::{self, Entry, Kind, Node};

/// How deep files may include files, and how many there may be.
const DEEPEST_INCLUDE: usize = 16;
const MOST_INCLUDES: usize = 100;
/// Nodes of the tree once defaults lie beneath everything.
const MOST_NODES: usize = 2_000_000;

/// The tree that is checked and resolved.
pub struct Merged {
    pub root: Node,
    /// The same before defaults were laid beneath services: what the plan's hash is made of.
    pub unexpanded: Node,
    pub params: Vec<(String, String)>,
    /// Where an unknown parameter stands: what else is wrong there follows from that.
    pub blanks: Vec<Span>,
    /// What a stage of the migration lays beneath it all.
    pub presets: Vec<Preset>,
}

impl Merged {
    /// Applies a variant and arguments to a scenario's tree.
    pub fn new(base: &Node, variant: Option<&str>, set: Vec<(String, Node)>, problems: &mut Problems) -> Merged {
        let mut root = base.clone();
        if let Some(name) = variant {
            root = with_variant(root, name, problems);
        }
        for (path, value) in set {
            root = with_argument(root, &path, value, problems);
        }
        remove(&mut root, "variants");
        let params = params_of(&root, problems);
        advise_unused(&root, &params, problems);
        let mut unknown = Problems::default();
        let unexpanded = overlay::substitute(&root, &params, &mut unknown);
        let unknown = unknown.into_vec();
        let blanks = unknown.iter().filter_map(|problem| problem.span).collect();
        problems.extend(unknown);
        let mut root = with_defaults(&unexpanded, problems);
        let presets = migration::lay_beneath(&mut root);
        Merged { root, unexpanded, params, blanks, presets }
    }
}

/// The file over everything it includes.
pub fn with_includes(
    root: Node,
    sources: &mut Sources,
    read: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    problems: &mut Problems,
) -> Node {
    let mut including = Including { sources, read, problems, open: Vec::new(), count: 0 };
    including.file(root)
}

struct Including<'i> {
    sources: &'i mut Sources,
    read: &'i mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    problems: &'i mut Problems,
    open: Vec<String>,
    count: usize,
}

impl Including<'_> {
    fn file(&mut self, mut root: Node) -> Node {
        let Some(listed) = remove(&mut root, "include") else { return root };
        let Some(items) = listed.as_list() else {
            let problem = Problem::error(listed.span, format!("`include` is a list, not {}", listed.describe()));
            self.problems.push(problem.label("expected files: [shared/estate.yaml]"));
            return root;
        };
        let mut below: Option<Node> = None;
        for item in items {
            let Some(path) = item.as_text().filter(|_| !item.is_null()) else {
                self.problems.push(Problem::error(item.span, "expected the name of a file").label("not a name"));
                continue;
            };
            let Some(included) = self.include(path, item.span) else { continue };
            below = Some(match below {
                None => included,
                Some(below) => overlay::include(&below, &included, self.problems),
            });
        }
        match below {
            None => root,
            Some(below) => overlay::include(&below, &root, self.problems),
        }
    }

    fn include(&mut self, path: &str, span: Span) -> Option<Node> {
        let refused = if self.open.iter().any(|open| open == path) {
            Some(format!("`{path}` includes itself: {} -> {path}", self.open.join(" -> ")))
        } else if self.open.len() >= DEEPEST_INCLUDE {
            Some(format!("files include files more than {DEEPEST_INCLUDE} levels deep"))
        } else if self.count >= MOST_INCLUDES {
            Some(format!("more than {MOST_INCLUDES} included files"))
        } else {
            None
        };
        if let Some(message) = refused {
            self.problems.push(Problem::error(span, message).label("included here"));
            return None;
        }
        self.count += 1;
        let bytes = match (self.read)(path) {
            Ok(bytes) => bytes,
            Err(why) => {
                let problem = Problem::error(span, format!("`{path}` cannot be read: {why}"));
                self.problems.push(problem.label("included here, relative to the scenario"));
                return None;
            }
        };
        match tree::read(self.sources, path, &bytes) {
            Ok(root) => {
                self.open.push(path.to_owned());
                let mut root = self.file(root);
                self.open.pop();
                // What a file says of itself is not part of what others include.
                for own in ["windtunnel", "name", "summary"] {
                    remove(&mut root, own);
                }
                Some(root)
            }
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }
}

/// The arguments of `--set`, read.
pub fn arguments(set: &[String], sources: &mut Sources, problems: &mut Problems) -> Vec<(String, Node)> {
    let mut arguments = Vec::new();
    for argument in set {
        match tree::read_argument(sources, argument) {
            Ok(read) => arguments.push(read),
            Err(found) => problems.extend(found),
        }
    }
    arguments
}

fn with_variant(root: Node, name: &str, problems: &mut Problems) -> Node {
    let variants = root.get("variants").and_then(Node::as_map).unwrap_or_default();
    let Some(patch) = variants.iter().find(|entry| entry.name() == name).map(|entry| entry.value.clone()) else {
        let problem = Problem::error(None, format!("the scenario has no variant `{name}`"));
        let names: Vec<&str> = variants.iter().map(Entry::name).chain([super::BASE]).collect();
        let problem = problem.help(format!("there are {}", names.join(", ")));
        problems.push(problem.did_you_mean(name, names.iter().copied()));
        return root;
    };
    if !patch.is_null() && patch.as_map().is_none() {
        let problem = Problem::error(patch.span, format!("the variant `{name}` is a map, not {}", patch.describe()));
        problems.push(problem.label("expected what it changes"));
        return root;
    }
    for own in ["windtunnel", "variants", "include"] {
        if let Some(entry) = patch.as_map().unwrap_or_default().iter().find(|entry| entry.name() == own) {
            let problem = Problem::error(entry.key.span, format!("a variant cannot change `{own}`"));
            problems.push(problem.label("not expected here"));
            return root;
        }
    }
    let mut root = root;
    give_way(&mut root, &patch);
    let mut over = overlay::overlay(&root, &patch, problems);
    spare_external(&mut over, &root, &patch);
    over
}

/// What only a service of ours has.
const OURS: [&str; 5] = ["sdk", "decides_from", "edge", "local", "forwards"];

/// Takes back what `"*"` said of services that are not ours and cannot have it.
fn spare_external(over: &mut Node, base: &Node, patch: &Node) {
    let Some(services) = patch.get("services") else { return };
    let Some(every) = services.get("*") else { return };
    let Some(Kind::Map(entries)) = over.get_mut("services").map(|node| &mut node.kind) else { return };
    for Entry { key, value: service } in entries {
        if service.get("external").and_then(Node::as_text) != Some("true") {
            continue;
        }
        let name = key.as_text().unwrap_or_default();
        let own = |tree: Option<&Node>, key: &str| tree.and_then(|tree| tree.get(name)?.get(key)).is_some();
        for key in OURS {
            if every.get(key).is_some() && !own(base.get("services"), key) && !own(Some(services), key) {
                remove(service, key);
            }
        }
    }
}

/// What is replaced as a whole steps aside before a patch is merged: an expectation, and of an sdk its delivery.
fn give_way(base: &mut Node, patch: &Node) {
    let expected = patch.get("expect").and_then(Node::as_map).unwrap_or_default();
    let base_expect = base.get_mut("expect");
    if let Some(base_expect) = base_expect {
        for entry in expected.iter().filter(|entry| entry.value.as_map().is_some()) {
            if let Some(value) = base_expect.get_mut(entry.name())
                && value.as_map().is_some()
            {
                *value = Node::scalar(value.span, "replaced", true);
            }
        }
    }
    let services = patch.get("services").and_then(Node::as_map).unwrap_or_default();
    let Some(Kind::Map(base_services)) = base.get_mut("services").map(|node| &mut node.kind) else { return };
    for service in base_services {
        let Entry { key, value } = service;
        for patch in services.iter().filter(|patch| patch.name() == "*" || Some(patch.name()) == key.as_text()) {
            sdk_gives_way(value, &patch.value);
        }
    }
}

/// Takes the delivery out of a service's sdk where the sdk over it brings another one.
fn sdk_gives_way(service: &mut Node, over: &Node) {
    let brings = |key: &str| over.get("sdk").and_then(|sdk| sdk.get(key)).is_some_and(|value| !value.is_null());
    let Some(brought) = DELIVERIES.into_iter().find(|key| brings(key)) else { return };
    if let Some(Kind::Map(entries)) = service.get_mut("sdk").map(|sdk| &mut sdk.kind) {
        entries.retain(|entry| entry.name() == brought || !DELIVERIES.contains(&entry.name()));
    }
}

/// `--set`: a parameter by its name, or anything by its path; `services.*` is every service, as in a variant.
fn with_argument(root: Node, path: &str, value: Node, problems: &mut Problems) -> Node {
    let params = root.get("params").and_then(Node::as_map).unwrap_or_default();
    if params.iter().any(|entry| entry.name() == path) {
        return overlay::set(&root, &format!("params.{path}"), value, problems);
    }
    if let Some(rest) = path.strip_prefix("services.*.").filter(|rest| rest.split('.').all(|part| !part.is_empty())) {
        return with_every_service(root, rest, value, problems);
    }
    let keys = || SCENARIO.keys.iter().map(|key| key.name);
    if !path.contains('.') && root.get(path).is_none() && !keys().any(|key| key == path) {
        let problem = Problem::error(value.span, format!("unknown key `{path}`"));
        let problem = problem.label("neither a parameter nor a key of a scenario");
        let names: Vec<&str> = params.iter().map(Entry::name).chain(keys()).collect();
        problems.push(problem.did_you_mean(path, names.iter().copied()));
        return root;
    }
    overlay::set(&root, path, value, problems)
}

/// A value at a path within every service.
fn with_every_service(mut root: Node, path: &str, value: Node, problems: &mut Problems) -> Node {
    let span = value.span;
    let within = |node: Node, key: &str| {
        let key = Node::scalar(span, key, true);
        Node { span, kind: Kind::Map(vec![Entry { key, value: node }]) }
    };
    let patch = path.rsplit('.').chain(["*", "services"]).fold(value, within);
    give_way(&mut root, &patch);
    let mut over = overlay::overlay(&root, &patch, problems);
    spare_external(&mut over, &root, &patch);
    over
}

fn params_of(root: &Node, problems: &mut Problems) -> Vec<(String, String)> {
    let entries = root.get("params").and_then(Node::as_map).unwrap_or_default();
    let mut params = Vec::new();
    for entry in entries {
        let Some(text) = entry.value.as_text().filter(|_| !entry.value.is_null()) else { continue };
        if text.contains("${") {
            let problem = Problem::error(entry.value.span, "a parameter cannot stand for another");
            problems.push(problem.label("expected a value"));
            continue;
        }
        params.push((entry.name().to_owned(), text.to_owned()));
    }
    params.sort();
    params
}

/// A parameter that nothing stands for does nothing when it is set.
fn advise_unused(root: &Node, params: &[(String, String)], problems: &mut Problems) {
    fn mentions(node: &Node, wanted: &str) -> bool {
        match &node.kind {
            Kind::Scalar(scalar) => scalar.text.contains(wanted),
            Kind::List(items) => items.iter().any(|item| mentions(item, wanted)),
            Kind::Map(entries) => entries.iter().any(|entry| mentions(&entry.value, wanted)),
        }
    }
    /// Beyond so many, looking each up in the whole tree costs more than the advice is worth.
    const LOOKED_UP: usize = 50;
    let entries = root.get("params").and_then(Node::as_map).unwrap_or_default();
    for (name, _) in params.iter().take(LOOKED_UP) {
        if !mentions(root, &format!("${{{name}}}")) {
            let span = entries.iter().find(|entry| entry.name() == name).map(|entry| entry.key.span);
            let problem = Problem::advice(span, format!("nothing uses the parameter `{name}`"));
            problems.push(problem.label("changing it changes nothing").help(format!("use it as \"${{{name}}}\"")));
        }
    }
}

/// Lays `defaults.service` beneath each service and `defaults.sdk` beneath each sdk.
fn with_defaults(root: &Node, problems: &mut Problems) -> Node {
    let mut root = root.clone();
    let Some(defaults) = root.get("defaults").cloned() else { return root };
    let of_service = defaults.get("service").filter(|node| node.as_map().is_some());
    let of_sdk = defaults.get("sdk").filter(|node| node.as_map().is_some());
    let Some(Kind::Map(services)) = root.get_mut("services").map(|node| &mut node.kind) else { return root };
    let added = of_service.map_or(0, size) + of_sdk.map_or(0, size);
    if added.saturating_mul(services.len()) > MOST_NODES {
        let problem = Problem::error(defaults.span, "these defaults make the scenario too large");
        problems
            .push(problem.label(format!("beneath {} services they are more than {MOST_NODES} values", services.len())));
        return root;
    }
    for Entry { value: service, .. } in services {
        if service.as_map().is_none() {
            continue;
        }
        let external = service.get("external").and_then(Node::as_text) == Some("true");
        if let Some(beneath) = of_service {
            let mut beneath = beneath.clone();
            if external {
                // What is not ours has no sdk of ours and takes no decisions.
                for key in OURS {
                    remove(&mut beneath, key);
                }
            }
            sdk_gives_way(&mut beneath, service);
            drop_idle_nulls(service, &beneath);
            let own_sources = service.get("decides_from").is_some();
            *service = overlay::overlay(&beneath, service, problems);
            if !own_sources && service.get("sdk").is_none() {
                without_sdk(service);
            }
        }
        if let Some(beneath) = of_sdk
            && let Some(sdk) = service.get_mut("sdk").filter(|sdk| sdk.as_map().is_some())
        {
            let mut beneath = beneath.clone();
            if let (Kind::Map(entries), true) =
                (&mut beneath.kind, DELIVERIES.into_iter().any(|key| sdk.get(key).is_some()))
            {
                entries.retain(|entry| !DELIVERIES.contains(&entry.name()));
            }
            *sdk = overlay::overlay(&beneath, sdk, problems);
        }
    }
    root
}

/// A service that has no sdk does not decide from one because the others do.
fn without_sdk(service: &mut Node) {
    let Some(Kind::List(sources)) = service.get_mut("decides_from").map(|node| &mut node.kind) else { return };
    sources.retain(|source| !matches!(source.as_text(), Some("sdk" | "kill")));
    if sources.is_empty() {
        remove(service, "decides_from");
    }
}

/// A null says that a service has none of what lies beneath; where nothing lies there, it has none already.
fn drop_idle_nulls(service: &mut Node, beneath: &Node) {
    if let Kind::Map(entries) = &mut service.kind {
        entries.retain(|entry| !entry.value.is_null() || entry.name() == "when" || beneath.get(entry.name()).is_some());
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::Scalar(_) => 0,
        Kind::List(items) => items.iter().map(size).sum(),
        Kind::Map(entries) => entries.iter().map(|entry| 1 + size(&entry.value)).sum(),
    }
}

/// Takes a key out of a map.
fn remove(node: &mut Node, key: &str) -> Option<Node> {
    let Kind::Map(entries) = &mut node.kind else { return None };
    let at = entries.iter().position(|entry| entry.name() == key)?;
    Some(entries.remove(at).value)
}

trait GetMut {
    fn get_mut(&mut self, key: &str) -> Option<&mut Node>;
}

impl GetMut for Node {
    fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let Kind::Map(entries) = &mut self.kind else { return None };
        entries.iter_mut().find(|entry| entry.name() == key).map(|entry| &mut entry.value)
    }
}
