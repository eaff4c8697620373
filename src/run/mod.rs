//! One seed: the loop, its limits, metrics, trace, verdict and story. Nothing here knows of many seeds.

pub mod attribution;
pub mod execute;
pub mod metrics;
pub mod reached;
pub mod series;
pub mod story;
pub mod summary;

pub use execute::{Completed, Detail, Limits, run};
pub use summary::RunSummary;
