//! The identity of a plan: a hash of everything that decides its outcome but the seed.

use super::files::Files;
use super::tree::{Entry, Kind, Node};
use crate::kernel::digest::hash_bytes;

/// What a plan's hash leaves out: it changes what is said of a run, not the run.
const LEFT_OUT: [&str; 4] = ["summary", "expect", "accepted", "variants"];

/// Sixteen hexadecimal digits. Neither the order of keys nor places, quotes or comments change it.
pub fn of(root: &Node, variant: &str, files: &Files) -> String {
    let mut text = format!("windtunnel/1 {variant:?}\n");
    let entries = root.as_map().unwrap_or_default();
    let mut entries: Vec<&Entry> = entries.iter().filter(|entry| !LEFT_OUT.contains(&entry.name())).collect();
    entries.sort_by(|a, b| a.name().cmp(b.name()));
    for entry in entries {
        text.push_str(&format!("{:?}:", entry.name()));
        write(&entry.value, &mut text);
        text.push('\n');
    }
    let mut named = Vec::new();
    files_named(root, &mut named);
    named.sort_unstable();
    named.dedup();
    for path in named {
        text.push_str(&format!("{path:?}={}\n", files.digest_of(path).unwrap_or_default()));
    }
    format!("{:016x}", hash_bytes(text.as_bytes()))
}

/// A tree as text: maps by name, lists in order, scalars as written.
pub fn canonical(node: &Node) -> String {
    let mut text = String::new();
    write(node, &mut text);
    text
}

fn write(node: &Node, out: &mut String) {
    match &node.kind {
        Kind::Scalar(_) if node.is_null() => out.push('~'),
        Kind::Scalar(scalar) => out.push_str(&format!("{:?}", scalar.text)),
        Kind::List(items) => {
            out.push('[');
            for item in items {
                write(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Kind::Map(entries) => {
            let mut entries: Vec<&Entry> = entries.iter().collect();
            entries.sort_by(|a, b| a.name().cmp(b.name()));
            out.push('{');
            for entry in entries {
                out.push_str(&format!("{:?}:", entry.name()));
                write(&entry.value, out);
                out.push(',');
            }
            out.push('}');
        }
    }
}

fn files_named<'n>(node: &'n Node, named: &mut Vec<&'n str>) {
    match &node.kind {
        Kind::Scalar(_) => {}
        Kind::List(items) => items.iter().for_each(|item| files_named(item, named)),
        Kind::Map(entries) => {
            for entry in entries {
                match entry.value.as_text() {
                    Some(path) if matches!(entry.name(), "empirical" | "file") => named.push(path),
                    Some(_) => {}
                    None => files_named(&entry.value, named),
                }
            }
        }
    }
}
