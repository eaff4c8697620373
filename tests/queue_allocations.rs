//! The event queue allocates while it grows to what is pending at once, and never again.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use windtunnel::kernel::stream::unit_interval;
use windtunnel::kernel::{EventQueue, StreamKey, maths};
use windtunnel::units::SimTime;

/// Counts what this thread allocates; a growing buffer counts as well.
struct Counting;

thread_local! {
    static ALLOCATED: Cell<u64> = const { Cell::new(0) };
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATED.with(|count| count.set(count.get() + 1));
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of so many pops and pushes, at a constant number of pending events.
fn allocations_of(queue: &mut EventQueue<u64>, holds: u64, delay: &mut impl FnMut() -> u64) -> u64 {
    let before = ALLOCATED.with(Cell::get);
    for _ in 0..holds {
        let (now, event) = queue.pop().expect("what is taken is put in again");
        queue.push(SimTime::from_nanos(now.nanos() + delay()), event);
    }
    ALLOCATED.with(Cell::get) - before
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
        let before = ALLOCATED.with(Cell::get);
        for event in 0..population {
            queue.push(SimTime::from_nanos(delay()), event);
        }
        assert!(ALLOCATED.with(Cell::get) > before, "the test counts allocations");
        allocations_of(&mut queue, 20 * population.max(1_000), &mut delay);
        let warm = allocations_of(&mut queue, 10 * population.max(10_000), &mut delay);
        assert_eq!(warm, 0, "{population} pending");
    }
}
