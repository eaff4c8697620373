//! Everything that is not soon: a monotone bitmap wheel on the integer time.

use super::chunks::{Chunks, List, Pending};

/// Bits of the time that one level tells apart.
const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = u64::BITS.div_ceil(BITS) as usize;

/// A radix heap of base 64: an entry is in the level of the highest group of six bits in which its time differs from
/// `base`, in the slot of its own six bits there. So all of a level is before all of the next one, all of a slot
/// before all of the next one, and a slot of level 0 is one nanosecond. Equal times are always in one slot, in the
/// order in which they came: nothing else is needed to keep ties first-in-first-out.
#[derive(Clone)]
pub(super) struct Wheel<E> {
    /// Not later than any entry.
    base: u64,
    len: usize,
    /// Which levels, and which slots of each level, have entries.
    levels: u16,
    slots: [u64; LEVELS],
    lists: Vec<List>,
    chunks: Chunks<E>,
    /// Entries written so far.
    #[cfg(test)]
    pub moves: u64,
}

/// The address of a list.
#[derive(Clone, Copy)]
pub(super) struct Place {
    level: usize,
    slot: usize,
}

impl Place {
    #[inline]
    fn of(at: u64, base: u64) -> Place {
        let level = ((at ^ base) | 1).ilog2() / BITS;
        Place { level: level as usize, slot: (at >> (level * BITS)) as usize % SLOTS }
    }

    fn index(self) -> usize {
        self.level * SLOTS + self.slot
    }

    /// Whether all entries of this place have the same time.
    pub fn is_one_tick(self) -> bool {
        self.level == 0
    }
}

impl<E: Copy> Wheel<E> {
    pub fn new() -> Self {
        Wheel {
            base: 0,
            len: 0,
            levels: 0,
            slots: [0; LEVELS],
            lists: vec![List::EMPTY; LEVELS * SLOTS],
            chunks: Chunks::new(),
            #[cfg(test)]
            moves: 0,
        }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Puts an entry, not before the base, behind all that have its time.
    #[inline]
    pub fn append(&mut self, entry: Pending<E>) {
        debug_assert!(entry.at >= self.base, "the base is not later than any entry");
        self.len += 1;
        self.place(entry);
    }

    #[inline]
    fn place(&mut self, entry: Pending<E>) {
        let place = Place::of(entry.at, self.base);
        self.levels |= 1 << place.level;
        self.slots[place.level] |= 1 << place.slot;
        self.chunks.append(&mut self.lists[place.index()], entry);
        #[cfg(test)]
        (self.moves += 1);
    }

    /// Puts entries of one time, not before the base, in front of all that have their time.
    pub fn prepend(&mut self, entries: &[Pending<E>]) {
        let Some(first) = entries.first() else { return };
        let place = Place::of(first.at, self.base);
        let behind = std::mem::replace(&mut self.lists[place.index()], List::EMPTY);
        for entry in entries {
            self.append(*entry);
        }
        let list = &mut self.lists[place.index()];
        *list = self.chunks.concatenate(*list, behind);
    }

    /// The place of the earliest entries.
    #[inline]
    pub fn first(&self) -> Option<Place> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros() as usize;
        Some(Place { level, slot: self.slots[level].trailing_zeros() as usize })
    }

    pub fn len_of(&self, place: Place) -> usize {
        self.lists[place.index()].len()
    }

    /// Empties the earliest place into `receive`, in the order in which its entries came.
    pub fn take(&mut self, place: Place, mut receive: impl FnMut(Pending<E>)) {
        let mut list = self.unlist(place);
        self.len -= list.len();
        while let Some((chunk, positions)) = self.chunks.detach(&mut list) {
            for position in positions {
                receive(self.chunks.entry(position));
            }
            self.chunks.release(chunk);
        }
    }

    /// Takes whole chunks from the head of a place, as many as `most` entries have room for.
    pub fn take_some(&mut self, place: Place, most: usize, mut receive: impl FnMut(Pending<E>)) {
        let mut list = self.unlist(place);
        let mut room = most;
        while self.chunks.first_len(&list).is_some_and(|len| len <= room)
            && let Some((chunk, positions)) = self.chunks.detach(&mut list)
        {
            room -= positions.len();
            for position in positions {
                receive(self.chunks.entry(position));
            }
            self.chunks.release(chunk);
        }
        self.len -= most - room;
        if !list.is_empty() {
            self.relist(place, list);
        }
    }

    /// Moves the base up to the earliest entry and spreads the place that it is in over the levels below.
    pub fn descend(&mut self, place: Place) {
        let mut list = self.unlist(place);
        let (earliest, latest) = self.chunks.span(&list);
        self.base = earliest;
        if earliest == latest {
            self.relist(Place::of(earliest, earliest), list);
            return;
        }
        while let Some((chunk, positions)) = self.chunks.detach(&mut list) {
            for position in positions {
                self.place(self.chunks.entry(position));
            }
            self.chunks.release(chunk);
        }
    }

    /// Makes room for entries from `base` on, which may be earlier than the base so far.
    pub fn retreat(&mut self, base: u64) {
        if self.len == 0 {
            self.base = base;
        }
        if base >= self.base {
            return;
        }
        // What differed from the old base in lower bits only differs from the new one as the old base itself does.
        let common = Place::of(self.base, base);
        let mut merged = List::EMPTY;
        while let Some(place) = self.first().filter(|place| place.level < common.level) {
            let list = self.unlist(place);
            merged = self.chunks.concatenate(merged, list);
        }
        self.base = base;
        if !merged.is_empty() {
            debug_assert!(self.lists[common.index()].is_empty(), "what shares these bits with the base is lower");
            self.relist(common, merged);
        }
    }

    fn unlist(&mut self, place: Place) -> List {
        self.slots[place.level] &= !(1 << place.slot);
        if self.slots[place.level] == 0 {
            self.levels &= !(1 << place.level);
        }
        std::mem::replace(&mut self.lists[place.index()], List::EMPTY)
    }

    fn relist(&mut self, place: Place, list: List) {
        self.levels |= 1 << place.level;
        self.slots[place.level] |= 1 << place.slot;
        self.lists[place.index()] = list;
    }
}
