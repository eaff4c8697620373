//! What a customer's errand visits and when, where that is the same for all of them.

use super::situation::arrivals;
use crate::models::estate::{Estate, Journey, ServiceId};
use crate::models::program::{Action, OperationId, OperationRule, RuleWhen};
use crate::rollout::FeatureId;

/// More visits, or calls deeper than this, are no errand that anybody draws.
const MOST_VISITS: usize = 1_000;
const DEEPEST: u32 = 32;
/// Up to this load hardly anybody waits for a worker, and nobody finds a full queue.
const MOST_LOAD: f64 = 0.5;

/// A visit of an errand to a service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visit {
    pub service: ServiceId,
    pub operation: OperationId,
    /// Whether its operation reads the feature.
    pub reads: bool,
    /// Mean seconds from the arrival at the first service.
    pub at: f64,
    /// Mean seconds for which it keeps a worker.
    pub holds: f64,
}

/// A journey's errands: how many begin in a second, and what each visits.
#[derive(Clone, Debug)]
pub struct Errands {
    pub per_second: f64,
    pub visits: Vec<Visit>,
}

/// The errands of every journey with regard to a feature; `None` where they are not all alike, where something in them
/// may fail, or where services have hardly room for them.
pub fn errands(estate: &Estate, feature: FeatureId) -> Option<Vec<Errands>> {
    let of = |journey: &Journey| {
        let mut walk = Walk { estate, feature, leg: estate.network.within.mean().as_secs_f64(), visits: Vec::new() };
        walk.operation(journey.first, 0.0, 0)?;
        Some(Errands { per_second: arrivals(&journey.arrivals)?, visits: walk.visits })
    };
    let all: Vec<Errands> = estate.journeys.iter().map(of).collect::<Option<_>>()?;
    has_room(estate, &all).then_some(all)
}

fn has_room(estate: &Estate, errands: &[Errands]) -> bool {
    estate.services.enumerate().all(|(id, service)| {
        let work = |errands: &Errands| {
            let here = errands.visits.iter().filter(|visit| visit.service == id);
            errands.per_second * here.map(|visit| visit.holds).sum::<f64>()
        };
        let room = f64::from(service.workers) * service.replicas.len() as f64;
        errands.iter().map(work).sum::<f64>() <= MOST_LOAD * room
    })
}

struct Walk<'e> {
    estate: &'e Estate,
    feature: FeatureId,
    leg: f64,
    visits: Vec<Visit>,
}

impl Walk<'_> {
    /// Mean seconds that an operation takes which begins `at`.
    fn operation(&mut self, id: OperationId, at: f64, depth: u32) -> Option<f64> {
        if depth > DEEPEST || self.visits.len() >= MOST_VISITS {
            return None;
        }
        let operation = &self.estate.operations[id];
        let mut reads = operation.reads.contains(&self.feature);
        for rule in &operation.rules {
            match &rule.when {
                RuleWhen::Always => {}
                RuleWhen::Stages { feature, .. } if *feature == self.feature => reads = true,
                RuleWhen::Stages { .. } | RuleWhen::Condition(_) => return None,
            }
        }
        let first = operation.rules.first()?;
        let calls = |rule: &OperationRule| -> Vec<OperationId> {
            let called = |action: &Action| if let Action::Call(site) = action { Some(site.operation) } else { None };
            rule.actions.iter().filter_map(called).collect()
        };
        if operation.rules.iter().any(|rule| calls(rule) != calls(first) || !self.is_plain(rule)) {
            return None;
        }
        let place = self.visits.len();
        self.visits.push(Visit { service: operation.service, operation: id, reads, at, holds: 0.0 });
        let mut now = at + operation.takes.mean().as_secs_f64();
        for action in &first.actions {
            match action {
                Action::Call(site) => {
                    now += self.leg;
                    let takes = self.operation(site.operation, now, depth + 1)?;
                    if site.timeout.as_secs_f64() < 10.0 * (takes + 2.0 * self.leg) {
                        return None;
                    }
                    now += takes + self.leg;
                }
                Action::Wait(time) => now += time.mean().as_secs_f64(),
                Action::Emit(_)
                | Action::Effect(_)
                | Action::Set { .. }
                | Action::Mark { .. }
                | Action::Compensate { .. }
                | Action::Ignore
                | Action::WaitFlag { .. }
                | Action::Reject { .. }
                | Action::Fail { .. }
                | Action::Shadow(_)
                | Action::DualWrite(_)
                | Action::QueueUntilDaily { .. }
                | Action::QueueUntil(_) => {}
            }
        }
        self.visits[place].holds = now - at;
        Some(now - at)
    }

    /// Whether a rule does nothing that can fail, hold, or happen to some and not to others.
    fn is_plain(&self, rule: &OperationRule) -> bool {
        rule.actions.iter().all(|action| match action {
            Action::Call(site) => site.times == 1,
            Action::Emit(site) => self.estate.topics[site.topic].groups.is_empty(),
            Action::Effect(_)
            | Action::Set { .. }
            | Action::Mark { .. }
            | Action::Compensate { .. }
            | Action::Wait(_)
            | Action::Ignore => true,
            Action::WaitFlag { .. }
            | Action::Reject { .. }
            | Action::Fail { .. }
            | Action::Shadow(_)
            | Action::DualWrite(_)
            | Action::QueueUntilDaily { .. }
            | Action::QueueUntil(_) => false,
        })
    }
}
