//! Randomness keyed by identity and purpose.
//!
//! A [`StreamKey`] is 128 bits derived with ChaCha from the seed and a path of names; a draw is a pure function of
//! the key and of ordinals (the n-th interaction, the k-th poll). Adding a service, a fault or a draw anywhere
//! leaves every other draw as it was.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The identity of a stream of random words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamKey([u64; 2]);

impl StreamKey {
    /// The key from which all streams of one run descend.
    pub fn of_seed(seed: u64) -> StreamKey {
        StreamKey([seed, 0x77_69_6e_64_74_75_6e_6e]).child("windtunnel/1")
    }

    /// The key of a named part or purpose below this one. Distinct names give unrelated keys.
    pub fn child(self, name: &str) -> StreamKey {
        let mut key = self.absorb(name.len() as u64, 0x6e616d65);
        for chunk in name.as_bytes().chunks(16) {
            let mut block = [0u8; 16];
            block[..chunk.len()].copy_from_slice(chunk);
            let (low, high) = block.split_at(8);
            key = key.absorb(
                u64::from_le_bytes(low.try_into().expect("half of sixteen bytes")),
                u64::from_le_bytes(high.try_into().expect("half of sixteen bytes")),
            );
        }
        key
    }

    /// The key of the n-th thing of its kind below this one.
    pub fn nth(self, ordinal: u64) -> StreamKey {
        self.absorb(ordinal, 0x6e7468)
    }

    /// The key under which the units of a rollout with this salt are put into buckets.
    pub fn bucket(salt: u64) -> StreamKey {
        StreamKey([salt, 0x62_75_63_6b_65_74])
    }

    fn absorb(self, low: u64, high: u64) -> StreamKey {
        let mut seed = [0u8; 32];
        for (part, word) in seed.chunks_mut(8).zip([self.0[0], self.0[1], low, high]) {
            part.copy_from_slice(&word.to_le_bytes());
        }
        let mut chacha = ChaCha8Rng::from_seed(seed);
        StreamKey([chacha.next_u64(), chacha.next_u64()])
    }

    /// The key as one word, for digests.
    pub fn to_word(self) -> u64 {
        self.0[0]
    }

    /// The random word at `(a, b)`: a pure function, equal for equal arguments for ever.
    pub fn word(self, a: u64, b: u64) -> u64 {
        let first = finalise(self.0[0].wrapping_add(a.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        finalise(first ^ self.0[1].wrapping_add(b.wrapping_mul(0xd6e8_feb8_6659_fd93)))
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014; Stafford's variant 13).
fn finalise(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Packs small ordinals into one address word; the widths are what keeps addresses distinct.
pub fn address(high: u64, middle: u16, low: u16) -> u64 {
    high << 32 | u64::from(middle) << 16 | u64::from(low)
}

/// A uniform number strictly between 0 and 1, on a grid of 2^53 steps.
pub fn unit_interval(word: u64) -> f64 {
    // Half a step below one rounds to one.
    (((word >> 11) as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0)).min(1.0 - f64::EPSILON / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_numbers_are_strictly_between_0_and_1_at_both_ends() {
        for word in [0, 1, 2_047, 2_048, u64::MAX - 2_048, u64::MAX - 2_047, u64::MAX] {
            let u = unit_interval(word);
            assert!(0.0 < u && u < 1.0, "{word}: {u}");
        }
    }

    #[test]
    fn a_draw_is_a_function_of_its_key_and_address_only() {
        let key = StreamKey::of_seed(7).child("service/checkout").child("poll-phase");
        assert_eq!(key.word(3, 4), key.word(3, 4));
        assert_ne!(key.word(3, 4), key.word(4, 3));
        assert_ne!(key, StreamKey::of_seed(8).child("service/checkout").child("poll-phase"));
    }

    #[test]
    fn names_that_share_a_beginning_or_are_split_elsewhere_have_unrelated_keys() {
        let root = StreamKey::of_seed(1);
        assert_ne!(root.child("ab").child("c"), root.child("a").child("bc"));
        assert_ne!(root.child("a"), root.child("a\0"));
        assert_ne!(root.child("sixteen-bytes-16"), root.child("sixteen-bytes-16").child(""));
    }

    #[test]
    fn draws_are_uniform_over_a_hundred_bins_along_both_addresses() {
        let key = StreamKey::of_seed(42).child("uniformity");
        for along_a in [true, false] {
            let mut bins = [0u32; 100];
            let n = 200_000u64;
            for i in 0..n {
                let word = if along_a { key.word(i, 0) } else { key.word(0, i) };
                bins[(unit_interval(word) * 100.0) as usize] += 1;
            }
            let expected = n as f64 / 100.0;
            let chi2: f64 =
                bins.iter().map(|&o| (f64::from(o) - expected) * (f64::from(o) - expected) / expected).sum();
            // 99 degrees of freedom: two-sided 0.0005 bounds, so that too regular fails as well.
            assert!((59.0..153.0).contains(&chi2), "chi2 = {chi2}");
        }
    }
}
