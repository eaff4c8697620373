//! The story of a violation: who decided what, from which policy, how old, why, and what it did to a customer.
//!
//! A story only retells observations of the trace, each line with the id of its own; what was not observed is not told.

mod plan;
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
    let lines = shortened(lines, violation);
    Story { invariant, seed, interaction: violation.interaction, headline, lines }
}

/// Most lines of a story: a screen or two. An event storm would bury what matters.
const LINES: usize = 60;

/// A story longer than that keeps how it began, what the violation rests on with what came right before, and how it
/// ended, in that order of importance, and says how much is left out where.
fn shortened(lines: Vec<Told>, violation: &Violation) -> Vec<StoryLine> {
    let (all, edge) = (lines.len(), LINES / 5);
    let witness = |told: &Told| violation.witnesses.contains(&told.observed.id);
    let near = |index: usize| lines[index..(index + 4).min(all)].iter().any(witness);
    let kept: Vec<bool> =
        (0..all).map(|index| all <= LINES || index < 2 * edge || index + edge >= all || near(index)).collect();
    let mut shown: Vec<StoryLine> = Vec::new();
    let mut left_out = 0;
    for (told, kept) in lines.into_iter().zip(kept) {
        if !kept {
            left_out += 1;
            continue;
        }
        if left_out > 0 {
            let text = format!("({left_out} lines are left out here)");
            shown.push(StoryLine { at: told.observed.at, who: String::new(), text, observation: told.observed.id });
            left_out = 0;
        }
        shown.push(told.line());
    }
    shown
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
