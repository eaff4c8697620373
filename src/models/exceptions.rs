//! Exceptions of a reconciliation: what it finds to be off waits for people, who work it off one by one.

use super::estate::Estate;
use super::event::Event;
use super::observation::Observation;
use super::world::World;
use crate::units::SimDuration;

/// The queue of a job's exceptions, as the file describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExceptionQueue {
    /// How long one takes those who work them off; `None`: nobody does.
    pub each: Option<SimDuration>,
}

impl World {
    /// What a run of a job found to be off joins its queue.
    pub(super) fn park_exceptions(&mut self, estate: &Estate, job: u32, parked: u64) {
        if parked == 0 {
            return;
        }
        let state = &mut self.reconciliations[job as usize];
        let idle = state.backlog == 0;
        state.backlog += parked;
        let backlog = state.backlog;
        self.cx.observe(Observation::Exceptions { job, parked, worked: 0, backlog });
        if idle {
            self.work_next_exception(estate, job);
        }
    }

    fn work_next_exception(&mut self, estate: &Estate, job: u32) {
        if let Some(each) = estate.reconciliations[job as usize].exceptions.and_then(|queue| queue.each) {
            self.cx.after(each, Event::ExceptionWorked { job });
        }
    }

    pub(super) fn on_exception_worked(&mut self, estate: &Estate, job: u32) {
        let state = &mut self.reconciliations[job as usize];
        state.backlog -= 1;
        let backlog = state.backlog;
        self.cx.observe(Observation::Exceptions { job, parked: 0, worked: 1, backlog });
        if backlog > 0 {
            self.work_next_exception(estate, job);
        }
    }
}
