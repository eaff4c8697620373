//! Faults of the timeline: what they strike, how hard, how long.

use super::place::Place;
use super::{Draft, shown, unknown};
use crate::faults;
use crate::kernel::Distribution;
use crate::models::estate::{Entry, Happening, Part, ServiceId, Strength, Target, When};
use crate::models::fault::{Aim, Fault, Takes};
use crate::scenario::defaults;
use crate::scenario::problem::{Problem, Span};
use crate::units::SimDuration;

/// Faults of the language that this version cannot simulate.
const LATER: [&str; 5] = ["clock.skew", "credentials.rotate", "record.duplicate", "record.reorder", "broker.down"];

impl<'a> Draft<'a> {
    fn fault_named(&mut self, name: &str, span: Span) -> Option<&'static dyn Fault> {
        if let Some(found) = faults::ALL.iter().copied().find(|fault| fault.name() == name) {
            return Some(found);
        }
        if LATER.contains(&name) {
            self.problems.push(Problem::unsupported(span, &format!("the fault `{name}`")).label("this fault"));
            return None;
        }
        let problem = unknown(span, "fault", name, faults::ALL.iter().map(|fault| fault.name()).chain(LATER));
        self.problems.push(problem.help("`windtunnel list faults` prints them all"));
        None
    }

    pub(super) fn fault(&mut self, item: &Place<'a>) {
        let name = item.key("fault");
        let Some(text) = name.text() else { return };
        let fault = self.fault_named(text, name.span);
        let when = self.when(item, &format!("the fault `{}`", shown(text)));
        let lasts = self.lasts(&item.key("lasts"));
        let Some(fault) = fault else { return };
        let target = self.target(item, fault, true);
        let strength = self.strength(item, fault);
        let (Some(when), Some(target)) = (when, target) else { return };
        let label = self.label(fault.name(), &target);
        let what = Happening::Fault { fault, target, lasts, strength };
        self.estate.timeline.push(Entry { label, when, what });
    }

    fn lasts(&mut self, place: &Place<'a>) -> Option<Distribution> {
        let lasts = self.maybe_distribution(place);
        if lasts == Some(Distribution::ZERO) {
            self.error(place.span, "a fault that lasts 0s does nothing", "expected more than 0s");
        }
        lasts
    }

    /// What a fault strikes, as far as its aim has it. `required` says that an aim that needs a target must have it.
    fn target(&mut self, item: &Place<'a>, fault: &'static dyn Fault, required: bool) -> Option<Target> {
        let name = fault.name();
        let mut target = Target::default();
        let (of, region, count) = (item.key("target"), item.key("region"), item.key("replicas"));
        target.region = region.text().and_then(|name| self.region(name, region.span));
        target.count = self.maybe_count(&count, 10_000);
        let mut complete = !region.is_given() || target.region.is_some();
        let mut missing = None;
        match fault.aim() {
            Aim::ControlPlane => self.refuse(name, required, &[("target", &of), ("replicas", &count)]),
            Aim::Region => {
                self.refuse(name, required, &[("target", &of), ("replicas", &count)]);
                missing = (!region.is_given()).then_some("region");
            }
            Aim::Service => {
                target.service = of.text().and_then(|name| self.service_named(name, of.span));
                complete &= !of.is_given() || target.service.is_some();
                missing = (!of.is_given()).then_some("target");
            }
            Aim::Sdk => {
                target.service = of.text().and_then(|name| self.cache_named(name, of.span));
                complete &= self.may_hang(name, target.service, &of);
                complete &= !of.is_given() || target.service.is_some();
                missing = (!of.is_given()).then_some("target");
            }
            Aim::Network => {
                self.refuse(name, required, &[("replicas", &count)]);
                target.service = of.text().and_then(|name| self.service_named(name, of.span));
                complete &= !of.is_given() || target.service.is_some();
            }
            Aim::ConsumerGroup => {
                if let Some(group) = of.text().and_then(|name| self.group_named(name, of.span)) {
                    let group_of = &self.estate.groups[group];
                    target.group = Some(group);
                    (target.service, target.topic) = (Some(group_of.service), Some(group_of.topic));
                }
                complete &= !of.is_given() || target.group.is_some();
                missing = (!of.is_given()).then_some("target");
            }
        }
        if let Some(key) = missing.filter(|_| required) {
            let wanted = match fault.aim() {
                Aim::ConsumerGroup => "expected target: service/topic",
                Aim::Region => "expected region: name",
                Aim::ControlPlane | Aim::Service | Aim::Sdk | Aim::Network => "expected target: service",
            };
            self.error(item.span, format!("the fault `{name}` needs `{key}`"), wanted);
            return None;
        }
        complete.then_some(target)
    }

    /// The service of a name, or its cache of switches, written `service/switches`.
    fn cache_named(&mut self, name: &str, span: Span) -> Option<ServiceId> {
        let layer = self.estate.service_named(name).filter(|id| self.estate.services[*id].part == Part::Switches);
        layer.or_else(|| self.service_named(name, span))
    }

    /// Whether an SDK of the service, or of any without one, has a background refresh that can hang.
    fn may_hang(&mut self, fault: &str, service: Option<ServiceId>, place: &Place<'a>) -> bool {
        let mut services = self.estate.services.enumerate();
        if services.any(|(id, of)| service.is_none_or(|service| service == id) && of.refreshes_in_background()) {
            return true;
        }
        let what = service.map_or("no service has an SDK".to_owned(), |service| {
            format!("`{}` has no SDK", self.estate.services[service].name)
        });
        let message = format!("`{fault}` finds nothing that could hang: {what} that refreshes in the background");
        let problem = Problem::error(place.span, message).label("expected a service with such an SDK");
        self.problems
            .push(problem.help("sdk: { poll: … }, { stream: … } and { ttl: …, stale_while_revalidate: true } do"));
        false
    }

    fn refuse(&mut self, fault: &str, strict: bool, keys: &[(&str, &Place<'a>)]) {
        for (key, place) in keys.iter().filter(|(_, place)| strict && place.is_given()) {
            let message = format!("the fault `{fault}` does not take `{key}`");
            self.error(place.span, message, "not expected here");
        }
    }

    /// Kinds in one entry share its strength, and have one where it gives none.
    fn random_strength(&mut self, item: &Place<'a>, fault: &'static dyn Fault) -> Strength {
        let (share, by) = (item.key("share"), item.key("by"));
        match fault.takes() {
            Takes::Nothing => Strength::default(),
            Takes::Share => Strength { share: Some(self.share(&share, defaults::RANDOM_SHARE)), delay: None },
            Takes::Delay => Strength { share: None, delay: Some(self.duration(&by, defaults::RANDOM_BY)) },
        }
    }

    fn strength(&mut self, item: &Place<'a>, fault: &'static dyn Fault) -> Strength {
        let (share, by) = (item.key("share"), item.key("by"));
        let strength = Strength { share: self.maybe_share(&share), delay: self.maybe_duration(&by) };
        let missing = match fault.takes() {
            Takes::Nothing => {
                self.refuse(fault.name(), true, &[("share", &share), ("by", &by)]);
                return Strength::default();
            }
            Takes::Share => {
                self.refuse(fault.name(), true, &[("by", &by)]);
                (!share.is_given()).then_some("`share`, such as share: 10%")
            }
            Takes::Delay => {
                self.refuse(fault.name(), true, &[("share", &share)]);
                (!by.is_given()).then_some("`by`, such as by: 500ms")
            }
        };
        if let Some(missing) = missing {
            self.error(item.span, format!("the fault `{}` needs {missing}", fault.name()), "how strong it is");
        }
        strength
    }

    pub(super) fn random(&mut self, item: &Place<'a>) {
        let per_second = self.maybe_rate(&item.key("rate"));
        let lasts = self.lasts(&item.key("lasts"));
        let from = self.maybe_duration(&item.key("from")).unwrap_or(SimDuration::ZERO);
        let until_place = item.key("until");
        let until = self.maybe_duration(&until_place).unwrap_or(self.estate.duration);
        if until <= from {
            let message = format!("random faults from {from} until {until} never strike");
            self.error(until_place.span, message, format!("expected later than {from}"));
        }
        let (share, by) = (item.key("share"), item.key("by"));
        let (mut takes_share, mut takes_delay) = (false, false);
        for (name, span) in item.key("random").texts() {
            let Some(fault) = self.fault_named(name, span) else { continue };
            takes_share |= fault.takes() == Takes::Share;
            takes_delay |= fault.takes() == Takes::Delay;
            let target = self.target(item, fault, false);
            let strength = self.random_strength(item, fault);
            let (Some(target), Some(per_second)) = (target, per_second) else { continue };
            let label = self.label(&format!("{name} (random)"), &target);
            let what = Happening::Fault { fault, target, lasts: lasts.clone(), strength };
            self.estate.timeline.push(Entry { label, when: When::Random { per_second, from, until }, what });
        }
        for (key, place, taken) in [("share", share, takes_share), ("by", by, takes_delay)] {
            if place.is_given() && !taken {
                self.error(place.span, format!("none of these faults takes `{key}`"), "not expected here");
            }
        }
    }
}
