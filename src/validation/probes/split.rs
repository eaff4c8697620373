//! Interactions in which one feature was decided in two ways.

use crate::invariants::{Mixed, Reading};
use crate::models::estate::Estate;
use crate::models::observation::{Decided, Kind, Observation, Observed};
use crate::rollout::StageId;
use crate::units::SimTime;
use crate::validation::Probe;

/// One sample per journey: a function of how many of its interactions were split. Journeys share no service.
pub struct Split {
    reader: Reader,
    split: Vec<u32>,
    sample: fn(u32) -> f64,
    /// Seconds from the beginning of the run before which nothing is counted.
    from: f64,
}

/// Which interactions count.
enum Reader {
    /// Two contexts used different stages, counted as the metric `mixed_interactions.count` does.
    Contexts(Mixed),
    /// Two decisions differ, of whatever context; the first stage per place of an interaction in flight.
    Decisions(Vec<Option<StageId>>),
    /// A decision for an earlier stage than the first one.
    Regressions(Vec<Option<StageId>>),
}

impl Split {
    fn by(reader: Reader) -> Box<Split> {
        Box::new(Split { reader, split: Vec::new(), sample: f64::from, from: 0.0 })
    }

    /// Interactions whose contexts disagree.
    pub fn contexts() -> Box<dyn Probe> {
        Split::by(Reader::Contexts(Mixed::default()))
    }

    /// Interactions whose contexts disagree, from this moment of the run on.
    pub fn contexts_from(from: f64) -> Box<dyn Probe> {
        Box::new(Split { from, ..*Split::by(Reader::Contexts(Mixed::default())) })
    }

    /// Interactions with two answers, one context visited twice included.
    pub fn decisions() -> Box<dyn Probe> {
        Split::by(Reader::Decisions(Vec::new()))
    }

    /// Interactions that began under the new stage and went on under the old one.
    pub fn regressions() -> Box<dyn Probe> {
        Split::by(Reader::Regressions(Vec::new()))
    }

    /// 1 for a journey with at least one split interaction.
    pub fn any() -> Box<dyn Probe> {
        Box::new(Split { sample: |split| f64::from(split > 0), ..*Split::by(Reader::Contexts(Mixed::default())) })
    }
}

impl Reader {
    fn is_split(&mut self, decided: &Decided) -> bool {
        match self {
            Reader::Contexts(mixed) => matches!(mixed.decided(decided), Reading::Mixed | Reading::JudgedMixed),
            Reader::Decisions(first) => first_stage(first, decided).is_some_and(|first| first != decided.stage),
            Reader::Regressions(first) => first_stage(first, decided).is_some_and(|first| decided.stage < first),
        }
    }

    fn close(&mut self, interaction: &crate::models::observation::Interaction) {
        match self {
            Reader::Contexts(mixed) => mixed.close(interaction),
            Reader::Decisions(first) | Reader::Regressions(first) => {
                if let Some(place) = first.get_mut(interaction.place as usize) {
                    *place = None;
                }
            }
        }
    }
}

/// The stage first decided in the interaction; remembers this decision's where there was none.
fn first_stage(first: &mut Vec<Option<StageId>>, decided: &Decided) -> Option<StageId> {
    let place = decided.interaction.place as usize;
    if first.len() <= place {
        first.resize(place + 1, None);
    }
    let known = first[place];
    first[place].get_or_insert(decided.stage);
    known
}

impl Probe for Split {
    fn reads(&self) -> &'static [Kind] {
        &[Kind::Decided, Kind::Closed]
    }

    fn observe(&mut self, observed: &Observed, estate: &Estate) {
        self.split.resize(estate.journeys.len(), 0);
        if let Observation::Decided(decided) = &observed.what
            && observed.at.as_secs_f64() >= self.from
        {
            self.split[decided.interaction.journey.index()] += u32::from(self.reader.is_split(decided));
        } else if let Observation::Closed { interaction, .. } = &observed.what {
            self.reader.close(interaction);
        }
    }

    fn samples(&mut self, _end: SimTime, estate: &Estate) -> Vec<f64> {
        self.split.resize(estate.journeys.len(), 0);
        self.split.iter().map(|split| (self.sample)(*split)).collect()
    }
}
