//! The discrete-event kernel: what happens next, which numbers chance gives, and the digest of both.
//!
//! Nothing here knows what a flag is. The queue orders by `(time, sequence)` and nothing else; every random
//! number is addressed by a key made of names and ordinals, so that no draw depends on the order of other draws.

pub mod agenda;
pub mod deadlines;
pub mod digest;
pub mod distribution;
pub mod draws;
pub mod histogram;
pub mod maths;
pub mod queue;
pub mod stream;
pub mod under_way;

pub use agenda::Agenda;
pub use deadlines::{Deadlines, Due};
pub use digest::Digest;
pub use distribution::Distribution;
pub use draws::{Draw, Draws};
pub use histogram::Histogram;
pub use queue::EventQueue;
pub use stream::StreamKey;
