//! Operations: declared by name first, compiled once it is known who reaches them.

use std::collections::BTreeSet;

use super::place::Place;
use super::{Draft, has_no, shown, unknown};
use crate::kernel::Distribution;
use crate::models::estate::{EntityId, Names, ServiceId};
use crate::models::program::{Action, CallSite, DualWriteSite, Operation, OperationId, OperationRule, RuleWhen};
use crate::rollout::{FeatureId, StageId};
use crate::scenario::names::{RuleScope, Standing};
use crate::scenario::problem::{Problem, Span};
use crate::scenario::tree::Node;
use crate::units::{Id, SimDuration};

/// The operation that stands for a service of which no more is said.
const SERVE: &str = "serve";

/// What an operation is compiled from.
#[derive(Clone, Debug)]
pub(super) enum Body<'a> {
    Written(Place<'a>),
    /// A link of a journey's `calls`: does its effect and calls the next.
    Link {
        journey: usize,
        next: Option<OperationId>,
        span: Span,
    },
    /// Of a service with `calls`, or without anything to say.
    Serve,
}

/// An operation on its way to being compiled.
pub(super) struct OperationDraft<'a> {
    pub service: ServiceId,
    pub key: Span,
    pub body: Body<'a>,
    /// Operations it calls, and events it emits: topic, type.
    pub calls: Vec<OperationId>,
    pub emits: Vec<(crate::models::estate::TopicId, u16)>,
    /// The longest that work is held here.
    pub holds: SimDuration,
    /// Operations that a saga begins later.
    pub later: Vec<OperationId>,
    /// Of the journeys that reach it.
    pub features: BTreeSet<FeatureId>,
    pub entities: BTreeSet<EntityId>,
    pub reached: bool,
}

impl<'a> Draft<'a> {
    /// Declares every operation, in the order of services and names.
    pub(super) fn declare_operations(&mut self) {
        let mut declared: Vec<Vec<(String, Span, Body<'a>)>> = Vec::new();
        let bare = self.bare_targets();
        for service in &self.services {
            let written = service.place.key("operations").named().into_iter();
            let mut operations: Vec<(String, Span, Body<'a>)> =
                written.map(|(entry, place)| (entry.name().to_owned(), entry.key.span, Body::Written(place))).collect();
            let name = super::place::last(&service.place.path);
            let has_own = operations.iter().any(|(name, ..)| !name.starts_with("on "));
            let calls = service.place.key("calls").is_given();
            if (calls || bare.contains(name) && !has_own) && operations.iter().all(|(name, ..)| name != SERVE) {
                operations.push((SERVE.to_owned(), service.key, Body::Serve));
            }
            declared.push(operations);
        }
        self.declare_links(&mut declared);
        for (service, mut operations) in declared.into_iter().enumerate() {
            operations.sort_by(|a, b| a.0.cmp(&b.0));
            for (name, key, body) in operations {
                self.declare_operation(Id::new(service), name, key, body);
            }
        }
        self.join_links();
    }

    fn declare_operation(&mut self, service: ServiceId, name: String, key: Span, body: Body<'a>) {
        let takes = match &body {
            Body::Written(place) if place.key("takes").is_given() => {
                let place = place.key("takes");
                self.maybe_distribution(&place).unwrap_or(Distribution::ZERO)
            }
            Body::Written(_) | Body::Link { .. } | Body::Serve => self.services[service.index()].takes.clone(),
        };
        if self.estate.operations.len() >= 100_000 {
            self.error(key, "more than 100000 operations", "the first one too many");
            return;
        }
        let operation = Operation { service, name, takes, rules: Vec::new(), reads: Vec::new(), may_read: Vec::new() };
        let id = self.estate.operations.push(operation);
        self.estate.services[service].operations.push(id);
        self.operations.push(OperationDraft {
            service,
            key,
            body,
            calls: Vec::new(),
            emits: Vec::new(),
            holds: SimDuration::ZERO,
            later: Vec::new(),
            features: BTreeSet::new(),
            entities: BTreeSet::new(),
            reached: false,
        });
    }

    /// Services that something calls without naming an operation.
    fn bare_targets(&self) -> BTreeSet<String> {
        let mut bare = BTreeSet::new();
        let mut note = |target: &str| {
            if !target.contains('.') {
                bare.insert(target.to_owned());
            }
        };
        for service in &self.services {
            service.place.key("calls").texts().iter().for_each(|(target, _)| note(target));
            for (_, operation) in service.place.key("operations").named() {
                for action in super::graph::actions_of(&operation) {
                    action.key("call").text().into_iter().for_each(&mut note);
                }
            }
        }
        self.journeys.iter().filter_map(|journey| journey.place.key("first").text()).for_each(note);
        bare
    }

    /// `calls: [a, b, c]` of each journey: an operation named after it in each of the services.
    fn declare_links(&mut self, declared: &mut [Vec<(String, Span, Body<'a>)>]) {
        for at in 0..self.journeys.len() {
            let feature = self.journeys[at].place.key("feature");
            self.journeys[at].feature = feature.text().and_then(|name| self.feature(name, feature.span));
            let calls = self.journeys[at].place.key("calls");
            if calls.is_given() && calls.texts().is_empty() {
                self.error(calls.span, "a journey that calls nothing", "expected services");
            }
            for (target, span) in calls.texts() {
                let Some(service) = self.service_named(target, span) else { continue };
                let operations = &mut declared[service.index()];
                let base = self.journeys[at].name;
                let links = |body: &Body<'_>| matches!(body, Body::Link { journey, .. } if *journey == at);
                let before = operations.iter().filter(|(_, _, body)| links(body)).count();
                let name = if before == 0 { base.to_owned() } else { format!("{base} ({})", before + 1) };
                if let Some((_, other, _)) = operations.iter().find(|(known, ..)| *known == name) {
                    let message = format!("`{target}` has an operation `{name}`, as `calls` would give it one");
                    let problem = Problem::error(span, message).label("a second operation of this name");
                    let problem = problem.related(*other, "the first");
                    self.problems.push(problem.help(format!("begin the journey with `first: {target}.{name}`")));
                    continue;
                }
                operations.push((name, span, Body::Link { journey: at, next: None, span }));
            }
        }
    }

    /// Ties each link of `calls` to the next.
    fn join_links(&mut self) {
        for at in 0..self.journeys.len() {
            let chain = self.chain(at);
            for pair in chain.windows(2) {
                if let Body::Link { next, .. } = &mut self.operations[pair[0].index()].body {
                    *next = Some(pair[1]);
                }
            }
        }
    }

    /// The links of a journey's `calls`, in order: as they are written one after the other in the file.
    fn chain(&self, journey: usize) -> Vec<OperationId> {
        let mut links: Vec<(usize, OperationId)> = Vec::new();
        let calls = self.journeys[journey].place.key("calls").texts();
        for (id, draft) in self.operations.iter().enumerate() {
            if let Body::Link { journey: of, span, .. } = &draft.body
                && *of == journey
            {
                let position = calls.iter().position(|(_, written)| written == span);
                links.extend(position.map(|position| (position, Id::new(id))));
            }
        }
        links.sort_unstable_by_key(|(position, _)| *position);
        links.into_iter().map(|(_, id)| id).collect()
    }

    pub(super) fn first_of_chain(&self, journey: usize) -> Option<OperationId> {
        self.chain(journey).first().copied()
    }

    /// The operation of `service.operation`, or of a service of which no more is said.
    pub(super) fn find_operation(&self, target: &str) -> Option<OperationId> {
        let (service, name) = target.split_once('.').unwrap_or((target, ""));
        let service = self.estate.service_named(service)?;
        let operations = &self.estate.services[service].operations;
        let named = |wanted: &str| operations.iter().copied().find(|id| self.estate.operations[*id].name == wanted);
        if !name.is_empty() {
            return named(name);
        }
        let written = |id: &OperationId| matches!(self.operations[id.index()].body, Body::Written(_));
        let plain = |id: &OperationId| !self.estate.operations[*id].name.starts_with("on ");
        let mut only = operations.iter().copied().filter(|id| written(id) && plain(id));
        named(SERVE).or_else(|| only.next().filter(|_| only.next().is_none()))
    }

    /// As [`Self::find_operation`], or a problem with the nearest name.
    pub(super) fn operation_named(&mut self, target: &str, span: Span) -> Option<OperationId> {
        if let Some(found) = self.find_operation(target) {
            return Some(found);
        }
        let (service_name, name) = target.split_once('.').unwrap_or((target, ""));
        let service = self.service_named(service_name, span)?;
        let operations = self.estate.services[service].operations.iter();
        let names: Vec<String> = operations.map(|id| self.estate.operations[*id].name.clone()).collect();
        if name.is_empty() {
            let message = format!("`{service_name}` has several operations, or only consumes: which one?");
            let first = names.iter().find(|name| !name.starts_with("on ")).map_or("operation", String::as_str);
            self.error(span, message, format!("expected service.operation, such as {service_name}.{first}"));
            return None;
        }
        let problem = has_no(span, service_name, "operation", name, names.iter().map(String::as_str));
        self.problems.push(problem);
        None
    }

    /// The index of a name that is declared by being used; bounded, whatever a file does.
    pub(super) fn intern(
        &mut self,
        span: Span,
        what: &str,
        name: &str,
        names: fn(&mut crate::models::estate::Estate) -> &mut Names,
    ) -> Option<u16> {
        const MOST: usize = 2_000;
        let names = names(&mut self.estate);
        if names.len() >= MOST && names.find(name).is_none() {
            self.error(span, format!("more than {MOST} {what}"), "the first one too many");
            return None;
        }
        Some(names.intern(name))
    }

    pub(super) fn compile_operations(&mut self) {
        for at in 0..self.operations.len() {
            let id: OperationId = Id::new(at);
            match self.operations[at].body.clone() {
                Body::Written(place) => self.compile_written(id, &place),
                Body::Link { journey, next, span } => self.compile_link(id, journey, next, span),
                Body::Serve => {
                    let actions = self.plain_calls(id);
                    self.push_rule(id, RuleWhen::Always, None, actions);
                }
            }
            let operation = &mut self.estate.operations[id];
            operation.reads.sort_unstable();
            operation.reads.dedup();
            operation.may_read.sort_unstable();
            operation.may_read.dedup();
        }
    }

    pub(super) fn push_rule(&mut self, id: OperationId, when: RuleWhen, path: Option<u16>, mut actions: Vec<Action>) {
        number(&mut actions);
        self.estate.operations[id].rules.push(OperationRule { when, path, actions });
    }

    fn compile_written(&mut self, id: OperationId, place: &Place<'a>) {
        let name = self.estate.operations[id].name.clone();
        if name.contains(['.', '/', '"']) || name.len() > 80 {
            let message = format!("`{}` cannot be the name of an operation", shown(&name));
            self.error(self.operations[id.index()].key, message, "expected letters, digits, `-` and `_`");
        }
        self.check_handler(id, &name);
        if place.node.and_then(Node::as_list).is_some() {
            self.compile_rules(id, place);
            return;
        }
        let (rules, by_stage) = (place.key("rules"), place.key("by_stage"));
        if rules.is_given() && by_stage.is_given() {
            let problem = Problem::error(by_stage.span, "an operation has `rules` or `by_stage`, not both");
            self.problems.push(problem.label("the second").related(rules.span, "the first"));
        }
        if by_stage.is_given() {
            self.compile_matrix(id, &by_stage, &place.key("feature"));
        } else {
            self.compile_rules(id, &rules);
        }
    }

    /// `on Type` must be an event that the service can get.
    fn check_handler(&mut self, id: OperationId, name: &str) {
        let Some(event) = name.strip_prefix("on ") else { return };
        let OperationDraft { service, key, .. } = self.operations[id.index()];
        let groups: Vec<_> = self.estate.groups.iter().filter(|group| group.service == service).collect();
        let mut types: Vec<String> = Vec::new();
        for group in &groups {
            types.extend(self.emitted_on(group.topic).into_iter().map(|(_, name)| name));
        }
        if types.iter().any(|known| known == event) {
            return;
        }
        let service = self.estate.services[service].name.clone();
        if groups.is_empty() {
            let problem = Problem::error(key, format!("`{service}` handles `{event}` and consumes nothing"));
            self.problems.push(problem.label("never called").help("name the topic: consumes: { topic: {} }"));
            return;
        }
        let problem = unknown(key, "event", event, types.iter().map(String::as_str));
        self.problems.push(problem.help(format!("`{service}` gets the events of the topics it consumes")));
    }

    fn compile_rules(&mut self, id: OperationId, place: &Place<'a>) {
        let standing = self.standing(id);
        let mut closed = false;
        let items = place.items();
        if items.is_empty() {
            self.push_rule(id, RuleWhen::Always, None, Vec::new());
        }
        for rule in items {
            if closed {
                self.error(rule.span, "this rule is never reached", "the rule before it always applies");
                closed = false;
            }
            let when = rule.key("when");
            let written = rule.node.and_then(|node| node.get("when")).is_some();
            let condition = self.condition(&when, &standing);
            if let Some(condition) = &condition {
                let features = self.features_read(condition);
                self.estate.operations[id].may_read.extend(features);
            }
            closed |= !written;
            let path = self.path(&rule.key("path"));
            let actions = self.actions(id, &rule.key("do"));
            // A condition that could not be compiled must not become "always".
            match condition {
                Some(condition) => self.push_rule(id, RuleWhen::Condition(condition), path, actions),
                None if written => {}
                None => self.push_rule(id, RuleWhen::Always, path, actions),
            }
        }
    }

    pub(super) fn path(&mut self, place: &Place<'a>) -> Option<u16> {
        let name = place.text()?;
        self.intern(place.span, "paths", name, |estate| &mut estate.paths)
    }

    /// Where conditions of an operation stand.
    pub(super) fn standing(&self, id: OperationId) -> Standing {
        let draft = &self.operations[id.index()];
        let mut statuses: BTreeSet<u16> = BTreeSet::new();
        for entity in &draft.entities {
            let entity = &self.estate.entities[*entity];
            statuses.insert(entity.initial);
            match entity.transitions.is_empty() {
                true => statuses.extend(0..u16::try_from(self.estate.statuses.len()).unwrap_or(0)),
                false => statuses.extend(entity.transitions.iter().flat_map(|(from, to)| [*from, *to])),
            }
        }
        let statuses = statuses.into_iter().map(|at| self.estate.statuses.text(at).to_owned()).collect();
        Standing::Rule(RuleScope {
            features: draft.features.iter().copied().collect(),
            statuses,
            reached: draft.reached,
        })
    }

    /// A link of `calls`: old on the first stage of the ladder, new on the later ones.
    fn compile_link(&mut self, id: OperationId, journey: usize, next: Option<OperationId>, span: Span) {
        let service = self.operations[id.index()].service;
        let name = self.estate.services[service].name.clone();
        let mut actions = Vec::new();
        if let Some(effect) = self.intern(span, "effects", &name, |estate| &mut estate.effects) {
            actions.push(Action::Effect(crate::models::program::EffectSite {
                effect,
                ordinal: 0,
                irreversible: false,
                compensated_by: None,
                undoable: false,
                amount: None,
                once_by: None,
                records: None,
            }));
        }
        actions.extend(self.plain_calls(id));
        if let Some(operation) = next {
            let site = self.call_site(&Place { node: None, path: String::new(), span }, operation);
            actions.push(Action::Call(site));
        }
        let feature = self.journeys[journey].feature;
        let feature = feature.filter(|feature| !self.estate.services[service].ignores.contains(feature));
        let Some(feature) = feature else {
            self.push_rule(id, RuleWhen::Always, None, actions);
            return;
        };
        let (old, new) = self.old_and_new(feature);
        self.estate.operations[id].reads.push(feature);
        self.estate.operations[id].may_read.push(feature);
        let paths = [(old, crate::models::estate::PATH_OLD), (new, crate::models::estate::PATH_NEW)];
        for (stages, path) in paths {
            self.push_rule(id, RuleWhen::Stages { feature, stages }, Some(path), actions.clone());
        }
    }

    /// The stages on which nothing has changed yet, and those on which something has. A stage off the ladder leads
    /// back, so that it counts as old; of a flag only its default is.
    fn old_and_new(&self, feature: FeatureId) -> (Vec<StageId>, Vec<StageId>) {
        let of = &self.estate.features[feature];
        let is_flag = of.stages.iter().any(|stage| stage.value.is_some());
        let first = if is_flag { of.stages[of.safe_stage.index()].rank } else { Some(0) };
        let stages = (0..of.stages.len()).filter_map(|at| u16::try_from(at).ok()).map(StageId);
        stages.partition(|stage| {
            let rank = of.stages[stage.index()].rank;
            rank.is_none() || rank == first
        })
    }

    /// What a service with `calls` does besides.
    fn plain_calls(&mut self, id: OperationId) -> Vec<Action> {
        let service = self.operations[id.index()].service;
        let calls = self.services[service.index()].place.key("calls");
        let mut actions = Vec::new();
        for (target, span) in calls.texts() {
            let Some(operation) = self.operation_named(target, span) else { continue };
            let place = Place { node: None, path: String::new(), span };
            let site: CallSite = self.call_site(&place, operation);
            actions.push(Action::Call(site));
        }
        actions
    }
}

/// Counts the calls, events and effects of a rule that are alike.
fn number(actions: &mut [Action]) {
    for at in 0..actions.len() {
        let (before, rest) = actions.split_at_mut(at);
        let alike = |of: &dyn Fn(&Action) -> bool| before.iter().filter(|action| of(action)).count() as u16;
        match &mut rest[0] {
            Action::Call(site) => {
                let operation = site.operation;
                site.ordinal = alike(&|action| matches!(action, Action::Call(other) if other.operation == operation));
            }
            Action::Emit(site) => {
                let (topic, event_type) = (site.topic, site.event_type);
                site.ordinal = alike(
                    &|action| matches!(action, Action::Emit(other) if (other.topic, other.event_type) == (topic, event_type)),
                );
            }
            Action::Effect(site) | Action::DualWrite(DualWriteSite { effect: site, .. }) => {
                let effect = site.effect;
                site.ordinal = alike(&|action| action.effect().is_some_and(|other| other.effect == effect));
            }
            // Nothing asks which of these it was.
            _ => {}
        }
    }
}
