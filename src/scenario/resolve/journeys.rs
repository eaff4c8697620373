//! Journeys, their entities, and closed-loop users.

use super::place::Place;
use super::{Draft, has_no, unknown};
use crate::models::estate::{Arrivals, ClosedUsers, EntityId, EntityType, Follows, Journey, JourneyId, Quantity};
use crate::models::program::OperationId;
use crate::rollout::{FeatureId, Symbol};
use crate::scenario::defaults;
use crate::scenario::names::Standing;
use crate::scenario::problem::{Problem, Span};
use crate::scenario::quantity;
use crate::units::{Id, Share, SimDuration};

/// More arrivals than this in a run are a mistake, not a load.
const MOST_ARRIVALS: f64 = (1_u64 << 40) as f64;
/// Closed-loop users of a whole estate.
const MOST_USERS: u64 = 1_000_000;

/// A journey while its operations are not known yet.
pub(super) struct JourneyDraft<'a> {
    pub name: &'a str,
    pub place: Place<'a>,
    pub key: Span,
    pub feature: Option<FeatureId>,
    pub entity: Option<EntityId>,
    pub first: Option<OperationId>,
    attributes: Vec<(u16, Vec<(Symbol, Share)>)>,
}

impl<'a> Draft<'a> {
    /// Names, attributes and entities: what conditions and operations may ask for.
    pub(super) fn declare_journeys(&mut self, place: &Place<'a>) {
        let journeys = place.named();
        if journeys.is_empty() {
            self.error(place.span, "a scenario without journeys", "expected at least one journey");
        }
        let none = self.estate.statuses.intern("none");
        let symbol = self.vocabulary.symbols.intern("none");
        self.estate.status_symbols.push(symbol);
        for (entry, place) in journeys {
            self.check_name("journey", entry.name(), entry.key.span);
            self.vocabulary.journeys.push(entry.name().to_owned());
            let symbol = self.vocabulary.symbols.intern(entry.name());
            self.estate.journey_symbols.push(symbol);
            let mut attributes = Vec::new();
            for (attribute, values) in place.key("attributes").named() {
                attributes.push(self.request_attribute(attribute.name(), &values));
            }
            let entity = self.entity(&place.key("entity"), none);
            let draft = JourneyDraft {
                name: entry.name(),
                place,
                key: entry.key.span,
                feature: None,
                entity,
                first: None,
                attributes,
            };
            self.journeys.push(draft);
        }
        self.name_existing();
    }

    /// What a journey comes back to is an entity that another journey creates.
    fn name_existing(&mut self) {
        for at in 0..self.journeys.len() {
            let place = self.journeys[at].place.clone();
            let existing = place.key("on_existing");
            let Some(name) = existing.text() else { continue };
            for key in ["entity", "arrivals"] {
                let other = place.key(key);
                if other.is_given() {
                    let message = format!("a journey on existing entities has no `{key}` of its own");
                    let problem = Problem::error(other.span, message).label("not expected here");
                    self.problems.push(problem.related(existing.span, "it begins where this exists"));
                }
            }
            let found = self.estate.entities.enumerate().find(|(_, entity)| entity.name == name).map(|(id, _)| id);
            self.journeys[at].entity = found;
            if found.is_none() {
                let names = self.estate.entities.iter().map(|entity| entity.name.as_str());
                let problem = unknown(existing.span, "entity", name, names);
                self.problems.push(problem.help("a journey creates it: entity: { name: … }"));
            }
        }
    }

    fn request_attribute(&mut self, name: &str, values: &Place<'a>) -> (u16, Vec<(Symbol, Share)>) {
        let index = self.estate.request_attributes.intern(name);
        let values = self.attribute_values(values);
        let known = &mut self.vocabulary.request_attributes;
        if known.len() <= usize::from(index) {
            known.push((name.to_owned(), Vec::new()));
        }
        let texts = &mut known[usize::from(index)].1;
        for (text, ..) in &values {
            if !texts.contains(text) {
                texts.push(text.clone());
            }
        }
        (index, values.into_iter().map(|(_, symbol, share)| (symbol, share)).collect())
    }

    fn entity(&mut self, place: &Place<'a>, initial: u16) -> Option<EntityId> {
        let node = place.node?;
        let (name, span) = match node.as_text() {
            Some(name) => (name, node.span),
            None => {
                let name = place.key("name");
                (name.text()?, name.span)
            }
        };
        let known = self.estate.entities.enumerate().find(|(_, entity)| entity.name == name).map(|(id, _)| id);
        let describes = node.as_map().is_some_and(|entries| entries.len() > 1);
        if let Some(known) = known {
            let undescribed =
                self.estate.entities[known].transitions.is_empty() && self.estate.entities[known].finals.is_empty();
            if describes && undescribed {
                self.describe_entity(known, place);
            } else if describes {
                let problem = Problem::error(span, format!("the entity `{name}` is described twice"));
                let problem = problem.label("again here");
                self.problems.push(problem.help(format!("in one of the journeys write entity: {name}")));
            }
            return Some(known);
        }
        let entity = EntityType {
            name: name.to_owned(),
            initial,
            transitions: Vec::new(),
            finals: Vec::new(),
            void: Vec::new(),
            per_subject: false,
            amount: None,
        };
        let id = self.estate.entities.push(entity);
        self.describe_entity(id, place);
        Some(id)
    }

    fn describe_entity(&mut self, id: EntityId, place: &Place<'a>) {
        let mut transitions = Vec::new();
        let mut declared = vec![self.estate.entities[id].initial];
        for (entry, to) in place.key("transitions").named() {
            let Some(from) = self.status(entry.name(), entry.key.span) else { continue };
            declared.push(from);
            for (name, span) in to.texts() {
                let Some(to) = self.status(name, span) else { continue };
                declared.push(to);
                transitions.push((from, to));
            }
        }
        transitions.sort_unstable();
        transitions.dedup();
        let finals_place = place.key("final");
        let mut finals = Vec::new();
        for (name, span) in finals_place.texts() {
            let Some(status) = self.status(name, span) else { continue };
            if !transitions.is_empty() && !declared.contains(&status) {
                let valid: Vec<String> = declared.iter().map(|at| self.estate.statuses.text(*at).to_owned()).collect();
                let owner = self.estate.entities[id].name.clone();
                let problem = has_no(span, &owner, "status", name, valid.iter().map(String::as_str));
                self.problems.push(problem);
            }
            finals.push(status);
        }
        if !finals_place.is_given() {
            let exits = |status: u16| transitions.iter().any(|(from, _)| *from == status);
            finals = declared.iter().copied().filter(|status| !transitions.is_empty() && !exits(*status)).collect();
        }
        finals.sort_unstable();
        finals.dedup();
        let void = self.void_statuses(id, &place.key("void"), &finals);
        let per_subject = self.boolean(&place.key("per_subject"));
        let amount = self.amount(&place.key("amount"));
        let entity = &mut self.estate.entities[id];
        entity.amount = amount;
        (entity.transitions, entity.finals, entity.void, entity.per_subject) = (transitions, finals, void, per_subject);
    }

    /// Final statuses in which the entity came to nothing.
    fn void_statuses(&mut self, id: EntityId, place: &Place<'a>, finals: &[u16]) -> Vec<u16> {
        let mut void = Vec::new();
        for (name, span) in place.texts() {
            let Some(status) = self.status(name, span) else { continue };
            if !finals.contains(&status) {
                let message = format!("`{name}` is no final status of `{}`", self.estate.entities[id].name);
                let problem = Problem::error(span, message).label("what came to nothing has come to an end");
                self.problems.push(problem.help(format!("add it: final: [{name}]")));
            }
            void.push(status);
        }
        void.sort_unstable();
        void.dedup();
        void
    }

    /// The status of a name; statuses are declared by being used.
    pub(super) fn status(&mut self, name: &str, span: Span) -> Option<u16> {
        let at = self.intern(span, "statuses", name, |estate| &mut estate.statuses)?;
        if self.estate.status_symbols.len() <= usize::from(at) {
            let symbol = self.vocabulary.symbols.intern(name);
            self.estate.status_symbols.push(symbol);
        }
        Some(at)
    }

    /// Gives each journey its first operation and reads the rest of it.
    pub(super) fn begin_journeys(&mut self) {
        for at in 0..self.journeys.len() {
            let place = self.journeys[at].place.clone();
            let (first, calls) = (place.key("first"), place.key("calls"));
            let operation = match (first.text(), calls.is_given()) {
                (Some(_), true) => {
                    let problem = Problem::error(calls.span, "a journey has `first` or `calls`, not both");
                    self.problems.push(problem.label("a second beginning").related(first.span, "the first"));
                    None
                }
                (Some(target), false) => self.operation_named(target, first.span),
                (None, true) => self.first_of_chain(at),
                (None, false) => {
                    let key = self.journeys[at].key;
                    let problem =
                        Problem::error(key, format!("the journey `{}` begins nowhere", self.journeys[at].name));
                    let problem = problem.label("`first` or `calls` is missing");
                    self.problems.push(problem.help("write `first: service.operation` or `calls: [service, service]`"));
                    None
                }
            };
            self.journeys[at].first = operation;
            let existing = place.key("on_existing").is_given();
            let arrivals = if existing { Arrivals::Follows } else { self.arrivals(at) };
            let completes = place.key("completes_within");
            let journey = Journey {
                name: self.journeys[at].name.to_owned(),
                arrivals,
                entity: self.journeys[at].entity,
                first: operation.unwrap_or(Id::new(0)),
                feature: self.journeys[at].feature,
                completes_within: self.period(&completes, defaults::ARRIVAL_COMPLETES),
                follows: None,
                followed_by: Vec::new(),
                attributes: std::mem::take(&mut self.journeys[at].attributes),
            };
            self.estate.journeys.push(journey);
        }
    }

    /// Which journeys come back to what others create, once the statuses are known.
    pub(super) fn returning_journeys(&mut self) {
        for at in 0..self.journeys.len() {
            let follows = self.follows(at);
            if let Some(journey) = self.estate.journeys.iter_mut().nth(at) {
                journey.follows = follows;
            }
        }
        self.join_followers();
    }

    /// How a journey comes back to what exists.
    fn follows(&mut self, at: usize) -> Option<Follows> {
        let place = self.journeys[at].place.clone();
        if !place.key("on_existing").is_given() {
            for key in ["when", "share", "after"] {
                let lost = place.key(key);
                if lost.is_given() {
                    let problem =
                        Problem::error(lost.span, format!("`{key}` belongs to a journey on existing entities"));
                    let problem = problem.label("without `on_existing` it means nothing");
                    self.problems.push(problem.help("name the entity it comes back to: on_existing: payment"));
                }
            }
            return None;
        }
        let entity = self.journeys[at].entity?;
        let creates =
            |journey: &JourneyDraft<'_>| journey.entity == Some(entity) && !journey.place.key("on_existing").is_given();
        let drafts = self.journeys.iter().enumerate();
        let creators = drafts.filter(|(_, journey)| creates(journey)).map(|(at, _)| Id::new(at)).collect();
        let when = place.key("when");
        let standing = Standing::Existing(self.statuses_of(entity));
        let condition = self.condition(&when, &standing);
        let share = self.share(&place.key("share"), defaults::FOLLOWS_SHARE);
        let Some(after) = self.maybe_distribution(&place.key("after")) else {
            if !place.key("after").is_given() {
                let existing = place.key("on_existing");
                let problem = Problem::error(existing.span, "open how long after the entity's creation it comes back");
                self.problems.push(problem.label("`after` is missing").help("write after: { mean: 20h }"));
            }
            return None;
        };
        // A condition that could not be compiled has been told; the journey must not come back regardless.
        Some(Follows { creators, when: condition, share, after })
    }

    /// The statuses an entity can have.
    fn statuses_of(&self, entity: EntityId) -> Vec<String> {
        let entity = &self.estate.entities[entity];
        let mut statuses: Vec<u16> = entity.transitions.iter().flat_map(|(from, to)| [*from, *to]).collect();
        match entity.transitions.is_empty() {
            true => statuses.extend(0..u16::try_from(self.estate.statuses.len()).unwrap_or(0)),
            false => statuses.push(entity.initial),
        }
        statuses.sort_unstable();
        statuses.dedup();
        statuses.into_iter().map(|at| self.estate.statuses.text(at).to_owned()).collect()
    }

    /// Each journey that creates something learns which come back to it.
    fn join_followers(&mut self) {
        let journeys = self.estate.journeys.enumerate();
        let pairs: Vec<(JourneyId, JourneyId)> = journeys
            .flat_map(|(id, journey)| {
                let creators = journey.follows.iter().flat_map(|follows| follows.creators.iter().copied());
                creators.map(move |creator| (creator, id))
            })
            .collect();
        for (creator, follower) in pairs {
            self.estate.journeys[creator].followed_by.push(follower);
        }
    }

    fn arrivals(&mut self, at: usize) -> Arrivals {
        let place = self.journeys[at].place.key("arrivals");
        let arrivals = match place.node {
            None => Arrivals::Closed,
            Some(node) if node.as_map().is_none() => self.poisson(&place),
            Some(_) if place.key("every").is_given() => {
                Arrivals::Every(self.period(&place.key("every"), defaults::DURATION))
            }
            Some(_) => self.poisson(&place.key("mean")),
        };
        let seconds = self.estate.duration.as_secs_f64();
        let expected = match &arrivals {
            Arrivals::Poisson { per_second } => per_second * seconds,
            Arrivals::Every(every) => seconds / every.as_secs_f64(),
            Arrivals::Closed | Arrivals::Follows => 0.0,
        };
        if expected > MOST_ARRIVALS {
            let message = format!("{expected:.1e} arrivals in one run, at most 2^40 are possible");
            self.error(place.span, message, "expected a lower rate, or a shorter duration");
        }
        arrivals
    }

    fn poisson(&mut self, place: &Place<'a>) -> Arrivals {
        self.maybe_rate(place).map_or(Arrivals::Closed, |per_second| Arrivals::Poisson { per_second })
    }

    pub(super) fn users(&mut self, place: &Place<'a>) {
        let mut total = 0_u64;
        for (entry, place) in place.named() {
            self.check_name("group of users", entry.name(), entry.key.span);
            let count_place = place.key("count");
            let count = self.quantity(&count_place, 1.0).unwrap_or(Quantity::Given(0.0));
            let most = self.most_of(count);
            total = total.saturating_add(u64::from(most));
            if total > MOST_USERS {
                let message = format!("the estate has more than {MOST_USERS} closed-loop users");
                self.error(count_place.span, message, "the first group too many");
            }
            let flag = place.key("while").key("flag");
            let while_on = flag.text().and_then(|name| self.flag(name, flag.span));
            let think = self.distribution(&place.key("think"), defaults::THINK);
            let journeys = self.weighted_journeys(&place.key("journeys"));
            let looks_every = self.period(&place.key("looks_every"), defaults::LOOKS_EVERY);
            let name = entry.name().to_owned();
            self.estate.users.push(ClosedUsers { name, count, most, while_on, think, journeys, looks_every });
        }
        self.check_idle_journeys();
    }

    /// The most that a quantity can come to.
    fn most_of(&self, quantity: Quantity) -> u32 {
        let most = match quantity {
            Quantity::Given(count) => count,
            Quantity::Flag { feature, times } => {
                let values = self.estate.features[feature].stages.iter().filter_map(|stage| stage.value);
                values.map(|value| value.number() * times).fold(0.0, f64::max)
            }
        };
        most.clamp(0.0, f64::from(u32::MAX)) as u32
    }

    fn weighted_journeys(&mut self, place: &Place<'a>) -> Vec<(crate::models::estate::JourneyId, f64)> {
        let mut weighted = Vec::new();
        for (entry, weight) in place.named() {
            let found = self.journeys.iter().position(|journey| journey.name == entry.name());
            let Some(at) = found else {
                let names = self.journeys.iter().map(|journey| journey.name);
                let problem = unknown(entry.key.span, "journey", entry.name(), names);
                self.problems.push(problem);
                continue;
            };
            if self.journeys[at].place.key("on_existing").is_given() {
                let message = format!("`{}` begins where its entity exists, not where users choose it", entry.name());
                self.error(entry.key.span, message, "expected a journey that creates its entity");
                continue;
            }
            let text = weight.text().unwrap_or_default();
            if let Ok(weight) = quantity::float(text, 0.0..=1e9) {
                weighted.push((Id::new(at), weight));
            }
        }
        if place.is_given() && weighted.iter().map(|(_, weight)| weight).sum::<f64>() <= 0.0 {
            self.error(place.span, "users that choose no journey", "expected journeys with weights above zero");
        }
        weighted
    }

    /// A journey that nothing ever begins is a slip.
    fn check_idle_journeys(&mut self) {
        for (id, journey) in self.estate.journeys.enumerate() {
            let chosen = self.estate.users.iter().any(|users| users.journeys.iter().any(|(chosen, _)| *chosen == id));
            if matches!(journey.arrivals, Arrivals::Closed) && !chosen {
                let draft = &self.journeys[id.index()];
                if draft.place.key("arrivals").is_given() {
                    continue;
                }
                let problem = Problem::error(draft.key, format!("nothing begins the journey `{}`", journey.name));
                let problem = problem.label("it has no `arrivals`, and no `users` choose it");
                self.problems.push(problem.help("write arrivals: 10/s"));
            }
        }
    }

    /// How long the longest hold on its way makes a journey: the hold, and for what comes after it an hour a day of it.
    pub(super) fn allow_hold(&mut self, journey: usize, longest: SimDuration) {
        if longest.is_zero() || self.journeys[journey].place.key("completes_within").is_given() {
            return;
        }
        if let Some(journey) = self.estate.journeys.iter_mut().nth(journey) {
            journey.completes_within = journey.completes_within.max(longest + longest.scaled(1.0 / 24.0));
        }
    }
}
