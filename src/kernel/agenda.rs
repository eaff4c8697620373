//! The clock and what is planned.

use super::queue::EventQueue;
use crate::units::{SimDuration, SimTime};

/// What is planned, and the clock that follows it: time moves only here, from event to event, and never back.
#[derive(Clone, Debug)]
pub struct Agenda<E> {
    now: SimTime,
    queue: EventQueue<E>,
    dispatched: u64,
}

impl<E: Copy> Default for Agenda<E> {
    fn default() -> Self {
        Agenda { now: SimTime::ZERO, queue: EventQueue::default(), dispatched: 0 }
    }
}

impl<E: Copy> Agenda<E> {
    pub fn now(&self) -> SimTime {
        self.now
    }

    pub fn after(&mut self, delay: SimDuration, event: E) {
        self.queue.push(self.now + delay, event);
    }

    /// Plans an event for a moment that is not in the past.
    pub fn at(&mut self, moment: SimTime, event: E) {
        debug_assert!(moment >= self.now, "nothing is planned for the past");
        self.queue.push(moment.max(self.now), event);
    }

    /// The next event, if there is one up to `horizon`; the clock moves to it.
    pub fn next(&mut self, horizon: SimTime) -> Option<E> {
        if self.queue.next_time()? > horizon {
            return None;
        }
        let (at, event) = self.queue.pop().expect("an event was just seen");
        self.now = at;
        self.dispatched += 1;
        Some(event)
    }

    pub fn dispatched(&self) -> u64 {
        self.dispatched
    }

    pub fn pending(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_stands_at_the_event_at_work_and_what_lies_past_the_horizon_stays_planned() {
        let mut agenda = Agenda::default();
        agenda.after(SimDuration::from_secs(2), "later");
        agenda.after(SimDuration::from_secs(1), "sooner");
        let horizon = SimTime::ZERO + SimDuration::from_secs(1);
        assert_eq!(agenda.next(horizon), Some("sooner"));
        assert_eq!(agenda.now(), horizon);
        assert_eq!(agenda.next(horizon), None);
        assert_eq!((agenda.dispatched(), agenda.pending()), (1, 1));
    }
}
