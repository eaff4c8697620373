//! One tree over another.

use std::collections::BTreeMap;

use super::super::problem::{Problem, Problems, Span};
use super::super::tree::{Entry, Kind, MOST_NODES, Node};
use super::item_name;

/// Keys that decide whether something happens. Leaving their value out is a slip, never a wish to remove them.
const CONDITIONS: [&str; 5] = ["when", "unless", "of", "exit", "gate"];

/// Where a merge is in the tree, as far as it matters to how things merge there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Root,
    /// The map of services, where `"*"` means each of them.
    Services,
    /// The map of variants, whose entries are patches: they are taken as they are.
    Variants,
    /// Within what `"*"` says about a service; a null there removes a key from those that have it.
    EveryService,
    Below,
}

impl Place {
    fn within(self, key: &str) -> Place {
        match (self, key) {
            (Place::Root, "services") => Place::Services,
            (Place::Root, "variants") => Place::Variants,
            (Place::EveryService, _) => Place::EveryService,
            (Place::Root | Place::Services | Place::Variants | Place::Below, _) => Place::Below,
        }
    }
}

/// The patch over the base. Recurses no deeper than a tree that was read.
pub(super) fn merge(base: &Node, patch: &Node, place: Place, problems: &mut Problems) -> Node {
    match (&base.kind, &patch.kind) {
        (Kind::Map(below), Kind::Map(above)) if !is_other_form(below, above) => {
            Node { span: base.span, kind: Kind::Map(merge_maps(below, above, place, problems)) }
        }
        (Kind::List(items), Kind::Map(above)) => patch_by_name(base, items, above, place, problems),
        // What replaces still has its nulls looked at, and its `key+` made lists.
        (_, Kind::Map(above)) => Node { span: patch.span, kind: Kind::Map(merge_maps(&[], above, place, problems)) },
        (_, Kind::Scalar(_) | Kind::List(_)) => patch.clone(),
    }
}

/// Two forms of a random duration do not merge: `{ mean: 20ms }` over `{ p50: 10ms, p99: 40ms }` replaces it.
fn is_other_form(below: &[Entry], above: &[Entry]) -> bool {
    fn form(entries: &[Entry]) -> Option<&str> {
        let form = |entry: &Entry| match entry.name() {
            "p50" | "p99" => Some("lognormal"),
            "mean" => Some("mean"),
            "between" => Some("between"),
            "empirical" => Some("empirical"),
            _ => None,
        };
        let first = form(entries.first()?)?;
        entries.iter().all(|entry| form(entry) == Some(first)).then_some(first)
    }
    matches!((form(below), form(above)), (Some(below), Some(above)) if below != above)
}

/// The entries of a map while a patch goes over them, found by name.
struct Merged {
    entries: Vec<Option<Entry>>,
    by_name: BTreeMap<String, usize>,
}

impl Merged {
    fn new(below: &[Entry]) -> Self {
        let by_name = below.iter().enumerate().map(|(at, entry)| (entry.name().to_owned(), at)).collect();
        Merged { entries: below.iter().cloned().map(Some).collect(), by_name }
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut Entry> {
        let at = *self.by_name.get(name)?;
        self.entries[at].as_mut()
    }

    fn push(&mut self, entry: Entry) {
        self.by_name.insert(entry.name().to_owned(), self.entries.len());
        self.entries.push(Some(entry));
    }

    fn remove(&mut self, name: &str) -> Option<Entry> {
        let at = self.by_name.remove(name)?;
        self.entries[at].take()
    }
}

fn merge_maps(below: &[Entry], above: &[Entry], place: Place, problems: &mut Problems) -> Vec<Entry> {
    let mut merged = Merged::new(below);
    let (every, above): (Vec<&Entry>, Vec<&Entry>) =
        above.iter().partition(|entry| place == Place::Services && entry.name() == "*");
    let every = every.first().filter(|every| is_applicable(every, below.len() + above.len(), problems));
    let every = every.map(|every| &every.value);
    if let Some(every) = every {
        for entry in merged.entries.iter_mut().flatten() {
            entry.value = merge(&entry.value, every, Place::EveryService, problems);
        }
    }
    // Sets before appends, so that the order of keys never matters.
    let (appends, sets): (Vec<_>, Vec<_>) = above.into_iter().partition(|entry| appended_name(entry).is_some());
    for entry in sets {
        set(&mut merged, entry, every, place, problems);
    }
    for entry in appends {
        append(&mut merged, entry, problems);
    }
    merged.entries.into_iter().flatten().collect()
}

/// Whether what `"*"` says can be said of every service: it is a map, and small enough to be there so many times.
fn is_applicable(every: &Entry, services: usize, problems: &mut Problems) -> bool {
    let span = every.key.span;
    if every.value.as_map().is_none() {
        let problem =
            Problem::error(span, format!("`*` patches every service with a map, found {}", every.value.describe()));
        problems.push(problem.label("expected the keys to change"));
        return false;
    }
    if size(&every.value).saturating_mul(services) > MOST_NODES {
        problems.push(
            Problem::error(span, format!("`*` makes more than {MOST_NODES} values")).label("too much, too often"),
        );
        return false;
    }
    true
}

fn size(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::Scalar(_) => 0,
        Kind::List(items) => items.iter().map(size).sum(),
        Kind::Map(entries) => entries.iter().map(|entry| size(&entry.value)).sum(),
    }
}

fn set(merged: &mut Merged, entry: &Entry, every: Option<&Node>, place: Place, problems: &mut Problems) {
    if entry.value.is_null() {
        return remove(merged, entry, place, problems);
    }
    let inside = place.within(entry.name());
    let Some(below) = merged.get_mut(entry.name()) else {
        let nothing = Node { span: entry.value.span, kind: Kind::Map(Vec::new()) };
        let base = every.map(|every| merge(&nothing, every, Place::EveryService, problems));
        let value = match place {
            Place::Variants => entry.value.clone(),
            _ => merge(base.as_ref().unwrap_or(&nothing), &entry.value, inside, problems),
        };
        return merged.push(Entry { key: entry.key.clone(), value: Node { span: entry.value.span, ..value } });
    };
    if place == Place::Variants {
        *below = entry.clone();
        return;
    }
    let value = merge(&below.value, &entry.value, inside, problems);
    // What was replaced is from now on told where it was replaced.
    if value.span != below.value.span {
        below.key = entry.key.clone();
    }
    below.value = value;
}

/// A null in the patch: it removes what is below. Where nothing is below, `key:` defines something by its name alone,
/// and a null that was written is a mistake.
fn remove(merged: &mut Merged, entry: &Entry, place: Place, problems: &mut Problems) {
    let is_written = entry.value.as_text() != Some("");
    let span = entry.key.span;
    if CONDITIONS.contains(&entry.name()) && !is_written {
        let problem = Problem::error(span, format!("`{}` without a condition", entry.name()));
        let problem = problem.label("expected a condition in quotes");
        problems.push(problem.help(format!("to remove the condition below, say so: `{}: null`", entry.name())));
        return;
    }
    if merged.remove(entry.name()).is_some() || place == Place::EveryService {
        return;
    }
    if !is_written {
        return merged.push(entry.clone());
    }
    problems.push_with(span, || {
        let problem = Problem::error(span, format!("there is no `{}` to remove", entry.name()));
        let problem = problem.label("a null removes what it is put over");
        problem.did_you_mean(entry.name(), merged.by_name.keys().map(String::as_str))
    });
}

/// The name of the list that a key such as `timeline+` appends to.
fn appended_name(entry: &Entry) -> Option<&str> {
    entry.name().strip_suffix('+').filter(|name| !name.is_empty())
}

fn append(merged: &mut Merged, entry: &Entry, problems: &mut Problems) {
    let name = appended_name(entry).unwrap_or_default();
    let Some(items) = entry.value.as_list() else {
        let message = format!("`{}` appends a list, found {}", entry.name(), entry.value.describe());
        let problem = Problem::error(entry.value.span, message).label("expected a list");
        problems.push(problem.help(format!("to replace or patch, write `{name}:`")));
        return;
    };
    let Some(below) = merged.get_mut(name) else {
        let key = Node::scalar(entry.key.span, name, true);
        return merged.push(Entry { key, value: entry.value.clone() });
    };
    if below.value.is_null() {
        below.value = entry.value.clone();
        return;
    }
    let found = below.value.describe();
    match &mut below.value.kind {
        Kind::List(list) => list.extend(items.iter().cloned()),
        Kind::Scalar(_) | Kind::Map(_) => {
            let problem = Problem::error(entry.key.span, format!("`{name}` is {found}, not a list"));
            let problem = problem.label("nothing to append to").related(below.key.span, "defined here");
            problems.push(problem.help(format!("write `{name}:`")));
        }
    }
}

/// A map over a list: its keys are the names of the items that it patches.
fn patch_by_name(base: &Node, items: &[Node], above: &[Entry], place: Place, problems: &mut Problems) -> Node {
    let mut patched: Vec<Option<Node>> = items.iter().cloned().map(Some).collect();
    let named = items.iter().enumerate().rev();
    let by_name: BTreeMap<&str, usize> = named.filter_map(|(at, item)| Some((item_name(item)?, at))).collect();
    for entry in above {
        let Some(slot) = by_name.get(entry.name()).map(|at| &mut patched[*at]) else {
            problems.push_with(entry.key.span, || unknown_item(entry.key.span, entry.name(), base));
            continue;
        };
        if entry.value.is_null() {
            *slot = None;
        } else if entry.value.as_map().is_some() {
            *slot = slot.as_ref().map(|item| merge(item, &entry.value, place.within(entry.name()), problems));
        } else {
            let message = format!("`{}` is patched with a map, found {}", entry.name(), entry.value.describe());
            problems.push(Problem::error(entry.value.span, message).label("expected the keys to change"));
        }
    }
    Node { span: base.span, kind: Kind::List(patched.into_iter().flatten().collect()) }
}

fn unknown_item(span: Span, name: &str, list: &Node) -> Problem {
    let items = list.as_list().unwrap_or_default();
    let known: Vec<&str> = items.iter().filter_map(item_name).take(20).collect();
    if known.is_empty() {
        let problem = Problem::error(span, format!("no `{name}` in a list without names"));
        return problem.label("expected a list, which replaces it").related(list.span, "the list");
    }
    let problem = Problem::error(span, format!("nothing in this list is named `{name}`"));
    let problem = problem.label(format!("expected one of {}", known.join(", "))).related(list.span, "the list");
    problem.did_you_mean(name, items.iter().filter_map(item_name))
}
