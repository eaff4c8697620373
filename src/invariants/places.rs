//! State per interaction in flight, by its place: used again after the interaction is closed, so that memory follows
//! what is in flight and not what has happened.

use crate::models::observation::Interaction;
use crate::units::ROOM;

/// State that can be begun anew without giving its memory back.
pub trait Reset: Default {
    fn reset(&mut self);
}

impl<T> Reset for Vec<T> {
    fn reset(&mut self) {
        self.clear();
    }
}

/// A `T` for each interaction in flight. An interaction that comes to a place for the first time finds fresh state,
/// whether or not its arrival was seen.
#[derive(Debug)]
pub struct Places<T> {
    entries: Vec<(Option<Interaction>, T)>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Places { entries: Vec::with_capacity(ROOM) }
    }
}

impl<T: Reset> Places<T> {
    /// The state of this interaction.
    pub fn of(&mut self, interaction: &Interaction) -> &mut T {
        let index = interaction.place as usize;
        if index >= self.entries.len() {
            self.entries.resize_with(index + 1, || (None, T::default()));
        }
        let entry = &mut self.entries[index];
        if entry.0.as_ref() != Some(interaction) {
            entry.0 = Some(*interaction);
            entry.1.reset();
        }
        &mut entry.1
    }

    /// The state of this interaction, where it has any yet.
    pub fn known(&self, interaction: &Interaction) -> Option<&T> {
        let entry = self.entries.get(interaction.place as usize)?;
        (entry.0.as_ref() == Some(interaction)).then_some(&entry.1)
    }

    /// The interaction is done; its place is free.
    pub fn close(&mut self, interaction: &Interaction) {
        if let Some(entry) = self.entries.get_mut(interaction.place as usize)
            && entry.0.as_ref() == Some(interaction)
        {
            entry.0 = None;
        }
    }

    /// The interactions that are still open, in the order of their places.
    pub fn open(&self) -> impl Iterator<Item = (Interaction, &T)> {
        self.entries.iter().filter_map(|(of, state)| of.map(|interaction| (interaction, state)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::fixtures::interaction;

    #[test]
    fn a_newcomer_in_a_place_finds_fresh_state() {
        let mut places: Places<Vec<u8>> = Places::default();
        places.of(&interaction(0, 3)).push(1);
        places.of(&interaction(0, 3)).push(2);
        assert_eq!(places.known(&interaction(0, 3)).map(Vec::len), Some(2));
        places.of(&interaction(1, 3)).push(9);
        assert_eq!(places.known(&interaction(1, 3)).map(Vec::len), Some(1));
        assert!(places.known(&interaction(0, 3)).is_none());
        places.close(&interaction(1, 3));
        assert_eq!(places.open().count(), 0);
    }
}
