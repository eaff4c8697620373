//! Quantities and identities: what everything above counts, orders and indexes with.
//!
//! Nothing here knows about rollouts. Time is an integer of nanoseconds, so that order never depends on
//! a float; ids are dense and typed, so that an id of one pool cannot index another.

pub mod day;
pub mod id;
pub mod lookup;
pub mod share;
pub mod slab;
pub mod time;

pub use day::Day;
pub use id::{Id, IdVec};
pub use lookup::Lookup;
pub use share::Share;
pub use slab::{ROOM, Slab, Slot};
pub use time::{SimDuration, SimTime};
