//! The event queue allocates while it grows to what is pending at once, and never again.

mod common;

use common::counting::{Counting, allocated};
use windtunnel::kernel::stream::unit_interval;
use windtunnel::kernel::{EventQueue, StreamKey, maths};
use windtunnel::units::SimTime;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of so many pops and pushes, at a constant number of pending events.
fn allocations_of(queue: &mut EventQueue<u64>, holds: u64, delay: &mut impl FnMut() -> u64) -> u64 {
    let before = allocated();
    for _ in 0..holds {
        let (now, event) = queue.pop().expect("what is taken is put in again");
        queue.push(SimTime::from_nanos(now.nanos() + delay()), event);
    }
    allocated() - before
}

#[test]
fn a_queue_that_has_grown_to_its_population_allocates_nothing() {
    for population in [5, 50, 70, 1_000, 50_000] {
        let key = StreamKey::of_seed(1).child("allocations");
        let mut drawn = 0;
        let mut delay = || {
            drawn += 1;
            (-maths::ln(unit_interval(key.word(drawn, 0))) * 1e6) as u64
        };
        let mut queue = EventQueue::default();
        let before = allocated();
        for event in 0..population {
            queue.push(SimTime::from_nanos(delay()), event);
        }
        assert!(allocated() > before, "the test counts allocations");
        allocations_of(&mut queue, 20 * population.max(1_000), &mut delay);
        let warm = allocations_of(&mut queue, 10 * population.max(10_000), &mut delay);
        assert_eq!(warm, 0, "{population} pending");
    }
}
