//! Names that a record of runs is read with. The catalogues have nearly all of them; each of the others is kept once for
//! as long as the program lives, as the names are that are written in it.

use crate::invariants;
use crate::models::metric;
use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock};

/// The one text of a name.
pub fn word(text: &str) -> &'static str {
    static WORDS: OnceLock<Mutex<BTreeSet<&'static str>>> = OnceLock::new();
    let words = WORDS.get_or_init(|| {
        let causes = invariants::ALL.iter().flat_map(|entry| entry.causes.iter().copied().chain([entry.name]));
        Mutex::new(causes.chain(metric::ALL.iter().map(|metric| metric.name)).collect())
    });
    let mut words = words.lock().expect("no thread panics with the words");
    if let Some(known) = words.get(text) {
        return known;
    }
    let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
    words.insert(kept);
    kept
}
