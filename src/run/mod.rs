//! One seed: the loop, its limits, metrics, trace, verdict and story. Nothing here knows of many seeds.

mod aftermath;
pub mod attribution;
pub mod course;
pub mod execute;
pub mod metrics;
pub mod reached;
pub mod replay;
pub mod rollback;
pub mod series;
pub mod story;
pub mod summary;
pub mod walk;

pub use course::{Fork, RunSpec};
pub use execute::{Completed, Detail, Limits, run, run_spec};
pub use replay::replay;
pub use summary::RunSummary;
pub use walk::{Checkpoint, Deed, Keep, Walk};
