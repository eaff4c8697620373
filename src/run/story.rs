//! The story of a violation: who decided what, from which policy, how old, why, and what it did to a customer.
//!
//! A story only retells observations of the trace, each line with the id of its own; what was not observed is not told.

mod selection;
mod sentence;

pub use sentence::sentence;

use super::summary::{Story, StoryLine};
use crate::invariants::{Violation, occurrence};
use crate::models::estate::Estate;
use crate::models::observation::{Observation, Observed};

/// Tells a violation from a trace: all observations of its run, or those of its interaction and of the control plane,
/// in the order in which they were made.
pub fn tell(violation: &Violation, invariant: &'static str, seed: u64, trace: &[Observed], estate: &Estate) -> Story {
    let selected = selection::of(violation, trace, estate);
    let mut lines: Vec<Told> = Vec::new();
    for observed in selected.iter().map(|index| &trace[*index]) {
        let Some((who, text)) = sentence(observed, estate) else { continue };
        match repeated(&mut lines, observed, &who, &text) {
            Some(told) => told.times += 1,
            None => lines.push(Told { observed: *observed, who, text, times: 1 }),
        }
    }
    let place = violation.interaction.map(|interaction| occurrence(&interaction, estate));
    let known = place.is_some_and(|place| violation.text.contains(&place));
    let headline = match violation.interaction {
        Some(interaction) if !known => {
            format!("{invariant}: in {}, {} ({})", occurrence(&interaction, estate), violation.text, violation.cause)
        }
        Some(_) | None => format!("{invariant}: {} ({})", violation.text, violation.cause),
    };
    let lines = lines.into_iter().map(Told::line).collect();
    Story { invariant, seed, interaction: violation.interaction, headline, lines }
}

/// A line, and how often what it says happened.
struct Told {
    observed: Observed,
    who: String,
    text: String,
    times: u32,
}

impl Told {
    fn line(self) -> StoryLine {
        let more = if self.times > 1 { format!(", and {} more", self.times - 1) } else { String::new() };
        let text = format!("{}{more}", self.text);
        StoryLine { at: self.observed.at, who: self.who, text, observation: self.observed.id }
    }
}

/// The line that says this already: the last one, or, for polls and messages that came to nothing, any since their
/// replica last heard from the control plane.
fn repeated<'a>(lines: &'a mut [Told], observed: &Observed, who: &str, text: &str) -> Option<&'a mut Told> {
    let in_vain = matches!(observed.what, Observation::Suppressed { .. });
    for told in lines.iter_mut().rev() {
        if told.who == who && told.text == text {
            return Some(told);
        }
        let heard = matches!(told.observed.what, Observation::PolicyApplied { .. }) && told.who == who;
        if !in_vain || heard {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests;
