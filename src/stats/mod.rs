//! Statistics of many seeds: what numbers from runs say, and how surely. Pure functions of numbers; the seed is the
//! sampling unit everywhere, and random numbers come from a keyed stream, so that equal runs give equal bytes.

pub mod binomial;
pub mod discordant;
pub mod evidence;
pub mod holm;
pub mod knee;
pub mod order;
pub mod paired;
pub mod selection;
pub mod sketch;
pub mod student;

/// Where `below` turns from true to false between two numbers.
fn bisect(mut low: f64, mut high: f64, below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if below(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}
