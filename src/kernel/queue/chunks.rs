//! Lists of pending events in pooled chunks.
//!
//! Entries that are read together lie together: a list is read and written line by line and not by one miss of the
//! cache per entry. All lists share one pool, so that memory follows what is pending and not what each list has ever
//! held.

use std::ops::Range;

/// An event and its time, in nanoseconds.
#[derive(Clone, Copy)]
pub(super) struct Pending<E> {
    pub at: u64,
    pub event: E,
}

/// Bytes of a chunk, about: eight lines of the cache.
const CHUNK_BYTES: usize = 512;

/// The most entries of a chunk.
pub(super) const MOST: usize = 32;

/// No chunk.
const NONE: u32 = u32::MAX;

/// A first-in-first-out list of entries whose chunks are in a [`Chunks`].
#[derive(Clone, Copy)]
pub(super) struct List {
    head: u32,
    /// Where the next entry goes; a whole number of chunks where there is no room for it.
    cursor: u32,
    len: u32,
}

impl List {
    pub const EMPTY: List = List { head: NONE, cursor: 0, len: 0 };

    pub fn len(&self) -> usize {
        self.len as usize
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// What follows a chunk that is not the last of its list, and how many entries it has; of a free chunk, the next
/// free one.
#[derive(Clone, Copy)]
struct Link {
    next: u32,
    len: u32,
}

/// The pool of chunks.
#[derive(Clone)]
pub(super) struct Chunks<E> {
    entries: Vec<Pending<E>>,
    links: Vec<Link>,
    free: u32,
}

impl<E: Copy> Chunks<E> {
    /// Entries of a chunk: a power of two, from eight to [`MOST`].
    const ROOM: u32 = {
        let fitting = CHUNK_BYTES / size_of::<Pending<E>>();
        let fitting = if fitting < 8 { 8 } else { fitting };
        let fitting = if fitting > MOST { MOST } else { fitting };
        1 << fitting.ilog2()
    };

    pub fn new() -> Self {
        Chunks { entries: Vec::new(), links: Vec::new(), free: NONE }
    }

    /// Puts an entry at the end of a list.
    #[inline]
    pub fn append(&mut self, list: &mut List, entry: Pending<E>) {
        if list.cursor.is_multiple_of(Self::ROOM) {
            self.lengthen(list, entry);
        }
        self.entries[list.cursor as usize] = entry;
        list.cursor += 1;
        list.len += 1;
    }

    fn lengthen(&mut self, list: &mut List, filler: Pending<E>) {
        let chunk = if self.free == NONE {
            self.grow(filler)
        } else {
            let chunk = self.free;
            self.free = self.links[chunk as usize].next;
            chunk
        };
        if list.is_empty() {
            list.head = chunk;
        } else {
            self.links[Self::tail(list) as usize] = Link { next: chunk, len: Self::ROOM };
        }
        list.cursor = chunk * Self::ROOM;
    }

    /// One more chunk; the pool grows by a quarter at a time, since it never shrinks.
    #[cold]
    fn grow(&mut self, filler: Pending<E>) -> u32 {
        if self.links.len() == self.links.capacity() {
            let more = (self.links.len() / 4).max(8);
            self.links.reserve_exact(more);
            self.entries.reserve_exact(more * Self::ROOM as usize);
        }
        let chunk = self.links.len() as u32;
        let end = (chunk + 1).checked_mul(Self::ROOM).expect("fewer than 2^32 events are pending");
        self.links.push(Link { next: NONE, len: 0 });
        self.entries.resize(end as usize, filler);
        chunk
    }

    fn tail(list: &List) -> u32 {
        (list.cursor - 1) / Self::ROOM
    }

    /// Puts all of `second` behind all of `first`, without moving an entry.
    pub fn concatenate(&mut self, first: List, second: List) -> List {
        if first.is_empty() {
            return second;
        }
        if second.is_empty() {
            return first;
        }
        let tail = Self::tail(&first);
        self.links[tail as usize] = Link { next: second.head, len: first.cursor - tail * Self::ROOM };
        List { head: first.head, cursor: second.cursor, len: first.len + second.len }
    }

    /// How many entries a list's first chunk has.
    pub fn first_len(&self, list: &List) -> Option<usize> {
        if list.is_empty() {
            return None;
        }
        let last = list.head == Self::tail(list);
        Some(if last { list.len() } else { self.links[list.head as usize].len as usize })
    }

    /// Cuts off a list's first chunk: its number and where its entries are. They stay there until the chunk is
    /// [released](Chunks::release).
    pub fn detach(&mut self, list: &mut List) -> Option<(u32, Range<usize>)> {
        let len = self.first_len(list)?;
        let (chunk, start) = (list.head, (list.head * Self::ROOM) as usize);
        *list = if len == list.len() {
            List::EMPTY
        } else {
            List { head: self.links[chunk as usize].next, len: list.len - len as u32, ..*list }
        };
        Some((chunk, start..start + len))
    }

    /// The chunk may be used again.
    pub fn release(&mut self, chunk: u32) {
        self.links[chunk as usize].next = self.free;
        self.free = chunk;
    }

    #[inline]
    pub fn entry(&self, position: usize) -> Pending<E> {
        self.entries[position]
    }

    /// The earliest and the latest time in a list that is not empty.
    pub fn span(&self, list: &List) -> (u64, u64) {
        let mut span = (u64::MAX, 0);
        let tail = Self::tail(list);
        let mut chunk = list.head;
        loop {
            let start = (chunk * Self::ROOM) as usize;
            let end =
                if chunk == tail { list.cursor as usize } else { start + self.links[chunk as usize].len as usize };
            for entry in &self.entries[start..end] {
                span = (span.0.min(entry.at), span.1.max(entry.at));
            }
            if chunk == tail {
                return span;
            }
            chunk = self.links[chunk as usize].next;
        }
    }
}
