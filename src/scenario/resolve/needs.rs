//! Readiness: what a stage or a step requires before it may be reached.

use super::place::Place;
use super::{Draft, shown};
use crate::models::estate::Happening;
use crate::models::guard::Need;
use crate::rollout::{FeatureId, StageId};
use crate::scenario::problem::{Problem, Span};

impl<'a> Draft<'a> {
    /// What stages of a feature require before a step may reach them.
    pub(super) fn requirements(&mut self, feature: FeatureId) -> Vec<(StageId, Vec<Need>)> {
        let name = self.estate.features[feature].name.clone();
        let place = Place::root(self.root).key("features").key(&name).key("requires");
        let mut found = Vec::new();
        for (entry, needs) in place.named() {
            let Some(stage) = self.stage(feature, entry.name(), entry.key.span) else { continue };
            found.push((stage, self.needs_of(&needs)));
        }
        found
    }

    pub(super) fn needs_of(&mut self, place: &Place<'a>) -> Vec<Need> {
        place.texts().into_iter().filter_map(|(text, span)| self.need(text, span)).collect()
    }

    pub(super) fn need(&mut self, text: &str, span: Span) -> Option<Need> {
        let read = text.split_once(">=").and_then(|(left, right)| {
            let service = left.trim().strip_suffix(".code")?;
            Some((service.trim().to_owned(), right.trim().parse::<u32>().ok()?))
        });
        let Some((service, code)) = read else {
            let message = format!("`{}` is not a requirement", shown(text));
            self.error(span, message, "expected a service's code, such as \"billing.code >= 2\"");
            return None;
        };
        let service = self.service_named(&service, span)?;
        let need = Need { service, code };
        self.needs.push((need, span));
        Some(need)
    }

    /// Requirements that no deploy ever meets: once the timeline is known.
    pub(super) fn check_needs(&mut self) {
        for (need, span) in std::mem::take(&mut self.needs) {
            let service = &self.estate.services[need.service];
            let deployed = self.estate.timeline.iter().any(|entry| match &entry.what {
                Happening::Deploy { services, .. } => {
                    services.iter().any(|(id, code)| *id == need.service && *code >= need.code)
                }
                Happening::Fault { .. }
                | Happening::Kill { .. }
                | Happening::Replay { .. }
                | Happening::Act { .. }
                | Happening::Override { .. }
                | Happening::OverrideEnds { .. } => false,
            });
            if service.initial_code < need.code && !deployed {
                let message = format!("`{}` never runs code {} or later", service.name, need.code);
                let problem = Problem::error(span, message).label("the step can never be taken");
                self.problems.push(
                    problem.help(format!("deploy it: `{{ at: 1m, deploy: {{ {}: {} }} }}`", service.name, need.code)),
                );
            }
        }
    }
}
