//! What a run drew and dispatched, in order: every random word and every event passes through here, and one rolling
//! digest takes both in.

use super::digest::Digest;
use super::stream::{StreamKey, unit_interval};

/// A draw as it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    pub key: StreamKey,
    pub address: (u64, u64),
    pub word: u64,
}

/// Every random word a run uses passes through here, and so does every event between them, and what it decides.
#[derive(Clone, Debug, Default)]
pub struct Draws {
    count: u64,
    digest: Digest,
    /// The draws since the last event, where somebody wants them.
    kept: Option<Vec<Draw>>,
}

impl Draws {
    /// Draws the word at `(a, b)` of the stream.
    pub fn word(&mut self, key: StreamKey, a: u64, b: u64) -> u64 {
        let word = key.word(a, b);
        self.count += 1;
        self.digest.fold(key.to_word() ^ a.rotate_left(17) ^ b.rotate_left(41), word);
        if let Some(kept) = &mut self.kept {
            kept.push(Draw { key, address: (a, b), word });
        }
        word
    }

    /// A uniform number strictly between 0 and 1.
    pub fn unit(&mut self, key: StreamKey, a: u64, b: u64) -> f64 {
        unit_interval(self.word(key, a, b))
    }

    /// An event is dispatched: the draws that follow are its own.
    pub fn event(&mut self, words: (u64, u64)) {
        self.digest.fold(words.0, words.1);
        if let Some(kept) = &mut self.kept {
            kept.clear();
        }
    }

    /// What the event at work has decided; its draws go on.
    pub fn decision(&mut self, words: (u64, u64)) {
        self.digest.fold(words.0, words.1);
    }

    /// From now on the draws of the event at work can be read; the digest does not depend on it.
    pub fn keep(&mut self) {
        self.kept = Some(Vec::new());
    }

    /// The draws since the last event; none unless they are kept.
    pub fn kept(&self) -> &[Draw] {
        self.kept.as_deref().unwrap_or_default()
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_before_an_event_and_one_after_it_give_different_digests() {
        let key = StreamKey::of_seed(1);
        let (mut before, mut after) = (Draws::default(), Draws::default());
        before.word(key, 0, 0);
        before.event((7, 8));
        after.event((7, 8));
        after.word(key, 0, 0);
        assert_ne!(before.digest(), after.digest());
    }

    #[test]
    fn the_draws_kept_are_those_since_the_last_event_and_keeping_changes_nothing() {
        let key = StreamKey::of_seed(1);
        let (mut kept, mut plain) = (Draws::default(), Draws::default());
        kept.keep();
        for draws in [&mut kept, &mut plain] {
            draws.word(key, 1, 0);
            draws.event((7, 8));
            draws.word(key, 2, 0);
        }
        assert_eq!(kept.kept(), [Draw { key, address: (2, 0), word: key.word(2, 0) }]);
        assert_eq!(plain.kept(), []);
        assert_eq!(kept.digest(), plain.digest());
    }
}
