//! Scenarios put together from parts: variants over a base, a file over its includes, parameters, `--set`.
//!
//! Every part of a result keeps the place where it was written, so that a mistake found later points into the right
//! file. Nothing here knows the schema, except what it takes to merge: which sections hold named things.

mod merge;
mod parameters;
mod path;

use std::collections::BTreeMap;

use super::problem::{Problem, Problems, Span};
use super::tree::{Entry, Kind, Node};
use merge::{Place, merge};

pub use parameters::substitute;
pub use path::set;

/// The sections whose entries are things with a name, which only one file defines.
const NAMED: [&str; 6] = ["services", "features", "topics", "journeys", "rollout", "variants"];

/// A variant: the base with a patch over it.
///
/// Maps merge key by key; a null removes its key; `key+` appends to a list; a map over a list of named things patches
/// them by name; under `services` the key `"*"` patches every service; everything else replaces what was there. What
/// would have no effect (an unknown name, a null that removes nothing) is an error.
pub fn overlay(base: &Node, patch: &Node, problems: &mut Problems) -> Node {
    if patch.is_null() { base.clone() } else { merge(base, patch, Place::Root, problems) }
}

/// A file (`above`) over what it includes (`below`), merged like a variant. What both of them define by name is an
/// error, unless the upper definition says `override: true`. A variant, being a patch itself, is replaced as a whole.
pub fn include(below: &Node, above: &Node, problems: &mut Problems) -> Node {
    let mut above = above.clone();
    if let Kind::Map(sections) = &mut above.kind {
        for section in sections.iter_mut().filter(|section| NAMED.contains(&section.name())) {
            let defined = below.get(section.name()).and_then(Node::as_map).unwrap_or_default();
            let defined: BTreeMap<&str, &Entry> = defined.iter().map(|entry| (entry.name(), entry)).collect();
            let Entry { key, value } = section;
            if let Kind::Map(things) = &mut value.kind {
                for thing in things.iter_mut().filter(|thing| thing.name() != "*") {
                    check_redefinition(key.as_text().unwrap_or_default(), &defined, thing, problems);
                }
            }
        }
    }
    overlay(below, &above, problems)
}

/// Takes `override` out of a definition, and tells a definition that needs it or has it for nothing.
fn check_redefinition(section: &str, defined: &BTreeMap<&str, &Entry>, thing: &mut Entry, problems: &mut Problems) {
    let overrides = take_override(&mut thing.value, problems);
    let below = defined.get(thing.name());
    match (below, overrides) {
        (Some(below), None) if !thing.value.is_null() => {
            let message = format!("`{section}.{}` is defined twice", thing.name());
            let problem = Problem::error(thing.key.span, message).label("again here");
            let problem = problem.related(below.key.span, "included from here");
            problems.push(problem.help("say `override: true` in it to put it over the included one, or rename it"));
        }
        (None, Some(place)) => {
            let message = format!("no included file defines `{section}.{}`", thing.name());
            let problem = Problem::error(place, message).label("nothing to override");
            problems.push_with(place, || problem.did_you_mean(thing.name(), defined.keys().copied()));
        }
        (Some(_), Some(_) | None) | (None, None) => {}
    }
}

/// The place of an `override: true` that was taken out; `override: false` says what holds without it.
fn take_override(thing: &mut Node, problems: &mut Problems) -> Option<Span> {
    let Kind::Map(entries) = &mut thing.kind else { return None };
    let at = entries.iter().position(|entry| entry.name() == "override")?;
    let entry = entries.remove(at);
    match entry.value.as_text() {
        Some("true") => Some(entry.key.span),
        Some("false") => None,
        Some(_) | None => {
            let problem = Problem::error(entry.value.span, "`override` is true or false");
            problems.push(problem.label("expected true"));
            Some(entry.key.span)
        }
    }
}

/// The name of a thing in a list of named things.
fn item_name(item: &Node) -> Option<&str> {
    item.get("name").filter(|name| !name.is_null())?.as_text()
}

#[cfg(test)]
mod tests {
    use super::super::problem::{Sources, render};
    use super::super::tree::read;
    use super::*;

    const BASE: &str = "\
duration: 10m
services:
  gateway: { replicas: 3, takes: { p50: 8ms, p99: 60ms }, sdk: { poll: 30s } }
  billing: { replicas: 4, sdk: { poll: 30s, persist: true } }
  empty:
rollout:
  f:
    steps:
      - { name: pilot, to: \"on\", hold: 2h }
      - { name: all, to: \"on\" }
timeline: [a, b]
alerts:
  - { name: hot, when: 'x > 1', over: 2m }
";

    /// The tree as one line of flow style.
    fn compact(node: &Node) -> String {
        match &node.kind {
            Kind::Scalar(scalar) => scalar.text.clone(),
            Kind::List(items) => format!("[{}]", items.iter().map(compact).collect::<Vec<_>>().join(", ")),
            Kind::Map(entries) => {
                let entry = |entry: &Entry| format!("{}: {}", entry.name(), compact(&entry.value));
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
        }
    }

    type Combine = fn(&Node, &Node, &mut Problems) -> Node;

    fn combined(combine: Combine, below: &str, above: &str) -> (Node, Sources, Problems) {
        let mut sources = Sources::default();
        let below = read(&mut sources, "below.yaml", below.as_bytes()).expect("it is well-formed");
        let above = read(&mut sources, "above.yaml", above.as_bytes()).expect("it is well-formed");
        let mut problems = Problems::default();
        (combine(&below, &above, &mut problems), sources, problems)
    }

    /// What is at a dotted path of the base under the patch.
    fn patched(patch: &str, path: &str) -> String {
        let (root, sources, problems) = combined(overlay, BASE, patch);
        assert!(problems.is_empty(), "{}", render(&problems.into_vec(), &sources, false));
        compact(path.split('.').try_fold(&root, |node, key| node.get(key)).expect(path))
    }

    fn told(combine: Combine, below: &str, above: &str) -> String {
        let (_, sources, problems) = combined(combine, below, above);
        render(&problems.into_vec(), &sources, false)
    }

    #[test]
    fn maps_merge_by_key_and_everything_else_is_replaced() {
        assert_eq!(
            patched("services: { billing: { sdk: { poll: 5s } } }", "services.billing"),
            "{replicas: 4, sdk: {poll: 5s, persist: true}}"
        );
        assert_eq!(patched("timeline: [c]\nduration: 1h", "timeline"), "[c]");
        assert_eq!(patched("services: { billing: { sdk: off } }", "services.billing.sdk"), "off");
        assert_eq!(patched("services: { empty: { replicas: 1 } }", "services.empty"), "{replicas: 1}");
        assert_eq!(patched("duration: { a: 1 }", "duration"), "{a: 1}");
        assert_eq!(patched("~", "duration"), "10m");
    }

    #[test]
    fn a_null_removes_its_key() {
        assert_eq!(patched("services: { billing: { sdk: null } }", "services.billing"), "{replicas: 4}");
        assert_eq!(patched("services: { billing: }", "services").matches("billing").count(), 0);
        let told = told(overlay, BASE, "services: { biling: null }");
        assert!(told.contains("no `biling` to remove") && told.contains("`billing`?"), "{told}");
    }

    #[test]
    fn a_condition_cannot_vanish_by_a_forgotten_value() {
        let told = told(overlay, BASE, "alerts: { hot: { when: } }");
        assert!(told.contains("`when` without a condition") && told.contains("`when: null`"), "{told}");
        assert_eq!(patched("alerts: { hot: { when: null } }", "alerts"), "[{name: hot, over: 2m}]");
    }

    #[test]
    fn a_key_with_a_plus_appends_whatever_the_order_of_keys() {
        assert_eq!(patched("timeline+: [c]", "timeline"), "[a, b, c]");
        assert_eq!(patched("timeline+: [c]\ntimeline: [d]", "timeline"), "[d, c]");
        assert_eq!(patched("reached+: [c]", "reached"), "[c]");
        assert!(told(overlay, BASE, "duration+: [c]").contains("`duration` is text, not a list"));
        assert!(told(overlay, BASE, "timeline+: c").contains("appends a list, found text"));
    }

    #[test]
    fn lists_of_named_things_are_patched_by_name() {
        let steps = patched("rollout: { f: { steps: { pilot: { hold: 8h } } } }", "rollout.f.steps");
        assert_eq!(steps, "[{name: pilot, to: on, hold: 8h}, {name: all, to: on}]");
        assert_eq!(patched("rollout: { f: { steps: { pilot: null } } }", "rollout.f.steps"), "[{name: all, to: on}]");
        let unknown = told(overlay, BASE, "rollout: { f: { steps: { pilto: { hold: 8h } } } }");
        assert!(unknown.contains("above.yaml:1:26") && unknown.contains("`pilot`?"), "{unknown}");
        assert!(told(overlay, BASE, "timeline: { a: { x: 1 } }").contains("a list without names"));
        assert!(told(overlay, BASE, "alerts: { hot: 3 }").contains("patched with a map, found text"));
    }

    #[test]
    fn a_star_under_services_is_every_service_and_what_is_said_of_one_wins() {
        let services =
            patched("services: { billing: { w: 2 }, \"*\": { w: 1, sdk: null }, new: { x: 1 } }", "services");
        let expected = "{gateway: {replicas: 3, takes: {p50: 8ms, p99: 60ms}, w: 1}, billing: {replicas: 4, w: 2}, \
                        empty: {w: 1}, new: {w: 1, x: 1}}";
        assert_eq!(services, expected);
        assert!(patched("rollout: { \"*\": { a: 1 } }", "rollout").contains("*: {a: 1}"));
        assert!(told(overlay, BASE, "services: { \"*\": null }").contains("`*` patches every service with a map"));
    }

    #[test]
    fn another_form_of_a_random_duration_replaces_the_first() {
        assert_eq!(patched("services: { gateway: { takes: { mean: 5ms } } }", "services.gateway.takes"), "{mean: 5ms}");
        assert_eq!(
            patched("services: { gateway: { takes: { p99: 1s } } }", "services.gateway.takes"),
            "{p50: 8ms, p99: 1s}"
        );
    }

    #[test]
    fn every_part_keeps_the_place_where_it_was_written() {
        let (root, sources, _) = combined(overlay, BASE, "services: { billing: { sdk: { poll: 5s } } }");
        let sdk = root.get("services").and_then(|services| services.get("billing")?.get("sdk")).expect("the map");
        let place = |key: &str| {
            let span = sdk.get(key).expect("the key").span;
            (sources.name(span.file), sources.line_column(span))
        };
        assert_eq!(place("poll"), ("above.yaml", (1, 37)));
        assert_eq!(place("persist"), ("below.yaml", (4, 54)));
    }

    #[test]
    fn a_thing_defined_twice_needs_to_say_that_it_overrides() {
        let twice = told(include, BASE, "services: { billing: { replicas: 1 }, other: {} }");
        for part in ["above.yaml:1:13", "`services.billing` is defined twice", "included from here", "override: true"] {
            assert!(twice.contains(part), "missing {part} in\n{twice}");
        }
        let above = "services: { billing: { replicas: 1, override: true }, gateway: null }\nduration: 1h";
        let (root, _, problems) = combined(include, BASE, above);
        assert!(problems.is_empty());
        assert_eq!(
            compact(root.get("services").expect("the key")),
            "{billing: {replicas: 1, sdk: {poll: 30s, persist: true}}, empty: }"
        );
        let unneeded = told(include, BASE, "services: { biling: { override: true } }");
        assert!(unneeded.contains("no included file defines") && unneeded.contains("`billing`?"), "{unneeded}");
        assert!(told(include, BASE, "services: { billing: { override: maybe } }").contains("true or false"));
    }

    #[test]
    fn an_included_file_leaves_definitions_and_variants_as_they_are() {
        let above = "services: { plain: }\nvariants: { v: { timeline+: [x], duration: null } }";
        let (root, _, problems) = combined(include, "services: { a: {} }\nvariants: { w: { a+: [b] } }", above);
        assert!(problems.is_empty());
        let expected = "{services: {a: {}, plain: }, variants: {w: {a+: [b]}, v: {timeline+: [x], duration: null}}}";
        assert_eq!(compact(&root), expected);
    }

    #[test]
    fn large_files_merge_without_harm() {
        let many = |value: &str| {
            format!("services:\n{}", (0..60_000).map(|at| format!("  s{at}: {value}\n")).collect::<String>())
        };
        let told_twice = told(include, &many("{}"), &many("{}"));
        assert!(told_twice.contains("more problems"));
        let star = format!("services: {{ \"*\": {{ a: [{}] }} }}", "x,".repeat(10_000));
        assert!(told(overlay, &many("{}"), &star).contains("`*` makes more than"));
        assert!(
            told(overlay, &many("{}"), &many("null").replace("s", "t").replace("tervicet", "services"))
                .contains("to remove")
        );
    }
}
