//! What an operation does at each stage of a feature, as far as stage and code version alone decide it.

use crate::models::estate::Quantity;
use crate::models::estate::{Asked, Estate};
use crate::models::program::{Action, Operation, RuleWhen};
use crate::rollout::condition::{SlotId, Slots, Symbols, Value};
use crate::rollout::{Condition, FeatureId, FlagValue, StageId};

/// The stages of a feature, in their declared order.
pub fn stages_of(estate: &Estate, feature: FeatureId) -> impl Iterator<Item = StageId> + use<> {
    let count = u16::try_from(estate.features[feature].stages.len()).unwrap_or(u16::MAX);
    (0..count).map(StageId)
}

/// The code versions of an operation's service.
pub fn codes_of(estate: &Estate, operation: &Operation) -> Vec<u32> {
    let service = &estate.services[operation.service];
    if service.codes.is_empty() {
        return vec![service.initial_code];
    }
    service.codes.iter().map(|code| code.number).collect()
}

/// The rules that may apply at a stage under a code version, in order, up to the first that certainly does.
pub fn rules_at(estate: &Estate, operation: &Operation, feature: FeatureId, stage: StageId, code: u32) -> Vec<usize> {
    let mut may = Vec::new();
    for (at, rule) in operation.rules.iter().enumerate() {
        match applies(estate, &rule.when, feature, stage, code) {
            Some(false) => {}
            Some(true) => {
                may.push(at);
                return may;
            }
            None => may.push(at),
        }
    }
    may
}

/// Whether a rule applies; `None` where that depends on more than stage and code.
fn applies(estate: &Estate, when: &RuleWhen, feature: FeatureId, stage: StageId, code: u32) -> Option<bool> {
    match when {
        RuleWhen::Always => Some(true),
        RuleWhen::Stages { feature: of, stages } => (*of == feature).then(|| stages.contains(&stage)),
        RuleWhen::Condition(condition) => {
            if !depends_only_on(estate, condition, feature) {
                return None;
            }
            condition.eval(&mut At { estate, stage, code }).ok()
        }
    }
}

/// Whether a condition asks for nothing but the stage of this feature and the code version.
fn depends_only_on(estate: &Estate, condition: &Condition, feature: FeatureId) -> bool {
    let known = |asked: Asked| {
        let own = matches!(asked, Asked::Stage(of) | Asked::Flag(of) if of == feature);
        own || asked == Asked::Code
    };
    estate.asked(condition).all(known) && condition.capabilities().all(|(of, _)| usize::from(of) == feature.index())
}

/// Whether an action takes a number from the feature: how many copies, what share, how long.
pub fn asks_for_value(operation: &Operation, feature: FeatureId) -> bool {
    let takes = |quantity: &Quantity| matches!(quantity, Quantity::Flag { feature: of, .. } if *of == feature);
    operation.rules.iter().flat_map(|rule| &rule.actions).any(|action| {
        let copies = matches!(action, Action::Emit(site) if takes(&site.extra_copies));
        let share = matches!(action, Action::Fail { share } if takes(share));
        copies || share || matches!(action, Action::WaitFlag { feature: of, .. } if *of == feature)
    })
}

/// Somebody at a stage, served by a code version.
struct At<'a> {
    estate: &'a Estate,
    stage: StageId,
    code: u32,
}

impl Slots for At<'_> {
    fn value(&mut self, slot: SlotId) -> Value {
        let asked = self.estate.slots[usize::from(slot.0)];
        if let Asked::Stage(feature) = asked {
            return Value::Stage { feature: feature.index() as u16, stage: self.stage.0 };
        }
        if let Asked::Flag(feature) = asked {
            return match self.estate.features[feature].stages[self.stage.index()].value {
                Some(FlagValue::Bool(on)) => Value::Bool(on),
                Some(FlagValue::Number(number)) => Value::Float(number),
                None => Value::Missing,
            };
        }
        if asked == Asked::Code { Value::Int(self.code.into()) } else { Value::Missing }
    }

    fn can(&mut self, feature: u16, capability: u16) -> bool {
        self.estate.features[FeatureId::new(usize::from(feature))].grants(self.stage, capability)
    }

    fn symbols(&self) -> &Symbols {
        &self.estate.symbols
    }
}
