//! Amounts of money: whole numbers of a currency's minor unit.

use super::aggregate::Aggregate;
use super::estate::{Estate, JourneyId};
use super::observation::Interaction;
use super::program::EffectSite;
use super::task::Task;
use super::world::World;
use crate::kernel::Distribution;
use crate::kernel::stream::address;
use crate::units::Slot;

/// A currency and how many decimals its minor unit is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency {
    /// As ISO 4217 names it.
    pub code: String,
    pub decimals: u8,
}

impl Currency {
    /// `240.00 EUR`
    pub fn text(&self, minor: u64) -> String {
        let unit = 10_u64.pow(self.decimals.into());
        match self.decimals {
            0 => format!("{minor} {}", self.code),
            decimals => {
                let (whole, part, width) = (minor / unit, minor % unit, usize::from(decimals));
                format!("{whole}.{part:0width$} {}", self.code)
            }
        }
    }
}

/// How much money something is about, the same each time or drawn.
///
/// The kernel draws whole nanoseconds; here each stands for one minor unit.
#[derive(Clone, Debug)]
pub struct Amount(pub Distribution);

/// What the draw of an entity's amount is counted by, beside those of its customer.
const OF_ENTITY: u64 = 7;

impl Interaction {
    /// The interaction that created what this one comes back to, where it does: its journey and its number.
    pub fn creator(&self, estate: &Estate) -> Option<(JourneyId, u64)> {
        let follows = estate.journeys[self.journey].follows.as_ref()?;
        let creators = follows.creators.len() as u64;
        let of = follows.creators.get(self.n.checked_rem(creators)? as usize)?;
        Some((*of, self.n / creators))
    }
}

impl World {
    /// The amount of an effect: its own, or that of the entity, which whoever comes back to it finds as it was.
    pub(super) fn amount(&mut self, estate: &Estate, slot: Slot<Task>, site: &EffectSite) -> Option<u64> {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let interaction = self.interactions.get(task.interaction).expect("a task's interaction is open");
        let Some(own) = &site.amount else {
            let (id, about) = (interaction.id, interaction.aggregate);
            return self.amount_of_entity(estate, &id, about?);
        };
        // However often it is tried, it is the same.
        let at = address(u64::from(task.action) << 16 | 1 << 30, task.visit, 0);
        let (key, identity) = (self.keys.chance[task.operation.index()], interaction.identity);
        Some(self.cx.sample(&own.0, key, identity, at).nanos())
    }

    fn amount_of_entity(&mut self, estate: &Estate, id: &Interaction, about: Slot<Aggregate>) -> Option<u64> {
        let aggregate = self.aggregates.get(about).expect("an aggregate in use is in its pool");
        if aggregate.amount.is_some() {
            return aggregate.amount;
        }
        let amount = estate.entities[aggregate.entity].amount.as_ref()?;
        let (journey, n) = id.creator(estate).unwrap_or((id.journey, id.n));
        let key = self.keys.journeys[journey.index()].subject;
        let drawn = Some(self.cx.sample(&amount.0, key, n, OF_ENTITY).nanos());
        self.aggregates.get_mut(about).expect("an aggregate in use is in its pool").amount = drawn;
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_with_the_decimals_of_its_currency() {
        let text = |code: &str, decimals, minor| Currency { code: code.to_owned(), decimals }.text(minor);
        assert_eq!(text("EUR", 2, 24_005), "240.05 EUR");
        assert_eq!(text("JPY", 0, 24_005), "24005 JPY");
        assert_eq!(text("KWD", 3, 5), "0.005 KWD");
    }
}
