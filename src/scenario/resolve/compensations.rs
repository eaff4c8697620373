//! What undoes what, and sagas: a service's time for what it begins, and what happens when it is over.

use super::place::Place;
use super::{Draft, has_no, unknown};
use crate::models::estate::{AtTimeout, JourneyId, SagaSpec, ServiceId};
use crate::models::program::{Action, DualWriteSite, OperationId};
use crate::scenario::defaults;
use crate::scenario::problem::{Problem, Span};
use crate::units::{Id, SimDuration};

/// The word for running what compensates each effect.
const COMPENSATE: &str = "compensate";
/// How long what a saga starts at its end may take: as long as what a customer waits for.
const AFTERMATH: SimDuration = SimDuration::from_secs(30);

/// Effects that the file says are undone, and where.
#[derive(Default)]
pub(super) struct Undoings {
    /// By an action, whichever operation it stands in.
    actions: Vec<(u16, Span)>,
    /// By the operation that an effect names.
    declared: Vec<(u16, OperationId, Span)>,
}

impl<'a> Draft<'a> {
    /// `compensate: effect`
    pub(super) fn compensate(&mut self, of: &Place<'a>) -> Option<Action> {
        let effect = self.intern(of.span, "effects", of.text()?, |estate| &mut estate.effects)?;
        self.undoings.actions.push((effect, of.span));
        Some(Action::Compensate { effect })
    }

    /// The operation that an effect names as its compensator.
    pub(super) fn compensated_by(&mut self, effect: u16, place: &Place<'a>) -> Option<OperationId> {
        let operation = self.operation_named(place.text()?, place.span)?;
        self.undoings.declared.push((effect, operation, place.span));
        Some(operation)
    }

    /// Operations that begin later, for which nobody waits: what a saga of the operation's service runs, and where any
    /// saga or job compensates, what compensates the effects of the operation.
    pub(super) fn begun_later(&self, service: ServiceId, actions: &[Place<'a>]) -> Vec<OperationId> {
        let at_timeout = |place: &Place<'a>| place.key("saga").key("on_timeout").text();
        let own = at_timeout(&self.services[service.index()].place).filter(|then| *then != COMPENSATE);
        let jobs = Place::root(self.root).key("reconciliation").named();
        let compensates = self.services.iter().any(|service| at_timeout(&service.place) == Some(COMPENSATE))
            || jobs.iter().any(|(_, job)| job.key("compensates").is_given());
        let both = |action: &Place<'a>| action.key("dual_write").key("compensated_by").text();
        let declared = actions.iter().filter_map(|action| action.key("compensated_by").text().or_else(|| both(action)));
        let wanted = own.into_iter().chain(declared.filter(|_| compensates));
        wanted.filter_map(|target| self.find_operation(target)).collect()
    }

    /// What is undone must be done somewhere, and whoever is named must undo it.
    pub(super) fn check_compensations(&mut self) {
        let made = self.actions_of_all().filter_map(Action::effect);
        let mut done: Vec<u16> = made.map(|site| site.effect).collect();
        done.sort_unstable();
        done.dedup();
        let Undoings { actions, declared } = std::mem::take(&mut self.undoings);
        for (effect, span) in &actions {
            if !done.contains(effect) {
                let names: Vec<String> = done.iter().map(|at| self.estate.effects.text(*at).to_owned()).collect();
                let name = self.estate.effects.text(*effect);
                let problem = unknown(*span, "effect", name, names.iter().map(String::as_str));
                self.problems.push(problem.help("it is done by an action of this plan: { effect: … }"));
            }
        }
        for (effect, operation, span) in &declared {
            let undoes = |action: &Action| matches!(action, Action::Compensate { effect: of } if of == effect);
            let reached = self.reached_from([*operation]);
            if reached
                .iter()
                .any(|id| self.estate.operations[*id].rules.iter().any(|rule| rule.actions.iter().any(undoes)))
            {
                continue;
            }
            let name = self.estate.effects.text(*effect);
            let of = &self.estate.operations[*operation];
            let message =
                format!("`{}.{}` does not compensate `{name}`", self.estate.services[of.service].name, of.name);
            let problem = Problem::error(*span, message).label("named as what undoes it");
            self.problems.push(problem.help(format!("write do: [{{ compensate: {name} }}] there")));
        }
        let undone = |effect: u16| actions.iter().any(|(of, _)| *of == effect);
        for operation in self.estate.operations.iter_mut() {
            for action in operation.rules.iter_mut().flat_map(|rule| &mut rule.actions) {
                if let Action::Effect(site) | Action::DualWrite(DualWriteSite { effect: site, .. }) = action {
                    site.undoable = site.compensated_by.is_some() || undone(site.effect);
                }
            }
        }
    }

    fn actions_of_all(&self) -> impl Iterator<Item = &Action> {
        self.estate.operations.iter().flat_map(|operation| &operation.rules).flat_map(|rule| &rule.actions)
    }

    /// The saga of each service that has one, once it is known which paths there are.
    pub(super) fn sagas(&mut self) {
        for at in 0..self.services.len() {
            let place = self.services[at].place.key("saga");
            if !place.is_given() {
                continue;
            }
            let id = Id::new(at);
            let timeouts = self.timeouts(id, &place.key("timeout"));
            let Some(on_timeout) = self.on_timeout(&place.key("on_timeout")) else { continue };
            let keeps_context = place.key("context").text() != Some("refresh");
            self.check_ends(id, &timeouts, &place);
            self.estate.services[id].saga = Some(SagaSpec { keeps_context, timeouts, on_timeout });
        }
    }

    fn timeouts(&mut self, service: ServiceId, place: &Place<'a>) -> Vec<(u16, SimDuration)> {
        let operations = self.estate.services[service].operations.iter();
        let rules = operations.flat_map(|id| &self.estate.operations[*id].rules);
        let mut paths: Vec<u16> = rules.filter_map(|rule| rule.path).collect();
        paths.sort_unstable();
        paths.dedup();
        let mut timeouts = Vec::new();
        for (entry, time) in place.named() {
            let known = self.estate.paths.find(entry.name()).filter(|path| paths.contains(path));
            let Some(path) = known else {
                let names = paths.iter().map(|path| self.estate.paths.text(*path));
                let service = &self.estate.services[service].name;
                let problem = has_no(entry.key.span, service, "path", entry.name(), names);
                self.problems.push(problem.help("a saga begins where a rule of its service has this `path`"));
                continue;
            };
            timeouts.push((path, self.period(&time, defaults::DURATION)));
        }
        if place.named().is_empty() {
            self.error(place.span, "a saga without a time never ends", "expected a time by path, such as { new: 30s }");
        }
        timeouts.sort_unstable();
        timeouts
    }

    fn on_timeout(&mut self, place: &Place<'a>) -> Option<AtTimeout> {
        match place.text()? {
            COMPENSATE => {
                let compensable = |action: &Action| action.effect().is_some_and(|site| site.compensated_by.is_some());
                if !self.actions_of_all().any(compensable) {
                    let problem = Problem::error(place.span, "there is nothing that this saga could compensate");
                    let problem = problem.label("no effect says what undoes it");
                    self.problems.push(problem.help("write { effect: pay, compensated_by: payments.refund }"));
                }
                Some(AtTimeout::Compensate)
            }
            target => self.operation_named(target, place.span).map(AtTimeout::Run),
        }
    }

    /// A saga ends with its entity: every journey that begins one needs an entity with an end, and the time.
    fn check_ends(&mut self, service: ServiceId, timeouts: &[(u16, SimDuration)], place: &Place<'a>) {
        let timed = |path: Option<u16>| timeouts.iter().any(|(of, _)| Some(*of) == path);
        let begins = |id: &OperationId| {
            let operation = &self.estate.operations[*id];
            operation.service == service && operation.rules.iter().any(|rule| timed(rule.path))
        };
        let journeys: Vec<usize> = (0..self.journeys.len())
            .filter(|at| self.journeys[*at].first.is_some_and(|first| self.reached_from([first]).iter().any(begins)))
            .collect();
        let longest = timeouts.iter().map(|(_, time)| *time).max().unwrap_or_default();
        for at in journeys {
            let entity = self.journeys[at].entity.map(|id| &self.estate.entities[id]);
            if entity.is_none_or(|entity| entity.finals.is_empty()) {
                let (saga, journey) = (&self.estate.services[service].name, self.journeys[at].name);
                let problem =
                    Problem::error(place.span, format!("the saga of `{saga}` has no end for the journey `{journey}`"));
                let problem = problem.label(match entity {
                    None => "the journey has no entity".to_owned(),
                    Some(entity) => format!("its entity `{}` has no final status", entity.name),
                });
                self.problems
                    .push(problem.help("give the journey entity: { name: payment, final: [done, cancelled] }"));
            }
            if !self.journeys[at].place.key("completes_within").is_given() {
                let journey: JourneyId = Id::new(at);
                let within = &mut self.estate.journeys[journey].completes_within;
                *within = (*within).max(longest.saturating_add(AFTERMATH));
            }
        }
    }
}
