//! What is known of each subject of a feature, up to a bound.

use crate::rollout::FeatureId;

/// How many subjects are followed; of more, it is only counted that there were.
pub const MOST: usize = 1 << 20;

/// A `T` per feature and bucketing unit. Open addressing into a dense vector: neither a hasher nor the order of
/// insertion decides anything, and memory follows the subjects seen.
#[derive(Debug)]
pub struct Subjects<T> {
    /// One more than the position of what belongs there; zero: free.
    table: Vec<u32>,
    known: Vec<(u64, FeatureId, T)>,
    most: usize,
}

impl<T: Default> Subjects<T> {
    pub fn new(most: usize) -> Subjects<T> {
        Subjects { table: vec![0; 64], known: Vec::new(), most }
    }

    /// What is known of this subject; `None` where it is one too many.
    pub fn of(&mut self, feature: FeatureId, unit: u64) -> Option<&mut T> {
        let mut index = self.find(feature, unit);
        if self.table[index] == 0 {
            if self.known.len() == self.most {
                return None;
            }
            if self.known.len() >= self.table.len() / 4 * 3 {
                self.grow();
                index = self.find(feature, unit);
            }
            self.known.push((unit, feature, T::default()));
            self.table[index] = self.known.len() as u32;
        }
        let position = self.table[index] as usize - 1;
        Some(&mut self.known[position].2)
    }

    /// Where the table names this subject, or would.
    fn find(&self, feature: FeatureId, unit: u64) -> usize {
        let mask = self.table.len() - 1;
        let mixed = (unit ^ u64::from(feature.as_u32()).rotate_right(16)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut index = (mixed >> 32) as usize & mask;
        while self.table[index] != 0 {
            let (known, of, _) = &self.known[self.table[index] as usize - 1];
            if (*known, *of) == (unit, feature) {
                break;
            }
            index = (index + 1) & mask;
        }
        index
    }

    fn grow(&mut self) {
        self.table = vec![0; self.table.len() * 2];
        for position in 0..self.known.len() {
            let (unit, feature, _) = self.known[position];
            let index = self.find(feature, unit);
            self.table[index] = position as u32 + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Id;

    #[test]
    fn every_subject_is_found_again_until_there_is_one_too_many() {
        let mut subjects: Subjects<u64> = Subjects::new(10_000);
        for unit in 0..5_000u64 {
            for feature in 0..2 {
                *subjects.of(Id::from_u32(feature), unit << 20).expect("within the bound") = unit + u64::from(feature);
            }
        }
        for unit in 0..5_000u64 {
            for feature in 0..2 {
                assert_eq!(subjects.of(Id::from_u32(feature), unit << 20), Some(&mut (unit + u64::from(feature))));
            }
        }
        assert_eq!(subjects.of(Id::from_u32(0), 7), None);
    }
}
