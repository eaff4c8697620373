//! A table that can be asked but not gone through: it has no order that could decide anything.

use rustc_hash::FxHashMap;
use std::hash::Hash;

/// Values by key, in constant time. The hash has no seed, and nothing here iterates.
#[derive(Clone, Debug)]
pub struct Lookup<K, V> {
    values: FxHashMap<K, V>,
}

impl<K, V> Default for Lookup<K, V> {
    fn default() -> Self {
        Lookup { values: FxHashMap::default() }
    }
}

impl<K: Eq + Hash, V> Lookup<K, V> {
    pub fn get(&self, key: &K) -> Option<&V> {
        self.values.get(key)
    }

    /// Puts a value in the place of the one before it, and gives that back.
    /// Takes a value out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.values.remove(key)
    }

    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.values.insert(key, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_key_is_found_and_that_of_no_other() {
        let mut lookup = Lookup::default();
        lookup.insert((1, 2), "first");
        lookup.insert((1, 2), "second");
        assert_eq!(lookup.get(&(1, 2)), Some(&"second"));
        assert_eq!(lookup.get(&(2, 1)), None);
    }
}
