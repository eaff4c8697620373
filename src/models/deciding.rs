//! A context comes to its decision: the sources it asks in order, the fallback when policy is unknown, the
//! restrictions on top, and the record of all that.

use super::carried::{CarriedDecision, Context};
use super::estate::{Asked, DecidesFrom, Delivery, Estate, ReplicaId, Service, ServiceId};
use super::interaction::SubjectView;
use super::observation::{Decided, Observation, Refused, Source};
use super::planted::Planted;
use super::task::Task;
use super::world::World;
use crate::rollout::condition::{ConditionFault, SlotId, Slots, Value};
use crate::rollout::decide::restrict;
use crate::rollout::policy::PolicyVersion;
use crate::rollout::{Condition, Decision, FeatureId, FlagValue, Reason, StageId, Symbols, WhenUnknown, decide};
use crate::units::{SimDuration, Slot};
use std::sync::Arc;

/// A decision on the way to being recorded.
struct Found {
    source: Source,
    decision: CarriedDecision,
    freshness: Option<SimDuration>,
    unheard: Unheard,
}

/// What became of the carried context that was asked for and is not used.
#[derive(Clone, Copy, Default)]
struct Unheard {
    missing: bool,
    refused: Option<Refused>,
}

impl World {
    /// The decision of this task's context on a feature: made when first read, then kept (rules.md, 3).
    pub(super) fn decision(&mut self, estate: &Estate, slot: Slot<Task>, feature: FeatureId) -> CarriedDecision {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        if let Some(used) = task.used.get(feature) {
            return *used;
        }
        let service = &estate.services[estate.replicas[task.replica].service];
        let found = self.ask_sources(estate, slot, service, feature);
        let found = self.restricted(estate, slot, service, feature, found);
        self.record(estate, slot, service, feature, found)
    }

    fn ask_sources(&mut self, estate: &Estate, slot: Slot<Task>, service: &Service, feature: FeatureId) -> Found {
        let mut unheard = Unheard::default();
        for source in &service.decides_from {
            let task = self.tasks.get(slot).expect("a task at work is in its pool");
            let carried = task.context.get(feature).copied();
            match source {
                // These restrict what the others say; `restricted` asks them.
                DecidesFrom::Kill | DecidesFrom::Local => {}
                DecidesFrom::Entity => {
                    let interaction = self.interactions.get(task.interaction).expect("a task's interaction is open");
                    let about = interaction.aggregate.and_then(|about| self.aggregates.get(about));
                    if let Some(decision) = about.and_then(|aggregate| aggregate.created_under.get(feature)) {
                        return Found { source: Source::Entity, decision: *decision, freshness: None, unheard };
                    }
                }
                DecidesFrom::Context | DecidesFrom::Event => {
                    let by_event = task.handling.is_some();
                    let asks_event = matches!(source, DecidesFrom::Event);
                    match carried {
                        Some(decision) if by_event == asks_event => {
                            let source = if by_event { Source::Event } else { Source::Context };
                            unheard.refused = decision.refused_by(service, self.cx.now());
                            if unheard.refused.is_none() {
                                return Found { source, decision, freshness: None, unheard };
                            }
                        }
                        _ => unheard.missing = true,
                    }
                }
                DecidesFrom::Sdk => {
                    if let Some(found) = self.sdk_decision(estate, slot, service, feature, unheard) {
                        return found;
                    }
                }
                DecidesFrom::SafeStage => break,
            }
        }
        let stage = estate.features[feature].safe_stage;
        Found { source: Source::Fallback, decision: self.unfounded(stage), freshness: None, unheard }
    }

    /// A decision that rests on no policy.
    pub(super) fn unfounded(&self, stage: StageId) -> CarriedDecision {
        CarriedDecision {
            stage,
            reason: Reason::Error,
            rule: None,
            policy_version: None,
            decision_id: 0,
            decided_at: self.cx.now(),
            salt: 0,
            environment: 0,
            left_out: 0,
            // Whoever uses it first puts in itself.
            origin: ServiceId::from_u32(0),
            expires: None,
        }
    }

    fn sdk_decision(
        &mut self,
        estate: &Estate,
        slot: Slot<Task>,
        service: &Service,
        feature: FeatureId,
        unheard: Unheard,
    ) -> Option<Found> {
        let sdk = service.sdk.as_ref()?;
        let described = &estate.features[feature];
        let asked = self.tasks.get(slot).expect("a task at work is in its pool").replica;
        self.catch_up(estate, asked);
        let cache = &self.caches[asked.index()];
        let freshness = cache.freshness(&self.cx);
        // A remote question that found no answer has no policy to fall back on.
        let unanswered = matches!(sdk.delivery, Delivery::Remote) && !freshness.is_zero();
        let too_old = described.stale_after.is_some_and(|bound| freshness > bound);
        let (held, usable) = (cache.held, !unanswered && !too_old);
        let known_good = matches!(described.when_unknown_for(service.context), WhenUnknown::LastKnownGood);
        if let Some(version) = held
            && (usable || known_good)
        {
            let mut decision = self.evaluate(estate, slot, service, feature, version);
            if !usable {
                decision.reason = Reason::Stale;
            }
            return Some(Found { source: Source::Sdk, decision, freshness: Some(freshness), unheard });
        }
        let stage = match described.when_unknown_for(service.context) {
            WhenUnknown::LastKnownGood | WhenUnknown::FailClosed => described.safe_stage,
            WhenUnknown::FailOpen(stage) | WhenUnknown::CodeDefault(stage) => stage,
        };
        let decision = CarriedDecision { policy_version: held, ..self.unfounded(stage) };
        Some(Found { source: Source::Fallback, decision, freshness: Some(freshness), unheard })
    }

    fn evaluate(
        &mut self,
        estate: &Estate,
        slot: Slot<Task>,
        service: &Service,
        feature: FeatureId,
        version: PolicyVersion,
    ) -> CarriedDecision {
        let policy = Arc::clone(self.control_plane.policy(version));
        let salt = service.sdk.as_ref().and_then(|sdk| sdk.salt).unwrap_or(policy.feature(feature).salt);
        let salt = if Planted::SaltIgnored.is_active() { 0 } else { salt };
        let salt = if Planted::SaltOfVersion.is_active() { salt ^ u64::from(version.0) } else { salt };
        let now = self.cx.now();
        let sdk = service.sdk.as_ref();
        let left_out = sdk.map_or(&[][..], |sdk| &sdk.leaves_out);
        let mut subject = SubjectView { left_out, ..self.subject_view(estate, slot) };
        let Decision { stage, reason, rule } = decide(&policy, feature, &estate.features[feature], salt, &mut subject);
        CarriedDecision {
            stage,
            reason,
            rule,
            policy_version: Some(version),
            decided_at: now,
            salt,
            environment: sdk.and_then(|sdk| sdk.environment).unwrap_or(0),
            left_out: sdk.map_or(0, |sdk| sdk.left_out),
            ..self.unfounded(stage)
        }
    }

    fn subject_view<'a>(&'a mut self, estate: &'a Estate, slot: Slot<Task>) -> SubjectView<'a> {
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let interaction = self.interactions.get(task.interaction).expect("a task's interaction is open");
        SubjectView {
            estate,
            keys: &self.keys,
            customer: interaction.customer,
            journey: interaction.id.journey.index() as u16,
            identity: interaction.identity,
            now: self.cx.now(),
            left_out: &[],
            draws: &mut self.cx.draws,
        }
    }

    /// Kills known to the replica and local switches: they restrict, whatever the source.
    fn restricted(
        &mut self,
        estate: &Estate,
        slot: Slot<Task>,
        service: &Service,
        feature: FeatureId,
        found: Found,
    ) -> Found {
        let described = &estate.features[feature];
        let mut found = found;
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        if let Some(version) = self.kills_known(estate, task.replica, service, found.source) {
            let policy = Arc::clone(self.control_plane.policy(version));
            let before =
                Decision { stage: found.decision.stage, reason: found.decision.reason, rule: found.decision.rule };
            let subject = self.subject_view(estate, slot);
            let after = restrict(described, before, &policy.feature(feature).kills, &subject);
            if after.stage != before.stage {
                found.source = Source::Kill;
                found.decision.stage = after.stage;
                found.decision.reason = Reason::Killed;
                found.decision.policy_version = Some(version);
            }
        }
        let switch = service.local.iter().find(|(named, _)| *named == feature);
        if let Some((_, most)) = switch
            && !described.at_most_as_permissive(found.decision.stage, *most)
        {
            found.source = Source::Local;
            found.decision.stage = *most;
        }
        found
    }

    /// The policy whose kills restrict a decision, beyond those that it has taken in: of the replica's own cache under
    /// what is carried to it, and of its switches where these are newer.
    fn kills_known(
        &self,
        estate: &Estate,
        replica: ReplicaId,
        service: &Service,
        source: Source,
    ) -> Option<PolicyVersion> {
        let own = self.caches[replica.index()].held;
        let switches = estate.replicas[replica].switches.and_then(|layer| self.caches[layer.index()].held);
        let asked = service.decides_from.contains(&DecidesFrom::Kill);
        let by_itself = source == Source::Sdk || source == Source::Fallback && service.sdk.is_some() && !asked;
        if by_itself {
            switches.filter(|version| own.is_none_or(|own| *version > own))
        } else if asked {
            own.max(switches)
        } else {
            None
        }
    }

    fn record(
        &mut self,
        estate: &Estate,
        slot: Slot<Task>,
        service: &Service,
        feature: FeatureId,
        found: Found,
    ) -> CarriedDecision {
        let now = self.cx.now();
        self.decisions += 1;
        let task = self.tasks.get(slot).expect("a task at work is in its pool");
        let interaction = self.interactions.get(task.interaction).expect("a task's interaction is open");
        let mut decision = found.decision;
        if decision.decision_id == 0 {
            decision.decision_id = self.decisions;
            decision.origin = estate.replicas[task.replica].service;
            decision.expires = service.edge_expires.map(|expires| now + expires);
        }
        let staleness =
            decision.policy_version.map_or(SimDuration::ZERO, |version| self.control_plane.staleness(version, now));
        let customer = interaction.customer;
        let decided = Decided {
            interaction: interaction.id,
            context: service.context,
            service: estate.replicas[task.replica].service,
            replica: task.replica,
            feature,
            stage: decision.stage,
            source: found.source,
            reason: decision.reason,
            rule: decision.rule,
            policy_version: decision.policy_version,
            decision_id: decision.decision_id,
            decided_at: decision.decided_at,
            freshness: found.freshness,
            staleness,
            code: self.replicas[task.replica.index()].code,
            salt: decision.salt,
            attributes: customer.attributes(decision.left_out),
            context_missing: found.unheard.missing,
            refused: found.unheard.refused,
            environment: decision.environment,
            attempt: task.attempt,
            tenant: customer.tenant,
            tenant_region: customer.tenant_region,
        };
        self.cx.draws.decision(self.keys.identities.decision(&decided));
        self.cx.cause = interaction.cause;
        let id = self.cx.observe(Observation::Decided(decided));
        let task = self.tasks.get_mut(slot).expect("a task at work is in its pool");
        task.used.set(feature, decision);
        if let Some(interaction) = self.interactions.get_mut(task.interaction) {
            interaction.cause = id;
            if !estate.gauges.is_empty() {
                World::leave_trail(estate, &mut interaction.trail, feature, decision.stage);
            }
        }
        decision
    }

    /// What goes on with a call or an event: at the edge what was decided there, behind it what came in as it was
    /// used here (rules.md, 30). An event carries every decision its producer used.
    pub(super) fn outgoing(&self, service: &Service, task: &Task, by_event: bool) -> Context {
        let mut outgoing = task.context.clone();
        for (feature, decision) in task.used.iter() {
            if service.edge || by_event || task.context.get(*feature).is_some() {
                outgoing.set(*feature, *decision);
            }
        }
        outgoing
    }

    /// Whether a condition of a rule holds for this task.
    pub(super) fn holds(
        &mut self,
        estate: &Estate,
        slot: Slot<Task>,
        condition: &Condition,
    ) -> Result<bool, ConditionFault> {
        condition.eval(&mut Asking { world: self, estate, task: slot })
    }

    /// The value of a flag as this task's context decides it.
    pub(super) fn flag(&mut self, estate: &Estate, slot: Slot<Task>, feature: FeatureId) -> FlagValue {
        let stage = self.decision(estate, slot, feature).stage;
        estate.features[feature].stages[stage.index()].value.unwrap_or(FlagValue::Number(0.0))
    }
}

/// A task as the conditions of its rules see it.
pub(super) struct Asking<'a> {
    pub world: &'a mut World,
    pub estate: &'a Estate,
    pub task: Slot<Task>,
}

impl Slots for Asking<'_> {
    fn value(&mut self, slot: SlotId) -> Value {
        let asked = self.estate.slots[usize::from(slot.0)];
        let task = self.world.tasks.get(self.task).expect("a task at work is in its pool");
        let interaction = self.world.interactions.get(task.interaction).expect("a task's interaction is open");
        match asked {
            Asked::Stage(feature) => {
                let stage = self.world.decision(self.estate, self.task, feature).stage;
                Value::Stage { feature: feature.index() as u16, stage: stage.0 }
            }
            Asked::Flag(feature) => match self.world.flag(self.estate, self.task, feature) {
                FlagValue::Bool(on) => Value::Bool(on),
                FlagValue::Number(number) => Value::Float(number),
            },
            Asked::Region => Value::Text(self.estate.region_symbols[self.estate.replicas[task.replica].region.index()]),
            Asked::Code => Value::Int(self.world.replicas[task.replica.index()].code.into()),
            Asked::Status => {
                let about = interaction.aggregate.and_then(|about| self.world.aggregates.get(about));
                about.map_or(Value::Missing, |about| Value::Text(self.estate.status_symbols[usize::from(about.status)]))
            }
            Asked::Attempt => Value::Int(task.attempt.into()),
            Asked::Replayed => Value::Bool(interaction.id.replay > 0),
            Asked::DomainVersion => {
                task.handling.map_or(Value::Missing, |handling| Value::Int(handling.handled_as.into()))
            }
            Asked::Healthy(service) => {
                let from = self.estate.replicas[task.replica].region;
                Value::Bool(self.world.healthy(self.estate, service, from))
            }
            Asked::TenantAttribute(_)
            | Asked::RequestAttribute(_)
            | Asked::TenantRegion
            | Asked::TenantId
            | Asked::TenantJoined
            | Asked::Client
            | Asked::ClientOld
            | Asked::TenantAge
            | Asked::UserId
            | Asked::Journey => self.world.subject_view(self.estate, self.task).asked(asked),
        }
    }

    fn can(&mut self, feature: u16, capability: u16) -> bool {
        let id = FeatureId::new(usize::from(feature));
        let stage = self.world.decision(self.estate, self.task, id).stage;
        self.estate.features[id].grants(stage, capability)
    }

    fn symbols(&self) -> &Symbols {
        &self.estate.symbols
    }
}
