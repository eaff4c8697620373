//! Jobs that undo, one by one, what a kill or a plan that goes back leaves.

use super::place::Place;
use super::{Draft, unknown};
use crate::kernel::Distribution;
use crate::models::program::Action;
use crate::models::sweep::SweepSpec;
use crate::scenario::problem::Problem;
use crate::units::SimDuration;

impl<'a> Draft<'a> {
    /// `{ compensates: [charge], acts_in: 20m, rate: 40/h }`
    pub(super) fn sweep(&mut self, name: &str, job: &Place<'a>) {
        for key in ["left", "right", "key", "settles_after", "allows"] {
            let idle = job.key(key);
            if idle.is_given() {
                self.error(idle.span, format!("`{key}` is of a job that compares"), "a job compares or compensates");
            }
        }
        let effects: Vec<u16> =
            job.key("compensates").texts().into_iter().filter_map(|(text, span)| self.swept(text, span)).collect();
        let place = job.key("compensates");
        if place.texts().is_empty() {
            self.error(place.span, "a job that compensates nothing", "expected effects, such as [charge]");
        }
        let feature = self.reconciled_feature(job);
        if feature.is_none() && !job.key("feature").is_given() {
            let problem = Problem::error(place.span, "open whose retreat calls for it");
            let problem = problem.label("the scenario has several features, or none");
            self.problems.push(problem.help("write `feature:` beside `compensates:`"));
        }
        let acts_in = self.maybe_distribution(&job.key("acts_in")).unwrap_or(Distribution::ZERO);
        let rate = job.key("rate");
        if !rate.is_given() {
            let problem = Problem::error(place.span, format!("`{name}` does not say how many it undoes"));
            self.problems.push(problem.label("`rate` is missing").help("write rate: 40/h"));
        }
        let (Some(feature), Some(rate)) = (feature, self.maybe_rate(&rate)) else { return };
        let every = SimDuration::from_secs_f64(1.0 / rate);
        self.estate.sweeps.push(SweepSpec { name: name.to_owned(), effects, feature, acts_in, every });
    }

    /// An effect of the plan that can be undone.
    fn swept(&mut self, name: &str, span: crate::scenario::problem::Span) -> Option<u16> {
        let rules = self.estate.operations.iter().flat_map(|operation| &operation.rules);
        let sites = rules.flat_map(|rule| &rule.actions).filter_map(Action::effect);
        let mut made: Vec<(u16, bool)> = sites.map(|site| (site.effect, site.compensated_by.is_some())).collect();
        made.sort_unstable();
        made.dedup();
        let own = made.iter().filter(|(effect, _)| self.estate.effects.text(*effect) == name);
        let sites: Vec<(u16, bool)> = own.copied().collect();
        match sites.first() {
            None => {
                let names = made.iter().map(|(effect, _)| self.estate.effects.text(*effect));
                let problem = unknown(span, "effect", name, names);
                self.problems.push(problem.help("it is made by an action of this plan: { effect: … }"));
                None
            }
            Some((effect, _)) if sites.iter().all(|(_, compensated)| *compensated) => Some(*effect),
            Some(_) => {
                let problem = Problem::error(span, format!("`{name}` does not say what compensates it"));
                let problem = problem.label("what nothing undoes, nobody can");
                self.problems.push(problem.help("write compensated_by: service.operation wherever it is made"));
                None
            }
        }
    }
}
