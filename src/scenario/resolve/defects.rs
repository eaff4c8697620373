//! What is wrong with code versions, compiled once it is known what their operations can name.

use super::Draft;
use super::place::Place;
use crate::models::defect::{Defect, Harm};
use crate::models::estate::ServiceId;
use crate::scenario::names::{RuleScope, Standing};
use crate::scenario::problem::Problem;
use crate::scenario::quantity;
use crate::units::Id;

impl<'a> Draft<'a> {
    pub(super) fn defects(&mut self) {
        for at in 0..self.services.len() {
            let id: ServiceId = Id::new(at);
            let codes = self.services[at].place.key("code").named();
            for (entry, code) in codes {
                let listed = code.key("defects").items();
                let defects: Vec<Defect> = listed.iter().filter_map(|place| self.defect(id, place)).collect();
                let service = &mut self.estate.services[id];
                service.defective |= !defects.is_empty();
                let number = entry.name().parse().unwrap_or(u32::MAX);
                if let Some(code) = service.codes.iter_mut().find(|code| code.number == number) {
                    code.defects = defects;
                }
            }
        }
    }

    fn defect(&mut self, service: ServiceId, place: &Place<'a>) -> Option<Defect> {
        let harm = self.harm(place)?;
        let when = place.key("when");
        let written = place.node.and_then(|node| node.get("when")).is_some();
        let standing = self.standing_of_service(service);
        let condition = self.condition(&when, &standing);
        if let Some(condition) = &condition
            && !self.features_read(condition).is_empty()
        {
            let problem = Problem::error(when.span, "a defect does not ask for a stage: it is in the code that runs");
            let problem = problem.label("expected a cohort, such as tenant.segment");
            self.problems.push(problem.help("name the path that is wrong: path: new"));
            return None;
        }
        if written && condition.is_none() {
            return None;
        }
        Some(Defect { harm, path: self.defective_path(service, &place.key("path")), when: condition })
    }

    fn harm(&mut self, place: &Place<'a>) -> Option<Harm> {
        let slower = place.key("slower");
        if let Some(text) = slower.text() {
            let factor = quantity::float(text, 0.0..=1e6).ok()?;
            if factor < 1.0 {
                let message = format!("`slower: {text}` would make it faster");
                self.error(slower.span, message, "expected a factor of at least 1");
                return None;
            }
            return Some(Harm::Slower(factor));
        }
        if place.key("fails_after").is_given() {
            return self.maybe_duration(&place.key("fails_after")).map(Harm::FailsAfter);
        }
        let fails = self.maybe_share(&place.key("fails")).map(Harm::Fails);
        let disagrees = self.maybe_share(&place.key("disagrees")).map(Harm::Disagrees);
        let corrupts = self.maybe_share(&place.key("corrupts")).map(Harm::Corrupts);
        fails.or(disagrees).or(corrupts)
    }

    /// A path that none of the service's rules takes is a slip: the defect would never be met.
    fn defective_path(&mut self, service: ServiceId, place: &Place<'a>) -> Option<u16> {
        let name = place.text()?;
        let operations = self.estate.services[service].operations.iter();
        let rules = operations.flat_map(|id| &self.estate.operations[*id].rules);
        let mut taken: Vec<u16> = rules.filter_map(|rule| rule.path).collect();
        taken.sort_unstable();
        taken.dedup();
        let found = taken.iter().copied().find(|path| self.estate.paths.text(*path) == name);
        if found.is_none() {
            let names: Vec<String> = taken.iter().map(|path| self.estate.paths.text(*path).to_owned()).collect();
            let owner = self.estate.services[service].name.clone();
            let problem = super::has_no(place.span, &owner, "path", name, names.iter().map(String::as_str));
            self.problems.push(problem);
        }
        found
    }

    /// What a condition can name wherever it stands in a service.
    fn standing_of_service(&self, service: ServiceId) -> Standing {
        let mut all = RuleScope::default();
        for id in &self.estate.services[service].operations {
            let Standing::Rule(scope) = self.standing(*id) else { continue };
            all.features.extend(scope.features);
            all.statuses.extend(scope.statuses);
            all.reached |= scope.reached;
        }
        all.features.sort_unstable();
        all.features.dedup();
        all.statuses.sort_unstable();
        all.statuses.dedup();
        Standing::Rule(all)
    }
}
