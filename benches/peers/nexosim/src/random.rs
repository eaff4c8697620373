//! SplitMix64 (Steele, Lea, Flood 2014): eight bytes of state for each process.

use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Random(u64);

impl Random {
    pub fn of(seed: u64, stream: u64) -> Random {
        let mut random = Random(seed);
        let base = random.word();
        Random(base ^ stream.wrapping_mul(0xd134_2543_de82_ef95))
    }

    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.word()) * u128::from(bound)) >> 64) as u64
    }

    /// An exponential delay, at least a nanosecond: NeXosim refuses events that are due now.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        let uniform = ((self.word() >> 11) as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0);
        Duration::from_nanos(((-uniform.ln() * mean.as_nanos() as f64) as u64).max(1))
    }
}
