//! The next few events, in order.

use super::chunks::Pending;

/// The most entries a front holds.
pub(super) const MOST: usize = 64;

/// Room for the front to move in, so that both ends can grow.
const ROOM: usize = 2 * MOST;

/// A sorted deque, first-in-first-out among equal times. An insertion moves what lies on its nearer side, one by
/// one: entries are found and moved in one go, which beats a binary search and a block move at this size.
#[derive(Clone)]
pub(super) struct Front<E> {
    /// Empty until the first insertion, then always of length [`ROOM`].
    entries: Vec<Pending<E>>,
    head: usize,
    tail: usize,
    /// Entries moved or written so far.
    #[cfg(test)]
    pub moves: u64,
}

impl<E: Copy> Front<E> {
    pub fn new() -> Self {
        Front {
            entries: Vec::new(),
            head: 0,
            tail: 0,
            #[cfg(test)]
            moves: 0,
        }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.tail - self.head
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.tail == self.head
    }

    /// What is in the front, in order.
    #[inline]
    pub fn entries(&self) -> &[Pending<E>] {
        &self.entries[self.head..self.tail]
    }

    #[inline]
    pub fn pop(&mut self) -> Option<Pending<E>> {
        if self.is_empty() {
            return None;
        }
        let first = self.entries[self.head];
        self.head += 1;
        Some(first)
    }

    /// Forgets all but the first `kept` entries.
    pub fn truncate(&mut self, kept: usize) {
        self.tail = self.head + kept;
    }

    /// Puts an entry behind all that are not later. The front must not be full.
    #[inline]
    pub fn insert(&mut self, entry: Pending<E>) {
        if self.is_empty() {
            self.start_over(entry);
            return;
        }
        let middle = self.entries[(self.head + self.tail) / 2].at;
        if entry.at < middle && self.head > 0 {
            self.head -= 1;
            let entries = &mut self.entries[self.head..self.tail];
            let mut position = 0;
            while entries[position + 1].at <= entry.at {
                entries[position] = entries[position + 1];
                position += 1;
            }
            entries[position] = entry;
            #[cfg(test)]
            (self.moves += position as u64 + 1);
        } else {
            if self.tail == ROOM {
                self.centre();
            }
            self.settle(entry);
        }
    }

    /// As [`insert`](Front::insert), from the back: for an entry that is later than all but a few. There must be room
    /// behind the last entry, as there is for [`MOST`] entries since the front was last empty.
    #[inline]
    pub fn settle(&mut self, entry: Pending<E>) {
        if self.is_empty() {
            self.start_over(entry);
            return;
        }
        let entries = &mut self.entries[self.head..=self.tail];
        let mut position = entries.len() - 1;
        while position > 0 && entries[position - 1].at > entry.at {
            entries[position] = entries[position - 1];
            position -= 1;
            #[cfg(test)]
            (self.moves += 1);
        }
        entries[position] = entry;
        self.tail += 1;
        #[cfg(test)]
        (self.moves += 1);
    }

    fn start_over(&mut self, only: Pending<E>) {
        if self.entries.is_empty() {
            self.entries.resize(ROOM, only);
        }
        self.head = MOST / 2;
        self.tail = self.head + 1;
        self.entries[self.head] = only;
        #[cfg(test)]
        (self.moves += 1);
    }

    #[cold]
    fn centre(&mut self) {
        let (head, len) = ((ROOM - self.len()) / 2, self.len());
        self.entries.copy_within(self.head..self.tail, head);
        (self.head, self.tail) = (head, head + len);
        #[cfg(test)]
        (self.moves += len as u64);
    }
}
