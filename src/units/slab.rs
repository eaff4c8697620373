//! A pool of things that come and go, addressed by generation-checked slots.

use std::fmt;
use std::marker::PhantomData;

/// The address of a `T` in a [`Slab`]. A slot outlives what it addressed: looking it up then finds nothing,
/// never a newcomer in the same place.
pub struct Slot<T> {
    index: u32,
    generation: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Slot<T> {
    /// The place in the pool: dense, used again.
    pub fn place(self) -> u32 {
        self.index
    }

    /// The slot as one word, for queue payloads and digests.
    pub fn to_word(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Slot<T> {}
impl<T> PartialEq for Slot<T> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && self.generation == other.generation
    }
}
impl<T> Eq for Slot<T> {}
impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}v{}", self.index, self.generation)
    }
}

/// A pool whose places are used again, so that memory follows what is in flight and not what has happened.
#[derive(Clone, Debug)]
pub struct Slab<T> {
    entries: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

/// For how many things a pool has room from the start: enough for a small estate, so that a rare peak late in a long
/// run asks for no more memory than a short run does.
pub const ROOM: usize = 64;

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { entries: Vec::with_capacity(ROOM), free: Vec::with_capacity(ROOM) }
    }
}

impl<T> Slab<T> {
    pub fn insert(&mut self, item: T) -> Slot<T> {
        if let Some(index) = self.free.pop() {
            let entry = &mut self.entries[index as usize];
            entry.1 = Some(item);
            return Slot { index, generation: entry.0, of: PhantomData };
        }
        let index = u32::try_from(self.entries.len()).expect("fewer than 2^32 things in flight");
        self.entries.push((0, Some(item)));
        Slot { index, generation: 0, of: PhantomData }
    }

    pub fn remove(&mut self, slot: Slot<T>) -> Option<T> {
        let entry = self.entries.get_mut(slot.index as usize)?;
        if entry.0 != slot.generation {
            return None;
        }
        let item = entry.1.take()?;
        entry.0 = entry.0.wrapping_add(1);
        self.free.push(slot.index);
        Some(item)
    }

    pub fn get(&self, slot: Slot<T>) -> Option<&T> {
        let entry = self.entries.get(slot.index as usize)?;
        if entry.0 == slot.generation { entry.1.as_ref() } else { None }
    }

    pub fn get_mut(&mut self, slot: Slot<T>) -> Option<&mut T> {
        let entry = self.entries.get_mut(slot.index as usize)?;
        if entry.0 == slot.generation { entry.1.as_mut() } else { None }
    }

    /// How many things are in the pool now.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many places the pool has ever needed at once.
    pub fn capacity(&self) -> usize {
        self.entries.len()
    }

    /// What is in the pool with its slots, in the order of places.
    pub fn slots(&self) -> impl Iterator<Item = (Slot<T>, &T)> {
        self.entries.iter().enumerate().filter_map(|(index, (generation, item))| {
            let slot = Slot { index: index as u32, generation: *generation, of: PhantomData };
            item.as_ref().map(|item| (slot, item))
        })
    }

    /// What is in the pool, in the order of its places.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().filter_map(|(_, item)| item.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_never_finds_a_newcomer_in_its_place() {
        let mut slab = Slab::default();
        let first = slab.insert("first");
        assert_eq!(slab.remove(first), Some("first"));
        let second = slab.insert("second");
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get(second), Some(&"second"));
        assert_eq!(slab.capacity(), 1);
    }
}
