//! What the benchmarks share: clocks of the processor, interleaved rounds, tables, bars and the page they are
//! published on. A ratio is the median of the ratios of single rounds, since a shared machine drifts between rounds
//! more than within one.

#![allow(dead_code, unused_imports, reason = "each benchmark uses its own part of this")]

pub mod bar;
pub mod clock;
pub mod heap;
pub mod options;
pub mod page;
pub mod rounds;
pub mod table;

pub use bar::Bar;
pub use options::Options;
pub use page::Page;
pub use rounds::{Clock, Contender, Cost, Spread, interleave};
pub use table::Table;
