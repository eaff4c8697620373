//! Every family, in the order in which the document shows them.

mod caches;

use super::Family;

/// One line per family.
pub static ALL: &[&Family] = &[&caches::FAMILY];

/// The spread of a share: standard deviation over mean of a variable that is 1 with probability `p`, else 0.
fn spread_of_share(p: f64) -> f64 {
    ((1.0 - p) / p).sqrt()
}
