//! Probes that several laws share, one question per file.

mod adoption;
mod fetches;
mod reads;
mod split;

pub use adoption::Adoption;
pub use fetches::Fetches;
pub use reads::Reads;
pub use split::Split;
