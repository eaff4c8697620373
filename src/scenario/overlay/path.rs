//! `--set rollout.f.steps.pilot-live.hold=8h`: one value changed by its path.

use super::super::problem::{Problem, Problems, Span};
use super::super::tree::{Entry, Kind, Node};
use super::item_name;

/// The tree with `value` at a dotted `path`. Maps are entered by key, lists of named things by the name of an item;
/// where names contain dots, the longest one that fits is taken.
///
/// The last key may be new, everything before it must exist. A null removes what is there.
pub fn set(root: &Node, path: &str, value: Node, problems: &mut Problems) -> Node {
    let mut changed = root.clone();
    if let Err(problem) = place(&mut changed, path, path, value) {
        problems.push(problem);
        return root.clone();
    }
    changed
}

fn place(node: &mut Node, path: &str, rest: &str, value: Node) -> Result<(), Problem> {
    let at = value.span;
    if node.is_null() {
        node.kind = Kind::Map(Vec::new());
    }
    let names: Vec<&str> = match &node.kind {
        Kind::Map(entries) => entries.iter().map(Entry::name).collect(),
        Kind::List(items) => items.iter().map(|item| item_name(item).unwrap_or_default()).collect(),
        Kind::Scalar(_) => {
            let parent = path[..path.len() - rest.len()].trim_end_matches('.');
            let problem = Problem::error(at, format!("`--set {path}`: `{parent}` is text and has no keys"));
            return Err(problem.label(format!("expected `{parent}=…`")).related(node.span, "written here"));
        }
    };
    let first = rest.split('.').next().unwrap_or_default();
    // The longest name that the path goes on with; of equal names the first.
    let fits = names.iter().enumerate().filter(|(_, name)| goes_on(rest, name).is_some());
    let found = fits.max_by_key(|(at, name)| (name.len(), std::cmp::Reverse(*at))).map(|(at, name)| (at, name.len()));
    let Some((index, length)) = found else {
        let problem = unknown(at, path, rest, first, &names, node.span);
        return match &mut node.kind {
            Kind::Map(entries) if !first.is_empty() && first == rest && !value.is_null() => {
                entries.push(Entry { key: Node::scalar(at, first, true), value });
                Ok(())
            }
            Kind::Scalar(_) | Kind::List(_) | Kind::Map(_) => Err(problem),
        };
    };
    let is_last = rest.len() == length;
    match &mut node.kind {
        Kind::Map(entries) if is_last && value.is_null() => drop(entries.remove(index)),
        Kind::List(items) if is_last && value.is_null() => drop(items.remove(index)),
        Kind::Map(entries) if is_last => entries[index].value = value,
        Kind::List(items) if is_last => items[index] = value,
        Kind::Map(entries) => return place(&mut entries[index].value, path, &rest[length + 1..], value),
        Kind::List(items) => return place(&mut items[index], path, &rest[length + 1..], value),
        Kind::Scalar(_) => unreachable!("a scalar has no names"),
    }
    Ok(())
}

/// What is left of a path behind a name that it begins with.
fn goes_on<'a>(rest: &'a str, name: &str) -> Option<&'a str> {
    let behind = rest.strip_prefix(name).filter(|_| !name.is_empty())?;
    (behind.is_empty() || behind.starts_with('.')).then_some(behind)
}

fn unknown(at: Span, path: &str, rest: &str, first: &str, names: &[&str], container: Span) -> Problem {
    if first.is_empty() {
        return Problem::error(at, format!("`--set {path}`: a path with an empty part"))
            .label("expected `path.to.key`");
    }
    let parent = path[..path.len() - rest.len()].trim_end_matches('.');
    let within = if parent.is_empty() { "the scenario".to_owned() } else { format!("`{parent}`") };
    let known: Vec<&str> = names.iter().filter(|name| !name.is_empty()).take(20).copied().collect();
    let label = match known.as_slice() {
        [] => "nothing there can be named".to_owned(),
        known => format!("expected one of {}", known.join(", ")),
    };
    let problem = Problem::error(at, format!("`--set {path}`: {within} has no `{first}`")).label(label);
    let problem = problem.did_you_mean(first, names.iter().copied());
    if parent.is_empty() { problem } else { problem.related(container, format!("{within} is here")) }
}

#[cfg(test)]
mod tests {
    use super::super::super::problem::{Sources, render};
    use super::super::super::tree::{read, read_argument};
    use super::*;

    const SCENARIO: &str = "\
duration: 10m
services:
  a.b: { replicas: 1 }
  a: { b: { replicas: 2 }, empty: }
rollout:
  f:
    steps:
      - { name: pilot-live, hold: 2h }
      - { name: v1.2, hold: 3h }
";

    fn after(argument: &str) -> Result<Node, String> {
        let mut sources = Sources::default();
        let root = read(&mut sources, "a.yaml", SCENARIO.as_bytes()).expect("it is well-formed");
        let (path, value) = read_argument(&mut sources, argument).expect("it is well-formed");
        let mut problems = Problems::default();
        let changed = set(&root, &path, value, &mut problems);
        if problems.is_empty() { Ok(changed) } else { Err(render(&problems.into_vec(), &sources, false)) }
    }

    fn step(root: &Node, index: usize) -> &[Entry] {
        let steps = root.get("rollout").and_then(|rollout| rollout.get("f")?.get("steps")).and_then(Node::as_list);
        steps.expect("the steps")[index].as_map().expect("a step")
    }

    #[test]
    fn values_are_set_by_key_by_item_name_and_by_the_longest_name() {
        let hold = |argument: &str, index: usize| {
            let root = after(argument).expect("the path exists");
            step(&root, index)[1].value.as_text().expect("text").to_owned()
        };
        assert_eq!(hold("rollout.f.steps.pilot-live.hold=8h", 0), "8h");
        assert_eq!(hold("rollout.f.steps.v1.2.hold=9h", 1), "9h");
        let root = after("services.a.b.replicas=7").expect("the path exists");
        let dotted = root.get("services").and_then(|services| services.get("a.b")?.get("replicas"));
        assert_eq!(dotted.and_then(Node::as_text), Some("7"));
    }

    #[test]
    fn the_last_key_may_be_new_and_a_null_removes_it() {
        let root = after("rollout.f.steps.pilot-live.exit=[a]").expect("a new key");
        assert_eq!(step(&root, 0)[2].name(), "exit");
        let root = after("services.a.empty.workers=3").expect("a new key in what is empty");
        let workers = root.get("services").and_then(|services| services.get("a")?.get("empty")?.get("workers"));
        assert_eq!(workers.and_then(Node::as_text), Some("3"));
        assert_eq!(step(&after("rollout.f.steps.pilot-live.hold=null").expect("it exists"), 0).len(), 1);
    }

    #[test]
    fn an_unknown_path_is_told_with_the_nearest_key_of_that_place() {
        for (argument, parts) in [
            ("rollout.f.step.pilot-live.hold=8h", ["`rollout.f` has no `step`", "did you mean `steps`?"]),
            ("rollout.f.steps.pilot-life.hold=8h", ["has no `pilot-life`", "did you mean `pilot-live`?"]),
            ("rollout.f.steps.pilot-life=8h", ["has no `pilot-life`", "expected one of pilot-live, v1.2"]),
            ("rollout.f.step=null", ["`rollout.f` has no `step`", "did you mean `steps`?"]),
            ("servces.a.x=1", ["the scenario has no `servces`", "did you mean `services`?"]),
            ("duration.x=1", ["`duration` is text and has no keys", "a.yaml:1:11"]),
            ("services..x=1", ["an empty part", "--set:1:13"]),
            ("services.=1", ["an empty part", "--set:1:11"]),
        ] {
            let told = after(argument).expect_err(argument);
            for part in parts {
                assert!(told.contains(part), "missing {part:?} for {argument:?} in:\n{told}");
            }
        }
    }
}
