//! The layers of the code map: nothing below knows anything above, and siblings do not know each other.

use std::fs;
use std::path::{Path, PathBuf};

/// Bottom up. Modules in one row are siblings and never see each other.
const LAYERS: &[&[&str]] = &[
    &["theory", "units"],
    &["kernel"],
    &["stats"],
    &["rollout"],
    &["models"],
    &["faults", "invariants"],
    &["scenario"],
    &["run"],
    &["campaign"],
    &["report"],
    &["validation"],
    &["cli"],
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("src is readable") {
        let path = entry.expect("src is readable").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The top-level modules a source names, outside its tests.
fn named(text: &str) -> Vec<String> {
    let shipped = text.split("#[cfg(test)]\nmod tests").next().expect("a text has a first part");
    let lines = shipped.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut found = Vec::new();
    for line in lines {
        for rest in line.split("crate::").skip(1) {
            let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if word.is_empty() {
                let group = rest.trim_start_matches('{').split('}').next().unwrap_or_default();
                found
                    .extend(group.split(',').map(|part| part.trim().split("::").next().unwrap_or_default().to_owned()));
            } else {
                found.push(word);
            }
        }
    }
    found
}

#[test]
fn no_layer_knows_the_ones_above_it_or_its_siblings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    let mut arrows = 0;
    for path in sources(&root) {
        let within = path.strip_prefix(&root).expect("found below src");
        let module = within.iter().next().expect("a file has a name").to_string_lossy().replace(".rs", "");
        let Some(own) = layer_of(&module) else {
            assert!(["lib", "main"].contains(&module.as_str()), "`{module}` is in no layer");
            continue;
        };
        for name in named(&fs::read_to_string(&path).expect("a source is text")) {
            let Some(other) = layer_of(&name) else { continue };
            arrows += 1;
            if other > own || (other == own && name != module) {
                broken.push(format!("{} names `{name}`", within.display()));
            }
        }
    }
    assert!(arrows > 100, "the test reads imports: {arrows} found");
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn an_import_of_a_higher_layer_is_seen_in_every_form() {
    assert_eq!(named("use crate::cli::run;"), ["cli"]);
    assert_eq!(named("use crate::{faults, report::html};"), ["faults", "report"]);
    assert_eq!(named("fn f() { crate::campaign::go() }"), ["campaign"]);
}
