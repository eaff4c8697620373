//! Probes that several laws share, one question per file.

mod adoption;

pub use adoption::Adoption;
