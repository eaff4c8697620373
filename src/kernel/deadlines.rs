//! Deadlines that mostly never come: one timer for all that lie the same time ahead.
//!
//! A timeout per request in the pending-event set would fill it with entries that are void before they are due. All
//! requests with one timeout are due in the order in which they began, so a queue of them needs one timer only, which
//! is armed for the oldest that still waits.

use crate::units::{SimDuration, SimTime};
use std::collections::VecDeque;

/// What waits under one timeout, in the order of deadlines. At most one timer is armed for it at any time.
#[derive(Clone, Debug)]
pub struct Deadlines<T> {
    timeout: SimDuration,
    waiting: VecDeque<(SimTime, T)>,
    armed: bool,
    /// With how many entries those are looked for that wait no longer.
    sweep_at: usize,
}

/// The fewest entries that are worth a sweep.
const SWEEP: usize = 64;

/// What a timer that went off has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due<T> {
    /// This one's deadline has come; ask again.
    Overdue(T),
    /// Nobody else is due yet: the timer is to be armed for this moment.
    Later(SimTime),
    /// Nobody waits, and no timer is armed.
    Nothing,
}

impl<T: Copy> Deadlines<T> {
    pub fn new(timeout: SimDuration) -> Deadlines<T> {
        Deadlines { timeout, waiting: VecDeque::with_capacity(SWEEP), armed: false, sweep_at: SWEEP }
    }

    pub fn timeout(&self) -> SimDuration {
        self.timeout
    }

    /// Begins to wait. Where no timer is armed, gives the moment for which the caller arms it. Memory follows what
    /// waits: once the queue has doubled, those that wait no longer are forgotten, wherever they stand.
    pub fn begin(&mut self, now: SimTime, newcomer: T, waits: impl Fn(T) -> bool) -> Option<SimTime> {
        if self.waiting.len() >= self.sweep_at {
            self.waiting.retain(|(_, one)| waits(*one));
            self.sweep_at = (2 * self.waiting.len()).max(SWEEP);
        }
        let due = now + self.timeout;
        self.waiting.push_back((due, newcomer));
        (!std::mem::replace(&mut self.armed, true)).then_some(due)
    }

    /// The timer has gone off at `now`: to be asked until nobody is overdue.
    pub fn next(&mut self, now: SimTime, waits: impl Fn(T) -> bool) -> Due<T> {
        while let Some((due, oldest)) = self.waiting.front().copied() {
            if !waits(oldest) {
                self.waiting.pop_front();
            } else if due > now {
                return Due::Later(due);
            } else {
                self.waiting.pop_front();
                return Due::Overdue(oldest);
            }
        }
        self.armed = false;
        Due::Nothing
    }

    /// How many entries are held, those that wait no longer and were not forgotten yet included.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    #[test]
    fn one_timer_serves_everybody_and_those_who_were_answered_are_passed_over() {
        let mut deadlines = Deadlines::new(SimDuration::from_secs(10));
        assert_eq!(deadlines.begin(at(0), 'a', |_| true), Some(at(10)));
        assert_eq!(deadlines.begin(at(1), 'b', |_| true), None, "the timer is armed already");
        assert_eq!(deadlines.begin(at(2), 'c', |_| true), None);
        let waits = |one| one != 'b';
        assert_eq!(deadlines.next(at(10), waits), Due::Overdue('a'));
        assert_eq!(deadlines.next(at(10), waits), Due::Later(at(12)));
        assert_eq!(deadlines.next(at(12), waits), Due::Overdue('c'));
        assert_eq!(deadlines.next(at(12), waits), Due::Nothing);
        assert_eq!(deadlines.begin(at(20), 'd', |_| true), Some(at(30)), "the timer is armed anew");
    }

    #[test]
    fn what_waits_no_longer_is_not_held_until_its_deadline_though_one_ahead_of_it_still_waits() {
        let mut deadlines = Deadlines::new(SimDuration::from_secs(1_000_000));
        let mut most = 0;
        for n in 0..10_000u64 {
            deadlines.begin(at(n), n, |other| other == 0 || other + 3 >= n);
            most = most.max(deadlines.len());
        }
        assert!(most <= SWEEP, "{most} entries for four that wait");
        assert_eq!(deadlines.next(at(1_000_000), |other| other == 0 || other + 3 >= 10_000), Due::Overdue(0));
    }
}
