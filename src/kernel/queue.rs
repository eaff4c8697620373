//! The pending-event set: a total order by `(time, order of insertion)`.
//!
//! The next few events are in a sorted front (`front.rs`) in the fastest cache; later ones are in a
//! wheel (`wheel.rs`), which costs a few sequential moves per event however many are pending. Up to 64 events never
//! see the wheel. The two meet at one time, `open`: what is earlier is in the front, everything else in the wheel.
//!
//! `open` is the time of the front's last entry, and not where its slot of the wheel ends or where the next event is:
//! otherwise one far timer would let everything that happens before it into the front.

mod chunks;
mod front;
mod wheel;

#[cfg(test)]
mod tests;

use crate::units::SimTime;
use chunks::Pending;
use front::Front;
use std::fmt;
use wheel::Wheel;

/// How many entries are moved from the wheel to the front at once, at most; the rest of the front is for what is put
/// in before they are all out.
const RUN: usize = 48;

const _: () = assert!(chunks::MOST <= RUN && RUN <= front::MOST, "a chunk fits into a run, and a run into the front");

/// The most entries of several times that are sorted rather than spread over finer slots first.
const SORTED: usize = 16;

/// The wheel is left altogether when it has no more than this. It is entered above [`front::MOST`], so that a
/// population around either bound does not go to and fro.
const FEW: usize = 32;

/// What will happen, in order. Events at the same time come out in the order in which they were put in.
///
/// Time does not run backwards: nothing is put in before the time of the last event that came out.
#[derive(Clone)]
pub struct EventQueue<E> {
    /// When the last event that came out was.
    now: u64,
    /// What is before this time is in the front, what is after it in the wheel. Of this very time the front has the
    /// entries that came first.
    open: u64,
    front: Front<E>,
    wheel: Wheel<E>,
}

impl<E: Copy> Default for EventQueue<E> {
    fn default() -> Self {
        EventQueue { now: 0, open: u64::MAX, front: Front::new(), wheel: Wheel::new() }
    }
}

impl<E> fmt::Debug for EventQueue<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventQueue").field("now", &self.now).finish_non_exhaustive()
    }
}

impl<E: Copy> EventQueue<E> {
    /// Puts in an event, not earlier than the last one that came out.
    #[inline]
    pub fn push(&mut self, at: SimTime, event: E) {
        let entry = Pending { at: at.nanos(), event };
        debug_assert!(entry.at >= self.now, "nothing is planned for the past");
        if entry.at < self.open && self.front.len() == front::MOST {
            self.spill();
        }
        if entry.at < self.open {
            self.front.insert(entry);
        } else {
            self.wheel.append(entry);
        }
    }

    /// The next event and its time.
    #[inline]
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        if self.front.is_empty() {
            self.refill();
        }
        let Pending { at, event } = self.front.pop()?;
        self.now = at;
        Some((SimTime::from_nanos(at), event))
    }

    /// The time of the next event. It may have to be sorted out first, hence `mut`; the order does not change.
    #[inline]
    pub fn next_time(&mut self) -> Option<SimTime> {
        if self.front.is_empty() {
            self.refill();
        }
        self.front.entries().first().map(|entry| SimTime::from_nanos(entry.at))
    }

    pub fn len(&self) -> usize {
        self.front.len() + self.wheel.len()
    }

    pub fn is_empty(&self) -> bool {
        self.front.is_empty() && self.wheel.len() == 0
    }

    /// Fills the empty front with the next entries of the wheel.
    #[cold]
    #[inline(never)]
    fn refill(&mut self) {
        if self.wheel.len() <= FEW {
            while let Some(place) = self.wheel.first() {
                self.wheel.take(place, |entry| self.front.settle(entry));
            }
            self.open = u64::MAX;
            return;
        }
        while let Some(place) = self.wheel.first() {
            let (len, room) = (self.wheel.len_of(place), RUN - self.front.len());
            if len <= room.min(SORTED) || (len <= room && place.is_one_tick()) {
                self.wheel.take(place, |entry| self.front.settle(entry));
            } else if !self.front.is_empty() {
                break;
            } else if place.is_one_tick() {
                self.wheel.take_some(place, RUN, |entry| self.front.settle(entry));
                break;
            } else {
                self.wheel.descend(place);
            }
        }
        self.open = self.front.entries().last().expect("the wheel was not empty").at;
    }

    /// Moves the later half of the full front to the wheel: the window closes earlier, at the border of a tick.
    #[cold]
    #[inline(never)]
    fn spill(&mut self) {
        let entries = self.front.entries();
        let border = entries[front::MOST / 2].at;
        let kept = entries.partition_point(|entry| entry.at < border);
        self.wheel.retreat(border);
        // Only at the old border can the wheel have entries of the same time, and they came later.
        let (alone, shared) = entries[kept..].split_at(entries[kept..].partition_point(|entry| entry.at < self.open));
        for entry in alone {
            self.wheel.append(*entry);
        }
        self.wheel.prepend(shared);
        self.front.truncate(kept);
        self.open = border;
    }
}
