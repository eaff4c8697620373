//! A share of a whole, from 0 to 1.

use std::fmt;

/// A share of a whole: traffic, subjects, replicas. Always finite and within 0 and 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    pub const NONE: Share = Share(0.0);
    pub const ALL: Share = Share(1.0);

    /// `None` where `fraction` is not between 0 and 1.
    pub fn new(fraction: f64) -> Option<Share> {
        (0.0..=1.0).contains(&fraction).then_some(Share(fraction))
    }

    pub fn fraction(self) -> f64 {
        self.0
    }

    /// Whether a uniform 64-bit word falls inside this share. Monotone: a word inside a share is inside every
    /// larger one, so ramps nest.
    pub fn admits(self, word: u64) -> bool {
        // 2^53 steps: a finer grid than any percentage a file can write.
        ((word >> 11) as f64) < self.0 * 9_007_199_254_740_992.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.4}", self.0 * 100.0);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        f.pad(&format!("{text}%"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_admitted_by_a_share_is_admitted_by_every_larger_one() {
        let words = [0, 1 << 40, u64::MAX / 3, u64::MAX];
        for word in words {
            let mut inside = false;
            for percent in 0..=100 {
                let admits = Share::new(percent as f64 / 100.0).expect("within 0 and 1").admits(word);
                assert!(admits || !inside);
                inside = admits;
            }
        }
        assert!(!Share::NONE.admits(0));
        assert!(Share::ALL.admits(u64::MAX));
    }
}
