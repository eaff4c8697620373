//! Probes that several laws share, one question per file.

mod adoption;
mod attempts;
mod cohorts;
mod detection;
mod fetches;
mod flips;
mod given_up;
mod lag;
mod pauses;
mod reads;
mod skew;
mod split;
mod waits;

pub use adoption::Adoption;
pub use attempts::Attempts;
pub use cohorts::{Bins, Flaps, Pairs, Shares};
pub use detection::{Detection, Distinct};
pub use fetches::Fetches;
pub use flips::Flips;
pub use given_up::GivenUp;
pub use lag::Lag;
pub use pauses::Pauses;
pub use reads::Reads;
pub use skew::Skew;
pub use split::Split;
pub use waits::Waits;
