pub mod faults;
pub mod invariants;
pub mod kernel;
pub mod models;
pub mod rollout;
pub mod run;
pub mod units;
