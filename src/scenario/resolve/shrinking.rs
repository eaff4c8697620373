//! A percentage that shrinks and takes nobody back: a mistake that no run would show.

use super::Draft;
use super::place::Place;
use crate::rollout::{FeatureId, Move, StageId, Step};
use crate::scenario::problem::Problem;
use crate::units::Share;

/// The largest share of an audience that steps so far have brought to a stage.
struct Reached {
    of: Option<String>,
    to: StageId,
    share: Share,
}

fn source(line: &Move) -> Option<String> {
    line.of.as_ref().map(|condition| condition.source().to_owned())
}

impl<'a> Draft<'a> {
    /// Whoever a step does not name keeps the stage they have (rules.md, 11), so that a smaller share of the same
    /// audience moves nobody. A step that takes the others back says where they go.
    pub(super) fn shrinking(&mut self, feature: FeatureId, steps: &[Step], places: &[Place<'a>]) {
        let mut reached: Vec<Reached> = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            for (nth, line) in step.moves.iter().enumerate() {
                let of = source(line);
                let others_go = step.moves[nth + 1..].iter().any(|later| {
                    later.percent == Share::ALL && later.to != line.to && (later.of.is_none() || source(later) == of)
                });
                let known = reached.iter().find(|known| known.of == of && known.to == line.to);
                if let Some(known) = known.filter(|known| line.percent < known.share && !others_go) {
                    let problem = self.shrinks(feature, line, known.share, step, &places[at], nth);
                    self.problems.push(problem);
                }
            }
            if step.moves.iter().any(|line| line.of.is_none() && line.percent == Share::ALL) {
                reached.clear();
            }
            for line in &step.moves {
                // Where part of an audience goes elsewhere, how many are left is not followed further.
                let of = source(line);
                reached.retain(|known| known.of != of);
            }
            for line in &step.moves {
                reached.push(Reached { of: source(line), to: line.to, share: line.percent });
            }
        }
    }

    fn shrinks(
        &self,
        feature: FeatureId,
        line: &Move,
        from: Share,
        step: &Step,
        place: &Place<'a>,
        nth: usize,
    ) -> Problem {
        let of = &self.estate.features[feature];
        let who = line.of.as_ref().map_or("everybody".to_owned(), |condition| format!("`{}`", condition.source()));
        let stage = of.stage_name(line.to);
        let message =
            format!("the share of {who} at {stage} shrinks from {from} to {} in `{}`", line.percent, step.name);
        let written = place.key("move").items().get(nth).map(|item| item.key("percent"));
        let span = written.filter(Place::is_given).map_or(place.span, |percent| percent.span);
        let problem =
            Problem::error(span, message).label("nobody moves: whom a step does not name keeps the stage they have");
        let before = of.stage_name(of.initial_stage);
        problem.help(format!("to take the others back, say where they go: add {{ to: {before} }} after it"))
    }
}
