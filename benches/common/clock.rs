//! Clocks: of this process's processor time, of its children's, and of the wall.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Processor time of this process, all threads, since it began.
pub fn process_cpu() -> Duration {
    Duration::from(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("Linux has a clock of processor time"))
}

/// Processor time of all children that have ended and been waited for.
pub fn children_cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("a process may ask for its children's usage");
    of(usage.user_time()) + of(usage.system_time())
}

/// Time on the wall, from some fixed moment.
pub fn wall() -> Duration {
    Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux has a monotonic clock"))
}

fn of(time: TimeVal) -> Duration {
    let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
    Duration::from_micros(u64::try_from(micros).expect("no usage is negative"))
}
