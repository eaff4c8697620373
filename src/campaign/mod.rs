//! Many seeds: a pool of threads, results folded in seed order, and what they come to. Nothing here knows a format.

pub mod accepted;
pub mod compare;
pub mod grid;
pub mod mutate;
pub mod outcome;
pub mod pool;
pub mod seeds;
pub mod select;
pub mod sweep;
pub mod tally;
pub mod verdict;

pub use outcome::{CampaignOutcome, Exhibit, VariantOutcome};
pub use pool::{Orders, Progress, Record, Unrecorded, run_variant};
pub use seeds::{Seeds, Shard};
