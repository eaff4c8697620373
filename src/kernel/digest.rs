//! A rolling 128-bit digest: what was dispatched and drawn, in order.

use std::fmt;

/// Two 64-bit lanes; order matters, and equal sequences give equal digests on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    lanes: [u64; 2],
}

impl Default for Digest {
    fn default() -> Self {
        Digest { lanes: [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344] }
    }
}

impl Digest {
    /// Takes two words in. For given words this is a bijection of the state: no state is lost, however long the run.
    pub fn fold(&mut self, a: u64, b: u64) {
        let [x, y] = self.lanes;
        let x = (x ^ a).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let y = (y ^ b ^ (x >> 32)).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        let x = x.wrapping_add(y.rotate_left(29));
        self.lanes = [x, y ^ x.rotate_left(43)];
    }

    /// One word of it, for keys.
    pub fn word(&self) -> u64 {
        self.lanes[0] ^ self.lanes[1].rotate_left(32)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.lanes[0], self.lanes[1])
    }
}

/// A 64-bit hash of bytes, the same everywhere (FNV-1a with a final mix): names in digests, hashes of files.
pub fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93) ^ (hash >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The inverse of `fold`, by the inverses of its odd factors.
    fn unfold(digest: Digest, a: u64, b: u64) -> Digest {
        let inverse = |odd: u64| (0..6).fold(odd, |x, _| x.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(x))));
        let [x, y] = digest.lanes;
        let y = y ^ x.rotate_left(43);
        let x = x.wrapping_sub(y.rotate_left(29));
        let before_y = y.wrapping_mul(inverse(0xc2b2_ae3d_27d4_eb4f)) ^ b ^ (x >> 32);
        let before_x = x.wrapping_mul(inverse(0x9e37_79b9_7f4a_7c15)) ^ a;
        Digest { lanes: [before_x, before_y] }
    }

    #[test]
    fn no_state_is_lost_by_folding() {
        let mut digest = Digest::default();
        for n in 0..1_000u64 {
            let before = digest;
            let (a, b) = (n.wrapping_mul(0x1234_5678_9abc_def1), n.rotate_left(40));
            digest.fold(a, b);
            assert_eq!(unfold(digest, a, b), before);
        }
    }

    #[test]
    fn the_order_of_what_is_folded_in_matters() {
        let (mut forth, mut back) = (Digest::default(), Digest::default());
        forth.fold(1, 2);
        forth.fold(3, 4);
        back.fold(3, 4);
        back.fold(1, 2);
        assert_ne!(forth, back);
        assert_eq!(forth.to_string().len(), 32);
    }
}
