pub mod kernel;
pub mod units;
