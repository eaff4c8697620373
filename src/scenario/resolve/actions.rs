//! What a rule does, and the matrix by stage.

use super::coverage::Matrix;
use super::place::Place;
use super::{Draft, has_no};
use crate::kernel::Distribution;
use crate::models::estate::{EntityId, Quantity};
use crate::models::program::{
    Action, CallSite, DualWriteSite, EffectSite, EmitSite, HoldSite, OnError, OnceBy, OperationId, RuleWhen, ShadowSite,
};
use crate::rollout::{FeatureId, StageId};
use crate::scenario::defaults;
use crate::scenario::problem::{Problem, Span};
use crate::scenario::quantity;
use crate::scenario::tree::Node;
use crate::units::{Share, SimDuration};

/// A row of a matrix, compiled.
struct Row {
    stage: StageId,
    path: Option<u16>,
    actions: Vec<Action>,
}

impl<'a> Draft<'a> {
    /// Compiles the actions of a list, in order.
    pub(super) fn actions(&mut self, id: OperationId, place: &Place<'a>) -> Vec<Action> {
        place.items().iter().filter_map(|item| self.action(id, item)).collect()
    }

    fn action(&mut self, id: OperationId, place: &Place<'a>) -> Option<Action> {
        if place.text() == Some("ignore") {
            return Some(Action::Ignore);
        }
        let verb = super::graph::verb_of(place)?;
        let of = place.key(verb);
        match verb {
            "call" => {
                let operation = self.operation_named(of.text()?, of.span)?;
                Some(Action::Call(self.call_site(place, operation)))
            }
            "emit" => self.emit(id, place, &of),
            "effect" => self.effect(id, place, &of),
            "set" => self.set_status(id, &of),
            "mark" => {
                let moment = self.intern(of.span, "moments", of.text()?, |estate| &mut estate.moments)?;
                Some(Action::Mark { moment })
            }
            "wait" => self.wait(id, &of),
            "reject" => {
                let reason = self.intern(of.span, "reasons", of.text()?, |estate| &mut estate.reasons)?;
                Some(Action::Reject { reason })
            }
            "ignore" => Some(Action::Ignore),
            "fail" => {
                let share = self.quantity_in(id, &of)?;
                Some(Action::Fail { share })
            }
            "queue_until" => self.queue_until(id, &of),
            "shadow" => self.shadow(&of),
            "dual_write" => self.dual_write(&of),
            "compensate" => self.compensate(&of),
            _ => None,
        }
    }

    /// What a call says, with `defaults.call` beneath it.
    pub(super) fn call_site(&mut self, place: &Place<'a>, operation: OperationId) -> CallSite {
        let beneath = self.call_defaults.clone();
        let pick = |key: &str| {
            let own = place.key(key);
            if own.is_given() { own } else { beneath.key(key) }
        };
        let retries = self.count(&pick("retries"), 100, defaults::RETRIES);
        let times = self.count(&pick("times"), 1_000, defaults::TIMES).max(1);
        CallSite {
            operation,
            ordinal: 0,
            timeout: self.period(&pick("timeout"), defaults::CALL_TIMEOUT),
            retries: u16::try_from(retries).unwrap_or(u16::MAX),
            backoff: self.duration(&pick("backoff"), defaults::BACKOFF),
            times: u16::try_from(times).unwrap_or(u16::MAX),
            on_error: match pick("on_error").text() {
                Some("ignore") => OnError::Ignore,
                Some(_) | None => OnError::Fail,
            },
        }
    }

    fn emit(&mut self, id: OperationId, place: &Place<'a>, of: &Place<'a>) -> Option<Action> {
        let topic = self.topic(of.text()?, of.span)?;
        let kind = place.key("type");
        let event_type = self.intern(kind.span, "event types", kind.text()?, |estate| &mut estate.event_types)?;
        let domain_version = self.maybe_count(&place.key("domain_version"), 1_000_000).unwrap_or(1);
        let extra = place.key("extra_copies");
        let extra_copies = if extra.is_given() { self.quantity_in(id, &extra)? } else { Quantity::Given(0.0) };
        let service = self.operations[id.index()].service;
        let outbox = self.services[service.index()].place.key("outbox");
        let outbox = match (self.maybe_duration(&place.key("outbox")), outbox.is_given()) {
            (Some(own), _) => Some(own),
            (None, true) => Some(self.duration(&outbox.key("relay"), defaults::OUTBOX_RELAY)),
            (None, false) => None,
        };
        Some(Action::Emit(EmitSite { topic, event_type, ordinal: 0, domain_version, extra_copies, outbox }))
    }

    fn effect(&mut self, id: OperationId, place: &Place<'a>, of: &Place<'a>) -> Option<Action> {
        let effect = self.intern(of.span, "effects", of.text()?, |estate| &mut estate.effects)?;
        let compensated_by = self.compensated_by(effect, &place.key("compensated_by"));
        let once_by = self.once_by(id, place);
        let irreversible = self.boolean(&place.key("irreversible"));
        let records = self.recorded(&place.key("records"));
        let amount = self.amount(&place.key("amount"));
        Some(Action::Effect(EffectSite {
            effect,
            ordinal: 0,
            irreversible,
            compensated_by,
            undoable: false,
            amount,
            once_by,
            records,
        }))
    }

    /// The effect of which another one is the record: one that some operation does.
    fn recorded(&mut self, place: &Place<'a>) -> Option<u16> {
        let name = place.text()?;
        let found = self.estate.effects.find(name);
        if found.is_none() {
            let problem = super::unknown(place.span, "effect", name, self.estate.effects.iter());
            self.problems.push(problem);
        }
        found
    }

    /// By what an effect is recognised when it is asked for again.
    fn once_by(&mut self, id: OperationId, place: &Place<'a>) -> Option<OnceBy> {
        let (once, key) = (place.key("once"), place.key("once_by"));
        if once.is_given() && key.is_given() {
            let problem = Problem::error(once.span, "`once` and `once_by` say the same");
            self.problems.push(problem.label("expected one of the two").related(key.span, "the other"));
        }
        let Some(name) = key.text() else { return self.boolean(&once).then_some(OnceBy::Entity) };
        let found = OnceBy::ALL.iter().find(|(known, _)| *known == name).map(|(_, once_by)| *once_by);
        if found == Some(OnceBy::Event) && !self.estate.operations[id].name.starts_with("on ") {
            let problem = Problem::error(key.span, "`event.id` is known where an event is handled");
            self.problems.push(problem.label("no event here").help("write once_by: request.id"));
        }
        found
    }

    fn queue_until(&mut self, id: OperationId, of: &Place<'a>) -> Option<Action> {
        let (daily, when) = (of.key("daily"), of.key("when"));
        if daily.is_given() {
            for key in ["looks_every", "at_most", "room"] {
                let place = of.key(key);
                if place.is_given() {
                    let problem =
                        Problem::error(place.span, format!("`{key}` belongs to a queue until a condition holds"));
                    self.problems.push(problem.label("not with `daily`").help("write `when:`, or leave it out"));
                }
            }
            let time = quantity::clock(daily.text()?).ok()?;
            self.waits_for_a_daily_time = true;
            let second_of_day = u32::try_from(time.nanos() / 1_000_000_000).ok()?;
            return Some(Action::QueueUntilDaily { second_of_day });
        }
        let standing = self.standing(id);
        let condition = self.condition(&when, &standing);
        let looks_every = self.period(&of.key("looks_every"), defaults::HELD_LOOKS);
        let at_most = self.period(&of.key("at_most"), defaults::HELD_AT_MOST);
        let room = self.count(&of.key("room"), 10_000_000, defaults::HELD_ROOM);
        let condition = condition?;
        let features = self.features_read(&condition);
        self.estate.operations[id].may_read.extend(features);
        Some(Action::QueueUntil(HoldSite { when: condition, looks_every, at_most, room }))
    }

    fn shadow(&mut self, place: &Place<'a>) -> Option<Action> {
        let of = self.path(&place.key("of"))?;
        let disagrees = self.maybe_share(&place.key("disagrees")).unwrap_or(Share::NONE);
        let takes = self.maybe_distribution(&place.key("takes")).unwrap_or(Distribution::ZERO);
        Some(Action::Shadow(ShadowSite { of, disagrees, takes, jobs: Vec::new() }))
    }

    fn dual_write(&mut self, place: &Place<'a>) -> Option<Action> {
        let effect_place = place.key("effect");
        let name = effect_place.text()?;
        let effect = self.intern(effect_place.span, "effects", name, |estate| &mut estate.effects)?;
        let of = self.path(&place.key("of"))?;
        let fails = self.maybe_share(&place.key("fails")).unwrap_or(Share::NONE);
        let other_fails = self.maybe_share(&place.key("other_fails")).unwrap_or(Share::NONE);
        let other_first = place.key("order").text() == Some("other_first");
        let irreversible = self.boolean(&place.key("irreversible"));
        let compensated_by = self.compensated_by(effect, &place.key("compensated_by"));
        let once_by = self.boolean(&place.key("once")).then_some(OnceBy::Entity);
        let effect = EffectSite {
            effect,
            ordinal: 0,
            irreversible,
            compensated_by,
            undoable: false,
            amount: None,
            once_by,
            records: None,
        };
        Some(Action::DualWrite(DualWriteSite { effect, of, fails, other_fails, other_first }))
    }

    fn set_status(&mut self, id: OperationId, of: &Place<'a>) -> Option<Action> {
        let name = of.text()?;
        let status = self.status(name, of.span)?;
        let entities: Vec<EntityId> = self.operations[id.index()].entities.iter().copied().collect();
        match entities.as_slice() {
            [] if !self.operations[id.index()].reached => None,
            [] => {
                let problem = Problem::error(of.span, format!("nothing here has a status to set to `{name}`"));
                let problem = problem.label("no journey with an entity reaches this operation");
                self.problems.push(problem.help("give the journey an `entity: { name: … }`"));
                None
            }
            [entity] => {
                let of_entity = &self.estate.entities[*entity];
                let transitions = &of_entity.transitions;
                if !transitions.is_empty() && transitions.iter().all(|(from, to)| *from != status && *to != status) {
                    let mut declared: Vec<u16> = transitions.iter().flat_map(|(from, to)| [*from, *to]).collect();
                    declared.sort_unstable();
                    declared.dedup();
                    let names = declared.iter().map(|at| self.estate.statuses.text(*at));
                    let problem = has_no(of.span, &of_entity.name, "status", name, names);
                    self.problems.push(problem);
                }
                Some(Action::Set { entity: *entity, status })
            }
            several => {
                let names: Vec<&str> = several.iter().map(|id| self.estate.entities[*id].name.as_str()).collect();
                let message = format!("journeys with different entities reach this operation: {}", names.join(", "));
                self.error(of.span, message, "open whose status is meant: split the operation");
                None
            }
        }
    }

    fn wait(&mut self, id: OperationId, of: &Place<'a>) -> Option<Action> {
        let flag = of.key("flag");
        if !flag.is_given() {
            return self.maybe_distribution(of).map(Action::Wait);
        }
        for (entry, _) in of.named().iter().filter(|(entry, _)| !matches!(entry.name(), "flag" | "times")) {
            let problem = Problem::error(entry.key.span, format!("unknown key `{}`", super::shown(entry.name())));
            self.problems.push(problem.label("a wait by a flag has `flag` and `times`"));
        }
        let feature = self.flag(flag.text()?, flag.span)?;
        self.estate.operations[id].may_read.push(feature);
        let unit = self.maybe_duration(&of.key("times")).unwrap_or(SimDuration::from_secs(1));
        Some(Action::WaitFlag { feature, unit })
    }

    /// A quantity that an operation reads.
    fn quantity_in(&mut self, id: OperationId, place: &Place<'a>) -> Option<Quantity> {
        let quantity = self.quantity(place, 1.0)?;
        if let Quantity::Flag { feature, .. } = quantity {
            self.estate.operations[id].may_read.push(feature);
        }
        Some(quantity)
    }

    /// A number, a share, or the value of a flag.
    pub(super) fn quantity(&mut self, place: &Place<'a>, times: f64) -> Option<Quantity> {
        if let Some(text) = place.text() {
            let share = quantity::share(text).map(crate::units::Share::fraction);
            let number = share.or_else(|_| quantity::float(text, 0.0..=1e9));
            return number.ok().map(Quantity::Given);
        }
        let flag = place.key("flag");
        let feature = self.flag(flag.text()?, flag.span)?;
        let times_place = place.key("times");
        let times = match times_place.text() {
            None => times,
            Some(text) => match quantity::float(text, 0.0..=1e9) {
                Ok(times) => times,
                Err(expected) => {
                    self.error(times_place.span, format!("`{}` is not a number", super::shown(text)), expected);
                    return None;
                }
            },
        };
        Some(Quantity::Flag { feature, times })
    }

    /// A feature that has values: a flag of the flag file.
    pub(super) fn flag(&mut self, name: &str, span: Span) -> Option<FeatureId> {
        let feature = self.feature(name, span)?;
        if self.estate.features[feature].stages.iter().all(|stage| stage.value.is_some()) {
            return Some(feature);
        }
        let message = format!("`{name}` is a feature with stages, not a flag with a value");
        self.error(span, message, "expected a flag of the flag file");
        None
    }

    /// A matrix by stage: a row holds until the next one on the ladder.
    pub(super) fn compile_matrix(&mut self, id: OperationId, place: &Place<'a>, feature: &Place<'a>) {
        let Some(feature) = self.matrix_feature(id, place, feature) else { return };
        self.estate.operations[id].reads.push(feature);
        self.estate.operations[id].may_read.push(feature);
        let mut rows: Vec<Row> = Vec::new();
        let mut likes: Vec<(StageId, &'a str, Span)> = Vec::new();
        let mut otherwise = None;
        for (entry, row) in place.named() {
            if entry.name() == "else" {
                otherwise = Some((self.path(&row.key("path")), self.row_actions(id, &row)));
                continue;
            }
            let Some(stage) = self.stage(feature, entry.name(), entry.key.span) else { continue };
            let like = row.key("like");
            match like.text() {
                Some(name) => {
                    if row.key("do").is_given() || row.key("path").is_given() {
                        self.error(like.span, "a row that is like another has nothing of its own", "`like` alone");
                    }
                    likes.push((stage, name, like.span));
                }
                None => {
                    let (path, actions) = (self.path(&row.key("path")), self.row_actions(id, &row));
                    rows.push(Row { stage, path, actions });
                }
            }
        }
        self.liken(feature, &mut rows, likes);
        self.rows_to_rules(id, feature, rows, otherwise, place.span);
    }

    fn row_actions(&mut self, id: OperationId, row: &Place<'a>) -> Vec<Action> {
        let listed = row.node.and_then(Node::as_list).is_some();
        if listed { self.actions(id, row) } else { self.actions(id, &row.key("do")) }
    }

    fn matrix_feature(&mut self, id: OperationId, place: &Place<'a>, given: &Place<'a>) -> Option<FeatureId> {
        if let Some(name) = given.text() {
            return self.feature(name, given.span);
        }
        let draft = &self.operations[id.index()];
        let features: Vec<FeatureId> = draft.features.iter().copied().collect();
        match features.as_slice() {
            [feature] => Some(*feature),
            [] if self.estate.features.len() == 1 => Some(FeatureId::new(0)),
            [] if !draft.reached => None,
            [] => {
                let problem = Problem::error(place.span, "open by the stage of which feature");
                let problem = problem.label("no journey with a feature reaches this operation");
                self.problems.push(problem.help("write `feature:` beside `by_stage:`"));
                None
            }
            several => {
                let names: Vec<&str> = several.iter().map(|id| self.estate.features[*id].name.as_str()).collect();
                let message = format!("journeys with different features reach this operation: {}", names.join(", "));
                let problem = Problem::error(place.span, message).label("open by the stage of which one");
                self.problems.push(problem.help(format!("write `feature: {}` beside `by_stage:`", names[0])));
                None
            }
        }
    }

    /// Gives each row that is like another one what that one does.
    fn liken(&mut self, feature: FeatureId, rows: &mut Vec<Row>, likes: Vec<(StageId, &'a str, Span)>) {
        for (stage, name, span) in likes {
            let Some(model) = self.stage(feature, name, span) else { continue };
            let of = &self.estate.features[feature];
            let exact = rows.iter().find(|row| row.stage == model);
            let rank = of.stages[model.index()].rank;
            let below = rows.iter().filter(|row| {
                let own = of.stages[row.stage.index()].rank;
                own.is_some() && rank.is_some() && own <= rank && row.stage != stage
            });
            let found = exact.or_else(|| below.max_by_key(|row| of.stages[row.stage.index()].rank));
            match found.map(|row| (row.path, row.actions.clone())) {
                Some((path, actions)) => rows.push(Row { stage, path, actions }),
                None => {
                    let message = format!("no row of this matrix holds at `{name}`");
                    self.error(span, message, "expected a stage with a row that is not itself like another");
                }
            }
        }
    }

    fn rows_to_rules(
        &mut self,
        id: OperationId,
        feature: FeatureId,
        mut rows: Vec<Row>,
        otherwise: Option<(Option<u16>, Vec<Action>)>,
        span: Span,
    ) {
        let of = &self.estate.features[feature];
        let rank = |stage: StageId| of.stages[stage.index()].rank;
        rows.sort_by_key(|row| (rank(row.stage).is_none(), rank(row.stage), row.stage));
        let all: Vec<StageId> = (0..of.stages.len()).filter_map(|at| u16::try_from(at).ok()).map(StageId).collect();
        let mut covered = vec![false; all.len()];
        let mut rules = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let until =
                rows[at + 1..].iter().find_map(|next| rank(next.stage).filter(|next| Some(*next) > rank(row.stage)));
            let holds = |stage: &StageId| match (rank(row.stage), rank(*stage)) {
                (Some(from), Some(own)) => own >= from && until.is_none_or(|until| own < until),
                _ => *stage == row.stage,
            };
            let stages: Vec<StageId> = all.iter().copied().filter(holds).collect();
            stages.iter().for_each(|stage| covered[stage.index()] = true);
            rules.push((stages, row.path, row.actions.clone()));
        }
        let has_else = otherwise.is_some();
        if let Some((path, actions)) = otherwise {
            let rest: Vec<StageId> = all.iter().copied().filter(|stage| !covered[stage.index()]).collect();
            if !rest.is_empty() {
                rules.push((rest, path, actions));
            }
        }
        for (stages, path, actions) in rules {
            self.push_rule(id, RuleWhen::Stages { feature, stages }, path, actions);
        }
        if !has_else {
            self.matrices.push(Matrix { operation: id, feature, covered, span });
        }
    }
}
