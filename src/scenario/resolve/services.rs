//! Services: replicas, capacity, SDK, code versions. Operations come later.

use super::place::{Place, last};
use super::{Draft, unknown};
use crate::kernel::Distribution;
use crate::kernel::digest::hash_bytes;
use crate::models::estate::{
    Backoff, CodeVersion, Delivery, Otherwise, Part, RegionId, ReplicaSpec, Sdk, Service, ServiceId, Silence,
};
use crate::scenario::defaults;
use crate::scenario::problem::{Problem, Span};
use crate::scenario::shapes::DELIVERIES;
use crate::units::{Id, Share};

/// Replicas of a whole estate: three times a thousand services of 28.
const MOST_REPLICAS: u64 = 100_000;

/// A service with the place it is read from.
pub(super) struct ServiceDraft<'a> {
    pub place: Place<'a>,
    pub key: Span,
    pub takes: Distribution,
}

impl<'a> Draft<'a> {
    pub(super) fn declare_services(&mut self, root: &Place<'a>) {
        let services = root.key("services").named();
        if services.is_empty() {
            let services = root.key("services");
            self.error(services.span, "a scenario without services", "expected at least one service");
        }
        let mut total = 0_u64;
        for (entry, place) in services {
            self.check_name("service", entry.name(), entry.key.span);
            self.vocabulary.services.push(entry.name().to_owned());
            let id = Id::new(self.estate.services.len());
            let replicas = self.replicas_of(entry.name(), &place.key("replicas"), id, &mut total);
            let takes = self.distribution(&place.key("takes"), defaults::TAKES);
            self.services.push(ServiceDraft { place: place.clone(), key: entry.key.span, takes });
            let service = self.service(entry.name(), &place, replicas);
            self.estate.services.push(service);
        }
        self.check_labels();
    }

    fn service(&mut self, name: &str, place: &Place<'a>, replicas: Vec<crate::models::estate::ReplicaId>) -> Service {
        let external = self.boolean(&place.key("external"));
        let label = place.key("context").text().unwrap_or(name);
        let context = self.estate.contexts.intern(label);
        let sdk = self.sdk(&place.key("sdk"), external);
        let (edge, edge_features) = self.edge(&place.key("edge"));
        let (codes, initial_code) = self.codes(place);
        Service {
            name: name.to_owned(),
            context,
            replicas,
            workers: self.count(&place.key("workers"), 1_000_000, defaults::WORKERS).max(1),
            queue: self.count(&place.key("queue"), 1_000_000, defaults::QUEUE),
            sdk,
            decides_from: Vec::new(),
            edge,
            edge_features,
            edge_expires: self.maybe_duration(&place.key("edge").key("expires")),
            trusts: Vec::new(),
            forwards: if external { Share::NONE } else { self.share(&place.key("forwards"), defaults::FORWARDS) },
            local: self.local_switches(&place.key("local")),
            ignores: self.feature_list(&place.key("ignores")),
            codes,
            initial_code,
            defective: false,
            otherwise: self.otherwise(&place.key("otherwise")),
            external,
            part: Part::Service,
            silence: self.silence(place, external),
            saga: None,
            operations: Vec::new(),
        }
    }

    /// How often an external party gives no answer; both keys or none (rules.md, 31).
    fn silence(&mut self, place: &Place<'a>, external: bool) -> Option<Silence> {
        let (unknown, takes_effect) = (place.key("outcome_unknown"), place.key("takes_effect"));
        let (given, other, missing) = match (unknown.is_given(), takes_effect.is_given()) {
            (false, false) => return None,
            (true, true) => (&unknown, &takes_effect, None),
            (true, false) => (&unknown, &unknown, Some("write takes_effect: 50% beside it")),
            (false, true) => (&takes_effect, &takes_effect, Some("write outcome_unknown: 1% beside it")),
        };
        if let Some(help) = missing {
            let message = format!("`{}` alone leaves the other half open", last(&given.path));
            self.problems.push(Problem::error(given.span, message).label("without its other half").help(help));
            return None;
        }
        if !external {
            let problem = Problem::error(given.span, "a service of ours answers, unless something goes wrong");
            let problem = problem.label("not expected here");
            self.problems.push(problem.help("write `external: true`, or lose its answers with the fault link.loss"));
            return None;
        }
        let share = self.maybe_share(given)?;
        let by_share = if other.node?.as_map().is_some() { other.key("share") } else { other.clone() };
        let takes_effect = self.maybe_share(&by_share)?;
        Some(Silence { share, takes_effect, later: self.maybe_distribution(&other.key("later")) })
    }

    /// The label of a context is its service's name or a label of its own, not the name of another service.
    fn check_labels(&mut self) {
        for at in 0..self.services.len() {
            let label = self.services[at].place.key("context");
            let (Some(text), service) = (label.text(), &self.estate.services[Id::new(at)]) else { continue };
            let taken = self.estate.services.iter().any(|other| other.name == text && other.name != service.name);
            if taken {
                let message = format!("the context `{text}` has the name of another service");
                self.error(label.span, message, "expected a label of its own");
            }
        }
    }

    fn replicas_of(
        &mut self,
        service: &str,
        place: &Place<'a>,
        id: ServiceId,
        total: &mut u64,
    ) -> Vec<crate::models::estate::ReplicaId> {
        let mut counts: Vec<(RegionId, u32)> = Vec::new();
        if place.node.is_some_and(|node| node.as_map().is_some()) {
            for (entry, value) in place.named() {
                let region = self.region(entry.name(), entry.key.span);
                let count = self.maybe_count(&value, 10_000);
                counts.extend(region.zip(count));
            }
        } else {
            let count = self.count(place, 10_000, defaults::REPLICAS);
            counts = self.estate.regions.ids().map(|region| (region, count)).collect();
        }
        counts.sort_by_key(|(region, _)| *region);
        let wanted: u64 = counts.iter().map(|(_, count)| u64::from(*count)).sum();
        *total += wanted;
        if *total > MOST_REPLICAS {
            let message = format!("the estate has more than {MOST_REPLICAS} replicas");
            self.error(place.span, message, format!("with `{service}` there are {total}"));
            return Vec::new();
        }
        let told = place.named().len() > counts.len();
        if wanted == 0 && !told {
            self.error(place.span, format!("`{service}` has no replicas"), "expected at least one");
        }
        let several = self.estate.regions.len() > 1;
        let mut replicas = Vec::new();
        for (region, count) in counts {
            for n in 1..=count {
                let name = match several {
                    true => format!("{service}/{}/{n}", self.estate.regions[region].name),
                    false => format!("{service}/{n}"),
                };
                replicas.push(self.estate.replicas.push(ReplicaSpec { service: id, region, name, switches: None }));
            }
        }
        replicas
    }

    fn sdk(&mut self, place: &Place<'a>, external: bool) -> Option<Sdk> {
        place.node?.as_map()?;
        if external {
            let problem = Problem::error(place.span, "an external service has no sdk of ours");
            self.problems.push(problem.label("not expected here").help("leave `sdk` out, or `external`"));
            return None;
        }
        let given: Vec<&str> = DELIVERIES.into_iter().filter(|key| place.key(key).is_given()).collect();
        if given.len() != 1 {
            if given.is_empty() && place.key("preset").is_given() {
                return None;
            }
            let expected = format!("expected exactly one of {}", DELIVERIES.join(", "));
            let message = match given.as_slice() {
                [] => "an sdk that does not say how policy reaches it".to_owned(),
                several => format!("an sdk has one delivery, not {}", several.join(" and ")),
            };
            self.error(place.span, message, expected);
            return None;
        }
        let delivery = self.delivery(place, given[0]);
        let backoff = self.backoff(&place.key("backoff"));
        let timeout = self.period(&place.key("timeout"), defaults::SDK_TIMEOUT);
        Some(Sdk {
            delivery,
            timeout,
            backoff,
            persist: self.boolean(&place.key("persist")),
            invalidation: self.invalidation(&place.key("invalidation"), given[0]),
            alert_after: self.alert_after(&place.key("alert_after")),
            salt: place.key("salt").text().map(salt),
            environment: environment(&place.key("environment")),
            left_out: left_out(&place.key("leaves_out")),
            leaves_out: self.leaves_out(&place.key("leaves_out")),
        })
    }

    /// How long an announced kill is on its way, where kills are announced.
    fn invalidation(&mut self, place: &Place<'a>, delivery: &str) -> Option<Distribution> {
        place.node?;
        if !matches!(delivery, "poll" | "ttl") {
            let message = format!("`invalidation` announces kills to who asks; this sdk has `{delivery}`");
            self.error(place.span, message, "expected beside `poll` or `ttl`");
            return None;
        }
        Some(self.pushed(place.clone()))
    }

    /// The delay of what is pushed: `true`, or how long.
    pub(super) fn pushed(&mut self, place: Place<'a>) -> Distribution {
        let plain = place.text() == Some("true");
        let place = Place { node: place.node.filter(|_| !plain), ..place };
        self.distribution(&place, defaults::STREAM_DELAY)
    }

    /// A watch that looks every 0 s would never let time pass.
    fn alert_after(&mut self, place: &Place<'a>) -> Option<crate::units::SimDuration> {
        let after = self.maybe_duration(place)?;
        if after.is_zero() {
            self.error(place.span, "`alert_after` of 0s would be raised all the time", "expected more than 0s");
            return None;
        }
        Some(after)
    }

    pub(super) fn delivery(&mut self, place: &Place<'a>, key: &str) -> Delivery {
        let of = place.key(key);
        let swr = place.key("stale_while_revalidate");
        let stale_while_revalidate = self.boolean(&swr);
        if stale_while_revalidate && key != "ttl" {
            self.error(swr.span, "`stale_while_revalidate` belongs to `ttl`", format!("this sdk has `{key}`"));
        }
        let jitter = place.key("jitter");
        if jitter.is_given() && key != "poll" {
            self.error(jitter.span, "`jitter` belongs to `poll`", format!("this sdk has `{key}`"));
        }
        match key {
            "poll" => {
                let jitter = self.number(&jitter, 0.0, 1.0, defaults::SDK_JITTER);
                Delivery::Poll { every: self.period(&of, defaults::DURATION), jitter }
            }
            "ttl" => Delivery::Ttl { ttl: self.duration(&of, defaults::DURATION), stale_while_revalidate },
            "stream" => Delivery::Stream { delay: self.pushed(of) },
            "topic" => Delivery::Topic { takes: self.pushed(of) },
            "remote" => Delivery::Remote,
            _ => Delivery::File,
        }
    }

    fn backoff(&mut self, place: &Place<'a>) -> Backoff {
        if place.node.and_then(|node| node.as_map()).is_none() {
            return Backoff::None;
        }
        if let Some(most) = self.maybe_count(&place.key("linear"), 1_000) {
            return Backoff::Linear { most };
        }
        let first = self.period(&place.key("first"), defaults::BACKOFF_FIRST);
        let most = self.period(&place.key("most"), defaults::BACKOFF_MOST);
        if most < first {
            let most_place = place.key("most");
            self.error(most_place.span, format!("the longest wait is below the first: {most} < {first}"), "`most`");
        }
        Backoff::Exponential { first, most, jitter: self.boolean(&place.key("jitter")) }
    }

    fn edge(&mut self, place: &Place<'a>) -> (bool, Vec<crate::rollout::FeatureId>) {
        match place.node.and_then(|node| node.as_map()) {
            Some(_) => (true, self.feature_list(&place.key("features"))),
            None => (self.boolean(place), Vec::new()),
        }
    }

    pub(super) fn feature_list(&mut self, place: &Place<'a>) -> Vec<crate::rollout::FeatureId> {
        let named = place.texts();
        let mut features: Vec<_> = named.into_iter().filter_map(|(name, span)| self.feature(name, span)).collect();
        features.sort_unstable();
        features.dedup();
        features
    }

    fn local_switches(&mut self, place: &Place<'a>) -> Vec<(crate::rollout::FeatureId, crate::rollout::StageId)> {
        let mut switches = Vec::new();
        for (entry, value) in place.named() {
            let Some(feature) = self.feature(entry.name(), entry.key.span) else { continue };
            let Some(stage) = value.text().and_then(|name| self.stage(feature, name, value.span)) else { continue };
            self.can_set(feature, stage, "a local switch can set it");
            switches.push((feature, stage));
        }
        switches
    }

    fn codes(&mut self, place: &Place<'a>) -> (Vec<CodeVersion>, u32) {
        let mut codes = Vec::new();
        for (entry, of) in place.key("code").named() {
            let Ok(number) = crate::scenario::quantity::integer(entry.name(), 0..=1_000_000) else {
                let message = format!("`{}` is not the number of a code version", super::shown(entry.name()));
                self.error(entry.key.span, message, "expected a whole number");
                continue;
            };
            let understands = of.key("understands");
            let listed = understands.node.and_then(|node| node.as_list()).unwrap_or_default();
            let mut understands = Vec::new();
            for node in listed {
                let item = Place { node: Some(node), path: of.path.clone(), span: node.span };
                understands.extend(self.maybe_count(&item, 1_000_000));
            }
            understands.sort_unstable();
            understands.dedup();
            codes.push(CodeVersion {
                number: u32::try_from(number).unwrap_or(u32::MAX),
                understands,
                defects: Vec::new(),
            });
        }
        if codes.is_empty() {
            codes.push(CodeVersion { number: 1, understands: Vec::new(), defects: Vec::new() });
        }
        codes.sort_by_key(|code| code.number);
        let runs_place = place.key("runs");
        let runs = self.maybe_count(&runs_place, 1_000_000).unwrap_or(codes[0].number);
        if codes.iter().all(|code| code.number != runs) {
            let problem = no_such_code(runs_place.span, last(&place.path), runs, &codes);
            self.problems.push(problem);
        }
        (codes, runs)
    }

    fn otherwise(&mut self, place: &Place<'a>) -> Otherwise {
        match place.text() {
            Some("dead_letter") => Otherwise::DeadLetter,
            Some("fail") => Otherwise::Fail,
            Some(_) => Otherwise::Park,
            None => self.maybe_count(&place.key("process_as"), 1_000_000).map_or(Otherwise::Park, Otherwise::ProcessAs),
        }
    }

    /// The service of a name, or a problem.
    pub(super) fn service_named(&mut self, name: &str, span: Span) -> Option<ServiceId> {
        let found = self.estate.service_named(name);
        if found.is_none() {
            let names = self.estate.services.iter().map(|service| service.name.as_str());
            let problem = unknown(span, "service", name, names);
            self.problems.push(problem);
        }
        if let Some(part @ (Part::Client | Part::Switches)) = found.map(|id| self.estate.services[id].part) {
            let what = if part == Part::Client { "a client of the population" } else { "a cache of kill switches" };
            let problem = Problem::error(span, format!("`{name}` is {what}, not a service"));
            self.problems.push(problem.label("expected a service"));
            return None;
        }
        found
    }
}

/// A service does not have a code version.
pub(super) fn no_such_code(span: Span, service: &str, code: u32, codes: &[CodeVersion]) -> Problem {
    let known: Vec<String> = codes.iter().map(|code| code.number.to_string()).collect();
    let problem = Problem::error(span, format!("`{service}` has no code version {code}"));
    problem.label(format!("expected one of {}", known.join(", "))).help("code versions are declared under `code:`")
}

/// Another environment than production, as the hash of its name.
fn environment(place: &Place<'_>) -> Option<u32> {
    let name = place.text().filter(|name| *name != "production")?;
    Some((hash_bytes(name.as_bytes()) as u32).max(1))
}

/// What tells an evaluation context that lacks these attributes from a whole one; zero where it lacks none.
fn left_out(place: &Place<'_>) -> u64 {
    place.texts().iter().fold(0, |all, (name, _)| all ^ hash_bytes(name.as_bytes()))
}

/// A salt as a number: the number itself, or the hash of a text.
pub(super) fn salt(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| hash_bytes(text.as_bytes()))
}
