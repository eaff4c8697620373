//! Which seeds of a campaign are run here: all of them, or the share of one shard.

use crate::kernel::digest::hash_bytes;
use std::fmt;
use std::ops::Range;

/// Seeds in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds {
    range: Range<u64>,
    /// The seeds of a shard; `None`: all of the range.
    chosen: Option<Vec<u64>>,
}

impl Seeds {
    pub fn all(range: Range<u64>) -> Seeds {
        Seeds { range, chosen: None }
    }

    /// No seed at all: everything is recorded already.
    pub fn none(range: Range<u64>) -> Seeds {
        Seeds { range, chosen: Some(Vec::new()) }
    }

    /// The seeds of a variant that belong to a shard. `before` is the number of runs of the campaign that come before
    /// its first one: files in their order, variants in theirs.
    pub fn of_shard(range: Range<u64>, shard: Shard, scenario: &str, variant: &str, before: u64) -> Seeds {
        let first = range.start;
        let chosen = range.clone().filter(|seed| match shard.by {
            By::Slice => (before % shard.of + (seed - first) % shard.of) % shard.of == shard.k - 1,
            By::Hash => {
                let key = format!("{scenario}\n{variant}\n{seed}");
                hash_bytes(key.as_bytes()) % shard.of == shard.k - 1
            }
        });
        let chosen = chosen.collect();
        Seeds { range, chosen: Some(chosen) }
    }

    pub fn len(&self) -> u64 {
        self.chosen.as_ref().map_or(self.range.end - self.range.start, |chosen| chosen.len() as u64)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The seed at a place, from 0.
    pub fn at(&self, place: u64) -> u64 {
        match &self.chosen {
            Some(chosen) => chosen[place as usize],
            None => self.range.start + place,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.len()).map(|place| self.at(place))
    }
}

/// How runs are dealt out to shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// In turn, over all runs of all scenarios: shards differ by at most one run.
    Slice,
    /// By a hash of scenario, variant and seed: a run stays in its shard whatever else is run.
    Hash,
}

/// One of several equal parts of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    pub by: By,
    /// Which, from 1.
    pub k: u64,
    /// How many there are.
    pub of: u64,
}

impl Shard {
    /// `slice:2/4`, `hash:2/4`.
    pub fn parse(text: &str) -> Result<Shard, String> {
        let expected = || format!("expected slice:K/N or hash:K/N, such as slice:1/4, or auto; found `{text}`");
        let (by, part) = text.split_once(':').ok_or_else(expected)?;
        let by = match by {
            "slice" => By::Slice,
            "hash" => By::Hash,
            _ => return Err(expected()),
        };
        let (k, of) = part.split_once('/').ok_or_else(expected)?;
        let (k, of): (u64, u64) = k.parse().ok().zip(of.parse().ok()).ok_or_else(expected)?;
        Shard { by, k, of }.checked().map_err(|why| format!("`{text}`: {why}"))
    }

    /// Refuses a shard that does not exist.
    pub fn checked(self) -> Result<Shard, String> {
        if self.of == 0 {
            Err("there are no shards: expected at least one".to_owned())
        } else if self.k == 0 || self.k > self.of {
            Err(format!("shards count from 1 to {}", self.of))
        } else {
            Ok(self)
        }
    }
}

impl By {
    pub fn name(self) -> &'static str {
        match self {
            By::Slice => "slice",
            By::Hash => "hash",
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.by.name(), self.k, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_run_is_in_exactly_one_shard(start in 0..1_000_u64, n in 1..200_u64, of in 1..9_u64, before in 0..50_u64) {
            for by in [By::Slice, By::Hash] {
                let range = start..start + n;
                let parts = (1..=of).map(|k| Seeds::of_shard(range.clone(), Shard { by, k, of }, "s", "base", before));
                let parts: Vec<Seeds> = parts.collect();
                let mut all: Vec<u64> = parts.iter().flat_map(|part| part.iter().collect::<Vec<_>>()).collect();
                all.sort_unstable();
                prop_assert_eq!(all, range.collect::<Vec<_>>());
                if by == By::Slice {
                    let sizes: Vec<u64> = parts.iter().map(Seeds::len).collect();
                    prop_assert!(sizes.iter().max().unwrap_or(&0) - sizes.iter().min().unwrap_or(&0) <= 1);
                }
            }
        }
    }

    #[test]
    fn a_shard_by_hash_stays_where_it_is_whatever_comes_before() {
        let shard = Shard { by: By::Hash, k: 2, of: 3 };
        let seeds = |before| Seeds::of_shard(1..40, shard, "s", "base", before);
        assert_eq!(seeds(0), seeds(17));
        assert_ne!(seeds(0), Seeds::of_shard(1..40, shard, "s", "other", 0));
    }

    #[test]
    fn shards_that_do_not_exist_are_refused_with_the_reason() {
        assert_eq!(Shard::parse("slice:2/4").map(|shard| shard.to_string()), Ok("slice:2/4".to_owned()));
        assert_eq!(Shard::parse("slice:5/4"), Err("`slice:5/4`: shards count from 1 to 4".to_owned()));
        assert_eq!(Shard::parse("hash:0/4"), Err("`hash:0/4`: shards count from 1 to 4".to_owned()));
        assert!(Shard::parse("hash:1/0").is_err_and(|why| why.contains("no shards")));
        assert!(Shard::parse("1/4").is_err_and(|why| why.contains("expected slice:K/N")));
    }
}
