//! The queue against the standard heap, and the cases in which a wheel becomes slow.

use super::*;
use crate::kernel::stream::unit_interval;
use crate::kernel::{StreamKey, maths};
use proptest::prelude::*;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The oracle: the standard heap over `(time, sequence)`, whose event is the sequence.
#[derive(Clone, Default)]
struct Oracle {
    heap: BinaryHeap<Reverse<(u64, u64)>>,
    sequence: u64,
}

/// Both sides of a differential run.
#[derive(Clone, Default)]
struct Pair {
    queue: EventQueue<u64>,
    oracle: Oracle,
    now: u64,
}

impl Pair {
    fn push(&mut self, delay: u64) {
        let at = self.now.saturating_add(delay);
        self.queue.push(SimTime::from_nanos(at), self.oracle.sequence);
        self.oracle.heap.push(Reverse((at, self.oracle.sequence)));
        self.oracle.sequence += 1;
    }

    fn pop(&mut self) {
        let expected = self.oracle.heap.pop().map(|Reverse(entry)| entry);
        let came = self.queue.pop().map(|(at, sequence)| (at.nanos(), sequence));
        assert_eq!(came, expected);
        assert_eq!(self.queue.len(), self.oracle.heap.len());
        self.now = expected.map_or(self.now, |(at, _)| at);
    }

    fn look(&mut self) {
        let expected = self.oracle.heap.peek().map(|Reverse((at, _))| SimTime::from_nanos(*at));
        assert_eq!(self.queue.next_time(), expected);
    }

    fn drain(&mut self) {
        while !self.oracle.heap.is_empty() {
            self.pop();
        }
        self.look();
        assert!(self.queue.is_empty());
    }

    fn len(&self) -> usize {
        self.oracle.heap.len()
    }
}

/// One step of a run.
#[derive(Clone, Debug)]
enum Step {
    Push(u64),
    /// Many at the same time.
    Burst(u64, u8),
    Pop(u8),
    Look,
    Clone,
}

fn delay() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => Just(0u64),
        3 => 0u64..4,
        3 => 0u64..5_000,
        2 => (0u64..8).prop_map(|ticks| ticks * 1_000_000),
        2 => 0u64..10_000_000_000,
        1 => 0u64..10_000_000_000_000_000,
        1 => any::<u64>(),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => delay().prop_map(Step::Push),
        1 => (delay(), 1u8..120).prop_map(|(delay, count)| Step::Burst(delay, count)),
        4 => (1u8..60).prop_map(Step::Pop),
        1 => Just(Step::Look),
        1 => Just(Step::Clone),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn events_come_out_as_from_the_standard_heap(steps in prop::collection::vec(step(), 1..150)) {
        let mut pair = Pair::default();
        let mut copies = Vec::new();
        for step in steps {
            match step {
                Step::Push(delay) => pair.push(delay),
                Step::Burst(delay, count) => (0..count).for_each(|_| pair.push(delay)),
                Step::Pop(count) => (0..count).for_each(|_| pair.pop()),
                Step::Look => pair.look(),
                Step::Clone => copies.push(pair.clone()),
            }
        }
        pair.drain();
        copies.truncate(3);
        copies.iter_mut().for_each(Pair::drain);
    }
}

/// Random words for long runs.
struct Words {
    key: StreamKey,
    drawn: u64,
}

impl Words {
    fn below(&mut self, bound: u64) -> u64 {
        self.drawn += 1;
        self.key.word(self.drawn, 0) % bound
    }

    /// An exponential delay.
    fn exponential(&mut self, mean: f64) -> u64 {
        self.drawn += 1;
        (-maths::ln(unit_interval(self.key.word(self.drawn, 0))) * mean) as u64
    }
}

/// Delays as models have them, by number.
fn delay_of(shape: u64, words: &mut Words) -> u64 {
    match shape {
        0 => words.exponential(1e6),
        1 => match words.below(100) {
            0 => 3_600_000_000_000,
            1..10 => words.exponential(3e10),
            _ => words.exponential(1e5),
        },
        2 => words.below(64) * 1_000_000,
        3 => 0,
        4 => words.below(3),
        5 => [0, 1, 1_000, 1_000_000_000, 2_592_000_000_000_000][words.below(5) as usize],
        6 => 1 << words.below(63),
        _ => words.below(1 << 40),
    }
}

const SHAPES: u64 = 8;

#[test]
fn long_runs_that_grow_and_shrink_over_every_threshold_agree_with_the_standard_heap() {
    for run in 0..600 {
        let mut words = Words { key: StreamKey::of_seed(run).child("queue"), drawn: 0 };
        let mut pair = Pair::default();
        let mut copy = None;
        let largest = [40, 70, 200, 1_000, 6_000][words.below(5) as usize];
        for wave in 0..6 {
            let (own, other) = (words.below(SHAPES), words.below(SHAPES));
            let (goal, grows) = (words.below(largest) as usize, wave % 2 == 0);
            for _ in 0..1_500 {
                let shape = if words.below(4) == 0 { other } else { own };
                let pushes = if grows == (pair.len() < goal) { words.below(3) } else { words.below(2) };
                (0..pushes).for_each(|_| {
                    let delay = delay_of(shape, &mut words);
                    pair.push(delay);
                });
                if words.below(16) == 0 {
                    pair.look();
                }
                if words.below(5) < 4 {
                    pair.pop();
                }
            }
            if wave == 3 {
                copy = Some(pair.clone());
            }
        }
        pair.drain();
        copy.expect("the fourth wave was run").drain();
    }
}

#[test]
fn what_is_put_in_after_a_look_far_ahead_comes_out_first() {
    let mut pair = Pair::default();
    for delay in 0..500 {
        pair.push(1_000_000_000_000 + delay / 100);
    }
    pair.look();
    // More than the front holds, all before what was just seen as next.
    for delay in (0..500).rev() {
        pair.push(delay * 1_000);
        if delay % 50 == 0 {
            pair.look();
        }
    }
    pair.drain();
}

#[test]
fn looks_at_one_crowded_tick_between_earlier_events_keep_its_order() {
    let mut pair = Pair::default();
    (0..300).for_each(|_| pair.push(1_000_000));
    for round in 0..40 {
        pair.look();
        // Pushes part of the tick that was made ready back into the wheel, in front of what is there.
        (0..70).for_each(|_| pair.push(1_000 + round));
        pair.push(1_000_000 - pair.now);
        (0..70).for_each(|_| pair.pop());
    }
    pair.drain();
}

impl<E> EventQueue<E> {
    /// Entries written or moved so far.
    fn moves(&self) -> u64 {
        self.front.moves + self.wheel.moves
    }
}

/// Moves of entries per pop and push, after a warm-up, with so many pending.
fn moves_per_hold(pending: u64, mut delay: impl FnMut(&mut Words) -> u64, far: &[u64]) -> f64 {
    let mut words = Words { key: StreamKey::of_seed(1).child("moves"), drawn: 0 };
    let mut queue = EventQueue::default();
    for at in far {
        queue.push(SimTime::from_nanos(*at), 0u64);
    }
    for _ in 0..pending {
        queue.push(SimTime::from_nanos(delay(&mut words)), 0);
    }
    let mut holds = |queue: &mut EventQueue<u64>, count: u64| {
        for _ in 0..count {
            let (now, event) = queue.pop().expect("the number of pending events is constant");
            queue.push(SimTime::from_nanos(now.nanos().saturating_add(delay(&mut words))), event);
        }
    };
    holds(&mut queue, 2 * pending);
    let before = queue.moves();
    let count = 200_000;
    holds(&mut queue, count);
    (queue.moves() - before) as f64 / count as f64
}

const FAR: u64 = 1 << 55;

#[test]
fn far_timers_do_not_make_nearer_events_dearer() {
    for pending in [100, 1_000, 20_000] {
        let alone = moves_per_hold(pending, |words| words.exponential(1e6), &[]);
        for far in [&[FAR][..], &[FAR, FAR + 1, 1 << 60]] {
            let beside = moves_per_hold(pending, |words| words.exponential(1e6), far);
            assert!(beside < 1.2 * alone + 1.0, "{pending} pending: {beside} moves beside far timers, {alone} alone");
            assert!(beside < 30.0, "{pending} pending: {beside} moves");
        }
    }
}

#[test]
fn ties_cost_no_more_than_times_that_differ() {
    for pending in [100, 1_000, 20_000] {
        let grid = moves_per_hold(pending, |words| (1 + words.exponential(1e7) / 1_000_000) * 1_000_000, &[]);
        let one_tick = moves_per_hold(pending, |_| 1_000_000, &[]);
        let same_moment = moves_per_hold(pending, |_| 0, &[]);
        for (case, moves) in [("grid", grid), ("one tick", one_tick), ("same moment", same_moment)] {
            assert!(moves < 30.0, "{pending} pending, {case}: {moves} moves a hold");
        }
    }
}

#[test]
fn a_front_that_overflows_again_and_again_moves_each_event_a_bounded_number_of_times() {
    // Most delays end within the window of the front, the others far beyond it.
    for pending in [80, 300, 20_000] {
        let moves = moves_per_hold(
            pending,
            |words| if words.below(50) == 0 { words.exponential(1e12) } else { words.below(1_000) },
            &[],
        );
        assert!(moves < 60.0, "{pending} pending: {moves} moves a hold");
    }
}
