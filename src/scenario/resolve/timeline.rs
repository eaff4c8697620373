//! The timeline: faults, deploys, kills, replays, and when each is due.

use super::place::Place;
use super::services::no_such_code;
use super::{Draft, shown, unknown};
use crate::models::estate::{Entry, Happening, ServiceId, Target, When};
use crate::rollout::{Kill, Scope};
use crate::scenario::defaults;
use crate::scenario::problem::{Problem, Span, nearest};
use crate::scenario::quantity;
use crate::units::SimDuration;

const MOST_ENTRIES: usize = 10_000;
impl<'a> Draft<'a> {
    pub(super) fn timeline(&mut self, place: &Place<'a>) {
        let items = place.items();
        if let Some(item) = items.get(MOST_ENTRIES) {
            self.error(item.span, format!("more than {MOST_ENTRIES} entries"), "the first one too many");
        }
        for item in items.iter().take(MOST_ENTRIES) {
            const KINDS: [&str; 10] =
                ["random", "fault", "deploy", "kill", "replay", "pause", "resume", "back", "back_all", "bypass"];
            let kind = KINDS.into_iter().find(|key| item.key(key).is_given());
            match kind {
                Some("random") => self.random(item),
                Some("fault") => self.fault(item),
                Some("deploy") => self.deploy(item),
                Some("kill") => self.kill(item),
                Some("replay") => self.replay(item),
                Some(deed) => self.acts(item, deed),
                None => {}
            }
        }
    }

    /// When an entry is due: at a time, or after a step.
    pub(super) fn when(&mut self, item: &Place<'a>, what: &str) -> Option<When> {
        self.due_at(&item.key("at"), what)
    }

    /// A time, or one after a step.
    pub(super) fn due_at(&mut self, place: &Place<'a>, what: &str) -> Option<When> {
        let text = place.text()?.trim();
        if text.starts_with(|c: char| c.is_ascii_digit()) || text.starts_with('-') {
            return match quantity::duration(text) {
                Ok(at) => {
                    self.due.push((place.span, what.to_owned(), at));
                    Some(When::At(at))
                }
                Err(expected) => {
                    self.error(place.span, format!("`{}` is not a time", shown(text)), expected);
                    None
                }
            };
        }
        if let Some((name, offset)) = text.split_once(" - ") {
            let message = "an entry hangs on a step and comes after it, not before";
            let problem = Problem::error(place.span, message).label(format!("`{}` before it", shown(offset)));
            self.problems.push(problem.help(format!("hang it on the step before `{}`, or give a time", shown(name))));
            return None;
        }
        let (name, offset) = match text.rsplit_once('+') {
            Some((name, offset)) => (name.trim(), offset.trim()),
            None => (text, "0"),
        };
        let offset = match quantity::duration(offset) {
            Ok(offset) => offset,
            Err(expected) => {
                self.error(place.span, format!("`{}` is not a time after a step", shown(text)), expected);
                return None;
            }
        };
        let (rollout, step) = self.step_named(name, place.span)?;
        let at = self.published[rollout][step].saturating_add(offset);
        self.due.push((place.span, what.to_owned(), at));
        Some(When::AfterStep { rollout, step, offset })
    }

    /// When an entry is due as planned.
    pub(super) fn planned(&self, when: &When) -> SimDuration {
        match when {
            When::At(at) => *at,
            When::AfterStep { rollout, step, offset } => self.published[*rollout][*step].saturating_add(*offset),
            When::Random { from, .. } => *from,
            When::OnDemand => SimDuration::ZERO,
        }
    }

    /// The step of `step` or `feature/step`, or a problem.
    pub(super) fn step_named(&mut self, name: &str, span: Span) -> Option<(usize, usize)> {
        let mut found = Vec::new();
        let mut names = Vec::new();
        for (at, rollout) in self.estate.rollouts.iter().enumerate() {
            let feature = &self.estate.features[rollout.feature].name;
            for (step_at, step) in rollout.steps.iter().enumerate() {
                let qualified = format!("{feature}/{}", step.name);
                if step.name == name || qualified == name {
                    found.push((at, step_at, qualified.clone()));
                }
                names.push(if name.contains('/') { qualified } else { step.name.clone() });
            }
        }
        match found.as_slice() {
            [(rollout, step, _)] => Some((*rollout, *step)),
            [] if self.lacks_rollouts => None,
            [] => {
                let problem = unknown(span, "step", name, names.iter().map(String::as_str));
                self.problems.push(problem.help("a time is written `2m`, `step + 30m` or `feature/step + 30m`"));
                None
            }
            several => {
                let names: Vec<&str> = several.iter().map(|(.., name)| name.as_str()).take(12).collect();
                let message = format!("several rollouts have a step `{}`", shown(name));
                self.error(span, message, format!("expected one of {}", names.join(", ")));
                None
            }
        }
    }

    pub(super) fn label(&self, name: &str, target: &Target) -> String {
        let mut label = name.to_owned();
        if let Some(service) = target.service {
            label.push_str(&format!(" {}", self.estate.services[service].name));
            if let Some(topic) = target.topic {
                label.push_str(&format!("/{}", self.estate.topics[topic].name));
            }
        }
        if let Some(region) = target.region {
            label.push_str(&format!(" {}", self.estate.regions[region].name));
        }
        label
    }

    fn deploy(&mut self, item: &Place<'a>) {
        let deployed = item.key("deploy");
        let mut services: Vec<(ServiceId, u32)> = Vec::new();
        for (entry, code) in deployed.named() {
            let Some(service) = self.service_named(entry.name(), entry.key.span) else { continue };
            let Some(number) = self.maybe_count(&code, 1_000_000) else { continue };
            let of = &self.estate.services[service];
            if of.codes.iter().all(|code| code.number != number) {
                let problem = no_such_code(code.span, &of.name, number, &of.codes);
                self.problems.push(problem);
            }
            services.push((service, number));
        }
        let names: Vec<String> =
            services.iter().map(|(id, code)| format!("{} {code}", self.estate.services[*id].name)).collect();
        let label = format!("deploy {}", names.join(", "));
        let when = self.when(item, "the deploy");
        let region_place = item.key("region");
        let region = region_place.text().and_then(|name| self.region(name, region_place.span));
        let count_place = item.key("replicas");
        let count = self.maybe_count(&count_place, 10_000);
        let most = services.iter().map(|(id, _)| self.estate.services[*id].replicas.len()).max().unwrap_or(0);
        if count.is_some_and(|count| count as usize > most) && most > 0 {
            self.error(
                count_place.span,
                format!("no service of this deploy has more than {most} replicas"),
                "too many",
            );
        }
        let rolling = item.key("rolling");
        let (batch, every) = match rolling.is_given() {
            true => {
                let batch = self.maybe_count(&rolling.key("batch"), 10_000).unwrap_or(1).max(1);
                (batch, self.duration(&rolling.key("every"), defaults::ROLL_EVERY))
            }
            false => (10_000, SimDuration::ZERO),
        };
        let Some(when) = when else { return };
        let what = Happening::Deploy { services, region, count, batch, every };
        self.estate.timeline.push(Entry { label, when, what });
    }

    fn kill(&mut self, item: &Place<'a>) {
        let name = item.key("kill");
        let feature = name.text().and_then(|text| self.feature(text, name.span));
        let when = self.when(item, "the kill");
        let scope_place = item.key("scope");
        let (scope, scope_label) = self.scope(&scope_place);
        let lift_after = self.maybe_duration(&item.key("lift_after"));
        let Some(feature) = feature else { return };
        let to_place = item.key("to");
        let to = match to_place.text() {
            Some(name) => self.stage(feature, name, to_place.span),
            None => Some(self.estate.features[feature].safe_stage),
        };
        let (Some(to), Some(when)) = (to, when) else { return };
        self.can_set(feature, to, "a kill can set it");
        self.kills.push(self.planned(&when));
        let issued_by = u32::try_from(self.estate.timeline.len()).unwrap_or(u32::MAX);
        let label = format!("kill {}{scope_label}", self.estate.features[feature].name);
        let kill = Kill { scope, to, issued_by };
        self.estate.timeline.push(Entry { label, when, what: Happening::Kill { feature, kill, lift_after } });
    }

    fn scope(&mut self, place: &Place<'a>) -> (Scope, String) {
        let mut scope = Scope::default();
        let mut label = String::new();
        let (region, tenant, journey) = (place.key("region"), place.key("tenant"), place.key("journey"));
        if let Some(id) = region.text().and_then(|name| self.region(name, region.span)) {
            scope.region = u16::try_from(id.index()).ok();
            label.push_str(&format!(" {}", self.estate.regions[id].name));
        }
        if let Some(number) = self.maybe_count(&tenant, 999_999) {
            if number >= self.estate.population.tenants {
                let last = self.estate.population.tenants - 1;
                self.error(
                    tenant.span,
                    format!("there is no tenant {number}"),
                    format!("they are numbered 0 to {last}"),
                );
            }
            scope.tenant = Some(number);
            label.push_str(&format!(" tenant {number}"));
        }
        if let Some(name) = journey.text() {
            match self.journeys.iter().position(|journey| journey.name == name) {
                Some(at) => {
                    scope.journey = u16::try_from(at).ok();
                    label.push_str(&format!(" {name}"));
                }
                None => {
                    let problem =
                        unknown(journey.span, "journey", name, self.journeys.iter().map(|journey| journey.name));
                    self.problems.push(problem);
                }
            }
        }
        (scope, label)
    }

    fn replay(&mut self, item: &Place<'a>) {
        let of = item.key("replay");
        let of = if of.text().is_some() { of } else { of.key("group") };
        let group = of.text().and_then(|name| self.group_named(name, of.span));
        let when = self.when(item, "the replay");
        let from_place = item.key("from");
        let from = self.maybe_duration(&from_place).unwrap_or(SimDuration::ZERO);
        let (Some(group), Some(when)) = (group, when) else { return };
        let at = self.planned(&when);
        if from >= at && !at.is_zero() {
            let message = format!("a replay at {at} from {from} on reads nothing");
            self.error(from_place.span, message, format!("expected earlier than {at}"));
        }
        let topic = self.estate.groups[group].topic;
        for (id, known) in self.estate.topics.iter_mut().enumerate() {
            known.kept_for_replay |= id == topic.index();
        }
        let label = format!("replay {}", of.text().unwrap_or_default());
        self.estate.timeline.push(Entry { label, when, what: Happening::Replay { group, from } });
    }

    /// What is due after the end of the run never happens.
    pub(super) fn check_due(&mut self) {
        let horizon = self.estate.horizon();
        for (span, what, at) in std::mem::take(&mut self.due) {
            if at >= horizon {
                let message = format!("{what} never happens: it is due at {at}, and the run ends at {horizon}");
                let problem = Problem::error(span, message).label("after the end of the run");
                self.problems.push(problem.help("make `duration` longer"));
            }
        }
    }

    /// Whether `reached` can name this, because it lasts: a fault that the timeline names, or `kill` where it has one.
    pub(super) fn is_happening(&self, name: &str) -> bool {
        Place::root(self.root).key("timeline").items().iter().any(|item| {
            let random = item.key("random").texts();
            let is_deed = name == "kill" && item.key(name).is_given();
            is_deed || item.key("fault").text() == Some(name) || random.iter().any(|(fault, _)| *fault == name)
        })
    }

    /// The nearest name of something that lasts: an entry of the timeline or a step.
    pub(super) fn nearest_happening(&self, name: &str) -> Option<String> {
        let first_word = |entry: &Entry| entry.label.split(' ').next().unwrap_or_default().to_owned();
        let mut names: Vec<String> = self.estate.timeline.iter().map(first_word).collect();
        names
            .extend(self.estate.rollouts.iter().flat_map(|rollout| rollout.steps.iter().map(|step| step.name.clone())));
        nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
    }
}
